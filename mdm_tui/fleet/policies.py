"""Policies: the summary a list shows, and the raw document an editor works on."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Policy"]


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy. `raw` is the JSON text as the service sent it, so that what we do not know survives an edit.

    Times in epoch seconds. unreadable: why the item could not be understood, "" when it could.
    """

    id: str
    name: str
    version: int | None = None
    description: str = ""
    segment_id: int | None = None
    private: bool | None = None
    applications: int = 0
    assets: int = 0
    updated_at: float | None = None
    created_at: float | None = None
    raw: str = "{}"
    unreadable: str = ""
