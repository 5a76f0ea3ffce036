"""How closely the fleet is polled follows what is looked at, and whether anybody looks at all."""

from __future__ import annotations

from pathlib import Path

from house import open_house

from mdm_tui.services.pace import Attention
from mdm_tui.tui.widgets.header import Header
from tests.faulty import Reset


async def test_the_rows_in_sight_are_named_and_none_of_them_is_read_in_full(tmp_path: Path) -> None:
    async with open_house(tmp_path, devices=60) as house:
        sync = house.session.sync
        first, last, _count = house.screen.grid.position
        assert sync.visible == tuple(house.screen.source.ids[first - 1 : last])
        before = len(house.net.seen)
        await house.press("j", "j", "j", "G", "g")
        assert len(house.net.seen) == before, "moving the cursor asks nobody"
        assert sync.opened is None


async def test_a_device_is_watched_while_it_is_open_and_no_longer(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        device_id = house.screen.grid.cursor_id
        await house.press("enter")
        assert house.session.sync.opened == device_id
        await house.press("question_mark")
        assert house.session.sync.opened == device_id, "help over it does not hide it"
        await house.press("escape", "escape")
        assert house.session.sync.opened is None
        path = f"/devices/{device_id}"
        before = [seen for seen in house.net.seen if str(seen.url).split("?")[0].endswith(path)]
        await house.advance(30)
        assert [seen for seen in house.net.seen if str(seen.url).split("?")[0].endswith(path)] == before


async def test_another_screen_and_an_idle_console_slow_the_polling(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        pace = house.session.sync.pace
        assert pace.attention is Attention.ACTIVE
        await house.press("3")
        assert pace.attention is Attention.BACKGROUND
        await house.press("1")
        assert pace.attention is Attention.ACTIVE
        await house.advance(299)
        assert pace.attention is Attention.ACTIVE
        await house.advance(2)
        assert pace.attention is Attention.IDLE
        before = len(house.net.seen)
        await house.press("j")
        await house.advance(1)
        assert pace.attention is Attention.ACTIVE
        await house.advance(17)
        assert len(house.net.seen) > before


async def test_the_age_goes_on_under_a_dialog(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        await house.press("c")
        header = house.app.screen_stack[0].query_one(Header)
        house.net.rule(Reset())
        before = header.text
        await house.advance(40)
        assert len(house.app.screen_stack) == 2
        assert header.text != before and "stale" in header.text


async def test_a_refused_permission_stands_in_the_header(tmp_path: Path) -> None:
    allowed = {"mdm.aosp.device.list", "mdm.aosp.device.get"}
    async with open_house(tmp_path, width=160, permissions=allowed) as house:
        assert "TOKEN (mdm.aosp." in house.screen.query_one(Header).text
        assert " refused at " in house.screen.query_one(Header).text
