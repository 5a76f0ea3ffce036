"""Rows that are all at hand: what the lists of policies and of commands share. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["HeldRows"]


class HeldRows:
    """What the grid asks of a source. `_held`: everything by id; `_show` says what is in view, in order."""

    def __init__(self) -> None:
        self._held: dict[str, Any] = {}
        self._ids: list[str] = []
        self._places: dict[str, int] = {}

    def count(self) -> int:
        """Rows in view."""
        return len(self._ids)

    def id_at(self, index: int) -> str:
        """The id of a row in view."""
        return self._ids[index]

    def index_of(self, row_id: str) -> int | None:
        """Where a row is in view; None where it is not."""
        return self._places.get(row_id)

    def want(self, first: int, last: int) -> None:
        """Everything is at hand."""

    def total(self) -> int:
        """All that is held, in view or not."""
        return len(self._held)

    def all(self) -> list[Any]:
        """All that is held, in no order."""
        return list(self._held.values())

    def row(self, row_id: str | None) -> Any:
        """What a row shows; None where there is none."""
        return self._held.get(row_id) if row_id is not None else None

    def _show(self, ids: Sequence[str]) -> bool:
        """Put these in view; whether the rows or their order changed."""
        before, self._ids = self._ids, list(ids)
        self._places = {row_id: index for index, row_id in enumerate(self._ids)}
        return before != self._ids
