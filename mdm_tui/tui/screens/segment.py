"""Which part of the fleet is looked at: a segment, alone, with those below it or with those above it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mdm_tui.fleet.errors import FleetError, Kind, Sent
from mdm_tui.fleet.provider import Capability, Scope
from mdm_tui.fleet.text import clean
from mdm_tui.tui.fleets import Narrowed
from mdm_tui.tui.screens.device_edit_lists import segment_items
from mdm_tui.tui.screens.dialogs import Item, Search, answer, filtered

__all__ = ["choose", "members", "narrow"]

_EXPANDED = {"children": " and below", "ancestors": " and above"}


async def choose(app: Any, session: Any, title: str, asked: str = "") -> tuple[Scope | None, str] | None:
    """The scope that the person chooses and its name; (None, "") for all, None when nothing was chosen.

    asked: the name or the number of a segment that was typed already, or "all". Raises `FleetError`.
    """
    if asked.casefold() == "all":
        return None, ""
    items = [Item("all", "All segments"), *segment_items(await session.devices.segments())]
    fitting = [item.key for item in items if asked and asked.casefold() in (item.key, item.title.casefold())]
    key = fitting[0] if len(fitting) == 1 else await answer(app, Search(title, filtered(items)))
    if key is None:
        return None
    if key == "all":
        return None, ""
    from mdm_tui.tui.screens.ask import Choose

    name = next((item.title for item in items if item.key == key), key)
    options = [
        ("own", "This segment alone", ""),
        ("children", "With those below it", "expandTo=children"),
        ("ancestors", "With those above it", "expandTo=ancestors"),
    ]
    expand = await answer(app, Choose(f"Segment {name}", options))
    if expand is None:
        return None
    return Scope(int(key), "" if expand == "own" else expand), clean(name, 60)


def members(segments: Sequence[Any], scope: Scope) -> tuple[int, ...]:
    """The numbers of all segments in a scope."""
    parents = {segment.id: segment.parent for segment in segments}
    found = {scope.segment_id}
    if scope.expand == "ancestors":
        parent = parents.get(scope.segment_id)
        while parent is not None and parent not in found:
            found.add(parent)
            parent = parents.get(parent)
    elif scope.expand == "children":
        more = True
        while more:
            below = {number for number, parent in parents.items() if parent in found} - found
            found |= below
            more = bool(below)
    return tuple(sorted(found))


async def narrow(app: Any, session: Any, asked: str) -> None:
    """Choose the scope of a connection (`:segment`). Raises `FleetError`."""
    if Capability.SEGMENTS not in session.factory.capabilities:
        raise FleetError(Kind.UNSUPPORTED, f"{session.factory.title} has no segments", sent=Sent.NEVER)
    chosen = await choose(app, session, "Which segment?", asked)
    if chosen is None:
        return
    scope, name = chosen
    if scope is None:
        app.narrow(session, Narrowed())
        return
    ids = members(await session.devices.segments(), scope)
    app.narrow(session, Narrowed(ids, f"{name}{_EXPANDED.get(scope.expand, '')}", scope))
