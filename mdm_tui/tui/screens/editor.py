"""One policy: its document with what is wrong at its line, what differs from the service, its contents, its devices."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import TextArea

from mdm_tui.fleet.errors import FleetError
from mdm_tui.fleet.text import clean
from mdm_tui.fleet.values import age
from mdm_tui.tui.actions import bindings
from mdm_tui.tui.screens.base import FleetScreen
from mdm_tui.tui.screens.device_bars import Notice, Strip
from mdm_tui.tui.screens.editor_actions import EditorActions
from mdm_tui.tui.screens.editor_lines import (
    content_lines,
    counted,
    device_lines,
    difference_lines,
    note_at,
    problem_lines,
)
from mdm_tui.tui.screens.policies_devices import devices_with
from mdm_tui.tui.widgets.grid_text import glyphs
from mdm_tui.tui.widgets.json_area import HIGHLIGHT_MOST, JsonArea
from mdm_tui.tui.widgets.lines import Lines, Part, part, spread
from mdm_tui.tui.widgets.report import LinesView

if TYPE_CHECKING:
    from mdm_tui.services.policies import Opened

__all__ = ["PolicyScreen"]

_WIDE = 100
_LARGE = 50_000


class PolicyScreen(EditorActions, FleetScreen):
    """The editor. Leaving keeps the draft; only F2 sends."""

    GROUPS: ClassVar[tuple[str, ...]] = ("policy",)
    HINTS: ClassVar[tuple[str, ...]] = ("policy.save", "policy.view", "policy.editor", "policy.reread", "back")
    TAB: ClassVar[str] = "policies"
    LIVE: ClassVar[bool] = True
    BINDINGS = bindings("policy")
    # Seconds without a key before the text is checked.
    pause: ClassVar[float] = 0.25
    DEFAULT_CSS: ClassVar[str] = """
    PolicyScreen #middle { height: 1fr; }
    PolicyScreen #side { width: 2fr; border-left: solid $line; padding-left: 0; }
    PolicyScreen JsonArea { width: 3fr; }
    PolicyScreen #problems { height: auto; max-height: 6; }
    """

    def __init__(self, session: Any, policy_id: str = "", *, opened: Opened | None = None) -> None:
        super().__init__(session)
        self.policy_id = opened.id if opened is not None else policy_id
        self.opened = opened
        self.base = ""
        self.view = "document"
        self.checked: Any = None
        self.differences: Sequence[Any] = ()
        self.devices: Sequence[Any] = ()
        self.read_at: float | None = None
        self._timer: Any = None
        self._loading = False
        self._checking = 0

    def body(self) -> ComposeResult:
        yield Lines(id="title")
        yield Strip(id="views")
        yield Notice(id="notice")
        with Horizontal(id="middle"):
            yield JsonArea(id="document")
            yield LinesView(id="side")
        yield LinesView(id="problems")

    @property
    def area(self) -> JsonArea:
        """The text."""
        return self.query_one(JsonArea)

    @property
    def text(self) -> str:
        """What is being edited."""
        return self.area.text

    # --- opening ---

    def on_mount(self) -> None:
        self.query_one("#problems").display = False
        self.lay_out()
        self.area.focus()
        self.tick()
        self.app.spawn(self._open(), "policy")

    async def _open(self) -> None:
        if self.opened is None:
            self.say("Reading the policy…")
            try:
                self.opened = await self.session.policies.open(self.policy_id)
            except FleetError as error:
                self.say(error.sentence(), "bad")
                return
        opened = self.opened
        if self.gone:
            return
        # A draft goes on from what it began with: saving then shows what others changed since.
        self.base = opened.draft_base if opened.draft is not None and opened.draft_base else opened.base
        self.read_at = self.app.now()
        self.load(opened.draft if opened.draft is not None else opened.base)
        if opened.draft is not None and opened.draft != opened.base:
            self.say("Your unsaved text is back. F2 saves it; F5 drops it and takes the service's copy.", "info")
        elif opened.stale:
            self.say(clean(opened.stale, 400), "warn")
        else:
            large = len(self.text) > HIGHLIGHT_MOST
            self.say(f"More than {HIGHLIGHT_MOST:,} characters: shown without colours." if large else "")
        await self.check()
        await self._devices()

    async def _devices(self) -> None:
        if self.opened is not None and self.opened.policy is not None:
            self.devices = await devices_with(self.session, self.opened.policy.id)
            self.show_side()

    def load(self, text: str) -> None:
        """Put a text into the editor without calling it typed."""
        if not self.gone:
            self._loading = True
            self.area.load(text)

    # --- while one types ---

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        if self._timer is not None:
            self._timer.stop()
        if self._loading:
            self._loading = False
        elif self.opened is not None:
            self.session.policies.draft(self.policy_id, self.base, self.text)
        self._timer = self.set_timer(self.pause, lambda: self.app.spawn(self.check(), "check"))

    async def check(self) -> None:
        """Check the text and compare it; a later call makes an earlier one worthless."""
        if self.gone:
            return
        self._checking += 1
        mine, text = self._checking, self.text
        self.area.highlight()
        checked = await self.session.policies.check(text)
        found: Sequence[Any] = ()
        if checked.document is not None:
            try:
                compare = self.session.policies.differences
                large = len(text) > _LARGE
                found = await asyncio.to_thread(compare, self.base, text) if large else compare(self.base, text)
            except FleetError:
                found = ()
        if mine != self._checking or self.gone:
            return
        self.checked, self.differences = checked, found
        self.area.tell(note_at(checked.problems))
        problems = self.query_one("#problems", LinesView)
        width = problems.size.width or self.app.size.width
        lines = problem_lines(checked.problems, width)
        problems.display = bool(lines)
        problems.styles.height = max(1, min(6, len(lines)))
        problems.set_lines(lines)
        self.show_side()
        self.tick()

    # --- drawing ---

    def lay_out(self) -> None:
        """Document and changes side by side where there is room, else one of them."""
        wide = self.app.size.width >= _WIDE
        side = self.query_one("#side", LinesView)
        self.area.display = self.view == "document" or (wide and self.view == "changes")
        side.display = wide or self.view != "document"
        self.show_side()

    def show_side(self) -> None:
        """The pane beside the text, for the view that is chosen."""
        if self.gone:
            return
        side = self.query_one("#side", LinesView)
        width = side.size.width or self.app.size.width
        document = self.checked.document if self.checked is not None else None
        if self.view == "contents":
            raw = json.loads(self.opened.policy.raw) if self.opened is not None and self.opened.policy else {}
            lines = content_lines(raw if isinstance(raw, dict) else {}, document, width)
        elif self.view == "devices":
            lines = device_lines(self.devices, width, now=self.app.now())
        else:
            when = f", read {age(self.app.now() - self.read_at)} ago" if self.read_at is not None else ""
            title = "New: everything is a change" if self._new else f"Changes against the service{when}"
            lines = difference_lines(title, self.differences, width, readable=self._readable)
        side.set_lines(lines)

    @property
    def _readable(self) -> bool:
        return self.checked is None or self.checked.document is not None

    @property
    def _new(self) -> bool:
        return self.opened is None or self.opened.policy is None

    def say(self, sentence: str, role: str = "muted") -> None:
        """A sentence over the document; "" takes it away."""
        if not self.gone:
            self.query_one(Notice).say(sentence, role)

    def tick(self) -> None:
        if self.gone or not self.query("#title"):
            return
        policy = self.opened.policy if self.opened is not None else None
        name = self.name_in_text() or (clean(policy.name) if policy is not None else "new policy")
        left: list[Part] = [part(f" {glyphs().more_left} Policies   ", "muted"), part(name or "(no name)", bold=True)]
        if policy is not None and policy.version is not None:
            left.append(part(f"   v{policy.version}", "muted"))
        if self.differences:
            left.append(part(" → draft" if policy is not None else "   draft", "warn"))
        removal = any(item.kind == "removed" for item in self.differences)
        words = counted(self.differences) if self._readable else "not JSON yet"
        left.append(part(f"   {words}", "warn" if removal or not self._readable else "muted"))
        right: list[Part] = []
        if self.checked is not None:
            wrong = sum(1 for problem in self.checked.problems if not problem.warning)
            words = f"{wrong} problem{'s' if wrong != 1 else ''}" if wrong else "fits the contract"
            right.append(part(words, "bad" if wrong else "good"))
        if self.devices:
            right.append(part(f"   on {len(self.devices):,} devices", "muted"))
        right.append(part(" "))
        title = self.query_one("#title", Lines)
        title.show([spread(left, right, title.size.width or self.app.size.width)])
        views = [
            ("document", "Document", None),
            ("changes", "Changes", len(self.differences)),
            ("contents", "Contents", None),
            ("devices", "Devices", len(self.devices)),
        ]
        self.query_one("#views", Strip).tell(views, self.view)

    def name_in_text(self) -> str:
        """The name that the text gives the policy."""
        document = self.checked.document if self.checked is not None else None
        name = document.get("name") if isinstance(document, dict) else None
        return clean(name, 80) if isinstance(name, str) else ""

    def on_resize(self, event: events.Resize) -> None:
        self.lay_out()

    def on_lines_view_resized(self, message: LinesView.Resized) -> None:
        self.show_side()

    # --- news ---

    def news(self, events: Sequence[object]) -> None:
        from mdm_tui.services import events as kinds

        if any(isinstance(event, kinds.DevicesChanged) for event in events):
            self.app.spawn(self._devices(), "policy devices")
        self.tick()
