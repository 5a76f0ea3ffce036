"""The contract's objects, made from the world's records. Times are ISO 8601 in UTC, "" for what has not been."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

from ..applivery.envelope import encoded as encode
from ..applivery.report import carrier_of, has_sim
from ..world import World
from ..world.catalog import MODELS
from ..world.clock import DAY, iso
from ..world.errors import NotThere
from ..world.groups import GroupRecord
from ..world.nature import GIB, sample
from ..world.rollouts import RolloutRecord
from ..world.unit_apps import InstalledPackage
from ..world.units import UnitRecord
from ..world.uploads import ImageRecord, PackageRecord
from . import spoil

__all__ = [
    "APP_PATHS",
    "DEVICE_PATHS",
    "EXTRA",
    "IMAGE_PATHS",
    "PROFILE_FREE",
    "PROFILE_PATHS",
    "app_info",
    "app_shape",
    "device_detail",
    "device_shape",
    "encode",
    "group_shape",
    "image_shape",
    "profile_shape",
    "time_text",
]

_HARDWARE = ("serial_no", "manufacturer", "brand", "model", "product_id")
DEVICE_PATHS = frozenset(
    (
        *("siteUuid", "uuid", "enrolled", "lastCheckedIn", "lastDisconnected", "created", "updated", "enabled"),
        *("states.clientVersion", "states.rtcEnabled", "states.state", "states.isOnline", "deviceGroup.uuid"),
        *(f"profile.hardware_info.{name}" for name in _HARDWARE),
        *("profile.software_info.os_version", "profile.software_info.build_no"),
    )
)
_APP_INFO = (
    *("packageName", "label", "versionCode", "versionName", "minSdkVersion", "targetSdkVersion", "certMd5"),
    *("maxSdkVersion", "appSize", "dataSize", "firstInstalled", "lastUpdated"),
)
_OTA_INFO = (
    *("type", "abUpdate", "deviceId", "productId", "skuId", "buildDate", "displayId", "osVersion", "sdk", "preBuild"),
    *("postBuild", "customerId", "customer", "brand", "scriptVersion", "partNo", "marketName1", "marketName2"),
    *("buildTags", "buildType", "securityPath", "otaCert"),
)
_UPLOAD = (
    *("uuid", "siteUuid", "fileUuid", "name", "enable", "lastUpdated", "registeredAt"),
    *("fileInfo.length", "fileInfo.lastModified", "fileInfo.fileName", "extra"),
)
APP_PATHS = frozenset((*_UPLOAD, "userUuid", *(f"appInfo.{name}" for name in _APP_INFO)))
IMAGE_PATHS = frozenset((*_UPLOAD, *(f"otaInfo.{name}" for name in _OTA_INFO)))
EXTRA = ("extra.",)
PROFILE_PATHS = frozenset(
    (
        *("uuid", "siteUuid", "writerUuid", "isGlobal", "otas", "created", "updated", "enabled"),
        *("scope.group", "scope.device", "schedule_date.start_on", "writer"),
    )
)
PROFILE_FREE = ("profile.", "apps.", "settings.", "writer.")


def time_text(moment: int | None) -> str:
    """A time in milliseconds as text, "" for what has not been."""
    return "" if moment is None else iso(moment)


def group_shape(world: World, group: GroupRecord, devices: int) -> dict[str, Any]:
    """A group; devices: how many are directly in it."""
    return {
        "siteUuid": world.site,
        "parentUuid": group.parent,
        "deviceNumbers": devices,
        "uuid": group.uuid,
        "profile": {"name": group.name},
        "created": iso(group.created_at),
        "updated": iso(group.updated_at),
        "enabled": group.enabled,
    }


def device_shape(world: World, unit: UnitRecord) -> dict[str, Any]:
    """A device as lists show it: without its group, as the page has it."""
    hardware: dict[str, Any] = {
        "serial_no": unit.serial,
        "manufacturer": unit.manufacturer,
        "brand": unit.brand,
        "model": unit.model,
    }
    if unit.product:
        hardware["product_id"] = unit.product
    profile: dict[str, Any] = {"hardware_info": hardware}
    if unit.os or unit.build:
        profile["software_info"] = {"os_version": unit.os, "build_no": unit.build}
    shape = {
        "siteUuid": world.site,
        "states": {
            "clientVersion": unit.client_version,
            "rtcEnabled": unit.rtc,
            "state": "online" if unit.online else "offline",
            "isOnline": unit.online,
        },
        "enrolled": time_text(unit.enrolled_at),
        "lastCheckedIn": time_text(unit.checked_in_at),
        "lastDisconnected": time_text(unit.disconnected_at),
        "uuid": unit.uuid,
        "profile": profile,
        "created": iso(unit.created_at),
        "updated": iso(unit.updated_at),
        "enabled": unit.enabled,
    }
    if world.scenario == "hostile":
        spoil.device(world.seed, unit.u, shape)
    return shape


def _expiry(unit: UnitRecord, now: int) -> int:
    """When the license ends: one that renews itself has begun another term each time."""
    term = (365 if unit.license_uuid else 30) * DAY
    terms = max(1, -(-(now - unit.created_at + 1) // term)) if unit.auto_renew else 1
    return unit.created_at + terms * term


def device_detail(world: World, unit: UnitRecord, owner: str) -> dict[str, Any]:
    """A device as the call for one shows it: with its group, its license and what its client said of it last.

    owner: e-mail of the account that devices belong to.
    """
    shape = device_shape(world, unit)
    if unit.group_uuid is not None:
        # A hostile fleet has devices in groups that are not there.
        with contextlib.suppress(NotThere):
            group = world.groups.get(unit.group_uuid)
            shape["deviceGroup"] = group_shape(world, group, world.groups.count(group.uuid))
    shape["license"] = {
        "licenseModel": {"name": unit.license},
        "autoRenew": unit.auto_renew,
        "activatedAt": time_text(unit.created_at),
        "expiry": iso(_expiry(unit, world.clock.now())),
    }
    shape["licensed"] = time_text(unit.created_at)
    user = world.site_user(owner)
    shape["owner"] = {"email": user.email, "profile": {"name": user.name}}
    profile = shape["profile"]
    if unit.n is not None and unit.checked_in_at is not None and isinstance(profile, dict):
        _sensors(world, unit.n, unit.checked_in_at, profile)
    return shape


def _sensors(world: World, n: int, moment: int, profile: dict[str, Any]) -> None:
    """Memory, storage, battery and network of the simulated device when its client last checked in."""
    device = world.devices.at(n)
    model = MODELS[device.model]
    seen = sample(world.seed, device, moment)
    ram, storage = model.ram * GIB, model.storage * GIB
    hardware = profile.get("hardware_info")
    if isinstance(hardware, dict):
        hardware["memory"] = {"total": ram, "free": ram - seen.ram_used}
        hardware["storages"] = [{"name": "internal", "total": storage, "free": storage - seen.storage_used}]
        hardware["battery"] = {"level": seen.battery, "isCharging": seen.charging}
    profile["network"] = {"wifi": {"enabled": True, "mac_address": device.mac}}
    if device.imei and has_sim(device, world.seed):
        profile["network"]["telephony"] = {"carrier": carrier_of(device, world.seed), "data_enabled": True}


def app_info(app: InstalledPackage) -> dict[str, Any]:
    """An app on a device."""
    return _info(app, app.first_installed, app.last_updated)


def _info(app: InstalledPackage | PackageRecord, first: int, last: int) -> dict[str, Any]:
    return {
        "packageName": app.package,
        "label": app.label,
        "versionCode": app.version_code,
        "versionName": app.version_name,
        "minSdkVersion": str(app.min_sdk),
        "targetSdkVersion": str(app.target_sdk),
        "certMd5": app.cert_md5,
        "maxSdkVersion": "" if app.max_sdk is None else str(app.max_sdk),
        "appSize": app.size,
        "dataSize": app.data,
        "firstInstalled": first,
        "lastUpdated": last,
    }


def app_shape(world: World, record: PackageRecord) -> dict[str, Any]:
    """An uploaded app. Its `uuid` is inferred, as are all operations that answer with it."""
    return {
        "uuid": record.uuid,
        "appInfo": _info(record, 0, record.updated_at),
        **_upload(record),
        "userUuid": world.site_user("uploads@example.com").uuid,
    }


def image_shape(record: ImageRecord) -> dict[str, Any]:
    """An uploaded system image. Its `uuid` is inferred, as are all operations that answer with it."""
    return {"uuid": record.uuid, "otaInfo": _ota_info(record.info), **_upload(record)}


def _ota_info(info: Mapping[str, Any]) -> dict[str, Any]:
    blank = {"abUpdate": False, "buildDate": 0, "sdk": 0, "partNo": 0}
    return {name: info.get(name, blank.get(name, "")) for name in _OTA_INFO}


def _upload(record: PackageRecord | ImageRecord) -> dict[str, Any]:
    return {
        "fileUuid": record.file_uuid,
        "fileInfo": {
            "length": record.size,
            "lastModified": iso(record.created_at),
            "fileName": record.file_name,
        },
        "extra": {},
        "name": record.name,
        "enable": record.enabled,
        "lastUpdated": iso(record.updated_at),
        "registeredAt": iso(record.created_at),
    }


def profile_shape(world: World, record: RolloutRecord, account: str) -> dict[str, Any]:
    """A profile: the document as it was sent, with what the service knows of it. account: e-mail of its writer."""
    writer = world.site_user(account)
    return {
        **record.document,
        "uuid": record.uuid,
        "siteUuid": world.site,
        "writerUuid": writer.uuid,
        "writer": {
            "email": writer.email,
            "isMultiSiteUser": False,
            "isApiUser": False,
            "uuid": writer.uuid,
            "profile": {
                "name": writer.name,
                "phone": "",
                "mobile": "",
                "eula": {"acceptDate": "", "version": "", "uuid": ""},
                "ip": "",
            },
        },
        "created": iso(record.created_at),
        "updated": iso(record.updated_at),
        "enabled": record.enabled,
    }
