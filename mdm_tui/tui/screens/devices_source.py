"""The rows of the Devices screen: ids in order, and a window of rows from the mirror, fetched as they are needed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mdm_tui.tui.screens import devices_text
from mdm_tui.tui.screens.held import Rows
from mdm_tui.tui.widgets.grid import Cell, Column

if TYPE_CHECKING:
    from mdm_tui.store.mirror import Mirror, Row

__all__ = ["DevicesSource"]

_KEPT = 2_000  # rows in memory; far more than any screen shows


class DevicesSource(Rows):
    """A `GridSource` over one connection's mirror. `changed(ids)` is called when rows arrived or differ."""

    def __init__(
        self,
        mirror: Mirror,
        scope: str,
        now: Callable[[], float],
        spawn: Callable[[Any, str], asyncio.Task[Any]],
        changed: Callable[[Collection[str]], None],
        learn: Callable[[int], None],
    ) -> None:
        """learn(step): find out which devices have faults, then seek by `step` again."""
        super().__init__()
        self._mirror = mirror
        self._scope = scope
        self._now = now
        self._spawn = spawn
        self._changed = changed
        self._rows: dict[str, Row] = {}
        self._stale: set[str] = set()
        self._range: tuple[int, int] = (0, -1)
        self._task: asyncio.Task[Any] | None = None
        self._learn = learn
        self._faulty: frozenset[str] | None = None

    # --- what the grid asks ---

    def cells(self, row_id: str, columns: Sequence[Column]) -> Sequence[Cell] | None:
        row = self._rows.get(row_id)
        return None if row is None else devices_text.cells(row.values, row.unreadable, columns, self._now())

    def glyph(self, row_id: str) -> Cell:
        row = self._rows.get(row_id)
        return Cell("") if row is None else devices_text.glyph(row.values, row.unreadable)

    def want(self, first: int, last: int) -> None:
        self._range = (first, last)
        self._fetch()

    def seek(self, index: int, step: int) -> int | None:
        """The next row with a fault. Which rows have one is read when it is first asked, and after changes."""
        if self._faulty is None:
            self._learn(step)
            return None
        return self._next(index, step, self._faulty.__contains__)

    # --- what the screen tells ---

    @property
    def ids(self) -> list[str]:
        """The rows, top to bottom."""
        return self._ids

    def row(self, row_id: str | None) -> Row | None:
        """The row if it is in memory."""
        return self._rows.get(row_id) if row_id is not None else None

    def put(self, ids: list[str], rows: Iterable[Row] = ()) -> None:
        """A new order, perhaps with rows that came along."""
        self._show(ids)
        for row in rows:
            self._rows[row.id] = row

    def know_faulty(self, ids: Iterable[str]) -> None:
        """Which devices have faults; for `n` and `N`."""
        self._faulty = frozenset(ids)

    def outdated(self, ids: Iterable[str] | None) -> None:
        """These rows changed (None: any may have): what is wanted is fetched again, the rest forgotten."""
        self._faulty = None
        wanted = set(self._wanted_ids())
        touched = set(self._rows) if ids is None else {row_id for row_id in ids if row_id in self._rows}
        self._stale |= touched & wanted
        for row_id in touched - wanted:
            del self._rows[row_id]
        self._fetch()

    async def read(self, ids: Sequence[str]) -> list[Row]:
        """Rows from the mirror, in the order of `ids`; gone ones are left out."""
        rows = await self._mirror.rows(self._scope, ids)
        return [rows[row_id] for row_id in ids if row_id in rows]

    # --- fetching ---

    async def rows_of(self, ids: Sequence[str]) -> Mapping[str, Any]:
        """Rows from the mirror, by id."""
        return await self._mirror.rows(self._scope, ids)

    def _wanted_ids(self) -> list[str]:
        first, last = self._range
        return self.ids[max(first, 0) : last + 1]

    def _missing(self) -> list[str]:
        return [row_id for row_id in self._wanted_ids() if row_id not in self._rows or row_id in self._stale]

    def _fetch(self) -> None:
        if (self._task is None or self._task.done()) and self._missing():
            self._task = self._spawn(self._fetch_all(), "rows")

    async def _fetch_all(self) -> None:
        while missing := self._missing():
            self._stale.difference_update(missing)
            found = await self.rows_of(missing)
            for row_id in missing:
                row = found.get(row_id)
                if row is None:
                    self._rows.pop(row_id, None)
                else:
                    self._rows[row_id] = row
            self._changed(missing)
            if any(row_id not in found for row_id in missing):
                # Removed since the order was read: the next order will not have it; asking again would not help.
                return
            self._forget()

    def _forget(self) -> None:
        if len(self._rows) > _KEPT:
            wanted = set(self._wanted_ids())
            for row_id in [row_id for row_id in self._rows if row_id not in wanted][: len(self._rows) - _KEPT]:
                del self._rows[row_id]
