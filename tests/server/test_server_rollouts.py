"""Rollouts in virtual time: who gets what, when, in which order, and what becomes of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mdm_tui.server.world import VirtualClock, World
from mdm_tui.server.world.errors import NotThere, Refused
from mdm_tui.server.world.rollouts import DONE, FAILED, REFUSED, WAITING, RolloutBook, RolloutRecord, UnitProgress
from mdm_tui.server.world.units import UnitDraft, UnitFilter, UnitRecord
from mdm_tui.server.world.uploads import ImageRecord, PackageRecord

HOUR_S = 3600
DAY_S = 24 * HOUR_S
NIGHT = datetime(2026, 6, 2, 0, 30, tzinfo=UTC)


def _open(devices: int = 80, seed: int = 3, start: datetime | None = None) -> World:
    """A world whose only rollouts are the test's."""
    world = World.open(None, devices=devices, seed=seed, clock=VirtualClock(start) if start else VirtualClock())
    for rollout in world.rollouts.all():
        world.rollouts.remove(rollout.uuid)
    return world


@pytest.fixture
def world() -> Iterator[World]:
    world = _open()
    yield world
    world.close()


def _package(world: World, name: str = "com.example.support") -> PackageRecord:
    """The newest upload of an application."""
    return max((one for one in world.packages.all() if one.package == name), key=lambda one: one.version_code)


def _units(world: World, count: int, product: str = "") -> list[UnitRecord]:
    """Units that are online, over lively devices, each the only one with its serial number."""
    rows = world.database.all(
        "SELECT unit.uuid FROM unit JOIN device USING (n) WHERE unit.online AND habit = 0 AND unit.enabled "
        "AND unit.serial IN (SELECT serial FROM unit GROUP BY serial HAVING count(*) = 1) "
        "AND (product = ? OR ? = '') ORDER BY u LIMIT ?",
        (product, product, count),
    )
    assert len(rows) == count
    return [world.units.get(uuid) for (uuid,) in rows]


def _save(world: World, units: list[UnitRecord], **parts: Any) -> RolloutRecord:
    document = {"profile": {"name": "Test"}, "scope": {"group": [], "device": [unit.serial for unit in units]}, **parts}
    return world.rollouts.save(None, document)


def _install(*packages: PackageRecord, **flags: bool) -> dict[str, Any]:
    return {"install": [{"uuid": package.uuid, **flags} for package in packages]}


def _states(world: World, rollout: RolloutRecord) -> dict[str, UnitProgress]:
    return {one.uuid: one for one in world.rollouts.progress(rollout.uuid)}


def _code(world: World, unit: UnitRecord, package: str) -> int | None:
    return next((one.version_code for one in world.units.installed(unit.uuid) if one.package == package), None)


def test_an_app_reaches_the_units_in_scope_and_no_others(world: World) -> None:
    package = _package(world)
    inside, outside = _units(world, 6)[:3], _units(world, 6)[3:]
    rollout = _save(world, inside, apps=_install(package, grant_all=True, starts_on_update=True))
    world.advance(2)
    assert world.rollouts.tally(rollout.uuid) == {WAITING: 3}
    world.advance(12 * HOUR_S)
    assert [one.state for one in world.rollouts.progress(rollout.uuid)] == [DONE] * 3
    assert all(_code(world, unit, package.package) == package.version_code for unit in inside)
    assert all(_code(world, unit, package.package) != package.version_code for unit in outside)
    texts = [text for _, kind, text in world.units.logs(inside[0].uuid)[0] if kind == "install"]
    assert texts == [f"{package.package} {package.version_name} installed, all permissions granted, started"]


