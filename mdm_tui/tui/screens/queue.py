"""The Queue: every command we know of, ours live and others' as far as devices were looked at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from textual import events
from textual.app import ComposeResult

from mdm_tui.fleet.text import clean
from mdm_tui.tui.actions import bindings
from mdm_tui.tui.screens.base import FleetScreen, List
from mdm_tui.tui.screens.device_bars import Strip
from mdm_tui.tui.screens.queue_actions import QueueActions
from mdm_tui.tui.screens.queue_lines import detail_lines
from mdm_tui.tui.screens.queue_source import COLUMNS, QueueSource
from mdm_tui.tui.widgets.filter_line import FilterLine
from mdm_tui.tui.widgets.grid import Grid
from mdm_tui.tui.widgets.grid_text import glyphs
from mdm_tui.tui.widgets.lines import Lines, Part, part
from mdm_tui.tui.widgets.report import LinesView

__all__ = ["QueueScreen"]


class QueueScreen(QueueActions, FleetScreen):
    """Commands with their evidence; what is under the cursor is explained below."""

    GROUPS: ClassVar[tuple[str, ...]] = ("queue", "list")
    HINTS: ClassVar[tuple[str, ...]] = (
        "grid.open", "cancel", "filter.open", "section.next", "sort.by", "copy", "refresh",
    )  # fmt: skip
    TAB: ClassVar[str] = "queue"
    BINDINGS = bindings("queue")
    DEFAULT_CSS: ClassVar[str] = """
    QueueScreen #views { height: 1; }
    QueueScreen #coverage { height: 1; }
    QueueScreen #details { height: 8; }
    QueueScreen.-tall #details { height: 12; }
    """

    def __init__(self, session: Any) -> None:
        super().__init__(session)
        self.source = QueueSource(lambda: self.app.now())
        self.grid = List(COLUMNS, self.source, id="queue")
        self.filter = FilterLine(id="filter")
        self.details = LinesView(id="details")
        self.details.can_focus = True
        self.coverage = ""
        self._reading = False
        self._again = False
        self._ticked = 0.0
        self._to_newest = False

    def body(self) -> ComposeResult:
        yield self.filter
        yield Strip(id="views")
        yield self.grid
        yield Lines(id="coverage")
        yield self.details

    def on_mount(self) -> None:
        self.grid.empty = "Reading the queue…"
        self.grid.focus()
        self.grid.order_changed()
        self.say()
        self.read_again()

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.height >= 36, "-tall")

    # --- reading ---

    def read_again(self) -> None:
        """Take the queue from the service; calls while it is being read become one more reading."""
        self._again = True
        if not self._reading:
            self._reading = True
            self.app.spawn(self._read(), "queue")

    async def _read(self) -> None:
        try:
            while self._again and not self.gone:
                self._again = False
                commands = self.session.commands
                if commands is None:
                    self.grid.empty = "Commands can be sent once the service is connected."
                    return
                items = await commands.queue()
                self.coverage = await commands.coverage()
                if self.gone:
                    return
                changed, moved = self.source.put(items)
                if moved:
                    self.grid.order_changed()
                if changed:
                    self.grid.rows_changed(changed)
                if self._to_newest:
                    self._to_newest = False
                    if newest := self.source.newest():
                        self.grid.move_cursor_to(newest)
                self.say()
        finally:
            self._reading = False

    def show_newest(self) -> None:
        """Put the cursor on the newest command of this console, once the queue is read."""
        self._to_newest = True
        self.read_again()

    def news(self, events: Sequence[object]) -> None:
        from mdm_tui.services import events as kinds

        if any(isinstance(event, (kinds.CommandsChanged, kinds.SyncChanged)) for event in events):
            self.read_again()

    def tick(self) -> None:
        now = self.app.now()
        if now - self._ticked >= 10 or now < self._ticked:
            self._ticked = now
            first, last, _count = self.grid.position
            self.grid.rows_changed([self.source.id_at(index) for index in range(max(first - 1, 0), last)])
        self.explain()

    # --- saying ---

    def say(self) -> None:
        """The line above the list, the views, the coverage, and the details."""
        counts = self.source.counts()
        left: list[Part] = [part(" / ", "accent")]
        left.append(part(self.source.words, bold=True) if self.source.words else part("filter", "muted"))
        right: list[Part] = []
        if counts["flight"]:
            right.append(part(f"{counts['flight']:,} in flight", "text"))
        if counts["unknown"]:
            right.append(part(("   " if right else "") + f"{counts['unknown']:,} unclear {glyphs().unknown}", "warn"))
        first, last, count = self.grid.position
        where = f"{first:,}-{last:,} of {count:,}" if count else "none shown"
        right += [part("   " if right else ""), part(where, "muted"), part(" ")]
        if len(self.grid.marks):
            right.insert(0, part(f"{len(self.grid.marks):,} marked   ", "marked"))
        self.filter.say(left, right)
        views = [(key, title, counts[key]) for key, title in self.source.VIEWS]
        self.query_one("#views", Strip).tell(views, self.source.view)
        self.query_one("#coverage", Lines).show([[part(f" {self.coverage}", "muted")]])
        if not self.source.count():
            self.grid.empty = self._nothing()
        self.explain()

    def _nothing(self) -> str:
        if self.source.total():
            return "No command matches the view and the filter; esc clears the filter, < and > change the view."
        known = f"{self.coverage[:1].upper()}{self.coverage[1:]}." if self.coverage else ""
        return f"No command is known here; that does not mean there are none. {known}\nc on a device sends one."

    def explain(self) -> None:
        """What there is to say of the command under the cursor."""
        item = self.source.item(self.grid.cursor_id)
        width = self.details.size.width or self.app.size.width
        self.details.set_lines(detail_lines(item, width, now=self.app.now()) if item is not None else [])

    def on_grid_cursor_moved(self, message: Grid.CursorMoved) -> None:
        self.details.restart()
        self.explain()
        self.details.refresh()

    def on_grid_view_changed(self, message: Grid.ViewChanged) -> None:
        self.say()

    def on_grid_marks_changed(self, message: Grid.MarksChanged) -> None:
        self.say()

    def on_lines_view_resized(self, message: LinesView.Resized) -> None:
        self.explain()

    def on_grid_opened(self, message: Grid.Opened) -> None:
        item = self.source.item(message.row_id)
        if item is not None:
            self.app.open_device(item.device_id, self.session)

    # --- filter ---

    def on_filter_line_changed(self, message: FilterLine.Changed) -> None:
        self.filter_by(message.text)

    async def on_filter_line_closed(self, message: FilterLine.Closed) -> None:
        self.filter_by(message.text if message.applied else "")
        await self.filter.close()
        self.grid.focus()

    def filter_by(self, text: str) -> None:
        """Show the commands that hold all these words."""
        self.source.filter(clean(text, 200))
        self.grid.order_changed()
        self.say()

    def escape(self) -> bool:
        if self.source.words:
            self.filter_by("")
            return True
        return False
