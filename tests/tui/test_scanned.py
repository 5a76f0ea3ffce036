"""A scanner answers no dialog: what it sends is dropped or looked at first, and its enter is none (RULES §2)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from house import House, open_house
from textual import events
from textual.widgets import Input

from mdm_tui.tui.keyguard import KEY_WINDOW
from mdm_tui.tui.screens.ask import Ask
from mdm_tui.tui.screens.dialogs import SILENCE, Item, Prompt, Search, answer, filtered

SCAN = (*"4006381y", "enter")


async def ask(house: House, dialog: Any) -> asyncio.Task[Any]:
    house.app.key_window = house.app._guard.window = KEY_WINDOW
    task = house.app.spawn(answer(house.app, dialog), "ask")
    await house.rest()
    assert house.screen is dialog
    return task


async def scan(house: House, keys: Sequence[str] = SCAN, *, apart: float = 0.001) -> None:
    """Send keys as a scanner does. apart: seconds between two of them, as their own times say."""
    first = events.Key("a", "a").time
    for number, key in enumerate(keys):
        event = events.Key(key, key if len(key) == 1 else "\r")
        event.time = first + number * apart
        house.app.post_message(event)
    await asyncio.sleep(2 * KEY_WINDOW)
    await house.rest()


async def test_a_scanner_renames_nothing(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        task = await ask(house, Prompt("A new name", "", "Warehouse"))
        await scan(house)
        assert not task.done() and house.screen.query_one(Input).value == "Warehouse"
        assert any("from a scanner" in toast for toast in house.toasts())
        # Typed by a person, key after key.
        await scan(house, (*"2026", "enter"), apart=0.1)
        assert await task == "Warehouse2026"


async def test_a_scan_into_a_search_chooses_nothing_by_itself(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        task = await ask(house, Search("Which?", filtered([Item("a", "4006381y"), Item("b", "other")])))
        await scan(house)
        assert not task.done() and any("enter takes it" in toast for toast in house.toasts())
        await house.press("enter")
        assert await task == "a"


async def test_a_scan_with_a_y_in_it_is_no_yes(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        task = await ask(house, Ask("Move it?", "", "move it"))
        await scan(house, (*"y400638", "enter"))
        assert not task.done()
        await scan(house, ("y",))
        assert await task is True


@pytest.mark.parametrize("dialog", [Ask("Move it?", "", "move it"), Prompt("A new name", "", "Warehouse")])
async def test_what_is_typed_before_it_can_be_read_answers_nothing(tmp_path: Path, dialog: Any) -> None:
    async with open_house(tmp_path, silence=SILENCE) as house:
        house.app.spawn(answer(house.app, dialog), "ask")
        await house.rest()
        await house.pilot.press("y", "enter")
        assert house.screen is dialog and not dialog.answered
