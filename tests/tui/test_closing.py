"""Closing a connection or quitting while something of it is asked or on the wire."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from fleets import Two, two

from mdm_tui.fleet.provider import Capability
from mdm_tui.tui.asking import asking
from mdm_tui.tui.closing import Closing
from mdm_tui.tui.screens.ask import Ask
from mdm_tui.tui.screens.connections import close_asked
from mdm_tui.tui.screens.dialogs import answer


async def sent(on: Two) -> asyncio.Event:
    """A change of depot is on the wire; it is answered once the event is set."""
    await on.line("connect depot")
    await on.read("depot")
    context, go, began = on.app.sessions["depot"].context, asyncio.Event(), asyncio.Event()

    async def slow(_provider: object) -> None:
        began.set()
        await go.wait()

    on.app.spawn(context.change(slow, Capability.GROUP_EDIT), "change")
    await on.until(began.is_set)
    return go


def words(on: Two) -> Any:
    return on.app.screen._title  # type: ignore[attr-defined]


async def test_closing_asks_while_a_change_is_on_the_wire_and_tells_its_outcome(tmp_path: Path) -> None:
    async with two(tmp_path, midm=24) as on:
        go = await sent(on)
        on.app.spawn(close_asked(on.app, "depot"), "close")
        await on.until(lambda: isinstance(on.app.screen, Ask))
        assert "the change of a group is on the wire" in words(on)
        await on.press("y")
        await on.until(lambda: any("Waiting up to" in toast for toast in on.toasts()))
        go.set()
        await on.until(lambda: "depot" not in on.app.sessions)
        assert "depot: the change of a group: the service confirmed it." in on.toasts()


async def test_what_is_not_answered_in_time_is_said_to_be_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Closing, "grace", 0.01)
    async with two(tmp_path, midm=24) as on:
        await sent(on)
        await on.app.close_connection("depot")
        assert any("it may have been done" in toast for toast in on.toasts())


async def test_quitting_waits_for_the_answer_and_takes_it_along(tmp_path: Path) -> None:
    async with two(tmp_path, midm=24) as on:
        go = await sent(on)
        await on.press("ctrl+q")
        assert isinstance(on.app.screen, Ask) and not on.app._exit
        await on.press("y")
        go.set()
        await next(task for task in on.app._tasks if task.get_name() == "leave")
        assert on.app._exit
        assert on.app.farewell == ["depot: the change of a group: the service confirmed it."]


async def test_closing_asks_about_a_question_and_then_ends_it(tmp_path: Path) -> None:
    async with two(tmp_path, midm=24) as on:
        await on.line("connect depot")
        await on.read("depot")
        depot = on.app.sessions["depot"]
        said: list[bool] = []

        async def ask() -> None:
            said.append(await answer(on.app, Ask("Save?", "", "save")))

        task = on.app.spawn(ask(), "save")
        await on.until(lambda: isinstance(on.app.screen, Ask))
        await on.app.show_connection("acme")
        on.app.spawn(close_asked(on.app, "depot"), "close")
        await on.until(lambda: isinstance(on.app.screen, Ask))
        assert "a question waits for your answer" in words(on)
        await on.press("y")
        await on.until(lambda: "depot is closed." in on.toasts())
        assert task.done() and task not in asking and said in ([], [None])
        assert depot.writable == "CLOSED" and not isinstance(on.app.screen, Ask)
        assert [one for one in on.app._tasks if one is task] == []
