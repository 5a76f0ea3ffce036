"""A real console, really killed while a device is being registered over a real port."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from pathlib import Path

import httpx

from mdm_tui.config.connections import Connection
from mdm_tui.config.credentials import Secret
from mdm_tui.config.paths import Paths
from mdm_tui.server.testing import MIDM_URL, Fleet, fleet
from mdm_tui.services.session import Session
from tests.served import STUCK, Served
from tests.services.virtual import VirtualClock

HERE = Path(__file__).parent


class Held:
    """The application, whose answers to the second save never come; it has done it all the same, or not."""

    def __init__(self, app, *, acts: bool) -> None:
        self.app, self.acts = app, acts
        self.saves = 0
        self.holding = threading.Event()

    async def __call__(self, scope, receive, send) -> None:
        if not scope.get("path", "").endswith("device/save"):
            await self.app(scope, receive, send)
            return
        self.saves += 1
        if self.saves == 1:
            await self.app(scope, receive, send)
            return
        if self.acts:

            async def nowhere(message) -> None:
                """The answer that is lost."""

            await self.app(scope, receive, nowhere)
        self.holding.set()
        while (await receive())["type"] != "http.disconnect":
            pass


def console(home: Path, port: int, house: Fleet) -> subprocess.Popen[bytes]:
    arguments = [home, port, house.site, house.email, house.api_key, house.password]
    return subprocess.Popen(
        [sys.executable, str(HERE / "registrar.py"), *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(HERE.parents[1])},
    )


async def killed_while_saving(home: Path, *, acts: bool) -> tuple[dict[str, str], dict[str, bool], int]:
    """What the next session says of each serial, what the service has, and how many saves reached it."""
    clock = VirtualClock()
    house = fleet(20, start=clock.now())
    held = Held(house.app, acts=acts)
    with Served(held) as served:
        process = console(home, served.port, house)
        try:
            assert await asyncio.to_thread(held.holding.wait, STUCK), "the second save never came"
        finally:
            process.kill()
            process.wait()
    connection = Connection("depot", "midm", MIDM_URL, house.site, email=house.email)
    session = Session(
        connection,
        Paths(home, home, home, home),
        clock=clock,
        env={},
        transport=httpx.ASGITransport(held),
        secrets={"api_key": Secret(house.api_key), "password": Secret(house.password)},
    )
    try:
        await session.start()
        await clock.advance(300)
        assert session.journal is not None
        assert await session.journal.verify() == []
        said = {row.serial: row.state.value for row in await session.registration.outcomes()}
        there = {serial: house.world.units.exists(serial) for serial in said}
        return said, there, held.saves
    finally:
        await session.stop()
        house.world.close()


async def test_a_save_that_was_done_is_found_done(tmp_path: Path) -> None:
    said, there, saves = await killed_while_saving(tmp_path, acts=True)
    assert said == {"NEW-0001": "done", "NEW-0002": "done", "NEW-0003": "cancelled"}
    assert there == {"NEW-0001": True, "NEW-0002": True, "NEW-0003": False}
    assert saves == 2


async def test_a_save_that_was_not_done_is_absent_and_not_repeated(tmp_path: Path) -> None:
    said, there, saves = await killed_while_saving(tmp_path, acts=False)
    assert said == {"NEW-0001": "done", "NEW-0002": "absent", "NEW-0003": "cancelled"}
    assert there == {"NEW-0001": True, "NEW-0002": False, "NEW-0003": False}
    assert saves == 2
