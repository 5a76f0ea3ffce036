"""MiDM over HTTP: apps and images, rollouts saved, read, changed, refused, and carried out."""

from __future__ import annotations

import pytest
from midm_client import MidmClient

from mdm_tui.server.testing import fleet
from mdm_tui.server.world.clock import HOUR, SECOND
from mdm_tui.server.world.units import UnitFilter, UnitRecord
from mdm_tui.server.world.uploads import PackageRecord

NOWHERE = "00000000-0000-4000-8000-000000000000"


def package_for(midm: MidmClient, unit: UnitRecord) -> PackageRecord:
    """An uploaded app that the unit does not have, in no version."""
    have = {app.package for app in midm.world.units.installed(unit.uuid)}
    return next(
        record
        for record in midm.world.packages.all()
        if record.enabled and record.min_sdk <= unit.sdk and record.package not in have
    )


async def test_apps_are_found_with_filter_sort_and_pages(midm) -> None:
    everything = await midm.answer("GET", "app/all")
    assert everything["size"] == len(everything["data"]) > 10
    found = await midm.find("app/find", size=4, page=1)
    assert found["data"] == everything["data"][4:8]
    assert (found["totalSize"], found["totalPage"]) == (len(everything["data"]), -(-len(everything["data"]) // 4))
    package = everything["data"][0]["appInfo"]["packageName"]
    found = await midm.find(
        "app/find", wanted={"appInfo.packageName": package}, sortBy="appInfo.versionCode", direction="desc"
    )
    codes = [app["appInfo"]["versionCode"] for app in found["data"]]
    assert codes == sorted(codes, reverse=True)
    assert {app["appInfo"]["packageName"] for app in found["data"]} == {package}
    off = await midm.find("app/find", wanted={"enable": False}, size=1000)
    assert off["totalSize"] == sum(not app["enable"] for app in everything["data"])
    assert (await midm.refused("GET", "app/find", params={"sortBy": "otaInfo.sdk"}))[:2] == (400, 422)


@pytest.mark.parametrize("kind", ["app", "ota"])
async def test_uploads_are_found_by_the_site_that_their_answers_do_not_name(midm, kind: str) -> None:
    everything = (await midm.answer("GET", f"{kind}/all"))["data"]
    assert everything and "siteUuid" not in everything[0]
    for site in (midm.world.site, [midm.world.site]):
        found = await midm.find(f"{kind}/find", wanted={"siteUuid": site}, size=1000)
        assert (found["data"], found["totalSize"]) == (everything, len(everything))
    both = await midm.find(f"{kind}/find", wanted={"siteUuid": midm.world.site, "name": everything[0]["name"]})
    assert everything[0] in both["data"] and both["totalSize"] < len(everything)
    elsewhere = await midm.find(f"{kind}/find", wanted={"siteUuid": "0c7a9c55-0f6d-4f0e-9a34-1d2f6a8b7c10"})
    assert (elsewhere["data"], elsewhere["totalSize"]) == ([], 0)


async def test_images_say_what_they_are_for(midm) -> None:
    everything = (await midm.answer("GET", "ota/all"))["data"]
    assert {image["otaInfo"]["type"] for image in everything} >= {"base", "region"}
    assert {image["otaInfo"]["abUpdate"] for image in everything} == {True, False}
    assert any(image["otaInfo"]["preBuild"] for image in everything)
    found = await midm.find("ota/find", wanted={"otaInfo": {"abUpdate": True, "type": ["base"]}}, size=1000)
    assert found["data"] == [
        image for image in everything if image["otaInfo"]["abUpdate"] and image["otaInfo"]["type"] == "base"
    ]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ([], 400, 422),
        ({"profile": []}, 400, 422),
        ({"profile": {"applyOrder": "images"}}, 400, 422),
        ({"profile": {"removeIfNoScope": "perhaps"}}, 400, 422),
        ({"profile": {"repeatEvery": 1.5}}, 400, 422),
        ({"profile": {"startsOn": "tomorrow"}}, 400, 422),
        ({"profile": {"applyWhile": {"sleeping": 1}}}, 400, 422),
        ({"schedule_date": {"start_on": "06.02.2024"}}, 400, 422),
        ({"scope": {"group": "all"}}, 400, 422),
        ({"scope": {"device": [""]}}, 400, 422),
        ({"apps": {"install": [{}]}}, 400, 422),
        ({"settings": {"otas": {"need_ac": 1}}}, 400, 422),
        ({"isGlobal": "maybe"}, 400, 422),
        ({"apps": {"install": [{"uuid": NOWHERE}]}}, 400, 409),
        ({"otas": [NOWHERE]}, 400, 409),
    ],
)
async def test_a_rollout_that_is_refused_registers_nobody(midm, body, status, code) -> None:
    if isinstance(body, dict) and "scope" not in body:
        body = body | {"scope": {"device": ["NEW-1"]}}
    before = await midm.call("GET", "profile/find", params={"size": 1000})
    assert (await midm.refused("POST", "profile/save", json=body))[:2] == (status, code)
    assert await midm.call("GET", "profile/find", params={"size": 1000}) == before
    assert await midm.call("GET", "device/exists", params={"serialNo": "NEW-1"}) is False


