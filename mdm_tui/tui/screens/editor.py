"""One policy: its document with what is wrong at its line, what differs from the service, its contents, its devices."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal

from mdm_tui.fleet.values import age
from mdm_tui.tui.actions import bindings
from mdm_tui.tui.screens.device_bars import Notice, Strip
from mdm_tui.tui.screens.document import DocumentScreen
from mdm_tui.tui.screens.editor_lines import content_lines, device_lines, difference_lines
from mdm_tui.tui.screens.policies_devices import devices_with
from mdm_tui.tui.widgets.json_area import JsonArea
from mdm_tui.tui.widgets.lines import Lines, Part, part
from mdm_tui.tui.widgets.report import LinesView

__all__ = ["PolicyScreen"]

_WIDE = 100


class PolicyScreen(DocumentScreen):
    """The editor of policies."""

    GROUPS: ClassVar[tuple[str, ...]] = ("policy",)
    HINTS: ClassVar[tuple[str, ...]] = ("policy.save", "policy.view", "policy.editor", "policy.reread", "back")
    TAB: ClassVar[str] = "policies"
    NOUN: ClassVar[str] = "policy"
    PLACE: ClassVar[str] = "Policies"
    VIEWS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("document", "Document"), ("changes", "Changes"), ("contents", "Contents"), ("devices", "Devices"),
    )  # fmt: skip
    BINDINGS = bindings("policy")
    DEFAULT_CSS: ClassVar[str] = """
    PolicyScreen #middle { height: 1fr; }
    PolicyScreen #side { width: 2fr; border-left: solid $line; padding-left: 0; }
    PolicyScreen JsonArea { width: 3fr; }
    PolicyScreen #problems { height: auto; max-height: 6; }
    """

    def __init__(self, session: Any, policy_id: str = "", *, opened: Any = None) -> None:
        """opened: as `Policies.open` and `Policies.new` answer, instead of an id."""
        super().__init__(session, policy_id, opened=opened)
        self.devices: Sequence[Any] = ()

    def body(self) -> ComposeResult:
        yield Lines(id="title")
        yield Strip(id="views")
        yield Notice(id="notice")
        with Horizontal(id="middle"):
            yield JsonArea(id="document")
            yield LinesView(id="side")
        yield LinesView(id="problems")

    @property
    def service(self) -> Any:
        return self.session.policies

    @property
    def held(self) -> Any:
        return self.opened.policy if self.opened is not None else None

    @property
    def policy_id(self) -> str:
        """The policy's id, or that of its draft."""
        return self.document_id

    # --- opening ---

    def on_mount(self) -> None:
        self.query_one("#problems").display = False
        self.lay_out()
        self.area.focus()
        self.tick()
        self.app.spawn(self._open(), "policy")

    async def _open(self) -> None:
        if await self.begin():
            await self._devices()

    async def _devices(self) -> None:
        if self.held is not None:
            self.devices = await devices_with(self.session, self.held.id)
            self.show_side()

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
            raw = json.loads(self.held.raw) if self.held is not None else {}
            lines = content_lines(raw if isinstance(raw, dict) else {}, document, width)
        elif self.view == "devices":
            lines = device_lines(self.devices, width, now=self.app.now())
        else:
            when = f", read {age(self.app.now() - self.read_at)} ago" if self.read_at is not None else ""
            title = "New: everything is a change" if self.new else f"Changes against the service{when}"
            lines = difference_lines(title, self.differences, width, readable=self.readable)
        side.set_lines(lines)

    def title_words(self) -> tuple[list[Part], list[Part]]:
        version = self.held.version if self.held is not None else None
        after = [part(f"   v{version}", "muted")] if version is not None else []
        return after, [part(f"   on {len(self.devices):,} devices", "muted")] if self.devices else []

    def counts(self) -> dict[str, int | None]:
        return {**super().counts(), "devices": len(self.devices)}

    def on_resize(self, event: events.Resize) -> None:
        self.lay_out()

    def on_lines_view_resized(self, message: LinesView.Resized) -> None:
        self.show_side()

    # --- what is open ---

    def opened_entry(self, view_id: str, path: str, value: object) -> bool:
        """enter on a device opens it."""
        if view_id == "side" and path.startswith("device."):
            self.app.open_device(str(value))
            return True
        return False

    # --- saving ---

    async def send(self, base: str) -> Any:
        self.say("Reading the service's copy, then saving…")
        return await self.service.save(self.policy_id, self.text, base)

    def nameless(self) -> str:
        # The contract lets an empty name pass; nobody would find such a policy again.
        return 'Not created: it has no name yet. Write one between the quotes of "name".'

    def saved(self, answer: Any) -> str:
        from mdm_tui.services.policies import Opened

        self.document_id = answer.policy.id
        self.opened = Opened(answer.policy.id, answer.policy, answer.base)
        return f" as v{answer.policy.version}" if answer.policy.version is not None else ""

    # --- news ---

    def news(self, events: Sequence[object]) -> None:
        from mdm_tui.services import events as kinds

        if any(isinstance(event, kinds.DevicesChanged) for event in events):
            self.app.spawn(self._devices(), "policy devices")
        self.tick()
