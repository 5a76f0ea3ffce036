"""The journal's statements, each inside the caller's transaction."""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Callable, Collection, Sequence
from dataclasses import astuple
from typing import Any

from mdm_tui.fleet.commands import State
from mdm_tui.fleet.errors import FleetError, Kind, Sent

from . import journal_chain
from .files import MOVE_AWAY, Damaged
from .journal_schema import Event, Intent, Lease, Run, allowed
from .keys import storable

__all__ = [
    "baseline",
    "claim",
    "events",
    "give_up",
    "intent",
    "intents",
    "lease",
    "note",
    "plan",
    "record",
    "recover",
    "release",
    "take_lease",
    "withdraw",
]

_COLUMNS = (
    "intent.id, run_id, intent.connection, device_id, device_name, intent.name, intent.args_redacted, destructive, "
    "duration, intent.state, command_id, baseline_ids, baseline_at, owner, intent.created_at, sent_at, unknown_at, "
    "updated_at, http_status, error, parent, run.actor, run.reason"
)
_SELECT = f"SELECT {_COLUMNS} FROM intent JOIN run ON run.id = run_id"
_OPEN = tuple(state.value for state in State if not state.ended)


def plan(
    conn: sqlite3.Connection,
    run: Run,
    targets: Sequence[tuple[str, str]],
    destructive: bool,
    duration: float | None,
    parent: str,
    now: float,
) -> list[Intent]:
    """Write a run and an intent for each target."""
    ids = [target[0] for target in targets]
    if not ids or len(set(ids)) != len(ids):
        raise FleetError(Kind.INVALID, "A run needs devices, each of them once", sent=Sent.NEVER)
    run = Run(*(storable(value) for value in astuple(run)))  # type: ignore[arg-type]
    clean = [(str(storable(device_id)), str(storable(name))) for device_id, name in targets]
    run_id = uuid.uuid4().hex
    conn.execute(
        "INSERT INTO run(id, created_at, actor, tty, connection, name, args_redacted, reason, selector, expected, "
        "plan_sha256, confirmed_at, confirm_text) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (run_id, now, run.actor, run.tty, run.connection, run.name, run.args_redacted, run.reason, run.selector,
         run.expected, journal_chain.plan_digest(run, now, clean), now, run.confirm_text),
    )  # fmt: skip
    made: list[Intent] = []
    for seq, (device_id, device_name) in enumerate(clean):
        intent_id = str(uuid.uuid4())
        conn.execute(
            "INSERT INTO intent(id, run_id, seq, parent, connection, device_id, device_name, name, args_redacted, "
            "destructive, duration, state, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (intent_id, run_id, seq, parent, run.connection, device_id, device_name, run.name, run.args_redacted,
             int(destructive), duration, State.PLANNED.value, now, now),
        )  # fmt: skip
        journal_chain.append(conn, intent_id, now, ("", State.PLANNED.value), run.actor, "")
        made.append(_needed(conn, intent_id))
    return made


def claim(conn: sqlite3.Connection, intent_id: str, owner: str, now: float) -> bool:
    """planned → sending for this owner; False when it is not planned any more."""
    cursor = conn.execute(
        "UPDATE intent SET state = ?, owner = ?, sent_at = ?, updated_at = ? WHERE id = ? AND state = ?",
        (State.SENDING.value, owner, now, now, intent_id, State.PLANNED.value),
    )
    if cursor.rowcount != 1:
        _needed(conn, intent_id)
        return False
    journal_chain.append(conn, intent_id, now, (State.PLANNED.value, State.SENDING.value), owner, "")
    return True


def withdraw(conn: sqlite3.Connection, intent_id: str, owner: str, now: float) -> None:
    """Give a claim back whose caller went away before it could send."""
    found = intent(conn, intent_id)
    if found is not None and found.state is State.SENDING and found.owner == owner:
        record(conn, intent_id, State.PLANNED, by=owner, detail="given up before it was sent", now=now)


def record(
    conn: sqlite3.Connection,
    intent_id: str,
    to: State,
    *,
    by: str,
    now: float,
    detail: str = "",
    command_id: str | None = None,
    http_status: int | None = None,
    error: str = "",
) -> Intent:
    """Move an intent on, with its event."""
    found = _needed(conn, intent_id)
    if to is State.SENDING or not allowed(found.state, to):
        raise FleetError(
            Kind.CONFLICT, f"Intent {intent_id} is {found.state.value} and cannot become {to.value}", sent=Sent.NEVER
        )
    fields: dict[str, Any] = {"state": to.value, "updated_at": now, "error": storable(error)}
    if command_id is not None:
        if found.command_id not in (None, command_id):
            raise FleetError(
                Kind.CONFLICT, f"Intent {intent_id} already has the command {found.command_id}", sent=Sent.NEVER
            )
        fields["command_id"] = storable(command_id)
    if http_status is not None:
        fields["http_status"] = http_status
    if to is State.PLANNED:
        fields |= {"owner": "", "sent_at": None}
    elif to is State.UNKNOWN:
        fields["unknown_at"] = now
    pairs = ", ".join(f"{name} = ?" for name in fields)
    try:
        conn.execute(f"UPDATE intent SET {pairs} WHERE id = ?", (*fields.values(), intent_id))
    except sqlite3.IntegrityError as caught:
        raise FleetError(
            Kind.CONFLICT, f"The command {command_id} belongs to another intent already", sent=Sent.NEVER
        ) from caught
    journal_chain.append(conn, intent_id, now, (found.state.value, to.value), by, str(storable(detail)))
    return _needed(conn, intent_id)


