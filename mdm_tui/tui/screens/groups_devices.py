"""The devices of a group: the Devices screen narrowed to it, while its members are read page by page."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from textual import events

from mdm_tui.fleet.errors import FleetError, Kind
from mdm_tui.fleet.text import clean
from mdm_tui.tui.screens.devices import DevicesScreen
from mdm_tui.tui.widgets.lines import Part, part

__all__ = ["GroupDevicesScreen"]


class GroupDevicesScreen(DevicesScreen):
    """Over the Groups screen; all that can be done with devices can be done here. `esc` stops the reading, then leaves.

    group_ids: the group, and those below it when their devices are meant too. path: of the group, in names.
    """

    TAB: ClassVar[str] = "groups"

    def __init__(self, session: Any, group_ids: tuple[str, ...], path: str) -> None:
        super().__init__(session)
        self.group_ids = group_ids
        self.asked.group = group_ids
        self.asked.place = clean(path, 200)
        self.reading = ""
        self.trouble = ""
        self._stop = asyncio.Event()
        self._untouched = float("-inf")

    def on_mount(self) -> None:
        self._untouched = self.app.last_key
        self.app.spawn(self._read(False), "members")

    def on_unmount(self, event: events.Unmount) -> None:
        # Nobody looks any more: what was read is kept, the rest is not asked for.
        self._stop.set()

    # --- reading ---

    async def _read(self, fresh: bool) -> None:
        """Ask for the members of each group; the rows come as they are read."""
        if self.reading:
            return
        self._stop.clear()
        self.trouble = ""
        notes: list[str] = []
        for number, key in enumerate(self.group_ids):
            if self._stop.is_set() or self.gone:
                break
            self._progress(number, 0, None)
            try:
                found = await self.session.groups.members(
                    key, fresh=fresh, stop=self._stop,
                    progress=lambda done, total, number=number: self._progress(number, done, total),
                )  # fmt: skip
            except FleetError as error:
                if error.kind is Kind.NOT_FOUND and number:
                    # A group below is gone meanwhile: the tree says so, the others go on.
                    continue
                self.trouble = error.sentence()
                break
            if found.note:
                notes.append(found.note)
        if self._stop.is_set():
            self.trouble = "Stopped: not all devices were read; r reads on."
        elif not self.trouble and notes:
            self.trouble = f"{notes[0][:1].upper()}{notes[0][1:]}."
        self.reading = ""
        if not self.gone:
            # Until a key is pressed nobody has chosen a device: the list begins at its beginning.
            self.ask_again(top=self.app.last_key == self._untouched)
            self.say()
            if self.trouble:
                self.tell(self.trouble, "warning")

    def _progress(self, number: int, done: int, total: int | None) -> None:
        if self.gone:
            return
        groups = f"group {number + 1} of {len(self.group_ids)}, " if len(self.group_ids) > 1 else ""
        of = f" of {total:,}" if total is not None else ""
        self.reading = f"reading {groups}{done:,}{of}, esc stops"
        if done and not self.source.count():
            # Nothing is on the screen yet that could jump.
            self.ask_again()
        self.say()

    def action_refresh_now(self) -> None:
        self.app.spawn(self._read(True), "members")

    def escape(self) -> bool:
        if self.reading and not self._stop.is_set():
            self._stop.set()
            return True
        return super().escape()

    # --- saying ---

    def remarks(self) -> list[Part]:
        if self.reading:
            return [part(f"{self.reading}   ", "info")]
        return [part("not all read   ", "warn")] if self.trouble else []

    def whole(self) -> int | None:
        """How many there are before anything is typed: of the group, not of the fleet."""
        return self._total

    def nothing(self) -> str:
        below = " or below it" if len(self.group_ids) > 1 else ""
        if self.reading:
            return f"No device of {self.asked.place}{below} is known yet.\nThe service is asked: {self.reading}."
        if self.trouble:
            return f"The devices of {self.asked.place} could not be read: {self.trouble}\nr tries again."
        return f"No device is in {self.asked.place}{below}.\nesc goes back to the groups."
