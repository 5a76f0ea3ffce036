"""What a grid shows: columns, cells, where the rows come from, and the marks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `width` is in terminal cells, and the least it gets while it is shown.

    Where there is no room for all, the column with the highest `priority` number goes first; the first column
    of a grid always stays. `flex` is its share of what is left over. `clip` says where the ellipsis goes:
    at the end of words, in the middle of ids. `most` bounds what `flex` may make of it (0: nothing does).
    """

    key: str
    title: str
    width: int
    align: Literal["left", "right"] = "left"
    priority: int = 0
    flex: int = 0
    clip: Literal["end", "middle"] = "end"
    most: int = 0


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in one cell; `role` is a theme role, empty for plain text."""

    text: str
    role: str = ""


class GridSource(Protocol):
    """Rows by index and id, answered at once from a cache: nothing here may block or await."""

    def count(self) -> int: ...

    def id_at(self, index: int) -> str: ...

    def index_of(self, row_id: str) -> int | None: ...

    def cells(self, row_id: str, columns: Sequence[Column]) -> Sequence[Cell] | None:
        """One cell a column; None while the row is not loaded (it is drawn as dots)."""
        ...

    def glyph(self, row_id: str) -> Cell:
        """The state glyph: one cell wide."""
        ...

    def want(self, first: int, last: int) -> None:
        """The rows that will be drawn, both ends included, with a margin. Fetch, then call `rows_changed`."""
        ...


class Seeking(Protocol):
    """A source that also knows where the next match or fault is (keys n and N)."""

    def seek(self, index: int, step: int) -> int | None: ...


class Marks:
    """Marked ids in the order in which they were marked. Belongs to a screen; any grid may show it.

    Ids, never row numbers: marks outlive sorting, filtering and polls.
    """

    def __init__(self, ids: Iterable[str] = ()) -> None:
        self._ids: dict[str, None] = dict.fromkeys(ids)
        self._cleared: dict[str, None] = {}

    def __contains__(self, row_id: object) -> bool:
        return row_id in self._ids

    def __iter__(self) -> Iterator[str]:
        return iter(self._ids)

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, row_id: str) -> None:
        self._ids[row_id] = None

    def discard(self, row_id: str) -> None:
        self._ids.pop(row_id, None)

    def toggle(self, row_id: str) -> None:
        if row_id in self._ids:
            del self._ids[row_id]
        else:
            self._ids[row_id] = None

    def update(self, ids: Iterable[str]) -> None:
        self._ids.update(dict.fromkeys(ids))

    def replace(self, ids: Iterable[str]) -> None:
        self._ids = dict.fromkeys(ids)

    def clear_or_restore(self) -> None:
        """Clear the marks; where there are none, bring back those cleared last."""
        if self._ids:
            self._cleared, self._ids = self._ids, {}
        else:
            self._ids, self._cleared = self._cleared, {}
