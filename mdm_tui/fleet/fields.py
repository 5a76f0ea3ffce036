"""The registry of fields: each thing that a person can see of a device, declared once.

The grid's columns, sorting and filtering, the inventory, the exports and the documentation read it; a new field is
one entry here (a column) or in `fields_report.py` (inventory only).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from .devices import Value
from .fields_report import REPORT_FIELDS
from .provider import Capability
from .report import Report, get, last
from .values import Kind, number, parse

__all__ = ["COLUMNS", "FIELDS", "Field", "column", "default_columns", "is_named", "known", "offered", "values"]


@dataclass(frozen=True, slots=True)
class Field:
    """A field. path: its place in the report (`[]` any index, `*` any key, a last `**` the whole subtree).

    width: cells as a column, 0 when it is not one. priority: the lower, the longer it stays on a narrow screen.
    flex: its share of spare width. long: the title in a report, where there is room for it. derive: for what is not
    one leaf. aliases: other names people type. needs: without it a service never says this; None where any may.
    listed: without it a service says this of a device read by itself alone, so a list does not begin with it.
    """

    key: str
    title: str
    kind: Kind
    path: str = ""
    width: int = 0
    align: Literal["left", "right"] = "left"
    priority: int = 5
    flex: int = 0
    derive: Callable[[Report], Any] | None = None
    aliases: tuple[str, ...] = ()
    doc: str = ""
    long: str = ""
    needs: Capability | None = None
    listed: Capability | None = None

    @property
    def full(self) -> str:
        """The title where nothing forces it to be short."""
        return self.long or self.title

    @property
    def section(self) -> str:
        """The section it stands in, "" when it is derived."""
        return self.path.split(".", 1)[0].removesuffix("[]")

    @property
    def numeric(self) -> bool:
        """Whether its values sort and compare as numbers."""
        return self.kind in ("int", "number", "percent", "celsius", "bytes", "time", "bool")


def _battery(report: Report) -> Any:
    now = get(report, "power.level")
    if now is not None:
        return now
    found = last(report, "power.powerManagementEvents", "batteryLevel")
    return found if found is not None else get(report, "summary.battery")


def _temperature(report: Report) -> Any:
    found = last(report, "power.hardwareStatusSamples", "batteryTemperatures")
    numbers = [item for item in found if isinstance(item, (int, float))] if isinstance(found, list) else []
    return max(numbers, default=None)


def _sample(kind: str) -> Callable[[Report], Any]:
    def derive(report: Report) -> Any:
        rows = get(report, "memory.memoryEvents")
        if not isinstance(rows, list):
            return None
        wanted = [row for row in rows if isinstance(row, Mapping) and row.get("eventType") == kind]
        return last({"rows": wanted}, "rows", "byteCount")

    return derive


def _storage(total: str, key: str) -> Callable[[Report], Any]:
    # One figure where the service has one, else the sum over the storages it names.
    def derive(report: Report) -> Any:
        found = _sample("INTERNAL_STORAGE_MEASURED")(report) if key == "free" else get(report, total)
        rows = get(report, "memory.storages")
        if found is not None or not isinstance(rows, list):
            return found
        sizes = [number(row.get(key)) for row in rows if isinstance(row, Mapping)]
        return sum(size for size in sizes if size is not None) if any(size is not None for size in sizes) else None

    return derive


def _first(*paths: str) -> Callable[[Report], Any]:
    def derive(report: Report) -> Any:
        for path in paths:
            found = get(report, path)
            if found not in (None, ""):
                return found
        return None

    return derive


# What stands for the model of a device that is not said to have one.
_NO_MODEL = "device"


def _name(report: Report) -> Any:
    # A device without a label is still named: its model and the end of its serial or id.
    label = get(report, "identity.displayName")
    if isinstance(label, str) and label.strip():
        return label
    model = _first("hardware.model", "summary.model")(report)
    return _derived_name(model, _first("hardware.serialNumber", "summary.serialNumber", "identity.id")(report))


def _derived_name(model: Any, tail: Any) -> str:
    tail = str(tail or "")
    return f"{model or _NO_MODEL} …{tail[-6:]}" if tail else str(model or _NO_MODEL)


def is_named(values: Mapping[str, Value]) -> bool:
    """Whether the name among a device's values is one that the service said, not one made of what else is known."""
    name = values.get("name")
    if name in (None, "", "(unreadable)"):
        return False
    tails = (values.get("serial"), values.get("id"), None)
    made = {_derived_name(model, tail) for model in (values.get("model"), None) for tail in tails}
    return name not in made


def _state(report: Report) -> Any:
    # Where the service has no word for it: whether it is switched on, and whether it ever enrolled.
    said = get(report, "state.state")
    if said not in (None, ""):
        return said
    enabled = get(report, "state.enabled")
    if enabled is False:
        return "DISABLED"
    if get(report, "identity.enrolledDate"):
        return "ACTIVE"
    return "PROVISIONING" if enabled is True else None


