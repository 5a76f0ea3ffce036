"""Where the cursor is and which rows are in sight: plain numbers and ids, no screen."""

from __future__ import annotations

from collections.abc import Sequence

from mdm_tui.tui.widgets.grid_model import GridSource


class Viewport:
    """Holds the cursor by id and by its line on the screen, so that neither moves when the order does."""

    def __init__(self, source: GridSource) -> None:
        self.source = source
        self.top = 0
        self.height = 1
        self.index = 0
        self.cursor_id: str | None = None

    @property
    def count(self) -> int:
        return self.source.count()

    @property
    def line(self) -> int:
        """The cursor's line on the screen, from 0."""
        return self.index - self.top

    def visible(self) -> range:
        """Indexes of the rows in sight."""
        return range(self.top, min(self.count, self.top + self.height))

    def move_to(self, index: int) -> None:
        """Put the cursor on a row; at an edge jump half a page, so that only one key in many scrolls."""
        count = self.count
        if not count:
            self.top = self.index = 0
            self.cursor_id = None
            return
        self.index = max(0, min(index, count - 1))
        self.cursor_id = self.source.id_at(self.index)
        if not self.top <= self.index < self.top + self.height:
            half = max(1, self.height // 2)
            near = self.top - half <= self.index < self.top + self.height + half
            if not near:
                wanted = self.index - self.height // 2
            elif self.index < self.top:
                wanted = min(self.index, self.top - half)
            else:
                wanted = max(self.index - self.height + 1, self.top + half)
            self.top = self._bounded(wanted)

    def page(self, rows: int) -> None:
        """Move sight and cursor together by `rows`; the cursor keeps its line until an end is reached."""
        top = self._bounded(self.top + rows)
        moved = top - self.top
        self.top = top
        self.move_to(self.index + (moved or rows))

    def scroll(self, rows: int) -> None:
        """Move sight alone; a cursor that would leave it stays at the edge: what one acts on is always seen."""
        self.top = self._bounded(self.top + rows)
        self.move_to(max(self.top, min(self.index, self.top + self.height - 1)))

    def resize(self, height: int) -> None:
        self.height = max(1, height)
        if self.index >= self.top + self.height:
            self.top = self.index - self.height + 1
        # A taller sight pulls rows in from above rather than showing nothing below.
        self.top = self._bounded(self.top)

    def reorder(self, seen: Sequence[str]) -> None:
        """Rows came, went or changed places. `seen` are the ids that were in sight, top down.

        The cursor stays on its id and on its line; is its id gone, it goes to the nearest one that was in
        sight (below first), else to the same place.
        """
        count = self.count
        if not count:
            self.top = self.index = 0
            self.cursor_id = None
            return
        line = self.line
        if self.cursor_id is None:
            self.move_to(0)
            return
        index = self.source.index_of(self.cursor_id)
        if index is None:
            index = self._nearest(seen, line)
        if index is None:
            index = min(self.index, count - 1)
        self.index = index
        self.cursor_id = self.source.id_at(index)
        top = index - max(0, min(line, self.height - 1))
        # Near the end of the list the line is kept at the price of a few blank lines, not of a blank screen.
        self.top = max(0, min(top, count - self.height + self.height // 4)) if count > self.height else 0

    def _nearest(self, seen: Sequence[str], line: int) -> int | None:
        below, above = seen[line + 1 :], seen[: max(0, line)][::-1]
        for row_id in (*below, *above):
            index = self.source.index_of(row_id)
            if index is not None:
                return index
        return None

    def _bounded(self, top: int) -> int:
        return max(0, min(top, self.count - self.height))
