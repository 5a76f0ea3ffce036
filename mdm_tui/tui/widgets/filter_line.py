"""The line above a list: what it is filtered by, how many match, how many are marked, where one is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input

from mdm_tui.tui.widgets.line_input import LineInput
from mdm_tui.tui.widgets.lines import Lines, Part, length, part, spread

__all__ = ["FilterLine"]


class _Words(LineInput):
    """The words themselves; `esc` clears them, `enter` keeps them."""

    BINDINGS: ClassVar = [
        Binding("escape", "give_up", "Clear", show=False),
        Binding("up", "older", "Older", show=False),
        Binding("down", "newer", "Newer", show=False),
    ]

    def action_give_up(self) -> None:
        self.post_message(FilterLine.Closed("", applied=False))

    def action_older(self) -> None:
        self.post_message(FilterLine.Recalled(-1))

    def action_newer(self) -> None:
        self.post_message(FilterLine.Recalled(1))


class FilterLine(Horizontal):
    """Shows `say(left, right)`; `open` puts an input in the place of the left part."""

    DEFAULT_CSS: ClassVar[str] = """
    FilterLine { height: 1; width: 1fr; background: $ground; }
    FilterLine > .slash { width: 3; }
    FilterLine > _Words { width: 1fr; height: 1; border: none; padding: 0; background: $ground; color: $text; }
    FilterLine > _Words:focus { border: none; }
    """

    class Changed(Message):
        """The words as they stand now, while they are typed."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Closed(Message):
        """Typing ended; `applied` False: the words are to be cleared."""

        def __init__(self, text: str, *, applied: bool) -> None:
            super().__init__()
            self.text = text
            self.applied = applied

    class Recalled(Message):
        """An older (-1) or newer (1) line of the history is wanted."""

        def __init__(self, step: int) -> None:
            super().__init__()
            self.step = step

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._left: list[Part] = []
        self._right: list[Part] = []
        self._lines = Lines()
        self._history: list[str] = []
        self._place = 0

    def compose(self) -> ComposeResult:
        yield self._lines

    @property
    def editing(self) -> bool:
        """Whether words are being typed."""
        return bool(self.query(_Words))

    @property
    def text(self) -> str:
        """What the line says, for tests."""
        return self._lines.text

    def say(self, left: Sequence[Part], right: Sequence[Part]) -> None:
        """Show this; while words are typed only the right part shows."""
        self._left, self._right = list(left), list(right)
        self._show()

    async def open(self, text: str = "") -> None:
        """Start typing, from `text`."""
        for words in self.query(_Words):
            words.value = text
            words.cursor_position = len(text)
            words.focus()
            return
        slash = Lines(classes="slash")
        words = _Words(text, select_on_focus=False, compact=True)
        self._lines.styles.width = max(34, min(52, self.size.width // 2))
        await self.mount_all([slash, words], before=0)
        slash.show([[part(" / ", "accent", bold=True)]])
        words.cursor_position = len(text)
        words.focus()
        self._place = len(self._history)
        self._show()

    async def close(self) -> None:
        """Stop typing."""
        for words in self.query(_Words):
            if words.value.strip() and self._history[-1:] != [words.value]:
                self._history.append(words.value)
        await self.query(".slash, _Words").remove()
        self._lines.styles.width = "1fr"
        self.call_after_refresh(self._show)

    def on_resize(self) -> None:
        self._show()

    def _show(self) -> None:
        width = self.size.width
        if not width:
            return
        if self.editing:
            room = max(34, min(52, width // 2))
            right = self._right
            while right and length(right) > room - 1:
                right = right[1:]
            self._lines.show([spread([], right, room)])
        else:
            self._lines.show([spread(self._left, self._right, width)])

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Changed(event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Closed(event.value, applied=True))

    def on_filter_line_recalled(self, event: Recalled) -> None:
        event.stop()
        place = self._place + event.step
        if 0 <= place < len(self._history):
            self._place = place
            words = self.query_one(_Words)
            words.value = self._history[place]
            words.cursor_position = len(words.value)
