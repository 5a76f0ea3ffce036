"""Single values as MiDM sends them: switches in quotes, times as text or numbers. Pure, standard library only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from mdm_tui.fleet.values import number, parse_time

__all__ = ["at_place", "flag", "moment"]

# 1e11 seconds are the year 5138, 1e11 milliseconds are 1973: nothing here was built or seen on the wrong side.
_MILLISECONDS = 1e11
_YEARS = range(1990, 2101)


def flag(value: Any) -> bool | None:
    """A switch, also in quotes (the page's prose writes them so); None for anything else."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().lower())
    return None


def moment(value: Any) -> float | None:
    """Epoch seconds from ISO text, or from a number or numeric text: seconds or milliseconds, told by magnitude.

    Eight digits that read as a date of our time are that day. 0 and less are a time that was never set: None.
    """
    found = parse_time(value) if isinstance(value, str) else None
    if found is not None:
        return found
    stamp = number(value)
    if stamp is None or stamp <= 0:
        return None
    if isinstance(stamp, int) and (day := _day(stamp)) is not None:
        return day
    if stamp >= _MILLISECONDS:
        stamp /= 1000
    return float(stamp) if stamp < _MILLISECONDS else None


def _day(digits: int) -> float | None:
    year, rest = divmod(digits, 10_000)
    if year not in _YEARS:
        return None
    try:
        found = date(year, *divmod(rest, 100))
    except ValueError:
        return None
    return datetime(found.year, found.month, found.day, tzinfo=UTC).timestamp()


def at_place(document: Any, place: Sequence[str]) -> Any:
    """What stands under these names, one below the other; None where one of them is not there."""
    node = document
    for name in place:
        node = node.get(name) if isinstance(node, Mapping) else None
    return node
