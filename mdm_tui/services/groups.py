"""Groups: the tree, who is in them, and the sweep that learns the memberships of all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from mdm_tui.fleet.errors import FleetError, Kind, Sent
from mdm_tui.fleet.groups import Group, GroupTree
from mdm_tui.fleet.provider import Capability

from .context import Context
from .events import ItemsChanged
from .group_edit import GroupEditor, GroupSaved
from .group_sweep import Sweep
from .tasks import Tasks

__all__ = ["FRESH", "GroupSaved", "Groups", "Members"]

FRESH = 300.0
"""Seconds for which a group's members are not asked for again by themselves."""
MAX_PAGES = 2_000


@dataclass(frozen=True, slots=True)
class Members:
    """The devices directly in a group, as the service listed them at `at` (epoch seconds).

    complete: the pages fitted together and none is missing. note: why not, "" when it is. total: as the service says.
    """

    group_id: str
    ids: tuple[str, ...]
    at: float
    complete: bool = True
    total: int | None = None
    note: str = ""


class Groups:
    """What screens and the command line do with groups.

    looked_at, answers: see `Sweep`.
    """

    def __init__(
        self,
        context: Context,
        *,
        looked_at: Callable[[], bool] = lambda: True,
        answers: Callable[[], bool] = lambda: True,
    ) -> None:
        self.error: FleetError | None = None
        self.at: float | None = None
        """When the groups were last read in this session, None before."""
        self._context = context
        self._sweep = Sweep(context, self, looked_at=looked_at, answers=answers)
        self._tasks = Tasks()
        self._tree: GroupTree | None = None
        self._members: dict[str, Members] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._editor = GroupEditor(context, self.refresh)

    # life
    async def start(self) -> None:
        """Begin the sweep, where the service has groups."""
        if self._context.can(Capability.GROUPS):
            self._tasks.spawn(self._sweep.run(), "group sweep")

    async def stop(self) -> None:
        """End the reading of memberships that goes on by itself."""
        await self._tasks.stop()

    @property
    def swept(self) -> str:
        """How far the memberships are known, as half a sentence; "" before the first sweep."""
        return self._sweep.said

    # the tree
    async def tree(self) -> GroupTree:
        """The groups as last read, in this session or before it."""
        if self._tree is None:
            held = await self._context.mirror.items(self._context.scope, Group)
            if self._tree is None:
                self._tree = GroupTree.build(held)
        return self._tree

    async def refresh(self) -> GroupTree:
        """Read all groups, in one request. Raises `FleetError`; what is held stays."""
        context = self._context
        at = context.clock.now()
        try:
            found = await context.call(lambda provider: provider.groups(), Capability.GROUPS)
        except FleetError as error:
            self.error = error
            raise
        self.error = None
        # Built from the answer and not from the mirror: what is listed twice is told.
        tree = GroupTree.build(found)
        if self.at is None or at >= self.at or self.at > context.clock.now():
            # An answer that overtook an older question stays, unless the clock was set back meanwhile.
            self._tree, self.at = tree, at
            for gone in [key for key in self._members if key not in tree]:
                del self._members[gone]
        touched, changes = await context.mirror.apply_groups(context.scope, found, True, at)
        context.announce(changes)
        if touched:
            context.hub.publish(ItemsChanged(context.scope, "groups", frozenset(touched)))
        return tree

    # changes
    async def create(self, name: str, parent: str = "", *, seen: GroupTree | None = None) -> GroupSaved:
        """See `GroupEditor.create`. seen, here and below: the tree out of which it was shown to who decided it."""
        return await self._editor.create(name, parent, seen=seen)

    async def rename(self, group_id: str, name: str, *, seen: GroupTree) -> GroupSaved:
        """See `GroupEditor.rename`."""
        return await self._editor.rename(group_id, name, seen=seen)

    async def move(self, group_id: str, parent: str, *, seen: GroupTree) -> GroupSaved:
        """See `GroupEditor.move`. parent: "" for the top."""
        return await self._editor.move(group_id, parent, seen=seen)

    async def delete(self, group_id: str, *, seen: GroupTree) -> GroupSaved:
        """See `GroupEditor.delete`."""
        return await self._editor.delete(group_id, seen=seen)

    # members
    def known(self, group_id: str) -> Members | None:
        """The members as read in this session, however old; None before."""
        return self._members.get(group_id)

    async def members(
        self,
        group_id: str,
        *,
        fresh: bool = False,
        progress: Callable[[int, int | None], None] | None = None,
        stop: asyncio.Event | None = None,
    ) -> Members:
        """The devices directly in a group, page by page into the mirror. Raises `FleetError`.

        Answers of the last five minutes are given again unless `fresh`. progress: told how many were read, of how
        many. stop: ends the reading between two pages; what was read is answered, and said to be incomplete.
        """
        asked, before = self._context.clock.now(), self._members.get(group_id)
        async with self._locks.setdefault(group_id, asyncio.Lock()):
            held = self._members.get(group_id)
            now = self._context.clock.now()
            if held is not None and held.complete:
                # Somebody else may have read it while this call waited for its turn.
                meanwhile = held is not before and held.at >= asked
                if meanwhile or (not fresh and 0 <= now - held.at < FRESH):
                    return held
            found = await self._read(group_id, progress, stop or asyncio.Event())
            if group_id in await self.tree():
                self._members[group_id] = found
            return found

    async def _read(
        self, group_id: str, progress: Callable[[int, int | None], None] | None, stop: asyncio.Event
    ) -> Members:
        context, at = self._context, self._context.clock.now()
        name = await self._name(group_id)
        ids: dict[str, None] = {}
        totals: set[int | None] = set()
        note = f"more than {MAX_PAGES:,} pages: the rest was not read"
        for number in range(1, MAX_PAGES + 1):
            if stop.is_set():
                note = "stopped before all pages were read"
                break
            page = await context.call(
                lambda provider, number=number: provider.devices(number, context.connection.page_size, group=group_id),
                Capability.GROUPS,
            )
            context.announce(await context.mirror.apply(context.scope, page.items, at=at, walk=None))
            ids.update(dict.fromkeys(device.id for device in page.items))
            totals.add(page.total)
            batch = [device.id for device in page.items]
            context.announce(await context.mirror.apply_members(context.scope, group_id, name, batch, False, at))
            if progress is not None:
                progress(len(ids), page.total)
            if not page.has_next or not page.items:
                note = _mismatch(len(ids), totals)
                break
        if not ids and await self._gone(group_id):
            raise _not_there()
        if not note:
            changes = await context.mirror.apply_members(context.scope, group_id, name, list(ids), True, at)
            context.announce(changes)
        return Members(group_id, tuple(ids), at, not note, page.total if totals else None, note)  # type: ignore[possibly-unbound]

    async def _name(self, group_id: str) -> str:
        """The group's name. Raises NOT_FOUND for one that is gone."""
        tree = await self.tree()
        node = tree.get(group_id) or (await self.refresh()).get(group_id)
        if node is None:
            raise _not_there()
        return node.name

    async def _gone(self, group_id: str) -> bool:
        """Whether a group that lists nobody is gone: a service need not refuse to list what it does not have."""
        node = (await self.tree()).get(group_id)
        return node is not None and bool(node.devices) and group_id not in await self.refresh()


def _not_there() -> FleetError:
    return FleetError(Kind.NOT_FOUND, "The group is not at the service any more", sent=Sent.NEVER)


def _mismatch(read: int, totals: set[int | None]) -> str:
    """Why a reading of all pages may have missed some, "" when it did not."""
    if len(totals) > 1:
        return "the group changed while it was read: some devices may be missing"
    total = next(iter(totals))
    return "" if total is None or total == read else f"the service says {total:,} devices and listed {read:,}"
