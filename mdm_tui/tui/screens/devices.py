"""The Devices screen: the whole fleet, filtered and sorted, live, and still under the cursor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from textual import events
from textual.app import ComposeResult

from mdm_tui.fleet.fields import default_columns
from mdm_tui.tui.actions import bindings
from mdm_tui.tui.screens import devices_text
from mdm_tui.tui.screens.base import FleetScreen, List
from mdm_tui.tui.screens.devices_actions import DevicesActions
from mdm_tui.tui.screens.devices_saying import DevicesSaying
from mdm_tui.tui.screens.devices_source import DevicesSource
from mdm_tui.tui.screens.devices_view import Asked, Settling
from mdm_tui.tui.widgets.filter_line import FilterLine
from mdm_tui.tui.widgets.preview import PANE_FROM, Preview

__all__ = ["DevicesScreen"]

_AT_FIRST = 120  # rows of the first frame; more than any common terminal shows
_TALL = 32  # lines from which there is room for air
_PREVIEW_REST = 0.15  # seconds of rest before the preview follows


class DevicesScreen(DevicesActions, DevicesSaying, FleetScreen):
    """A grid on the mirror. News change cells in place at once; order and members settle by `Settling`."""

    GROUPS = ("devices", "list")
    HINTS = ("grid.open", "grid.mark", "act", "edit", "filter.open", "sort.by", "faults.only", "freeze", "export")
    TAB = "devices"
    LIVE = True
    BINDINGS = bindings("devices")
    DEFAULT_CSS: ClassVar[str] = """
    DevicesScreen.-tall FilterLine { margin-bottom: 1; }
    DevicesScreen.-tall Preview { margin: 1 0 1 0; }
    DevicesScreen.-tall Preview.-pane { margin: 3 0 1 0; }
    """

    def __init__(self, session: Any) -> None:
        super().__init__(session)
        self.asked = Asked(columns=default_columns(session.factory.capabilities))
        self.settling = Settling()
        self.source = DevicesSource(
            session.mirror, session.scope, lambda: self.app.now(), self._spawn, self._rows_in, self._learn
        )
        self.grid = List(devices_text.columns(self.asked.columns, ("name",)), self.source, id="devices")
        self.grid.sort = self.asked.sort
        self.filter = FilterLine(id="filter")
        self.preview = Preview(id="preview")
        self._total: int | None = None
        self._asking = 0
        self._last_tick = 0.0
        self._previewed: Any = None

    def body(self) -> ComposeResult:
        yield self.filter
        yield self.preview
        yield self.grid

    def on_mount(self) -> None:
        now = self.app.now()
        ids, rows = self.session.mirror.first(self.asked.view(self.session.scope, now, ()), _AT_FIRST)
        self.source.put(ids, rows)
        self._total = len(ids)
        if self.app.last_known(self.session) is None:
            self.app.note_last_known(self.session, max((row.at for row in rows), default=None))
            self.app.tick_header()
        self._say_empty()
        self.grid.focus()
        self.grid.order_changed()
        self.say_counts()

    def _spawn(self, work: Any, what: str) -> Any:
        return self.app.spawn(work, what)

    # --- asking the mirror ---

    def ask_again(self, *, top: bool = False) -> None:
        """Read order and members again now. top: put the cursor on the first row."""
        self.settling.late = False
        self.app.spawn(self._ask(top), "devices")

    async def _ask(self, top: bool) -> None:
        from mdm_tui.store.threads import Interrupted

        self._asking += 1
        mine = self._asking
        view = self.asked.view(self.session.scope, self.app.now(), self.grid.marks, self.app.narrowed(self.session).ids)
        narrowed = self.asked.narrowed
        try:
            ids = await self.session.mirror.ids(view)
        except Interrupted:
            # A newer question took its place.
            return
        if narrowed:
            self._total = self.whole() or self._total
        if mine != self._asking:
            return
        if not narrowed:
            self._total = len(ids)
        self.source.put(ids)
        self.grid.order_changed()
        if top or self.app.last_key == float("-inf"):
            # Nobody has chosen a device yet: the list begins at its beginning.
            self.grid.move_cursor(0)
        self._say_empty()
        self.say_counts()
        self.show_preview()
        self.app.attend()

    def _rows_in(self, ids: Any) -> None:
        self.grid.rows_changed(ids)
        if self.grid.cursor_id in ids:
            self.show_preview()

    # --- news ---

    def news(self, events: Sequence[object]) -> None:
        from mdm_tui.services.events import DevicesChanged, SyncChanged

        for event in events:
            if isinstance(event, DevicesChanged):
                self.source.outdated(event.ids)
                self._membership(event)
            elif isinstance(event, SyncChanged):
                self._say_empty()

    def _membership(self, event: Any) -> None:
        # The mirror knows the views that are shown: `moved` is about this order and these members.
        if event.ids is not None and not event.moved:
            return
        if not self.source.count():
            # Nothing is on the screen that could jump.
            self.ask_again()
        else:
            self.settling.late = True
            self.say_counts()

    def tick(self) -> None:
        now = self.app.now()
        self.settling.last_key = max(self.settling.last_key, self.app.last_key)
        if self.settling.due(now, len(self.grid.marks)):
            self.ask_again()
        if now - self._last_tick >= 10 or now < self._last_tick:
            # Ages below a minute go in steps of ten seconds; the grid sends only the cells that differ.
            self._last_tick = now
            first, last, _count = self.grid.position
            self.grid.rows_changed([self.source.id_at(index) for index in range(max(first - 1, 0), last)])
        if not self.source.count():
            self._say_empty()

    def on_resize(self, event: events.Resize) -> None:
        self.preview.set_class(event.size.width >= PANE_FROM, "-pane")
        self.set_class(event.size.height >= _TALL, "-tall")
        self.call_after_refresh(self.show_preview)

    def in_sight(self) -> tuple[list[str], None]:
        # The row under the cursor is not open in full: reading it costs a call a key.
        first, last, _count = self.grid.position
        return [self.source.id_at(index) for index in range(max(first - 1, 0), last)], None

    # --- the grid's and the filter's messages ---

    def on_grid_cursor_moved(self, event: List.CursorMoved) -> None:
        event.stop()
        if self._previewed is not None:
            self._previewed.stop()
        self._previewed = self.set_timer(_PREVIEW_REST, self.show_preview)

    def on_grid_view_changed(self, event: List.ViewChanged) -> None:
        event.stop()
        self.say_counts()
        self.app.attend()

    def on_grid_marks_changed(self, event: List.MarksChanged) -> None:
        event.stop()
        self.say_counts()

    def on_grid_opened(self, event: List.Opened) -> None:
        event.stop()
        self.app.open_device(event.row_id, self.session)

    def on_grid_header_pressed(self, event: List.HeaderPressed) -> None:
        event.stop()
        self.sort_by(event.key)

    async def action_filter(self) -> None:
        await self.filter.open(self.asked.words)

    def take_text(self, text: str, *, apply: bool) -> None:
        """Text that came faster than fingers: a scanner or a paste is something to look for."""
        words = " ".join(text.split())
        self.filter_by(words)
        if not apply:
            self.app.spawn(self.filter.open(words), "filter")

    def filter_by(self, words: str) -> None:
        """Show the devices that have all of these words."""
        if words != self.asked.words:
            self.asked.words = words
            self.ask_again(top=True)
            self.say_counts()

    def on_filter_line_changed(self, event: FilterLine.Changed) -> None:
        event.stop()
        self.filter_by(event.text)

    async def on_filter_line_closed(self, event: FilterLine.Closed) -> None:
        event.stop()
        self.filter_by(event.text.strip() if event.applied else "")
        await self.filter.close()
        self.grid.focus()

    def narrowed_anew(self) -> None:
        self.ask_again(top=True)

    def escape(self) -> bool:
        if self.grid.end_range():
            return True
        if self.asked.narrowed:
            self.asked.faults_only = self.asked.marked_only = False
            self.asked.words = ""
            self.ask_again()
            return True
        return False
