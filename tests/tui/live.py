"""The real console: real session, provider, store and transport, on the real server application in this process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from desk import make_app

from mdm_tui.config.connections import Connection
from mdm_tui.config.credentials import Secret
from mdm_tui.config.paths import Paths
from mdm_tui.server.testing import BASE_URL, Fleet, fleet
from mdm_tui.services.session import Session
from mdm_tui.tui.app import MdmApp


class Wire(httpx.AsyncBaseTransport):
    """The way to the server, which a test can cut; `asked` counts what was sent."""

    def __init__(self, served: Fleet) -> None:
        self._inner = httpx.ASGITransport(served.app)
        self.cut = False
        self.asked: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(f"{request.method} {request.url.path}")
        if self.cut:
            raise httpx.ConnectError("Connection refused", request=request)
        return await self._inner.handle_async_request(request)


class Live:
    """The app on a served fleet."""

    def __init__(self, app: MdmApp, pilot: Any, session: Session, served: Fleet, wire: Wire) -> None:
        self.app, self.pilot, self.session, self.served, self.wire = app, pilot, session, served, wire

    async def until(self, true: Callable[[], Any]) -> None:
        """Until it holds. What never comes fails the test after 20 seconds."""
        async with asyncio.timeout(20):
            while not true():
                if self.app._exception is not None:
                    raise self.app._exception
                await self.pilot.pause(0.01)
        await self.pilot.pause()

    async def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            await self.pilot.press(key)
            await self.pilot.pause()

    def advance(self, minutes: float) -> None:
        """Let the devices live for a while."""
        self.served.world.advance(minutes * 60)


def session_on(folder: Path, served: Fleet, wire: Wire, **more: Any) -> Session:
    """A session whose transport is the served application."""
    connection = Connection("acme", "applivery", BASE_URL, served.organization, page_size=20, **more)
    paths = Paths(*[folder / name for name in ("config", "state", "cache", "data")])
    session = Session(
        connection, paths, env={}, secrets={"token": Secret(served.token)}, transport=wire, poll_seconds=3_600
    )
    session.open_store()
    return session


@asynccontextmanager
async def live(
    folder: Path,
    served: Fleet | None = None,
    *,
    size: tuple[int, int] = (120, 40),
    wire: Wire | None = None,
    **more: Any,
) -> AsyncIterator[Live]:
    """The running console, its first walk done; the world's clock is the console's."""
    own = served is None
    served = served or fleet(devices=60, seed=3)
    wire = wire or Wire(served)
    session = session_on(folder, served, wire, **more)
    app = make_app(folder, session, clock=lambda: served.world.clock.now() / 1000)
    async with app.run_test(size=size, notifications=True) as pilot:
        on = Live(app, pilot, session, served, wire)
        await on.until(lambda: session.sync.state.phase not in ("starting", "syncing"))
        yield on
    if own:
        served.world.close()
