"""The document of a rollout: changed by the form and typed as JSON, with one history of both."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mdm_tui.services.documents import pretty

if TYPE_CHECKING:
    from mdm_tui.tui.screens.document import DocumentScreen as _Base
else:
    _Base = object

__all__ = ["RolloutText"]

_UNDONE = 100


class RolloutText(_Base):
    """The text is what counts. It reaches the text field only when that is shown: long ones take their time."""

    def start_text(self) -> None:
        """Nothing is read yet."""
        self.document: dict[str, Any] | None = None
        # The text while it is newer than the text field.
        self._ahead: str | None = ""
        self._past: list[str] = []
        self._future: list[str] = []
        self._entered: str | None = None

    @property
    def text(self) -> str:
        return self.area.text if self._ahead is None else self._ahead

    def load(self, text: str) -> None:
        self._past, self._future = [], []
        self._show_text(text)

    def take(self, text: str, *, typed: bool = True) -> None:
        self._remember()
        if self.view == "document":
            # In the text field its own history has it.
            super().take(text, typed=typed)
            self._ahead, self.document = None, _object(text)
            return
        self._show_text(text)
        if typed:
            self.typed()

    def put(self, key: str, value: Any) -> None:
        """Change one part of the document, as the form does."""
        if self.document is None:
            self.say("The text is not JSON now: mend it in the view JSON first.", "warn")
            return
        made = self.service.form.put(self.document, key, value)
        if made != self.document:
            self._remember()
            self._show_text(pretty(made), made)
            self.typed()
            self.app.spawn(self.check(), "check")

    def _remember(self) -> None:
        self._past = [*self._past[-_UNDONE:], self.text]
        self._future = []

    def _show_text(self, text: str, document: dict[str, Any] | None = None) -> None:
        if self.gone:
            return
        self._ahead = text
        self.document = document if document is not None else _object(text)
        if self.view == "document":
            self._catch_up()
        self.show_side()

    def _catch_up(self) -> None:
        """Bring the text field up to date."""
        if self._ahead is not None:
            text, self._ahead = self._ahead, None
            self._entered = text
            super().load(text)

    def leave_text(self, view: str) -> None:
        """Another view is chosen: what was typed into the text field becomes one step to undo."""
        if self.view == "document" and self._entered not in (None, self.area.text):
            self._past.append(str(self._entered))
        self._entered = None
        if view == "document":
            self._catch_up()
            self._entered = self.area.text

    def typed(self) -> None:
        super().typed()
        if self._ahead is None:
            self.document = _object(self.area.text)

    def action_undo(self) -> None:
        self._step(self._past, self._future, "Nothing is left to undo.")

    def action_redo(self) -> None:
        self._step(self._future, self._past, "Nothing is left to redo.")

    def _step(self, source: list[str], target: list[str], nothing: str) -> None:
        if not source:
            self.tell(nothing)
            return
        target.append(self.text)
        self._show_text(source.pop())
        self.typed()
        self.app.spawn(self.check(), "check")


def _object(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
