"""The hostile scenario: report strings that attack a terminal and, in about 2 % of devices, wrong types."""

from __future__ import annotations

from typing import Any

from ..world import hostile
from ..world.chance import mix


def device(seed: int, n: int, shape: dict[str, Any]) -> None:
    """Spoil a device's shape in place: always by texts, sometimes by types."""
    report = shape["config"].get("deviceReport")
    if report is not None:
        _texts(seed, n, report)
    if hostile.breaks_contract(seed, n):
        _types(mix(seed, n, 411) % 8, shape, report)


def _texts(seed: int, n: int, report: dict[str, Any]) -> None:
    luck = mix(seed, n, 412)
    software, hardware = dict(report["softwareInfo"]), dict(report["hardwareInfo"])
    if luck & 1:
        software["androidBuildNumber"] = hostile.text(seed, n, 11)
        software["securityPatchLevel"] = ("2026-13-45", "yesterday", "0000-00-00", "")[luck >> 4 & 3]
    if luck & 2:
        hardware["model"] = hostile.text(seed, n, 12)
        hardware["brand"] = hostile.text(seed, n, 13)
    if luck & 12 == 0:
        software["androidVersion"] = hostile.LONG
    report["softwareInfo"], report["hardwareInfo"] = software, hardware
    if luck & 48 == 0:
        report["systemProperties"] = {
            hostile.text(seed, n, 14): hostile.text(seed, n, 15),
            "long": hostile.LONG,
        }
    if luck & 192 == 0:
        report["state"] = "ABDUCTED_BY_ALIENS"
        report["deviceSettings"] = {**report["deviceSettings"], "encryptionStatus": "QUANTUM"}
        report["unknownThing"] = {"from": ["the", "future", hostile.text(seed, n, 16)]}
    if luck & 768 == 0:
        report["powerManagementEvents"] = [
            {**event, "batteryLevel": (-40, 10**18, 250, -0.0)[luck >> 12 & 3]}
            for event in report["powerManagementEvents"]
        ]
        report["memoryEvents"] = [{**event, "byteCount": "-1"} for event in report["memoryEvents"]]
    if luck & 3072 == 0:
        report["nonComplianceDetails"] = [
            {
                "settingName": hostile.text(seed, n, 17),
                "nonComplianceReason": "NOT_IN_ANY_LIST",
                "packageName": hostile.text(seed, n, 18),
                "currentValue": {"deep": {"deeper": [[[[hostile.text(seed, n, 19)]]]]}},
            }
        ]
        report["policyCompliant"] = False


def _types(kind: int, shape: dict[str, Any], report: dict[str, Any] | None) -> None:
    if kind == 0:
        shape["displayName"] = {"not": "text"}
    elif kind == 1:
        shape["tags"] = "not-a-list"
    elif kind == 2:
        shape["state"] = "LIMBO"
    elif kind == 3:
        shape["displayName"] = hostile.LONG
        shape["segmentId"] = -(10**30)
    elif kind == 4:
        shape["updatedAt"] = None
        shape["stateHistory"] = [None, {"state": None}]
    elif kind == 5 and report is not None:
        report["apiLevel"] = "thirty-three"
        report["softwareInfo"] = []
        report["powerManagementEvents"] = {"batteryLevel": "full"}
    elif kind == 6:
        shape["config"] = None
        shape["mdmUser"] = None
    else:
        shape.pop("displayName", None)
        shape["aosPolicyAssignments"] = None
        shape["devicePolicyStatus"] = {"pushed": "yes", "audit": None}


def installed(seed: int, n: int, number: int, shape: dict[str, Any]) -> None:
    """Spoil the texts of an application report in place, now and then."""
    luck = mix(seed, n, 413, number)
    if luck % 3 == 0:
        shape["displayName"] = hostile.text(seed, n, 500 + number)
    if luck % 7 == 0:
        shape["versionName"] = hostile.text(seed, n, 600 + number)
    if luck % 11 == 0:
        shape["packageName"] = hostile.text(seed, n, 700 + number)


def command(seed: int, number: int, shape: dict[str, Any]) -> None:
    """Spoil what a device says of a command in place."""
    for result in shape["results"]:
        result["errorMessage"] = hostile.text(seed, number, 800)
        result["errorType"] = hostile.text(seed, number, 801)
        result["data"] = {hostile.text(seed, number, 802): [hostile.text(seed, number, 803)]}
