"""Groups, apps, images, rollouts and segments in the mirror, and the members of groups."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from storeparts import SCOPE, device

from mdm_tui.fleet.catalogue import CatalogueApp, Image
from mdm_tui.fleet.devices import Segment
from mdm_tui.fleet.groups import Group
from mdm_tui.fleet.rollouts import Rollout, RolloutApp
from mdm_tui.store import item_rows, mirror_schema
from mdm_tui.store.mirror import Mirror, View

MIDM = "midm:depot"
ROLLOUT = Rollout(
    "r1",
    "Ölwechsel 10",
    True,
    False,
    ("g1", "g2"),
    ("S1", "S2"),
    (RolloutApp("a1", {"force": True, "downgrade": False}), RolloutApp("a2")),
    ("i1",),
    {"order": "apps", "days": (1, 2), "windows": [{"from": "01:00", "to": None}], "retries": 3, "wake": True},
    "ops@example.com",
    1.5,
    2.5,
    '{"x": "\\ud800 \u0000 é"}',
)


def rows(mirror: Mirror) -> list[tuple]:
    conn = sqlite3.connect(mirror.path)
    try:
        return conn.execute("SELECT rowid, * FROM item ORDER BY rowid").fetchall()
    finally:
        conn.close()


@pytest.mark.parametrize(
    "item",
    [
        Group("g1", "Berlin", "g0", 12, None, 1.0, 2.0, '{"a": 1}', ""),
        CatalogueApp("a1", "Browser", "org.b", "1.2", 12, 2**40, enabled=False, refs=("a1", "f1")),
        Image("i1", "Base 9", "px30", ab=None, from_build="b1", build="b2", built_at=7.25, refs=("i1",)),
        ROLLOUT,
        replace(ROLLOUT, raw='"\ud800"', name="\ud800\x00"),
        Segment(7, "North", 1, 2),
        Group("g1", "", unreadable="not an object"),
    ],
)
async def test_an_item_comes_back_as_it_was(mirror: Mirror, item: Any) -> None:
    key = str(item.id)
    assert await mirror.apply_items(MIDM, type(item), [item], True, 1.0) == {key}
    assert await mirror.items(MIDM, type(item)) == [item]
    assert await mirror.item(MIDM, type(item), key) == item
    assert await mirror.items(SCOPE, type(item)) == [], "another connection's"
    assert await mirror.item(MIDM, type(item), "other") is None
    await mirror.drop_item(MIDM, type(item), key)
    assert await mirror.items(MIDM, type(item)) == []


TEXT = st.text(max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | TEXT,
    lambda inner: (
        st.lists(inner, max_size=3) | st.lists(inner, max_size=3).map(tuple) | st.dictionaries(TEXT, inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.dictionaries(TEXT, VALUES, max_size=4), st.lists(TEXT, max_size=4), TEXT)
def test_any_options_scope_and_raw_come_back(options: dict, scope: list[str], raw: str) -> None:
    item = replace(ROLLOUT, options=options, devices=tuple(scope), raw=raw, name=raw)
    conn = sqlite3.connect(":memory:", isolation_level=None)
    mirror_schema.build(conn)
    conn.execute("INSERT INTO connection VALUES (1, ?)", (MIDM,))
    assert item_rows.apply_items(conn, 1, Rollout, [item], True, 1.0) == ({"r1"}, set())
    assert item_rows.items(conn, MIDM, Rollout) == [item]
    assert item_rows.apply_items(conn, 1, Rollout, [item], True, 2.0) == (set(), set())
    conn.close()


async def test_by_name_as_people_count_and_the_nameless_last(mirror: Mirror) -> None:
    found = [Group("1", ""), Group("2", "Dock 10"), Group("3", "dock 9"), Group("4", "Dock 9")]
    await mirror.apply_items(MIDM, Group, found, True, 1.0)
    assert [group.id for group in await mirror.items(MIDM, Group)] == ["3", "4", "2", "1"]


async def test_a_long_list_can_be_read_without_the_services_text(mirror: Mirror) -> None:
    await mirror.apply_items(MIDM, Rollout, [ROLLOUT], True, 1.0)
    assert await mirror.items(MIDM, Rollout, raw=False) == [replace(ROLLOUT, raw="{}")]


async def test_what_says_the_same_is_not_written_again(mirror: Mirror) -> None:
    big = [replace(ROLLOUT, id=str(i), raw=f'{{"id": {i}, "x": "{"y" * 10_000}"}}') for i in range(50)]
    assert len(await mirror.apply_items(MIDM, Rollout, big, True, 1.0)) == 50
    before = rows(mirror)
    assert await mirror.apply_items(MIDM, Rollout, big, True, 2.0) == set()
    assert rows(mirror) == before, "INSERT OR REPLACE would have given new row numbers"
    changed = [replace(big[7], raw="{}"), replace(big[9], options={})]
    assert await mirror.apply_items(MIDM, Rollout, changed, False, 3.0) == {"7", "9"}
    assert len([row for row in rows(mirror) if row in before]) == 48


async def test_the_complete_list_takes_away_what_is_not_in_it(mirror: Mirror) -> None:
    one, two = CatalogueApp("1", "A"), CatalogueApp("2", "B")
    await mirror.apply_items(MIDM, CatalogueApp, [one, two], True, 1.0)
    await mirror.apply_items(SCOPE, CatalogueApp, [two], True, 1.0)
    assert await mirror.apply_items(MIDM, CatalogueApp, [one], False, 2.0) == set()
    assert await mirror.apply_items(MIDM, CatalogueApp, [one], True, 3.0) == {"2"}
    assert await mirror.items(MIDM, CatalogueApp) == [one]
    assert await mirror.items(SCOPE, CatalogueApp) == [two]


async def test_when_a_list_was_last_read_as_a_whole(mirror: Mirror) -> None:
    assert await mirror.listed_at(SCOPE, Image) is None
    await mirror.apply_items(SCOPE, Image, [Image("i1", "Base 9")], False, 5.0)
    assert await mirror.listed_at(SCOPE, Image) is None, "a page of it is not the whole"
    await mirror.apply_items(SCOPE, Image, [], True, 7.0)
    assert (await mirror.listed_at(SCOPE, Image), await mirror.listed_at(MIDM, Image)) == (7.0, None)


async def test_an_older_answer_overwrites_nothing(mirror: Mirror) -> None:
    newer = Rollout("1", "new", updated_at=30.0)
    await mirror.apply_items(MIDM, Rollout, [newer], False, 3.0)
    older = replace(newer, name="old", updated_at=20.0)
    assert await mirror.apply_items(MIDM, Rollout, [older], False, 9.0) == set(), "by the service's own time"
    later = replace(newer, name="later", updated_at=40.0)
    assert await mirror.apply_items(MIDM, Rollout, [later], False, 2.0) == {"1"}, "whenever it was asked for"
    silent = replace(newer, name="silent", updated_at=None)
    assert await mirror.apply_items(MIDM, Rollout, [silent], False, 1.0) == set(), "asked for before"
    assert await mirror.apply_items(MIDM, Rollout, [silent], False, 4.0) == {"1"}


async def test_a_list_asked_for_before_takes_nothing_away_and_brings_nothing_back(mirror: Mirror) -> None:
    one, two, new = Group("1", "A"), Group("2", "B"), Group("3", "C")
    await mirror.apply_items(MIDM, Group, [one, two], True, 1.0)
    await mirror.apply_items(MIDM, Group, [new], False, 5.0)
    assert await mirror.apply_items(MIDM, Group, [one, two], True, 4.0) == set(), "made while the list was under way"
    assert await mirror.apply_items(MIDM, Group, [one, new], True, 6.0) == {"2"}
    assert await mirror.apply_items(MIDM, Group, [one, two], True, 5.5) == set()
    assert [group.id for group in await mirror.items(MIDM, Group)] == ["1", "3"]


# members


async def groups_of(mirror: Mirror, scope: str = MIDM) -> dict[str, tuple]:
    found = await mirror.rows(scope, ["a", "b", "c", "d"])
    return {key: (row.values.get("groupid"), row.values.get("group")) for key, row in found.items()}


@pytest.fixture
async def filled(mirror: Mirror) -> Mirror:
    for scope in (MIDM, SCOPE):
        await mirror.apply(scope, [device(key) for key in "abc"], at=1.0, walk=None)
    return mirror


async def test_members_get_their_group_and_lose_it(filled: Mirror) -> None:
    both = frozenset({"group", "groupid"})
    changes = await filled.apply_members(MIDM, "g1", "Berlin", ["a", "b", "nobody"], True, 2.0)
    assert (changes.added, changes.changed, changes.removed) == ([], {"a": both, "b": both}, [])
    assert not await filled.apply_members(MIDM, "g1", "Berlin", ["a", "b"], True, 3.0)
    changes = await filled.apply_members(MIDM, "g2", "Bonn", ["b"], False, 3.0)
    assert changes.changed == {"b": both}
    changes = await filled.apply_members(MIDM, "g1", "Berlin", ["c"], False, 4.0)
    assert changes.changed == {"c": both}, "not complete: the others stay"
    changes = await filled.apply_members(MIDM, "g1", "Berlin", ["c"], True, 5.0)
    assert changes.changed == {"a": both}
    assert await groups_of(filled) == {"a": (None, None), "b": ("g2", "Bonn"), "c": ("g1", "Berlin")}
    assert await groups_of(filled, SCOPE) == dict.fromkeys("abc", (None, None)), "another connection's"


async def test_a_membership_learnt_later_stays(filled: Mirror) -> None:
    await filled.apply_members(MIDM, "g2", "Bonn", ["a"], True, 10.0)
    assert not await filled.apply_members(MIDM, "g1", "Berlin", ["a"], True, 9.0)
    assert not await filled.apply_members(MIDM, "g2", "Bonn", [], True, 9.0)
    assert not await filled.apply(MIDM, [device("a", group="Berlin", groupid="g1")], at=9.0, walk=None)
    assert (await groups_of(filled))["a"] == ("g2", "Bonn")
    await filled.apply(MIDM, [device("a", group="Berlin", groupid="g1")], at=11.0, walk=None)
    assert not await filled.apply_members(MIDM, "g1", "Berlin", [], True, 10.5)
    assert (await groups_of(filled))["a"] == ("g1", "Berlin")
    await filled.apply(MIDM, [device("a", battery=3)], at=12.0, walk=None)
    assert (await groups_of(filled))["a"] == ("g1", "Berlin"), "not said is not none"


async def test_members_follow_their_groups_name_and_end(filled: Mirror) -> None:
    berlin, bonn = Group("g1", "Berlin"), Group("g2", "Bonn")
    await filled.apply_items(MIDM, Group, [berlin, bonn], True, 1.0)
    await filled.apply_members(MIDM, "g1", "Berlin", ["a", "b"], True, 2.0)
    await filled.apply_members(MIDM, "g2", "Bonn", ["c"], True, 2.0)
    touched, changes = await filled.apply_groups(MIDM, [replace(berlin, name="Berlin 2"), bonn], True, 3.0)
    assert touched == {"g1"}
    assert changes.changed == {"a": frozenset({"group"}), "b": frozenset({"group"})}
    await filled.ids(View(MIDM, sort=(("group", False),)))
    touched, changes = await filled.apply_groups(MIDM, [bonn], True, 4.0)
    assert touched == {"g1"} and set(changes.changed) == {"a", "b"} and changes.moved
    assert (await filled.drop_item(MIDM, Group, "g2")).ids == {"c"}
    assert await groups_of(filled) == dict.fromkeys("abc", (None, None))


async def test_a_view_of_groups(filled: Mirror) -> None:
    await filled.apply_members(MIDM, "g1", "Berlin 10", ["a"], True, 2.0)
    await filled.apply_members(MIDM, "g2", "Berlin 9", ["c"], True, 2.0)
    assert await filled.ids(View(MIDM, group=("g2",))) == ["c"]
    assert await filled.ids(View(MIDM, group=("g1", "g2"), sort=(("group", False),))) == ["c", "a"]
    assert await filled.ids(View(MIDM, group=("g3",))) == []
    assert (await filled.counts(View(MIDM, group=("g1",)))).matching == 1
    changes = await filled.apply_members(MIDM, "g2", "Berlin 9", ["b"], True, 3.0)
    assert changes.moved, "the view of the group changed"


async def test_the_members_of_a_group_are_found_by_an_index(filled: Mirror, tmp_path: Path) -> None:
    conn = sqlite3.connect(filled.path)
    plan = conn.execute("EXPLAIN QUERY PLAN SELECT k FROM device WHERE conn = 1 AND f_groupid = 'g'").fetchall()
    conn.close()
    assert "device_group" in str(plan)


async def test_a_group_that_was_not_told_yet_is_not_none(mirror: Mirror) -> None:
    from mdm_tui.tui.screens.devices_text import cell

    async def shown() -> list[str]:
        rows = await mirror.rows("midm:x", ["d1", "d2", "d3"])
        return [cell("group", rows[key].values, 0.0).text for key in ("d1", "d2", "d3")]

    listed = [device("d1"), device("d2"), device("d3")]
    await mirror.apply("midm:x", listed, at=1.0, walk=None)
    assert await shown() == ["not read"] * 3
    await mirror.apply_members("midm:x", "g1", "Gates", ["d1"], complete=True, at=2.0)
    await mirror.apply("midm:x", [device("d2", group=None, groupid=None)], at=3.0, walk=None)
    assert await shown() == ["Gates", "-", "not read"], "its group's list, its own answer, nobody"
    await mirror.settle_members("midm:x", at=4.0)
    assert await shown() == ["Gates", "-", "-"], "every group was read"
