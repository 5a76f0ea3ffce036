"""What saving a rollout would do, shown before it is sent; what the plan asks for has to be typed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, Static

from mdm_tui.fleet.inventory_text import Line, wrap
from mdm_tui.fleet.text import clean
from mdm_tui.services.documents import is_new
from mdm_tui.tui import safe
from mdm_tui.tui.screens.base import named
from mdm_tui.tui.screens.dialogs import Guarded, answer, keys_line, not_typed
from mdm_tui.tui.widgets.grid_text import glyphs
from mdm_tui.tui.widgets.report import LinesView

__all__ = ["ConfirmRollout", "Telling", "plan_and_save", "plan_lines"]

# Lines round the sentences: border, title, question, answer, foot.
_ROUND = 10
_STEPS = 40
# Warnings that the sentences say as well.
_SAID = (("groups",), ("everyone",))


def plan_lines(plan: Any, width: int, title_of: Callable[[str], str]) -> list[Line]:
    """The plan's sentences and warnings, the grave ones in their colours. title_of: what a form calls a place."""
    made: list[Line] = []
    for sentence in plan.sentences:
        role = _role(sentence, plan)
        for number, piece in enumerate(wrap(clean(sentence, 1_000), max(20, width - 4))):
            sign = f"{glyphs().fault} " if role and number == 0 else "  "
            made.append(Line(((" ", ""), (sign, role), (piece, role))))
    for problem in plan.problems:
        if problem.warning and problem.path[:1] in _SAID:
            continue
        place = title_of(problem.pointer) or problem.pointer
        where = f"{place}: " if place else ""
        for number, piece in enumerate(wrap(clean(f"{where}{problem.message}", 600), max(20, width - 4))):
            role = "warn" if problem.warning else "bad"
            made.append(Line(((" ", ""), (f"{glyphs().fault} " if number == 0 else "  ", role), (piece, role))))
    return made


def _role(sentence: str, plan: Any) -> str:
    if plan.reach.everyone and sentence is plan.sentences[0]:
        return "bad"
    grave = ("Saving registers", "Saving may register", "Conflict", "Not all", "Not everything", "Older build")
    return "warn" if sentence.startswith(grave) or "may register" in sentence or "any more" in sentence else ""


class ConfirmRollout(Guarded):
    """Answers what was typed ("" where nothing has to be), None when nothing is to be sent."""

    BINDINGS: ClassVar = [Binding("y", "yes", "Save", show=False)]
    awaits: ClassVar[str] = "the rollout waits for your confirmation"
    DEFAULT_CSS: ClassVar[str] = """
    ConfirmRollout > Vertical { width: 96; max-width: 98%; }
    ConfirmRollout > .everyone { border: round $bad; }
    ConfirmRollout LinesView { height: auto; background: $raised; margin: 1 0; }
    ConfirmRollout .ask { width: auto; color: $muted; }
    ConfirmRollout Input { width: 1fr; }
    """

    def __init__(self, session: Any, plan: Any, *, new: bool) -> None:
        super().__init__()
        self.session, self.plan, self._new = session, plan, new

    def compose(self) -> ComposeResult:
        plan, connection = self.plan, self.session.connection
        what = f"{'Create' if self._new else 'Save'} {clean(plan.name, 60)} · {named(self.session)}"
        production = ((" · PRODUCTION", "production"),) if connection.production else ()
        with Vertical(classes="everyone" if plan.reach.everyone else ""):
            yield Static(safe.join((what, "text"), *production))
            yield LinesView(id="plan", on="raised")
            if plan.typed:
                with Horizontal(classes="row"):
                    yield Static(
                        safe.join(("Type  ", "muted"), (plan.typed, "warn"), ("  to save: ", "muted")), classes="ask"
                    )
                    yield Input(id="typed", compact=True)
            yield Static(classes="problem")
            keys = (("enter", "saves once the words are typed"),) if plan.typed else (("y", "saves it"),)
            yield Static(keys_line(*keys, ("up down", "read on"), ("esc", "goes back")), classes="foot")

    def on_mount(self) -> None:
        self._lay_out()
        (self.query_one(Input) if self.plan.typed else self.query_one(LinesView)).focus()

    def on_lines_view_resized(self, message: LinesView.Resized) -> None:
        self._lay_out()

    def _lay_out(self) -> None:
        view = self.query_one(LinesView)
        width = view.size.width or min(90, self.app.size.width - 8)
        lines = plan_lines(self.plan, width, self.session.rollouts.form.title)
        view.styles.height = max(1, min(len(lines), self.app.size.height - _ROUND))
        view.set_lines(lines)

    def on_key(self, event: Any) -> None:
        """The sentences can be read on while the answer has the focus."""
        view = self.query_one(LinesView)
        moves = {"up": -1, "down": 1, "pageup": -view.page, "pagedown": view.page}
        if event.key in moves and not view.has_focus:
            view.scroll_lines(moves[event.key])
            event.stop()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if self.plan.accepts(event.value):
            self.dismiss(event.value)
        else:
            self.complain(not_typed(self.plan.typed, event.value))

    def action_yes(self) -> None:
        if not self.plan.typed:
            self.dismiss("")


class Telling:
    """Says how far the resolving of a scope is, at most some forty times however many entries there are."""

    def __init__(self, say: Callable[[str], None], hint: str = "") -> None:
        self._say, self._hint = say, hint
        self._told: tuple[int, str] = (-1, "")

    def __call__(self, at: Any) -> None:
        step = at.done * _STEPS // max(1, at.total)
        # Pages are few and each takes its time; entries are many.
        what = at.what if at.what.startswith("page") else ""
        if (step, what) != self._told:
            self._told = (step, what)
            far = f"{at.done:,} of {at.total:,}, " if at.total else ""
            self._say(f"Finding out whom it reaches: {far}{clean(at.what, 80)}{self._hint}")


async def plan_and_save(
    app: Any,
    session: Any,
    rollout_id: str,
    text: str,
    base: str,
    say: Callable[[str], None],
    stop: asyncio.Event | None = None,
    still: Callable[[], bool] = lambda: True,
) -> Any:
    """Find out what saving would do, have it confirmed, save. None when nothing was sent, for a reason that was said.

    say: takes a sentence on what goes on. stop: gives up before anything is sent. still: whether the text is what the
    person sees, once all is found out. Raises `FleetError`.
    """
    say("Finding out what saving would do…")
    plan = await session.rollouts.plan(
        rollout_id, text, base, progress=Telling(say, "   esc stops" if stop is not None else ""), stop=stop
    )
    if stop is not None and stop.is_set():
        say("Stopped: nothing was sent. The draft is kept.")
        return None
    if not still():
        say("Nothing was sent: it was changed while that was found out. F2 looks at it again.")
        return None
    if not plan.ready:
        first = next(problem for problem in plan.problems if not problem.warning)
        place = session.rollouts.form.title(first.pointer) or first.pointer
        where = f"{place}: " if place else ""
        say(f"Nothing was sent: {clean(where + first.message, 300)}.")
        return None
    say("")
    typed = await answer(app, ConfirmRollout(session, plan, new=is_new(rollout_id)))
    if typed is None:
        say("Nothing was sent; the draft is kept.")
        return None
    say("Reading the service's copy, then saving…")
    return await session.rollouts.save(plan, typed)
