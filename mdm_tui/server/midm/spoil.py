"""The hostile scenario: texts that attack a terminal and, in about 2 % of devices, wrong types."""

from __future__ import annotations

from typing import Any

from ..world import hostile
from ..world.chance import mix


def device(seed: int, u: int, shape: dict[str, Any]) -> None:
    """Spoil a device's shape in place: often by texts, sometimes by types."""
    luck = mix(seed, u, 9601)
    software = shape["profile"].get("software_info")
    if luck & 1 and software is not None:
        software["build_no"] = hostile.text(seed, u, 9602)
    if luck & 6 == 0:
        shape["profile"]["hardware_info"]["model"] = hostile.text(seed, u, 9603)
    if luck & 24 == 0:
        shape["states"]["state"] = hostile.text(seed, u, 9604)
    if luck & 96 == 0:
        shape["lastCheckedIn"] = ("yesterday", "0000-00-00T00:00:00Z", "2026-13-45", "9" * 400)[luck >> 8 & 3]
    if hostile.breaks_contract(seed, u + 7):
        _types(luck >> 16 & 7, shape)


def _types(kind: int, shape: dict[str, Any]) -> None:
    if kind == 0:
        shape["profile"] = None
    elif kind == 1:
        shape["states"] = "online"
    elif kind == 2:
        shape["enabled"] = "true"
    elif kind == 3:
        shape["profile"] = {"hardware_info": ["not", "an", "object"]}
    elif kind == 4:
        shape["states"] = {"clientVersion": "three", "rtcEnabled": 1, "state": None}
    elif kind == 5:
        shape["enrolled"] = 1767225600000
    elif kind == 6:
        shape["updated"] = None
        shape.pop("created")
    else:
        shape["profile"] = {"hardware_info": {"serial_no": 12345, "model": hostile.LONG}}


def apps(seed: int, u: int, items: list[dict[str, Any]]) -> Any:
    """Spoil the texts of some apps; now and then one object stands where a list should."""
    for number, item in enumerate(items):
        luck = mix(seed, u, 9605, number)
        if luck % 3 == 0:
            item["label"] = hostile.text(seed, u, 9700 + number)
        if luck % 7 == 0:
            item["versionName"] = hostile.text(seed, u, 9800 + number)
        if luck % 50 == 0:
            item["versionCode"] = "many"
    return items[0] if items and mix(seed, u, 9606) % 40 == 0 else items
