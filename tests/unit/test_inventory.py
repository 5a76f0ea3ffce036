"""The inventory shows every leaf of a report, whatever the report looks like, and no secret."""

from __future__ import annotations

import re
from datetime import UTC
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mdm_tui.fleet import inventory
from mdm_tui.fleet.fields import COLUMNS
from mdm_tui.fleet.inventory import Entry, Table, build
from mdm_tui.fleet.inventory_text import lay_out, width_of
from mdm_tui.fleet.report import SECTIONS, Leaf, leaves
from mdm_tui.fleet.text import clean

RICH: dict[str, Any] = {
    "identity": {
        "id": "a" * 24,
        "displayName": "Gate [/] tablet",
        "tags": ["kiosk", "gate"],
        "enrollmentTokenData": "s3",
    },
    "state": {
        "state": "ACTIVE",
        "lastStatusReportTime": "2026-11-20T05:12:00Z",
        "stateHistory": [
            {"state": "PROVISIONING", "date": "2026-01-01T00:00:00Z", "config": {}},
            {"state": "ACTIVE", "date": "2026-01-02T00:00:00Z", "config": {"by": {"who": "ana"}}},
        ],
    },
    "policy": {"effective": {"name": "Kiosk", "config": {"a": [1, {"b": None}]}}},
    "compliance": {
        "policyCompliant": False,
        "nonComplianceDetails": [{"settingName": "x", "currentValue": {"deep": [1, 2]}}, {}],
    },
    "software": {"androidVersion": "13", "brandNew": {"x": [1, {"y": "z"}]}},
    "memory": {"totalRam": "4000000000", "memoryEvents": [{"eventType": "RAM_MEASURED", "byteCount": "7", "extra": 1}]},
    "settings": {"isEncrypted": True, "systemProperties": {"ro.a": "1", "ro.b": "2"}},
    "applications": [
        {
            "packageName": "com.a",
            "events": [{"eventType": "INSTALLED"}, {"eventType": "CHANGED"}],
            "signingKeyCerts": [],
        },
        {"packageName": "com.b", "keyedAppStates": [{"key": "k", "message": "m"}]},
    ],
    "martian": {"left": [[1], [2, [3]]]},
    "other": {"config": {"deviceReport": {"novel": "v"}}},
}


def built(report: dict[str, Any]) -> list[inventory.Section]:
    return inventory.build(report, now=1_795_170_000.0, zone=UTC)


def words_of(leaf: Leaf) -> list[str]:
    """Texts of which one must be on the screen for the leaf."""
    value = leaf.value
    if value is None:
        return ["-"]
    if isinstance(value, bool):
        return ["yes" if value else "no", "true" if value else "false"]
    if isinstance(value, (dict, list)):
        return [inventory.EMPTY, "-"]
    return [clean(value, 10**6), *([clean(str(value)[:10])] if value else ["-"]), str(value)]


def entry_for(leaf: Leaf, sections: list[inventory.Section]) -> Entry | None:
    place = re.sub(r"^other\.?", "", inventory._dotted(leaf.path))
    for section in sections:
        for entry in section.entries():
            own = entry.path
            if own == place or (place.startswith(own) and place[len(own)] in ".[" and not entry.heading):
                return entry
            held = entry.value if isinstance(entry.value, list) and not entry.heading else []
            if leaf.value in held and own.split(".")[0] == place.split(".")[0]:
                return entry
    return None


def test_every_leaf_has_its_entry() -> None:
    sections = built(RICH)
    text = inventory.to_text(sections, 110)
    for leaf in leaves(RICH):
        entry = entry_for(leaf, sections)
        if leaf.path == ("compliance", "nonComplianceDetails", 1):
            continue  # an empty object in a list is a row of dashes
        assert entry is not None, leaf
        if entry.kind in ("secret", "time", "bytes"):
            continue
        assert any(word in entry.text for word in words_of(leaf)), (leaf, entry)
        assert entry.text in text or all(part in text for part in entry.text.split()), entry
    assert "s3" not in text


def test_the_unknown_stands_apart_with_its_path() -> None:
    other = built(RICH)[-1]
    assert other.title == "Not known to this console"
    assert {part.path for part in other.parts if isinstance(part, Entry)} == {
        "software.brandNew.x[0]",
        "software.brandNew.x[1].y",
        "memory.memoryEvents[0].extra",
        "martian.left[0][0]",
        "martian.left[1][0]",
        "martian.left[1][1][0]",
        "config.deviceReport.novel",
    }


