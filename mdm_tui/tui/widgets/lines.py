"""A few lines of coloured text that repaint only the cells that changed: headers, strips, hints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from mdm_tui.tui import safe
from mdm_tui.tui.theme import palette
from mdm_tui.tui.widgets.grid_crop import crop_updates
from mdm_tui.tui.widgets.grid_text import fit

__all__ = ["Line", "Lines", "Part", "cut", "length", "part", "spread"]

Part = tuple[str, str, bool]
"""Text, role ("" is plain text), bold."""
Line = Sequence[Part]

_MERGE = 40  # a move of the terminal's cursor and a change of colour cost about as much as this many cells


def part(text: object, role: str = "", *, bold: bool = False) -> Part:
    """One piece of a line; whatever text is given is made harmless."""
    return safe.tidy(str(text)), role, bold


def length(line: Line) -> int:
    """Cells that a line takes."""
    return sum(cell_len(text) for text, _role, _bold in line)


def spread(left: Line, right: Line, width: int) -> list[Part]:
    """`left` at the left edge, `right` at the right one; where both do not fit the left one is cut."""
    room = width - length(right)
    kept: list[Part] = []
    for text, role, bold in left:
        size = cell_len(text)
        if size > room - 1:
            if room > 2:
                kept.append((fit(text, room - 1), role, bold))
                room = 1
            break
        kept.append((text, role, bold))
        room -= size
    return [*kept, (" " * max(room, 0), "", False), *right]


def cut(line: Line, width: int) -> list[Part]:
    """As much of a line as fits, an ellipsis where it ends too early."""
    kept: list[Part] = []
    for text, role, bold in line:
        size = cell_len(text)
        if size > width:
            if width > 0:
                kept.append((fit(text, width), role, bold))
            break
        kept.append((text, role, bold))
        width -= size
    return kept


class Lines(Widget):
    """Shows the lines given to `show`; compares them with what is on the screen and refreshes what differs."""

    ALLOW_SELECT = False
    DEFAULT_CSS: ClassVar[str] = "Lines { width: 1fr; height: 1; background: $ground; }"
    ON: ClassVar[str] = "ground"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._lines: list[list[Part]] = []

    @property
    def text(self) -> str:
        """What is shown, without colours; for tests and for copying."""
        return "\n".join("".join(text for text, _role, _bold in line).rstrip() for line in self._lines)

    def show(self, lines: Sequence[Line]) -> None:
        """Put these lines on the screen."""
        new = [list(line) for line in lines]
        old, self._lines = self._lines, new
        if not self.is_mounted or not self.size:
            return
        width = self.size.width
        regions: list[Region] = []
        for y in range(min(max(len(old), len(new)), self.size.height)):
            before = old[y] if y < len(old) else []
            after = new[y] if y < len(new) else []
            if before != after:
                regions.extend(Region(x, y, size, 1) for x, size in _spans(before, after, width))
        if regions:
            self.refresh(*regions)

    def on_mount(self) -> None:
        crop_updates(self.screen)

    def on_resize(self, event: events.Resize) -> None:
        self.rebuild()

    def rebuild(self) -> None:
        """Called when the width changed; for what is laid out by width."""

    def render_line(self, y: int) -> Strip:
        colours = palette(self.app)
        width = self.size.width
        line = [item for item in (self._lines[y] if y < len(self._lines) else []) if item[0]]
        room = width - length(line)
        if line and room > 0:
            # Blanks look alike in every colour: as part of the last run they cost no colour of their own.
            text, role, bold = line[-1]
            line = [*line[:-1], (text + " " * room, role, bold)]
        segments = [safe.segment(text, colours.style(role, self.ON, bold=bold)) for text, role, bold in line]
        return Strip(segments).adjust_cell_length(width, colours.style("", self.ON)).crop(0, width)


def _cells(line: Line, width: int) -> list[tuple[str, str, bool]]:
    found: list[tuple[str, str, bool]] = []
    for text, role, bold in line:
        for character in text:
            found.append((character, "" if character == " " else role, bold))
            found.extend(("", role, bold) for _ in range(cell_len(character) - 1))
    found.extend([(" ", "", False)] * (width - len(found)))
    return found[:width]


def _spans(before: Line, after: Line, width: int) -> Iterator[tuple[int, int]]:
    start = end = -1
    for x, (old, new) in enumerate(zip(_cells(before, width), _cells(after, width), strict=True)):
        if old == new or (old[0] == new[0] == " "):
            continue
        if start >= 0 and x - end > _MERGE:
            yield start, end - start
            start = x
        if start < 0:
            start = x
        end = x + 1
    if start >= 0:
        yield start, end - start
