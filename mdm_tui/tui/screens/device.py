"""One device, all of it: an overview, every section of its report, its commands and history, and the raw document."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.widgets import Input

from mdm_tui.fleet.errors import FleetError, Kind
from mdm_tui.fleet.inventory_text import Line
from mdm_tui.fleet.provider import Capability
from mdm_tui.fleet.values import show_time
from mdm_tui.tui.actions import bindings
from mdm_tui.tui.screens.base import FleetScreen
from mdm_tui.tui.screens.device_actions import DeviceActions
from mdm_tui.tui.screens.device_apps import DeviceApps
from mdm_tui.tui.screens.device_bars import FindBar, Notice, Strip, Title
from mdm_tui.tui.screens.device_lines import Contents, document, sections_of, strip_of
from mdm_tui.tui.screens.device_past import past_of
from mdm_tui.tui.screens.device_twins import also_in, sentence
from mdm_tui.tui.widgets.json_view import json_lines
from mdm_tui.tui.widgets.report import LinesView

if TYPE_CHECKING:
    from mdm_tui.store.mirror import Stored

__all__ = ["DeviceScreen"]

# Beyond this many characters of JSON the lines are made in a thread.
_LARGE = 100_000


class DeviceScreen(DeviceActions, DeviceApps, FleetScreen):
    """The report of one device. Opened over any screen by `app.open_device(id)`."""

    GROUPS: ClassVar[tuple[str, ...]] = ("device", "list")
    HINTS: ClassVar[tuple[str, ...]] = (
        "act", "edit", "copy", "find", "related", "section.previous", "section.next", "refresh", "back",
    )  # fmt: skip
    TAB: ClassVar[str] = "devices"
    LIVE: ClassVar[bool] = True
    BINDINGS = bindings("device")

    def __init__(self, session: Any, device_id: str) -> None:
        super().__init__(session)
        self.device_id = device_id
        self.stored: Stored | None = None
        self.contents = Contents(capabilities=session.factory.capabilities)
        self.raw_view = False
        self._place: tuple[int, int] = (0, 0)
        self._raw_lines: tuple[str, int, list[Line]] | None = None
        self._minute = 0
        self._sentence = ""

    def body(self) -> ComposeResult:
        yield Title(id="title")
        yield Strip(id="strip")
        yield Notice(id="notice")
        yield LinesView(id="report")
        yield FindBar(id="find")

    # --- reading ---

    def on_mount(self) -> None:
        self.query_one(LinesView).focus()
        self.app.spawn(self._open(), "device")

    async def _open(self) -> None:
        self.stored = await self.session.devices.open(self.device_id)
        if self.stored is None:
            self._say("Reading the device…", "muted")
        await self.reload()
        self.also = await also_in(self.app, self.session, self.device_id)
        self._say_problem()
        if Capability.COMMANDS in self.contents.capabilities:
            self.app.spawn(self._look(), "device commands")
        if self.session.can(Capability.DEVICE_APPS):
            self.app.spawn(self._apps(), "device apps")

    def in_sight(self) -> tuple[tuple[str], str]:
        return (self.device_id,), self.device_id

    async def _look(self) -> None:
        try:
            await self.session.commands.look(self.device_id)
        except FleetError as error:
            self.contents.commands_sentence = error.sentence()
        await self.reload()

    async def reload(self) -> None:
        """Take what is kept of the device now, and draw it; cursor and sight stay."""
        if self.gone:
            return
        stored = await self.session.mirror.device(self.session.scope, self.device_id)
        # A device that left the service leaves the mirror too, perhaps before its screen was first drawn: what was
        # held when it was opened is still shown.
        held = self.stored = stored or self.stored
        if held is not None:
            raw = held.device.raw
            large = len(raw) > _LARGE
            self.contents.report = await asyncio.to_thread(self._report, raw) if large else self._report(raw)
            self.contents.values = held.device.values
        await self._read_group()
        await self._read_past()
        await self._read_commands()
        now = self.app.now()
        self.contents.sections = (
            await asyncio.to_thread(sections_of, self.contents, now=now, zone=None)
            if (self.stored is not None and len(self.stored.device.raw) > _LARGE)
            else sections_of(self.contents, now=now, zone=None)
        )
        await self.draw()

    def _report(self, raw: str) -> dict[str, Any]:
        return self.session.devices.report(raw)

    async def _read_commands(self) -> None:
        if Capability.COMMANDS not in self.contents.capabilities:
            return
        commands = self.session.commands
        from mdm_tui.tui.screens.queue_lines import command_lines

        items = await commands.queue(self.device_id)
        if self.gone:
            return
        width = self.query_one(LinesView).size.width or 80
        self.contents.commands = command_lines(items, width, now=self.app.now())
        self.contents.commands_count = len(items)
        if not items and not self.contents.commands_sentence:
            self.contents.commands_sentence = "No command is known for this device."
        elif items:
            self.contents.commands_sentence = ""

    async def _read_past(self) -> None:
        history = self.session.history
        if history is None:
            self.contents.past_sentence = "No history of reports is kept."
            return
        self.contents.past = await past_of(self.session, self.device_id)
        self.contents.past_sentence = (
            ""
            if self.contents.past
            else "The first full report of this device will be kept here, and each that differs."
        )

    # --- drawing ---

    async def draw(self) -> None:
        """Lay the lines out for the width there is."""
        if self.gone:
            return
        view = self.query_one(LinesView)
        width = view.size.width or self.app.size.width
        if self.raw_view:
            lines = await self._raw(width)
        else:
            lines = document(self.contents, width, now=self.app.now(), zone=None)
        view.set_lines(lines)
        self._say_problem()
        self.tick()

    async def _raw(self, width: int) -> list[Line]:
        raw = self.stored.device.raw if self.stored is not None else "{}"
        if self._raw_lines is None or self._raw_lines[:2] != (raw, width):
            lines = await asyncio.to_thread(json_lines, raw, width, anchor="raw")
            self._raw_lines = (raw, width, lines)
        return self._raw_lines[2]

    def _say_problem(self) -> None:
        error = getattr(self.session.devices, "problems", {}).get(self.device_id)
        if error is not None and self.stored is not None:
            if error.kind is Kind.NOT_FOUND or error.kind is Kind.UNSUPPORTED:
                self._say(f"What the list says; the full view could not be read: {error.sentence()}", "warn")
            else:
                old = show_time(self.stored.seen_at)
                self._say(f"As read at {old}. {error.sentence()}", "warn")
        elif error is not None:
            self._say(error.sentence(), "bad")
        elif self.stored is None:
            self._say("Reading the device…", "muted")
        elif self.stored.device.unreadable:
            self._say(
                f"The service sent what cannot be understood: {self.stored.device.unreadable} Raw shows it.", "bad"
            )
        elif not self.stored.device.detail:
            self._say("What the list says; reading the full report…", "muted")
        else:
            self._say(sentence(self.also), "info")

    def _say(self, sentence: str, role: str = "muted") -> None:
        if not self.gone:
            self.query_one(Notice).say(sentence, role)

    def tick(self) -> None:
        if self.gone or not self.query(Title):
            return
        now = self.app.now()
        sync = self.session.sync
        next_at = sync.state.next_at if sync is not None else None
        self.query_one(Title).tell(self.stored, self.device_id, next_at, now)
        view = self.query_one(LinesView)
        current = "raw" if self.raw_view else view.section or "overview"
        self.query_one(Strip).tell(strip_of(self.contents), current)
        minute = int(now // 60)
        if self._minute and minute != self._minute and not self.raw_view:
            # Ages inside the report tick once a minute.
            self._minute = minute
            self.app.spawn(self.reload(), "device ages")
        self._minute = minute

    # --- news ---

    def news(self, events: Sequence[object]) -> None:
        from mdm_tui.services import events as kinds

        for event in events:
            mine = (
                (isinstance(event, kinds.DetailChanged) and event.id == self.device_id)
                or (isinstance(event, kinds.DevicesChanged) and (event.ids is None or self.device_id in event.ids))
                or isinstance(event, kinds.CommandsChanged)
                or (isinstance(event, kinds.ItemsChanged) and event.kind == "groups")
            )
            if mine:
                self.app.spawn(self.reload(), "device")
                return
        self._say_problem()
        self.tick()

    def on_lines_view_moved(self, message: LinesView.Moved) -> None:
        self.query_one(FindBar).count(self.found_words())
        self.tick()

    def on_lines_view_resized(self, message: LinesView.Resized) -> None:
        # Not in the handler: keys would wait while another console holds the journal.
        self.app.spawn(self._fit(), "device fit")

    async def _fit(self) -> None:
        await self._read_commands()
        await self.draw()

    def on_input_changed(self, event: Input.Changed) -> None:
        if event.input.id == "find-text":
            self.query_one(FindBar).count(self._found(event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if event.input.id == "find-text":
            self.close_find(keep=True)

    def _found(self, text: str) -> str:
        view = self.query_one(LinesView)
        view.find(text)
        return self.found_words()

    def whole(self) -> str:
        """The document as text: the raw JSON in the raw view, else the inventory."""
        if self.raw_view:
            raw = self.stored.device.raw if self.stored is not None else ""
            try:
                return json.dumps(json.loads(raw), indent=2, ensure_ascii=True)
            except (ValueError, RecursionError):
                return raw
        from mdm_tui.fleet.inventory import to_text

        return to_text(self.contents.sections, 100)
