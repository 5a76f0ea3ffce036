"""Devices into the mirror: what is new, what changed and in which fields, what has gone."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from mdm_tui.fleet import faults
from mdm_tui.fleet.devices import Device, Value
from mdm_tui.fleet.fields import COLUMNS, is_named
from mdm_tui.fleet.text import normal_serial

from .keys import SEARCHED, SORT_KEYS, search_text, sort_key, storable

__all__ = ["Changes", "apply", "drop", "finish_walk", "number_of", "pack", "unpack"]

# A device stays until this many full walks in a row have missed it.
MISSES = 2
# What a device is told by its group's list, where its own answer does not say it.
MEMBERSHIP = ("group", "groupid")

_KEYS = tuple(COLUMNS)
# What tells whether a name was said or made.
_NAMED_BY = frozenset(("name", "model", "serial", "id", "faults"))
_READ = (
    "SELECT k, id, at, unreadable, raw_hash, member_at, "
    + ", ".join(f"f_{key}" for key in _KEYS)
    + " FROM device WHERE conn = ? AND id IN (SELECT value FROM json_each(?))"
)
_FIRST = 6


@dataclass(slots=True)
class Changes:
    """What an application changed. changed: id → keys of the columns that differ.

    moved: order or membership of a view that was asked for lately may have changed.
    """

    added: list[str] = field(default_factory=list)
    changed: dict[str, frozenset[str]] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)
    moved: bool = False

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)

    @property
    def ids(self) -> frozenset[str]:
        """Every device concerned."""
        return frozenset(self.added) | frozenset(self.changed) | frozenset(self.removed)

    @property
    def fields(self) -> frozenset[str]:
        """Every column concerned in the changed ones."""
        return frozenset().union(*self.changed.values())


def number_of(conn: sqlite3.Connection, scope: str) -> int:
    """The short number of a connection's scope, given out on first use."""
    row = conn.execute("SELECT n FROM connection WHERE scope = ?", (scope,)).fetchone()
    if row is None:
        return conn.execute("INSERT INTO connection(scope) VALUES (?) RETURNING n", (scope,)).fetchone()[0]
    return row[0]


def apply(
    conn: sqlite3.Connection,
    scope: str,
    devices: Sequence[Device],
    *,
    at: float,
    detail: bool = False,
    watched: frozenset[str] = frozenset(),
) -> Changes:
    """Bring devices in. at: when the answer was asked for. watched: fields whose change may move a row in a view.

    A key absent from `values` was not said and stays as it was; None was said to be nothing. An answer that is older
    than what is kept (by the service's own `updated`, else by `at`) changes nothing but shows that the device exists.
    """
    changes = Changes()
    number = number_of(conn, scope)
    latest: dict[str, Device] = {str(storable(device.id)): device for device in devices}
    known = {row[1]: row for row in conn.execute(_READ, (number, json.dumps(list(latest)))).fetchall()}
    present: list[int] = []
    fresh: list[int] = []
    for key, device in latest.items():
        row = known.get(key)
        whole = detail or device.detail
        if row is None:
            _insert(conn, number, key, device, at, whole)
            changes.added.append(key)
            continue
        present.append(row[0])
        before = dict(zip(_KEYS, row[_FIRST:], strict=True))
        if _late(device.values, at, before, row[2]):
            continue
        fresh.append(row[0])
        fields = _update(conn, row, before, device, at, whole)
        if fields:
            changes.changed[key] = fields
            changes.moved = changes.moved or bool(fields & watched)
    if present:
        conn.execute(
            "UPDATE device SET present_at = max(present_at, ?), missed = 0 WHERE k IN (SELECT value FROM json_each(?))",
            (at, json.dumps(present)),
        )
    if fresh:
        conn.execute(
            "UPDATE device SET at = max(at, ?) WHERE k IN (SELECT value FROM json_each(?))", (at, json.dumps(fresh))
        )
    changes.moved = changes.moved or bool(changes.added)
    return changes


def finish_walk(conn: sqlite3.Connection, scope: str, started: float) -> Changes:
    """End a full walk that began at `started`: who was not met since is missed once more, the second time it goes."""
    number = number_of(conn, scope)
    conn.execute("UPDATE device SET missed = missed + 1 WHERE conn = ? AND present_at < ?", (number, started))
    gone = conn.execute("SELECT id FROM device WHERE conn = ? AND missed >= ?", (number, MISSES)).fetchall()
    return drop(conn, scope, [row[0] for row in gone])


def drop(conn: sqlite3.Connection, scope: str, ids: Iterable[str]) -> Changes:
    """Remove devices with all that is kept of them."""
    number = number_of(conn, scope)
    wanted = json.dumps(list(ids))
    rows = conn.execute(
        "SELECT k, id FROM device WHERE conn = ? AND id IN (SELECT value FROM json_each(?))", (number, wanted)
    ).fetchall()
    if rows:
        keys, names = json.dumps([row[0] for row in rows]), json.dumps([row[1] for row in rows])
        for table in ("device", "raw"):
            conn.execute(f"DELETE FROM {table} WHERE k IN (SELECT value FROM json_each(?))", (keys,))
        for table in ("command", "look"):
            conn.execute(
                f"DELETE FROM {table} WHERE conn = ? AND device_id IN (SELECT value FROM json_each(?))",
                (number, names),
            )
    return Changes(removed=[row[1] for row in rows], moved=bool(rows))


