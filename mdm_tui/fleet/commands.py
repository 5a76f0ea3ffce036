"""Commands: what can be asked of a device, and the one table of the states it goes through (RULES §3)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal

__all__ = ["COMMANDS", "Command", "CommandResult", "CommandSpec", "Order", "Param", "PushStatus", "State"]


class State(Enum):
    """Our states of a command; `STATE_WORDS` says them in plain words."""

    PLANNED = "planned"
    SENDING = "sending"
    ACCEPTED = "accepted"
    PUSHED = "pushed"
    DELIVERED = "delivered"
    RECEIVED = "received"
    DONE = "done"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    ABSENT = "absent"
    AMBIGUOUS = "ambiguous"

    @property
    def ended(self) -> bool:
        """Nothing more will happen by itself."""
        return self in _ENDED

    @property
    def waiting(self) -> bool:
        """The service has it and the device has not ended it."""
        return self in _WAITING


_ENDED = frozenset({State.DONE, State.FAILED, State.EXPIRED, State.CANCELLED, State.REJECTED})
_WAITING = frozenset({State.ACCEPTED, State.PUSHED, State.DELIVERED, State.RECEIVED})

STATE_WORDS: dict[State, str] = {
    State.PLANNED: "planned, not sent",
    State.SENDING: "sending",
    State.ACCEPTED: "accepted by the service",
    State.PUSHED: "pushed, not yet seen by the device",
    State.DELIVERED: "delivered to the device",
    State.RECEIVED: "received by the device",
    State.DONE: "done",
    State.FAILED: "failed on the device",
    State.EXPIRED: "expired; it may still have run",
    State.CANCELLED: "cancelled",
    State.REJECTED: "rejected, nothing happened",
    State.UNKNOWN: "outcome unknown",
    State.ABSENT: "the service does not have it",
    State.AMBIGUOUS: "several like it, none certain",
}


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter of a command: `kind` says how to ask for it, `absent` what leaving it out means."""

    key: str
    title: str
    kind: Literal["secret", "packages", "text"]
    absent: str = ""


@dataclass(frozen=True, slots=True)
class CommandSpec:
    """One command of the field. `data`: what happens to the data on the device, "" when nothing does."""

    name: str
    title: str
    verb: str
    what: str
    destructive: bool = False
    irreversible: bool = False
    data: str = ""
    params: tuple[Param, ...] = ()
    duration: bool = True


# The values of the contract's command type; a provider says which of them it can send.
COMMANDS: dict[str, CommandSpec] = {
    spec.name: spec
    for spec in (
        CommandSpec("REBOOT", "Reboot", "reboot", "The device restarts; whatever is open on it is interrupted."),
        CommandSpec("LOCK", "Lock", "lock", "The screen locks; the person unlocks it as usual."),
        CommandSpec(
            "CLEAR_APP_DATA",
            "Clear app data",
            "clear",
            "The named apps lose their data on the device.",
            destructive=True,
            data="erased for the named apps",
            params=(Param("packageNames", "Packages", "packages", "no list: not documented, may mean every app"),),
        ),
        CommandSpec(
            "RESET_PASSWORD",
            "Reset password",
            "reset",
            "The unlock password is replaced.",
            destructive=True,
            data="kept",
            params=(Param("newPassword", "New password", "secret", "no password: the device's password is cleared"),),
        ),
        CommandSpec(
            "DISENROLL",
            "Disenrol",
            "disenrol",
            "The device leaves management. It cannot be undone here.",
            destructive=True,
            irreversible=True,
            data="not documented, assume erased",
            duration=False,
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked of one device. duration: seconds as sent (the contract names no unit); params may hold a secret."""

    name: str
    params: dict[str, Any] = field(default_factory=dict, repr=False)
    duration: float | None = None


@dataclass(frozen=True, slots=True)
class CommandResult:
    """One entry of a command's execution history."""

    at: float | None
    text: str = ""
    error: str = ""
    error_type: str = ""


@dataclass(frozen=True, slots=True)
class PushStatus:
    """What the push service says of a command; None where it says nothing. Times in epoch seconds."""

    delivered: bool | None
    pending: int | None = None
    expires_at: float | None = None
    sent_at: float | None = None


@dataclass(frozen=True, slots=True)
class Command:
    """A command as the service holds it. status: the contract's word; state: ours. Times in epoch seconds.

    params_text: parameters for display, secrets redacted. raw: the JSON text, secrets redacted.
    unreadable: why the item could not be understood, "" when it could.
    """

    id: str
    device_id: str
    name: str
    status: str
    state: State
    created_at: float | None
    updated_at: float | None
    sent_at: float | None = None
    expires_at: float | None = None
    results: tuple[CommandResult, ...] = ()
    params_text: str = ""
    push_id: str = ""
    raw: str = ""
    unreadable: str = ""
