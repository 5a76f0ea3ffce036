"""MiDM over HTTP: finding devices page by page, one device, registering, groups."""

from __future__ import annotations

import json
from datetime import datetime

import pytest
from midm_client import MidmClient

from mdm_tui.server.midm.devices import CHUNK
from mdm_tui.server.testing import fleet
from mdm_tui.server.world.clock import DAY
from mdm_tui.server.world.units import UnitFilter

SERIAL = "profile.hardware_info.serial_no"
MODEL = "profile.hardware_info.model"
NOWHERE = "00000000-0000-4000-8000-000000000000"


def serial_of(device: dict) -> str:
    return device["profile"]["hardware_info"]["serial_no"]


def row(serial: str, **more) -> dict:
    return {"profile": {"hardware_info": {"serial_no": serial}}, **more}


async def test_pages_are_counted_from_zero_and_cover_everything_once(midm) -> None:
    total = midm.world.units.count(UnitFilter())
    first = await midm.find("device/find")
    assert (first["size"], first["totalSize"], first["totalPage"]) == (10, total, -(-total // 10))
    assert len(first["data"]) == 10
    seen = []
    for page in range(first["totalPage"]):
        seen += [device["uuid"] for device in (await midm.find("device/find", page=page, size=10))["data"]]
    assert len(seen) == len(set(seen)) == total
    beyond = await midm.find("device/find", page=first["totalPage"], size=10)
    assert (beyond["data"], beyond["totalSize"]) == ([], total)
    whole = await midm.find("device/find", size=1000)
    assert [device["uuid"] for device in whole["data"]] == seen
    assert CHUNK < 1000


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        ({"page": "-1"}, "page must be"),
        ({"page": "one"}, "page must be"),
        ({"size": "0"}, "size must be"),
        ({"size": "1001"}, "size must be"),
        ({"size": "1.5"}, "size must be"),
        ({"direction": "up"}, "direction must be"),
        ({"sortBy": "color"}, "sortBy names no field: color"),
        ({"sortBy": "profile..model"}, "sortBy names no field"),
        ({"filter": "siteUuid"}, "filter is not JSON"),
        ({"filter": "[]"}, "filter must be a JSON object"),
        ({"filter": '{"color":"red"}'}, "filter names no field: color"),
        ({"filter": '{"uuid":[["x"]]}'}, "filter must have plain values"),
        ({"filter": '{"uuid":NaN}'}, "filter is not JSON"),
        ({"filter": '{"uuid":1e400}'}, "filter is not JSON"),
        ({"filter": '{"a":' * 12 + "1" + "}" * 12}, "filter is nested too deep"),
        ({"filter": '{"uuid":"\\ud800"}'}, "filter is not JSON"),
    ],
)
async def test_bad_values_are_named(midm, asked, problem) -> None:
    status, code, message = await midm.refused("GET", "device/find", params=asked)
    assert (status, code) == (400, 422)
    assert message.startswith(problem)


async def test_a_scalar_is_equal_and_a_list_means_any(midm) -> None:
    units = midm.world.units.page(UnitFilter(), limit=1000)
    one, two = midm.unit(), midm.unit(online=False)
    found = await midm.find("device/find", wanted={SERIAL: one.serial})
    assert [device["uuid"] for device in found["data"]] == [one.uuid]
    nested = await midm.find("device/find", wanted={"profile": {"hardware_info": {"serial_no": [one.serial]}}})
    assert nested["data"] == found["data"]
    found = await midm.find("device/find", wanted={"uuid": [two.uuid.upper(), one.uuid, "x"]})
    assert {device["uuid"] for device in found["data"]} == {one.uuid, two.uuid}
    assert (await midm.find("device/find", wanted={"uuid": []}))["totalSize"] == 0
    for asked, right in (
        ({"enabled": False}, lambda unit: not unit.enabled),
        ({"enabled": [True, False]}, lambda unit: True),
        ({"enabled": 1}, lambda unit: False),
        ({"states.state": "online", "enabled": True}, lambda unit: unit.online and unit.enabled),
        ({"states.rtcEnabled": True, MODEL: one.model}, lambda unit: unit.rtc and unit.model == one.model),
        ({"states.clientVersion": [one.client_version]}, lambda unit: unit.client_version == one.client_version),
        ({"profile.software_info.os_version": ["13", None]}, lambda unit: unit.os in ("13", "")),
        ({"deviceGroup.uuid": [one.group_uuid]}, lambda unit: unit.group_uuid == one.group_uuid),
        ({"deviceGroup.uuid": None}, lambda unit: unit.group_uuid is None),
        ({"siteUuid": midm.world.site}, lambda unit: True),
        ({"siteUuid": [NOWHERE, midm.world.site]}, lambda unit: True),
        ({"siteUuid": NOWHERE}, lambda unit: False),
    ):
        found = await midm.find("device/find", wanted=asked, size=1000)
        assert {device["uuid"] for device in found["data"]} == {unit.uuid for unit in units if right(unit)}, asked
        assert found["totalSize"] == len(found["data"])


