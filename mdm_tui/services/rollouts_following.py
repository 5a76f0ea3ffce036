"""A rollout followed: its copy at the service, whom it reaches now, who left, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mdm_tui.fleet.errors import FleetError, Kind, Sent
from mdm_tui.fleet.rollouts import LEFT_WHEN_APPLIED, REMOVED_WHEN_EMPTY, Rollout, switch

from .context import Context
from .documents import load
from .rollouts_check import Checker
from .rollouts_progress import Follower
from .rollouts_reach import Resolver
from .rollouts_save import RolloutSaver
from .rollouts_words import Progress

__all__ = ["Following"]

_LEAVE = "Devices leave the scope once they have it: any that left before it was first looked at here are not counted"


class Following:
    """See `Rollouts.progress`. far: filled with how far each rollout is: devices that are done, of how many."""

    def __init__(
        self,
        context: Context,
        saver: RolloutSaver,
        checker: Checker,
        resolver: Resolver,
        far: dict[str, tuple[int, int]],
    ) -> None:
        self._context = context
        self._saver = saver
        self._checker = checker
        self._resolver = resolver
        self._follower = Follower(context)
        self._far_by_id = far

    def forget(self, rollout_id: str) -> None:
        """It was saved here: what was seen of it before counts no more."""
        self._follower.memory.forget(rollout_id)

    async def progress(self, rollout_id: str, *, visible: Sequence[str], most: int) -> Progress:
        """Look once. Raises `FleetError`."""
        context, memory = self._context, self._follower.memory
        held = await context.mirror.item(context.scope, Rollout, rollout_id)
        notes: list[str] = []
        try:
            rollout, _ = await self._saver.current(rollout_id)
        except FleetError as error:
            if error.kind is Kind.NOT_FOUND:
                return self._gone(rollout_id, held)
            if held is None:
                raise
            rollout = held
            notes.append(f"The rollout itself as last read: {error.sentence()}")
        looked = await self._checker.check(load(rollout.raw), rollout_id)
        reach = await self._resolver.resolve(looked.rollout)
        index = await self._resolver.index()
        left = memory.left(rollout_id, looked.rollout, reach)
        prediction = None
        if looked.rollout.images:
            prediction = await self._checker.predict(looked, reach.devices | left, index)
        refs = list(dict.fromkeys(app.app_id for app in looked.rollout.apps))
        found = await self._follower.progress(
            rollout_id, reach, index, looked.apps, refs, prediction,
            left=left, visible=visible, most=most, notes=notes,
        )  # fmt: skip
        if switch(looked.rollout.options, LEFT_WHEN_APPLIED) is True:
            found = replace(found, notes=(*found.notes, f"{_LEAVE}."))
        return self._far(found)

    def _gone(self, rollout_id: str, held: Rollout | None) -> Progress:
        """What was last seen of a rollout that the service has no more, and the likely reason."""
        memory = self._follower.memory
        why = "The rollout is not at the service any more"
        if memory.removed_when_empty(rollout_id) or (
            held is not None and switch(held.options, REMOVED_WHEN_EMPTY) is True
        ):
            why += ": likely removed with the last device of its scope, as it asked for"
        found = memory.gone(rollout_id, f"{why}.", self._context.clock.now())
        if found is None:
            raise FleetError(Kind.NOT_FOUND, why, sent=Sent.NEVER)
        return self._far(found)

    def _far(self, found: Progress) -> Progress:
        self._far_by_id[found.rollout_id] = (sum(row.state == "done" for row in found.devices), len(found.devices))
        return found
