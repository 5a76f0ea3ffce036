"""A desk for tests of the console: the real app on a real mirror, with a session that a test moves by hand.

Where the service matters, tests use the real session on the real server (see `test_app_stories.py`).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from mdm_tui.config.paths import Paths
from mdm_tui.config.settings import Settings
from mdm_tui.fleet import faults
from mdm_tui.fleet.devices import Device
from mdm_tui.fleet.provider import Capability, Meter
from mdm_tui.services.arming import Arming
from mdm_tui.services.clock import SystemClock
from mdm_tui.services.events import DevicesChanged
from mdm_tui.services.hub import Hub
from mdm_tui.store.mirror import Mirror
from mdm_tui.tui.app import MdmApp

NOW = 1_800_000_000.0  # 2027-01-15 08:00:00 UTC
SCOPE = "applivery:acme"
_NAMES = ("Dock {} scanner", "Van {}", "Gate tablet {}", "Old handheld {}", "Café Zoë {}", "仓库扫描器 {}")
_MODELS = ("TC52", "XCover7", "CT45", "TC51")
_POLICIES = ("Warehouse", "Drivers", "Kiosk")
_SEEN = (4, 41, 300, 4_000, 300, 9 * 3_600, 20, 3 * 86_400)


def device(number: int, **values: Any) -> Device:
    """A device made from its number alone."""
    found: dict[str, Any] = {
        "name": _NAMES[number % len(_NAMES)].format(number),
        "serial": f"M0240{number * 7919 % 10**6:06d}",
        "id": f"{0x671000000000000000000000 + number:024x}",
        "state": ("ACTIVE", "ACTIVE", "ACTIVE", "ACTIVE", "PENDING_DISENROLL", "DISABLED")[number * 5 % 11 % 6],
        "model": _MODELS[number % 4],
        "os": str(8 + number % 7),
        "patch": f"2026-{number % 12 + 1:02d}-05",
        "battery": number * 37 % 100,
        "temp": 28.0 + number % 30,
        "seen": NOW - _SEEN[number % len(_SEEN)],
        "policy": _POLICIES[number % 3],
        "wanted": str(number % 3 + 7),
        "has": str(number % 3 + (6 if number % 9 == 4 else 7)),
        "pushed": 0 if number % 9 == 4 else 1,
        "user": f"user{number}@example.com",
        **values,
    }
    found["faults"] = faults.find(found, today=date(2027, 1, 15))
    return Device(found["id"], found, json.dumps({"id": found["id"]}))


class DeskSession:
    """What the app needs of a session: a real mirror and hub; the rest is set by the test."""

    def __init__(self, folder: Path, count: int = 60, *, production: bool = False) -> None:
        self.connection = SimpleNamespace(
            name="acme", production=production, budget=10_000, token_env="", read_only=production, scope=SCOPE
        )
        self.scope = SCOPE
        self.mirror = Mirror.open(folder / "mirror.db", clock=lambda: NOW)
        self.hub = Hub()
        self.arming: Any = Arming(self.connection, SystemClock())  # type: ignore[arg-type]
        self.writable = self.arming.reason()
        self.provider: Any = None
        self.refused: dict[str, tuple[float, str]] = {}
        self.factory = SimpleNamespace(
            kind="applivery",
            title="Applivery",
            capabilities=frozenset(
                {
                    Capability.POLICIES,
                    Capability.COMMANDS,
                    Capability.DEVICE_EDIT,
                    Capability.DEVICE_POSTURE,
                    Capability.LIST_BATTERY,
                }
            ),
        )
        self.sign_in = "TOKEN"
        self.state = SimpleNamespace(
            phase="fresh", last_ok=NOW - 4, next_at=NOW + 11, error=None, walked=0, total=count, attempts=0
        )
        self.pokes = 0
        self.sync = SimpleNamespace(
            state=self.state, poke=self._poke, focus=lambda ids, device_id: None, attend=lambda how: None
        )
        self.commands: Any = None
        self.hidden: tuple[str, ...] = ()
        self.registering = False
        self.started = self.stopped = 0
        self.devices = [device(number) for number in range(count)]

    async def fill(self) -> DeskSession:
        """Put the fleet into the mirror."""
        await self.mirror.apply(SCOPE, self.devices, at=NOW - 4, walk=None)
        return self

    async def report(self, *devices: Device) -> None:
        """Devices reported: the mirror holds it and the hub says so, as the sync does."""
        changes = await self.mirror.apply(SCOPE, devices, at=NOW, walk=None)
        ids = frozenset(changes.added) | frozenset(changes.changed)
        fields = frozenset[str]().union(*changes.changed.values()) if changes.changed else frozenset[str]()
        self.hub.publish(DevicesChanged(SCOPE, ids, fields, changes.moved))

    def can(self, capability: Capability) -> bool:
        return False

    def _poke(self) -> None:
        self.pokes += 1

    async def start(self) -> None:
        self.started += 1
        self.provider = SimpleNamespace(meter=Meter(used=1_204))

    async def stop(self) -> None:
        self.stopped += 1
        self.hub.close()
        self.mirror.close()


def make_app(
    folder: Path,
    session: Any,
    *,
    clock: Callable[[], float] = lambda: NOW,
    env: Mapping[str, str] | None = None,
    key_window: float = 0,
    keymap: Mapping[str, str] | None = None,
    settings: Settings | None = None,
    notice: str = "",
) -> MdmApp:
    """The app on a session, with frozen time and without the wait for scanners."""
    paths = Paths(*[folder / name for name in ("config", "state", "cache", "data")])
    return MdmApp(
        {"acme": session},
        "acme",
        settings or Settings(),
        paths,
        env or {"COLORTERM": "truecolor"},
        clock=clock,
        key_window=key_window,
        keymap=keymap,
        notice=notice,
    )


def names(session: DeskSession, ids: Iterable[str | None]) -> list[str]:
    """Names of ids."""
    by_id = {item.id: str(item.values["name"]) for item in session.devices}
    return [by_id[row_id] for row_id in ids if row_id is not None]


async def until(app: MdmApp, true: Callable[[], Any]) -> None:
    """Until it holds. What broke the app is raised, and what never comes fails the test after 20 seconds: a loop that
    waits for an app that has ended would hold up the whole run."""
    async with asyncio.timeout(20):
        while not true():
            if app._exception is not None:
                raise app._exception
            await asyncio.sleep(0.01)


async def quiet(app: MdmApp, pilot: Any) -> None:
    """Until everything the app runs beside the screens, but the bridge, is done and painted."""
    await pilot.pause()
    while running := [task for task in app._tasks if task.get_name() not in ("bridge", "sync")]:
        await asyncio.wait(running)
        await pilot.pause()
    await pilot.pause()


async def press(app: MdmApp, pilot: Any, *keys: str) -> None:
    """Press keys one by one, each with all it brings about."""
    for key in keys:
        await pilot.press(key)
        await quiet(app, pilot)


def toasts(app: MdmApp) -> list[str]:
    """What the notices say."""
    return [notification.message for notification in app._notifications]
