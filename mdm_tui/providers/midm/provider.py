"""VisionMax MiDM as a provider: the field's words over its operations."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from mdm_tui.fleet.catalogue import CatalogueApp, Image
from mdm_tui.fleet.devices import App, Device
from mdm_tui.fleet.errors import FleetError, Kind, Problem, Sent
from mdm_tui.fleet.groups import Group
from mdm_tui.fleet.provider import Capability, Meter, Page, Purpose, Scope
from mdm_tui.fleet.rollouts import Rollout
from mdm_tui.fleet.text import clean

from . import read, wire
from .client import Client
from .parameters import PAGE, STEADY, filled, identifier, invalid, paged
from .registering import Registering
from .rollouts import MidmRollouts

__all__ = ["MidmProvider"]

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
# A check-in is not known to move `updated`, and a change of the record no check-in.
_NEWEST = {"seen": "lastCheckedIn", "updated": "updated"}
# Neutral field → the field path to filter by.
_APP_FIELDS = {"name": "name", "package": "appInfo.packageName", "version": "appInfo.versionName"}
_IMAGE_FIELDS = {
    "name": "name",
    "product": "otaInfo.productId",
    "build": "otaInfo.postBuild",
    "part": "otaInfo.type",
}
_MOST_PAGES = 50


class MidmProvider(Registering):
    """See `fleet.provider.Provider` for what each method gives; every one raises `FleetError` and nothing else.

    site: the site's uuid, by which lists are filtered, or its id name, which goes along where the service takes it.
    rollout_format: how documents of this connection are read and written.
    """

    kind = "midm"
    newest_by: Sequence[str] = tuple(_NEWEST)

    def __init__(
        self, client: Client, site: str, capabilities: frozenset[Capability], rollout_format: MidmRollouts
    ) -> None:
        uuid = site.lower() if _UUID.fullmatch(site) else ""
        super().__init__(client, uuid, "" if uuid else site)
        # What lists are filtered by; apps and images are of no site in the answers, so they are not.
        self._here: dict[str, Any] = {"siteUuid": self._site} if self._site else {}
        self.capabilities = capabilities
        self.commands: Sequence[str] = ()
        self.rollout_format = self._format = rollout_format
        self._lacking: set[str] = set()

    @property
    def meter(self) -> Meter:
        """Calls of the last hour and the pause in force."""
        return self._client.http.meter

    @property
    def clock_skew(self) -> float | None:
        """The service's clock minus ours in seconds; None while unknown."""
        return self._client.http.clock_skew

    @property
    def hides(self) -> tuple[str, ...]:
        """See `Provider.hides`."""
        return self._client.http.auth.hidden

    async def aclose(self) -> None:
        """Close the connections; nothing is sent, the session ends by itself."""
        await self._client.http.aclose()

    # devices

    async def devices(
        self,
        page: int,
        limit: int,
        *,
        newest_first: bool = False,
        by: str = "",
        scope: Scope | None = None,
        group: str = "",
    ) -> Page[Device]:
        """A page of list rows, which say nothing of groups. scope: the service has no segments.

        by: `seen`, the last check-in, or `updated`, the last change of the record; neither moves with the other.
        """
        where = {**self._here, "deviceGroup.uuid": [identifier(group)]} if group else self._here
        look = (by or self.newest_by[-1]) if newest_first else ""
        order = (("sortBy", _NEWEST[look]), ("direction", "desc")) if look else STEADY
        return await self._client.ask(
            "device/find",
            lambda node: read.page(node, read.device, page, limit),
            params=(*paged(page, limit, where), *order),
        )

    async def device(self, device_id: str) -> Device:
        """One device with its group; what the service adds beside is kept."""
        params = (("uuid", identifier(device_id)),)
        return await self._client.ask(
            "device/findBy", lambda node: read.device(wire.data(node), detail=True), params=params
        )

    async def device_apps(self, device_id: str) -> list[App]:
        """The installed apps, whether they come as a list or as one object."""
        params = (("deviceUuid", identifier(device_id)),)
        return await self._client.ask(
            "device/app/installed",
            lambda node: [read.app(item, reported) for item, reported in wire.installed(node)],
            params=params,
        )

    async def device_has_app(self, device_id: str, package: str) -> App | None:
        """Ask for one package; where the service has no such question, the list of apps is read."""
        name = "device/app/exists"
        if name not in self._lacking:
            params = (("deviceUuid", identifier(device_id)), ("packageName", filled(package, "package name")))
            try:
                return await self._client.ask(
                    name, lambda node: read.app_state(wire.data(node), package), params=params
                )
            except FleetError as error:
                if not _no_path(error):
                    raise
            # A device that is not there is refused by this list too, so that it is not taken for a missing question.
            apps = await self.device_apps(device_id)
            self._lacking.add(name)
        else:
            apps = await self.device_apps(device_id)
        return next((app for app in apps if app.package == package), None)

    # groups

    async def groups(self) -> list[Group]:
        """All groups; those of other sites, which people of several sites may see, are left out."""
        return await self._client.ask("device/group/all", partial(read.groups, site=self._site))

    async def create_group(self, name: str, parent: str = "") -> Group:
        """POST a new group. Sent once."""
        body: dict[str, Any] = {"profile": {"name": filled(name, "name")}, "enabled": True}
        if parent:
            body["parentUuid"] = identifier(parent)
        return await self._save_group(body)

    async def change_group(self, group: Group, *, name: str | None = None, parent: str | None = None) -> Group:
        """POST the whole group back with its uuid, as an older console does; without a parent it is top-level."""
        body = json.loads(group.raw)
        if not isinstance(body, dict) or group.unreadable:
            raise invalid(f"The group cannot be changed: {group.unreadable or 'it is not known what it holds'}")
        body["uuid"] = identifier(group.id)
        if name is not None:
            profile = body.get("profile")
            body["profile"] = {**(profile if isinstance(profile, dict) else {}), "name": filled(name, "name")}
        if parent:
            body["parentUuid"] = identifier(parent)
        elif parent is not None or not body.get("parentUuid"):
            body.pop("parentUuid", None)
        return await self._save_group(body)

    async def _save_group(self, body: dict[str, Any]) -> Group:
        params = (("siteUuid", self._site), ("siteId", self._site_name))
        return await self._client.ask("device/group/save", _group_saved, params=params, body=body)

    async def delete_group(self, group_id: str) -> None:
        """POST the deletion. Known from an older console only."""
        name = "device/group/delete"
        try:
            await self._client.ask(name, lambda node: None, body={"uuid": identifier(group_id)})
        except FleetError as error:
            if error.kind is Kind.NOT_FOUND and _no_path(error):
                # A group that is there and cannot be deleted by this path: the path is not there.
                found = await self.groups()
                if any(group.id == group_id for group in found):
                    raise self._client.lacks(error, name) from None
            raise

    # the catalogue

    async def apps(self) -> list[CatalogueApp]:
        """All apps in one answer."""
        return await self._client.ask("app/all", _all(read.catalogue_app))

    async def find_apps(self, page: int, limit: int, where: Mapping[str, str] | None = None) -> Page[CatalogueApp]:
        """A page of apps by name."""
        return await self._client.ask(
            "app/find",
            lambda node: read.page(node, read.catalogue_app, page, limit),
            params=(*paged(page, limit, _where(where, _APP_FIELDS)), ("sortBy", "name"), ("direction", "asc")),
        )

    async def images(self) -> list[Image]:
        """All system images in one answer."""
        return await self._client.ask("ota/all", _all(read.image))

    async def find_images(self, page: int, limit: int, where: Mapping[str, str] | None = None) -> Page[Image]:
        """A page of system images by name."""
        return await self._client.ask(
            "ota/find",
            lambda node: read.page(node, read.image, page, limit),
            params=(*paged(page, limit, _where(where, _IMAGE_FIELDS)), ("sortBy", "name"), ("direction", "asc")),
        )

    # rollouts

    async def rollouts(self, page: int, limit: int) -> Page[Rollout]:
        """A page of rollouts, whole documents in `raw`; the service gives no totals."""
        return await self._rollouts(page, limit)

    async def _rollouts(self, page: int, limit: int, purpose: Purpose | None = None) -> Page[Rollout]:
        return await self._client.ask(
            "profile/find",
            lambda node: read.page(node, read.rollout, page, limit),
            params=(*paged(page, limit, self._here), ("sortBy", "created"), ("direction", "asc")),
            purpose=purpose,
        )

    async def rollout(self, rollout_id: str) -> Rollout:
        """One rollout, whole; where the service cannot give one, the list is searched, which holds them whole."""
        name = "profile/findBy"
        if name not in self._lacking:
            try:
                return await self._client.ask(
                    name,
                    lambda node: read.rollout(wire.data(node), rollout_id),
                    params=(("uuid", identifier(rollout_id)),),
                )
            except FleetError as error:
                if not _no_path(error):
                    raise
                found = await self._listed(rollout_id, error)
            self._lacking.add(name)
            return found
        return await self._listed(rollout_id, None)

    async def _listed(self, rollout_id: str, error: FleetError | None) -> Rollout:
        for number in range(1, _MOST_PAGES + 1):
            found = await self._rollouts(number, PAGE, Purpose.DETAIL)
            for item in found.items:
                if item.id == rollout_id:
                    return item
            if not found.has_next:
                break
        what = f"The service does not have {clean(rollout_id, 60)} among the rollouts"
        raise error if error is not None and error.kind is Kind.NOT_FOUND else FleetError(Kind.NOT_FOUND, what)

    async def create_rollout(self, document: Mapping[str, Any]) -> Rollout:
        """POST a new profile, always with a name; devices in its scope that do not exist will be registered."""
        body = self._format.new_body(document)
        _refuse(self._format.check(body))
        return await self._client.ask("profile/save", partial(_saved, document=body), body=body)

    async def update_rollout(self, rollout_id: str, document: Mapping[str, Any]) -> Rollout:
        """POST the whole profile back."""
        body = {**self._format.body(document), "uuid": identifier(rollout_id)}
        _refuse(self._format.check(body))
        name = "profile/update"
        try:
            return await self._client.ask(name, partial(_saved, document=body, id=rollout_id), body=body)
        except FleetError as error:
            if error.kind is Kind.NOT_FOUND and _no_path(error):
                # A rollout that is there and cannot be changed by this path: the path is not there.
                await self.rollout(rollout_id)
                raise self._client.lacks(error, name) from None
            raise


