"""What every screen shares that is a filter line over a grid: the filter, ages that go on, the preview of a row.

Textual calls a message's handler of every class of a screen, so a screen adds to these and never calls `super()`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.timer import Timer

from mdm_tui.tui.screens.base import FleetScreen
from mdm_tui.tui.screens.devices_view import target_ids
from mdm_tui.tui.widgets.filter_line import FilterLine
from mdm_tui.tui.widgets.grid import Grid
from mdm_tui.tui.widgets.lines import Line, cut
from mdm_tui.tui.widgets.preview import PANE_FROM, Preview

__all__ = ["ListScreen", "PreviewScreen"]

_AIR = 32  # lines from which there is room for air
_PREVIEW_REST = 0.15  # seconds of rest before the preview follows
_AGES = 10  # seconds; ages below a minute go in such steps


class ListScreen(FleetScreen):
    """A filter line over a grid, with air between them on a tall screen. `source`, `grid`: of each list."""

    DEFAULT_CSS: ClassVar[str] = """
    ListScreen.-airy FilterLine { margin-bottom: 1; }
    """
    source: Any
    grid: Any

    def __init__(self, session: Any) -> None:
        super().__init__(session)
        self.filter = FilterLine(id="filter")
        self._aged = 0.0

    def body(self) -> ComposeResult:
        yield self.filter
        yield self.grid

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.height >= _AIR, "-airy")

    # --- what each list says itself ---

    def say(self) -> None:
        """The line above the list, and why there is nothing in it."""
        raise NotImplementedError

    def filter_by(self, text: str) -> None:
        """Show the rows that hold all these words."""
        raise NotImplementedError

    def filtered_by(self) -> str:
        """What the rows are filtered by now, as it was typed."""
        return self.source.words

    def filter_closed(self, *, applied: bool) -> None:
        """Typing a filter ended. applied: with enter."""

    # --- rows in view ---

    def in_view(self) -> list[str]:
        """The ids of the rows that are looked at."""
        first, last, _count = self.grid.position
        return [self.source.id_at(index) for index in range(max(first - 1, 0), min(last, self.source.count()))]

    def target_ids(self) -> list[str]:
        """The marks if there are any, else the row under the cursor."""
        return target_ids(list(self.grid.marks), self.grid.cursor_id)

    def tick(self) -> None:
        now = self.app.now()
        if now - self._aged >= _AGES or now < self._aged:
            self._aged = now
            self.aged()

    def aged(self) -> None:
        """Ages may read otherwise now. The grid sends only the cells that differ."""
        self.grid.rows_changed(self.in_view())

    # --- the grid's and the filter's messages ---

    def on_grid_view_changed(self, event: Grid.ViewChanged) -> None:
        event.stop()
        self.say()

    def on_grid_marks_changed(self, event: Grid.MarksChanged) -> None:
        event.stop()
        self.say()

    async def action_filter(self) -> None:
        await self.filter.open(self.filtered_by())

    def take_text(self, text: str, *, apply: bool) -> None:
        """Text that came faster than fingers: a scanner or a paste is something to look for."""
        words = " ".join(text.split())
        self.filter_by(words)
        if not apply:
            self.app.spawn(self.filter.open(words), "filter")

    def on_filter_line_changed(self, event: FilterLine.Changed) -> None:
        event.stop()
        self.filter_by(event.text)

    async def on_filter_line_closed(self, event: FilterLine.Closed) -> None:
        event.stop()
        self.filter_by(event.text.strip() if event.applied else "")
        await self.filter.close()
        self.grid.focus()
        self.filter_closed(applied=event.applied)

    def escape(self) -> bool:
        if self.grid.end_range():
            return True
        if self.filtered_by().strip():
            self.filter_by("")
            return True
        return False


class PreviewScreen(ListScreen):
    """A list that says more of the row under the cursor: below it, or where `BESIDE` on the right of a wide screen."""

    BESIDE: ClassVar[bool] = False
    DEFAULT_CSS: ClassVar[str] = """
    PreviewScreen.-airy Preview { margin: 1 0 1 0; }
    PreviewScreen.-airy Preview.-pane { margin: 3 0 1 0; }
    """

    def __init__(self, session: Any) -> None:
        super().__init__(session)
        self.preview = Preview(id="preview")
        self._previewed: Timer | None = None

    def body(self) -> ComposeResult:
        yield self.filter
        yield self.preview
        yield self.grid

    def preview_lines(self) -> Sequence[Line]:
        """What is known of the row under the cursor."""
        raise NotImplementedError

    def show_preview(self) -> None:
        """Say it, unless the person wants no preview."""
        if not self.preview.has_class("-off"):
            self.preview.show([cut(line, self.preview.size.width) for line in self.preview_lines()])

    def aged(self) -> None:
        super().aged()
        self.show_preview()

    def action_preview(self) -> None:
        self.preview.toggle_class("-off")
        self.show_preview()

    def on_resize(self, event: events.Resize) -> None:
        self.preview.set_class(self.BESIDE and event.size.width >= PANE_FROM, "-pane")
        self.call_after_refresh(self.show_preview)

    def on_grid_cursor_moved(self, event: Grid.CursorMoved) -> None:
        event.stop()
        if self._previewed is not None:
            self._previewed.stop()
        self._previewed = self.set_timer(_PREVIEW_REST, self.show_preview)
