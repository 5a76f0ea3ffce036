"""Rollouts: listed, opened, drafted, checked, resolved, saved without overwriting anybody, followed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from mdm_tui.fleet.conflicts import Clash
from mdm_tui.fleet.diff import Difference, differences
from mdm_tui.fleet.errors import FleetError, Kind, Problem, Sent
from mdm_tui.fleet.matching import Prediction
from mdm_tui.fleet.provider import Capability
from mdm_tui.fleet.rollouts import Rollout, RolloutFormat

from .context import Context
from .documents import Changed, Checked, check, is_new, load, new_id, pretty
from .drafts import Drafts
from .events import ItemsChanged
from .rollouts_check import Checker, RolloutCheck
from .rollouts_following import Following
from .rollouts_plan import RolloutPlan, make_plan
from .rollouts_reach import VERIFIED, Resolver
from .rollouts_save import RolloutSaved, RolloutSaver
from .rollouts_scope import Reach, Resolving
from .rollouts_words import Progress

if TYPE_CHECKING:
    from .catalogue import Catalogue
    from .groups import Groups

__all__ = ["Changed", "OpenedRollout", "RolloutPlan", "RolloutSaved", "Rollouts"]

_MAX_PAGES = 1_000
_LONG_TEXT = 20_000
# A plan says what was true when it was made.
PLAN_KEPT = 600.0
WATCH_EVERY = 30.0


@dataclass(frozen=True, slots=True)
class OpenedRollout:
    """A rollout ready for the editor.

    id: the rollout's, or `new:…` for one the service does not have yet. rollout: as the service holds it (None for a
    new one). base: the text to compare with, the part that is sent. draft: the person's unsaved text, if any;
    draft_base: what that draft began from. stale: what to know of how `base` was read, "" when there is nothing.
    fresh: it was read from the service now; else it is what was last seen, and `stale` says why.
    draft_at: when the draft was written, epoch seconds.
    """

    id: str
    rollout: Rollout | None
    base: str
    draft: str | None = None
    draft_base: str | None = None
    stale: str = ""
    draft_at: float | None = None
    fresh: bool = True


class Rollouts:
    """What the rollout screens and the command line do. form: where in the documents the parts stand."""

    def __init__(self, context: Context, groups: Groups, catalogue: Catalogue) -> None:
        form = context.factory.rollouts
        if form is None:
            raise FleetError(Kind.UNSUPPORTED, f"{context.factory.title} has no rollouts", sent=Sent.NEVER)
        self.form: RolloutFormat = form
        self.error: FleetError | None = None
        self.followed: dict[str, tuple[int, int]] = {}
        """How far those are whose progress was looked at in this session: devices that are done, of how many."""
        self._context = context
        self._drafts = Drafts(context, "rollout")
        self._saver = RolloutSaver(context, form, self._drafts, self.refresh)
        self._checker = Checker(context, catalogue, form)
        self._resolver = Resolver(context, groups, lambda: self.entries)
        self._following = Following(context, self._saver, self._checker, self._resolver, self.followed)

    @property
    def entries(self) -> Literal["serial", "id"]:
        """How devices are written into a scope on this connection."""
        provider = self._context.provider
        return ((provider.rollout_format if provider is not None else None) or self.form).entries

    async def stop(self) -> None:
        """Write the drafts that are still waiting."""
        await self._drafts.stop()

    # lists
    async def all(self) -> list[Rollout]:
        """All rollouts as last seen, by name."""
        return await self._context.mirror.items(self._context.scope, Rollout)

    async def refresh(self) -> list[Rollout]:
        """Read all rollouts into the mirror. Raises `FleetError`; what is held stays."""
        context = self._context
        at = context.clock.now()
        found: dict[str, Rollout] = {}
        complete = False
        try:
            for number in range(1, _MAX_PAGES + 1):
                page = await context.call(
                    lambda provider, number=number: provider.rollouts(number, context.connection.page_size),
                    Capability.ROLLOUTS,
                )
                new = [rollout for rollout in page.items if rollout.id not in found]
                found.update((rollout.id, rollout) for rollout in page.items)
                if not page.has_next or not new:
                    # A page that brings nothing new is a service that does not page: it gave all of them.
                    complete = page.total is None or page.total == len(found)
                    break
        except FleetError as error:
            self.error = error
            raise
        self.error = None
        self._saver.tell(await context.mirror.apply_items(context.scope, Rollout, found.values(), complete, at))
        return await self.all()

    # the editor
    async def open(self, rollout_id: str) -> OpenedRollout:
        """A rollout for the editor, read now; where that fails, as last seen, with the reason. Drafts are kept."""
        context = self._context
        draft = await self._drafts.get(rollout_id)
        mine, began, when = (draft.mine, draft.base, draft.at) if draft is not None else (None, None, None)
        if is_new(rollout_id):
            return OpenedRollout(rollout_id, None, "{}", mine, began, draft_at=when)
        fresh = True
        try:
            rollout, stale = await self._saver.current(rollout_id)
        except FleetError as error:
            held = await context.mirror.item(context.scope, Rollout, rollout_id)
            if held is None:
                raise
            rollout, stale, fresh = held, error.sentence(), False
        return OpenedRollout(rollout_id, rollout, self._saver.text(rollout), mine, began, stale, when, fresh)

    def new(self, start: Rollout | None = None) -> OpenedRollout:
        """An editor for a rollout that is not there yet, blank or from another one, then without its name."""
        document = self.form.blank() if start is None else self.form.put(load(self._saver.text(start)), "name", "")
        return OpenedRollout(new_id(), None, pretty(document))

    def draft(self, rollout_id: str, base: str, mine: str) -> None:
        """Keep what is typed; written shortly after the last key, and when the session ends."""
        self._drafts.put(rollout_id, base, mine)

    async def drop_draft(self, rollout_id: str) -> None:
        """Throw the unsaved text away."""
        await self._drafts.drop(rollout_id)

    async def drafts(self) -> list[str]:
        """Ids with a draft; new ones begin with `new:`."""
        return await self._drafts.ids()

    async def check_text(self, text: str) -> Checked:
        """Problems of a text with their lines: syntax and contract. Asks nobody; long texts in a thread."""
        if len(text) > _LONG_TEXT:
            return await asyncio.to_thread(check, text, self.form.check)
        return check(text, self.form.check)

    def differences(self, base: str, mine: str) -> list[Difference]:
        """What `mine` changes. Raises `FleetError` INVALID when one of them is not JSON."""
        return differences(load(base), load(mine))

    # what it would do
    async def check(self, document: Mapping[str, Any], rollout_id: str = "", *, fresh: bool = False) -> RolloutCheck:
        """Look at a document: name, apps, images, groups, options. fresh: the catalogue is read anew first."""
        return await self._checker.check(document, rollout_id, fresh=fresh)

    async def resolve(
        self,
        document: Mapping[str, Any],
        progress: Callable[[Resolving], None] | None = None,
        stop: asyncio.Event | None = None,
    ) -> Reach:
        """Find out whom a document reaches; stopped half-way it says what it knows. See `Reach`."""
        return await self._resolver.resolve(self.form.read(document), progress, stop)

    async def choices(self, document: Mapping[str, Any], reach: Reach) -> Prediction:
        """Which image each of the devices will get, as last seen."""
        looked = await self.check(document)
        return await self._checker.predict(looked, reach.devices, await self._resolver.index())

    async def conflicts(
        self, document: Mapping[str, Any], rollout_id: str = "", reach: Reach | None = None
    ) -> list[Clash]:
        """Where other enabled rollouts want something else of the same devices, as last seen; asks nobody."""
        looked = await self.check(document, rollout_id)
        index = await self._resolver.index()
        devices = reach.devices if reach is not None else index.reach(looked.rollout)
        return (await self._checker.conflicts(looked, rollout_id, devices, index))[0]

    # saving
    async def plan(
        self,
        rollout_id: str | None,
        mine: str,
        base: str = "{}",
        *,
        progress: Callable[[Resolving], None] | None = None,
        stop: asyncio.Event | None = None,
    ) -> RolloutPlan:
        """Find out all that a save would do. mine: the document's text; base: what the edit began from.

        The catalogue is read anew and the scope resolved. Raises `FleetError` INVALID for a text that is no JSON;
        other problems are in the plan.
        """
        rollout = self.form.read(_object(mine))
        reach = await self._resolver.resolve(rollout, progress, stop, verify=True)
        # The rest after the scope: that has read the list of groups.
        return await self._planned(rollout_id, mine, base, rollout, reach, fresh=True)

    async def outlook(self, rollout: Rollout) -> RolloutPlan:
        """What a rollout does, as last seen; asks nobody. It is none to be saved."""
        text = self._saver.text(rollout)
        read = self.form.read(_object(text))
        plan = await self._planned(rollout.id, text, text, read, await self._resolver.seen(read), fresh=False)
        return replace(plan, at=float("-inf"))

    async def _planned(
        self, rollout_id: str | None, mine: str, base: str, rollout: Rollout, reach: Reach, *, fresh: bool
    ) -> RolloutPlan:
        known_as = "" if rollout_id is None or is_new(rollout_id) else rollout_id
        looked = await self._checker.check(_object(mine), known_as, fresh=fresh)
        index = await self._resolver.index()
        clashes, left_out = await self._checker.conflicts(looked, known_as, reach.devices, index)
        return make_plan(
            rollout_id,
            rollout,
            mine,
            base,
            images=looked.images,
            reach=reach,
            prediction=await self._checker.predict(looked, reach.devices, index),
            clashes=clashes,
            problems=looked.problems,
            left_out=left_out,
            at=self._context.clock.now(),
        )

    async def save(self, plan: RolloutPlan, typed: str = "") -> RolloutSaved | Changed:
        """Send what was planned. typed: what the plan expects.

        Entries of the scope are verified again when the plan is older than a minute; when others are unknown by then,
        it has to be made anew. Then the service's copy is read: when it is not the plan's base any more, nothing is
        sent and the answer is `Changed`; decide, then plan again with `base=theirs`. Raises `FleetError`; INVALID
        carries the problems.
        """
        context = self._context
        context.arming.need()
        errors = tuple(problem for problem in plan.problems if not problem.warning)
        if errors:
            place = self.form.title(errors[0].pointer) or errors[0].pointer
            raise _refused(f"{place}: {errors[0].message}".removeprefix(": "), errors)
        if abs(context.clock.now() - plan.at) > PLAN_KEPT:
            raise _refused("what was found out is more than 10 minutes old", todo="Look at it again and confirm.")
        if not plan.accepts(typed):
            raise _refused("it was not confirmed", todo=f"Type {plan.typed}." if plan.typed else "Type nothing for it.")
        if context.clock.now() - plan.at > VERIFIED:
            await self._still(plan)
        saved = await self._saver.save(plan.id, load(plan.text), plan.base)
        if isinstance(saved, RolloutSaved):
            self._following.forget(saved.rollout.id)
            self._resolver.forget((*plan.reach.unknown, *plan.reach.undecided))
            context.hub.publish(ItemsChanged(context.scope, "rollouts", frozenset({saved.rollout.id})))
        return saved

    async def _still(self, plan: RolloutPlan) -> None:
        """Look at the scope's entries and, with everyone, at the number again. Raises `FleetError` when others than
        confirmed would be registered, or more than confirmed are reached."""
        rollout = replace(self.form.read(_object(plan.text)), groups=())
        reach = await self._resolver.resolve(rollout, verify=True)
        if reach.everyone and reach.count > plan.reach.count:
            what = f"it reaches {reach.count:,} devices by now, and {plan.reach.count:,} were confirmed"
            raise _refused(what, todo="Look at it again and confirm.")
        if {*reach.unknown, *reach.undecided} != {*plan.reach.unknown, *plan.reach.undecided}:
            what = "which entries of the scope the service does not know has changed, so this must be made anew"
            raise _refused(what, todo="Look at it again and confirm.")

    # following
    async def progress(self, rollout_id: str, *, visible: Sequence[str] = (), most: int = 20) -> Progress:
        """How far it is, from what its devices report, by the service's copy of the rollout as it is now.

        Devices that were done in an earlier look of this session stay done when they leave the scope. A rollout that
        the service does not have any more answers what was last seen of it, `gone`. visible: devices on the screen:
        their apps are read first; most: how many lists of apps are read in this call. Raises `FleetError` when the
        rollout is not known here either, NOT_FOUND when it is gone and was never followed.
        """
        return await self._following.progress(rollout_id, visible=visible, most=most)

    async def watch(
        self, rollout_id: str, visible: Callable[[], Sequence[str]] = tuple, *, every: float = WATCH_EVERY
    ) -> AsyncIterator[Progress]:
        """Its progress again and again, every half minute, for as long as somebody iterates and there is a rollout."""
        while True:
            found = await self.progress(rollout_id, visible=visible())
            yield found
            if found.gone:
                return
            await self._context.clock.sleep(every)


def _object(text: str) -> dict[str, Any]:
    document = load(text)
    if not isinstance(document, dict):
        raise FleetError(Kind.INVALID, "Not sent: a rollout is a JSON object", sent=Sent.NEVER)
    return document


def _refused(why: str, problems: tuple[Problem, ...] = (), *, todo: str = "") -> FleetError:
    return FleetError(Kind.INVALID, f"Not sent: {why}", problems=problems, sent=Sent.NEVER, todo=todo)
