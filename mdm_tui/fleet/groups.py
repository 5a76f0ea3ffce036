"""Groups of devices: a tree that the service keeps as a flat list, with all that can be wrong in one."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Group"]


@dataclass(frozen=True, slots=True)
class Group:
    """One group as the service lists it.

    parent: the id of the group above, "" for none. devices: how many are in it, without those in groups below.
    Times in epoch seconds. raw: the JSON text as the service sent it, so that what we do not know survives a change.
    unreadable: why the item could not be understood, "" when it could.
    """

    id: str
    name: str
    parent: str = ""
    devices: int | None = None
    enabled: bool | None = None
    created_at: float | None = None
    updated_at: float | None = None
    raw: str = "{}"
    unreadable: str = ""
