"""Real processes, really killed: nothing is sent twice, and nothing that may have been sent is forgotten."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

from mdm_tui.fleet.commands import State
from mdm_tui.store import owner
from mdm_tui.store.history import Draft, History
from mdm_tui.store.journal import Intent, Journal, Run

HERE = Path(__file__).parent
SCOPE = "applivery:acme"
KILLS = 20
CRASHER = HERE / "crasher.py"


def start(*arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(HERE.parents[1])},
    )


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def rest(process: subprocess.Popen[str]) -> list[str]:
    assert process.stdout is not None
    return process.stdout.read().split()


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


async def planned(path: Path, count: int) -> list[Intent]:
    journal = Journal.open(path)
    run = Run("ana", "pts/1", SCOPE, "REBOOT", "", "test", str(count), count)
    intents = await journal.plan(run, [(f"d{i}", f"Dock {i}") for i in range(count)], False)
    journal.close()
    return intents


async def test_killed_between_claim_and_record_it_is_unknown_and_never_sent_again(tmp_path: Path) -> None:
    path, ledger = tmp_path / "journal.db", tmp_path / "ledger"
    (intent,) = await planned(path, 1)
    process = start(CRASHER, path, ledger, "hold")
    assert [line(process) for _ in range(3)] == ["ready", "claimed", "held"]
    journal = Journal.open(path)
    try:
        assert await journal.recover(owner.alive) == [], "its owner lives"
        end(process)
        (found,) = await journal.recover(owner.alive)
        assert (found.id, found.state) == (intent.id, State.UNKNOWN)
        assert not await journal.claim(intent.id, owner.current())
        assert await journal.verify() == []
    finally:
        journal.close()
    again = start(CRASHER, path, ledger, "work")
    assert (line(again), line(again)) == ("ready", "done")
    end(again)
    assert ledger.read_text().split() == [intent.id]


async def test_many_kills_at_any_moment_double_nothing_and_lose_nothing(tmp_path: Path) -> None:
    path, ledger = tmp_path / "journal.db", tmp_path / "ledger"
    intents = await planned(path, 600)
    ledger.touch()
    dice = random.Random(7)
    kills = 0
    for _ in range(KILLS):
        process = start(CRASHER, path, ledger, "work")
        assert line(process) == "ready"
        # A few steps further than the one before; it goes on meanwhile, so that the kill meets it anywhere.
        for _ in range(dice.randrange(1, 30)):
            line(process)
        kills += process.poll() is None
        end(process)
    journal = Journal.open(path)
    try:
        await journal.recover(owner.alive)
        states = {item.id: item.state for item in await journal.intents(SCOPE, limit=1000)}
        assert await journal.verify() == []
    finally:
        journal.close()
    sent = Counter(ledger.read_text().split())
    assert kills == KILLS
    assert set(states) == {item.id for item in intents}
    assert not [key for key, times in sent.items() if times > 1]
    assert {states[key] for key in sent} <= {State.ACCEPTED, State.UNKNOWN}
    assert all(states[key] is State.PLANNED or key in sent or states[key] is State.UNKNOWN for key in states)
    assert sum(state is State.UNKNOWN for state in states.values()) <= KILLS, "one at most for each kill"


async def test_two_processes_share_the_work_and_each_intent_has_one_sender(tmp_path: Path) -> None:
    path, ledger = tmp_path / "journal.db", tmp_path / "ledger"
    intents = await planned(path, 80)
    both = [start(CRASHER, path, ledger, "work") for _ in range(2)]
    said = [rest(process) for process in both]
    assert [lines[-1] for lines in said] == ["done", "done"]
    assert sum(lines.count("sent") for lines in said) == len(intents)
    for process in both:
        end(process)
    assert sorted(ledger.read_text().split()) == sorted(item.id for item in intents)
    journal = Journal.open(path)
    try:
        found = await journal.intents(SCOPE)
        assert {item.state for item in found} == {State.ACCEPTED}
        assert await journal.verify() == []
    finally:
        journal.close()


async def test_two_claims_at_once_have_one_winner(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    intents = await planned(path, 30)
    first, second = Journal.open(path), Journal.open(path)
    try:
        for intent in intents:
            won = await asyncio.gather(first.claim(intent.id, "first"), second.claim(intent.id, "second"))
            assert sorted(won) == [False, True]
        assert await first.verify() == []
    finally:
        first.close()
        second.close()


FULL_DISK = """
import asyncio, resource, signal, sys
from pathlib import Path
from mdm_tui.fleet.errors import FleetError
from mdm_tui.store.journal import Journal
from mdm_tui.store import owner

async def main(path):
    journal = Journal.open(path)
    (intent,) = await journal.intents("applivery:acme")
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    try:
        await journal.claim(intent.id, owner.current())
    except FleetError as error:
        print(error.kind.value, error.sent.value)
    journal.close()

asyncio.run(main(Path(sys.argv[1])))
"""


async def test_a_disk_that_takes_no_more_bytes_refuses_the_claim(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    (intent,) = await planned(path, 1)
    process = start("-c", FULL_DISK, path)
    assert rest(process) == ["storage", "never"]
    end(process)
    journal = Journal.open(path)
    assert await journal.intents(SCOPE) == [intent]
    journal.close()


DRAFTER = """
import asyncio, sys
from pathlib import Path
from mdm_tui.store.history import Draft, History

async def main(path):
    history = History.open(path)
    await history.put_draft(Draft("applivery:acme", "policy", "p1", "{}", '{"mine": true', 5.0))
    print("kept", flush=True)
    sys.stdin.read()

asyncio.run(main(Path(sys.argv[1])))
"""


async def test_a_draft_survives_the_kill(tmp_path: Path) -> None:
    process = start("-c", DRAFTER, tmp_path / "history.db")
    assert line(process) == "kept"
    end(process)
    history = History.open(tmp_path / "history.db")
    assert await history.drafts(SCOPE) == [Draft(SCOPE, "policy", "p1", "{}", '{"mine": true', 5.0)]
    history.close()
