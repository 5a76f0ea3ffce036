"""What the sources of lists share: ids in order, and rows that are all at hand. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["HeldRows", "Rows"]


class Rows:
    """The order that the grid asks a source for; `_show` says it."""

    def __init__(self) -> None:
        self._ids: list[str] = []
        self._places: dict[str, int] | None = None

    def count(self) -> int:
        """Rows in view."""
        return len(self._ids)

    def id_at(self, index: int) -> str:
        """The id of a row in view."""
        return self._ids[index]

    def index_of(self, row_id: str) -> int | None:
        """Where a row is in view; None where it is not."""
        if self._places is None:
            self._places = {key: index for index, key in enumerate(self._ids)}
        return self._places.get(row_id)

    def want(self, first: int, last: int) -> None:
        """Everything is at hand."""

    def _show(self, ids: Sequence[str]) -> bool:
        """Put these in view; whether the rows or their order changed."""
        if self._ids == (found := list(ids)):
            return False
        self._ids, self._places = found, None
        return True

    def _next(self, index: int, step: int, wanted: Callable[[str], bool]) -> int | None:
        """The next row from there in this direction that is wanted."""
        place = index + step
        while 0 <= place < len(self._ids):
            if wanted(self._ids[place]):
                return place
            place += step
        return None


class HeldRows(Rows):
    """What the lists of policies, of commands and the like show. `_held`: everything by id."""

    def __init__(self) -> None:
        super().__init__()
        self._held: dict[str, Any] = {}
        # Ids as the service listed them for what was asked; None: all that is held.
        self.served: list[str] | None = None

    def total(self) -> int:
        """All that is held, in view or not."""
        return len(self._held)

    def of(self) -> int:
        """Out of how many the filter chooses: what the service listed, else all that is held."""
        return self.total() if self.served is None else sum(1 for key in self.served if key in self._held)

    def all(self) -> list[Any]:
        """All that is held, in no order."""
        return list(self._held.values())

    def row(self, row_id: str | None) -> Any:
        """What a row shows; None where there is none."""
        return self._held.get(row_id) if row_id is not None else None
