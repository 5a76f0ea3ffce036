"""Tokens: found in the environment or in a private file, kept in memory only, masked wherever they are printed."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NoReturn

from .connections import Connection
from .errors import ConfigError

__all__ = ["Secret", "secrets", "source", "token"]

_MASK = "••••••"
_MAX_BYTES = 16_384


class Secret:
    """A text that is never printed: `str`, `repr` and formatting give a mask, pickling is refused."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The text itself; call it where it is sent, and nowhere else."""
        return self._value

    def __str__(self) -> str:
        return _MASK

    def __repr__(self) -> str:
        return f"Secret({_MASK})"

    def __format__(self, spec: str) -> str:
        return _MASK

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        import hmac

        return hmac.compare_digest(self._value.encode(), other._value.encode())

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled")


def source(connection: Connection, env: Mapping[str, str]) -> str:
    """Where the token would come from, in words; "" when there is none. Never the token."""
    if connection.token_env and env.get(connection.token_env):
        return f"environment variable {connection.token_env}"
    if env.get("MDM_TUI_TOKEN"):
        return "environment variable MDM_TUI_TOKEN"
    if connection.token_file:
        return f"file {connection.token_file}"
    return ""


def secrets(connection: Connection, names: Iterable[str], env: Mapping[str, str]) -> dict[str, Secret]:
    """The secrets of these names for a connection. Raises `ConfigError` that names what was looked at."""
    return {name: token(connection, env) for name in names}


def token(connection: Connection, env: Mapping[str, str]) -> Secret:
    """The connection's token: from its `token_env`, else MDM_TUI_TOKEN, else its `token_file`.

    Raises `ConfigError` that names what was looked at; a file that others could read or replace is refused.
    """
    for name in (connection.token_env, "MDM_TUI_TOKEN"):
        if name and (value := env.get(name, "").strip()):
            return _checked(value, f"environment variable {name}")
    if connection.token_file:
        path = Path(os.path.expanduser(connection.token_file))
        return _checked(_read(path), f"file {path}")
    looked = f"{connection.token_env} and MDM_TUI_TOKEN are" if connection.token_env else "MDM_TUI_TOKEN is"
    raise ConfigError(
        f"connection {connection.name} has no token: {looked} not set",
        key=f"connections.{connection.name}",
        allowed="token_env naming a variable that holds it, or token_file naming a 0600 file",
    )


def _checked(value: str, where: str) -> Secret:
    if not value:
        raise ConfigError(f"the {where} is empty", allowed="one line with the token")
    # It becomes a header: a line break would start another one.
    if not value.isascii() or not value.isprintable() or " " in value:
        raise ConfigError(f"the {where} does not hold a token", allowed="one line of printable ASCII without blanks")
    return Secret(value)


def _read(path: Path) -> str:
    """The file's text, opened so that nothing can be swapped between the check and the reading."""
    fix = f"chmod 600 {path}"
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        if path.is_symlink():
            raise ConfigError(f"the token file {path} is a symbolic link", key="token_file", allowed="a plain file")
        handle = os.open(path, flags)
    except FileNotFoundError:
        raise ConfigError(
            f"the token file {path} does not exist", key="token_file", allowed=f"create it, then {fix}"
        ) from None
    except OSError as error:
        raise ConfigError(
            f"the token file {path} cannot be read: {error.strerror}", key="token_file", allowed="a plain file of yours"
        ) from None
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise ConfigError(f"the token file {path} is not a plain file", key="token_file", allowed="a plain file")
        if os.name == "posix":
            if found.st_uid != os.getuid():
                raise ConfigError(
                    f"the token file {path} belongs to another user", key="token_file", allowed="a file of your own"
                )
            if found.st_mode & 0o077:
                raise ConfigError(
                    f"others may read the token file {path} (mode {found.st_mode & 0o777:04o})",
                    key="token_file",
                    allowed=f"mode 0600: {fix}",
                )
        data = os.read(handle, _MAX_BYTES + 1)
    finally:
        os.close(handle)
    if len(data) > _MAX_BYTES:
        raise ConfigError(f"the token file {path} is larger than a token", key="token_file", allowed="one line")
    return data.decode("utf-8", "replace").strip()
