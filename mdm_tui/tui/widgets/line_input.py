"""A line of typing that stands in a screen, not in a dialog."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding
from textual.widgets import Input

__all__ = ["LineInput"]


class LineInput(Input):
    """An input where ctrl+c copies what is selected, else clears the line."""

    BINDINGS: ClassVar = [Binding("ctrl+c", "copy_or_clear", "Copy or clear", show=False)]

    def action_copy_or_clear(self) -> None:
        if self.selected_text:
            self.action_copy()
        else:
            self.value = ""
