"""Operations on devices."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from starlette.responses import Response

from ..world import World
from ..world.units import UnitDraft, UnitFilter, UnitRecord
from . import query, spoil, values
from .call import Call
from .envelope import bad_value, no_device, ok, pages, rows_ok
from .groups import own_site, require_site
from .shapes import DEVICE_PATHS, app_info, device_detail, device_shape, encode, time_text

# Rows made before other work may run: about 5 ms.
CHUNK = 100
MOST_ROWS = 1000
LONGEST_SERIAL = 256

_HARDWARE = "profile.hardware_info."
# Paths the database sorts by, with the world's name for the key.
_SORTS = {
    "": "u",
    "uuid": "uuid",
    f"{_HARDWARE}serial_no": "serial",
    f"{_HARDWARE}manufacturer": "manufacturer",
    f"{_HARDWARE}brand": "brand",
    f"{_HARDWARE}model": "model",
    f"{_HARDWARE}product_id": "product",
    "profile.software_info.os_version": "os",
    "profile.software_info.build_no": "build",
    "deviceGroup.uuid": "group",
    "enabled": "enabled",
    "states.state": "online",
    "states.isOnline": "online",
    "states.clientVersion": "client",
    "states.rtcEnabled": "rtc",
    "enrolled": "enrolled",
    "lastCheckedIn": "checked_in",
    "lastDisconnected": "disconnected",
    "created": "created",
    "updated": "updated",
}
# Paths the database filters by: of texts, and of one boolean.
_TEXTS = {
    "deviceGroup.uuid": "groups",
    "uuid": "uuids",
    f"{_HARDWARE}serial_no": "serials",
    f"{_HARDWARE}manufacturer": "manufacturers",
    f"{_HARDWARE}brand": "brands",
    f"{_HARDWARE}model": "models",
}
_SWITCHES = {"enabled": "enabled", "states.isOnline": "online", "states.rtcEnabled": "rtc"}

_known = query.known_in(DEVICE_PATHS)


def device_exists(call: Call) -> Response:
    """Whether there is a device with exactly this serial number; in another site there is none."""
    serial = call.query.get("serialNo", "")
    if not serial:
        raise bad_value("serialNo", "is required")
    return ok(data=own_site(call) and call.world.units.exists(serial))


def save_devices(call: Call) -> Response:
    """Registers devices; one that exists is reset. Nothing is written when one of them is wrong."""
    require_site(call)
    if not isinstance(call.body, list) or not 0 < len(call.body) <= MOST_ROWS:
        raise bad_value("body", f"must be a list of 1 to {MOST_ROWS} devices")
    drafts = [_draft(row, f"[{number}]") for number, row in enumerate(call.body)]
    license_uuid = query.text(call.query, "licenseModelUuid") or None
    call.world.units.save(drafts, license_uuid, query.switch(call.query, "autoRenew"))
    return ok()


def _draft(row: Any, where: str) -> UnitDraft:
    if not isinstance(row, dict):
        raise bad_value(where, "must be an object")
    profile = values.thing(row.get("profile"), f"{where}.profile")
    above = f"{where}.{_HARDWARE[:-1]}"
    hardware = values.thing(profile.get("hardware_info"), above)
    serial = values.text(hardware.get("serial_no"), f"{above}.serial_no", required=True)
    if not serial.strip() or len(serial) > LONGEST_SERIAL:
        raise bad_value(f"{above}.serial_no", f"must have 1 to {LONGEST_SERIAL} characters")
    return UnitDraft(
        serial=serial,
        manufacturer=values.text(hardware.get("manufacturer"), f"{above}.manufacturer"),
        brand=values.text(hardware.get("brand"), f"{above}.brand"),
        model=values.text(hardware.get("model"), f"{above}.model"),
        enabled=values.switch(row.get("enabled"), f"{where}.enabled", True),
        group_uuid=values.text(row.get("groupUuid"), f"{where}.groupUuid") or None,
    )


def _unit(call: Call, name: str, *, by_serial: bool) -> UnitRecord:
    """The device that the query names, by uuid or by serial number. Raises Refusal, NotThere."""
    key = query.text(call.query, name)
    serial = call.query.get("serialNo", "") if by_serial else ""
    if key:
        unit = call.world.units.get(key)
        if serial and unit.serial != serial:
            raise no_device()
        return unit
    if not serial:
        raise bad_value(name, "is required")
    return call.world.units.by_serial(serial)


def get_device(call: Call) -> Response:
    """One device with its group. By its serial number too, which the contract only infers."""
    unit = _unit(call, "uuid", by_serial=call.inferred)
    return ok(data=device_detail(call.world, unit, call.access.email))


def list_installed(call: Call) -> Response:
    """Apps as a list, also of one: the single object of the page could not carry what a device has."""
    unit = _unit(call, "deviceUuid", by_serial=False)
    apps = [app_info(app) for app in call.world.units.installed(unit.uuid)]
    if call.world.scenario == "hostile":
        apps = spoil.apps(call.world.seed, unit.u, apps)
    reported = time_text(unit.checked_in_at)
    shape = {"deviceUuid": unit.uuid, "serialNo": unit.serial, "category": "all", "apps": apps, "reported": reported}
    return ok(data=shape)


def app_exists(call: Call) -> Response:
    """Whether a package is on a device; with a version code, whether it is that version. versionCode answers what is
    there, else what was asked."""
    unit = _unit(call, "deviceUuid", by_serial=True)
    package = query.text(call.query, "packageName")
    if not package:
        raise bad_value("packageName", "is required")
    asked = query.whole(call.query, "versionCode", -(2**31), 2**53, -1) if call.query.get("versionCode") else None
    found = next((app for app in call.world.units.installed(unit.uuid) if app.package == package), None)
    return ok(
        data={
            "deviceUuid": unit.uuid,
            "serialNo": unit.serial,
            "packageName": package,
            "versionCode": found.version_code if found else asked or 0,
            "installed": found is not None and asked in (None, found.version_code),
        }
    )


async def find_devices(call: Call) -> Response:
    """A page of devices. The filter's common paths and sort keys are the database's; others cost a look at each."""
    world = call.world
    first, size = query.paging(call.query, call.shift)
    wanted = query.filters(call.query, _known)
    path, descending = query.sorting(call.query, _known)
    mask, rest = _masked(world, wanted)
    if path in _SORTS and not rest:
        total = world.units.count(mask)
        units = world.units.page(mask, _SORTS[path], descending, first, size)
    else:
        numbers = await asyncio.to_thread(
            world.units.numbers_by,
            mask,
            lambda unit: query.matches(_with_group(world, unit), rest),
            lambda unit: query.rank(_with_group(world, unit), path) if path else (0, 0),
            descending,
        )
        total = len(numbers)
        units = world.units.several(numbers[first : first + size])
    rows: list[str] = []
    for start in range(0, len(units), CHUNK):
        if start:
            await asyncio.sleep(0)
        rows += [encode(device_shape(world, unit)) for unit in units[start : start + CHUNK]]
    return rows_ok(rows, totalPage=pages(total, size), size=size, totalSize=total)


def _with_group(world: World, unit: UnitRecord) -> dict[str, Any]:
    return device_shape(world, unit) | {"deviceGroup": {"uuid": unit.group_uuid}}


def _masked(world: World, wanted: query.Wanted) -> tuple[UnitFilter, query.Wanted]:
    """What of the filter the database takes, and the rest."""
    mask = UnitFilter()
    rest: query.Wanted = {}
    for path, options in wanted.items():
        if path == "siteUuid":
            mask = replace(mask, nothing=world.site not in options)
        elif path in _TEXTS and options and all(isinstance(option, str) for option in options):
            mask = replace(mask, **{_TEXTS[path]: options})
        elif path in _SWITCHES and len(options) == 1 and isinstance(options[0], bool):
            mask = replace(mask, **{_SWITCHES[path]: options[0]})
        elif path == "states.state" and options in (["online"], ["offline"]) and "states.isOnline" not in wanted:
            mask = replace(mask, online=options == ["online"])
        else:
            rest[path] = options
    return mask, rest
