"""From a view of the fleet to one parameterised statement. Column names come from the field registry only."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from mdm_tui.fleet.errors import FleetError, Kind, Sent
from mdm_tui.fleet.faults import SILENT_AFTER
from mdm_tui.fleet.fields import COLUMNS, column

from .keys import SEARCHED, SORT_KEYS, storable, words_of

__all__ = [
    "CONN",
    "MOST_WORDS",
    "View",
    "checked_words",
    "count_statement",
    "id_statement",
    "known_column",
    "relevant",
    "sort_expression",
]

MOST_WORDS = 200
CONN = "(SELECT n FROM connection WHERE scope = ?)"


@dataclass(frozen=True, slots=True)
class View:
    """What of the fleet is asked for, and in which order.

    words: each must be in name, serial, id, IMEI, MAC, model, user or tags, without regard to case and accents.
    sort: pairs of column and descending; devices without a value come last either way, ties go by id.
    faults_only: devices with faults, unreadable or silent at `now` (epoch seconds). segment: any of these, () for all.
    only: no others than these ids.
    group: directly in any of these groups (ids), () for all.
    """

    connection: str
    words: tuple[str, ...] = ()
    sort: tuple[tuple[str, bool], ...] = (("name", False),)
    faults_only: bool = False
    now: float = 0.0
    segment: tuple[int, ...] = ()
    only: tuple[str, ...] | None = None
    group: tuple[str, ...] = ()


def id_statement(view: View) -> tuple[str, list[Any]]:
    """The ids of a view in order, as one row with one JSON array.

    One row, because each row fetched hands the interpreter's lock over once: with 100,000 of them the event loop and
    the reader would wait for each other.
    """
    terms, params = _where(view)
    order, order_params = _order(view)
    sql = f"SELECT id FROM device WHERE {' AND '.join(terms)} ORDER BY {order}"
    return f"SELECT json_group_array(id) FROM ({sql})", params + order_params


def count_statement(view: View) -> tuple[str, list[Any]]:
    """One row: total, matching, problems, silent; total, problems and silent are those of the connection's segment."""
    scope, scope_params = _scope(view)
    terms, params = _filters(view)
    silent = view.now - SILENT_AFTER
    sql = (
        f"SELECT count(*), total({' AND '.join(terms) or '1'}), total(problem OR coalesce(f_seen < ?, 0)), "
        f"total(coalesce(f_seen < ?, 0)) FROM device INDEXED BY device_name WHERE {' AND '.join(scope)}"
    )
    return sql, [*params, silent, silent, *scope_params]


def relevant(view: View) -> frozenset[str]:
    """The fields whose change may change the order or the membership of the view."""
    fields = {known_column(key) for key, _ in view.sort}
    if words_of(view.words):
        fields.update(SEARCHED)
    if view.faults_only or "faults" in fields:
        fields.update(("faults", "seen"))
    if view.segment:
        fields.add("segment")
    if view.group:
        fields.add("groupid")
    return frozenset(fields)


def _where(view: View) -> tuple[list[str], list[Any]]:
    scope, scope_params = _scope(view)
    terms, params = _filters(view)
    return scope + terms, scope_params + params


def _scope(view: View) -> tuple[list[str], list[Any]]:
    terms: list[str] = [f"conn = {CONN}"]
    params: list[Any] = [view.connection]
    if view.segment:
        terms.append("f_segment IN (SELECT value FROM json_each(?))")
        params.append(json.dumps(view.segment))
    if view.group:
        terms.append("f_groupid IN (SELECT value FROM json_each(?))")
        params.append(json.dumps([storable(item) for item in view.group]))
    return terms, params


def _filters(view: View) -> tuple[list[str], list[Any]]:
    terms: list[str] = []
    params: list[Any] = []
    if view.only is not None:
        terms.append("id IN (SELECT value FROM json_each(?))")
        params.append(json.dumps(view.only))
    if view.faults_only:
        terms.append("(problem OR coalesce(f_seen < ?, 0))")
        params.append(view.now - SILENT_AFTER)
    for word in checked_words(view.words):
        # Both sides are folded already; `instr` knows no wildcards that would need escaping.
        terms.append("instr(search, ?) > 0")
        params.append(word)
    return terms, params


def _order(view: View) -> tuple[str, list[Any]]:
    parts: list[str] = []
    params: list[Any] = []
    for name, descending in view.sort:
        key = known_column(name)
        expression, collate = sort_expression(key, "?")
        params.extend([view.now - SILENT_AFTER] * expression.count("?"))
        parts.append(f"{expression} {collate} {'DESC' if descending else 'ASC'} NULLS LAST")
    parts.append("id")
    return ", ".join(parts), params


def sort_expression(key: str, silent: str) -> tuple[str, str]:
    """What a column is sorted by, NULL for no value, and the collation. silent: the parameter of when silence began."""
    if key == "faults":
        return f"coalesce(device.s_faults, CASE WHEN device.f_seen < {silent} THEN 'silent' END)", ""
    if key in SORT_KEYS:
        return f"device.s_{key}", ""
    if COLUMNS[key].numeric:
        return f"device.f_{key}", ""
    return f"nullif(device.f_{key}, '')", "COLLATE NOCASE"


def checked_words(words: tuple[str, ...]) -> list[str]:
    """The words as they are looked for. Raises FleetError when there are too many."""
    found = words_of(words)
    if len(found) > MOST_WORDS:
        what = f"A filter may have {MOST_WORDS} words; this one has {len(found):,}"
        raise FleetError(Kind.INVALID, what, sent=Sent.NEVER, todo="Shorten it.")
    return found


def known_column(name: str) -> str:
    """The key of the column of that name or alias. Raises FleetError when there is none."""
    found = column(name)
    if found is None:
        raise FleetError(Kind.INVALID, f"There is no column {name!r}; known are {', '.join(COLUMNS)}", sent=Sent.NEVER)
    return found.key