def test_groups_are_reached_and_those_who_join_later_too(world: World) -> None:
    package = _package(world)
    first, later = _units(world, 2)
    group = world.groups.save(None, "Canaries", None)
    world.units.change(first, group_uuid=group.uuid)
    rollout = world.rollouts.save(None, {"scope": {"group": [group.uuid.upper()]}, "apps": _install(package)})
    world.advance(30)
    assert set(_states(world, rollout)) == {first.uuid}
    world.units.change(later, group_uuid=group.uuid)
    world.advance(2 * HOUR_S)
    assert set(_states(world, rollout)) == {first.uuid, later.uuid}


def test_nothing_begins_before_its_day(world: World) -> None:
    package = _package(world)
    units = _units(world, 2)
    rollout = _save(world, units, apps=_install(package), schedule_date={"start_on": "2026-06-04"})
    world.advance(38 * HOUR_S)
    assert world.rollouts.progress(rollout.uuid) == []
    world.advance(14 * HOUR_S)
    assert world.rollouts.tally(rollout.uuid) == {DONE: 2}


def test_what_is_not_taken_by_the_end_has_failed(world: World) -> None:
    unit = _units(world, 1)[0]
    world.units.change(unit, enrolled_at=None)
    rollout = _save(
        world, [unit], apps=_install(_package(world)), profile={"name": "x", "endsOption": "on", "ends": "2026-06-03"}
    )
    world.advance(30 * HOUR_S)
    assert _states(world, rollout)[unit.uuid].reason == "the device has not enrolled"
    world.advance(12 * HOUR_S)
    assert _states(world, rollout)[unit.uuid].state == FAILED
    assert "ended" in _states(world, rollout)[unit.uuid].reason


def test_after_its_end_a_rollout_takes_nobody_new(world: World) -> None:
    group = world.groups.save(None, "Late", None, True)
    profile = {"name": "x", "endsOption": "on", "ends": "2026-06-03"}
    scope = {"group": [group.uuid], "device": []}
    rollout = world.rollouts.save(None, {"scope": scope, "profile": profile, "apps": _install(_package(world))})
    world.advance(80 * HOUR_S)
    # Each rollout under way looks at its scope again when a device comes.
    world.units.save([UnitDraft("LATE-1", group_uuid=group.uuid)])
    world.advance(2 * HOUR_S)
    assert world.rollouts.progress(rollout.uuid) == []


def test_a_device_that_is_downloading_at_the_end_does_not_install_afterwards(world: World) -> None:
    unit, package = _units(world, 1)[0], _package(world)
    profile = {"name": "x", "endsOption": "on", "ends": "2026-06-03"}
    rollout = _save(world, [unit], apps=_install(package), profile=profile)
    world.advance(2)
    # Held for the whole time by what is in use, then let go.
    idle = world.life.idle
    world.life.idle = lambda *_: False  # type: ignore[method-assign]
    had = _code(world, unit, package.package)
    world.advance(80 * HOUR_S)
    world.life.idle = idle  # type: ignore[method-assign]
    world.advance(30 * HOUR_S)
    assert _states(world, rollout)[unit.uuid].state == FAILED
    assert _code(world, unit, package.package) == had


