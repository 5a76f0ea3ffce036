"""MiDM's profiles as documents: read in both spellings, changed in one place, checked, sent in one spelling."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdm_tui.fleet.rollouts import RolloutApp
from mdm_tui.providers.midm.rollouts import MidmRollouts
from tests.contract.midm import sample

FORMAT = MidmRollouts()
MIXED: dict[str, Any] = {
    "uuid": "r1",
    "isGlobal": "false",
    "profile": {"name": "Driver", "applyOrder": "apps", "removeIfNoScope": "true", "colour": "red"},
    "scope": {"group": ["g1", "g2"], "device": ["M1"], "site": "x"},
    "apps": {
        "install": [{"uuid": "a1", "silentInstall": "true", "weight": 3}, {"fileUuid": "f2", "grant_all": False}],
        "remove": ["a9"],
    },
    "otas": ["i1"],
    "settings": {"otas": {"partialFirst": True, "need_ac": "false"}, "wifi": {"ssid": "x"}},
    "weather": 1,
}


def without(document: dict[str, Any], *path: Any) -> dict[str, Any]:
    """A copy without one place."""
    out = copy.deepcopy(document)
    node: Any = out
    for part in path[:-1]:
        node = node[part]
    node.pop(path[-1], None)
    return out


def test_the_blank_one_lacks_its_name_alone() -> None:
    blank = FORMAT.blank()
    assert [problem.pointer for problem in FORMAT.check(blank)] == ["profile.name"]
    assert FORMAT.check(FORMAT.put(blank, "name", "x")) == []
    found = FORMAT.read(blank)
    assert (found.everyone, found.groups, found.devices, found.apps, found.images) == (False, (), (), (), ())
    assert found.enabled is True


def test_both_spellings_and_quotes_are_read() -> None:
    found = FORMAT.read(MIXED)
    assert found.apps == (RolloutApp("a1", {"silent": True}), RolloutApp("f2", {"grant": False}))
    assert (found.everyone, found.groups, found.devices, found.images) == (False, ("g1", "g2"), ("M1",), ("i1",))
    assert found.options == {
        "apply_order": "apps",
        "remove_if_no_scope": True,
        "partial_first": True,
        "need_ac": False,
    }


def test_the_pages_documents() -> None:
    for name in ("profile-save.request", "profile-update.request", "profile-save.example"):
        document = sample(name)
        FORMAT.read(document)
        assert not [item for item in FORMAT.check(FORMAT.put(document, "apply_order", "none")) if "scope" in item.path]
    example = FORMAT.read(sample("profile-save.example"))
    assert example.apps[0].flags == {"start": True, "silent": True, "grant": True} and example.apps[1].flags == {}
    assert example.options["start_on"] == "2024-02-06" and len(example.images) == 2


def test_what_is_sent_has_one_spelling_and_all_else() -> None:
    body = FORMAT.body(MIXED)
    assert body["apps"]["install"] == [
        {"uuid": "a1", "silent_install": True, "weight": 3},
        {"fileUuid": "f2", "uuid": "f2", "grant_all": False},
    ]
    assert (body["isGlobal"], body["profile"]["removeIfNoScope"]) == (False, True)
    assert body["settings"] == {"otas": {"partialFirst": True, "need_ac": False}, "wifi": {"ssid": "x"}}
    assert (body["weather"], body["apps"]["remove"], body["scope"]["site"]) == (1, ["a9"], "x")
    assert FORMAT.body(body) == body
    assert "uuid" not in FORMAT.new_body(MIXED)


@pytest.mark.parametrize(
    ("key", "value", "path"),
    [
        ("name", "x", ("profile", "name")),
        ("enabled", False, ("enabled",)),
        ("everyone", True, ("isGlobal",)),
        ("groups", ["g9"], ("scope", "group")),
        ("devices", [], ("scope", "device")),
        ("images", ["i1", "i2"], ("otas",)),
        ("wake_to_apply", True, ("profile", "wakeToApply")),
        ("start_on", "2027-01-01", ("schedule_date",)),
        ("check_build_date", True, ("settings", "otas", "checkBuildDate")),
        ("partial_first", None, ("settings", "otas", "partialFirst")),
        ("while_offline", True, ("profile", "applyWhile")),
        ("repeat_every", 2, ("profile", "repeatEvery")),
    ],
)
def test_one_part_is_changed_and_all_else_stays(key: str, value: Any, path: tuple[str, ...]) -> None:
    before = copy.deepcopy(MIXED)
    after = FORMAT.put(MIXED, key, value)
    assert before == MIXED
    assert without(after, *path) == without(MIXED, *path)
    found = FORMAT.read(after)
    said = found.options.get(key) if key in {option.key for option in FORMAT.options} else getattr(found, key)
    assert said == (tuple(value) if isinstance(value, list) else value)


def test_apps_that_stay_keep_what_is_unknown() -> None:
    wanted = [RolloutApp("a3", {"reboot": True}), RolloutApp("a1", {"silent": False})]
    after = FORMAT.put(MIXED, "apps", wanted)
    assert after["apps"] == {
        "install": [{"uuid": "a3", "reboots_on_update": True}, {"uuid": "a1", "silent_install": False, "weight": 3}],
        "remove": ["a9"],
    }
    untouched = FORMAT.put(MIXED, "apps", FORMAT.read(MIXED).apps)
    assert untouched == MIXED, "the same apps leave every byte as it was"


def test_unknown_keys_are_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError):
        FORMAT.put(MIXED, "colour", "red")


@pytest.mark.parametrize(
    ("change", "pointer", "warning"),
    [
        ({"profile": {"name": " "}}, "profile.name", False),
        ({"profile": {"name": "x", "applyOrder": "first"}}, "profile.applyOrder", False),
        ({"profile": {"name": "x", "applyOrder": 3}}, "profile.applyOrder", False),
        ({"profile": {"name": "x", "removeIfNoScope": "maybe"}}, "profile.removeIfNoScope", False),
        ({"profile": {"name": "x", "repeatEvery": "often"}}, "profile.repeatEvery", False),
        ({"profile": {"name": "x", "repeatEvery": 1.5}}, "profile.repeatEvery", False),
        ({"profile": []}, "profile", False),
        ({"isGlobal": 1}, "isGlobal", False),
        ({"scope": {"group": "g1"}}, "scope.group", False),
        ({"scope": {"device": ["M1", ""]}}, "scope.device[1]", False),
        ({"scope": {"device": ["M1", "M1"]}}, "scope.device[1]", True),
        ({"otas": [3]}, "otas[0]", False),
        ({"apps": {"install": "a1"}}, "apps.install", False),
        ({"apps": {"install": [{"silent_install": True}]}}, "apps.install[0]", False),
        ({"apps": {"install": [{"uuid": "a", "grant_all": "perhaps"}]}}, "apps.install[0].grant_all", False),
        ({"apps": {"install": [{"uuid": "a", "weight": 3}]}}, "apps.install[0].weight", True),
        ({"schedule_date": {"start_on": "tomorrow"}}, "schedule_date.start_on", True),
        ({"weather": 1}, "weather", True),
    ],
)
def test_what_is_wrong_is_named_by_its_place(change: dict[str, Any], pointer: str, warning: bool) -> None:
    document = FORMAT.put(FORMAT.blank(), "name", "x") | change
    found = [(item.pointer, item.warning) for item in FORMAT.check(document)]
    assert (pointer, warning) in found, found


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from(["profile", "scope", "group", "device", "apps", "install", "otas", "settings", "uuid", "name",
                         "writer", "isGlobal", "applyWhile", "schedule_date", "start_on", "silentInstall"]),
        inner, max_size=5),
    max_leaves=20,
)  # fmt: skip


@given(JSON)
def test_no_document_is_too_strange(document: Any) -> None:
    FORMAT.check(document)
    if isinstance(document, dict):
        before = json.dumps(document)
        found = FORMAT.read(document)
        FORMAT.body(document)
        for key, value in (("name", "x"), ("groups", []), ("apps", found.apps), ("need_ac", True), ("need_ac", None)):
            FORMAT.put(document, key, value)
        assert json.dumps(document) == before
