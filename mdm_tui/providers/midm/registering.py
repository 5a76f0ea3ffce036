"""Registering devices with MiDM: asked for first, saved, and read back with their site."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mdm_tui.fleet.catalogue import LicenseModel
from mdm_tui.fleet.provider import Provider, Purpose
from mdm_tui.fleet.registration import Place, Registration, RegistrationTerms
from mdm_tui.fleet.text import clean

from . import read, wire
from .client import Client
from .parameters import PAGE, STEADY, filled, identifier, invalid, paged

__all__ = ["Registering"]

_SERIAL = "profile.hardware_info.serial_no"


class Registering(Provider):
    """The part of `MidmProvider` that registers. site: the uuid, "" where the connection has only an id name."""

    def __init__(self, client: Client, site: str, site_name: str) -> None:
        self._client, self._site, self._site_name = client, site, site_name
        self.registered_calls = 2 if site else 1
        self.registers_where = _where_to(site, site_name)

    async def registered(self, serial: str) -> bool:
        """Ask whether a device of this serial number exists, in the connection's site or in any: saving takes no site,
        so that one of another site may be reset as well."""
        if self._site and await self._exists(serial, self._site):
            return True
        return await self._exists(serial, "")

    async def _exists(self, serial: str, site: str) -> bool:
        params = (("serialNo", filled(serial, "serial number")), ("siteUuid", site))
        return await self._client.ask("device/exists", wire.flag_data, params=params)

    async def registered_at(self, serial: str) -> Place:
        """Read the device's `siteUuid` back and compare it with the connection's site."""
        found = await self._client.ask(
            "device/find",
            lambda node: read.site_of(node, serial),
            params=(*paged(1, PAGE, {_SERIAL: [filled(serial, "serial number")]}), *STEADY),
            purpose=Purpose.DETAIL,
        )
        if not self._site:
            same = "which cannot be compared with the connection's id name"
            return Place(f"at the site {clean(found, 60)}, {same} {clean(self._site_name, 60)}" if found else "")
        if found == self._site or (not found and await self._exists(serial, self._site)):
            return Place()
        where = f"the site {clean(found, 60)}" if found else "another site"
        return Place(f"at {where}, not at the connection's {self._site}", wrong=True)

    async def register(self, devices: Sequence[Registration], terms: RegistrationTerms) -> None:
        """POST the list. Saving a device that exists resets its status: ask `registered` first, and never again
        blindly after an answer that did not come."""
        if not devices:
            raise invalid("No device is named to be registered")
        body = [_registration(device) for device in devices]
        renew = None if terms.auto_renew is None else str(terms.auto_renew).lower()
        params = (("licenseModelUuid", terms.license_model), ("autoRenew", renew))
        await self._client.ask("device/save", lambda node: None, params=params, body=body)

    async def license_models(self) -> list[LicenseModel]:
        """The license models of the site. Known from an older console only."""
        return await self._client.ask("license/site/models", read.license_models, params=(("siteUuid", self._site),))


def _where_to(site: str, name: str) -> str:
    """What is to be said before registering: `device/save` has no parameter for a site."""
    said = "Saving devices takes no site: they go to the site of the user who signs in."
    if site:
        return f"{said} It should be {site}, the connection's; afterwards that is compared."
    if name:
        return f"{said} It should be {clean(name, 60)}, the connection's; afterwards the site is read back and told."
    return said


def _registration(device: Registration) -> dict[str, Any]:
    hardware = {"serial_no": filled(device.serial, "serial number")}
    for name in ("manufacturer", "brand", "model"):
        if value := getattr(device, name):
            hardware[name] = value
    row: dict[str, Any] = {"profile": {"hardware_info": hardware}, "enabled": True}
    if device.group_id:
        row["groupUuid"] = identifier(device.group_id)
    return row
