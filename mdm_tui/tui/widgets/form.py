"""Rows of a form: a text, something chosen from a list, a stack of policies with priorities, each with its problem."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Static

from mdm_tui.fleet.text import clean
from mdm_tui.tui import safe
from mdm_tui.tui.actions import bindings
from mdm_tui.tui.widgets.grid_text import fit, glyphs
from mdm_tui.tui.widgets.lines import Lines, Part, part

__all__ = ["Either", "Pick", "Row", "Stack", "TextField"]


class Row(Vertical):
    """A label, a control, and the sentence on what is wrong with it."""

    DEFAULT_CSS: ClassVar[str] = """
    Row { height: auto; }
    Row > .line { height: auto; layout: horizontal; }
    Row .label { width: 16; padding-left: 1; color: $muted; }
    Row .wrong { display: none; height: auto; color: $bad; padding-left: 17; }
    Row Input { width: 1fr; background: $ground; }
    Row Input.-textual-compact { padding: 0 0 0 2; }
    Row Input:focus { border: none; background: $raised; }
    """

    def __init__(self, key: str, title: str, control: Widget) -> None:
        super().__init__(id=f"row-{key}")
        self.key = key
        self._title = title
        self.control = control

    def compose(self) -> ComposeResult:
        with Vertical(classes="line"):
            yield Static(safe.plain(self._title, "muted"), classes="label")
            yield self.control
        yield Static(classes="wrong")

    def complain(self, sentence: str) -> None:
        """Say what is wrong here; "" takes it away."""
        place = self.query_one(".wrong", Static)
        place.update(safe.plain(f"{glyphs().fault} {clean(sentence, 500)}" if sentence else "", "bad"))
        place.display = bool(sentence)


class Pick(Lines, can_focus=True):
    """One line that shows a value; `enter` asks for another, `delete` for none."""

    DEFAULT_CSS: ClassVar[str] = "Pick { height: 1; width: 1fr; }"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("field")]

    class Asked(Message):
        """Something is to be done with a field: "choose", "clear" or "add"."""

        def __init__(self, key: str, what: str, index: int = 0) -> None:
            super().__init__()
            self.key = key
            self.what = what
            self.index = index

    def __init__(self, key: str, hint: str = "enter chooses") -> None:
        super().__init__(id=f"field-{key}")
        self.key = key
        self._hint = hint
        self._value: tuple[str, str] = ("", "")

    def tell(self, text: str, role: str = "") -> None:
        """Show a value."""
        self._value = (clean(text, 400), role)
        self.rebuild()

    def rebuild(self) -> None:
        text, role = self._value
        line: list[Part] = [part(f"{glyphs().cursor} " if self.has_focus else "  ", "accent"), part(text, role)]
        if self.has_focus:
            line.append(part(f"   {self._hint}", "muted"))
        self.show([line])

    def watch_has_focus(self, has_focus: bool) -> None:
        # Not in on_blur: that runs while the widget still counts as focused, and the cursor would stay behind.
        super().watch_has_focus(has_focus)
        if self.is_mounted:
            self.rebuild()

    def on_click(self, event: events.Click) -> None:
        self.action_choose()

    def action_choose(self) -> None:
        self.post_message(self.Asked(self.key, "choose"))

    def action_clear(self) -> None:
        self.post_message(self.Asked(self.key, "clear"))

    def action_add(self) -> None:
        self.post_message(self.Asked(self.key, "choose"))


class Stack(Lines, can_focus=True):
    """A short list with a cursor; `+` adds, `enter` changes the entry's number, `delete` takes it out."""

    DEFAULT_CSS: ClassVar[str] = "Stack { height: auto; width: 1fr; }"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("field")]

    def __init__(self, key: str) -> None:
        super().__init__(id=f"field-{key}")
        self.key = key
        self.index = 0
        self._rows: list[tuple[str, str, str]] = []

    def tell(self, rows: Sequence[tuple[str, str, str]]) -> None:
        """Show these entries: (number, name, role)."""
        self._rows = [(clean(number, 20), clean(name, 200), role) for number, name, role in rows]
        self.index = max(0, min(self.index, len(self._rows) - 1))
        self.rebuild()

    def rebuild(self) -> None:
        shown: list[list[Part]] = []
        for at, (number, name, role) in enumerate(self._rows):
            here = self.has_focus and at == self.index
            shown.append(
                [part(f"{glyphs().cursor} " if here else "  ", "accent"), part(fit(number, 6, right=True), "muted"),
                 part("  "), part(name, role)]
            )  # fmt: skip
        if not shown:
            shown.append([part(f"{glyphs().cursor} " if self.has_focus else "  ", "accent"), part("none", "muted")])
        if self.has_focus:
            hint = "+ adds" if not self._rows else "+ adds   enter changes the priority   delete takes it out"
            shown.append([part("  "), part(hint, "muted")])
        self.styles.height = len(shown)
        self.show(shown)

    def watch_has_focus(self, has_focus: bool) -> None:
        # Not in on_blur: that runs while the widget still counts as focused, and the cursor would stay behind.
        super().watch_has_focus(has_focus)
        if self.is_mounted:
            self.rebuild()

    def on_key(self, event: events.Key) -> None:
        step = {"up": -1, "down": 1}.get(event.key, 0)
        if step and 0 <= self.index + step < len(self._rows):
            self.index += step
            self.rebuild()
            event.stop()
            event.prevent_default()

    def action_choose(self) -> None:
        what = "choose" if self._rows else "add"
        self.post_message(Pick.Asked(self.key, what, self.index))

    def action_clear(self) -> None:
        if self._rows:
            self.post_message(Pick.Asked(self.key, "clear", self.index))

    def action_add(self) -> None:
        self.post_message(Pick.Asked(self.key, "add", self.index))


