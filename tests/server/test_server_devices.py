"""Operations on devices: lists, details, updates, disenrolment."""

from __future__ import annotations

import pytest

LIST = "/mdm/aosp/enterprise/devices"
NOBODY = "0" * 24


async def test_pages_cover_the_fleet_once(client) -> None:
    seen: list[str] = []
    page = 1
    while True:
        data = await client.call("GET", LIST, params={"page": page, "limit": 15})
        seen += [item["id"] for item in data["items"]]
        assert data["hasPrevPage"] is (page > 1)
        assert data["prevPage"] == page - 1
        if not data["hasNextPage"]:
            assert data["nextPage"] == 0
            break
        assert data["nextPage"] == page + 1
        page += 1
    assert len(seen) == len(set(seen)) == data["totalDocs"]
    assert data["totalPages"] == page
    beyond = await client.call("GET", LIST, params={"page": 999})
    assert beyond["items"] == []


async def test_sorts_by_stored_and_by_computed_fields(client) -> None:
    async def values(sort: str) -> list[dict]:
        return (await client.call("GET", LIST, params={"sort": sort, "limit": 80}))["items"]

    updated = [item["updatedAt"] for item in await values("updatedAt:desc")]
    assert updated == sorted(updated, reverse=True)
    names = [item["displayName"] for item in await values("displayName")]
    assert names == sorted(names)
    models = [
        item["config"].get("deviceReport", {}).get("hardwareInfo", {}).get("model", "")
        for item in await values("config.deviceReport.hardwareInfo.model:asc")
    ]
    assert models == sorted(models)
    assert len(set(models)) > 3
    levels = [
        item["config"]["deviceReport"]["powerManagementEvents"][0]["batteryLevel"]
        for item in await values("config.deviceReport.powerManagementEvents.0.batteryLevel:desc")
        if "deviceReport" in item["config"]
    ]
    assert levels == sorted(levels, reverse=True)


async def test_filters(client) -> None:
    async def items(**params: object) -> list[dict]:
        return (await client.call("GET", LIST, params={"limit": 200, **params}))["items"]

    client.world.devices.change(client.device(), state="gone")
    everything = await items()
    tag = everything[0]["tags"][0]
    assert {i["id"] for i in await items(tags=tag)} == {i["id"] for i in everything if tag in i["tags"]}
    both = await items(tags=["kiosk", "drivers"])
    assert {i["id"] for i in both} == {i["id"] for i in everything if {"kiosk", "drivers"} & set(i["tags"])}
    assert all(i["state"] == "DISABLED" for i in await items(state="DISABLED"))
    gone = await items(state="DELETED")
    assert gone and all(i["state"] == "DELETED" for i in gone)
    assert len(await items(**{"show-deleted": "true"})) == 80 == len(everything) + len(gone)
    policy = next(i["aosPolicyId"] for i in everything if "aosPolicyId" in i)
    assert all(i["aosPolicyId"] == policy for i in await items(**{"aos-policy": policy}))
    user = next(i["mdmUser"]["id"] for i in everything if "mdmUser" in i)
    assert all(i["mdmUser"]["id"] == user for i in await items(**{"mdm-user": user.upper()}))
    spain = await items(segmentId=11, expandTo="children")
    assert {i["segmentId"] for i in spain} <= {11, 111, 112, 113}
    assert len(spain) > len(await items(segmentId=11))
    up = await items(segmentId=111, expandTo="ancestors")
    assert {i["segmentId"] for i in up} <= {111, 11, 1, 0}
    assert await items(segmentId=99999) == []


@pytest.mark.parametrize(
    "params",
    [
        {"page": "0"},
        {"page": "x"},
        {"page": "1" * 400},
        {"limit": "0"},
        {"limit": "1001"},
        {"limit": "-5"},
        {"sort": "nothing"},
        {"sort": "id:down"},
        {"sort": "config.nothing"},
        {"sort": "config.deviceReport.nothing"},
        {"sort": "tags..0"},
        {"mdm-user": "short"},
        {"aos-policy": "g" * 24},
        {"state": "BROKEN"},
        {"segmentId": "x"},
        {"expandTo": "sideways"},
    ],
)
async def test_wrong_list_parameters_are_refused(client, params) -> None:
    error = await client.call("GET", LIST, 400, params=params)
    assert error["code"] == 5209
    assert error["details"][0]["path"] == next(iter(params))


async def test_the_detail_has_a_day_and_agrees_with_the_list(client) -> None:
    device = client.device()
    detail = await client.call("GET", client.path(device))
    row = next(i for i in (await client.call("GET", LIST, params={"limit": 200}))["items"] if i["id"] == device.id)
    full, lean = detail["config"]["deviceReport"], row["config"]["deviceReport"]
    assert "deviceAosPolicy" in detail and "deviceAosPolicy" not in row
    assert len(full["hardwareStatusSamples"]) >= 48
    assert full["hardwareStatusSamples"][-1] == lean["hardwareStatusSamples"][-1]
    assert full["powerManagementEvents"][-1] == lean["powerManagementEvents"][-1]
    assert full["memoryEvents"][-2:] == lean["memoryEvents"]
    times = [event["createTime"] for event in full["hardwareStatusSamples"]]
    assert times == sorted(times)


