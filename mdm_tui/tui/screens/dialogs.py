"""Dialogs that nobody answers by accident, and lists that are searched: the parts all others are made of.

A guarded dialog drops whatever was typed or clicked in its first 300 ms (RULES §2): keys meant for the screen below
never answer it. The app asks `deaf` before it hands an event on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from time import monotonic
from typing import Any, ClassVar, Final, NamedTuple

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from mdm_tui.fleet.errors import FleetError
from mdm_tui.fleet.text import search_key
from mdm_tui.tui import safe
from mdm_tui.tui.asking import asking
from mdm_tui.tui.keyguard import Bursts
from mdm_tui.tui.screens.base import FleetModal, Once
from mdm_tui.tui.widgets.form import TextField
from mdm_tui.tui.widgets.options import Options

__all__ = [
    "SILENCE",
    "Guarded",
    "Item",
    "Prompt",
    "Search",
    "Typed",
    "answer",
    "asking",
    "filtered",
    "foot",
    "keys_line",
    "not_typed",
]

SILENCE: Final = 0.3
"""Seconds in which a dialog that has just appeared hears nothing."""


async def answer(app: Any, dialog: Screen[Any], *, anywhere: bool = False) -> Any:
    """Push a dialog and await what it answers; None when it was left without one.

    It is shown on the screen that the task began on, once that one is looked at (`Asking.until_shown`, which raises
    `FleetError` when it is left for good). anywhere: it belongs to no screen.

    Only in a task of `app.spawn`: in an action or a message handler it would hold up the queue of keys, and the
    answer could never come. There it raises RuntimeError, and nothing is pushed.
    """
    task = asyncio.current_task()
    if not app.spawned(task):
        raise RuntimeError(f"{type(dialog).__name__}: an answer is awaited in a task of its own, see app.spawn")
    given: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    asking.add(task)
    try:
        if not anywhere:
            await app.until_shown(dialog)
        if isinstance(dialog, Once):
            dialog.when_left(lambda: given.done() or given.set_result(None))
        await app.push_screen(dialog, lambda result: given.done() or given.set_result(result))
        return await given
    except asyncio.CancelledError:
        if dialog.is_attached:
            dialog.dismiss(None)
        raise
    finally:
        asking.discard(task)


def foot(*keys: tuple[str, str]) -> Static:
    """The last line of a dialog: (key, what it does)."""
    return Static(keys_line(*keys), classes="foot", id="foot")


def keys_line(*keys: tuple[str, str]) -> safe.Content:
    """Keys and what they do, as content."""
    parts: list[tuple[str, str]] = []
    for key, words in keys:
        parts += [(key, "accent"), (f" {words}   ", "muted")]
    return safe.join(*parts)


def not_typed(expects: str, typed: str, outcome: str = "nothing was sent") -> str:
    """What is said of a text that is not the one that has to be typed, or of none."""
    return f"That is not “{expects}”: {outcome}." if typed.strip() else f"Type “{expects}” first: {outcome}."


class Item(NamedTuple):
    """One thing to choose. depth: levels it is indented by, in a tree."""

    key: str
    title: str
    note: str = ""
    depth: int = 0


class Guarded(FleetModal):
    """A dialog that is deaf while it appears."""

    DEFAULT_CSS: ClassVar[str] = """
    Guarded > Vertical { width: 92; max-width: 96%; height: auto; max-height: 94%; background: $raised;
        border: round $line; padding: 0 1; overflow-y: auto; scrollbar-size-vertical: 1; }
    Guarded Input { height: 1; border: none; padding: 0 1; background: $ground; }
    Guarded Input:focus { border: none; }
    Guarded .row { height: 1; }
    Guarded .label { width: 16; color: $muted; }
    Guarded .foot { height: auto; margin-top: 1; }
    Guarded .problem { height: auto; color: $bad; display: none; }
    """
    silence: ClassVar[float] = SILENCE
    bursts: Bursts | None = None
    # What became of a text that came so.
    scanned: ClassVar[str] = " and was not taken: enter takes it."

    def __init__(self) -> None:
        super().__init__()
        self._heard_from: float | None = None

    def on_show(self) -> None:
        self.call_after_refresh(self._appeared)

    def _on_mount(self, event: events.Mount) -> None:
        self.call_after_refresh(self._appeared)

    def _appeared(self) -> None:
        if self._heard_from is None:
            self._heard_from = monotonic() + self.silence

    def deaf(self, event: events.Event) -> bool:
        """Whether an event is to be dropped because it came too soon to be meant for this dialog."""
        if self.silence > 0 and (self._heard_from is None or event.time < self._heard_from):
            return True
        return isinstance(event, events.Key) and not event.is_forwarded and self._scanned(event)

    def _scanned(self, event: events.Key) -> bool:
        """Whether this is the enter at the end of a scanner's text: that answers nothing (RULES §2)."""
        if self.bursts is None:
            self.bursts = Bursts(self.app.key_window)
        if not self.bursts.ended_by(event):
            return False
        safe.toast(self.app, "", f"That came as fast as from a scanner{self.scanned}", "warning")
        return True

    def complain(self, sentence: str) -> None:
        """Say what is wrong, at the place for it; "" takes it away."""
        # A key that was typed before the end may be heard after it, when the parts are gone.
        for place in self.query(".problem").results(Static):
            place.update(safe.plain(sentence, "bad"))
            place.display = bool(sentence)
            if sentence:
                # On a small terminal it may stand below what is in sight.
                place.call_after_refresh(place.scroll_visible, animate=False)


