"""The first fleet in a new data folder: one transaction, everything from the seed and the moment of creation."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from . import hostile
from .catalog import APPS, MODELS
from .chance import hex_digits, mix, object_id, unit
from .clock import DAY, HOUR, MINUTE, SECOND
from .database import Database
from .documents import POLICIES, app_number
from .nature import policy_failure
from .places import EXTRA_TAGS, OTHER_NAMES, PEOPLE, PLACE_BY_ID, ROLES, SITE_WEIGHTS, SITES
from .records import (
    ACTIVE,
    DEVICE_MARKS,
    DISABLED,
    DOCKED,
    GONE,
    HOT,
    PROVISIONING,
    SHIFT,
    SILENT,
    WEAK,
    Device,
)

RHYTHMS = ((80, 300), (88, 420), (94, 900), (98, 1800), (100, 3600))


def sow(database: Database, *, seed: int, devices: int, now: int, scenario: str) -> None:
    """Fill an empty database. Call inside a transaction."""
    wild = scenario == "hostile"
    people = _people(database, seed, now, wild)
    providers = _providers(database, seed, now)
    applications = _applications(database, seed, now)
    policies = _policies(database, seed, now, applications, wild)
    rows: list[tuple[Any, ...]] = []
    tags: list[tuple[str, int]] = []
    for device in _devices(seed, devices, now, people, providers, policies, wild):
        rows.append(device.row())
        tags.extend((tag, device.n) for tag in dict.fromkeys(json.loads(device.tags)))
        if len(rows) == 2000:
            _write(database, rows, tags)
    _write(database, rows, tags)


def _write(database: Database, rows: list[tuple[Any, ...]], tags: list[tuple[str, int]]) -> None:
    database.many(f"INSERT INTO device VALUES ({DEVICE_MARKS})", rows)
    database.many("INSERT INTO device_tag VALUES (?,?)", tags)
    rows.clear()
    tags.clear()


def _people(database: Database, seed: int, now: int, wild: bool) -> list[str]:
    ids = []
    for number, (name, local, language) in enumerate(PEOPLE):
        person_id = object_id(now - 400 * DAY, 1, number, seed)
        tags = [("shift-a", "shift-b", "office")[number % 3]]
        if wild and number % 2:
            name, tags = hostile.text(seed, number, 1)[:128], [hostile.text(seed, number, 2)]
        database.run(
            "INSERT INTO person VALUES (?,?,?,?,?,?)",
            (
                person_id,
                f"{local}@example.com",
                name,
                json.dumps(tags),
                language,
                ("Logistics", "Retail", "Field")[number % 3],
            ),
        )
        ids.append(person_id)
    return ids


def _providers(database: Database, seed: int, now: int) -> list[str]:
    ids = [object_id(now - 500 * DAY, 2, number, seed) for number in range(3)]
    for provider_id, name in zip(ids, ("Enterprise push", "Site gateway", "Fallback polling"), strict=True):
        database.run("INSERT INTO provider VALUES (?,?)", (provider_id, name))
    return ids


def _applications(database: Database, seed: int, now: int) -> list[str]:
    ids = []
    for number, app in enumerate(APPS):
        application_id = object_id(now - 380 * DAY, 4, number, seed)
        version = app.versions[-1]
        major, minor, patch = (int(part) for part in version.split("."))
        created = now - (380 - number * 20) * DAY
        database.run(
            "INSERT INTO application VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
            (
                application_id,
                number,
                app.package,
                app.title,
                app.slug,
                app.source,
                {"lastGitBranchBuild": "main", "lastGitTagBuild": "v*", "lastTagBuild": "stable"}.get(app.source, ""),
                object_id(created, 41, number, seed),
                object_id(created + 90 * DAY, 42, number, seed),
                version,
                major * 100 + minor * 10 + patch,
                app.size,
                len(app.versions),
                created,
                now - (3 + number * 2) * DAY,
            ),
        )
        ids.append(application_id)
    return ids


def _policies(
    database: Database, seed: int, now: int, applications: list[str], wild: bool
) -> dict[str, tuple[str, int]]:
    found: dict[str, tuple[str, int]] = {}
    for number, entry in enumerate(POLICIES, start=1):
        created = now - (360 - number * 9) * DAY
        policy_id = object_id(created, 3, number, seed)
        name, description = entry["name"], entry["description"]
        if wild and number % 2:
            name, description = hostile.text(seed, number, 3)[:256], hostile.text(seed, number, 4)[:500]
        body: dict[str, Any] = {
            "description": description,
            "settings": entry["settings"],
            "private": bool(entry.get("private", False)),
            "agent": entry["agent"],
            "files": [],
            "applications": [
                {"application": applications[app_number(slug)], "install": install}
                for install, slugs in (("force", entry["force"]), ("offer", entry["offer"]))
                for slug in slugs
            ],
            "certificates": [],
        }
        if entry["key"] in ("warehouse", "drivers"):
            body["files"] = [
                {
                    "file": object_id(created, 43, number, seed),
                    "path": f"/sdcard/Download/{entry['key']}-handbook.pdf",
                    "title": "Handbook",
                    "scope": "all-users",
                }
            ]
            body["applications"][0]["configuration"] = json.dumps({"server": "https://wms.example.com"})
            body["applications"][0]["update"] = {"mode": "WINDOWED"}
            body["applications"][0]["managed"] = {"loginHint": "badge"}
            body["certificates"] = [object_id(created, 44, number, seed)]
        database.run(
            "INSERT INTO policy VALUES (?,?,?,?,?,?,?,?)",
            (
                policy_id,
                name,
                entry["segment"],
                int(entry["expose"]),
                entry["version"],
                json.dumps(body),
                created,
                now - number * 3 * DAY,
            ),
        )
        found[entry["key"]] = (policy_id, entry["version"])
    database.set_meta("policies", str(len(POLICIES)))
    return found


def _pick(weights: tuple[int, ...], luck: int) -> int:
    luck %= sum(weights)
    for index, weight in enumerate(weights):
        luck -= weight
        if luck < 0:
            return index
    return len(weights) - 1


_ROLE_WEIGHTS = tuple(role[5] for role in ROLES)


def _model(role: tuple[Any, ...], luck: int) -> int:
    tablet, cellular = role[3], role[4]
    fitting = [index for index, m in enumerate(MODELS) if m.tablet == tablet and (m.cellular or not cellular)]
    return fitting[_pick(tuple(MODELS[index].weight for index in fitting), luck)]


def _imei(luck: int) -> str:
    digits = f"35{luck % 10**12:012d}"
    total = 0
    for position, digit in enumerate(digits):
        value = int(digit) * (2 if position % 2 else 1)
        total += value - 9 if value > 9 else value
    return digits + str(-total % 10)


def _devices(
    seed: int,
    count: int,
    now: int,
    people: list[str],
    providers: list[str],
    policies: dict[str, tuple[str, int]],
    wild: bool,
) -> Iterator[Device]:
    """`count` devices under management, and among them, on top, those that have left it."""
    numbers: dict[int, int] = {}
    managed = n = 0
    while managed < count:
        luck = mix(seed, n, 1)
        site = SITES[_pick(SITE_WEIGHTS, luck >> 8)]
        role_index = _pick(_ROLE_WEIGHTS, luck >> 20)
        role = ROLES[role_index]
        model_index = _model(role, luck >> 32)
        model = MODELS[model_index]
        number = numbers[role_index] = numbers.get(role_index, 0) + 1
        name = role[0].format(n=number)
        if luck % 41 == 0 or n in (7, 19, 31):
            name = OTHER_NAMES[n % len(OTHER_NAMES)].format(n=n + 1)
        tags = [*role[1], *([EXTRA_TAGS[luck % len(EXTRA_TAGS)]] if luck % 4 == 0 else [])]
        serial = f"{model.serial_prefix}{17 + luck % 9:02d}{mix(seed, n, 2) % 36**6:08d}"
        if wild:
            if n % 2 == 0:
                name = hostile.text(seed, n, 5)[:256]
            if n % 5 == 0:
                tags = [hostile.text(seed, n, 6), *tags]
            serial = hostile.serial(seed, n, serial)
        habit = _habit(mix(seed, n, 3) % 100, model.tablet)
        rhythm = next(value for bound, value in RHYTHMS if mix(seed, n, 4) % 100 < bound)
        device = _device(
            seed, n, now, name, tags, serial, site.id, model_index, habit, rhythm, role[2], people, providers,
            policies,
        )  # fmt: skip
        yield device
        managed += device.state != GONE
        n += 1


def _habit(luck: int, tablet: bool) -> int:
    if luck < 4:
        return SILENT
    if luck < 8:
        return WEAK
    if luck < 11:
        return HOT
    return DOCKED if tablet and luck < 80 else SHIFT


def _device(
    seed: int,
    n: int,
    now: int,
    name: str,
    tags: list[str],
    serial: str,
    site: int,
    model_index: int,
    habit: int,
    rhythm: int,
    policy_key: str,
    people: list[str],
    providers: list[str],
    policies: dict[str, tuple[str, int]],
) -> Device:
    luck = mix(seed, n, 5)
    fresh = luck % 150 == 0
    created = now - (20 * MINUTE if fresh else int((3 + 640 * unit(seed, n, 6)) * DAY))
    enrolled = None if fresh else created + int((60 + 900 * unit(seed, n, 7)) * SECOND)
    state = PROVISIONING if fresh else DISABLED if luck % 97 == 1 else GONE if luck % 61 == 2 else ACTIVE
    if fresh:
        reported = None
    elif state == GONE:
        reported = now - int((1 + 90 * unit(seed, n, 8)) * DAY)
    elif habit == SILENT:
        reported = now - int((0.3 + 30 * unit(seed, n, 8) ** 2) * DAY)
    else:
        reported = now - int(rhythm * SECOND * unit(seed, n, 8))
    if reported is not None and enrolled is not None:
        reported = max(reported, enrolled + SECOND)
    history: list[list[Any]] = [[PROVISIONING, created]]
    if enrolled:
        history.append([ACTIVE, enrolled])
    if state in (DISABLED, GONE):
        history.append([state, max(enrolled or created, now - int(30 * DAY * unit(seed, n, 9)))])
    policy_id, version = policies[policy_key]
    assigned: str | None = policy_id
    assignments: list[list[Any]] = []
    if luck >> 8 & 15 == 0:
        assigned = None
    elif luck >> 8 & 15 == 1:
        assigned, assignments = None, [[policy_id, 1], [policies["night"][0], 5]]
    elif luck >> 8 & 15 < 5:
        assignments = [[policies["night"][0], 5]]
    effective = assigned or (assignments[0][0] if assignments else None)
    applied = effective is not None and reported is not None
    failed = policy_failure(seed, n, reported) if applied and reported else None
    behind = version > 1 and (failed is not None or luck >> 16 & 15 == 0)
    person = people[(luck >> 24) % len(people)] if luck >> 20 & 7 < 5 else None
    place = PLACE_BY_ID[site]
    # Most devices sit in their site's segment, some higher up, a few in none.
    level = luck >> 40 & 31
    segment = 0 if level == 0 else place.parent if level < 3 else site
    mac = hex_digits(10, seed, n, 10)
    return Device(
        n=n,
        id=object_id(created, 7, n, seed),
        name=name,
        segment_id=segment,
        tags=json.dumps(tags),
        state=state,
        person_id=person,
        policy_id=assigned,
        assignments=json.dumps(assignments),
        effective_id=effective,
        provider_id=providers[(luck >> 48) % 3] if luck >> 44 & 7 == 0 else None,
        has_push=int(not fresh and luck >> 52 & 31 != 0),
        model=model_index,
        serial=serial,
        imei=_imei(luck) if MODELS[model_index].cellular else "",
        mac="02:" + ":".join(mac[i : i + 2] for i in range(0, 10, 2)),
        site=site,
        habit=habit,
        rhythm=rhythm,
        history=json.dumps(history),
        created_at=created,
        enrolled_at=enrolled,
        updated_at=max(reported or created, history[-1][1]),
        reported_at=reported,
        applied_id=effective if applied else None,
        applied_version=(version - 1 if behind else version) if applied else None,
        applied_at=max((reported or now) - int(HOUR * 90 * unit(seed, n, 13)), created) if applied else None,
        applied_error=failed,
        booted_at=max((reported or created) - int(9 * DAY * unit(seed, n, 14)), created),
        secured=int(luck >> 56 & 31 != 0),
    )
