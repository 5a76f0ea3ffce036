"""Lines to read: a report, a document, the details of a command. Only what is in sight is ever painted.

It holds laid-out lines (`fleet.inventory_text.Line`), a cursor that stays on its value while lines come and go, and a
search. Screens make the lines; this draws them and moves about.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import ClassVar, Final

from textual import events
from textual.binding import BindingType
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from mdm_tui.fleet.inventory import Entry
from mdm_tui.fleet.inventory_text import Line
from mdm_tui.fleet.text import search_key
from mdm_tui.tui.theme import palette
from mdm_tui.tui.widgets.grid_crop import crop_updates
from mdm_tui.tui.widgets.grid_keys import GRID_KEYS, grid_bindings
from mdm_tui.tui.widgets.grid_paint import Painted, to_strip
from mdm_tui.tui.widgets.grid_text import glyphs
from mdm_tui.tui.widgets.report_keys import LineActions

__all__ = ["LinesView"]

_MOVES: Final = frozenset(
    {"grid.up", "grid.down", "grid.page_up", "grid.page_down", "grid.half_page_up", "grid.half_page_down"}
    | {"grid.home", "grid.end", "grid.left", "grid.right"}
)
_KEYS: Final = [row for row in GRID_KEYS if row[2] in _MOVES]


class LinesView(LineActions, Widget, can_focus=True):
    """A window on a list of lines. Its first cell a line is the cursor's."""

    DEFAULT_CSS = """
    LinesView { height: 1fr; background: $ground; color: $text; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*grid_bindings(_KEYS)]

    class Moved(Message):
        """The cursor or the sight moved."""

        def __init__(self, view: LinesView) -> None:
            super().__init__()
            self.view = view

        @property
        def control(self) -> LinesView:
            return self.view

    class Resized(Message):
        """The width changed: whoever lays the lines out does it again."""

        def __init__(self, view: LinesView) -> None:
            super().__init__()
            self.view = view

        @property
        def control(self) -> LinesView:
            return self.view

    def __init__(self, lines: Sequence[Line] = (), *, id: str | None = None, on: str = "ground") -> None:
        """on: the role of the ground it is drawn on."""
        super().__init__(id=id)
        self.lines: list[Line] = list(lines)
        self.top = 0
        self.cursor = 0
        self.spot = 0
        self.needle = ""
        self._on = on
        self.found_lines: list[int] = []
        self._anchors: list[tuple[int, str]] = []
        self._width = 0
        self._index()

    # --- what a screen asks and sets ---

    @property
    def page(self) -> int:
        """Lines in sight."""
        return max(1, self.size.height)

    @property
    def entry(self) -> Entry | None:
        """The value under the cursor."""
        if not 0 <= self.cursor < len(self.lines):
            return None
        spots = self.lines[self.cursor].spots
        return spots[min(self.spot, len(spots) - 1)].entry if spots else None

    @property
    def section(self) -> str:
        """The section in which the cursor stands."""
        at = bisect_right(self._anchors, (self.cursor, "\U0010ffff")) - 1
        return self._anchors[at][1] if at >= 0 else ""

    @property
    def position(self) -> tuple[int, int, int]:
        """First and last line in sight, counted from 1, and how many there are."""
        return (min(self.top + 1, len(self.lines)), min(self.top + self.page, len(self.lines)), len(self.lines))

    @property
    def matches(self) -> tuple[int, int]:
        """Which match the cursor stands on (0: none), and how many there are."""
        at = bisect_right(self.found_lines, self.cursor)
        return (at if at and self.found_lines[at - 1] == self.cursor else 0, len(self.found_lines))

    def set_lines(self, lines: Sequence[Line]) -> None:
        """Show other lines. The cursor stays on its value, on its line of the screen; only what differs is painted."""
        if not self.lines:
            self.lines = list(lines)
            self._index()
            self.cursor = self._landing(0, 1)
            self.refresh()
            self.post_message(self.Moved(self))
            return
        row = self.cursor - self.top
        old = self.lines
        target = _find_again(self.lines, lines, self.cursor, self.section)
        self.lines = list(lines)
        self._index()
        before, self.cursor = (self.top, self.cursor), min(target, max(0, len(lines) - 1))
        self.top = max(0, min(self.cursor - row, len(self.lines) - 1))
        self._clamp()
        if before != (self.top, self.cursor):
            self.refresh()
        else:
            changed = [
                Region(0, y, self.size.width, 1)
                for y in range(self.page)
                if _at(old, self.top + y) != _at(self.lines, self.top + y)
            ]
            if changed:
                self.refresh(*changed)
        self.post_message(self.Moved(self))

    def move_to(self, line: int, *, top: bool = False) -> None:
        """Put the cursor on a line; `top` brings it to the top of the sight."""
        if not self.lines:
            return
        before, old_top = self.cursor, self.top
        step = 1 if line >= self.cursor else -1
        self.cursor = self._landing(max(0, min(line, len(self.lines) - 1)), step)
        if self.cursor != before:
            self.spot = min(self.spot, max(0, len(self.lines[self.cursor].spots) - 1))
        if top:
            self.top = self.cursor
        elif self.cursor < self.top:
            self.top = self.cursor if before - self.cursor > 1 else self.cursor - self.page // 2
        elif self.cursor >= self.top + self.page:
            self.top = self.cursor - self.page + 1 if self.cursor - before > 2 else self.cursor - self.page // 2
        self._clamp()
        if self.top != old_top:
            self.refresh()
        elif self.cursor != before:
            self.refresh_lines(before, self.cursor)
        self.post_message(self.Moved(self))

    def go(self, anchor: str) -> bool:
        """To the section of that key; False where there is none."""
        for line, key in self._anchors:
            if key == anchor:
                self.move_to(line, top=True)
                return True
        return False

    def find(self, needle: str) -> int:
        """Search without regard to case and accents, from the cursor on. Answers how many lines match."""
        self.needle = search_key(needle.strip())
        self._search()
        self.refresh()
        if self.found_lines:
            at = bisect_right(self.found_lines, self.cursor - 1)
            self.move_to(self.found_lines[at % len(self.found_lines)])
            self.aim(self.needle)
        return len(self.found_lines)

    # --- keeping the place ---

    def _index(self) -> None:
        self._anchors = [(number, line.anchor) for number, line in enumerate(self.lines) if line.anchor]
        self._search()

    def _search(self) -> None:
        needle = self.needle
        self.found_lines = (
            [number for number, line in enumerate(self.lines) if needle in search_key(line.text)] if needle else []
        )

    def _landing(self, line: int, step: int) -> int:
        """The nearest line that is not blank, in the direction of the move, else the other way."""
        for way in (step, -step):
            at = line
            while 0 <= at < len(self.lines):
                if self.lines[at].spans:
                    return at
                at += way
        return line

    def _clamp(self) -> None:
        self.top = max(0, min(self.top, len(self.lines) - self.page))

    # --- painting ---

    def render_line(self, y: int) -> Strip:
        number = self.top + y
        line = _at(self.lines, number)
        colours = palette(self.app)
        if line is None:
            return to_strip(Painted((), self._on), colours, self.size.width)
        here = number == self.cursor and self.has_focus
        pieces: list[tuple[str, str, bool]] = [(glyphs().cursor if here else " ", "accent", here)]
        spot = line.spots[min(self.spot, len(line.spots) - 1)] if here and line.spots else None
        x = 0
        drop = 1
        for text, own in line.spans:
            if drop and text[:1] == " ":
                # The margin's first cell is the cursor's.
                text, drop = text[1:], 0
                x += 1
            elif drop:
                drop = 0
            lit = spot is not None and spot.x <= x < spot.x + spot.width
            pieces.extend(_lit(text, own, self.needle, bold=lit))
            x += len(text)
        return to_strip(Painted(tuple(pieces), self._on), colours, self.size.width)

    def refresh_lines(self, *lines: int) -> None:
        regions = [Region(0, line - self.top, self.size.width, 1) for line in lines if 0 <= line - self.top < self.page]
        if regions:
            self.refresh(*regions)

    # --- events ---

    def on_mount(self) -> None:
        crop_updates(self.screen)

    def on_resize(self, event: events.Resize) -> None:
        if event.size.width != self._width:
            self._width = event.size.width
            self.post_message(self.Resized(self))
        self._clamp()
        if not self.top <= self.cursor < self.top + self.page:
            self.top = max(0, self.cursor - self.page // 2)
            self._clamp()

    def on_focus(self) -> None:
        self.refresh_lines(self.cursor)

    def on_blur(self) -> None:
        self.refresh_lines(self.cursor)

    def on_click(self, event: events.Click) -> None:
        number = self.top + event.y
        if number >= len(self.lines):
            return
        spots = self.lines[number].spots
        self.move_to(number)
        self.spot = next((at for at, spot in enumerate(spots) if event.x < spot.x + spot.width + 1), 0)
        self.refresh_lines(self.cursor)

    def scroll_lines(self, rows: int) -> None:
        old = self.top
        self.top += rows
        self._clamp()
        if self.top != old:
            self.cursor = self._landing(max(self.top, min(self.cursor, self.top + self.page - 1)), 1)
            self.refresh()
            self.post_message(self.Moved(self))


def _at(lines: Sequence[Line], number: int) -> Line | None:
    return lines[number] if 0 <= number < len(lines) else None


def _lit(text: str, role: str, needle: str, *, bold: bool) -> list[tuple[str, str, bool]]:
    """The run, with what is searched for in the colour of marks."""
    if not needle:
        return [(text, role, bold)]
    folded = search_key(text)
    if len(folded) != len(text) or needle not in folded:
        return [(text, role, bold)]
    pieces: list[tuple[str, str, bool]] = []
    start = 0
    while (at := folded.find(needle, start)) >= 0:
        end = at + len(needle)
        pieces += [(text[start:at], role, bold), (text[at:end], "marked", True)]
        start = end
    pieces.append((text[start:], role, bold))
    return [piece for piece in pieces if piece[0]]


def _find_again(old: Sequence[Line], new: Sequence[Line], cursor: int, anchor: str) -> int:
    """Where the line at `cursor` of the old lines stands among the new ones: by its value, else by its section."""
    here = old[min(cursor, len(old) - 1)]
    if here.key:
        nth = sum(1 for line in old[:cursor] if line.key == here.key)
        found = [number for number, line in enumerate(new) if line.key == here.key]
        if found:
            return found[min(nth, len(found) - 1)]
    if anchor:
        was = max((number for number, line in enumerate(old[: cursor + 1]) if line.anchor == anchor), default=0)
        for number, line in enumerate(new):
            if line.anchor == anchor:
                return number + cursor - was
    return cursor
