"""MiDM over HTTP: who may call, sessions and their end, the envelope, what the portal answers."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from midm_client import MidmClient

from mdm_tui.server.midm.operations import OPERATIONS
from mdm_tui.server.testing import API_KEY, EMAIL, MIDM_URL, PASSWORD, fleet

SIGN_IN = {"email": EMAIL, "password": PASSWORD, "type": "email"}


@pytest.fixture
async def short() -> AsyncIterator[MidmClient]:
    """A fleet whose sessions last a minute."""
    made = fleet(devices=20, token_life=60)
    client = MidmClient(made)
    yield client
    await client.http.aclose()
    made.world.close()


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.path)
@pytest.mark.parametrize(("key", "said"), [(None, "api key missing"), ("wrong", "api key not valid")])
async def test_every_call_needs_the_api_key(midm, operation, key, said) -> None:
    del midm.http.headers["x-api-key"]
    answer = await midm.refused(operation.method, operation.path, headers={"x-api-key": key} if key else {})
    assert answer == (401, "E00411" if operation.portal else 411, said)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.path)
async def test_every_call_but_the_sign_in_needs_a_session(midm, operation) -> None:
    del midm.http.headers["Authorization"]
    if operation.session:
        answer = await midm.refused(operation.method, operation.path)
        assert answer == (401, "E00400" if operation.portal else 400, "not signed in")
    else:
        assert await midm.answer(operation.method, operation.path, json=SIGN_IN)


async def test_signing_in_gives_a_token_that_opens_the_rest(midm) -> None:
    made = midm.fleet
    async with httpx.AsyncClient(transport=httpx.ASGITransport(made.app), base_url=MIDM_URL) as http:
        response = await http.post("/portal/V1/auth", json=SIGN_IN, headers={"x-api-key": API_KEY})
        body = response.json()
        assert (response.status_code, body["result"], body["code"]) == (200, True, "S00000")
        token = body["data"]["access_token"]
        # The contract does not say whether the token has a prefix.
        for words in (f"Bearer {token}", f"bearer {token}", token):
            headers = {"x-api-key": API_KEY, "Authorization": words}
            assert (await http.get("/ota/api/device/group/all", headers=headers)).json()["code"] == 0


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"password": "wrong-password"}, 401, "E00410"),
        ({"email": "other@example.com"}, 401, "E00410"),
        ({"password": "short"}, 400, "E00422"),
        ({"email": "nobody"}, 400, "E00422"),
        ({"email": 7}, 400, "E00422"),
        ({"type": "phone"}, 400, "E00422"),
        ({"type": None}, 400, "E00422"),
    ],
)
async def test_a_sign_in_that_is_refused(midm, change, status, code) -> None:
    answer = await midm.refused("POST", "/portal/V1/auth", json=SIGN_IN | change)
    assert answer[:2] == (status, code)


async def test_a_session_ends_after_its_time_with_http_200(short) -> None:
    short.world.advance(59)
    assert await short.call("GET", "device/group/all")
    short.world.advance(1)
    assert await short.refused("GET", "device/group/all") == (200, 415, "session expired")
    assert await short.refused("GET", "/portal/V1/auth/token-verify") == (200, "E00415", "session expired")
    short.http.headers.update(short.fleet.midm_headers())
    assert await short.call("GET", "device/group/all")


async def test_signing_out_ends_one_session(midm) -> None:
    other = MidmClient(midm.fleet)
    await midm.answer("GET", "/portal/V1/auth/token-verify")
    await midm.answer("GET", "/portal/V1/logout")
    assert await midm.refused("GET", "/portal/V1/auth/token-verify") == (200, "E00415", "session expired")
    assert await other.call("GET", "device/group/all")
    await other.http.aclose()


async def test_a_token_for_a_fleet_is_no_master_token(midm) -> None:
    path = "/portal/V1/auth/fleet-delegate"
    token = (await midm.answer("POST", path, files={"fleet_id": (None, "1"), "expire_at": (None, "600")}))["token"]
    midm.http.headers["Authorization"] = f"Bearer {token}"
    assert (await midm.refused("GET", "device/group/all"))[1] == 415
    midm.http.headers.update(midm.fleet.midm_headers())
    assert (await midm.refused("POST", path, files={"fleet_id": (None, "9")}))[:2] == (404, "E00404")
    assert (await midm.refused("POST", path, files={"expire_at": (None, "9")}))[:2] == (400, "E00422")
    too_long = {"fleet_id": (None, "1"), "expire_at": (None, "86401")}
    assert (await midm.refused("POST", path, files=too_long))[:2] == (400, "E00422")
    assert (await midm.refused("POST", path, json={"fleet_id": 1}))[:2] == (415, "E00416")


async def test_users_are_paged_by_offset_and_limit(midm) -> None:
    path = "/portal/V1/add-user"
    body = {"mode": "si", "role": 5}
    for number in range(6):
        body |= {"email": f"u{number}@example.com", "userName": f"User {number}"}
        assert (await midm.answer("POST", path, json=body))["id"] == number + 2
    assert (await midm.refused("POST", path, json=body))[:2] == (400, "E00409")
    assert (await midm.refused("POST", path, json=body | {"role": 3}))[:2] == (400, "E00422")
    users = await midm.answer("GET", "/portal/V1/get-users", params={"sort": "name", "order": "DESC", "role": "5"})
    assert users["count"] == 6
    assert [user["user_name"] for user in users["data"]] == [f"User {number}" for number in (5, 4, 3, 2, 1)]
    rest = await midm.answer("GET", "/portal/V1/get-users", params={"offset": 5, "status": "0,1"})
    assert [user["id"] for user in rest["data"]] == [6, 7]
    found = await midm.answer("GET", "/portal/V1/get-users", params={"keyword": "USER 3"})
    assert [user["email"] for user in found["data"]] == ["u3@example.com"]


async def test_each_token_has_its_own_hourly_budget() -> None:
    made = fleet(devices=5, hourly=3)
    one, two = MidmClient(made), MidmClient(made)
    for _ in range(3):
        await one.answer("GET", "device/group/all")
    response = await one.raw("GET", "device/group/all")
    assert (response.status_code, response.json()["result"], response.json()["code"]) == (429, False, 429)
    assert int(response.headers["retry-after"]) == 1200
    await two.answer("GET", "device/group/all")
    made.world.advance(1200)
    await one.answer("GET", "device/group/all")
    for client in (one, two):
        await client.http.aclose()
    made.world.close()


@pytest.mark.parametrize(
    ("headers", "status"), [({"Origin": "http://page.example"}, 403), ({"Host": "rebound.example"}, 400)]
)
@pytest.mark.parametrize(("path", "code"), [("/ota/api/device/group/all", "{}"), ("/portal/V1/logout", "E{:05d}")])
async def test_pages_in_a_browser_are_refused_in_the_words_of_the_service(midm, headers, status, path, code) -> None:
    answer = await midm.refused("GET", path, headers=headers)
    assert (answer[0], str(answer[1])) == (status, code.format(status))


async def test_what_is_not_there_and_what_is_not_read(midm) -> None:
    assert await midm.refused("GET", "device/nothing") == (404, 404, "Entity not found")
    assert (await midm.refused("GET", "/portal/V1/nothing"))[:2] == (404, "E00404")
    response = await midm.raw("DELETE", "device/find")
    assert (response.status_code, response.json()["code"], response.headers["allow"]) == (405, 405, "GET")
    assert (await midm.refused("POST", "device/save", content=b"[]"))[:2] == (415, 416)
    head = {"Content-Type": "application/json"}
    assert (await midm.refused("POST", "device/save", content=b"[", headers=head))[:2] == (400, 422)
    assert (await midm.refused("POST", "device/save", content=b'["\\ud800"]', headers=head))[:2] == (400, 422)
    endless = b'{"profile":{"repeatEvery":1e400}}'
    assert (await midm.refused("POST", "profile/save", content=endless, headers=head))[:2] == (400, 422)
    assert (await midm.refused("POST", "device/save", content=b" " * (1 << 20 | 1), headers=head))[:2] == (413, 413)


async def test_only_what_is_documented() -> None:
    made = fleet(devices=20, documented_only=True)
    midm = MidmClient(made)
    unit = midm.unit()
    for operation in OPERATIONS:
        response = await midm.raw(operation.method, operation.path)
        assert (response.status_code == 404) is not operation.documented, operation.path
        if operation.path.endswith("logout"):
            midm.http.headers.update(made.midm_headers())
    assert (await midm.call("GET", "device/findBy", params={"uuid": unit.uuid}))["uuid"] == unit.uuid
    # That a serial number does it too is only inferred.
    assert (await midm.refused("GET", "device/findBy", params={"serialNo": unit.serial}))[:2] == (400, 422)
    await midm.http.aclose()
    made.world.close()
