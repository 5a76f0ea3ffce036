"""Commands: planned, confirmed, on disk, sent once, followed to their end. The room's front door."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mdm_tui.fleet.commands import COMMANDS, Command, Order, State
from mdm_tui.fleet.devices import DeviceKey
from mdm_tui.fleet.errors import FleetError, Kind, Sent
from mdm_tui.fleet.provider import Capability

from .command_follow import Follower
from .command_plan import BASELINE, Plan, Planner
from .command_recover import Recovery
from .command_send import Sender
from .command_tell import Teller
from .context import EVERY, Context
from .events import CommandsChanged
from .queue import QueueItem, build, coverage_sentence
from .tasks import Tasks
from .who import actor, tty

if TYPE_CHECKING:
    from mdm_tui.store.journal import Intent

__all__ = ["PLAN_LIFE", "Commands", "Submitted"]

# A plan that lay longer is made anew: what it says about the devices is old.
PLAN_LIFE = 600.0
_GRACE = 0.5
_PAGES = 4


@dataclass(frozen=True, slots=True)
class Submitted:
    """A run that is in the journal and on its way."""

    run_id: str
    intent_ids: tuple[str, ...]


class Commands:
    """What screens and the command line do with commands.

    Everything that runs belongs to this service: closing a dialog stops nothing.
    """

    def __init__(self, context: Context, *, on_screen: Callable[[], Collection[str]] = tuple) -> None:
        self._context = context
        self._tasks = Tasks()
        self._planner = Planner(context)
        self._teller = Teller(context)
        self._sender = Sender(context, self._moved)
        self._follower = Follower(context, self._moved, on_screen)
        self._running: set[str] = set()
        self._recovery = Recovery(context, self._follower.follow, self._running)
        self._spent: set[str] = set()
        self._orders: dict[str, Order] = {}

    # life
    async def start(self) -> None:
        """Recover what an earlier process left, before anything is sent; then follow what is open."""
        if self._context.journal is None:
            return
        await self._recovery.begin()
        self._tasks.spawn(self._recovery.run(), "journal lease")
        self._tasks.spawn(self._follower.run(), "command follower")
        self._context.hub.publish(CommandsChanged(self._context.scope))

    async def stop(self) -> None:
        """Start no further POST, give the one on the wire half a second, then end. Nothing is left half recorded."""
        self._sender.stopping.set()
        if self._sender.on_the_wire:
            # Real time, whatever the clock: a terminal that closes does not wait.
            try:
                async with asyncio.timeout(_GRACE):
                    await self._sender.landed.wait()
            except TimeoutError:
                pass
        await self._tasks.stop()
        await self._recovery.end()
        self._orders.clear()

    def busy(self) -> int:
        """Runs that are being sent now."""
        return len(self._running)

    # planning and sending
    async def plan(
        self,
        name: str,
        targets: Iterable[DeviceKey],
        params: Mapping[str, Any] | None = None,
        duration: float | None = None,
        reason: str = "",
    ) -> Plan:
        """See `Planner.plan`. Each parameter of the command has to be given; None leaves it out on purpose."""
        return await self._planner.plan(name, targets, params, duration, reason)

    async def submit(self, plan: Plan, typed: str) -> Submitted:
        """Send a plan: into the journal, then one by one. Raises `FleetError` when it may not be.

        typed: what the person typed; it has to be `plan.expects`. A plan can be submitted once.
        """
        context = self._context
        context.need_journal()
        context.arming.need()
        if not plan.will:
            raise FleetError(Kind.INVALID, "No device is left to send it to", sent=Sent.NEVER)
        if not plan.accepts(typed):
            raise FleetError(Kind.INVALID, f"Not sent: type {plan.expects} to confirm", sent=Sent.NEVER)
        if plan.key in self._spent:
            raise FleetError(Kind.REFUSED, "This plan was already sent", sent=Sent.NEVER)
        if plan.connection != context.scope:
            raise FleetError(Kind.INVALID, "The plan is for another connection", sent=Sent.NEVER)
        if abs(context.clock.now() - plan.at) > PLAN_LIFE:
            raise FleetError(
                Kind.REFUSED, "The plan is older than ten minutes: look again and confirm", sent=Sent.NEVER
            )
        # Before the first await: a second enter must not find it unspent.
        self._spent.add(plan.key)
        intents = await self._write(plan)
        run_id = intents[0].run_id
        self._send(run_id, intents, plan.order)
        return Submitted(run_id, tuple(intent.id for intent in intents))

    async def _write(self, plan: Plan) -> list[Intent]:
        from mdm_tui.store.journal import Run

        run = Run(
            actor=actor(),
            tty=tty(),
            connection=plan.connection,
            name=plan.spec.name,
            args_redacted=plan.args,
            reason=plan.reason,
            confirm_text=plan.expects,
            expected=len(plan.will),
        )
        targets = [(target.device.id, target.name) for target in plan.will]
        try:
            return await self._context.need_journal().plan(run, targets, plan.spec.destructive, plan.order.duration)
        except BaseException:
            # Nothing is on disk, so nothing will be sent: it may be confirmed again.
            self._spent.discard(plan.key)
            raise

    def _send(self, run_id: str, intents: list[Intent], order: Order) -> None:
        self._running.add(run_id)
        self._orders[run_id] = order
        self._teller.begin(run_id, len(intents))
        for intent in intents:
            self._moved(intent)

        async def work() -> None:
            try:
                await self._sender.run(intents, order)
            except FleetError as error:
                # A store gave way: what is not on disk is not sent.
                self._context.notice("bad", f"The run has stopped, the rest is not sent: {error.sentence()}")
            finally:
                self._running.discard(run_id)
                stopped = self._sender.stopping.is_set()
                # A run that the lock has stopped may be resumed, and its parameters are nowhere else.
                if not stopped and not self._context.arming.locked:
                    self._orders.pop(run_id, None)
                self._context.hub.publish(CommandsChanged(self._context.scope))
            if not stopped:
                await self._tell_left(run_id)
            await self._teller.sum_up(run_id, intents)

        self._tasks.spawn(work(), f"run {run_id}")

    async def _tell_left(self, run_id: str) -> None:
        """Say what the lock has kept back."""
        left = len(await self.unsent(run_id)) if run_id in self._orders else 0
        if not left:
            self._orders.pop(run_id, None)
        else:
            many = "1 command is" if left == 1 else f"{left} commands are"
            self._context.notice(
                "warn",
                f"{many} not sent: {self._context.arming.why()}. What is left stays planned in the Queue (3): "
                "press A to arm, then c on it.",
            )

    async def unsent(self, run_id: str) -> list[Intent]:
        """All that was planned in a run and not sent, by an earlier session or before the connection was locked."""
        if run_id in self._running:
            return []
        return [
            intent
            for intent in await self._context.need_journal().intents(
                self._context.scope, limit=EVERY, open_only=True, names=COMMANDS
            )
            if intent.run_id == run_id and intent.state is State.PLANNED
        ]

    async def resume(self, run_id: str) -> int:
        """Send what was planned and not sent; how many. Of an earlier session, what needs a secret is rejected."""
        self._context.arming.need()
        left = await self.unsent(run_id)
        order = self._orders.get(run_id)
        if left and order is None:
            order = await self._recovery.order(left)
        if not left or order is None:
            return 0
        self._send(run_id, left, order)
        return len(left)

    async def withdraw(self, intent_id: str) -> None:
        """Cancel what is planned and not yet sent. Raises CONFLICT when it is too late."""
        journal = self._context.need_journal()
        intent = await journal.intent(intent_id)
        if intent is None or intent.state is not State.PLANNED:
            raise FleetError(Kind.CONFLICT, "It is not waiting to be sent any more", sent=Sent.NEVER)
        self._moved(
            await journal.record(intent_id, State.CANCELLED, by=self._context.owner, detail="withdrawn before sending")
        )

    async def cancel(self, device_id: str, command_id: str) -> Command:
        """Ask the service to cancel a pending command. Raises `FleetError`; its state is read back in any case."""
        context = self._context
        try:
            command = await context.change(
                lambda provider: provider.cancel(device_id, command_id), Capability.COMMAND_CANCEL
            )
        except FleetError:
            self._follower.hurry(device_id)
            raise
        await context.mirror.apply_commands(context.scope, device_id, [command], context.clock.now())
        self._follower.hurry(device_id)
        context.hub.publish(CommandsChanged(context.scope))
        return command

    # looking
    async def look(self, device_id: str) -> list[Command]:
        """Read a device's commands, whoever made them. Raises `FleetError`."""
        context = self._context
        found: list[Command] = []
        for number in range(1, _PAGES + 1):
            page = await context.call(
                lambda provider, number=number: provider.device_commands(device_id, number, BASELINE),
                Capability.COMMANDS,
            )
            found.extend(page.items)
            if not page.has_next or not page.items:
                break
        if await context.mirror.apply_commands(context.scope, device_id, found, context.clock.now()):
            context.hub.publish(CommandsChanged(context.scope))
        self._follower.hurry(device_id)
        return found

    async def queue(self, device_id: str | None = None) -> list[QueueItem]:
        """Our commands and those seen elsewhere, of one device or of all, newest first."""
        context = self._context
        intents = [intent for intent in await self._intents() if device_id in (None, intent.device_id)]
        commands = await context.mirror.commands(context.scope, device_id)
        ids = {intent.device_id for intent in intents} | {command.device_id for command in commands}
        follower = self._follower
        return build(
            intents,
            commands,
            rows=await context.mirror.rows(context.scope, list(ids)),
            pushes=follower.pushes,
            looks={key: watch.next_at for key, watch in follower.watches.items()},
            now=context.clock.now(),
            can_cancel=context.can(Capability.COMMAND_CANCEL) and not context.connection.read_only,
            running=frozenset(self._running),
            push_unsupported=follower.reading.push_unsupported,
        )

    async def _intents(self) -> list[Intent]:
        """Our commands; what else the journal holds (registrations) is no command."""
        journal = self._context.journal
        return await journal.intents(self._context.scope, names=COMMANDS) if journal is not None else []

    async def coverage(self) -> str:
        """For how many devices commands are known, as a sentence."""
        return coverage_sentence(await self._context.mirror.coverage(self._context.scope), self._context.clock.now())

    def notes(self) -> list[str]:
        """What the service does not offer around commands, one sentence each."""
        said = [self._follower.reading.push_unsupported, self._context.unsupported.get(Capability.COMMAND_CANCEL, "")]
        return [sentence for sentence in said if sentence]

    def _moved(self, intent: Intent) -> None:
        self._follower.follow(intent)
        self._context.hub.publish(CommandsChanged(self._context.scope, frozenset({intent.id})))
        self._teller.tell(intent)
