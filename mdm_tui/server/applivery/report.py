"""`config.deviceReport`: what a device says of itself, in the shape of the Android Management API.

The lean report, in lists and in answers to updates, carries the last sample only and is made for speed. The full one
adds a day of samples and the rest; it is in `report_full`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ..world import World
from ..world.catalog import AGENT_VERSIONS, CARRIERS, MODELS, Model
from ..world.chance import mix
from ..world.clock import iso
from ..world.nature import GIB, Sample, Software, faults, sample, software
from ..world.places import PLACE_BY_ID
from ..world.records import Device
from .words import REPORT_STATES


@lru_cache(maxsize=64)
def hardware_of(model: int) -> dict[str, Any]:
    """What all devices of a model share. Callers copy before they change."""
    m = MODELS[model]
    found: dict[str, Any] = {
        "brand": m.brand,
        "hardware": m.hardware,
        "manufacturer": m.manufacturer,
        "model": m.name,
        "batteryShutdownTemperatures": [60.0],
        "batteryThrottlingTemperatures": [45.0],
        "cpuShutdownTemperatures": [115.0] * m.cores,
        "cpuThrottlingTemperatures": [65.0] * m.cores,
        "gpuShutdownTemperatures": [115.0],
        "gpuThrottlingTemperatures": [70.0],
        "skinShutdownTemperatures": [65.0],
        "skinThrottlingTemperatures": [43.0],
    }
    if m.baseband:
        found["deviceBasebandVersion"] = m.baseband
    return found


@lru_cache(maxsize=64)
def _memory_of(model: int) -> dict[str, str]:
    m = MODELS[model]
    return {"totalRam": str(m.ram * GIB), "totalInternalStorage": str(m.storage * GIB)}


def carrier_of(device: Device, seed: int) -> str:
    """The network operator of a device with a SIM."""
    carriers = CARRIERS[PLACE_BY_ID[device.site].country]
    return carriers[mix(seed, device.n, 201) % len(carriers)]


def has_sim(device: Device, seed: int) -> bool:
    """Not every device that could take a SIM has one."""
    return MODELS[device.model].cellular and mix(seed, device.n, 202) % 5 != 0


def power_event(s: Sample, at: str) -> dict[str, Any]:
    return {"eventType": "BATTERY_LEVEL_COLLECTED", "createTime": at, "batteryLevel": s.battery}


def memory_events(s: Sample, at: str, m: Model) -> list[dict[str, Any]]:
    """What is free, as the contract's schema says (AmapiMemoryEvent)."""
    return [
        {"eventType": "RAM_MEASURED", "createTime": at, "byteCount": str(m.ram * GIB - s.ram_used)},
        {
            "eventType": "INTERNAL_STORAGE_MEASURED",
            "createTime": at,
            "byteCount": str(m.storage * GIB - s.storage_used),
        },
    ]


def hardware_sample(s: Sample, at: str, model: Model) -> dict[str, Any]:
    usage, heat = s.usage, s.cpu_temp
    return {
        "createTime": at,
        "batteryTemperatures": [s.battery_temp],
        "cpuTemperatures": [heat, round(heat + 1.3, 1)],
        "gpuTemperatures": [round(heat - 2.1, 1)],
        "skinTemperatures": [round(s.battery_temp + 1.7, 1)],
        "cpuUsages": [round(usage * (1.5 - i * 0.14), 1) for i in range(model.cores)],
        "fanSpeeds": [round(600 + heat * 30, 0)] if model.fan else [],
    }


def software_info(world: World, device: Device, system: Software) -> dict[str, Any]:
    agent, code = AGENT_VERSIONS[system.agent]
    info: dict[str, Any] = {
        "androidVersion": system.android,
        "androidDevicePolicyVersionCode": code,
        "androidDevicePolicyVersionName": agent,
        "androidBuildNumber": system.build,
        "androidBuildTime": iso(system.built_at),
        "securityPatchLevel": system.patch,
        "primaryLanguageCode": PLACE_BY_ID[device.site].language,
        "systemUpdateInfo": {"updateStatus": system.update},
    }
    if system.update != "UP_TO_DATE":
        info["systemUpdateInfo"]["updateReceivedTime"] = iso(
            (device.reported_at or 0) - (1 + mix(world.seed, device.n, 203) % 40) * 86_400_000
        )
    return info


