"""Registering devices: a list that is read as it is typed, checked, confirmed by typing, and followed row by row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.containers import Container
from textual.widgets import TextArea

from mdm_tui.fleet.catalogue import LicenseModel
from mdm_tui.fleet.provider import Capability
from mdm_tui.fleet.registration import Reading
from mdm_tui.tui import safe
from mdm_tui.tui.actions import bindings
from mdm_tui.tui.screens.ask import Ask
from mdm_tui.tui.screens.base import FleetScreen, Hints, refusal
from mdm_tui.tui.screens.device_bars import Notice
from mdm_tui.tui.screens.register_actions import RegisterActions
from mdm_tui.tui.screens.register_source import COLUMNS, RegisterSource, many
from mdm_tui.tui.widgets.lines import Lines, Part, cut, part, spread
from mdm_tui.tui.widgets.tree_list import PlainList

__all__ = ["RegisterScreen", "open_register"]

# What the last line offers at each stage.
_HINTS = {
    "list": ("register.send", "register.file", "register.terms", "register.name", "register.again"),
    "checking": ("register.stop",),
    "sending": ("register.stop", "back"),
    "sent": ("register.again", "register.export", "back"),
}
_WIDE = 110  # columns from which the list stands beside the preview
_HOW = (
    "Paste or type serial numbers, one a line, or CSV rows: serial, manufacturer, brand, model, group, or as a header "
    "names them. F3 reads a file. Nothing is sent before it was checked, shown and confirmed by typing."
)


def open_register(app: Any, session: Any, group_id: str = "") -> None:
    """The screen over whatever is shown, or the sentence why not. group_id: the group of the rows that name none."""
    if Capability.DEVICE_REGISTER not in session.factory.capabilities or not session.can(Capability.DEVICE_REGISTER):
        safe.toast(app, "", f"{session.factory.title} registers no devices through its API.", "warning")
        return
    app.push_screen(RegisterScreen(session, group_id))


class SerialArea(TextArea):
    """The list as text. A line may also end as some scanners and terminals end it: LF, which is ctrl+j as a key."""

    async def _on_key(self, event: events.Key) -> None:
        if event.key == "ctrl+j":
            # Left out, the serial numbers of two lines would be one.
            event.stop()
            event.prevent_default()
            self.insert("\n")


class RegisterScreen(RegisterActions, FleetScreen):
    """stage: `list` while it is written, `checking`, `sending`, `sent`. What is sent goes on when this is left."""

    GROUPS: ClassVar[tuple[str, ...]] = ("register", "moves")
    TAB: ClassVar[str] = "devices"
    BINDINGS = bindings("register")
    # Seconds without a key before the list is read.
    pause: ClassVar[float] = 0.25
    DEFAULT_CSS: ClassVar[str] = """
    RegisterScreen #middle { height: 1fr; layout: vertical; }
    RegisterScreen TextArea { height: 7; border: none; padding: 0; background: $ground; color: $text;
        border-bottom: solid $line; scrollbar-size: 0 0; }
    RegisterScreen TextArea:focus { border: none; border-bottom: solid $accent; }
    RegisterScreen TextArea .text-area--cursor { background: $accent; color: $ground; }
    RegisterScreen TextArea .text-area--gutter { color: $muted; background: $ground; }
    RegisterScreen TextArea .text-area--cursor-gutter { color: $accent; background: $ground; }
    RegisterScreen TextArea .text-area--cursor-line { background: $ground; }
    RegisterScreen TextArea .text-area--selection { background: $line; }
    RegisterScreen.-wide #middle { layout: horizontal; }
    RegisterScreen.-wide TextArea { width: 40; height: 1fr; border-bottom: none; border-right: solid $line; }
    RegisterScreen.-wide TextArea:focus { border-bottom: none; border-right: solid $accent; }
    RegisterScreen.-sent TextArea { display: none; }
    """

    def __init__(self, session: Any, group_id: str = "") -> None:
        super().__init__(session)
        self.group_id = group_id
        self.model: LicenseModel | None = None
        self.auto_renew: bool | None = None
        self.stage = "list"
        self.done = (0, 0)
        self.run_id = ""
        self.reading = Reading(())
        self.source = RegisterSource()
        self.grid = PlainList(COLUMNS, self.source, id="rows", empty="")
        self.area = SerialArea("", soft_wrap=False, show_line_numbers=True, tab_behavior="focus", id="list")
        self._timer: Any = None
        self._reads = 0

    def body(self) -> ComposeResult:
        yield Lines(id="title")
        yield Lines(id="terms")
        yield Notice(id="notice")
        with Container(id="middle"):
            yield self.area
            yield self.grid

    def on_mount(self) -> None:
        self.area.focus()
        if kept := self.app.lists.get(self.session.scope, ""):
            self.area.load_text(kept)
        self.say_all()
        self.app.spawn(self._begin(), "register")

    async def _begin(self) -> None:
        if self.session.registration.running:
            # It goes on from before: its rows are shown, and a new list waits for its end.
            self.run_id = self.session.registration.running
            self.set_stage("sending")
            await self.take_outcomes()
            return
        if sentence := refusal(self.session, "Nothing can be registered"):
            self.tell(f"{sentence} The list can be written and checked.", "warning")
        await self.read_now()

    # --- reading the list ---

    def on_text_area_changed(self, message: TextArea.Changed) -> None:
        message.stop()
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(self.pause, lambda: self.app.spawn(self.read_now(), "list"))

    async def read_now(self) -> None:
        """Read what is typed, show a row for each line. What was found of a serial number stays known."""
        if self.stage not in ("list", "checking"):
            return
        self._reads += 1
        mine = self._reads
        text = self.area.text
        self.app.lists[self.session.scope] = text
        reading = await self.session.registration.read(text, self.group_id) if text.strip() else Reading(())
        tree = await self.session.groups.tree() if self.session.can(Capability.GROUPS) else None
        if mine != self._reads or self.gone:
            return
        self.reading = reading
        self.source.lines = reading.lines
        self.source.named &= {line.serial for line in reading.lines}
        if tree is not None:
            wanted = {line.device.group_id for line in reading.lines} | {self.group_id}
            self.source.paths = {key: tree.path_text(key) for key in wanted if key in tree}
        self.show_rows()

    def show_rows(self) -> None:
        """Repaint the rows and everything that is said of them."""
        self.grid.order_changed()
        self.grid.rows_changed([str(index) for index in range(self.source.count())])
        self.say_all()

    def take_text(self, text: str, *, apply: bool) -> None:
        """A scanner or a paste while the rows have the focus: more lines for the list."""
        if self.stage == "list":
            held = self.area.text
            self.area.load_text(f"{held}{'' if not held or held.endswith(chr(10)) else chr(10)}{text}\n")
            self.app.spawn(self.read_now(), "list")

    # --- what became of it ---

    def news(self, events: Sequence[object]) -> None:
        from mdm_tui.services import events as kinds

        if self.run_id and any(isinstance(event, kinds.RegistrationChanged) for event in events):
            self.app.spawn(self.take_outcomes(), "outcomes")

    async def take_outcomes(self) -> None:
        """Show what became of the rows of the run that is followed."""
        found = await self.session.registration.outcomes(self.run_id)
        if self.gone:
            return
        # A list that goes in two steps keeps what became of its first one.
        self.source.outcomes |= {one.serial: one for one in found}
        if not self.source.lines:
            self.source.lines = _lines_of(found)
        self.done = self.session.registration.progress
        if self.stage == "sending" and self.session.registration.running != self.run_id:
            self.set_stage("sent")
            self.app.lists.pop(self.session.scope, None)
        self.show_rows()

    def set_stage(self, stage: str) -> None:
        """Another stage: after sending, the list makes room for the rows."""
        self.stage = stage
        sent = stage in ("sending", "sent")
        self.set_class(sent, "-sent")
        if sent:
            self.grid.focus()
        self.query_one(Hints).offer(self.hints())
        self.say_all()

    def hints(self) -> Sequence[str]:
        found = _HINTS[self.stage]
        if self.stage == "sent" and self.source.left():
            return ("register.send", *found)
        if self.area.has_focus:
            # A blank is text there.
            return tuple(name for name in found if name != "register.name")
        return found

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        self.query_one(Hints).offer(self.hints())

    # --- saying ---

    def say_all(self) -> None:
        """Title, terms, the sentence, and what an empty list says."""
        width = self.app.size.width
        where = f"{self.session.connection.name}  {self.session.factory.title}"
        left = [part(" Register devices", bold=True), part(f"   at {where}", "muted")]
        self.query_one("#title", Lines).show([spread(left, self._right(), width)])
        self.query_one("#terms", Lines).show([cut(self.terms_line(), width)])
        self.query_one(Notice).say(*self._sentence())
        empty = "" if self.stage == "list" else "Reading what became of it…"
        if self.grid.empty != empty:
            self.grid.empty = empty

    def _right(self) -> list[Part]:
        done, total = self.done
        if self.stage == "checking":
            return [part(f"checking {done:,} of {total:,}, F6 stops ", "info")]
        if self.stage == "sending":
            return [part(f"sending {done:,} of {total:,}, F6 stops ", "info")]
        counts = self.source.counts()
        words = {
            "new": "new",
            "exists": "existing",
            "waiting": "to check",
            "unchecked": "not checked",
            "bad": "with a problem",
        }
        roles = {"new": "good", "bad": "bad", "unchecked": "warn"}
        found = [
            part(f"{counts[key]:,} {word}   ", roles.get(key, "muted")) for key, word in words.items() if counts[key]
        ]
        return (
            [*found, part(" ")] if self.stage == "list" else [part(f"{many(len(self.source.outcomes))} sent ", "muted")]
        )

    def _sentence(self) -> tuple[str, str]:
        if self.stage in ("sending", "sent"):
            states = [one.state.value for one in self.source.outcomes.values()]
            said = ", ".join(f"{states.count(word):,} {word}" for word in dict.fromkeys(states))
            more = (
                "Leaving does not stop it." if self.stage == "sending" else "F7 exports the rows, F5 begins a new list."
            )
            if self.stage == "sent" and (left := self.source.left()):
                words = [f"{left['named']:,} named to be reset"] * bool(left["named"])
                words += [f"{left['new']:,} new to be registered"] * bool(left["new"])
                more = f"Not sent yet: {' and '.join(words)}; F2 goes on with that. {more}"
            return f"{said or 'Nothing yet'}. {more}", "muted"
        if not self.area.text.strip():
            return _HOW, "muted"
        if self.reading.problem:
            return f"{self.reading.problem}.", "bad"
        counts = self.source.counts()
        notes = "; ".join(self.reading.notes)
        if counts["waiting"] or self.stage == "checking":
            next_ = "F2 asks the service for each serial number: what exists would be reset by saving it again."
        elif counts["exists"] and not counts["new"]:
            next_ = "All of them exist: nothing is sent unless you name one (tab, space); saving it resets its status."
        elif counts["exists"]:
            next_ = "F2 goes on to the confirmation. What exists is left alone unless it is named (tab, space)."
        else:
            next_ = "F2 goes on to the confirmation." if counts["new"] else "No row can be sent."
        rule = next((f" {line.rule}." for line in self.reading.lines if line.rule), "")
        return f"{notes[:1].upper()}{notes[1:]}{'. ' if notes else ''}{next_}{rule}", "muted"

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.width >= _WIDE, "-wide")
        self.call_after_refresh(self.say_all)

    def on_grid_opened(self, message: PlainList.Opened) -> None:
        line = self.source.line(message.row_id)
        if line is not None:
            rule = f" {line.rule}." if line.rule else ""
            self.tell(f"Line {line.number}, {line.serial or 'no serial'}: {self.source.what(line)[0]}.{rule}")

    # --- leaving ---

    def escape(self) -> bool:
        if self.stage == "checking":
            self.action_stop()
            return True
        if self.stage == "sending":
            words = "The devices are being registered now. Leaving does not stop it; :register shows it again."
            self.app.push_screen(Ask("Leave while it is being sent?", words, "leave"), self._leave)
            return True
        return False

    def _leave(self, yes: bool | None) -> None:
        if yes and self.app.screen is self:
            self.app.pop_screen()


def _lines_of(outcomes: Sequence[Any]) -> tuple[Any, ...]:
    """Rows for a run whose list is not at hand any more."""
    from mdm_tui.fleet.registration import Line, Registration

    return tuple(Line(number, Registration(one.serial, model=one.name)) for number, one in enumerate(outcomes, 1))
