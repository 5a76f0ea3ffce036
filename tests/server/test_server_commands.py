"""The life of commands, in virtual time."""

from __future__ import annotations

import pytest

from mdm_tui.server.testing import fleet

NOBODY = "0" * 24


async def _send(client, device, **body):
    return await client.call("POST", client.path(device, "/commands"), json=body)


async def _read(client, device, command):
    return await client.call("GET", client.path(device, f"/commands/{command['id']}"))


async def test_a_reachable_device_takes_a_command_within_ten_seconds(client) -> None:
    device = client.device()
    sent = await _send(client, device, command="LOCK", params={})
    assert sent["status"] == "PENDING" and sent["pushId"] and "sentAt" not in sent
    push = client.path(device, f"/commands/{sent['id']}/push-status")
    assert (await client.call("GET", push))["delivered"] is False
    ladder: list[str] = []
    for _ in range(200):
        client.world.advance(0.1)
        now = await _read(client, device, sent)
        delivered = (await client.call("GET", push))["delivered"]
        step = now["status"] if now["status"] != "PENDING" else f"PENDING {'sentAt' in now} {delivered}"
        if not ladder or ladder[-1] != step:
            ladder.append(step)
        if step == "DONE":
            break
    assert ladder == ["PENDING False False", "PENDING True False", "PENDING True True", "RECEIVED", "DONE"]
    taken = client.world.commands.get(sent["id"])
    assert 1_000 < taken.received_at - taken.created_at <= 10_000
    assert now["results"] and "errorMessage" not in now["results"][0]


async def test_a_reboot_leaves_its_events_in_the_report(client) -> None:
    device = client.device()
    sent = await _send(client, device, command="REBOOT")
    client.world.advance(90)
    assert (await _read(client, device, sent))["status"] == "DONE"
    report = (await client.call("GET", client.path(device)))["config"]["deviceReport"]
    kinds = [event["eventType"] for event in report["powerManagementEvents"]]
    assert kinds.index("SHUTDOWN") < kinds.index("BOOT_COMPLETED")


async def test_clearing_an_absent_package_is_an_error(client) -> None:
    device = client.device()
    params = {"packageNames": ["com.android.settings", "com.example.absent"]}
    sent = await _send(client, device, command="CLEAR_APP_DATA", params=params)
    client.world.advance(30)
    now = await _read(client, device, sent)
    assert now["status"] == "ERROR"
    assert now["results"][0]["errorType"] == "APP_NOT_INSTALLED"
    assert now["results"][0]["data"] == {"cleared": ["com.android.settings"], "failed": ["com.example.absent"]}


async def test_password_reset_sets_and_clears_the_lock(client) -> None:
    device = client.device()
    for params, secure in (({}, False), ({"newPassword": "4711-abc"}, True)):
        sent = await _send(client, device, command="RESET_PASSWORD", params=params)
        client.world.advance(30)
        assert (await _read(client, device, sent))["status"] == "DONE"
        report = (await client.call("GET", client.path(device)))["config"]["deviceReport"]
        assert report["deviceSettings"]["isDeviceSecure"] is secure
    short = await _send(client, device, command="RESET_PASSWORD", params={"newPassword": "1"})
    client.world.advance(30)
    assert (await _read(client, device, short))["status"] == "ERROR"


async def test_a_silent_device_lets_a_command_expire(client) -> None:
    device = client.device()
    client.world.devices.change(device, habit=4)
    day = await _send(client, device, command="LOCK")
    minute = await _send(client, device, command="LOCK", duration=60)
    client.world.advance(59)
    assert (await _read(client, device, minute))["status"] == "PENDING"
    client.world.advance(2)
    assert (await _read(client, device, minute))["status"] == "EXPIRED"
    assert day["deliveryExpiresAt"][:10] == "2026-06-03"


async def test_only_a_pending_command_can_be_cancelled(client) -> None:
    device = client.device()
    sent = await _send(client, device, command="LOCK")
    cancel = client.path(device, f"/commands/{sent['id']}/cancel")
    assert (await client.call("POST", cancel))["status"] == "CANCEL"
    client.world.advance(60)
    assert (await _read(client, device, sent))["status"] == "CANCEL"
    assert (await client.call("POST", cancel, 400))["code"] == 5106


async def test_a_cancelled_disenrolment_makes_the_device_active_again(client) -> None:
    device = client.device()
    sent = await _send(client, device, command="DISENROLL")
    assert (await client.call("GET", client.path(device)))["state"] == "PENDING_DISENROLL"
    await client.call("POST", client.path(device, f"/commands/{sent['id']}/cancel"))
    assert (await client.call("GET", client.path(device)))["state"] == "ACTIVE"


