"""What became of a registration: the service is asked for the serial number, and only its answer decides."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from mdm_tui.fleet.commands import State
from mdm_tui.fleet.errors import FleetError, Kind

from .context import Context
from .outcomes import transient
from .registration_check import Asker
from .registration_plan import AGAIN
from .tasks import Tasks

if TYPE_CHECKING:
    from mdm_tui.store.journal import Intent

__all__ = ["RegistrationFollower"]

_STEPS = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
_SETTLE = 60.0
# So often a service is asked that does not answer, before the next device gets its turn.
_FIRST_TRIES = 8


class RegistrationFollower:
    """Asks until it is known. tasks: where it runs; changed: told of every new state."""

    def __init__(self, context: Context, asker: Asker, tasks: Tasks, changed: Callable[[], None]) -> None:
        self._context = context
        self._asker = asker
        self._tasks = tasks
        self._changed = changed
        self._followed: dict[str, asyncio.Task[None]] = {}

    @property
    def settle(self) -> float:
        """Seconds after which a device that the service does not know was not registered."""
        return max(_SETTLE, 4 * self._context.connection.timeout)

    async def first(self, intent: Intent, halted: asyncio.Event) -> None:
        """Until the service has answered once; what is still open then is followed beside the run.

        halted: ends the waiting, as when the hour's calls are used up and the next one is far away.
        """
        if intent.name == AGAIN:
            await self._again(intent)
            return
        for step in range(_FIRST_TRIES):
            try:
                settled = await self._look(intent)
            except FleetError as error:
                if not transient(error):
                    break
                pause = error.retry_after or _STEPS[min(step, len(_STEPS) - 1)]
                if await self._context.clock.wait(halted, pause):
                    break
            else:
                if settled:
                    return
                break
        self.follow(intent)

    def follow(self, intent: Intent) -> None:
        """Ask again and again, beside everything else, until it is known."""
        if intent.id not in self._followed:
            task = self._tasks.spawn(self._until_known(intent), f"registration of {intent.id}")
            self._followed[intent.id] = task

    async def settled(self) -> None:
        """Until nothing is followed any more."""
        while self._followed:
            await asyncio.wait(list(self._followed.values()))

    async def recover(self, intent: Intent) -> None:
        """Take up what an earlier session left on its way."""
        if intent.name == AGAIN and intent.state in (State.UNKNOWN, State.ACCEPTED):
            await self._again(intent)
        elif intent.state in (State.UNKNOWN, State.ACCEPTED):
            self.follow(intent)

    async def _until_known(self, intent: Intent) -> None:
        clock = self._context.clock
        looks = 0
        try:
            while True:
                await clock.sleep(_STEPS[min(looks, len(_STEPS) - 1)])
                looks += 1
                try:
                    if await self._look(intent):
                        return
                except FleetError as error:
                    if error.kind is Kind.CONFLICT:
                        # Another console found it out at the same moment.
                        return
                    if not transient(error):
                        await self._note(intent, f"it could not be asked what became of it: {error.what}")
                        return
                    await clock.sleep(error.retry_after or min(60.0, 2.0**looks))
        finally:
            self._followed.pop(intent.id, None)

    async def _look(self, intent: Intent) -> bool:
        """Ask once; whether it is settled now. Raises `FleetError` when the service does not say."""
        context = self._context
        asked = context.clock.now()
        found = await self._asker.registered(intent.device_id)
        held = await context.need_journal().intent(intent.id)
        if held is None or held.state not in (State.UNKNOWN, State.ACCEPTED):
            return True
        if found:
            if held.state is State.UNKNOWN:
                await self._record(intent.id, State.ACCEPTED, "", "the service has the serial number now")
            await self._record(intent.id, State.DONE, "", "read back: the service has the serial number")
        elif asked - (held.unknown_at or held.sent_at or held.created_at) >= self.settle:
            why = "the service does not have it: it was not registered. Check the list again before you repeat it"
            await self._record(intent.id, State.ABSENT, why)
        else:
            return False
        return True

    async def _again(self, intent: Intent) -> None:
        """A device that existed before: whether it exists says nothing, so only an answer can."""
        if intent.state is State.ACCEPTED:
            await self._record(intent.id, State.DONE, "", "the service answered that it was saved")
        elif intent.state is State.UNKNOWN:
            why = "the answer was lost; the device existed before, so its being there says nothing: look at its status"
            await self._record(intent.id, State.AMBIGUOUS, why)

    async def _note(self, intent: Intent, detail: str) -> None:
        await self._context.need_journal().note(intent.id, by=self._context.owner, detail=detail)

    async def _record(self, intent_id: str, state: State, error: str, detail: str = "") -> None:
        await self._context.need_journal().record(
            intent_id, state, by=self._context.owner, detail=detail or error, error=error
        )
        self._changed()
