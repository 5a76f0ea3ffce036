"""A list whose rows are all at hand: filtered by words, sorted by one column, marked, copied, exported.

What the lists of policies and of rollouts share. The source is a `HeldRows` with `words`, `sort`, `sort_by`, `arrange`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from mdm_tui.fleet.inventory_text import wrap
from mdm_tui.fleet.text import clean
from mdm_tui.tui.screens.base import FleetScreen, List, refusal
from mdm_tui.tui.widgets.filter_line import FilterLine
from mdm_tui.tui.widgets.grid import Column, Grid
from mdm_tui.tui.widgets.lines import Part, part

__all__ = ["HeldListScreen", "is_new"]

_TICK = 30
_MARGIN = 8


class HeldListScreen(FleetScreen):
    """A filter line over a grid. NOUN, NOUNS: what a row is called; EXPORTED: the columns of an export."""

    NOUN: ClassVar[str] = ""
    NOUNS: ClassVar[str] = ""
    EXPORTED: ClassVar[tuple[str, ...]] = ()

    def __init__(self, session: Any, columns: Sequence[Column], source: Any, name: str) -> None:
        super().__init__(session)
        self.source = source
        self.columns = columns
        self.grid = List(columns, source, id=name)
        self.filter = FilterLine(id="filter")
        self.sentence = ""
        self._ticked = 0.0

    # --- what each list says itself ---

    def exported(self, row: Any) -> Sequence[object]:
        """A row's values under `EXPORTED`."""
        return ()

    def more_words(self) -> tuple[list[Part], list[Part]]:
        """More for the line above the list: after the filter, and before the position."""
        return [], []

    def nothing(self) -> str:
        """What to say where there are no rows."""
        return ""

    def sorted_anew(self) -> None:
        """Another column was chosen."""

    def filter_closed(self) -> None:
        """Typing a filter ended."""

    # --- drawing ---

    def tick(self) -> None:
        now = self.app.now()
        if now - self._ticked >= _TICK or now < self._ticked:
            self._ticked = now
            first, last, _count = self.grid.position
            self.grid.rows_changed([self.source.id_at(index) for index in range(max(first - 1, 0), last)])

    def say(self) -> None:
        """The line above the list."""
        left: list[Part] = [part(" / ", "accent")]
        left.append(part(self.source.words, bold=True) if self.source.words else part("filter", "muted"))
        more, right = self.more_words()
        left += more
        end: list[Part] = [part("not read anew ", "warn")] if self.sentence else []
        end += right
        if len(self.grid.marks):
            end.append(part(f"{len(self.grid.marks):,} marked   ", "marked"))
        first, last, count = self.grid.position
        where = f"{first:,}-{last:,} of {count:,}" if count else "none shown"
        self.filter.say(left, [*end, part(where, "muted"), part(" ")])
        if not self.source.count():
            why = "\n".join(wrap(clean(self.sentence, 400), self.app.size.width - _MARGIN)) if self.sentence else ""
            self.grid.empty = why or self._no_match() or self.nothing()

    def _no_match(self) -> str:
        return f"No {self.NOUN} matches; esc clears the filter." if self.source.words else ""

    def on_grid_view_changed(self, message: Grid.ViewChanged) -> None:
        self.say()

    def on_grid_marks_changed(self, message: Grid.MarksChanged) -> None:
        self.say()

    # --- filter ---

    async def action_filter(self) -> None:
        await self.filter.open(self.source.words)

    def take_text(self, text: str, *, apply: bool) -> None:
        """What a scanner or a paste brought: words for the filter."""
        self.filter_by(text)

    def on_filter_line_changed(self, message: FilterLine.Changed) -> None:
        self.filter_by(message.text)

    async def on_filter_line_closed(self, message: FilterLine.Closed) -> None:
        self.filter_by(message.text if message.applied else "")
        await self.filter.close()
        self.grid.focus()
        self.filter_closed()

    def filter_by(self, text: str) -> None:
        """Show the rows that hold all these words."""
        self.source.words = clean(text, 256).strip()
        if self.source.arrange():
            self.grid.order_changed()
        self.say()

    def escape(self) -> bool:
        if self.source.words:
            self.filter_by("")
            return True
        return False

    # --- sorting ---

    def action_sort(self) -> None:
        from mdm_tui.tui.screens.ask import Choose

        key, down = self.source.sort
        turn = "down" if down else "up"
        options = [(column.key, column.title, turn if column.key == key else "") for column in self.columns]
        dialog = Choose("Sort by (the same one again turns it round)", options, now=key)
        self.app.push_screen(dialog, lambda one: one and self.sort_by(one))

    def action_sort_add(self) -> None:
        self.tell(f"{self.NOUNS.capitalize()} are sorted by one column; s chooses it.")

    def sort_by(self, key: str) -> None:
        """Sort by a column; the same one again turns it round."""
        self.source.sort_by(key)
        self.grid.sort = (self.source.sort,)
        self.sorted_anew()
        self.source.arrange()
        self.grid.order_changed()

    # --- rows ---

    def targets(self) -> list[Any]:
        """The marked rows, else the one under the cursor."""
        ids = list(self.grid.marks) or ([self.grid.cursor_id] if self.grid.cursor_id is not None else [])
        return [row for row in map(self.source.row, ids) if row is not None]

    def warn_locked(self) -> None:
        """Say before the work, not after it, that nothing can be saved; looking and drafts are free."""
        if sentence := refusal(self.session, "Nothing can be saved"):
            self.tell(f"{sentence} A draft is kept.", "warning")

    def action_export(self) -> None:
        from mdm_tui.tui.screens.ask import Choose

        options = [("csv", "CSV", "for spreadsheets"), ("json", "JSON", "one array of objects")]
        self.app.push_screen(Choose(f"Export {self.source.count():,} {self.NOUNS}", options), self._export)

    def _export(self, kind: str | None) -> None:
        if not kind:
            return
        from mdm_tui.tui.screens import devices_export

        rows = []
        for index in range(self.source.count()):
            values = self.exported(self.source.row(self.source.id_at(index)))
            texts = ("" if value is None else str(value) for value in values)
            rows.append(dict(zip(self.EXPORTED, texts, strict=True)))
        text = (devices_export.as_json if kind == "json" else devices_export.as_csv)(self.EXPORTED, rows)
        try:
            path = devices_export.write(Path.cwd(), self.NOUNS, kind, text, self.app.now())
        except OSError as error:
            self.tell(f"Not written: {error.strerror}: {error.filename}", "error")
            return
        self.tell(f"{len(rows):,} {self.NOUNS} written to {path}")


def is_new(key: str) -> bool:
    """Whether an id is that of a draft of something the service does not have yet."""
    return key.startswith("new:")
