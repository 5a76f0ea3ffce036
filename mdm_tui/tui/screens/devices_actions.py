"""What a person can do on the Devices screen beside moving: sort, columns, copy, export, act, edit."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from mdm_tui.fleet.fields import COLUMNS, default_columns, offered
from mdm_tui.tui.screens import devices_text
from mdm_tui.tui.screens.devices_view import target_ids

if TYPE_CHECKING:
    from mdm_tui.tui.screens.devices_source import DevicesSource
    from mdm_tui.tui.screens.devices_view import Asked
    from mdm_tui.tui.screens.settled_screen import SettledScreen as _Base
else:
    _Base = object

__all__ = ["DevicesActions"]


class DevicesActions(_Base):
    """Mixed into `DevicesScreen`, which has the state."""

    if TYPE_CHECKING:
        source: DevicesSource
        asked: Asked

    # --- order and columns ---

    def sortable(self) -> dict[str, str]:
        shown = [key for key in self.asked.columns if key in COLUMNS]
        rest = offered(self.session.factory.capabilities)
        return {key: COLUMNS[key].title for key in (*shown, *rest)}

    def columns_sorted(self) -> None:
        self.set_columns(self.asked.columns)

    def set_columns(self, keys: tuple[str, ...]) -> None:
        """Show these columns; those sorted by are shown too."""
        self.asked.columns = keys
        by = [key for key, _down in self.asked.sort]
        missing = [key for key in by if key not in keys]
        shown = (*keys[:1], *missing, *keys[1:])
        self.grid.set_columns(devices_text.columns(shown, by))
        self.grid.sort = self.asked.sort

    def action_columns(self) -> None:
        from mdm_tui.tui.screens.ask import Choose

        keys = offered(self.session.factory.capabilities)
        options = [(key, COLUMNS[key].full, COLUMNS[key].doc) for key in keys if key != "name"]
        dialog = Choose("Columns", options, keep=set(self.asked.columns))
        self.app.push_screen(dialog, self._chose_columns)

    def _chose_columns(self, chosen: set[str] | None) -> None:
        if chosen is None:
            return
        # What was shown keeps its order, what is new comes in the registry's.
        chosen = chosen - {"name"}
        kept = [key for key in self.asked.columns if key in chosen]
        new = [key for key in COLUMNS if key in chosen and key not in kept]
        self.set_columns(("name", *kept, *new) if chosen else default_columns(self.session.factory.capabilities))

    # --- what is shown ---

    def action_faults_only(self) -> None:
        self.asked.faults_only = not self.asked.faults_only
        self.ask_again(top=True)

    def action_refresh_now(self) -> None:
        if self.session.sync is not None:
            self.session.sync.poke()
        self.ask_again()

    async def find_wrong(self) -> list[str]:
        from mdm_tui.store.mirror import View

        return await self.session.mirror.ids(View(self.session.scope, faults_only=True, now=self.app.now()))

    # --- out of here ---

    async def tickets(self, ids: list[str]) -> list[str]:
        now = self.app.now()
        return [devices_text.ticket(row.id, row.values, now) for row in await self.source.read(ids)]

    def action_export(self) -> None:
        from mdm_tui.tui.screens import devices_export

        count = len(self.grid.marks) or self.source.count()
        what = "marked devices" if self.grid.marks else "devices"
        narrowed = self.app.narrowed(self.session)
        where = f" of segment {narrowed.name}" if narrowed.ids else ""
        devices_export.ask(self, count, what, self._export, f"{where}, {len(self.grid.columns)} columns")

    async def _export(self, kind: str) -> None:
        from mdm_tui.tui.screens import devices_export

        now = self.app.now()
        ids = list(self.grid.marks) or list(self.source.ids)
        keys = list(dict.fromkeys(("id", *(column.key for column in self.grid.columns))))
        found: list[dict[str, str]] = []
        for start in range(0, len(ids), 500):
            rows = await self.source.read(ids[start : start + 500])
            found.extend(devices_text.plain_values({**row.values, "id": row.id}, keys, now) for row in rows)
        place = re.sub(r"[^A-Za-z0-9]+", "-", self.app.narrowed(self.session).name).strip("-")
        await devices_export.export(self, kind, "devices", keys, found, f"devices-{place}" if place else "")

    # --- other screens ---

    def action_register(self) -> None:
        """Devices from a list; on the devices of a group they join it."""
        from mdm_tui.tui.screens.register import open_register

        open_register(self.app, self.session, self.asked.group[0] if self.asked.group else "")

    def action_act(self) -> None:
        self._with_targets("act on", self._act_on)

    def _act_on(self, ids: list[str]) -> None:
        from mdm_tui.tui.screens.act import open_act

        open_act(self, self.session, ids)

    def action_edit(self) -> None:
        cursor = self.grid.cursor_id
        if self.grid.marks and (len(self.grid.marks) > 1 or cursor not in self.grid.marks):
            self.tell("One device is edited at a time: clear the marks (u), or open the device.", "warning")
        elif cursor is not None:
            from mdm_tui.tui.screens.device_edit import open_edit

            open_edit(self, self.session, cursor)

    def _with_targets(self, verb: str, do: Any) -> None:
        """The targets of RULES §1: with marks and the cursor elsewhere the person says which, without a default."""
        marks, cursor = list(self.grid.marks), self.grid.cursor_id
        if not marks or cursor is None or cursor in self.grid.marks:
            if ids := target_ids(marks, cursor):
                do(ids)
            return
        from mdm_tui.tui.screens.ask import Choose

        row = self.source.row(cursor)
        name = str(row.values.get("name") or cursor) if row else cursor
        marked = "the marked device" if len(marks) == 1 else f"the {len(marks):,} marked devices"
        dialog = Choose(
            f"The cursor is not on a marked device: {verb} what?",
            [("marks", marked, ""), ("cursor", f"only {name}", "under the cursor")],
            none=True,
        )
        self.app.push_screen(dialog, lambda key: key and do(marks if key == "marks" else [cursor]))
