"""What the services tell: facts without data. Who shows them asks the mirror or the service for the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = [
    "CommandsChanged",
    "DetailChanged",
    "DevicesChanged",
    "Event",
    "ItemsChanged",
    "Noticed",
    "PoliciesChanged",
    "Severity",
    "SyncChanged",
]

Severity = Literal["info", "good", "warn", "bad"]


@dataclass(frozen=True, slots=True)
class DevicesChanged:
    """Rows changed. ids None: anything may have. moved: order or membership of lists may have changed."""

    connection: str
    ids: frozenset[str] | None = None
    fields: frozenset[str] = frozenset()
    moved: bool = False


@dataclass(frozen=True, slots=True)
class SyncChanged:
    """The state of the synchronisation changed (see `Sync.state`)."""

    connection: str


@dataclass(frozen=True, slots=True)
class CommandsChanged:
    """The queue changed. intent_ids None: anything may have, commands made elsewhere among it."""

    connection: str
    intent_ids: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class PoliciesChanged:
    """Policies changed. ids None: anything may have."""

    connection: str
    ids: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class ItemsChanged:
    """Groups, apps, images or rollouts changed (`kind`). ids None: anything may have."""

    connection: str
    kind: Literal["groups", "apps", "images", "rollouts"]
    ids: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class RegistrationChanged:
    """A registration of devices went on."""

    connection: str


@dataclass(frozen=True, slots=True)
class DetailChanged:
    """The full view of one device was read and differs from what was held."""

    connection: str
    id: str


@dataclass(frozen=True, slots=True)
class Noticed:
    """A sentence for the person, for a toast and the activity."""

    connection: str
    severity: Severity
    sentence: str


Event = (
    DevicesChanged
    | SyncChanged
    | CommandsChanged
    | PoliciesChanged
    | ItemsChanged
    | RegistrationChanged
    | DetailChanged
    | Noticed
)
