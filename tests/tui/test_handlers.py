"""A message reaches the handler of every class of a screen by itself: who also calls `super()` does the work twice."""

from __future__ import annotations

import functools
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from house import open_house
from textual.message_pump import MessagePump

from mdm_tui.tui.screens.base import FleetModal, FleetScreen
from mdm_tui.tui.screens.groups_devices import GroupDevicesScreen
from mdm_tui.tui.screens.register import RegisterScreen
from mdm_tui.tui.widgets.lines import Lines


def _ours() -> set[type]:
    """Every class of the console that Textual sends messages to, and what is mixed into them."""
    modules = [module for name, module in sys.modules.items() if name.startswith("mdm_tui.tui")]
    found = {one for module in modules for one in vars(module).values() if isinstance(one, type)}
    pumps = {one for one in found if issubclass(one, MessagePump)}
    return {base for one in pumps for base in one.__mro__ if base.__module__.startswith("mdm_tui.tui")}


async def test_a_message_runs_each_handler_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: Counter[tuple[type, str, int, int]] = Counter()
    kept: list[Any] = []  # as long as they live, their ids are theirs alone

    def counted(owner: type, name: str, handler: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(handler)
        def count(self: Any, *message: Any) -> Any:
            kept.append((self, message))
            calls[owner, name, id(self), id(message[0]) if message else 0] += 1
            return handler(self, *message)

        return count

    for owner in _ours():
        for name, handler in list(vars(owner).items()):
            if name == "on_event":
                continue  # not a handler: every message passes through it, a key once more as it bubbles up
            # Without its message only what comes once in a life can be counted.
            if name.lstrip("_") == "on_mount" or (
                name.startswith(("on_", "_on_")) and handler.__code__.co_argcount > 1
            ):
                monkeypatch.setattr(owner, name, counted(owner, name, handler))

    async with open_house(tmp_path, midm=True, devices=20) as house:
        await house.press("plus")
        assert isinstance(house.screen, RegisterScreen)
        await house.press("tab", "escape", "question_mark", "escape", "slash", "b", "escape", "enter", "escape")
        await house.press("s", "escape", "2", "3", "6")
        await house.advance(1)
        groups: Any = house.screen
        tree = groups.source.tree
        groups.show_group(next(key for key in tree.all() if not tree.node(key).children))
        await house.press("enter")
        assert isinstance(house.screen, GroupDevicesScreen)
        await house.press("escape")
        mounted = {owner for owner, name, _self, _message in calls if name.lstrip("_") == "on_mount"}
        assert mounted > {FleetScreen, FleetModal, Lines}
        twice = {f"{owner.__name__}.{name}" for (owner, name, _self, _message), times in calls.items() if times > 1}
        assert not twice
