"""The simulated fleet: its database, its books, its agents and its time, under one roof."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import tempfile
import time
import uuid
from pathlib import Path

from .agents import Agents
from .chance import mix
from .clock import Clock, VirtualClock
from .commands import CommandBook
from .database import Database
from .devices import DeviceBook
from .groups import GroupBook
from .policies import PolicyBook
from .registry import Registry
from .rollout_agents import RolloutAgents
from .rollouts import RolloutBook
from .seeding import sow
from .site import SiteUser, salt_of, site_of, site_user
from .sow_units import sow_registry
from .unit_life import UnitLife
from .units import UnitBook
from .uploads import ImageBook, LicenseBook, PackageBook

FILE_NAME = "world.db"
SCENARIOS = ("calm", "flaky", "hostile")

# One slice of work on the event loop, in seconds of real time.
SLICE = 0.006


class World:
    """A fleet. Made by `World.open`; `close` ends it. All methods belong to one thread."""

    def __init__(self, database: Database, *, clock: Clock, speed: float, temporary: Path | None) -> None:
        self.database = database
        self.clock = clock
        self.speed = speed
        self._temporary = temporary
        self._wake: asyncio.Event | None = None
        self._closed = False
        self.fleet_id = database.meta("fleet") or ""
        digits = uuid.UUID(self.fleet_id).hex
        # The organisation's identifier and its other name, and the enterprise configuration's identifier.
        self.organization = digits[:24]
        self.slug = f"demo-{digits[-6:]}"
        self.enterprise = digits[8:]
        self.seed = int(database.meta("seed") or 1)
        self.scenario = database.meta("scenario") or "calm"
        self.registry = Registry(database)
        self.policies = PolicyBook(database, clock, self.seed)
        self.devices = DeviceBook(database, clock, self.policies)
        # The site: the same fleet in the second registry.
        self.site = site_of(self.fleet_id)
        self.site_name = f"depot-{digits[-6:]}"
        self.salt = salt_of(self.fleet_id)
        self.groups = GroupBook(self)
        self.units = UnitBook(self)
        self.packages = PackageBook(self)
        self.images = ImageBook(self)
        self.licenses = LicenseBook(self)
        self.rollouts = RolloutBook(self)
        self.life = UnitLife(self)
        self.rollout_agents = RolloutAgents(self)
        self.agents = Agents(self)
        self.commands = CommandBook(self)
        self.agents.start()
        self.life.start()
        self.rollout_agents.start()

    @classmethod
    def open(
        cls,
        data_dir: Path | None,
        *,
        devices: int = 500,
        seed: int = 1,
        speed: float = 1.0,
        scenario: str = "calm",
        clock: Clock | None = None,
    ) -> World:
        """Open the fleet of a data folder; the first time, create it.

        data_dir: made with mode 0700; None is a temporary folder that `close` removes. devices, seed and scenario
        count on creation only: an existing fleet keeps its own. speed: how much faster than life the devices are.
        """
        if scenario not in SCENARIOS:
            raise ValueError(f"unknown scenario {scenario!r}: one of {', '.join(SCENARIOS)}")
        if devices < 0 or devices > 1_000_000:
            raise ValueError(f"devices must be between 0 and 1000000, not {devices}")
        if not 0 < speed <= 100_000:
            raise ValueError(f"speed must be above 0 and at most 100000, not {speed}")
        clock = clock or Clock()
        temporary = Path(tempfile.mkdtemp(prefix="mdm-fleet-")) if data_dir is None else None
        folder = temporary or data_dir
        assert folder is not None
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if temporary is None:
            os.chmod(folder, 0o700)
        try:
            database = Database((folder / FILE_NAME).resolve())
            try:
                if database.is_new:
                    _create(database, devices=devices, seed=seed, scenario=scenario, clock=clock)
                elif database.is_old:
                    _upgrade(database, clock)
                return cls(database, clock=clock, speed=speed, temporary=temporary)
            except BaseException:
                database.close()
                raise
        except BaseException:
            if temporary is not None:
                shutil.rmtree(temporary, ignore_errors=True)
            raise

    def site_user(self, email: str) -> SiteUser:
        """The user of the site with this address."""
        return site_user(self.fleet_id, email)

    def fresh_uuid(self) -> str:
        """A new identifier, never the same twice in a fleet."""
        number = int(self.database.meta("fresh") or 0) + 1
        self.database.set_meta("fresh", str(number))
        now = self.clock.now()
        bits = mix(self.salt, 9000, number, now) << 64 | mix(self.salt, 9001, number, now)
        return str(uuid.UUID(int=bits, version=4))

    def wake(self) -> None:
        """Something new is due: look at the heap again."""
        if self._wake is not None:
            self._wake.set()

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass on a virtual clock; everything due in them happens, in order."""
        clock = self.clock
        if not isinstance(clock, VirtualClock):
            raise RuntimeError("advance needs a VirtualClock: a world on the wall clock is moved by run()")
        target = clock.now() + round(seconds * 1000)
        with self.database.transaction():
            while (due := self.agents.next_due()) is not None and due <= target:
                clock.move_to(due)
                self.agents.step()
        clock.move_to(target)

    async def run(self) -> None:
        """Advance the agents by real time until cancelled, in slices short enough for the event loop."""
        self._wake = asyncio.Event()
        try:
            while not self._closed:
                self._wake.clear()
                due = self.agents.next_due()
                wait = 1.0 if due is None else (due - self.clock.now()) / 1000
                if wait > 0:
                    try:
                        await asyncio.wait_for(self._wake.wait(), min(wait, 1.0))
                    except TimeoutError:
                        pass
                    continue
                self._slice()
                await asyncio.sleep(0)
        finally:
            self._wake = None

    def _slice(self) -> None:
        end = time.perf_counter() + SLICE
        with self.database.transaction():
            while (due := self.agents.next_due()) is not None and due <= self.clock.now():
                self.agents.step()
                if time.perf_counter() > end:
                    break

    def close(self) -> None:
        """Close the file; a temporary fleet is removed."""
        if self._closed:
            return
        self._closed = True
        self.database.close()
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)


def _create(database: Database, *, devices: int, seed: int, scenario: str, clock: Clock) -> None:
    now = clock.now()
    # Two fleets of one seed are two fleets; only under a virtual clock must everything repeat.
    if isinstance(clock, VirtualClock):
        fleet = uuid.UUID(int=random.Random(f"{seed}/{devices}/{now}").getrandbits(128), version=4)
    else:
        fleet = uuid.uuid4()
    with database.transaction():
        database.create()
        for key, value in (
            ("fleet", str(fleet)),
            ("seed", str(seed)),
            ("scenario", scenario),
            ("born", str(now)),
        ):
            database.set_meta(key, value)
        sow(database, seed=seed, devices=devices, now=now, scenario=scenario)
        sow_registry(database, seed=seed, fleet=str(fleet), now=now, scenario=scenario)


def _upgrade(database: Database, clock: Clock) -> None:
    """Give a fleet of schema 2 its second registry; what it has stays as it is."""
    with database.transaction():
        database.upgrade()
        sow_registry(
            database,
            seed=int(database.meta("seed") or 1),
            fleet=database.meta("fleet") or "",
            now=clock.now(),
            scenario=database.meta("scenario") or "calm",
        )
