"""After a crash: what was on the wire is unknown, what was only planned waits for a person. One console does this."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

from mdm_tui.fleet.commands import COMMANDS, Order, State
from mdm_tui.fleet.errors import FleetError

from .context import EVERY, Context

if TYPE_CHECKING:
    from mdm_tui.store.journal import Intent, Lease

__all__ = ["PURPOSE", "Recovery"]

PURPOSE = "commands"
_TTL = 60.0
_RENEW = 20.0
LOST = "the new password was held in memory only and is lost with the session: ask again"


class Recovery:
    """Holds the journal's lease for one connection, and with it the right to recover.

    follow: takes the intents whose end is still to be seen. running: the runs that this process is sending.
    """

    def __init__(self, context: Context, follow: Callable[[Intent], None], running: Collection[str] = ()) -> None:
        self._running = running
        self._context = context
        self._follow = follow
        self._lease: Lease | None = None

    async def begin(self) -> None:
        """Recover when no other living console does. Nothing may be sent before this has ended."""
        journal = self._context.need_journal()
        self._lease = await journal.take_lease(self._context.scope, PURPOSE, self._context.owner, _TTL)
        if self._lease is not None:
            await self._recover()

    async def run(self) -> None:
        """Keep the lease; take it when the console that had it is gone."""
        while True:
            await self._context.clock.sleep(_RENEW)
            try:
                await self._renew()
            except FleetError:
                # The journal cannot be written just now: nothing is sent then either.
                self._lease = None

    async def _renew(self) -> None:
        journal = self._context.need_journal()
        if self._lease is not None and await journal.renew(self._lease, _TTL) is not None:
            return
        self._lease = await journal.take_lease(self._context.scope, PURPOSE, self._context.owner, _TTL)
        if self._lease is not None:
            await self._recover()

    async def end(self) -> None:
        """Give the lease back."""
        if self._lease is not None and self._context.journal is not None:
            lease, self._lease = self._lease, None
            await self._context.journal.release(lease)

    async def _recover(self) -> None:
        from mdm_tui.store.owner import alive

        journal, scope = self._context.need_journal(), self._context.scope
        lost = await journal.recover(alive)
        ours = [intent for intent in lost if intent.connection == scope and intent.name in COMMANDS]
        # Registrations are in the journal too: their own service sees to them.
        for intent in await journal.intents(scope, limit=EVERY, open_only=True, names=COMMANDS):
            if intent.state is State.PLANNED and _secret(intent) and intent.run_id not in self._running:
                await journal.record(intent.id, State.REJECTED, by=self._context.owner, detail=LOST, error=LOST)
            else:
                self._follow(intent)
        if ours:
            many = "1 command was" if len(ours) == 1 else f"{len(ours)} commands were"
            self._context.notice(
                "warn", f"{many} on the wire when an earlier session ended: the outcome is unknown and is read back"
            )

    async def order(self, left: Sequence[Intent]) -> Order | None:
        """What a run of an earlier session meant to send, from the journal; None when it needs what is lost."""
        first = left[0]
        if _secret(first):
            for intent in left:
                await self._context.need_journal().record(
                    intent.id, State.REJECTED, by=self._context.owner, detail=LOST, error=LOST
                )
            return None
        params: dict[str, object] = {}
        spec = COMMANDS.get(first.name)
        packages = next((param for param in spec.params if param.kind == "packages"), None) if spec else None
        if packages is not None and not first.args_redacted.startswith("no "):
            params[packages.key] = first.args_redacted.split(", ")
        return Order(first.name, params, first.duration)


def _secret(intent: Intent) -> bool:
    spec = COMMANDS.get(intent.name)
    secret = spec is not None and any(param.kind == "secret" for param in spec.params)
    # Clearing needs no secret, and is remembered.
    return secret and intent.args_redacted != "cleared"
