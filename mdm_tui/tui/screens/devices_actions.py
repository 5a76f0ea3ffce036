"""What a person can do on the Devices screen beside moving: sort, columns, copy, export, act, edit."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mdm_tui.fleet.fields import COLUMNS, default_columns, offered
from mdm_tui.tui.screens import devices_text
from mdm_tui.tui.screens.devices_view import sorted_with, target_ids

if TYPE_CHECKING:
    from mdm_tui.tui.screens.base import FleetScreen as _Base
    from mdm_tui.tui.screens.base import List
    from mdm_tui.tui.screens.devices_source import DevicesSource
    from mdm_tui.tui.screens.devices_view import Asked, Settling
    from mdm_tui.tui.widgets.preview import Preview
else:
    _Base = object

__all__ = ["DevicesActions"]


class DevicesActions(_Base):
    """Mixed into `DevicesScreen`, which has the state."""

    if TYPE_CHECKING:
        source: DevicesSource
        grid: List
        asked: Asked
        settling: Settling
        preview: Preview

        def ask_again(self, *, top: bool = False) -> None: ...
        def say_counts(self) -> None: ...
        def show_preview(self) -> None: ...

    # --- order and columns ---

    def action_sort(self) -> None:
        self._choose_sort(add=False)

    def action_sort_add(self) -> None:
        self._choose_sort(add=True)

    def _choose_sort(self, *, add: bool) -> None:
        from mdm_tui.tui.screens.ask import Choose

        now = dict(self.asked.sort)
        notes = {key: "down" if down else "up" for key, down in now.items()}
        shown = [key for key in self.asked.columns if key in COLUMNS]
        rest = [key for key in offered(self.session.factory.capabilities) if key not in shown]
        options = [(key, COLUMNS[key].title, notes.get(key, "")) for key in (*shown, *rest)]
        title = "Then sort by" if add else "Sort by (the same one again turns it round)"
        self.app.push_screen(
            Choose(title, options, now=self.asked.sort[0][0]), lambda key: key and self.sort_by(key, add=add)
        )

    def sort_by(self, key: str, *, add: bool = False) -> None:
        """Sort by a column of the registry."""
        self.asked.sort = sorted_with(self.asked.sort, key, add=add)
        self.set_columns(self.asked.columns)
        self.ask_again(top=True)

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

    def action_only_marked(self) -> None:
        if not self.asked.marked_only and not self.grid.marks:
            self.tell("Nothing is marked; space marks a device.")
            return
        self.asked.marked_only = not self.asked.marked_only
        self.ask_again(top=True)

    def action_freeze(self) -> None:
        self.settling.frozen = not self.settling.frozen
        if not self.settling.frozen:
            self.ask_again()
        self.say_counts()

    def action_refresh_now(self) -> None:
        if self.session.sync is not None:
            self.session.sync.poke()
        self.ask_again()

    def action_preview(self) -> None:
        self.preview.toggle_class("-off")
        self.show_preview()

    # --- the next fault ---

    def _learn(self, step: int) -> None:
        self.app.spawn(self._learn_faults(step), "faults")

    async def _learn_faults(self, step: int) -> None:
        from mdm_tui.store.mirror import View
        from mdm_tui.store.threads import Interrupted

        view = View(self.session.scope, faults_only=True, now=self.app.now())
        try:
            self.source.know_faulty(await self.session.mirror.ids(view))
        except Interrupted:
            return
        if step > 0:
            self.grid.action_next()
        else:
            self.grid.action_previous()

    # --- out of here ---

    def action_copy(self) -> None:
        ids = target_ids(list(self.grid.marks), self.grid.cursor_id)
        if ids:
            self.app.spawn(self._copy(ids), "copy")

    async def _copy(self, ids: list[str]) -> None:
        now = self.app.now()
        rows = await self.source.read(ids)
        text = "\n".join(devices_text.ticket(row.id, row.values, now) for row in rows)
        self.app.copy_text(text, "The device" if len(rows) == 1 else f"{len(rows)} devices")

    def action_export(self) -> None:
        from mdm_tui.tui.screens.ask import Choose

        count = len(self.grid.marks) or self.source.count()
        what = "marked devices" if self.grid.marks else "devices"
        options = [("csv", "CSV", "for spreadsheets"), ("json", "JSON", "one array of objects")]
        narrowed = self.app.narrowed(self.session)
        where = f" of segment {narrowed.name}" if narrowed.ids else ""
        title = f"Export {count:,} {what}{where}, {len(self.grid.columns)} columns"
        self.app.push_screen(Choose(title, options), self._export_as)

    def _export_as(self, kind: str | None) -> None:
        if kind:
            self.app.spawn(self._export(kind), "export")

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
        name = f"devices-{place}" if place else "devices"
        make = devices_export.as_csv if kind == "csv" else devices_export.as_json
        try:
            path = await asyncio.to_thread(lambda: devices_export.write(Path.cwd(), name, kind, make(keys, found), now))
        except OSError as error:
            self.tell(f"The export could not be written: {error.strerror or error}.", "error")
            return
        self.tell(f"{len(found):,} devices written to {path}")

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
