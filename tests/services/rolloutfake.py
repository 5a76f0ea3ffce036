"""A service with groups, a catalogue and rollouts in memory: exact pages, exact moments, exact failures."""

from __future__ import annotations

import dataclasses
import json
from collections import deque
from collections.abc import Mapping
from typing import Any

from mdm_tui.fleet.catalogue import CatalogueApp, Image
from mdm_tui.fleet.commands import COMMANDS
from mdm_tui.fleet.devices import App, Device
from mdm_tui.fleet.errors import FleetError, Kind, Sent
from mdm_tui.fleet.groups import Group
from mdm_tui.fleet.provider import Capability, Meter, Page, Provider
from mdm_tui.fleet.rollouts import Rollout
from mdm_tui.providers.midm.rollouts import MidmRollouts

FORM = MidmRollouts()


class FakeFactory:
    """What the console knows of the service before it is connected."""

    kind = "fake"
    title = "Fake service"
    capabilities = frozenset(Capability)
    commands = tuple(COMMANDS)
    secrets = ()
    rollouts = FORM

    def report(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        return dict(raw)

    def connect(self, *_: Any, **__: Any) -> Provider:
        raise AssertionError("the tests give the provider")


class FakeRollouts(Provider):
    """`calls` lists what was asked; `fail` holds errors by method; `lost` answers of these are lost after the deed."""

    kind = "fake"
    capabilities = frozenset(Capability)
    commands = tuple(COMMANDS)

    def __init__(self, count: int = 0, per_group: int = 0) -> None:
        self._meter = Meter()
        self.rows: dict[str, dict[str, Any]] = {}
        self.listed_groups: list[Group] = []
        self.listed_apps = [CatalogueApp("a1", "Mail", "com.mail", "2.0", 20, refs=("a1", "file-a1"))]
        self.listed_images: list[Image] = []
        self.documents: dict[str, dict[str, Any]] = {}
        self.installed: dict[str, list[App]] = {}
        self.calls: list[tuple[Any, ...]] = []
        self.fail: dict[str, deque[FleetError | None]] = {}
        self.lost: set[str] = set()
        self.unlisted: set[str] = set()
        self.total_said = True
        self.before_change: Any = None
        for number in range(count):
            self.add(number, group=f"g{number // per_group}" if per_group else "")

    def add(self, number: int, **more: Any) -> str:
        key = f"d{number:05d}"
        row = {"serial": f"SN{number:06d}", "name": f"Dock {number}", "product": "HX7", "build": "B1", "group": ""}
        self.rows[key] = {**row, **more}
        group = self.rows[key]["group"]
        if group and all(one.id != group for one in self.listed_groups):
            self.listed_groups.append(Group(group, f"Group {group}", devices=0))
        return key

    @property
    def meter(self) -> Meter:
        return self._meter

    @property
    def clock_skew(self) -> float | None:
        return None

    async def _call(self, method: str, *args: Any) -> None:
        self.calls.append((method, *args))
        waiting = self.fail.get(method)
        if waiting and (error := waiting.popleft()) is not None:
            raise error

    def count(self, method: str) -> int:
        return sum(1 for call in self.calls if call[0] == method)

    def _after(self, method: str) -> None:
        if method in self.lost:
            raise FleetError(Kind.TIMEOUT, "No answer in 10 seconds", sent=Sent.MAYBE)

    async def devices(
        self, page: int, limit: int, *, newest_first: bool = False, by: str = "", scope: Any = None, group: str = ""
    ) -> Page[Device]:
        await self._call("devices", page, limit, group)
        rows = [(key, row) for key, row in self.rows.items() if key not in self.unlisted]
        rows = [(key, row) for key, row in rows if not group or row["group"] == group]
        part = rows[(page - 1) * limit : page * limit]
        items = [
            Device(key, {name: row.get(name) for name in ("name", "serial", "product", "model", "build")}, "{}")
            for key, row in part
        ]
        return Page(items, page, len(rows) if self.total_said else None, page * limit < len(rows))

    async def device(self, device_id: str) -> Device:
        await self._call("device", device_id)
        if device_id not in self.rows:
            raise FleetError(Kind.NOT_FOUND, "There is no such device", status=400)
        return Device(device_id, {}, "{}", detail=True)

    async def device_apps(self, device_id: str) -> list[App]:
        await self._call("device_apps", device_id)
        return self.installed.get(device_id, [])

    async def registered(self, serial: str) -> bool:
        await self._call("registered", serial)
        return any(row["serial"] == serial for row in self.rows.values())

    async def groups(self) -> list[Group]:
        await self._call("groups")
        return list(self.listed_groups)

    async def apps(self) -> list[CatalogueApp]:
        await self._call("apps")
        return list(self.listed_apps)

    async def images(self) -> list[Image]:
        await self._call("images")
        return list(self.listed_images)

    # rollouts
    def held(self, rollout_id: str) -> Rollout:
        document = {**self.documents[rollout_id], "uuid": rollout_id}
        return dataclasses.replace(FORM.read(document), id=rollout_id, raw=json.dumps(document))

    async def rollouts(self, page: int, limit: int) -> Page[Rollout]:
        await self._call("rollouts", page)
        ids = list(self.documents)
        part = ids[(page - 1) * limit : page * limit]
        return Page([self.held(one) for one in part], page, None, page * limit < len(ids))

    async def rollout(self, rollout_id: str) -> Rollout:
        await self._call("rollout", rollout_id)
        if rollout_id not in self.documents:
            raise FleetError(Kind.NOT_FOUND, "There is no such rollout", status=404)
        return self.held(rollout_id)

    async def create_rollout(self, document: Mapping[str, Any]) -> Rollout:
        await self._call("create_rollout", json.loads(json.dumps(document)))
        key = f"r{len(self.documents) + 1}"
        self.documents[key] = {**json.loads(json.dumps(document)), "updated": "2026-11-20T10:00:00Z", "siteUuid": "s"}
        self._after("create_rollout")
        return Rollout(key, str(document["profile"]["name"]))

    async def update_rollout(self, rollout_id: str, document: Mapping[str, Any]) -> Rollout:
        await self._call("update_rollout", rollout_id, json.loads(json.dumps(document)))
        self.documents[rollout_id] = {**json.loads(json.dumps(document)), "updated": f"later {len(self.calls)}"}
        self._after("update_rollout")
        return Rollout(rollout_id, str(document["profile"]["name"]))

    async def aclose(self) -> None:
        return None
