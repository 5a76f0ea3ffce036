"""The painted part of a grid: keeps what each line showed last, and refreshes only the spans that differ."""

from __future__ import annotations

from collections.abc import Sequence

from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from mdm_tui.fleet.inventory_text import wrap
from mdm_tui.tui.theme import palette
from mdm_tui.tui.widgets.grid_crop import crop_updates
from mdm_tui.tui.widgets.grid_layout import PREFIX, Layout, arrange, arrange_wide
from mdm_tui.tui.widgets.grid_model import Column, GridSource, Marks
from mdm_tui.tui.widgets.grid_paint import (
    BLANK,
    Painted,
    RowState,
    differing,
    paint_header,
    paint_row,
    paint_text,
    slots_of,
    to_strip,
)
from mdm_tui.tui.widgets.grid_view import Viewport


class GridCanvas(Widget):
    """Paints the header and the rows in sight. What moves the cursor and the marks is `Grid`'s."""

    def __init__(self, columns: Sequence[Column], source: GridSource, marks: Marks, empty: str, id: str | None) -> None:
        super().__init__(id=id)
        self.marks = marks
        self.view = Viewport(source)
        self._columns = tuple(columns)
        self._empty = empty
        self._sort: tuple[tuple[str, bool], ...] = ()
        self._wide = self._dimmed = self._bar = False
        self._first_column = 0
        self._layout_now = arrange(self._columns, 80)
        self._slots = slots_of(self._layout_now)
        self._header: Painted | None = None
        self._painted: list[Painted] = []
        self._seen: list[str] = []
        self._fitted: tuple[int, int] = (0, 0)

    @property
    def columns(self) -> tuple[Column, ...]:
        return self._columns

    @property
    def shown_columns(self) -> Layout:
        """The columns on the screen now, with their places."""
        return self._layout_now

    @property
    def sort(self) -> tuple[tuple[str, bool], ...]:
        """Column keys with their direction (True: descending), for the arrows in the header."""
        return self._sort

    @sort.setter
    def sort(self, value: Sequence[tuple[str, bool]]) -> None:
        self._sort = tuple(value)
        self._sync_header()

    @property
    def dimmed(self) -> bool:
        """Pale rows: the query is unfinished or wrong, what is shown is the last good answer."""
        return self._dimmed

    @dimmed.setter
    def dimmed(self, value: bool) -> None:
        self._dimmed = value
        self._sync()

    @property
    def bar(self) -> bool:
        """A raised bar under the cursor's row beside the marker; dearer by some hundred bytes a key."""
        return self._bar

    @bar.setter
    def bar(self, value: bool) -> None:
        self._bar = value
        self._sync()

    @property
    def wide(self) -> bool:
        """Every column at its own width, scrolled by columns, instead of what fits."""
        return self._wide

    @wide.setter
    def wide(self, value: bool) -> None:
        self._wide, self._first_column = value, 0
        self._arrange()

    def toggle_wide(self) -> None:
        self.wide = not self.wide

    @property
    def empty(self) -> str:
        return self._empty

    @empty.setter
    def empty(self, value: str) -> None:
        self._empty = value
        self._sync()

    # --- painting ---

    def _fit_to_size(self) -> None:
        """Make layout and sight follow the widget's size. The first frame is drawn before Resize comes."""
        width, height = self.size
        if width and self._fitted != (width, height):
            self._fitted = (width, height)
            self.view.resize(height - 1)
            if self.view.cursor_id is None:
                self.view.move_to(0)
            self._arrange(repaint=False)

    def _arrange(self, *, repaint: bool = True) -> None:
        width = self.size.width or 80
        if self._wide:
            self._layout_now = arrange_wide(self._columns, width, self._first_column)
            self._first_column = self._layout_now.first
        else:
            self._layout_now = arrange(self._columns, width)
        self._slots = slots_of(self._layout_now)
        self._header = None
        self._painted.clear()
        if repaint:
            self.refresh()

    def scroll_columns(self, step: int) -> None:
        """In wide mode: so many columns to the right, the first one staying."""
        if self._wide:
            before = self._first_column
            if step < 0 or self._layout_now.hidden > before:
                self._first_column = max(0, before + step)
            if before != self._first_column:
                self._arrange()

    def _sync(self, lines: Sequence[int] | None = None) -> None:
        """Compare lines with what was painted and refresh the spans that differ."""
        if not self.is_mounted or not self._painted:
            # Nothing is on the screen yet: the first frame will paint it all.
            self._see()
            return
        if lines is None:
            self._see()
            lines = range(self.view.height)
        width = self.size.width
        for line in lines:
            if line >= len(self._painted):
                continue
            new = self._paint(line)
            old, self._painted[line] = self._painted[line], new
            spans = [Region(x, line + 1, size, 1) for x, size in differing(old, new, self._slots, width)]
            if spans:
                self.refresh(*spans)

    def _sync_header(self) -> None:
        if self._header is not None:
            self._header = None
            self.refresh(Region(0, 0, self.size.width, 1))

    def _see(self) -> None:
        self._seen = [self.view.source.id_at(index) for index in self.view.visible()]

    def _paint(self, line: int) -> Painted:
        if line >= len(self._seen):
            if self._seen or self.view.count:
                return BLANK
            words = self._empty_lines()
            return paint_text(words[line - 1], self.size.width) if 1 <= line <= len(words) else BLANK
        row_id = self._seen[line]
        source = self.view.source
        state = RowState(
            cursor=line == self.view.line,
            marked=row_id in self.marks,
            focused=self.has_focus,
            dimmed=self._dimmed,
            bar=self._bar,
        )
        cells = source.cells(row_id, self._layout_now.columns)
        return paint_row(self._layout_now, cells, source.glyph(row_id), state)

    def _empty_lines(self) -> list[str]:
        # A sentence that says what to do must not end before it has said it.
        room = max(1, self.size.width - PREFIX - 1)
        return [row for line in self._empty.splitlines() for row in wrap(line, room)]

    def render_line(self, y: int) -> Strip:
        self._fit_to_size()
        width = self.size.width
        colours = palette(self.app)
        if y == 0:
            if self._header is None:
                self._header = paint_header(self._layout_now, self._sort, wide=self._wide)
            return to_strip(self._header, colours, width)
        if not self._painted:
            self._see()
            self._painted = [self._paint(line) for line in range(self.view.height)]
        painted = self._painted[y - 1] if y - 1 < len(self._painted) else BLANK
        return to_strip(painted, colours, width)

    def on_mount(self) -> None:
        crop_updates(self.screen)
