"""Lists with fewer keys: rows without marks and columns that never scroll, and a tree of them."""

from __future__ import annotations

from typing import ClassVar

from mdm_tui.tui.actions import bindings
from mdm_tui.tui.widgets.grid import Grid, RowMessage

__all__ = ["PlainList", "TreeList"]


class PlainList(Grid):
    """A grid in which one only moves and opens."""

    BINDINGS = bindings("moves")
    GUARDED: ClassVar[bool] = True  # see keyguard.py


class TreeList(PlainList):
    """A grid whose rows lie below each other: right opens one, left closes it. What is open is the screen's to know."""

    BINDINGS = bindings("tree")

    class Unfolded(RowMessage):
        """Right: the row is to be opened."""

    class Folded(RowMessage):
        """Left: the row is to be closed."""

    def action_unfold(self) -> None:
        self.post_message(self.Unfolded(self, self.cursor_id))

    def action_close(self) -> None:
        self.post_message(self.Folded(self, self.cursor_id))
