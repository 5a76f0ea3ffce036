"""The rows of the Both screen: keys in order, and a window of joined rows, fetched as they are needed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mdm_tui.tui.screens import both_text
from mdm_tui.tui.screens.devices_source import DevicesSource
from mdm_tui.tui.widgets.grid import Cell, Column

if TYPE_CHECKING:
    from mdm_tui.services.twins import Twins
    from mdm_tui.store.mirror import TwinRow

__all__ = ["BothSource"]


class BothSource(DevicesSource):
    """A `GridSource` over all open connections; ids are the keys of joined rows."""

    def __init__(
        self,
        twins: Twins,
        systems: Callable[[], both_text.Systems],
        now: Callable[[], float],
        spawn: Callable[[Any, str], asyncio.Task[Any]],
        changed: Callable[[Collection[str]], None],
        learn: Callable[[int], None],
    ) -> None:
        super().__init__(None, "", now, spawn, changed, learn)  # type: ignore[arg-type]
        self._twins = twins
        self._systems = systems

    def cells(self, row_id: str, columns: Sequence[Column]) -> Sequence[Cell] | None:
        row = self.twin(row_id)
        return None if row is None else both_text.cells(row, columns, self._systems(), self._now())

    def glyph(self, row_id: str) -> Cell:
        row = self.twin(row_id)
        return Cell("") if row is None else both_text.glyph(row)

    def twin(self, row_id: str | None) -> TwinRow | None:
        """The joined row if it is in memory."""
        found: Any = self.row(row_id)
        return found

    async def rows_of(self, ids: Sequence[str]) -> Mapping[str, Any]:
        return await self._twins.rows(self._twins.view(), ids)

    async def twins_read(self, ids: Sequence[str]) -> list[TwinRow]:
        """Joined rows, in the order of `ids`; gone ones are left out."""
        rows = await self.rows_of(ids)
        return [rows[row_id] for row_id in ids if row_id in rows]