def pack(text: str) -> bytes:
    """JSON text as it is kept: compressed, quickly rather than well."""
    return zlib.compress(str(storable(text)).encode(), 1)


def unpack(blob: bytes | None) -> str:
    """The text of `pack`, "" for nothing."""
    return zlib.decompress(blob).decode() if blob else ""


def _late(values: Mapping[str, Value], at: float, before: Mapping[str, Value], before_at: float) -> bool:
    new, old = values.get("updated"), before["updated"]
    if isinstance(new, (int, float)) and isinstance(old, (int, float)) and new != old:
        return new < old
    return at < before_at


def _merged(before: Mapping[str, Value], device: Device, at: float) -> dict[str, Value]:
    said = {key: storable(value) for key, value in device.values.items() if key in COLUMNS}
    if device.unreadable:
        # What could still be read is taken, what could not keeps its last good value beside the reason.
        said = {key: value for key, value in said.items() if value is not None}
    merged = {**before, **said}
    if "faults" not in said and not device.unreadable:
        merged["faults"] = faults.find(merged, today=datetime.fromtimestamp(at, UTC).date())
    return merged


def _insert(conn: sqlite3.Connection, number: int, key: str, device: Device, at: float, whole: bool) -> None:
    values = _merged(dict.fromkeys(_KEYS), device, at)
    columns: dict[str, Any] = {
        "conn": number,
        "id": key,
        "at": at,
        "present_at": at,
        "unreadable": storable(device.unreadable),
        **{f"f_{name}": value for name, value in values.items()},
        **_derived(values, _KEYS, bool(device.unreadable)),
        "raw_hash": None if whole else _digest(device.raw),
        "member_at": at if "groupid" in device.values else None,
    }
    names = ", ".join(columns)
    marks = ", ".join("?" * len(columns))
    k = conn.execute(f"INSERT INTO device({names}) VALUES ({marks})", tuple(columns.values())).lastrowid
    assert k is not None
    _keep_raw(conn, k, device.raw, at, whole)


def _update(
    conn: sqlite3.Connection, row: Sequence[Any], before: Mapping[str, Value], device: Device, at: float, whole: bool
) -> frozenset[str]:
    values = _merged(before, device, at)
    if row[5] is not None and row[5] > at:
        # The group's own list of its devices was asked for later.
        values |= {name: before[name] for name in MEMBERSHIP}
    changed = frozenset(name for name in _KEYS if values[name] != before[name])
    columns: dict[str, Any] = {f"f_{name}": values[name] for name in changed}
    turned = device.unreadable != row[3]
    if turned:
        columns["unreadable"] = storable(device.unreadable)
    if "groupid" in changed or ("groupid" in device.values and row[5] is None):
        columns["member_at"] = at
    if changed or turned:
        columns |= _derived(values, changed | {"faults"} if turned else changed, bool(device.unreadable))
    if whole:
        _keep_raw(conn, row[0], device.raw, at, True)
    elif (digest := _digest(device.raw)) != row[4]:
        columns["raw_hash"] = digest
        _keep_raw(conn, row[0], device.raw, at, False)
    if columns:
        # Only what changed is named, so that only its indexes are touched.
        pairs = ", ".join(f"{name} = ?" for name in columns)
        conn.execute(f"UPDATE device SET {pairs} WHERE k = ?", (*columns.values(), row[0]))
    # A row that turned unreadable, or readable again, is painted anew as a whole.
    return frozenset(_KEYS) if turned else changed


def _derived(values: Mapping[str, Value], changed: Iterable[str], unreadable: bool) -> dict[str, Any]:
    changed = frozenset(changed)
    found: dict[str, Any] = {f"s_{key}": sort_key(values[key]) for key in SORT_KEYS if key in changed}
    if changed & frozenset(SEARCHED):
        found["search"] = search_text(values)
    if changed & _NAMED_BY:
        found["said_name"] = sort_key(values["name"]) if is_named(values) and not unreadable else None
    if "serial" in changed:
        serial = values["serial"]
        found["serial_key"] = normal_serial(serial if isinstance(serial, str) else None) or None
    if "faults" in changed:
        found["problem"] = int(unreadable or values["faults"] not in (None, ""))
    return found


def _digest(raw: str) -> bytes:
    return hashlib.blake2b(raw.encode("utf-8", "surrogatepass"), digest_size=12).digest()


def _keep_raw(conn: sqlite3.Connection, k: int, raw: str, at: float, whole: bool) -> None:
    if whole:
        conn.execute(
            "INSERT INTO raw(k, detail, detail_at) VALUES (?, ?, ?) "
            "ON CONFLICT (k) DO UPDATE SET detail = excluded.detail, detail_at = excluded.detail_at",
            (k, pack(raw), at),
        )
    else:
        conn.execute(
            "INSERT INTO raw(k, list) VALUES (?, ?) ON CONFLICT (k) DO UPDATE SET list = excluded.list", (k, pack(raw))
        )
