"""What a person can do in an editor of documents: look, go to a place, use another editor, save, read again."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from mdm_tui.fleet.text import clean
from mdm_tui.tui import signals
from mdm_tui.tui.screens.document_saving import DocumentSaving
from mdm_tui.tui.widgets.report import LinesView

__all__ = ["DocumentActions"]


class DocumentActions(DocumentSaving):
    """The actions that editors of documents share."""

    if TYPE_CHECKING:
        VIEWS: ClassVar[tuple[tuple[str, str], ...]]
        view: str

        def lay_out(self) -> None: ...
        def tick(self) -> None: ...

    def opened_entry(self, view_id: str, path: str, value: object) -> bool:
        """enter was pressed on a value; False where there is nothing to open."""
        return False

    # --- looking ---

    def action_section(self, step: int) -> None:
        """The next (1) or previous (-1) view."""
        keys = [key for key, _title in self.VIEWS]
        self.show_view(keys[(keys.index(self.view) + step) % len(keys)])

    def action_switch_view(self) -> None:
        self.action_section(1)

    def show_view(self, view: str) -> None:
        """Show one of the views."""
        self.view = view
        self.query_one("#side", LinesView).restart()
        self.lay_out()
        self.focus_view()
        self.tick()

    def focus_view(self) -> None:
        """Give the keys to what the view is about."""
        (self.area if self.area.display else self.query_one("#side", LinesView)).focus()

    def on_key(self, event: Any) -> None:
        """enter on a problem goes to its line, on anything else it opens what is there."""
        focused = self.focused
        if event.key != "enter" or not isinstance(focused, LinesView) or focused.entry is None:
            return
        entry = focused.entry
        if focused.id == "problems" and isinstance(entry.value, int):
            self.go_to_line(entry.value)
        elif not self.opened_entry(focused.id or "", entry.path, entry.value):
            return
        event.stop()

    def go_to_line(self, line: int) -> None:
        """To a line of the text, counted from 1."""
        self.show_view("document")
        self.area.move_cursor((line - 1, 0), center=True)

    # --- another editor ---

    def action_external_editor(self) -> None:
        """Edit the text in $EDITOR; what it leaves comes back as typed."""
        from textual.app import SuspendNotSupported

        command = self.app.env.get("VISUAL") or self.app.env.get("EDITOR") or ""
        if not command:
            self.tell("Neither VISUAL nor EDITOR is set.", "warning")
            return
        handle, name = tempfile.mkstemp(prefix=f"{self.NOUN}-", suffix=".json")
        path = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(self.text)
            with self.app.suspend():
                editor = subprocess.Popen([*shlex.split(command), name])
                # The end of the console is the editor's too: it would go on with the shell's terminal.
                with signals.lent(editor.terminate, path):
                    code = editor.wait()
            text = path.read_text(encoding="utf-8", errors="replace")
        except SuspendNotSupported:
            self.tell("This terminal cannot be lent to another program.", "warning")
            return
        except (OSError, ValueError) as error:
            self.tell(f"{clean(command, 60)} could not be run: {clean(error, 120)}", "error")
            return
        finally:
            path.unlink(missing_ok=True)
        if code:
            self.tell(f"{clean(command, 60)} ended with {code}; the text is as it was.", "warning")
        elif text != self.text:
            self.take(text.rstrip("\n"))
