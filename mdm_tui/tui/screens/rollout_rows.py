"""The rows of the rollout editor's two lists: whom it reaches, and how far each device is. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from mdm_tui.fleet.text import clean
from mdm_tui.fleet.values import calm_age
from mdm_tui.tui.screens.held import HeldRows
from mdm_tui.tui.screens.rollouts_source import counted
from mdm_tui.tui.widgets.grid import Cell, Column
from mdm_tui.tui.widgets.grid_text import glyphs

__all__ = ["PROGRESS", "REACH", "ProgressSource", "ReachRow", "ReachSource", "reach_rows"]

REACH: Final = (
    Column("name", "Name", 22, priority=0, flex=2, most=40),
    Column("serial", "Serial", 14, priority=2, flex=1, most=20),
    Column("how", "Through", 18, priority=3, flex=2, most=36),
    Column("words", "What is known", 22, priority=1, flex=4),
)
PROGRESS: Final = (
    Column("name", "Name", 22, priority=0, flex=2, most=40),
    Column("state", "State", 11, priority=1),
    Column("apps", "Apps", 8, "right", priority=2),
    Column("image", "Image", 10, priority=3),
    Column("read", "Apps read", 9, "right", priority=5),
    Column("note", "Why", 20, priority=4, flex=4),
)
_ENTRY: Final = {
    "unknown": ("saving would register it", "warn"),
    "undecided": ("not known whether it exists: saving may register it", "warn"),
    "registered": ("registered, not yet seen here", ""),
    "empty": ("is blank", "warn"),
    "known": ("", ""),
}
_STATE: Final = {
    "done": ("done", "good"), "waiting": ("waiting", "info"), "unknown": ("unknown", "warn"),
    "unfit": ("not for it", "muted"),
}  # fmt: skip


class ReachRow(NamedTuple):
    """One line. out: what takes it out of the scope: ("groups" or "devices", its text there); None for a member."""

    id: str
    name: str
    serial: str
    how: str
    words: str
    role: str
    device: str = ""
    out: tuple[str, str] | None = None


def reach_rows(reach: Any, facts: Mapping[str, Sequence[Any]]) -> list[ReachRow]:
    """What needs a decision first, then the groups, then the devices by name. facts: id → name, serial, group's id."""
    grave: list[ReachRow] = []
    groups: list[ReachRow] = []
    alone: dict[str, tuple[str, str]] = {}
    for entry in reach.entries if not reach.everyone else ():
        words, role = _ENTRY[entry.state]
        note = clean(entry.note, 100)
        if entry.state == "known":
            alone.update((device, (entry.text, note)) for device in entry.devices)
            continue
        text = clean(entry.text, 100) or "(blank)"
        known = "; ".join(filter(None, (words, note)))
        grave.append(ReachRow(f"x:{entry.text}", text, text, "by itself", known, role, "", ("devices", entry.text)))
    names: dict[str, str] = {}
    for group in reach.groups:
        names[group.id] = clean(group.name, 80)
        if group.gone:
            words, role = "is not at the service any more: it reaches nobody", "warn"
        else:
            words = counted(group.devices, "device") + (f", {group.below:,} more below" if group.below else "")
            words, role = (f"{words}; not all may be known: {clean(group.unread, 100)}", "warn") if group.unread else (
                words, "muted")  # fmt: skip
        row = ReachRow(f"g:{group.id}", names[group.id], "", "group", words, role, "", ("groups", group.id))
        (grave if group.gone else groups).append(row)
    devices: list[ReachRow] = []
    for device in reach.devices:
        name, serial, inside = (facts.get(device) or ("", "", ""))[:3]
        text, note = alone.get(device, ("", ""))
        how = "everyone" if reach.everyone else "by itself" if text else names.get(str(inside or ""), "")
        label = clean(name or serial or device, 80)
        out = ("devices", text) if text else None
        devices.append(ReachRow(f"d:{device}", label, clean(serial or "-", 60), how, note, "warn" if note else "muted",
                                device, out))  # fmt: skip
    devices.sort(key=lambda row: (row.name.casefold(), row.id))
    return [*grave, *groups, *devices]


class ReachSource(HeldRows):
    """The rows of the reach, in the order in which they were made."""

    def put(self, rows: Iterable[ReachRow]) -> None:
        """Show these."""
        self._held = {row.id: row for row in rows}
        self._show(list(self._held))

    def cells(self, row_id: str, columns: Sequence[Column]) -> Sequence[Cell] | None:
        row = self._held.get(row_id)
        if row is None:
            return None
        texts = {"name": Cell(row.name, row.role if row.role == "warn" and row.out else ""),
                 "serial": Cell(row.serial, "muted"), "how": Cell(row.how, "muted"),
                 "words": Cell(row.words, row.role)}  # fmt: skip
        return [texts[column.key] for column in columns]

    def glyph(self, row_id: str) -> Cell:
        row = self._held.get(row_id)
        if row is not None and row.role == "warn":
            return Cell(glyphs().fault, "warn")
        return Cell(glyphs().more_right if row is not None and row_id.startswith("g:") else " ", "muted")

    def seek(self, index: int, step: int) -> int | None:
        """The next row that needs a decision."""
        place = index + step
        while 0 <= place < self.count():
            if self._held[self.id_at(place)].role == "warn":
                return place
            place += step
        return None


class ProgressSource(HeldRows):
    """One row a device; the id of a row is the device's."""

    def __init__(self, now: Callable[[], float]) -> None:
        super().__init__()
        self._now = now

    def put(self, rows: Iterable[Any]) -> tuple[set[str], bool]:
        """Take another look. Answers which differ and whether order or membership do. What waits comes first."""
        order = {"waiting": 0, "unknown": 1, "unfit": 2, "done": 3}
        old, self._held = self._held, {row.id: row for row in rows}
        changed = {key for key, row in self._held.items() if old.get(key) != row}
        if old.keys() == self._held.keys():
            # Nothing jumps while it is looked at: the order is that of the first look.
            return changed, False
        ranked = sorted(self._held.values(), key=lambda row: (order[row.state], row.name.casefold(), row.id))
        return changed, self._show([row.id for row in ranked])

    def cells(self, row_id: str, columns: Sequence[Column]) -> Sequence[Cell] | None:
        row = self._held.get(row_id)
        return None if row is None else [self._cell(row, column.key) for column in columns]

    def glyph(self, row_id: str) -> Cell:
        row = self._held.get(row_id)
        signs = {"done": (glyphs().mark, "good"), "waiting": (glyphs().provisioning, "info"),
                 "unfit": (glyphs().gone, "muted"), "unknown": (glyphs().unknown, "warn")}  # fmt: skip
        return Cell(" ") if row is None else Cell(*signs[row.state])

    def _cell(self, row: Any, key: str) -> Cell:
        if key == "name":
            return Cell(clean(row.name, 80))
        if key == "state":
            return Cell(*_STATE[row.state])
        if key == "apps":
            done = sum(state == "done" for state in row.apps.values())
            return Cell(f"{done} of {len(row.apps)}" if row.apps else "-", "muted" if done < len(row.apps) else "good")
        if key == "image":
            return Cell("-", "muted") if row.image is None else Cell(*_STATE[row.image])
        if key == "read":
            return Cell("-" if row.read_at is None else calm_age(self._now() - row.read_at), "muted")
        return Cell(clean(row.note, 200), "muted")
