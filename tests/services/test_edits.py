"""Two people edit one device: nobody's work is lost, and what cannot be brought together is asked."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mdm_tui.fleet.devices import Assignment
from mdm_tui.services.edits import assignments, editable, merge, references, unreadable_assignments

TAGS = st.lists(st.sampled_from("abcdef"), unique=True, max_size=5)


@given(TAGS, TAGS, TAGS)
def test_tags_two_operators_lose_nothing(base: list[str], mine: list[str], theirs: list[str]) -> None:
    merged = merge({"tags": base}, {"tags": mine}, {"tags": theirs})
    held = merged.values.get("tags", theirs)
    assert not merged.clashes
    assert set(mine) - set(base) <= set(held), "what I added is there"
    assert set(theirs) - set(base) <= set(held), "what they added is there"
    assert not (set(base) - set(mine)) & set(held), "what I removed is gone"
    assert not (set(base) - set(theirs)) & set(held), "what they removed is gone"
    assert set(base) & set(mine) & set(theirs) <= set(held)
    assert len(held) == len(set(held))


def test_only_what_differs_is_sent() -> None:
    base = {"display_name": "a", "tags": ["x"], "policy_id": "p", "segment_id": 3}
    assert merge(base, {"display_name": "a", "tags": ["x"]}, base).values == {}
    assert merge(base, {"display_name": "b", "segment_id": 3}, base).values == {"display_name": "b"}


def test_a_single_value_changed_by_both_is_asked_not_decided() -> None:
    base, mine, theirs = {"display_name": "a"}, {"display_name": "b"}, {"display_name": "c"}
    merged = merge(base, mine, theirs)
    assert [(clash.key, clash.mine, clash.theirs) for clash in merged.clashes] == [("display_name", "b", "c")]
    decided = merge(base, mine, theirs, mine_wins=["display_name"])
    assert decided.values == {"display_name": "b"}
    assert not decided.clashes
    # Both wanted the same: nothing to ask, nothing to send.
    agreed = merge(base, mine, {"display_name": "b"})
    assert not agreed.clashes
    assert not agreed.values


def stack(**priorities: int) -> list[Assignment]:
    return [Assignment(policy, priority) for policy, priority in priorities.items()]


def test_assignments_merge_by_policy_and_keep_their_numbers() -> None:
    merged = merge(
        {"assignments": stack(a=1, b=5)},
        {"assignments": stack(a=2, b=5, mine=9)},
        {"assignments": stack(b=5, a=1, theirs=7)},
    )
    assert not merged.clashes
    assert [(item.policy_id, item.priority) for item in merged.values["assignments"]] == [
        ("a", 2),
        ("b", 5),
        ("theirs", 7),
        ("mine", 9),
    ]
    assert "theirs" in merged.kept[0]


def test_one_assignment_changed_by_both_is_asked() -> None:
    merged = merge({"assignments": stack(a=1)}, {"assignments": stack(a=2)}, {"assignments": stack(a=3)})
    assert [clash.key for clash in merged.clashes] == ["assignments"]
    removed = merge({"assignments": stack(a=1)}, {"assignments": []}, {"assignments": stack(a=3)})
    assert [clash.key for clash in removed.clashes] == ["assignments"]


def test_the_same_policy_twice_is_never_merged_blindly() -> None:
    twice = [Assignment("a", 1), Assignment("a", 2)]
    merged = merge({"assignments": twice}, {"assignments": stack(b=1)}, {"assignments": [*twice, Assignment("c", 3)]})
    assert [clash.key for clash in merged.clashes] == ["assignments"]


def test_a_report_gives_the_form_its_values() -> None:
    rows: list[Any] = [
        {"policyId": "p1", "priority": 4, "policy": {"id": "p1", "name": "Kiosk", "version": "3"}},
        {"policyId": "p2", "priority": "high"},
        "nonsense",
    ]
    report = {
        "identity": {"displayName": "Gate", "tags": ["a", 1], "user": {"id": "u"}, "segmentId": 2},
        "policy": {"assignments": rows},
    }
    found = editable(report)
    assert found["assignments"] == [Assignment("p1", 4, "Kiosk", "3")]
    assert found["tags"] == ["a"]
    assert (found["display_name"], found["user_id"], found["segment_id"], found["policy_id"]) == ("Gate", "u", 2, None)
    assert unreadable_assignments(report) == 2
    assert assignments(None) == []


def test_what_names_something_else_is_known() -> None:
    values = {"display_name": "a", "tags": ["b"], "policy_id": "p", "user_id": None, "assignments": [], "segment_id": 3}
    assert references(values) == {"policy_id": "the policy", "segment_id": "the segment"}
    assert references({"assignments": [Assignment("p", 1)], "push_provider": "x", "user_id": "u"}).keys() == {
        "assignments",
        "push_provider",
        "user_id",
    }
