"""Commands against a service that does exactly what a test says: real journal, real mirror, virtual time."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from mdm_tui.fleet.commands import PushStatus, State
from mdm_tui.fleet.errors import FleetError, Kind, Sent
from mdm_tui.services.arming import Arming
from mdm_tui.services.commands import Commands
from mdm_tui.services.context import Context
from mdm_tui.services.queue import QueueItem
from mdm_tui.services.sync import Sync
from mdm_tui.store.journal import Journal
from mdm_tui.store.owner import current

from .conftest import connection
from .fake import FakeProvider
from .virtual import VirtualClock

ONE, TWO, THREE = (f"{number:024x}" for number in (1, 2, 3))
LOST = FleetError(Kind.TIMEOUT, "No answer", sent=Sent.MAYBE)


@pytest.fixture
async def ready(context: Context, clock: VirtualClock, tmp_path: Path) -> AsyncIterator[Context]:
    """A context with a journal and a mirror that knows the fleet."""
    context.journal = Journal.open(tmp_path / "journal.db", clock.now)
    context.owner = current()
    await Sync(context).once()
    yield context
    context.journal.close()


@pytest.fixture
async def commands(ready: Context) -> AsyncIterator[Commands]:
    service = Commands(ready)
    await service.start()
    yield service
    await service.stop()


async def send(commands: Commands, context: Context, name: str, *ids: str, **more: Any) -> list[str]:
    plan = await commands.plan(name, [context.key(device_id) for device_id in ids], **more)
    return list((await commands.submit(plan, plan.expects)).intent_ids)


async def state(context: Context, intent_id: str) -> State:
    intent = await context.need_journal().intent(intent_id)
    assert intent is not None
    return intent.state


async def item(commands: Commands, intent_id: str) -> QueueItem:
    return next(row for row in await commands.queue() if row.key == intent_id)


def files_with(folder: Path, text: bytes) -> list[str]:
    return [file.name for file in folder.iterdir() if text in file.read_bytes()]


# planning


async def test_a_plan_counts_what_will_be_sent_and_says_who_is_left_out(
    commands: Commands, ready: Context, fake: FakeProvider
) -> None:
    fake.rows[TWO]["state"] = "PENDING_DISENROLL"
    fake.rows[THREE]["state"] = "DELETED"
    await Sync(ready).once()
    fake.add_command(f"{4:024x}", "DISENROLL")
    plan = await commands.plan("DISENROLL", [ready.key(f"{number:024x}") for number in (1, 2, 3, 4, 5, 99)])
    assert [target.device.id for target in plan.will] == [ONE, f"{5:024x}"]
    assert plan.expects == "disenrol 2"
    assert {left.device.id: left.why for left in plan.left_out} == {
        TWO: "already leaving",
        THREE: "has left management",
        f"{4:024x}": "Disenrol is already pending at the service",
        f"{99:024x}": "not known to this console: refresh first",
    }
    assert fake.sent == []


async def test_one_device_is_confirmed_by_its_serial_or_the_end_of_its_id(
    commands: Commands, ready: Context, fake: FakeProvider
) -> None:
    assert (await commands.plan("REBOOT", [ready.key(ONE)])).expects == "SN000001"
    fake.rows[TWO]["summary"]["serialNumber"] = "SN000003"
    fake.rows[f"{4:024x}"]["summary"]["serialNumber"] = "unknown"
    await Sync(ready).once()
    assert (await commands.plan("REBOOT", [ready.key(TWO)])).expects == TWO[-6:], "the serial is shared by two"
    assert (await commands.plan("REBOOT", [ready.key(f"{4:024x}")])).expects == f"{4:024x}"[-6:]


async def test_a_wrong_text_a_used_plan_and_a_stale_plan_send_nothing(
    commands: Commands, ready: Context, fake: FakeProvider, clock: VirtualClock
) -> None:
    plan = await commands.plan("REBOOT", [ready.key(ONE), ready.key(TWO)])
    for typed in ("", "yes", "reboot", "reboot 3", "2"):
        with pytest.raises(FleetError, match="type reboot 2"):
            await commands.submit(plan, typed)
    both = await asyncio.gather(
        commands.submit(plan, "reboot 2"), commands.submit(plan, "reboot 2"), return_exceptions=True
    )
    assert sum(isinstance(result, FleetError) for result in both) == 1, "a second enter is refused"
    await clock.settle()
    assert len(fake.sent) == 2
    old = await commands.plan("LOCK", [ready.key(ONE)])
    await clock.advance(601)
    with pytest.raises(FleetError, match="older than ten minutes"):
        await commands.submit(old, old.expects)
    assert len(fake.sent) == 2


@pytest.mark.parametrize(
    ("name", "params", "duration", "words"),
    [
        ("RESET_PASSWORD", {}, None, "choose to leave it out"),
        ("RESET_PASSWORD", {"newPassword": ""}, None, "empty"),
        ("RESET_PASSWORD", {"newPassword": "a\x1b"}, None, "cannot be typed"),
        ("CLEAR_APP_DATA", {"packageNames": []}, None, "no package"),
        ("CLEAR_APP_DATA", {"packageNames": ["not a package"]}, None, "not the name"),
        ("REBOOT", {"force": True}, None, "no parameter"),
        ("REBOOT", None, 0, "above zero"),
        ("REBOOT", None, float("nan"), "above zero"),
        ("DISENROLL", None, 60, "no duration"),
    ],
)
async def test_parameters_are_checked_before_anything_is_written(
    commands: Commands, ready: Context, name: str, params: Any, duration: Any, words: str
) -> None:
    with pytest.raises(FleetError) as caught:
        await commands.plan(name, [ready.key(ONE)], params, duration)
    assert caught.value.kind is Kind.INVALID
    assert any(words in problem.message for problem in caught.value.problems)
    assert await ready.need_journal().intents(ready.scope) == []


async def test_a_run_never_crosses_connections(commands: Commands, ready: Context) -> None:
    from mdm_tui.fleet.devices import DeviceKey

    with pytest.raises(FleetError, match="never crosses"):
        await commands.plan("REBOOT", [ready.key(ONE), DeviceKey("other:org", TWO)])


async def test_read_only_sends_nothing(commands: Commands, ready: Context, fake: FakeProvider) -> None:
    plan = await commands.plan("REBOOT", [ready.key(ONE)])
    ready.arming = Arming(connection(read_only=True), ready.clock)
    with pytest.raises(FleetError) as caught:
        await commands.submit(plan, plan.expects)
    assert caught.value.kind is Kind.READ_ONLY
    assert fake.sent == []


# sending


async def test_the_claim_is_on_disk_before_the_post(
    commands: Commands, ready: Context, fake: FakeProvider, clock: VirtualClock, tmp_path: Path
) -> None:
    seen: list[tuple[str, str]] = []

    async def look(method: str, *args: Any) -> None:
        if method == "send":
            # Another process' view of the file at the moment of the POST.
            with sqlite3.connect(f"file:{tmp_path / 'journal.db'}?mode=ro", uri=True) as other:
                seen.extend(other.execute("SELECT device_id, state FROM intent WHERE state != 'accepted'").fetchall())

    fake.before_answer = look
    await send(commands, ready, "REBOOT", ONE, TWO)
    await clock.settle()
    assert seen == [(ONE, "sending"), (TWO, "planned"), (TWO, "sending")]
    assert [call[0] for call in fake.calls if call[0] in ("device_commands", "send")][-4:] == [
        "device_commands",
        "send",
        "device_commands",
        "send",
    ]


async def test_a_command_is_followed_to_its_end_with_its_evidence(
    commands: Commands, ready: Context, fake: FakeProvider, clock: VirtualClock
) -> None:
    [intent] = await send(commands, ready, "REBOOT", ONE)
    await clock.settle()
    row = await item(commands, intent)
    assert (row.state, row.status, row.ours, row.cancellable) == (State.ACCEPTED, "PENDING", True, True)
    assert [(e.name, e.known) for e in row.evidence] == [
        ("sent", "yes"),
        ("pushed", "missing"),
        ("delivered", "missing"),
        ("received", "no"),
    ]
    command = fake.at_service[ONE][0]
    fake.move(command, "PENDING", sent_at=clock.now())
    fake.pushes[command.id] = PushStatus(True, sent_at=clock.now())
    await clock.advance(4)
    row = await item(commands, intent)
    assert row.state is State.DELIVERED
    assert [e.known for e in row.evidence] == ["yes", "yes", "yes", "no"]
    fake.move(command, "RECEIVED")
    await clock.advance(35)
    assert (await item(commands, intent)).state is State.RECEIVED
    fake.move(command, "DONE")
    await clock.advance(35)
    row = await item(commands, intent)
    assert (row.state, row.status, row.cancellable) == (State.DONE, "DONE", False)
    assert row.ended_at is not None
    fake.calls.clear()
    await clock.advance(600)
    assert fake.count("command") == 0, "what has ended is not read any more"
    journal = ready.need_journal()
    assert [event.to_state for event in await journal.events(intent) if event.to_state != event.from_state] == [
        "planned",
        "sending",
        "accepted",
        "delivered",
        "received",
        "done",
    ]
    assert await journal.verify() == []


async def test_looks_come_at_1_2_4_8_15_30_seconds(
    commands: Commands, ready: Context, fake: FakeProvider, clock: VirtualClock
) -> None:
    await send(commands, ready, "REBOOT", ONE)
    await clock.settle()
    start = clock.now()
    moments: list[float] = []

    async def note(method: str, *_: Any) -> None:
        if method == "command":
            moments.append(clock.now() - start)

    fake.before_answer = note
    await clock.advance(95)
    assert moments == [1, 3, 7, 15, 30, 60, 90]


async def test_an_answer_that_never_came_is_unknown_and_never_sent_again(
    commands: Commands, ready: Context, fake: FakeProvider, clock: VirtualClock
) -> None:
    fake.plan_failures("send", LOST)
    [intent] = await send(commands, ready, "REBOOT", ONE)
    await clock.settle()
    row = await item(commands, intent)
    assert row.state is State.UNKNOWN
    assert "not sent again" in row.explanation
    assert row.next_look_at is not None
    again = await commands.plan("REBOOT", [ready.key(ONE)])
    assert [left.why for left in again.left_out] == ["Reboot is already on its way: unknown"]
    await clock.advance(600)
    assert await state(ready, intent) is State.ABSENT
    assert fake.count("send") == 1


async def test_unknown_finds_its_command_by_the_baseline(
    commands: Commands, ready: Context, fake: FakeProvider, clock: VirtualClock
) -> None:
    old = fake.add_command(ONE, "REBOOT", "DONE")

    async def apply_then_lose(method: str, *_: Any) -> None:
        if method == "send":
            fake.add_command(ONE, "REBOOT")
            raise LOST

    fake.before_answer = apply_then_lose
    [intent] = await send(commands, ready, "REBOOT", ONE)
    await clock.settle()
    assert await state(ready, intent) is State.UNKNOWN
    await clock.advance(1.5)
    found = await ready.need_journal().intent(intent)
    assert found is not None
    assert found.state is State.ACCEPTED
    assert found.command_id not in (None, old.id)
    assert found.baseline_ids == (old.id,)
    assert fake.count("send") == 1


async def test_several_like_it_are_ambiguous(
    commands: Commands, ready: Context, fake: FakeProvider, clock: VirtualClock
) -> None:
    fake.plan_failures("send", LOST)
    [intent] = await send(commands, ready, "LOCK", ONE)
    await clock.settle()
    fake.add_command(ONE, "LOCK")
    fake.add_command(ONE, "LOCK")
    await clock.advance(2)
    assert await state(ready, intent) is State.AMBIGUOUS


async def test_one_that_arrives_after_absent_is_still_found(
    commands: Commands, ready: Context, fake: FakeProvider, clock: VirtualClock
) -> None:
    fake.plan_failures("send", LOST)
    [intent] = await send(commands, ready, "LOCK", ONE)
    await clock.advance(300)
    assert await state(ready, intent) is State.ABSENT
    fake.add_command(ONE, "LOCK")
    await clock.advance(1200)
    assert await state(ready, intent) is State.ACCEPTED


async def test_what_never_left_is_sent_later_by_the_service(
    commands: Commands, ready: Context, fake: FakeProvider, clock: VirtualClock
) -> None:
    never = FleetError(Kind.UNREACHABLE, "No route", sent=Sent.NEVER)
    fake.plan_failures("send", never, never)
    [intent] = await send(commands, ready, "REBOOT", ONE)
    await clock.settle()
    assert await state(ready, intent) is State.PLANNED
    assert fake.sent == []
    await clock.advance(5)
    assert await state(ready, intent) is State.ACCEPTED
    assert len(fake.sent) == 1
    assert fake.count("send") == 3


async def test_429_pauses_the_run_for_as_long_as_asked(
    commands: Commands, ready: Context, fake: FakeProvider, clock: VirtualClock
) -> None:
    fake.plan_failures("send", FleetError(Kind.RATE_LIMITED, "Slow down", status=429, retry_after=40))
    intents = await send(commands, ready, "REBOOT", ONE, TWO)
    await clock.advance(39)
    assert [await state(ready, intent) for intent in intents] == [State.PLANNED, State.PLANNED]
    assert fake.count("send") == 1
    await clock.advance(2)
    assert [await state(ready, intent) for intent in intents] == [State.ACCEPTED, State.ACCEPTED]


@pytest.mark.parametrize(
    ("kind", "status"),
    [(Kind.SIGNED_OUT, 401), (Kind.FORBIDDEN, 403), (Kind.NOT_FOUND, 404), (Kind.INVALID, 400), (Kind.REDIRECT, 307)],
)
async def test_a_refusal_is_rejected_with_its_reason(
    commands: Commands, ready: Context, fake: FakeProvider, clock: VirtualClock, kind: Kind, status: int
) -> None:
    fake.plan_failures("send", FleetError(kind, "The service said no", status=status))
    [intent] = await send(commands, ready, "REBOOT", ONE)
    await clock.advance(120)
    row = await item(commands, intent)
    assert row.state is State.REJECTED
    assert "The service said no" in row.error
    assert fake.count("send") == 1
    found = await ready.need_journal().intent(intent)
    assert found is not None and found.http_status == status


async def test_a_service_that_stays_away_is_given_up_after_ten_minutes(
    commands: Commands, ready: Context, fake: FakeProvider, clock: VirtualClock
) -> None:
    plan = await commands.plan("REBOOT", [ready.key(ONE)])
    fake.plan_failures("device_commands", *[FleetError(Kind.UNREACHABLE, "No route", sent=Sent.NEVER)] * 100)
    [intent] = (await commands.submit(plan, plan.expects)).intent_ids
    await clock.advance(700)
    row = await item(commands, intent)
    assert row.state is State.REJECTED
    assert "10 minutes" in row.error
    assert fake.count("send") == 0


async def test_the_same_command_made_elsewhere_meanwhile_is_not_doubled(
    commands: Commands, ready: Context, fake: FakeProvider, clock: VirtualClock
) -> None:
    plan = await commands.plan("REBOOT", [ready.key(ONE)])
    fake.add_command(ONE, "REBOOT")
    [intent] = (await commands.submit(plan, plan.expects)).intent_ids
    await clock.settle()
    row = await item(commands, intent)
    assert (row.state, "already pending" in row.error) == (State.REJECTED, True)
    assert fake.sent == []


# cancelling, withdrawing


async def test_what_is_pending_can_be_cancelled(
    commands: Commands, ready: Context, fake: FakeProvider, clock: VirtualClock
) -> None:
    [intent] = await send(commands, ready, "REBOOT", ONE)
    await clock.settle()
    row = await item(commands, intent)
    assert row.command_id is not None
    await commands.cancel(ONE, row.command_id)
    await clock.settle()
    row = await item(commands, intent)
    assert (row.state, row.status, row.cancellable) == (State.CANCELLED, "CANCEL", False)


async def test_what_is_planned_can_be_withdrawn_and_is_not_sent(
    commands: Commands, ready: Context, fake: FakeProvider, clock: VirtualClock
) -> None:
    fake.plan_failures("send", FleetError(Kind.RATE_LIMITED, "Slow down", status=429, retry_after=40))
    first, second = await send(commands, ready, "REBOOT", ONE, TWO)
    await clock.advance(1)
    await commands.withdraw(second)
    await clock.advance(60)
    assert await state(ready, first) is State.ACCEPTED
    assert await state(ready, second) is State.CANCELLED
    assert [sent[0] for sent in fake.sent] == [ONE]
    with pytest.raises(FleetError) as caught:
        await commands.withdraw(first)
    assert caught.value.kind is Kind.CONFLICT


# disenrolling


async def test_disenrolling_without_a_record_is_followed_by_the_device(
    commands: Commands, ready: Context, fake: FakeProvider, clock: VirtualClock
) -> None:
    async def no_record(device_id: str, order: Any, key: str) -> None:
        await fake._call("send", device_id, order.name)
        fake.rows[device_id]["state"] = "PENDING_DISENROLL"

    fake.send = no_record  # type: ignore[method-assign]
    [intent] = await send(commands, ready, "DISENROLL", ONE)
    await clock.advance(3)
    assert await state(ready, intent) is State.ACCEPTED
    del fake.rows[ONE]
    await clock.advance(30)
    assert await state(ready, intent) is State.DONE


async def test_disenrolling_without_an_answer_is_told_by_the_device(
    commands: Commands, ready: Context, fake: FakeProvider, clock: VirtualClock
) -> None:
    async def lose(method: str, *args: Any) -> None:
        if method == "send":
            fake.rows[ONE]["state"] = "PENDING_DISENROLL"
            raise LOST

    fake.before_answer = lose
    [intent] = await send(commands, ready, "DISENROLL", ONE)
    await clock.settle()
    assert await state(ready, intent) is State.UNKNOWN
    await clock.advance(2)
    assert await state(ready, intent) is State.ACCEPTED
    assert fake.count("send") == 1


# crashes


async def test_a_secret_is_never_on_disk_and_is_asked_for_again_after_a_crash(
    commands: Commands, ready: Context, fake: FakeProvider, clock: VirtualClock, tmp_path: Path
) -> None:
    fake.plan_failures("send", *[FleetError(Kind.RATE_LIMITED, "Slow down", status=429, retry_after=300)] * 9)
    [intent] = await send(commands, ready, "RESET_PASSWORD", ONE, params={"newPassword": "hunter2-unique"})
    await clock.advance(10)
    assert await state(ready, intent) is State.PLANNED
    await commands.stop()
    assert files_with(tmp_path, b"hunter2-unique") == []
    assert files_with(tmp_path, b"new password set") == ["journal.db"]
    # The next session: the secret is gone with the memory it was in.
    later = Commands(ready)
    await later.start()
    row = await item(later, intent)
    assert row.state is State.REJECTED
    assert "ask again" in row.error
    assert row.args == "new password set"
    await later.stop()
    assert fake.sent == []


async def test_what_was_only_planned_waits_for_a_person_and_can_be_resumed(
    commands: Commands, ready: Context, fake: FakeProvider, clock: VirtualClock
) -> None:
    fake.plan_failures("send", FleetError(Kind.RATE_LIMITED, "Slow down", status=429, retry_after=300))
    [intent] = await send(commands, ready, "CLEAR_APP_DATA", ONE, params={"packageNames": ["com.example.a"]})
    await clock.advance(10)
    await commands.stop()
    later = Commands(ready)
    await later.start()
    await clock.advance(900)
    row = await item(later, intent)
    assert row.state is State.PLANNED
    assert "earlier session" in row.explanation
    assert fake.sent == []
    assert row.run_id is not None
    orders: list[Any] = []
    original = fake.send

    async def keep(device_id: str, order: Any, key: str) -> Any:
        orders.append(order)
        return await original(device_id, order, key)

    fake.send = keep  # type: ignore[method-assign]
    assert await later.resume(row.run_id) == 1
    await clock.settle()
    assert await state(ready, intent) is State.ACCEPTED
    assert [order.params for order in orders] == [{"packageNames": ["com.example.a"]}]
    await later.stop()


async def test_a_post_cut_off_by_the_end_of_the_session_is_unknown(
    commands: Commands, ready: Context, fake: FakeProvider, clock: VirtualClock
) -> None:
    gate = asyncio.Event()

    async def hold(method: str, *_: Any) -> None:
        if method == "send":
            await clock.wait(gate)

    fake.before_answer = hold
    intents = await send(commands, ready, "REBOOT", ONE, TWO)
    await clock.settle()
    await commands.stop()
    assert [await state(ready, intent) for intent in intents] == [State.UNKNOWN, State.PLANNED]
    # Nothing is left in `sending`, and the next session takes it from there.
    later = Commands(ready)
    await later.start()
    fake.before_answer = None
    await clock.advance(600)
    assert await state(ready, intents[0]) is State.ABSENT
    await later.stop()


async def test_a_dead_process_leaves_unknown_before_anything_is_sent(
    ready: Context, fake: FakeProvider, clock: VirtualClock
) -> None:
    from mdm_tui.store.journal import Run

    journal = ready.need_journal()
    run = Run("jon", "", ready.scope, "REBOOT", "", "", "x", 1)
    [intent] = await journal.plan(run, [(ONE, "Device 1")], False, None)
    assert await journal.claim(intent.id, current().replace(":", ":9", 1))
    service = Commands(ready)
    await service.start()
    assert await state(ready, intent.id) is State.UNKNOWN
    assert fake.count("send") == 0
    await service.stop()


# the queue


async def test_commands_made_elsewhere_have_no_author_and_the_queue_says_what_it_covers(
    commands: Commands, ready: Context, fake: FakeProvider, clock: VirtualClock
) -> None:
    assert await commands.coverage() == "commands known for 0 of 5 devices"
    fake.add_command(TWO, "LOCK", sent_at=5.0)
    await commands.look(TWO)
    [row] = await commands.queue()
    assert (row.by, row.ours, row.state, row.device_name) == ("elsewhere", False, State.PUSHED, "Device 2")
    await clock.advance(60)
    assert await commands.coverage() == "commands known for 1 of 5 devices, oldest look 1m"


async def test_a_silent_device_is_named_as_the_reason(
    commands: Commands, ready: Context, fake: FakeProvider, clock: VirtualClock
) -> None:
    fake.rows[ONE]["lastStatusReportTime"] = "2026-05-01T00:00:00.000Z"
    fake.rows[ONE]["updatedAt"] = "2026-06-03T00:00:00.000Z"
    await Sync(ready).once()
    plan = await commands.plan("REBOOT", [ready.key(ONE)])
    assert "will happen when it is seen" in plan.will[0].note
    [intent] = (await commands.submit(plan, plan.expects)).intent_ids
    await clock.settle()
    assert "device silent for" in (await item(commands, intent)).explanation


async def test_a_service_without_single_commands_or_push_status_costs_a_sentence(
    commands: Commands, ready: Context, fake: FakeProvider, clock: VirtualClock
) -> None:
    absent = FleetError(Kind.UNSUPPORTED, "The service has no such endpoint", status=404)
    fake.plan_failures("command", *[absent] * 50)
    fake.plan_failures("push_status", *[absent] * 50)
    [intent] = await send(commands, ready, "REBOOT", ONE)
    await clock.advance(20)
    assert fake.count("command") == 1
    assert fake.count("push_status") == 1
    assert any("no such endpoint" in note for note in commands.notes())
    fake.move(fake.at_service[ONE][0], "DONE")
    await clock.advance(31)
    assert await state(ready, intent) is State.DONE


async def test_following_many_commands_stays_within_its_share_of_the_budget(
    ready: Context, fake: FakeProvider, clock: VirtualClock
) -> None:
    ready.connection = connection(budget=1000)
    service = Commands(ready)
    await service.start()
    for name in ("REBOOT", "LOCK"):
        for number in range(1, 6):
            await send(service, ready, name, f"{number:024x}")
    await clock.settle()
    fake.calls.clear()
    await clock.advance(1800)
    asked = len(fake.calls)
    # 40 % of 1,000 an hour is 200 in half an hour, and a burst of 100.
    assert 100 <= asked <= 480
    await service.stop()


# stores that give way


async def test_an_answer_that_cannot_be_written_down_is_never_called_rejected(
    commands: Commands, ready: Context, fake: FakeProvider, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = ready.need_journal()
    record = journal.record

    async def full(intent_id: str, to: State, **more: Any) -> Any:
        raise FleetError(Kind.CONFIG, "The disk is full")

    monkeypatch.setattr(journal, "record", full)
    subscription = ready.hub.subscribe()
    first, second = await send(commands, ready, "REBOOT", ONE, TWO)
    await clock.settle()
    assert [await state(ready, intent) for intent in (first, second)] == [State.SENDING, State.PLANNED]
    assert [sent[0] for sent in fake.sent] == [ONE], "the run ends with the first that could not be recorded"
    sentences = [getattr(event, "sentence", "") for event in subscription.take()]
    assert any("disk is full" in sentence for sentence in sentences)
    # The next process finds `sending` with a dead owner, and the command by its baseline.
    monkeypatch.setattr(journal, "record", record)
    await commands.stop()
    await journal.recover(lambda owner: False)
    later = Commands(ready)
    await later.start()
    await clock.advance(3)
    assert await state(ready, first) is State.ACCEPTED
    assert len(fake.sent) == 1
    await later.stop()


async def test_a_mirror_that_gives_way_decides_nothing_about_a_command(
    commands: Commands, ready: Context, fake: FakeProvider, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: Any) -> Any:
        raise FleetError(Kind.CONFIG, "The disk is full")

    plan = await commands.plan("REBOOT", [ready.key(ONE)])
    monkeypatch.setattr(ready.mirror, "apply_commands", full)
    [intent] = (await commands.submit(plan, plan.expects)).intent_ids
    await clock.settle()
    assert await state(ready, intent) is State.ACCEPTED


async def test_no_baseline_on_disk_no_post(
    commands: Commands, ready: Context, fake: FakeProvider, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("baseline", "claim"):
        with monkeypatch.context() as patch:

            async def full(*_: Any) -> Any:
                raise FleetError(Kind.CONFIG, "The disk is full")

            patch.setattr(ready.need_journal(), name, full)
            [intent] = await send(commands, ready, "REBOOT" if name == "claim" else "LOCK", ONE)
            await clock.settle()
        assert await state(ready, intent) is State.PLANNED
    assert fake.sent == []


async def test_a_run_of_many_is_told_in_one_sentence(
    commands: Commands, ready: Context, fake: FakeProvider, clock: VirtualClock
) -> None:
    fake.plan_failures("send", FleetError(Kind.INVALID, "The service said no", status=400), LOST)
    subscription = ready.hub.subscribe()
    await send(commands, ready, "REBOOT", *(f"{number:024x}" for number in range(1, 6)))
    await clock.settle()
    sentences = [event.sentence for event in subscription.take() if hasattr(event, "sentence")]
    assert sentences == ["Reboot for 5 devices: 1 rejected, 3 taken, 1 unknown"]
