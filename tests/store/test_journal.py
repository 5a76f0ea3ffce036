"""The journal: every transition, who may claim, what is left after a crash, and whether it was tampered with."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import sqlite3
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from storeparts import SCOPE, Hand

from mdm_tui.fleet.commands import Order, State
from mdm_tui.fleet.errors import FleetError, Kind, Sent
from mdm_tui.store import owner
from mdm_tui.store.journal import Intent, Journal, Run, allowed
from mdm_tui.store.threads import Interrupted

ME = "host:1:2:boot"
RUN = Run("ana", "pts/1", SCOPE, "LOCK", "", "lost", "ABC123", 1)
S = State

# The table of RULES §3 as a picture: rows from, columns to, in the order of the states.
ORDER = list(State)
PICTURE = """
planned    . c . . . . . . . x x . . .
sending    x . x . . . . . . . x x . .
accepted   . . . x x x x x x x . . x .
pushed     . . . . x x x x x x . . x .
delivered  . . . . . x x x x x . . x .
received   . . . . . . x x x x . . x .
done       . . . . . . . . . . . . . .
failed     . . . . . . . . . . . . . .
expired    . . . . . . . . . . . . . .
cancelled  . . . . . . . . . . . . . .
rejected   . . . . . . . . . . . . . .
unknown    . . x . . . . . . . . . x x
absent     . . x . . . . . . . . . . x
ambiguous  . . x . . . . . . . . . . .
"""
CELLS = {
    (S(row.split()[0]), to): cell
    for row in PICTURE.strip().splitlines()
    for to, cell in zip(ORDER, row.split()[1:], strict=True)
}
# A way to each state from planned.
WAYS: dict[State, tuple[State, ...]] = {
    S.PLANNED: (),
    S.SENDING: (S.SENDING,),
    **{state: (S.SENDING, state) for state in (S.ACCEPTED, S.REJECTED, S.UNKNOWN)},
    **{
        state: (S.SENDING, S.ACCEPTED, state)
        for state in (S.PUSHED, S.DELIVERED, S.RECEIVED, S.DONE, S.FAILED, S.EXPIRED)
    },
    S.CANCELLED: (S.CANCELLED,),
    **{state: (S.SENDING, S.UNKNOWN, state) for state in (S.ABSENT, S.AMBIGUOUS)},
}


@pytest.fixture
async def journal(tmp_path: Path, clock: Hand) -> AsyncIterator[Journal]:
    found = Journal.open(tmp_path / "state" / "journal.db", clock)
    yield found
    found.close()


async def planned(journal: Journal, device_id: str = "d1") -> Intent:
    return (await journal.plan(RUN, [(device_id, "Dock 1")], False))[0]


async def bring(journal: Journal, state: State) -> Intent:
    intent = await planned(journal)
    for step in WAYS[state]:
        if step is S.SENDING:
            assert await journal.claim(intent.id, ME)
        else:
            intent = await journal.record(intent.id, step, by="test")
    found = await journal.intent(intent.id)
    assert found is not None
    assert found.state is state
    return found


@pytest.mark.parametrize("old", ORDER)
async def test_every_transition_is_as_in_the_table(journal: Journal, old: State) -> None:
    for new in ORDER:
        intent = await bring(journal, old)
        cell = CELLS[old, new]
        assert allowed(old, new) is (cell != ".")
        before = await journal.events(intent.id)
        if cell == "x":
            assert (await journal.record(intent.id, new, by="test")).state is new
            last = (await journal.events(intent.id))[-1]
            assert (last.from_state, last.to_state) == (old.value, new.value)
        else:
            with pytest.raises(FleetError) as caught:
                await journal.record(intent.id, new, by="test")
            assert caught.value.kind is Kind.CONFLICT
            assert await journal.intent(intent.id) == intent
            assert await journal.events(intent.id) == before
    assert await journal.verify() == []


@pytest.mark.parametrize("state", ORDER)
async def test_only_what_is_planned_can_be_claimed(journal: Journal, state: State) -> None:
    intent = await bring(journal, state)
    assert await journal.claim(intent.id, "other:1:2:b") is (state is S.PLANNED)


async def test_a_plan_is_one_run_with_an_intent_a_device(journal: Journal, clock: Hand) -> None:
    intents = await journal.plan(RUN, [("d2", "Two"), ("d1", "One")], True, 600)
    assert [(i.device_id, i.device_name, i.state, i.destructive, i.duration) for i in intents] == [
        ("d2", "Two", S.PLANNED, True, 600.0),
        ("d1", "One", S.PLANNED, True, 600.0),
    ]
    assert len({i.id for i in intents}) == 2
    assert {(i.run_id, i.actor, i.reason, i.created_at) for i in intents} == {
        (intents[0].run_id, "ana", "lost", clock.now)
    }
    assert await journal.intents(SCOPE) == intents[::-1], "newest first"
    assert await journal.intents("midm:x") == []


@pytest.mark.parametrize("targets", [[], [("d1", "a"), ("d2", "b"), ("d1", "c")]])
async def test_a_plan_of_nobody_or_of_one_twice_writes_nothing(journal: Journal, targets: list) -> None:
    with pytest.raises(FleetError) as caught:
        await journal.plan(RUN, targets, False)
    assert (caught.value.kind, caught.value.sent) == (Kind.INVALID, Sent.NEVER)
    assert await journal.intents(SCOPE) == []


async def test_a_life_is_told_by_its_events(journal: Journal, clock: Hand) -> None:
    intent = await planned(journal)
    await journal.baseline(intent.id, ["c1", "c2"], 5.0)
    clock.now += 1
    assert await journal.claim(intent.id, ME)
    sending = await journal.intent(intent.id)
    assert sending is not None
    assert (sending.owner, sending.sent_at, sending.baseline_ids, sending.baseline_at) == (
        ME, clock.now, ("c1", "c2"), 5.0,
    )  # fmt: skip
    clock.now += 1
    await journal.record(intent.id, S.ACCEPTED, by=ME, command_id="c3", http_status=201)
    await journal.note(intent.id, by="service", detail="the device was seen since")
    done = await journal.record(intent.id, S.DONE, by="poll")
    assert (done.command_id, done.http_status, done.updated_at) == ("c3", 201, clock.now)
    assert [(e.from_state, e.to_state, e.by) for e in await journal.events(intent.id)] == [
        ("", "planned", "ana"),
        ("planned", "planned", "baseline"),
        ("planned", "sending", ME),
        ("sending", "accepted", ME),
        ("accepted", "accepted", "service"),
        ("accepted", "done", "poll"),
    ]
    with pytest.raises(FleetError):
        await journal.baseline(intent.id, [], 9.0)


async def test_what_never_left_goes_back_and_can_be_claimed_by_another(journal: Journal) -> None:
    intent = await planned(journal)
    await journal.claim(intent.id, ME)
    back = await journal.record(intent.id, S.PLANNED, by=ME, detail="no route to host", error="no route to host")
    assert (back.owner, back.sent_at, back.error) == ("", None, "no route to host")
    assert await journal.claim(intent.id, "other:1:2:b")


async def test_a_command_answers_for_one_intent_only(journal: Journal) -> None:
    first, second = await planned(journal), await planned(journal)
    for intent in (first, second):
        await journal.claim(intent.id, ME)
    await journal.record(first.id, S.ACCEPTED, by=ME, command_id="c1")
    with pytest.raises(FleetError, match="belongs to another"):
        await journal.record(second.id, S.ACCEPTED, by=ME, command_id="c1")
    with pytest.raises(FleetError, match="already has the command c1"):
        await journal.record(first.id, S.DONE, by=ME, command_id="c2")
    found = await journal.intent(second.id)
    assert found is not None
    assert found.state is S.SENDING
    elsewhere = await planned(journal, "d2")
    await journal.claim(elsewhere.id, ME)
    assert (await journal.record(elsewhere.id, S.ACCEPTED, by=ME, command_id="c1")).command_id == "c1"


async def test_open_ones_are_those_that_have_not_ended(journal: Journal) -> None:
    for state in ORDER:
        await bring(journal, state)
    found = await journal.intents(SCOPE, open_only=True)
    assert {intent.state for intent in found} == {state for state in ORDER if not state.ended}
    assert len(await journal.intents(SCOPE, limit=3)) == 3


async def test_recovery_makes_unknown_what_a_dead_owner_was_sending(journal: Journal, clock: Hand) -> None:
    mine, theirs, waiting = [await planned(journal, f"d{i}") for i in range(3)]
    await journal.claim(mine.id, "alive")
    await journal.claim(theirs.id, "dead")
    (found,) = await journal.recover(lambda name: name == "alive")
    assert (found.id, found.state, found.unknown_at) == (theirs.id, S.UNKNOWN, clock.now)
    states = {intent.id: intent.state for intent in await journal.intents(SCOPE)}
    assert states == {mine.id: S.SENDING, theirs.id: S.UNKNOWN, waiting.id: S.PLANNED}
    assert await journal.recover(lambda name: name == "alive") == []


async def test_a_cancelled_claim_is_given_back(journal: Journal) -> None:
    intent = await planned(journal)
    started, go_on = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def hold(conn: sqlite3.Connection) -> None:
        loop.call_soon_threadsafe(started.set)
        go_on.wait()

    blocking = journal._writer.submit(hold)
    await started.wait()
    waiting = asyncio.create_task(journal.claim(intent.id, ME))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    go_on.set()
    await asyncio.wrap_future(blocking)
    found = await journal.intent(intent.id)
    assert found is not None
    assert found.state is S.PLANNED, "it had not begun: it never was claimed"

    claiming = asyncio.create_task(journal.claim(intent.id, ME))
    await asyncio.sleep(0)
    # In order with the claim: when this answers, the claim is on disk; its task has not been told yet.
    journal._writer.submit(lambda conn: None).result()
    claiming.cancel()
    with pytest.raises(asyncio.CancelledError):
        await claiming
    found = await journal.intent(intent.id)
    assert found is not None
    assert found.state is S.PLANNED
    assert [e.to_state for e in await journal.events(intent.id)] == ["planned", "sending", "planned"]


async def test_a_lost_and_cancelled_claim_gives_nothing_of_another_back(journal: Journal) -> None:
    intent = await planned(journal)
    assert await journal.claim(intent.id, ME)
    second = asyncio.create_task(journal.claim(intent.id, ME))
    await asyncio.sleep(0)
    journal._writer.submit(lambda conn: None).result()
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    found = await journal.intent(intent.id)
    assert found is not None
    assert found.state is S.SENDING, "the first task may be sending it right now"


async def test_a_cancelled_record_is_written_all_the_same(journal: Journal) -> None:
    intent = await planned(journal)
    await journal.claim(intent.id, ME)
    recording = asyncio.create_task(journal.record(intent.id, S.ACCEPTED, by=ME, command_id="c1"))
    await asyncio.sleep(0)
    recording.cancel()
    with pytest.raises(asyncio.CancelledError):
        await recording
    found = await journal.intent(intent.id)
    assert found is not None
    assert (found.state, found.command_id) == (S.ACCEPTED, "c1")


@pytest.mark.parametrize(
    ("pragma", "sentence"),
    [("max_page_count=1", "The disk is full"), ("query_only=1", "may not be written")],
)
async def test_what_cannot_be_written_is_said_and_is_not_there(journal: Journal, pragma: str, sentence: str) -> None:
    intent = await planned(journal)
    await journal._writer.read(lambda conn: conn.execute(f"PRAGMA {pragma}").fetchall())
    calls = [
        lambda: journal.plan(replace(RUN, reason="x" * 200_000), [("d9", "Nine")], True),
        lambda: journal.claim(intent.id, "x" * 200_000),
        lambda: journal.record(intent.id, S.CANCELLED, by="ana", detail="x" * 200_000),
    ]
    for call in calls:
        with pytest.raises(FleetError, match=sentence) as caught:
            await call()
        assert (caught.value.kind, caught.value.sent) == (Kind.STORAGE, Sent.NEVER)
    assert await journal.intents(SCOPE) == [intent]
    assert len(await journal.events(intent.id)) == 1


async def test_nothing_is_claimed_after_the_end(journal: Journal) -> None:
    intent = await planned(journal)
    journal.close()
    with pytest.raises(Interrupted):
        await journal.claim(intent.id, ME)


async def test_a_lease_has_one_holder(journal: Journal, clock: Hand) -> None:
    mine = await journal.take_lease(SCOPE, "poll", "me", 30)
    assert mine is not None
    assert (mine.owner, mine.expires_at) == ("me", clock.now + 30)
    assert await journal.take_lease(SCOPE, "poll", "you", 30) is None
    assert await journal.take_lease(SCOPE, "send", "you", 30) is not None
    assert await journal.take_lease("midm:x", "poll", "you", 30) is not None
    clock.now += 20
    mine = await journal.renew(mine, 30)
    assert mine is not None
    assert (mine.taken_at, mine.expires_at) == (clock.now - 20, clock.now + 30)
    clock.now += 30
    yours = await journal.take_lease(SCOPE, "poll", "you", 30)
    assert yours is not None, "it had run out"
    assert await journal.renew(mine, 30) is None
    await journal.release(mine)
    assert await journal.lease(SCOPE, "poll") == yours
    assert await journal.take_lease(SCOPE, "poll", "me", 30, instead_of="they") is None
    assert await journal.take_lease(SCOPE, "poll", "me", 30, instead_of="you") is not None
    # Who saw the same dead owner comes too late.
    assert await journal.take_lease(SCOPE, "poll", "they", 30, instead_of="you") is None
    assert await journal.renew(yours, 30) is None
    held = await journal.lease(SCOPE, "poll")
    assert held is not None
    await journal.release(held)
    assert await journal.lease(SCOPE, "poll") is None


async def test_a_lease_made_by_a_clock_that_is_ahead_lasts_no_longer_than_its_time(
    journal: Journal, clock: Hand
) -> None:
    clock.now += 7200
    ahead = await journal.take_lease(SCOPE, "poll", "they", 30)
    assert ahead is not None
    clock.now -= 7200
    assert await journal.take_lease(SCOPE, "poll", "me", 30) is None, "they may live"
    clock.now += 7200 + 20
    assert await journal.renew(ahead, 30) is not None, "it is theirs as long as they renew it"
    clock.now -= 7200
    assert await journal.take_lease(SCOPE, "poll", "me", 30) is None
    clock.now += 29
    assert await journal.take_lease(SCOPE, "poll", "me", 30) is None, "looking does not make it longer"
    clock.now += 2
    mine = await journal.take_lease(SCOPE, "poll", "me", 30)
    assert mine is not None and mine.owner == "me"


async def fill(path: Path, clock: Hand) -> None:
    journal = Journal.open(path, clock)
    for turn in range(12):
        (intent,) = await journal.plan(
            replace(RUN, reason=f"reason {turn}"), [(f"device-{turn}", f"Dock {turn}")], False
        )
        await journal.claim(intent.id, ME)
        await journal.record(intent.id, S.ACCEPTED, by=ME, detail=f"answer {turn}", command_id=f"command-{turn}")
    assert await journal.verify() == []
    journal.close()


async def findings(path: Path, clock: Hand) -> list[str]:
    try:
        journal = Journal.open(path, clock)
    except FleetError as error:
        return [error.sentence()]
    try:
        return await journal.verify()
    finally:
        journal.close()


@pytest.mark.parametrize("text", [b"answer 7", b"reason 7", b"device-7", b"command-7", b"Dock 7", b"ABC123", b"pts/1"])
async def test_a_flipped_byte_in_what_was_written_is_found(tmp_path: Path, clock: Hand, text: bytes) -> None:
    await fill(tmp_path / "j.db", clock)
    data = bytearray((tmp_path / "j.db").read_bytes())
    at = data.find(text)
    assert at > 0
    data[at] ^= 0x01
    (tmp_path / "j.db").write_bytes(data)
    assert await findings(tmp_path / "j.db", clock)


async def test_flipped_bytes_anywhere_never_end_in_a_traceback(tmp_path: Path, clock: Hand) -> None:
    await fill(tmp_path / "j.db", clock)
    whole = (tmp_path / "j.db").read_bytes()
    dice = random.Random(4)
    for turn in range(60):
        data = bytearray(whole)
        for _ in range(20):
            data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
        path = tmp_path / f"{turn}.db"
        path.write_bytes(data)
        try:
            journal = Journal.open(path, clock)
        except FleetError:
            assert path.read_bytes() == data
            continue
        try:
            await journal.verify()
            for intent in await journal.intents(SCOPE):
                await journal.events(intent.id)
        except FleetError as error:
            assert error.sentence()
        finally:
            journal.close()


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("UPDATE intent SET device_id = 'victim' WHERE seq = 0", "is not what"),
        ("UPDATE intent SET state = 'planned'", "is not what its last event says"),
        ("UPDATE run SET confirm_text = 'yes'", "is not what was confirmed"),
        ("DELETE FROM intent WHERE rowid = 3", "is missing"),
        ("DROP TRIGGER event_no_delete; DELETE FROM event WHERE seq = 5", "Events 5 to 5 are missing"),
        ("DROP TRIGGER event_no_delete; DELETE FROM event WHERE seq = 36", "is not what its last event says"),
        ("DROP TRIGGER event_no_update; UPDATE event SET by = 'somebody' WHERE seq = 5", "was altered"),
    ],
)
async def test_edits_with_sql_are_found(tmp_path: Path, clock: Hand, sql: str, said: str) -> None:
    await fill(tmp_path / "j.db", clock)
    conn = sqlite3.connect(tmp_path / "j.db")
    conn.executescript(sql)
    conn.close()
    found = await findings(tmp_path / "j.db", clock)
    assert any(said in line for line in found), found


@pytest.mark.parametrize("sql", ["UPDATE event SET detail = 'x'", "DELETE FROM event"])
async def test_events_are_only_ever_added(tmp_path: Path, clock: Hand, sql: str) -> None:
    await fill(tmp_path / "j.db", clock)
    conn = sqlite3.connect(tmp_path / "j.db")
    with pytest.raises(sqlite3.IntegrityError, match="only ever added"):
        conn.execute(sql)
    conn.close()


async def test_a_secret_given_to_an_order_is_in_no_file(journal: Journal, tmp_path: Path) -> None:
    secret = "s3cr3t-Tr0ub4dor"
    order = Order("RESET_PASSWORD", {"newPassword": secret})
    run = replace(RUN, name=order.name, args_redacted="new password set")
    (intent,) = await journal.plan(run, [("d1", "Dock 1")], True, order.duration)
    await journal.claim(intent.id, ME)
    await journal.record(intent.id, S.UNKNOWN, by=ME, detail=repr(order), error=repr(order))
    journal.close()
    files = list((tmp_path / "state").iterdir())
    assert files
    assert not [path for path in files if secret.encode() in path.read_bytes()]


def test_owner_strings_tell_this_process_from_others_with_its_number() -> None:
    mine = owner.current()
    assert owner.alive(mine)
    host, pid, started, boot = mine.rsplit(":", 3)
    assert not owner.alive(f"{host}:{pid}:{started}1:{boot}"), "the number was given out again"
    assert not owner.alive(f"{host}:{pid}:{started}:before-the-last-start")
    assert not owner.alive(f"{host}:{2**22 + 1}:{started}:{boot}")
    assert owner.alive(f"another-host:{pid}:{started}:{boot}"), "nothing here can tell"
    for strange in ("", "x", "a:b:c:d", f"{host}:0:{started}:{boot}", f"{host}:-1:{started}:{boot}"):
        assert not owner.alive(strange)


def test_the_picture_is_whole() -> None:
    assert set(CELLS) == set(itertools.product(ORDER, ORDER))
    assert json.dumps(sorted(state.value for state in WAYS)) == json.dumps(sorted(state.value for state in ORDER))


async def test_what_is_still_planned_is_given_up_together_and_nothing_else_is(journal: Journal) -> None:
    intents = await journal.plan(RUN, [(f"d{number}", "Dock") for number in range(4)], False)
    assert await journal.claim(intents[0].id, ME)
    await journal.record(intents[1].id, S.REJECTED, by=ME, error="refused")
    assert await journal.give_up([intent.id for intent in intents], by=ME, why="stopped") == 2
    found = {intent.device_id: (intent.state, intent.error) for intent in await journal.intents(SCOPE)}
    assert found == {
        "d0": (S.SENDING, ""),
        "d1": (S.REJECTED, "refused"),
        "d2": (S.CANCELLED, "stopped"),
        "d3": (S.CANCELLED, "stopped"),
    }
    assert await journal.verify() == []


async def test_intents_are_asked_for_by_name_before_they_are_counted(journal: Journal) -> None:
    locks = await journal.plan(RUN, [("d1", "Dock")], False)
    await journal.plan(replace(RUN, name="REGISTER"), [(f"s{number}", "K245") for number in range(3)], False)
    assert await journal.intents(SCOPE, limit=1, names=["LOCK", "REBOOT"]) == locks
    assert len(await journal.intents(SCOPE, names={"REGISTER"}, open_only=True)) == 3
    assert len(await journal.intents(SCOPE)) == 4
    assert await journal.intents(SCOPE, names=()) == []
