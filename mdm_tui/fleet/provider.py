"""What a provider is: the one seam between the console and a vendor's service.

The screens ask for capabilities, never for a vendor. Every method may raise `FleetError` and nothing else;
every string that is meant for display has been cleaned.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from .catalogue import CatalogueApp, Image, LicenseModel
from .commands import Command, Order, PushStatus
from .devices import App, Device, DeviceChanges, Segment, User
from .errors import FleetError, Kind, Problem, Sent
from .groups import Group
from .policies import Policy
from .report import Report
from .rollouts import Rollout, RolloutFormat

if TYPE_CHECKING:
    from .registration import Place, Registration, RegistrationTerms

__all__ = ["Capability", "Meter", "Page", "Provider", "ProviderFactory", "Purpose", "Scope"]

T = TypeVar("T")


class Capability(Enum):
    """What a screen may ask for, or may expect a device to say.

    DEVICE_LINK: whether a device is connected now. DEVICE_POSTURE: security patch, encryption, compliance.
    LIST_BATTERY: the list of devices says the battery, not only a device read by itself.
    """

    DEVICES = "devices"
    DEVICE_EDIT = "device_edit"
    DEVICE_APPS = "device_apps"
    DEVICE_HAS_APP = "device_has_app"
    DEVICE_LINK = "device_link"
    DEVICE_POSTURE = "device_posture"
    LIST_BATTERY = "list_battery"
    DEVICE_REGISTER = "device_register"
    LICENSES = "licenses"
    COMMANDS = "commands"
    COMMAND_CANCEL = "command_cancel"
    POLICIES = "policies"
    POLICY_EDIT = "policy_edit"
    USERS = "users"
    SEGMENTS = "segments"
    TAGS = "tags"
    GROUPS = "groups"
    GROUP_EDIT = "group_edit"
    GROUP_DELETE = "group_delete"
    APPS = "apps"
    IMAGES = "images"
    ROLLOUTS = "rollouts"
    ROLLOUT_EDIT = "rollout_edit"


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


def _lacks(what: str) -> FleetError:
    return FleetError(Kind.UNSUPPORTED, f"This service offers no {what} through its API", sent=Sent.NEVER)


class Provider(Protocol):
    """A connected service.

    A provider inherits from this class and writes what its service can do, and says so in `capabilities`; what it
    leaves out answers UNSUPPORTED. rollout_format: the factory's `rollouts`, as the connection configures it.
    registered_calls: how many calls `registered` takes at most. registers_where: where new devices go when that is not
    simply where the connection is, as sentences to be shown before; "" when it is.
    newest_by: the columns (times) by which `devices` can sort newest first; one that misses no change, or several that
    miss none together.
    """

    kind: str
    capabilities: frozenset[Capability]
    commands: Sequence[str]
    rollout_format: RolloutFormat | None = None
    registered_calls: int = 1
    registers_where: str = ""
    newest_by: Sequence[str] = ("updated",)

    @property
    def meter(self) -> Meter:
        """Calls of the last hour and the pause in force."""
        ...

    @property
    def clock_skew(self) -> float | None:
        """The service's clock minus ours in seconds, None while unknown."""
        ...

    @property
    def hides(self) -> Sequence[str]:
        """Texts that no report may repeat: the secrets in use, and what the service gave for them, as a session."""
        return ()

    # devices
    async def devices(
        self,
        page: int,
        limit: int,
        *,
        newest_first: bool = False,
        by: str = "",
        scope: Scope | None = None,
        group: str = "",
    ) -> Page[Device]:
        """A page of devices, pages from 1; newest_first sorts by last change, else by an immutable key.

        by: one of `newest_by`, newest first by that time; "" the last of them. The pages of one look ask for the same.

        group: only those directly in this group (GROUPS).
        """
        ...

    async def device(self, device_id: str) -> Device:
        """One device in full."""
        ...

    async def update_device(self, device_id: str, changes: DeviceChanges) -> Device:
        """Send only what was touched; the answer may be a list row: read the device again for the full view."""
        raise _lacks("changing of devices")

    async def device_apps(self, device_id: str) -> list[App]:
        """The apps on a device, as it last reported them."""
        raise _lacks("list of a device's apps")

    async def device_has_app(self, device_id: str, package: str) -> App | None:
        """Ask whether one package is on a device; None when it is not (DEVICE_HAS_APP)."""
        raise _lacks("question for one app of a device")

    def check_changes(self, changes: DeviceChanges) -> list[Problem]:
        """The contract's limits, checked before sending; paths start with the neutral field name."""
        return []

    # registering devices (DEVICE_REGISTER)
    async def registered(self, serial: str) -> bool:
        """Whether the service knows a device of this serial number, there or wherever `register` would reset it."""
        raise _lacks("question for a serial number")

    async def registered_at(self, serial: str) -> Place:
        """Where a device that was registered is, to be told when it is not where the connection is."""
        from .registration import Place

        return Place()

    async def register(self, devices: Sequence[Registration], terms: RegistrationTerms) -> None:
        """Register devices, sent once and never retried here; one that exists has its status reset."""
        raise _lacks("registering of devices")

    async def license_models(self) -> list[LicenseModel]:
        """The license models of the site (LICENSES)."""
        raise _lacks("list of license models")

    # commands
    async def device_commands(self, device_id: str, page: int = 1, limit: int = 50) -> Page[Command]:
        """Newest first."""
        raise _lacks("commands")

    async def send(self, device_id: str, order: Order, key: str) -> Command | None:
        """Send once, never retried here. key: the intent's idempotency key.

        None: the service took it without naming a record (disenrolling). A FleetError tells by `sent` how far it got.
        """
        raise _lacks("commands")

    async def command(self, device_id: str, command_id: str) -> Command:
        """One command as the service holds it."""
        raise _lacks("commands")

    async def push_status(self, device_id: str, command_id: str) -> PushStatus:
        """What the push service says of a command."""
        raise _lacks("commands")

    async def cancel(self, device_id: str, command_id: str) -> Command:
        """Take a command back (COMMAND_CANCEL)."""
        raise _lacks("cancelling of commands")

    # policies
    async def policies(
        self, page: int, limit: int, *, sort: str = "", name: str = "", scope: Scope | None = None
    ) -> Page[Policy]:
        """sort: a field path with optional `:asc` or `:desc`."""
        raise _lacks("policies")

    async def policy(self, policy_id: str) -> Policy:
        """One policy, whole."""
        raise _lacks("policies")

    async def create_policy(self, document: Mapping[str, Any], key: str) -> Policy:
        """Sent once; key: its idempotency key."""
        raise _lacks("policies")

    async def update_policy(self, policy_id: str, document: Mapping[str, Any]) -> Policy:
        """Replace a policy's document."""
        raise _lacks("policies")

    async def delete_policy(self, policy_id: str) -> None:
        """Delete a policy."""
        raise _lacks("policies")

    async def policy_templates(self) -> list[Policy]:
        """Policies to begin from."""
        raise _lacks("policy templates")

    def check_policy(self, document: Any) -> list[Problem]:
        """Check a policy document against the contract; what the contract does not name is a warning."""
        return []

    def policy_body(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """The part of a policy document that may be sent: without what the service computes."""
        return dict(document)

    # groups (GROUPS, GROUP_EDIT, GROUP_DELETE)
    async def groups(self) -> list[Group]:
        """All groups of the site, in no order."""
        raise _lacks("groups")

    async def create_group(self, name: str, parent: str = "") -> Group:
        """Make a group below another, or at the top. Not idempotent: never retried here."""
        raise _lacks("groups")

    async def change_group(self, group: Group, *, name: str | None = None, parent: str | None = None) -> Group:
        """Rename or move a group: its whole document is sent back. parent: "" for the top, None leaves it."""
        raise _lacks("groups")

    async def delete_group(self, group_id: str) -> None:
        """Delete a group."""
        raise _lacks("deleting of groups")

    # the catalogue (APPS, IMAGES)
    async def apps(self) -> list[CatalogueApp]:
        """All apps in one answer."""
        raise _lacks("catalogue of apps")

    async def find_apps(self, page: int, limit: int, where: Mapping[str, str] | None = None) -> Page[CatalogueApp]:
        """A page of apps, pages from 1. where: neutral field (name, package, version) → its whole value."""
        raise _lacks("catalogue of apps")

    async def images(self) -> list[Image]:
        """All system images in one answer."""
        raise _lacks("system images")

    async def find_images(self, page: int, limit: int, where: Mapping[str, str] | None = None) -> Page[Image]:
        """A page of images, pages from 1. where: neutral field (name, product, build, part) → its whole value."""
        raise _lacks("system images")

    # rollouts (ROLLOUTS, ROLLOUT_EDIT); their documents are read and written with the factory's `rollouts`
    async def rollouts(self, page: int, limit: int) -> Page[Rollout]:
        """A page of rollouts, pages from 1; services that give no totals say only whether there is more."""
        raise _lacks("rollouts")

    async def rollout(self, rollout_id: str) -> Rollout:
        """One rollout, whole."""
        raise _lacks("rollouts")

    async def create_rollout(self, document: Mapping[str, Any]) -> Rollout:
        """Sent once, never retried here; the answer may hold no more than id and name."""
        raise _lacks("rollouts")

    async def update_rollout(self, rollout_id: str, document: Mapping[str, Any]) -> Rollout:
        """Send the whole document back."""
        raise _lacks("rollouts")

    # people and scopes
    async def users(self, search: str = "", page: int = 1, limit: int = 50) -> Page[User]:
        """People a device can be linked to (USERS)."""
        raise _lacks("users")

    async def segments(self) -> list[Segment]:
        """All segments (SEGMENTS)."""
        raise _lacks("segments")

    async def tags(self) -> list[str]:
        """Tags in use (TAGS)."""
        raise _lacks("tags")

    async def aclose(self) -> None:
        """Close the connections."""
        ...


class ProviderFactory(Protocol):
    """What a provider package offers under the entry point group `mdm_tui.providers`.

    Importing the factory, calling `report` and `rollouts` must not import a network or model library: the first frame
    needs them. secrets: names of the secrets that `connect` needs, as `token`. rollouts: None without ROLLOUTS.
    """

    kind: str
    title: str
    capabilities: frozenset[Capability]
    commands: Sequence[str]
    secrets: Sequence[str]
    rollouts: RolloutFormat | None

    def report(self, raw: Mapping[str, Any]) -> Report:
        """The report of a raw device in neutral words; unknown parts land in the section `other`."""
        ...

    def connect(
        self,
        settings: Any,
        secrets: Mapping[str, Any],
        *,
        transport: Any = None,
        clock: Callable[[], float] | None = None,
    ) -> Provider:
        """A provider for the connection; imports its libraries now. settings: `config.connections.Connection`.

        secrets: by the names in `secrets`, each a text or an object whose `reveal()` gives it. transport, clock: for
        tests.
        """
        ...
