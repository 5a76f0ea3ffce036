"""Differences and merges of JSON documents."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from mdm_tui.fleet.diff import differences, merge, same

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.sampled_from("abcd"), VALUES, max_size=4)


def at(document: Any, path: tuple[str | int, ...]) -> Any:
    for part in path:
        document = document[part]
    return document


def unordered(value: Any) -> str:
    if isinstance(value, dict):
        return repr(sorted((key, unordered(below)) for key, below in value.items()))
    if isinstance(value, list):
        return repr(sorted(unordered(below) for below in value))
    return repr(value)


@settings(max_examples=300, deadline=None)
@given(VALUES, VALUES)
def test_every_difference_points_at_its_values(base: Any, mine: Any) -> None:
    found = differences(base, mine)
    assert (not found) == same(base, mine)
    for item in found:
        if item.kind == "removed":
            assert same(at(base, item.path), item.base)
        else:
            assert same(at(mine, item.path), item.mine)


@settings(max_examples=300, deadline=None)
@given(OBJECTS, OBJECTS)
def test_one_sided_changes_are_taken_whole(base: Any, changed: Any) -> None:
    assert same(merge(base, changed, base).document, changed)
    assert same(merge(base, base, changed).document, changed)
    both = merge(base, changed, changed)
    assert same(both.document, changed)
    assert not both.conflicts


@settings(max_examples=200, deadline=None)
@given(OBJECTS, OBJECTS, OBJECTS)
def test_a_merge_without_conflict_does_not_depend_on_the_side(base: Any, mine: Any, theirs: Any) -> None:
    one, other = merge(base, mine, theirs), merge(base, theirs, mine)
    assert bool(one.conflicts) == bool(other.conflicts)
    if not one.conflicts:
        assert unordered(one.document) == unordered(other.document)


def test_true_is_not_one() -> None:
    assert [item.pointer for item in differences({"a": 1}, {"a": True})] == ["a"]
    assert not differences({"a": 1}, {"a": 1.0})


def test_an_entry_in_front_is_one_addition() -> None:
    base = {"applications": [{"aosApplicationId": "a", "action": "x"}, {"aosApplicationId": "b"}]}
    mine = {"applications": [{"aosApplicationId": "c"}, {"aosApplicationId": "a", "action": "y"}]}
    found = [(item.kind, item.pointer) for item in differences(base, mine)]
    assert found == [
        ("added", "applications[0]"),
        ("changed", "applications[1].action"),
        ("removed", "applications[1]"),
    ]


def test_disjoint_changes_merge_and_overlaps_are_named() -> None:
    base = {"name": "K", "agent": {"a": True, "b": True}, "apps": [{"id": "1", "v": 1}, {"id": "2", "v": 1}]}
    mine = {"name": "Mine", "agent": {"a": False, "b": True}, "apps": [{"id": "1", "v": 2}, {"id": "2", "v": 1}]}
    theirs = {"name": "Theirs", "agent": {"a": True}, "apps": [{"id": "2", "v": 3}, {"id": "1", "v": 1}, {"id": "3"}]}
    merged = merge(base, mine, theirs)
    assert merged.document == {
        "name": "Mine",
        "agent": {"a": False},
        "apps": [{"id": "2", "v": 3}, {"id": "1", "v": 2}, {"id": "3"}],
    }
    assert [(item.pointer, item.base, item.mine, item.theirs) for item in merged.conflicts] == [
        ("name", "K", "Mine", "Theirs")
    ]


def test_removed_by_one_and_changed_by_the_other_is_a_conflict() -> None:
    merged = merge({"a": {"x": 1}}, {}, {"a": {"x": 2}})
    assert merged.document == {}
    assert [item.pointer for item in merged.conflicts] == ["a"]
