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
    """refresh: reads all groups.

    seen: the tree out of which a change was shown to the person who decided it. What it says of the group, and of the
    one to put it into, must still be so when it is sent; else CONFLICT, and nothing is sent.
    """

    def __init__(self, context: Context, refresh: Callable[[], Awaitable[GroupTree]]) -> None:
        self._context = context
        self._refresh = refresh

    async def create(self, name: str, parent: str = "", *, seen: GroupTree | None = None) -> GroupSaved:
        """Make a group below another, or at the top. Raises `FleetError`.

        When the answer is lost the groups are read again, and the sentence says whether it is there. seen: None where
        nobody was shown the place.
        """
        self._context.arming.need("Nothing was created")
        name = _name(name)
        before = await self._refresh()
        if seen is not None:
            _as_shown(seen, before, parent)
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

    async def rename(self, group_id: str, name: str, *, seen: GroupTree) -> GroupSaved:
        """Give a group another name. Raises `FleetError`: NOT_FOUND for one that is gone, CONFLICT if not as seen."""
        self._context.arming.need("Nothing was renamed")
        name = _name(name)
        tree, theirs = await self._theirs(group_id, seen)
        if theirs.group.name == name:
            raise FleetError(Kind.INVALID, f"It is called {name} already", sent=Sent.NEVER)
        parent = theirs.parent
        _unused(tree, name, parent, self._place(tree, parent), besides=group_id)
        return await self._change(theirs, f"{theirs.name} is now called {name}", name=name)

    async def move(self, group_id: str, parent: str, *, seen: GroupTree) -> GroupSaved:
        """Put a group below another, "" for the top. Raises `FleetError` as `rename` does."""
        self._context.arming.need("Nothing was moved")
        tree, theirs = await self._theirs(group_id, seen)
        _as_shown(seen, tree, parent)
        if why := tree.why_not_move(group_id, parent):
            raise FleetError(Kind.INVALID, why, sent=Sent.NEVER)
        where = self._place(tree, parent)
        _unused(tree, theirs.name, parent, where, besides=group_id)
        return await self._change(theirs, f"{theirs.name} is now {where}", parent=parent)

    async def delete(self, group_id: str, *, seen: GroupTree) -> GroupSaved:
        """Delete a group with nothing in it. Raises `FleetError`; a lost answer is looked up."""
        self._context.arming.need("Nothing was deleted")
        _, theirs = await self._theirs(group_id, seen)
        if (shown := seen.get(group_id)) is not None and _content(shown) != _content(theirs):
            raise _changed(f"{theirs.name} was shown with {_content(shown)} and holds {_content(theirs)} by now")
        if theirs.children or theirs.devices:
            raise FleetError(
                Kind.CONFLICT,
                f"{theirs.name} still holds {_content(theirs)}: nothing was deleted",
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
        self, theirs: Node, said: str, *, name: str | None = None, parent: str | None = None
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
        notes = [note] if note else []
        wanted = theirs.group.name if name is None else name, theirs.group.parent if parent is None else parent
        wrong = _unlike(held, *wanted) if held is not None else []
        if doubt is None:
            return GroupSaved(theirs.id, f"{said}.", (*notes, *wrong))
        found = "the change is not there: it was not done, or not yet" if wrong else f"it was done: {said}"
        return GroupSaved(theirs.id, f"The answer was lost ({doubt.what}), and {found}.", tuple(notes), doubt=True)

    async def _theirs(self, group_id: str, seen: GroupTree) -> tuple[GroupTree, Node]:
        """The groups as the service holds them now. Raises CONFLICT when this one is not as it was shown."""
        tree = await self._refresh()
        theirs = tree.get(group_id)
        if theirs is None:
            shown = seen.get(group_id)
            raise FleetError(
                Kind.NOT_FOUND,
                f"{shown.name if shown is not None else 'The group'} is not at the service any more: nothing was sent",
                sent=Sent.NEVER,
                todo="Somebody has deleted it meanwhile; the tree shows what there is now.",
            )
        if theirs.group.unreadable:
            what = f"{theirs.name} could not be read, so it cannot be changed ({theirs.group.unreadable})"
            raise FleetError(Kind.UNREADABLE, what, sent=Sent.NEVER, todo="Change it in the service's own portal.")
        _as_shown(seen, tree, group_id)
        return tree, theirs

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
    elif "/" in wanted:
        problem = "Paths of groups are written with /, so a name holds none"
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


def _as_shown(seen: GroupTree, now: GroupTree, group_id: str) -> None:
    """Raises CONFLICT when a group has another name or another place by now; one that is gone is told elsewhere."""
    theirs, shown = now.get(group_id), seen.get(group_id)
    if theirs is None:
        return
    if shown is None:
        raise _changed(f"{theirs.name} was not there when this was decided")
    if shown.group.name != theirs.group.name:
        raise _changed(f"Somebody has renamed {shown.name} to {theirs.name} meanwhile")
    before, after = seen.path_text(group_id), now.path_text(group_id)
    if shown.group.parent != theirs.group.parent or shown.parent != theirs.parent:
        to = f"to {after}" if before != after else "to another group of the same name"
        raise _changed(f"Somebody has moved {shown.name} {to} meanwhile")
    if before != after or seen.path(group_id) != now.path(group_id):
        raise _changed(f"The groups above {shown.name} have changed meanwhile: it was {before} and is {after}")


def _changed(what: str) -> FleetError:
    todo = "Look at it again and repeat it if that is still wanted."
    return FleetError(Kind.CONFLICT, f"{what}: nothing was sent", sent=Sent.NEVER, todo=todo)


def _content(node: Node) -> str:
    """What is directly in a group, in words."""
    groups, devices = len(node.children), node.devices
    held = [_many(groups, "group")] * bool(groups) + [_many(devices or 0, "device")] * bool(devices)
    return " and ".join(held) or ("nothing" if devices is not None else "an unknown number of devices")


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
