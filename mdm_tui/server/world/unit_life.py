"""How units stay in touch with the site: those over a simulated device with it, the others by their own rhythm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .catalog import AGENT_VERSIONS, MODELS
from .chance import mix, unit
from .clock import DAY, HOUR, MINUTE
from .nature import asleep, battery, software
from .products import PRODUCTS
from .records import ACTIVE, Device
from .units import UnitRecord

if TYPE_CHECKING:
    from .world import World

RHYTHM = 30 * MINUTE


class UnitLife:
    """Check-ins, enrolment, sleep and power of units."""

    def __init__(self, world: World) -> None:
        self._world = world

    def start(self) -> None:
        """Units that stand for no simulated device check in by themselves."""
        world = self._world
        now = world.clock.now()
        for (u,) in world.database.all(
            "SELECT u FROM unit WHERE n IS NULL AND enrolled_at IS NOT NULL AND enabled = 1"
        ):
            world.agents.unit_at(now + int(RHYTHM * unit(world.seed, u, 9401) / world.speed), u)

    def heard(self, device: Device) -> None:
        """The simulated device reported: so do its units, and those that may enrol do."""
        world = self._world
        for u in world.units.by_device.get(device.n, ()):
            now = world.clock.now()
            done = world.database.run(
                "UPDATE unit SET checked_in_at = ?, online = 1 WHERE u = ? AND enrolled_at IS NOT NULL AND enabled = 1",
                (now, u),
            )
            if done.rowcount == 0 and device.state == ACTIVE:
                self._enrol(world.units.at(u), device, now)

    def lost(self, n: int) -> None:
        """The simulated device could not be reached."""
        world = self._world
        for u in world.units.by_device.get(n, ()):
            world.database.run(
                "UPDATE unit SET online = 0, disconnected_at = ? WHERE u = ? AND online = 1", (world.clock.now(), u)
            )

    def _enrol(self, known: UnitRecord, device: Device, now: int) -> None:
        if not known.enabled or known.enrol_after is None or now < known.enrol_after:
            return
        world = self._world
        model = MODELS[device.model]
        product = PRODUCTS[model.name]
        columns = {}
        if not known.build:
            system = software(world.seed, device, now)
            columns = {"os": system.android, "build": system.build, "sdk": system.api, "built_at": system.built_at}
        world.units.note(known.u, "enroll", "the device enrolled")
        world.units.change(
            known,
            manufacturer=known.manufacturer or model.manufacturer,
            brand=known.brand or model.brand,
            model=known.model or model.name,
            product=product.id,
            ab=product.ab,
            enrolled_at=now,
            checked_in_at=now,
            online=True,
            rtc=True,
            client_version=known.client_version or AGENT_VERSIONS[-1][1],
            enrol_after=None,
            **columns,
        )

    def check_in(self, u: int) -> None:
        """A unit without a simulated device: it is there, or not."""
        world = self._world
        now = world.clock.now()
        world.agents.unit_at(now + max(200, int(RHYTHM * (0.8 + 0.4 * unit(world.seed, u, now)) / world.speed)), u)
        # For some days it is away, and now and then for half an hour.
        away = mix(world.seed, u, 9402, now // (3 * DAY)) % 4 == 0 or mix(world.seed, u, 9403, now // RHYTHM) % 40 == 0
        if away:
            world.database.run("UPDATE unit SET online = 0, disconnected_at = ? WHERE u = ? AND online = 1", (now, u))
        else:
            world.database.run(
                "UPDATE unit SET checked_in_at = ?, online = 1 WHERE u = ? AND enrolled_at IS NOT NULL", (now, u)
            )

    def asleep(self, known: UnitRecord, moment: int) -> bool:
        """Whether it sleeps: at night."""
        world = self._world
        if known.n is not None:
            return asleep(world.seed, world.devices.at(known.n), moment)
        return moment % DAY < 5 * HOUR and mix(world.seed, known.u, 9404) % 3 != 0

    def charging(self, known: UnitRecord, moment: int) -> bool:
        """Whether it is on mains power."""
        world = self._world
        if known.n is not None:
            return battery(world.seed, world.devices.at(known.n), moment)[1]
        return mix(world.seed, known.u, 9405, moment // (4 * HOUR)) % 2 == 0

    def idle(self, known: UnitRecord, moment: int) -> bool:
        """Whether nobody is using it: changes every ten minutes, always so on the charger or asleep."""
        if mix(self._world.seed, known.u, 9406, moment // (10 * MINUTE)) % 3:
            return True
        return self.charging(known, moment) or self.asleep(known, moment)