def test_devices_that_are_done_leave_the_scope_together(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    units = _units(world, 6)
    package = _package(world)
    left: list[set[str]] = []
    unscope = RolloutBook.unscope

    def counted(book: RolloutBook, rollout: RolloutRecord, entries: set[str]) -> None:
        left.append(entries)
        unscope(book, rollout, entries)

    monkeypatch.setattr(RolloutBook, "unscope", counted)
    rollout = _save(world, units, apps=_install(package), profile={"name": "x", "unscopeIfApplied": True})
    world.advance(3)
    # All of them have it already: each is done at its first look, within ten minutes.
    for unit in units:
        world.database.run(
            "INSERT INTO unit_package VALUES (?,?,?,0,0) "
            "ON CONFLICT (u, package) DO UPDATE SET upload = excluded.upload",
            (unit.u, package.package, package.uuid),
        )
    world.database.run("UPDATE rollout_unit SET state = 'waiting' WHERE rollout = ?", (rollout.uuid,))
    world.advance(12 * HOUR_S)
    assert world.rollouts.get(rollout.uuid).document["scope"]["device"] == []
    assert len(left) < len(units)


def test_a_repetition_tries_those_again_that_failed(world: World) -> None:
    unit = _units(world, 1)[0]
    rollout = _save(
        world,
        [unit],
        apps=_install(_package(world)),
        profile={"name": "x", "repeatOption": "repeat", "repeatEvery": 1, "repeatPeriod": "days"},
    )
    world.advance(60)
    world.database.run("UPDATE rollout_unit SET state = 'failed', reason = 'by hand', attempts = 3")
    world.advance(20 * HOUR_S)
    assert _states(world, rollout)[unit.uuid].reason == "by hand"
    world.advance(16 * HOUR_S)
    assert _states(world, rollout)[unit.uuid].state == DONE


def test_older_versions_and_too_new_systems_are_refused_with_a_reason(world: World) -> None:
    unit = _units(world, 1)[0]
    versions = sorted(
        (one for one in world.packages.all() if one.package == "com.example.support"), key=lambda one: one.version_code
    )
    _save(world, [unit], apps=_install(versions[-1]))
    world.advance(12 * HOUR_S)
    older = _save(world, [unit], apps=_install(versions[0]))
    voice = _package(world, "com.example.voice")
    world.units.change(unit, sdk=voice.min_sdk - 1)
    newer = _save(world, [unit], apps=_install(voice))
    world.advance(12 * HOUR_S)
    assert _states(world, older)[unit.uuid].state == REFUSED
    assert "a newer version is installed" in _states(world, older)[unit.uuid].reason
    assert (
        _states(world, newer)[unit.uuid].reason == f"com.example.voice needs SDK 30, the device has {voice.min_sdk - 1}"
    )


def _full(world: World, product: str) -> ImageRecord:
    images = [one for one in world.images.all() if one.product == product and one.part == "base" and not one.from_build]
    return max(images, key=lambda image: image.built_at)


def test_an_image_shows_in_the_build_and_in_the_version(world: World) -> None:
    unit = _units(world, 1, "TC52")[0]
    image = _full(world, "TC52")
    world.units.change(unit, os="10", build="old", built_at=image.built_at - 1)
    rollout = _save(world, [unit], otas=[image.file_uuid], settings={"otas": {"checkBuildDate": True}})
    world.advance(20 * HOUR_S)
    assert _states(world, rollout)[unit.uuid].state == DONE
    after = world.units.get(unit.uuid)
    assert (after.build, after.os, after.sdk) == (image.build, image.info["osVersion"], image.info["sdk"])
    assert after.built_at == image.built_at and after.disconnected_at is not None


def test_images_for_others_are_refused_and_apps_still_come(world: World) -> None:
    unit = _units(world, 1, "TC52")[0]
    package = _package(world)
    rollout = _save(world, [unit], otas=[_full(world, "CT45").uuid], apps=_install(package))
    world.advance(12 * HOUR_S)
    assert _states(world, rollout)[unit.uuid].state == REFUSED
    assert _states(world, rollout)[unit.uuid].reason == "none of the images is made for TC52"
    assert _code(world, unit, package.package) == package.version_code


@pytest.mark.parametrize(("order", "first"), [("none", "app"), ("apps", "app"), ("otas", "image"), ("settings", "app")])
def test_the_order_of_applying_is_kept(world: World, order: str, first: str) -> None:
    unit = _units(world, 1, "TC52")[0]
    world.units.change(unit, build="old", built_at=0)
    parts = {"apps": _install(_package(world)), "otas": [_full(world, "TC52").uuid]}
    _save(world, [unit], profile={"name": "x", "applyOrder": order}, **parts)
    world.advance(24 * HOUR_S)
    texts = [text for _, kind, text in world.units.logs(unit.uuid)[0] if kind == "install"][::-1]
    assert len(texts) == 2
    assert texts[0].startswith("image ") is (first == "image")


def test_mains_power_is_waited_for(world: World) -> None:
    units = _units(world, 4, "TC52")
    for unit in units:
        world.units.change(unit, build="old", built_at=0)
    rollout = _save(world, units, otas=[_full(world, "TC52").uuid], settings={"otas": {"need_ac": True}})
    started: dict[str, bool] = {}
    for _ in range(200):
        world.advance(300)
        for one in world.rollouts.progress(rollout.uuid):
            if one.state == "installing" and one.uuid not in started:
                started[one.uuid] = world.life.charging(world.units.get(one.uuid), one.at)
    assert len(started) >= 3 and all(started.values())


@pytest.mark.parametrize("while_", [{}, {"applyWhile": {"sleeping": True}}, {"wakeToApply": True}])
def test_sleep_is_waited_for_unless_the_rollout_says_otherwise(while_: dict[str, Any]) -> None:
    world = _open(start=NIGHT)
    sleepers = [unit for unit in _units(world, 12) if world.life.asleep(unit, world.clock.now())][:4]
    assert sleepers
    rollout = _save(world, sleepers, apps=_install(_package(world)), profile={"name": "x", **while_})
    world.advance(1500)
    states = world.rollouts.progress(rollout.uuid)
    if while_:
        assert any(one.state == DONE for one in states)
    else:
        assert {one.reason for one in states} <= {"the device is asleep", "the device is offline"}
        assert {one.state for one in states} == {WAITING}
    world.close()


def test_some_fail_with_a_reason_after_a_few_attempts() -> None:
    world = _open(devices=250, seed=2)
    rollout = world.rollouts.save(None, {"isGlobal": True, "apps": _install(_package(world, "com.example.picking"))})
    world.advance(DAY_S)
    progress = world.rollouts.progress(rollout.uuid)
    assert len(progress) == world.units.count(UnitFilter(enabled=True))
    failed = [one for one in progress if one.state == FAILED]
    assert 0 < len(failed) < len(progress) / 10
    assert all(one.attempts == 3 and one.reason.startswith("com.example.picking") for one in failed)
    assert world.rollouts.tally(rollout.uuid)[DONE] > 0.7 * len(progress)
    for one in failed:
        tries = [text for _, kind, text in world.units.logs(one.uuid)[0] if kind == "rollout"]
        assert len(tries) == 3
    world.close()


def test_unknown_devices_in_a_scope_are_registered(world: World) -> None:
    known = _units(world, 1)[0]
    total = world.units.count(UnitFilter())
    rollout = world.rollouts.save(
        None,
        {"scope": {"device": ["TYPO-1", known.uuid, "TYPO-1", " ", known.serial]}, "apps": _install(_package(world))},
    )
    assert world.units.count(UnitFilter()) == total + 1
    made = world.units.by_serial("TYPO-1")
    assert (made.license, made.enrolled_at) == ("Trial", None)
    world.advance(HOUR_S)
    assert set(_states(world, rollout)) == {known.uuid, made.uuid}
    assert _states(world, rollout)[made.uuid].reason == "the device has not enrolled"


def test_global_ignores_the_scope(world: World) -> None:
    total = world.units.count(UnitFilter())
    rollout = world.rollouts.save(
        None, {"isGlobal": True, "scope": {"device": ["TYPO-2"], "group": []}, "apps": _install(_package(world))}
    )
    assert world.units.count(UnitFilter()) == total and not world.units.exists("TYPO-2")
    world.advance(60)
    assert sum(world.rollouts.tally(rollout.uuid).values()) == world.units.count(UnitFilter(enabled=True))
    assert world.rollouts.get(rollout.uuid).document["scope"]["device"] == ["TYPO-2"]


def test_done_units_leave_the_scope_and_the_last_one_takes_the_rollout_with_it(world: World) -> None:
    units = _units(world, 2)
    options = {"name": "x", "unscopeIfApplied": True}
    kept = _save(world, units, apps=_install(_package(world)), profile=options)
    removed = _save(world, units, apps=_install(_package(world)), profile={**options, "removeIfNoScope": "true"})
    world.advance(20 * HOUR_S)
    after = world.rollouts.get(kept.uuid)
    assert after.document["scope"]["device"] == [] and after.updated_at > kept.updated_at
    with pytest.raises(NotThere, match="profile"):
        world.rollouts.get(removed.uuid)


def test_a_missing_name_is_the_time_on_a_clock_of_twelve_hours() -> None:
    world = _open(devices=3, start=datetime(2026, 6, 2, 15, 4, 5, tzinfo=UTC))
    assert world.rollouts.save(None, {}).name == "20260602_03:04:05"
    assert world.rollouts.save(None, {"profile": {"name": "", "applyOrder": "apps"}}).document["profile"] == {
        "name": "20260602_03:04:05",
        "applyOrder": "apps",
    }
    world.close()


def test_what_was_not_uploaded_is_refused_and_nothing_is_written(world: World) -> None:
    total = world.units.count(UnitFilter())
    for parts in ({"apps": {"install": [{"uuid": "nothing"}]}}, {"otas": ["nothing"]}):
        with pytest.raises(Refused, match="nothing has not been uploaded"):
            world.rollouts.save(None, {"scope": {"device": ["TYPO-3"]}, **parts})
    with pytest.raises(NotThere):
        world.rollouts.save("no such", {})
    assert world.rollouts.all() == [] and world.units.count(UnitFilter()) == total


def test_a_document_is_kept_whole_and_a_save_begins_anew(world: World) -> None:
    unit = _units(world, 1)[0]
    rollout = _save(world, [unit], apps=_install(_package(world)), strange={"kept": [1, None]})
    assert rollout.document["strange"] == {"kept": [1, None]}
    world.advance(12 * HOUR_S)
    assert world.rollouts.tally(rollout.uuid) == {DONE: 1}
    document = {**rollout.document, "enabled": False}
    again = world.rollouts.save(rollout.uuid, document)
    assert (again.revision, again.enabled, again.created_at) == (2, False, rollout.created_at)
    world.advance(DAY_S)
    assert world.rollouts.progress(rollout.uuid) == []
    world.rollouts.save(rollout.uuid, {**document, "enabled": True})
    world.advance(12 * HOUR_S)
    assert world.rollouts.tally(rollout.uuid) == {DONE: 1}


@pytest.mark.parametrize(
    "document",
    [
        {"profile": 3, "scope": [], "apps": "x", "otas": {}, "settings": None, "schedule_date": 1},
        {"profile": {"startsOn": "soon", "ends": {}, "repeatOption": 7, "repeatEvery": -1, "applyOrder": []}},
        {"scope": {"group": [1, None], "device": [{}]}, "apps": {"install": [None, {"uuid": 4}, {}]}, "otas": [3]},
        {"profile": {"repeatOption": "yes", "repeatPeriod": "fortnight", "repeatEvery": True}},
    ],
)
def test_shapes_that_are_wrong_are_kept_and_do_nothing(world: World, document: dict[str, Any]) -> None:
    rollout = world.rollouts.save(None, document)
    world.advance(3 * HOUR_S)
    assert world.rollouts.progress(rollout.uuid) == []


def test_a_rollout_survives_a_restart(tmp_path: Path) -> None:
    clock = VirtualClock()
    world = World.open(tmp_path / "fleet", devices=60, seed=3, clock=clock)
    rollout = _save(world, _units(world, 3), apps=_install(_package(world)))
    world.advance(400)
    world.close()
    world = World.open(tmp_path / "fleet", clock=clock)
    world.advance(12 * HOUR_S)
    assert world.rollouts.tally(rollout.uuid) == {DONE: 3}
    world.close()


def test_how_time_is_cut_does_not_matter_to_rollouts() -> None:
    pictures = []
    for steps in (1, 96):
        world = World.open(None, devices=60, seed=3, clock=VirtualClock())
        for _ in range(steps):
            world.advance(8 * HOUR_S / steps)
        pictures.append(
            [
                world.units.page(UnitFilter(), limit=1000),
                [world.rollouts.progress(rollout.uuid) for rollout in world.rollouts.all()],
            ]
        )
        world.close()
    assert pictures[0] == pictures[1]


def test_a_large_scope_costs_a_few_statements_for_each_unit() -> None:
    world = _open(devices=1000, seed=1)
    world.units.save([UnitDraft(f"BULK-{number}") for number in range(1500)])
    before = world.database.statements
    rollout = world.rollouts.save(None, {"isGlobal": True, "apps": _install(_package(world))})
    saved = world.database.statements - before
    world.advance(5)
    assert saved < 15
    assert sum(world.rollouts.tally(rollout.uuid).values()) > 2000
    assert world.database.statements - before < 200
    world.close()


@pytest.mark.parametrize("offline", [False, True])
def test_what_is_downloaded_is_installed_off_the_line_where_the_rollout_says_so(world: World, offline: bool) -> None:
    units = _units(world, 3, "TC52")
    for unit in units:
        world.units.change(unit, build="old", built_at=0)
    options = {"name": "x", "wakeToApply": True, "applyWhile": {"offline": offline}}
    rollout = _save(world, units, otas=[_full(world, "TC52").uuid], profile=options)
    loading: set[str] = set()
    while len(loading) < 3:
        world.advance(5)
        for one in world.rollouts.progress(rollout.uuid):
            if one.state == "downloading" and one.uuid not in loading:
                loading.add(one.uuid)
                # It cannot be reached any more.
                unit = world.units.get(one.uuid)
                assert unit.n is not None
                world.devices.change(world.devices.at(unit.n), state="gone")
                world.units.change(unit, online=False)
    world.advance(5 * HOUR_S)
    states = world.rollouts.progress(rollout.uuid)
    assert {one.reason for one in states} == {"the device is offline"}
    # Where it was installed, that is heard once the device is back. A failure begins again from the download.
    assert ("installing" in {one.state for one in states}) is offline
    assert {one.state for one in states} <= ({"installing", WAITING} if offline else {"downloading"})
    assert {world.units.get(unit.uuid).build for unit in units} == {"old"}
    for unit in units:
        world.devices.change(world.devices.at(unit.n or 0), state="active")
        world.units.change(unit, online=True)
    world.advance(12 * HOUR_S)
    assert DONE in world.rollouts.tally(rollout.uuid)


def test_a_flag_restarts_the_unit(world: World) -> None:
    unit = _units(world, 1)[0]
    package = _package(world)
    before = world.clock.now()
    rollout = _save(world, [unit], apps=_install(package, rebootsOnUpdate=True))
    world.advance(12 * HOUR_S)
    assert _states(world, rollout)[unit.uuid].state == DONE
    (text,) = [text for _, kind, text in world.units.logs(unit.uuid)[0] if kind == "install"]
    assert text.endswith("installed, restarted")
    assert (world.units.get(unit.uuid).disconnected_at or 0) > before


def test_people_at_devices_may_say_no_to_what_is_not_silent() -> None:
    world = _open(devices=150, seed=4)
    rollout = world.rollouts.save(None, {"isGlobal": True, "apps": _install(_package(world), silent_install=False)})
    world.advance(DAY_S)
    texts = [
        text
        for one in world.rollouts.progress(rollout.uuid)
        for _, kind, text in world.units.logs(one.uuid)[0]
        if kind == "rollout"
    ]
    assert any(text.endswith("somebody at the device said no") for text in texts)
    world.close()
