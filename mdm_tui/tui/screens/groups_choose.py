"""Choosing a group: the tree in a dialog that is searched by typing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from mdm_tui.fleet.groups import GroupTree
from mdm_tui.fleet.text import clean, search_key
from mdm_tui.tui.screens.dialogs import Item, Search, answer
from mdm_tui.tui.screens.groups_source import counted

__all__ = ["TOP", "choose_group"]

TOP = "/"
"""The key of "at the top" and of "none": no group's id."""


async def choose_group(
    app: Any, tree: GroupTree, title: str, *, top: str = "", why_not: Callable[[str], str] | None = None
) -> str | None:
    """The id of the group that is chosen, `TOP` for what `top` names, None for nothing. In a task of `app.spawn`.

    top: the words for choosing no group, "" where one has to be chosen. why_not: why a group cannot be chosen, as a
    sentence, "" when it can; such groups are shown, so that the tree stays whole, and refused with the sentence.
    """

    async def load(text: str) -> Sequence[Item]:
        words = search_key(text).split()
        if not words:
            first = [Item(TOP, top)] if top else []
            return [*first, *(_item(tree, key, tree.node(key).depth) for key in tree.all())]
        found = [key for key in tree.all() if all(word in search_key(tree.node(key).name) for word in words)]
        return [_item(tree, key, None) for key in found]

    def refused(key: str) -> str:
        return why_not("" if key == TOP else key) if why_not is not None else ""

    return await answer(app, Search(title, load, hint="type a part of the name", why_not=refused))


def _item(tree: GroupTree, key: str, depth: int | None) -> Item:
    """depth: None for a line that says its whole path."""
    node = tree.node(key)
    name = tree.path_text(key) if depth is None else node.name
    many = f"{counted(node.devices)} devices" if node.devices != 1 else "1 device"
    return Item(key, clean(name, 200), f"{many}{', trouble' if node.trouble else ''}", depth or 0)
