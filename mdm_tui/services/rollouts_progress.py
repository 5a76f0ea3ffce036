"""How far a rollout is, from what its devices report: their builds, and the lists of their apps."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence, Set
from typing import NamedTuple

from mdm_tui.fleet.catalogue import CatalogueApp
from mdm_tui.fleet.errors import FleetError
from mdm_tui.fleet.matching import Choice, Prediction
from mdm_tui.fleet.provider import Capability

from .context import Context
from .rollouts_memory import Memory
from .rollouts_scope import MANY, Index, Reach
from .rollouts_words import DeviceProgress, Progress, State, counted

__all__ = ["Follower", "image_state"]

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


class Follower:
    """Reads lists of apps, bounded, and keeps them for a minute. memory: what was seen of each rollout."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.memory = Memory()
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
        left: Set[str] = frozenset(),
        visible: Sequence[str],
        most: int,
        notes: Sequence[str] = (),
    ) -> Progress:
        """Count. refs: the apps as the rollout names them; prediction: None when it has no images.

        left: devices that were in the scope before; notes: sentences to begin with.
        visible: devices on the screen, whose apps are read first; most: how many lists are read now.
        """
        said = [*notes, *reach.notes]
        names = {**{device: self.memory.name(rollout_id, device) for device in left}, **index.names}
        ids = sorted((*reach.devices, *left), key=lambda device: (names.get(device, device), device))
        if refs:
            wanted = [apps[ref] for ref in refs if ref in apps]
            # Of what the service does not list any more there is nothing to be read.
            there = [device for device in ids if device in index.all]
            await self._read([device for device in visible if device in index.all], there, wanted, most, said)
        now = self._context.clock.now()

        def count() -> Progress:
            rows = tuple(
                self.memory.left_row(rollout_id, row) if row.id in left else row
                for row in (self._row(device, names, apps, refs, prediction) for device in ids)
            )
            return Progress(
                rollout_id,
                rows,
                {ref: counted([row.apps[ref] for row in rows]) for ref in refs},
                None if prediction is None else counted([row.image or "unknown" for row in rows]),
                sum(row.read_at is not None for row in rows),
                reach.complete,
                tuple(said),
                now,
            )

        found = await asyncio.to_thread(count) if len(ids) > MANY else count()
        self.memory.keep(found, reach)
        return found

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
        names: Mapping[str, str],
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
            names.get(device, device),
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
    """Whether a device is on the newest build that the rollout has for it, as far as its build tells."""
    if choice is None or choice.outcome == "unknown" or choice.unseen:
        return "unknown"
    if choice.outcome == "there":
        return "done"
    return "waiting" if choice.outcome == "install" else "unfit"
