"""How devices behave: battery, heat, load, place, software, as pure functions of seed, device and time.

Nothing here is stored. Asking twice for the same moment gives the same answer, in any process.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from .catalog import MODELS
from .chance import mix, unit
from .clock import DAY, HOUR, MINUTE
from .places import PLACE_BY_ID
from .records import DOCKED, HOT, SILENT, WEAK, Device

GIB = 1 << 30

OFFSETS: dict[int, int] = {place.id: place.utc_offset * MINUTE for place in PLACE_BY_ID.values()}


@dataclass(slots=True)
class Sample:
    """What sensors say at one moment: battery and usage in percent, temperatures in Celsius, memory in bytes."""

    at: int
    battery: int
    charging: bool
    battery_temp: float
    cpu_temp: float
    usage: float
    ram_used: int
    storage_used: int


def _shift(seed: int, n: int) -> tuple[float, float]:
    """Start and end of the working day, in hours of local time."""
    start = 5.5 + 2.5 * unit(seed, n, 12)
    return start, start + 9.0 + 4.0 * unit(seed, n, 13)


def _low(seed: int, device: Device, day: int) -> float:
    """Battery at the end of the working day."""
    u = unit(seed, device.n, 14, day)
    return 2 + 12 * u if device.habit == WEAK else 14 + 52 * u


def battery(seed: int, device: Device, moment: int) -> tuple[int, bool]:
    """(percent, on the charger)."""
    n = device.n
    if device.habit == DOCKED:
        return 96 + int(5 * unit(seed, n, 11, moment // (30 * MINUTE))), True
    day, rest = divmod(moment + OFFSETS[device.site], DAY)
    hour = rest / HOUR
    start, stop = _shift(seed, n)
    if start <= hour < stop:
        part = (hour - start) / (stop - start)
        level = 100 - (100 - _low(seed, device, day)) * part**0.9
        return max(1, int(level)), False
    rate = 14 + 14 * unit(seed, n, 15)
    if hour < start:
        level = _low(seed, device, day - 1) + rate * (hour + 24 - stop)
    else:
        level = _low(seed, device, day) + rate * (hour - stop)
    return min(100, int(level)), True


def sample(seed: int, device: Device, moment: int) -> Sample:
    """The sensors at `moment`."""
    n = device.n
    level, charging = battery(seed, device, moment)
    bits = mix(seed, n, 31, moment // (5 * MINUTE))
    noise = (bits & 1023) / 1024
    busy = 4 + 8 * noise if charging else 12 + 46 * noise * noise
    heat = 0.0
    if device.habit == HOT:
        heat = 14 + 8 * ((bits >> 10 & 1023) / 1024)
    elif unit(seed, n, 32, moment // DAY) < 0.03:
        heat = 11.0
    model = MODELS[device.model]
    used = 0.44 + 0.3 * unit(seed, n, 33) + 0.14 * noise
    grown = 0.28 + 0.5 * unit(seed, n, 34) + 0.0006 * (moment // DAY % 180)
    return Sample(
        at=moment,
        battery=level,
        charging=charging,
        battery_temp=round(24 + busy * 0.11 + heat * 0.55 + (3 if charging else 0), 1),
        cpu_temp=round(31 + busy * 0.34 + heat, 1),
        usage=round(busy, 1),
        ram_used=int(model.ram * GIB * min(used, 0.97)),
        storage_used=int(model.storage * GIB * min(grown, 0.985)),
    )


def sample_times(device: Device, until: int) -> list[int]:
    """The moments of a day of samples, oldest first, the last report among them. Every 15, 20 or 30 minutes."""
    step = (15, 20, 30)[device.n % 3] * MINUTE
    first = max(until - DAY, device.enrolled_at or until)
    times = list(range(-(-first // step) * step, until, step))
    return [*times, until]


def asleep(seed: int, device: Device, moment: int) -> bool:
    """Night at the device's site, for devices that sleep."""
    hour = (moment + OFFSETS[device.site]) % DAY / HOUR
    return (hour < 5.5 or hour >= 22) and mix(seed, device.n, 41) % 3 != 0


