"""Which device is in which group, where a service tells it by group and not by device."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable

from .keys import sort_key, storable
from .mirror_apply import Changes

__all__ = ["apply_members", "follow"]

_SET = "UPDATE device SET f_groupid = ?, f_group = ?, s_group = ?, member_at = ? WHERE k = ?"


def apply_members(
    conn: sqlite3.Connection,
    number: int,
    group_id: str,
    group_name: str,
    device_ids: Iterable[str],
    complete: bool,
    at: float,
    watched: frozenset[str] = frozenset(),
) -> Changes:
    """Put these devices into a group; complete: nobody else is in it."""
    changes = Changes()
    group, name = storable(group_id), storable(group_name)
    wanted = {str(storable(item)) for item in device_ids}
    rows = conn.execute(
        "SELECT k, id, f_groupid, f_group FROM device "
        "WHERE conn = ? AND id IN (SELECT value FROM json_each(?)) AND coalesce(member_at <= ?, 1)",
        (number, json.dumps(sorted(wanted)), at),
    ).fetchall()
    if complete:
        inside = conn.execute(
            "SELECT k, id, f_groupid, f_group FROM device "
            "WHERE conn = ? AND f_groupid = ? AND coalesce(member_at <= ?, 1)",
            (number, group, at),
        ).fetchall()
        _put(conn, [row for row in inside if row[1] not in wanted], None, None, at, changes)
    _put(conn, rows, group, name, at, changes)
    changes.moved = bool(changes.fields & watched)
    return changes


def follow(
    conn: sqlite3.Connection,
    number: int,
    touched: Collection[str],
    gone: Collection[str],
    watched: frozenset[str] = frozenset(),
) -> Changes:
    """Give the members of touched groups their group's name, and those of gone ones no group."""
    changes = Changes()
    renamed = conn.execute(
        "SELECT k, device.id, f_groupid, f_group, name, member_at FROM json_each(?) "
        "JOIN item ON item.conn = ? AND item.kind = 'group' AND item.id = value "
        "JOIN device ON device.conn = item.conn AND f_groupid = item.id WHERE f_group IS NOT name",
        (json.dumps(sorted(touched)), number),
    ).fetchall()
    for row in renamed:
        _put(conn, [row[:4]], row[2], row[4], row[5], changes)
    left = conn.execute(
        "SELECT k, id, f_groupid, f_group, member_at FROM device "
        "WHERE conn = ? AND f_groupid IN (SELECT value FROM json_each(?))",
        (number, json.dumps([storable(item) for item in gone])),
    ).fetchall()
    for row in left:
        _put(conn, [row[:4]], None, None, row[4], changes)
    changes.moved = bool(changes.fields & watched)
    return changes


def _put(
    conn: sqlite3.Connection,
    rows: Iterable[tuple],
    group: object,
    name: object,
    at: float | None,
    changes: Changes,
) -> None:
    key = sort_key(name if isinstance(name, str) else None)
    for k, device_id, old_group, old_name in rows:
        fields = frozenset(
            field for field, old, new in (("groupid", old_group, group), ("group", old_name, name)) if old != new
        )
        if fields:
            conn.execute(_SET, (group, name, key, at, k))
            changes.changed[device_id] = changes.changed.get(device_id, frozenset()) | fields
