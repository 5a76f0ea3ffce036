"""Devices that several connections know, joined by serial number: keys of a view, windows of rows, counts."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from mdm_tui.fleet.devices import DeviceKey, Value
from mdm_tui.fleet.fields import COLUMNS, is_named

from . import twin_compile
from .keys import sort_key, storable
from .mirror_read import Row, known_values
from .twin_compile import DISAGREEMENTS, TwinView

__all__ = ["TwinCounts", "TwinRow", "TwinSide", "counts", "ids", "rows", "twins_of"]

_KEYS = tuple(COLUMNS)
_ROWS = (
    f"SELECT k, scope, id, at, unreadable, member_at, {', '.join(f'f_{key}' for key in _KEYS)} "
    "FROM device JOIN connection ON n = conn WHERE k IN (SELECT value FROM json_each(?))"
)
_FIRST = 6


class TwinSide(NamedTuple):
    """What one connection says of a device."""

    connection: str
    row: Row


@dataclass(frozen=True, slots=True)
class TwinRow:
    """One device as all connections know it.

    key: "s:" and the serial number it is joined by, or "d:", a connection and an id: it cannot be joined, because its
    serial number is empty, a placeholder, or there twice in one connection. sides: in the order of the connections,
    those that have it. differs: of "version" (OS or build), "group" (group or segment), "seen" (more than a day
    apart), "only" (there is one side); what a side does not know disagrees with nothing.
    """

    key: str
    sides: tuple[TwinSide, ...]
    differs: tuple[str, ...]

    @property
    def joinable(self) -> bool:
        """Whether its serial number could join it with another connection's device."""
        return self.key.startswith("s:")

    @property
    def differs_in(self) -> tuple[str, ...]:
        """As `differs`, with "os", "build" or both for "version"."""
        found: list[str] = []
        for name in self.differs:
            if name == "version":
                found += [key for key in ("os", "build") if self._apart(key)]
            else:
                found.append(name)
        return tuple(found)

    def _apart(self, column: str) -> bool:
        keys = (sort_key(side.row.values.get(column)) for side in self.sides)
        return len({key for key in keys if key is not None}) > 1

    @property
    def devices(self) -> tuple[DeviceKey, ...]:
        """Who it is in each connection that has it."""
        return tuple(DeviceKey(side.connection, side.row.id) for side in self.sides)

    def value(self, column: str) -> Value:
        """The value of the first side that has one, as the order of a view takes it; a said name before a made one."""
        if column == "name":
            for side in self.sides:
                if is_named(side.row.values):
                    return side.row.values["name"]
        found = (side.row.values.get(column) for side in self.sides)
        return next((value for value in found if value not in (None, "")), None)


class TwinCounts(NamedTuple):
    """How many rows there are. total: in all; matching: of the view; joined: that several connections know.

    differs: with any disagreement; by: each disagreement → rows; only: connection → rows that it alone has.
    """

    total: int
    matching: int
    joined: int
    differs: int
    by: dict[str, int]
    only: dict[str, int]


def ids(conn: sqlite3.Connection, view: TwinView) -> list[str]:
    """The keys of a view, in order: one statement, one row."""
    sql, params = twin_compile.id_statement(view)
    return json.loads(conn.execute(sql, params).fetchone()[0])


def counts(conn: sqlite3.Connection, view: TwinView) -> TwinCounts:
    """Counted in one pass."""
    sql, params = twin_compile.count_statement(view)
    total, matching, joined, differs, *rest = map(int, conn.execute(sql, params).fetchone())
    by = dict(zip(DISAGREEMENTS, rest, strict=False))
    only = dict(zip(view.connections, rest[len(by) :], strict=True))
    return TwinCounts(total, matching, joined, differs, by, only)


def rows(conn: sqlite3.Connection, connections: Sequence[str], keys: Sequence[str]) -> dict[str, TwinRow]:
    """Rows by key, in two statements; a key that is none any more is left out."""
    wanted = {str(storable(key)) for key in keys}
    params = twin_compile.params_of(connections)
    params["serials"] = json.dumps([key[2:] for key in wanted if key.startswith("s:")])
    params["loose"] = json.dumps(
        [(scope, key[len(scope) + 3 :]) for key in wanted for scope in connections if key.startswith(f"d:{scope} ")]
    )
    groups = [
        (key, flags, json.loads(members))
        for key, *flags, members in conn.execute(twin_compile.group_statement(connections), params).fetchall()
        if key in wanted
    ]
    numbers = json.dumps([k for _, _, members in groups for k in members])
    sides = {
        row[0]: TwinSide(row[1], Row(row[2], known_values(row[_FIRST:], row[5]), row[4], row[3]))
        for row in conn.execute(_ROWS, (numbers,)).fetchall()
    }
    order = {scope: place for place, scope in enumerate(connections)}
    return {
        key: TwinRow(
            key,
            tuple(sorted((sides[k] for k in members), key=lambda side: order[side.connection])),
            tuple(name for name, flag in zip(DISAGREEMENTS, flags, strict=True) if flag),
        )
        for key, flags, members in groups
    }


def twins_of(conn: sqlite3.Connection, scope: str, device_id: str, others: Sequence[str]) -> list[DeviceKey]:
    """The same device in other connections, in their order; none where its serial number can join nothing."""
    connections = tuple(dict.fromkeys((scope, *others)))
    found = conn.execute(
        "SELECT scope, device.id FROM device AS mine CROSS JOIN device INDEXED BY device_twin "
        "ON device.serial_key = mine.serial_key CROSS JOIN connection ON n = device.conn "
        "WHERE mine.conn = (SELECT n FROM connection WHERE scope = ?) AND mine.id = ? "
        "AND scope IN (SELECT value FROM json_each(?))",
        (scope, storable(device_id), json.dumps(connections)),
    ).fetchall()
    keys = dict(found)
    if len(keys) < len(found):
        return []
    return [DeviceKey(other, keys[other]) for other in connections[1:] if other in keys]
