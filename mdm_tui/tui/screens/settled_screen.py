"""A list whose rows are read from a mirror as they come into view, and whose order settles: Devices and Both.

News change cells in place at once; order and members settle by `Settling`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Coroutine, Iterable, Mapping
from typing import Any, ClassVar

from mdm_tui.tui.screens.devices_view import Settling, count_parts, sorted_with
from mdm_tui.tui.screens.list_screen import PreviewScreen
from mdm_tui.tui.widgets.grid import Grid
from mdm_tui.tui.widgets.lines import Part

__all__ = ["SettledScreen"]


class SettledScreen(PreviewScreen):
    """`asked`: what is shown, with `words`, `sort`, `marked_only`, `narrowed`, `clear`. `source`: a `DevicesSource`."""

    LIVE: ClassVar[bool] = True
    asked: Any

    def __init__(self, session: Any) -> None:
        super().__init__(session)
        self.settling = Settling()
        self._total: int | None = None
        self._asking = 0

    def _spawn(self, work: Coroutine[Any, Any, Any], what: str) -> asyncio.Task[Any]:
        return self.app.spawn(work, what)

    # --- what each list does itself ---

    async def find(self) -> tuple[list[str], int | None]:
        """The ids that are asked for, in order, and how many there are before anything is typed."""
        raise NotImplementedError

    async def find_wrong(self) -> Iterable[str]:
        """The ids that `n` and `N` go to."""
        raise NotImplementedError

    async def tickets(self, ids: list[str]) -> list[str]:
        """A line for each of these, fit for a ticket."""
        raise NotImplementedError

    def parts(self) -> list[Part]:
        """What is asked, for the line above the list."""
        raise NotImplementedError

    def remarks(self) -> list[Part]:
        """What else that line says, before the counts."""
        return []

    def why_empty(self) -> str:
        """What a list without rows says."""
        raise NotImplementedError

    def sortable(self) -> Mapping[str, str]:
        """Columns that it can be sorted by, and their titles."""
        raise NotImplementedError

    def columns_sorted(self) -> None:
        """Show the columns in the order that is asked for; those sorted by are shown too."""
        raise NotImplementedError

    # --- asking the mirror ---

    def ask_again(self, *, top: bool = False) -> None:
        """Read order and members again now. top: put the cursor on the first row."""
        self.settling.late = False
        self.app.spawn(self._ask(top), "order")

    async def _ask(self, top: bool) -> None:
        from mdm_tui.store.threads import Interrupted

        self._asking += 1
        mine = self._asking
        try:
            ids, total = await self.find()
        except Interrupted:
            # A newer question took its place.
            return
        if mine != self._asking or self.gone:
            return
        if total != self._total:
            self._total = total
            self.app.tick_header()
        self.source.put(ids)
        self.grid.order_changed()
        if top or self.app.last_key == float("-inf"):
            # Nobody has chosen a device yet: the list begins at its beginning.
            self.grid.move_cursor(0)
        self._say_empty()
        self.say()
        self.show_preview()
        self.app.attend()

    def _rows_in(self, ids: Collection[str]) -> None:
        self.grid.rows_changed(ids)
        if self.grid.cursor_id in ids:
            self.show_preview()

    def _moved(self) -> None:
        """Order or members are not any more as they are shown."""
        if not self.source.count():
            # Nothing is on the screen that could jump.
            self.ask_again()
        else:
            self.settling.late = True
            self.say()

    def tick(self) -> None:
        self.settling.last_key = max(self.settling.last_key, self.app.last_key)
        if self.settling.due(self.app.now(), len(self.grid.marks)):
            self.ask_again()
        super().tick()
        self._say_empty()

    # --- saying ---

    def say(self) -> None:
        marks = self.grid.marks
        outside = sum(1 for row_id in marks if self.source.index_of(row_id) is None) if marks else 0
        counts = count_parts(
            self.source.count(), self._total, self.asked.narrowed, len(marks), outside, self.grid.position,
            self.settling.late,
        )  # fmt: skip
        self.filter.say(self.parts(), [*self.remarks(), *counts])

    def _say_empty(self) -> None:
        if not self.source.count() and self.grid.empty != (words := self.why_empty()):
            self.grid.empty = words

    # --- what is shown ---

    def filtered_by(self) -> str:
        return self.asked.words

    def filter_by(self, text: str) -> None:
        if text != self.asked.words:
            self.asked.words = text
            self.ask_again(top=True)
            self.say()

    def on_grid_view_changed(self, event: Grid.ViewChanged) -> None:
        # Other devices are looked at now.
        self.app.attend()

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
        self.say()

    def escape(self) -> bool:
        if self.grid.end_range():
            return True
        if self.asked.narrowed:
            self.asked.clear()
            self.ask_again()
            return True
        return False

    # --- order ---

    def action_sort(self) -> None:
        self._choose_sort(add=False)

    def action_sort_add(self) -> None:
        self._choose_sort(add=True)

    def _choose_sort(self, *, add: bool) -> None:
        from mdm_tui.tui.screens.ask import Choose

        notes = {key: "down" if down else "up" for key, down in self.asked.sort}
        options = [(key, title, notes.get(key, "")) for key, title in self.sortable().items()]
        title = "Then sort by" if add else "Sort by (the same one again turns it round)"
        dialog = Choose(title, options, now=self.asked.sort[0][0])
        self.app.push_screen(dialog, lambda key: key and self.sort_by(key, add=add))

    def sort_by(self, key: str, *, add: bool = False) -> None:
        """Sort by one of `sortable`."""
        self.asked.sort = sorted_with(self.asked.sort, key, add=add)
        self.columns_sorted()
        self.ask_again(top=True)

    def on_grid_header_pressed(self, event: Grid.HeaderPressed) -> None:
        event.stop()
        if event.key in self.sortable():
            self.sort_by(event.key)

    # --- the next one that is wrong ---

    def _learn(self, step: int) -> None:
        self.app.spawn(self._learn_wrong(step), "wrong")

    async def _learn_wrong(self, step: int) -> None:
        from mdm_tui.store.threads import Interrupted

        try:
            self.source.know_faulty(await self.find_wrong())
        except Interrupted:
            return
        if step > 0:
            self.grid.action_next()
        else:
            self.grid.action_previous()

    # --- out of here ---

    def action_copy(self) -> None:
        if ids := self.target_ids():
            self.app.spawn(self._copy(ids), "copy")

    async def _copy(self, ids: list[str]) -> None:
        lines = await self.tickets(ids)
        self.app.copy_text("\n".join(lines), "The device" if len(lines) == 1 else f"{len(lines)} devices")
