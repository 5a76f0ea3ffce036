"""A provider in memory, for what is hard to make a server do: exact pages, exact moments, exact failures."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from mdm_tui.fleet.commands import COMMANDS, Command, Order, PushStatus, State
from mdm_tui.fleet.devices import Device, DeviceChanges
from mdm_tui.fleet.errors import FleetError, Kind, Problem
from mdm_tui.fleet.fields import values
from mdm_tui.fleet.provider import Capability, Meter, Page
from mdm_tui.fleet.registration import Place
from mdm_tui.providers.applivery.report import report

STATES = {
    "PENDING": State.ACCEPTED,
    "RECEIVED": State.RECEIVED,
    "DONE": State.DONE,
    "ERROR": State.FAILED,
    "EXPIRED": State.EXPIRED,
    "CANCEL": State.CANCELLED,
}


def raw_device(number: int, *, updated: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "id": f"{number:024x}",
        "displayName": f"Device {number}",
        "state": "ACTIVE",
        "tags": [],
        "aosPolicyAssignments": [],
        "summary": {"serialNumber": f"SN{number:06d}"},
        "createdAt": _iso(number),
        "updatedAt": _iso(updated),
        **more,
    }


def _iso(seconds: int) -> str:
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    day, hour = divmod(hours, 24)
    return f"2026-06-{day + 1:02d}T{hour:02d}:{minute:02d}:{second:02d}.000Z"


class FakeProvider:
    """`fleet.provider.Provider` over dictionaries. `calls` lists what was asked; `fail` holds errors by method."""

    hides = ()
    kind = "fake"
    title = "Fake service"
    secrets: Sequence[str] = ("token",)
    rollouts = None
    registered_calls = 1
    registers_where = ""
    newest_by = ("updated",)
    capabilities = frozenset(Capability)
    commands: Sequence[str] = tuple(COMMANDS)

    def __init__(self, count: int = 0) -> None:
        self.rows: dict[str, dict[str, Any]] = {}
        for number in range(1, count + 1):
            row = raw_device(number, updated=number)
            self.rows[row["id"]] = row
        self.meter = Meter()
        self.clock_skew: float | None = None
        self.calls: list[tuple[Any, ...]] = []
        self.fail: dict[str, deque[FleetError | None]] = {}
        self.at_service: dict[str, list[Command]] = {}
        self.pushes: dict[str, PushStatus] = {}
        self.sent: list[tuple[str, str, str]] = []
        self.lie_total: deque[int] = deque()
        self.before_answer: Any = None
        self.closed = False
        self._made = 0

    async def registered_at(self, serial: str) -> Place:
        return Place()

    # the factory's part
    def report(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        return report(raw)

    def connect(self, settings: Any, token: Any, **options: Any) -> FakeProvider:
        return self

    def plan_failures(self, method: str, *errors: FleetError | None) -> None:
        self.fail.setdefault(method, deque()).extend(errors)

    def count(self, method: str) -> int:
        return sum(1 for call in self.calls if call[0] == method)

    async def _call(self, method: str, *args: Any) -> None:
        self.calls.append((method, *args))
        waiting = self.fail.get(method)
        if waiting and (error := waiting.popleft()) is not None:
            raise error
        if self.before_answer is not None:
            await self.before_answer(method, *args)

    def _device(self, row: dict[str, Any], detail: bool = False) -> Device:
        return Device(row["id"], values(report(row)), json.dumps(row), detail=detail)

    # devices
    async def devices(
        self, page: int, limit: int, *, newest_first: bool = False, by: str = "", scope: Any = None
    ) -> Page[Device]:
        await self._call("devices", page, newest_first)
        key = "updatedAt" if newest_first else "createdAt"
        rows = sorted(self.rows.values(), key=lambda row: (row[key], row["id"]), reverse=newest_first)
        part = rows[(page - 1) * limit : page * limit]
        total = self.lie_total.popleft() if self.lie_total and not newest_first else len(rows)
        return Page([self._device(row) for row in part], page, total, page * limit < len(rows))

    async def device(self, device_id: str) -> Device:
        row = self.rows.get(device_id)
        snapshot = json.loads(json.dumps(row)) if row else None
        await self._call("device", device_id)
        if snapshot is None:
            raise FleetError(Kind.NOT_FOUND, "There is no such device", status=404)
        return self._device(snapshot, detail=True)

    async def update_device(self, device_id: str, changes: DeviceChanges) -> Device:
        await self._call("update_device", device_id, dict(changes.values))
        row = self.rows[device_id]
        names = {"display_name": "displayName", "tags": "tags", "policy_id": "aosPolicyId", "segment_id": "segmentId"}
        for key, value in changes.values.items():
            if key == "assignments":
                row["aosPolicyAssignments"] = [{"aosPolicyId": a.policy_id, "priority": a.priority} for a in value]
            elif key == "user_id":
                row["mdmUser"] = {"id": value} if value else None
            else:
                row[names[key]] = value
        return self._device(row)

    def check_changes(self, changes: DeviceChanges) -> list[Problem]:
        name = changes.values.get("display_name")
        return [Problem(("display_name",), "is too long", "256")] if isinstance(name, str) and len(name) > 256 else []

    # commands
    def add_command(self, device_id: str, name: str, status: str = "PENDING", **more: Any) -> Command:
        self._made += 1
        command = Command(
            f"c{self._made:023d}", device_id, name, status, STATES[status], float(self._made), float(self._made), **more
        )
        self.at_service.setdefault(device_id, []).insert(0, command)
        return command

    def move(self, command: Command, status: str, **more: Any) -> None:
        import dataclasses

        rows = self.at_service[command.device_id]
        index = next(i for i, row in enumerate(rows) if row.id == command.id)
        self._made += 1
        rows[index] = dataclasses.replace(
            rows[index], status=status, state=STATES[status], updated_at=float(self._made), **more
        )

    async def device_commands(self, device_id: str, page: int = 1, limit: int = 50) -> Page[Command]:
        await self._call("device_commands", device_id)
        rows = list(self.at_service.get(device_id, []))
        return Page(rows[(page - 1) * limit : page * limit], page, len(rows), page * limit < len(rows))

    async def send(self, device_id: str, order: Order, key: str) -> Command | None:
        await self._call("send", device_id, order.name)
        self.sent.append((device_id, order.name, key))
        return self.add_command(device_id, order.name)

    async def command(self, device_id: str, command_id: str) -> Command:
        await self._call("command", device_id, command_id)
        for row in self.at_service.get(device_id, []):
            if row.id == command_id:
                return row
        raise FleetError(Kind.NOT_FOUND, "There is no such command", status=404)

    async def push_status(self, device_id: str, command_id: str) -> PushStatus:
        await self._call("push_status", device_id, command_id)
        return self.pushes.get(command_id, PushStatus(delivered=None))

    async def cancel(self, device_id: str, command_id: str) -> Command:
        await self._call("cancel", device_id, command_id)
        command = await self.command(device_id, command_id)
        self.move(command, "CANCEL")
        return await self.command(device_id, command_id)

    async def aclose(self) -> None:
        self.closed = True
