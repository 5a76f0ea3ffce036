"""Values: read from anything without raising, shown as people read them."""

from __future__ import annotations

import math
import typing
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdm_tui.fleet.values import Kind, age, number, parse, parse_time, show, show_bytes, show_time

KINDS = typing.get_args(Kind)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(anything, st.sampled_from(KINDS))
def test_parsing_never_raises_and_gives_what_a_store_can_hold(value, kind) -> None:
    found = parse(value, kind)
    assert found is None or isinstance(found, str | int | float)
    assert not isinstance(found, bool)
    if isinstance(found, int):
        assert abs(found) < 2**63
    if isinstance(found, float):
        assert math.isfinite(found)
    if isinstance(found, str):
        found.encode()
        assert found.isprintable() or found == ""


@given(anything, st.sampled_from(KINDS), st.none() | st.floats(0, 4e9))
def test_showing_never_raises_and_gives_one_clean_line(value, kind, now) -> None:
    out = show(value, kind, now=now)
    assert out and "\n" not in out and "\x1b" not in out


@pytest.mark.parametrize(
    ("value", "stamp"),
    [
        ("2026-06-02T06:00:12.000Z", 1780380012.0),
        ("2026-06-02T06:00:12Z", 1780380012.0),
        ("2026-06-02T08:00:12+02:00", 1780380012.0),
        ("2026-06-02T06:00:12", 1780380012.0),
        ("2026-06-02", 1780358400.0),
        ("0001-01-01T00:00:00Z", -62135596800.0),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59-14:00", None),
        ("yesterday at noon", None),
        ("", None),
        (1780380012, None),
        (None, None),
    ],
)
def test_times(value, stamp) -> None:
    assert parse_time(value) == stamp


@given(st.datetimes(timezones=st.just(UTC), min_value=datetime(1970, 1, 1), max_value=datetime(2100, 1, 1)))  # noqa: DTZ001
def test_every_written_time_is_read_back(moment) -> None:
    assert parse_time(moment.isoformat()) == moment.timestamp()


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("4294967296", 4294967296),
        ("12.5", 12.5),
        (5, 5),
        (True, None),
        ("nan", None),
        ("1e999", None),
        (float("inf"), None),
        (2**63, None),
        ("9" * 400, None),
        ("5 GB", None),
        ([], None),
    ],
)
def test_numbers(value, found) -> None:
    assert number(value) == found


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (59.9, "59s"),
        (60, "1m"),
        (3599, "59m"),
        (3600, "1h"),
        (86399, "23h"),
        (86400, "1d"),
        (700 * 86400, "700d"),
        (730 * 86400, "2y"),
        (-5, "now"),
        (-120, "in 2m"),
    ],
)
def test_ages(seconds, text) -> None:
    assert age(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (4294967296, "4.0 GiB"),
        (64424509440, "60.0 GiB"),
        (2**60, "1048576 TiB"),
    ],
)
def test_bytes(count, text) -> None:
    assert show_bytes(count) == text


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (None, "text", "-"),
        ("", "text", "-"),
        (True, "bool", "yes"),
        (0, "bool", "no"),
        (81, "percent", "81%"),
        (31.5, "celsius", "31.5 °C"),
        (31, "celsius", "31 °C"),
        ("4294967296", "bytes", "4.0 GiB"),
        (12.50, "number", "12.5"),
        ("3600s", "duration", "1h"),
        (["a", "b"], "tags", "a, b"),
        ([], "text", "-"),
        ([{}], "tree", "1 entries"),
        ("\x1b[2J", "text", "␛[2J"),
    ],
)
def test_showing(value, kind, text) -> None:
    assert show(value, kind) == text


def test_times_are_ages_with_a_clock_and_absolute_without() -> None:
    assert show("2026-06-02T06:00:12Z", "time", now=1780380012.0 + 7200) == "2h"
    assert show(1780380012.0, "time", zone=UTC) == "2026-06-02 06:00:12 UTC"
    assert show("soon", "time") == "soon"
    assert show_time(1e300)


@pytest.mark.parametrize(
    ("value", "kind", "found"),
    [
        (True, "bool", 1),
        ("true", "bool", None),
        (["a b", "c"], "tags", "a b c"),
        ({"a": 1}, "text", None),
        (13, "version", "13"),
        (True, "text", "true"),
    ],
)
def test_parsing(value, kind, found) -> None:
    assert parse(value, kind) == found
