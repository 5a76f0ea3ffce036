"""A question is asked on the screen that it began on: elsewhere it waits, and a notice says so."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from fleets import Two, two
from house import House, open_house

from mdm_tui.tui.asking import asking
from mdm_tui.tui.screens.ask import Ask
from mdm_tui.tui.screens.dialogs import answer
from mdm_tui.tui.screens.rollout import RolloutScreen
from mdm_tui.tui.screens.rollout_confirm import ConfirmRollout


async def editing(on: Two) -> tuple[RolloutScreen, asyncio.Event]:
    """The editor on depot with a change in it, saving; what saving would do is found out once the event is set."""
    await on.line("connect depot")
    await on.read("depot")
    await on.press("9")
    await on.until(lambda: getattr(on.app.screen, "source", None) and on.app.screen.source.count())
    await on.press("enter")
    await on.until(lambda: isinstance(on.app.screen, RolloutScreen) and on.app.screen.opened is not None)
    screen: Any = on.app.screen
    await on.press("f3")
    document = json.loads(screen.text)
    document["description"] = "mine"
    screen.take(json.dumps(document, indent=2))
    await screen.check()
    found, resolver = asyncio.Event(), on.app.sessions["depot"].rollouts._resolver
    resolve = resolver.resolve

    async def slow(*given: Any, **more: Any) -> Any:
        found.asked.set()  # type: ignore[attr-defined]
        await found.wait()
        return await resolve(*given, **more)

    found.asked = asyncio.Event()  # type: ignore[attr-defined]
    resolver.resolve = slow  # type: ignore[method-assign]
    await on.press("f2")
    await on.until(found.asked.is_set)  # type: ignore[attr-defined]
    return screen, found


def updates(on: Two) -> list[str]:
    return [one for one in on.wires["depot"].asked if "rollout/update" in one]


async def test_a_plan_that_is_ready_elsewhere_waits_for_its_screen(tmp_path: Path) -> None:
    async with two(tmp_path, midm=24) as on:
        screen, found = await editing(on)
        await on.app.show_connection("acme")
        found.set()
        words = "depot: the rollout waits for your confirmation: @ depot"
        await on.until(lambda: words in on.toasts())
        await on.press("y", "enter")
        assert on.app.session.connection.name == "acme"
        assert updates(on) == [] and not isinstance(on.app.screen, ConfirmRollout)
        await on.app.show_connection("depot")
        await on.until(lambda: isinstance(on.app.screen, ConfirmRollout))
        assert on.app.fleet_screen is screen


async def test_a_question_does_not_lie_on_top_of_another(tmp_path: Path) -> None:
    async with two(tmp_path, midm=24) as on:
        _screen, found = await editing(on)
        on.app.push_screen(Ask("Another question?", "", "go"))
        await on.until(lambda: isinstance(on.app.screen, Ask))
        dropping = on.app.screen
        found.set()
        await on.until(lambda: any("waits for your confirmation" in toast for toast in on.toasts()))
        assert on.app.screen is dropping
        await on.press("escape")
        await on.until(lambda: isinstance(on.app.screen, ConfirmRollout))


async def test_a_question_whose_screen_was_left_is_not_asked(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        task, go = await later(house)
        await house.app.pop_screen()
        go.set()
        await house.rest()
        assert task.done() and not isinstance(house.screen, Ask)
        assert any("the screen that asks for your answer was left" in toast for toast in house.toasts())


async def test_a_dialog_that_its_screen_takes_along_is_answered_with_none(tmp_path: Path) -> None:
    async with two(tmp_path, midm=24) as on:
        await on.line("connect depot")
        await on.read("depot")
        given: list[Any] = []

        async def ask() -> None:
            given.append(await answer(on.app, Ask("Now?", "", "go")))

        task = on.app.spawn(ask(), "ask")
        await on.until(lambda: isinstance(on.app.screen, Ask))
        await on.app.show_connection("acme")
        await on.app.remove_mode("depot/devices")
        await on.until(task.done)
        assert given == [None] and task not in asking


async def later(house: House) -> tuple[asyncio.Task[Any], asyncio.Event]:
    """A question of a device's screen, asked once the event is set."""
    go = asyncio.Event()
    house.app.open_device(house.listening())
    await house.rest()

    async def ask() -> None:
        await go.wait()
        await answer(house.app, Ask("Now?", "", "go"))

    return house.app.spawn(ask(), "ask"), go