class Either(Lines, can_focus=True):
    """One of a few, none chosen at first: up and down move, space and enter choose."""

    DEFAULT_CSS: ClassVar[str] = "Either { height: auto; width: 1fr; }"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("field")]
    ON: ClassVar[str] = "raised"

    class Changed(Message):
        """Something was chosen."""

        def __init__(self, either: Either) -> None:
            super().__init__()
            self.either = either

    def __init__(self, key: str, options: Sequence[tuple[str, str]]) -> None:
        """options: (key, words)."""
        super().__init__(id=f"choice-{key}")
        self.key = key
        self.options = list(options)
        self.index = 0
        self.chosen: str | None = None

    def on_mount(self) -> None:
        self.rebuild()

    def rebuild(self) -> None:
        shown: list[list[Part]] = []
        for at, (key, words) in enumerate(self.options):
            here = self.has_focus and at == self.index
            sign = f"({glyphs().active})" if key == self.chosen else "( )"
            role = "accent" if key == self.chosen else ""
            cursor = part(f"{glyphs().cursor} " if here else "  ", "accent")
            shown.append([cursor, part(f"{sign} ", role), part(words, role, bold=here)])
        self.styles.height = len(shown)
        self.show(shown)

    def watch_has_focus(self, has_focus: bool) -> None:
        # Not in on_blur: that runs while the widget still counts as focused, and the cursor would stay behind.
        super().watch_has_focus(has_focus)
        if self.is_mounted:
            self.rebuild()

    def choose(self, key: str) -> None:
        """Choose one by its key."""
        if key != self.chosen:
            self.chosen = key
            self.index = [option for option, _words in self.options].index(key)
            self.rebuild()
            self.post_message(self.Changed(self))

    def on_key(self, event: events.Key) -> None:
        step = {"up": -1, "down": 1}.get(event.key, 0)
        if step and 0 <= self.index + step < len(self.options):
            self.index += step
            self.rebuild()
            event.stop()
            event.prevent_default()
        elif event.key == "space":
            self.action_choose()
            event.stop()

    def on_click(self, event: events.Click) -> None:
        if event.y < len(self.options):
            self.choose(self.options[event.y][0])

    def action_choose(self) -> None:
        self.choose(self.options[self.index][0])

    def action_clear(self) -> None:
        """A choice cannot be taken back, only changed."""

    def action_add(self) -> None:
        """Nothing is added here."""


class TextField(Input):
    """A text field of a form; its id is `field-<key>`. between: what stands for the line ends of a pasted text."""

    def __init__(self, key: str, value: str = "", placeholder: str = "", between: str = " ") -> None:
        super().__init__(value, placeholder=placeholder, compact=True, id=f"field-{key}", select_on_focus=False)
        self.key = key
        self.between = between

    def _on_paste(self, event: events.Paste) -> None:
        # Textual's own takes the first line alone, without a word about the others.
        lines = [line.strip() for line in event.text.splitlines() if line.strip()]
        if len(lines) > 1:
            event.prevent_default()
            event.stop()
            self.replace(self.between.join(lines), *self.selection)
