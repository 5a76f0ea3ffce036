"""Two connections for tests of the console: a desk on a shared mirror, and real sessions on two real fleets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from desk import NOW, press, quiet
from live import Wire

from mdm_tui.config.connections import Connection
from mdm_tui.config.credentials import Secret
from mdm_tui.config.paths import Paths
from mdm_tui.config.settings import Settings
from mdm_tui.server.testing import BASE_URL, MIDM_URL, Fleet, fleet
from mdm_tui.services.session import Session
from mdm_tui.store.mirror import Mirror
from mdm_tui.tui.app import MdmApp
from mdm_tui.tui.widgets.header import Header

__all__ = ["Two", "press", "quiet", "two"]


class Two:
    """The console with `acme` open and `depot` set up beside it, each a fleet of its own."""

    def __init__(self, folder: Path, *, midm: int = 0, **more: Any) -> None:
        """midm: `depot` is the same fleet of so many devices as a second service sees it."""
        one = fleet(devices=midm or 24, seed=3)
        self.fleets: dict[str, Fleet] = {"acme": one, "depot": one if midm else fleet(devices=16, seed=4)}
        self.wires = {name: Wire(served) for name, served in self.fleets.items()}
        self.paths = Paths(*[folder / name for name in ("config", "state", "cache", "data")])
        self.connections = {
            name: Connection(
                name,
                "applivery",
                BASE_URL,
                served.organization,
                token_env=f"{name.upper()}_TOKEN",
                **more.pop(name, {}),
            )
            for name, served in self.fleets.items()
        }
        if midm:
            self.connections["depot"] = Connection(
                "depot", "midm", MIDM_URL, one.site, email=one.email, **more.pop("depot", {})
            )
        self.connections["broken"] = Connection("broken", "nobody", BASE_URL, "c" * 24)
        self.made: list[str] = []
        self.paths.ensure(self.paths.cache)
        self.mirror = Mirror.open(self.paths.mirror, clock=time.time)
        session = self.make("acme")
        session.open_store()
        self.app = MdmApp(
            {"acme": session}, "acme", Settings(), self.paths, {"DEPOT_TOKEN": "s3cret-of-depot"}, clock=lambda: NOW,
            key_window=0, connections=self.connections, opener=self.make, **more,
        )  # fmt: skip
        self.pilot: Any = None

    def make(self, name: str) -> Session:
        self.made.append(name)
        return Session(
            self.connections[name],
            self.paths,
            env={},
            secrets=self._secrets(name),
            transport=self.wires.get(name),
            mirror=self.mirror,
            poll_seconds=3_600,
        )

    def _secrets(self, name: str) -> dict[str, Secret] | None:
        served = self.fleets.get(name)
        if served is None:
            return None
        if self.connections[name].provider == "midm":
            return {"api_key": Secret(served.api_key), "password": Secret(served.password)}
        return {"token": Secret(served.token)}

    async def until(self, true: Any) -> None:
        """Until it holds. What never comes fails the test after 20 seconds."""
        async with asyncio.timeout(20):
            while not true():
                if self.app._exception is not None:
                    raise self.app._exception
                await self.pilot.pause(0.01)
        await self.pilot.pause()

    async def read(self, name: str) -> None:
        """Until a connection's fleet has been read and counted, and the header says so."""
        await self.until(lambda: name in self.app.sessions)
        session = self.app.sessions[name]
        await self.until(lambda: session.sync.state.phase == "fresh")
        await self.until(lambda: self.app.fleet_total(session) == session.sync.state.total)
        await self.until(lambda: self._told(session))

    def _told(self, session: Any) -> bool:
        """Whether the header says so, where it is about this session: it hears in batches."""
        screen = self.app.fleet_screen
        return screen is None or screen.session is not session or "fresh" in screen.query_one(Header).text

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.pilot.press(key)
            await self.pilot.pause()

    async def line(self, text: str) -> None:
        """Type a line into the command bar."""
        await self.press("colon", *("space" if key == " " else key for key in text), "enter")

    def close(self) -> None:
        self.mirror.close()
        for served in {id(one): one for one in self.fleets.values()}.values():
            served.world.close()

    def toasts(self) -> list[str]:
        return [notification.message for notification in self.app._notifications]


@asynccontextmanager
async def two(folder: Path, *, size: tuple[int, int] = (120, 40), **more: Any) -> AsyncIterator[Two]:
    """The running console, the first fleet read."""
    on = Two(folder, **more)
    try:
        async with on.app.run_test(size=size, notifications=True) as pilot:
            on.pilot = pilot
            await on.until(lambda: on.app.sessions["acme"].sync.state.phase == "fresh")
            yield on
    finally:
        on.close()
