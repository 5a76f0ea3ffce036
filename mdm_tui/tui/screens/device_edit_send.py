"""Sending the form of a device: refusals at their fields, clashes decided by a person, the outcome read back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from mdm_tui.fleet.errors import FleetError, Problem
from mdm_tui.fleet.text import clean
from mdm_tui.tui.screens.base import refusal
from mdm_tui.tui.screens.device_form import TITLES, Form, change_lines, value_words
from mdm_tui.tui.screens.dialogs import answer
from mdm_tui.tui.widgets.form import Row
from mdm_tui.tui.widgets.grid_text import glyphs

if TYPE_CHECKING:
    from mdm_tui.tui.screens.base import FleetScreen as _Base
else:
    _Base = object

__all__ = ["EditSending", "sentence_of"]


class EditSending(_Base):
    """The actions of the group `form`. Mixed into `EditScreen`, which has the state."""

    if TYPE_CHECKING:
        device_id: str
        form: Form
        raw: str
        after: list[tuple[str, str]]
        _sending: bool

        async def _reread(self) -> None: ...
        def _fill(self, raw: str) -> None: ...
        def _say(self, sentence: str, role: str = "muted") -> None: ...
        def _show(self) -> None: ...
        def _check(self, only: str = "") -> list[Problem]: ...

    def action_focus_by(self, step: int) -> None:
        """To the next (1) or previous (-1) field."""
        (self.focus_next if step > 0 else self.focus_previous)()

    def action_reread(self) -> None:
        """Start again from what the service holds."""
        self.form.values = dict(self.form.base)
        self.after = []
        self.app.spawn(self._reread(), "edit")

    def action_send(self) -> None:
        """Send what was touched."""
        if self._sending:
            return
        if not self.form.touched:
            self.tell("Nothing is changed, so nothing is sent.")
            return
        if sentence := refusal(self.session, "Nothing was sent"):
            self._say(sentence, "bad")
            return
        if self._check():
            self.tell("Not sent: see the fields.", "warning")
            return
        self._sending = True
        self.app.spawn(self._send(), "edit")

    async def _send(self, mine_wins: Iterable[str] = ()) -> None:
        self._say("Sending…")
        try:
            decided = list(mine_wins)
            while True:
                outcome = await self.session.devices.update(
                    self.device_id, self.form.changes(), self.raw, mine_wins=decided
                )
                if not outcome.clashes:
                    break
                if not await self._decide(outcome.clashes, decided):
                    self._say("Nothing was sent.", "muted")
                    return
                if not self.form.touched:
                    break
        except FleetError as error:
            self._refused(error)
            return
        finally:
            self._sending = False
        self._sent(outcome)

    async def _decide(self, clashes: Iterable[Any], decided: list[str]) -> bool:
        from mdm_tui.tui.screens.ask import Choose

        for clash in clashes:
            mine, theirs = (value_words(self.form, clash.key, value) for value in (clash.mine, clash.theirs))
            options = [("mine", f"Yours: {mine}", ""), ("theirs", f"Theirs: {theirs}", "as the service holds it")]
            title = f"{TITLES.get(clash.key, clash.key)} was changed by somebody else meanwhile. Which stays?"
            choice = await answer(self.app, Choose(title, options, none=True))
            if choice is None:
                return False
            if choice == "mine":
                decided.append(clash.key)
            else:
                self.form.values[clash.key] = self.form.base.get(clash.key)
        return True

    def _refused(self, error: FleetError) -> None:
        if self.gone:
            self.tell(f"The edit was not taken: {error.sentence()}", "error")
            return
        for problem in error.problems:
            key = str(problem.path[0]) if problem.path else ""
            if key in TITLES:
                self.query_one(f"#row-{key}", Row).complain(sentence_of(problem))
        self._say(error.sentence(), "bad")

    def _sent(self, outcome: Any) -> None:
        if self.gone:
            self.tell(outcome.sentence(), "information" if outcome.ok else "warning")
            return
        sent = dict(outcome.sent)
        held = self.session.devices.editable(outcome.device.raw)
        differs = {item.key: item for item in outcome.differs}
        self._fill(outcome.device.raw)
        self.after = []
        for key in sent:
            now = value_words(self.form, key, held.get(key))
            if key in differs:
                asked = value_words(self.form, key, differs[key].asked)
                self.after.append((f"{glyphs().fault} {TITLES[key]}  asked: {asked}; the service holds: {now}", "warn"))
            else:
                self.after.append((f"{glyphs().mark} {TITLES[key]}  {now}", "good"))
        self.after += [(clean(words, 400), "muted") for words in outcome.kept]
        self._say(outcome.sentence(), "good" if outcome.ok else "warn")
        self._show()

    def escape(self) -> bool:
        if not self.form.touched:
            return False
        self.app.spawn(self._leave(), "leave")
        return True

    async def _leave(self) -> None:
        from mdm_tui.tui.screens.ask import Ask

        words = "\n".join(clean(text, 200) for text, _role in change_lines(self.form))
        if await answer(self.app, Ask("Leave without sending?", words, "leave")):
            self.form.values = dict(self.form.base)
            if self.app.screen is self:
                self.app.pop_screen()


def sentence_of(problem: Problem) -> str:
    """What is wrong, where inside the field, and what is allowed."""
    place = problem.pointer if len(problem.path) > 1 else ""
    text = f"{place}: {problem.message}" if place else problem.message
    return f"{text} (allowed: {problem.allowed})" if problem.allowed else text
