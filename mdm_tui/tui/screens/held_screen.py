"""A list whose rows are all at hand: filtered by words, sorted by one column, marked, copied, exported.

What the lists of policies, rollouts, commands, apps and images share. The source is a `HeldRows` with `words`,
`sort`, `sort_by`, `arrange`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from mdm_tui.fleet.inventory_text import wrap
from mdm_tui.fleet.text import clean
from mdm_tui.tui.screens.base import List, refusal
from mdm_tui.tui.screens.devices_view import count_parts
from mdm_tui.tui.screens.list_screen import ListScreen
from mdm_tui.tui.widgets.grid import Column, Grid
from mdm_tui.tui.widgets.lines import Part, part

__all__ = ["HeldListScreen"]

_MARGIN = 8


class HeldListScreen(ListScreen):
    """NOUN, NOUNS: what a row is called; EXPORTED: the columns of an export."""

    NOUN: ClassVar[str] = ""
    NOUNS: ClassVar[str] = ""
    EXPORTED: ClassVar[tuple[str, ...]] = ()

    def __init__(self, session: Any, columns: Sequence[Column], source: Any, name: str) -> None:
        super().__init__(session)
        self.source = source
        self.columns = columns
        self.grid = List(columns, source, id=name)
        self.sentence = ""
        """Why they could not be read anew, "" when they could."""

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

    # --- drawing ---

    def say(self) -> None:
        """The line above the list."""
        left: list[Part] = [part(" / ", "accent")]
        left.append(part(self.source.words, bold=True) if self.source.words else part("filter", "muted"))
        more, right = self.more_words()
        left += more
        end: list[Part] = [part("not read anew ", "warn")] if self.sentence else []
        end += right
        self.filter.say(left, [*end, *self.counted()])
        if not self.source.count():
            why = "\n".join(wrap(clean(self.sentence, 400), self.app.size.width - _MARGIN)) if self.sentence else ""
            self.grid.empty = why or self.no_match() or self.nothing()

    def counted(self) -> list[Part]:
        """How many rows there are, of how many when a filter leaves some out, the marks, and where one is."""
        source, marks = self.source, self.grid.marks
        outside = sum(1 for row_id in marks if source.index_of(row_id) is None) if marks else 0
        rows, of = source.count(), source.of()
        return count_parts(rows, of, rows != of, len(marks), outside, self.grid.position, False)

    def no_match(self) -> str:
        """What to say where the filter left nothing; "" where it is not the filter's doing."""
        return f"No {self.NOUN} matches; esc clears the filter." if self.source.words else ""

    # --- filter ---

    def filter_by(self, text: str) -> None:
        """Show the rows that hold all these words."""
        self.source.words = clean(text, 256).strip()
        if self.source.arrange():
            self.grid.order_changed()
        self.say()

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

    def on_grid_header_pressed(self, event: Grid.HeaderPressed) -> None:
        event.stop()
        self.sort_by(event.key)

    # --- rows ---

    def targets(self) -> list[Any]:
        """The marked rows, else the one under the cursor."""
        return [row for row in map(self.source.row, self.target_ids()) if row is not None]

    def warn_locked(self) -> None:
        """Say before the work, not after it, that nothing can be saved; looking and drafts are free."""
        if sentence := refusal(self.session, "Nothing can be saved"):
            self.tell(f"{sentence} A draft is kept.", "warning")

    def action_export(self) -> None:
        from mdm_tui.tui.screens import devices_export

        ids = list(self.grid.marks) or [self.source.id_at(index) for index in range(self.source.count())]
        what = f"marked {self.NOUNS}" if self.grid.marks else self.NOUNS
        devices_export.ask(self, len(ids), what, lambda kind: self._export(kind, ids))

    async def _export(self, kind: str, ids: Sequence[str]) -> None:
        from mdm_tui.tui.screens import devices_export

        values = [self.exported(row) for row in map(self.source.row, ids) if row is not None]
        rows = [
            {key: "" if value is None else str(value) for key, value in zip(self.EXPORTED, one, strict=True)}
            for one in values
        ]
        await devices_export.export(self, kind, self.NOUNS, self.EXPORTED, rows)
