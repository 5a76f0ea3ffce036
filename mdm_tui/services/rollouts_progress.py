"""How far a rollout is, from what its devices report: their builds, and the lists of their apps."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from mdm_tui.fleet.catalogue import CatalogueApp
from mdm_tui.fleet.errors import FleetError
from mdm_tui.fleet.matching import Choice, Prediction
from mdm_tui.fleet.provider import Capability

from .context import Context
from .rollouts_scope import MANY, Index, Reach

__all__ = ["Count", "DeviceProgress", "Follower", "Progress", "State"]

State = Literal["done", "waiting", "unknown", "unfit"]
# Seconds before a device's list of apps is read again: while something is missing on it, and when nothing is.
KEPT, KEPT_DONE = 60.0, 600.0
# Lists kept in memory; the oldest go.
_MOST_LISTS = 5_000
# Beyond this part of the hour's calls only what is on the screen is read.
_FULL = 0.5
_AT_ONCE = 4


class Installed(NamedTuple):
    """What a device has of a package: all that is kept of its list."""

    version: str
    version_code: str


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

    asked: how many devices' lists of apps are known; the others count as unknown. notes: what could not be read.
    """

    rollout_id: str
    devices: tuple[DeviceProgress, ...]
    apps: Mapping[str, Count]
    images: Count | None
    asked: int
    complete: bool
    notes: tuple[str, ...]
    at: float


class Follower:
    """Reads lists of apps, bounded, and keeps them for a minute."""

    def __init__(self, context: Context) -> None:
        self._context = context
        # Oldest first.
        self._lists: dict[str, tuple[float, dict[str, Installed]]] = {}

    async def progress(
        self,
        rollout_id: str,
        reach: Reach,
        index: Index,
        apps: Mapping[str, CatalogueApp],
        refs: Sequence[str],
        prediction: Prediction | None,
        *,
        visible: Sequence[str],
        most: int,
    ) -> Progress:
        """Count. refs: the apps as the rollout names them; prediction: None when it has no images.

        visible: devices on the screen, whose apps are read first; most: how many lists are read now.
        """
        notes = list(reach.notes)
        ids = sorted(reach.devices, key=lambda device: (index.names.get(device, device), device))
        if refs:
            wanted = [apps[ref] for ref in refs if ref in apps]
            await self._read([device for device in visible if device in reach.devices], ids, wanted, most, notes)
        now = self._context.clock.now()

        def count() -> Progress:
            rows = tuple(self._row(device, index, apps, refs, prediction) for device in ids)
            return Progress(
                rollout_id,
                rows,
                {ref: _count([row.apps[ref] for row in rows]) for ref in refs},
                None if prediction is None else _count([row.image or "unknown" for row in rows]),
                sum(row.read_at is not None for row in rows),
                reach.complete,
                tuple(notes),
                now,
            )

        return await asyncio.to_thread(count) if len(ids) > MANY else count()

    async def _read(
        self, visible: Sequence[str], ids: Sequence[str], wanted: Sequence[CatalogueApp], most: int, notes: list[str]
    ) -> None:
        """Read the lists that are missing or old: those on the screen, then the never read, then the oldest."""
        now = self._context.clock.now()
        provider = self._context.provider
        if provider is not None and provider.meter.used >= provider.meter.limit * _FULL:
            ids = []
            notes.append("Half of the hour's calls are used: only the apps of devices on the screen are read")
        seen = set(visible)
        due = [
            device for device in dict.fromkeys((*visible, *ids)) if now - self._at(device) >= self._keep(device, wanted)
        ]
        due.sort(key=lambda device: (device not in seen, self._at(device)))
        gate = asyncio.Semaphore(_AT_ONCE)
        failed: list[FleetError] = []

        async def one(device: str) -> None:
            async with gate:
                if failed:
                    return
                try:
                    found = await self._context.call(
                        lambda provider: provider.device_apps(device), Capability.DEVICE_APPS
                    )
                except FleetError as error:
                    failed.append(error)
                    return
                self._lists.pop(device, None)
                self._lists[device] = (now, {app.package: Installed(app.version, app.version_code) for app in found})
                while len(self._lists) > _MOST_LISTS:
                    del self._lists[next(iter(self._lists))]

        await asyncio.gather(*(one(device) for device in due[: max(0, most)]))
        if failed:
            notes.append(f"The apps of some devices could not be read: {failed[0].sentence()}")

    def _at(self, device: str) -> float:
        held = self._lists.get(device)
        return float("-inf") if held is None else held[0]

    def _keep(self, device: str, wanted: Sequence[CatalogueApp]) -> float:
        held = self._lists.get(device)
        done = held is not None and all(app_state(app, held[1]) == "done" for app in wanted)
        return KEPT_DONE if done else KEPT

    def _row(
        self,
        device: str,
        index: Index,
        apps: Mapping[str, CatalogueApp],
        refs: Sequence[str],
        prediction: Prediction | None,
    ) -> DeviceProgress:
        held = self._lists.get(device)
        states: dict[str, State] = {
            ref: "unknown" if held is None or ref not in apps else app_state(apps[ref], held[1]) for ref in refs
        }
        choice = prediction.by_device.get(device) if prediction is not None else None
        image = None if prediction is None else image_state(choice)
        return DeviceProgress(
            device,
            index.names.get(device, device),
            states,
            image,
            choice.reason if choice is not None else "",
            held[0] if held is not None else None,
        )


def app_state(wanted: CatalogueApp, installed: Mapping[str, Installed]) -> State:
    """Whether a device has this version of an app, or a newer one."""
    if not wanted.package:
        return "unknown"
    app = installed.get(wanted.package)
    if app is None:
        return "waiting"
    code = int(app.version_code) if app.version_code.isascii() and app.version_code.isdigit() else None
    if wanted.version_code is not None and code is not None:
        return "done" if code >= wanted.version_code else "waiting"
    if wanted.version and app.version:
        return "done" if app.version == wanted.version else "waiting"
    return "unknown"


def image_state(choice: Choice | None) -> State:
    """Whether a device is on the newest build that the rollout has for it."""
    if choice is None or choice.outcome == "unknown":
        return "unknown"
    if choice.outcome == "there":
        return "done"
    return "waiting" if choice.outcome == "install" else "unfit"


def _count(states: Sequence[State]) -> Count:
    return Count(*(states.count(state) for state in ("done", "waiting", "unknown", "unfit")))
