"""A service with groups, a catalogue and registering, in memory: for exact moments and failures no server makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from mdm_tui.fleet.catalogue import CatalogueApp, Image, LicenseModel
from mdm_tui.fleet.devices import Device
from mdm_tui.fleet.errors import FleetError, Kind
from mdm_tui.fleet.groups import Group
from mdm_tui.fleet.provider import Page
from mdm_tui.fleet.registration import Registration, RegistrationTerms

from .fake import FakeProvider


class SiteProvider(FakeProvider):
    """`plan_failures(method, …)` fails before the service acts; `lost` names methods whose next answer is lost."""

    def __init__(self, count: int = 0) -> None:
        super().__init__(count)
        self.listed: list[Group] = []
        self.within: dict[str, list[str]] = {}
        self.lie: list[int] = []
        self.known: set[str] = set()
        self.saved: list[tuple[str, RegistrationTerms]] = []
        self.lost: list[str] = []
        self.uploads: list[CatalogueApp] = []
        self.images_held: list[Image] = []
        self.at_once = self.most_at_once = 0

    async def _done(self, method: str) -> None:
        if method in self.lost:
            from mdm_tui.fleet.errors import Sent

            self.lost.remove(method)
            raise FleetError(Kind.TIMEOUT, "No answer in 30 s", sent=Sent.MAYBE)

    # groups
    async def devices(
        self, page: int, limit: int, *, newest_first: bool = False, by: str = "", scope: Any = None, group: str = ""
    ):
        if not group:
            return await super().devices(page, limit, newest_first=newest_first, scope=scope)
        await self._call("members", group, page)
        if group not in {one.id for one in self.listed}:
            raise FleetError(Kind.NOT_FOUND, "There is no such group", status=404)
        ids = self.within.get(group, [])
        part: list[Device] = [self._device(self.rows[key]) for key in ids[(page - 1) * limit : page * limit]]
        total = self.lie.pop(0) if self.lie else len(ids)
        return Page(part, page, total, page * limit < len(ids))

    async def groups(self) -> list[Group]:
        await self._call("groups")
        return [replace(group, devices=len(self.within.get(group.id, []))) for group in self.listed]

    async def create_group(self, name: str, parent: str = "") -> Group:
        await self._call("create_group", name, parent)
        made = Group(f"new{len(self.calls)}", name, parent)
        self.listed.append(made)
        await self._done("create_group")
        return made

    async def change_group(self, group: Group, *, name: str | None = None, parent: str | None = None) -> Group:
        await self._call("change_group", group.id, name, parent)
        made = replace(
            group, name=group.name if name is None else name, parent=group.parent if parent is None else parent
        )
        self.listed = [made if one.id == group.id else one for one in self.listed]
        await self._done("change_group")
        return made

    async def delete_group(self, group_id: str) -> None:
        await self._call("delete_group", group_id)
        self.listed = [one for one in self.listed if one.id != group_id]
        await self._done("delete_group")

    # registering
    async def registered(self, serial: str) -> bool:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await self._call("registered", serial)
        finally:
            self.at_once -= 1
        return serial in self.known

    async def register(self, devices: Sequence[Registration], terms: RegistrationTerms) -> None:
        assert len(devices) == 1
        await self._call("register", devices[0].serial)
        self.known.add(devices[0].serial)
        self.saved.append((devices[0].serial, terms))
        await self._done("register")

    async def license_models(self) -> list[LicenseModel]:
        await self._call("license_models")
        return [LicenseModel("l1", "Standard")]

    # the catalogue
    async def apps(self) -> list[CatalogueApp]:
        await self._call("apps")
        return list(self.uploads)

    async def find_apps(self, page: int, limit: int, where: Mapping[str, str] | None = None) -> Page[CatalogueApp]:
        await self._call("find_apps", page, dict(where or {}))
        name = (where or {}).get("name")
        found = [app for app in self.uploads if name in (None, app.name)]
        total = self.lie.pop(0) if self.lie else len(found)
        return Page(found[(page - 1) * limit : page * limit], page, total, page * limit < len(found))

    async def images(self) -> list[Image]:
        await self._call("images")
        return list(self.images_held)

    async def find_images(self, page: int, limit: int, where: Mapping[str, str] | None = None) -> Page[Image]:
        await self._call("find_images", page)
        held = self.images_held
        return Page(held[(page - 1) * limit : page * limit], page, len(held), page * limit < len(held))