class Search(Guarded):
    """Choose one of many by typing a part of it; answers its key, or None.

    load: the items for what is typed; called at once with "" and again after each pause. `FleetError` is said.
    """

    DEFAULT_CSS: ClassVar[str] = """
    Search > Vertical { width: 72; }
    Search OptionList { height: auto; max-height: 16; border: none; background: $raised; padding: 0;
        scrollbar-size-vertical: 1; }
    Search OptionList:focus { border: none; }
    """
    # Seconds without a key before the items are asked for.
    pause: ClassVar[float] = 0.2

    def __init__(
        self,
        title: str,
        load: Callable[[str], Awaitable[Sequence[Item]]],
        *,
        hint: str = "type to search",
        why_not: Callable[[str], str] | None = None,
    ) -> None:
        """why_not: why an item cannot be chosen, as a sentence; "" when it can."""
        super().__init__()
        self._title, self._load, self._hint, self._why_not = title, load, hint, why_not
        self._asked = 0
        self._items: list[Item] = []
        self._timer: Any = None

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(safe.plain(self._title, bold=True))
            yield Input(placeholder=self._hint, compact=True)
            yield Static(classes="problem")
            yield Options()
            yield foot(("enter", "choose"), ("esc", "back"))

    def on_mount(self) -> None:
        self.query_one(OptionList).can_focus = False
        self._fit()
        self.query_one(Input).focus()
        self.app.spawn(self.fill(""), "search")

    def on_resize(self) -> None:
        self._fit()

    def _fit(self) -> None:
        # The frame, the title, what is typed, a sentence of two lines, a gap and the keys.
        self.leave_room(9, 0.94)

    def on_input_changed(self, event: Input.Changed) -> None:
        if self._timer is not None:
            self._timer.stop()
        self.complain("")
        text = event.value
        self._timer = self.set_timer(self.pause, lambda: self.app.spawn(self.fill(text), "search"))

    async def fill(self, text: str) -> None:
        """Ask for the items that go with a text, and show them; a later call makes an earlier one worthless."""
        self._asked += 1
        mine = self._asked
        try:
            items = list(await self._load(text))
        except FleetError as error:
            if not self.gone:
                self.complain(error.sentence())
            return
        if mine != self._asked or self.gone:
            return
        if not items:
            self.complain("Nothing matches.")
        self._items = items
        shown = self.query_one(OptionList)
        shown.clear_options()
        shown.add_options(
            [
                Option(safe.join((f"{'  ' * item.depth}{item.title}", "text"), (f"  {item.note}", "muted")))
                for item in items
            ]
        )
        if items:
            shown.highlighted = 0

    def on_key(self, event: events.Key) -> None:
        shown = self.query_one(OptionList)
        moves = {
            "down": shown.action_cursor_down,
            "up": shown.action_cursor_up,
            "pagedown": shown.action_page_down,
            "pageup": shown.action_page_up,
        }
        if event.key in moves:
            moves[event.key]()
            event.stop()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        at = self.query_one(OptionList).highlighted
        if at is not None and at < len(self._items):
            self._take(self._items[at].key)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self._take(self._items[event.option_index].key)

    def _take(self, key: str) -> None:
        sentence = self._why_not(key) if self._why_not is not None else ""
        if sentence:
            self.complain(sentence)
        else:
            self.dismiss(key)


