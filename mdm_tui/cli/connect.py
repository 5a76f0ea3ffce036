"""Which connection a command works on: named, from the environment, made on the spot, or the default one."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from dataclasses import replace

from mdm_tui.config.connections import SECRETS, Connection
from mdm_tui.config.errors import ConfigError, nearest
from mdm_tui.config.paths import Paths
from mdm_tui.config.settings import Settings, load

from . import codes

__all__ = ["choose", "known", "limited", "link", "settings"]


# The flags that name where a secret is, by the connection's fields of the same names.
_SECRETS = tuple(f"{name}_env" for name in SECRETS)


def settings(env: Mapping[str, str]) -> tuple[Settings, Paths]:
    """The configuration and the folders. Raises `ConfigError`."""
    paths = Paths.default(env)
    return load(paths.config_file, env), paths


def link(arguments: Namespace, found: Settings) -> Settings:
    """The settings with what the command line says of the link."""
    return replace(found, low_bandwidth=True) if getattr(arguments, "low_bandwidth", False) else found


def choose(arguments: Namespace, found: Settings) -> Connection | None:
    """The connection the arguments mean, None when none is named and none is set up. Raises `ConfigError`."""
    spot = bool(arguments.url or arguments.organization)
    connection = _on_the_spot(arguments, found) if spot else _named(arguments, found)
    if connection is not None:
        try:
            _known(connection, "--provider" if spot else f"connections.{connection.name}.provider")
        except ConfigError as error:
            raise error if spot else _placed(error, found) from None
    return connection


def known(connection: Connection, found: Settings) -> Connection:
    """A connection of the configuration whose provider is there. Raises `ConfigError` with the place."""
    try:
        _known(connection, f"connections.{connection.name}.provider")
    except ConfigError as error:
        raise _placed(error, found) from None
    return connection


def limited(arguments: Namespace, connection: Connection) -> Connection:
    """The connection, with --read-only where that is given."""
    return _replaced(connection, {"read_only": True} if arguments.read_only else {})


def _named(arguments: Namespace, found: Settings) -> Connection | None:
    name = arguments.connection or found.default
    if not name:
        for flag in ("provider", "email", *_SECRETS):
            if getattr(arguments, flag):
                raise codes.CliError(
                    f"--{flag.replace('_', '-')} needs a connection: add --url and --organization, or -c NAME",
                    codes.USAGE,
                )
        return None
    connection = found.connection(name)
    if arguments.provider and arguments.provider != connection.provider:
        raise codes.CliError(
            f"connection {name} is of provider {connection.provider}, not {arguments.provider}", codes.USAGE
        )
    changes: dict[str, object] = {}
    for name in _SECRETS:
        if getattr(arguments, name):
            changes |= {name: getattr(arguments, name), name.replace("_env", "_file"): ""}
    if arguments.email:
        changes["email"] = arguments.email
    if arguments.read_only:
        changes["read_only"] = True
    return _replaced(connection, changes)


def _on_the_spot(arguments: Namespace, found: Settings) -> Connection:
    if arguments.connection:
        raise codes.CliError("-c names a connection and --url makes one: give one of them", codes.USAGE)
    for flag in ("url", "organization"):
        if not getattr(arguments, flag):
            raise codes.CliError(
                f"--{flag} is missing: a connection on the spot needs --url and --organization", codes.USAGE
            )
    try:
        return Connection(
            # It has no name of its own: the organisation's is what people know it by.
            name=arguments.organization.strip("-._")[:64],
            provider=arguments.provider or "applivery",
            url=arguments.url,
            organization=arguments.organization,
            email=arguments.email or "",
            token_env=arguments.token_env or "",
            api_key_env=arguments.api_key_env or "",
            password_env=arguments.password_env or "",
            read_only=arguments.read_only,
            budget=found.budget,
            page_size=found.page_size,
        )
    except ConfigError as error:
        flag = "--organization" if error.key == "name" else "--" + error.key.replace("_", "-")
        raise ConfigError(error.message, key=flag, allowed=error.allowed) from None


def _replaced(connection: Connection, changes: dict[str, object]) -> Connection:
    import dataclasses

    return dataclasses.replace(connection, **changes) if changes else connection  # type: ignore[arg-type]


def _known(connection: Connection, key: str) -> None:
    from mdm_tui.fleet.errors import FleetError
    from mdm_tui.providers import factory, kinds

    try:
        factory(connection.provider)
    except FleetError as error:
        names = kinds()
        hint = nearest(connection.provider, names)
        what = f"there is no provider {connection.provider!r}" + (f"; did you mean {hint!r}?" if hint else "")
        raise ConfigError(
            # One that is there and cannot be loaded says why.
            error.what if connection.provider in names else what,
            key=key,
            allowed=", ".join(names),
        ) from None


def _placed(error: ConfigError, found: Settings) -> ConfigError:
    """The same with the file and the line of its key."""
    from mdm_tui.config.lines import find_line

    if found.file is None:
        return error
    try:
        text = found.file.read_text("utf-8", "replace")
    except OSError:
        text = ""
    return error.at(found.file, find_line(text, error.key))
