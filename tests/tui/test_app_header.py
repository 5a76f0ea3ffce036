"""The header's two lines for every state, pure functions of state, time and width."""

from __future__ import annotations

from datetime import UTC

import pytest

from mdm_tui.fleet.errors import FleetError, Kind
from mdm_tui.tui.widgets.header import HeaderState, Tab, freshness, paint
from mdm_tui.tui.widgets.lines import length

NOW = 1_800_000_000.0
TABS = (Tab("devices", 1, "Devices", 12_480), Tab("policies", 2, "Policies", 34), Tab("queue", 3, "Queue", 7))
FRESH = HeaderState(
    "acme", "Applivery", phase="fresh", last_ok=NOW - 4, used=1_204, limit=10_000, tabs=TABS, current="devices",
    problems=61, silent=18,
)  # fmt: skip


def _changed(**values: object) -> HeaderState:
    from dataclasses import replace

    return replace(FRESH, **values)  # type: ignore[arg-type]


def _text(state: HeaderState, width: int) -> list[str]:
    return ["".join(text for text, _role, _bold in line).rstrip() for line in paint(state, NOW, width, zone=UTC)]


def test_wide() -> None:
    first, second = _text(FRESH, 120)
    assert first.startswith(" acme  Applivery")
    assert first.endswith("fresh 4s    API 1,204 of 10,000/h    08:00 UTC")
    assert second.startswith(" 1 Devices 12,480   2 Policies 34   3 Queue 7")
    assert second.endswith("Problems 61  Silent 18")


def test_eighty_columns_keep_what_matters() -> None:
    first, _second = _text(_changed(production=True, locked="READ-ONLY"), 80)
    assert first.startswith("▌acme PRODUCTION READ-ONLY")
    assert first.endswith("fresh 4s  API 12%")


@pytest.mark.parametrize(
    ("values", "wide", "narrow"),
    [
        ({"locked": "LOCKED"}, "PRODUCTION · LOCKED, A arms", "PRODUCTION LOCKED (A)"),
        ({"locked": "LOCKED", "arm_key": "F9"}, "PRODUCTION · LOCKED, F9 arms", "PRODUCTION LOCKED (F9)"),
        ({"armed": 600.0}, "PRODUCTION · ARMED 10m", "PRODUCTION ARMED 10m"),
        ({"armed": 539.5}, "PRODUCTION · ARMED 9m", "PRODUCTION ARMED 9m"),
        ({"armed": 60.0}, "PRODUCTION · ARMED 1m", "PRODUCTION ARMED 1m"),
        ({"armed": 0.2}, "PRODUCTION · ARMED 1s", "PRODUCTION ARMED 1s"),
        ({"locked": "TOKEN", "armed": 60.0}, "PRODUCTION · TOKEN", "PRODUCTION TOKEN"),
    ],
)
def test_locked_and_armed_are_said_at_every_width(values: dict[str, object], wide: str, narrow: str) -> None:
    state = _changed(production=True, **values)
    assert _text(state, 120)[0].startswith(f" acme  Applivery  {wide} ")
    assert _text(state, 80)[0].startswith(f"▌acme {narrow} ")
    assert _text(state, 80)[0].endswith("fresh 4s  API 12%")


@pytest.mark.parametrize("width", [40, 60, 80, 99, 100, 120, 200])
@pytest.mark.parametrize("production", [True, False])
def test_every_width_is_filled_and_never_overrun(width: int, production: bool) -> None:
    error = FleetError(Kind.UNREACHABLE, "the service at https://api.example.org:8443/v1 refused the connection")
    for state in (FRESH, _changed(phase="stale", error=error, next_at=NOW + 12), _changed(name="n" * 64)):
        for line in paint(_changed_from(state, production), NOW, width):
            assert length(line) <= max(width, 60)


def _changed_from(state: HeaderState, production: bool) -> HeaderState:
    from dataclasses import replace

    return replace(state, production=production)


def test_production_is_a_word_not_only_a_colour() -> None:
    assert "PRODUCTION" in _text(_changed(production=True), 80)[0]
    assert "PRODUCTION" in _text(_changed(production=True), 160)[0]


