"""Sends only the changed span of a line.

Textual's compositor (8.2) crops a partial update on its right side alone: one changed cell at the end of a row
repaints the row from the widget's left edge. For a list on a slow link that is most of the bytes. Here the
update is cropped on both sides.

The two classes lean on Textual's internals; where those have changed their shape the original is used, and the
byte counts in tests/tui/test_grid_bytes.py tell.
"""

from __future__ import annotations

from rich.console import Console
from rich.control import Control
from textual._compositor import ChopsUpdate, Compositor
from textual.screen import Screen


class CroppedUpdate(ChopsUpdate):
    """A partial update that starts where the change starts."""

    def render_segments(self, console: Console) -> str:
        sequences: list[str] = []
        for y, x1, x2 in self.spans:
            for end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                if strip is None or x >= x2 or end <= x1:
                    continue
                left = max(x, x1)
                part = strip.crop(left - x, min(end, x2) - x)
                sequences.append(Control.move_to(left, y).segment.text)
                sequences.append(part.render(console))
        return "".join(sequences)


class CroppingCompositor(Compositor):
    """A compositor whose partial updates are cropped on both sides."""

    def render_partial_update(self) -> ChopsUpdate | None:
        update = super().render_partial_update()
        if type(update) is ChopsUpdate:
            return CroppedUpdate(update.chops, update.spans, update.chop_ends)
        return update


def crop_updates(screen: Screen[object]) -> None:
    """Make a screen send cropped updates. Safe to call again."""
    compositor = getattr(screen, "_compositor", None)
    if type(compositor) is Compositor:
        compositor.__class__ = CroppingCompositor
