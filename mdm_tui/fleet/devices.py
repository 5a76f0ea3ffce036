"""Devices as the console knows them, whoever manages them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

__all__ = ["App", "Assignment", "Device", "DeviceChanges", "DeviceKey", "Segment", "User"]

Value = str | int | float | None


class DeviceKey(NamedTuple):
    """The identity of a device everywhere: the connection's scope and the service's id."""

    connection: str
    id: str


@dataclass(slots=True)
class Device:
    """One device as last seen.

    values: the registry's column fields (see `fields.py`), cleaned for display, typed for sorting; times are
    seconds since the epoch. raw: the JSON text as the service sent it, secrets redacted. detail: whether `raw` is the
    full view rather than a list row. unreadable: why the item could not be understood, "" when it could.
    """

    id: str
    values: dict[str, Value]
    raw: str
    detail: bool = False
    unreadable: str = ""


@dataclass(frozen=True, slots=True)
class Assignment:
    """One policy in a device's ordered stack; the lower priority number wins."""

    policy_id: str
    priority: int
    name: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class DeviceChanges:
    """What an edit touches, and only that. Keys are the neutral field names below; absent means untouched.

    display_name: str · tags: list[str] · policy_id: str | None · assignments: list[Assignment] ·
    user_id: str | None (None unlinks) · push_provider: str | None · segment_id: int | None
    """

    values: Mapping[str, Any] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.values)


@dataclass(frozen=True, slots=True)
class User:
    """A person a device can be linked to."""

    id: str
    email: str
    name: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Segment:
    """A scope inside a fleet; depth 0 is the root's children's parent."""

    id: int
    name: str
    parent: int | None = None
    depth: int = 0


@dataclass(frozen=True, slots=True)
class App:
    """An application on a device. size, data: bytes of the app and of its data. Times in epoch seconds.

    reported_at: when the device told of it, as far as the service says.
    """

    package: str
    name: str = ""
    version: str = ""
    version_code: str = ""
    state: str = ""
    source: str = ""
    size: int | None = None
    data: int | None = None
    target_sdk: str = ""
    installed_at: float | None = None
    updated_at: float | None = None
    reported_at: float | None = None
    raw: str = ""
