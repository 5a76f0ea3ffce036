"""What a provider is: the one seam between the console and a vendor's service.

The screens ask for capabilities, never for a vendor. Every method may raise `FleetError` and nothing else;
every string that is meant for display has been cleaned.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Generic, Protocol, TypeVar

from .commands import Command, Order, PushStatus
from .devices import App, Device, DeviceChanges, Segment, User
from .errors import Problem
from .policies import Policy
from .report import Report

__all__ = ["Capability", "Meter", "Page", "Provider", "ProviderFactory", "Purpose", "Scope"]

T = TypeVar("T")


class Capability(Enum):
    """What a screen may ask for."""

    DEVICES = "devices"
    DEVICE_EDIT = "device_edit"
    DEVICE_APPS = "device_apps"
    COMMANDS = "commands"
    COMMAND_CANCEL = "command_cancel"
    POLICIES = "policies"
    POLICY_EDIT = "policy_edit"
    USERS = "users"
    SEGMENTS = "segments"
    TAGS = "tags"
    GROUPS = "groups"
    APPS = "apps"
    IMAGES = "images"
    ROLLOUTS = "rollouts"


class Purpose(Enum):
    """Who spends the call budget."""

    LIST = "list"
    DETAIL = "detail"
    COMMANDS = "commands"
    EDIT = "edit"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Scope:
    """A part of the fleet: a segment, with or without what is below (`children`) or above it (`ancestors`)."""

    segment_id: int
    expand: str = ""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page. total: how many there are in all, as the service says (None when it does not)."""

    items: list[T]
    page: int
    total: int | None
    has_next: bool


@dataclass(slots=True)
class Meter:
    """Calls of the last hour, by purpose. limit: the budget of calls an hour."""

    limit: int = 10_000
    used: int = 0
    by_purpose: dict[Purpose, int] = field(default_factory=dict)
    paused_until: float = 0.0


class Provider(Protocol):
    """A connected service."""

    kind: str
    capabilities: frozenset[Capability]
    commands: Sequence[str]

    @property
    def meter(self) -> Meter:
        """Calls of the last hour and the pause in force."""
        ...

    @property
    def clock_skew(self) -> float | None:
        """The service's clock minus ours in seconds, None while unknown."""
        ...

    # devices
    async def devices(
        self, page: int, limit: int, *, newest_first: bool = False, scope: Scope | None = None
    ) -> Page[Device]:
        """A page of devices, pages from 1; newest_first sorts by last change, else by an immutable key."""
        ...

    async def device(self, device_id: str) -> Device:
        """One device in full."""
        ...

    async def update_device(self, device_id: str, changes: DeviceChanges) -> Device:
        """Send only what was touched; the answer may be a list row: read the device again for the full view."""
        ...

    async def device_apps(self, device_id: str) -> list[App]: ...

    def check_changes(self, changes: DeviceChanges) -> list[Problem]:
        """The contract's limits, checked before sending; paths start with the neutral field name."""
        ...

    # commands
    async def device_commands(self, device_id: str, page: int = 1, limit: int = 50) -> Page[Command]:
        """Newest first."""
        ...

    async def send(self, device_id: str, order: Order, key: str) -> Command | None:
        """Send once, never retried here. key: the intent's idempotency key.

        None: the service took it without naming a record (disenrolling). A FleetError tells by `sent` how far it got.
        """
        ...

    async def command(self, device_id: str, command_id: str) -> Command: ...

    async def push_status(self, device_id: str, command_id: str) -> PushStatus: ...

    async def cancel(self, device_id: str, command_id: str) -> Command: ...

    # policies
    async def policies(
        self, page: int, limit: int, *, sort: str = "", name: str = "", scope: Scope | None = None
    ) -> Page[Policy]:
        """sort: a field path with optional `:asc` or `:desc`."""
        ...

    async def policy(self, policy_id: str) -> Policy: ...

    async def create_policy(self, document: Mapping[str, Any], key: str) -> Policy: ...

    async def update_policy(self, policy_id: str, document: Mapping[str, Any]) -> Policy: ...

    async def delete_policy(self, policy_id: str) -> None: ...

    async def policy_templates(self) -> list[Policy]: ...

    def check_policy(self, document: Any) -> list[Problem]:
        """Check a policy document against the contract; what the contract does not name is a warning."""
        ...

    def policy_body(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """The part of a policy document that may be sent: without what the service computes."""
        ...

    # the organisation
    async def users(self, search: str = "", page: int = 1, limit: int = 50) -> Page[User]: ...

    async def segments(self) -> list[Segment]: ...

    async def tags(self) -> list[str]: ...

    async def aclose(self) -> None: ...


class ProviderFactory(Protocol):
    """What a provider package offers under the entry point group `mdm_tui.providers`.

    Importing the factory and calling `report` must not import a network or model library: the first frame needs them.
    """

    kind: str
    title: str
    capabilities: frozenset[Capability]
    commands: Sequence[str]

    def report(self, raw: Mapping[str, Any]) -> Report:
        """The report of a raw device in neutral words; unknown parts land in the section `other`."""
        ...

    def connect(
        self, settings: Any, token: Any, *, transport: Any = None, clock: Callable[[], float] | None = None
    ) -> Provider:
        """A provider for the connection; imports its libraries now. settings: `config.connections.Connection`.

        token: text, or an object whose `reveal()` gives it. transport, clock: for tests.
        """
        ...
