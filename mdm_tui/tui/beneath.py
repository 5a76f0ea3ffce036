"""What changes on a screen is also seen beneath a dialog, and costs no more there.

Textual (8.2) makes a screen beneath a dialog repaint itself whole for ever after its first change: every second the
whole terminal over the line for one digit of the header; and with a border it makes the changed region one cell
smaller each time, until nothing of it is painted: beneath a dialog on production the header stood still. Here exactly
what changed goes to the dialog on top.

It leans on Textual's internals; tests/tui/test_beneath.py tells when they have changed their shape.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.screen import Screen

if TYPE_CHECKING:
    _Mixed = Screen[Any]
else:
    _Mixed = object

__all__ = ["SeenBeneath"]


class SeenBeneath(_Mixed):
    """Mixed into a screen, before Textual's. Not a node: of two, Textual takes the styles of the first alone."""

    def _compositor_refresh(self) -> None:
        changed = list(self._compositor._dirty_regions)
        below = self.app._background_screens
        if self.app.is_inline or not changed or self not in below:
            super()._compositor_refresh()
            return
        self._compositor._dirty_regions.clear()
        self._dirty_widgets.clear()
        # A dialog between this and the one on top holds what shows through it.
        for between in below[below.index(self) + 1 :]:
            between._styles_cache.set_dirty(*changed)
            between._dirty_regions.update(changed)
        self.app.screen.refresh(*changed)
