"""Sending a registration: on disk before on the wire, the service asked just before each POST, device after device.

A POST is made again only where it provably never left, or was turned away with the request to come back later.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from mdm_tui.fleet.commands import State
from mdm_tui.fleet.errors import FleetError, Kind, Sent
from mdm_tui.fleet.provider import Capability
from mdm_tui.fleet.text import clean

from .context import Context
from .outcomes import outcome, transient
from .registration_check import Asker
from .registration_follow import RegistrationFollower
from .registration_plan import AGAIN, RegistrationPlan, Row, why_past

if TYPE_CHECKING:
    from mdm_tui.store.journal import Intent

__all__ = ["RegistrationSender"]

_log = logging.getLogger(__name__)

# A service that cannot be reached for so long ends the run.
PATIENCE = 600.0
_LONGEST_WAIT = 60.0
# After these the next device would fare no better.
_FATAL = frozenset(
    {Kind.FORBIDDEN, Kind.UNSUPPORTED, Kind.SIGNED_OUT, Kind.CONFIG, Kind.TLS, Kind.REDIRECT, Kind.READ_ONLY}
)
_TAKEN = "not sent: somebody has registered it since it was checked, and saving again would reset it"
_GONE = "not sent: the service has had it and has it no more, so there is nothing to reset"


class RegistrationSender:
    """Takes the rows of a plan to their outcomes. changed: told after each step.

    turn: whether it is this console's turn, asked before each POST.
    """

    def __init__(
        self,
        context: Context,
        asker: Asker,
        follower: RegistrationFollower,
        changed: Callable[[], None],
        turn: Callable[[], Awaitable[bool]],
    ) -> None:
        self.stopping = asyncio.Event()
        """The session ends: no further POST, nothing more is written than the outcome of the one on the wire."""
        self.halted = asyncio.Event()
        """A person stopped the run: what was not sent is cancelled."""
        self.done = 0
        """Devices of the running or the last run that have had their turn."""
        self.on_the_wire = 0
        self.landed = asyncio.Event()
        self._context = context
        self._asker = asker
        self._follower = follower
        self._changed = changed
        self._turn = turn

    async def run(self, intents: Sequence[Intent], plan: RegistrationPlan, past: Mapping[str, float]) -> None:
        """One after the other; what is left when it has to end is cancelled, with the reason.

        past: what was sent before this run, see `registration_past.sent`; no such row is sent again on an old check.
        """
        self.done = 0
        for index, (intent, row) in enumerate(zip(intents, plan.will, strict=True)):
            if self.stopping.is_set():
                return
            if not self._end() and (why := why_past(row, past)):
                await self._settle(intent, State.REJECTED, f"not sent: {why}")
            elif end := self._end() or await self._deliver(intent, row, plan):
                # The one that found the reason has its own outcome already.
                rest = [item.id for item in intents[index:]]
                await self._context.need_journal().give_up(rest, by=self._context.owner, why=f"not sent: {end}")
                self.done = len(intents)
                self._changed()
                return
            self.done += 1
            self._changed()

    def _end(self) -> str:
        if self.halted.is_set():
            return "the registration was stopped"
        if self._context.arming.reason():
            return f"{self._context.connection.name} is {self._context.arming.reason()}"
        return ""

    async def _deliver(self, intent: Intent, row: Row, plan: RegistrationPlan) -> str:
        """Bring one device to an outcome. Answers why the rest must not be sent, "" when it may be."""
        clock = self._context.clock
        began, attempts = clock.now(), 0
        while not self.stopping.is_set():
            if end := self._end():
                return end
            attempts += 1
            try:
                # However young the check is: meanwhile somebody may have registered the device.
                exists = await self._asker.registered(row.serial)
            except FleetError as error:
                if not transient(error):
                    await self._settle(intent, State.REJECTED, f"not sent: {clean(error.sentence(), 400)}")
                    return error.what if error.kind in _FATAL else ""
                failed = error
            else:
                if exists != plan.again:
                    await self._settle(intent, State.REJECTED, _GONE if plan.again else _TAKEN)
                    return ""
                if not await self._turn():
                    return "another console has taken the registration over"
                refused = await self._post(intent, row, plan)
                if refused is None:
                    return ""
                if outcome(refused) is not State.PLANNED:
                    return refused.what if refused.kind in _FATAL else ""
                failed = refused
            if failed.kind in _FATAL or clock.now() - began >= PATIENCE:
                await self._settle(intent, State.REJECTED, f"not sent: {clean(failed.what, 400)}")
                return failed.what
            pause = failed.retry_after if failed.retry_after is not None else min(_LONGEST_WAIT, 2.0 ** (attempts - 1))
            if failed.kind is Kind.RATE_LIMITED and failed.sent is Sent.NEVER:
                # This console's own hour, or a pause that was asked for: known to end, and said before in the plan.
                began += pause
            await self._pause(pause)
        return ""

    async def _pause(self, seconds: float) -> None:
        """Wait, at most until the run has to end: stopped, or locked meanwhile."""
        clock = self._context.clock
        until = clock.monotonic() + seconds
        while (left := until - clock.monotonic()) > 0 and not self._end():
            await clock.wait(self.halted, min(left, _LONGEST_WAIT))

    async def _post(self, intent: Intent, row: Row, plan: RegistrationPlan) -> FleetError | None:
        """Claim, send, record, see what became of it. Returns an error that was a refusal or provably not sent."""
        context, journal = self._context, self._context.need_journal()
        if self.stopping.is_set() or not await journal.claim(intent.id, context.owner):
            return None
        self._changed()
        self.on_the_wire += 1
        self.landed.clear()
        try:
            await context.change(
                lambda provider: provider.register([row.line.device], plan.terms), Capability.DEVICE_REGISTER
            )
        except FleetError as error:
            state = outcome(error)
            # "The console tries again" is said of reading; a registration never is.
            why = clean(error.what if transient(error) else error.sentence(), 400)
            if state is State.PLANNED:
                await self._record(intent.id, State.PLANNED, f"not sent: {why}")
                return error
            if state is not State.REJECTED:
                await self._record(intent.id, state, why)
            elif await self._stands(intent, row, error, why):
                return error
        except asyncio.CancelledError:
            await asyncio.shield(self._record(intent.id, State.UNKNOWN, "the console ended meanwhile"))
            raise
        except Exception as error:
            await self._record(intent.id, State.UNKNOWN, f"a fault of this console ({type(error).__name__})")
            raise
        else:
            await self._record(intent.id, State.ACCEPTED, "", "the service took it")
        finally:
            self.on_the_wire -= 1
            if not self.on_the_wire:
                self.landed.set()
        self._changed()
        held = await journal.intent(intent.id)
        if held is not None and not held.state.ended:
            # The next device waits for a first answer: a service that has gone away must not make all of them unclear.
            await self._follower.first(held, self.halted)
        return None

    async def _stands(self, intent: Intent, row: Row, error: FleetError, why: str) -> bool:
        """Record a refusal. False when it does not stand: the service has the device all the same, or does not say.

        How the service fails is not documented: a no within an answer that went well may have come after the saving.
        A status of its own is a refusal, and of a device that existed before no look tells anything.
        """
        there: bool | None = False
        if intent.name != AGAIN and error.sent is Sent.ANSWERED and (error.status or 200) < 300:
            try:
                there = await self._asker.registered(row.serial)
            except FleetError:
                there = None
            except asyncio.CancelledError:
                await asyncio.shield(self._record(intent.id, State.UNKNOWN, why))
                raise
        if there:
            await self._record(intent.id, State.ACCEPTED, "", f"the service has it, although it answered: {why}")
            await self._record(intent.id, State.DONE, why, "read back: the service has the serial number")
            return False
        await self._record(intent.id, State.REJECTED if there is False else State.UNKNOWN, why)
        return there is False

    async def _settle(self, intent: Intent, state: State, why: str) -> None:
        try:
            await self._record(intent.id, state, why)
        except FleetError as error:
            if error.kind is not Kind.CONFLICT:
                raise
            _log.info("intent %s was moved by somebody else", intent.id)

    async def _record(self, intent_id: str, state: State, error: str, detail: str = "") -> None:
        await self._context.need_journal().record(
            intent_id,
            state,
            by=self._context.owner,
            detail=detail or error,
            error="" if state is State.PLANNED else error,
        )