async def test_commands_are_listed_newest_first_in_pages(client) -> None:
    device = client.device()
    ids = []
    for _ in range(5):
        ids.append((await _send(client, device, command="LOCK"))["id"])
        client.world.advance(1)
    page = await client.call("GET", client.path(device, "/commands"), params={"limit": 2})
    assert [item["id"] for item in page["items"]] == ids[:-3:-1]
    assert (page["totalDocs"], page["totalPages"]) == (5, 3)
    page = await client.call("GET", client.path(device, "/commands"), params={"sort": "createdAt:asc"})
    assert [item["id"] for item in page["items"]] == ids
    await client.call("GET", client.path(device, "/commands"), 400, params={"sort": "results"})


async def test_commands_belong_to_their_device(client) -> None:
    first = client.device()
    other = client.device(lambda d: d.n != first.n)
    sent = await _send(client, first, command="LOCK")
    await client.call("GET", client.path(other, f"/commands/{sent['id']}"), 404)
    await client.call("GET", client.path(other, f"/commands/{sent['id']}/push-status"), 404)
    await client.call("POST", client.path(other, f"/commands/{sent['id']}/cancel"), 404)
    await client.call("GET", client.path(first, f"/commands/{NOBODY}"), 404)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"command": "SYNCDEVICE"},
        {"command": None},
        {"command": "LOCK", "duration": "60"},
        {"command": "LOCK", "duration": 0},
        {"command": "LOCK", "duration": 1e300},
        {"command": "LOCK", "params": []},
        {"command": "RESET_PASSWORD", "params": {"newPassword": 1234}},
        {"command": "CLEAR_APP_DATA", "params": {"packageNames": "com.example"}},
    ],
)
async def test_wrong_commands_are_refused_and_leave_nothing(client, body) -> None:
    device = client.device()
    assert (await client.call("POST", client.path(device, "/commands"), 400, json=body))["code"] == 5209
    assert (await client.call("GET", client.path(device, "/commands")))["totalDocs"] == 0


async def test_an_idempotency_key_sends_once(client) -> None:
    device = client.device()
    path = client.path(device, "/commands")
    key = {"Idempotency-Key": "intent-1"}
    first = await client.raw("POST", path, json={"command": "REBOOT"}, headers=key)
    client.world.advance(120)
    again = await client.raw("POST", path, json={"command": "REBOOT"}, headers=key)
    assert again.content == first.content
    assert again.headers["idempotent-replayed"] == "true" and "idempotent-replayed" not in first.headers
    assert (await client.call("POST", path, 409, json={"command": "LOCK"}, headers=key))["code"] == 409
    assert (await client.call("GET", path))["totalDocs"] == 1
    await client.call("POST", path, json={"command": "REBOOT"}, headers={"Idempotency-Key": "intent-2"})
    client.world.advance(86_400)
    await client.call("POST", path, json={"command": "LOCK"}, headers=key)
    assert (await client.call("GET", path))["totalDocs"] == 3
    await client.call("POST", path, 400, json={"command": "LOCK"}, headers={"Idempotency-Key": "k" * 256})


async def test_a_new_password_is_in_no_file_and_gone_after_a_restart(tmp_path, client_on) -> None:
    canary = "canary-5b7e21"
    made = fleet(devices=20, data_dir=tmp_path)
    client = client_on(made)
    device = client.device()
    path = client.path(device, "/commands")
    body = {"command": "RESET_PASSWORD", "params": {"newPassword": canary}}
    key = {"Idempotency-Key": "one"}
    sent = await client.call("POST", path, json=body, headers=key)
    assert sent["params"] == (await _read(client, device, sent))["params"] == {"newPassword": canary}
    assert await client.call("POST", path, json=body, headers=key) == sent
    await client.call("POST", path, 409, json={**body, "params": {"newPassword": "another-one"}}, headers=key)
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert any(file.name.endswith("-wal") for file in files)
    assert [file for file in files if canary.encode() in file.read_bytes()] == []
    await client.http.aclose()
    made.world.close()

    made = fleet(devices=20, data_dir=tmp_path)
    client = client_on(made)
    again = await client.call("POST", path, json=body, headers=key)
    assert again["id"] == sent["id"] and "params" not in again
    assert "params" not in await _read(client, device, sent)
    await client.http.aclose()
    made.world.close()