def filtered(items: Sequence[Item]) -> Callable[[str], Awaitable[list[Item]]]:
    """A `load` for items that are all at hand: those that hold every typed word."""

    async def load(text: str) -> list[Item]:
        words = search_key(text).split()
        await asyncio.sleep(0)
        return [item for item in items if all(word in search_key(f"{item.title} {item.note}") for word in words)]

    return load


class Prompt(Guarded):
    """One line of text; answers it, or None. check: a sentence when the text will not do, else ""."""

    DEFAULT_CSS: ClassVar[str] = "Prompt > Vertical { width: 64; }"
    scanned: ClassVar[str] = " and was dropped: a name is typed."
    _wrong: str | None = None

    def __init__(
        self,
        title: str,
        words: str,
        value: str = "",
        *,
        check: Callable[[str], str] | None = None,
        between: str = "",
    ) -> None:
        """between: what stands for the line ends of a pasted text; "": its first line is taken."""
        super().__init__()
        self._title, self._words, self._value, self._check, self._between = title, words, value, check, between

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(safe.plain(self._title, bold=True))
            yield Static(safe.plain(self._words, "muted"))
            if self._between:
                yield TextField("answer", self._value, between=self._between)
            else:
                yield Input(self._value, compact=True)
            yield Static(classes="problem")
            yield foot(("enter", "take it"), ("esc", "back"))

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    def _scanned(self, event: events.Key) -> bool:
        # A list is made with a scanner; a name never is.
        if self._between or not super()._scanned(event):
            return False
        line = self.query_one(Input)
        # The keys before it are on their way to the line still.
        line.call_later(self._undo, line)
        return True

    def _undo(self, line: Input) -> None:
        line.value = self._value
        line.cursor_position = len(line.value)

    def on_input_changed(self, event: Input.Changed) -> None:
        # What was said of another text must not stand beside this one.
        if event.value != self._wrong:
            self.complain("")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        sentence = self._check(event.value) if self._check is not None else ""
        if sentence:
            self._wrong = event.value
            self.complain(sentence)
        else:
            self.dismiss(event.value)


class Typed(Guarded):
    """Something that has to be typed to be done; answers True after the right text and enter."""

    _wrong: str | None = None

    def __init__(self, title: str, lines: Sequence[tuple[str, str]], expects: str, *, to: str = "do it") -> None:
        """lines: (text, role) of what will happen. expects: what has to be typed. to: what typing it does."""
        super().__init__()
        self._title, self._lines, self._expects, self._to = title, lines, expects, to

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(safe.plain(self._title, bold=True))
            yield Static(safe.join(*self._lines, sep="\n"))
            yield Static()
            with Horizontal(classes="row"):
                yield Static(safe.join(("Type ", "muted"), (self._expects, "warn"), (f" to {self._to}: ", "muted")),
                             classes="ask")  # fmt: skip
                yield Input(compact=True)
            yield Static(classes="problem")
            yield foot(("enter", self._to), ("esc", "goes back"))

    DEFAULT_CSS: ClassVar[str] = """
    Typed .ask { width: auto; }
    Typed Input { width: 1fr; }
    """

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        # What was said of another text must not stand beside this one.
        if event.value != self._wrong:
            self.complain("")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if " ".join(event.value.split()).casefold() == self._expects.casefold():
            self.dismiss(True)
        else:
            self._wrong = event.value
            self.complain(not_typed(self._expects, event.value))
