"""Secrets: found in the environment or in a private file, kept in memory only, masked wherever they are printed."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NoReturn

from .connections import Connection
from .errors import ConfigError

__all__ = ["GENERAL", "Secret", "find", "secrets", "source", "token"]

# Where each is looked for when the connection names nothing else.
GENERAL = {"token": "MDM_TUI_TOKEN", "api_key": "MDM_TUI_API_KEY", "password": "MDM_TUI_PASSWORD"}
_WORDS = {"token": "token", "api_key": "API key", "password": "password"}

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


def source(connection: Connection, env: Mapping[str, str], name: str = "token") -> str:
    """Where a secret would come from, in words; "" when there is none. Never the secret."""
    named, general, file = connection.named(f"{name}_env"), GENERAL[name], connection.named(f"{name}_file")
    if named and env.get(named):
        return f"environment variable {named}"
    if env.get(general):
        return f"environment variable {general}"
    return f"file {file}" if file else ""


def secrets(connection: Connection, names: Iterable[str], env: Mapping[str, str]) -> dict[str, Secret]:
    """The secrets of these names (token, api_key, password) for a connection; see `find`."""
    return {name: find(connection, name, env) for name in names}


def token(connection: Connection, env: Mapping[str, str]) -> Secret:
    """The connection's token; see `find`."""
    return find(connection, "token", env)


def find(connection: Connection, name: str, env: Mapping[str, str]) -> Secret:
    """A secret of the connection: from the variable it names, else the general one, else its file.

    Raises `ConfigError` that names what was looked at; a file that others could read or replace is refused.
    """
    if name not in GENERAL:
        what = f"the provider of connection {connection.name} wants a secret {name!r}, which has no place"
        raise ConfigError(what, key=f"connections.{connection.name}.provider", allowed=", ".join(GENERAL))
    words, general = _WORDS[name], GENERAL[name]
    named, file = connection.named(f"{name}_env"), connection.named(f"{name}_file")
    for variable in (named, general):
        # A password may begin or end with a blank; what comes with a variable by accident is a line's end.
        value = env.get(variable, "") if variable else ""
        if value.strip():
            return _checked(value, f"environment variable {variable}", name)
    if file:
        path = Path(os.path.expanduser(file))
        return _checked(_read(path, name), f"file {path}", name)
    looked = f"{named} and {general} are" if named else f"{general} is"
    raise ConfigError(
        f"connection {connection.name} has no {words}: {looked} not set",
        key=f"connections.{connection.name}",
        allowed=f"{name}_env naming a variable that holds it, or {name}_file naming a 0600 file",
    )


def _checked(value: str, where: str, name: str) -> Secret:
    words = _WORDS[name]
    value = value.strip("\r\n") if name == "password" else value.strip()
    if not value:
        raise ConfigError(f"the {where} is empty", allowed=f"one line with the {words}")
    if name == "password":
        if not value.isprintable():
            raise ConfigError(f"the {where} does not hold a password", allowed="one line of printable characters")
    # It becomes a header: a line break would start another one.
    elif not value.isascii() or not value.isprintable() or " " in value:
        what = f"the {where} does not hold a{'n' if name == 'api_key' else ''} {words}"
        raise ConfigError(what, allowed="one line of printable ASCII without blanks")
    return Secret(value)


def _read(path: Path, name: str) -> str:
    """The file's text, opened so that nothing can be swapped between the check and the reading."""
    fix, words, key = f"chmod 600 {path}", _WORDS[name], f"{name}_file"
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        if path.is_symlink():
            raise ConfigError(f"the {words} file {path} is a symbolic link", key=key, allowed="a plain file")
        handle = os.open(path, flags)
    except FileNotFoundError:
        raise ConfigError(
            f"the {words} file {path} does not exist", key=key, allowed=f"create it, then {fix}"
        ) from None
    except OSError as error:
        raise ConfigError(
            f"the {words} file {path} cannot be read: {error.strerror}", key=key, allowed="a plain file of yours"
        ) from None
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise ConfigError(f"the {words} file {path} is not a plain file", key=key, allowed="a plain file")
        if os.name == "posix":
            if found.st_uid != os.getuid():
                raise ConfigError(
                    f"the {words} file {path} belongs to another user", key=key, allowed="a file of your own"
                )
            if found.st_mode & 0o077:
                raise ConfigError(
                    f"others may read the {words} file {path} (mode {found.st_mode & 0o777:04o})",
                    key=key,
                    allowed=f"mode 0600: {fix}",
                )
        data = os.read(handle, _MAX_BYTES + 1)
    finally:
        os.close(handle)
    if len(data) > _MAX_BYTES:
        raise ConfigError(f"the {words} file {path} is larger than a {words}", key=key, allowed="one line")
    return data.decode("utf-8", "replace")
