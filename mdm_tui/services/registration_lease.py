"""One console at a time registers devices on a connection: the journal's lease for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from .context import Context

if TYPE_CHECKING:
    from mdm_tui.store.journal import Lease

__all__ = ["RENEW", "Turn"]

RENEW = 20.0
_PURPOSE = "registration"
_TTL = 60.0


class Turn:
    """The right to register. lost: called when another console has taken it over."""

    def __init__(self, context: Context, lost: Callable[[], None]) -> None:
        self._context = context
        self._lost = lost
        self._lease: Lease | None = None

    async def take(self) -> bool:
        """Take it unless another living console has it."""
        from mdm_tui.store.owner import alive

        journal, scope, owner = self._context.need_journal(), self._context.scope, self._context.owner
        held = await journal.lease(scope, _PURPOSE)
        # A console that was killed does not give it back.
        dead = held is not None and held.owner != owner and not await asyncio.to_thread(alive, held.owner)
        gone = held.owner if held is not None and dead else ""
        # Others may see the same dead console at this moment: the first of them has it.
        self._lease = await journal.take_lease(scope, _PURPOSE, owner, _TTL, instead_of=gone)
        return self._lease is not None

    async def holds(self) -> bool:
        """Whether it is still this console's: one that was suspended may have lost it long before `keep` looks."""
        context = self._context
        held = await context.need_journal().lease(context.scope, _PURPOSE)
        if held is None or held.owner != context.owner:
            return False
        return held.expires_at - context.clock.now() >= RENEW or await self.take()

    async def keep(self) -> None:
        """Renew it until cancelled or lost."""
        while True:
            await self._context.clock.sleep(RENEW)
            if self._lease is not None and await self._context.need_journal().renew(self._lease, _TTL) is None:
                self._lost()
                return

    async def release(self) -> None:
        """Give it back."""
        lease, self._lease = self._lease, None
        if lease is not None and self._context.journal is not None:
            await self._context.journal.release(lease)
