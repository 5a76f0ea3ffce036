"""What an application of devices changes, and what it says it changed."""

from __future__ import annotations

import pytest
from storeparts import SCOPE, device

from mdm_tui.fleet.fields import COLUMNS
from mdm_tui.store.mirror import Changes, Mirror, View

VIEW = View(SCOPE)


async def test_new_devices_are_added_and_the_view_moves(mirror: Mirror) -> None:
    changes = await mirror.apply(SCOPE, [device("a"), device("b")], at=1.0, walk=None)
    assert changes == Changes(added=["a", "b"], moved=True)
    assert await mirror.ids(VIEW) == ["a", "b"]


async def test_a_change_names_exactly_the_fields_that_differ(mirror: Mirror) -> None:
    await mirror.apply(SCOPE, [device("a", battery=50, os="14"), device("b", battery=7)], at=1.0, walk=None)
    changes = await mirror.apply(SCOPE, [device("a", battery=49, os="14"), device("b", battery=7)], at=2.0, walk=None)
    assert changes.changed == {"a": frozenset({"battery"})}
    assert (changes.added, changes.removed, changes.moved) == ([], [], False)
    rows = await mirror.rows(SCOPE, ["a"])
    assert rows["a"].values["battery"] == 49
    assert rows["a"].at == 2.0


async def test_nothing_new_changes_nothing_but_the_age(mirror: Mirror) -> None:
    await mirror.apply(SCOPE, [device("a", battery=50)], at=1.0, walk=None)
    assert not await mirror.apply(SCOPE, [device("a", battery=50)], at=9.0, walk=None)
    assert (await mirror.rows(SCOPE, ["a"]))["a"].at == 9.0


async def test_faults_follow_the_values_when_the_provider_does_not_say_them(mirror: Mirror) -> None:
    await mirror.apply(SCOPE, [device("a", battery=16)], at=1.0, walk=None)
    changes = await mirror.apply(SCOPE, [device("a", battery=14)], at=2.0, walk=None)
    assert changes.changed == {"a": frozenset({"battery", "faults"})}
    assert (await mirror.rows(SCOPE, ["a"]))["a"].values["faults"] == "low battery"


async def test_moved_only_when_a_view_that_was_asked_for_may_move(mirror: Mirror) -> None:
    await mirror.apply(SCOPE, [device("a", seen=1.0, battery=50)], at=1.0, walk=None)
    await mirror.ids(View(SCOPE, words=("dev",)))
    seen = await mirror.apply(SCOPE, [device("a", seen=2.0, battery=50)], at=2.0, walk=None)
    assert (seen.fields, seen.moved) == (frozenset({"seen"}), False)
    tags = await mirror.apply(SCOPE, [device("a", seen=2.0, battery=50, tags="kiosk")], at=3.0, walk=None)
    assert tags.moved, "a bare word looks in the tags"
    await mirror.ids(View(SCOPE, sort=(("seen", True),)))
    again = await mirror.apply(SCOPE, [device("a", seen=3.0, battery=50, tags="kiosk")], at=4.0, walk=None)
    assert again.moved


async def test_what_is_not_said_stays_and_what_is_said_to_be_nothing_goes(mirror: Mirror) -> None:
    await mirror.apply(SCOPE, [device("a", imei="35", user="x@y.org")], at=1.0, walk=None)
    changes = await mirror.apply(SCOPE, [device("a", user=None)], at=2.0, walk=None)
    assert changes.changed == {"a": frozenset({"user"})}
    values = (await mirror.rows(SCOPE, ["a"]))["a"].values
    assert (values["imei"], values["user"]) == ("35", None)


async def test_a_late_answer_with_an_older_updated_never_overwrites(mirror: Mirror) -> None:
    await mirror.apply(SCOPE, [device("a", updated=200.0, battery=40)], at=5.0, walk=None)
    assert not await mirror.apply(SCOPE, [device("a", updated=150.0, battery=90)], at=6.0, walk=None)
    assert not await mirror.put_detail(SCOPE, device("a", updated=150.0, battery=90), 7.0)
    row = (await mirror.rows(SCOPE, ["a"]))["a"]
    assert (row.values["battery"], row.at) == (40, 5.0)


