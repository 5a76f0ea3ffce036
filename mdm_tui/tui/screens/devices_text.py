"""How a device is said: the cells of its row, its preview, the line for a ticket. Pure functions of row and time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from mdm_tui.fleet.faults import LOW_BATTERY, silent
from mdm_tui.fleet.faults import role as fault_role
from mdm_tui.fleet.fields import COLUMNS, Field
from mdm_tui.fleet.text import clean
from mdm_tui.fleet.values import calm_age, show, show_time
from mdm_tui.tui.widgets.grid import Cell, Column
from mdm_tui.tui.widgets.grid_text import glyphs
from mdm_tui.tui.widgets.lines import Part, part

__all__ = [
    "cell",
    "cells",
    "columns",
    "faults_of",
    "glyph",
    "pane",
    "plain_values",
    "short_version",
    "state_word",
    "strip",
    "ticket",
]

Values = Mapping[str, Any]

_BATTERY_WARN: Final = 30
_STATES: Final = {
    "ACTIVE": ("active", "good"),
    "PROVISIONING": ("provisioning", "info"),
    "DISABLED": ("disabled", "muted"),
    "PENDING_DISENROLL": ("leaving", "warn"),
    "DELETED": ("gone", "muted"),
}
# Whether a device is connected, in the words of whoever manages it; others are shown as they came.
_LINKS: Final = {"online": ("online", "good"), "offline": ("offline", "muted"), "standby": ("standby", "info"),
                 "waking_up": ("waking", "info")}  # fmt: skip
_STATE_WORDS: Final = {
    "ACTIVE": "active",
    "PROVISIONING": "provisioning",
    "DISABLED": "disabled",
    "PENDING_DISENROLL": "leaving",
    "DELETED": "gone",
}
# The fault that a `no` in these columns is.
_NO: Final = {"pushed": "policy not applied", "compliant": "not compliant", "encrypted": "not encrypted"}
_LOUD: Final = frozenset({"name"})
# What differs stands at the end: `Cold sto…has v3`.
_CLIPPED: Final = frozenset({"id", "policyid", "serial", "policy"})
_MOST: Final = {"name": 34, "model": 24, "policy": 30, "group": 30}
# Narrower than the registry's where a list can afford it: 80 columns keep the faults, 120 the whole default.
_WIDTH: Final = {
    "name": 17,
    "serial": 15,
    "model": 12,
    "os": 3,
    "patch": 7,
    "battery": 4,
    "seen": 4,
    "policy": 16,
    "group": 14,
    "link": 7,
    "faults": 21,
}


def columns(keys: Sequence[str], sorted_by: Sequence[str] = ()) -> list[Column]:
    """The grid's columns from the registry; what is sorted by stays longest on a narrow screen."""
    found: list[Column] = []
    for key in keys:
        field = COLUMNS.get(key)
        if field is not None:
            found.append(_column(field, field.key in sorted_by))
    return found


def _column(field: Field, kept: bool) -> Column:
    return Column(
        field.key,
        field.title,
        max(_WIDTH.get(field.key, field.width), len(field.title)),
        field.align,
        0 if kept else field.priority,
        field.flex,
        "middle" if field.key in _CLIPPED else "end",
        _MOST.get(field.key, 0),
    )


def faults_of(values: Values, now: float) -> str:
    """What is wrong with the device now, silence included."""
    lasting = str(values.get("faults") or "")
    quiet = silent(values.get("seen"), now) if values.get("state") != "DELETED" else ""
    return ", ".join(word for word in (lasting, quiet) if word)


# Learnt beside the list, one group after the other: an absent key was not read yet, None is none.
_LEARNT: Final = ("group", "groupid")
NOT_READ: Final = "not read"


def cells(values: Values, unreadable: str, wanted: Sequence[Column], now: float) -> list[Cell]:
    """One cell a column."""
    if unreadable:
        return [
            Cell(f"{glyphs().fault} {clean(unreadable)}", "bad")
            if column.key == "faults"
            else cell(column.key, values, now)
            for column in wanted
        ]
    return [cell(column.key, values, now) for column in wanted]


def cell(key: str, values: Values, now: float) -> Cell:
    """The cell of one field: the healthy is pale, what is wrong is loud."""
    value = values.get(key)
    if key == "faults":
        text = faults_of(values, now)
        return Cell(f"{glyphs().fault} {text}", fault_role(text)) if text else Cell("")
    if value is None or value == "":
        return Cell("-" if key in values or key not in _LEARNT else NOT_READ, "muted")
    if key == "name":
        return Cell(str(value))
    if COLUMNS[key].numeric and not isinstance(value, (int, float)):
        # A mirror of another make: shown as it is rather than not at all.
        return Cell(str(value), "warn")
    if key == "battery":
        role = "bad" if value < LOW_BATTERY else "warn" if value < _BATTERY_WARN else "muted"
        return Cell(show(value, "percent"), role)
    if key == "seen":
        return Cell(calm_age(now - value), "warn" if silent(value, now) else "muted")
    if key == "policy":
        return _policy(values)
    if key == "os":
        return Cell(short_version(str(value)), "muted")
    if key == "patch":
        return Cell(str(value)[:7], "muted")
    if key == "state":
        return Cell(_STATE_WORDS.get(str(value), str(value)), _STATES.get(str(value), ("", ""))[1])
    if key == "link":
        return Cell(*_LINKS.get(str(value).lower(), (str(value), "muted")))
    field = COLUMNS[key]
    if field.kind == "time":
        return Cell(calm_age(now - value), "muted")
    text = show(value, field.kind)
    if key in _NO:
        return Cell(text, "muted" if value else fault_role(_NO[key]))
    return Cell(text, "" if key in _LOUD else "muted")


