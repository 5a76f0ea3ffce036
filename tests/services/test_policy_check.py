"""A policy's text: each problem at its line."""

from __future__ import annotations

from mdm_tui.fleet.errors import Problem
from mdm_tui.services.documents import check

TEXT = """{
  "name": "Kiosk",
  "applications": [
    {
      "action": "install"
    }
  ]
}"""


def contract(document: object) -> list[Problem]:
    return [
        Problem(("applications", 0, "action"), "is not a known action", "forceInstall, available"),
        Problem(("applications", 0, "aosApplicationId"), "is missing"),
        Problem(("description",), "unknown here", warning=True),
    ]


def test_a_syntax_mistake_is_placed_and_the_contract_is_not_asked() -> None:
    checked = check(TEXT.replace('"Kiosk",', '"Kiosk"'), contract)
    assert [(item.line, item.column, item.warning) for item in checked.problems] == [(3, 3, False)]
    assert "a comma" in checked.problems[0].message
    assert checked.document is None
    assert not checked.ok


def test_contract_problems_stand_at_their_values_or_at_what_should_hold_them() -> None:
    checked = check(TEXT, contract)
    assert [(item.line, item.column, item.end_line, item.pointer, item.warning) for item in checked.problems] == [
        (1, 1, 8, "description", True),
        (4, 5, 6, "applications[0].aosApplicationId", False),
        (5, 7, 5, "applications[0].action", False),
    ]
    assert checked.problems[2].allowed == "forceInstall, available"


def test_warnings_alone_do_not_stop_a_save() -> None:
    assert check("{}", lambda _: [Problem(("a",), "unknown", warning=True)]).ok
    assert not check("{}", lambda _: [Problem(("a",), "missing")]).ok
    assert check("{}", None).ok


def test_a_repeated_name_is_a_mistake() -> None:
    checked = check('{"a": 1,\n "a": 2}', None)
    assert [(item.line, item.pointer) for item in checked.problems] == [(2, "a")]


def test_what_python_cannot_read_is_a_sentence() -> None:
    assert "cannot be read" in check("1" * 5000, None).problems[0].message
    assert "nested" in check("[" * 100_000, None).problems[0].message
