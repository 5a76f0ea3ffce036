"""Saving a rollout: compared with the service's copy first, sent whole, read back; a lost answer is looked up."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mdm_tui.fleet.diff import Difference, differences
from mdm_tui.fleet.errors import FleetError, Kind, Sent
from mdm_tui.fleet.provider import Capability
from mdm_tui.fleet.rollouts import Rollout, RolloutFormat

from .changes import as_change
from .context import Context
from .documents import Changed, changed, is_new, load, pretty, untaken
from .drafts import Drafts
from .events import ItemsChanged

__all__ = ["RolloutSaved", "RolloutSaver"]

# So many of the same name are read one by one to find the one whose answer was lost.
_LOOKED_UP = 5


@dataclass(frozen=True, slots=True)
class RolloutSaved:
    """The service took it, as its answer or what it holds says; a save of which that is not known raises instead.

    base: the text as it is held now; differs: where that is not what was sent. note: what else is worth knowing.
    """

    rollout: Rollout
    base: str
    differs: tuple[Difference, ...] = ()
    note: str = ""


class RolloutSaver:
    """Reads and writes single rollouts. refresh: reads the whole list.

    The service knows no save on condition: what somebody else saves between our look and our save is overwritten,
    and nothing tells it afterwards. The look is the last request before the save, so that the moment is short.
    """

    def __init__(
        self, context: Context, form: RolloutFormat, drafts: Drafts, refresh: Callable[[], Awaitable[list[Rollout]]]
    ) -> None:
        self._context = context
        self._form = form
        self._drafts = drafts
        self._refresh = refresh

    async def save(self, rollout_id: str | None, document: dict[str, Any], base: str) -> RolloutSaved | Changed:
        """Send a checked document. Raises `FleetError`; nothing is ever sent twice by itself.

        When the answer was lost and what the service holds is not what was sent, it raises with `sent` MAYBE, and the
        draft is kept: that is no save.
        """
        if rollout_id is None or is_new(rollout_id):
            return await self._create(rollout_id, document)
        return await self._update(rollout_id, document, base)

    async def _create(self, draft_id: str | None, document: dict[str, Any]) -> RolloutSaved:
        context = self._context
        before = {rollout.id for rollout in await self._before()}
        body = self.plain(document)
        answer: Rollout | None = None
        doubt: FleetError | None = None
        try:
            answer = await context.change(lambda provider: provider.create_rollout(body), Capability.ROLLOUT_EDIT)
        except FleetError as error:
            if error.sent is not Sent.MAYBE:
                raise
            doubt = error
        note = ""
        if answer is None or not answer.id:
            # Some services confirm without saying which: the list knows that too.
            answer, note = await self._look_up(document, before, doubt)
        if draft_id is not None:
            await self._drafts.saved(draft_id, document)
        saved = await self._held(answer.id, document, answer, note)
        if draft_id is not None:
            await self._drafts.move(draft_id, saved.rollout.id, document, saved.base)
        return saved

    async def _before(self) -> list[Rollout]:
        """What is there before: a lost answer is told by what is there afterwards and was not."""
        try:
            return await self._refresh()
        except FleetError:
            return await self._context.mirror.items(self._context.scope, Rollout, raw=False)

    async def _look_up(
        self, document: dict[str, Any], before: set[str], doubt: FleetError | None
    ) -> tuple[Rollout, str]:
        """Find the rollout whose answer said nothing, by its name and content among those that are new."""
        why = doubt.what if doubt is not None else "the answer names none"
        try:
            listed = await self._refresh()
        except FleetError as error:
            what = f"It is not known whether the rollout was created ({why}), and the list cannot be read: {error.what}"
            raise as_change(doubt or error, what, sent=Sent.MAYBE) from error
        name = self._form.read(document).name
        namesakes = [one for one in listed if one.id not in before and one.name == name][:_LOOKED_UP]
        found = [one for one in namesakes if self._alike(document, one) or await self._alike_whole(document, one.id)]
        if not found:
            what = f"It is not known whether the rollout was created ({why}): the list does not show it now"
            raise as_change(doubt or FleetError(Kind.UNREADABLE, why, sent=Sent.MAYBE), what, sent=Sent.MAYBE)
        more = f"; {len(found)} of them are in the list" if len(found) > 1 else ""
        lost = f"the answer was lost ({why})" if doubt is not None else why
        return found[0], f"{lost}, it is in the list{more}"

    async def _alike_whole(self, document: dict[str, Any], rollout_id: str) -> bool:
        try:
            return self._alike(document, await self.read(rollout_id))
        except FleetError:
            return False

    def _alike(self, document: dict[str, Any], held: Rollout) -> bool:
        """Whether everything that was sent stands there; what the service added by itself does not count."""
        return all(item.kind == "added" for item in differences(self.plain(document), load(self.text(held))))

    async def _update(self, rollout_id: str, document: dict[str, Any], base: str) -> RolloutSaved | Changed:
        theirs, note = await self.current(rollout_id)
        began, wanted = self.plain(load(base)), self.plain(document)
        if (since := changed(began, wanted, self.text(theirs))) is not None:
            return since
        # Whole: with what the service made itself, as it is there now.
        body = {**self._computed(theirs), **wanted}
        answer: Rollout | None = None
        doubt: FleetError | None = None
        try:
            answer = await self._context.change(
                lambda provider: provider.update_rollout(rollout_id, body), Capability.ROLLOUT_EDIT
            )
        except FleetError as error:
            if error.sent is not Sent.MAYBE:
                raise
            doubt = error
        saved = await self._held(rollout_id, document, answer, note, doubt, began)
        if doubt is not None and saved.differs:
            raise _in_doubt(doubt, saved, differences(began, load(saved.base)))
        await self._drafts.saved(rollout_id, document)
        return saved

    async def current(self, rollout_id: str) -> tuple[Rollout, str]:
        """The service's copy now; where single rollouts cannot be read, the list's."""
        try:
            return await self.read(rollout_id), ""
        except FleetError as error:
            if error.kind is not Kind.UNSUPPORTED:
                raise
        for rollout in await self._refresh():
            if rollout.id == rollout_id:
                return rollout, "compared with the list: the service has no way to read one rollout"
        raise FleetError(Kind.NOT_FOUND, "The rollout is not at the service any more", sent=Sent.NEVER)

    async def _held(
        self,
        rollout_id: str,
        document: dict[str, Any],
        answer: Rollout | None,
        note: str = "",
        doubt: FleetError | None = None,
        before: Any = None,
    ) -> RolloutSaved:
        """Read back what the service holds and compare it with what was sent."""
        try:
            held, _ = await self.current(rollout_id)
        except FleetError as error:
            if answer is None or doubt is not None:
                what = f"It is not known whether the rollout was saved: {error.what}"
                raise as_change(error, what, sent=Sent.MAYBE) from error
            # The answer may hold no more than id and name: what was sent stands for the rest.
            note = f"{note}; saved, but it could not be read back: {error.what}".removeprefix("; ")
            return RolloutSaved(answer, pretty(self.plain(document)), (), note)
        text = self.text(held)
        differs = untaken(self.plain(document), load(text), before)
        if doubt is not None:
            note = f"{note}; the answer was lost ({doubt.what}), this is what is held".removeprefix("; ")
        return RolloutSaved(held, text, differs, note)

    async def read(self, rollout_id: str) -> Rollout:
        """The service's copy, kept in the mirror; one that is gone leaves it."""
        context = self._context
        at = context.clock.now()
        try:
            rollout = await context.call(lambda provider: provider.rollout(rollout_id))
        except FleetError as error:
            if error.kind is Kind.NOT_FOUND and await context.mirror.item(context.scope, Rollout, rollout_id):
                await context.mirror.drop_item(context.scope, Rollout, rollout_id)
                self.tell({rollout_id})
            raise
        self.tell(await context.mirror.apply_items(context.scope, Rollout, [rollout], False, at))
        return rollout

    def plain(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """The part of a document that people write: as it is sent, without what the service makes itself."""
        body = self._form.body(document if isinstance(document, Mapping) else {})
        return {name: value for name, value in body.items() if name not in self._form.computed}

    def text(self, rollout: Rollout) -> str:
        """That part of a rollout, as text."""
        return pretty(self.plain(_document(rollout)))

    def _computed(self, rollout: Rollout) -> dict[str, Any]:
        return {name: value for name, value in _document(rollout).items() if name in self._form.computed}

    def tell(self, ids: set[str]) -> None:
        """Publish which rollouts changed, if any did."""
        if ids:
            self._context.hub.publish(ItemsChanged(self._context.scope, "rollouts", frozenset(ids)))


def _in_doubt(doubt: FleetError, saved: RolloutSaved, since: list[Difference]) -> FleetError:
    """The answer was lost, and what is held is not what was sent. since: what became of the copy that was looked at."""
    places = ", ".join(item.pointer for item in saved.differs[:3])
    what = f"It is not known whether the rollout was saved ({doubt.what}): "
    what += f"the service holds something else in {places}" if since else "the service holds what it held before"
    return as_change(doubt, what, sent=Sent.MAYBE)


def _document(rollout: Rollout) -> Mapping[str, Any]:
    document = json.loads(rollout.raw) if rollout.raw else {}
    return document if isinstance(document, Mapping) else {}
