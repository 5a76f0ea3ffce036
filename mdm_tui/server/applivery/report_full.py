"""The full report of the detail view: a day of samples, displays, telephony, posture, properties."""

from __future__ import annotations

from typing import Any

from ..world import World
from ..world.catalog import AGENT_PACKAGE, MODELS
from ..world.chance import hex_digits, mix
from ..world.clock import DAY, HOUR, iso
from ..world.nature import Sample, posture, sample, sample_times, software
from ..world.places import PLACE_BY_ID
from ..world.records import DISABLED, Device
from .report import (
    carrier_of,
    hardware_sample,
    has_sim,
    lean_report,
    memory_events,
    power_event,
)
from .words import POSTURES

_BOOT_EVENTS = {"shutdown": "SHUTDOWN", "boot": "BOOT_COMPLETED"}


def full_report(world: World, device: Device) -> dict[str, Any] | None:
    """The whole report at the device's last report, or None before the first."""
    report = lean_report(world, device)
    moment = device.reported_at
    if report is None or moment is None:
        return None
    seed = world.seed
    samples = [sample(seed, device, at) for at in sample_times(device, moment)]
    model = MODELS[device.model]
    report["hardwareStatusSamples"] = [hardware_sample(s, iso(s.at), model) for s in samples]
    report["memoryEvents"] = _memory(world, device, samples)
    report["powerManagementEvents"] = _power(world, device, samples, moment)
    report |= _identity(world, device, moment)
    report["displays"] = _displays(device, samples[-1])
    report["networkInfo"] = {**report["networkInfo"], **_telephony(world, device)}
    report["softwareInfo"] = {**report["softwareInfo"], **_software(world, device, moment)}
    report["hardwareInfo"] = {**report["hardwareInfo"], **_hardware(world, device)}
    report["securityPosture"] = _posture(world, device)
    report["commonCriteriaModeInfo"] = {
        "commonCriteriaModeStatus": "COMMON_CRITERIA_MODE_DISABLED",
        "policySignatureVerificationStatus": "POLICY_SIGNATURE_VERIFICATION_DISABLED",
    }
    report["systemProperties"] = _properties(world, device, report, moment)
    report["appliedPasswordPolicies"] = _passwords(world, device)
    report["defaultApplicationInfo"] = _defaults(world, device)
    return report


def _memory(world: World, device: Device, samples: list[Sample]) -> list[dict[str, Any]]:
    model = MODELS[device.model]
    events = [event for s in samples[::2] if s is not samples[-1] for event in memory_events(s, iso(s.at), model)]
    if mix(world.seed, device.n, 301) % 9 == 0:
        at = iso(samples[0].at)
        events.insert(0, {"eventType": "EXTERNAL_STORAGE_DETECTED", "createTime": at, "byteCount": "63864569856"})
        events.insert(1, {"eventType": "EXTERNAL_STORAGE_MEASURED", "createTime": at, "byteCount": "1288490188"})
    return events + memory_events(samples[-1], iso(samples[-1].at), model)


def _power(world: World, device: Device, samples: list[Sample], moment: int) -> list[dict[str, Any]]:
    found: list[tuple[int, dict[str, Any]]] = []
    before: Sample | None = None
    for s in samples:
        at = iso(s.at)
        if before is not None:
            if s.charging != before.charging:
                kind = "POWER_CONNECTED" if s.charging else "POWER_DISCONNECTED"
                found.append((s.at, {"eventType": kind, "createTime": at, "batteryLevel": s.battery}))
            if s.battery <= 15 < before.battery:
                found.append((s.at, {"eventType": "BATTERY_LOW", "createTime": at, "batteryLevel": s.battery}))
            elif s.battery > 20 >= before.battery:
                found.append((s.at, {"eventType": "BATTERY_OKAY", "createTime": at, "batteryLevel": s.battery}))
        found.append((s.at, power_event(s, at)))
        before = s
    for at, kind, _ in world.devices.happenings(device.n, moment - DAY):
        if kind in _BOOT_EVENTS and at <= moment:
            found.append((at, {"eventType": _BOOT_EVENTS[kind], "createTime": iso(at)}))
    # The last battery level stays last: that is what lists show.
    last = found.pop()
    if found and last[1]["eventType"] != "BATTERY_LEVEL_COLLECTED":
        found.append(last)
        index = max(i for i, (_, e) in enumerate(found) if e["eventType"] == "BATTERY_LEVEL_COLLECTED")
        last = found.pop(index)
    found.sort(key=lambda pair: pair[0])
    return [event for _, event in [*found, last]]


