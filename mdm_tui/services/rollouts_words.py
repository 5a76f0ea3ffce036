"""What is said of a rollout's progress."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

__all__ = ["Count", "DeviceProgress", "Progress", "State", "counted"]

State = Literal["done", "waiting", "unknown", "unfit"]


@dataclass(frozen=True, slots=True)
class Count:
    """Devices by what is known of them. unfit: none of the rollout's images is for them."""

    done: int = 0
    waiting: int = 0
    unknown: int = 0
    unfit: int = 0


@dataclass(frozen=True, slots=True)
class DeviceProgress:
    """One device. apps: state by the app's reference in the rollout; image: None when it has none. note: why."""

    id: str
    name: str
    apps: Mapping[str, State] = field(default_factory=dict)
    image: State | None = None
    note: str = ""
    read_at: float | None = None

    @property
    def state(self) -> State:
        """All together: waiting when anything waits, done when all is."""
        states = [*self.apps.values(), *([] if self.image is None else [self.image])]
        order: tuple[State, ...] = ("waiting", "unknown", "unfit")
        for state in order:
            if state in states:
                return state
        return "done" if states else "unknown"


@dataclass(frozen=True, slots=True)
class Progress:
    """A rollout's progress. devices: by name; apps: counts by the app's reference; images: None when it has none.

    Devices that left the scope while it was followed are among them. asked: how many devices' lists of apps are known;
    the others count as unknown. notes: what could not be read. gone: the service has the rollout no more.
    """

    rollout_id: str
    devices: tuple[DeviceProgress, ...]
    apps: Mapping[str, Count]
    images: Count | None
    asked: int
    complete: bool
    notes: tuple[str, ...]
    at: float
    gone: bool = False


def counted(states: Sequence[State]) -> Count:
    """How many there are of each."""
    return Count(*(states.count(state) for state in ("done", "waiting", "unknown", "unfit")))
