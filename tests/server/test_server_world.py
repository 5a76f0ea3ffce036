"""The world itself: determinism, persistence, liveliness, costs in counts."""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
import stat
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from mdm_tui.server.applivery.shapes import device_shape
from mdm_tui.server.testing import fleet
from mdm_tui.server.world import Clock, VirtualClock, World
from mdm_tui.server.world.devices import SORTS, DeviceFilter
from mdm_tui.server.world.nature import battery
from mdm_tui.server.world.places import SITES

EVERY = DeviceFilter(deleted=True)


def _picture(world: World) -> list[dict]:
    devices = world.devices.page(EVERY, "n", False, 0, 10_000)
    return [device_shape(world, device, full=device.n % 20 == 0) for device in devices]


def test_the_same_seed_makes_the_same_fleet_and_the_same_day() -> None:
    pictures = []
    for _ in range(2):
        world = World.open(None, devices=60, seed=7, clock=VirtualClock())
        device = world.devices.at(3)
        world.commands.create(device, "reboot", None)
        world.advance(3 * 3600)
        world.advance(1800)
        pictures.append((world.fleet_id, _picture(world)))
        world.close()
    assert pictures[0] == pictures[1]
    other = World.open(None, devices=60, seed=8, clock=VirtualClock())
    assert other.fleet_id != pictures[0][0]
    other.close()


def test_how_time_is_cut_does_not_matter() -> None:
    pictures = []
    for steps in (1, 600):
        world = World.open(None, devices=40, seed=3, clock=VirtualClock())
        for _ in range(steps):
            world.advance(3600 / steps)
        pictures.append(_picture(world))
        world.close()
    assert pictures[0] == pictures[1]


def test_two_fleets_on_the_wall_clock_are_two_fleets() -> None:
    first, second = (World.open(None, devices=1, clock=Clock()) for _ in range(2))
    try:
        assert first.organization != second.organization
        assert len(first.organization) == 24 and int(first.organization, 16) >= 0
        with pytest.raises(RuntimeError, match="VirtualClock"):
            first.advance(1)
    finally:
        first.close()
        second.close()


def test_a_fleet_survives_a_restart(tmp_path) -> None:
    folder = tmp_path / "fleet"
    clock = VirtualClock()
    world = World.open(folder, devices=30, seed=5, clock=clock)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "world.db").stat().st_mode) == 0o600
    waiting, sent = (world.devices.at(n) for n in (1, 2))
    for device in (waiting, sent):
        world.devices.change(device, state="active", has_push=1, habit=0)
    world.devices.change(waiting, habit=4)
    pending = world.commands.create(waiting, "lock", None, validity=7_200_000)
    taken = world.commands.create(sent, "reboot", None)
    made = world.policies.create("Mine", 0, True, {"settings": {}})
    world.advance(9.5)
    before = _picture(world)
    identity = (world.fleet_id, world.organization, world.slug)
    world.close()

    again = World.open(folder, devices=999, seed=999, scenario="hostile", clock=clock)
    assert (again.fleet_id, again.organization, again.slug) == identity
    assert _picture(again) == before
    assert again.policies.get(made.id) == made
    again.advance(120)
    assert again.commands.get(taken.id).status in ("done", "error")
    assert again.commands.get(pending.id).status == "pending"
    again.advance(7_200)
    assert again.commands.get(pending.id).status == "expired"
    again.close()


def test_time_in_which_the_server_was_down_is_not_replayed(tmp_path) -> None:
    clock = VirtualClock()
    World.open(tmp_path, devices=50, seed=5, clock=clock).close()
    clock.move_to(clock.now() + 30 * 86_400_000)
    world = World.open(tmp_path, clock=clock)
    before = world.database.statements
    world.advance(0)
    assert world.database.statements == before
    world.close()


def test_half_a_fleet_is_never_left_behind(tmp_path, monkeypatch) -> None:
    def fail(*args, **kwargs):
        raise RuntimeError("power cut")

    monkeypatch.setattr("mdm_tui.server.world.seeding._write", fail)
    with pytest.raises(RuntimeError, match="power cut"):
        World.open(tmp_path, devices=10, clock=VirtualClock())
    monkeypatch.undo()
    world = World.open(tmp_path, devices=10, clock=VirtualClock())
    assert world.devices.count(EVERY) == 10
    world.close()


def test_another_version_of_the_file_is_named(tmp_path) -> None:
    World.open(tmp_path, devices=1, clock=VirtualClock()).close()
    connection = sqlite3.connect(tmp_path / "world.db")
    connection.execute("PRAGMA user_version=99")
    connection.close()
    with pytest.raises(RuntimeError, match="schema 99"):
        World.open(tmp_path, clock=VirtualClock())


def test_wrong_settings_are_named() -> None:
    for options, word in (({"scenario": "odd"}, "odd"), ({"devices": -1}, "-1"), ({"speed": 0}, "speed")):
        with pytest.raises(ValueError, match=word):
            World.open(None, **options)


def test_a_fleet_of_five_hundred_is_alive() -> None:
    world = World.open(None, devices=500, clock=VirtualClock())
    start = world.clock.now()
    world.advance(60)
    reported = world.database.one("SELECT count(*) FROM device WHERE updated_at > ?", (start,))[0]
    assert 30 <= reported <= 150
    quick = World.open(None, devices=500, speed=10, clock=VirtualClock())
    quick.advance(6)
    reported = quick.database.one("SELECT count(*) FROM device WHERE updated_at > ?", (start,))[0]
    assert 30 <= reported <= 150
    world.close()
    quick.close()


