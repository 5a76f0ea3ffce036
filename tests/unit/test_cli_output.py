"""What goes to stdout: right for programs, harmless for terminals and spreadsheets."""

from __future__ import annotations

import csv
import io
import json

import pytest

from mdm_tui.cli import output
from mdm_tui.cli.device import flat
from mdm_tui.cli.devices import with_time
from mdm_tui.fleet.fields import COLUMNS, Field
from mdm_tui.fleet.text import clean
from mdm_tui.store.mirror import Row

NOW = 1_800_000_000.0
FIELDS = [COLUMNS[key] for key in ("name", "battery", "seen", "compliant", "temp")]
ROW = {"name": "Van 17", "battery": 9, "seen": NOW - 40, "compliant": 0, "temp": -3.5}


def test_plain_is_typed() -> None:
    assert output.plain(ROW, FIELDS) == {
        "name": "Van 17",
        "battery": 9,
        "seen": "2027-01-15T07:59:20Z",
        "compliant": False,
        "temp": -3.5,
    }
    assert output.plain({}, FIELDS) == dict.fromkeys(("name", "battery", "seen", "compliant", "temp"))
    assert output.typed(NOW + 0.25, COLUMNS["seen"]) == "2027-01-15T08:00:00.250Z"


@pytest.mark.parametrize(
    "text", ["\x1b]0;x\x07", "\x9b31m", "a\u202eb", "\u200b", "\ud800", "\U000e0041", "\x7f", 'q"\\\n']
)
def test_json_is_harmless_and_the_same(text: str) -> None:
    written = output.json_text([{"name": text, "city": "Málaga 東京"}])
    assert json.loads(written)[0]["name"] == text
    assert "Málaga 東京" in written
    assert all(char == "\n" or clean(char) == char for char in written)
    written.encode()


def test_jsonl_is_one_object_a_line() -> None:
    lines = output.jsonl_text([{"name": "a\nb"}, {"name": "c"}]).splitlines()
    assert [json.loads(line) for line in lines] == [{"name": "a\nb"}, {"name": "c"}]


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"])
def test_csv_runs_nothing(name: str) -> None:
    fields = [COLUMNS["name"], COLUMNS["temp"], COLUMNS["compliant"], COLUMNS["battery"]]
    text = output.csv_text([{"name": name, "temp": -3.5, "compliant": True, "battery": None}], fields)
    head, row = list(csv.reader(io.StringIO(text, newline="")))
    assert head == ["name", "temp", "compliant", "battery"]
    assert row == [f"'{name}", "-3.5", "true", ""], "numbers stay numbers"


def test_a_column_that_is_never_cut_goes_on_below() -> None:
    fields = [Field("what", "What", "id"), Field("said", "Said", "text")]
    sentence = "The service has no operation to find apps here; where it has one elsewhere, set its path. " * 2
    text = output.table([{"what": "apps", "said": sentence}], fields, now=NOW, width=60, whole=("said",))
    lines = text.splitlines()
    assert max(map(len, lines)) <= 60 and "…" not in text
    assert " ".join(line[6:] for line in lines[1:]) == sentence.strip()
    assert [line[:6].strip() for line in lines] == ["What", "apps", *[""] * (len(lines) - 2)]


def test_table_lines_up() -> None:
    rows = [ROW, {"name": "東京 9", "battery": 100, "seen": None, "compliant": 1}]
    lines = output.table(rows, FIELDS, now=NOW, width=None).splitlines()
    assert lines[0].split() == ["Name", "Batt", "Seen", "Compl.", "Temp"]
    assert {output.cell_width(line[: line.index("%") + 1]) for line in lines[1:]} == {12}
    assert "40s" in lines[1]
    assert lines[2].rstrip().endswith("-")


def test_table_gives_way_in_text_first() -> None:
    rows = [{"name": "x" * 60, "serial": "S" * 20, "battery": 5}]
    fields = [COLUMNS[key] for key in ("name", "serial", "battery")]
    line = output.table(rows, fields, now=NOW, width=60).splitlines()[1]
    assert output.cell_width(line) == 60
    assert "S" * 20 in line
    assert "x…" in line


def test_one_endless_name_does_not_push_the_others_apart() -> None:
    lines = output.table([{"name": "x" * 500}, {"name": "Van 17"}], FIELDS[:2], now=NOW, width=None).splitlines()
    assert max(len(line) for line in lines) < 80


def test_markdown_keeps_its_table() -> None:
    text = output.markdown([{"name": "a|b [x](y) <b>`"}], [COLUMNS["name"], COLUMNS["battery"]])
    assert text.splitlines()[1] == "| --- | ---: |"
    assert text.splitlines()[2] == r"| a\|b \[x\](y) \<b\>\` | - |"


def test_faults_of_time_and_of_reading_are_shown() -> None:
    row = Row("id1", {"seen": NOW - 9 * 3600, "faults": "low battery"}, "not an object", NOW)
    values = with_time(row, NOW)
    assert values["faults"] == "low battery, silent 9h, unreadable: not an object"
    assert values["id"] == "id1"


def test_flat_has_every_column_and_every_leaf_but_no_secret() -> None:
    report = {
        "identity": {"displayName": "Van\u202e", "enrollmentTokenData": "s3cret"},
        "displays": [{"name": "one"}, {"name": "two"}],
        "other": {"new": {}},
    }
    found = flat(report, {"name": "Van·", "seen": NOW})
    assert set(COLUMNS) <= set(found)
    assert found["name"] == "Van·"
    assert found["identity.displayName"] == "Van\u202e", "as it came"
    assert found["displays[1].name"] == "two"
    assert found["other.new"] == {}
    assert "s3cret" not in json.dumps(found)


def test_every_column_has_a_place_in_the_exports() -> None:
    assert all(isinstance(field, Field) and field.key == key for key, field in COLUMNS.items())
