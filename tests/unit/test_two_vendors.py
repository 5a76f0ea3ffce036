"""Two services in the same words: columns by capability, and a second vendor's device without a line left over."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mdm_tui.fleet import fields
from mdm_tui.fleet.inventory import Entry, build
from mdm_tui.fleet.inventory_text import lay_out
from mdm_tui.fleet.report import leaves, move
from mdm_tui.providers import applivery, midm
from mdm_tui.services.edits import editable

SECOND: dict[str, Any] = {
    "uuid": "5f1d2a10-7c1e-4b5d-9d0e-0a1b2c3d4e5f",
    "siteUuid": "020a7dbf-ad72-474a-87a1-a9f90372e94b",
    "states": {"clientVersion": 41, "rtcEnabled": True, "state": "online"},
    "enrolled": "2026-03-01T08:00:00Z",
    "lastCheckedIn": "2026-11-20T07:59:00Z",
    "lastDisconnected": "2026-11-19T22:00:00Z",
    "created": "2026-02-01T08:00:00Z",
    "updated": "2026-11-20T07:59:00Z",
    "enabled": True,
    "profile": {
        "hardware_info": {
            "serial_no": "HT8820019", "manufacturer": "Honeywell", "brand": "Honeywell", "model": "CT45",
            "product_id": "ct45", "battery": {"level": 9, "isCharging": False},
            "memory": {"total": 4_000_000_000, "free": 1_000_000_000},
            "storages": [{"name": "data", "total": 30, "free": 4}, {"name": "sd", "total": 2, "free": 1}],
        },
        "software_info": {"os_version": "13", "build_no": "11-25.02"},
    },
    "deviceGroup": {"uuid": "g1", "profile": {"name": "Gates"}, "deviceNumbers": 3, "enabled": True},
    "license": {"licenseModel": {"name": "Yearly"}, "autoRenew": True},
}  # fmt: skip


def test_a_device_of_the_second_service_fills_the_same_columns() -> None:
    found = fields.values(midm.factory.report(SECOND))
    assert found["name"] == "CT45 …820019", "it has no label: its model and the end of its serial name it"
    expected = {
        "serial": "HT8820019", "state": "ACTIVE", "link": "online", "remote": 1, "client": "41", "group": "Gates",
        "groupid": "g1", "license": "Yearly", "autorenew": 1, "battery": 9, "ram": 4_000_000_000, "storage": 32,
        "storagefree": 5, "os": "13", "build": "11-25.02", "product": "ct45", "policy": None, "segment": None,
    }  # fmt: skip
    assert {key: found[key] for key in expected} == expected


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({}, "ACTIVE"),
        ({"enabled": False}, "DISABLED"),
        ({"enrolled": ""}, "PROVISIONING"),
        ({"enabled": None}, "ACTIVE"),
    ],
)
def test_the_state_follows_from_the_switch_and_the_enrolment(change: dict[str, Any], state: str) -> None:
    assert fields.values(midm.factory.report({**SECOND, **change}))["state"] == state


def test_every_leaf_is_shown_under_a_name_and_none_is_unknown() -> None:
    report = midm.factory.report(SECOND)
    sections = build(report)
    assert "other" not in [section.key for section in sections]
    entries = [entry for section in sections for entry in section.entries() if isinstance(entry, Entry)]
    assert len(entries) == len(list(leaves(report)))
    text = "\n".join(line.text for line in lay_out(sections, 100))
    assert "Gates" in text and "Yearly" in text and "Remote control" in text


def test_what_neither_table_names_lands_in_other_as_it_came() -> None:
    report = midm.factory.report({**SECOND, "novel": {"thing": [1, {"a": 2}]}})
    assert report["other"] == {"novel": {"thing": [1, {"a": 2}]}}


def test_the_first_service_s_words_are_neutral_in_the_report() -> None:
    raw = {
        "id": "d", "aosPolicyId": "p", "aosPolicy": {"id": "p", "name": "Kiosk"}, "mdmUser": {"id": "u"},
        "aosPolicyAssignments": [{"aosPolicyId": "p", "priority": 2, "aosPolicy": {"name": "Kiosk"}, "x": 1}],
        "devicePolicyStatus": {"pushed": True, "audit": {"name": "Kiosk", "config": {"version": 3}}, "more": 1},
        "config": {"deviceReport": {"user": {"accountIdentifier": "acc"}}},
    }  # fmt: skip
    report = applivery.factory.report(raw)
    assert not any(word in json.dumps({**report, "other": None}) for word in ("aos", "mdmUser", "audit"))
    assert report["policy"]["assignments"] == [{"policyId": "p", "priority": 2, "policy": {"name": "Kiosk"}, "x": 1}]
    assert report["identity"]["reportUser"] == {"accountIdentifier": "acc"}
    assert report["other"] == {"devicePolicyStatus": {"more": 1}}, "what has no neutral name keeps its own"
    held = editable(report)
    assert (held["policy_id"], held["user_id"], held["assignments"][0].name) == ("p", "u", "Kiosk")


def test_lists_move_whole_and_nothing_is_written_over() -> None:
    table = (("rows[].old", "policy.list[].new"), ("rows[].other", "policy.list[].another"))
    rows = [{"old": 1, "keep": 2}, {"old": 1, "new": 3}, "odd", {}]
    raw = {"rows": rows}
    assert move(raw, table) == {"policy": {"list": [{"new": 1, "keep": 2}, {"old": 1, "new": 3}, "odd", {}]}}
    assert raw == {"rows": rows} and rows[0] == {"old": 1, "keep": 2}, "the raw document stays as it was"
    assert move({"rows": "text"}, table) == {"policy": {"list": "text"}}
    assert move({"rows": []}, table) == {"policy": {"list": []}}


def test_columns_are_those_that_a_service_may_fill() -> None:
    first = fields.default_columns(applivery.factory.capabilities)
    second = fields.default_columns(midm.factory.capabilities)
    assert first == ("name", "serial", "model", "os", "patch", "battery", "seen", "policy", "faults")
    assert second == ("name", "serial", "model", "os", "link", "seen", "group", "faults")
    assert "battery" in fields.offered(midm.factory.capabilities), "a device read by itself says it"
    assert {"policy", "segment", "tags", "user"} & set(fields.offered(midm.factory.capabilities)) == set()
    assert {"link", "group", "license"} & set(fields.offered(applivery.factory.capabilities)) == set()
    assert set(fields.offered(applivery.factory.capabilities)) | set(fields.offered(midm.factory.capabilities)) == set(
        fields.COLUMNS
    )
