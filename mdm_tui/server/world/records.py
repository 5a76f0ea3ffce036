"""What the world keeps of a device, a policy, a command: one record per row, the vendors' words left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

# Life of a device.
PROVISIONING, ACTIVE, DISABLED, LEAVING, GONE = "provisioning", "active", "disabled", "leaving", "gone"

# Life of a command.
PENDING, RECEIVED, DONE, ERROR, EXPIRED, CANCELLED = (
    "pending",
    "received",
    "done",
    "error",
    "expired",
    "cancelled",
)
REBOOT, LOCK, CLEAR_APP_DATA, RESET_PASSWORD, DISENROLL = (
    "reboot",
    "lock",
    "clear_app_data",
    "reset_password",
    "disenroll",
)

# Habits of a device.
SHIFT, DOCKED, WEAK, HOT, SILENT = range(5)

DEVICE_COLUMNS = (
    "n, id, name, segment_id, tags, state, person_id, policy_id, assignments, effective_id, provider_id, has_push, "
    "model, serial, imei, mac, site, habit, rhythm, history, created_at, enrolled_at, updated_at, reported_at, "
    "applied_id, applied_version, applied_at, applied_error, booted_at, secured"
)
DEVICE_MARKS = ",".join("?" * 30)


@dataclass(slots=True)
class Device:
    """A row of `device`. `tags`, `assignments`, `history` are JSON text; times are milliseconds, rhythm seconds."""

    n: int
    id: str
    name: str
    segment_id: int
    tags: str
    state: str
    person_id: str | None
    policy_id: str | None
    assignments: str
    effective_id: str | None
    provider_id: str | None
    has_push: int
    model: int
    serial: str
    imei: str
    mac: str
    site: int
    habit: int
    rhythm: int
    history: str
    created_at: int
    enrolled_at: int | None
    updated_at: int
    reported_at: int | None
    applied_id: str | None
    applied_version: int | None
    applied_at: int | None
    applied_error: str | None
    booted_at: int
    secured: int

    def row(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in self.__slots__)


@dataclass(slots=True)
class Policy:
    """A policy. `body`: settings (opaque), agent, files, applications, certificates and the rest."""

    id: str
    name: str
    segment_id: int
    expose: bool
    version: int
    body: dict[str, Any]
    created_at: int
    updated_at: int


@dataclass(slots=True)
class Application:
    """An application the organisation hands out, with the source its builds come from."""

    id: str
    number: int
    package: str
    title: str
    slug: str
    source: str
    selector: str
    app_id: str
    build_id: str
    version_name: str
    version_code: int
    size: int
    revision: int
    created_at: int
    updated_at: int


@dataclass(slots=True)
class Person:
    """Somebody a device can belong to."""

    id: str
    email: str
    name: str
    tags: list[str]
    language: str
    department: str


COMMAND_COLUMNS = (
    "id, number, n, person_id, kind, params, status, push_id, results, created_at, updated_at, sent_at, "
    "delivered_at, received_at, expires_at"
)


@dataclass(slots=True)
class Command:
    """A command for one device. `params` and `results` are parsed JSON; times are milliseconds."""

    id: str
    number: int
    n: int
    person_id: str | None
    kind: str
    params: dict[str, Any] | None
    status: str
    push_id: str | None
    results: list[dict[str, Any]]
    created_at: int
    updated_at: int
    sent_at: int | None
    delivered_at: int | None
    received_at: int | None
    expires_at: int
