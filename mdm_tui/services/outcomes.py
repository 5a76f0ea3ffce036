"""What an answer to a command's POST proves, and what later looks at the service add. Pure tables."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from mdm_tui.fleet.commands import Command, PushStatus, State
from mdm_tui.fleet.errors import FleetError, Kind, Sent

__all__ = ["candidates", "outcome", "progress", "transient"]

# Nothing left this machine, and a later try may get through.
_AGAIN = frozenset({Kind.UNREACHABLE, Kind.TIMEOUT, Kind.TLS, Kind.RATE_LIMITED})
_TRANSIENT = frozenset({Kind.UNREACHABLE, Kind.TIMEOUT, Kind.TLS, Kind.RATE_LIMITED, Kind.SERVER, Kind.UNREADABLE})
# The service's own "no": the envelope says so whatever the HTTP status was.
_REFUSALS = frozenset(
    {Kind.SIGNED_OUT, Kind.FORBIDDEN, Kind.NOT_FOUND, Kind.INVALID, Kind.REFUSED, Kind.CONFLICT, Kind.REDIRECT}
)
_RANK = {
    State.SENDING: 0,
    State.UNKNOWN: 0,
    State.ABSENT: 0,
    State.AMBIGUOUS: 0,
    State.ACCEPTED: 1,
    State.PUSHED: 2,
    State.DELIVERED: 3,
    State.RECEIVED: 4,
}


def outcome(error: FleetError) -> State:
    """PLANNED (provably not sent, try again), REJECTED (refused, nothing happened) or UNKNOWN (never resent)."""
    if error.sent is Sent.NEVER:
        return State.PLANNED if error.kind in _AGAIN else State.REJECTED
    if error.sent is not Sent.ANSWERED:
        return State.UNKNOWN
    if error.status == 429:
        return State.PLANNED
    if error.status is None or error.status < 300:
        return State.REJECTED if error.kind in _REFUSALS else State.UNKNOWN
    # 408 comes from those who stopped listening, not from those who refused.
    return State.REJECTED if error.status < 500 and error.status != 408 else State.UNKNOWN


def transient(error: FleetError) -> bool:
    """Whether reading may work a little later without anybody doing something."""
    return error.kind in _TRANSIENT


def progress(held: State, command: Command, push: PushStatus | None = None) -> State:
    """Our state after a look: what the service says, with the push service's word, never a step back."""
    if held.ended:
        return held
    found = command.state
    if found.ended:
        return found
    if found is State.ACCEPTED and command.sent_at is not None:
        found = State.PUSHED
    if push is not None and found in (State.ACCEPTED, State.PUSHED):
        if push.delivered:
            found = State.DELIVERED
        elif push.sent_at is not None:
            found = State.PUSHED
    return found if _RANK.get(found, 0) > _RANK.get(held, 0) else held


def candidates(
    commands: Sequence[Command], name: str, baseline: Collection[str], claimed: Collection[str]
) -> list[Command]:
    """The commands that an intent without an answer may have become. Ids decide, never clocks."""
    return [
        command
        for command in commands
        if command.name == name and command.id not in baseline and command.id not in claimed
    ]