async def test_of_two_answers_with_the_same_updated_the_one_asked_later_stands(mirror: Mirror) -> None:
    await mirror.apply(SCOPE, [device("a", updated=200.0, battery=40)], at=5.0, walk=None)
    assert not await mirror.apply(SCOPE, [device("a", updated=200.0, battery=90)], at=4.0, walk=None)
    assert await mirror.apply(SCOPE, [device("a", updated=200.0, battery=39)], at=6.0, walk=None)
    assert (await mirror.rows(SCOPE, ["a"]))["a"].values["battery"] == 39


async def test_a_device_goes_only_after_two_full_walks_missed_it(mirror: Mirror) -> None:
    await mirror.apply(SCOPE, [device("a"), device("b")], at=1.0, walk=None)
    await mirror.apply(SCOPE, [device("a")], at=10.0, walk=1)
    assert not await mirror.finish_walk(SCOPE, 1)
    assert await mirror.ids(VIEW) == ["a", "b"]
    await mirror.apply(SCOPE, [device("a")], at=20.0, walk=2)
    assert await mirror.finish_walk(SCOPE, 2) == Changes(removed=["b"], moved=True)
    assert await mirror.ids(VIEW) == ["a"]


async def test_being_met_once_more_starts_the_count_again(mirror: Mirror) -> None:
    await mirror.apply(SCOPE, [device("a"), device("b")], at=1.0, walk=None)
    await mirror.apply(SCOPE, [device("a")], at=10.0, walk=1)
    await mirror.finish_walk(SCOPE, 1)
    await mirror.apply(SCOPE, [device("b")], at=11.0, walk=None)
    await mirror.apply(SCOPE, [device("a")], at=20.0, walk=2)
    assert not await mirror.finish_walk(SCOPE, 2)
    assert await mirror.ids(VIEW) == ["a", "b"]


async def test_walk_numbers_begin_again_in_another_process(mirror: Mirror) -> None:
    await mirror.apply(SCOPE, [device("a"), device("b")], at=1.0, walk=1)
    await mirror.finish_walk(SCOPE, 1)
    for at in (10.0, 20.0):
        await mirror.apply(SCOPE, [device("a")], at=at, walk=1)
        changes = await mirror.finish_walk(SCOPE, 1)
    assert changes.removed == ["b"]


async def test_an_older_answer_still_shows_that_the_device_is_there(mirror: Mirror) -> None:
    await mirror.apply(SCOPE, [device("a", updated=9.0)], at=1.0, walk=None)
    for walk, at in ((1, 10.0), (2, 20.0)):
        await mirror.apply(SCOPE, [device("a", updated=8.0)], at=at, walk=walk)
        assert not await mirror.finish_walk(SCOPE, walk)


async def test_walks_of_an_emptied_fleet_remove_it(mirror: Mirror) -> None:
    await mirror.apply(SCOPE, [device("a")], at=1.0, walk=None)
    for walk in (1, 2):
        await mirror.apply(SCOPE, [], at=10.0 * walk, walk=walk)
        changes = await mirror.finish_walk(SCOPE, walk)
    assert changes.removed == ["a"]


async def test_dropped_devices_go_at_once_and_can_come_back(mirror: Mirror) -> None:
    await mirror.apply(SCOPE, [device("a"), device("b")], at=1.0, walk=None)
    assert await mirror.drop(SCOPE, ["a", "nobody"]) == Changes(removed=["a"], moved=True)
    assert await mirror.device(SCOPE, "a") is None
    assert (await mirror.apply(SCOPE, [device("a")], at=2.0, walk=None)).added == ["a"]


async def test_connections_do_not_see_each_other(mirror: Mirror) -> None:
    await mirror.apply(SCOPE, [device("a", battery=1)], at=1.0, walk=None)
    await mirror.apply("midm:site", [device("a", battery=2), device("z")], at=1.0, walk=None)
    await mirror.drop("midm:site", ["z"])
    assert await mirror.ids(VIEW) == ["a"]
    assert (await mirror.rows(SCOPE, ["a", "z"]))["a"].values["battery"] == 1
    assert await mirror.rows("nobody", ["a"]) == {}


