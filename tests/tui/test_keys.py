"""The registry of actions: ids, keys and help hold together, and a person's keymap is checked in words."""

from __future__ import annotations

import importlib
from itertools import combinations

import pytest

from mdm_tui.tui.actions import ACTIONS, BY_ID, GROUP_TITLES, bindings, check_keymap, for_groups, help_lines, key_text

# Keys that tmux, SSH or a terminal keep for themselves (RULES §6).
_LOST = {"ctrl+b", "ctrl+h", "ctrl+i", "ctrl+j", "ctrl+m", "ctrl+space", "ctrl+up", "ctrl+down", "ctrl+left",
         "ctrl+right", "f1", "f10", "f11"}  # fmt: skip


def _keys(action: object) -> list[str]:
    return [key for key in action.keys.split(",") if key]  # type: ignore[attr-defined]


def test_ids_are_one_of_a_kind_and_groups_are_known() -> None:
    assert len(BY_ID) == len(ACTIONS)
    assert {group for action in ACTIONS for group in action.where} <= set(GROUP_TITLES)


def test_no_default_key_is_one_that_terminals_keep() -> None:
    used = {key for action in ACTIONS for key in _keys(action)}
    assert not used & _LOST
    assert not [key for key in used if key.startswith("alt+")]


@pytest.mark.parametrize(
    "group", [group for group in GROUP_TITLES if group not in ("list", "moves", "tree", "everywhere")]
)
def test_no_two_actions_meet_on_one_key(group: str) -> None:
    # Where there is no list, its keys may mean something else.
    lists = {"devices": ("list",), "policies": ("list",), "queue": ("list",), "catalogue": ("list",),
             "both": ("list",), "groups": ("tree", "moves"), "register": ("moves",)}  # fmt: skip
    beside = ("everywhere", *lists.get(group, ()))
    clashes = [
        (first.id, second.id)
        for first, second in combinations(for_groups((group, *beside)), 2)
        if set(_keys(first)) & set(_keys(second))
    ]
    assert not clashes


@pytest.mark.parametrize(
    ("group", "owner"),
    [
        ("everywhere", "mdm_tui.tui.app:MdmApp"),
        ("list", "mdm_tui.tui.screens.base:List"),
        ("devices", "mdm_tui.tui.screens.devices:DevicesScreen"),
        ("device", "mdm_tui.tui.screens.device:DeviceScreen"),
        ("policies", "mdm_tui.tui.screens.policies:PoliciesScreen"),
        ("queue", "mdm_tui.tui.screens.queue:QueueScreen"),
        ("groups", "mdm_tui.tui.screens.groups:GroupsScreen"),
        ("tree", "mdm_tui.tui.widgets.tree_list:TreeList"),
        ("moves", "mdm_tui.tui.widgets.tree_list:PlainList"),
        ("catalogue", "mdm_tui.tui.screens.apps:AppsScreen"),
        ("catalogue", "mdm_tui.tui.screens.images:ImagesScreen"),
        ("record", "mdm_tui.tui.screens.catalogue_record:RecordScreen"),
        ("register", "mdm_tui.tui.screens.register:RegisterScreen"),
    ],
)
def test_what_owns_a_group_can_do_all_of_it(group: str, owner: str) -> None:
    module, _colon, name = owner.partition(":")
    cls = getattr(importlib.import_module(module), name)
    missing = [a.id for a in for_groups((group,)) if not hasattr(cls, "action_" + a.do.partition("(")[0])]
    assert not missing


@pytest.mark.parametrize("group", ["devices", "policies", "queue", "device"])
def test_keys_that_narrow_tag_and_delete_are_not_lent_to_something_else(group: str) -> None:
    lent = [action.id for action in for_groups((group,)) if {"equals_sign", "t", "D"} & {*_keys(action)}]
    assert not lent


def test_what_has_no_key_waits_in_the_palette_and_a_keymap_may_give_it_one() -> None:
    keyless = [action for action in ACTIONS if not action.keys]
    assert {"app.ask", "assign", "delete", "duplicate", "go.register", "scope"} == {action.id for action in keyless}
    assert all(action.palette for action in keyless)
    assert not help_lines(keyless)
    assert help_lines(keyless, {"delete": "D"}) == [("D", "Delete")]
    assert {"assign", "delete", "duplicate", "scope"} <= {binding.id for binding in bindings("policies")}
    assert check_keymap({"delete": "D"}) == []


def test_every_binding_carries_its_id() -> None:
    for group in GROUP_TITLES:
        assert all(binding.id in BY_ID for binding in bindings(group))


def test_keymap_unknown_name_and_clash_are_sentences() -> None:
    assert check_keymap({}) == []
    assert check_keymap({"sort.by": "O"}) == []
    (unknown,) = check_keymap({"sort.bye": "o"})
    assert "sort.bye" in unknown and "no action" in unknown
    (clash,) = check_keymap({"sort.by": "f"})
    assert "f is both" in clash and "sort.by" in clash and "faults.only" in clash
    (empty,) = check_keymap({"sort.by": " "})
    assert "no key" in empty


def test_keymap_clash_with_the_app_is_found_and_with_another_screen_is_none() -> None:
    assert any("help.open" in sentence for sentence in check_keymap({"sort.by": "question_mark"}))
    # The groups' own key may be used on the devices.
    assert check_keymap({"freeze": "asterisk"}) == []


def test_two_actions_may_change_places() -> None:
    assert check_keymap({"sort.by": "f", "faults.only": "s"}) == []


def test_help_joins_what_belongs_together() -> None:
    lines = dict(help_lines(for_groups(("list",))))
    assert lines["up down k j"] == "Up, down"
    assert lines["shift+up/down"] == "Mark up, down"
    assert dict(help_lines(for_groups(("everywhere",))))["1-3 6-9"] == "The screens on top"
    moved = dict(help_lines([BY_ID["sort.by"]], {"sort.by": "f2,o"}))
    assert moved == {"F2 o": "Sort by, then by"}


def test_keys_are_written_as_people_read_them() -> None:
    assert key_text("question_mark") == "?"
    assert key_text("f2,ctrl+s") == "F2 ctrl+s"