async def test_an_update_changes_what_was_sent_and_nothing_else(client) -> None:
    device = client.device(lambda d: d.person_id is not None)
    before = await client.call("GET", client.path(device))
    client.world.advance(1)
    answer = await client.call("PUT", client.path(device), json={"displayName": "Dock 9", "tags": ["x", "y", "x"]})
    assert answer["displayName"] == "Dock 9"
    assert answer["tags"] == ["x", "y", "x"]
    assert "deviceAosPolicy" not in answer
    assert answer["mdmUser"] == before["mdmUser"]
    assert answer["updatedAt"] > before["updatedAt"]
    tags = [entry["value"] for entry in (await client.call("GET", "/mdm/devices/tags"))["items"]]
    assert {"x", "y"} <= set(tags)
    await client.call("PUT", client.path(device), json={"tags": []})
    tags = [entry["value"] for entry in (await client.call("GET", "/mdm/devices/tags"))["items"]]
    assert not {"x", "y"} & set(tags)
    assert "mdmUser" not in await client.call("PUT", client.path(device), json={"mdmUserId": None})


async def test_nothing_changes_when_one_reference_is_missing(client) -> None:
    device = client.device()
    before = await client.call("GET", client.path(device))
    for body in (
        {"policyId": NOBODY},
        {"mdmUserId": NOBODY},
        {"segmentId": 424242},
        {"pushNotificationProvider": NOBODY},
        {"aosPolicyAssignments": [{"aosPolicyId": NOBODY, "priority": 1}]},
    ):
        error = await client.call("PUT", client.path(device), 404, json={"displayName": "no", **body})
        assert error == {"code": 3001, "message": "Entity not found"}
    assert await client.call("GET", client.path(device)) == before


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"displayName": "x" * 257}, "displayName"),
        ({"displayName": None}, "displayName"),
        ({"tags": ["a", 1]}, "tags[1]"),
        ({"policyId": "abc"}, "policyId"),
        ({"policyId": "a" * 24 + "\n"}, "policyId"),
        ({"aosPolicyAssignments": [{"aosPolicyId": NOBODY}]}, "aosPolicyAssignments[0].priority"),
        ({"aosPolicyAssignments": [{"aosPolicyId": NOBODY, "priority": 2**53}]}, "aosPolicyAssignments[0].priority"),
        ({"segmentId": -1}, "segmentId"),
        ({"segmentId": True}, "segmentId"),
        ({"segmentId": 1.5}, "segmentId"),
        ([], "(body)"),
    ],
)
async def test_wrong_bodies_name_the_field(client, body, path) -> None:
    error = await client.call("PUT", client.path(client.device()), 400, json=body)
    assert (error["code"], error["message"]) == (5209, "Invalid input")
    assert [detail["path"] for detail in error["details"]] == [path]


async def test_assignments_decide_when_no_policy_is_direct(client) -> None:
    device = client.device(lambda d: d.policy_id is None and d.effective_id is not None)
    first, second = list(client.world.policies.all)[:2]
    pairs = [{"aosPolicyId": first, "priority": 7}, {"aosPolicyId": second, "priority": -1}]
    answer = await client.call("PUT", client.path(device), json={"aosPolicyAssignments": pairs})
    assert [entry["priority"] for entry in answer["aosPolicyAssignments"]] == [7, -1]
    detail = await client.call("GET", client.path(device))
    assert detail["deviceAosPolicy"]["id"] == second


async def test_disenrolment_is_queued_reused_and_carried_out(client) -> None:
    device = client.device()
    assert await client.call("DELETE", client.path(device), params={"wipeDataFlags": "WIPE_ESIMS"}) == {"status": True}
    assert (await client.call("GET", client.path(device)))["state"] == "PENDING_DISENROLL"
    await client.call("DELETE", client.path(device))
    commands = (await client.call("GET", client.path(device, "/commands")))["items"]
    assert [(c["command"], c["params"]) for c in commands] == [("DISENROLL", {"wipeDataFlags": ["WIPE_ESIMS"]})]
    client.world.advance(60)
    gone = await client.call("GET", client.path(device))
    assert gone["state"] == "DELETED"
    assert [entry["state"] for entry in gone["stateHistory"]][-2:] == ["PENDING_DISENROLL", "DELETED"]
    listed = (await client.call("GET", LIST, params={"limit": 200}))["items"]
    assert device.id not in {item["id"] for item in listed}
    await client.call("DELETE", client.path(device), 404)
    await client.call("PUT", client.path(device), 404, json={"displayName": "ghost"})


async def test_disenrolment_without_push_changes_nothing(client) -> None:
    device = client.device()
    client.world.devices.change(device, has_push=0)
    error = await client.call("DELETE", client.path(device), 400)
    assert error["code"] == 5173
    assert (await client.call("GET", client.path(device)))["state"] == "ACTIVE"
    assert (await client.call("GET", client.path(device, "/commands")))["totalDocs"] == 0


async def test_an_expired_disenrolment_is_renewed(client) -> None:
    device = client.device()
    world = client.world
    world.devices.change(device, habit=4, n=device.n)
    world.commands.create(device, "disenroll", None, validity=1000)
    world.advance(2)
    states = [c["status"] for c in (await client.call("GET", client.path(device, "/commands")))["items"]]
    assert states == ["EXPIRED"]
    await client.call("DELETE", client.path(device))
    states = [c["status"] for c in (await client.call("GET", client.path(device, "/commands")))["items"]]
    assert states == ["PENDING", "EXPIRED"]


async def test_installed_applications(client) -> None:
    device = client.device()
    items = (await client.call("GET", client.path(device, "/applications")))["items"]
    assert len(items) > 25
    packages = [item["packageName"] for item in items]
    assert len(packages) == len(set(packages))
    await client.call("GET", f"{LIST}/{NOBODY}/applications", 404)
