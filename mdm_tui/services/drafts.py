"""Unsaved texts: on disk shortly after the last key, so that neither leaving nor a crash loses them."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from typing import TYPE_CHECKING, Any

from mdm_tui.fleet.diff import merge, same

from .context import Context
from .documents import pretty
from .tasks import Tasks

if TYPE_CHECKING:
    from mdm_tui.store.history import Draft, History

__all__ = ["Drafts", "carry_over"]

QUIET = 0.5


class Drafts:
    """The drafts of one kind of document on one connection."""

    def __init__(self, context: Context, kind: str) -> None:
        self._context = context
        self._kind = kind
        self._waiting: dict[str, tuple[str, str, float]] = {}
        self._tasks = Tasks()
        self._wake = asyncio.Event()
        self._writer: asyncio.Task[None] | None = None

    def put(self, draft_id: str, base: str, mine: str) -> None:
        """Remember a text; it is written half a second after the last call."""
        self._waiting[draft_id] = (base, mine, self._context.clock.now())
        self._wake.set()
        if self._writer is None or self._writer.done():
            self._writer = self._tasks.spawn(self._settle(), f"{self._kind} drafts")

    async def _settle(self) -> None:
        while self._waiting:
            self._wake.clear()
            if not await self._context.clock.wait(self._wake, QUIET):
                await self.flush()
                if self._waiting and not self._wake.is_set():
                    # It could not be written: the next text, or the end of the session, tries again.
                    return

    async def flush(self) -> None:
        """Write what is waiting, now. What cannot be written stays for this session; that is told."""
        if self._context.history is None:
            self._waiting.clear()
        for draft_id in list(self._waiting):
            while (held := self._waiting.get(draft_id)) is not None:
                if not await self._context.past(partial(self._put, self._draft(draft_id, *held)), without=False):
                    return
                if self._waiting.get(draft_id) == held:
                    del self._waiting[draft_id]

    @staticmethod
    async def _put(draft: Draft, history: History) -> bool:
        await history.put_draft(draft)
        return True

    def _draft(self, draft_id: str, base: str, mine: str, at: float) -> Draft:
        from mdm_tui.store.history import Draft

        return Draft(self._context.scope, self._kind, draft_id, base, mine, at)

    async def get(self, draft_id: str) -> Draft | None:
        """The newest text, written or not."""
        if (held := self._waiting.get(draft_id)) is not None:
            return self._draft(draft_id, *held)
        scope = self._context.scope
        nothing: Draft | None = None
        return await self._context.past(lambda history: history.draft(scope, self._kind, draft_id), without=nothing)

    async def ids(self) -> list[str]:
        """What there are drafts of, newest first."""
        await self.flush()
        nothing: list[Draft] = []
        found = await self._context.past(lambda history: history.drafts(self._context.scope), without=nothing)
        kept = [draft.id for draft in found if draft.kind == self._kind]
        return [*(draft_id for draft_id in self._waiting if draft_id not in kept), *kept]

    async def saved(self, draft_id: str, sent: Any) -> None:
        """This document was saved: its draft goes, unless another text than the one sent is kept by now."""
        draft = await self.get(draft_id)
        newest = self._waiting.get(draft_id)
        if draft is not None and _says(newest[1] if newest is not None else draft.mine, sent):
            await self.drop(draft_id)

    async def move(self, draft_id: str, new_id: str, sent: Any, held: str) -> None:
        """It has its id now: what was typed since it was sent is a draft of that, over what is held."""
        if (draft := await self.get(draft_id)) is not None:
            self.put(new_id, held, carry_over(sent, draft.mine, held))
            await self.drop(draft_id)

    async def drop(self, draft_id: str) -> None:
        """It was thrown away, or nothing in it is left to save."""
        self._waiting.pop(draft_id, None)
        scope, kind = self._context.scope, self._kind
        await self._context.past(lambda history: history.drop_draft(scope, kind, draft_id), without=None)

    async def stop(self) -> None:
        await self._tasks.stop()
        await self.flush()


def carry_over(sent: Any, mine: str, held: str) -> str:
    """The text that goes on from `held` with what was typed since the document `sent`.

    Both in one where nothing collides; else `mine` as it stands, and also while it is not JSON. Pure; large texts
    belong in a thread.
    """
    try:
        wanted, theirs = json.loads(mine), json.loads(held)
    except (ValueError, RecursionError):
        return mine
    if same(wanted, sent):
        return held
    both = merge(sent, wanted, theirs)
    return mine if both.conflicts or same(both.document, wanted) else pretty(both.document)


def _says(text: str, document: Any) -> bool:
    try:
        return same(json.loads(text), document)
    except (ValueError, RecursionError):
        return False
