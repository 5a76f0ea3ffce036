"""The first vendor's side of a fleet is what it always was: the second one's data must not move a byte of it."""

from __future__ import annotations

import hashlib
import json

import pytest

from mdm_tui.server.applivery.shapes import device_shape
from mdm_tui.server.testing import fleet
from mdm_tui.server.world import VirtualClock, World
from mdm_tui.server.world.devices import DeviceFilter
from mdm_tui.server.world.records import DEVICE_COLUMNS

EVERY = DeviceFilter(deleted=True)

# Taken before the second vendor came.
BEFORE = {
    (1, 200, "calm"): "b73c96689ede8a022376e949cfb6ddde-17200bcf8586f836d24c192238203c28",
    (7, 90, "hostile"): "035763de89ebc78cb560150f291af793-20a3c3cb295cfdad9b91dc193ec6177b",
}


def _digest(world: World) -> str:
    lines = hashlib.sha256()
    for table in (f"SELECT {DEVICE_COLUMNS} FROM device ORDER BY n", "SELECT * FROM happening ORDER BY n, at, kind"):
        for row in world.database.all(table):
            lines.update(repr(tuple(row)).encode())
    for device in world.devices.page(EVERY, "n", False, 0, 10_000):
        lines.update(json.dumps(device_shape(world, device, full=device.n % 10 == 0), sort_keys=True).encode())
    return lines.hexdigest()[:32]


@pytest.mark.parametrize(("seed", "devices", "scenario"), list(BEFORE))
def test_devices_and_reports_of_an_existing_seed_are_the_same_bytes(seed: int, devices: int, scenario: str) -> None:
    made = fleet(devices=devices, seed=seed, scenario=scenario)
    assert isinstance(made.world.clock, VirtualClock)
    digests = [_digest(made.world)]
    made.world.advance(5 * 3600)
    digests.append(_digest(made.world))
    made.world.close()
    assert "-".join(digests) == BEFORE[seed, devices, scenario]
