"""Pages are turned on a terminal of any size."""

from __future__ import annotations

from pathlib import Path

import pytest
from house import House, open_house

from mdm_tui.tui.screens.dialogs import Item, Search, answer, filtered


async def small(house: House, width: int, height: int) -> None:
    await house.pilot.resize_terminal(width, height)
    for key in ("pagedown", "pageup", "pagedown"):
        await house.pilot.press(key)
    await house.pilot.pause()
    assert house.app._exception is None


@pytest.mark.parametrize("size", [(1, 1), (4, 4), (5, 5), (6, 4)])
async def test_the_palette_and_a_search_are_paged_where_there_is_no_room(tmp_path: Path, size: tuple[int, int]) -> None:
    async with open_house(tmp_path) as house:
        await house.press("ctrl+p")
        await small(house, *size)
    async with open_house(tmp_path / "two") as house:
        items = filtered([Item(str(number), f"item {number}") for number in range(40)])
        house.app.spawn(answer(house.app, Search("Which?", items)), "ask")
        await house.rest()
        await small(house, *size)
