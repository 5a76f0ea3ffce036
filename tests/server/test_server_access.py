"""Who may call what, and what is refused before an operation sees it."""

from __future__ import annotations

import httpx
import pytest

from mdm_tui.server.applivery.operations import OPERATIONS
from mdm_tui.server.testing import BASE_URL, fleet

DEVICES = "/mdm/aosp/enterprise/devices"


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (None, 4002),
        ("", 4002),
        ("Bearer", 4002),
        ("Bearer ", 4002),
        ("Basic dGVzdA==", 4002),
        ("Bearer wrong", 4004),
        ("Bearer test-token2", 4004),
    ],
)
async def test_tokens(made, header, code) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(made.app), base_url=BASE_URL) as http:
        headers = {"Authorization": header} if header is not None else {}
        response = await http.get(f"/organizations/{made.organization}{DEVICES}", headers=headers)
        assert response.status_code == 401
        assert response.json()["error"]["code"] == code


async def test_each_operation_asks_for_its_own_permission() -> None:
    names = {operation.permission for operation in OPERATIONS if operation.permission}
    made = fleet(devices=5, tokens={f"only {name}": {name} for name in names} | {"none": set()})
    try:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(made.app), base_url=BASE_URL) as http:
            for operation in OPERATIONS:
                path = operation.path.replace("{organizationId}", made.organization)
                for name in ("aosDeviceId", "aosCommandId", "aosPolicyId", "aosApplicationId"):
                    path = path.replace(f"{{{name}}}", "0" * 24)
                for token in (*(f"only {name}" for name in names), "none"):
                    allowed = operation.permission is None or token == f"only {operation.permission}"
                    response = await http.request(operation.method, path, headers={"Authorization": f"Bearer {token}"})
                    assert (response.status_code != 403) is allowed, (operation, token)
                    if not allowed:
                        assert response.json()["error"] == {"code": 4001, "message": "Unauthorized"}
    finally:
        made.world.close()


async def test_the_organisation_by_id_and_by_slug(client) -> None:
    slug = (await client.call("GET", ""))["slug"]
    for name, status in (
        (client.world.organization.upper(), 200),
        (slug, 200),
        ("somebody-else", 404),
        ("f" * 24, 404),
        ("ab", 400),
        ("a b c", 400),
    ):
        response = await client.http.get(f"/organizations/{name}{DEVICES}")
        assert response.status_code == status, name


async def test_browsers_and_foreign_names_are_kept_out(client) -> None:
    path = f"/organizations/{client.world.organization}{DEVICES}"
    for host in ("evil.example", "127.0.0.1.evil.example", "evil.example:80", ""):
        response = await client.http.get(path, headers={"Host": host})
        assert response.status_code == 400 and response.json()["error"]["code"] == 400
    for host in ("localhost", "127.0.0.1:9", "[::1]:80", "LOCALHOST:1"):
        assert (await client.http.get(path, headers={"Host": host})).status_code == 200
    for origin in ("http://127.0.0.1", "null", ""):
        response = await client.http.get(path, headers={"Origin": origin})
        assert response.status_code == 403


async def test_envelopes_for_what_has_no_operation(client) -> None:
    response = await client.raw("PATCH", DEVICES)
    assert (response.status_code, response.headers["allow"]) == (405, "GET")
    assert response.json() == {"status": False, "error": {"code": 405, "message": "Method not allowed"}}
    for path in ("/nothing", f"{DEVICES}/", "/mdm/aosp/enterprise/enrollment-tokens"):
        assert (await client.call("GET", path, 404))["code"] == 3001
    assert (await client.http.get("http://127.0.0.1/")).json()["error"]["code"] == 3001


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"NaN", "application/json", 400),
        (b'{"displayName": "\\ud800"}', "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"{}", "text/plain", 415),
        (b"{}", "", 415),
        (b" " * (1 << 20) + b"{}", "application/json", 413),
        (b'{"displayName": "ok"}', "Application/JSON; charset=utf-8", 200),
    ],
)
async def test_bodies(client, content, kind, status) -> None:
    path = client.path(client.device())
    await client.call("PUT", path, status, content=content, headers={"Content-Type": kind})


async def test_documented_only_leaves_out_what_is_inferred() -> None:
    made = fleet(devices=5, documented_only=True)
    try:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(made.app), base_url=BASE_URL) as http:
            http.headers["Authorization"] = f"Bearer {made.token}"
            device, policy = made.world.devices.at(0).id, next(iter(made.world.policies.all))
            for operation in OPERATIONS:
                path = operation.path.format(
                    organizationId=made.organization,
                    aosDeviceId=device,
                    aosPolicyId=policy,
                    aosCommandId="0" * 24,
                    aosApplicationId=next(iter(made.world.registry.applications)),
                )
                response = await http.request(operation.method, path)
                if operation.documented:
                    assert response.status_code != 405
                    assert "push-status" in path or response.status_code != 404
                else:
                    assert response.status_code in (404, 405)
                    # A path of which no method is left is not there at all.
                    left = any(o.path == operation.path and o.documented for o in OPERATIONS)
                    assert (response.status_code == 404) is not left
    finally:
        made.world.close()


async def test_users_and_segments(client) -> None:
    page = await client.call("GET", "/mdm/users", params={"limit": 100})
    assert page["totalDocs"] == 40
    one = page["items"][3]
    for params in ({"search": one["name"].upper()}, {"email": one["email"]}, {"name": one["name"]}):
        found = (await client.call("GET", "/mdm/users", params=params))["items"]
        assert one["id"] in {item["id"] for item in found}
    tagged = (await client.call("GET", "/mdm/users", params={"tags": ["shift-a"], "limit": 100}))["items"]
    assert tagged and all("shift-a" in item["tags"] for item in tagged)
    await client.call("GET", "/mdm/users", 400, params={"search": "s" * 129})
    tree = await client.call("GET", "/segments")
    assert tree["organizationId"] == client.world.organization
    assert tree["children"][0]["children"][0]["children"][0]["name"] == "Madrid depot"


async def test_the_request_limit_allows_a_burst_and_says_when_to_come_back() -> None:
    made = fleet(devices=1, hourly=3600, tokens={"other": None})
    try:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(made.app), base_url=BASE_URL) as http:
            path = f"/organizations/{made.organization}"
            http.headers["Authorization"] = f"Bearer {made.token}"
            assert [(await http.get(path)).status_code for _ in range(101)] == [200] * 100 + [429]
            refused = await http.get(path)
            assert refused.headers["retry-after"] == "1"
            assert refused.json()["error"] == {"code": 429, "message": "Too many requests"}
            assert (await http.get(path, headers={"Authorization": "Bearer other"})).status_code == 200
            made.world.advance(2)
            assert [(await http.get(path)).status_code for _ in range(3)] == [200, 200, 429]
    finally:
        made.world.close()


async def test_a_fault_of_the_server_is_an_envelope_too(made, monkeypatch) -> None:
    def fail() -> None:
        raise KeyError("secret detail")

    monkeypatch.setattr(made.world.devices, "tags", fail)
    transport = httpx.ASGITransport(made.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as http:
        http.headers["Authorization"] = f"Bearer {made.token}"
        response = await http.get(f"/organizations/{made.organization}/mdm/devices/tags")
    assert response.status_code == 500
    assert response.json() == {"status": False, "error": {"code": 500, "message": "Internal error"}}
