"""The configuration file: read with tomllib, checked key by key, every mistake with its line."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .connections import SECRETS, Connection
from .errors import ConfigError, nearest

if TYPE_CHECKING:
    import tomllib

__all__ = ["ConfigError", "Settings", "example", "load"]


@dataclass(frozen=True, slots=True)
class Settings:
    """What the person has set. poll_seconds: between polls. page_size, budget: see `Connection`.

    default: the connection opened when none is named, "" when there is none. open: connections opened beside it.
    keys: action id → keys, as the person wants them; the console checks the names. file: where it was read from.
    """

    theme: str = "night"
    low_bandwidth: bool = False
    mouse: bool = True
    poll_seconds: float = 15.0
    page_size: int = 100
    budget: int = 10_000
    default: str = ""
    open: tuple[str, ...] = ()
    connections: dict[str, Connection] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    file: Path | None = None

    def connection(self, name: str) -> Connection:
        """The connection of that name. Raises `ConfigError` with the names there are."""
        found = self.connections.get(name)
        if found is None:
            names = ", ".join(self.connections) or f"none is set up in {self.file}"
            hint = nearest(name, self.connections)
            raise ConfigError(
                f"there is no connection {name!r}" + (f"; did you mean {hint!r}?" if hint else ""), allowed=names
            )
        return found


@dataclass(frozen=True, slots=True)
class _Key:
    kind: type
    low: float = 0
    high: float = 0

    @property
    def allowed(self) -> str:
        if self.kind is bool:
            return "true or false"
        if self.kind is str:
            return "text in quotes"
        if self.kind is list:
            return "a list of names in quotes"
        if self.kind is dict:
            return "a table of its own"
        kind = "a whole number" if self.kind is int else "a number"
        return f"{kind} from {self.low:g} to {self.high:g}"


_LIMITS = {"page_size": _Key(int, 1, 1_000), "budget": _Key(int, 60, 1_000_000)}
_CONSOLE = {
    "theme": _Key(str),
    "low_bandwidth": _Key(bool),
    "mouse": _Key(bool),
    "poll_seconds": _Key(float, 5, 3_600),
    "open": _Key(list),
    **_LIMITS,
}
_CONNECTION = {
    "provider": _Key(str),
    "url": _Key(str),
    "organization": _Key(str),
    **{f"{name}_{place}": _Key(str) for name in SECRETS for place in ("env", "file")},
    "email": _Key(str),
    "production": _Key(bool),
    "read_only": _Key(bool),
    "ca_file": _Key(str),
    "timeout": _Key(float, 1, 600),
    "options": _Key(dict),
    "paths": _Key(dict),
    **_LIMITS,
}
_TOP = ("default", "console", "connections", "keys")


def load(path: Path, env: Mapping[str, str]) -> Settings:
    """Read the configuration at `path`; a missing file gives the defaults. Raises `ConfigError`.

    MDM_TUI_CONNECTION in `env` names the default connection over the file's.
    """
    try:
        # Opening a pipe would wait for somebody to write into it.
        if not stat.S_ISREG(path.stat().st_mode):
            raise ConfigError("is not a plain file", file=path, allowed="a file of text, or a link to one")
        data = path.read_bytes()
    except FileNotFoundError:
        data = b""
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", file=path) from None
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError("is not UTF-8 text", file=path, line=line, allowed="UTF-8") from None
    if not text.strip():
        return _settings({}, path, env)
    import tomllib

    try:
        document = tomllib.loads(text)
    except RecursionError:
        raise ConfigError("is nested too deep", file=path, allowed="TOML") from None
    except tomllib.TOMLDecodeError as error:
        raise _syntax(error, path) from None
    try:
        return _settings(document, path, env)
    except ConfigError as error:
        from .lines import find_line

        raise error.at(path, find_line(text, error.key)) from None


def _settings(document: dict[str, Any], path: Path, env: Mapping[str, str]) -> Settings:
    _names(document, _TOP, "")
    console = _values(_table(document, "console"), _CONSOLE, "console")
    connections: dict[str, Connection] = {}
    for name, table in _table(document, "connections").items():
        where = f"connections.{name}"
        if not isinstance(table, dict):
            raise ConfigError("is not a table", key=where, allowed=f"[{where}] with {', '.join(_CONNECTION)}")
        values = {key: console[key] for key in _LIMITS if key in console} | _values(table, _CONNECTION, where)
        for key, kinds, allowed in (
            ("options", (str, bool, int), "text in quotes, true, false or a whole number"),
            ("paths", (str,), 'a path in quotes, as in "/ota/api/app/all"'),
        ):
            _plain(values.get(key, {}), kinds, f"{where}.{key}", allowed)
        for key in (*(f"{name}_file" for name in SECRETS), "ca_file"):
            if values.get(key):
                # Relative to the configuration, not to wherever the console is started.
                values[key] = str(path.parent / os.path.expanduser(values[key]))
        try:
            # What is missing is empty: the connection itself says so.
            blank: dict[str, Any] = {"provider": "", "url": "", "organization": ""}
            connections[name] = Connection(name=name, **(blank | values))
        except ConfigError as error:
            key = where if error.key == "name" else f"{where}.{error.key}"
            raise ConfigError(error.message, key=key, allowed=error.allowed) from None
    beside = _beside(console.pop("open", []), connections)
    default = document.get("default", "")
    if not isinstance(default, str):
        raise ConfigError(f"is {_shown(default)}", key="default", allowed="the name of a connection in quotes")
    if default and default not in connections:
        hint = nearest(default, connections)
        raise ConfigError(
            f"there is no connection {default!r}" + (f"; did you mean {hint!r}?" if hint else ""),
            key="default",
            allowed=", ".join(connections) or "nothing: no connection is set up",
        )
    if not default and len(connections) == 1:
        default = next(iter(connections))
    return Settings(
        **console,
        default=env.get("MDM_TUI_CONNECTION") or default,
        open=beside,
        connections=connections,
        keys=_keys(_table(document, "keys"), "keys"),
        file=path,
    )


def _beside(names: list[Any], connections: Mapping[str, Connection]) -> tuple[str, ...]:
    """The connections to open beside the default, each once."""
    for name in names:
        if not isinstance(name, str) or name not in connections:
            hint = nearest(name, connections) if isinstance(name, str) else ""
            raise ConfigError(
                f"there is no connection {_shown(name)}" + (f"; did you mean {hint!r}?" if hint else ""),
                key="console.open",
                allowed=", ".join(connections) or "nothing: no connection is set up",
            )
    return tuple(dict.fromkeys(names))


def _plain(table: dict[str, Any], kinds: tuple[type, ...], where: str, allowed: str) -> None:
    """What names there may be is the provider's to say, when it connects."""
    for key, value in table.items():
        if not isinstance(value, kinds):
            raise ConfigError(f"is {_shown(value)}", key=f"{where}.{key}", allowed=allowed)


