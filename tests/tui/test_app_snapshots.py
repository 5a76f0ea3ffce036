"""How Devices and Help look, with time and fleet frozen. `--snapshot-update` after looking at the pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from desk import DeskSession, make_app, press, quiet

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
