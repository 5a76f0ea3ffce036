"""Following commands to their end, and finding out what became of those without an answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from mdm_tui.fleet.commands import Command, PushStatus, State
from mdm_tui.fleet.errors import FleetError, Kind

from .command_read import Reading
from .command_watch import LATE_WATCH, Bucket, Watch, due
from .context import Context
from .outcomes import candidates, progress

if TYPE_CHECKING:
    from mdm_tui.store.journal import Intent

__all__ = ["Follower"]

_log = logging.getLogger(__name__)

# The share of the hour's calls that following commands may use.
_SHARE = 0.4
_BURST = 100
_SETTLE = 60.0
# A service that lost a command is asked so often before it is believed.
_MISSES = 3


class Follower:
    """One task that reads back what the service says of our commands.

    on_screen: ids of the devices somebody looks at. changed: told of every new state of an intent.
    """

    def __init__(
        self,
        context: Context,
        changed: Callable[[Intent], None],
        on_screen: Callable[[], Collection[str]],
    ) -> None:
        self.watches: dict[str, Watch] = {}
        self.pushes: dict[str, PushStatus] = {}
        self.reading = Reading(context)
        self._context = context
        self._changed = changed
        self._on_screen = on_screen
        self._wake = asyncio.Event()
        budget = context.connection.budget
        self._bucket = Bucket(budget * _SHARE / 3600.0, min(_BURST, max(1, budget // 10)), context.clock.monotonic())

    @property
    def settle(self) -> float:
        """Seconds after which a command that the service does not list is absent."""
        return max(_SETTLE, 4 * self._context.connection.timeout)

    def follow(self, intent: Intent) -> None:
        """Take the newest state of an intent: watch it, or let it go."""
        now = self._context.clock.now()
        wanted = intent.state.waiting or intent.state in (State.UNKNOWN, State.ABSENT)
        if intent.state is State.ABSENT and now - (intent.unknown_at or intent.created_at) > LATE_WATCH:
            wanted = False
        watch = self.watches.get(intent.id)
        if not wanted:
            self.watches.pop(intent.id, None)
        elif watch is None:
            watch = self.watches[intent.id] = Watch(intent)
            watch.plan(now, on_screen=True)
        else:
            if intent.state is not watch.intent.state:
                watch.looks = 0
            watch.intent = intent
        self._wake.set()

    def hurry(self, device_id: str | None = None) -> None:
        """Look at once at a device's commands, or at all."""
        for watch in self.watches.values():
            if device_id is None or watch.intent.device_id == device_id:
                watch.next_at = 0.0
        self._wake.set()

    async def run(self) -> None:
        """Until cancelled."""
        context, clock = self._context, self._context.clock
        while True:
            await clock.wait(context.connected)
            self._wake.clear()
            pause = 0.0
            for watch in due(self.watches.values(), clock.now(), self._on_screen()):
                if not self._bucket.take(clock.monotonic()):
                    pause = self._bucket.wait(clock.monotonic())
                    break
                pause = await self._look(watch)
                if pause or context.provider is None:
                    break
            soonest = min((watch.next_at for watch in self.watches.values()), default=None)
            if soonest is None:
                await clock.wait(self._wake)
            else:
                await clock.wait(self._wake, max(pause, soonest - clock.now(), 0.05))

    async def _look(self, watch: Watch) -> float:
        """One look; seconds for which the service wants to be left alone."""
        context = self._context
        pause = 0.0
        try:
            if watch.intent.state in (State.UNKNOWN, State.ABSENT):
                await self._reconcile(watch)
            else:
                await self._observe(watch)
            watch.failures = 0
        except FleetError as error:
            watch.failures += 1
            if error.kind is Kind.RATE_LIMITED:
                pause = error.retry_after or 1.0
            elif error.kind is Kind.CONFLICT:
                await self._again(watch)
        except Exception:
            # One command that makes trouble must not end the following of the others.
            watch.failures += 1
            _log.exception("a look at a command failed")
        if watch.intent.id in self.watches:
            watch.plan(context.clock.now(), on_screen=watch.intent.device_id in self._on_screen())
        return pause

    async def _again(self, watch: Watch) -> None:
        """Another console moved it meanwhile: take its state from the journal."""
        held = await self._context.need_journal().intent(watch.intent.id)
        if held is not None and held != watch.intent:
            self.follow(held)
            self._changed(held)

    # in flight
    async def _observe(self, watch: Watch) -> None:
        intent = watch.intent
        command_id = intent.command_id or watch.command_id
        if command_id is None:
            await self._find_leaving(watch)
            return
        command = await self.reading.command(watch.intent.device_id, command_id)
        if command is None:
            await self._missed(watch)
            return
        watch.misses = 0
        push = await self._push(watch, command)
        await self._advance(watch, command, push)

    async def _missed(self, watch: Watch) -> None:
        """The service does not know the command, or its device, any more."""
        if watch.intent.name == "DISENROLL" and await self.reading.device_state(watch.intent.device_id) == "DELETED":
            await self._record(watch, State.DONE, detail="the device has left management")
            return
        watch.misses += 1
        if watch.misses >= _MISSES:
            await self._record(watch, State.ABSENT, detail="the service had it and does not list it any more")

    async def _push(self, watch: Watch, command: Command) -> PushStatus | None:
        """What the push service says, while it may say something new; every other look, since it is a second call."""
        if command.state is State.ACCEPTED and watch.looks % 2:
            push = await self.reading.push(command)
            if push is not None:
                self.pushes[watch.intent.id] = push
        return self.pushes.get(watch.intent.id)

    async def _advance(self, watch: Watch, command: Command, push: PushStatus | None = None) -> None:
        intent = watch.intent
        state = progress(intent.state, command, push)
        if state is not intent.state:
            errors = "; ".join(result.error for result in command.results if result.error)
            await self._record(watch, state, command_id=command.id, error=errors if state is State.FAILED else "")

    async def _find_leaving(self, watch: Watch) -> None:
        """A disenrolment has no id of its own: its command, or the device's state, tells how far it is."""
        intent = watch.intent
        try:
            found = [item for item in await self.reading.listed(intent.device_id) if item.name == intent.name]
        except FleetError as error:
            if error.kind is not Kind.NOT_FOUND:
                raise
            found = []
        new = candidates(found, intent.name, intent.baseline_ids or (), await self._claimed(intent))
        # The service may have renewed one that was there before.
        best = new[0] if new else next((item for item in found if item.state.waiting), None)
        if best is not None:
            watch.command_id = best.id
            await self._advance(watch, best)
            return
        if await self.reading.device_state(intent.device_id) == "DELETED":
            await self._record(watch, State.DONE, detail="the device has left management")

    # without an answer
    async def _reconcile(self, watch: Watch) -> None:
        intent = watch.intent
        now = self._context.clock.now()
        listed = await self.reading.listed(intent.device_id)
        found = candidates(listed, intent.name, intent.baseline_ids or (), await self._claimed(intent))
        if len(found) == 1 and intent.baseline_ids is not None:
            await self._record(
                watch, State.ACCEPTED, command_id=found[0].id, detail="found by reading the device's commands back"
            )
            await self._advance(watch, found[0])
        elif found:
            await self._record(watch, State.AMBIGUOUS, detail=f"{len(found)} commands like it are at the service")
        elif intent.name == "DISENROLL" and (state := await self.reading.device_state(intent.device_id)) in (
            "PENDING_DISENROLL",
            "DELETED",
        ):
            await self._record(watch, State.ACCEPTED, detail=f"the device is {state}")
            if state == "DELETED":
                await self._record(watch, State.DONE, detail="the device has left management")
        elif intent.state is State.UNKNOWN and now - (intent.unknown_at or now) >= self.settle:
            await self._record(watch, State.ABSENT, detail="the service did not list it within the settle window")

    async def _claimed(self, intent: Intent) -> frozenset[str]:
        """Ids of commands that belong to other intents."""
        others = await self._context.need_journal().intents(self._context.scope)
        return frozenset(
            other.command_id
            for other in others
            if other.command_id and other.device_id == intent.device_id and other.id != intent.id
        )

    # shared
    async def _record(
        self, watch: Watch, state: State, *, detail: str = "", command_id: str | None = None, error: str = ""
    ) -> None:
        intent = await self._context.need_journal().record(
            watch.intent.id, state, by=self._context.owner, detail=detail, command_id=command_id, error=error
        )
        watch.intent = intent
        self.follow(intent)
        self._changed(intent)
