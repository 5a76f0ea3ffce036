"""Every request and answer of the vendor's page, sample by sample, against the embedded server.

A request goes out as the page has it, only with ids that exist and dates in place of its `string`; an answer has at
least the sample's fields, each of the sample's type.
"""

from __future__ import annotations

import copy
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from server_contract import MIDM

from mdm_tui.server.testing import MIDM_URL, Fleet, fleet
from mdm_tui.server.world.units import UnitFilter, UnitRecord

SAMPLES = Path(__file__).parent / "samples" / "midm"


def sample(name: str) -> Any:
    return json.loads((SAMPLES / f"{name}.json").read_text("utf-8"))


def lacks(shown: Any, given: Any, path: str = "") -> list[str]:
    """What an answer lacks of a sample. A null says nothing of a type; `extra` is free."""
    if shown is None or path.endswith("extra"):
        return []
    if path.endswith("parentUuid") and given is None:
        return []  # A group at the top; the sample has one below another.
    if path.endswith("data.apps") and isinstance(given, list):
        # One object on the page, a list in a client of the service, and more than one app on a device.
        return [fault for item in given for fault in lacks(shown, item, path)] or ([] if given else [f"{path}: empty"])
    if type(shown) is not type(given):
        return [f"{path}: {type(given).__name__} for {type(shown).__name__}"]
    if isinstance(shown, dict):
        missing = [f"{path}.{name}: missing" for name in shown if name not in given]
        return missing + [
            fault for name in shown if name in given for fault in lacks(shown[name], given[name], f"{path}.{name}")
        ]
    if isinstance(shown, list):
        return [fault for item in given for fault in lacks(shown[0], item, f"{path}[]")] or (
            [] if given else [f"{path}: empty"]
        )
    return []


class Page:
    """A signed-in client that holds answers against the page and against the OpenAPI file."""

    def __init__(self, made: Fleet) -> None:
        self.fleet = made
        self.world = made.world
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(made.app), base_url=MIDM_URL, headers=made.midm_headers()
        )

    async def call(self, method: str, path: str, name: str, **options: Any) -> Any:
        response = await self.http.request(method, f"/ota/api/{path}", **options)
        body = response.json()
        assert response.status_code == 200, body
        assert lacks(sample(f"{name}.answer"), body) == []
        assert set(body) == set(sample(f"{name}.answer"))
        assert body["result"] is True
        assert body["code"] == 0
        kind = response.headers["content-type"].partition(";")[0]
        assert MIDM.faults(method, f"/ota/api/{path}", 200, kind, body) == []
        return body.get("data")

    def grouped(self) -> UnitRecord:
        """A device that checked in, in a group below another."""
        below = {group.uuid for group in self.world.groups.all() if group.parent}
        units = self.world.units.page(UnitFilter(), limit=100)
        return next(unit for unit in units if unit.group_uuid in below and unit.checked_in_at and unit.serial)


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    made = fleet(devices=60)
    page = Page(made)
    yield page
    await page.http.aclose()
    made.world.close()


def rollout(page: Page, name: str) -> dict[str, Any]:
    """A rollout as the page has it, with what this fleet has in place of what it stands for."""
    document = copy.deepcopy(sample(name))
    packages, images = page.world.packages.all(), page.world.images.all()
    document["scope"]["group"] = [group.uuid for group in page.world.groups.all()[: len(document["scope"]["group"])]]
    if "device" in document["scope"]:
        document["scope"]["device"] = [page.grouped().serial]
    for number, app in enumerate(document["apps"]["install"]):
        app["uuid"] = packages[number].file_uuid
    document["otas"] = [image.file_uuid for image in images[: len(document["otas"])]]
    options = document.get("profile", {})
    if "startsOn" in options:
        options |= {"applyOrder": "apps", "startsOn": "2026-06-03", "ends": "2026-07-03"}
        document["schedule_date"]["start_on"] = "2026-06-03"
    return document


def test_the_comparison_finds_what_is_missing() -> None:
    shown = {"a": "string", "b": [{"c": 0}], "d": True, "parentUuid": "string"}
    assert lacks(shown, {"a": "x", "b": [{"c": 1}], "d": False, "parentUuid": None, "more": 1}) == []
    assert lacks(shown, {"a": 1, "b": [{}], "d": 1, "parentUuid": 3}) == [
        ".a: int for str",
        ".b[].c: missing",
        ".d: int for bool",
        ".parentUuid: int for str",
    ]
    assert lacks(shown, {"a": "x", "b": [], "d": True, "parentUuid": ""}) == [".b: empty"]


async def test_a_group_is_saved(page: Page) -> None:
    body = sample("group-save.request") | {"parentUuid": page.world.groups.all()[0].uuid}
    saved = await page.call("POST", "device/group/save", "group-save", json=body)
    assert saved["profile"] == body["profile"]
    assert saved["parentUuid"] == body["parentUuid"]
    assert page.world.groups.get(saved["uuid"]).name == "string"