def test_lists_of_objects_are_tables_with_a_row_each() -> None:
    sections = {section.key: section for section in built(RICH)}
    (history,) = [part for part in sections["state"].parts if isinstance(part, Table)]
    assert [column.title for column in history.columns][:2] == ["State", "Since"]
    assert len(history.rows) == 2
    details = next(part for part in sections["compliance"].parts if isinstance(part, Table))
    assert details.rows[1] == (None,) * len(details.columns)


def test_the_contracts_word_stays_and_plain_words_stand_beside_it() -> None:
    (entry,) = built({"security": {"devicePosture": "AT_RISK"}})[0].parts
    assert isinstance(entry, Entry)
    assert (entry.text, entry.note, inventory.tone(entry)) == ("AT_RISK", "at risk", "bad")
    assert inventory.soften("MANAGEMENT_MODE_UNSPECIFIED") == "no information"
    assert inventory.soften("ACTIVE") == ""


def test_copying_a_value_gives_what_came_and_never_a_secret() -> None:
    entries = {entry.path: entry for section in built(RICH) for entry in section.entries()}
    assert entries["memory.totalRam"].copy == "4000000000"
    assert entries["memory.totalRam"].text == "3.7 GiB"
    assert entries["identity.tags"].copy == '["kiosk", "gate"]'
    assert entries["identity.enrollmentTokenData"].copy == inventory.SECRET


def test_markdown_cannot_be_broken_by_a_name() -> None:
    text = inventory.to_markdown(built({"identity": {"displayName": "[x](http://e) |*a*"}}))
    assert "\\[x\\](http://e) \\|\\*a\\*" in text


def test_lines_keep_within_the_width() -> None:
    for width in (60, 80, 120, 200):
        for line in lay_out(built(RICH), width):
            assert width_of(line.text.rstrip()) <= width, line.text


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=25,
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=60)
@given(st.dictionaries(st.sampled_from([*SECTIONS, "odd"]), _JSON, max_size=4))
def test_any_report_is_shown_whole_and_harmless(report: dict[str, Any]) -> None:
    sections = built(report)
    text = inventory.to_text(sections, 90)
    assert all(char == "\n" or char.isprintable() for char in text)
    # Lists of scalars share one entry, and so do the leaves of one column in one row; empty rows are rows of dashes.
    shown = sum(
        sum(1 for _leaf in leaves(entry.value))
        for section in sections
        for entry in section.entries()
        if not entry.heading
    )
    blank = sum(
        1
        for section in sections
        for part in section.parts
        if isinstance(part, Table)
        for row in part.rows
        if not any(row)
    )
    assert shown + blank >= (sum(1 for _leaf in leaves(report)) if report else 0)


def test_deep_nesting_does_not_overflow() -> None:
    deep: Any = "end"
    for _ in range(5_000):
        deep = {"d": deep}
    assert "end" in inventory.to_text(built({"policy": {"effective": deep}}), 80)
    assert built({"hardware": {"deep": deep}})[-1].key == "other"


def test_titles_are_whole_in_a_report_and_short_as_columns() -> None:
    report = {
        "settings": {"isEncrypted": True},
        "policy": {
            "assignedId": "a",
            "assigned": {"id": "a", "name": "Kiosk"},
            "assignments": [],
            "status": {"wanted": 3, "has": 2},
        },
    }
    labels = [entry.label for section in build(report) for entry in section.entries()]
    assert {"Encrypted", "Wants version", "Has version", "Assigned policy id", "Assignments"} <= set(labels)
    assert len(labels) == len(set(labels)), "no two are called the same"
    assert COLUMNS["encrypted"].title == "Encr." and COLUMNS["has"].title == "Has"
    assert COLUMNS["name"].full == "Name"


def test_the_list_of_assignments_has_its_name_also_as_a_table() -> None:
    row = {"policyId": "a", "priority": 1, "policy": {"id": "a"}}
    (section,) = build({"policy": {"assignments": [row]}})
    (table,) = section.parts
    assert isinstance(table, Table)
    assert table.title == "Assignments"
    titles = [column.title for column in table.columns]
    assert len(titles) == len(set(titles))
