"""How Devices and Help look, with time and fleet frozen. `--snapshot-update` after looking at the pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from desk import NOW, DeskSession, make_app, press, quiet
from textual.widgets import Input

from mdm_tui.fleet.errors import FleetError, Kind

SIZES = [(80, 24), (120, 40)]


@pytest.fixture(autouse=True)
def zone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody's pictures are made in one zone."""
    import time

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


def _app(tmp_path: Path, **more: Any) -> Any:
    import asyncio

    session = DeskSession(tmp_path, 60, **more)
    asyncio.run(session.fill())
    return make_app(tmp_path, session)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_devices(snap_compare: Any, tmp_path: Path, size: tuple[int, int]) -> None:
    app = _app(tmp_path)

    async def moved(pilot: Any) -> None:
        await quiet(app, pilot)
        await press(app, pilot, "j", "space", "j")
        await pilot.pause(0.3)

    assert snap_compare(app, terminal_size=size, run_before=moved)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_devices_filtered_in_production(snap_compare: Any, tmp_path: Path, size: tuple[int, int]) -> None:
    app = _app(tmp_path, production=True)

    async def filtered(pilot: Any) -> None:
        await quiet(app, pilot)
        await press(app, pilot, "slash", *"van", "enter")
        await pilot.pause(0.3)

    assert snap_compare(app, terminal_size=size, run_before=filtered)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_help(snap_compare: Any, tmp_path: Path, size: tuple[int, int]) -> None:
    app = _app(tmp_path)

    async def helped(pilot: Any) -> None:
        await quiet(app, pilot)
        await press(app, pilot, "question_mark")

    assert snap_compare(app, terminal_size=size, run_before=helped)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_command_bar(snap_compare: Any, tmp_path: Path, size: tuple[int, int]) -> None:
    app = _app(tmp_path)

    async def typed(pilot: Any) -> None:
        await quiet(app, pilot)
        await press(app, pilot, "colon", "d", "e")
        app.screen.query_one(Input).cursor_blink = False
        await quiet(app, pilot)

    assert snap_compare(app, terminal_size=size, run_before=typed)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_palette(snap_compare: Any, tmp_path: Path, size: tuple[int, int]) -> None:
    app = _app(tmp_path)

    async def asked(pilot: Any) -> None:
        await quiet(app, pilot)
        await press(app, pilot, "ctrl+p", "s", "o")
        app.screen.query_one(Input).cursor_blink = False
        # What it finds comes from a thread of its own; it says when there is no more.
        await pilot.app.workers.wait_for_complete()
        await quiet(app, pilot)

    assert snap_compare(app, terminal_size=size, run_before=asked)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_devices_while_the_service_is_away(snap_compare: Any, tmp_path: Path, size: tuple[int, int]) -> None:
    app = _app(tmp_path)

    async def away(pilot: Any) -> None:
        await quiet(app, pilot)
        state = app.session.state
        state.phase, state.last_ok, state.next_at = "stale", NOW - 7 * 60, NOW + 42
        state.error = FleetError(Kind.UNREACHABLE, "127.0.0.1 refused the connection")
        app._tick()
        await quiet(app, pilot)

    assert snap_compare(app, terminal_size=size, run_before=away)
