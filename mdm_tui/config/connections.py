"""A connection: one organisation at one service, and how to reach it. It never holds a secret itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from .errors import ConfigError

__all__ = ["SECRETS", "Connection", "Option", "check_url", "is_loopback"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_ORGANIZATION = re.compile(r"[A-Za-z0-9._-]{3,128}")
_ENV = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_EMAIL = re.compile(r"[!-?A-~]{1,128}@[!-?A-~]{1,128}")
# The secrets a connection can name, each by an environment variable or a file.
SECRETS = ("token", "api_key", "password")

Option = str | bool | int


@dataclass(frozen=True, slots=True)
class Connection:
    """How to reach one organisation.

    organization: its id, or the site's for services that have sites. email: who signs in, where the service wants
    that. token_env, token_file, api_key_*, password_*: where a secret is found, see `credentials.secrets`.
    production: shown in red and locked. read_only: nothing but reading leaves this machine. ca_file: PEM bundle to
    trust instead of the system's. timeout: seconds. budget: calls an hour. page_size: devices a call. demo: served by
    our own embedded server. options, paths: what only this kind of provider knows, checked by the provider when it
    connects; paths: operation → its path at the service.
    Raises `ConfigError` when a value cannot be used.
    """

    name: str
    provider: str
    url: str
    organization: str
    token_env: str = ""
    token_file: str = ""
    email: str = ""
    api_key_env: str = ""
    api_key_file: str = ""
    password_env: str = ""
    password_file: str = ""
    production: bool = False
    read_only: bool = False
    ca_file: str = ""
    timeout: float = 30.0
    budget: int = 10_000
    page_size: int = 100
    demo: bool = False
    options: Mapping[str, Option] = field(default_factory=dict)
    paths: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _match(_NAME, "name", self.name, "letters, digits, dot, dash and underscore, at most 64")
        _match(_NAME, "provider", self.provider, "the name of a provider, such as applivery")
        _match(
            _ORGANIZATION, "organization", self.organization, "the organisation's id or slug, as the service shows it"
        )
        for name in SECRETS:
            env, file = f"{name}_env", f"{name}_file"
            words = name.replace("api_key", "API key")
            if self.named(env):
                _match(_ENV, env, self.named(env), f"the name of an environment variable, not the {words} itself")
            if self.named(env) and self.named(file):
                raise ConfigError(f"both {env} and {file} are set", key=file, allowed="one of them, or neither")
        if self.email:
            _match(_EMAIL, "email", self.email, "an e-mail address, as in ops@example.com")
        check_url(self.url)

    def named(self, field_name: str) -> str:
        """The value of one of the fields that say where a secret is found, such as `api_key_env`."""
        return str(getattr(self, field_name))

    @property
    def scope(self) -> str:
        """The identity of everything seen through it: never a port, never a name that can be changed."""
        return f"{self.provider}:{self.organization}"


def _match(pattern: re.Pattern[str], key: str, value: str, allowed: str) -> None:
    if not value:
        raise ConfigError("is missing", key=key, allowed=allowed)
    if not pattern.fullmatch(value):
        # A token pasted into the wrong place must not be printed.
        shown = "is not such a name" if key.endswith("_env") else f"is {value[:80]!r}"
        raise ConfigError(shown, key=key, allowed=allowed)


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine, without asking any name server."""
    if host.lower() in ("localhost", "127.0.0.1"):
        return True
    import ipaddress

    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_url(url: str) -> None:
    """Refuse an address that could send the token somewhere unmeant. Raises `ConfigError` (key `url`)."""
    allowed = "https://host[:port]/path; http:// only to this machine"
    if not url:
        raise ConfigError("is missing", key="url", allowed=allowed)
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise ConfigError("holds blanks or characters that no address has", key="url", allowed=allowed)
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigError(f"is not an address ({error})", key="url", allowed=allowed) from None
    if "@" in parts.netloc:
        # Not quoted in the message: it may hold a password.
        raise ConfigError(
            "holds a user name or password",
            key="url",
            allowed="no user name in the address; use email, and a variable or a file for each secret",
        )
    if parts.scheme not in ("https", "http") or not host:
        raise ConfigError(f"is {url[:80]!r}", key="url", allowed=allowed)
    if parts.query or parts.fragment or url.endswith(("?", "#")):
        raise ConfigError("holds a query or a fragment", key="url", allowed=allowed)
    if parts.scheme == "http" and not is_loopback(host):
        raise ConfigError(f"http:// to {host} would send the token unprotected", key="url", allowed=allowed)
