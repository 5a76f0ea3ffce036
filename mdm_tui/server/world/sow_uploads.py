"""Uploads of the second registry's first day: applications in several versions, system images, rollouts."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from . import hostile
from .catalog import APPS, MODELS
from .chance import hex_digits, mix
from .clock import DAY
from .database import Database
from .products import PRODUCTS, Product
from .site import uuid_text
from .unit_apps import certificate, version_code

MIB = 1 << 20


def sow_packages(database: Database, seed: int, salt: int, now: int, wild: bool) -> list[str]:
    """Each application with the versions that are known and one that is newer. The uuids of the newest ones."""
    newest: list[str] = []
    rows: list[tuple[Any, ...]] = []
    for number, app in enumerate(APPS):
        major, minor, _ = (int(part) for part in app.versions[-1].split("."))
        versions = (*app.versions, f"{major}.{minor + 1}.0")
        for index, version in enumerate(versions):
            at = number * 10 + index
            uuid = uuid_text(salt, 9301, at)
            label = hostile.text(seed, at, 9303) if wild and at % 2 else app.title
            born = now - (300 - number * 12 - index * 30) * DAY
            rows.append(
                (
                    uuid, uuid_text(salt, 9302, at), f"{label} {version}", app.package, label, version_code(version),
                    version, 30 if number == 9 and index == len(versions) - 1 else 27, 33, None,
                    certificate(salt, app.package), app.size + index * 262_144,
                    app.size // 3, f"{app.slug}-{version}.apk", int(not (number == 11 and index == 0)), born,
                    born + DAY,
                )
            )  # fmt: skip
            if version == versions[-1]:
                newest.append(uuid)
    database.many(f"INSERT INTO package VALUES ({','.join('?' * 17)})", rows)
    return newest


def _month(now: int, back: int) -> tuple[int, int]:
    moment = datetime.fromtimestamp(now / 1000, UTC)
    year, month = divmod(moment.year * 12 + moment.month - 1 - back, 12)
    return year, month + 1


def sow_images(database: Database, seed: int, salt: int, now: int, wild: bool) -> dict[str, list[str]]:
    """Images of each product: last month's full one, partial ones from the months before, an old one, a region's.

    Answers product → uuids of the newest full image and of the partial ones that lead to it.
    """
    rows: list[tuple[Any, ...]] = []
    found: dict[str, list[str]] = {}

    def add(product: Product, part: str, system: tuple[str, int, str], back: int, source: str, size: int) -> str:
        number = len(rows)
        year, month = _month(now, back)
        build = f"{system[2]}.{year % 100:02d}{month:02d}"
        if part == "region":
            build = f"EEA-{year % 100:02d}{month:02d}"
        model = MODELS[product.number]
        word = f"{'partial' if source else 'full'} {part}"
        name = f"{model.name} {build} {word}"
        if wild and number % 3 == 0:
            name = hostile.text(seed, number, 9304)
        built = int(datetime(year, month, 3, 4, 59, tzinfo=UTC).timestamp() * 1000)
        info = {
            "type": part,
            "abUpdate": product.ab,
            "deviceId": product.code,
            "productId": product.id,
            "skuId": f"{product.id}-{'E' if part == 'region' else 'W'}",
            "buildDate": built,
            "displayId": f"{build} release-keys",
            "osVersion": system[0],
            "sdk": system[1],
            "preBuild": source,
            "postBuild": build,
            "customerId": "0001",
            "customer": "Standard",
            "brand": model.brand,
            "scriptVersion": "3",
            "partNo": 1 if part == "base" else 2,
            "marketName1": model.name,
            "marketName2": hostile.text(seed, number, 9305) if wild else "",
            "buildTags": "release-keys",
            "buildType": "user",
            "securityPath": f"{year}-{month:02d}-05",
            "otaCert": hex_digits(32, salt, 9306),
        }
        uuid = uuid_text(salt, 9307, number)
        born = min(now - DAY, built + 5 * DAY)
        file_name = f"{product.code}-{build}{'-from-' + source if source else ''}-{part}.zip"
        rows.append(
            (uuid, uuid_text(salt, 9308, number), name, json.dumps(info), size, file_name, int(number % 47 != 46),
             born, born)
        )  # fmt: skip
        return uuid

    for product in PRODUCTS.values():
        model = MODELS[product.number]
        system = model.systems[-1]
        luck = mix(seed, product.number, 9309)
        full = (900 + luck % 900) * MIB
        chosen = [add(product, "base", system, 1, "", full)]
        for back in (2, 3, 4):
            year, month = _month(now, back)
            # For some products the months together weigh more than the whole.
            share = 45 if product.number % 4 == 1 else 12 + (luck >> 8) % 10
            source = f"{system[2]}.{year % 100:02d}{month:02d}"
            chosen.append(add(product, "base", system, back - 1, source, full * share // 100))
        add(product, "base", system, 9, "", full - 40 * MIB)
        if len(model.systems) > 1:
            add(product, "base", model.systems[-2], 7, "", full - 150 * MIB)
        add(product, "region", system, 1, "", 80 * MIB)
        found[product.id] = chosen
    database.many(f"INSERT INTO image VALUES ({','.join('?' * 9)})", rows)
    return found


def sow_rollouts(
    database: Database,
    seed: int,
    salt: int,
    now: int,
    groups: list[str],
    packages: list[str],
    images: dict[str, list[str]],
    wild: bool,
) -> None:
    """A handful: one under way, one with images, one for next week, one for some named units, one switched off."""
    serials = [row[0] for row in database.all("SELECT serial FROM unit WHERE serial <> '' ORDER BY u LIMIT 6")]
    day = datetime.fromtimestamp(now / 1000, UTC).strftime("%Y-%m-%d")
    later = datetime.fromtimestamp((now + 7 * DAY) / 1000, UTC).strftime("%Y-%m-%d")
    ota = {"silent_install": True, "partialFirst": True, "need_ac": True, "checkBuildDate": True}
    plans: list[tuple[str, dict[str, Any]]] = [
        ("Picking and support, Iberia", {
            "scope": {"group": groups[:6], "device": []},
            "apps": {"install": [
                {"uuid": packages[0], "silent_install": True, "starts_on_update": True, "grant_all": True},
                {"uuid": packages[10], "silent_install": True},
            ]},
            "schedule_date": {"start_on": day},
        }),
        ("Security update, depots", {
            "profile": {"applyOrder": "otas", "applyWhile": {"sleeping": True, "offline": False}, "wakeToApply": True},
            "scope": {"group": groups[5:9], "device": []},
            "otas": [uuid for product in list(images)[:11] for uuid in images[product]],
            "settings": {"otas": ota},
        }),
        ("Driver log, next week", {
            "profile": {"applyOrder": "apps", "repeatOption": "repeat", "repeatEvery": 1, "repeatPeriod": "week"},
            "scope": {"group": groups[-4:], "device": []},
            "apps": {"install": [{"uuid": packages[3], "silent_install": True, "reboots_on_update": True}]},
            "schedule_date": {"start_on": later},
        }),
        ("Cold chain, by hand", {
            "profile": {"applyOrder": "apps", "unscopeIfApplied": True, "removeIfNoScope": False},
            "scope": {"group": [], "device": serials},
            "apps": {"install": [{"uuid": packages[8], "silent_install": False, "grant_all": True}]},
        }),
        ("Everything, everywhere", {
            "isGlobal": True,
            "enabled": False,
            "apps": {"install": [{"uuid": uuid, "silent_install": True} for uuid in packages[:3]]},
        }),
    ]  # fmt: skip
    for number, (name, said) in enumerate(plans):
        name = hostile.text(seed, number, 9311) if wild and number % 2 else name
        document: dict[str, Any] = {
            "isGlobal": False,
            "scope": {"group": [], "device": []},
            "apps": {"install": []},
            "otas": [],
            "settings": {},
            "enabled": True,
            **said,
        }
        document["profile"] = {"name": name, "applyOrder": "none", **said.get("profile", {})}
        born = now - (20 - number) * DAY
        database.run(
            "INSERT INTO rollout VALUES (?,?,?,?,?,?,?)",
            (uuid_text(salt, 9312, number), name, json.dumps(document), int(document["enabled"]), 1, born, born),
        )
