"""How the chooser of connections and the joined list look, with time and fleets frozen."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from desk import NOW, DeskSession, device, make_app, press, quiet

from mdm_tui.fleet.errors import FleetError, Kind
from mdm_tui.fleet.provider import Capability
from mdm_tui.tui.app import MdmApp

SIZES = [(80, 24), (120, 40)]
PLACES = ("Hamburg DC", "Oslo store", "Tuas yard")


@pytest.fixture(autouse=True)
def zone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody's pictures are made in one zone."""
    import time

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


class Beside(DeskSession):
    """The second connection, on the mirror of the first."""

    def __init__(self, folder: Path, first: DeskSession) -> None:
        super().__init__(folder, 0)
        self.mirror.close()
        self.mirror = first.mirror
        self.scope = "midm:depot"
        self.connection.name, self.connection.scope = "depot", self.scope
        self.clock = first.clock = SimpleNamespace(now=lambda: NOW)  # type: ignore[attr-defined]
        self.factory = SimpleNamespace(
            kind="midm",
            title="VisionMax MiDM",
            capabilities=frozenset({Capability.GROUPS, Capability.APPS, Capability.IMAGES, Capability.ROLLOUTS}),
        )

    async def fill(self) -> Beside:
        for number in range(4, 60):
            seen = NOW - (5 * 86_400 if number % 11 == 0 else 600)
            more: dict[str, Any] = {"os": "9"} if number % 7 == 0 else {}
            more |= {"serial": "unknown"} if number == 5 else {}
            more |= {"id": f"unit-{number}", "group": PLACES[number % 3], "seen": seen, "policy": None, "battery": 50}
            self.devices.append(device(number, **more))
        await self.mirror.apply(self.scope, self.devices, at=NOW - 4, walk=None)
        return self

    def open_store(self) -> None:
        """The mirror is open."""

    async def stop(self) -> None:
        self.stopped += 1
        self.hub.close()


def _app(tmp_path: Path) -> MdmApp:
    first = DeskSession(tmp_path, 58)
    second = Beside(tmp_path, first)
    asyncio.run(first.fill())
    asyncio.run(second.fill())
    app = make_app(tmp_path, first)
    closed = SimpleNamespace(
        name="plant-7", provider="applivery", scope="applivery:plant", organization="plant-7", production=True
    )
    app.known |= {"depot": second.connection, "plant-7": closed}  # type: ignore[dict-item]
    second.connection.organization = "e50817c9-69e3-4c1b-9d0e-8536e64cff14"
    first.connection.organization = "671000000000000000000001"
    app._opener = lambda name: second  # type: ignore[assignment,return-value]
    return app


async def _opened(app: MdmApp, pilot: Any) -> None:
    await quiet(app, pilot)
    app.open_connection("depot")
    await quiet(app, pilot)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_both(snap_compare: Any, tmp_path: Path, size: tuple[int, int]) -> None:
    app = _app(tmp_path)

    async def joined(pilot: Any) -> None:
        await _opened(app, pilot)
        await press(app, pilot, "B")
        await press(app, pilot, "j", "j", "j", "space", "j", "j")
        await pilot.pause(0.3)
        await quiet(app, pilot)

    assert snap_compare(app, terminal_size=size, run_before=joined)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_disagreements(snap_compare: Any, tmp_path: Path, size: tuple[int, int]) -> None:
    app = _app(tmp_path)

    async def differing(pilot: Any) -> None:
        await _opened(app, pilot)
        await press(app, pilot, "B", "d")
        await press(app, pilot, "j", "j")
        await pilot.pause(0.3)
        await quiet(app, pilot)

    assert snap_compare(app, terminal_size=size, run_before=differing)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_connections(snap_compare: Any, tmp_path: Path, size: tuple[int, int]) -> None:
    app = _app(tmp_path)

    async def chosen(pilot: Any) -> None:
        await _opened(app, pilot)
        state = app.sessions["depot"].state  # type: ignore[attr-defined]
        state.phase, state.last_ok, state.next_at = "stale", NOW - 7 * 60, NOW + 42
        state.error = FleetError(Kind.UNREACHABLE, "127.0.0.1 refused the connection")
        for key in ("at", "down"):
            # The dialog waits for a person in a task of the app's: that never rests.
            await pilot.press(key)
            await pilot.pause()
        app.screen._tick()  # type: ignore[attr-defined]
        app.tick_header()
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=chosen)