def _no_path(error: FleetError) -> bool:
    """Whether the refusal may mean that the service has no such operation, and not that the thing is not there."""
    return error.kind is Kind.UNSUPPORTED or (error.kind is Kind.NOT_FOUND and error.status == 404)


def _all(one: Any) -> Any:
    return lambda node: [one(item) for item in wire.listing(node).rows]


def _saved(node: Any, document: Mapping[str, Any], id: str = "") -> Rollout:
    return read.saved(wire.data(node), document, id)


def _group_saved(node: Any) -> Group:
    found = read.group(wire.data(node))
    if found.unreadable:
        # An answer without a readable id proves nothing about the group.
        raise ValueError(found.unreadable)
    return found


def _where(where: Mapping[str, str] | None, known: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in (where or {}).items():
        if key not in known:
            raise invalid(f"{clean(key, 40)!r} is not a field to search by; there are {', '.join(known)}")
        if value:
            found[known[key]] = value
    return found


def _refuse(problems: list[Problem]) -> None:
    """Nothing that breaks the contract leaves; warnings do."""
    wrong = tuple(item for item in problems if not item.warning)
    if wrong:
        first = f"{wrong[0].pointer} {wrong[0].message}".strip()
        more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        sentence = f"The rollout was not sent: {first}{more}"
        raise FleetError(Kind.INVALID, sentence, sent=Sent.NEVER, problems=wrong)
