"""A on a production connection: locked at the start, armed by its name for a while, locked again by itself."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from house import House, open_house
from textual.widgets import Input

from mdm_tui.tui import signals
from mdm_tui.tui.screens.act_confirm import ActConfirm
from mdm_tui.tui.screens.arm import ArmDialog
from mdm_tui.tui.screens.ask import Choose
from mdm_tui.tui.screens.device_edit import EditScreen
from mdm_tui.tui.screens.devices import DevicesScreen
from mdm_tui.tui.screens.editor import PolicyScreen

LOCKED = "test is production and LOCKED. Press A to arm it."


def production(folder: Path, **more: Any) -> Any:
    return open_house(folder, connection={"production": True}, **more)


def top(house: House) -> str:
    """The header's first line, within the frame."""
    return next(line for line in house.text().splitlines() if "PRODUCTION" in line)


async def armed(house: House, *times: str) -> None:
    """A, the time, the name, enter."""
    await house.press("A", *times)
    assert isinstance(house.screen, ArmDialog)
    await house.type("test")
    await house.press("enter")
    assert not isinstance(house.screen, ArmDialog)


async def test_a_arms_counts_down_and_locks_again(tmp_path: Path) -> None:
    async with production(tmp_path) as house:
        assert "PRODUCTION · LOCKED, A arms" in top(house)
        await house.press("A")
        await house.press("enter")
        await house.type("tset")
        await house.press("enter")
        assert isinstance(house.screen, ArmDialog) and "That is not “test”" in house.text()
        house.screen.query_one(Input).value = "test"
        await house.press("enter")
        assert "PRODUCTION · ARMED 10m" in top(house)
        await house.advance(61)
        assert "PRODUCTION · ARMED 9m" in top(house)
        await house.press("A")
        assert "PRODUCTION · LOCKED, A arms" in top(house)
        assert "test is LOCKED." in house.toasts()


async def test_it_is_short_at_eighty_columns(tmp_path: Path) -> None:
    async with production(tmp_path, width=80, height=24) as house:
        assert house.text().splitlines()[0].startswith("▌test PRODUCTION LOCKED (A) ")
        await armed(house)
        assert house.text().splitlines()[0].startswith("▌test PRODUCTION ARMED 10m ")


async def test_the_time_is_chosen_and_ends_with_a_sentence(tmp_path: Path) -> None:
    async with production(tmp_path) as house:
        await armed(house, "up", "down", "down", "down")
        assert "ARMED 5m" in top(house)
        await house.advance(300)
        assert "LOCKED, A arms" in top(house)
        assert "test is LOCKED again: its time is over." in house.toasts()


async def test_keys_keep_it_awake_and_silence_locks_it(tmp_path: Path) -> None:
    async with production(tmp_path) as house:
        await armed(house, "up", "up")
        assert "ARMED 60m" in top(house)
        await house.advance(500)
        await house.press("j")
        await house.advance(500)
        assert "ARMED 44m" in top(house)
        await house.advance(101)
        assert "LOCKED, A arms" in top(house)
        assert "test is LOCKED again: no key for 10 minutes." in house.toasts()


async def test_it_asks_once_however_often_it_is_pressed(tmp_path: Path) -> None:
    async with production(tmp_path) as house:
        house.app.action_arm()
        house.app.action_arm()
        await house.rest()
        await house.press("escape")
        assert isinstance(house.screen, DevicesScreen)
        await armed(house)


async def test_escape_leaves_it_locked(tmp_path: Path) -> None:
    async with production(tmp_path) as house:
        await house.press("A")
        await house.type("test")
        await house.press("escape")
        assert "LOCKED, A arms" in top(house)


@pytest.mark.parametrize(
    ("more", "said"),
    [({}, "not a production connection"), ({"production": True, "read_only": True}, "read_only = true")],
    ids=["not production", "read only"],
)
async def test_where_nothing_is_armed_it_says_why(tmp_path: Path, more: dict[str, Any], said: str) -> None:
    async with open_house(tmp_path, connection=more) as house:
        await house.press("A")
        assert isinstance(house.screen, DevicesScreen)
        assert any(said in toast for toast in house.toasts())


async def test_in_a_text_a_is_a_letter(tmp_path: Path) -> None:
    async with production(tmp_path) as house:
        await house.press("slash", "A")
        assert not isinstance(house.screen, ArmDialog)


async def test_a_command_is_refused_before_its_dialogs_and_goes_once_armed(tmp_path: Path) -> None:
    async with production(tmp_path) as house:
        await house.press("c")
        assert isinstance(house.screen, DevicesScreen)
        assert house.toasts()[-1] == f"Nothing can be sent: {LOCKED}"
        await armed(house)
        await house.press("c")
        assert isinstance(house.screen, Choose)
        await house.press("enter")
        dialog = house.screen
        assert isinstance(dialog, ActConfirm)
        # What was confirmed after the time is not sent.
        house.session.arming.lock()
        await house.type(dialog.plan.expects)
        await house.press("enter")
        assert "Nothing was sent" in house.text() and "LOCKED" in house.text()
        assert house.posts() == []


async def test_the_form_opens_with_the_sentence_and_sends_nothing_until_armed(tmp_path: Path) -> None:
    async with production(tmp_path) as house:
        house.app.open_device(house.listening())
        await house.rest()
        await house.press("e")
        assert isinstance(house.screen, EditScreen)
        assert house.toasts()[-1] == f"Nothing can be changed: {LOCKED}"
        field = house.screen.query_one("#field-display_name", Input)
        field.value = "Gate 7"
        await house.press("f2")
        assert "Nothing was sent: test is production and LOCKED" in house.text()
        assert house.posts("PUT") == []
        house.session.arming.arm("test")
        await house.press("f2")
        assert len(house.posts("PUT")) == 1


async def test_policies_are_looked_at_and_not_changed(tmp_path: Path) -> None:
    async with production(tmp_path) as house:
        await house.press("2", "c", "down", "down", "enter")
        assert house.toasts()[-1] == f"Nothing can be deleted: {LOCKED}"
        await house.press("c", "enter")
        assert house.toasts()[-1] == f"Nothing can be changed: {LOCKED}"
        await house.press("plus")
        assert f"Nothing can be saved: {LOCKED} A draft is kept." in house.toasts()
        await house.press("escape", "e")
        assert isinstance(house.screen, PolicyScreen)
        await house.press("f2")
        assert house.toasts()[-1] == f"Nothing can be saved: {LOCKED} The draft is kept."
        assert house.posts() == [] and house.posts("PUT") == [] and house.posts("DELETE") == []


async def test_the_end_of_the_console_locks_before_anything_else(tmp_path: Path) -> None:
    async with production(tmp_path) as house:
        await armed(house)
        house.app.end(129)
        assert house.session.arming.locked


def test_a_stopped_process_is_locked_first() -> None:
    order: list[str] = []

    def obeyed(_number: int, _frame: FrameType | None) -> None:
        order.append("stopped")

    before = signal.signal(signal.SIGTSTP, obeyed)
    try:
        signals.before_stopping(lambda: order.append("locked"))
        os.kill(os.getpid(), signal.SIGTSTP)
    finally:
        signal.signal(signal.SIGTSTP, before)
    assert order == ["locked", "stopped"]