@pytest.mark.parametrize(
    ("values", "said", "role"),
    [
        ({}, "fresh 4s", "good"),
        ({"phase": "starting", "last_ok": None}, "starting", "muted"),
        ({"phase": "starting", "last_ok": NOW - 7_200}, "last known 2h, starting", "muted"),
        ({"phase": "syncing", "last_ok": None, "walked": 3_400, "total": 12_480}, "reading 3,400 of 12,480", "info"),
        ({"phase": "syncing", "last_ok": None}, "reading the fleet", "info"),
        (
            {"phase": "stale", "last_ok": NOW - 190, "next_at": NOW + 12,
             "error": FleetError(Kind.UNREACHABLE, "connection refused.")},
            "stale 3m, connection refused, next try 12s", "warn",
        ),
        (
            {"phase": "stale", "last_ok": None, "error": FleetError(Kind.TIMEOUT, "x" * 90), "next_at": NOW + 5},
            "no data yet, no answer in time, next try 5s", "bad",
        ),
        ({"phase": "signed_out", "last_ok": NOW - 60}, "signed out, data 1m old, give credentials and press r", "bad"),
        ({"phase": "paused", "last_ok": NOW - 9, "next_at": NOW + 30}, "asked to wait, next try 30s, data 9s old",
         "warn"),
    ],
)  # fmt: skip
def test_freshness(values: dict[str, object], said: str, role: str) -> None:
    assert freshness(_changed(**values), NOW) == (said, role)


def test_on_a_slow_link_seconds_tick_by_ten() -> None:
    assert freshness(FRESH, NOW + 4, step=10) == freshness(FRESH, NOW + 1, step=10) == ("fresh 0s", "good")
    assert freshness(FRESH, NOW + 8, step=10)[0] == "fresh 10s"


@pytest.mark.parametrize(
    ("room", "said"),
    [
        (60, "signed out, data 9s old, give credentials and press r"),
        (40, "signed out, data 9s old, press r"),
        (30, "signed out, press r"),
        (12, "signed out"),
    ],
)
def test_signed_out_is_shortened_by_meaning(room: int, said: str) -> None:
    assert freshness(_changed(phase="signed_out", last_ok=NOW - 9), NOW, room=room) == (said, "bad")


def test_why_it_is_signed_out_stands_on_the_screen_itself() -> None:
    why = "depot: the password for ops@example.com was refused. " + "Correct the connection's email or password. " * 2
    for width in (80, 120):
        first, _tabs, *trouble = _text(_changed(name="depot", phase="signed_out", trouble=why), width)
        assert "signed out" in first and "press r" in first and "…" not in first
        assert " ".join(" ".join(trouble).split()) == why.strip()
    assert len(_text(FRESH, 80)) == 2


MANY = (
    Tab("both", "B", "Both", 20_558), Tab("devices", 1, "Devices", 20_000), Tab("groups", 6, "Groups", 500),
    Tab("apps", 7, "Apps", 120), Tab("images", 8, "Images", 90), Tab("rollouts", 9, "Rollouts", 6),
)  # fmt: skip
ALL = (*TABS, *MANY[2:])


@pytest.mark.parametrize("tabs", [MANY, MANY[1:], ALL, (MANY[0], *ALL)])
@pytest.mark.parametrize("width", [80, 98, 120, 160])
def test_every_screen_stays_in_sight(tabs: tuple[Tab, ...], width: int) -> None:
    second = _text(_changed(tabs=tabs), width)[1]
    for tab in tabs:
        assert f"{tab.number} {tab.title}" in second, second
    assert "…" not in second


def test_numbers_beside_the_screens_go_before_a_screen_does() -> None:
    assert "Problems 61  Silent 18" in _text(_changed(tabs=MANY[1:]), 120)[1]
    middle = _text(_changed(tabs=MANY[1:]), 84)[1]
    assert "Problems" not in middle and "1 Devices 20,000" in middle and "9 Rollouts 6" in middle


def test_a_budget_that_runs_out_is_loud() -> None:
    roles = {text.strip(): role for text, role, _bold in paint(_changed(used=9_000), NOW, 120)[0]}
    assert roles["API 9,000 of 10,000/h"] == "warn"


def test_a_refused_permission_is_named_with_its_time_where_there_is_room() -> None:
    state = _changed(refused=("mdm.aosp.command.create", NOW - 60))
    assert "TOKEN (mdm.aosp.command.create refused at 07:59)" in _text(state, 140)[0]
    narrow = _text(state, 80)[0]
    assert " TOKEN " in narrow and "refused" not in narrow


def test_who_spends_the_budget_is_said_on_a_wide_screen() -> None:
    state = _changed(spent=(("list", 900), ("detail", 300), ("commands", 3), ("edit", 1)))
    assert "API 1,204 of 10,000/h (list 900, detail 300, commands 3)" in _text(state, 160)[0]
    assert "list" not in _text(state, 120)[0]
