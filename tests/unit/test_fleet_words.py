"""Reports, the field registry, faults and errors: the field's words, without a vendor."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdm_tui.fleet import faults, fields
from mdm_tui.fleet.commands import COMMANDS, STATE_WORDS, State
from mdm_tui.fleet.errors import ADVICE, FleetError, Kind, Problem, Sent
from mdm_tui.fleet.provider import Capability
from mdm_tui.fleet.report import SECTIONS, get, last, leaves, move, pattern

trees = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=4),
    max_leaves=15,
)
paths = st.lists(st.sampled_from("abcd"), min_size=1, max_size=3).map(".".join)


# reports


@given(st.dictionaries(st.sampled_from("abcd"), trees), st.lists(st.tuples(paths, st.integers()), max_size=6))
def test_moving_loses_nothing_and_changes_nothing(raw, wanted) -> None:
    """Every leaf of the answer is in the report, whatever the table says; longer paths come first in a table."""
    table = [(source, f"section{index}.{index}") for index, (source, _) in enumerate(wanted)]
    table.sort(key=lambda row: -row[0].count("."))
    before = repr(raw)
    report = move(raw, table)
    assert repr(raw) == before
    there = [leaf.value for leaf in leaves(raw)] if raw else []
    here = [leaf.value for leaf in leaves(report)] if report else []
    assert sorted(repr(value) for value in there if value not in ({}, [])) == sorted(
        repr(value) for value in here if value not in ({}, [])
    )


def test_subtrees_that_meet_are_merged_and_the_rest_is_other() -> None:
    raw = {"a": {"x": 1, "deep": {"y": 2, "z": {}}}, "b": {"w": 3}, "c": [1]}
    table = [("a.deep.y", "one.y"), ("a", "two"), ("b", "two")]
    assert move(raw, table) == {"one": {"y": 2}, "two": {"x": 1, "deep": {"z": {}}, "w": 3}, "other": {"c": [1]}}


def test_leaves_are_in_order_with_patterns_and_empties_are_leaves() -> None:
    found = list(leaves({"a": [{"b": 1}, {"b": 2}], "c": {}, "d": []}))
    assert [(leaf.pattern, leaf.value) for leaf in found] == [("a[].b", 1), ("a[].b", 2), ("c", {}), ("d", [])]
    assert pattern(("a", 0, 1, "b")) == "a[][].b"


def test_depth_cannot_overflow_the_walk() -> None:
    tree: object = 1
    for _ in range(50_000):
        tree = [tree]
    assert [leaf.value for leaf in leaves(tree)] == [1]


@given(trees, paths)
def test_get_and_last_never_raise(tree, path) -> None:
    get(tree, path)
    last(tree, path, "a")


def test_the_newest_entry_that_has_the_key() -> None:
    rows = [
        {"createTime": "2026-01-02", "level": 5},
        {"createTime": "2026-01-03"},
        {"createTime": "2026-01-01", "level": 9},
        None,
    ]
    assert last({"rows": rows}, "rows", "level") == 5
    assert last({"rows": [{"level": 1}, {"level": 2}]}, "rows", "level") == 2
    assert last({"rows": {}}, "rows", "level") is None


# the registry


@given(trees.filter(lambda tree: isinstance(tree, dict)))
def test_values_of_any_report_are_all_columns_but_the_faults(report) -> None:
    assert set(fields.values(report)) == set(fields.COLUMNS) - {"faults"}


def test_keys_paths_and_aliases_are_unique_and_in_known_sections() -> None:
    names = [name for field in fields.COLUMNS.values() for name in (field.key, *field.aliases)]
    assert len(names) == len(set(names))
    for field in fields.FIELDS.values():
        assert field.section in SECTIONS, field.path
    for name in fields.default_columns(frozenset(Capability)):
        assert name in fields.COLUMNS


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("identity.displayName", "Name"),
        ("identity.tags[]", "Tags"),
        ("settings.systemProperties.ro.build", "System property"),
        ("policy.effective.config.anything[].at", "Effective policy in full"),
        ("policy.effective", "Effective policy in full"),
        ("displays", "Displays"),
        ("power.powerManagementEvents", "Power management events"),
    ],
)
def test_what_a_leaf_is_called(path, title) -> None:
    found = fields.known(path)
    assert found is not None and found.title == title


@pytest.mark.parametrize("path", ["identity.newThing", "nothing", "", "power.powerManagementEvents[].newThing"])
def test_what_nobody_knows_is_not_known(path) -> None:
    assert fields.known(path) is None


def test_columns_are_found_by_name_or_alias_in_any_case() -> None:
    for name, key in (("Battery", "battery"), ("BATT", "battery"), ("tag", "tags"), ("android", "os")):
        found = fields.column(name)
        assert found is not None and found.key == key
    assert fields.column("nothing") is None


@pytest.mark.parametrize(
    ("report", "name"),
    [
        ({"identity": {"displayName": "Dock"}}, "Dock"),
        ({"identity": {"displayName": "  "}, "hardware": {"model": "HH", "serialNumber": "S123456789"}}, "HH …456789"),
        ({"identity": {"id": "abcdef0123"}}, "device …ef0123"),
        ({"identity": {"displayName": 5}}, "device"),
        ({}, "device"),
    ],
)
def test_every_device_has_a_name(report, name) -> None:
    assert fields.values(report)["name"] == name


# faults


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({}, ""),
        ({"battery": 14}, "low battery"),
        ({"battery": 15}, ""),
        ({"battery": -1}, ""),
        ({"temp": 50.0}, "hot"),
        ({"applied": "error", "pushed": 0}, "policy failed, policy not applied"),
        ({"compliant": 0, "encrypted": 0}, "not compliant, not encrypted"),
        ({"compliant": None, "encrypted": None, "pushed": None}, ""),
        ({"state": "DELETED", "battery": 1}, "left management"),
        ({"state": "PENDING_DISENROLL"}, "leaving"),
        ({"posture": "AT_RISK"}, "at risk"),
        ({"posture": "POTENTIALLY_COMPROMISED"}, "may be compromised"),
        ({"patch": "2025-11-19"}, "outdated"),
        ({"patch": "2025-11-20"}, ""),
        ({"patch": "soon"}, ""),
        ({"patch": 5}, ""),
    ],
)
def test_faults(values, found) -> None:
    assert faults.find(values, today=date(2026, 11, 20)) == found


def test_silence_is_asked_with_a_clock() -> None:
    assert faults.silent(1000.0, 1000.0 + 6 * 3600) == ""
    assert faults.silent(1000.0, 1000.0 + 9 * 3600) == "silent 9h"
    assert faults.silent(None, 5.0) == ""


# errors and commands


def test_every_kind_has_advice_and_every_state_words() -> None:
    assert set(ADVICE) == set(Kind)
    assert set(STATE_WORDS) == set(State)
    assert not [state for state in State if state.ended and state.waiting]


@pytest.mark.parametrize("kind", list(Kind))
def test_a_sentence_says_what_happened_and_what_to_do(kind) -> None:
    error = FleetError(kind, "It broke.", permission="mdm.x", retry_after=3.0 if kind is Kind.RATE_LIMITED else None)
    assert error.sentence().startswith("It broke") and error.sentence().endswith(ADVICE[kind])
    assert ".." not in error.sentence()
    assert ("mdm.x" in error.sentence()) is (kind is Kind.FORBIDDEN)
    assert str(error) == error.sentence()
    assert error.sent is Sent.ANSWERED


def test_who_is_asked_to_wait_is_told_of_no_time_that_was_not_said() -> None:
    assert "did not say for how long" in FleetError(Kind.RATE_LIMITED, "It broke.").sentence()


def test_places_are_written_as_people_write_them() -> None:
    assert Problem(("applications", 0, "action"), "x").pointer == "applications[0].action"
    assert Problem((), "x").pointer == ""
    assert Problem((0, "a"), "x").pointer == "[0].a"


def test_destructive_commands_say_what_happens_to_the_data() -> None:
    for spec in COMMANDS.values():
        assert bool(spec.data) is spec.destructive
        assert spec.destructive or not spec.irreversible


@pytest.mark.parametrize(
    ("words", "role"),
    [
        ("outdated", "warn"),
        ("leaving, silent 9h", "warn"),
        ("low battery", "bad"),
        ("outdated, low battery", "bad"),
        ("policy failed, policy not applied", "bad"),
    ],
)
def test_the_role_of_faults_is_that_of_the_worst(words, role) -> None:
    assert faults.role(words) == role