@pytest.mark.parametrize(
    "path", ["uuid", SERIAL, MODEL, "states.state", "enrolled", "lastCheckedIn", "updated", "states.clientVersion"]
)
async def test_lists_are_sorted_by_a_path_both_ways(midm, path) -> None:
    def value(device: dict):
        for part in path.split("."):
            device = device[part]
        return device

    for direction in ("asc", "desc", "DESC"):
        found = (await midm.find("device/find", sortBy=path, direction=direction, size=1000))["data"]
        values = [value(device) for device in found]
        assert values == sorted(values, reverse=direction != "asc")
        assert len(set(values)) > 1


async def test_a_list_that_the_database_cannot_filter_is_sorted_and_paged_all_the_same(midm) -> None:
    # The database takes one of the two words; both are looked at device by device.
    asked = {
        "sortBy": "profile.software_info.os_version",
        "direction": "desc",
        "filter": json.dumps({"states.state": ["online", "offline"]}),
    }
    found = await midm.find("device/find", **asked, size=1000)
    systems = [device["profile"].get("software_info", {}).get("os_version", "") for device in found["data"]]
    assert systems == sorted(systems, reverse=True)
    assert found["totalSize"] == len(systems)
    pages = [await midm.find("device/find", **asked, size=7, page=page) for page in range(found["totalPage"] * 15)]
    assert [device for page in pages for device in page["data"]] == found["data"]


async def test_one_device_by_uuid_or_serial_number_with_what_its_client_said(midm) -> None:
    unit = midm.unit()
    found = await midm.call("GET", "device/findBy", params={"uuid": unit.uuid})
    assert found == await midm.call("GET", "device/findBy", params={"serialNo": unit.serial})
    assert found["license"]["licenseModel"]["name"] == unit.license
    assert found["license"]["autoRenew"] is unit.auto_renew
    assert found["profile"]["software_info"]["build_no"] == unit.build
    hardware = found["profile"]["hardware_info"]
    assert hardware["product_id"] == unit.product
    linked = next(u for u in midm.world.units.page(UnitFilter(), limit=100) if u.n and u.checked_in_at)
    found = await midm.call("GET", "device/findBy", params={"uuid": linked.uuid})
    hardware = found["profile"]["hardware_info"]
    assert 0 < hardware["memory"]["free"] < hardware["memory"]["total"]
    assert 0 < hardware["battery"]["level"] <= 100
    assert found["profile"]["network"]["wifi"]["mac_address"]
    # A public client of the service gets HTTP 400 for a device that is not there.
    for asked in ({"uuid": NOWHERE}, {"serialNo": "none"}, {"uuid": unit.uuid, "serialNo": "another"}):
        assert await midm.refused("GET", "device/findBy", params=asked) == (400, 404, "device not found")
    assert (await midm.refused("GET", "device/findBy"))[:2] == (400, 422)


async def test_a_license_that_renews_itself_ends_in_its_present_term(midm) -> None:
    now = midm.world.clock.now()
    for renews in (True, False):
        unit = midm.unit(auto_renew=renews)
        term = (365 if unit.license_uuid else 30) * DAY
        for age, terms in ((DAY, 1), (term - 1, 1), (term, 2), (5 * term + DAY, 6)):
            midm.world.units.change(unit, created_at=now - age)
            found = await midm.call("GET", "device/findBy", params={"uuid": unit.uuid})
            ends = datetime.fromisoformat(found["license"]["expiry"]).timestamp() * 1000
            assert ends == now - age + (terms if renews else 1) * term


async def test_apps_on_a_device(midm) -> None:
    unit = midm.unit()
    found = await midm.call("GET", "device/app/installed", params={"deviceUuid": unit.uuid})
    packages = {app["packageName"]: app["versionCode"] for app in found["apps"]}
    assert len(packages) == len(found["apps"]) > 5
    name, code = next(iter(packages.items()))
    asked = {"serialNo": unit.serial, "packageName": name}
    for more, installed, answered in (
        ({}, True, code),
        ({"versionCode": code}, True, code),
        ({"versionCode": code + 1}, False, code),
        ({"packageName": "com.example.absent", "versionCode": 7}, False, 7),
    ):
        state = await midm.call("GET", "device/app/exists", params=asked | more)
        assert (state["installed"], state["versionCode"]) == (installed, answered)
    assert (await midm.refused("GET", "device/app/exists", params={"serialNo": unit.serial}))[:2] == (400, 422)
    never = await midm.call("POST", "device/save", json=[row("NEW-1")])
    assert never is None
    fresh = midm.world.units.by_serial("NEW-1").uuid
    found = await midm.call("GET", "device/app/installed", params={"deviceUuid": fresh})
    assert (found["apps"], found["reported"]) == ([], "")


