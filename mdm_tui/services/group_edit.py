"""Changing groups: read again before, sent once, read back after."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from mdm_tui.fleet.errors import FleetError, Kind, Sent
from mdm_tui.fleet.groups import Group, GroupTree, Node
from mdm_tui.fleet.provider import Capability, Provider
from mdm_tui.fleet.text import clean

from .changes import as_change
from .context import Context

__all__ = ["GroupEditor", "GroupSaved"]

_LONGEST = 128


@dataclass(frozen=True, slots=True)
class GroupSaved:
    """What became of a change. group_id: the group's, "" where it is not known or gone. sentence: what to tell.

    notes: what else happened meanwhile. doubt: the answer was lost, and the sentence says what is held.
    """

    group_id: str
    sentence: str
    notes: tuple[str, ...] = ()
    doubt: bool = False


class GroupEditor:
    """refresh: reads all groups; tree: those that were shown to the person."""

    def __init__(
        self,
        context: Context,
        refresh: Callable[[], Awaitable[GroupTree]],
        tree: Callable[[], Awaitable[GroupTree]],
    ) -> None:
        self._context = context
        self._refresh = refresh
        self._tree = tree

    async def create(self, name: str, parent: str = "") -> GroupSaved:
        """Make a group below another, or at the top. Raises `FleetError`.

        When the answer is lost the groups are read again, and the sentence says whether it is there.
        """
        self._context.arming.need("Nothing was created")
        name = _name(name)
        before = await self._refresh()
        where = self._place(before, parent)
        _unused(before, name, parent, where)
        try:
            made = await self._send(lambda provider: provider.create_group(name, parent))
        except FleetError as error:
            if error.sent is not Sent.MAYBE:
                raise
            return await self._lost_create(name, parent, where, before, error)
        after, note = await self._after()
        held = after.get(made.id) if after is not None else None
        notes = [note] if note else []
        if after is not None and held is None:
            new = [key for key in after.named(name, parent) if key not in before]
            held = after.node(new[0]) if new else None
            if held is None:
                notes.append("the service took it and does not list it yet")
        if held is not None:
            notes += _unlike(held, name, parent)
        return GroupSaved(held.id if held else made.id, f"{name} is created {where}.", tuple(notes))

    async def _lost_create(
        self, name: str, parent: str, where: str, before: GroupTree, error: FleetError
    ) -> GroupSaved:
        after, note = await self._after()
        if after is None:
            what = f"It is not known whether {name} was created ({error.what}), and {note}"
            raise as_change(error, what, sent=Sent.MAYBE) from error
        new = [key for key in after.named(name, parent) if key not in before]
        if new:
            said = f"The answer was lost ({error.what}), and {name} is there now, {where}."
            return GroupSaved(new[0], said, doubt=True)
        said = (
            f"The answer was lost ({error.what}), and there is no {name} {where} now: it was not created, "
            "or not yet. Read the groups again before you repeat it."
        )
        return GroupSaved("", said, doubt=True)

    async def rename(self, group_id: str, name: str) -> GroupSaved:
        """Give a group another name. Raises `FleetError`: NOT_FOUND when it is gone, CONFLICT when it was renamed."""
        self._context.arming.need("Nothing was renamed")
        name = _name(name)
        seen = (await self._tree()).get(group_id)
        tree, theirs, notes = await self._theirs(group_id, seen)
        if seen is not None and seen.group.name != theirs.group.name:
            raise FleetError(
                Kind.CONFLICT,
                f"Somebody has renamed {seen.name} to {theirs.name} meanwhile: nothing was sent",
                sent=Sent.NEVER,
                todo="Rename it again if that is still wanted.",
            )
        if theirs.group.name == name:
            raise FleetError(Kind.INVALID, f"It is called {name} already", sent=Sent.NEVER)
        parent = theirs.parent
        _unused(tree, name, parent, self._place(tree, parent), besides=group_id)
        said = f"{theirs.name} is now called {name}"
        return await self._change(theirs, said, notes, name=name)

    async def move(self, group_id: str, parent: str) -> GroupSaved:
        """Put a group below another, "" for the top. Raises `FleetError` as `rename` does."""
        self._context.arming.need("Nothing was moved")
        seen = (await self._tree()).get(group_id)
        tree, theirs, notes = await self._theirs(group_id, seen)
        if seen is not None and seen.group.parent != theirs.group.parent:
            raise FleetError(
                Kind.CONFLICT,
                f"Somebody has moved {seen.name} to {tree.path_text(group_id)} meanwhile: nothing was sent",
                sent=Sent.NEVER,
                todo="Move it again if that is still wanted.",
            )
        if why := tree.why_not_move(group_id, parent):
            raise FleetError(Kind.INVALID, why, sent=Sent.NEVER)
        where = self._place(tree, parent)
        _unused(tree, theirs.name, parent, where, besides=group_id)
        return await self._change(theirs, f"{theirs.name} is now {where}", notes, parent=parent)

    async def delete(self, group_id: str) -> GroupSaved:
        """Delete a group with nothing in it. Raises `FleetError`; a lost answer is looked up."""
        self._context.arming.need("Nothing was deleted")
        seen = (await self._tree()).get(group_id)
        _, theirs, _ = await self._theirs(group_id, seen)
        if theirs.children or theirs.devices:
            groups, devices = len(theirs.children), theirs.devices or 0
            held = [_many(groups, "group")] * bool(groups) + [_many(devices, "device")] * bool(devices)
            raise FleetError(
                Kind.CONFLICT,
                f"{theirs.name} still holds {' and '.join(held)}: nothing was deleted",
                sent=Sent.NEVER,
                todo="Move them elsewhere first.",
            )
        doubt: FleetError | None = None
        try:
            await self._send(lambda provider: provider.delete_group(group_id), Capability.GROUP_DELETE)
        except FleetError as error:
            if error.sent is not Sent.MAYBE:
                raise
            doubt = error
        after, note = await self._after()
        if after is None and doubt is not None:
            what = f"It is not known whether {theirs.name} was deleted ({doubt.what}), and {note}"
            raise as_change(doubt, what, sent=Sent.MAYBE) from doubt
        lost = f"The answer was lost ({doubt.what}), and " if doubt is not None else ""
        if after is not None and group_id in after:
            said = f"{lost}{theirs.name} is still listed: read the groups again in a while."
            return GroupSaved(group_id, said, doubt=True)
        ending = "is gone now" if lost else "is deleted"
        return GroupSaved("", f"{lost}{theirs.name} {ending}.", (note,) if note else (), doubt is not None)

    async def _change(
        self, theirs: Node, said: str, notes: list[str], *, name: str | None = None, parent: str | None = None
    ) -> GroupSaved:
        """Send the service's own copy back with one thing changed, then see what it holds."""
        doubt: FleetError | None = None
        try:
            await self._send(lambda provider: provider.change_group(theirs.group, name=name, parent=parent))
        except FleetError as error:
            if error.sent is not Sent.MAYBE:
                raise
            doubt = error
        after, note = await self._after()
        held = after.get(theirs.id) if after is not None else None
        if after is None and doubt is not None:
            what = f"It is not known whether {theirs.name} was changed ({doubt.what}), and {note}"
            raise as_change(doubt, what, sent=Sent.MAYBE) from doubt
        if after is not None and held is None:
            raise FleetError(Kind.NOT_FOUND, f"{theirs.name} was sent and is not listed any more", sent=Sent.MAYBE)
        if note:
            notes.append(note)
        wanted = theirs.group.name if name is None else name, theirs.group.parent if parent is None else parent
        wrong = _unlike(held, *wanted) if held is not None else []
        if doubt is None:
            return GroupSaved(theirs.id, f"{said}.", (*notes, *wrong))
        found = "the change is not there: it was not done, or not yet" if wrong else f"it was done: {said}"
        return GroupSaved(theirs.id, f"The answer was lost ({doubt.what}), and {found}.", tuple(notes), doubt=True)

    async def _theirs(self, group_id: str, seen: Node | None) -> tuple[GroupTree, Node, list[str]]:
        """The group as the service holds it now, and what somebody else did to it since it was shown."""
        tree = await self._refresh()
        theirs = tree.get(group_id)
        if theirs is None:
            name = seen.name if seen is not None else "The group"
            raise FleetError(
                Kind.NOT_FOUND,
                f"{name} is not at the service any more: nothing was sent",
                sent=Sent.NEVER,
                todo="Somebody has deleted it meanwhile; the tree shows what there is now.",
            )
        if theirs.group.unreadable:
            what = f"{theirs.name} could not be read, so it cannot be changed ({theirs.group.unreadable})"
            raise FleetError(Kind.UNREADABLE, what, sent=Sent.NEVER, todo="Change it in the service's own portal.")
        notes: list[str] = []
        if seen is not None and seen.group.name != theirs.group.name:
            notes.append(f"somebody else has renamed {seen.name} to {theirs.name} meanwhile: that name stays")
        if seen is not None and seen.group.parent != theirs.group.parent:
            notes.append(f"somebody else has moved it to {tree.path_text(group_id)} meanwhile: it stays there")
        return tree, theirs, notes

    async def _send(
        self, work: Callable[[Provider], Awaitable[Group | None]], capability: Capability = Capability.GROUP_EDIT
    ) -> Group:
        answer = await self._context.change(work, capability)
        return answer if answer is not None else Group("", "")

    async def _after(self) -> tuple[GroupTree | None, str]:
        try:
            return await self._refresh(), ""
        except FleetError as error:
            return None, f"the groups could not be read back: {error.what}"

    def _place(self, tree: GroupTree, parent: str) -> str:
        """Where a group stands that is directly below another. Raises NOT_FOUND when that is gone."""
        if not parent:
            return "at the top"
        if parent not in tree:
            what = "The group to put it into is not at the service any more: nothing was sent"
            raise FleetError(Kind.NOT_FOUND, what, sent=Sent.NEVER)
        return f"in {tree.path_text(parent)}"


def _name(name: str) -> str:
    """The name as it will be sent. Raises INVALID."""
    wanted = name.strip()
    problem = ""
    if not wanted:
        problem = "A group needs a name"
    elif len(wanted) > _LONGEST:
        problem = f"The name is longer than {_LONGEST} characters"
    elif clean(wanted) != wanted:
        problem = "The name holds characters that cannot be seen"
    if problem:
        raise FleetError(Kind.INVALID, problem, sent=Sent.NEVER)
    return wanted


def _unused(tree: GroupTree, name: str, parent: str, where: str, *, besides: str = "") -> None:
    """Raises CONFLICT when another group of that name is there: two alike could not be told apart."""
    if any(key != besides for key in tree.named(name, parent)):
        raise FleetError(
            Kind.CONFLICT,
            f"There is a group called {name} {where} already: nothing was sent",
            sent=Sent.NEVER,
            todo="Choose another name.",
        )


def _unlike(held: Node, name: str, parent: str) -> list[str]:
    """Where the service holds something else than was sent."""
    found = []
    if held.group.name != name:
        found.append(f"the service holds the name {held.name}")
    if held.group.parent != parent:
        found.append("the service holds it in another place")
    return found


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
