"""What a person can do in the policy editor: save without overwriting anybody, re-read, look, use another editor."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from mdm_tui.fleet.errors import FleetError
from mdm_tui.fleet.text import clean
from mdm_tui.tui import safe, signals
from mdm_tui.tui.screens.base import refusal
from mdm_tui.tui.screens.dialogs import Guarded, Typed, answer, keys_line
from mdm_tui.tui.screens.editor_lines import difference_lines
from mdm_tui.tui.widgets.report import LinesView

if TYPE_CHECKING:
    from mdm_tui.tui.screens.base import FleetScreen as _Base
    from mdm_tui.tui.widgets.json_area import JsonArea
else:
    _Base = object

__all__ = ["ChangedMeanwhile", "EditorActions"]

_VIEWS = ("document", "changes", "contents", "devices")


class ChangedMeanwhile(Guarded):
    """The service's copy is another one by now: shows how, and answers keep, theirs, merge or overwrite."""

    DEFAULT_CSS: ClassVar[str] = """
    ChangedMeanwhile LinesView { height: auto; max-height: 14; background: $raised; margin: 1 0; }
    ChangedMeanwhile OptionList { height: auto; border: none; background: $raised; padding: 0; }
    ChangedMeanwhile OptionList:focus { border: none; }
    """

    def __init__(self, changed: Any) -> None:
        super().__init__()
        self.changed = changed

    def compose(self) -> ComposeResult:
        conflicts = len(self.changed.conflicts)
        both = "nothing collides" if not conflicts else f"yours wins in {conflicts} place{'s' if conflicts > 1 else ''}"
        options = (
            ("keep", "Keep editing", "nothing is sent"),
            ("merge", "Take both", both),
            ("theirs", "Load theirs", "your text is dropped"),
            ("overwrite", "Overwrite theirs with mine", "has to be typed"),
        )
        with Vertical():
            yield Static(safe.plain("Somebody changed this policy meanwhile. Nothing was sent.", "warn", bold=True))
            view = LinesView(id="theirs", on="raised")
            view.can_focus = False
            yield view
            yield OptionList(
                *[Option(safe.join((title, "text"), (f"  {note}", "muted")), id=key) for key, title, note in options]
            )
            yield Static(keys_line(("enter", "choose"), ("esc", "keep editing")), classes="foot")

    def on_mount(self) -> None:
        self._show()
        self.query_one(OptionList).focus()

    def on_lines_view_resized(self, message: LinesView.Resized) -> None:
        self._show()

    def _show(self) -> None:
        view = self.query_one("#theirs", LinesView)
        width = view.size.width or 80
        lines = difference_lines("What they changed", self.changed.theirs_changes, width)
        if self.changed.conflicts:
            where = ", ".join(clean(item.pointer, 60) for item in self.changed.conflicts[:6])
            lines += difference_lines(f"Changed by both: {where}", (), width)[:1]
        view.styles.height = max(2, min(14, len(lines)))
        view.set_lines(lines)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option.id)


