"""What the world can refuse, in its own words. A projection turns these into its vendor's codes."""

from __future__ import annotations


class WorldError(Exception):
    """Base of all refusals."""


class NotThere(WorldError):
    """The thing named does not exist. `what` names its kind, `key` the identifier asked for."""

    def __init__(self, what: str, key: object) -> None:
        super().__init__(f"no {what} {key!r}")
        self.what = what
        self.key = key


class NotCancellable(WorldError):
    """The command has left the state in which it can be called back."""


class NoPush(WorldError):
    """The device has no push token, so nothing can be queued."""


class InUse(WorldError):
    """The policy is assigned to devices and stays. `count` says to how many."""

    def __init__(self, count: int) -> None:
        super().__init__(f"assigned to {count} devices")
        self.count = count


class Refused(WorldError):
    """What was asked breaks a rule. Its text says which, in one sentence."""
