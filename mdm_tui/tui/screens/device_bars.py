"""The lines round a device's report: its title, the strip of sections, a notice, and the search at the bottom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Input, Static

from mdm_tui.fleet import faults
from mdm_tui.fleet.inventory_text import wrap
from mdm_tui.fleet.text import clean
from mdm_tui.fleet.values import age
from mdm_tui.tui import safe
from mdm_tui.tui.modes import BOTH, SCREENS
from mdm_tui.tui.screens import devices_text
from mdm_tui.tui.widgets.grid_text import fit, glyphs
from mdm_tui.tui.widgets.lines import Lines, Part, length, part, spread

if TYPE_CHECKING:
    from mdm_tui.store.mirror import Stored

__all__ = ["FindBar", "Notice", "Strip", "Title"]


class Title(Lines):
    """Who this is and how fresh what we know of it is."""

    DEFAULT_CSS: ClassVar[str] = "Title { height: 1; margin-top: 0; }"

    def _back(self) -> str:
        """The screen that esc leads to."""
        stack = self.app.screen_stack
        at = stack.index(self.screen) if self.screen in stack else 0
        key = getattr(stack[at - 1], "TAB", "") if at else ""
        titles = {place.key: place.title for place in SCREENS} | {BOTH: "Both"}
        return titles.get(key, "Devices")

    def tell(self, stored: Stored | None, device_id: str, next_at: float | None, now: float) -> None:
        """Show it. next_at: when the next poll starts, epoch seconds."""
        values = stored.device.values if stored is not None else {}
        width = self.size.width or 80
        sign = devices_text.glyph(values)
        left: list[Part] = [part(f" {glyphs().more_left} {self._back()}   ", "muted"), part(f"{sign.text} ", sign.role)]
        left.append(part(clean(values.get("name") or device_id), bold=True))
        left += [part(f"   {clean(values[key])}", "muted") for key in ("serial", "model") if values.get(key)]
        right: list[Part] = []
        seen = values.get("seen")
        if isinstance(seen, (int, float)):
            late = bool(faults.silent(seen, now))
            gone = age(now - seen)
            words = (
                "report now"
                if gone == "now"
                else f"report {gone} old"
                if not gone.startswith("in ")
                else "report from the future"
            )
            right.append(part(words + (f" {glyphs().fault}" if late else ""), "warn" if late else "muted"))
        elif stored is not None:
            right.append(part("never reported", "muted"))
        if next_at is not None and width >= 70:
            wait = "now" if next_at <= now else age(next_at - now)
            right.append(part(f"   next poll {wait}", "muted"))
        right.append(part(" "))
        while length(left) + length(right) > width and len(left) > 3:
            left.pop()
        self.show([spread(left, right, width)])


class Strip(Lines):
    """The sections, the one that is read in the accent's colour; as many as fit round it."""

    DEFAULT_CSS: ClassVar[str] = "Strip { height: 2; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.places: list[tuple[int, int, str]] = []

    def tell(self, sections: Sequence[tuple[str, str, int | None]], current: str) -> None:
        """Show these sections (key, title, count)."""
        width = self.size.width or 80
        gap = "  " if width >= 100 else " "
        items = [
            (key, title + (f" {count:,}" if count is not None and width >= 100 else ""))
            for key, title, count in sections
        ]
        keys = [key for key, _text in items]
        at = keys.index(current) if current in keys else 0
        first = 0
        while first < at and 3 + sum(len(text) + len(gap) for _key, text in items[first : at + 2]) > width - 3:
            first += 1
        line: list[Part] = [part(f"{glyphs().more_left} " if first else " ", "muted")]
        self.places = []
        for number, (key, text) in enumerate(items[first:], first):
            more = number < len(items) - 1
            if length(line) + len(text) + (2 if more else 0) > width:
                line.append(part(glyphs().more_right, "muted"))
                break
            self.places.append((length(line), len(text), key))
            here = key == keys[at]
            line += [part(text, "accent" if here else "muted", bold=here), part(gap)]
        self.show([line, []])


class Notice(Lines):
    """A sentence over the report, there only while there is something to say."""

    DEFAULT_CSS: ClassVar[str] = "Notice { height: auto; max-height: 4; display: none; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._said = ("", "")

    def say(self, sentence: str, role: str = "muted") -> None:
        """Show a sentence, or nothing for ""."""
        if (sentence, role) == self._said and sentence:
            return
        self._said = (sentence, role)
        self.display = bool(sentence)
        self.rebuild()

    def rebuild(self) -> None:
        sentence, role = self._said
        width = self.size.width or self.app.size.width
        rows = wrap(clean(sentence, 600), width - 3) if sentence else []
        self.styles.height = max(1, len(rows))
        self.show([[part("   "), part(row, role)] for row in rows])


class FindBar(Horizontal):
    """What is searched for in the report, and how often it is there."""

    DEFAULT_CSS: ClassVar[str] = """
    FindBar { dock: bottom; height: 1; display: none; background: $ground; margin-bottom: 1; }
    FindBar .sign { width: 3; color: $accent; }
    FindBar Input { width: 1fr; height: 1; border: none; padding: 0; background: $ground; }
    FindBar Input:focus { border: none; }
    FindBar .count { width: 20; text-align: right; color: $muted; padding-right: 1; }
    """

    def compose(self) -> ComposeResult:
        yield Static(safe.plain(" / "), classes="sign")
        yield Input(id="find-text", compact=True, select_on_focus=False)
        yield Static(classes="count")

    def count(self, words: str) -> None:
        """Say how many lines match."""
        self.query_one(".count", Static).update(safe.plain(fit(words, 18, right=True), "muted"))
