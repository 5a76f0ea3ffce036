"""Groups, apps, images and registering as pictures, at the two sizes everybody has, with frozen time and seed."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from house import House
from textual.widgets import Input, TextArea

from mdm_tui.tui.screens import dialogs

SIZES = [(80, 24), (120, 40)]
LIST = (
    "Serial,Maker,Model,Group\nM0240001,Zebra,TC52,Iberia/Spain\n{known},Zebra,TC52,\nunknown,,,\nM0240003,,,Nowhere\n"
)


@pytest.fixture(autouse=True)
def frozen(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Madrid")
    monkeypatch.delenv("NO_COLOR", raising=False)
    time.tzset()
    monkeypatch.setattr(dialogs.Guarded, "silence", 0.0)
    yield
    monkeypatch.undo()
    time.tzset()


async def groups(house: House) -> None:
    database = house.fleet.world.database
    lost = house.fleet.world.groups.save(None, "Old yard", None).uuid
    database.run("UPDATE unit_group SET parent = 'ffffffff-0000-4000-8000-000000000000' WHERE uuid = ?", (lost,))
    await house.press("6")
    await house.advance(1)
    screen = house.screen
    (key,) = screen.source.tree.find("Iberia / Spain")
    screen.show_group(key)
    await house.press("asterisk")
    screen.show_preview()


async def group_filter(house: House) -> None:
    await groups(house)
    await house.press("slash")
    await house.type("depot")
    await house.press("enter")
    house.screen.show_preview()


async def group_act(house: House) -> None:
    await groups(house)
    await house.press("c")


async def group_move(house: House) -> None:
    await groups(house)
    await house.press("c", "down", "down", "enter")


async def group_devices(house: House) -> None:
    await groups(house)
    await house.press("o", "down", "enter")
    await house.advance(1)
    house.screen.show_preview()


async def apps(house: House) -> None:
    await house.press("7")
    await house.advance(1)
    await house.press("slash")
    await house.type("inv")
    await house.press("enter")


async def images(house: House) -> None:
    await house.press("8")
    await house.advance(1)
    await house.press("j", "j", "j")


async def record(house: House) -> None:
    await images(house)
    await house.press("enter")


async def register_new(house: House) -> None:
    await house.press("plus")


async def register_checked(house: House) -> None:
    (known,) = house.fleet.world.database.one("SELECT min(serial) FROM unit WHERE length(serial) > 8")
    await house.press("plus")
    await house.type(LIST.format(known=known))
    await house.screen.read_now()
    await house.press("f2")


async def register_confirm(house: House) -> None:
    await register_checked(house)
    await house.press("f2")


async def register_sent(house: House) -> None:
    await register_confirm(house)
    await house.type("register m0240001")
    await house.press("enter")
    await house.advance(10)


SCREENS: list[Callable[[House], Awaitable[None]]] = [
    groups, group_filter, group_act, group_move, group_devices, apps, images, record,
    register_new, register_checked, register_confirm, register_sent,
]  # fmt: skip


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("steps", SCREENS, ids=lambda steps: steps.__name__)
def test_a_screen_looks_as_it_did(
    tmp_path: Path, snap_compare: Any, steps: Callable[[House], Awaitable[None]], size: tuple[int, int]
) -> None:
    house = House(tmp_path, width=size[0], height=size[1], midm=True, devices=60)

    async def before(pilot: Any) -> None:
        house.pilot = pilot
        await house.rest()
        await house.advance(1)
        await steps(house)
        await house.rest()
        house.app.clear_notifications()
        for field in (*house.screen.query(Input), *house.screen.query(TextArea)):
            field.cursor_blink = False
        await house.rest()
        house.app._tick()
        await house.rest()

    try:
        assert snap_compare(house.app, run_before=before, terminal_size=size)
    finally:
        house.fleet.world.close()
