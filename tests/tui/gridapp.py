"""A small app with one grid over a fake fleet, for tests of the grid and for counting its bytes on a terminal.

Run by itself (`python gridapp.py [ROWS]`) it shows the grid; key `!` changes ten visible cells, `@` one row out
of sight, `#` swaps the order, `^` paints
all of it anew.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from textual.app import App, ComposeResult
from textual.binding import Binding

from mdm_tui.tui.safe import guard
from mdm_tui.tui.theme import find_theme, use_theme
from mdm_tui.tui.widgets.grid import Cell, Column, Grid, grid_bindings

COLUMNS = (
    Column("name", "Name", 18, flex=2, most=34),
    Column("serial", "Serial", 13, priority=2, clip="middle"),
    Column("model", "Model", 15, priority=6),
    Column("os", "OS", 3, "right", priority=7),
    Column("patch", "Patch", 7, priority=8),
    Column("battery", "Batt %", 6, "right", priority=1),
    Column("seen", "Seen", 5, "right", priority=1),
    Column("policy", "Policy", 16, priority=5),
    Column("faults", "Faults", 14, priority=1, flex=3),
)
_MODELS = ("Zebra TC52", "Samsung XCover7", "Honeywell CT45", "Zebra TC51")
_POLICIES = ("Warehouse v7", "Drivers v12", "Kiosk v3", "-")
_NAMES = ("Dock {} scanner", "Van {}", "Gate tablet {}", "Old handheld {}", "仓库扫描器 {}", "Café Zoë {}")
_FAULTS = (
    ("low battery", "bad"),
    ("policy not applied 3h", "warn"),
    ("silent 9h (usually 15m)", "warn"),
)
_GLYPHS = {"active": ("●", "good"), "leaving": ("◐", "warn"), "disabled": ("○", "muted")}


class FakeFleet:
    """Rows in memory: `ids` is the order, `rows` the values."""

    def __init__(self, count: int) -> None:
        self.ids = [f"{0x671000000000000000000000 + n:024x}" for n in range(count)]
        self.rows = {row_id: self._row(n) for n, row_id in enumerate(self.ids)}
        self.missing: set[str] = set()
        self.wanted: list[tuple[int, int]] = []
        self.asked: list[str] = []

    @staticmethod
    def _row(n: int) -> dict[str, tuple[str, str]]:
        fault = _FAULTS[n // 5 % 3] if n % 5 == 2 else ("", "")
        battery = n * 37 % 100
        return {
            "name": (_NAMES[n % len(_NAMES)].format(n), ""),
            "serial": (f"M02400{n * 7919 % 10**9:09d}", ""),
            "model": (_MODELS[n % 4], ""),
            "os": (str(8 + n % 6), ""),
            "patch": (f"2026-{n % 12 + 1:02d}", ""),
            "battery": (str(battery), "bad" if battery < 10 else ""),
            "seen": (f"{n % 59 + 1}{'smhd'[n % 4]}", ""),
            "policy": (_POLICIES[n % 4], ""),
            "faults": fault,
        }

    def count(self) -> int:
        return len(self.ids)

    def id_at(self, index: int) -> str:
        return self.ids[index]

    def index_of(self, row_id: str) -> int | None:
        try:
            return self.ids.index(row_id)
        except ValueError:
            return None

    def cells(self, row_id: str, columns: Sequence[Column]) -> Sequence[Cell] | None:
        self.asked.append(row_id)
        if row_id in self.missing:
            return None
        row = self.rows[row_id]
        return [Cell(*row[column.key]) for column in columns]

    def glyph(self, row_id: str) -> Cell:
        n = int(row_id, 16) % 11
        return Cell(*_GLYPHS["leaving" if n == 3 else "disabled" if n == 7 else "active"])

    def want(self, first: int, last: int) -> None:
        self.wanted.append((first, last))


class KeyedGrid(Grid):
    """The grid with its default keys bound, as the registry of actions binds them in the console."""

    BINDINGS = grid_bindings()


class GridApp(App[None]):
    """Just the grid, with the default keys."""

    CSS = "Screen { background: $ground; }"
    BINDINGS = [
        Binding("exclamation_mark", "change_ten", show=False),
        Binding("at", "change_unseen", show=False),
        Binding("number_sign", "swap", show=False),
        Binding("circumflex_accent", "repaint", show=False),
    ]
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, count: int = 200, theme: str = "night", empty: str = "No device matches.") -> None:
        super().__init__()
        self.fleet = FakeFleet(count)
        use_theme(self, find_theme(theme)[0])
        self.grid = KeyedGrid(COLUMNS, self.fleet, id="grid", empty=empty)
        self.seen: list[object] = []

    def get_line_filters(self):
        return [*super().get_line_filters(), guard]

    def compose(self) -> ComposeResult:
        yield self.grid

    def on_mount(self) -> None:
        self.grid.focus()

    def on_grid_cursor_moved(self, message: Grid.CursorMoved) -> None:
        self.seen.append(("cursor", message.row_id))

    def on_grid_opened(self, message: Grid.Opened) -> None:
        self.seen.append(("opened", message.row_id))

    def on_grid_marks_changed(self, message: Grid.MarksChanged) -> None:
        self.seen.append(("marks", list(message.grid.marks)))

    def change(self, ids: Sequence[str], key: str, text: str, role: str = "") -> None:
        for row_id in ids:
            self.fleet.rows[row_id][key] = (text, role)
        self.grid.rows_changed(ids)

    def action_change_ten(self) -> None:
        top = self.grid.view.top
        self.change(self.fleet.ids[top + 2 : top + 22 : 2], "policy", "Night shift v9")

    def action_change_unseen(self) -> None:
        self.change(self.fleet.ids[-1:], "policy", "Night shift v9")

    def action_swap(self) -> None:
        self.fleet.ids.reverse()
        self.grid.order_changed()

    def action_repaint(self) -> None:
        self.screen.refresh(layout=True)
        self.refresh()


if __name__ == "__main__":
    GridApp(int(sys.argv[1]) if sys.argv[1:] else 10_000).run()
