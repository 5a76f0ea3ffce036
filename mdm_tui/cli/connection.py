"""`mdm-tui connection list|test`: which connections are set up, and what of a service answers."""

from __future__ import annotations

import asyncio
import sys
import time
from argparse import Namespace
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mdm_tui.config.credentials import secrets
from mdm_tui.config.errors import ConfigError
from mdm_tui.fleet.devices import Value
from mdm_tui.fleet.errors import FleetError
from mdm_tui.fleet.provider import Capability, Provider

from . import codes, connect, work
from .listing import Listing, column, write

if TYPE_CHECKING:
    from mdm_tui.config.settings import Settings
    from mdm_tui.services.session import Session

__all__ = ["run"]

_LIST = Listing(
    "connection list",
    (
        column("name", "Name", "id"),
        column("service", "Service"),
        column("url", "Address", "id"),
        column("organization", "Organisation", "id"),
        column("opened", "Opened", "enum", "how the console opens it: as the default, beside it, when chosen"),
        column("default", "Default", "bool"),
        column("open", "In open", "bool", "whether `open` in [console] names it"),
        column("production", "Production", "bool"),
        column("readonly", "Read-only", "bool"),
        column("secrets", "Secrets"),
    ),
    ("name", "service", "url", "organization", "opened", "production", "readonly", "secrets"),
)
_TEST = Listing(
    "connection test",
    (column("what", "What", "id"), column("works", "Works", "bool"), column("said", "Said")),
    ("what", "works", "said"),
)

# What can be asked without changing anything; a serial number that nobody has is asked for.
_Ask = Callable[[Provider], Awaitable[Any]]
_ASKED: Sequence[tuple[Capability, str, _Ask]] = (
    (Capability.DEVICES, "devices", lambda provider: provider.devices(1, 1)),
    (Capability.DEVICE_REGISTER, "serial numbers", lambda provider: provider.registered("MDM-TUI-TEST")),
    (Capability.LICENSES, "license models", lambda provider: provider.license_models()),
    (Capability.POLICIES, "policies", lambda provider: provider.policies(1, 1)),
    (Capability.SEGMENTS, "segments", lambda provider: provider.segments()),
    (Capability.TAGS, "tags", lambda provider: provider.tags()),
    (Capability.USERS, "users", lambda provider: provider.users("", 1, 1)),
    (Capability.GROUPS, "groups", lambda provider: provider.groups()),
    (Capability.APPS, "apps", lambda provider: provider.find_apps(1, 1)),
    (Capability.IMAGES, "images", lambda provider: provider.find_images(1, 1)),
    (Capability.ROLLOUTS, "rollouts", lambda provider: provider.rollouts(1, 1)),
)


def run(arguments: Namespace, env: Mapping[str, str]) -> int:
    """List them, or test one; the exit code."""
    if arguments.action == "list":
        return _list(arguments, env)
    if arguments.name is not None:
        arguments.connection = arguments.name
    return asyncio.run(_test(arguments, env))


def _list(arguments: Namespace, env: Mapping[str, str]) -> int:
    from mdm_tui.providers import factory

    found, paths = connect.settings(env)
    rows: list[dict[str, Value]] = []
    for connection in found.connections.values():
        title, said = connection.provider, "found"
        try:
            service = factory(connection.provider)
            title = service.title
            secrets(connection, service.secrets, env)
        except FleetError as error:
            said = error.what
        except ConfigError as error:
            said = error.sentence()
        rows.append(
            {
                "name": connection.name,
                "service": title,
                "url": connection.url,
                "organization": connection.organization,
                "opened": _opened(connection.name, found),
                "default": connection.name == found.default,
                "open": connection.name in found.open,
                "production": connection.production,
                "readonly": connection.read_only,
                "secrets": said,
            }
        )
    write(rows, _LIST.chosen(None, arguments.format), arguments.format, time.time())
    print(f"{len(rows)} in {paths.config_file}.", file=sys.stderr)
    return codes.DONE


def _opened(name: str, found: Settings) -> str:
    """How the console opens it: `open` in [console] names those that come beside whichever is shown."""
    if name == found.default:
        return "as the default"
    return "beside it" if name in found.open else "when chosen"


async def _test(arguments: Namespace, env: Mapping[str, str]) -> int:
    async with work.session(arguments, env) as session:
        asked = [(what, ask) for capability, what, ask in _ASKED if capability in session.factory.capabilities]
        # The first question signs in: when that fails, the others would only say the same.
        rows = [await _ask(session, *asked[0], first=True)]
        rows += [await _ask(session, *one) for one in asked[1:]]
        write(rows, _TEST.chosen(None, arguments.format), arguments.format, time.time(), ("said",))
        failed = sum(not row["works"] for row in rows)
        name = session.connection.name
        print(f"{name}, {session.factory.title}: {len(rows) - failed} of {len(rows)} answer.", file=sys.stderr)
    return codes.SOME_FAILED if failed else codes.DONE


async def _ask(session: Session, what: str, ask: _Ask, *, first: bool = False) -> dict[str, Value]:
    from .main import sentence_of

    began = session.clock.monotonic()
    try:
        answer = await session.context.call(ask)
    except FleetError as error:
        if first:
            raise
        return {"what": what, "works": False, "said": sentence_of(error)}
    total = getattr(answer, "total", None)
    count = total if isinstance(total, int) else len(answer) if isinstance(answer, list) else None
    many = f"{count:,} in " if count is not None else ""
    return {"what": what, "works": True, "said": f"{many}{(session.clock.monotonic() - began) * 1000:.0f} ms"}
