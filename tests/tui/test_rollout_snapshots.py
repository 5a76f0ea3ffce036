"""How rollouts look: the list, each view of the editor, what saving says. `--snapshot-update` after looking at them."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from house import House
from test_rollouts_screen import at, listed
from textual.widgets import Input

from mdm_tui.tui.screens import dialogs

SIZES = [(80, 24), (120, 40)]


@pytest.fixture(autouse=True)
def frozen(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Madrid")
    monkeypatch.delenv("NO_COLOR", raising=False)
    time.tzset()
    monkeypatch.setattr(dialogs.Guarded, "silence", 0.0)
    yield
    monkeypatch.undo()
    time.tzset()


async def opened(house: House, name: str, view: str) -> Any:
    screen = await listed(house)
    screen.open_rollout(at(screen, name), view)
    await house.rest()
    return house.screen


async def list_(house: House) -> None:
    at(await listed(house), "Everything")
    await house.rest()


async def form(house: House) -> None:
    screen = await opened(house, "Picking", "form")
    screen.put("need_ac", True)
    screen.put("devices", ("NEVER-1",))
    await house.rest()


async def reach(house: House) -> None:
    screen = await opened(house, "Cold chain", "form")
    screen.put("devices", (*screen.rollout.devices, "NEVER-1"))
    screen.put("groups", (*(record.uuid for record in house.fleet.world.groups.all()[5:8]), "gone-group"))
    screen.show_view("reach")
    await house.rest()


async def images(house: House) -> None:
    await opened(house, "Security", "images")


async def conflicts(house: House) -> None:
    await opened(house, "Security", "conflicts")


async def progress(house: House) -> None:
    await opened(house, "Picking", "progress")


async def saving(house: House) -> None:
    await reach(house)
    await house.press("f2")
    house.screen.query_one(Input).cursor_blink = False
    await house.rest()


async def everyone(house: House) -> None:
    screen = await opened(house, "Everything", "form")
    screen.put("enabled", True)
    await house.rest()
    await house.press("f2")
    house.screen.query_one(Input).cursor_blink = False
    await house.rest()


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize(
    "walk", [list_, form, reach, images, conflicts, progress, saving, everyone], ids=lambda walk: walk.__name__
)
def test_it_looks_like_this(
    snap_compare: Any, tmp_path: Path, walk: Callable[[House], Awaitable[None]], size: tuple[int, int]
) -> None:
    house = House(tmp_path, width=size[0], height=size[1], midm=True, devices=60, seed=3)

    async def walked(pilot: Any) -> None:
        house.pilot = pilot
        await house.rest()
        await house.advance(1.0)
        await walk(house)
        # The hub tells at most ten times a second, the header what it was told.
        await house.advance(1.0)
        house.app.clear_notifications()
        house.app._tick()
        await house.rest()

    try:
        assert snap_compare(house.app, terminal_size=size, run_before=walked)
    finally:
        house.fleet.world.close()
