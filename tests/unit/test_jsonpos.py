"""The position map: every pointer's span is the text of its value, and mistakes have a place."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mdm_tui.fleet.jsonpos import MAX_DEPTH, JsonError, Lines, locate
from mdm_tui.providers.body import decode

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=20,
)


def walk(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[tuple[str | int, ...], Any]]:
    found = [(path, value)]
    if isinstance(value, dict):
        for key, below in value.items():
            found += walk(below, (*path, key))
    elif isinstance(value, list):
        for index, below in enumerate(value):
            found += walk(below, (*path, index))
    return found


@settings(max_examples=200, deadline=None)
@given(VALUES, st.sampled_from([None, 0, 2]), st.booleans())
def test_every_span_parses_back_to_its_value(value: Any, indent: int | None, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    loaded = json.loads(text)
    spans = locate(text).spans
    nodes = walk(loaded)
    assert len(spans) == len(nodes)
    for path, node in nodes:
        span = spans[path]
        assert json.loads(text[span.start : span.end]) == node
        assert span.key <= span.start


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet='{}[]",:0123456789.-+eE truefalsn\\u\n', max_size=40))
def test_it_accepts_what_json_accepts(text: str) -> None:
    try:
        json.loads(text, parse_constant=lambda word: (_ for _ in ()).throw(ValueError(word)))
        valid = True
    except ValueError:
        valid = False
    try:
        locate(text)
        accepted = True
    except JsonError as error:
        accepted = False
        assert 0 <= error.offset <= len(text)
    assert accepted == valid


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ('{\n  "a": 1,\n}', (2, 9), "comma with nothing"),
        ('{\n  "a": 1\n  "b": 2\n}', (3, 3), "a comma or }"),
        ('{\n  "a" 1\n}', (2, 7), "colon"),
        ("{\n  a: 1\n}", (2, 3), "double quotes"),
        ('{"a": NaN}', (1, 7), "NaN is not a JSON value"),
        ('{"a": tru}', (1, 7), "tru is not a JSON value"),
        ('{"a": "x\n"}', (1, 7), "does not end on its line"),
        ('{"a": "\\q"}', (1, 8), "escape"),
        ('{"a": [1, 2', (1, 12), "ends before ]"),
        ("", (1, 1), "text ends"),
        ("{} {}", (1, 4), "follows"),
        ("[01]", (1, 2), "start with 0"),
    ],
)
def test_a_mistake_has_its_line_and_words(text: str, place: tuple[int, int], words: str) -> None:
    with pytest.raises(JsonError) as caught:
        locate(text)
    assert words in caught.value.message
    assert Lines(text).place(caught.value.offset) == place


def test_a_missing_place_is_answered_by_what_is_around_it() -> None:
    text = '{"applications": [{"action": "x"}]}'
    found = locate(text)
    span = found.nearest(("applications", 0, "aosApplicationId"))
    assert text[span.start : span.end] == '{"action": "x"}'
    assert found.nearest(("nothing", 3)) == found.spans[()]


def test_a_repeated_name_is_reported_and_the_last_one_counts() -> None:
    text = '{"a": {"x": 1}, "a": 2}'
    found = locate(text)
    assert [path for path, _ in found.repeated] == [("a",)]
    span = found.spans[("a",)]
    assert text[span.start : span.end] == "2"
    assert ("a", "x") not in found.spans


def test_depth_is_bounded_and_does_not_overflow() -> None:
    with pytest.raises(JsonError, match="nested"):
        locate("[" * 100_000)
    assert locate("[" * MAX_DEPTH + "]" * MAX_DEPTH).spans
    # A list of such documents still can be read: a page, its rows, and one more.
    body = b'{"data": [{"x": ' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"}]}"
    assert decode(body)["data"]


def test_a_number_without_an_end_is_no_number() -> None:
    with pytest.raises(JsonError, match="too large") as refused:
        locate('{"a": -1e400}')
    assert refused.value.offset == 6
    assert locate('{"a": 1e300, "b": -' + "9" * 4000 + "}").spans