async def test_the_groups_are_listed(page: Page) -> None:
    groups = await page.call("GET", "device/group/all", "group-all")
    assert {group["uuid"] for group in groups} == {group.uuid for group in page.world.groups.all()}
    assert sum(group["deviceNumbers"] for group in groups) > 0


async def test_devices_are_saved(page: Page) -> None:
    body = sample("device-save.request")
    body[0]["groupUuid"] = page.world.groups.all()[0].uuid
    assert await page.call("POST", "device/save", "device-save", json=body) is None
    assert page.world.units.by_serial("string").group_uuid == body[0]["groupUuid"]


async def test_one_device_with_its_group(page: Page) -> None:
    unit = page.grouped()
    found = await page.call("GET", "device/findBy", "device-findby", params={"uuid": unit.uuid})
    assert found["deviceGroup"]["uuid"] == unit.group_uuid
    assert found["profile"]["hardware_info"]["serial_no"] == unit.serial


async def test_the_apps_of_a_device(page: Page) -> None:
    unit = page.grouped()
    found = await page.call("GET", "device/app/installed", "device-app-installed", params={"deviceUuid": unit.uuid})
    assert found["serialNo"] == unit.serial
    assert len(found["apps"]) > 5


async def test_whether_a_device_has_an_app(page: Page) -> None:
    unit = page.grouped()
    app = page.world.units.installed(unit.uuid)[0]
    asked = {"deviceUuid": unit.uuid, "packageName": app.package, "versionCode": app.version_code}
    found = await page.call("GET", "device/app/exists", "device-app-exists", params=asked)
    assert found == {**asked, "serialNo": unit.serial, "installed": True}


async def test_devices_are_found_with_a_filter(page: Page) -> None:
    group = page.grouped().group_uuid
    asked = {"filter": json.dumps({"deviceGroup.uuid": [group]}), "size": 3}
    found = await page.call("GET", "device/find", "device-find", params=asked)
    units = page.world.units.page(UnitFilter(groups=[str(group)]), limit=3)
    assert [device["uuid"] for device in found] == [unit.uuid for unit in units]
    assert "deviceGroup" not in found[0]


@pytest.mark.parametrize(("path", "name"), [("app/all", "app-all"), ("app/find", "app-find")])
async def test_apps(page: Page, path: str, name: str) -> None:
    apps = await page.call("GET", path, name, params={"size": 500} if path.endswith("find") else {})
    assert [app["fileUuid"] for app in apps] == [record.file_uuid for record in page.world.packages.all()]


@pytest.mark.parametrize(("path", "name"), [("ota/all", "ota-all"), ("ota/find", "ota-find")])
async def test_system_images(page: Page, path: str, name: str) -> None:
    images = await page.call("GET", path, name, params={"size": 500} if path.endswith("find") else {})
    assert [image["fileUuid"] for image in images] == [record.file_uuid for record in page.world.images.all()]


async def test_the_example_of_a_rollout_is_saved_under_a_time_stamp(page: Page) -> None:
    body = rollout(page, "profile-save.example")
    saved = await page.call("POST", "profile/save", "profile-save", json=body)
    assert saved["name"] == "20260602_09:00:00"
    kept = page.world.rollouts.get(saved["uuid"]).document
    assert [app["uuid"] for app in kept["apps"]["install"]] == [app["uuid"] for app in body["apps"]["install"]]
    assert kept["settings"] == body["settings"]
    assert kept["schedule_date"] == body["schedule_date"]


async def test_the_template_of_a_rollout_with_its_other_spellings(page: Page) -> None:
    body = rollout(page, "profile-save.template")
    saved = await page.call("POST", "profile/save", "profile-save", json=body)
    kept = page.world.rollouts.get(saved["uuid"]).document
    assert kept["profile"]["removeIfNoScope"] is True
    assert kept["profile"]["unscopeIfApplied"] is False
    assert kept["apps"]["install"] == [{"uuid": body["apps"]["install"][0]["uuid"], "silent_install": True}]


async def test_a_whole_rollout_is_saved_listed_read_and_changed(page: Page) -> None:
    body = rollout(page, "profile-save.request")
    key = (await page.call("POST", "profile/save", "profile-save", json=body))["uuid"]
    asked = {"filter": json.dumps({"uuid": key})}
    (listed,) = await page.call("GET", "profile/find", "profile-find", params=asked)
    read = await page.call("GET", "profile/findBy", "profile-findby", params={"uuid": key})
    assert read == listed
    for name in ("isGlobal", "profile", "scope", "apps", "otas", "schedule_date", "settings", "enabled"):
        assert read[name] == body[name], name
    changed = rollout(page, "profile-update.request") | {"uuid": key, "enabled": False}
    changed["profile"]["name"] = "Changed"
    answer = await page.call("POST", "profile/update", "profile-update", json=changed)
    assert answer == await page.call("GET", "profile/findBy", "profile-findby", params={"uuid": key})
    assert answer["profile"]["name"] == "Changed"
    assert answer["enabled"] is False
    assert answer["created"] == read["created"]
