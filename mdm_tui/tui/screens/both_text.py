"""How a device that several systems know is said: the cells of its row, a line for each source, exports. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from mdm_tui.fleet.faults import silent
from mdm_tui.fleet.text import clean, normal_serial
from mdm_tui.fleet.twin_words import DISAGREEMENTS, IN_ROW
from mdm_tui.fleet.values import calm_age, show_time
from mdm_tui.tui.screens import devices_text
from mdm_tui.tui.widgets.grid import Cell, Column
from mdm_tui.tui.widgets.grid_text import fit, glyphs
from mdm_tui.tui.widgets.lines import Part, part

if TYPE_CHECKING:
    from mdm_tui.store.mirror import TwinRow, TwinSide

__all__ = [
    "DISAGREEMENTS",
    "SORTABLE",
    "System",
    "cells",
    "columns",
    "flat",
    "glyph",
    "place",
    "strip",
    "ticket",
    "why_alone",
]


class System(NamedTuple):
    """One open connection, as a row names it. title: of the service. segments: names by number, where it has them."""

    name: str
    title: str
    segments: Mapping[str, str] = MappingProxyType({})

    @property
    def full(self) -> str:
        """Which connection, and whose service it is."""
        return f"{self.name} · {self.title}"


Systems = Mapping[str, System]
"""By scope, in the order in which the sides are shown."""

SORTABLE: Final = {"name": "Name", "serial": "Serial", "model": "Model", "os": "OS", "group": "Group", "seen": "Seen"}

_COLUMNS: Final = (
    Column("name", "Name", 17, flex=2, most=34),
    Column("serial", "Serial", 15, priority=2, clip="middle"),
    Column("model", "Model", 12, priority=4, flex=1, most=24),
    Column("in", "In", 9, priority=1, flex=1, most=20),
    Column("os", "OS", 5, "right", 3),
    Column("group", "Group", 10, priority=5, flex=2, most=26),
    Column("seen", "Seen", 4, "right", 2),
    Column("differs", "Differs", 18, priority=1, flex=2, most=34),
)


def columns(sorted_by: Sequence[str] = ()) -> list[Column]:
    """The grid's columns; what is sorted by stays longest on a narrow screen."""
    return [replace(column, priority=0) if column.key in sorted_by else column for column in _COLUMNS]


def why_alone(row: TwinRow) -> str:
    """Why a device cannot be joined with another system's, "" when it could be."""
    return "" if row.joinable else f"not joined: {_serial_fault(row)}"


def _serial_fault(row: TwinRow) -> str:
    serial = str(row.value("serial") or "").strip()
    if not serial:
        return "no serial"
    return "serial twice" if normal_serial(serial) else "placeholder serial"


def cells(row: TwinRow, wanted: Sequence[Column], systems: Systems, now: float) -> list[Cell]:
    """One cell a column."""
    return [_cell(row, column.key, systems, now) for column in wanted]


def _cell(row: TwinRow, key: str, systems: Systems, now: float) -> Cell:
    if key == "in":
        return Cell(inside(row, systems), "good" if len(row.sides) > 1 else "info")
    if key == "differs":
        return _differs(row)
    if key == "serial":
        return _serial(row)
    if key == "os":
        return _os(row)
    if key == "seen":
        seen = _newest(row)
        if seen is None:
            return Cell("-", "muted")
        late = "seen" in row.differs or silent(seen, now)
        return Cell(calm_age(now - seen), "warn" if late else "muted")
    if key == "group":
        return _group(row, systems)
    value = row.value(key)
    if value in (None, ""):
        return Cell("-", "muted")
    return Cell(str(value), "" if key == "name" else "muted")


def inside(row: TwinRow, systems: Systems) -> str:
    """Who knows it: `⇄ both` of two, the names of some of more, the name of the only one."""
    names = [_name(side, systems) for side in row.sides]
    if len(names) < 2:
        return names[0] if names else "-"
    if len(names) == len(systems):
        return f"{glyphs().both} both" if len(names) == 2 else f"{glyphs().both} all {len(names)}"
    return f"{glyphs().both} {', '.join(names)}"


def _name(side: TwinSide, systems: Systems) -> str:
    system = systems.get(side.connection)
    return system.name if system is not None else side.connection


def _serial(row: TwinRow) -> Cell:
    serial = str(row.value("serial") or "")
    if row.joinable:
        return Cell(serial or "-", "muted")
    # It names no device: the id does.
    return Cell(f"id {row.sides[0].row.id}" if row.sides else "-", "warn")


def _os(row: TwinRow) -> Cell:
    found = list(dict.fromkeys(str(side.row.values["os"]) for side in row.sides if side.row.values.get("os")))
    short = list(dict.fromkeys(devices_text.short_version(one) for one in found))
    return Cell("/".join(short) or "-", "warn" if "os" in row.differs_in else "muted")


