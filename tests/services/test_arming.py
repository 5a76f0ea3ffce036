"""A production connection is locked until it is armed: every way to change something, in virtual time."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from mdm_tui.fleet.commands import State
from mdm_tui.fleet.devices import DeviceChanges
from mdm_tui.fleet.errors import FleetError, Kind, Sent
from mdm_tui.services.arming import CHOICES, IDLE, Arming
from mdm_tui.services.commands import Commands
from mdm_tui.services.context import Context
from mdm_tui.services.devices import Devices
from mdm_tui.services.events import Noticed
from mdm_tui.services.policies import Policies
from mdm_tui.services.sync import Sync
from mdm_tui.store.journal import Journal
from mdm_tui.store.owner import current

from .conftest import connection
from .fake import FakeProvider
from .virtual import VirtualClock

ONE, TWO, THREE = (f"{number:024x}" for number in (1, 2, 3))


class World:
    """The services on a production connection."""

    def __init__(self, context: Context, fake: FakeProvider, clock: VirtualClock) -> None:
        self.context, self.fake, self.clock = context, fake, clock
        self.arming = context.arming
        self.commands = Commands(context)
        self.devices = Devices(context)
        self.policies = Policies(context, self.devices)
        self.said: list[str] = []

    async def submit(self, *ids: str, meanwhile: Any = None) -> tuple[str, tuple[str, ...]]:
        """Plan and send a reboot. meanwhile: what happens at each call once it is confirmed."""
        plan = await self.commands.plan("REBOOT", [self.context.key(one) for one in ids])
        self.fake.before_answer = meanwhile
        submitted = await self.commands.submit(plan, plan.expects)
        return submitted.run_id, submitted.intent_ids

    async def states(self, ids: tuple[str, ...]) -> list[State]:
        found = [await self.context.need_journal().intent(one) for one in ids]
        return [intent.state for intent in found if intent is not None]


@pytest.fixture
async def world(context: Context, clock: VirtualClock, fake: FakeProvider, tmp_path: Path) -> AsyncIterator[World]:
    context.connection = connection(production=True)
    context.arming = Arming(context.connection, clock)
    context.journal = Journal.open(tmp_path / "journal.db", clock.now)
    context.owner = current()
    await Sync(context).once()
    made = World(context, fake, clock)
    await made.commands.start()
    yield made
    await made.commands.stop()
    context.journal.close()


async def _update(world: World) -> None:
    await world.devices.update(ONE, DeviceChanges({"display_name": "Gate"}), json.dumps(world.fake.rows[ONE]))


async def _assign(world: World) -> None:
    await world.policies.assign("p" * 24, ONE, json.dumps(world.fake.rows[ONE]))


async def _change(world: World) -> None:
    async def work(provider: Any) -> None:
        provider.calls.append(("anything",))

    await world.context.change(work)


WAYS: dict[str, Callable[[World], Awaitable[Any]]] = {
    "device": _update,
    "assign": _assign,
    "create": lambda world: world.policies.save(None, '{"name": "x"}'),
    "save": lambda world: world.policies.save("p" * 24, '{"name": "x"}'),
    "delete": lambda world: world.policies.delete("p" * 24),
    "submit": lambda world: world.submit(ONE),
    "cancel": lambda world: world.commands.cancel(ONE, "c" * 24),
    "resume": lambda world: world.commands.resume("a run"),
    "whatever comes": _change,
}


@pytest.mark.parametrize("way", WAYS)
async def test_every_change_is_refused_before_anything_leaves(world: World, way: str) -> None:
    world.fake.calls.clear()
    with pytest.raises(FleetError) as caught:
        await WAYS[way](world)
    assert (caught.value.kind, caught.value.sent) == (Kind.READ_ONLY, Sent.NEVER)
    assert "test is production and LOCKED" in caught.value.sentence()
    assert caught.value.sentence().endswith("Press A to arm it.")
    assert [call[0] for call in world.fake.calls if call[0] not in ("device", "device_commands")] == []
    assert await world.context.need_journal().intents(world.context.scope) == []


@pytest.mark.parametrize("way", ["device", "assign", "submit", "resume", "whatever comes"])
async def test_armed_it_goes(world: World, way: str) -> None:
    world.arming.arm("test")
    await WAYS[way](world)


async def test_another_connection_needs_no_arming(context: Context, clock: VirtualClock) -> None:
    plain = Arming(connection(), clock)
    assert (plain.locked, plain.reason(), plain.left()) == (False, "", 0.0)
    plain.need()
    with pytest.raises(FleetError, match="is not a production connection"):
        plain.arm("test")


async def test_read_only_cannot_be_armed(clock: VirtualClock) -> None:
    arming = Arming(connection(production=True, read_only=True), clock)
    assert arming.reason() == "READ-ONLY"
    with pytest.raises(FleetError) as caught:
        arming.arm("test")
    assert caught.value.kind is Kind.READ_ONLY and not arming.armed


@pytest.mark.parametrize(("typed", "minutes"), [("", 10), ("tes", 10), ("TEST", 10), ("test", 7), ("test", 0)])
def test_only_the_name_and_an_offered_time_arm(typed: str, minutes: float, clock: VirtualClock) -> None:
    arming = Arming(connection(production=True), clock)
    with pytest.raises(FleetError):
        arming.arm(typed, minutes)
    assert arming.locked


@pytest.mark.parametrize("minutes", CHOICES)
async def test_it_locks_at_the_end_of_its_time(minutes: int, clock: VirtualClock) -> None:
    arming = Arming(connection(production=True), clock)
    arming.arm("test", minutes)
    for minute in range(minutes):
        assert arming.left() == (minutes - minute) * 60
        arming.touch()
        await clock.advance(60)
    assert arming.locked
    assert arming.ended() == "test is LOCKED again: its time is over."
    assert arming.ended() == "", "said once"


async def test_ten_idle_minutes_lock_and_a_late_key_brings_nothing_back(clock: VirtualClock) -> None:
    arming = Arming(connection(production=True), clock)
    arming.arm("test", 60)
    await clock.advance(IDLE - 30)
    assert arming.left() == 30, "the countdown says what comes first"
    arming.touch()
    assert arming.left() == 3_600 - IDLE + 30
    await clock.advance(IDLE)
    arming.touch()
    assert arming.locked
    assert arming.ended() == "test is LOCKED again: no key for 10 minutes."


class TwoClocks(VirtualClock):
    """Wall and monotonic time apart."""

    def __init__(self) -> None:
        super().__init__()
        self.wall = self.steady = 1_000_000.0

    def now(self) -> float:
        return self.wall

    def monotonic(self) -> float:
        return self.steady


def test_a_machine_that_slept_is_locked_and_a_clock_set_back_lengthens_nothing() -> None:
    slept, back = TwoClocks(), TwoClocks()
    first, second = Arming(connection(production=True), slept), Arming(connection(production=True), back)
    first.arm("test")
    second.arm("test")
    slept.wall += 601
    back.wall -= 86_400
    assert first.locked
    assert not second.locked
    back.steady += 601
    assert second.locked


async def test_a_run_stops_at_the_lock_and_can_be_resumed(world: World) -> None:
    posted = 0
    events = world.context.hub.subscribe()

    async def lock_after_first(method: str, *_args: Any) -> None:
        nonlocal posted
        if method == "send":
            posted += 1
            world.arming.lock()

    world.arming.arm("test")
    run_id, ids = await world.submit(ONE, TWO, THREE, meanwhile=lock_after_first)
    await world.clock.settle()
    assert posted == 1
    assert await world.states(ids) == [State.ACCEPTED, State.PLANNED, State.PLANNED]
    assert world.commands.busy() == 0
    await world.clock.advance(1)
    said = [event.sentence for event in events.take() if isinstance(event, Noticed)]
    assert any("2 commands are not sent: test is production and LOCKED" in sentence for sentence in said)
    with pytest.raises(FleetError, match="LOCKED"):
        await world.commands.resume(run_id)
    world.fake.before_answer = None
    world.arming.arm("test")
    assert await world.commands.resume(run_id) == 2
    await world.clock.settle()
    assert await world.states(ids) == [State.ACCEPTED] * 3
    assert sorted(device for device, _name, _key in world.fake.sent) == [ONE, TWO, THREE], "each once"


async def test_a_run_that_waits_out_a_pause_does_not_send_after_the_time(world: World) -> None:
    world.fake.plan_failures(
        "send", FleetError(Kind.RATE_LIMITED, "Wait", status=429, retry_after=400.0, sent=Sent.ANSWERED)
    )
    world.arming.arm("test", 5)
    _run, ids = await world.submit(ONE)
    await world.clock.advance(1_000)
    assert world.fake.sent == []
    assert await world.states(ids) == [State.PLANNED]


async def test_locked_in_the_moment_of_the_claim_sends_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = world.context.need_journal()
    claim = journal.claim

    async def slow(intent_id: str, owner: str) -> bool:
        taken = await claim(intent_id, owner)
        world.arming.lock()
        return taken

    monkeypatch.setattr(journal, "claim", slow)
    world.arming.arm("test")
    _run, ids = await world.submit(ONE)
    await world.clock.settle()
    assert world.fake.sent == []
    assert await world.states(ids) == [State.PLANNED]


async def test_what_a_stopped_run_meant_to_send_is_kept_until_it_is_resumed(world: World) -> None:
    async def lock(*_call: Any) -> None:
        world.arming.lock()

    world.arming.arm("test")
    run_id, ids = await world.submit(ONE, meanwhile=lock)
    await world.clock.settle()
    assert await world.states(ids) == [State.PLANNED] and run_id in world.commands._orders
    world.fake.before_answer = None
    world.arming.arm("test")
    await world.commands.resume(run_id)
    await world.clock.settle()
    assert not world.commands._orders


async def test_what_was_never_sent_is_withdrawn_while_locked(world: World) -> None:
    async def lock(*_call: Any) -> None:
        world.arming.lock()

    world.arming.arm("test")
    _run, ids = await world.submit(ONE, meanwhile=lock)
    await world.clock.settle()
    await world.commands.withdraw(ids[0])
    assert await world.states(ids) == [State.CANCELLED]