_FAULT_DETAILS: dict[str, dict[str, Any]] = {
    "app-missing": {
        "settingName": "applications",
        "nonComplianceReason": "APP_NOT_INSTALLED",
        "installationFailureReason": "INSUFFICIENT_STORAGE",
        "fieldPath": "applications[0].installType",
        "currentValue": "AVAILABLE",
    },
    "app-old": {
        "settingName": "applications",
        "nonComplianceReason": "APP_NOT_UPDATED",
        "installationFailureReason": "NETWORK_ERROR_UNRELIABLE_CONNECTION",
        "fieldPath": "applications[1].minimumVersionCode",
        "currentValue": 410,
    },
    "password": {
        "settingName": "passwordPolicies",
        "nonComplianceReason": "USER_ACTION",
        "specificNonComplianceReason": "PASSWORD_POLICIES_PASSWORD_NOT_SUFFICIENT",
        "specificNonComplianceContext": {"passwordPoliciesContext": {"passwordPolicyScope": "SCOPE_DEVICE"}},
    },
    "wifi": {
        "settingName": "openNetworkConfiguration",
        "nonComplianceReason": "INVALID_VALUE",
        "fieldPath": "NetworkConfigurations[0].WiFi",
        "currentValue": {"SSID": "WH-SCAN", "Security": "WPA-PSK"},
        "specificNonComplianceReason": "ONC_WIFI_INVALID_ENTERPRISE_CONFIG",
        "specificNonComplianceContext": {"oncWifiContext": {"wifiGuid": "wh-main"}},
    },
    "encryption": {
        "settingName": "encryptionPolicy",
        "nonComplianceReason": "UNSUPPORTED",
        "currentValue": False,
    },
    "value": {
        "settingName": "defaultApplicationSettings",
        "nonComplianceReason": "API_LEVEL",
        "specificNonComplianceReason": "DEFAULT_APPLICATION_SETTING_UNSUPPORTED_SCOPES",
        "specificNonComplianceContext": {
            "defaultApplicationContext": {"defaultApplicationScope": "SCOPE_FULLY_MANAGED"}
        },
    },
}


def non_compliance(world: World, device: Device, names: list[str]) -> list[dict[str, Any]]:
    details = []
    for name in names:
        detail = dict(_FAULT_DETAILS[name])
        if name.startswith("app-"):
            apps = list(world.registry.by_package)
            detail["packageName"] = apps[mix(world.seed, device.n, 204) % len(apps)]
        details.append(detail)
    return details


def settings(device: Device, world: World, weak: bool) -> dict[str, Any]:
    luck = mix(world.seed, device.n, 205)
    return {
        "isDeviceSecure": bool(device.secured),
        "unknownSourcesEnabled": luck % 37 == 0,
        "developmentSettingsEnabled": luck % 23 == 0,
        "adbEnabled": luck % 46 == 0,
        "isEncrypted": not weak,
        "encryptionStatus": "INACTIVE" if weak else ("ACTIVE_PER_USER", "ACTIVE_DEFAULT_KEY")[luck % 5 == 0],
        "verifyAppsEnabled": luck % 11 != 0,
    }


def network_info(device: Device, seed: int) -> dict[str, Any]:
    info: dict[str, Any] = {"wifiMacAddress": device.mac}
    if device.imei:
        info["imei"] = device.imei
        if has_sim(device, seed):
            info["networkOperatorName"] = carrier_of(device, seed)
    return info


def lean_report(world: World, device: Device) -> dict[str, Any] | None:
    """The report with the last sample, or None before the first report."""
    moment = device.reported_at
    if moment is None:
        return None
    seed = world.seed
    at = iso(moment)
    system = software(seed, device, moment)
    found = faults(seed, device, moment)
    last = sample(seed, device, moment)
    state = REPORT_STATES[device.state]
    return {
        "managementMode": "DEVICE_OWNER",
        "state": state,
        "appliedState": state,
        "ownership": "COMPANY_OWNED",
        "policyCompliant": not found,
        "nonComplianceDetails": non_compliance(world, device, found) if found else [],
        "lastStatusReportTime": at,
        "apiLevel": system.api,
        "softwareInfo": software_info(world, device, system),
        "hardwareInfo": {**hardware_of(device.model), "serialNumber": device.serial},
        "networkInfo": network_info(device, seed),
        "memoryInfo": _memory_of(device.model),
        "memoryEvents": memory_events(last, at, MODELS[device.model]),
        "powerManagementEvents": [power_event(last, at)],
        "hardwareStatusSamples": [hardware_sample(last, at, MODELS[device.model])],
        "deviceSettings": settings(device, world, "encryption" in found),
    }