def state_word(values: Values) -> str:
    """The state in a word; "" where it is not said."""
    state = str(values.get("state") or "")
    return _STATE_WORDS.get(state, state)


def short_version(text: str) -> str:
    """`13` and `8.1` of `13.0.0` and `8.1.0`."""
    parts = text.split(".")[:2]
    return parts[0] if len(parts) == 2 and parts[1] == "0" else ".".join(parts)


def _policy(values: Values) -> Cell:
    name, wanted, has = str(values["policy"]), values.get("wanted"), values.get("has")
    if wanted in (None, ""):
        return Cell(name, "muted")
    if has not in (None, "", wanted):
        return Cell(f"{name} v{wanted}, has v{has}", "warn")
    return Cell(f"{name} v{wanted}", "muted")


def glyph(values: Values, unreadable: str = "") -> Cell:
    """The state glyph."""
    signs = glyphs()
    if unreadable:
        return Cell(signs.fault, "bad")
    name, role = _STATES.get(str(values.get("state")), ("unknown", "muted"))
    return Cell(getattr(signs, name), role)


_STRIP: Final = (
    "serial",
    "model",
    "os",
    "patch",
    "battery",
    "temp",
    "link",
    "seen",
    "policy",
    "group",
    "client",
    "user",
)


def strip(values: Values, now: float, shown: Mapping[str, int] | None = None) -> list[list[Part]]:
    """The preview in two lines, of what the columns do not say already: on a slow link every cell counts.

    shown: the columns in sight with their widths.
    """
    shown = shown or {}
    signs = glyphs()
    first: list[Part] = [part(f" {signs.cursor} ", "accent"), part(values.get("name") or "-", "text", bold=True)]
    faults = faults_of(values, now)
    if len(faults) + 2 > shown.get("faults", 0) and faults:
        first.append(part(f"   {signs.fault} {faults}", fault_role(faults)))
    said = [state_word(values)] if values.get("state") else []
    said += [_words(key, values, now) for key in _STRIP if key not in shown or key == "seen"]
    return [first, [part("   "), part(" · ".join(word for word in said if word), "muted")]]


def _words(key: str, values: Values, now: float) -> str:
    """A field with the word that it needs outside its column; "" when it has no value."""
    value = values.get(key)
    if value in (None, ""):
        return ""
    if key == "seen":
        moment = show_time(value)
        # Within a day the hour is enough; the zone stands in the header.
        return f"reported {moment[11:16] if 0 <= now - value < 86_400 else moment[:16]}"
    if key == "link":
        return cell(key, values, now).text
    text = _policy(values).text if key == "policy" else show(value, COLUMNS[key].kind)
    word = {"os": "Android ", "patch": "patch ", "battery": "battery ", "policy": "policy ", "group": "in ",
            "client": "client "}.get(key, "")  # fmt: skip
    return f"{word}{text}"


_PANE: Final = (
    ("state", "link", "remote", "disconnected", "serial", "id", "model", "product", "os", "patch", "build", "client"),
    ("battery", "temp", "seen", "storage", "storagefree", "ram"),
    ("policy", "applied", "compliant", "posture", "encrypted", "update"),
    ("group", "license", "autorenew", "user", "tags", "segment", "operator", "imei", "mac", "place", "enrolled"),
)


def pane(values: Values, now: float) -> list[list[Part]]:
    """The preview as a pane: what is wrong, then the fields worth a glance."""
    signs = glyphs()
    shown: list[list[Part]] = [[part(values.get("name") or "-", "text", bold=True)]]
    faults = [word.strip() for word in faults_of(values, now).split(",") if word.strip()]
    shown.extend([part(f"{signs.fault} {word}", fault_role(word))] for word in faults)
    for block in _PANE:
        shown.append([])
        for key in block:
            field = COLUMNS[key]
            value = values.get(key)
            if value in (None, ""):
                continue
            found = cell(key, values, now)
            text = show_time(value) if field.kind == "time" else found.text
            role = found.role if found.role in ("bad", "warn", "good") else ""
            shown.append([part(f"{field.title:<10}", "muted"), part(text, role)])
    return shown


def plain_values(values: Values, keys: Sequence[str], now: float) -> dict[str, str]:
    """What is seen of a row, as text, for exports: times absolute."""
    found: dict[str, str] = {}
    for key in keys:
        if key == "faults":
            found[key] = faults_of(values, now)
            continue
        value = values.get(key)
        found[key] = "" if value in (None, "") else show(value, COLUMNS[key].kind)
    return found


def ticket(row_id: str, values: Values, now: float) -> str:
    """One line fit for a ticket: name, serial, id, state, policy or group, last seen, fault, time."""
    seen = values.get("seen")
    parts = [
        str(values.get("name") or "-"),
        f"serial {values.get('serial') or '-'}",
        f"id {row_id}",
        _STATE_WORDS.get(str(values.get("state")), str(values.get("state") or "state unknown")),
        *_belonging(values),
        f"last seen {show_time(seen) if seen is not None else '-'}",
        faults_of(values, now) or "no faults",
        f"as of {show_time(now)}",
    ]
    return clean(", ".join(parts), 2_000)


def _belonging(values: Values) -> list[str]:
    """Policy and group; what a service of groups does not say of policies is not asked of it."""
    linked = values.get("link") not in (None, "") or values.get("groupid") not in (None, "")
    said = [f"group {values['group']}"] if values.get("group") else []
    if values.get("policy"):
        return [f"policy {_policy(values).text}", *said]
    return said or ([f"group {'-' if 'group' in values else NOT_READ}"] if linked else ["policy -"])
