"""What a person can do on the Device screen. Mixed into `DeviceScreen`, which has the state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from textual.widgets import Input

from mdm_tui.fleet.errors import FleetError
from mdm_tui.fleet.provider import Capability
from mdm_tui.fleet.report import get
from mdm_tui.fleet.text import clean
from mdm_tui.tui.screens import devices_text
from mdm_tui.tui.screens.device_bars import FindBar, Strip
from mdm_tui.tui.screens.device_lines import Contents, strip_of
from mdm_tui.tui.screens.device_twins import go_related
from mdm_tui.tui.screens.dialogs import answer
from mdm_tui.tui.widgets.report import LinesView

if TYPE_CHECKING:
    from mdm_tui.services.session import Session
    from mdm_tui.tui.screens.base import FleetScreen

    _Base = FleetScreen
else:
    _Base = object

__all__ = ["DeviceActions"]


class DeviceActions(_Base):
    """The actions of the group `device`."""

    also: Sequence[tuple[Session, str]] = ()

    if TYPE_CHECKING:
        device_id: str
        stored: Any
        contents: Contents
        raw_view: bool
        _place: tuple[int, int]

        async def draw(self) -> None: ...
        async def reload(self) -> None: ...
        def whole(self) -> str: ...

    # --- sections ---

    async def action_section(self, step: int) -> None:
        """To the next (1) or previous (-1) section of the strip."""
        keys = [key for key, _title, _count in strip_of(self.contents)]
        view = self.query_one(LinesView)
        current = "raw" if self.raw_view else view.section or "overview"
        at = keys.index(current) if current in keys else 0
        await self.go_section(keys[(at + step) % len(keys)])

    async def go_section(self, key: str) -> None:
        """Bring a section to the top of the sight; "raw" is a view of its own."""
        view = self.query_one(LinesView)
        raw = key == "raw"
        if raw != self.raw_view:
            if raw:
                self._place = (view.top, view.cursor)
            self.raw_view = raw
            view.restart()
            await self.draw()
        if not raw:
            view.go(key)
        self.tick()

    async def on_click(self, event: Any) -> None:
        if isinstance(event.widget, Strip):
            for x, size, key in event.widget.places:
                if x <= event.x < x + size:
                    await self.go_section(key)

    # --- finding ---

    def action_find(self) -> None:
        """Search in what is shown."""
        bar = self.query_one(FindBar)
        bar.display = True
        field = bar.query_one(Input)
        field.value = ""
        field.focus()

    def action_find_next(self, step: int) -> None:
        """To the next (1) or previous (-1) match; without a search, to the next fault."""
        view = self.query_one(LinesView)
        if view.needle:
            if not view.find_next(step):
                self.tell(f"Nothing here matches {clean(view.needle, 60)}.")
        elif not view.seek_role(("bad", "warn"), step):
            self.tell("No fault is shown in this report.")

    def close_find(self, *, keep: bool) -> None:
        """Leave the search line; `keep` leaves it and the matches there for n and N, with how many there are."""
        bar = self.query_one(FindBar)
        view = self.query_one(LinesView)
        if not keep:
            view.find("")
        bar.display = keep and bool(view.needle)
        view.focus()

    def found_words(self) -> str:
        """Which match of how many the cursor is on; "" without a search."""
        view = self.query_one(LinesView)
        at, count = view.matches
        return "" if not view.needle else f"{at:,} of {count:,}" if count else "nothing found"

    def escape(self) -> bool:
        bar = self.query_one(FindBar)
        view = self.query_one(LinesView)
        if bar.display:
            self.close_find(keep=False)
            return True
        if view.needle:
            view.find("")
            return True
        return False

    # --- copying ---

    def action_copy(self) -> None:
        """The value under the cursor; where there is none, a line fit for a ticket."""
        entry = self.query_one(LinesView).entry
        if entry is not None and (entry.copy or entry.text):
            self.app.copy_text(entry.copy or entry.text, entry.label or "Value")
            return
        self.app.copy_text(self.ticket(), "A line on the device")

    def action_copy_all(self) -> None:
        """The whole of what is shown, sections or raw document."""
        self.app.copy_text(self.whole(), "The raw document" if self.raw_view else "The whole report")

    def ticket(self) -> str:
        """One line for a ticket."""
        values = self.stored.device.values if self.stored is not None else {}
        return devices_text.ticket(self.device_id, values, self.app.now())

    # --- doing ---

    def action_act(self) -> None:
        """The commands for this device."""
        from mdm_tui.tui.screens.act import open_act

        open_act(self, self.session, [self.device_id])

    def action_edit(self) -> None:
        """The form for what can be edited."""
        if self.stored is None:
            self.tell("The device has not been read yet.", "warning")
            return
        from mdm_tui.tui.screens.device_edit import open_edit

        open_edit(self, self.session, self.device_id)

    def action_refresh_now(self) -> None:
        """Read the device again, now."""
        # The service may take its time; keys are heard meanwhile.
        self.app.spawn(self._refresh(), "refresh")

    async def _refresh(self) -> None:
        try:
            await self.session.devices.refresh(self.device_id)
        except FleetError as error:
            self.tell(error.sentence(), "warning")
        await self.reload()

    async def action_related(self) -> None:
        """The same device in another open connection, or what it belongs to here."""
        if self.also:
            self.app.spawn(go_related(self, self.also, self._related_here), "related")
        else:
            await self._related_here()

    async def _related_here(self) -> None:
        """Open the device's policy, where it has several after a choice; without policies its group."""
        if Capability.POLICIES not in self.session.factory.capabilities:
            await self._to_group()
            return
        found: dict[str, str] = {}
        report = self.contents.report
        direct = get(report, "policy.assignedId") or get(report, "policy.assigned.id")
        if isinstance(direct, str) and direct:
            found[direct] = f"{clean(get(report, 'policy.assigned.name') or direct)} (assigned directly)"
        rows = get(report, "policy.assignments")
        for row in rows if isinstance(rows, list) else ():
            key = get(row, "policyId")
            if isinstance(key, str) and key:
                name = clean(get(row, "policy.name") or key)
                found.setdefault(key, f"{name} (priority {clean(get(row, 'priority'))})")
        if not found:
            self.tell("No policy is assigned to this device.")
            return
        if len(found) == 1:
            self.open_policy(next(iter(found)))
            return
        from mdm_tui.tui.screens.ask import Choose

        choose = Choose("Open which policy?", [(key, title, "") for key, title in found.items()])
        self.app.push_screen(choose, lambda key: self.open_policy(key) if key else None)

    async def _to_group(self) -> None:
        values = self.stored.device.values if self.stored is not None else {}
        group = values.get("groupid")
        if not isinstance(group, str) or not group:
            self.tell("It is not known which group this device is in.")
            return
        await self.app.action_go("groups")
        show = getattr(self.app.screen, "show_group", None)
        if show is not None:
            show(group)

    def open_policy(self, policy_id: str) -> None:
        """The policy's screen over this one."""
        from mdm_tui.tui.screens.editor import PolicyScreen

        self.app.push_screen(PolicyScreen(self.session, policy_id))

    def action_export(self) -> None:
        """Write the report to a file, in a format to be chosen."""
        # A task of its own: an action that waited for its dialog would hold up the very keys that answer it.
        self.app.spawn(self._export(), "export")

    async def _export(self) -> None:
        from mdm_tui.tui.screens.ask import Choose
        from mdm_tui.tui.screens.device_export import FORMATS, write

        key = await answer(self.app, Choose("Export this report as", list(FORMATS)))
        if key:
            await write(self, key)
