"""What a person can do on a grid: the actions, and the default keys for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.binding import Binding

if TYPE_CHECKING:
    from mdm_tui.tui.widgets.grid_model import Marks
    from mdm_tui.tui.widgets.grid_view import Viewport

GRID_KEYS: Final[list[tuple[str, str, str, str]]] = [
    ("up,k", "cursor_up", "grid.up", "up"),
    ("down,j", "cursor_down", "grid.down", "down"),
    ("pageup", "page_up", "grid.page_up", "a page up"),
    ("pagedown", "page_down", "grid.page_down", "a page down"),
    ("ctrl+u", "half_page_up", "grid.half_page_up", "half a page up"),
    ("ctrl+d", "half_page_down", "grid.half_page_down", "half a page down"),
    ("home,g", "home", "grid.home", "first row"),
    ("end,G", "end", "grid.end", "last row"),
    ("left,h", "columns_left", "grid.left", "columns to the left, when wide"),
    ("right,l", "columns_right", "grid.right", "columns to the right, when wide"),
    ("enter", "open", "grid.open", "open"),
    ("space", "toggle_mark", "grid.mark", "mark"),
    ("v", "range_mark", "grid.range", "mark a range"),
    ("shift+up", "extend_up", "grid.extend_up", "mark upwards"),
    ("shift+down", "extend_down", "grid.extend_down", "mark downwards"),
    ("a", "mark_all", "grid.mark_all", "mark all matches"),
    ("u", "clear_or_restore_marks", "grid.unmark", "clear or restore marks"),
    ("n", "next", "grid.next", "next match or fault"),
    ("N", "previous", "grid.previous", "previous match or fault"),
    ("w", "toggle_wide", "grid.wide", "all columns"),
]
"""Default keys: key, action, binding id, description. The grid binds none itself: the registry of actions does."""


def grid_bindings(keys: list[tuple[str, str, str, str]] | None = None) -> list[Binding]:
    """The table as Textual bindings, for an app without a registry (tests, benchmarks)."""
    rows = GRID_KEYS if keys is None else keys
    return [Binding(key, action, description, show=False, id=name) for key, action, name, description in rows]


class GridActions:
    """The actions of a grid. Mixed into `Grid`, which has the state."""

    if TYPE_CHECKING:
        view: Viewport
        marks: Marks

        @property
        def cursor_id(self) -> str | None: ...
        def move_cursor(self, index: int, *, extend: bool = False) -> None: ...
        def view_moved(self) -> None: ...
        def marks_changed(self) -> None: ...
        def start_range(self, *, temporary: bool) -> None: ...
        def end_range(self) -> bool: ...
        def scroll_columns(self, step: int) -> None: ...
        def open_cursor(self) -> None: ...
        def toggle_wide(self) -> None: ...

    def action_cursor_up(self) -> None:
        self.move_cursor(self.view.index - 1)

    def action_cursor_down(self) -> None:
        self.move_cursor(self.view.index + 1)

    def action_page_up(self) -> None:
        self._page(-self.view.height)

    def action_page_down(self) -> None:
        self._page(self.view.height)

    def action_half_page_up(self) -> None:
        self._page(-max(1, self.view.height // 2))

    def action_half_page_down(self) -> None:
        self._page(max(1, self.view.height // 2))

    def action_home(self) -> None:
        self.move_cursor(0)

    def action_end(self) -> None:
        self.move_cursor(self.view.count - 1)

    def action_next(self) -> None:
        self._seek(1)

    def action_previous(self) -> None:
        self._seek(-1)

    def action_open(self) -> None:
        self.open_cursor()

    def action_toggle_mark(self) -> None:
        """Mark or unmark the row under the cursor, and go one down."""
        if self.cursor_id is None:
            return
        self.end_range()
        self.marks.toggle(self.cursor_id)
        self.marks_changed()
        self.move_cursor(self.view.index + 1)

    def action_range_mark(self) -> None:
        """Start marking from here, or, if already doing so, stop."""
        if not self.end_range():
            self.start_range(temporary=False)

    def action_extend_up(self) -> None:
        self._extend(-1)

    def action_extend_down(self) -> None:
        self._extend(1)

    def action_mark_all(self) -> None:
        """Mark every row of the list, in sight or not."""
        self.end_range()
        source = self.view.source
        self.marks.update(source.id_at(index) for index in range(self.view.count))
        self.marks_changed()

    def action_clear_or_restore_marks(self) -> None:
        self.end_range()
        self.marks.clear_or_restore()
        self.marks_changed()

    def action_toggle_wide(self) -> None:
        self.toggle_wide()

    def action_columns_left(self) -> None:
        self.scroll_columns(-1)

    def action_columns_right(self) -> None:
        self.scroll_columns(1)

    def _page(self, rows: int) -> None:
        self.view.page(rows)
        self.view_moved()

    def _extend(self, step: int) -> None:
        self.start_range(temporary=True)
        self.move_cursor(self.view.index + step, extend=True)

    def _seek(self, step: int) -> None:
        """To the next row that the source calls a match or a fault; without such a notion, to the next row."""
        seek = getattr(self.view.source, "seek", None)
        index = self.view.index + step if seek is None else seek(self.view.index, step)
        if index is not None:
            self.move_cursor(index)
