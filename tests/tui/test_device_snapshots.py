"""Each screen as a picture, at the two sizes everybody has, with frozen time, seed and person."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from house import House
from textual.widgets import Input, TextArea

from mdm_tui.tui.screens import dialogs
from mdm_tui.tui.screens.act import open_act

SIZES = [(80, 24), (120, 40)]


@pytest.fixture(autouse=True)
def frozen(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LOGNAME", "marta")
    monkeypatch.setenv("TZ", "Europe/Madrid")
    monkeypatch.delenv("NO_COLOR", raising=False)
    time.tzset()
    monkeypatch.setattr(dialogs.Guarded, "silence", 0.0)
    yield
    monkeypatch.undo()
    time.tzset()


async def device(house: House) -> None:
    house.app.open_device(house.listening())
    await house.rest()


async def device_health(house: House) -> None:
    await device(house)
    await house.press("greater_than_sign")


async def device_apps(house: House) -> None:
    await device(house)
    await house.screen.go_section("apps")
    await house.rest()


async def device_raw(house: House) -> None:
    await device(house)
    await house.press("less_than_sign")


async def form(house: House) -> None:
    await device(house)
    await house.press("e", "end")
    await house.type(" west")
    await house.press("tab", "end")
    await house.type(", dock")


async def policies(house: House) -> None:
    await house.press("2")
    await house.advance(1)


async def editor(house: House) -> None:
    await policies(house)
    await house.press("j", "j", "j", "enter")
    document = json.loads(house.screen.text)
    document["description"] = "For the gates"
    document["agentConfiguration"]["allowLocation"] = "sometimes"
    house.screen.area.text = json.dumps(document, indent=2)
    await house.rest()
    house.screen.area.move_cursor((0, 0))


async def confirm(house: House) -> None:
    source = house.screen.source
    ids = [source.id_at(index) for index in range(3)]
    await device(house)
    open_act(house.screen, house.session, ids)
    await house.rest()
    await house.press("end", "enter")


async def password(house: House) -> None:
    await device(house)
    await house.press("c", "down", "down", "down", "enter")


async def queue(house: House) -> None:
    for name in ("REBOOT", "LOCK"):
        plan = await house.session.commands.plan(name, [house.session.context.key(house.listening())])
        await house.session.commands.submit(plan, plan.expects)
        await house.advance(20)
    await house.press("3")
    # Ages are painted anew every ten seconds: then they are all of one moment.
    await house.advance(10)


async def queue_empty(house: House) -> None:
    await house.press("3")
    await house.advance(1)


SCREENS: list[Callable[[House], Awaitable[None]]] = [
    device, device_health, device_apps, device_raw, form, policies, editor, confirm, password, queue, queue_empty,
]  # fmt: skip


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("steps", SCREENS, ids=lambda steps: steps.__name__)
def test_a_screen_looks_as_it_did(
    tmp_path: Path, snap_compare: Any, steps: Callable[[House], Awaitable[None]], size: tuple[int, int]
) -> None:
    house = House(tmp_path, width=size[0], height=size[1])

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
        assert snap_compare(house.app, terminal_size=size, run_before=before)
    finally:
        house.fleet.world.close()
