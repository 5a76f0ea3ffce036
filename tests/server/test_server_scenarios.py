"""The flaky and the hostile scenarios."""

from __future__ import annotations

import json

import httpx
import pytest

from mdm_tui.server.faults import SHARES, Faults
from mdm_tui.server.testing import BASE_URL, MIDM_URL, fleet

DEVICES = "/mdm/aosp/enterprise/devices"


def test_faults_repeat_by_seed_and_all_occur() -> None:
    plans = [[Faults(seed).plan(number) for number in range(3000)] for seed in (1, 1, 2)]
    assert plans[0] == plans[1] != plans[2]
    assert set(plans[0]) == {*SHARES, ""}
    assert plans[0].count("") > 2000


async def _instantly(seconds: float) -> None:
    pass


async def test_every_fault_shows_as_itself() -> None:
    made = fleet(devices=60, scenario="flaky")
    faults = made.app.faults
    faults.sleep = _instantly
    seen: dict[str, set] = {}
    transport = httpx.ASGITransport(made.app)
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as http:
        http.headers["Authorization"] = f"Bearer {made.token}"
        path = f"/organizations/{made.organization}{DEVICES}?limit=10&page=2&sort=id"
        for number in range(1, 400):
            plan = faults.plan(number)
            try:
                response = await http.get(path)
            except ConnectionResetError:
                seen.setdefault(plan, set()).add("reset")
                continue
            if response.headers["content-type"].startswith("text/html"):
                seen.setdefault(plan, set()).add("html")
            elif response.status_code != 200:
                assert response.json()["status"] is False
                assert response.status_code != 429 or int(response.headers["retry-after"]) > 0
                seen.setdefault(plan, set()).add(response.status_code)
            else:
                seen.setdefault(plan, set()).add(response.json()["data"]["items"][0]["id"])
    made.world.close()
    assert seen["limit"] == {429}
    assert seen["error"] <= {500, 502, 503, 504}
    assert seen["html"] == {"html"}
    assert seen["drop"] == seen["cut"] == seen["drop_after"] == {"reset"}
    assert len(seen[""]) == 1 and seen["slow"] == seen[""]
    assert seen["shift"] and not seen["shift"] & seen[""]


async def test_an_answer_lost_after_the_work_was_done() -> None:
    made = fleet(devices=10, scenario="flaky")
    faults = made.app.faults
    faults.sleep = _instantly
    faults.plan = lambda number: "drop_after"
    device = made.world.devices.at(0)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(made.app), base_url=BASE_URL) as http:
        http.headers["Authorization"] = f"Bearer {made.token}"
        with pytest.raises(ConnectionResetError):
            await http.post(
                f"/organizations/{made.organization}{DEVICES}/{device.id}/commands", json={"command": "LOCK"}
            )
    assert made.world.commands.page(device, "created", True, 0, 10)[1] == 1
    made.world.close()


async def test_hostile_texts_are_everywhere_and_the_wire_stays_json() -> None:
    made = fleet(devices=400, scenario="hostile")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(made.app), base_url=BASE_URL) as http:
        http.headers["Authorization"] = f"Bearer {made.token}"
        root = f"/organizations/{made.organization}"
        response = await http.get(f"{root}{DEVICES}?limit=400&show-deleted=1")
        assert response.content.isascii()
        items = response.json()["data"]["items"]
        names = {item.get("displayName") for item in items if isinstance(item.get("displayName"), str)}
        for needle in ("[/]", "[@click=app.quit]x[/]", "\x1b]52;c;", "\x9b", "\u202e", "\u200b", "\n", "\t", ""):
            assert any(needle in name for name in names)
        assert "" in names
        everything = json.dumps(items)
        assert "L" + "o" * 9_998 + "g" in everything
        assert "ABDUCTED_BY_ALIENS" in everything
        serials = [
            item["config"]["deviceReport"]["hardwareInfo"]["serialNumber"]
            for item in items
            if item.get("config") and "deviceReport" in item["config"]
        ]
        assert {"", "unknown", "0123456789ABCDEF"} <= set(serials)
        assert serials.count("DUPLICATE-1") > 1
        for item in items[::10]:
            for rest in ("", "/applications", "/commands"):
                assert (await http.get(f"{root}{DEVICES}/{item['id']}{rest}")).status_code == 200
        for path in ("/mdm/aosp/enterprise/policies", "/mdm/users", "/mdm/devices/tags", "/segments"):
            assert "\\u001b" in (await http.get(f"{root}{path}")).text or path == "/segments"
        sort = "config.deviceReport.softwareInfo.androidBuildNumber"
        assert (await http.get(f"{root}{DEVICES}?sort={sort}")).status_code == 200
    made.world.close()


async def test_faults_speak_midms_words_on_its_paths() -> None:
    made = fleet(devices=60, scenario="flaky")
    faults = made.app.faults
    faults.sleep = _instantly
    transport = httpx.ASGITransport(made.app)
    async with httpx.AsyncClient(transport=transport, base_url=MIDM_URL, headers=made.midm_headers()) as http:
        for plan in ("limit", "error"):
            faults.plan = lambda number, plan=plan: plan
            for path, code in (("/ota/api/device/find", "{}"), ("/portal/V1/get-users", "E{:05d}")):
                response = await http.get(path)
                body = response.json()
                assert (body["result"], str(body["code"])) == (False, code.format(response.status_code))
        asked = {"page": 2, "size": 10}
        pages = {}
        for plan in ("", "shift"):
            faults.plan = lambda number, plan=plan: plan
            pages[plan] = [
                device["uuid"] for device in (await http.get("/ota/api/device/find", params=asked)).json()["data"]
            ]
        assert 7 <= len(set(pages[""]) & set(pages["shift"])) <= 9
        faults.plan = lambda number: "drop_after"
        with pytest.raises(ConnectionResetError):
            await http.post("/ota/api/device/save", json=[{"profile": {"hardware_info": {"serial_no": "NEW-1"}}}])
    assert made.world.units.exists("NEW-1")
    made.world.close()
