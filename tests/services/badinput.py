"""A fleet server on a real port that can be told to misbehave, and sessions on it in virtual time."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mdm_tui.config.paths import Paths
from mdm_tui.server.testing import Fleet, fleet
from mdm_tui.services.session import Session
from mdm_tui.store.mirror import View
from tests.served import Served

from .conftest import connection
from .virtual import VirtualClock

__all__ = ["DEVICES", "Fault", "Front", "Station", "envelope"]

DEVICES = 7


@dataclass(frozen=True)
class Fault:
    """An answer instead of the service's own. lost: bytes that were announced and never come."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    lost: int = 0


def envelope(status: int, code: int, message: str, **headers: str) -> Fault:
    """A refusal as the service words it; headers with `_` for `-`."""
    document = {"status": False, "error": {"code": code, "message": message}}
    return Fault(
        status, json.dumps(document).encode(), {name.replace("_", "-"): value for name, value in headers.items()}
    )


class Front:
    """An ASGI application before the real one: while there is a fault, every request meets it."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.fault: Fault | None = None
        self.asked = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked += 1
        fault = self.fault
        if fault is None:
            await self.app(scope, receive, send)
            return
        headers = {"content-type": "application/json", **fault.headers}
        headers["content-length"] = str(len(fault.body) + fault.lost)
        named = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": fault.status, "headers": named})
        # More than this never comes when something is to be lost: the server then cuts the connection.
        await send({"type": "http.response.body", "body": fault.body})


class Station:
    """A fleet, the port it is served on, and the folders of the consoles that look at it."""

    def __init__(self, folder: Path, clock: VirtualClock, *, pem: Path | None = None) -> None:
        self.clock = clock
        self.fleet: Fleet = fleet(DEVICES, start=clock.now())
        self.front = Front(self.fleet.app)
        self.served = Served(self.front, pem=pem)
        self.served.start()
        self.paths = Paths(*(folder / name for name in ("config", "state", "cache", "data")))
        self.token_file = folder / "token"
        self.write_token(self.fleet.token)
        self.sessions: list[Session] = []

    def write_token(self, token: str) -> None:
        self.token_file.touch(mode=0o600)
        self.token_file.write_text(token)

    @property
    def url(self) -> str:
        return f"{'http' if self.served.pem is None else 'https'}://127.0.0.1:{self.served.port}/v1"

    async def started(self, **more: Any) -> Session:
        """A session that has had its first look, whatever came of it."""
        given = {"url": self.url, "organization": self.fleet.organization, "token_file": str(self.token_file), **more}
        session = Session(connection(**given), self.paths, clock=self.clock, env={}, dice=random.Random(1))
        self.sessions.append(session)
        await session.start()
        await self.clock.until(lambda: session.sync.state.phase not in ("starting", "syncing"), within=60)
        return session

    async def close(self) -> None:
        for session in self.sessions:
            await session.stop()
        self.served.stop()
        self.fleet.world.close()


def rows(session: Session) -> list[str]:
    """The ids on the screen."""
    return session.mirror.first(View(session.scope), 0)[0]
