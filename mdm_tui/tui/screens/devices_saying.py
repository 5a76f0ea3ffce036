"""What the Devices screen says beside its rows: the filter line, the preview, and why there is nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mdm_tui.tui.screens import devices_text
from mdm_tui.tui.screens.devices_view import count_parts
from mdm_tui.tui.widgets.header import freshness
from mdm_tui.tui.widgets.lines import Part, cut

if TYPE_CHECKING:
    from mdm_tui.tui.screens.base import FleetScreen as _Base
    from mdm_tui.tui.screens.base import List
    from mdm_tui.tui.screens.devices_source import DevicesSource
    from mdm_tui.tui.screens.devices_view import Asked, Settling
    from mdm_tui.tui.widgets.filter_line import FilterLine
    from mdm_tui.tui.widgets.preview import Preview
else:
    _Base = object

__all__ = ["DevicesSaying"]


class DevicesSaying(_Base):
    """Mixed into `DevicesScreen`, which has the state."""

    if TYPE_CHECKING:
        source: DevicesSource
        grid: List
        asked: Asked
        settling: Settling
        filter: FilterLine
        preview: Preview
        _total: int | None

    def _say_empty(self) -> None:
        if self.source.count():
            return
        if self.asked.narrowed:
            words = self.asked.nothing()
        else:
            state = self.app.header_state(self)
            said, _role = freshness(state, self.app.now(), step=self.app.age_step, room=400)
            words = f"{said[:1].upper()}{said[1:]}."
            if state.error is not None:
                words = f"No device is known yet: {state.error.sentence()}\n{words}"
            elif state.phase == "fresh":
                words = self.nothing()
        if self.grid.empty != words:
            self.grid.empty = words

    def nothing(self) -> str:
        """What an empty list says when nobody asked for less."""
        if (narrowed := self.app.narrowed(self.session)).ids:
            return f"No device is in segment {narrowed.name}.\n:segment all shows the whole fleet."
        return "This fleet has no devices."

    def whole(self) -> int | None:
        """How many devices there are before anything is typed."""
        return self.app.fleet_total(self.session)

    def remarks(self) -> list[Part]:
        """What else the filter line says, before the counts."""
        return []

    def say_counts(self) -> None:
        """The filter line: what is asked, how many match, how many are marked, where one is."""
        marks = self.grid.marks
        outside = sum(1 for row_id in marks if self.source.index_of(row_id) is None) if marks else 0
        self.filter.say(
            self.asked.parts(self.settling.frozen),
            [
                *self.remarks(),
                *count_parts(
                    self.source.count(), self._total, self.asked.narrowed, len(marks), outside, self.grid.position,
                    self.settling.late,
                ),
            ],
        )  # fmt: skip

    def show_preview(self) -> None:
        """What is known of the device under the cursor."""
        if self.preview.has_class("-off"):
            return
        row = self.source.row(self.grid.cursor_id)
        if row is None:
            self.preview.show([])
        else:
            now = self.app.now()
            layout = self.grid.shown_columns
            shown = {column.key: width for column, width in zip(layout.columns, layout.widths, strict=True)}
            pane = self.preview.pane
            lines = devices_text.pane(row.values, now) if pane else devices_text.strip(row.values, now, shown)
            self.preview.show([cut(line, self.preview.size.width) for line in lines])
