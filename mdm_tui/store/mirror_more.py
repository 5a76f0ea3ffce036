"""Policies, commands seen at the service, and small notes in the mirror."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields

from mdm_tui.fleet.commands import Command, CommandResult, State
from mdm_tui.fleet.devices import Value
from mdm_tui.fleet.policies import Policy

from .compile import CONN
from .keys import sort_key, storable
from .mirror_apply import number_of

__all__ = ["Coverage"]

_POLICY = tuple(item.name for item in fields(Policy))
_COMMAND = tuple(item.name for item in fields(Command))


@dataclass(frozen=True, slots=True)
class Coverage:
    """For how many devices their commands were looked at. oldest_look: epoch seconds, None when there was none."""

    devices_known: int
    devices_total: int
    oldest_look: float | None


def get_meta(conn: sqlite3.Connection, scope: str, key: str) -> Value:
    row = conn.execute(f"SELECT value FROM note WHERE conn = {CONN} AND key = ?", (scope, key)).fetchone()
    return row[0] if row else None


def set_meta(conn: sqlite3.Connection, scope: str, key: str, value: Value) -> None:
    conn.execute("INSERT OR REPLACE INTO note VALUES (?, ?, ?)", (number_of(conn, scope), key, storable(value)))


def apply_policies(
    conn: sqlite3.Connection, scope: str, found: Sequence[Policy], complete: bool, at: float
) -> set[str]:
    """Bring policies in; complete: there are no others. Answers the ids that are new, changed or gone."""
    number = number_of(conn, scope)
    known = {policy.id: policy for policy in policies(conn, scope)}
    touched: set[str] = set()
    names = ", ".join(_POLICY)
    marks = ", ".join("?" * len(_POLICY))
    for policy in found:
        row = [storable(value) for value in astuple(policy)]
        old = known.pop(str(row[0]), None)
        if old is not None and (_older(policy.updated_at, old.updated_at) or list(_flat(old)) == row):
            continue
        conn.execute(f"INSERT OR REPLACE INTO policy(conn, at, {names}) VALUES (?, ?, {marks})", (number, at, *row))
        touched.add(str(row[0]))
    if complete:
        for gone in known:
            drop_policy(conn, scope, gone)
            touched.add(gone)
    return touched


def policies(conn: sqlite3.Connection, scope: str) -> list[Policy]:
    """All of a connection, by name."""
    rows = conn.execute(f"SELECT {', '.join(_POLICY)} FROM policy WHERE conn = {CONN}", (scope,)).fetchall()
    return sorted(map(_policy, rows), key=lambda policy: (sort_key(policy.name) or "\U0010ffff", policy.id))


def policy(conn: sqlite3.Connection, scope: str, policy_id: str) -> Policy | None:
    row = conn.execute(
        f"SELECT {', '.join(_POLICY)} FROM policy WHERE conn = {CONN} AND id = ?", (scope, policy_id)
    ).fetchone()
    return _policy(row) if row else None


def drop_policy(conn: sqlite3.Connection, scope: str, policy_id: str) -> None:
    conn.execute(f"DELETE FROM policy WHERE conn = {CONN} AND id = ?", (scope, policy_id))


def apply_commands(
    conn: sqlite3.Connection, scope: str, device_id: str, found: Sequence[Command], at: float
) -> set[str]:
    """Bring a device's commands in and note that it was looked at. Answers the ids that are new or changed."""
    number = number_of(conn, scope)
    known = {command.id: command for command in commands(conn, scope, device_id)}
    names = ", ".join(_COMMAND)
    marks = ", ".join("?" * len(_COMMAND))
    touched: set[str] = set()
    for command in found:
        old = known.get(command.id)
        if old is not None and (_older(command.updated_at, old.updated_at) or old == command):
            continue
        row = [storable(_plain(getattr(command, name))) for name in _COMMAND]
        conn.execute(f"INSERT OR REPLACE INTO command(conn, at, {names}) VALUES (?, ?, {marks})", (number, at, *row))
        touched.add(command.id)
    conn.execute(
        "INSERT INTO look VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET at = max(at, excluded.at)",
        (number, device_id, at),
    )
    return touched


def commands(conn: sqlite3.Connection, scope: str, device_id: str | None = None) -> list[Command]:
    """Commands seen at the service, newest first."""
    sql = f"SELECT {', '.join(_COMMAND)} FROM command WHERE conn = {CONN}"
    params = [scope]
    if device_id is not None:
        sql += " AND device_id = ?"
        params.append(device_id)
    return [
        _command(row) for row in conn.execute(f"{sql} ORDER BY created_at DESC NULLS LAST, id DESC", params).fetchall()
    ]


def coverage(conn: sqlite3.Connection, scope: str) -> Coverage:
    known, total, oldest = conn.execute(
        f"SELECT count(look.at), count(*), min(look.at) FROM device "
        f"LEFT JOIN look ON look.conn = device.conn AND look.device_id = device.id WHERE device.conn = {CONN}",
        (scope,),
    ).fetchone()
    return Coverage(known, total, oldest)


def _older(new: float | None, old: float | None) -> bool:
    return new is not None and old is not None and new < old


def _flat(policy: Policy) -> tuple[Value, ...]:
    return tuple(storable(value) for value in astuple(policy))


def _policy(row: Sequence) -> Policy:
    values = dict(zip(_POLICY, row, strict=True))
    values["private"] = None if values["private"] is None else bool(values["private"])
    return Policy(**values)


def _plain(value: object) -> Value:
    if isinstance(value, State):
        return value.value
    if isinstance(value, tuple):
        return json.dumps([astuple(item) for item in value])
    return value  # type: ignore[return-value]


def _command(row: Sequence) -> Command:
    values = dict(zip(_COMMAND, row, strict=True))
    values["state"] = State(values["state"])
    values["results"] = tuple(CommandResult(*item) for item in json.loads(values["results"]))
    return Command(**values)
