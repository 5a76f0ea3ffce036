"""The second registry over the same fleet: units, groups, licenses, upgrades; costs in counts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mdm_tui.server.world import VirtualClock, World, hostile
from mdm_tui.server.world.errors import NotThere, Refused
from mdm_tui.server.world.groups import GroupRecord
from mdm_tui.server.world.units import SORTS, UnitDraft, UnitFilter

DAY_S = 86_400


@pytest.fixture
def world() -> Iterator[World]:
    world = World.open(None, devices=120, seed=3, clock=VirtualClock())
    yield world
    world.close()


def _depth(groups: dict[str, GroupRecord], group: GroupRecord) -> int:
    depth = 1
    while group.parent:
        group = groups[group.parent]
        depth += 1
    return depth


def _column(world: World, sql: str) -> int:
    return world.database.one(sql)[0]


def test_the_two_registries_overlap_and_disagree() -> None:
    world = World.open(None, devices=500, seed=1, clock=VirtualClock())
    managed = _column(world, "SELECT count(*) FROM device WHERE state <> 'gone'")
    both = _column(world, "SELECT count(*) FROM unit WHERE n IS NOT NULL")
    assert 0.8 * managed < both < 0.9 * managed
    assert _column(world, "SELECT count(*) FROM unit WHERE n IS NULL") == managed // 10
    assert _column(world, "SELECT count(*) FROM device JOIN unit USING (n) WHERE device.serial = unit.serial") < both
    assert _column(world, "SELECT count(*) FROM unit WHERE serial IN ('', 'unknown', '0', 'n/a')") > 0
    assert world.database.all("SELECT serial FROM unit WHERE length(serial) > 9 GROUP BY serial HAVING count(*) > 1")
    assert _column(
        world,
        "SELECT count(*) FROM unit JOIN device USING (n) WHERE silent AND checked_in_at < reported_at - 86400000",
    )
    groups = {group.uuid: group for group in world.groups.all()}
    assert 14 <= len(groups) <= 20
    assert max(_depth(groups, group) for group in groups.values()) == 4
    world.close()


def test_twenty_thousand_units_in_five_hundred_groups_six_deep() -> None:
    world = World.open(None, devices=20_000, seed=1, clock=VirtualClock())
    groups = {group.uuid: group for group in world.groups.all()}
    assert len(groups) == 500
    assert max(_depth(groups, group) for group in groups.values()) == 6
    before = world.database.statements
    counts = world.groups.counts()
    assert world.database.statements - before == 1
    total = world.units.count(UnitFilter())
    assert sum(counts.values()) == world.units.count(UnitFilter(groups=list(groups))) > 0.9 * total
    for sort in ("u", "uuid", "serial", "group", "updated", "created", "checked_in", "model"):
        before = world.database.statements
        page = world.units.page(UnitFilter(), sort, True, total - 30, 25)
        assert len(page) == 25 and world.database.statements - before == 1
        order = f"{SORTS[sort]} DESC" + ("" if sort == "u" else ", u DESC")
        plan = world.database.all(f"EXPLAIN QUERY PLAN SELECT u FROM unit ORDER BY {order} LIMIT 25 OFFSET 18000")
        assert not any("TEMP B-TREE" in row[3] for row in plan), (sort, plan)
    plan = world.database.all("EXPLAIN QUERY PLAN SELECT u FROM unit WHERE group_uuid = 'x' ORDER BY u LIMIT 9")
    assert "unit_in_group" in plan[0][3] and len(plan) == 1
    world.close()


def test_pages_follow_each_other_without_gaps(world: World) -> None:
    for sort in SORTS:
        for descending in (False, True):
            seen = [
                unit.u
                for offset in range(0, 140, 7)
                for unit in world.units.page(UnitFilter(), sort, descending, offset, 7)
            ]
            assert len(seen) == len(set(seen)) == world.units.count(UnitFilter())


def test_filters(world: World) -> None:
    some = world.units.page(UnitFilter(), limit=3)
    serials = [unit.serial for unit in some]
    assert {unit.serial for unit in world.units.page(UnitFilter(serials=serials))} == set(serials)
    assert [unit.u for unit in world.units.page(UnitFilter(uuids=[some[1].uuid.upper()]))] == [some[1].u]
    assert all(not unit.enabled for unit in world.units.page(UnitFilter(enabled=False)))
    on, off = (world.units.count(UnitFilter(online=value)) for value in (True, False))
    assert on and off and on + off == world.units.count(UnitFilter())
    assert world.units.page(UnitFilter(nothing=True)) == []


def test_a_new_device_gets_a_free_license_and_enrols_when_it_is_heard(world: World) -> None:
    plus = next(model for model in world.licenses.all() if model.name == "Plus")
    drafts = [UnitDraft(f"NEW-{number}", "Zebra Technologies", "Zebra", "TC52") for number in range(plus.free + 1)]
    saved = world.units.save(drafts, plus.uuid, auto_renew=True)
    assert [unit.license for unit in saved] == ["Plus"] * plus.free + ["Trial"]
    assert world.licenses.get(plus.uuid).free == 0
    assert all(unit.enrolled_at is None and unit.auto_renew and not unit.online for unit in saved)
    assert world.units.installed(saved[0].uuid) == []
    (n,) = world.database.one(
        "SELECT n FROM device WHERE state = 'active' AND habit = 0 "
        "AND n NOT IN (SELECT n FROM unit WHERE n IS NOT NULL)"
    )
    device = world.devices.at(n)
    (unit,) = world.units.save([UnitDraft(device.serial)])
    assert unit.n == n and unit.license == "Trial"
    world.advance(3 * 3600)
    enrolled = world.units.get(unit.uuid)
    assert enrolled.enrolled_at and enrolled.online and enrolled.build and enrolled.model
    assert {item.package for item in world.units.installed(unit.uuid)} > {"android", "com.example.agent"}
    assert world.units.get(saved[0].uuid).enrolled_at is None


def test_saving_an_existing_device_resets_its_status(world: World) -> None:
    unit = next(unit for unit in world.units.page(UnitFilter(online=True)) if unit.n is not None)
    used = world.database.one("SELECT sum(used) FROM license")[0]
    world.advance(600)
    world.units.save([UnitDraft(unit.serial)])
    reset = world.units.get(unit.uuid)
    assert (reset.enrolled_at, reset.checked_in_at, reset.disconnected_at, reset.online) == (None, None, None, False)
    assert (reset.model, reset.group_uuid, reset.created_at) == (unit.model, unit.group_uuid, unit.created_at)
    assert reset.license == "Trial" and world.database.one("SELECT sum(used) FROM license")[0] == used - 1
    world.advance(3600)
    assert world.units.get(unit.uuid).enrolled_at is None
    world.advance(3 * DAY_S)
    assert world.units.get(unit.uuid).enrolled_at
    logs, count = world.units.logs(unit.uuid)
    assert count == len(logs)
    assert [text for _, kind, text in logs if kind == "register"] == ["saved again: the status was reset"]


def test_a_registration_is_whole_or_nothing(world: World) -> None:
    total = world.units.count(UnitFilter())
    with pytest.raises(Refused, match="serial number"):
        world.units.save([UnitDraft("GOOD-1"), UnitDraft("  ")])
    with pytest.raises(NotThere, match="group"):
        world.units.save([UnitDraft("GOOD-1"), UnitDraft("GOOD-2", group_uuid="nowhere")])
    with pytest.raises(NotThere, match="license model"):
        world.units.save([UnitDraft("GOOD-1")], "none such")
    assert world.units.count(UnitFilter()) == total and not world.units.exists("GOOD-1")
    assert not world.units.exists("")


def test_groups_are_created_renamed_moved_and_deleted(world: World) -> None:
    top = world.groups.save(None, "Top", None)
    inner = world.groups.save(None, "Inner", top.uuid)
    assert world.groups.get(inner.uuid.upper()).parent == top.uuid
    world.advance(5)
    renamed = world.groups.save(inner.uuid, "Renamed", top.uuid, enabled=False)
    assert (renamed.name, renamed.enabled, renamed.created_at) == ("Renamed", False, inner.created_at)
    assert renamed.updated_at > inner.updated_at
    with pytest.raises(Refused, match="into itself"):
        world.groups.save(top.uuid, "Top", inner.uuid)
    with pytest.raises(Refused, match="into itself"):
        world.groups.save(top.uuid, "Top", top.uuid)
    with pytest.raises(Refused, match="1 groups in it"):
        world.groups.delete(top.uuid)
    world.units.save([UnitDraft("IN-1", group_uuid=inner.uuid)])
    assert world.groups.count(inner.uuid) == world.groups.counts()[inner.uuid] == 1
    with pytest.raises(Refused, match="1 devices in it"):
        world.groups.delete(inner.uuid)
    with pytest.raises(NotThere):
        world.groups.save(None, "Lost", "nowhere")
    with pytest.raises(Refused, match="name"):
        world.groups.save(None, " ", None)
    assert world.groups.save(inner.uuid, "Renamed", None).parent is None
    world.groups.delete(top.uuid)
    with pytest.raises(NotThere):
        world.groups.get(top.uuid)


def test_a_hostile_tree_has_an_orphan_and_a_cycle_and_can_be_mended() -> None:
    world = World.open(None, devices=40, seed=5, scenario="hostile", clock=VirtualClock())
    groups = {group.uuid: group for group in world.groups.all()}
    orphans = [group for group in groups.values() if group.parent and group.parent not in groups]
    assert len(orphans) == 1
    assert world.groups.save(orphans[0].uuid, "still lost", orphans[0].parent).name == "still lost"
    endless = []
    for group in groups.values():
        path = [group.uuid]
        while (above := groups[path[-1]].parent) in groups and above not in path:
            path.append(above)
        if above in path:
            endless.append(group)
    assert len(endless) == 3
    with pytest.raises(Refused, match="into itself"):
        world.groups.save(
            endless[0].uuid, "a", endless[2].uuid if endless[0].parent != endless[2].uuid else endless[1].uuid
        )
    world.groups.save(endless[0].uuid, "top again", None)
    assert world.groups.get(endless[0].uuid).parent is None
    for names in (
        [group.name for group in groups.values()],
        [package.label for package in world.packages.all()],
        [image.name for image in world.images.all()],
        [rollout.name for rollout in world.rollouts.all()],
    ):
        assert {name[:200] for name in names} & {text[:200] for text in hostile.TEXTS}
    world.close()


def test_a_fleet_of_schema_two_is_upgraded_in_place(tmp_path: Path) -> None:
    folder = tmp_path / "fleet"
    clock = VirtualClock()
    world = World.open(folder, devices=60, seed=9, clock=clock)
    site, units = world.site, world.units.page(UnitFilter(), limit=1000)
    devices = world.database.all("SELECT * FROM device ORDER BY n")
    tables = [
        name
        for (name,) in world.database.all("SELECT name FROM sqlite_master WHERE type = 'table'")
        if name.startswith(("unit", "package", "image", "license", "rollout"))
    ]
    for name in tables:
        world.database.run(f"DROP TABLE {name}")
    world.database.run("PRAGMA user_version = 2")
    world.close()
    world = World.open(folder, devices=1, seed=1, clock=clock)
    assert world.database.all("SELECT * FROM device ORDER BY n") == devices
    assert world.site == site
    assert world.units.page(UnitFilter(), limit=1000) == units
    assert world.database.one("PRAGMA user_version")[0] == 3
    world.close()


def test_units_come_and_go_with_the_devices_they_stand_for(world: World) -> None:
    start = world.clock.now()
    world.advance(6 * 3600)
    heard = world.database.all(
        "SELECT checked_in_at, reported_at FROM unit JOIN device USING (n) "
        "WHERE unit.enrolled_at IS NOT NULL AND silent = 0 AND unit.enabled = 1 AND habit = 0"
    )
    assert heard and all(checked == reported for checked, reported in heard)
    assert world.database.one("SELECT count(*) FROM unit WHERE n IS NULL AND checked_in_at > ?", (start,))[0] > 0
    assert world.database.one("SELECT count(*) FROM unit WHERE silent AND checked_in_at > ?", (start,))[0] == 0
    device = world.devices.at(world.database.one("SELECT n FROM unit WHERE online = 1 AND n IS NOT NULL LIMIT 1")[0])
    world.devices.change(device, state="gone")
    world.advance(6 * 3600)
    assert world.database.one("SELECT max(online) FROM unit WHERE n = ?", (device.n,))[0] == 0


def test_two_fleets_of_one_seed_have_other_identifiers() -> None:
    first, second = (World.open(None, devices=12, seed=4) for _ in range(2))
    try:
        assert first.site != second.site
        assert not {group.uuid for group in first.groups.all()} & {group.uuid for group in second.groups.all()}
        assert first.site_user("Ops@Example.com") == first.site_user("ops@example.com")
        assert first.site_user("ops@example.com").uuid != second.site_user("ops@example.com").uuid
    finally:
        first.close()
        second.close()
