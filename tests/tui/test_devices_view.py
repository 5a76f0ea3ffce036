"""What the list shows and when it may change: pure rules of the Devices screen."""

from __future__ import annotations

import csv
import io
import json
import stat
from pathlib import Path
from typing import Any

import pytest

from mdm_tui.fleet import faults
from mdm_tui.fleet.fields import COLUMNS, default_columns
from mdm_tui.providers.applivery import factory
from mdm_tui.tui.screens import devices_export, devices_text
from mdm_tui.tui.screens.device_overview import overview
from mdm_tui.tui.screens.devices_view import REST, Asked, Settling, count_parts, sorted_with, target_ids
from mdm_tui.tui.widgets.grid_layout import arrange

NOW = 1_800_000_000.0
GATE = {
    "name": "Gate tablet 2", "serial": "HT8820019", "model": "CT45", "state": "ACTIVE", "battery": 9, "temp": 61.0,
    "seen": NOW - 9 * 3600, "policy": "Kiosk", "wanted": "3", "has": "3", "faults": "low battery",
}  # fmt: skip

DEFAULT_COLUMNS = default_columns(factory.capabilities)


def _text(parts: object) -> str:
    return "".join(text for text, _role, _bold in parts)  # type: ignore[attr-defined]


def test_eighty_columns_keep_name_serial_battery_seen_and_faults() -> None:
    shown = [column.key for column in arrange(devices_text.columns(DEFAULT_COLUMNS), 80).columns]
    assert shown == ["name", "serial", "battery", "seen", "faults"]


def test_what_is_sorted_by_stays_on_a_narrow_screen() -> None:
    keys = ("name", "ram", *DEFAULT_COLUMNS[1:])
    assert "ram" in [column.key for column in arrange(devices_text.columns(keys, ("ram",)), 80).columns]


def test_a_hundred_and_twenty_columns_show_all_the_usual_ones() -> None:
    assert len(arrange(devices_text.columns(DEFAULT_COLUMNS), 120).columns) == len(DEFAULT_COLUMNS)


def test_every_column_of_the_registry_makes_a_cell_of_any_value() -> None:
    for key in COLUMNS:
        for value in (None, "", 0, 1, -5, 3.5, "text", 10**15):
            assert isinstance(devices_text.cell(key, {key: value}, NOW).text, str)


def test_faults_are_words_beside_the_glyph_and_silence_is_one() -> None:
    cell = devices_text.cell("faults", GATE, NOW)
    assert cell.text == "▲ low battery, silent 9h"
    assert cell.role == "bad"
    assert devices_text.cell("faults", {**GATE, "faults": "", "seen": NOW - 5}, NOW).text == ""


def test_a_policy_that_has_not_arrived_says_both_versions() -> None:
    cell = devices_text.cell("policy", {"policy": "Drivers", "wanted": "12", "has": "11"}, NOW)
    assert (cell.text, cell.role) == ("Drivers v12, has v11", "warn")


def test_an_unreadable_device_is_a_row_that_says_so() -> None:
    columns = devices_text.columns(DEFAULT_COLUMNS)
    cells = devices_text.cells({}, "battery is not a number", columns, NOW)
    assert "battery is not a number" in cells[-1].text
    assert devices_text.glyph({}, "x").role == "bad"


def test_ticket_line_has_all_that_a_ticket_needs() -> None:
    line = devices_text.ticket("6710a", GATE, NOW)
    for word in (
        "Gate tablet 2",
        "HT8820019",
        "6710a",
        "active",
        "Kiosk v3",
        "last seen 20",
        "low battery",
        "as of 20",
    ):
        assert word in line
    assert "\n" not in line


def test_ages_below_a_minute_go_in_steps() -> None:
    texts = {devices_text.cell("seen", {"seen": NOW - age}, NOW).text for age in range(60)}
    assert texts == {"now", "10s", "20s", "30s", "40s", "50s"}


@pytest.mark.parametrize(
    ("before", "key", "add", "after"),
    [
        ((("name", False),), "battery", False, (("battery", False),)),
        ((("battery", False),), "battery", False, (("battery", True),)),
        ((("name", False),), "battery", True, (("name", False), ("battery", False))),
        ((("name", False), ("battery", False)), "battery", True, (("name", False), ("battery", True))),
        ((("name", False), ("battery", True)), "battery", False, (("battery", False),)),
    ],
)
def test_sorting(before: object, key: str, add: bool, after: object) -> None:
    assert sorted_with(before, key, add=add) == after  # type: ignore[arg-type]


def test_order_settles_only_at_rest() -> None:
    settling = Settling(late=True, last_key=100.0)
    assert not settling.due(100.0 + REST - 0.1, 0)
    assert settling.due(100.0 + REST, 0)
    assert not settling.due(200.0, 1), "never under marks"
    settling.frozen = True
    assert not settling.due(200.0, 0), "never under freeze"
    assert not Settling(late=False).due(200.0, 0)


def test_counts_line() -> None:
    said = _text(count_parts(37, 12_480, True, 3, 1, (1, 30, 37), False))
    assert said.strip() == "37 of 12,480 · 3 marked, 1 outside · 1-30"
    assert _text(count_parts(0, 500, True, 0, 0, (0, 0, 0), False)) == "0 of 500 "


def test_what_was_asked_is_said() -> None:
    asked = Asked(words="gate  tablet", faults_only=True, sort=(("battery", True), ("name", False)))
    said = _text(asked.parts(frozen=True))
    assert said == " / gate  tablet   faults only   frozen   by batt down, then name"


def test_targets_are_the_marks_else_the_cursor() -> None:
    assert target_ids(["a", "b"], "c") == ["a", "b"]
    assert target_ids([], "c") == ["c"]
    assert target_ids([], None) == []


def test_export_is_private_new_and_inert(tmp_path: Path) -> None:
    rows = [{"id": "1", "name": '=HYPERLINK("http://x")'}, {"id": "2", "name": 'Dock, "4"'}]
    text = devices_export.as_csv(["id", "name"], rows)
    read = list(csv.reader(io.StringIO(text)))
    assert read == [["id", "name"], ["1", '\'=HYPERLINK("http://x")'], ["2", 'Dock, "4"']]
    first = devices_export.write(tmp_path, "devices", "csv", text, NOW)
    second = devices_export.write(tmp_path, "devices", "csv", text, NOW)
    assert first != second
    assert stat.S_IMODE(first.stat().st_mode) == 0o600
    assert json.loads(devices_export.as_json(["id"], rows)) == [{"id": "1"}, {"id": "2"}]


@pytest.mark.parametrize(
    "values",
    [
        {"faults": "outdated"},
        {"faults": "low battery, outdated", "seen": NOW - 9 * 3600},
        {"faults": "policy not applied"},
        {"seen": NOW - 9 * 3600},
    ],
)
def test_a_fault_has_the_same_role_on_the_list_and_on_the_device(values: dict[str, Any]) -> None:
    head = overview({}, values, 100, now=NOW)[0]
    shown = dict(span for span in head.spans if span[0].strip(" ,"))
    listed = devices_text.cell("faults", values, NOW)
    sign, _blank, text = listed.text.partition(" ")
    assert shown.pop(f"{sign} ") == listed.role
    assert shown == {word: faults.role(word) for word in shown}
    assert set(shown) == set(text.split(", "))