def _identity(world: World, device: Device, moment: int) -> dict[str, Any]:
    applied = world.policies.all.get(device.applied_id or "")
    wanted = world.policies.all.get(device.effective_id or "")
    luck = mix(world.seed, device.n, 302)
    found: dict[str, Any] = {
        "name": f"enterprises/{world.enterprise}/devices/{device.id}",
        "userName": f"enterprises/{world.enterprise}/users/{device.person_id or device.n + 1}",
        "enrollmentTime": iso(device.enrolled_at or device.created_at),
        "lastPolicyComplianceReportTime": iso(moment),
        "lastPolicySyncTime": iso(device.applied_at or moment),
        "enrollmentTokenName": f"enterprises/{world.enterprise}/enrollmentTokens/{luck % 7}",
        "enrollmentTokenData": hex_digits(32, world.seed, device.n, 303),
        "previousDeviceNames": [],
        "user": {"accountIdentifier": hex_digits(16, world.seed, device.n, 304)},
    }
    if wanted is not None:
        found["policyName"] = wanted.name
    if applied is not None:
        found["appliedPolicyName"] = applied.name
        found["appliedPolicyVersion"] = str(device.applied_version)
    if luck % 13 == 0:
        found["previousDeviceNames"] = [f"enterprises/{world.enterprise}/devices/{luck % 10**9}"]
        found["dpcMigrationInfo"] = {"previousDpc": "com.example.olddpc", "additionalData": "batch-2024-11"}
    if device.state == DISABLED:
        found["disabledReason"] = {
            "defaultMessage": "This device was reported lost.",
            "localizedMessages": {"es": "Este dispositivo se ha dado por perdido."},
        }
    return found


def _displays(device: Device, last: Sample) -> list[dict[str, Any]]:
    width, height, density, rate = MODELS[device.model].screen
    found = [
        {
            "displayId": 0,
            "name": "Built-in screen",
            "refreshRate": rate,
            "state": "ON" if last.usage > 14 else "OFF",
            "width": width,
            "height": height,
            "density": density,
        }
    ]
    if device.n % 17 == 0:
        found.append(
            {
                "displayId": 2,
                "name": "HDMI screen",
                "refreshRate": 60,
                "state": "ON",
                "width": 1920,
                "height": 1080,
                "density": 160,
            }
        )
    return found


def _telephony(world: World, device: Device) -> dict[str, Any]:
    seed, n = world.seed, device.n
    if not has_sim(device, seed):
        return {"telephonyInfos": []}
    luck = mix(seed, n, 305)
    carrier = carrier_of(device, seed)
    infos = [
        {
            "phoneNumber": f"+999{luck % 10**9:09d}",
            "carrierName": carrier,
            "iccId": f"8999{luck % 10**15:015d}",
            "activationState": "ACTIVATED",
            "configMode": "USER_CONFIGURED",
        }
    ]
    if MODELS[device.model].esim and luck % 3 == 0:
        infos.append(
            {
                "phoneNumber": "",
                "carrierName": f"{carrier} M2M",
                "iccId": f"8998{luck % 10**15:015d}",
                "activationState": "NOT_ACTIVATED",
                "configMode": "ADMIN_CONFIGURED",
            }
        )
    found: dict[str, Any] = {"telephonyInfos": infos}
    if luck % 29 == 0:
        found["meid"] = f"A{luck % 16**13:013X}"
    return found


def _software(world: World, device: Device, moment: int) -> dict[str, Any]:
    system = software(world.seed, device, moment)
    kernel = {27: "4.4.78", 29: "4.14.117", 30: "4.19.152", 31: "5.4.147", 33: "5.10.149"}.get(system.api, "5.15.123")
    return {
        "deviceKernelVersion": f"{kernel}-perf-g{hex_digits(12, device.model, system.api)}",
        "bootloaderVersion": f"{MODELS[device.model].hardware}-{system.build[-4:]}",
        "deviceBuildSignature": hex_digits(64, device.model, system.built_at),
    }


