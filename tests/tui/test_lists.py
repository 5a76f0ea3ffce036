"""Every list is a filter line over a grid, so what the keys, the mouse and a scanner do is the same on all of them."""

from __future__ import annotations

import asyncio
import csv
from pathlib import Path
from typing import Any

import pytest
from house import House, open_house

from mdm_tui.tui.screens.list_screen import ListScreen
from mdm_tui.tui.widgets.grid import Grid

# The key of a screen, and one of its columns that it is not sorted by at first.
APPLIVERY = [("1", "os"), ("2", "version"), ("3", "state")]
MIDM = [("1", "serial"), ("7", "size"), ("8", "size"), ("9", "name")]
LISTS = [(False, *one) for one in APPLIVERY] + [(True, *one) for one in MIDM]


async def shown(house: House, key: str) -> Any:
    await house.press(key)
    await house.advance(1)
    assert isinstance(house.screen, ListScreen)
    return house.screen


@pytest.mark.parametrize(("midm", "key", "column"), LISTS)
async def test_a_click_on_a_title_sorts_by_it_and_again_turns_it_round(
    tmp_path: Path, midm: bool, key: str, column: str
) -> None:
    async with open_house(tmp_path, midm=midm, devices=20) as house:
        screen = await shown(house, key)
        ways = []
        for _ in range(2):
            screen.grid.post_message(Grid.HeaderPressed(screen.grid, column))
            await house.rest()
            ways.append(dict(screen.grid.sort)[column])
        assert sorted(ways) == [False, True]


@pytest.mark.parametrize(("midm", "key", "_column"), LISTS)
async def test_text_that_is_not_ended_can_be_corrected_and_esc_goes_back_step_by_step(
    tmp_path: Path, midm: bool, key: str, _column: str
) -> None:
    async with open_house(tmp_path, midm=midm, devices=20) as house:
        screen = await shown(house, key)
        screen.take_text("no\tsuch", apply=False)
        await house.rest()
        assert screen.filter.editing and screen.filtered_by() == "no such" and not screen.source.count()
        await house.press("enter")
        assert not screen.filter.editing and screen.filtered_by() == "no such"
        await house.press("escape")
        assert screen.filtered_by() == "" and house.screen is screen


@pytest.mark.parametrize(("midm", "key", "_column"), [one for one in LISTS if one[1] != "3"])
async def test_the_line_above_says_how_many_of_how_many_and_which_marks_are_out_of_sight(
    tmp_path: Path, midm: bool, key: str, _column: str
) -> None:
    async with open_house(tmp_path, midm=midm, devices=20) as house:
        screen = await shown(house, key)
        total = screen.source.count()
        assert total and f"{total:,} · 1-" in screen.filter.text and " of " not in screen.filter.text
        await house.press("space")
        screen.filter_by("no such")
        await house.rest()
        assert f"0 of {total:,} · 1 marked, 1 outside" in screen.filter.text


async def test_a_range_ends_before_the_filter_is_cleared_and_only_what_is_marked_is_exported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with open_house(tmp_path, devices=20) as house:
        screen = await shown(house, "2")
        assert screen.source.count() > 2
        everything = screen.source.count()
        await house.press("v", "down")
        assert screen.grid.ranging and len(screen.grid.marks) == 2
        await house.press("escape")
        assert not screen.grid.ranging and len(screen.grid.marks) == 2
        await house.press("x", "enter")
        text = await asyncio.to_thread(lambda: next(tmp_path.glob("policies-*.csv")).read_text())
        rows = list(csv.DictReader(text.splitlines()))
        assert {row["id"] for row in rows} == set(screen.grid.marks) and len(rows) < everything