def _group(row: TwinRow, systems: Systems) -> Cell:
    named = (place(side, systems.get(side.connection))[0] for side in row.sides)
    found = list(dict.fromkeys(name for name in named if name))
    if "group" in row.differs:
        return Cell("/".join(found), "warn")
    unread = not found and any("group" not in side.row.values for side in row.sides)
    return Cell(found[0] if found else devices_text.NOT_READ if unread else "-", "muted")


def _newest(row: TwinRow) -> float | None:
    found = [side.row.values.get("seen") for side in row.sides]
    return max((float(seen) for seen in found if isinstance(seen, (int, float))), default=None)


def _differs(row: TwinRow) -> Cell:
    if not row.joinable:
        return Cell(_serial_fault(row), "info")
    words = [IN_ROW[name] for name in row.differs_in if name in IN_ROW]
    if words == [DISAGREEMENTS["only"]]:
        return Cell("only in one", "info")
    return Cell(", ".join(words), "warn")


def glyph(row: TwinRow) -> Cell:
    """The state glyph of the first system that says a state."""
    for side in row.sides:
        if side.row.unreadable or side.row.values.get("state"):
            return devices_text.glyph(side.row.values, side.row.unreadable)
    return Cell("")


def strip(row: TwinRow, systems: Systems, now: float) -> list[list[Part]]:
    """One line for each source: its system's name, and what it says; where they differ it is loud."""
    width = max((len(system.full) for system in systems.values()), default=0)
    lines: list[list[Part]] = []
    for scope, system in systems.items():
        side = next((side for side in row.sides if side.connection == scope), None)
        head = fit(system.full, min(width, 34))
        line = [part(f" {head}  ", "text" if side is not None else "muted", bold=side is not None)]
        line += [part("not in it", "info")] if side is None else _said(row, side, system, now)
        lines.append(line)
    if why := why_alone(row):
        lines = [line for line in lines if line[1][0] != "not in it"]
        lines.append([part(f"   {why}, shown by its id", "info")])
    return lines


def place(side: TwinSide, system: System | None) -> tuple[str, str]:
    """Where a system puts a device, and what it calls that: its group, else its segment; "" where it says neither."""
    values = side.row.values
    if values.get("group"):
        return str(values["group"]), "group"
    segment = values.get("segment")
    named = system.segments.get(str(segment), "") if system is not None and segment is not None else ""
    return named, "segment"


def _moment(seen: float, now: float) -> str:
    """`10:42, 4m`; with its date when it is older than a day."""
    moment = show_time(seen)
    return f"{moment[11:16] if 0 <= now - seen < 86_400 else moment[:16]}, {calm_age(now - seen)}"


def _said(row: TwinRow, side: TwinSide, system: System, now: float) -> list[Part]:
    values = side.row.values
    seen = values.get("seen")
    name, what = place(side, system)
    version = " ".join(str(values[key]) for key in ("os", "build") if values.get(key))
    said = (
        ("", devices_text.state_word(values)),
        ("version", f"Android {version}" if version else ""),
        ("group", f"{what} {name}" if name else ""),
        ("seen", f"seen {_moment(seen, now)}" if isinstance(seen, (int, float)) else ""),
        ("", f"policy {values['policy']}" if values.get("policy") else ""),
    )
    found: list[Part] = []
    for kind, text in said:
        if text:
            found += [part(" · " if found else "", "muted"), part(text, "warn" if kind in row.differs else "muted")]
    return found


def flat(row: TwinRow, systems: Systems) -> dict[str, str]:
    """A row for an export: what is joined, then each source's id, OS, build, group and last seen under its name."""
    found = {key: str(row.value(key) or "") for key in ("name", "serial", "model")}
    found["in"] = ", ".join(_name(side, systems) for side in row.sides)
    found["differs"] = ", ".join(row.differs_in)
    sides = {side.connection: side.row for side in row.sides}
    for scope, system in systems.items():
        held = sides.get(scope)
        values: Mapping[str, Any] = held.values if held is not None else {}
        found[f"{system.name}.id"] = held.id if held is not None else ""
        for key in ("os", "build"):
            found[f"{system.name}.{key}"] = str(values.get(key) or "")
        side = next((side for side in row.sides if side.connection == scope), None)
        found[f"{system.name}.group"] = place(side, system)[0] if side is not None else ""
        seen = values.get("seen")
        found[f"{system.name}.seen"] = show_time(seen) if isinstance(seen, (int, float)) else ""
    return found


def ticket(row: TwinRow, systems: Systems, now: float) -> str:
    """One line fit for a ticket: name, serial, each system with the id it has there, what differs, time."""
    parts = [str(row.value("name") or "-"), f"serial {row.value('serial') or '-'}"]
    parts += [f"{_name(side, systems)} id {side.row.id}" for side in row.sides]
    differs = ", ".join(IN_ROW[name] for name in row.differs_in)
    parts.append(f"disagreement: {differs}" if differs else "no disagreement")
    return clean(", ".join([*parts, f"as of {show_time(now)}"]), 2_000)
