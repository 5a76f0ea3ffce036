"""A segment is a scope: chosen once, in the header, in the list, in what is counted and in every question."""

from __future__ import annotations

from pathlib import Path

from house import House, open_house

from mdm_tui.fleet.devices import Segment
from mdm_tui.fleet.provider import Scope
from mdm_tui.tui.screens.act_confirm import ActConfirm
from mdm_tui.tui.screens.ask import Choose
from mdm_tui.tui.screens.segment import members
from mdm_tui.tui.widgets.header import Header

TREE = [
    Segment(1, "all"),
    Segment(2, "north", 1),
    Segment(3, "oslo", 2),
    Segment(4, "south", 1),
    Segment(5, "lost", 99),
]


def test_the_members_of_a_scope() -> None:
    assert members(TREE, Scope(2)) == (2,)
    assert members(TREE, Scope(2, "children")) == (2, 3)
    assert members(TREE, Scope(1, "children")) == (1, 2, 3, 4)
    assert members(TREE, Scope(3, "ancestors")) == (1, 2, 3)
    assert members(TREE, Scope(5, "ancestors")) == (5, 99)
    ring = [Segment(1, "a", 2), Segment(2, "b", 1)]
    assert members(ring, Scope(1, "ancestors")) == members(ring, Scope(1, "children")) == (1, 2)


async def line(house: House, text: str) -> None:
    await house.press("colon")
    await house.type(text)
    await house.press("enter")


async def test_the_list_its_counts_and_a_confirmation_stay_within_the_segment(tmp_path: Path) -> None:
    async with open_house(tmp_path, devices=60) as house:
        screen = house.screen
        rows = await house.session.mirror.rows(house.session.scope, screen.source.ids)
        held = {row_id: row.values["segment"] for row_id, row in rows.items()}
        number = next(value for value in held.values() if value is not None)
        inside = {row_id for row_id, value in held.items() if value == number}
        assert inside and len(inside) < 60
        await line(house, f"segment {number}")
        await house.press("enter")
        await house.advance(1)
        assert set(screen.source.ids) == inside
        header = screen.query_one(Header).text
        assert f"segment {house.app.segment_name}" in header and f"1 Devices {len(inside)} " in header
        await house.press("c", "enter")
        assert isinstance(house.screen, ActConfirm)
        assert f"· segment {house.app.segment_name}" in house.text()
        await house.press("escape")
        await line(house, "segment all")
        await house.advance(1)
        assert len(screen.source.ids) == 60 and "segment" not in screen.query_one(Header).text


async def test_what_a_dialog_of_the_palette_answers_is_heard(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        await house.press("ctrl+p")
        await house.type("sort by")
        palette = house.screen
        await house.press("down")
        await house.press("enter")
        while house.app.screen is palette:
            await house.rest()
        assert isinstance(house.screen, Choose)
        await house.press("down", "enter")
        assert house.screen.asked.sort[0][0] != "name"