class EditorActions(_Base):
    """The actions of the group `policy`."""

    if TYPE_CHECKING:
        policy_id: str
        opened: Any
        base: str
        view: str
        checked: Any
        differences: Sequence[Any]
        read_at: float | None

        @property
        def area(self) -> JsonArea: ...
        @property
        def text(self) -> str: ...
        def load(self, text: str) -> None: ...
        def say(self, sentence: str, role: str = "muted") -> None: ...
        def lay_out(self) -> None: ...
        def tick(self) -> None: ...
        async def check(self) -> None: ...
        def name_in_text(self) -> str: ...

    _saving = False

    # --- looking ---

    def action_section(self, step: int) -> None:
        """The next (1) or previous (-1) view."""
        self.show_view(_VIEWS[(_VIEWS.index(self.view) + step) % len(_VIEWS)])

    def action_switch_view(self) -> None:
        self.action_section(1)

    def show_view(self, view: str) -> None:
        """Show the document, the changes, the contents or the devices."""
        self.view = view
        self.query_one("#side", LinesView).restart()
        self.lay_out()
        (self.area if self.area.display else self.query_one("#side", LinesView)).focus()
        self.tick()

    def on_key(self, event: Any) -> None:
        """enter on a problem goes to its line, enter on a device opens it."""
        focused = self.focused
        if event.key != "enter" or not isinstance(focused, LinesView) or focused.entry is None:
            return
        entry = focused.entry
        if focused.id == "problems" and isinstance(entry.value, int):
            self.show_view("document")
            self.area.move_cursor((entry.value - 1, 0), center=True)
            event.stop()
        elif focused.id == "side" and entry.path.startswith("device."):
            self.app.open_device(str(entry.value))
            event.stop()

    # --- saving ---

    def action_save(self) -> None:
        """Send the text, after the service's copy was read again."""
        if self._saving or self.opened is None:
            return
        if sentence := refusal(self.session, "Nothing can be saved"):
            self.tell(f"{sentence} The draft is kept.", "warning")
            return
        self._saving = True
        self.app.spawn(self._save(), "save policy")

    async def _save(self) -> None:
        from mdm_tui.services.policies import Changed

        try:
            await self.check()
            if self.gone:
                self.tell("Not saved: the editor was left before. The draft is kept.", "warning")
                return
            if self.checked is not None and not self.checked.ok:
                self.say("Not saved: the problems below come first.", "bad")
                return
            new = self.opened.policy is None
            if new and not self.name_in_text().strip():
                # The contract lets an empty name pass; nobody would find such a policy again.
                self.say('Not created: it has no name yet. Write one between the quotes of "name".', "bad")
                return
            if not new and not self.differences:
                self.say("Nothing differs from the service, so nothing is sent.")
                return
            self.say("Reading the service's copy, then saving…")
            base = self.base
            while True:
                answer = await self.session.policies.save(self.policy_id, self.text, base)
                if not isinstance(answer, Changed):
                    break
                next_base = await self._decide(answer)
                if next_base is None:
                    return
                base = next_base
        except FleetError as error:
            self.say(error.sentence(), "bad")
            return
        finally:
            self._saving = False
        await self._saved(answer, new)

    async def _decide(self, changed: Any) -> str | None:
        """What to do about somebody else's change; the base to save with now, None to send nothing."""
        choice = await answer(self.app, ChangedMeanwhile(changed))
        if choice == "theirs":
            self.base = changed.theirs
            self.load(changed.theirs)
            await self.session.policies.drop_draft(self.policy_id)
            self.say("This is the service's copy of now; ctrl+z brings your text back.")
        elif choice == "merge":
            self.base = changed.theirs
            self.area.text = changed.merged
            self.session.policies.draft(self.policy_id, self.base, changed.merged)
            self.say("Both sides' changes are in the text. Look at them, then F2 saves.", "info")
        elif choice == "overwrite":
            name = self.name_in_text() or "policy"
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

    async def _saved(self, saved: Any, new: bool) -> None:
        from mdm_tui.services.policies import Opened

        self.policy_id = saved.policy.id
        self.opened = Opened(saved.policy.id, saved.policy, saved.base)
        self.base = saved.base
        self.read_at = self.app.now()
        version = f" as v{saved.policy.version}" if saved.policy.version is not None else ""
        words = f"{'Created' if new else 'Saved'}{version}, and read back"
        if self.gone:
            self.tell(f"{words}.")
            return
        self.load(saved.base)
        if saved.differs:
            places = ", ".join(clean(item.pointer, 60) for item in saved.differs[:5])
            self.say(f"{words}: the service holds something else than was sent in {places}.", "warn")
        elif saved.note:
            self.say(f"{words}. {clean(saved.note, 300)}", "warn")
        else:
            self.say(f"{words}: the service holds what was sent.", "good")
        await self.check()

    # --- reading again ---

    def action_reread(self) -> None:
        self.app.spawn(self._reread(), "reread policy")

    async def _reread(self) -> None:
        from mdm_tui.tui.screens.ask import Ask

        if self.opened is None or self.opened.policy is None:
            self.tell("The service has no copy of a new policy.")
            return
        if self.differences or (self.checked is not None and self.checked.document is None):
            words = "Your unsaved text is dropped and the service's copy is read."
            if not await answer(self.app, Ask("Drop your changes?", words, "drop them")):
                return
        await self.session.policies.drop_draft(self.policy_id)
        try:
            self.opened = await self.session.policies.open(self.policy_id)
        except FleetError as error:
            self.say(error.sentence(), "bad")
            return
        self.base = self.opened.base
        self.read_at = self.app.now()
        self.load(self.base)
        self.say(clean(self.opened.stale, 400) if self.opened.stale else "", "warn")
        await self.check()

    # --- another editor ---

    def action_external_editor(self) -> None:
        """Edit the text in $EDITOR; what it leaves comes back as typed."""
        from textual.app import SuspendNotSupported

        command = self.app.env.get("VISUAL") or self.app.env.get("EDITOR") or ""
        if not command:
            self.tell("Neither VISUAL nor EDITOR is set.", "warning")
            return
        handle, name = tempfile.mkstemp(prefix="policy-", suffix=".json")
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
            self.area.text = text.rstrip("\n")
