"""Which devices a rollout reaches: everyone, groups, single entries; and which entries saving it would register."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from mdm_tui.fleet.errors import FleetError, Kind
from mdm_tui.fleet.groups import GroupTree
from mdm_tui.fleet.provider import Capability
from mdm_tui.fleet.rollouts import Rollout
from mdm_tui.fleet.text import clean, normal_serial

from .context import Context
from .rollouts_scope import FACTS, MANY, Entry, GroupReach, Index, Reach, Resolving

if TYPE_CHECKING:
    from .groups import Groups

__all__ = ["Resolver"]

# Requests for one resolving, whatever the scope is: the rest is said to be undecided.
MOST_REQUESTS = 600
# Single questions for serial numbers; more of them are worth reading the list of devices first.
MOST_ASKED = 100
KEPT = 300.0
# What was seen so lately counts as verified.
VERIFIED = 60.0
_GONE = "the group is gone"
# After these the next request would only wait for the same again.
_HOPELESS = frozenset({Kind.UNREACHABLE, Kind.TIMEOUT, Kind.TLS, Kind.SIGNED_OUT, Kind.RATE_LIMITED, Kind.SERVER,
                       Kind.CONFIG, Kind.UNSUPPORTED, Kind.FORBIDDEN})  # fmt: skip


@dataclass(slots=True)
class _Work:
    """One resolving. failed: the sentence that ended asking, "" while it goes on."""

    progress: Callable[[Resolving], None] | None
    stop: asyncio.Event | None
    total: int
    done: int = 0
    requests: int = 0
    failed: str = ""
    notes: list[str] = field(default_factory=list)

    def tell(self, what: str) -> None:
        if self.progress is not None:
            self.progress(Resolving(min(self.done, self.total), self.total, what))

    @property
    def ended(self) -> str:
        """Why nothing more is asked, "" when it may be."""
        if self.failed:
            return self.failed
        if self.stop is not None and self.stop.is_set():
            return "stopped"
        return f"more than {MOST_REQUESTS} requests" if self.requests >= MOST_REQUESTS else ""

    def note(self, sentence: str) -> None:
        if sentence not in self.notes:
            self.notes.append(sentence)

    def fail(self, error: FleetError, what: str) -> None:
        self.note(f"{what}: {error.sentence()}")
        if error.kind in _HOPELESS:
            self.failed = error.what


class Resolver:
    """Resolves scopes on one connection; what was asked is kept for five minutes.

    entries_are: whether scopes are written in serial numbers or ids there; a question for a serial knows no ids.
    """

    def __init__(self, context: Context, groups: Groups, entries_are: Callable[[], Literal["serial", "id"]]) -> None:
        self._entries_are = entries_are
        self._context = context
        self._groups = groups
        self._asked: dict[str, tuple[float, bool]] = {}
        self._walked = float("-inf")

    async def resolve(
        self,
        rollout: Rollout,
        progress: Callable[[Resolving], None] | None = None,
        stop: asyncio.Event | None = None,
        *,
        verify: bool = False,
    ) -> Reach:
        """Find out whom it reaches. Never raises for what cannot be read: `complete` and `notes` say it.

        verify: ask the service also for entries that the mirror knows, unless it listed them within the last minute.
        """
        entries = list(dict.fromkeys(rollout.devices))
        groups = list(dict.fromkeys(rollout.groups))
        work = _Work(progress, stop, len(groups) + len(entries))
        total = await self._everyone(work) if rollout.everyone else None
        reached: set[str] = set()
        found_groups: list[GroupReach] = []
        if groups and not rollout.everyone:
            found_groups, reached = await self._all_groups(groups, work)
        found_entries = await self._entries(entries, work, verify=verify)
        if work.ended:
            work.note(f"Not everything was read: {work.ended}")
        mirrored = await self._context.mirror.facts(self._context.scope, ())
        if rollout.everyone:
            reached = set(mirrored)
        else:
            reached.update(device for entry in found_entries for device in entry.devices)
        return Reach(
            rollout.everyone,
            frozenset(reached),
            tuple(found_groups),
            tuple(found_entries),
            total,
            len(mirrored),
            requests=work.requests,
            complete=not work.ended and not any(group.unread for group in found_groups),
            notes=tuple(work.notes),
            at=self._context.clock.now(),
        )

    async def seen(self, rollout: Rollout) -> Reach:
        """Whom it reaches as last seen; asks nobody, so entries that the mirror does not know are undecided."""
        index = await self.index()
        entries = _known(list(dict.fromkeys(rollout.devices)), index)
        for text in rollout.devices:
            entries.setdefault(text, _entry(text, None, index))
        groups: list[GroupReach] = []
        if not rollout.everyone:
            tree = await self._groups.tree()
            wanted = list(dict.fromkeys(rollout.groups))
            groups, _ = _reaches(wanted, tree, index, {group: _seen(tree, index, group) for group in wanted})
        return Reach(
            rollout.everyone,
            index.reach(rollout),
            tuple(groups),
            tuple(entries.values()),
            mirrored=len(index.all),
            complete=all(entry.state != "undecided" for entry in entries.values())
            and not any(g.unread for g in groups),
            at=self._context.clock.now(),
        )

    async def index(self) -> Index:
        """The devices as the mirror has them now."""
        facts = await self._context.mirror.facts(self._context.scope, FACTS)
        entries = self._entries_are()
        return await asyncio.to_thread(Index, facts, entries) if len(facts) > MANY else Index(facts, entries)

    async def _everyone(self, work: _Work) -> int | None:
        work.tell("how many devices there are")
        try:
            work.requests += 1
            page = await self._context.call(lambda provider: provider.devices(1, 1))
        except FleetError as error:
            work.fail(error, "How many devices there are could not be asked")
            return None
        if page.total is None:
            work.note("The service does not say how many devices there are: counted as last seen")
        return page.total

    # groups
    async def _all_groups(self, wanted: list[str], work: _Work) -> tuple[list[GroupReach], set[str]]:
        listed = True
        work.tell("the list of groups")
        if not work.ended:
            try:
                work.requests += 1
                await self._groups.refresh()
            except FleetError as error:
                listed = False
                work.fail(error, "The groups could not be read")
        tree = await self._groups.tree()
        unread: dict[str, str] = {}
        for group in wanted:
            work.tell(f"devices of {clean(tree.node(group).name) if group in tree else group}")
            if group not in tree and listed:
                unread[group] = _GONE
            elif why := await self._members(group, clean(tree.node(group).name if group in tree else group, 60), work):
                unread[group] = why
            work.done += 1
        return _reaches(wanted, tree, await self.index(), unread)

    async def _members(self, group: str, name: str, work: _Work) -> str:
        """Read who is in a group, page by page; why they may not all be known then, else ""."""
        if work.ended:
            return work.ended

        pages = 0

        def page(read: int, total: int | None) -> None:
            nonlocal pages
            pages += 1
            work.requests += 1
            work.tell(f"page {pages:,} of {name}: {read:,}{f' of {total:,}' if total else ''} devices")

        try:
            return (await self._groups.members(group, progress=page, stop=work.stop)).note
        except FleetError as error:
            if error.kind is Kind.NOT_FOUND:
                # Gone between the list and the question.
                return _GONE
            work.fail(error, f"The devices of a group could not be read ({clean(group, 60)})")
            return error.what

    # entries
    async def _entries(self, texts: list[str], work: _Work, *, verify: bool) -> list[Entry]:
        """What each entry means: the mirror knows, else the list of devices, else the question for its serial."""
        fresh = self._context.clock.now() - VERIFIED if verify else float("-inf")
        found = await self._settled(texts, fresh)
        need = [text for text in texts if text not in found and self._answer(text, fresh) is None]
        if len(need) > MOST_ASKED and not work.ended and self._walked < max(fresh, self._context.clock.now() - KEPT):
            await self._walk(need, work)
            found = await self._settled(texts, fresh)
        asked = 0
        for text in texts:
            if text not in found and asked < MOST_ASKED and not work.ended and self._answer(text, fresh) is None:
                asked += 1
                work.tell(f"serial {clean(text, 60)}")
                await self._ask(text, work)
            work.done += 1
        index, left = await self.index(), 0
        for text in texts:
            if text not in found:
                answer = self._answer(text, fresh)
                left += answer is None
                found[text] = _entry(text, answer, index)
        if left and not work.ended:
            work.note(f"{left:,} entries were not asked for: at most {MOST_ASKED} are, one by one")
        return [found[text] for text in texts]

    async def _settled(self, texts: Iterable[str], since: float) -> dict[str, Entry]:
        """The entries that need no question: blank, or known to the mirror and listed by the service since then."""
        found = _known(texts, await self.index())
        if since == float("-inf"):
            return found
        present = await self._context.mirror.present_since(self._context.scope, since)
        return {text: one for text, one in found.items() if one.state == "empty" or present.intersection(one.devices)}

    async def _walk(self, need: list[str], work: _Work) -> None:
        """Read the list of devices page by page until all are found; those missing then are asked for by themselves."""
        context, limit = self._context, self._context.connection.page_size
        missing, by = set(need), self._entries_are()
        number = 0
        while missing and not work.ended:
            number += 1
            at = context.clock.now()
            try:
                work.requests += 1
                page = await context.call(lambda provider, number=number: provider.devices(number, limit))
            except FleetError as error:
                work.fail(error, "The list of devices could not be read")
                return
            context.announce(await context.mirror.apply(context.scope, page.items, at=at, walk=None))
            for device in page.items:
                missing.discard(device.id if by == "id" else str(device.values.get("serial") or ""))
            work.tell(f"page {number} of the list of devices")
            if not page.has_next or not page.items:
                self._walked = at
                return

    async def _ask(self, text: str, work: _Work) -> None:
        try:
            there = self._entries_are() == "id" and await self._has_device(text, work)
            if not there:
                work.requests += 1
                there = await self._context.call(lambda provider: provider.registered(text), Capability.DEVICE_REGISTER)
        except FleetError as error:
            work.fail(error, f"It could not be asked whether {clean(text, 60)} is registered")
            return
        self._asked[text] = (self._context.clock.now(), there)

    async def _has_device(self, device_id: str, work: _Work) -> bool:
        work.requests += 1
        try:
            await self._context.call(lambda provider: provider.device(device_id))
        except FleetError as error:
            if error.kind is not Kind.NOT_FOUND:
                raise
            return False
        return True

    def _answer(self, text: str, since: float) -> bool | None:
        """What the service answered to the question for an entry, None where it was before `since` or 5 minutes ago."""
        at, there = self._asked.get(text, (float("-inf"), False))
        return there if at >= since and 0 <= self._context.clock.now() - at < KEPT else None

    def forget(self, texts: Iterable[str]) -> None:
        """A save may have registered these: what was answered before is no more true."""
        for text in texts:
            self._asked.pop(text, None)


def _known(texts: Iterable[str], index: Index) -> dict[str, Entry]:
    """The entries that are blank or that the mirror knows."""
    found: dict[str, Entry] = {}
    for text in texts:
        if not text.strip():
            found[text] = Entry(text, "empty", note="is blank")
        elif same := index.entry(text):
            note = f"is the serial number of {len(same)} devices" if len(same) > 1 else ""
            found[text] = Entry(text, "known", same, note)
    return found


def _entry(text: str, answer: bool | None, index: Index) -> Entry:
    """An entry that the mirror alone does not settle. answer: the service's, None when it was not asked."""
    held = index.entry(text)
    if answer:
        return Entry(text, "known" if held else "registered", held)
    like = index.suggestion(text)
    notes = [f"did you mean {clean(like, 60)}?"] if like else []
    if not normal_serial(text):
        notes.append("is a placeholder, not a serial number")
    if held:
        notes.append("was here when last seen")
    return Entry(text, "undecided" if answer is None else "unknown", note="; ".join(notes), suggestion=like)


def _seen(tree: GroupTree, index: Index, group: str) -> str:
    """Why the members of a group may not all be known here, "" when the numbers agree."""
    node = tree.get(group)
    if node is None:
        return _GONE
    held = len(index.group(group))
    return "" if node.devices in (None, held) else f"{held:,} of {node.devices:,} as last seen here"


def _reaches(
    wanted: list[str], tree: GroupTree, index: Index, unread: Mapping[str, str]
) -> tuple[list[GroupReach], set[str]]:
    """Each group of a scope with its devices, and all of those. unread: why a group's members may not be known."""
    inside = {group: index.group(group) for group in wanted}
    covered: set[str] = set(wanted)
    found: list[GroupReach] = []
    for group in wanted:
        node = tree.get(group)
        below = [key for key in tree.below(group) if key not in covered] if node is not None else []
        covered.update(below)
        found.append(
            GroupReach(
                group,
                node.name if node is not None else group,
                len(inside[group]),
                sum(tree.node(key).devices or 0 for key in below),
                unread.get(group) == _GONE,
                unread.get(group, "").removeprefix(_GONE),
            )
        )
    return found, {device for devices in inside.values() for device in devices}
