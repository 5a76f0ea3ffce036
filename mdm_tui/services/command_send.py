"""Sending commands: on disk before on the wire, one POST at a time in a run, and never a second one by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from mdm_tui.fleet.commands import COMMANDS, Command, Order, State
from mdm_tui.fleet.errors import FleetError, Kind
from mdm_tui.fleet.text import clean

from .command_plan import BASELINE, waiting
from .context import Context
from .outcomes import outcome, transient

if TYPE_CHECKING:
    from mdm_tui.store.journal import Intent

__all__ = ["PATIENCE", "Sender"]

# An intent that could not be sent for so long is given up: a command must not go out when nobody expects it any more.
PATIENCE = 600.0
_LONGEST_WAIT = 60.0


class Sender:
    """Takes runs from planned to an outcome.

    changed: told of every new state of an intent.
    """

    def __init__(self, context: Context, changed: Callable[[Intent], None]) -> None:
        self.stopping = asyncio.Event()
        self.on_the_wire = 0
        self.landed = asyncio.Event()
        self._context = context
        self._changed = changed
        self._paused_until = 0.0

    async def run(self, intents: Sequence[Intent], order: Order) -> None:
        """One after the other. Ends early when the service stops; what is planned then stays planned."""
        for intent in intents:
            if self.stopping.is_set():
                return
            await self._deliver(intent, order)

    async def _deliver(self, intent: Intent, order: Order) -> None:
        clock = self._context.clock
        attempts = 0
        began = clock.now()
        while not self.stopping.is_set():
            attempts += 1
            try:
                if not await self._prepare(intent):
                    return
                error = await self._post(intent, order)
            except FleetError as failure:
                # Reading the device failed: nothing was sent, nothing was claimed.
                if not transient(failure):
                    await self._record(intent, State.REJECTED, failure, "not sent: the device could not be read first")
                    return
                error = failure
            if error is None:
                return
            if clock.now() - began >= PATIENCE:
                await self._record(intent, State.REJECTED, error, "given up: it could not be sent for 10 minutes")
                return
            await self._wait(attempts, error)

    async def _wait(self, attempts: int, error: FleetError) -> None:
        clock = self._context.clock
        seconds = error.retry_after if error.retry_after is not None else min(_LONGEST_WAIT, 2.0 ** (attempts - 1))
        if error.kind is Kind.RATE_LIMITED:
            # The service asked everybody to wait, so every run does.
            self._paused_until = max(self._paused_until, clock.now() + seconds)
        pause = max(seconds, self._paused_until - clock.now())
        await clock.wait(self.stopping, min(pause, PATIENCE))

    async def _prepare(self, intent: Intent) -> bool:
        """Look at the device's commands: the baseline. False when the intent has found its end here."""
        context, journal = self._context, self._context.need_journal()
        if self._paused_until > context.clock.now():
            await context.clock.wait(self.stopping, self._paused_until - context.clock.now())
            if self.stopping.is_set():
                return False
        try:
            page = await context.call(lambda provider: provider.device_commands(intent.device_id, 1, BASELINE))
        except FleetError as error:
            if error.kind in (Kind.FORBIDDEN, Kind.UNSUPPORTED):
                # It may be sent all the same; should its outcome be unclear, a person has to find out.
                return True
            raise
        at = context.clock.now()
        await context.mirror.apply_commands(context.scope, intent.device_id, page.items, at)
        if any(waiting(command, intent.name) for command in page.items):
            title = COMMANDS[intent.name].title
            await self._record(intent, State.REJECTED, None, f"not sent: {title} is already pending at the service")
            return False
        await journal.baseline(intent.id, [command.id for command in page.items], at)
        return True

    async def _post(self, intent: Intent, order: Order) -> FleetError | None:
        """Claim, send, record. Returns the error after which it is planned again, None when it is settled."""
        context, journal = self._context, self._context.need_journal()
        if self.stopping.is_set() or not await journal.claim(intent.id, self._context.owner):
            # Withdrawn meanwhile, or claimed by another console.
            return None
        self.on_the_wire += 1
        self.landed.clear()
        try:
            await self._tell(intent.id)
            command = await context.call(lambda provider: provider.send(intent.device_id, order, intent.id))
        except FleetError as error:
            state = outcome(error)
            await self._record(intent, state, error)
            return error if state is State.PLANNED else None
        except asyncio.CancelledError:
            await asyncio.shield(self._record(intent, State.UNKNOWN, None, "the console ended meanwhile"))
            raise
        except Exception as error:
            await self._record(intent, State.UNKNOWN, None, f"a fault of this console ({type(error).__name__})")
            raise
        finally:
            self.on_the_wire -= 1
            if not self.on_the_wire:
                self.landed.set()
        await self._accepted(intent, command)
        return None

    async def _accepted(self, intent: Intent, command: Command | None) -> None:
        context = self._context
        if command is not None:
            await context.mirror.apply_commands(context.scope, intent.device_id, [command], context.clock.now())
        journal, by = context.need_journal(), context.owner
        command_id = command.id if command is not None else None
        said = "the service gave an id" if command is not None else "the service took it without naming a record"
        try:
            moved = await journal.record(
                intent.id, State.ACCEPTED, by=self._context.owner, command_id=command_id, detail=said
            )
        except FleetError as error:
            if error.kind is not Kind.CONFLICT or command_id is None:
                raise
            # The service answered with a command that is another intent's already: it joined the two.
            said = f"the service answered with the command {command_id}, which another intent has"
            moved = await journal.record(intent.id, State.ACCEPTED, by=by, detail=said)
        self._changed(moved)

    async def _record(self, intent: Intent, state: State, error: FleetError | None, detail: str = "") -> None:
        said = clean(error.sentence(), 500) if error is not None else ""
        why = ": ".join(part for part in (detail, said) if part)
        self._changed(
            await self._context.need_journal().record(
                intent.id,
                state,
                by=self._context.owner,
                detail=why,
                http_status=error.status if error is not None else None,
                error=why if state is not State.PLANNED else "",
            )
        )

    async def _tell(self, intent_id: str) -> None:
        intent = await self._context.need_journal().intent(intent_id)
        if intent is not None:
            self._changed(intent)