def _location(report: Report) -> Any:
    lat, lon = get(report, "location.latitude"), get(report, "location.longitude")
    if isinstance(lat, (int, float)) and isinstance(lon, (int, float)):
        return f"{lat:.4f}, {lon:.4f}"
    return None


_COLUMNS = (
    Field("name", "Name", "text", "identity.displayName", 22, priority=0, flex=3, derive=_name),
    Field("serial", "Serial", "id", "hardware.serialNumber", 14, priority=1,
          derive=_first("hardware.serialNumber", "summary.serialNumber"), aliases=("sn",)),
    Field("id", "Id", "id", "identity.id", 24, priority=9),
    Field("state", "State", "enum", "state.state", 16, priority=6, derive=_state),
    Field("link", "Link", "enum", "state.link", 8, priority=3, aliases=("connection",), needs=Capability.DEVICE_LINK,
          doc="whether the service is connected to it now"),
    Field("remote", "Remote", "bool", "state.remoteControl", 6, priority=8, needs=Capability.DEVICE_LINK,
          long="Remote control", doc="whether remote control is available for it"),
    Field("disconnected", "Lost", "time", "state.lastDisconnectedTime", 5, "right", priority=8,
          needs=Capability.DEVICE_LINK, long="Last disconnected"),
    Field("model", "Model", "text", "hardware.model", 18, priority=4, flex=1,
          derive=_first("hardware.model", "summary.model")),
    Field("manufacturer", "Maker", "text", "hardware.manufacturer", 12, priority=8,
          derive=_first("hardware.manufacturer", "summary.manufacturer"), long="Manufacturer"),
    Field("brand", "Brand", "text", "hardware.brand", 10, priority=8),
    Field("product", "Product", "id", "hardware.productId", 14, priority=8),
    Field("os", "OS", "version", "software.androidVersion", 4, "right", priority=5,
          derive=_first("software.androidVersion", "summary.osVersion"), aliases=("android", "version")),
    Field("patch", "Patch", "date", "software.securityPatchLevel", 10, priority=5, needs=Capability.DEVICE_POSTURE),
    Field("build", "Build", "text", "software.androidBuildNumber", 18, priority=8),
    Field("client", "Client", "version", "software.clientVersion", 8, "right", priority=7,
          needs=Capability.DEVICE_LINK, long="Client version", doc="version of the service's client on the device"),
    Field("battery", "Batt", "percent", "power.level", 5, "right", priority=1, derive=_battery, aliases=("batt",),
          long="Battery", listed=Capability.LIST_BATTERY),
    Field("temp", "Temp", "celsius", "", 7, "right", priority=8, derive=_temperature,
          doc="the hottest battery sensor in the last sample"),
    Field("ram", "RAM", "bytes", "memory.totalRam", 9, "right", priority=9),
    Field("storage", "Storage", "bytes", "memory.totalInternalStorage", 9, "right", priority=9,
          derive=_storage("memory.totalInternalStorage", "total")),
    Field("storagefree", "Free", "bytes", "", 9, "right", priority=9, derive=_storage("", "free")),
    Field("seen", "Seen", "time", "state.lastStatusReportTime", 5, "right", priority=1, aliases=("lastseen",)),
    Field("policy", "Policy", "text", "policy.assigned.name", 18, priority=3, flex=2,
          derive=_first("policy.status.name", "policy.assigned.name"), needs=Capability.POLICIES),
    Field("policyid", "Policy id", "id", "policy.assignedId", 24, priority=9, long="Assigned policy id",
          needs=Capability.POLICIES),
    Field("wanted", "Wants", "version", "policy.status.wanted", 6, "right", priority=7,
          long="Wants version", needs=Capability.POLICIES),
    Field("has", "Has", "version", "policy.status.has", 5, "right", priority=7,
          long="Has version", needs=Capability.POLICIES),
    Field("pushed", "Pushed", "bool", "policy.status.pushed", 6, priority=7, needs=Capability.POLICIES),
    Field("applied", "Applied", "enum", "policy.appliedPolicy.status", 8, priority=7, needs=Capability.POLICIES),
    Field("compliant", "Compl.", "bool", "compliance.policyCompliant", 6, priority=7, long="Compliant",
          needs=Capability.DEVICE_POSTURE),
    Field("tags", "Tags", "tags", "identity.tags", 18, priority=6, aliases=("tag",), needs=Capability.TAGS),
    Field("user", "User", "text", "identity.user.email", 22, priority=7, needs=Capability.USERS),
    Field("segment", "Segment", "int", "identity.segmentId", 7, "right", priority=8, needs=Capability.SEGMENTS),
    Field("group", "Group", "text", "identity.group.name", 16, priority=3, flex=2, needs=Capability.GROUPS),
    Field("groupid", "Group id", "id", "identity.group.id", 24, priority=9, needs=Capability.GROUPS),
    Field("license", "License", "text", "identity.license.name", 14, priority=8, needs=Capability.LICENSES),
    Field("autorenew", "Renews", "bool", "identity.license.autoRenew", 6, priority=9, needs=Capability.LICENSES,
          long="Renews by itself"),
    Field("imei", "IMEI", "id", "network.imei", 15, priority=9),
    Field("mac", "MAC", "id", "network.wifiMacAddress", 17, priority=9),
    Field("operator", "Operator", "text", "network.networkOperatorName", 12, priority=9),
    Field("encrypted", "Encr.", "bool", "settings.isEncrypted", 5, priority=9, long="Encrypted",
          needs=Capability.DEVICE_POSTURE),
    Field("posture", "Posture", "enum", "security.devicePosture", 12, priority=9, needs=Capability.DEVICE_POSTURE),
    Field("update", "Update", "enum", "software.systemUpdateInfo.updateStatus", 18, priority=9,
          needs=Capability.DEVICE_POSTURE),
    Field("place", "Place", "geo", "", 20, priority=9, derive=_location),
    Field("enrolled", "Enrolled", "time", "identity.enrolledDate", 8, "right", priority=8),
    Field("updated", "Updated", "time", "identity.updatedAt", 7, "right", priority=8),
    Field("created", "Created", "time", "identity.createdAt", 7, "right", priority=9),
    Field("faults", "Faults", "text", "", 24, priority=2, flex=3, doc="what is wrong, see fleet/faults.py"),
)  # fmt: skip

