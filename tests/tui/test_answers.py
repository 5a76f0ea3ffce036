"""A dialog's answer is awaited beside the keys, never in their way: a handler that waited would freeze the console."""

from __future__ import annotations

import ast
import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from house import House, open_house

from mdm_tui.tui.screens.ask import Ask
from mdm_tui.tui.screens.dialogs import answer

TUI = Path(__file__).resolve().parents[2] / "mdm_tui" / "tui"
# What Textual calls in a widget's own task, where the next key waits for its end.
HANDLER = re.compile(r"_?on_|action_|key_|_?watch_|validate_|compute_|compose$|render")
WAITS = {"answer", "push_screen_wait"}


def awaited(function: ast.AsyncFunctionDef) -> Iterator[str]:
    """Names of what a function awaits; what it hands to `spawn` is not awaited."""
    for node in ast.walk(function):
        if isinstance(node, ast.Await) and isinstance(node.value, ast.Call):
            called = node.value.func
            if isinstance(called, ast.Attribute):
                yield called.attr
            elif isinstance(called, ast.Name):
                yield called.id


def waiting(functions: dict[str, set[str]]) -> set[str]:
    """Names of those that wait for a person, themselves or through what they await."""
    found = set(WAITS)
    while more := {name for name, calls in functions.items() if name not in found and calls & found}:
        found |= more
    return found - WAITS


def functions_of(sources: Iterator[str]) -> dict[str, set[str]]:
    """Every asynchronous function and what it awaits; functions of one name are taken together."""
    made: dict[str, set[str]] = {}
    for source in sources:
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.AsyncFunctionDef):
                made.setdefault(node.name, set()).update(awaited(node))
    return made


def test_no_handler_awaits_an_answer() -> None:
    found = waiting(functions_of(path.read_text() for path in TUI.rglob("*.py")))
    assert {"_act", "_export", "_leave"} <= found, "those that do wait are seen"
    assert [name for name in found if HANDLER.match(name)] == []


def test_a_handler_that_waits_through_a_helper_would_be_found() -> None:
    source = """
class Screen:
    async def action_export(self):
        await self._ask()
    async def _ask(self):
        return await answer(self.app, Ask())
    async def action_well(self):
        self.app.spawn(self._ask(), "ask")
"""
    assert waiting(functions_of(iter([source]))) == {"_ask", "action_export"}


async def test_an_answer_awaited_where_keys_wait_is_refused(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        stack = list(house.app.screen_stack)
        refused = asyncio.get_running_loop().create_future()

        async def handler() -> None:
            # As an action would: in the task of the screen's own messages.
            with pytest.raises(RuntimeError, match=r"app\.spawn") as caught:
                await answer(house.app, Ask("Now?", "", "go"))
            refused.set_result(str(caught.value))

        house.screen.call_later(handler)
        assert "Ask" in await refused
        assert house.app.screen_stack == stack, "nothing was pushed"
        assert await asked(house), "and in a task of its own it is answered"


async def asked(house: House) -> bool:
    """The same question, asked as it should be and answered with its key."""
    task = house.app.spawn(answer(house.app, Ask("Now?", "", "go")), "ask")
    await house.rest()
    await house.press("y")
    return bool(await task)
