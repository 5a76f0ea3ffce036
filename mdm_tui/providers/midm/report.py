"""Where each part of a MiDM device stands in the neutral report. Pure: needs no network or model library.

Source: the answers of device/find and device/findBy (schemas MidmDevice and MidmDeviceDetail of the contract).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from mdm_tui.fleet.report import Report, get, move

from .values import flag, moment

__all__ = ["report"]

_P = "profile"
_H = f"{_P}.hardware_info"
_N = f"{_P}.network"
_TABLE: tuple[tuple[str, str], ...] = (
    (f"{_H}.serial_no", "hardware.serialNumber"),
    (f"{_H}.product_id", "hardware.productId"),
    (f"{_H}.memory.total", "memory.totalRam"),
    (f"{_H}.memory.free", "memory.freeRam"),
    (f"{_H}.storages", "memory.storages"),
    (f"{_H}.battery.level", "power.level"),
    (f"{_H}.battery.isCharging", "power.charging"),
    (f"{_H}.manufacturer", "hardware.manufacturer"),
    (f"{_H}.brand", "hardware.brand"),
    (f"{_H}.model", "hardware.model"),
    (f"{_P}.software_info.os_version", "software.androidVersion"),
    (f"{_P}.software_info.kernel_version", "software.deviceKernelVersion"),
    (f"{_P}.software_info.build_no", "software.androidBuildNumber"),
    (f"{_N}.wifi.mac_address", "network.wifiMacAddress"),
    (f"{_N}.wifi.enabled", "network.wifi.enabled"),
    (f"{_N}.bluetooth.enabled", "network.bluetooth.enabled"),
    (f"{_N}.bluetooth.name", "network.bluetooth.name"),
    (f"{_N}.bluetooth.mac_address", "network.bluetooth.macAddress"),
    (f"{_N}.telephony.carrier", "network.networkOperatorName"),
    (f"{_N}.telephony.number", "network.phoneNumber"),
    (f"{_N}.telephony.iccid", "network.iccId"),
    (f"{_N}.telephony.data_enabled", "network.dataEnabled"),
    (f"{_N}.telephony.data_roaming_enabled", "network.dataRoamingEnabled"),
    (f"{_N}.dataUsage.wifi.rx", "network.dataUsage.wifi.received"),
    (f"{_N}.dataUsage.wifi.tx", "network.dataUsage.wifi.sent"),
    (f"{_N}.dataUsage.wifi.from", "network.dataUsage.wifi.from"),
    (f"{_N}.dataUsage.wifi.to", "network.dataUsage.wifi.to"),
    ("states.clientVersion", "software.clientVersion"),
    ("states.rtcEnabled", "state.remoteControl"),
    ("states.state", "state.link"),
    ("states.isOnline", "state.online"),
    ("enabled", "state.enabled"),
    ("lastCheckedIn", "state.lastStatusReportTime"),
    ("lastDisconnected", "state.lastDisconnectedTime"),
    ("enrolled", "identity.enrolledDate"),
    ("uuid", "identity.id"),
    ("siteUuid", "identity.site"),
    ("created", "identity.createdAt"),
    ("updated", "identity.updatedAt"),
    ("deviceGroup.uuid", "identity.group.id"),
    ("deviceGroup.profile.name", "identity.group.name"),
    ("deviceGroup.parentUuid", "identity.group.parent"),
    ("deviceGroup.siteUuid", "identity.group.site"),
    ("deviceGroup.deviceNumbers", "identity.group.devices"),
    ("deviceGroup.enabled", "identity.group.enabled"),
    ("deviceGroup.created", "identity.group.createdAt"),
    ("deviceGroup.updated", "identity.group.updatedAt"),
    ("license.licenseModel.name", "identity.license.name"),
    ("license.autoRenew", "identity.license.autoRenew"),
    ("license.activatedAt", "identity.license.activatedAt"),
    ("license.expiry", "identity.license.expiresAt"),
    ("licensed", "identity.licensed"),
    ("owner.email", "identity.owner.email"),
    ("owner.profile.name", "identity.owner.name"),
)
_SWITCHES = (
    *("power.charging", "network.wifi.enabled", "network.bluetooth.enabled"),
    *("network.dataEnabled", "network.dataRoamingEnabled"),
    *("state.remoteControl", "state.online", "state.enabled"),
    *("identity.group.enabled", "identity.license.autoRenew"),
)
_TIMES = (
    *("state.lastStatusReportTime", "state.lastDisconnectedTime"),
    *("identity.enrolledDate", "identity.createdAt", "identity.updatedAt"),
    *("identity.group.createdAt", "identity.group.updatedAt"),
    *("identity.license.activatedAt", "identity.license.expiresAt"),
    *("network.dataUsage.wifi.from", "network.dataUsage.wifi.to"),
)


def report(raw: Mapping[str, Any]) -> Report:
    """The device in neutral words; what the table does not name lands in `other` under its own path.

    Switches in quotes become switches and times in numbers become ISO text: the raw view has them as they came.
    """
    found = move(raw, _TABLE)
    for path in _SWITCHES:
        _mend(found, path, flag)
    for path in _TIMES:
        _mend(found, path, _iso)
    return found


def _iso(value: Any) -> str | None:
    if isinstance(value, str) and not value.strip().isdigit():
        return None
    stamp = moment(value)
    return None if stamp is None else datetime.fromtimestamp(stamp, UTC).isoformat().replace("+00:00", "Z")


def _mend(tree: Report, path: str, read: Callable[[Any], Any]) -> None:
    """Put in the value as the contract means it; what cannot be read so stays as it is."""
    above, _, name = path.rpartition(".")
    node = get(tree, above)
    if isinstance(node, dict) and node.get(name) is not None:
        found = read(node[name])
        if found is not None:
            node[name] = found
