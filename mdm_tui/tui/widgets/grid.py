"""The list of devices, policies, commands or apps: our own grid over a window of ids.

It paints lines itself and keeps what it painted: every change, a moved cursor as well as a new value, becomes
the spans that differ, and only those are sent. Rows are known by id; the order is the source's business.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Self

from textual import events
from textual.message import Message

from mdm_tui.tui.widgets.grid_canvas import GridCanvas
from mdm_tui.tui.widgets.grid_keys import GRID_KEYS, GridActions, grid_bindings
from mdm_tui.tui.widgets.grid_layout import PREFIX
from mdm_tui.tui.widgets.grid_model import Cell, Column, GridSource, Marks, Seeking

__all__ = ["GRID_KEYS", "Cell", "Column", "Grid", "GridSource", "Marks", "Seeking", "grid_bindings"]

_WHEEL_ROWS = 3


class GridMessage(Message):
    """What a grid tells its screen."""

    def __init__(self, grid: Grid) -> None:
        super().__init__()
        self.grid = grid

    @property
    def control(self) -> Grid:
        return self.grid


class RowMessage(GridMessage):
    """The same, about one row."""

    def __init__(self, grid: Grid, row_id: str | None) -> None:
        super().__init__(grid)
        self.row_id = row_id


class Grid(GridActions, GridCanvas, can_focus=True):
    """A list with a marker cursor. Line 0 is the header, every other line a row.

    It has no scrollbar (one costs 6 KB a page on a slow link): show `position` as text instead.
    """

    ALLOW_SELECT = False
    DEFAULT_CSS: ClassVar[str] = """
    Grid { width: 1fr; height: 1fr; background: $ground; color: $text; }
    """

    class CursorMoved(RowMessage):
        """The cursor is on another row, or (None) on none."""

    class Opened(RowMessage):
        """A row is to be opened: enter or a double click."""

        row_id: str

    class MarksChanged(GridMessage):
        """The set of marked ids changed."""

    class ViewChanged(GridMessage):
        """Other rows are in sight, or their number changed: `position` says something new."""

    class HeaderPressed(GridMessage):
        """The title of a column was clicked."""

        def __init__(self, grid: Grid, key: str) -> None:
            super().__init__(grid)
            self.key = key

    def __init__(
        self,
        columns: Sequence[Column],
        source: GridSource,
        *,
        id: str | None = None,
        empty: str = "Nothing here.",
        marks: Marks | None = None,
    ) -> None:
        """`empty` is shown where there are no rows; its lines are plain text. `marks` may be shared."""
        super().__init__(columns, source, Marks() if marks is None else marks, empty, id)
        self._told: tuple[Any, ...] = ()
        self._wanted: tuple[int, int] | None = None
        self._range: tuple[str, tuple[str, ...], bool] | None = None

    # --- what a screen asks and sets ---

    @property
    def cursor_id(self) -> str | None:
        """Id of the row under the cursor; None where there are no rows."""
        return self.view.cursor_id

    @property
    def cursor_index(self) -> int:
        return self.view.index

    @property
    def marked(self) -> Marks:
        return self.marks

    @property
    def position(self) -> tuple[int, int, int]:
        """First and last row in sight, counted from 1, and how many there are; 0, 0, 0 where there are none."""
        rows = self.view.visible()
        return (rows.start + 1, rows.stop, self.view.count) if rows else (0, 0, self.view.count)

    @property
    def ranging(self) -> bool:
        """Whether moving the cursor marks rows (after `v`)."""
        return self._range is not None

    def set_source(self, source: GridSource) -> None:
        """Show other rows. The cursor stays on its id where the new source has it."""
        self.view.source = source
        self.order_changed()

    def set_columns(self, columns: Sequence[Column]) -> None:
        self._columns = tuple(columns)
        self._first_column = 0
        self._arrange()

    def order_changed(self) -> None:
        """Rows came, went or changed places: the cursor keeps its id and its line on the screen."""
        self.view.reorder(self._seen)
        self._wanted = None
        self.view_moved()

    def rows_changed(self, ids: Iterable[str]) -> None:
        """Values of these rows changed: repaints the cells that differ, and nothing for rows out of sight."""
        changed = ids if isinstance(ids, (set, frozenset, dict)) else set(ids)
        self._sync([line for line, row_id in enumerate(self._seen) if row_id in changed])

    def marks_changed(self) -> None:
        """The marks changed (also to be called by a screen that changed shared ones)."""
        self._sync()
        self.post_message(self.MarksChanged(self))

    def move_cursor(self, index: int, *, extend: bool = False) -> None:
        """Put the cursor on a row by its index. `extend` keeps a range that shift+arrows began."""
        if self._range is not None and self._range[2] and not extend:
            self._range = None
        self.view.move_to(index)
        self.view_moved()

    def move_cursor_to(self, row_id: str) -> bool:
        """Put the cursor on a row by its id; False where the list does not have it."""
        index = self.view.source.index_of(row_id)
        if index is not None:
            self.move_cursor(index)
        return index is not None

    # --- marking a range ---

    def start_range(self, *, temporary: bool) -> None:
        if self._range is None and self.cursor_id is not None:
            self._range = (self.cursor_id, tuple(self.marks), temporary)
            self._mark_range()

    def end_range(self) -> bool:
        """Stop marking while moving; the marks stay. Answers whether there was a range."""
        was, self._range = self._range is not None, None
        return was

    def _mark_range(self) -> None:
        if self._range is None:
            return
        anchor, before, _temporary = self._range
        start, source = self.view.source.index_of(anchor), self.view.source
        if start is None:
            self._range = None
            return
        step = 1 if self.view.index >= start else -1
        ids = [source.id_at(index) for index in range(start, self.view.index + step, step)]
        self.marks.replace((*before, *ids))
        self.marks_changed()

    # --- after a move ---

    def view_moved(self) -> None:
        """The cursor or the sight moved: repaint what differs, ask for rows, tell the screen."""
        if self._range is not None:
            self._mark_range()
        self._want()
        self._sync()
        self._tell()

    def _tell(self) -> None:
        cursor, position = self.cursor_id, self.position
        before, self._told = self._told, (cursor, position)
        if before[:1] != (cursor,):
            self.post_message(self.CursorMoved(self, cursor))
        if before[1:] != (position,):
            self.post_message(self.ViewChanged(self))

    def _want(self) -> None:
        rows = self.view.visible()
        if not rows:
            return
        page = self.view.height
        wanted = (max(0, rows.start - page), min(self.view.count, rows.stop + page) - 1)
        if wanted != self._wanted:
            self._wanted = wanted
            self.view.source.want(*wanted)

    # --- events ---

    def on_resize(self) -> None:
        self._fit_to_size()
        self.view_moved()

    def focus(self, scroll_visible: bool = True) -> Self:
        """Give focus to the grid. Unlike Textual's own this does not repaint all of it: 9 KB each time the
        query line is left."""
        self.app.call_later(self.screen.set_focus, self, scroll_visible=scroll_visible)
        return self

    def on_focus(self, event: events.Focus) -> None:
        self._focus_changed(event, True)

    def on_blur(self, event: events.Blur) -> None:
        self._focus_changed(event, False)

    def _focus_changed(self, event: events.Event, has_focus: bool) -> None:
        # Textual's own handler would repaint the whole widget.
        event.prevent_default()
        self.has_focus = has_focus
        if self.parent is not None:
            note = events.DescendantFocus(self) if has_focus else events.DescendantBlur(self)
            self.parent.post_message(note)
        self._sync([self.view.line])

    def on_click(self, event: events.Click) -> None:
        if event.y == 0:
            for column, start, width in zip(
                self._layout_now.columns, self._layout_now.starts, self._layout_now.widths, strict=True
            ):
                if start <= event.x < start + width:
                    self.post_message(self.HeaderPressed(self, column.key))
            return
        line = event.y - 1
        if line >= len(self._seen):
            return
        self.move_cursor(self.view.top + line)
        if event.chain == 2 and event.x >= PREFIX - 2:
            self.open_cursor()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.view.scroll(_WHEEL_ROWS)
        self.view_moved()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.view.scroll(-_WHEEL_ROWS)
        self.view_moved()

    def open_cursor(self) -> None:
        if self.cursor_id is not None:
            self.post_message(self.Opened(self, self.cursor_id))
