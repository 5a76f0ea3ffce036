"""Policies, and devices that obey them."""

from __future__ import annotations

import pytest

LIST = "/mdm/aosp/enterprise/policies"
NOBODY = "0" * 24


async def test_a_policy_lives_through_create_update_delete(client) -> None:
    body = {
        "name": "Küche 厨房",
        "description": "d" * 500,
        "config": {"deep": [{"x": 1.5, "y": None}]},
        "private": True,
        "segmentId": 111,
        "exposeToChildren": True,
        "agentConfiguration": {"allowLocation": False, "policyFeatures": {"defaultViewFeature": "files"}},
        "assets": [{"mdmAssetId": NOBODY, "location": "/sdcard", "scope": "user"}],
        "applications": [{"aosApplicationId": next(iter(client.world.registry.applications)), "action": "available"}],
        "certificateProviderIds": ["a"],
    }
    made = await client.call("POST", LIST, json=body)
    assert {key: made[key] for key in body} == body
    assert made["version"] == 1 and len(made["applicationsInfo"]) == 1
    path = f"{LIST}/{made['id']}"
    changed = await client.call("PUT", path, json={"config": {"only": "this"}, "name": "Kitchen"})
    assert (changed["version"], changed["config"], changed["name"]) == (2, {"only": "this"}, "Kitchen")
    assert changed["description"] == body["description"]
    assert await client.call("GET", path) == changed
    assert await client.call("DELETE", path) == {"id": made["id"]}
    await client.call("GET", path, 404)
    await client.call("PUT", path, 404, json={})
    await client.call("DELETE", path, 404)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "name"),
        ({"name": "n" * 257}, "name"),
        ({"name": "n", "description": "d" * 501}, "description"),
        ({"name": "n", "config": "text"}, "config"),
        ({"name": "n", "private": "yes"}, "private"),
        ({"name": "n", "segmentId": 2**53}, "segmentId"),
        (
            {"name": "n", "agentConfiguration": {"policyFeatures": {"defaultViewFeature": "tv"}}},
            "agentConfiguration.policyFeatures.defaultViewFeature",
        ),
        ({"name": "n", "assets": [{"mdmAssetId": NOBODY, "location": "x", "scope": "all"}]}, "assets[0].scope"),
        ({"name": "n", "applications": [{"action": "available"}]}, "applications[0].aosApplicationId"),
        ({"name": "n", "certificateProviderIds": [1]}, "certificateProviderIds[0]"),
    ],
)
async def test_wrong_policies_are_refused_by_field(client, body, path) -> None:
    error = await client.call("POST", LIST, 400, json=body)
    assert error["code"] == 5209
    assert [detail["path"] for detail in error["details"]] == [path]


async def test_references_of_a_policy_must_exist(client) -> None:
    await client.call("POST", LIST, 404, json={"name": "n", "segmentId": 424242})
    await client.call("POST", LIST, 404, json={"name": "n", "applications": [{"aosApplicationId": NOBODY}]})


async def test_lists_filter_sort_and_page(client) -> None:
    async def names(**params: object) -> list[str]:
        return [item["name"] for item in (await client.call("GET", LIST, params=params))["items"]]

    assert await names(name="WAREhouse") == ["Warehouse handhelds"]
    everything = await names(sort="name:asc")
    assert everything == sorted(everything) and len(everything) == 9
    assert await names(sort="name:asc", limit=4, page=2) == everything[4:8]
    assert await names(segmentId=1) == ["Kiosk"]
    below = await names(segmentId=1, expandTo="children")
    assert below == ["Kiosk"]
    # Cold store belongs to Central Europe and is not exposed to the segments below it.
    above = await names(segmentId=21, expandTo="ancestors")
    assert "Baseline" in above and "Cold store" not in above and "Kiosk" not in above
    for params in ({"name": "n" * 257}, {"sort": "nothing"}, {"expandTo": "x"}, {"limit": 0}):
        await client.call("GET", LIST, 400, params=params)


async def test_templates_and_applications(client) -> None:
    templates = await client.call("GET", f"{LIST}/templates")
    assert [set(entry) for entry in templates] == [{"templateId", "templateVersion", "templatePolicy"}] * 3
    applications = "/mdm/aosp/enterprise/applications"
    page = await client.call("GET", applications, params={"type": "build"})
    assert page["items"] and all(item["type"] == "build" for item in page["items"])
    one = page["items"][0]
    assert await client.call("GET", f"{applications}/{one['id']}") == one
    found = await client.call("GET", applications, params={"buildId": one["config"]["buildId"]})
    assert [item["id"] for item in found["items"]] == [one["id"]]
    await client.call("GET", f"{applications}/{NOBODY}", 404)
    await client.call("GET", applications, 400, params={"type": "apk"})


async def test_an_assigned_policy_stays(client) -> None:
    device = client.device(lambda d: d.policy_id is not None)
    error = await client.call("DELETE", f"{LIST}/{device.policy_id}", 409)
    assert error["code"] == 409 and "assigned to" in error["message"]
    await client.call("GET", f"{LIST}/{device.policy_id}")


async def test_a_device_applies_an_assigned_policy_and_a_new_version(client) -> None:
    made = await client.call("POST", LIST, json={"name": "Fresh", "config": {}})
    device = client.device(lambda d: d.applied_error is None)
    answer = await client.call("PUT", client.path(device), json={"policyId": made["id"]})
    assert answer["devicePolicyStatus"] == {
        "pushed": False,
        "audit": {"name": "Fresh", "config": {"version": "1"}, "device": {}},
    }
    client.world.advance(15)
    detail = await client.call("GET", client.path(device))
    assert detail["devicePolicyStatus"]["pushed"] is True
    assert detail["config"]["appliedPolicy"]["policyId"] == made["id"]
    assert detail["config"]["appliedPolicy"]["status"] == "success"
    assert detail["config"]["deviceReport"]["appliedPolicyVersion"] == "1"
    await client.call("PUT", f"{LIST}/{made['id']}", json={"config": {"b": 2}})
    client.world.advance(0)
    behind = await client.call("GET", client.path(device))
    assert behind["updatedAt"] > detail["updatedAt"]
    assert behind["devicePolicyStatus"]["pushed"] is False
    assert behind["devicePolicyStatus"]["audit"]["config"]["version"] == "2"
    assert behind["devicePolicyStatus"]["audit"]["device"]["version"] == "1"
    client.world.advance(600)
    assert (await client.call("GET", client.path(device)))["devicePolicyStatus"]["pushed"] is True


async def test_an_idempotency_key_creates_one_policy(client) -> None:
    key = {"Idempotency-Key": "p"}
    first = await client.call("POST", LIST, json={"name": "once"}, headers=key)
    assert await client.call("POST", LIST, json={"name": "once"}, headers=key) == first
    await client.call("POST", LIST, 409, json={"name": "twice"}, headers=key)
    assert (await client.call("GET", LIST, params={"name": "once"}))["totalDocs"] == 1
