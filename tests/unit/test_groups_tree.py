"""The tree of groups, made of whatever a service lists."""

from __future__ import annotations

import sys

from hypothesis import given, settings
from hypothesis import strategies as st

from mdm_tui.fleet.groups import Group, GroupTree


def tree(*rows: tuple[str, str, int | None]) -> GroupTree:
    """Groups of (id, parent, devices), named like their ids in capitals."""
    return GroupTree.build(Group(key, key.upper(), parent, devices) for key, parent, devices in rows)


DEPOT = (("root", "", 1), ("b", "root", 2), ("a", "root", 3), ("a1", "a", 4), ("a2", "a", None), ("other", "", 0))


def test_groups_stand_in_their_places_by_name_with_both_counts() -> None:
    found = tree(*DEPOT)
    assert found.roots == ("other", "root")
    assert found.all() == ["other", "root", "a", "a1", "a2", "b"]
    root, a = found.node("root"), found.node("a")
    assert (root.children, root.depth, root.devices, root.total, root.partly) == (("a", "b"), 0, 1, 10, True)
    assert (a.parent, a.depth, a.devices, a.total) == ("root", 1, 3, 7)
    assert (found.node("b").total, found.node("b").partly) == (2, False)
    assert (found.node("a2").total, found.node("a2").partly) == (None, True)
    assert found.troubled() == []


def test_only_what_is_open_is_visible() -> None:
    found = tree(*DEPOT)
    assert found.visible(()) == ["other", "root"]
    assert found.visible({"root"}) == ["other", "root", "a", "b"]
    assert found.visible({"root", "a"}) == ["other", "root", "a", "a1", "a2", "b"]
    assert found.visible({"a", "gone"}) == ["other", "root"]


def test_paths_and_what_lies_below() -> None:
    found = tree(*DEPOT)
    assert found.path("a1") == ("root", "a", "a1")
    assert found.path_text("a1") == "ROOT / A / A1"
    assert found.path("gone") == ()
    assert found.below("root") == ["a", "a1", "a2", "b"]
    assert found.below("gone") == []


def test_a_move_that_makes_no_sense_is_refused_with_the_reason() -> None:
    found = tree(*DEPOT)
    assert found.why_not_move("a", "other") == ""
    assert found.why_not_move("a", "") == ""
    assert found.why_not_move("a", "a") == "A cannot be moved into itself"
    assert found.why_not_move("root", "a1") == "A1 lies below ROOT: a group cannot be moved below itself"
    assert found.why_not_move("a", "root") == "A is in ROOT already"
    assert found.why_not_move("root", "") == "ROOT is at the top already"
    assert "not listed" in found.why_not_move("gone", "a")
    assert "not listed" in found.why_not_move("a", "gone")


def test_an_orphan_stands_at_the_top_with_the_reason_and_can_be_moved_there() -> None:
    found = tree(("a", "", 1), ("lost", "gone", 2), ("child", "lost", 3))
    assert found.roots == ("lost", "a"), "what is in trouble comes first"
    assert found.node("lost").trouble == "The group above it is not listed by the service"
    assert found.node("lost").total == 5
    assert found.why_not_move("lost", "") == ""


def test_a_circle_is_cut_once_and_ends() -> None:
    found = tree(("c", "b", 1), ("a", "c", 1), ("b", "a", 1), ("leaf", "b", 1), ("self", "self", 1))
    assert found.roots == ("a", "self")
    assert found.node("a").trouble == "The service says that it lies below itself: A in C in B in A"
    assert found.node("self").trouble == "The service says that it lies in itself"
    assert found.all() == ["a", "b", "c", "leaf", "self"]
    assert found.node("a").total == 4
    assert found.why_not_move("a", "") == "", "moving it to the top heals the circle"
    assert "below itself" in found.why_not_move("a", "leaf")


def test_an_id_listed_twice_and_a_group_without_one_are_told() -> None:
    twice = [Group("a", "One"), Group("a", "One"), Group("a", "Two"), Group("", "Nameless id"), Group("", "Another")]
    found = GroupTree.build(twice)
    assert len(found) == 3
    assert found.node("a").trouble == "The service lists its id more than once, also as Two"
    assert sorted(found.node(key).name for key in found.all()) == ["Another", "Nameless id", "One"]


