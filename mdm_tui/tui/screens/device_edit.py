"""Editing one device: only what is touched is sent, and what the service then holds is shown."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Input

from mdm_tui.fleet.devices import Assignment
from mdm_tui.fleet.errors import FleetError, Problem
from mdm_tui.fleet.inventory_text import Line, wrap
from mdm_tui.fleet.provider import Capability
from mdm_tui.tui.actions import bindings
from mdm_tui.tui.screens.base import FleetScreen, refusal
from mdm_tui.tui.screens.device_bars import Notice, Title
from mdm_tui.tui.screens.device_edit_lists import Lists
from mdm_tui.tui.screens.device_edit_send import EditSending, sentence_of
from mdm_tui.tui.screens.device_form import TITLES, Form, change_lines, tags_of, tags_text, value_words
from mdm_tui.tui.widgets.form import Pick, Row, Stack, TextField
from mdm_tui.tui.widgets.report import LinesView

__all__ = ["EditScreen", "open_edit"]


def open_edit(screen: Any, session: Any, device_id: str) -> None:
    """Open the form for a device over `screen`; a locked connection may be armed while it is open."""
    if Capability.DEVICE_EDIT not in session.factory.capabilities:
        screen.tell(f"{session.factory.title} offers no changing of devices through its API.", "warning")
        return
    if sentence := refusal(session, "Nothing can be changed"):
        screen.tell(sentence, "warning")
        if session.writable != "LOCKED":
            return
    screen.app.push_screen(EditScreen(session, device_id))


class EditScreen(EditSending, FleetScreen):
    """The form. F2 sends; esc goes back, asking where something was touched."""

    GROUPS: ClassVar[tuple[str, ...]] = ("form", "field")
    HINTS: ClassVar[tuple[str, ...]] = ("form.send", "form.next", "field.choose", "field.clear", "form.reread", "back")
    TAB: ClassVar[str] = "devices"
    BINDINGS = bindings("form")
    DEFAULT_CSS: ClassVar[str] = """
    EditScreen VerticalScroll { height: auto; max-height: 70%; scrollbar-size-vertical: 1; margin-top: 1; }
    EditScreen #changes { height: 1fr; min-height: 3; margin-top: 1; }
    """

    def __init__(self, session: Any, device_id: str) -> None:
        super().__init__(session)
        self.device_id = device_id
        self.form = Form()
        self.lists = Lists(session, self.form)
        self.raw = ""
        self.stored: Any = None
        self.after: list[tuple[str, str]] = []
        self._sending = False
        self._filling = False

    def body(self) -> ComposeResult:
        yield Title(id="title")
        yield Notice(id="notice")
        with VerticalScroll(can_focus=False):
            yield Row("display_name", TITLES["display_name"], TextField("display_name", placeholder="no label"))
            tags = TextField("tags", placeholder='separated by commas; "a, b" is one tag', between=", ")
            yield Row("tags", TITLES["tags"], tags)
            yield Row("policy_id", TITLES["policy_id"], Pick("policy_id", "enter chooses   delete asks for none"))
            yield Row("assignments", TITLES["assignments"], Stack("assignments"))
            yield Row("user_id", TITLES["user_id"], Pick("user_id", "enter searches   delete removes the user"))
            yield Row("push_provider", TITLES["push_provider"], TextField("push_provider", placeholder="none"))
            yield Row("segment_id", TITLES["segment_id"], Pick("segment_id"))
        changes = LinesView(id="changes")
        changes.can_focus = False
        yield changes

    # --- reading ---

    def on_mount(self) -> None:
        self.query_one("#field-display_name", Input).focus()
        self.app.spawn(self._read(), "edit")

    async def _read(self) -> None:
        self.stored = await self.session.mirror.device(self.session.scope, self.device_id)
        if self.stored is not None:
            self._fill(self.stored.device.raw)
        await self.lists.names()
        self._show()
        await self._reread()

    async def _reread(self) -> None:
        """The service's values of now, unless something was touched meanwhile."""
        try:
            device = await self.session.devices.refresh(self.device_id)
        except FleetError as error:
            self._say(f"The form shows what was last read. {error.sentence()}", "warn")
            return
        if not self.form.touched:
            self._fill(device.raw)
        self._say("")

    def _fill(self, raw: str) -> None:
        if self.gone:
            return
        self.raw = raw
        self.form.begin(self.session.devices.editable(raw))
        report = self.session.devices.report(raw)
        self.lists.learn(report)
        self._filling = True
        values = self.form.values
        for key in ("display_name", "push_provider"):
            self.query_one(f"#field-{key}", Input).value = str(values.get(key) or "")
        self.query_one("#field-tags", Input).value = tags_text(values.get("tags") or [])
        self._filling = False
        self._show()

    # --- showing ---

    def _say(self, sentence: str, role: str = "muted") -> None:
        if not self.gone:
            self.query_one(Notice).say(sentence, role)

    def _show(self) -> None:
        if self.gone:
            return
        form = self.form
        for key in ("policy_id", "user_id", "segment_id"):
            value = form.values.get(key)
            words = value_words(form, key, value)
            dropped = value is None and form.base.get(key) is not None
            if dropped and key == "policy_id":
                words = "none: the service is asked, and what it holds then is read back"
            elif dropped:
                words = "none: the user is removed" if key == "user_id" else words
            self.query_one(f"#field-{key}", Pick).tell(
                words, "warn" if dropped else "" if value is not None else "muted"
            )
        rows = [(str(entry.priority), form.name(entry.policy_id), "") for entry in form.values.get("assignments") or ()]
        self.query_one("#field-assignments", Stack).tell(rows)
        self._show_changes()
        self.tick()

    def _show_changes(self) -> None:
        view = self.query_one("#changes", LinesView)
        width = view.size.width or self.app.size.width
        made = change_lines(self.form)
        head = "Will be sent" if made else "Nothing is changed yet" if not self.after else "What the service holds now"
        lines = [Line(((" ", ""), (head, "accent" if made or self.after else "muted")))]
        for text, role in made or self.after:
            lines += [Line((("   ", ""), (piece, role))) for piece in wrap(text, width - 4)]
        if made:
            words = "The device is read again first; tags and assignments others changed meanwhile stay."
            lines += [Line((("   ", ""), (piece, "muted"))) for piece in wrap(words, width - 4)]
        view.set_lines(lines)

    def tick(self) -> None:
        if not self.gone:
            sync = self.session.sync
            self.query_one(Title).tell(self.stored, self.device_id, sync.state.next_at, self.app.now())

    # --- the fields ---

    def on_input_changed(self, event: Input.Changed) -> None:
        if self._filling or not isinstance(event.input, TextField):
            return
        key = event.input.key
        text = event.value
        if key == "tags":
            self.form.values[key] = tags_of(text)
        elif key == "push_provider":
            self.form.values[key] = text.strip() or None
        else:
            self.form.values[key] = text
        self._touched(key)

    def _touched(self, key: str) -> None:
        self.after = []
        self.query_one(f"#row-{key}", Row).complain("")
        self._check(only=key)
        self._show_changes()

    def _check(self, only: str = "") -> list[Problem]:
        """Say each problem at its field; answers those that stop the sending."""
        problems = self.session.devices.check(self.form.changes())
        for key in (only,) if only else TITLES:
            own = [item for item in problems if item.path and item.path[0] == key]
            self.query_one(f"#row-{key}", Row).complain("; ".join(sentence_of(item) for item in own))
        return [item for item in problems if not item.warning]

    def on_pick_asked(self, message: Pick.Asked) -> None:
        self.app.spawn(self._asked(message), "choose")

    async def _asked(self, message: Pick.Asked) -> None:
        key, values = message.key, self.form.values
        if key == "assignments":
            await self._stack(message)
        elif message.what == "clear":
            if key == "segment_id":
                self.tell("The contract knows no way to take a device out of its segment; choose another one.")
                return
            values[key] = None
        else:
            chosen = await self.lists.choose(self.app, key)
            if chosen is None:
                return
            values[key] = chosen
        if not self.gone:
            self._touched(key)
            self._show()

    async def _stack(self, message: Pick.Asked) -> None:
        stack: list[Assignment] = list(self.form.values.get("assignments") or [])
        if message.what == "clear":
            del stack[message.index]
        elif message.what == "choose":
            entry = stack[message.index]
            priority = await self.lists.priority(self.app, self.form.name(entry.policy_id), entry.priority)
            if priority is None:
                return
            stack[message.index] = Assignment(entry.policy_id, priority, entry.name, entry.version)
        else:
            policy_id = await self.lists.choose(self.app, "policy_id")
            if policy_id is None:
                return
            if any(entry.policy_id == policy_id for entry in stack):
                self.tell(f"{self.form.name(policy_id)} is assigned already; enter changes its priority.")
                return
            after = max((entry.priority for entry in stack), default=0) + 1
            priority = await self.lists.priority(self.app, self.form.name(policy_id), after)
            if priority is None:
                return
            stack.append(Assignment(policy_id, priority, self.form.names.get(policy_id, "")))
        self.form.values["assignments"] = sorted(stack, key=lambda entry: entry.priority)
