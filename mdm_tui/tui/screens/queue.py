"""The Queue: every command we know of, ours live and others' as far as devices were looked at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from textual import events
from textual.app import ComposeResult

from mdm_tui.fleet.values import show_time
from mdm_tui.tui.actions import bindings
from mdm_tui.tui.screens.device_bars import Strip
from mdm_tui.tui.screens.held_screen import HeldListScreen
from mdm_tui.tui.screens.queue_actions import QueueActions
from mdm_tui.tui.screens.queue_lines import detail_lines
from mdm_tui.tui.screens.queue_source import COLUMNS, QueueSource
from mdm_tui.tui.widgets.grid import Grid
from mdm_tui.tui.widgets.grid_text import glyphs
from mdm_tui.tui.widgets.ladder import ladder
from mdm_tui.tui.widgets.lines import Lines, Part, part
from mdm_tui.tui.widgets.report import LinesView

__all__ = ["QueueScreen"]


class QueueScreen(QueueActions, HeldListScreen):
    """Commands with their evidence; what is under the cursor is explained below."""

    GROUPS: ClassVar[tuple[str, ...]] = ("queue", "list")
    HINTS: ClassVar[tuple[str, ...]] = (
        "grid.open", "cancel", "filter.open", "section.next", "sort.by", "copy", "refresh",
    )  # fmt: skip
    TAB: ClassVar[str] = "queue"
    NOUN: ClassVar[str] = "command"
    NOUNS: ClassVar[str] = "commands"
    EXPORTED: ClassVar[tuple[str, ...]] = (
        "command", "device", "device_id", "state", "status", "asked", "by", "evidence", "error", "command_id",
    )  # fmt: skip
    BINDINGS = bindings("queue")
    DEFAULT_CSS: ClassVar[str] = """
    QueueScreen #views { height: 1; }
    QueueScreen #coverage { height: 1; }
    QueueScreen #details { height: 8; }
    QueueScreen.-tall #details { height: 12; }
    """

    def __init__(self, session: Any) -> None:
        super().__init__(session, COLUMNS, QueueSource(lambda: self.app.now()), "queue")
        self.details = LinesView(id="details")
        self.details.can_focus = True
        self.coverage = ""
        self._reading = False
        self._again = False
        self._counts: dict[str, int] = {}
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
        super().tick()
        self.explain()

    # --- saying ---

    def say(self) -> None:
        """The line above the list, the views, the coverage, and the details."""
        self._counts = self.source.counts()
        super().say()
        views = [(key, title, self._counts[key]) for key, title in self.source.VIEWS]
        self.query_one("#views", Strip).tell(views, self.source.view)
        self.query_one("#coverage", Lines).show([[part(f" {self.coverage}", "muted")]])
        self.explain()

    def more_words(self) -> tuple[list[Part], list[Part]]:
        counts, words = self._counts, []
        if counts["flight"]:
            words.append(part(f"{counts['flight']:,} in flight   ", "text"))
        if counts["unknown"]:
            words.append(part(f"{counts['unknown']:,} unclear {glyphs().unknown}   ", "warn"))
        return [], words

    def no_match(self) -> str:
        if not self.source.total():
            return ""
        return "No command matches the view and the filter; esc clears the filter, < and > change the view."

    def nothing(self) -> str:
        known = f"{self.coverage[:1].upper()}{self.coverage[1:]}." if self.coverage else ""
        return f"No command is known here; that does not mean there are none. {known}\nc on a device sends one."

    def exported(self, row: Any) -> Sequence[object]:
        return (
            row.name, row.device_name, row.device_id, row.state.value, row.status,
            show_time(row.asked) if row.asked is not None else "", row.by, ladder(row), row.error, row.command_id,
        )  # fmt: skip

    def explain(self) -> None:
        """What there is to say of the command under the cursor."""
        item = self.source.item(self.grid.cursor_id)
        width = self.details.size.width or self.app.size.width
        self.details.set_lines(detail_lines(item, width, now=self.app.now()) if item is not None else [])

    def on_grid_cursor_moved(self, message: Grid.CursorMoved) -> None:
        self.details.restart()
        self.explain()
        self.details.refresh()

    def on_lines_view_resized(self, message: LinesView.Resized) -> None:
        self.explain()

    def on_grid_opened(self, message: Grid.Opened) -> None:
        item = self.source.item(message.row_id)
        if item is not None:
            self.app.open_device(item.device_id, self.session)