async def test_registering_draws_a_license_and_saving_again_resets(midm) -> None:
    (model, *_) = await midm.call("GET", "license/site/models")
    group = midm.world.groups.all()[0].uuid
    assert await midm.call("GET", "device/exists", params={"serialNo": "NEW-1"}) is False
    asked = {"licenseModelUuid": model["uuid"], "autoRenew": "true", "siteUuid": midm.world.site}
    await midm.call("POST", "device/save", params=asked, json=[row("NEW-1", groupUuid=group), row("NEW-2")])
    assert await midm.call("GET", "device/exists", params={"serialNo": "NEW-1"}) is True
    other = {"serialNo": "NEW-1", "siteUuid": NOWHERE}
    assert await midm.call("GET", "device/exists", params=other) is False
    made = await midm.call("GET", "device/findBy", params={"serialNo": "NEW-1"})
    assert (made["enrolled"], made["deviceGroup"]["uuid"], made["enabled"]) == ("", group, True)
    assert made["license"]["licenseModel"]["name"] == model["name"]
    assert made["license"]["autoRenew"] is True
    unit = midm.unit()
    before = await midm.call("GET", "device/findBy", params={"uuid": unit.uuid})
    assert before["enrolled"]
    await midm.call("POST", "device/save", json=[row(unit.serial, enabled="false", groupUuid=None)])
    after = await midm.call("GET", "device/findBy", params={"uuid": unit.uuid})
    assert (after["enrolled"], after["lastCheckedIn"], after["enabled"]) == ("", "", False)
    log = (await midm.find("logs/find", wanted={"forWhat": unit.uuid}))["data"]
    assert log[0]["log"] == "saved again: the status was reset"


@pytest.mark.parametrize(
    ("body", "asked", "status", "code"),
    [
        ({}, {}, 400, 422),
        ([], {}, 400, 422),
        (["x"], {}, 400, 422),
        ([{}], {}, 400, 422),
        ([row("")], {}, 400, 422),
        ([row("   ")], {}, 400, 422),
        ([row("A" * 257)], {}, 400, 422),
        ([{"profile": {"hardware_info": {"serial_no": 5}}}], {}, 400, 422),
        ([row("A", enabled="perhaps")], {}, 400, 422),
        ([row("A", groupUuid=NOWHERE)], {}, 404, 404),
        ([row("A")], {"licenseModelUuid": NOWHERE}, 404, 404),
        ([row("A")], {"autoRenew": "perhaps"}, 400, 422),
        ([row("A")], {"siteUuid": NOWHERE}, 404, 404),
        ([row("A")], {"siteId": "elsewhere"}, 404, 404),
        ([row("A"), row("")], {}, 400, 422),
    ],
)
async def test_a_registration_with_a_fault_writes_nothing(midm, body, asked, status, code) -> None:
    before = midm.world.units.count(UnitFilter())
    assert (await midm.refused("POST", "device/save", json=body, params=asked))[:2] == (status, code)
    assert midm.world.units.count(UnitFilter()) == before


async def test_a_repeated_save_is_done_again_whatever_key_it_carries(midm) -> None:
    """Nothing is known of idempotency keys here, so none is honoured."""
    unit = midm.unit()
    head = {"Idempotency-Key": "same"}
    for _ in range(2):
        response = await midm.raw("POST", "device/save", json=[row(unit.serial)], headers=head)
        assert "Idempotent-Replayed" not in response.headers
    log = (await midm.find("logs/find", wanted={"forWhat": unit.uuid}))["data"]
    assert len([entry for entry in log if "reset" in entry["log"]]) == 2


