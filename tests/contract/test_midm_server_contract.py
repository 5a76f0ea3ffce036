"""The embedded server's MiDM answers against the OpenAPI file, and its operations against what the file says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from server_contract import MIDM, leaves_of

from mdm_tui.server.midm.operations import OPERATIONS
from mdm_tui.server.testing import EMAIL, MIDM_URL, PASSWORD, Fleet, fleet
from mdm_tui.server.world.units import UnitFilter

NOWHERE = "00000000-0000-4000-8000-000000000000"


class Judge:
    """A client that holds every answer against the contract."""

    def __init__(self, made: Fleet) -> None:
        self.fleet = made
        self.calls: set[tuple[str, str]] = set()
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(made.app), base_url=MIDM_URL, headers=made.midm_headers()
        )

    async def call(self, method: str, path: str, *, result: bool = True, **options: Any) -> Any:
        response = await self.http.request(method, path, **options)
        body = response.json()
        assert body["result"] is result, body
        kind = response.headers["content-type"].partition(";")[0]
        assert MIDM.faults(method, path, response.status_code, kind, body) == []
        self.calls.add((method, path))
        return body.get("data")


@pytest.fixture
async def judge() -> AsyncIterator[Judge]:
    made = fleet(devices=300)
    judge = Judge(made)
    yield judge
    await judge.http.aclose()
    made.world.close()


def test_every_operation_of_the_contract_is_there() -> None:
    known = MIDM.operations()
    assert set(known) == {(operation.method, operation.path) for operation in OPERATIONS}
    for operation in OPERATIONS:
        entry = known[operation.method, operation.path]
        assert operation.documented == (entry["x-source"] != "inferred"), operation.path
        kinds = {(): "", ("application/json",): "json", ("multipart/form-data",): "form"}
        assert operation.body == kinds[tuple(entry.get("requestBody", {}).get("content", ()))]
        assert operation.session == ("accessToken" in str(entry.get("security", MIDM.document["security"])))


async def test_every_operation_answers_as_the_contract_says(judge: Judge) -> None:
    user = {"email": "new@example.com", "mode": "si", "role": 4, "userName": "New"}
    await judge.call("POST", "/portal/V1/auth", json={"email": EMAIL, "password": PASSWORD, "type": "email"})
    await judge.call("GET", "/portal/V1/auth/token-verify")
    await judge.call("POST", "/portal/V1/auth/fleet-delegate", files={"fleet_id": (None, "1")})
    await judge.call("POST", "/portal/V1/add-user", json=user)
    await judge.call("GET", "/portal/V1/get-users")
    ota = "/ota/api"
    groups = await judge.call("GET", f"{ota}/device/group/all")
    made = await judge.call("POST", f"{ota}/device/group/save", json={"profile": {"name": "New"}})
    await judge.call("POST", f"{ota}/device/group/delete", json={"uuid": made["uuid"]})
    serial = {"serial_no": "NEW-1"}
    device = {"profile": {"hardware_info": serial}, "groupUuid": groups[0]["uuid"], "enabled": None}
    await judge.call("POST", f"{ota}/device/save", json=[device])
    assert await judge.call("GET", f"{ota}/device/exists", params={"serialNo": "NEW-1"}) is True
    found = await judge.call("GET", f"{ota}/device/find", params={"size": 400})
    for one in found[::4]:
        await judge.call("GET", f"{ota}/device/findBy", params={"uuid": one["uuid"]})
        await judge.call("GET", f"{ota}/device/app/installed", params={"deviceUuid": one["uuid"]})
    asked = {"deviceUuid": found[0]["uuid"], "packageName": "com.example.absent"}
    await judge.call("GET", f"{ota}/device/app/exists", params=asked)
    for kind in ("app", "ota"):
        assert await judge.call("GET", f"{ota}/{kind}/all") == await judge.call(
            "GET", f"{ota}/{kind}/find", params={"size": 1000}
        )
    for rollout in await judge.call("GET", f"{ota}/profile/find", params={"size": 100}):
        whole = await judge.call("GET", f"{ota}/profile/findBy", params={"uuid": rollout["uuid"]})
        await judge.call("POST", f"{ota}/profile/update", json=whole)
    await judge.call("POST", f"{ota}/profile/save", json={"profile": {"name": "New"}})
    await judge.call("GET", f"{ota}/logs/find", params={"filter": f'{{"forWhat":"{found[0]["uuid"]}"}}'})
    await judge.call("GET", f"{ota}/license/site/models")
    await judge.call("GET", f"{ota}/stat/dbquery", params={"db": "device"})
    await judge.call("GET", f"{ota}/stat/dbquery", params={"db": "license"})
    await judge.call("GET", "/portal/V1/logout")
    assert judge.calls == {(operation.method, operation.path) for operation in OPERATIONS}


async def test_refusals_answer_as_the_contract_says(judge: Judge) -> None:
    ota = "/ota/api"
    await judge.call("GET", f"{ota}/device/findBy", result=False, params={"uuid": NOWHERE})
    await judge.call("GET", f"{ota}/device/find", result=False, params={"filter": "["})
    await judge.call("POST", f"{ota}/device/save", result=False, json={})
    await judge.call("POST", f"{ota}/device/save", result=False, content=b"x")
    await judge.call("POST", f"{ota}/profile/save", result=False, json={"otas": [NOWHERE]})
    await judge.call("POST", "/portal/V1/auth", result=False, json={})
    await judge.call("GET", f"{ota}/device/group/all", result=False, headers={"x-api-key": "wrong"})
    await judge.call("GET", "/portal/V1/get-users", result=False, headers={"Authorization": "Bearer wrong"})


async def test_every_field_of_the_contract_appears_somewhere(judge: Judge) -> None:
    ota = "/ota/api"
    seen: set[str] = set()
    for unit in judge.fleet.world.units.page(UnitFilter(), limit=1000):
        seen |= leaves_of(await judge.call("GET", f"{ota}/device/findBy", params={"uuid": unit.uuid}))
    wanted = MIDM.leaves({"$ref": "#/components/schemas/MidmDeviceDetail"})
    # What only an older console read and no simulated device reports.
    unheard = ("bluetooth", "dataUsage", "kernel_version", ".number", ".iccid", ".data_roaming_enabled")
    assert {path for path in wanted - seen if not any(word in path for word in unheard)} == set()
    for path, schema in (("app/all", "MidmApp"), ("ota/all", "MidmOta"), ("device/group/all", "MidmDeviceGroup")):
        items = await judge.call("GET", f"{ota}/{path}")
        found = set().union(*(leaves_of(item) for item in items))
        assert MIDM.leaves({"$ref": f"#/components/schemas/{schema}"}) - found == set(), path