def test_a_count_below_zero_is_no_count_and_an_unreadable_group_is_shown() -> None:
    found = GroupTree.build([Group("a", "A", devices=-5), Group("b", "", unreadable="not an object")])
    assert (found.node("a").devices, found.node("a").total) == (None, None)
    assert found.node("b").name == "b"
    assert found.node("b").trouble == "not an object"
    assert "could not be read" in found.why_not_move("a", "b")


def test_a_chain_far_deeper_than_the_stack_is_only_long() -> None:
    deep = max(1_000, sys.getrecursionlimit() * 3)
    found = GroupTree.build(Group(f"g{i}", f"Step {i}", f"g{i - 1}" if i else "", 1) for i in range(deep))
    last = found.node(f"g{deep - 1}")
    assert (last.depth, found.node("g0").total) == (deep - 1, deep)
    assert len(found.path(last.id)) == deep
    assert len(found.below("g0")) == deep - 1
    assert len(found.visible(set(found.all()))) == deep
    circle = GroupTree.build(Group(f"g{i:05}", f"S{i:05}", f"g{(i - 1) % deep:05}", 1) for i in range(deep))
    assert circle.roots == ("g00000",)
    assert len(circle.all()) == deep


def test_what_is_visible_costs_what_is_visible() -> None:
    groups = [Group(f"r{i}", f"R{i}") for i in range(20)]
    groups += [Group(f"r{i}-{j}", f"C{j}", f"r{i}") for i in range(20) for j in range(1_000)]
    found = GroupTree.build(groups)
    asked: list[object] = []

    class Opened(set[str]):
        def __contains__(self, key: object) -> bool:
            asked.append(key)
            return super().__contains__(key)

    assert len(found.visible(Opened())) == len(asked) == 20
    asked.clear()
    assert len(found.visible(Opened({"r3"}))) == len(asked) == 1_020


def test_a_group_is_found_by_id_path_or_name() -> None:
    found = GroupTree.build(
        [
            Group("1", "Depot"),
            Group("2", "Berlin", "1"),
            Group("3", "Vans", "2"),
            Group("4", "München", "1"),
            Group("5", "Vans", "4"),
            Group("6", "Vans"),
            Group("7", "Day / Night", "2"),
        ]
    )
    assert found.find("3") == ["3"]
    assert found.find("depot/berlin / VANS") == ["3"]
    assert found.find("Munchen") == ["4"]
    assert found.find("Berlin/Vans") == ["3"], "a path need not begin at the top"
    assert found.find("Vans") == ["6"], "the one at the top is what the whole path says"
    assert found.find("Depot / Vans") == []
    assert found.find("Depot/Berlin/Day/Night") == ["7"]
    assert found.find("Day / Night") == ["7"]
    assert found.find("nowhere") == found.find("") == []


def test_two_of_a_name_are_both_found() -> None:
    found = GroupTree.build([Group("1", "A"), Group("2", "B"), Group("3", "X", "1"), Group("4", "x", "2")])
    assert found.find("X") == ["3", "4"]
    assert found.named("x", "1") == ["3"]
    assert found.named("a", "") == ["1"]
    assert found.named("a", "gone") == []


ids = st.sampled_from([*"abcdefgh", ""])


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(ids, ids, st.none() | st.integers(-3, 50)), max_size=14))
def test_whatever_is_listed_nothing_is_lost_and_nothing_is_endless(rows: list[tuple[str, str, int | None]]) -> None:
    found = tree(*rows)
    assert {key for key, _, _ in rows if key} <= set(found.all())
    assert len(found) == len({key for key, _, _ in rows if key}) + sum(not key for key, _, _ in rows)
    assert found.visible(set(found.all())) == found.all()
    for key in found.all():
        node = found.node(key)
        assert len(found.path(key)) == node.depth + 1
        assert node.parent == "" or key in found.node(node.parent).children
        counts = [found.node(step).devices for step in [key, *found.below(key)]]
        said = [count for count in counts if count is not None]
        assert (node.total, node.partly) == (sum(said) if said else None, None in counts)
    assert sorted(key for key in found.all() if not found.node(key).parent) == sorted(found.roots)
