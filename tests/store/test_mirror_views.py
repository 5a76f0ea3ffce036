"""Views: order, filters, counts, and how much is read for them."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from storeparts import SCOPE, Hand, device

from mdm_tui.fleet.errors import FleetError, Kind
from mdm_tui.fleet.faults import SILENT_AFTER
from mdm_tui.fleet.fields import COLUMNS
from mdm_tui.store import mirror_read
from mdm_tui.store.compile import id_statement, relevant
from mdm_tui.store.mirror import Counts, Mirror, View

NOW = 1_000_000.0


async def fill(mirror: Mirror, **named: dict[str, object]) -> None:
    await mirror.apply(SCOPE, [device(key, **values) for key, values in named.items()], at=1.0, walk=None)


@pytest.mark.parametrize(
    ("field", "values", "rising"),
    [
        ("name", ["dock 10", "Dock 9", "écran", "Eb", None], ["Dock 9", "dock 10", "Eb", "écran", None]),
        ("os", ["13", "9", "8.1.0", "8.10", None, "8.1"], ["8.1", "8.1.0", "8.10", "9", "13", None]),
        ("battery", [100, 9, None, 55.5], [9, 55.5, 100, None]),
        ("state", ["b", "A", "", "c", None], ["A", "b", "c", "", None]),
        ("seen", [3.0, None, 1.0], [1.0, 3.0, None]),
        ("patch", ["2026-05-01", None, "2025-12-01"], ["2025-12-01", "2026-05-01", None]),
    ],
)
async def test_values_sort_as_people_expect_and_nothing_comes_last(
    mirror: Mirror, field: str, values: list, rising: list
) -> None:
    await mirror.apply(SCOPE, [device(str(i), **{field: value}) for i, value in enumerate(values)], at=1.0, walk=None)

    async def order(descending: bool) -> list:
        ids = await mirror.ids(View(SCOPE, sort=((field, descending),)))
        rows = await mirror.rows(SCOPE, ids)
        return [rows[item].values[field] for item in ids]

    kept = [value for value in rising if value not in (None, "")]
    empty = [value for value in values if value in (None, "")]
    assert await order(False) == kept + empty, "ties, as of empty ones, go by id"
    assert await order(True) == kept[::-1] + empty


async def test_second_key_and_then_the_id(mirror: Mirror) -> None:
    await fill(
        mirror,
        d={"model": "A", "battery": 5},
        c={"model": "a", "battery": 5},
        b={"model": "A", "battery": 9},
        a={"model": "B", "battery": 1},
    )
    assert await mirror.ids(View(SCOPE, sort=(("model", False), ("battery", True)))) == ["b", "c", "d", "a"]


async def test_every_column_can_be_sorted_by_both_ways(mirror: Mirror) -> None:
    await fill(mirror, a={}, b={"battery": 3})
    for key in COLUMNS:
        for descending in (False, True):
            assert sorted(await mirror.ids(View(SCOPE, sort=((key, descending),)))) == ["a", "b"]


async def test_an_unknown_column_is_a_sentence(mirror: Mirror) -> None:
    with pytest.raises(FleetError) as caught:
        await mirror.ids(View(SCOPE, sort=(("name; DROP TABLE device", False),)))
    assert caught.value.kind is Kind.INVALID


async def test_an_alias_sorts_as_its_column(mirror: Mirror) -> None:
    await fill(mirror, a={"os": "13"}, b={"os": "9"})
    assert await mirror.ids(View(SCOPE, sort=(("android", False),))) == ["b", "a"]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("buro",), ["a"]),
        (("BÜRO", "pixel"), ["a"]),
        (("büro", "nokia"), []),
        (("strasse",), ["b"]),
        (("%",), ["c"]),
        (("_",), ["c"]),
        (("35x",), ["a"]),
        (("aa:bb",), ["b"]),
        (("zoe@",), ["b"]),
        (("kiosk eu",), ["c"]),
        (("pixel 35",), []),
        (("",), ["a", "b", "c"]),
        (("' OR 1=1 --",), []),
    ],
)
async def test_bare_words_ignore_case_accents_and_wildcards(mirror: Mirror, words: tuple, found: list) -> None:
    await fill(
        mirror,
        a={"name": "Büro 1", "model": "Pixel", "imei": "35X99", "serial": "S1"},
        b={"name": "Straße", "mac": "AA:BB:CC", "user": "zoë@ex.org", "operator": "büro"},
        c={"name": "50%_off", "tags": "Kiosk EU"},
    )
    assert sorted(await mirror.ids(View(SCOPE, words=words))) == found


async def test_faults_unreadable_and_silent_devices_are_the_problems(mirror: Mirror) -> None:
    devices = [
        device("fault", battery=3, seen=NOW),
        device("fine", battery=90, seen=NOW),
        device("never", battery=90),
        device("silent", battery=90, seen=NOW - SILENT_AFTER - 1),
        device("unreadable", unreadable="not an object", seen=NOW),
    ]
    await mirror.apply(SCOPE, devices, at=NOW, walk=None)
    view = View(SCOPE, faults_only=True, now=NOW, sort=(("id", False),))
    assert await mirror.ids(view) == ["fault", "silent", "unreadable"]
    later = View(SCOPE, faults_only=True, now=NOW + SILENT_AFTER + 1, sort=(("id", False),))
    assert await mirror.ids(later) == ["fault", "fine", "silent", "unreadable"], "silence comes with time alone"
    assert await mirror.counts(View(SCOPE, words=("device f",), now=NOW)) == Counts(5, 2, 3, 1)
    assert await mirror.ids(View(SCOPE, sort=(("faults", False),), now=NOW)) == [
        "fault", "silent", "fine", "never", "unreadable",
    ]  # fmt: skip


async def test_segment_and_only_bound_the_view(mirror: Mirror) -> None:
    await fill(mirror, a={"segment": 1}, b={"segment": 2}, c={"segment": 3}, d={})
    assert await mirror.ids(View(SCOPE, segment=(1, 3))) == ["a", "c"]
    assert (await mirror.counts(View(SCOPE, segment=(1, 3), words=("c",)))).total == 2
    assert await mirror.ids(View(SCOPE, only=("d", "b", "nobody"))) == ["b", "d"]
    assert await mirror.ids(View(SCOPE, only=())) == []
    assert await mirror.ids(View(SCOPE, only=tuple(map(str, range(50_000))))) == [], "no limit of parameters"


async def test_first_gives_what_ids_and_rows_give(mirror: Mirror) -> None:
    await fill(mirror, **{f"d{i}": {"battery": i} for i in range(30)})
    view = View(SCOPE, sort=(("battery", True),))
    ids, rows = mirror.first(view, 5)
    assert ids == await mirror.ids(view)
    assert [row.id for row in rows] == ids[:5]
    assert mirror.first(View("nobody"), 5) == ([], [])
    assert await mirror.counts(View("nobody")) == Counts(0, 0, 0, 0)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("65f0aa", ["65f0aa"]),
        (" r5cx1234 ", ["65f0bb"]),
        ("R5CX 1234", ["65f0bb"]),
        ("65f0", ["65f0aa", "65f0bb"]),
        ("r5c", ["65f0bb"]),
        ("TWIN", ["t1", "t2"]),
        ("unknown", []),
        ("", []),
        ("%", []),
    ],
)
async def test_find_knows_ids_serials_and_beginnings(mirror: Mirror, text: str, found: list) -> None:
    await fill(
        mirror,
        **{
            "65f0aa": {"serial": "unknown"},
            "65f0bb": {"serial": "R5CX1234"},
            "t1": {"serial": "twin"},
            "t2": {"serial": "TWIN"},
        },
    )
    assert await mirror.find(SCOPE, text) == found


def test_relevant_fields_follow_the_view() -> None:
    assert relevant(View(SCOPE)) == {"name"}
    assert relevant(View(SCOPE, faults_only=True, segment=(1,), sort=(("batt", True),))) == {
        "battery", "faults", "seen", "segment",
    }  # fmt: skip
    assert "tags" in relevant(View(SCOPE, words=("x",)))


def steps(conn: sqlite3.Connection, work) -> int:
    """How many steps SQLite's machine makes for `work`: what a read costs, without a clock."""
    count = 0

    def tick() -> int:
        nonlocal count
        count += 1
        return 0

    conn.set_progress_handler(tick, 1)
    work()
    conn.set_progress_handler(None, 0)
    return count


