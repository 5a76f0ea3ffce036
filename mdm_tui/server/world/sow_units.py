"""The second registry's first data: groups, units over the simulated devices, licenses. Its chance is its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import hostile
from .catalog import AGENT_VERSIONS, MODELS
from .chance import mix, unit
from .clock import DAY, HOUR, MINUTE
from .database import Database
from .nature import reachable, software
from .places import PLACE_BY_ID, PLACES, SITES
from .products import PRODUCTS
from .records import DEVICE_COLUMNS, DISABLED, PROVISIONING, SILENT, Device
from .site import salt_of, uuid_text
from .sow_uploads import sow_images, sow_packages, sow_rollouts
from .units import UNIT_COLUMNS, UNIT_MARKS
from .uploads import TRIAL

AREAS = ("Dock", "Picking", "Gate", "Returns", "Cold store", "Tills", "Yard", "Office")
PLACEHOLDERS = ("", "unknown", "0123456789ABCDEF", "0", "n/a")


def sow_registry(database: Database, *, seed: int, fleet: str, now: int, scenario: str) -> None:
    """Fill the tables of schema 3 over a fleet that is there already. Call inside a transaction."""
    wild = scenario == "hostile"
    salt = salt_of(fleet)
    count = database.one("SELECT count(*) FROM device WHERE state <> 'gone'")[0]
    groups = _groups(database, seed, salt, now, count, wild)
    licenses = _licenses(database, salt, count)
    rows: list[tuple[Any, ...]] = []
    used = dict.fromkeys((uuid for uuid, _ in licenses), 0)
    for row in _units(database, seed, salt, now, count, groups, licenses, wild):
        rows.append(row)
        if row[-1]:
            used[row[-1]] += 1
        if len(rows) == 2000:
            database.many(f"INSERT INTO unit ({UNIT_COLUMNS}) VALUES ({UNIT_MARKS})", rows)
            rows.clear()
    database.many(f"INSERT INTO unit ({UNIT_COLUMNS}) VALUES ({UNIT_MARKS})", rows)
    for number, (uuid, taken) in enumerate(used.items()):
        free = (25, 4, 0)[number]
        database.run("UPDATE license SET used = ?, total = ? WHERE uuid = ?", (taken, taken + free, uuid))
    packages = sow_packages(database, seed, salt, now, wild)
    images = sow_images(database, seed, salt, now, wild)
    sow_rollouts(database, seed, salt, now, list(groups.by_uuid), packages, images, wild)


class _Groups:
    """Which groups there are: by site, and those below each site."""

    def __init__(self) -> None:
        self.by_uuid: dict[str, int] = {}
        self.of_place: dict[int, str] = {}
        self.below: dict[int, list[str]] = {}


def _groups(database: Database, seed: int, salt: int, now: int, devices: int, wild: bool) -> _Groups:
    found = _Groups()
    rows: list[tuple[Any, ...]] = []

    def add(name: str, parent: str | None, site: int) -> str:
        number = len(rows)
        uuid = uuid_text(salt, 9001, number)
        if wild and number % 2:
            name = hostile.text(seed, number, 9002)[:200] or " "
        born = now - (390 - number % 300) * DAY
        rows.append((uuid, parent, name, int(number % 83 != 82), born, born + (number % 40) * DAY))
        found.by_uuid[uuid] = site
        if site:
            found.below.setdefault(site, []).append(uuid)
        return uuid

    # A small fleet is told by region and site, a larger one by country as well, and goes on below its sites.
    small = devices < 1000
    for place in PLACES:
        if small and not place.country and place.parent and place.id != 11:
            continue
        above = place.parent
        parent = found.of_place.get(above) or found.of_place.get(PLACE_BY_ID[above].parent if above else 0)
        found.of_place[place.id] = add(place.name, parent, place.id if place.country else 0)
    wanted = max(len(rows) + 2, devices // 40)
    areas: list[tuple[str, str, int]] = []
    lines: list[tuple[str, str, int]] = []
    number = 0
    while len(rows) < wanted:
        site = SITES[number % len(SITES)]
        area = AREAS[number // len(SITES) % len(AREAS)]
        if small or number < min(len(SITES) * len(AREAS), wanted // 5):
            areas.append((add(f"{area} {site.name}", found.of_place[site.id], site.id), area, site.id))
        elif number % 3 or not lines:
            uuid, area, place_id = areas[number % len(areas)]
            name = f"{area} {1 + number // len(areas)}"
            lines.append((add(name, uuid, place_id), name, place_id))
        else:
            uuid, name, place_id = lines[number % len(lines)]
            add(f"{name}, {('early', 'late', 'night')[number // 3 % 3]} shift", uuid, place_id)
        number += 1
    if wild:
        # A group whose parent is not there, and three that are each other's parents.
        add("orphan", uuid_text(salt, 9003), 0)
        first = len(rows)
        for name in ("round", "and", "round again"):
            add(name, None, 0)
        for offset in range(3):
            row = list(rows[first + offset])
            row[1] = rows[first + (offset + 1) % 3][0]
            rows[first + offset] = tuple(row)
    database.many("INSERT INTO unit_group VALUES (?,?,?,?,?,?)", rows)
    return found


def _licenses(database: Database, salt: int, devices: int) -> list[tuple[str, str]]:
    found = [(uuid_text(salt, 9004, number), name) for number, name in enumerate(("Standard", "Plus", "Starter"))]
    database.many("INSERT INTO license VALUES (?,?,?,?)", [(uuid, name, devices, 0) for uuid, name in found])
    return found


def _group_of(seed: int, n: int, device: Device, groups: _Groups, devices: int) -> str | None:
    luck = mix(seed, n, 9011)
    if luck % 29 == 0:
        return None
    if luck % 23 == 1:
        return list(groups.of_place.values())[(luck >> 8) % len(groups.of_place)]
    if (luck >> 16) % 100 < (8 if devices < 1000 else 30):
        below = groups.below[device.site]
        return below[(luck >> 24) % len(below)]
    return groups.of_place.get(device.segment_id) or groups.of_place[device.site]


def _units(
    database: Database,
    seed: int,
    salt: int,
    now: int,
    devices: int,
    groups: _Groups,
    licenses: list[tuple[str, str]],
    wild: bool,
) -> Iterator[tuple[Any, ...]]:
    u = 0
    last_serial = ""
    rows = database.connection.execute(f"SELECT {DEVICE_COLUMNS} FROM device WHERE state <> 'gone' ORDER BY n")
    for raw in rows.fetchall():
        device = Device(*raw)
        if mix(seed, device.n, 9010) % 100 >= 85:
            continue
        u += 1
        serial = device.serial
        odd = mix(seed, u, 9012) % 120
        if odd == 0:
            serial = PLACEHOLDERS[u % len(PLACEHOLDERS)]
        elif odd == 1:
            serial = last_serial
        elif odd < 4:
            serial = serial.lower()
        last_serial = serial
        yield _linked(seed, salt, now, u, device, serial, _group_of(seed, device.n, device, groups, devices), licenses)
    every = list(groups.by_uuid)
    for number in range(devices // 10):
        u += 1
        yield _alone(seed, salt, now, u, number, every, licenses, wild)


def _license(seed: int, u: int, licenses: list[tuple[str, str]]) -> tuple[str, str | None]:
    luck = mix(seed, u, 9013) % 20
    if luck == 0:
        return TRIAL, None
    uuid, name = licenses[0 if luck < 15 else 1 if luck < 19 else 2]
    return name, uuid


def _linked(
    seed: int,
    salt: int,
    now: int,
    u: int,
    device: Device,
    serial: str,
    group: str | None,
    licenses: list[tuple[str, str]],
) -> tuple[Any, ...]:
    luck = mix(seed, u, 9014)
    model = MODELS[device.model]
    product = PRODUCTS[model.name]
    fresh = device.state == PROVISIONING or device.reported_at is None or luck % 140 == 0
    created = max(device.created_at - int(9 * DAY * unit(seed, u, 9015)), 0)
    # Some clients have stopped talking to the site while the device goes on elsewhere.
    silent = luck >> 8 & 31 == 0
    seen = None if fresh else device.reported_at
    if seen is not None and silent:
        seen = max(device.enrolled_at or created, seen - int((2 + 50 * unit(seed, u, 9016)) * DAY))
    # What the site knows of the software is sometimes older than what the device has by now.
    system = software(seed, device, seen - 70 * DAY if seen is not None and luck >> 16 & 15 == 0 else seen or now)
    online = seen is not None and not silent and device.habit != SILENT and reachable(seed, device, now)
    license_name, license_uuid = _license(seed, u, licenses)
    return (
        u, uuid_text(salt, 9005, u), device.n, serial, model.manufacturer, model.brand, model.name, product.id, group,
        int(device.state != DISABLED), None if fresh else device.enrolled_at, seen,
        None if online or seen is None else seen + 4 * MINUTE, 0 if fresh else AGENT_VERSIONS[system.agent][1],
        int(not fresh and luck >> 24 & 7 != 0), int(online), "" if fresh else system.android,
        "" if fresh else system.build, int(product.ab), license_name, int(luck >> 30 & 3 != 0), created,
        max(created, device.enrolled_at or created), 0 if fresh else system.api, 0 if fresh else system.built_at,
        "", int(silent), now + 20 * MINUTE if fresh else None, license_uuid,
    )  # fmt: skip


def _alone(
    seed: int, salt: int, now: int, u: int, number: int, groups: list[str], licenses: list[tuple[str, str]], wild: bool
) -> tuple[Any, ...]:
    """A unit that only this registry knows: bought elsewhere, kept as a spare, never enrolled, or mistyped."""
    luck = mix(seed, u, 9017)
    model = MODELS[luck % len(MODELS)]
    product = PRODUCTS[model.name]
    android, api, prefix = model.systems[-1 if luck >> 8 & 3 else 0]
    created = now - int((5 + 500 * unit(seed, u, 9018)) * DAY)
    enrolled = None if luck >> 10 & 3 == 0 else created + int(3 * HOUR * unit(seed, u, 9019))
    online = enrolled is not None and luck >> 12 & 3 != 0
    seen = (
        None if enrolled is None else max(enrolled, now - int((HOUR / 6 if online else 20 * DAY) * unit(seed, u, 9020)))
    )
    serial = f"{model.serial_prefix}{90 + luck % 9:02d}{mix(seed, u, 9021) % 36**6:08d}"
    text = model.name
    if wild:
        serial = hostile.serial(seed, 100_000 + u, serial)
        text = hostile.text(seed, u, 9022) if number % 3 == 0 else text
    license_name, license_uuid = _license(seed, u, licenses)
    group = groups[(luck >> 16) % len(groups)] if luck >> 40 & 7 else None
    return (
        u, uuid_text(salt, 9005, u), None, serial, model.manufacturer, model.brand, text, product.id, group,
        int(luck >> 44 & 15 != 0), enrolled, seen, None if online or seen is None else seen + 4 * MINUTE,
        0 if enrolled is None else AGENT_VERSIONS[luck % 3][1], int(enrolled is not None and luck >> 48 & 3 != 0),
        int(online), "" if enrolled is None else android, "" if enrolled is None else f"{prefix}.2503", int(product.ab),
        license_name, int(luck >> 52 & 1), created, enrolled or created, 0 if enrolled is None else api,
        0 if enrolled is None else 1_741_000_000_000, "", 0, None, license_uuid,
    )  # fmt: skip
