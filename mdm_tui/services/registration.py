"""Registering devices: read, checked, confirmed, on disk, sent once, read back. The room's front door."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mdm_tui.fleet.catalogue import LicenseModel
from mdm_tui.fleet.commands import State
from mdm_tui.fleet.errors import FleetError, Kind, Sent
from mdm_tui.fleet.groups import GroupTree
from mdm_tui.fleet.provider import Capability
from mdm_tui.fleet.registration import Line, Reading, read

from .context import EVERY, Context
from .events import RegistrationChanged
from .groups import Groups
from .registration_check import Asker
from .registration_follow import RegistrationFollower
from .registration_lease import RENEW, Turn
from .registration_outcomes import Outcome, Outcomes
from .registration_past import sent
from .registration_plan import AGAIN, NAMES, NEW, LeftOutRow, RegistrationPlan, Row
from .registration_plan import plan as make_plan
from .registration_send import RegistrationSender
from .tasks import Tasks
from .who import actor, tty

if TYPE_CHECKING:
    from mdm_tui.store.journal import Intent

__all__ = ["LeftOutRow", "Outcome", "RegistrationPlan", "RegistrationRun", "RegistrationService", "Row"]

PLAN_LIFE = 600.0
_GRACE = 0.5
_KEPT = "Nothing was sent, and the list stays as it is."
_NO_TURN = "not sent: the console ended before its turn came; register it again if that is still wanted"


@dataclass(frozen=True, slots=True)
class RegistrationRun:
    """A registration that is in the journal and on its way."""

    run_id: str
    intent_ids: tuple[str, ...]


class RegistrationService:
    """What screens and the command line do to register devices. What runs belongs to it, not to a dialog."""

    def __init__(self, context: Context, groups: Groups) -> None:
        self.running = ""
        """The run that is being sent, "" between runs."""
        self._total = 0
        self._work: asyncio.Task[None] | None = None
        self._context = context
        self._groups = groups
        self._tasks = Tasks()
        self._asker = Asker(context)
        self._follower = RegistrationFollower(context, self._asker, self._tasks, self._moved)
        self._turn = Turn(context, self._taken_over)
        self._sender = RegistrationSender(context, self._asker, self._follower, self._moved, self._turn.holds)
        self._spent: set[str] = set()
        self._outcomes = Outcomes(context)

    # life
    async def start(self) -> None:
        """Find out what became of what an earlier process left; nothing is sent again."""
        if self._context.journal is None:
            return
        # Before anything of this session is in the journal.
        left = [intent.id for intent in await self._open()]
        if left:
            self._tasks.spawn(self._recover(left), "registration recovery")

    async def stop(self) -> None:
        """Start no further POST, give the one on the wire half a second, then end."""
        self._sender.stopping.set()
        self._sender.halted.set()
        if self._sender.on_the_wire:
            try:
                async with asyncio.timeout(_GRACE):
                    await self._sender.landed.wait()
            except TimeoutError:
                pass
        await self._tasks.stop()
        await self._turn.release()

    # before sending
    async def read(self, text: str, group_id: str = "") -> Reading:
        """Read a CSV or a pasted list. group_id: the group of the rows that name none. See `fleet.registration`.

        A serial number that differs from a known device's in case or blanks alone is a problem: the service, which
        compares them exactly, would take it for a new one.
        """
        facts = await self._context.mirror.facts(self._context.scope, ("serial",))
        taken = [str(serial) for (serial,) in facts.values() if serial]
        return await asyncio.to_thread(read, text, await self._tree(), group_id, taken)

    async def _tree(self) -> GroupTree | None:
        """The groups, read when there are none yet; None when that fails."""
        if not self._context.can(Capability.GROUPS):
            return None
        tree = await self._groups.tree()
        if not len(tree) and self._groups.at is None:
            try:
                tree = await self._groups.refresh()
            except FleetError:
                return None
        return tree

    async def license_models(self) -> list[LicenseModel]:
        """The license models to choose from. Raises `FleetError`, UNSUPPORTED where there are none."""
        return await self._context.call(lambda provider: provider.license_models(), Capability.LICENSES)

    async def check(
        self,
        lines: Sequence[Line],
        progress: Callable[[int, int], None] | None = None,
        stop: asyncio.Event | None = None,
    ) -> tuple[Row, ...]:
        """Ask the service for each serial number. See `Asker.check`."""
        return await self._asker.check(lines, progress, stop)

    async def plan(
        self,
        rows: Sequence[Row],
        *,
        model: LicenseModel | None = None,
        auto_renew: bool | None = None,
        again: Collection[str] = (),
    ) -> RegistrationPlan:
        """Freeze what will be sent: the new devices, or the existing ones named in `again`, never both."""
        context = self._context
        provider = context.provider
        return make_plan(
            rows,
            key=uuid.uuid4().hex,
            connection=context.scope,
            at=context.clock.now(),
            tree=await self._tree(),
            model=model,
            auto_renew=auto_renew,
            again=again,
            sent=await sent(context),
            asks=provider.registered_calls if provider is not None else 1,
            meter=provider.meter if provider is not None else None,
            where=provider.registers_where if provider is not None else "",
        )

    # sending
    async def submit(self, plan: RegistrationPlan, typed: str) -> RegistrationRun:
        """Send a plan: into the journal, then one device after the other. Raises `FleetError` when it may not be."""
        context = self._context
        context.need_journal()
        context.arming.need()
        if not plan.will:
            raise FleetError(Kind.INVALID, "No device is left to register", sent=Sent.NEVER)
        if not plan.accepts(typed):
            raise FleetError(Kind.INVALID, f"Not sent: type {plan.expects} to confirm", sent=Sent.NEVER)
        if plan.connection != context.scope:
            raise FleetError(Kind.INVALID, "The plan is for another connection", sent=Sent.NEVER)
        if plan.key in self._spent:
            raise FleetError(Kind.REFUSED, "This plan was already sent", sent=Sent.NEVER)
        if abs(context.clock.now() - plan.at) > PLAN_LIFE:
            what = "The plan is older than ten minutes: check the list again and confirm"
            raise FleetError(Kind.REFUSED, what, sent=Sent.NEVER)
        if self.running:
            what = "Another registration is being sent: wait for its end"
            raise FleetError(Kind.CONFLICT, what, sent=Sent.NEVER, todo=_KEPT)
        # Before the first await: a second enter must not find it unspent.
        self._spent.add(plan.key)
        self.running = plan.key
        try:
            if not await self._turn.take():
                what = "Another console is registering devices on this connection: wait for its end"
                raise FleetError(Kind.CONFLICT, what, sent=Sent.NEVER, todo=_KEPT)
            # With the turn in hand: nobody who shares the journal sends anything from now on.
            past = await sent(context)
            intents = await self._write(plan)
        except BaseException:
            # Nothing is on disk, so nothing will be sent: it may be confirmed again.
            self._spent.discard(plan.key)
            self.running = ""
            raise
        run_id = self.running = intents[0].run_id
        self._total = len(intents)
        self._sender.done = 0
        self._sender.halted.clear()
        self._work = self._tasks.spawn(self._run(intents, plan, past), f"registration {run_id}")
        self._moved()
        return RegistrationRun(run_id, tuple(intent.id for intent in intents))

    @property
    def progress(self) -> tuple[int, int]:
        """Devices of the running or the last run that have had their turn, of how many; `outcomes` has them all."""
        return self._sender.done, self._total

    async def wait(self, *, settle: bool = False) -> None:
        """Until the run has ended. settle: until it is known as well what became of answers that were lost."""
        if self._work is not None:
            await asyncio.wait([self._work])
        if settle:
            await self._follower.settled()

    def halt(self) -> None:
        """Stop the run after the device that is on its way; what was not sent is cancelled."""
        if self.running:
            self._sender.halted.set()

    async def _write(self, plan: RegistrationPlan) -> list[Intent]:
        from mdm_tui.store.journal import Run

        run = Run(
            actor=actor(),
            tty=tty(),
            connection=plan.connection,
            name=AGAIN if plan.again else NEW,
            args_redacted=plan.terms_text,
            reason="",
            confirm_text=plan.expects,
            expected=len(plan.will),
        )
        targets = [(row.serial, _label(row)) for row in plan.will]
        return await self._context.need_journal().plan(run, targets, plan.again)

    async def _run(self, intents: list[Intent], plan: RegistrationPlan, past: Mapping[str, float]) -> None:
        keep = self._tasks.spawn(self._turn.keep(), "registration lease")
        try:
            await self._sender.run(intents, plan, past)
            if not self._sender.stopping.is_set():
                await self._outcomes.read_back(intents)
                await self._outcomes.sum_up(intents)
        except FleetError as error:
            # A store gave way: what is not on disk is not sent.
            self._context.notice("bad", f"The registration has stopped, the rest is not sent: {error.sentence()}")
        finally:
            keep.cancel()
            self.running = ""
            self._moved()
            if not self._sender.stopping.is_set():
                await self._turn.release()

    # looking
    async def outcomes(self, run_id: str = "") -> list[Outcome]:
        """What became of the rows of a run, in their order; of the newest run when none is named."""
        return await self._outcomes.rows(run_id)

    def _moved(self) -> None:
        self._context.hub.publish(RegistrationChanged(self._context.scope))

    # after a crash
    async def _open(self) -> list[Intent]:
        journal = self._context.need_journal()
        found = await journal.intents(self._context.scope, limit=EVERY, open_only=True, names=NAMES)
        return [item for item in found if item.state not in (State.ABSENT, State.AMBIGUOUS)]

    async def _recover(self, left: Sequence[str]) -> None:
        """When no other living console is at it: see to everything that an earlier session left."""
        from mdm_tui.store.owner import alive

        while not await self._turn.take():
            await self._context.clock.sleep(RENEW)
        journal = self._context.need_journal()
        await journal.recover(alive)
        held = [intent for key in left if (intent := await journal.intent(key)) is not None]
        lost = sum(intent.state is State.UNKNOWN for intent in held)
        if lost:
            many = "1 registration was" if lost == 1 else f"{lost:,} registrations were"
            self._context.notice(
                "warn", f"{many} on the wire when an earlier session ended: the service is asked what became of it"
            )
        await journal.give_up([intent.id for intent in held], by=self._context.owner, why=_NO_TURN)
        for intent in held:
            await self._follower.recover(intent)
        self._moved()
        if not self.running:
            await self._turn.release()

    def _taken_over(self) -> None:
        self._sender.halted.set()
        self._context.notice("bad", "Another console has taken the registration over: this one stops")


def _label(row: Row) -> str:
    device = row.line.device
    return " ".join(part for part in (device.brand or device.manufacturer, device.model) if part) or row.serial