def _hardware(world: World, device: Device) -> dict[str, Any]:
    found: dict[str, Any] = {"enterpriseSpecificId": hex_digits(32, world.seed, device.n, 306).upper()}
    if MODELS[device.model].esim:
        found["euiccChipInfo"] = [{"eid": f"8904{mix(world.seed, device.n, 307) % 10**18:028d}"}]
    return found


def _posture(world: World, device: Device) -> dict[str, Any]:
    state = posture(world.seed, device)
    if state == "secure":
        return {"devicePosture": "SECURE", "postureDetails": []}
    if state == "compromised":
        risk, text = "COMPROMISED_OS", "The system image is not the manufacturer's. Reinstall it."
    else:
        risk, text = "HARDWARE_BACKED_EVALUATION_FAILED", "Set a screen lock and report again."
    return {
        "devicePosture": POSTURES[state],
        "postureDetails": [
            {
                "securityRisk": risk,
                "advice": [{"defaultMessage": text, "localizedMessages": {"es": "Revise el dispositivo."}}],
            }
        ],
    }


def _properties(world: World, device: Device, report: dict[str, Any], moment: int) -> dict[str, str]:
    model = MODELS[device.model]
    software_info = report["softwareInfo"]
    return {
        "ro.product.brand": model.brand,
        "ro.product.model": model.name,
        "ro.product.board": model.hardware,
        "ro.build.version.release": software_info["androidVersion"],
        "ro.build.version.sdk": str(report["apiLevel"]),
        "ro.build.version.security_patch": software_info["securityPatchLevel"],
        "ro.build.display.id": software_info["androidBuildNumber"],
        "ro.boot.verifiedbootstate": "green",
        "ro.boot.flash.locked": "1",
        "persist.sys.timezone": PLACE_BY_ID[device.site].zone,
        "persist.sys.locale": software_info["primaryLanguageCode"],
        "sys.boot.uptime_hours": str(max(0, moment - device.booted_at) // HOUR),
    }


def _passwords(world: World, device: Device) -> list[dict[str, Any]]:
    policy = world.policies.all.get(device.applied_id or "")
    config = policy.body.get("settings") if policy else None
    wanted = config.get("passwordPolicies") if isinstance(config, dict) else None
    if not isinstance(wanted, list) or not all(isinstance(entry, dict) for entry in wanted):
        return []
    base = {
        "passwordMinimumLetters": 0,
        "passwordMinimumLowerCase": 0,
        "passwordMinimumNonLetter": 0,
        "passwordMinimumNumeric": 1,
        "passwordMinimumSymbols": 0,
        "passwordMinimumUpperCase": 0,
        "passwordExpirationTimeout": "7776000s",
        "unifiedLockSettings": "ALLOW_UNIFIED_WORK_AND_PERSONAL_LOCK",
    }
    known = {
        "passwordScope": str,
        "passwordQuality": str,
        "requirePasswordUnlock": str,
        "passwordMinimumLength": int,
        "passwordHistoryLength": int,
        "maximumFailedPasswordsForWipe": int,
    }
    # A policy's config is anybody's document: report only what has the right type.
    return [{**base, **{k: v for k, v in entry.items() if k in known and type(v) is known[k]}} for entry in wanted]


def _defaults(world: World, device: Device) -> list[dict[str, Any]]:
    failed = mix(world.seed, device.n, 308) % 12 == 0
    return [
        {
            "defaultApplicationType": "DEFAULT_HOME",
            "packageName": "com.android.launcher3" if failed else AGENT_PACKAGE,
            "defaultApplicationSettingAttempts": [
                {"packageName": AGENT_PACKAGE, "attemptOutcome": "OTHER_FAILURE" if failed else "SUCCESS"}
            ],
        },
        {
            "defaultApplicationType": "DEFAULT_BROWSER",
            "packageName": "org.chromium.browser",
            "defaultApplicationSettingAttempts": [{"packageName": "org.chromium.browser", "attemptOutcome": "SUCCESS"}],
        },
    ]
