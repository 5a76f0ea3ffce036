"""The Queue's rows: items of the command service, viewed, filtered and sorted. Pure, so that it is tested alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final

from mdm_tui.fleet.commands import State
from mdm_tui.fleet.text import clean, search_key
from mdm_tui.fleet.values import calm_age
from mdm_tui.tui.screens.held import HeldRows
from mdm_tui.tui.screens.queue_lines import ends
from mdm_tui.tui.widgets.grid import Cell, Column
from mdm_tui.tui.widgets.ladder import ladder, state_cell, state_glyph

__all__ = ["COLUMNS", "QueueSource"]

COLUMNS: Final = (
    Column("command", "Command", 14, priority=0),
    Column("device", "Device", 14, priority=1, flex=2, most=30),
    Column("asked", "Asked", 5, "right", priority=3),
    Column("by", "By", 8, priority=5, most=14, flex=1),
    Column("state", "State", 19, priority=2, flex=1, most=24),
    Column("evidence", "Evidence", 30, priority=6, flex=1, most=40),
    Column("ends", "Ends", 7, "right", priority=4),
)

_UNCLEAR = frozenset({State.UNKNOWN, State.ABSENT, State.AMBIGUOUS})


class QueueSource(HeldRows):
    """Rows for the grid; the id of a row is the item's key."""

    # key, title
    VIEWS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("all", "All"),
        ("flight", "In flight"),
        ("unknown", "Unclear"),
        ("wrong", "Went wrong"),
        ("ended", "Ended"),
        ("ours", "Ours"),
    )

    def __init__(self, now: Callable[[], float]) -> None:
        super().__init__()
        self._now = now
        self.view = "all"
        self.words = ""
        self.sort: tuple[str, bool] = ("asked", True)

    # --- what the grid asks ---

    def cells(self, row_id: str, columns: Sequence[Column]) -> Sequence[Cell] | None:
        item = self._held.get(row_id)
        return None if item is None else [self._cell(item, column.key) for column in columns]

    def glyph(self, row_id: str) -> Cell:
        item = self._held.get(row_id)
        return Cell(" ") if item is None else state_glyph(item)

    def seek(self, index: int, step: int) -> int | None:
        """The next row that is unclear or went wrong."""
        return self._next(index, step, lambda key: self._wrong(self._held[key]) or self._held[key].state in _UNCLEAR)

    # --- what the screen asks ---

    item = HeldRows.row

    def newest(self) -> str | None:
        """The row of our newest command, None where none is in view."""
        ours = [item for item in map(self.item, self._ids) if item is not None and item.ours]
        return max(ours, key=lambda item: self._rank(item, "asked")).key if ours else None

    def counts(self) -> dict[str, int]:
        """How many items each view has."""
        return {key: sum(1 for item in self._held.values() if self._in(key, item)) for key, _title in self.VIEWS}

    def of(self) -> int:
        return self.counts()[self.view]

    def put(self, items: Sequence[Any]) -> tuple[set[str], bool]:
        """Take the items of now. Answers which differ and whether order or membership do."""
        old, self._held = self._held, {item.key: item for item in items}
        changed = {key for key, item in self._held.items() if old.get(key) != item}
        return changed, self.arrange()

    def show(self, view: str) -> None:
        """Change the view."""
        self.view = view
        self.arrange()

    def sort_by(self, key: str) -> None:
        """Sort by a column; the same one again turns it round."""
        self.sort = (key, not self.sort[1] if self.sort[0] == key else key in ("asked", "ends"))

    def arrange(self) -> bool:
        """View, filter and sort again; whether the rows or their order changed."""
        words = search_key(self.words).split()
        shown = [item for item in self._held.values() if self._in(self.view, item) and self._holds(item, words)]
        key, down = self.sort
        shown.sort(key=lambda item: self._rank(item, key), reverse=down)
        return self._show([item.key for item in shown])

    # --- inside ---

    def _in(self, view: str, item: Any) -> bool:
        state: State = item.state
        if view == "flight":
            return not state.ended and state not in _UNCLEAR
        if view == "unknown":
            return state in _UNCLEAR
        if view == "wrong":
            return self._wrong(item)
        if view == "ended":
            return state.ended
        return item.ours if view == "ours" else True

    @staticmethod
    def _wrong(item: Any) -> bool:
        return item.state in (State.FAILED, State.REJECTED, State.EXPIRED)

    @staticmethod
    def _holds(item: Any, words: Sequence[str]) -> bool:
        if not words:
            return True
        text = search_key(
            f"{item.name} {item.device_name} {item.device_id} {item.by} {item.state.value} {item.status} {item.reason}"
            f" {item.error} {'waiting' if item.state.waiting else ''}"
        )
        return all(word in text for word in words)

    @staticmethod
    def _rank(item: Any, key: str) -> Any:
        if key == "asked":
            return (item.asked or 0.0, item.key)
        if key == "ends":
            return (item.ended_at or item.expires_at or 0.0, item.key)
        text = {"command": item.name, "device": item.device_name, "by": item.by, "state": item.state.value}
        return (search_key(text.get(key, ladder(item))), item.key)

    def _cell(self, item: Any, key: str) -> Cell:
        now = self._now()
        if key == "command":
            return Cell(clean(item.name))
        if key == "device":
            return Cell(clean(item.device_name))
        if key == "asked":
            return Cell(calm_age(now - item.asked) if item.asked is not None else "-", "muted")
        if key == "by":
            return Cell(clean(item.by), "muted")
        if key == "state":
            return state_cell(item)
        if key == "evidence":
            return Cell(ladder(item), "muted")
        return Cell(ends(item, now), "muted")
