"""How a person moves about lines: keys and wheel. Mixed into `LinesView`, which has the state."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection
from typing import TYPE_CHECKING, Final

from textual import events

from mdm_tui.fleet.text import search_key

if TYPE_CHECKING:
    from mdm_tui.fleet.inventory_text import Line

__all__ = ["LineActions"]

_WHEEL_ROWS: Final = 3


class LineActions:
    """The actions of a view of lines, under the names of the grid's."""

    if TYPE_CHECKING:
        lines: list[Line]
        top: int
        cursor: int
        spot: int
        needle: str
        found_lines: list[int]

        @property
        def page(self) -> int: ...
        def move_to(self, line: int, *, top: bool = False) -> None: ...
        def scroll_lines(self, rows: int) -> None: ...
        def refresh_lines(self, *lines: int) -> None: ...

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.scroll_lines(_WHEEL_ROWS)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.scroll_lines(-_WHEEL_ROWS)

    def action_cursor_up(self) -> None:
        self.move_to(self.cursor - 1)

    def action_cursor_down(self) -> None:
        self.move_to(self.cursor + 1)

    def action_page_up(self) -> None:
        self.move_to(self.cursor - self.page)

    def action_page_down(self) -> None:
        self.move_to(self.cursor + self.page)

    def action_half_page_up(self) -> None:
        self.move_to(self.cursor - max(1, self.page // 2))

    def action_half_page_down(self) -> None:
        self.move_to(self.cursor + max(1, self.page // 2))

    def action_home(self) -> None:
        self.move_to(0)

    def action_end(self) -> None:
        self.move_to(len(self.lines) - 1)

    def action_columns_left(self) -> None:
        self.choose(-1)

    def action_columns_right(self) -> None:
        self.choose(1)

    def choose(self, step: int) -> None:
        """The value before or after, on a line that has several."""
        if self.lines:
            most = max(0, len(self.lines[self.cursor].spots) - 1)
            self.spot = max(0, min(most, min(self.spot, most) + step))
            self.refresh_lines(self.cursor)

    def find_next(self, step: int) -> bool:
        """To the next (1) or previous (-1) match, round the end; False where nothing matches."""
        if not self.found_lines:
            return False
        if step > 0:
            at = bisect_right(self.found_lines, self.cursor)
        else:
            at = bisect_right(self.found_lines, self.cursor - 1) - 1
        self.move_to(self.found_lines[at % len(self.found_lines)])
        self.aim(self.needle)
        return True

    def aim(self, needle: str) -> None:
        """On a line with several values, choose the one that the match stands in or before."""
        line = self.lines[self.cursor]
        at = search_key(line.text).find(needle)
        self.spot = next((number for number, spot in enumerate(line.spots) if spot.x + spot.width > at), 0)
        self.refresh_lines(self.cursor)

    def seek_role(self, roles: Collection[str], step: int) -> bool:
        """To the next (1) or previous (-1) line that shows something in one of these roles, round the end."""
        count = len(self.lines)
        for away in range(1, count + 1):
            at = (self.cursor + step * away) % count
            if any(role in roles for _text, role in self.lines[at].spans):
                self.move_to(at)
                return True
        return False

    def restart(self) -> None:
        """Forget the lines and the place: something else will be shown."""
        self.lines = []
        self.found_lines = []
        self.top = self.cursor = self.spot = 0
