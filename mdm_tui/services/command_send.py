"""Sending commands: on disk before on the wire, one POST at a time in a run, and never a second one by itself."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
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

_log = logging.getLogger(__name__)

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
        """One after the other. Ends early when the service stops or the connection locks; the rest stays planned."""
        for intent in intents:
            if self._ending():
                return
            try:
                await self._deliver(intent, order)
            except FleetError as error:
                if error.kind is not Kind.CONFLICT:
                    raise
                # Withdrawn, or moved by another console, at this very moment: it is not ours any more.
                _log.info("intent %s was moved by somebody else", intent.id)

    def _ending(self) -> bool:
        return self.stopping.is_set() or self._context.arming.reason() != ""

    async def _deliver(self, intent: Intent, order: Order) -> None:
        """Bring one intent to an outcome. An error of a store goes up: what is not on disk is not sent."""
        clock = self._context.clock
        attempts = 0
        began = clock.now()
        while await self._may_go_on():
            attempts += 1
            try:
                before = await self._look(intent)
            except FleetError as failure:
                if not transient(failure):
                    await self._record(intent, State.REJECTED, failure, "not sent: the device could not be read first")
                    return
                error = failure
            else:
                if not await self._prepare(intent, before):
                    return
                refused = await self._post(intent, order)
                if refused is None:
                    return
                error = refused
            if clock.now() - began >= PATIENCE:
                await self._record(intent, State.REJECTED, error, "given up: it could not be sent for 10 minutes")
                return
            await self._wait(attempts, error)

    async def _may_go_on(self) -> bool:
        """Waits for a pause of the service to end; False when this service ends, or may send no more."""
        clock = self._context.clock
        while not self.stopping.is_set() and (left := self._paused_until - clock.now()) > 0:
            await clock.wait(self.stopping, left)
        return not self._ending()

    async def _wait(self, attempts: int, error: FleetError) -> None:
        clock = self._context.clock
        seconds = error.retry_after if error.retry_after is not None else min(_LONGEST_WAIT, 2.0 ** (attempts - 1))
        if error.kind is Kind.RATE_LIMITED:
            # The service asked everybody to wait, so every run does.
            self._paused_until = max(self._paused_until, clock.now() + seconds)
        pause = max(seconds, self._paused_until - clock.now())
        await clock.wait(self.stopping, min(pause, PATIENCE))

    async def _look(self, intent: Intent) -> list[Command] | None:
        """The device's commands before sending; None where this sign-in or this service does not show them."""
        try:
            page = await self._context.call(lambda provider: provider.device_commands(intent.device_id, 1, BASELINE))
        except FleetError as error:
            if error.kind in (Kind.FORBIDDEN, Kind.UNSUPPORTED):
                # It may be sent all the same; should its outcome be unclear, a person has to find out.
                return None
            raise
        return page.items

    async def _prepare(self, intent: Intent, before: list[Command] | None) -> bool:
        """Keep the baseline. False when the intent has found its end here."""
        if before is None:
            return True
        journal, at = self._context.need_journal(), self._context.clock.now()
        await self._mirror(intent.device_id, before)
        if any(waiting(command, intent.name) for command in before):
            title = COMMANDS[intent.name].title
            await self._record(intent, State.REJECTED, None, f"not sent: {title} is already pending at the service")
            return False
        held = await journal.intent(intent.id)
        if held is None or held.state is not State.PLANNED:
            # Withdrawn while the device was read.
            return False
        await journal.baseline(intent.id, [command.id for command in before], at)
        return True

    async def _mirror(self, device_id: str, commands: list[Command]) -> None:
        try:
            await self._context.mirror.apply_commands(
                self._context.scope, device_id, commands, self._context.clock.now()
            )
        except FleetError:
            # The mirror is only what was last seen: it must not decide about a command.
            _log.exception("the mirror did not take the commands of a device")

    async def _post(self, intent: Intent, order: Order) -> FleetError | None:
        """Claim, send, record. Returns the error after which it is planned again, None when it is settled."""
        context, journal = self._context, self._context.need_journal()
        if self._ending() or not await journal.claim(intent.id, self._context.owner):
            # Withdrawn meanwhile, or claimed by another console.
            return None
        if context.arming.locked:
            # In the very moment of the claim.
            await self._record(intent, State.PLANNED, None, "not sent: the connection was locked")
            return None
        # From the claim to the POST nothing is awaited: a session that ends here has sent it, or not claimed it.
        self._changed(replace(intent, state=State.SENDING, sent_at=context.clock.now(), owner=context.owner))
        self.on_the_wire += 1
        self.landed.clear()
        try:
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
        journal, by = self._context.need_journal(), self._context.owner
        command_id = command.id if command is not None else None
        said = "the service gave an id" if command is not None else "the service took it without naming a record"
        try:
            moved = await journal.record(intent.id, State.ACCEPTED, by=by, command_id=command_id, detail=said)
        except FleetError as error:
            if error.kind is not Kind.CONFLICT or command_id is None:
                raise
            # The service answered with a command that is another intent's already: it joined the two.
            said = f"the service answered with the command {command_id}, which another intent has"
            moved = await journal.record(intent.id, State.ACCEPTED, by=by, detail=said)
        if command is not None:
            await self._mirror(intent.device_id, [command])
        self._changed(moved)

    async def _record(self, intent: Intent, state: State, error: FleetError | None, detail: str = "") -> None:
        said = ""
        if error is not None:
            # "The console tries again" is said of reading; this is never sent again by itself.
            said = clean(error.what if transient(error) else error.sentence(), 500)
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