async def test_a_window_of_60_costs_the_same_in_a_fleet_of_600_and_of_10_000(tmp_path: Path, clock: Hand) -> None:
    cost = {}
    for size in (600, 10_000):
        mirror = Mirror.open(tmp_path / f"{size}.db", clock=clock)
        for start in range(0, size, 1000):
            page = [device(f"{i:06d}", name=f"n{i}") for i in range(start, min(size, start + 1000))]
            await mirror.apply(SCOPE, page, at=1.0, walk=None)
        ids = await mirror.ids(View(SCOPE))
        assert len(ids) == size
        window = ids[300:360]
        mirror.close()
        conn = sqlite3.connect(tmp_path / f"{size}.db")
        found: dict = {}
        cost[size] = steps(conn, lambda: found.update(mirror_read.rows(conn, SCOPE, window)))  # noqa: B023
        assert list(found) and set(found) == set(window)
        conn.close()
    assert cost[10_000] == cost[600]


@pytest.mark.parametrize("words", [(), ("pixel", "3")])
async def test_the_default_order_is_read_from_its_index_alone(mirror: Mirror, tmp_path: Path, words: tuple) -> None:
    await fill(mirror, a={})
    sql, params = id_statement(View(SCOPE, words=words, faults_only=bool(words), segment=(1,) if words else ()))
    conn = sqlite3.connect(tmp_path / "cache" / "mirror.db")
    plan = [row[3] for row in conn.execute(f"EXPLAIN QUERY PLAN {sql}", params)]
    conn.close()
    assert any("USING COVERING INDEX device_name" in line for line in plan), plan
    assert not any("TEMP B-TREE" in line for line in plan), plan


async def test_a_filter_of_too_many_words_is_a_sentence(mirror: Mirror) -> None:
    await fill(mirror, a={"name": "Dock 1"})
    for ask in (mirror.ids, mirror.counts):
        with pytest.raises(FleetError) as caught:
            await ask(View(SCOPE, words=tuple(f"w{number}" for number in range(5_000))))
        assert caught.value.sentence() == "A filter may have 200 words; this one has 5,000. Shorten it."
    assert await mirror.ids(View(SCOPE, words=tuple(str(number) for number in range(200)))) == []
