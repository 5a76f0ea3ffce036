"""The preview of the row under the cursor: two lines, or a pane on the right of a wide screen."""

from __future__ import annotations

from typing import ClassVar

from mdm_tui.tui.widgets.lines import Lines

__all__ = ["PANE_FROM", "Preview"]

PANE_FROM = 150  # columns


class Preview(Lines):
    """Lines in the place that the width of the screen allows."""

    DEFAULT_CSS: ClassVar[str] = """
    Preview { dock: bottom; height: 2; margin-bottom: 1; }
    Preview.-pane { dock: right; width: 46; height: 1fr; margin: 3 0 1 0; padding: 0 1 0 2; border-left: solid $line; }
    Preview.-off { display: none; }
    """

    @property
    def pane(self) -> bool:
        """Whether it is a pane on the right rather than two lines."""
        return self.has_class("-pane")
