"""Errors of changes: unlike reading, a change is never repeated by itself, and what to do depends on how far it got."""

from __future__ import annotations

from mdm_tui.fleet.errors import FleetError, Kind, Sent

__all__ = ["ChangeError", "as_change"]

# For these the general advice says that the console tries again, which is true of reading only.
_RETRIED = frozenset({Kind.UNREACHABLE, Kind.TIMEOUT, Kind.SERVER, Kind.RATE_LIMITED, Kind.UNREADABLE, Kind.TOO_LARGE})


class ChangeError(FleetError):
    """A change that did not get its answer."""

    @property
    def advice(self) -> str:
        if self.sent is Sent.MAYBE:
            return "It may have been done and is not repeated by itself: look at what the service holds first."
        return "Nothing was changed, and it is not repeated by itself: try again when the service answers."


def as_change(error: FleetError, what: str = "", *, sent: Sent | None = None) -> FleetError:
    """The same error with the advice of a change; other words and another `sent` where they are given."""
    if error.kind not in _RETRIED and not what:
        return error
    made = ChangeError if error.kind in _RETRIED or sent is Sent.MAYBE else FleetError
    return made(
        error.kind,
        what or error.what,
        where=error.where,
        status=error.status,
        code=error.code,
        retry_after=error.retry_after,
        sent=sent or error.sent,
        permission=error.permission,
        problems=error.problems,
    )
