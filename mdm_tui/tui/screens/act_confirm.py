"""The last look before a command leaves: who gets it, who does not and why, what it does, and words to type."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar, Final

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, Static

from mdm_tui.fleet.errors import FleetError
from mdm_tui.fleet.inventory_text import Line
from mdm_tui.fleet.text import clean
from mdm_tui.tui import safe
from mdm_tui.tui.screens.dialogs import Guarded, keys_line, not_typed
from mdm_tui.tui.widgets.grid_text import fit, glyphs
from mdm_tui.tui.widgets.report import LinesView

__all__ = ["COUNTDOWN", "ActConfirm", "target_lines"]

COUNTDOWN: Final = 5
"""Seconds that an irreversible command waits after it was confirmed; esc stops it."""
_ROWS_MOST = 9


def target_lines(plan: Any, width: int, altered: frozenset[str] = frozenset()) -> list[Line]:
    """Each target by name, serial and id, then who is left out and why."""
    made: list[Line] = []
    name = max(14, min(28, width - 48))
    for target in plan.will:
        mark = "*" if target.device.id in altered else ""
        note = clean(target.note)
        spans = [
            ("  ", ""),
            (fit(clean(target.name) + mark, name), ""),
            ("  ", ""),
            (fit(clean(target.serial) or "-", 16), ""),
        ]
        spans += [("  ", ""), (fit(target.device.id, 11, middle=True), "muted")]
        if note:
            room = width - name - 36
            spans.append(
                (f"  {fit(f'{glyphs().fault} {note}', room).rstrip()}", "warn")
                if room > 12
                else (f" {glyphs().fault}", "warn")
            )
        made.append(Line(tuple(spans)))
        if note and width - name - 36 < len(note) + 2:
            made.append(Line((("      ", ""), (note, "warn"))))
    for left in plan.left_out:
        mark = "*" if left.device.id in altered else ""
        why = f"left out: {clean(left.why)}"
        spans = [
            ("  ", ""),
            (fit(clean(left.name) + mark, name), "muted"),
            ("  ", ""),
            (fit(left.device.id, 11, middle=True), "muted"),
        ]
        room = width - name - 18
        if len(why) <= room:
            spans.append((f"  {why}", "muted"))
            made.append(Line(tuple(spans)))
        else:
            made += [Line(tuple(spans)), Line((("      ", ""), (fit(why, width - 8).rstrip(), "muted")))]
    return made


class ActConfirm(Guarded):
    """Answers True after the plan was handed to the service, None when nothing was sent."""

    DEFAULT_CSS: ClassVar[str] = """
    ActConfirm > Vertical { width: 96; max-width: 98%; }
    ActConfirm > .irreversible { border: round $bad; }
    ActConfirm LinesView { height: auto; background: $raised; margin: 1 0; }
    ActConfirm .label { width: 12; }
    ActConfirm Input { width: 1fr; }
    ActConfirm .ask { width: auto; color: $muted; }
    ActConfirm .count { width: auto; color: $muted; padding-left: 2; }
    ActConfirm #duration { width: 16; }
    ActConfirm .meaning { width: 1fr; color: $muted; padding-left: 1; }
    """
    # Its title says it.
    place = ""
    # Another esc after the one that stops a countdown goes back.
    step_seconds: ClassVar[float] = 1.0

    def __init__(self, session: Any, plan: Any, altered: frozenset[str] = frozenset()) -> None:
        super().__init__()
        self.session = session
        self.plan = plan
        self.altered = altered
        self.left = 0
        self._typed = ""
        self._timer: Any = None
        self._sending = False

    def compose(self) -> ComposeResult:
        spec, plan = self.plan.spec, self.plan
        will, total = len(plan.will), len(plan.will) + len(plan.left_out)
        connection = self.session.connection
        with Vertical(classes="irreversible" if spec.irreversible else ""):
            yield Static(safe.join(*self._title(will, total), *(
                (" · PRODUCTION", "production"),) if connection.production else ()))  # fmt: skip
            yield Static(safe.join(*self._words(), sep=" "))
            rows = LinesView(id="targets", on="raised")
            rows.can_focus = will + len(plan.left_out) > _ROWS_MOST
            yield rows
            if not will:
                yield Static(safe.plain("No device is left to send it to.", "warn"))
            if spec.duration:
                with Horizontal(classes="row"):
                    yield Static(safe.plain("Duration"), classes="label")
                    yield Input(id="duration", placeholder="none", compact=True)
                    yield Static(
                        safe.plain("likely seconds: the contract names no unit", "muted"),
                        classes="meaning",
                    )
            with Horizontal(classes="row"):
                yield Static(safe.plain("Reason"), classes="label")
                yield Input(id="reason", placeholder="for the journal; optional", compact=True, max_length=200)
                yield Static(safe.plain(f"{will} of {total} will be sent, one by one"), classes="count")
            if will:
                with Horizontal(classes="row"):
                    yield Static(
                        safe.join(("Type  ", "muted"), (plan.expects, "warn"), ("  to send: ", "muted")), classes="ask"
                    )
                    yield Input(id="typed", compact=True)
            yield Static(classes="problem")
            yield Static(self._foot(), classes="foot", id="foot")

    def _title(self, will: int, total: int) -> list[tuple[str, str]]:
        spec = self.plan.spec
        of = f"{will} of {total} devices" if total != will else f"{total} device{'s' if total != 1 else ''}"
        narrowed = self.app.narrowed(self.session)
        where = f" · segment {narrowed.name}" if narrowed.ids else ""
        origin = " from" if spec.name == "DISENROLL" else " ·"
        return [
            (f"{spec.title} {of}{origin} {self.session.factory.title} · {self.session.connection.name}{where}", "text")
        ]

    def _words(self) -> list[tuple[str, str]]:
        spec = self.plan.spec
        words = [(spec.what, "")]
        if spec.data:
            words.append((f"Data: {spec.data}.", "warn"))
        elif not spec.destructive:
            words.append(("Data: kept.", "muted"))
        if self.plan.args:
            words.append((f"With: {clean(self.plan.args)}.", ""))
        words += [(f"{clean(note).capitalize()}.", "muted") for note in self.plan.notes]
        if self.altered:
            words.append(("* names hold characters that are not shown as they are.", "warn"))
        return words

    def _foot(self) -> safe.Content:
        if self.left:
            return safe.join((f"Sending in {self.left} s   ", "bad"), keys_line(("esc", "stops it")))
        if not self.plan.will:
            return keys_line(("esc", "goes back"))
        return keys_line(("tab", "next field"), ("enter", "sends once the words are typed"), ("esc", "goes back"))

    def on_mount(self) -> None:
        view = self.query_one("#targets", LinesView)
        self._lay_out(view)
        self.query_one("#typed" if self.plan.will else "#reason", Input).focus()

    def on_lines_view_resized(self, message: LinesView.Resized) -> None:
        self._lay_out(message.view)

    def _lay_out(self, view: LinesView) -> None:
        width = view.size.width or min(90, self.app.size.width - 8)
        lines = target_lines(self.plan, width, self.altered)
        view.styles.height = max(1, min(_ROWS_MOST, len(lines), self.app.size.height - 15))
        view.set_lines(lines)

    # --- sending ---

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if event.input.id != "typed":
            fields: Sequence[Input] = list(self.query(Input))
            fields[(fields.index(event.input) + 1) % len(fields)].focus()
            return
        if self.left or self._sending or not self.plan.will:
            return
        if not self.plan.accepts(event.value):
            self.complain(not_typed(self.plan.expects, event.value))
            return
        sentence = self._take_duration()
        if sentence:
            self.complain(sentence)
            self.query_one("#duration", Input).focus()
            return
        self.complain("")
        self._typed = event.value
        if self.plan.spec.irreversible:
            self._count(COUNTDOWN)
        else:
            self.app.spawn(self._send(), "send")

    def _take_duration(self) -> str:
        """Put duration and reason into the plan; a sentence when the duration cannot be read."""
        plan = replace(self.plan, reason=clean(self.query_one("#reason", Input).value.strip(), 200))
        field = self.query("#duration").results(Input)
        text = next((one.value.strip() for one in field), "")
        if text:
            try:
                number = float(text.replace(",", "."))
            except ValueError:
                return "The duration is not a number."
            if not 0 < number < 1e12:
                return "The duration is not a number above zero."
            plan = replace(plan, order=replace(plan.order, duration=int(number) if number == int(number) else number))
        self.plan = plan
        return ""

    def _count(self, left: int) -> None:
        self.left = left
        self.query_one("#foot", Static).update(self._foot())
        self.query_one("#typed", Input).disabled = True
        self.focus()
        if left:
            self._timer = self.set_timer(self.step_seconds, self._next)

    def _next(self) -> None:
        if self.left > 1:
            self._count(self.left - 1)
        elif self.left == 1:
            self.left = 0
            self.app.spawn(self._send(), "send")

    async def _send(self) -> None:
        self._sending = True
        try:
            await self.session.commands.submit(self.plan, self._typed)
        except FleetError as error:
            self._sending = False
            self._stop()
            self.complain(f"Nothing was sent: {error.sentence()}")
            return
        self.dismiss(True)

    def on_screen_suspend(self) -> None:
        """A countdown that is covered by another dialog cannot be seen or stopped, so it stops by itself."""
        if self.left:
            self._stop()
            self.complain("Stopped, because something else was opened over it: nothing was sent.")

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.stop()
        self.left = 0
        field = self.query_one("#typed", Input)
        field.disabled = False
        field.value = ""
        field.focus()
        self.query_one("#foot", Static).update(self._foot())

    def action_back(self) -> None:
        """Stop the countdown; without one, go back."""
        if self._sending:
            return
        if self.left:
            self._stop()
            self.complain("Stopped: nothing was sent.")
            return
        self.dismiss(None)
