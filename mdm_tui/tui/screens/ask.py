"""A question with one answer that does something, and a list to choose from."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from mdm_tui.fleet.inventory_text import wrap
from mdm_tui.tui import safe
from mdm_tui.tui.screens.dialogs import Guarded
from mdm_tui.tui.widgets.grid_text import glyphs
from mdm_tui.tui.widgets.options import Options

__all__ = ["Ask", "Choose"]


class Ask(Guarded):
    """Answers True after `y`; `esc` and `n` go back. `verb` is what `y` does."""

    BINDINGS: ClassVar = [Binding("y", "yes", "Yes", show=False), Binding("n", "back", "No", show=False)]
    DEFAULT_CSS: ClassVar[str] = """
    Ask > Vertical { width: 64; max-width: 90%; height: auto; background: $raised; border: round $line; padding: 0 1; }
    """

    def __init__(self, title: str, words: str, verb: str) -> None:
        super().__init__()
        self._title, self._words, self._verb = title, words, verb

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(safe.plain(self._title, bold=True))
            yield Static(safe.plain(self._words))
            yield Static(
                safe.join(("y", "accent"), (f" {self._verb}    ", "muted"), ("esc", "accent"), (" back", "muted"))
            )

    GUARDED: ClassVar[bool] = True  # see keyguard.py

    def take_text(self, text: str, *, apply: bool) -> None:
        """A scanner sent this: it is no answer."""

    def action_yes(self) -> None:
        self.dismiss(True)


class Choose(Guarded):
    """One of a few: answers the key of the option, or None. Options: (key, title, note)."""

    DEFAULT_CSS: ClassVar[str] = """
    Choose > Vertical { width: 68; max-width: 90%; height: auto; max-height: 80%; background: $raised;
        border: round $line; padding: 0 1; }
    Choose OptionList { height: auto; max-height: 20; border: none; background: $raised; padding: 0; }
    Choose OptionList:focus { border: none; }
    """

    def __init__(
        self,
        title: str,
        options: Sequence[tuple[str, str, str]],
        *,
        now: str = "",
        keep: set[str] | None = None,
        none: bool = False,
        off: Collection[str] = (),
    ) -> None:
        """now: what holds at present: marked, and begun on. none: it starts on nothing, so enter alone chooses nothing.

        keep: these are chosen; choosing switches one on or off, and the answer is the whole set. off: keys that cannot
        be chosen; their notes say why.
        """
        super().__init__()
        self._title, self._options, self._now, self._none = title, list(options), now, none
        self._begun = any(item[0] == now for item in self._options)
        self._off = frozenset(off)
        self.chosen = None if keep is None else set(keep)

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(safe.plain(self._title, bold=True))
            yield Options(
                *[Option(self._label(item), id=item[0], disabled=item[0] in self._off) for item in self._options]
            )
            words = "enter on or off   esc done" if self.chosen is not None else "enter choose   esc back"
            if self._none:
                # Enter alone does nothing here: said, or the console looks as if it hung.
                words = f"up down, then {words}"
            yield Static(safe.plain(words, "muted"))

    def deaf(self, event: events.Event) -> bool:
        """Only where the answer acts: there no choice is offered in advance. The others are quick menus."""
        return self._none and super().deaf(event)

    def _label(self, item: tuple[str, str, str]) -> safe.Content:
        key, title, note = item
        marked = self.chosen if self.chosen is not None else {self._now} if self._begun else set()
        sign = f"{glyphs().mark} " if key in marked else "  " if marked or self.chosen is not None else ""
        return safe.join((f"{sign}{title}", "text"), (f"  {note}" if note else "", "muted"))

    def on_mount(self) -> None:
        options = self.query_one(OptionList)
        keys = [item[0] for item in self._options]
        options.highlighted = keys.index(self._now) if self._begun else None if self._none else 0
        options.focus()
        self._fit()

    def on_resize(self) -> None:
        self._fit()

    def _fit(self) -> None:
        room = max(20, min(64, int(self.app.size.width * 0.9) - 4))
        # The frame, the title and the line of keys.
        self.leave_room(3 + len(wrap(self._title, room)), 0.8)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        key = event.option.id or ""
        if self.chosen is None:
            self.dismiss(key)
            return
        self.chosen.symmetric_difference_update({key})
        item = next(item for item in self._options if item[0] == key)
        self.query_one(OptionList).replace_option_prompt(key, self._label(item))

    def action_back(self) -> None:
        self.dismiss(self.chosen)