def reachable(seed: int, device: Device, moment: int) -> bool:
    """Whether the network lets the device hear a push or report."""
    if device.habit == SILENT:
        # Some come back for an hour once in a week or so; others never.
        return mix(seed, device.n, 42, moment // HOUR) % 190 == 0 and device.n % 4 != 0
    chance = 0.07 if device.habit == WEAK else 0.02
    return unit(seed, device.n, 43, moment // (20 * MINUTE)) >= chance


@dataclass(frozen=True, slots=True)
class Software:
    """System software. `patch` is a date, `agent` indexes the agent's versions, `update` says what is waiting."""

    android: str
    api: int
    build: str
    patch: str
    agent: int
    update: str
    built_at: int


@lru_cache(maxsize=512)
def _month(day: int) -> int:
    moment = datetime.fromtimestamp(day * 86400, UTC)
    return moment.year * 12 + moment.month - 1


def software(seed: int, device: Device, moment: int) -> Software:
    """What is installed at `moment`: patches arrive late, by a device's own habit, and stay."""
    n = device.n
    systems = MODELS[device.model].systems
    luck = mix(seed, n, 51) % 100
    newest = len(systems) - 1
    index = newest if luck < 62 else max(0, newest - 1 - luck % 2)
    upgrade = unit(seed, n, 52)
    if index < newest and upgrade < 0.25 and moment > device.created_at + int(upgrade * 4 * 120 * DAY):
        index += 1
    android, api, prefix = systems[index]
    if luck < 55:
        lag = 1 + luck % 2
    elif luck < 84:
        lag = 3 + luck % 4
    elif luck < 95:
        lag = 7 + luck % 9
    else:
        lag = 20 + luck * 7 % 30
    month = _month(moment // DAY - mix(seed, n, 53) % 28) - lag
    if api <= 27:
        month = min(month, 2021 * 12 + 5)
    year, number = divmod(month, 12)
    if lag <= 2:
        update = "UP_TO_DATE"
    elif index < newest:
        update = "OS_UPDATE_AVAILABLE"
    else:
        update = ("SECURITY_UPDATE_AVAILABLE", "UNKNOWN_UPDATE_AVAILABLE")[luck % 7 == 0]
    return Software(
        android=android,
        api=api,
        build=f"{prefix}.{year % 100:02d}{number + 1:02d}",
        patch=f"{year}-{number + 1:02d}-{('01', '05')[luck % 2]}",
        agent=min(2, luck // 20),
        update=update,
        built_at=int(datetime(year, number + 1, 3, 4, luck % 60, tzinfo=UTC).timestamp() * 1000),
    )


def location(seed: int, device: Device, moment: int, moves: bool) -> tuple[float, float, float]:
    """(latitude, longitude, accuracy in metres)."""
    place = PLACE_BY_ID[device.site]
    n = device.n
    radius = 0.35 if moves else 0.004
    phase = unit(seed, n, 61) * math.tau
    turn = moment / HOUR / (7 + 5 * unit(seed, n, 62)) if moves else 0.0
    latitude = place.latitude + radius * math.sin(phase + turn)
    longitude = place.longitude + radius * math.cos(phase * 1.7 + turn * 0.8)
    return round(latitude, 6), round(longitude, 6), round(4 + 60 * unit(seed, n, 63, moment // HOUR) ** 2, 1)


_POLICY_FAILURES = (
    "Could not download application: not enough storage",
    "Wi-Fi configuration refused by the system",
    "Password requirements are not supported on this API level",
)


def policy_failure(seed: int, n: int, moment: int) -> str | None:
    """Why applying a policy fails at `moment`, if it does: some devices never manage, any may fail once."""
    stubborn = mix(seed, n, 107) % 60 == 0
    unlucky = mix(seed, n, 108, moment) % 50 == 0
    return _POLICY_FAILURES[mix(seed, n, 109) % 3] if stubborn or unlucky else None


# What a device can be found at fault for: (short name, setting, weight).
FAULTS: tuple[str, ...] = ("app-missing", "app-old", "password", "wifi", "encryption", "value")


def faults(seed: int, device: Device, moment: int) -> list[str]:
    """Drift from the policy at `moment`: a few devices always, a few for some hours. Names from FAULTS."""
    if not device.effective_id:
        return []
    n = device.n
    found: list[str] = []
    chronic = mix(seed, n, 71)
    if chronic % 100 < 4:
        found.append(FAULTS[(chronic >> 8) % len(FAULTS)])
        if chronic % 100 == 0:
            found.append(FAULTS[(chronic >> 16) % len(FAULTS)])
    passing = mix(seed, n, 72, moment // (4 * HOUR))
    if passing % 100 < 3:
        found.append(FAULTS[(passing >> 8) % len(FAULTS)])
    return list(dict.fromkeys(found))


def posture(seed: int, device: Device) -> str:
    """`secure`, `risk` or `compromised`; a device without a lock is at risk."""
    luck = mix(seed, device.n, 73) % 400
    if luck == 0:
        return "compromised"
    if luck < 14 or not device.secured:
        return "risk"
    return "secure"
