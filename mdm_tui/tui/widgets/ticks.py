"""A list in which several are ticked; the tick and the cursor are signs, not colours."""

from __future__ import annotations

from typing import TypeVar

from textual.strip import Strip
from textual.widgets import OptionList, SelectionList

from mdm_tui.tui import safe
from mdm_tui.tui.widgets.grid_text import glyphs

__all__ = ["Ticks"]

Value = TypeVar("Value")
_GUTTER = len("> [x] ")


class Ticks(SelectionList[Value]):
    """A `SelectionList` whose base draws the same X for both states and tells them apart by colour alone."""

    def _get_left_gutter_width(self) -> int:
        return _GUTTER

    def render_line(self, y: int) -> Strip:
        """One option: the cursor, `[x]` or `[ ]`, its words."""
        line = OptionList.render_line(self, y)
        index = self.scroll_offset.y + y
        if not 0 <= index < self.option_count:
            return line
        ticked = self.get_option_at_index(index).value in self.selected
        here = self.has_focus and self.highlighted == index
        first = next(iter(line), None)
        sign = f"{glyphs().cursor if here else ' '} [{'x' if ticked else ' '}] "
        return Strip([safe.segment(sign, first.style if first else None), *line])
