"""What the calls of several parts have in common: pages, identifiers, and values that must be there."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from mdm_tui.fleet.errors import FleetError, Kind, Sent
from mdm_tui.fleet.text import clean

__all__ = ["PAGE", "STEADY", "filled", "identifier", "invalid", "paged"]

_ID = re.compile(r"[A-Za-z0-9_.:-]{1,128}")
# Sorting a walk by what never changes keeps rows from moving between pages while it runs.
STEADY = (("sortBy", "uuid"), ("direction", "asc"))
PAGE = 100


def paged(page: int, limit: int, where: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    """The parameters of a page: counted from 0 there, from 1 here."""
    shown = json.dumps(where, ensure_ascii=False, separators=(",", ":")) if where else ""
    return (("filter", shown), ("page", page - 1), ("size", limit))


def invalid(what: str) -> FleetError:
    """A value that must not be sent."""
    return FleetError(Kind.INVALID, what, sent=Sent.NEVER)


def filled(value: str, what: str) -> str:
    """The value, unless it is blank. Raises INVALID."""
    if not value.strip():
        raise invalid(f"The {what} is empty, so nothing was sent")
    return value


def identifier(value: str) -> str:
    """The value, when it can be an id of this service. Raises NOT_FOUND."""
    if not _ID.fullmatch(value):
        raise FleetError(Kind.NOT_FOUND, f"{clean(value, 60)!r} is not an identifier of this service", sent=Sent.NEVER)
    return value
