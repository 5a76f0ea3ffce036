"""Learning who is in which group: list rows do not say it, so the groups are read one by one."""

from __future__ import annotations

import json
import logging
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from mdm_tui.fleet.errors import FleetError, Kind
from mdm_tui.fleet.groups import GroupTree

from .context import Context
from .events import DevicesChanged

if TYPE_CHECKING:
    from .groups import Groups

__all__ = ["BETWEEN", "FIRST_SHARE", "SHARE", "Sweep"]

_log = logging.getLogger(__name__)

SHARE = 0.1
"""The most of an hour's calls that learning memberships may spend."""
FIRST_SHARE = 0.2
"""The same while there are groups that were never read: until then much of what is shown lacks its group."""
BETWEEN = 3_600.0
"""Seconds between two sweeps, and for which a group that was read is not read again by itself."""
# The first sweep of a session: seconds a call. The longest look away; how often a step is tried.
_BRISK = 1.0
_AWAY = 30.0
_TRIES = 5
# The sweep leaves this part of the hour's calls to those who look at something.
_FULL = 0.5
_NEVER_MIND = frozenset({Kind.FORBIDDEN, Kind.UNSUPPORTED, Kind.CONFIG})
_NOTE = "members_read"
_KEEP_EVERY = 20


class Sweep:
    """Reads all groups at the start, then their members: briskly the first time, slowly after that.

    looked_at: whether somebody looks at this session; the sweep rests while nobody does. answers: whether the service
    answers at all; what was never read before is read for a session that is hidden too.
    """

    def __init__(
        self, context: Context, groups: Groups, *, looked_at: Callable[[], bool], answers: Callable[[], bool]
    ) -> None:
        self.said = ""
        """How far the memberships are known, as half a sentence; "" before the first sweep."""
        self._context, self._groups = context, groups
        self._looked_at, self._answers = looked_at, answers
        # Group → when its members were read as a whole, by this session or an earlier one.
        self._read: dict[str, float] = {}
        self._calls: deque[float] = deque()
        # Groups of this pass whose members could not be read to the end.
        self._missed = 0

    async def run(self) -> None:
        """Until cancelled; ends by itself when the service refuses."""
        context, clock = self._context, self._context.clock
        # The devices come first, then the groups' number, then who is in them.
        await clock.wait(context.looked)
        try:
            await self._step(self._refresh, _BRISK, never=True)
        except FleetError as error:
            if self._refused(error):
                return
        await clock.wait(context.walked)
        await self._recall()
        pace = _BRISK
        while True:
            try:
                await self._pass(pace)
                pace = 3600.0 / max(1.0, context.connection.budget * SHARE)
            except FleetError as error:
                if self._refused(error):
                    return
            await clock.sleep(BETWEEN)

    def _refused(self, error: FleetError) -> bool:
        """Whether it is of no use to go on."""
        if error.kind in _NEVER_MIND:
            self.said = f"memberships are not read by themselves: {error.what}"
            return True
        _log.info("the sweep of groups is put off: %s", error.what)
        return False

    async def _pass(self, pace: float) -> None:
        """Every group whose members are not known. pace: seconds a call."""
        now = self._context.clock.now()
        if self._groups.at is None or now - self._groups.at > BETWEEN / 2:
            await self._step(self._refresh, pace, never=not self._read)
        tree = await self._groups.tree()
        held = await self._held()
        groups = [key for key in tree.all() if tree.node(key).devices or held[key]]
        todo = [key for key in groups if not self._fresh(tree, key, held[key])]
        known = len(groups) - len(todo)
        self._missed = 0
        try:
            for number, key in enumerate(todo, 1):
                if key in await self._groups.tree():
                    await self._step(
                        lambda count, key=key: self._members(key, count), pace, never=key not in self._read
                    )
                known += 1
                self.said = f"memberships known for {known:,} of {len(groups):,} groups"
                if number % _KEEP_EVERY == 0:
                    await self._keep()
        finally:
            await self._keep()
        scope = self._context.scope
        if not self._missed and (settled := await self._context.mirror.settle_members(scope, now)):
            self._context.hub.publish(DevicesChanged(scope, frozenset(settled), frozenset(("group", "groupid"))))
        if groups:
            self.said = f"memberships known for {known:,} of {len(groups):,} groups"

    async def _held(self) -> Counter[str]:
        """How many members of each group the mirror knows."""
        facts = await self._context.mirror.facts(self._context.scope, ("groupid",))
        return Counter(str(group) for (group,) in facts.values() if group)

    def _fresh(self, tree: GroupTree, key: str, held: int) -> bool:
        """Whether the members were read not long ago and are as many as the service counts now."""
        at = self._read.get(key)
        return at is not None and 0 <= self._context.clock.now() - at < BETWEEN and tree.node(key).devices == held

    async def _refresh(self, count: Callable[..., None]) -> None:
        count()
        await self._groups.refresh()

    async def _members(self, key: str, count: Callable[..., None]) -> None:
        held, tree = self._groups.known(key), await self._groups.tree()
        # What a person had read a moment ago will do, as long as it is as many as are counted.
        changed = held is not None and len(held.ids) != tree.node(key).devices
        found = await self._groups.members(key, fresh=changed, progress=count)
        if found.complete:
            self._read[key] = found.at
        else:
            self._missed += 1

    # what is remembered between sessions
    async def _recall(self) -> None:
        held = await self._context.mirror.get_meta(self._context.scope, _NOTE)
        try:
            noted = json.loads(held) if isinstance(held, str) else {}
            self._read.update((str(key), float(at)) for key, at in noted.items())
        except (ValueError, TypeError, AttributeError):
            _log.info("what was noted of the last sweep cannot be read")

    async def _keep(self) -> None:
        tree = await self._groups.tree()
        self._read = {key: at for key, at in self._read.items() if key in tree}
        note = json.dumps({key: round(at) for key, at in self._read.items()}, separators=(",", ":"))
        await self._context.mirror.set_meta(self._context.scope, _NOTE, note)

    # one step
    async def _step(self, work: Callable[[Callable[..., None]], Awaitable[None]], pace: float, *, never: bool) -> None:
        """Do it when it may be done, then wait by what it cost. work: calls what it is given once a call.

        never: what it reads was never read before. Raises what stays in its way.
        """
        clock = self._context.clock
        for attempt in range(1, _TRIES + 1):
            while not self._may(never):
                await clock.sleep(_AWAY)
            await self._afford(FIRST_SHARE if never else SHARE)
            spent = 0

            def count(*_: object) -> None:
                nonlocal spent
                spent += 1
                self._calls.append(clock.monotonic())

            try:
                await work(count)
            except FleetError as error:
                if error.kind is Kind.NOT_FOUND:
                    # Gone since the tree was read: the next tree says so.
                    return
                if error.kind in _NEVER_MIND or attempt == _TRIES:
                    raise
                await clock.sleep(max(error.retry_after or 0.0, 30.0 * 2**attempt))
            else:
                await clock.sleep(spent * pace)
                return

    def _may(self, never: bool) -> bool:
        provider = self._context.provider
        if provider is None or not (self._looked_at() or (never and self._answers())):
            return False
        meter = provider.meter
        return meter.used < meter.limit * _FULL

    async def _afford(self, share: float) -> None:
        """Wait until the last hour's calls leave room for another one. share: of the budget, as `SHARE`."""
        clock, most = self._context.clock, max(1, int(self._context.connection.budget * share))
        while True:
            now = clock.monotonic()
            while self._calls and now - self._calls[0] >= 3600.0:
                self._calls.popleft()
            if len(self._calls) < most:
                return
            await clock.sleep(self._calls[0] + 3600.0 - now)
