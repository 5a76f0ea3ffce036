"""The chain of events: each holds the hash of the one before it and a digest of its intent, so that edits show."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from collections.abc import Sequence
from typing import Any

from .journal_schema import INTENT_COLUMNS, Run

__all__ = ["append", "plan_digest", "verify"]

_ROW = (
    f"SELECT {', '.join(f'intent.{name}' for name in INTENT_COLUMNS)}, run.plan_sha256 FROM intent "
    "JOIN run ON run.id = run_id WHERE intent.id = ?"
)
_EVENT = "seq, intent_id, at, at_mono, from_state, to_state, by, detail, digest, prev_hash"


def append(conn: sqlite3.Connection, intent_id: str, at: float, states: tuple[str, str], by: str, detail: str) -> None:
    """Add an event, inside the caller's transaction and after the intent's row was written."""
    last = conn.execute("SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1").fetchone() or (0, "")
    digest = _sha(conn.execute(_ROW, (intent_id,)).fetchone())
    row = (last[0] + 1, intent_id, at, time.monotonic(), *states, by, detail, digest, last[1])
    conn.execute(f"INSERT INTO event({_EVENT}, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (*row, _sha(row)))


def plan_digest(run: Run, created_at: float, targets: Sequence[tuple[str, str]]) -> str:
    """The digest of what was confirmed: the run and its frozen targets, in order."""
    said = (run.actor, run.tty, run.connection, run.name, run.args_redacted, run.reason, run.selector)
    return _sha((*said, run.expected, run.confirm_text, created_at, [list(target) for target in targets]))


def verify(conn: sqlite3.Connection) -> list[str]:
    """What does not add up, one sentence each; none when the journal is as it was written."""
    factory = conn.text_factory
    # A flipped byte may be no text any more: it has to be found, not stumbled over.
    conn.text_factory = lambda data: data.decode("utf-8", "replace")
    try:
        return _verify(conn)
    finally:
        conn.text_factory = factory


def _verify(conn: sqlite3.Connection) -> list[str]:
    found = [f"SQLite says: {row[0]}" for row in conn.execute("PRAGMA integrity_check(20)") if row[0] != "ok"]
    before, number = "", 0
    latest: dict[str, str] = {}
    for row in conn.execute(f"SELECT {_EVENT}, hash FROM event ORDER BY seq"):
        number += 1
        if row[0] != number:
            found.append(f"Events {number} to {row[0] - 1} are missing")
            number = row[0]
        if row[9] != before:
            found.append(f"Event {row[0]} does not follow the one before it")
        if row[10] != _sha(row[:10]):
            found.append(f"Event {row[0]} of intent {row[1]} was altered")
        before = row[10]
        latest[row[1]] = row[8]
    for (intent_id,) in conn.execute("SELECT id FROM intent ORDER BY rowid").fetchall():
        if latest.pop(intent_id, None) != _sha(conn.execute(_ROW, (intent_id,)).fetchone()):
            found.append(f"Intent {intent_id} is not what its last event says")
    found += [f"Intent {intent_id} is missing" for intent_id in latest]
    return found + _verify_runs(conn)


def _verify_runs(conn: sqlite3.Connection) -> list[str]:
    found: list[str] = []
    names = "actor, tty, connection, name, args_redacted, reason, confirm_text, expected, selector"
    for run_id, kept, at, *said in conn.execute(f"SELECT id, plan_sha256, created_at, {names} FROM run").fetchall():
        targets = conn.execute("SELECT device_id, device_name FROM intent WHERE run_id = ? ORDER BY seq", (run_id,))
        if plan_digest(Run(*said), at, targets.fetchall()) != kept:
            found.append(f"Run {run_id} is not what was confirmed")
    return found


def _sha(row: Sequence[Any] | None) -> str:
    return hashlib.sha256(json.dumps(row, default=repr).encode()).hexdigest()
