"""What was seen of the rollouts that were followed: devices leave a scope when they are done, and rollouts vanish."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from mdm_tui.fleet.rollouts import REMOVED_WHEN_EMPTY, Rollout, switch

from .rollouts_scope import Reach
from .rollouts_words import DeviceProgress, Progress, State, counted

__all__ = ["Memory"]

LEFT, LEFT_DONE = "left the scope", "left the scope after being done"


@dataclass(slots=True)
class _Followed:
    """One rollout. wants: what it installs; names: the devices that were ever in its scope; done: seen done."""

    wants: tuple[tuple[str, ...], tuple[str, ...]]
    names: dict[str, str] = field(default_factory=dict)
    done: dict[str, DeviceProgress] = field(default_factory=dict)
    removed_when_empty: bool = False
    last: Progress | None = None


class Memory:
    """Kept for the session; begins anew when a rollout installs something else."""

    def __init__(self) -> None:
        self._followed: dict[str, _Followed] = {}

    def left(self, rollout_id: str, rollout: Rollout, reach: Reach) -> frozenset[str]:
        """Devices that were in its scope and are not any more; nobody while the scope could not all be read."""
        wants = (tuple(app.app_id for app in rollout.apps), rollout.images)
        held = self._followed.get(rollout_id)
        if held is None or held.wants != wants:
            held = self._followed[rollout_id] = _Followed(wants)
        held.removed_when_empty = switch(rollout.options, REMOVED_WHEN_EMPTY) is True
        return frozenset(held.names.keys() - reach.devices) if reach.complete else frozenset()

    def name(self, rollout_id: str, device: str) -> str:
        """What a device was called when it was last in the scope."""
        return self._followed[rollout_id].names.get(device, device)

    def left_row(self, rollout_id: str, row: DeviceProgress) -> DeviceProgress:
        """The row of a device that left, from what it reports now: what was seen done stays done."""
        if row.state == "done":
            return replace(row, note=LEFT_DONE)
        seen = self._followed[rollout_id].done.get(row.id)
        if seen is not None:
            return replace(seen, note=LEFT_DONE)
        # Nothing is going to be installed on it for this rollout any more: it does not wait.
        apps: dict[str, State] = {ref: _still(state) for ref, state in row.apps.items()}
        return replace(row, apps=apps, image=None if row.image is None else _still(row.image), note=LEFT)

    def keep(self, found: Progress, reach: Reach) -> None:
        """Remember a look."""
        held = self._followed[found.rollout_id]
        held.last = found
        for row in found.devices:
            if row.id in reach.devices:
                held.names[row.id] = row.name
                held.done.pop(row.id, None)
            if row.state == "done":
                held.done[row.id] = row

    def forget(self, rollout_id: str) -> None:
        """It was saved here: whom it reaches is a person's decision."""
        self._followed.pop(rollout_id, None)

    def removed_when_empty(self, rollout_id: str) -> bool:
        """Whether it said that the service removes it with the last device of its scope, when it was followed."""
        held = self._followed.get(rollout_id)
        return held is not None and held.removed_when_empty

    def gone(self, rollout_id: str, sentence: str, at: float) -> Progress | None:
        """The last that is known of a rollout that is gone, None when it was not followed."""
        held = self._followed.get(rollout_id)
        if held is None or held.last is None:
            return None
        rows = [self.left_row(rollout_id, row) for row in held.last.devices]
        return _of(replace(held.last, notes=(sentence,), gone=True, at=at), rows)


def _still(state: State) -> State:
    return "unknown" if state == "waiting" else state


def _of(progress: Progress, rows: Sequence[DeviceProgress]) -> Progress:
    apps = {ref: counted([row.apps[ref] for row in rows]) for ref in progress.apps}
    images = None if progress.images is None else counted([row.image or "unknown" for row in rows])
    return replace(progress, devices=tuple(rows), apps=apps, images=images)