async def test_groups_are_made_renamed_moved_and_deleted(midm) -> None:
    async def save(**body):
        return await midm.call("POST", "device/group/save", json=body)

    top = await save(profile={"name": "North"})
    assert (top["parentUuid"], top["enabled"], top["deviceNumbers"]) == (None, True, 0)
    below = await save(profile={"name": "Dock"}, parentUuid=top["uuid"], enabled="false")
    assert (below["parentUuid"], below["enabled"]) == (top["uuid"], False)
    renamed = await save(**below | {"profile": {"name": "Docks"}})
    assert renamed == below | {"profile": {"name": "Docks"}, "updated": renamed["updated"]}
    moved = await save(uuid=below["uuid"], profile={"name": "Docks"})
    assert (moved["parentUuid"], moved["enabled"]) == (None, False)
    await save(uuid=below["uuid"], profile={"name": "Docks"}, parentUuid=top["uuid"])
    listed = {group["uuid"]: group for group in await midm.call("GET", "device/group/all")}
    assert listed[below["uuid"]]["parentUuid"] == top["uuid"]

    circle = {"uuid": top["uuid"], "profile": {"name": "North"}, "parentUuid": below["uuid"]}
    assert (await midm.refused("POST", "device/group/save", json=circle))[:2] == (400, 409)
    assert (await midm.refused("POST", "device/group/delete", json={"uuid": top["uuid"]}))[:2] == (400, 409)
    await midm.call("POST", "device/save", json=[row("NEW-1", groupUuid=below["uuid"])])
    assert (await midm.refused("POST", "device/group/delete", json={"uuid": below["uuid"]}))[:2] == (400, 409)
    empty = await save(profile={"name": "Empty"})
    await midm.answer("POST", "device/group/delete", json={"uuid": empty["uuid"]})
    gone = await midm.refused("POST", "device/group/delete", json={"uuid": empty["uuid"]})
    assert gone == (404, 404, "group not found")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ([], 400),
        ({}, 400),
        ({"profile": {"name": ""}}, 400),
        ({"profile": {"name": "  "}}, 400),
        ({"profile": {"name": 3}}, 400),
        ({"profile": "North"}, 400),
        ({"profile": {"name": "North"}, "enabled": 1}, 400),
        ({"profile": {"name": "North"}, "parentUuid": NOWHERE}, 404),
        ({"profile": {"name": "North"}, "uuid": NOWHERE}, 404),
    ],
)
async def test_a_group_that_cannot_be_saved(midm, body, status) -> None:
    before = await midm.call("GET", "device/group/all")
    assert (await midm.refused("POST", "device/group/save", json=body))[0] == status
    assert await midm.call("GET", "device/group/all") == before


async def test_counters(midm) -> None:
    units = midm.world.units.page(UnitFilter(), limit=1000)
    asked = {"db": "device", "fields": ["model", "model_online", "model_ofline"]}
    found = await midm.call("GET", "stat/dbquery", params=asked)
    online = [unit for unit in units if unit.online]
    assert (found["total"], found["online"]) == (len(units), len(online))
    assert found["inactive"] + found["enrolled"] == len(units)
    assert sum(found["model"].values()) == len(units)
    assert sum(found["model_online"].values()) + sum(found["model_ofline"].values()) == len(units)
    licenses = await midm.call("GET", "stat/dbquery", params={"db": "license"})
    assert [entry["name"] for entry in licenses] == [
        model["name"] for model in await midm.call("GET", "license/site/models")
    ]
    assert (await midm.refused("GET", "stat/dbquery", params={"db": "user"}))[:2] == (400, 422)


async def test_a_page_of_a_large_fleet_costs_a_few_statements() -> None:
    made = fleet(devices=2000)
    midm = MidmClient(made)
    group = midm.unit().group_uuid
    for asked in (
        {"page": 15, "size": 100},
        {"page": 15, "size": 100, "sortBy": SERIAL},
        {"page": 15, "size": 100, "sortBy": "updated", "direction": "desc"},
        {"size": 100, "filter": json.dumps({"deviceGroup.uuid": [group]})},
    ):
        before = made.world.database.statements
        found = await midm.find("device/find", **asked)
        assert found["data"]
        assert made.world.database.statements - before == 2, asked
    await midm.http.aclose()
    made.world.close()


async def test_a_hostile_fleet_breaks_the_contract_now_and_then() -> None:
    made = fleet(devices=400, scenario="hostile")
    midm = MidmClient(made)
    devices = (await midm.find("device/find", size=1000))["data"]
    wrong = [d for d in devices if not isinstance(d.get("profile"), dict) or not isinstance(d["states"], dict)]
    assert 0 < len(wrong) < len(devices) // 20
    for path in ("device/group/all", "app/all", "ota/all", "profile/find"):
        assert await midm.call("GET", path)
    # Sorting and filtering by what has another type is no error.
    await midm.find("device/find", sortBy="profile.software_info.build_no", wanted={"states.clientVersion": [3]})
    for device in devices[:60]:
        if isinstance(device.get("uuid"), str):
            await midm.call("GET", "device/findBy", params={"uuid": device["uuid"]})
            await midm.call("GET", "device/app/installed", params={"deviceUuid": device["uuid"]})
    await midm.http.aclose()
    made.world.close()
