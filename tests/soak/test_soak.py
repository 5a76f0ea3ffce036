"""`make soak`: a session that polls a lively fleet for a long time stays the size it was.

MDM_TUI_SOAK_MINUTES says how long (10). What is asserted is flatness after the first third: files, threads and tasks
to the number, memory within a few megabytes, since the interpreter's own caches still settle.
"""

from __future__ import annotations

import asyncio
import os
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest

from mdm_tui.cli.child import Child
from mdm_tui.config.connections import Connection
from mdm_tui.config.credentials import Secret
from mdm_tui.config.paths import Paths
from mdm_tui.fleet.errors import FleetError
from mdm_tui.services.session import Session

MINUTES = float(os.environ.get("MDM_TUI_SOAK_MINUTES", "10"))
SAMPLES = 30
GROWTH_MB = 8.0


@dataclass
class Size:
    """What a process holds at one moment."""

    mb: float
    files: int
    threads: int
    tasks: int


def size() -> Size:
    """The size of this process now."""
    status = Path("/proc/self/status").read_text()
    resident = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    files = len(os.listdir("/proc/self/fd"))
    return Size(int(resident.split()[1]) / 1024, files, threading.active_count(), len(asyncio.all_tasks()))


@pytest.mark.soak
@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts files and memory as Linux shows them")
@pytest.mark.parametrize("scenario", ["calm", "flaky"])
async def test_a_long_session_stays_as_small_as_it_was(tmp_path: Path, scenario: str) -> None:
    flags = ["--devices=1000", f"--scenario={scenario}", "--speed=60", f"--data-dir={tmp_path / 'fleet'}"]
    with Child(flags, tmp_path / "server.log", 1000) as server:
        ready = server.wait()
        connection = Connection("soak", "applivery", ready.url, ready.organization, budget=1_000_000)
        paths = Paths.default({"MDM_TUI_HOME": str(tmp_path / "home")})
        session = Session(connection, paths, env={}, secrets={"token": Secret(ready.token)}, poll_seconds=5.0)
        await session.start()
        told = session.hub.subscribe()
        heard = asyncio.create_task(_listen(told))
        found: list[Size] = []
        ids: list[str] = []
        for number in range(SAMPLES):
            await asyncio.sleep(MINUTES * 60 / SAMPLES)
            session.sync.poke()
            ids = ids or session.mirror.first(_view(session), 1)[0]
            if ids:
                try:
                    await session.devices.refresh(ids[number * 37 % len(ids)])
                except FleetError:
                    # The flaky fleet refuses now and then; that is part of it.
                    continue
            found.append(size())
        heard.cancel()
        await asyncio.gather(heard, return_exceptions=True)
        await session.stop()
    third = len(found) // 3
    early, late = found[third : 2 * third], found[2 * third :]
    print(*found, sep="\n")
    assert session.sync.state.last_ok is not None
    assert max(item.mb for item in late) - max(item.mb for item in early) < GROWTH_MB
    for name in ("files", "threads", "tasks"):
        # Connections and calls come and go; what counts is that they go.
        assert min(getattr(item, name) for item in late) <= max(getattr(item, name) for item in early), name


def _view(session: Session):  # type: ignore[no-untyped-def]
    from mdm_tui.store.mirror import View

    return View(session.scope)


async def _listen(told) -> None:  # type: ignore[no-untyped-def]
    async for _events in told:
        pass