async def test_the_full_view_is_kept_beside_the_lists(mirror: Mirror) -> None:
    await mirror.apply(SCOPE, [device("a", raw='{"list": 1}')], at=1.0, walk=None)
    stored = await mirror.device(SCOPE, "a")
    assert stored is not None
    assert (stored.device.raw, stored.device.detail, stored.seen_at) == ('{"list": 1}', False, 1.0)
    await mirror.put_detail(SCOPE, device("a", raw='{"detail": 1}', imei="35"), 2.0)
    changes = await mirror.apply(SCOPE, [device("a", raw='{"list": 2}', battery=3)], at=3.0, walk=None)
    assert changes.changed["a"] == frozenset({"battery", "faults"})
    stored = await mirror.device(SCOPE, "a")
    assert stored is not None
    assert (stored.device.raw, stored.device.detail, stored.seen_at) == ('{"detail": 1}', True, 2.0)
    assert (stored.device.values["imei"], stored.device.values["battery"]) == ("35", 3)


async def test_an_unreadable_item_keeps_the_last_good_values_beside_the_reason(mirror: Mirror) -> None:
    await mirror.apply(SCOPE, [device("a", battery=50)], at=1.0, walk=None)
    bad = device("a", battery=None, unreadable="battery: not a number", raw='{"battery": []}')
    changes = await mirror.apply(SCOPE, [bad], at=2.0, walk=None)
    assert changes.changed["a"] == frozenset(COLUMNS), "the whole row is painted anew"
    row = (await mirror.rows(SCOPE, ["a"]))["a"]
    assert (row.values["battery"], row.unreadable) == (50, "battery: not a number")
    assert await mirror.ids(View(SCOPE, faults_only=True)) == ["a"]
    await mirror.apply(SCOPE, [device("a", battery=51)], at=3.0, walk=None)
    assert (await mirror.rows(SCOPE, ["a"]))["a"].unreadable == ""
    assert await mirror.ids(View(SCOPE, faults_only=True)) == []


async def test_every_column_comes_back_with_its_type(mirror: Mirror) -> None:
    values = {
        key: {"time": 1.5, "bool": 1, "int": 3, "percent": 20, "bytes": 2**40, "celsius": 30.5}.get(field.kind, "007")
        for key, field in COLUMNS.items()
    }
    values |= {"updated": 1.5, "name": "Zoë", "id": "a"}
    await mirror.apply(SCOPE, [device("a", **values)], at=1.0, walk=None)
    found = (await mirror.rows(SCOPE, ["a"]))["a"].values
    assert found == values
    assert [type(found[key]) for key in values] == [type(value) for value in values.values()]
    assert list(found) == list(COLUMNS)


async def test_strange_values_are_kept_without_harm_and_do_not_change_by_themselves(mirror: Mirror) -> None:
    strange = device(
        "a'; DROP TABLE device; --", name="\ud800 lone", battery=float("nan"), ram=2**80, tags="x\x00y", raw='"\udfff"'
    )
    await mirror.apply(SCOPE, [strange], at=1.0, walk=None)
    assert not await mirror.apply(SCOPE, [strange], at=2.0, walk=None)
    stored = await mirror.device(SCOPE, strange.id)
    assert stored is not None
    assert stored.device.values["battery"] is None
    assert stored.device.values["name"] == "\\ud800 lone"
    assert stored.device.raw == '"\\udfff"'


async def test_the_same_id_twice_in_a_page_is_one_device(mirror: Mirror) -> None:
    changes = await mirror.apply(SCOPE, [device("a", battery=1), device("a", battery=2)], at=1.0, walk=None)
    assert changes.added == ["a"]
    assert (await mirror.rows(SCOPE, ["a"]))["a"].values["battery"] == 2


@pytest.mark.parametrize("odd", ["\x00", "a\x00b", "\ud800", "../x", "'", '"', "\\", "x" * 100_000])
async def test_an_id_of_any_characters_is_one_row_however_often_it_comes(mirror: Mirror, odd: str) -> None:
    await mirror.apply(SCOPE, [device(odd, battery=9), device("b")], at=1.0, walk=None)
    await mirror.apply(SCOPE, [device(odd, battery=3), device("b", battery=50)], at=2.0, walk=None)
    ids = await mirror.ids(VIEW)
    assert len(ids) == 2
    rows = await mirror.rows(SCOPE, ids)
    assert sorted(row.values["battery"] for row in rows.values()) == [3, 50]
