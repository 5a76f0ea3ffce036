"""The tables of journal.db, what an intent is, and the one table of its transitions (RULES §3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mdm_tui.fleet.commands import State

__all__ = ["INTENT_COLUMNS", "STEPS", "TRANSITIONS", "Event", "Intent", "Lease", "Run", "allowed"]

STEPS: tuple[Any, ...] = (
    (
        """CREATE TABLE run(
            id TEXT PRIMARY KEY, created_at REAL NOT NULL, actor TEXT NOT NULL, tty TEXT NOT NULL,
            connection TEXT NOT NULL, name TEXT NOT NULL, args_redacted TEXT NOT NULL, reason TEXT NOT NULL,
            selector TEXT NOT NULL DEFAULT '', snapshot_sha256 TEXT NOT NULL DEFAULT '', expected INTEGER NOT NULL,
            batches TEXT NOT NULL DEFAULT '', rate REAL, concurrency INTEGER, max_failures INTEGER,
            plan_sha256 TEXT NOT NULL, confirmed_at REAL NOT NULL, confirm_text TEXT NOT NULL,
            state TEXT NOT NULL DEFAULT '')""",
        """CREATE TABLE intent(
            id TEXT PRIMARY KEY, run_id TEXT NOT NULL REFERENCES run(id), seq INTEGER NOT NULL,
            parent TEXT NOT NULL DEFAULT '', connection TEXT NOT NULL, device_id TEXT NOT NULL,
            device_name TEXT NOT NULL, name TEXT NOT NULL, args_redacted TEXT NOT NULL, destructive INTEGER NOT NULL,
            duration REAL, state TEXT NOT NULL, baseline_ids TEXT, baseline_at REAL, owner TEXT NOT NULL DEFAULT '',
            command_id TEXT, http_status INTEGER, error TEXT NOT NULL DEFAULT '', created_at REAL NOT NULL,
            sent_at REAL, unknown_at REAL, updated_at REAL NOT NULL, UNIQUE (run_id, device_id, name))""",
        "CREATE INDEX intent_state ON intent(connection, state)",
        "CREATE INDEX intent_newest ON intent(connection, created_at)",
        # A command of the service answers for one intent only.
        """CREATE UNIQUE INDEX intent_command ON intent(connection, device_id, command_id)
            WHERE command_id IS NOT NULL""",
        """CREATE TABLE event(
            seq INTEGER PRIMARY KEY AUTOINCREMENT, intent_id TEXT NOT NULL, at REAL NOT NULL, at_mono REAL NOT NULL,
            from_state TEXT NOT NULL, to_state TEXT NOT NULL, by TEXT NOT NULL, detail TEXT NOT NULL,
            digest TEXT NOT NULL, prev_hash TEXT NOT NULL, hash TEXT NOT NULL)""",
        "CREATE INDEX event_intent ON event(intent_id)",
        """CREATE TRIGGER event_no_update BEFORE UPDATE ON event
            BEGIN SELECT RAISE(ABORT, 'events are only ever added'); END""",
        """CREATE TRIGGER event_no_delete BEFORE DELETE ON event
            BEGIN SELECT RAISE(ABORT, 'events are only ever added'); END""",
        """CREATE TABLE lease(
            connection TEXT NOT NULL, purpose TEXT NOT NULL, owner TEXT NOT NULL, taken_at REAL NOT NULL,
            renewed_at REAL NOT NULL, expires_at REAL NOT NULL, PRIMARY KEY (connection, purpose))""",
    ),
)

_LADDER = (State.ACCEPTED, State.PUSHED, State.DELIVERED, State.RECEIVED)
_ENDS = frozenset({State.DONE, State.FAILED, State.EXPIRED, State.CANCELLED})

# From → to. planned → sending is `claim` alone. Nothing leaves an end, nothing goes back but what was never sent.
TRANSITIONS: dict[State, frozenset[State]] = {
    State.PLANNED: frozenset({State.SENDING, State.CANCELLED, State.REJECTED}),
    State.SENDING: frozenset({State.PLANNED, State.ACCEPTED, State.REJECTED, State.UNKNOWN}),
    # `absent` from here on: the service had it and has it no more.
    **{step: frozenset(_LADDER[index + 1 :]) | _ENDS | {State.ABSENT} for index, step in enumerate(_LADDER)},
    State.UNKNOWN: frozenset({State.ACCEPTED, State.ABSENT, State.AMBIGUOUS}),
    # The late-arrival watch: evidence that comes after all. A resend is a new intent, never an edge.
    State.ABSENT: frozenset({State.ACCEPTED, State.AMBIGUOUS}),
    State.AMBIGUOUS: frozenset({State.ACCEPTED}),
    **{end: frozenset() for end in (*_ENDS, State.REJECTED)},
}


def allowed(old: State, new: State) -> bool:
    """Whether the table has this transition."""
    return new in TRANSITIONS[old]


@dataclass(frozen=True, slots=True)
class Run:
    """What a person confirmed: who, where, what, why, and what they typed. args_redacted holds no secret.

    expected: for how many devices it was confirmed. selector: the query the targets came from.
    """

    actor: str
    tty: str
    connection: str
    name: str
    args_redacted: str
    reason: str
    confirm_text: str
    expected: int
    selector: str = ""


@dataclass(frozen=True, slots=True)
class Intent:
    """One command for one device. `id` is its idempotency key. Times in epoch seconds.

    baseline_ids: the device's commands before it was sent, None while they were not read. duration: as asked.
    parent: the intent that this one sends again, "" for none.
    """

    id: str
    run_id: str
    connection: str
    device_id: str
    device_name: str
    name: str
    args_redacted: str
    destructive: bool
    duration: float | None
    state: State
    command_id: str | None
    baseline_ids: tuple[str, ...] | None
    baseline_at: float | None
    owner: str
    created_at: float
    sent_at: float | None
    unknown_at: float | None
    updated_at: float
    http_status: int | None
    error: str
    parent: str
    actor: str
    reason: str


# The columns of table intent that an event's digest covers, in the order in which it does.
INTENT_COLUMNS = (
    "id", "run_id", "seq", "parent", "connection", "device_id", "device_name", "name", "args_redacted",
    "destructive", "duration", "state", "baseline_ids", "baseline_at", "owner", "command_id", "http_status", "error",
    "created_at", "sent_at", "unknown_at", "updated_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to an intent. from and to are equal where the state did not change; from is "" at its birth."""

    seq: int
    intent_id: str
    at: float
    from_state: str
    to_state: str
    by: str
    detail: str


@dataclass(frozen=True, slots=True)
class Lease:
    """Who may do something for a connection, and until when unless renewed. Times in epoch seconds."""

    connection: str
    purpose: str
    owner: str
    taken_at: float
    renewed_at: float
    expires_at: float
