"""The Devices screen: the whole fleet, filtered and sorted, live, and still under the cursor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from mdm_tui.fleet.fields import default_columns
from mdm_tui.tui.actions import bindings
from mdm_tui.tui.screens import devices_text
from mdm_tui.tui.screens.base import List
from mdm_tui.tui.screens.devices_actions import DevicesActions
from mdm_tui.tui.screens.devices_source import DevicesSource
from mdm_tui.tui.screens.devices_view import Asked
from mdm_tui.tui.screens.settled_screen import SettledScreen
from mdm_tui.tui.widgets.header import freshness
from mdm_tui.tui.widgets.lines import Line, Part

__all__ = ["DevicesScreen"]

_AT_FIRST = 120  # rows of the first frame; more than any common terminal shows


class DevicesScreen(DevicesActions, SettledScreen):
    """A grid on the mirror."""

    GROUPS = ("devices", "list")
    HINTS = ("grid.open", "grid.mark", "act", "edit", "filter.open", "sort.by", "faults.only", "freeze", "export")
    TAB = "devices"
    BESIDE: ClassVar[bool] = True
    BINDINGS = bindings("devices")

    def __init__(self, session: Any) -> None:
        super().__init__(session)
        self.asked = Asked(columns=default_columns(session.factory.capabilities))
        self.source = DevicesSource(
            session.mirror, session.scope, lambda: self.app.now(), self._spawn, self._rows_in, self._learn
        )
        self.grid = List(devices_text.columns(self.asked.columns, ("name",)), self.source, id="devices")
        self.grid.sort = self.asked.sort

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
        self.say()

    # --- asking the mirror ---

    async def find(self) -> tuple[list[str], int | None]:
        view = self.asked.view(self.session.scope, self.app.now(), self.grid.marks, self.app.narrowed(self.session).ids)
        narrowed = self.asked.narrowed
        ids = await self.session.mirror.ids(view)
        return ids, (self.whole() or self._total) if narrowed else len(ids)

    def narrowed_anew(self) -> None:
        self.ask_again(top=True)

    def in_sight(self) -> tuple[list[str], None]:
        # The row under the cursor is not open in full: reading it costs a call a key.
        return self.in_view(), None

    # --- news ---

    def news(self, events: Sequence[object]) -> None:
        from mdm_tui.services.events import DevicesChanged, SyncChanged

        for event in events:
            if isinstance(event, DevicesChanged):
                self.source.outdated(event.ids)
                # The mirror knows the views that are shown: `moved` is about this order and these members.
                if event.ids is None or event.moved:
                    self._moved()
            elif isinstance(event, SyncChanged):
                self._say_empty()

    def on_grid_opened(self, event: List.Opened) -> None:
        event.stop()
        self.app.open_device(event.row_id, self.session)

    # --- saying ---

    def why_empty(self) -> str:
        if self.asked.narrowed:
            return self.asked.nothing()
        state = self.app.header_state(self)
        said, _role = freshness(state, self.app.now(), step=self.app.age_step, room=400)
        words = f"{said[:1].upper()}{said[1:]}."
        if state.error is not None:
            return f"No device is known yet: {state.error.sentence()}\n{words}"
        return self.nothing() if state.phase == "fresh" else words

    def nothing(self) -> str:
        """What an empty list says when nobody asked for less."""
        if (narrowed := self.app.narrowed(self.session)).ids:
            return f"No device is in segment {narrowed.name}.\n:segment all shows the whole fleet."
        return "This fleet has no devices."

    def whole(self) -> int | None:
        """How many devices there are before anything is typed."""
        return self.app.fleet_total(self.session)

    def parts(self) -> list[Part]:
        return self.asked.parts(self.settling.frozen)

    def preview_lines(self) -> Sequence[Line]:
        row = self.source.row(self.grid.cursor_id)
        if row is None:
            return []
        now = self.app.now()
        if self.preview.pane:
            return devices_text.pane(row.values, now)
        layout = self.grid.shown_columns
        shown = {column.key: width for column, width in zip(layout.columns, layout.widths, strict=True)}
        return devices_text.strip(row.values, now, shown)
