"""From a view of several connections to one statement that joins their devices by serial number.

A group is what one row shows: the devices of one usable serial number, at most one of each connection, or a single
device that cannot be joined. All that is asked of a group (filters, order, disagreements) is an aggregate over its
devices, so that both kinds of group are described by the same words. The index `device_twin` holds the devices in
the order of their serial numbers, with what the usual questions look at: nothing is sorted for the join.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mdm_tui.fleet.faults import SILENT_AFTER

from .compile import checked_words, known_column, sort_expression
from .keys import SEARCHED, storable, words_of

__all__ = [
    "DISAGREEMENTS",
    "SEEN_APART",
    "TwinView",
    "count_statement",
    "group_statement",
    "id_statement",
    "params_of",
    "relevant",
]

# Two systems that heard of a device at times further apart than this disagree; seconds.
SEEN_APART = 86_400.0

# What a system says of a device's place in the organisation: its group, else the name of its segment.
_PLACE = "coalesce(device.s_group, seg.s_name)"
_SEGMENTS = (
    "LEFT JOIN item AS seg ON seg.conn = device.conn AND seg.kind = 'segment' "
    "AND seg.id = CAST(device.f_segment AS TEXT)"
)


def _differ(expression: str) -> str:
    # What is not known disagrees with nothing: `min` and `max` pass over it.
    return f"coalesce(min({expression}) <> max({expression}), 0)"


# The one definition of a disagreement, by name.
_DIFFERS = {
    "version": f"({_differ('device.s_os')} OR {_differ('device.s_build')})",
    "group": _differ(_PLACE),
    "seen": f"coalesce(max(device.f_seen) - min(device.f_seen) > {SEEN_APART}, 0)",
    "only": "(count(*) = 1 AND :connections > 1)",
}
DISAGREEMENTS = tuple(_DIFFERS)
_ANY_DIFFERENCE = f"({' OR '.join(_DIFFERS.values())})"
# Columns whose sort keys are in the index.
_COVERED = frozenset(("name", "said", "seen", "os", "build", "group", "segment"))
_DIFFERS_BY = ("os", "build", "group", "segment", "seen")


@dataclass(frozen=True, slots=True)
class TwinView:
    """What is asked of several connections, one row for a device however many of them know it.

    words: each must be found on any side. sort: as in `View`; the value is that of the first connection that has one
    (of names: that was said one).
    differs_only: rows with a disagreement. only_in: rows that this connection alone has, those that cannot be joined
    among them. now: epoch seconds, for what is silent. only: no others than these keys. differs_in: rows with one of
    these disagreements.
    """

    connections: tuple[str, ...]
    words: tuple[str, ...] = ()
    sort: tuple[tuple[str, bool], ...] = (("name", False),)
    differs_only: bool = False
    only_in: str = ""
    now: float = 0.0
    only: tuple[str, ...] | None = None
    differs_in: tuple[str, ...] = ()


def relevant(view: TwinView) -> frozenset[str]:
    """The fields whose change may change the order or the membership of the view."""
    fields = {"serial", *(known_column(name) for name, _ in view.sort)}
    if words_of(view.words):
        fields.update(SEARCHED)
    if "faults" in fields:
        fields.add("seen")
    if view.differs_only or view.differs_in:
        fields.update(_DIFFERS_BY)
    return frozenset(fields)


def id_statement(view: TwinView) -> tuple[str, dict[str, Any]]:
    """The keys of a view in order, as one row with one JSON array."""
    params = params_of(view.connections)
    terms = _filters(view, params)
    columns: dict[str, str] = {}
    order: list[str] = []
    for name, descending in view.sort:
        key = known_column(name)
        expression, collate = sort_expression(key, ":silent")
        value = _value(key, expression, len(view.connections), columns)
        if key == "name":
            # A name that any service said comes before one that was made for want of it.
            value = f"coalesce({_value('said', 'device.said_name', len(view.connections), columns)}, {value})"
        order.append(f"{value} {collate} {'DESC' if descending else 'ASC'} NULLS LAST")
    params["silent"] = view.now - SILENT_AFTER
    made = ["", *(f"{expression} AS {name}" for name, expression in columns.items())]
    inner = _groups(view.connections, made, terms, segments=view.differs_only or bool(view.differs_in))
    if view.only is not None:
        params["only"] = json.dumps([storable(key) for key in view.only])
        inner += " WHERE key IN (SELECT value FROM json_each(:only))"
    sql = f"SELECT json_group_array(key) FROM (SELECT key FROM {inner} ORDER BY {', '.join([*order, 'key'])})"
    return f"{_shared(view.connections)} {sql}", params


def count_statement(view: TwinView) -> tuple[str, dict[str, Any]]:
    """One row: total, matching, joined, disagreeing, one for each of `DISAGREEMENTS`, and only in each connection."""
    params = params_of(view.connections)
    match = " AND ".join(_filters(view, params)) or "1"
    columns = [
        "",
        f"{match} AS matching",
        "count(*) AS n",
        f"{_ANY_DIFFERENCE} AS differs",
        *(f"{expression} AS d_{name}" for name, expression in _DIFFERS.items()),
        "max(device.conn) AS conn",
    ]
    matching = "matching"
    if view.only is not None:
        params["only"] = json.dumps([storable(key) for key in view.only])
        matching = "matching AND key IN (SELECT value FROM json_each(:only))"
    wanted = [
        "count(*)",
        f"total({matching})",
        "total(n > 1)",
        "total(differs)",
        *(f"total(d_{name})" for name in DISAGREEMENTS),
        *(f"total(d_only AND conn = {_number(place)})" for place in range(len(view.connections))),
    ]
    inner = _groups(view.connections, columns, [], segments=True)
    return f"{_shared(view.connections)} SELECT {', '.join(wanted)} FROM {inner}", params


def group_statement(connections: Sequence[str]) -> str:
    """A row for each wanted key: the key, 0 or 1 for each of `DISAGREEMENTS`, the row numbers of its devices as JSON.

    Parameters besides `params_of`: serials, a JSON array of serial numbers; loose, one of [scope, id].
    """
    columns = ["", *_DIFFERS.values(), "json_group_array(device.k)"]
    return f"{_shared(connections, wanted=True)} SELECT * FROM {_groups(connections, columns, [], True, wanted=True)}"


def params_of(connections: Sequence[str]) -> dict[str, Any]:
    """The parameters by which every statement here names its connections."""
    return {"connections": len(connections), **{f"c{place}": scope for place, scope in enumerate(connections)}}


def _filters(view: TwinView, params: dict[str, Any]) -> list[str]:
    terms: list[str] = []
    for place, word in enumerate(checked_words(view.words)):
        terms.append(f"max(instr(device.search, :w{place}) > 0)")
        params[f"w{place}"] = word
    if view.differs_only:
        terms.append(_ANY_DIFFERENCE)
    if view.differs_in:
        terms.append(f"({' OR '.join(_DIFFERS[name] for name in view.differs_in)})")
    if view.only_in:
        terms.append("(count(*) = 1 AND max(device.conn) IS (SELECT n FROM connection WHERE scope = :only_in))")
        params["only_in"] = view.only_in
    return terms


def _number(place: int) -> str:
    return f"(SELECT n FROM connection WHERE scope = :c{place})"


def _numbers(connections: Sequence[str]) -> str:
    return ", ".join(_number(place) for place in range(len(connections))) or "NULL"


def _value(key: str, expression: str, connections: int, columns: dict[str, str]) -> str:
    """The value of the first connection, in order, whose side has one; `columns` gains what that needs of a group.

    What the index holds is taken while grouping. The rest is looked up for the groups that are left, and for as many
    sides as it takes: each look is a jump into the table.
    """
    covered = key in _COVERED
    sides: list[str] = []
    for place in range(connections):
        name = f"o_{key}{place}" if covered else f"k{place}"
        columns[name] = (
            f"max(CASE WHEN device.conn = {_number(place)} THEN {expression if covered else 'device.k'} END)"
        )
        sides.append(name if covered else f"(SELECT {expression} FROM device WHERE k = {name})")
    return f"coalesce({', '.join([*sides, 'NULL', 'NULL'])})"


def _shared(connections: Sequence[str], *, wanted: bool = False) -> str:
    """Serial numbers that are there twice within one connection, and the devices that no serial number can join.

    The plus keeps SQLite from an index by connection: it would have to sort afterwards.
    """
    inside = f"+conn IN ({_numbers(connections)})"
    serials, loose, before = "serial_key IS NOT NULL", "", ""
    if wanted:
        before = (
            "asked(k, serial_key) AS MATERIALIZED (SELECT device.k, serial_key FROM json_each(:loose) AS pair "
            "CROSS JOIN connection ON scope = json_extract(pair.value, '$[0]') "
            f"CROSS JOIN device ON conn = n AND device.id = json_extract(pair.value, '$[1]') WHERE {inside}), "
        )
        serials = (
            "serial_key IN (SELECT value FROM json_each(:serials) "
            "UNION SELECT serial_key FROM asked WHERE serial_key IS NOT NULL)"
        )
        loose = "SELECT k FROM asked WHERE serial_key IS NULL OR serial_key IN (SELECT serial_key FROM twice)"
    else:
        loose = (
            "SELECT k FROM device INDEXED BY device_twin "
            f"WHERE serial_key IS NULL AND conn IN ({_numbers(connections)}) "
            "UNION ALL SELECT device.k FROM twice CROSS JOIN device INDEXED BY device_twin "
            f"ON device.serial_key = twice.serial_key WHERE {inside.replace('conn', 'device.conn', 1)}"
        )
    return (
        f"WITH {before}twice AS MATERIALIZED (SELECT serial_key FROM device INDEXED BY device_twin "
        f"WHERE {inside} AND {serials} GROUP BY serial_key, conn HAVING count(*) > 1), "
        f"loose(k) AS MATERIALIZED ({loose})"
    )


def _groups(
    connections: Sequence[str], columns: Sequence[str], terms: Sequence[str], segments: bool, *, wanted: bool = False
) -> str:
    more = ", ".join(columns)
    join = _SEGMENTS if segments else ""
    inside = f"+device.conn IN ({_numbers(connections)})"
    serials = "IN (SELECT value FROM json_each(:serials))" if wanted else "IS NOT NULL"
    single = "device.serial_key NOT IN (SELECT serial_key FROM twice)"
    having = f"HAVING {' AND '.join(terms)}" if terms else ""
    return (
        f"(SELECT 's:' || device.serial_key AS key{more} FROM device INDEXED BY device_twin {join} "
        f"WHERE device.serial_key {serials} AND {inside} GROUP BY device.serial_key "
        f"HAVING {' AND '.join([single, *terms])} UNION ALL "
        f"SELECT 'd:' || (SELECT scope FROM connection WHERE n = device.conn) || ' ' || device.id AS key{more} "
        f"FROM device {join} WHERE device.k IN (SELECT k FROM loose) GROUP BY device.k {having})"
    )
