"""The embedded server's answers against the OpenAPI file, and its operations against what the file says of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from server_contract import APPLIVERY, leaves_of

from mdm_tui.server.applivery.operations import OPERATIONS
from mdm_tui.server.testing import BASE_URL, Fleet, fleet


class Judge:
    """A client that holds every answer against the APPLIVERY."""

    def __init__(self, made: Fleet) -> None:
        self.fleet = made
        self.calls: set[tuple[str, str]] = set()
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(made.app),
            base_url=BASE_URL,
            headers={"Authorization": f"Bearer {made.token}"},
        )

    async def call(self, method: str, path: str, status: int = 200, **options: Any) -> Any:
        full = f"/organizations/{self.fleet.organization}{path}"
        response = await self.http.request(method, full, **options)
        assert response.status_code == status, response.text[:500]
        body = response.json()
        kind = response.headers["content-type"].partition(";")[0]
        assert APPLIVERY.faults(method, full, status, kind, body) == []
        self.calls.add(APPLIVERY.operation_of(method, full))
        return body.get("data", body.get("error"))


@pytest.fixture
async def judge() -> AsyncIterator[Judge]:
    made = fleet(devices=300)
    judge = Judge(made)
    yield judge
    await judge.http.aclose()
    made.world.close()


AOSP = "/mdm/aosp/enterprise"
NOBODY = "0" * 24


def test_every_operation_is_in_the_contract_with_its_permission() -> None:
    known = APPLIVERY.operations()
    for operation in OPERATIONS:
        entry = known[operation.method, operation.path]
        assert entry.get("x-required-permission", operation.permission) == operation.permission
        assert operation.documented == (entry["x-source"] != "inferred"), operation.path
        assert operation.body == ("requestBody" in entry)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, {"status": True}),
        (200, {"status": True, "data": {"items": [{"id": "short"}]}}),
        (404, {"status": False, "error": {"code": 404, "message": "Entity not found"}}),
        (404, {"status": True, "error": {"code": 3001, "message": "Entity not found"}}),
        (418, {"status": True}),
    ],
)
def test_the_judge_finds_faults(status: int, body: Any) -> None:
    path = f"/organizations/{NOBODY}{AOSP}/devices"
    assert APPLIVERY.faults("GET", path, status, "application/json", body)
    assert APPLIVERY.faults("GET", path, status, "text/html", body) == ["content type text/html"]


async def test_every_operation_answers_as_the_contract_says(judge: Judge) -> None:
    page = await judge.call("GET", f"{AOSP}/devices", params={"limit": 300, "show-deleted": "true"})
    assert len(page["items"]) == 300
    here = [d for d in page["items"] if d["state"] == "ACTIVE"]
    policies = (await judge.call("GET", f"{AOSP}/policies"))["items"]
    await judge.call("GET", f"{AOSP}/policies/templates")
    applications = (await judge.call("GET", f"{AOSP}/applications"))["items"]
    await judge.call("GET", f"{AOSP}/applications/{applications[0]['id']}")
    users = (await judge.call("GET", "/mdm/users"))["items"]
    await judge.call("GET", "/mdm/users/tags")
    await judge.call("GET", "/mdm/devices/tags")
    await judge.call("GET", "/segments")
    await judge.call("GET", "")
    device = f"{AOSP}/devices/{here[0]['id']}"
    await judge.call("GET", device)
    await judge.call("PUT", f"{device}/move", json={"segmentId": 0})
    await judge.call("GET", f"{device}/applications")
    body = {
        "displayName": "Dock",
        "tags": ["a", "b"],
        "policyId": policies[1]["id"],
        "aosPolicyAssignments": [{"aosPolicyId": policies[2]["id"], "priority": -3}],
        "mdmUserId": users[0]["id"],
        "segmentId": 111,
    }
    await judge.call("PUT", device, json=body)
    await judge.call("PUT", device, json={"mdmUserId": None})
    made = await judge.call("POST", f"{AOSP}/policies", json={"name": "New", "config": {"a": [1]}})
    await judge.call("GET", f"{AOSP}/policies/{made['id']}")
    await judge.call("PUT", f"{AOSP}/policies/{made['id']}", json={"description": "x"})
    await judge.call("DELETE", f"{AOSP}/policies/{made['id']}")
    for command in ({"command": "REBOOT"}, {"command": "LOCK", "duration": 60, "params": {}}):
        sent = await judge.call("POST", f"{device}/commands", json=command)
        await judge.call("GET", f"{device}/commands/{sent['id']}/push-status")
    await judge.call("POST", f"{device}/commands/{sent['id']}/cancel")
    clear = {"command": "CLEAR_APP_DATA", "params": {"packageNames": ["com.example.absent"]}}
    await judge.call("POST", f"{device}/commands", json=clear)
    judge.fleet.world.advance(7200)
    await judge.call("GET", f"{device}/commands/{sent['id']}")
    assert len((await judge.call("GET", f"{device}/commands"))["items"]) == 3
    pushable = next(d for d in here if judge.fleet.world.devices.get(d["id"]).has_push)
    await judge.call("DELETE", f"{AOSP}/devices/{pushable['id']}")
    assert judge.calls == {(operation.method, operation.path) for operation in OPERATIONS}


async def test_refusals_answer_as_the_contract_says(judge: Judge) -> None:
    device = (await judge.call("GET", f"{AOSP}/devices"))["items"][0]["id"]
    await judge.call("GET", f"{AOSP}/devices/{NOBODY}", 404)
    await judge.call("GET", f"{AOSP}/devices/xyz", 400)
    await judge.call("GET", f"{AOSP}/devices", 400, params={"limit": "0"})
    await judge.call("PUT", f"{AOSP}/devices/{device}", 400, json={"tags": "a"})
    await judge.call("PUT", f"{AOSP}/devices/{device}", 415, content=b"a")
    await judge.call("POST", f"{AOSP}/devices/{device}/commands", 400, json={})
    await judge.call("POST", f"{AOSP}/policies", 400, json={"name": 3})
    await judge.call("GET", f"{AOSP}/devices", 401, headers={"Authorization": "Bearer wrong"})
    await judge.call("GET", f"{AOSP}/devices", 401, headers={"Authorization": ""})


async def test_every_detail_fits_the_contract(judge: Judge) -> None:
    items = (await judge.call("GET", f"{AOSP}/devices", params={"limit": 300, "show-deleted": "1"}))["items"]
    for item in items[::4]:
        await judge.call("GET", f"{AOSP}/devices/{item['id']}")


def test_every_field_of_the_contract_appears_on_some_device() -> None:
    from mdm_tui.server.applivery.shapes import device_shape, installed_shape
    from mdm_tui.server.world.devices import DeviceFilter
    from mdm_tui.server.world.installed import installed

    made = fleet(devices=600)
    try:
        world = made.world
        seen: set[str] = set()
        apps: set[str] = set()
        for device in world.devices.page(DeviceFilter(deleted=True), "n", False, 0, 600):
            shape = device_shape(world, device, full=True)
            seen |= leaves_of(shape)
            if device.n < 20 and device.reported_at:
                for app in installed(world, device, device.reported_at):
                    apps |= leaves_of(installed_shape(world, device, app))
        wanted = APPLIVERY.leaves({"$ref": "#/components/schemas/AosDevice"})
        # The icon and the picture of an application are files that a simulated fleet does not have.
        absent = {path for path in wanted - seen if not path.endswith((".icon", ".picture"))}
        assert absent == set()
        assert APPLIVERY.leaves({"$ref": "#/components/schemas/AmapiApplicationReport"}) - apps == set()
    finally:
        made.world.close()


async def test_hostile_answers_break_the_contract_in_about_two_percent() -> None:
    made = fleet(devices=1000, scenario="hostile")
    try:
        judge = Judge(made)
        path = f"/organizations/{made.organization}{AOSP}/devices"
        response = await judge.http.get(path, params={"limit": 1000})
        judged = APPLIVERY.validator("/components/schemas/AosDevice")
        items = response.json()["data"]["items"]
        wrong = [item for item in items if not judged.is_valid(item)]
        assert 0.01 * len(items) < len(wrong) < 0.04 * len(items)
    finally:
        made.world.close()