def _keys(table: dict[str, Any], where: str) -> dict[str, str]:
    """Action ids hold dots, so that without quotes they are tables within tables: both are read."""
    found: dict[str, str] = {}
    for name, value in table.items():
        key = f"{where}.{name}"
        if isinstance(value, dict):
            found |= _keys(value, key)
        elif isinstance(value, str):
            found[key.removeprefix("keys.")] = value
        else:
            raise ConfigError(f"is {_shown(value)}", key=key, allowed='the names of keys in quotes, as "f2,ctrl+s"')
    return found


def _table(document: dict[str, Any], name: str) -> dict[str, Any]:
    found = document.get(name, {})
    if not isinstance(found, dict):
        raise ConfigError(f"is {_shown(found)}", key=name, allowed=f"a table: [{name}]")
    return found


def _names(table: Mapping[str, Any], known: tuple[str, ...] | Mapping[str, Any], where: str) -> None:
    for key in table:
        if key in known:
            continue
        hint = nearest(key, known)
        message = "unknown key" + (f"; did you mean {hint!r}?" if hint else "")
        if not where and key in _CONSOLE:
            message = "unknown key here; it belongs in [console]"
        elif where and key == "default":
            message = "unknown key here; it belongs at the top of the file, before any [table]"
        elif not where and isinstance(table[key], dict):
            message = f"unknown table; a connection is written [connections.{key}]" if not hint else message
        raise ConfigError(message, key=f"{where}.{key}" if where else key, allowed=", ".join(known))


def _values(table: dict[str, Any], known: Mapping[str, _Key], where: str) -> dict[str, Any]:
    _names(table, known, where)
    found: dict[str, Any] = {}
    for key, value in table.items():
        rule = known[key]
        right = isinstance(value, (int, float)) if rule.kind is float else isinstance(value, rule.kind)
        # In Python true is a number; here it is not.
        if not right or (isinstance(value, bool) and rule.kind is not bool):
            raise ConfigError(f"is {_shown(value)}", key=f"{where}.{key}", allowed=rule.allowed)
        if rule.high and not rule.low <= value <= rule.high:
            raise ConfigError(f"is {value:g}", key=f"{where}.{key}", allowed=rule.allowed)
        found[key] = float(value) if rule.kind is float else value
    return found


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value)[:80]


def _syntax(error: tomllib.TOMLDecodeError, path: Path) -> ConfigError:
    import re

    message = str(error)
    place = re.search(r" \(at line (\d+), column (\d+)\)$", message)
    if place:
        return ConfigError(
            f"column {place[2]}: {message[: place.start()]}", file=path, line=int(place[1]), allowed="TOML"
        )
    return ConfigError(message.removesuffix(" (at end of document)") + " at the end", file=path, allowed="TOML")


def example() -> str:
    """A configuration to start from."""
    return """\
default = "acme"

[console]
theme = "night"            # or "day"
poll_seconds = 15

[connections.acme]
provider = "applivery"
url = "https://api.applivery.io/v1"
organization = "your-organisation-id"
token_env = "ACME_TOKEN"   # the name of the variable; or token_file = "acme.token" (mode 0600)
production = true
read_only = true           # take it away when you want to change things

# A connection to VisionMax MiDM signs in with an e-mail address and a password, and shows an API key:
#
# [connections.depot]
# provider = "midm"
# url = "https://the-host-you-were-given"
# organization = "the site's uuid"   # or its id name
# email = "ops@example.com"
# password_env = "DEPOT_PASSWORD"    # or password_file = "depot.password" (mode 0600)
# api_key_env = "DEPOT_API_KEY"      # or api_key_file
#
# [connections.depot.options]        # what the vendor's pages leave open
# api_key_header = "x-api-key"
# bearer = true                      # false: the access token without the word Bearer
# scope_devices = "serial"           # or "id": how rollouts name devices
#
# [connections.depot.paths]          # an operation under another address
# "app/all" = "/ota/api/app/all"
#
# Several connections side by side: open = ["acme", "depot"] in [console].
"""
