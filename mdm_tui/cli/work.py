"""A session without a screen: the same services, from the mirror at once, from the service when asked."""

from __future__ import annotations

import asyncio
import sys
from argparse import Namespace
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from mdm_tui.fleet.values import age

from . import codes, connect, log

if TYPE_CHECKING:
    from mdm_tui.services.session import Session

__all__ = ["fetch", "said_age", "session"]


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
    from mdm_tui.services.session import Session

    found = Session(connection, paths, env=env)
    found.open_store()
    try:
        await found.sync.recall()
        yield found
    finally:
        await found.stop()


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
