"""Reading devices from the mirror: ids of a view, windows of rows, one device in full."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from mdm_tui.fleet.devices import Device, Value
from mdm_tui.fleet.fields import COLUMNS
from mdm_tui.fleet.text import normal_serial

from .compile import CONN, View, count_statement, id_statement
from .keys import storable
from .mirror_apply import MEMBERSHIP, unpack

__all__ = ["Counts", "Row", "Stored", "counts", "device", "facts", "find", "ids", "known_values", "rows"]

_KEYS = tuple(COLUMNS)
_FIELDS = ", ".join(f"f_{key}" for key in _KEYS)
_ROWS = (
    f"SELECT id, at, unreadable, member_at, {_FIELDS} FROM device "
    f"WHERE conn = {CONN} AND id IN (SELECT value FROM json_each(?))"
)
_FOUND_LIMIT = 100


class Row(NamedTuple):
    """A line of the grid. at: when it was last read from the service, epoch seconds. unreadable: why, or "".

    values: without `group` and `groupid` while it was not told which group it is in.
    """

    id: str
    values: dict[str, Value]
    unreadable: str
    at: float


@dataclass(frozen=True, slots=True)
class Stored:
    """A device as last seen. `device.raw` is the full view if it was ever opened, else the list's; seen_at: its age."""

    device: Device
    seen_at: float


class Counts(NamedTuple):
    """total, problems (faults, unreadable or silent) and silent: of the connection's segment; matching: of the view."""

    total: int
    matching: int
    problems: int
    silent: int


def ids(conn: sqlite3.Connection, view: View) -> list[str]:
    """The ids of a view, in order: one statement, one row."""
    sql, params = id_statement(view)
    return json.loads(conn.execute(sql, params).fetchone()[0])


def known_values(columns: Sequence[Value], member_at: float | None) -> dict[str, Value]:
    """The values of a device's columns by key, without its group where nobody told yet which it is in, or none."""
    found = dict(zip(_KEYS, columns, strict=True))
    if member_at is None and found["groupid"] is None and found["group"] is None:
        for key in MEMBERSHIP:
            del found[key]
    return found


def rows(conn: sqlite3.Connection, scope: str, wanted: Sequence[str]) -> dict[str, Row]:
    """Rows by id; what is not there is left out. Reads as many rows as are asked for."""
    found = conn.execute(_ROWS, (scope, json.dumps([storable(item) for item in wanted]))).fetchall()
    return {row[0]: Row(row[0], known_values(row[4:], row[3]), row[2], row[1]) for row in found}


def facts(
    conn: sqlite3.Connection, scope: str, fields: Sequence[str], only: Sequence[str] | None = None
) -> dict[str, tuple[Value, ...]]:
    """Some columns of all devices, or of `only` these: id → values. One row is fetched, see `compile.id_statement`."""
    columns = ", ".join(("id", *(f"f_{COLUMNS[key].key}" for key in fields)))
    sql = f"SELECT json_group_array(json_array({columns})) FROM device WHERE conn = {CONN}"
    params: list[object] = [scope]
    if only is not None:
        sql += " AND id IN (SELECT value FROM json_each(?))"
        params.append(json.dumps([storable(item) for item in only]))
    return {row[0]: tuple(row[1:]) for row in json.loads(conn.execute(sql, params).fetchone()[0])}


def present_since(conn: sqlite3.Connection, scope: str, since: float) -> frozenset[str]:
    """Ids of the devices that the service listed at or after a moment."""
    sql = f"SELECT json_group_array(id) FROM device WHERE conn = {CONN} AND present_at >= ?"
    return frozenset(json.loads(conn.execute(sql, (scope, since)).fetchone()[0]))


def device(conn: sqlite3.Connection, scope: str, device_id: str) -> Stored | None:
    """One device with its JSON text."""
    row = conn.execute(
        f"SELECT device.at, unreadable, list, detail, detail_at, member_at, {_FIELDS} "
        f"FROM device LEFT JOIN raw USING (k) WHERE conn = {CONN} AND id = ?",
        (scope, storable(device_id)),
    ).fetchone()
    if row is None:
        return None
    at, unreadable, listed, detail, detail_at = row[:5]
    whole = detail is not None
    values = known_values(row[6:], row[5])
    found = Device(device_id, values, unpack(detail if whole else listed), whole, unreadable)
    return Stored(found, detail_at if whole else at)


def counts(conn: sqlite3.Connection, view: View) -> Counts:
    """Counted in one pass."""
    sql, params = count_statement(view)
    total, matching, problems, silent = conn.execute(sql, params).fetchone()
    return Counts(int(total), int(matching), int(problems), int(silent))


def find(conn: sqlite3.Connection, scope: str, text: str) -> list[str]:
    """Who a person means by an id, a serial, or the beginning of either; several when it is not unique.

    An exact id wins over a serial, a serial over a beginning. Placeholder serials find nobody.
    """
    text = str(storable(text.strip()))
    if not text:
        return []
    if conn.execute(f"SELECT 1 FROM device WHERE conn = {CONN} AND id = ?", (scope, text)).fetchone():
        return [text]
    serial = normal_serial(text)
    if serial:
        same = conn.execute(
            f"SELECT id FROM device INDEXED BY device_twin WHERE conn = {CONN} AND serial_key = ? ORDER BY id",
            (scope, serial),
        ).fetchall()
        if same:
            return [row[0] for row in same]
    top = "\U0010ffff"
    begin = "".join(text.split()).upper()
    begun = conn.execute(
        f"SELECT id FROM device WHERE conn = {CONN} AND id >= ? AND id < ? "
        f"UNION SELECT id FROM device INDEXED BY device_twin "
        f"WHERE +conn = {CONN} AND serial_key >= ? AND serial_key < ? ORDER BY id LIMIT ?",
        (scope, text, text + top, scope, begin, begin + top, _FOUND_LIMIT),
    ).fetchall()
    return [row[0] for row in begun]
