"""Cleaning strangers' text: whatever comes in, one harmless line comes out."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mdm_tui.fleet.text import clean, inert, normal_serial, reveal, search_key

anything = st.text(st.characters(exclude_categories=())) | st.text(
    st.sampled_from("\x00\x07\x1b\x7f\x9b\u202e\u2066\u200b\ufeff\u0301\ud800\u2028\t\n\r\u3164é\ufdfd[@click=]")
)


@given(anything)
@example("\x1b]52;c;cm0gLXJmIC8=\x07")
@example("a" + "\u0301" * 50)
@example("\u212b\u0344\u0301\u0301")
def test_nothing_that_moves_a_terminal_survives(text) -> None:
    out = clean(text)
    for char in out:
        assert unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"), hex(ord(char))
    assert "\n" not in out and "\x1b" not in out
    assert len(out) <= 512


@given(anything)
def test_cleaning_twice_changes_nothing(text) -> None:
    once = clean(text)
    assert clean(once) == once


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=500))
def test_plain_text_is_left_alone(text) -> None:
    assert clean(text) == text


@given(anything, st.integers(2, 40))
def test_the_limit_holds_and_is_marked(text, limit) -> None:
    out = clean(text, limit)
    assert len(out) <= limit
    if len(text) > limit and not unicodedata.combining(text[limit - 1]):
        assert "…" in out


@given(anything)
def test_at_most_two_marks_ride_on_a_letter(text) -> None:
    run = 0
    for char in clean("x" + text):
        run = run + 1 if unicodedata.category(char) in ("Mn", "Me") else 0
        assert run <= 2


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a\x1b[31mb", "a␛[31mb"),
        ("line\nbreak\ttab", "line break tab"),
        ("\x7f", "␡"),
        ("\x9b31m", "\ufffd31m"),
        ("evil\u202egnp", "evil·gnp"),
        ("zero\u200bwidth", "zero·width"),
        ("\u3164", "·"),
        ("a\u00a0b", "a b"),
        ("\ufdfd", "·"),
        (None, "None"),
        (5, "5"),
        (["a"], "['a']"),
        ("日本", "日本"),
        ("e\u0301", "é"),
    ],
)
def test_what_each_thing_becomes(value, shown) -> None:
    assert clean(value) == shown


@given(anything)
def test_revealing_keeps_everything_readable_and_is_reversible_for_hidden_characters(text) -> None:
    out = reveal(text)
    assert all(char == "\n" or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn") for char in out)
    if "\\" not in text:
        assert out.encode("utf-8").decode("unicode_escape", "replace") is not None
        hidden = sum(out.count(mark) for mark in ("\\u", "\\U"))
        assert hidden == sum(len(reveal(char)) > 1 for char in text)


def test_revealing_writes_code_points() -> None:
    assert reveal("a\x1b\u202e\U000e0041\nb") == "a\\u001b\\u202e\\U000e0041\nb"


@given(anything)
def test_search_keys_ignore_case_and_accents(text) -> None:
    assert search_key(search_key(text)) == search_key(text) or not text.isascii()
    assert search_key("ÉCOLE " + "x") == "ecole x"


@pytest.mark.parametrize(
    ("serial", "key"),
    [
        (" ab 12 ", "AB12"),
        ("unknown", ""),
        ("0123456789ABCDEF", ""),
        ("00000000", ""),
        ("", ""),
        (None, ""),
        ("HH20A0012345", "HH20A0012345"),
    ],
)
def test_serials_as_keys(serial, key) -> None:
    assert normal_serial(serial) == key


@pytest.mark.parametrize("serial", ["\u017f1234567", "\u01311234567", "\u00df12345", "\ufb0112345", "\uff33123456"])
def test_no_letter_that_looks_like_another_makes_the_same_serial(serial: str) -> None:
    assert normal_serial(serial) == serial


@pytest.mark.parametrize("serial", ["To be filled by O.E.M.", "0123456789", "1234567890ABCDEF", "Not available"])
def test_what_makers_leave_in_place_of_a_serial_is_none(serial: str) -> None:
    assert normal_serial(serial) == ""


@pytest.mark.parametrize(
    "text", ["=1+1", "+34", "-2+3", "@SUM(A1)", "\t=1", " \r\n=1", "\u00a0=1", "\uff1d1+1", "\uff20A1"]
)
def test_what_a_spreadsheet_would_run_is_made_text(text: str) -> None:
    assert inert(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "-", "+", "a=1", "Dock -4", "'=1", "3-5"])
def test_what_no_spreadsheet_runs_is_left_alone(text: str) -> None:
    assert inert(text) == text