def give_up(conn: sqlite3.Connection, intent_ids: Sequence[str], by: str, why: str, now: float) -> int:
    """planned → cancelled for all that still are planned; how many."""
    planned = [key for key in intent_ids if _needed(conn, key).state is State.PLANNED]
    for key in planned:
        record(conn, key, State.CANCELLED, by=by, now=now, detail=why, error=why)
    return len(planned)


def note(conn: sqlite3.Connection, intent_id: str, by: str, detail: str, now: float) -> None:
    """An event without a change of state."""
    state = _needed(conn, intent_id).state.value
    journal_chain.append(conn, intent_id, now, (state, state), by, str(storable(detail)))


def baseline(conn: sqlite3.Connection, intent_id: str, ids: Sequence[str], at: float, now: float) -> None:
    """Keep which commands the device had before."""
    if _needed(conn, intent_id).state not in (State.PLANNED, State.SENDING):
        raise FleetError(Kind.CONFLICT, f"Intent {intent_id} was sent already: its baseline stays", sent=Sent.NEVER)
    conn.execute(
        "UPDATE intent SET baseline_ids = ?, baseline_at = ?, updated_at = ? WHERE id = ?",
        (json.dumps(list(ids)), at, now, intent_id),
    )
    note(conn, intent_id, "baseline", f"{len(ids)} commands before", now)


def recover(conn: sqlite3.Connection, is_alive: Callable[[str], bool], by: str, now: float) -> list[Intent]:
    """sending with a dead owner → unknown."""
    rows = conn.execute("SELECT id, owner FROM intent WHERE state = ?", (State.SENDING.value,)).fetchall()
    dead = {owner for owner in {row[1] for row in rows} if not is_alive(owner)}
    detail = "the process that was sending it has ended"
    return [
        record(conn, intent_id, State.UNKNOWN, by=by, now=now, detail=detail, error=detail)
        for intent_id, owner in rows
        if owner in dead
    ]


def intent(conn: sqlite3.Connection, intent_id: str) -> Intent | None:
    """One intent."""
    row = conn.execute(f"{_SELECT} WHERE intent.id = ?", (intent_id,)).fetchone()
    return _intent(row) if row else None


def intents(
    conn: sqlite3.Connection, connection: str, limit: int, open_only: bool, names: Collection[str] | None = None
) -> list[Intent]:
    """Newest first."""
    sql = f"{_SELECT} WHERE intent.connection = ?"
    params: list[Any] = [connection]
    if open_only:
        sql += " AND intent.state IN (SELECT value FROM json_each(?))"
        params.append(json.dumps(_OPEN))
    if names is not None:
        sql += " AND intent.name IN (SELECT value FROM json_each(?))"
        params.append(json.dumps(list(names)))
    sql += " ORDER BY intent.created_at DESC, intent.rowid DESC LIMIT ?"
    return [_intent(row) for row in conn.execute(sql, [*params, limit]).fetchall()]


def events(conn: sqlite3.Connection, intent_id: str) -> list[Event]:
    """In the order in which they happened."""
    sql = "SELECT seq, intent_id, at, from_state, to_state, by, detail FROM event WHERE intent_id = ? ORDER BY seq"
    return [Event(*row) for row in conn.execute(sql, (intent_id,)).fetchall()]


def lease(conn: sqlite3.Connection, connection: str, purpose: str) -> Lease | None:
    """Who holds it, also when it has run out."""
    row = conn.execute(
        "SELECT connection, purpose, owner, taken_at, renewed_at, expires_at FROM lease "
        "WHERE connection = ? AND purpose = ?",
        (connection, purpose),
    ).fetchone()
    return Lease(*row) if row else None


def take_lease(
    conn: sqlite3.Connection, connection: str, purpose: str, owner: str, ttl: float, now: float, instead_of: str
) -> Lease | None:
    """Take a lease that is free, run out, one's own, or held by the owner `instead_of`."""
    held = lease(conn, connection, purpose)
    if held is not None and held.owner not in (owner, instead_of) and held.expires_at > now:
        # Made by a clock that is ahead: from now on it lasts its time by this one, unless its owner renews it.
        conn.execute(
            "UPDATE lease SET expires_at = ? WHERE connection = ? AND purpose = ? AND expires_at > ?",
            (now + ttl, connection, purpose, now + ttl),
        )
        return None
    taken = held.taken_at if held is not None and held.owner == owner and held.expires_at > now else now
    conn.execute(
        "INSERT OR REPLACE INTO lease VALUES (?, ?, ?, ?, ?, ?)", (connection, purpose, owner, taken, now, now + ttl)
    )
    return lease(conn, connection, purpose)


def release(conn: sqlite3.Connection, held: Lease) -> None:
    """Give a lease back, if it still is this owner's."""
    conn.execute(
        "DELETE FROM lease WHERE connection = ? AND purpose = ? AND owner = ?",
        (held.connection, held.purpose, held.owner),
    )


def _needed(conn: sqlite3.Connection, intent_id: str) -> Intent:
    found = intent(conn, intent_id)
    if found is None:
        raise FleetError(Kind.NOT_FOUND, f"The journal has no intent {intent_id}", sent=Sent.NEVER)
    return found


def _intent(row: Sequence[Any]) -> Intent:
    values = list(row)
    values[7] = bool(values[7])
    try:
        values[9] = State(values[9])
        values[11] = None if values[11] is None else tuple(json.loads(values[11]))
    except (ValueError, TypeError) as error:
        raise Damaged(
            Kind.CONFIG, f"The journal is damaged at intent {values[0]} ({error})", sent=Sent.NEVER, todo=MOVE_AWAY
        ) from error
    return Intent(*values)