async def test_devices_in_the_scope_that_do_not_exist_are_registered(midm) -> None:
    unit = midm.unit()
    before = midm.world.units.count(UnitFilter())
    await midm.call("POST", "profile/save", json={"scope": {"device": ["NEW-1", unit.serial, unit.uuid, "NEW-1"]}})
    assert await midm.call("GET", "device/exists", params={"serialNo": "NEW-1"}) is True
    assert midm.world.units.count(UnitFilter()) == before + 1
    assert midm.world.units.get(unit.uuid).enrolled_at == unit.enrolled_at
    # Nobody in a scope that is ignored is registered.
    await midm.call("POST", "profile/save", json={"isGlobal": True, "enabled": False, "scope": {"device": ["NEW-2"]}})
    assert await midm.call("GET", "device/exists", params={"serialNo": "NEW-2"}) is False


async def test_a_document_keeps_what_nobody_knows_and_one_spelling_of_what_is_known(midm) -> None:
    app, image = midm.world.packages.all()[0], midm.world.images.all()[0]
    body = {
        "isGlobal": "false",
        "profile": {"name": "Odd", "removeIfNoScope": "true", "later": {"a": [1]}},
        "scope": {"group": None, "device": []},
        "apps": {"install": [{"uuid": app.uuid, "silentInstall": "true", "channel": "beta"}], "remove": ["x"]},
        "otas": [image.uuid, image.uuid],
        "settings": {"otas": {"needAc": "false"}, "wifi": {"ssid": "Dock"}},
        "siteUuid": NOWHERE,
        "writer": {"email": "somebody@example.com"},
        "new": True,
    }
    saved = await midm.call("POST", "profile/save", json=body)
    assert saved["updated"] == midm.world.clock.now()
    kept = await midm.call("GET", "profile/findBy", params={"uuid": saved["uuid"]})
    assert kept["isGlobal"] is False
    assert kept["profile"] == {"name": "Odd", "applyOrder": "none", "removeIfNoScope": True, "later": {"a": [1]}}
    assert kept["scope"] == {"group": [], "device": []}
    assert kept["apps"] == {
        "install": [{"uuid": app.uuid, "silent_install": True, "channel": "beta"}],
        "remove": ["x"],
    }
    assert kept["otas"] == [image.uuid]
    assert kept["settings"] == {"otas": {"need_ac": False}, "wifi": {"ssid": "Dock"}}
    assert kept["new"] is True
    assert kept["siteUuid"] == midm.world.site
    assert kept["writer"]["email"] == midm.fleet.email
    again = await midm.call("POST", "profile/update", json=kept)
    assert again == kept


