"""A signed-in client of the MiDM side of a fleet, and small helpers."""

from __future__ import annotations

import json
from typing import Any

import httpx

from mdm_tui.server.testing import MIDM_URL, Fleet
from mdm_tui.server.world.units import UnitFilter, UnitRecord


class MidmClient:
    """Calls below /ota/api with their envelope checked."""

    def __init__(self, made: Fleet) -> None:
        self.fleet = made
        self.world = made.world
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(made.app), base_url=MIDM_URL)
        self.http.headers.update(made.midm_headers())

    async def raw(self, method: str, path: str, **options: Any) -> httpx.Response:
        return await self.http.request(method, path if path.startswith("/") else f"/ota/api/{path}", **options)

    async def answer(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        """The whole envelope of a success."""
        response = await self.raw(method, path, **options)
        body = response.json()
        assert (response.status_code, body["result"]) == (200, True), body
        return body

    async def call(self, method: str, path: str, **options: Any) -> Any:
        """`data` of a success."""
        return (await self.answer(method, path, **options)).get("data")

    async def refused(self, method: str, path: str, **options: Any) -> tuple[int, int | str, str]:
        """(HTTP status, code, message) of a refusal, whose envelope is like any other and has no data."""
        response = await self.raw(method, path, **options)
        body = response.json()
        assert set(body) == {"uq", "doc_version", "result", "code", "message", "build"}
        assert body["result"] is False
        return response.status_code, body["code"], body["message"]

    async def find(self, path: str, *, wanted: dict[str, Any] | None = None, **asked: Any) -> dict[str, Any]:
        """The envelope of a list call. wanted: the filter."""
        if wanted is not None:
            asked["filter"] = json.dumps(wanted)
        return await self.answer("GET", path, params=asked)

    def unit(self, **attributes: Any) -> UnitRecord:
        """The first unit with a serial number of its own that checked in and has these attributes."""
        for unit in self.world.units.page(UnitFilter(), limit=1000):
            fits = all(getattr(unit, name) == value for name, value in attributes.items())
            if fits and unit.serial and unit.checked_in_at and self._alone(unit):
                return unit
        raise AssertionError("no such unit in this fleet")

    def _alone(self, unit: UnitRecord) -> bool:
        return self.world.units.count(UnitFilter(serials=[unit.serial])) == 1
