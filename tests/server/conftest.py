"""A fleet of the real application, a client for it, and small helpers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx
import pytest
from midm_client import MidmClient

from mdm_tui.server.testing import BASE_URL, Fleet, fleet
from mdm_tui.server.world.records import Device

AOSP = "/mdm/aosp/enterprise"


class Client:
    """Calls within the organisation; answers (status, parsed body)."""

    def __init__(self, made: Fleet, token: str | None = None) -> None:
        self.fleet = made
        self.world = made.world
        headers = {"Authorization": f"Bearer {token or made.token}"}
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(made.app), base_url=BASE_URL, headers=headers)

    async def raw(self, method: str, path: str, **options: Any) -> httpx.Response:
        return await self.http.request(method, f"/organizations/{self.fleet.organization}{path}", **options)

    async def call(self, method: str, path: str, status: int = 200, **options: Any) -> Any:
        """`data` of a success, `error` of a failure; the status must be the one given."""
        response = await self.raw(method, path, **options)
        assert response.status_code == status, response.text[:400]
        body = response.json()
        assert body["status"] is (status == 200)
        return body["data"] if status == 200 else body["error"]

    def device(self, wanted: Callable[[Device], bool] = lambda device: True) -> Device:
        """The first active device that hears pushes and fits."""
        for (n,) in self.world.database.all("SELECT n FROM device WHERE state = 'active' ORDER BY n"):
            device = self.world.devices.at(n)
            if device.has_push and device.habit == 0 and wanted(device):
                return device
        raise AssertionError("no such device in this fleet")

    def path(self, device: Device, rest: str = "") -> str:
        return f"{AOSP}/devices/{device.id}{rest}"


@pytest.fixture
def made() -> Iterator[Fleet]:
    made = fleet(devices=80)
    yield made
    made.world.close()


@pytest.fixture
async def client(made: Fleet) -> AsyncIterator[Client]:
    client = Client(made)
    yield client
    await client.http.aclose()


@pytest.fixture
def client_on() -> type[Client]:
    """A client of a fleet that the test opens itself; the test closes both."""
    return Client


@pytest.fixture
async def midm(made: Fleet) -> AsyncIterator[MidmClient]:
    client = MidmClient(made)
    yield client
    await client.http.aclose()