COLUMNS: dict[str, Field] = {field.key: field for field in _COLUMNS}
# What a list shows at first, of services whose list says it.
_FIRST = ("name", "serial", "model", "os", "patch", "battery", "link", "seen", "policy", "group", "faults")

# By pattern of the path: every leaf of the contract's device has an entry, or stands below a `**` entry.
FIELDS: dict[str, Field] = {field.path: field for field in _COLUMNS if field.path}
for _path, _title, _kind in REPORT_FIELDS:
    FIELDS.setdefault(_path, Field(_path, _title, _kind, _path))
_SUBTREES = tuple(path[:-2] for path in FIELDS if path.endswith(".**"))
# What holds known leaves is known as well: it shows when it is empty.
_HOLDERS = frozenset(
    re.sub(r"[.\[]+$", "", path[: match.start()]) for path in FIELDS for match in re.finditer(r"[.\[]", path)
) | frozenset(path[: match.end()] for path in FIELDS for match in re.finditer(r"\[\]", path))
_MAPS = tuple(path[:-1] for path in FIELDS if path.endswith(".*"))


def known(pattern: str) -> Field | None:
    """The field a leaf's pattern belongs to, None when the console does not know it."""
    found = FIELDS.get(pattern)
    if found is None:
        found = FIELDS.get(pattern.removesuffix("[]")) or FIELDS.get(f"{pattern}.**")
    if found is None and pattern in _HOLDERS:
        name = pattern.removesuffix("[]").rsplit(".", 1)[-1]
        name = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
        return Field(pattern, name[:1].upper() + name[1:].lower(), "text", pattern)
    if found is None:
        for prefix in _SUBTREES:
            if pattern.startswith(prefix) or pattern == prefix[:-1]:
                return FIELDS[f"{prefix}**"]
        for prefix in _MAPS:
            if pattern.startswith(prefix):
                return FIELDS[f"{prefix}*"]
    return found


def offered(capabilities: Collection[Capability]) -> tuple[str, ...]:
    """The columns that a service with these capabilities may have values for, in the registry's order."""
    return tuple(field.key for field in _COLUMNS if field.needs is None or field.needs in capabilities)


def default_columns(capabilities: Collection[Capability]) -> tuple[str, ...]:
    """The columns of a list until a person chooses, for a service with these capabilities."""
    can = offered(capabilities)
    listed = (key for key in _FIRST if COLUMNS[key].listed is None or COLUMNS[key].listed in capabilities)
    return tuple(key for key in listed if key in can)


def column(name: str) -> Field | None:
    """The column of that name or alias."""
    lowered = name.lower()
    if lowered in COLUMNS:
        return COLUMNS[lowered]
    return next((field for field in _COLUMNS if lowered in field.aliases), None)


def values(report: Report) -> dict[str, Value]:
    """Every column's value of a report, cleaned and typed for sorting; `faults` is filled by `faults.find`."""
    found: dict[str, Value] = {}
    for field in _COLUMNS:
        if field.key == "faults":
            continue
        raw = field.derive(report) if field.derive else get(report, field.path)
        found[field.key] = parse(raw, field.kind)
    return found
