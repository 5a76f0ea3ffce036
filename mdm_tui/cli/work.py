"""A session without a screen: the same services, from the mirror at once, from the service when asked."""

from __future__ import annotations

import asyncio
import sys
from argparse import Namespace
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from mdm_tui.fleet.errors import FleetError
from mdm_tui.fleet.provider import Capability
from mdm_tui.fleet.values import age

from . import codes, connect, log

if TYPE_CHECKING:
    from mdm_tui.config.connections import Connection
    from mdm_tui.config.paths import Paths
    from mdm_tui.services.session import Session
    from mdm_tui.store.mirror import Mirror

__all__ = ["fetch", "need", "said_age", "session", "sessions", "warn"]


@asynccontextmanager
async def session(arguments: Namespace, env: Mapping[str, str]) -> AsyncIterator[Session]:
    """The session the arguments mean, its stores open and nothing asked of the service yet."""
    settings, paths = connect.settings(env)
    connection = connect.choose(arguments, settings)
    if connection is None:
        raise codes.CliError(
            f"No connection is set up in {paths.config_file}. Add one, or give --url and --organization.", codes.USAGE
        )
    log.start(paths)
    async with _opened(connection, paths, env) as found:
        yield found


@asynccontextmanager
async def sessions(
    connections: Sequence[Connection], paths: Paths, env: Mapping[str, str]
) -> AsyncIterator[list[Session]]:
    """Several at once over one mirror, in that order."""
    log.start(paths)
    async with AsyncExitStack() as stack:
        found: list[Session] = []
        for connection in connections:
            mirror = found[0].mirror if found else None
            found.append(await stack.enter_async_context(_opened(connection, paths, env, mirror)))
        yield found


@asynccontextmanager
async def _opened(
    connection: Connection, paths: Paths, env: Mapping[str, str], mirror: Mirror | None = None
) -> AsyncIterator[Session]:
    from mdm_tui.services.session import Session

    found = Session(connection, paths, env=env, mirror=mirror)
    found.open_store()
    try:
        await found.sync.recall()
        yield found
    finally:
        await found.stop()


def need(found: Session, capability: Capability, what: str) -> None:
    """Raise `CliError` unless the connection's service has it. what: as in "has no groups"."""
    if not found.can(capability):
        raise codes.CliError(f"{found.connection.name} is {found.factory.title}, which has no {what} through its API.")


def warn(error: FleetError, before: str = "") -> int:
    """Say on stderr what stood in the way of something that is not all; its exit code."""
    from mdm_tui.fleet.text import clean

    from .main import code_of, sentence_of

    print(f"mdm-tui: {before}{clean(sentence_of(error), 2_000)}", file=sys.stderr)
    return code_of(error)


async def fetch(found: Session) -> None:
    """One full walk through the fleet, its progress on stderr when that is a terminal. Raises `FleetError`."""
    watch = asyncio.create_task(_progress(found)) if sys.stderr.isatty() else None
    try:
        await found.sync.once()
    finally:
        if watch is not None:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


async def _progress(found: Session) -> None:
    async for _events in found.hub.subscribe():
        state = found.sync.state
        if state.walked is not None:
            of = f" of {state.total:,}" if state.total is not None else ""
            print(f"\r\x1b[KReading the fleet: {state.walked:,}{of}", end="", file=sys.stderr, flush=True)


def said_age(seen_at: float | None, now: float) -> str:
    """`seen 4m ago` for stderr."""
    return f"seen {age(max(0.0, now - seen_at))} ago" if seen_at is not None else "never seen whole"
