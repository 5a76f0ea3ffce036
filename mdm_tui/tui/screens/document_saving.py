"""Saving a document without overwriting anybody or losing what is typed meanwhile, and reading it again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from mdm_tui.fleet.errors import FleetError, Kind
from mdm_tui.fleet.text import clean
from mdm_tui.tui.screens.base import refusal
from mdm_tui.tui.screens.dialogs import Typed, answer
from mdm_tui.tui.screens.document_changed import ChangedMeanwhile

if TYPE_CHECKING:
    from mdm_tui.tui.screens.base import FleetScreen as _Base
    from mdm_tui.tui.widgets.json_area import JsonArea
else:
    _Base = object

__all__ = ["DocumentSaving"]


def _not_saved(error: FleetError, noun: str) -> str:
    if error.kind is not Kind.NOT_FOUND:
        return error.sentence()
    lead = f"Not saved: the service does not find this {noun}, it may have been removed meanwhile."
    return f"{lead} Your text is kept as a draft. ({clean(error.what, 200)})"


class DocumentSaving(_Base):
    """Saving and reading again."""

    if TYPE_CHECKING:
        NOUN: ClassVar[str]
        document_id: str
        opened: Any
        base: str
        checked: Any
        differences: Sequence[Any]
        read_at: float | None

        @property
        def service(self) -> Any: ...
        @property
        def held(self) -> Any: ...
        @property
        def area(self) -> JsonArea: ...
        @property
        def text(self) -> str: ...
        def load(self, text: str) -> None: ...
        def take(self, text: str, *, typed: bool = True) -> None: ...
        def say(self, sentence: str, role: str = "muted") -> None: ...
        async def check(self) -> None: ...
        def name_in_text(self) -> str: ...

    # While it is saved or read again: neither begins during the other.
    _saving = False

    # --- what each kind does itself ---

    async def send(self, base: str) -> Any:
        """Send the text: what was saved, or `Changed`; None when a person decided otherwise. Raises `FleetError`."""
        raise NotImplementedError

    def saved(self, answer: Any) -> str:
        """Take over what was saved; more words for the sentence that says so."""
        raise NotImplementedError

    def nameless(self) -> str:
        """What to say to somebody who saves a new one without a name."""
        return "Not created: it has no name yet."

    # --- saving ---

    def action_save(self) -> None:
        """Send the text, after the service's copy was read again."""
        if self._saving or self.opened is None:
            return
        if sentence := refusal(self.session, "Nothing can be saved"):
            self.tell(f"{sentence} The draft is kept.", "warning")
            return
        self._saving = True
        self.app.spawn(self._save(), f"save {self.NOUN}")

    async def _save(self) -> None:
        from mdm_tui.services.policies import Changed

        try:
            await self.check()
            if self.gone:
                self.tell("Not saved: the editor was left before. The draft is kept.", "warning")
                return
            new = self.held is None
            readable = self.checked is not None and self.checked.document is not None
            if new and readable and not self.name_in_text().strip():
                self.say(self.nameless(), "bad")
                return
            if self.checked is not None and not self.checked.ok:
                self.say("Not saved: the problems below come first.", "bad")
                return
            if not new and not self.differences:
                self.say("Nothing is changed here, so nothing is sent.")
                return
            base = self.base
            while True:
                text = self.text
                answer = await self.send(base)
                if answer is None:
                    return
                if not isinstance(answer, Changed):
                    break
                next_base = await self._decide(answer)
                if next_base is None:
                    return
                base = next_base
        except FleetError as error:
            sentence = _not_saved(error, self.NOUN)
            self.say(sentence, "bad")
            if self.gone:
                self.tell(sentence, "error")
            return
        finally:
            self._saving = False
        await self._saved(answer, new, text)

    async def _decide(self, changed: Any) -> str | None:
        """What to do about somebody else's change; the base to save with now, None to send nothing."""
        read_at = self.app.now()
        choice = await answer(self.app, ChangedMeanwhile(changed, self.NOUN))
        if choice in ("theirs", "merge"):
            self.base, self.read_at = changed.theirs, read_at
        if choice == "theirs":
            self.take(changed.theirs, typed=False)
            await self.service.drop_draft(self.document_id)
            self.say("This is the service's copy of now; ctrl+z brings your text back.")
        elif choice == "merge":
            self.take(changed.merged)
            self.service.draft(self.document_id, self.base, changed.merged)
            self.say("Both sides' changes are in the text. Look at them, then F2 saves.", "info")
        elif choice == "overwrite":
            name = self.name_in_text() or self.NOUN
            lines = [("Their changes are lost at the service:", "warn")]
            lines += [(f"  {clean(item.pointer, 80)}", "") for item in changed.theirs_changes[:8]]
            expects = f"overwrite {len(changed.theirs_changes)}"
            if await answer(self.app, Typed(f"Overwrite {clean(name, 60)}", lines, expects, to="save")):
                return changed.theirs
            self.say("Nothing was sent; your draft is kept.")
        else:
            self.say("Nothing was sent; your draft is kept.")
        await self.check()
        return None

    async def _saved(self, saved: Any, new: bool, text: str) -> None:
        """text: what was sent."""
        draft_id = self.document_id
        words = f"{'Created' if new else 'Saved'}{self.saved(saved)}, and read back"
        self.base = saved.base
        self.read_at = self.app.now()
        if self.gone:
            self.tell(f"{words}.")
            return
        more = await self._go_on(text)
        if draft_id != self.document_id:
            await self.service.drop_draft(draft_id)
        if saved.differs:
            places = ", ".join(clean(item.pointer, 60) for item in saved.differs[:5])
            self.say(f"{words}: the service holds something else than was sent in {places}.{more}", "warn")
        elif saved.note:
            self.say(f"{words}. {clean(saved.note, 300)}{'.' * bool(more)}{more}", "warn")
        else:
            self.say(f"{words}: the service holds what was sent.{more}", "good")
        await self.check()

    async def _go_on(self, sent: str) -> str:
        """Go on from what is held now. What was typed since `sent` stays, as changes against it and as a draft.

        Answers the sentence that says so, "" when nothing was typed.
        """
        from mdm_tui.services.drafts import carry_over

        while not self.gone:
            mine = self.text
            if mine == sent:
                self.load(self.base)
                return ""
            kept = await asyncio.to_thread(lambda mine=mine: carry_over(json.loads(sent), mine, self.base))
            if self.gone or self.text != mine:
                # Somebody types on: what they have typed by now is what stays.
                continue
            if kept == self.base:
                self.load(kept)
                await self.service.drop_draft(self.document_id)
                return ""
            if kept != mine:
                self._put_under(kept)
            self.service.draft(self.document_id, self.base, kept)
            return " What you typed since is not saved yet: it is kept as a draft."
        return ""

    def _put_under(self, text: str) -> None:
        """Another text, with the cursor on the line that it was on."""
        row, column = self.area.cursor_location
        line = self.area.document.get_line(row).strip()
        self.take(text)
        lines = text.split("\n")
        alike = [number for number, other in enumerate(lines) if other.strip() == line]
        row = min(alike, key=lambda number: abs(number - row), default=min(row, len(lines) - 1))
        self.area.move_cursor((row, min(column, len(lines[row]))))

    # --- reading again ---

    def action_reread(self) -> None:
        if self._saving:
            self.tell(f"Wait for the end of the save: then F5 reads the {self.NOUN} again.", "warning")
            return
        self.app.spawn(self._reread(), f"reread {self.NOUN}")

    async def _reread(self) -> None:
        from mdm_tui.tui.screens.ask import Ask

        if self.held is None:
            self.tell(f"The service has no copy of a new {self.NOUN}.")
            return
        if self.differences or (self.checked is not None and self.checked.document is None):
            words = "Your unsaved text is dropped and the service's copy is read."
            if not await answer(self.app, Ask("Drop your changes?", words, "drop them")):
                return
        if self._saving or self.gone:
            return
        text, self._saving = self.text, True
        try:
            opened = await self.service.open(self.document_id)
        except FleetError as error:
            self.say(f"{error.sentence()} Nothing was dropped: your text stays as it is.", "bad")
            return
        finally:
            self._saving = False
        if self.gone:
            return
        if not opened.fresh:
            self.say(f"Nothing was dropped: only an old copy is at hand. {clean(opened.stale, 400)}", "bad")
            return
        if self.text != text:
            self.say("Nothing was dropped: you typed while the service's copy was read. F5 reads it again.", "warn")
            return
        self.opened, self.base = opened, opened.base
        self.read_at = self.app.now()
        self.load(self.base)
        await self.service.drop_draft(self.document_id)
        self.say(clean(opened.stale, 400), "warn")
        await self.check()
