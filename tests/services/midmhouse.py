"""Sessions on the embedded server's MiDM, over a network that misbehaves on request, in virtual time."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import httpx

from mdm_tui.config.credentials import Secret
from mdm_tui.config.paths import Paths
from mdm_tui.server.testing import MIDM_URL, Fleet, fleet
from mdm_tui.services.session import Session
from mdm_tui.store.mirror import Mirror
from tests.faulty import Faulty, Seen

from .conftest import connection
from .virtual import VirtualClock

__all__ = ["MidmHouse"]


class MidmHouse:
    """One fleet, its network, and sessions on its site."""

    def __init__(self, folder: Path, clock: VirtualClock, **options: Any) -> None:
        self.clock = clock
        self.fleet: Fleet = fleet(options.pop("devices", 60), start=clock.now(), **options)
        self.net = Faulty(httpx.ASGITransport(self.fleet.app))
        self.paths = Paths(*(folder / name for name in ("config", "state", "cache", "data")))
        self.sessions: list[Session] = []

        async def moved(seconds: float) -> None:
            self.fleet.world.advance(seconds)

        clock.moved = moved

    @property
    def world(self) -> Any:
        return self.fleet.world

    def session(self, *, mirror: Mirror | None = None, password: str = "", **more: Any) -> Session:
        given: dict[str, Any] = {
            "name": "depot",
            "provider": "midm",
            "url": MIDM_URL,
            "organization": self.fleet.site,
            "email": self.fleet.email,
            **more,
        }
        made = Session(
            connection(**given),
            self.paths,
            clock=self.clock,
            env={},
            transport=self.net,
            secrets={
                "api_key": Secret(self.fleet.api_key),
                "password": Secret(password or self.fleet.password),
            },
            mirror=mirror,
            dice=random.Random(1),
        )
        self.sessions.append(made)
        return made

    async def started(self, **more: Any) -> Session:
        session = self.session(**more)
        session.open_store()
        await session.start()
        await self.clock.settle()
        return session

    def asked(self, path: str) -> list[Seen]:
        """The requests whose path ends so, in order."""
        return [seen for seen in self.net.seen if seen.path.endswith(path)]

    def sign_all_out(self) -> None:
        """Every token of the service ends now."""
        assert self.fleet.app.access is not None
        self.fleet.app.access._ends.clear()

    async def close(self) -> None:
        for session in self.sessions:
            await session.stop()
        self.fleet.world.close()