async def test_an_update_replaces_and_needs_a_profile_that_is_there(midm) -> None:
    body = {"profile": {"name": "First"}, "settings": {"wifi": {"ssid": "Dock"}}}
    key = (await midm.call("POST", "profile/save", json=body))["uuid"]
    midm.world.advance(60)
    changed = await midm.call("POST", "profile/update", json={"uuid": key, "enabled": "false"})
    assert changed["profile"]["name"] == "First"
    assert changed["settings"] == {}
    assert (changed["enabled"], changed["created"] < changed["updated"]) == (False, True)
    assert (await midm.refused("POST", "profile/update", json={"profile": {"name": "x"}}))[:2] == (400, 422)
    assert (await midm.refused("POST", "profile/update", json={"uuid": NOWHERE})) == (404, 404, "profile not found")
    assert (await midm.refused("GET", "profile/findBy", params={"uuid": NOWHERE}))[:2] == (404, 404)
    assert (await midm.refused("GET", "profile/findBy"))[:2] == (400, 422)


async def test_a_name_left_to_the_service_is_the_time_on_a_clock_of_twelve_hours(midm) -> None:
    names = []
    for _ in range(2):
        names.append((await midm.call("POST", "profile/save", json={}))["name"])
        midm.world.advance(12 * HOUR / SECOND)
        midm.http.headers.update(midm.fleet.midm_headers())
    assert names == ["20260602_09:00:00", "20260602_09:00:00"]


async def test_profiles_are_listed_in_pages_without_totals(midm) -> None:
    everything = await midm.find("profile/find", size=1000)
    assert set(everything) == {"uq", "doc_version", "result", "code", "message", "build", "data"}
    assert len(everything["data"]) > 2
    two = await midm.find("profile/find", size=1, page=1)
    assert two["data"] == everything["data"][1:2]
    assert (await midm.find("profile/find", size=1000, page=1))["data"] == []
    found = await midm.find("profile/find", wanted={"profile.name": everything["data"][1]["profile"]["name"]})
    assert everything["data"][1] in found["data"]
    group = next(rollout["scope"]["group"][0] for rollout in everything["data"] if rollout["scope"].get("group"))
    found = await midm.find("profile/find", wanted={"writer.profile.name": "nobody"}, size=1000)
    assert found["result"] is True and found["data"] == []
    found = await midm.find("profile/find", wanted={"scope.group": [group]}, size=1000)
    assert found["data"] == [r for r in everything["data"] if group in r["scope"].get("group", [])]


async def test_a_rollout_rolls_out_and_is_seen_on_the_device() -> None:
    made = fleet(devices=120, token_life=30 * 86_400)
    midm = MidmClient(made)
    unit = midm.unit(online=True, enabled=True, silent=False)
    app = package_for(midm, unit)
    asked = {"deviceUuid": unit.uuid, "packageName": app.package, "versionCode": app.version_code}
    assert (await midm.call("GET", "device/app/exists", params=asked))["installed"] is False
    body = {
        "profile": {"name": "One", "unscopeIfApplied": "true", "removeIfNoScope": "true"},
        "scope": {"device": [unit.serial]},
        "apps": {"install": [{"uuid": app.file_uuid, "silentInstall": "true"}]},
    }
    key = (await midm.call("POST", "profile/save", json=body))["uuid"]
    for _ in range(7 * 24):
        made.world.advance(HOUR / SECOND)
        if (await midm.raw("GET", "profile/findBy", params={"uuid": key})).status_code == 404:
            break
    else:
        raise AssertionError(made.world.rollouts.progress(key))
    # Applied, taken out of the scope, and the rollout with it.
    assert (await midm.refused("GET", "profile/findBy", params={"uuid": key}))[:2] == (404, 404)
    assert (await midm.call("GET", "device/app/exists", params=asked))["installed"] is True
    await midm.http.aclose()
    made.world.close()