def test_a_day_leaves_traces() -> None:
    world = World.open(None, devices=120, seed=2, clock=VirtualClock())
    before = {device.n: device for device in world.devices.page(EVERY, "n", False, 0, 1000)}
    shapes = {n: device_shape(world, device) for n, device in before.items()}
    provisioning = [n for n, device in before.items() if device.state == "provisioning"]
    world.advance(86_400)
    levels, compliant, silent = set(), set(), 0
    for device in world.devices.page(EVERY, "n", False, 0, 1000):
        old = shapes[device.n]["config"].get("deviceReport")
        new = device_shape(world, device)["config"].get("deviceReport")
        if old and new and old["lastStatusReportTime"] == new["lastStatusReportTime"]:
            silent += 1
        elif old and new:
            levels.add(old["powerManagementEvents"] != new["powerManagementEvents"])
            compliant.add((old["policyCompliant"], new["policyCompliant"]))
    assert True in levels
    assert {(True, True), (True, False), (False, True)} <= compliant
    assert 0 < silent < 20
    assert all(world.devices.at(n).state == "active" for n in provisioning)
    assert world.database.one("SELECT count(*) FROM happening WHERE kind = 'boot'")[0] > 0
    world.close()


def test_batteries_drain_by_day_and_charge_by_night() -> None:
    world = World.open(None, devices=40, clock=VirtualClock())
    device = next(d for d in world.devices.page(EVERY, "n", False, 0, 40) if d.habit == 0)
    now = world.clock.now()
    day = [battery(world.seed, device, now + quarter * 900_000) for quarter in range(96)]
    levels = [level for level, _ in day]
    assert all(1 <= level <= 100 for level in levels)
    assert max(levels) - min(levels) > 25
    for (level, plugged), (later, charging) in itertools.pairwise(day):
        if plugged and charging:
            assert later >= level
        elif not plugged and not charging:
            assert later <= level
    assert {charging for _, charging in day} == {True, False}
    world.close()


@pytest.mark.parametrize("sort", ["updated", "created", "reported", "name", "n", "id"])
def test_common_orders_come_from_an_index(sort) -> None:
    world = World.open(None, devices=5, clock=VirtualClock())
    order = SORTS[sort] if sort == "n" else f"{SORTS[sort]} DESC, n DESC"
    plan = " ".join(
        row[3]
        for row in world.database.all(
            f"EXPLAIN QUERY PLAN SELECT n FROM device WHERE state <> 'gone' ORDER BY {order} LIMIT 100"
        )
    )
    assert "USE TEMP B-TREE FOR ORDER BY" not in plan, plan
    assert "COVERING INDEX" in plan or sort in ("n", "id"), plan
    world.close()


async def test_a_page_costs_one_statement_however_large_the_fleet() -> None:
    import httpx

    from mdm_tui.server.testing import BASE_URL

    counts = []
    for devices in (200, 2000):
        made = fleet(devices=devices)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(made.app), base_url=BASE_URL) as http:
            http.headers["Authorization"] = f"Bearer {made.token}"
            path = f"/organizations/{made.organization}/mdm/aosp/enterprise/devices?limit=100&sort=updatedAt:desc"
            await http.get(path)
            before = made.world.database.statements
            assert len((await http.get(path)).json()["data"]["items"]) == 100
            counts.append(made.world.database.statements - before)
        made.world.close()
    assert counts == [1, 1]


def test_the_work_of_a_minute_follows_what_is_due() -> None:
    costs = []
    for devices in (100, 1000):
        world = World.open(None, devices=devices, clock=VirtualClock())
        before = world.database.statements
        start = world.clock.now()
        world.advance(60)
        due = world.database.one("SELECT count(*) FROM device WHERE updated_at > ?", (start,))[0]
        costs.append((world.database.statements - before) / due)
        world.close()
    # A statement to read and one to write for each report, and a little for what could not be reached.
    assert all(2 <= cost < 5 for cost in costs)


async def test_run_advances_by_real_time_and_wakes_for_a_command() -> None:
    world = World.open(None, devices=20, speed=100)
    running = asyncio.create_task(world.run())
    try:
        device = next(d for d in world.devices.page(EVERY, "n", False, 0, 20) if d.has_push and d.habit == 0)
        ended = asyncio.Event()
        change = world.commands.change

        def watched(command, **columns):
            if columns.get("status") in ("done", "error"):
                ended.set()
            return change(command, **columns)

        world.commands.change = watched
        command = world.commands.create(device, "lock", None)
        async with asyncio.timeout(20):
            await ended.wait()
        assert world.commands.get(command.id).status in ("done", "error")
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        world.close()


def test_a_temporary_fleet_is_removed() -> None:
    world = World.open(None, devices=1, clock=VirtualClock())
    folder = world.database.path.parent
    assert folder.exists()
    world.close()
    world.close()
    assert not folder.exists()


def test_as_many_devices_as_asked_are_managed_and_those_that_left_come_on_top() -> None:
    world = World.open(None, devices=500, seed=1, clock=VirtualClock())
    try:
        assert world.devices.count(DeviceFilter()) == 500
        gone = world.devices.count(DeviceFilter(states=["gone"]))
        assert gone > 0
        assert world.devices.count(EVERY) == 500 + gone
    finally:
        world.close()


def test_every_site_has_a_zone_at_its_distance_from_utc() -> None:
    summer = datetime(2025, 7, 1, tzinfo=UTC)
    for site in SITES:
        offset = summer.astimezone(ZoneInfo(site.zone)).utcoffset()
        assert offset is not None
        assert offset.total_seconds() == site.utc_offset * 60, site.name
