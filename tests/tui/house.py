"""A house for tests of screens: the real app and a real session on the embedded server's real application.

Time is the services' virtual clock; nothing moves until a test moves it. The server's own clock moves along.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input

from mdm_tui.config.connections import Connection
from mdm_tui.config.credentials import Secret
from mdm_tui.config.paths import Paths
from mdm_tui.config.settings import Settings
from mdm_tui.server.testing import BASE_URL, MIDM_URL, Fleet, fleet
from mdm_tui.services.session import Session
from mdm_tui.store.mirror import Mirror
from mdm_tui.tui.app import MdmApp
from mdm_tui.tui.screens import dialogs
from mdm_tui.tui.screens.document import DocumentScreen
from tests.faulty import Faulty
from tests.services.conftest import connection
from tests.services.virtual import VirtualClock

__all__ = ["House", "open_house"]

_CHECKING = "registration check"


class DeskClock(VirtualClock):
    """Virtual time beside a running app: Textual's own tasks wait on queues and are never called busy."""

    def _busy(self) -> list[asyncio.Task[Any]]:
        found = [task for task in super()._busy() if not _textual(task) and task not in dialogs.asking]
        if any(task.get_name() == _CHECKING for task in asyncio.all_tasks() if not task.done()):
            # Who waits for these does nothing else: they say whether there is something to do.
            found = [task for task in found if task.get_name() not in ("register", "check")]
        return found


def _textual(task: asyncio.Task[Any]) -> bool:
    code = getattr(task.get_coro(), "cr_code", None)
    path = code.co_filename if code is not None else ""
    return "/textual/" in path or "/_pytest/" in path or "/pytest_asyncio/" in path or task.get_name() == "the app"


class House:
    """One fleet, its network, one session and the app on it."""

    def __init__(
        self, folder: Path, *, width: int, height: int, midm: bool = False, beside: str = "", **options: Any
    ) -> None:
        """midm: the session speaks MiDM instead of Applivery; the fleet is the same.

        beside: name of a connection to the other system, which the console can open.
        """
        self.clock = DeskClock()
        self.size = (width, height)
        more = options.pop("connection", {})
        keymap = options.pop("keymap", None)
        self.fleet: Fleet = fleet(options.pop("devices", 24), start=self.clock.now(), **options)
        self.net = Faulty(httpx.ASGITransport(self.fleet.app))
        self.paths = Paths(*(folder / name for name in ("config", "state", "cache", "data")))
        self.session = self._session(self._connection(midm, more), midm)
        self.session.open_store()
        name = self.session.connection.name
        other = [self._connection(not midm, {"name": beside})] if beside else []
        self.app = MdmApp(
            {name: self.session},
            name,
            Settings(),
            self.paths,
            {"COLORTERM": "truecolor"},
            clock=self.clock.now,
            key_window=0,
            keymap=keymap,
            connections={one.name: one for one in (self.session.connection, *other)},
            opener=lambda _name: self._session(other[0], not midm, self.session.mirror),
        )
        self.pilot: Pilot[Any]

        async def moved(seconds: float) -> None:
            self.fleet.world.advance(seconds)

        self.clock.moved = moved

    def _session(self, to: Connection, midm: bool, mirror: Mirror | None = None) -> Session:
        return Session(
            to,
            self.paths,
            clock=self.clock,
            env={},
            transport=self.net,
            secrets=self._secrets(midm),
            mirror=mirror,
            dice=random.Random(1),
        )

    def _connection(self, midm: bool, more: dict[str, Any]) -> Connection:
        if not midm:
            return connection(url=BASE_URL, organization=self.fleet.organization, **more)
        given = {"provider": "midm", "url": MIDM_URL, "organization": self.fleet.site, "email": self.fleet.email}
        return connection(**{**given, **more})

    def _secrets(self, midm: bool) -> dict[str, Secret]:
        if not midm:
            return {"token": Secret(self.fleet.token)}
        return {"api_key": Secret(self.fleet.api_key), "password": Secret(self.fleet.password)}

    # --- waiting ---

    async def rest(self) -> None:
        """Until screens and services have nothing left to do at this moment of time."""
        for _ in range(2):
            await self.pilot.pause()
            await self.clock.settle()
            await self._pauses()
        await self.pilot.pause()

    async def _pauses(self) -> None:
        """What a screen does after a pause in the typing is done at once; the pause itself is not waited for."""
        screen = self.app.screen
        if isinstance(screen, DocumentScreen) and screen.opened is not None:
            await screen.check()
        elif isinstance(screen, dialogs.Search):
            await screen.fill(screen.query_one(Input).value)

    async def advance(self, seconds: float) -> None:
        """Let time pass, for the service, the devices and the console."""
        await self.clock.advance(seconds)
        self.app._tick()
        await self.rest()

    async def press(self, *keys: str) -> None:
        """Press keys one by one, each with all it brings about."""
        for key in keys:
            await self.pilot.press(key)
            await self.rest()

    async def type(self, text: str) -> None:
        """Put a text into what has the focus, at once, as a paste does."""
        self.app.post_message(events.Paste(text))
        await self.rest()

    # --- looking ---

    @property
    def screen(self) -> Any:
        return self.app.screen

    def text(self) -> str:
        """What is on the screen, as plain lines."""
        _width, height = self.size
        lines = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in lines[:height])

    def toasts(self) -> list[str]:
        return [notification.message for notification in self.app._notifications]

    def posts(self, method: str = "POST") -> list[Any]:
        """Requests that changed something at the service."""
        return [seen for seen in self.net.seen if seen.method == method]

    # --- the fleet ---

    def listening(self) -> str:
        """The id of an active device that hears pushes."""
        world = self.fleet.world
        for (n,) in world.database.all("SELECT n FROM device WHERE state = 'active' ORDER BY n"):
            device = world.devices.at(n)
            if device.has_push and device.habit == 0:
                return device.id
        raise AssertionError("no such device in this fleet")


@asynccontextmanager
async def open_house(folder: Path, *, width: int = 120, height: int = 40, **options: Any) -> AsyncIterator[House]:
    """The app on the screen, the fleet read."""
    dialogs.Guarded.silence = options.pop("silence", 0.0)
    house = House(folder, width=width, height=height, **options)
    try:
        async with house.app.run_test(size=(width, height), notifications=True) as pilot:
            house.pilot = pilot
            await house.rest()
            # The hub tells at most ten times a second.
            await house.advance(1.0)
            yield house
    finally:
        dialogs.Guarded.silence = dialogs.SILENCE
        house.fleet.world.close()
