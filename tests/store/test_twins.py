"""Several connections as one list: what is joined, what disagrees, in which order, and how much is asked for it."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from storeparts import device

from mdm_tui.fleet.devices import DeviceKey, Segment
from mdm_tui.fleet.errors import FleetError, Kind
from mdm_tui.fleet.faults import SILENT_AFTER
from mdm_tui.fleet.fields import COLUMNS
from mdm_tui.fleet.text import normal_serial, search_key
from mdm_tui.store import item_rows, mirror_apply, mirror_schema, twins
from mdm_tui.store.keys import sort_key
from mdm_tui.store.mirror import DISAGREEMENTS, Mirror, TwinView

A, B, C = "applivery:acme", "midm:depot", "midm:third"
BOTH = (A, B)
DAY = 86_400.0


async def fill(mirror: Mirror, scope: str, **named: dict[str, Any]) -> None:
    await mirror.apply(scope, [device(key, **values) for key, values in named.items()], at=1.0, walk=None)


async def differs(mirror: Mirror, connections: tuple[str, ...] = BOTH) -> dict[str, tuple[str, ...]]:
    keys = await mirror.twin_ids(TwinView(connections))
    return {key: row.differs for key, row in (await mirror.twin_rows(connections, keys)).items()}


async def test_one_row_for_a_device_that_both_know(mirror: Mirror) -> None:
    await fill(mirror, A, a1={"serial": "px 1", "os": "13"}, a2={"serial": "PX2"})
    await fill(mirror, B, b1={"serial": "PX1", "os": "13", "battery": 7}, b3={"serial": "PX3"})
    assert await mirror.twin_ids(TwinView(BOTH)) == ["s:PX1", "s:PX2", "s:PX3"]
    rows = await mirror.twin_rows(BOTH, ["s:PX3", "s:PX1", "s:nobody"])
    assert set(rows) == {"s:PX3", "s:PX1"}
    one = rows["s:PX1"]
    assert one.devices == (DeviceKey(A, "a1"), DeviceKey(B, "b1")) and one.joinable and one.differs == ()
    assert one.value("battery") == 7 and one.value("name") == "device a1" and one.value("imei") is None
    assert rows["s:PX3"].devices == (DeviceKey(B, "b3"),) and rows["s:PX3"].differs == ("only",)
    turned = (await mirror.twin_rows((B, A), ["s:PX1"]))["s:PX1"]
    assert [side.connection for side in turned.sides] == [B, A]
    assert turned.sides[0].row == (await mirror.rows(B, ["b1"]))["b1"]


async def test_a_name_that_a_service_said_comes_before_a_made_one(mirror: Mirror) -> None:
    made = {"name": "Pixel 9 …004711", "model": "Pixel 9", "serial": "PX004711"}
    await fill(mirror, B, b1=made, b2={"name": "device …004712", "serial": "PX004712"}, b3={"serial": "PX3"})
    await fill(mirror, A, a1={**made, "name": "zebra scanner"}, a2={"name": "Alpha", "serial": "PX004712"})
    turned = (B, A)
    keys = ["s:PX004712", "s:PX3", "s:PX004711"]
    assert await mirror.twin_ids(TwinView(turned)) == keys, "Alpha, device b3, zebra scanner"
    assert await mirror.twin_ids(TwinView(turned, sort=(("name", True),))) == keys[::-1]
    rows = await mirror.twin_rows(turned, keys)
    assert [rows[key].value("name") for key in keys] == ["Alpha", "device b3", "zebra scanner"]
    assert await mirror.twin_ids(TwinView(turned, words=("zebra",))) == ["s:PX004711"]
    # Named nowhere: the made one is better than none.
    await fill(mirror, A, a1=made)
    assert (await mirror.twin_rows(turned, keys))["s:PX004711"].value("name") == made["name"]
    assert await mirror.twin_ids(TwinView(turned)) == ["s:PX004712", "s:PX3", "s:PX004711"]


async def test_a_row_says_whether_it_is_the_os_or_the_build_that_differs(mirror: Mirror) -> None:
    await fill(mirror, A, a1={"serial": "S1", "os": "13", "build": "X"}, a2={"serial": "S2", "os": "13", "build": "X"})
    await fill(mirror, B, b1={"serial": "S1", "os": "13", "build": "Y"}, b2={"serial": "S2", "os": "14", "build": "Y"})
    rows = await mirror.twin_rows(BOTH, ["s:S1", "s:S2"])
    assert rows["s:S1"].differs == ("version",) and rows["s:S1"].differs_in == ("build",)
    assert rows["s:S2"].differs_in == ("os", "build")


@pytest.mark.parametrize("serial", ["", None, "unknown", "0123456789ABCDEF", "0000"])
async def test_no_join_by_a_serial_that_is_none(mirror: Mirror, serial: str | None) -> None:
    await fill(mirror, A, x={"serial": serial})
    await fill(mirror, B, x={"serial": serial})
    keys = [f"d:{A} x", f"d:{B} x"]
    assert await mirror.twin_ids(TwinView(BOTH)) == keys
    rows = await mirror.twin_rows(BOTH, keys)
    assert [rows[key].devices for key in keys] == [(DeviceKey(A, "x"),), (DeviceKey(B, "x"),)]
    assert not rows[keys[0]].joinable
    assert await mirror.twins_of(A, "x", [B]) == []


async def test_no_join_by_a_serial_that_is_there_twice_in_one_connection(mirror: Mirror) -> None:
    await fill(mirror, A, a1={"serial": "S1"}, a2={"serial": "s1"}, a3={"serial": "S3"})
    await fill(mirror, B, b1={"serial": "S1"}, b3={"serial": "S3"})
    loose = [f"d:{A} a1", f"d:{A} a2", f"d:{B} b1"]
    assert sorted(await mirror.twin_ids(TwinView(BOTH))) == [*loose, "s:S3"]
    rows = await mirror.twin_rows(BOTH, [*loose, "s:S1", "s:S3"])
    assert set(rows) == {*loose, "s:S3"}
    assert await mirror.twins_of(B, "b1", [A]) == []
    await mirror.drop(A, ["a2"])
    assert await mirror.twin_ids(TwinView(BOTH)) == ["s:S1", "s:S3"]
    assert set(await mirror.twin_rows(BOTH, [*loose, "s:S1"])) == {"s:S1"}, "a key that is none any more"
    assert await mirror.twins_of(B, "b1", [A]) == [DeviceKey(A, "a1")]


async def test_twins_of_a_device_stand_in_the_order_of_the_others(mirror: Mirror) -> None:
    for scope, key in ((A, "a"), (B, "b"), (C, "c")):
        await fill(mirror, scope, **{key: {"serial": "S1"}})
    assert await mirror.twins_of(A, "a", [C, B]) == [DeviceKey(C, "c"), DeviceKey(B, "b")]
    assert await mirror.twins_of(A, "a", [A, B]) == [DeviceKey(B, "b")]
    assert await mirror.twins_of(A, "nobody", [B]) == []
    assert await mirror.twins_of(A, "a", ["midm:never"]) == []


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ({"os": "13"}, {"os": "12"}, ("version",)),
        ({"build": "X.1"}, {"build": "x.1"}, ()),
        ({"os": "13", "build": "X.1"}, {"os": "13", "build": "X.2"}, ("version",)),
        ({"os": "13", "build": "X.1"}, {"os": None, "build": ""}, ()),
        ({"seen": 10.0}, {"seen": 10.0 + DAY}, ()),
        ({"seen": 11.0 + DAY}, {"seen": 10.0}, ("seen",)),
        ({"seen": 11.0 + DAY}, {"seen": None}, ()),
        ({"segment": 7}, {"group": "bérlin"}, ()),
        ({"segment": 7}, {"group": "Bonn"}, ("group",)),
        ({"segment": 8}, {"group": "Bonn"}, ()),
        ({"segment": 7}, {"group": None}, ()),
        (
            {"segment": 7, "os": "9", "seen": 0.0},
            {"group": "Bonn", "os": "10", "seen": 9e5},
            ("version", "group", "seen"),
        ),
    ],
)
async def test_disagreements_are_between_what_is_known(
    mirror: Mirror, one: dict, other: dict, expected: tuple[str, ...]
) -> None:
    await mirror.apply_items(A, Segment, [Segment(7, "Berlin")], True, 1.0)
    await mirror.apply_items(B, Segment, [Segment(8, "Another's")], True, 1.0)
    await fill(mirror, A, a={"serial": "S1", **one})
    await fill(mirror, B, b={"serial": "S1", **other})
    assert await differs(mirror) == {"s:S1": expected}
    assert await mirror.twin_ids(TwinView(BOTH, differs_only=True)) == (["s:S1"] if expected else [])


async def test_a_single_connection_disagrees_with_nobody(mirror: Mirror) -> None:
    await fill(mirror, A, a={"serial": "S1"}, b={"serial": None})
    assert await differs(mirror, (A,)) == {"s:S1": (), f"d:{A} b": ()}
    assert await mirror.twin_ids(TwinView((A,), differs_only=True)) == []


async def test_words_match_on_any_side(mirror: Mirror) -> None:
    await fill(mirror, A, a={"serial": "S1", "user": "zoë@example.com"}, x={"serial": "S2"})
    await fill(mirror, B, b={"serial": "S1", "model": "PX30"})
    assert await mirror.twin_ids(TwinView(BOTH, words=("ZOE", "px30"))) == ["s:S1"]
    assert await mirror.twin_ids(TwinView(BOTH, words=("zoe", "nothing"))) == []
    with pytest.raises(FleetError) as caught:
        await mirror.twin_ids(TwinView(BOTH, words=("x",) * 500))
    assert caught.value.kind is Kind.INVALID


async def test_order_is_by_the_first_connection_then_the_next_and_nothing_comes_last(mirror: Mirror) -> None:
    await fill(mirror, A, a={"serial": "S1", "battery": 50}, b={"serial": "S2", "battery": None}, c={"serial": "S3"})
    await fill(mirror, B, a={"serial": "S1", "battery": 1}, b={"serial": "S2", "battery": 40})
    view = TwinView(BOTH, sort=(("batt", False),))
    assert await mirror.twin_ids(view) == ["s:S2", "s:S1", "s:S3"]
    assert await mirror.twin_ids(replace(view, sort=(("battery", True),))) == ["s:S1", "s:S2", "s:S3"]
    assert await mirror.twin_ids(replace(view, connections=(B, A))) == ["s:S1", "s:S2", "s:S3"]
    with pytest.raises(FleetError):
        await mirror.twin_ids(replace(view, sort=(("x; DROP TABLE device", False),)))


async def test_every_column_can_be_sorted_by_both_ways(mirror: Mirror) -> None:
    await fill(mirror, A, a={"serial": "S1"}, b={"serial": None})
    await fill(mirror, B, a={"serial": "S1"}, c={"serial": "S2", "seen": 3.0})
    everything = sorted(["s:S1", "s:S2", f"d:{A} b"])
    for key in COLUMNS:
        for descending in (False, True):
            view = TwinView(BOTH, sort=((key, descending), ("name", False)), now=SILENT_AFTER * 2)
            assert sorted(await mirror.twin_ids(view)) == everything


async def test_only_in_one_connection_and_only_these_keys(mirror: Mirror) -> None:
    await fill(mirror, A, a={"serial": "S1"}, b={"serial": "S2"}, c={"serial": None})
    await fill(mirror, B, a={"serial": "S1"}, d={"serial": "S3"})
    assert await mirror.twin_ids(TwinView(BOTH, only_in=A)) == ["s:S2", f"d:{A} c"]
    assert await mirror.twin_ids(TwinView(BOTH, only_in=B)) == ["s:S3"]
    assert await mirror.twin_ids(TwinView(BOTH, only_in="midm:never")) == []
    assert await mirror.twin_ids(TwinView(BOTH, only=(f"d:{A} c", "s:S1", "s:S9"))) == ["s:S1", f"d:{A} c"]
    assert await mirror.twin_ids(TwinView((A, "midm:never"))) == ["s:S1", "s:S2", f"d:{A} c"]
    assert await mirror.twin_ids(TwinView(())) == []


@pytest.mark.parametrize("text", ["\x00", "\ud800", "'\"%_\n", "d:x y", "\U0001f600" * 400])
async def test_whatever_a_serial_or_an_id_holds_its_key_leads_back_to_it(mirror: Mirror, text: str) -> None:
    await fill(mirror, A, **{f"i{text}": {"serial": f"S {text}"}, f"j{text}": {"serial": None}})
    await fill(mirror, B, **{f"k{text}": {"serial": f"S {text}"}})
    keys = await mirror.twin_ids(TwinView(BOTH))
    rows = await mirror.twin_rows(BOTH, keys)
    assert len(keys) == 2 and set(rows) == set(keys)
    assert sorted(len(row.sides) for row in rows.values()) == [1, 2]
    (joined,) = (row for row in rows.values() if len(row.sides) == 2)
    assert await mirror.twins_of(A, joined.devices[0].id, [B]) == [joined.devices[1]]


async def test_counts(mirror: Mirror) -> None:
    await fill(mirror, A, a={"serial": "S1", "os": "13"}, b={"serial": "S2"}, c={"serial": None})
    await fill(mirror, B, a={"serial": "S1", "os": "12"}, d={"serial": "S3"})
    counts = await mirror.twin_counts(TwinView(BOTH, words=("s2",)))
    assert counts == (5 - 1, 1, 1, 4, {"version": 1, "group": 0, "seen": 0, "only": 3}, {A: 2, B: 1})
    assert (await mirror.twin_counts(TwinView(BOTH, only=("s:S1", "s:S9")))).matching == 1
    assert (await mirror.twin_counts(TwinView(()))).total == 0


async def test_a_change_that_may_move_a_twin_row_says_so(mirror: Mirror) -> None:
    await fill(mirror, B, b={"serial": "S1", "battery": 1, "os": "12"})
    await mirror.twin_ids(TwinView(BOTH, differs_only=True))
    assert not (await mirror.apply(B, [device("b", battery=2)], at=2.0, walk=None)).moved
    assert (await mirror.apply(B, [device("b", os="13")], at=3.0, walk=None)).moved
    assert (await mirror.apply(B, [device("b", serial="S2")], at=4.0, walk=None)).moved


# How much is asked of the file.


@pytest.fixture
def file(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    conn = sqlite3.connect(tmp_path / "twins.db", isolation_level=None)
    mirror_schema.build(conn)
    for scope in (A, B, C):
        conn.execute("INSERT INTO connection(scope) VALUES (?)", (scope,))
    yield conn
    conn.close()


def crowd(conn: sqlite3.Connection, count: int) -> None:
    for scope in (A, B):
        found = [device(f"{n}", serial=f"PX{n:05d}" if n % 10 else None, os="13") for n in range(count)]
        mirror_apply.apply(conn, scope, found, at=1.0)


def test_a_view_is_one_statement_and_one_row_and_a_window_two(file: sqlite3.Connection) -> None:
    crowd(file, 300)
    statements: list[str] = []
    file.set_trace_callback(statements.append)
    keys = twins.ids(file, TwinView(BOTH, words=("px",), differs_only=False))
    assert len(statements) == 1
    statements.clear()
    twins.counts(file, TwinView(BOTH))
    assert len(statements) == 1
    statements.clear()
    window = [*keys[100:160], f"d:{A} 0", f"d:{B} 10"]
    assert set(twins.rows(file, BOTH, window)) == set(window)
    assert len(statements) == 2
    statements.clear()
    twins.twins_of(file, A, "1", [B])
    assert len(statements) == 1


def test_a_windows_work_does_not_grow_with_the_fleet(file: sqlite3.Connection) -> None:
    window = [f"s:PX{n:05d}" for n in range(1, 9)] + [f"d:{A} 0", f"d:{B} 0"]
    steps: list[int] = []

    def work() -> int:
        before = len(steps)
        assert len(twins.rows(file, BOTH, window)) == len(window)
        return len(steps) - before

    crowd(file, 50)
    file.set_progress_handler(lambda: steps.append(1) and None, 10)
    small = work()
    file.set_progress_handler(None, 0)
    crowd(file, 1_000)
    file.set_progress_handler(lambda: steps.append(1) and None, 10)
    assert work() < small * 1.5


def test_the_join_sorts_nothing_and_stays_in_its_index(file: sqlite3.Connection) -> None:
    sql, params = twins.twin_compile.id_statement(TwinView(BOTH, words=("x",), differs_only=True))
    plan = "\n".join(row[3] for row in file.execute(f"EXPLAIN QUERY PLAN {sql}", params))
    assert "SEARCH device USING COVERING INDEX device_twin (serial_key>?)" in plan
    # The one that is left: devices which nothing can join, by their row numbers.
    assert plan.count("TEMP B-TREE FOR GROUP BY") <= 1, plan


# Against a plain model.

_SERIALS = st.sampled_from([None, "", "unknown", "S1", "s 1", "S2", "S3", "S4", "Ünïq-5"])
_SIDES = st.fixed_dictionaries(
    {},
    optional={
        "serial": _SERIALS,
        "name": st.sampled_from([None, "", "dock 9", "Dock 10", "écran", "zoo"]),
        "os": st.sampled_from([None, "", "9", "13", "13.1"]),
        "build": st.sampled_from([None, "X.1", "x.1", "X.2"]),
        "seen": st.sampled_from([None, 0.0, 5.0, DAY, DAY + 5.0, DAY + 6.0]),
        "battery": st.sampled_from([None, 0, 9, 50]),
        "state": st.sampled_from([None, "", "ACTIVE", "active", "Disabled"]),
        "model": st.sampled_from([None, "PX30", "px 9"]),
        "group": st.sampled_from([None, "", "Berlin", "berlin", "Bonn"]),
        "segment": st.sampled_from([None, 1, 2, 3]),
    },
)
_FLEETS = st.dictionaries(
    st.sampled_from([A, B, C]), st.dictionaries(st.sampled_from("pqrstuv"), _SIDES, max_size=7), max_size=3
)
_SORTS = st.lists(
    st.tuples(st.sampled_from(["name", "os", "seen", "battery", "state", "group", "model", "serial"]), st.booleans()),
    max_size=3,
).map(tuple)
_VIEWS = st.builds(
    TwinView,
    connections=st.sampled_from([(A, B), (B, A), (A, B, C), (C,), (A, "midm:never")]),
    words=st.sampled_from([(), ("dock",), ("px", "o"), ("s1",), ("ecran",)]),
    sort=_SORTS,
    differs_only=st.booleans(),
    only_in=st.sampled_from(["", "", "", A, B, C]),
)
SEGMENTS = {A: [Segment(1, "BERLIN"), Segment(2, "Bonn")], C: [Segment(1, "Köln")]}


class Model:
    """Twins by loops and dictionaries."""

    def __init__(self, fleets: dict[str, dict[str, dict]], view: TwinView) -> None:
        self.view = view
        self.groups: dict[str, dict[str, dict]] = {}
        twice = set()
        for scope in view.connections:
            serials = Counter(normal_serial(values.get("serial")) for values in fleets.get(scope, {}).values())
            twice.update(serial for serial, count in serials.items() if count > 1)
        for scope in view.connections:
            for key, values in fleets.get(scope, {}).items():
                serial = normal_serial(values.get("serial"))
                name = f"s:{serial}" if serial and serial not in twice else f"d:{scope} {key}"
                self.groups.setdefault(name, {})[scope] = {"id": key, **values}

    def differs(self, key: str) -> tuple[str, ...]:
        sides = self.groups[key]

        def several(field: str) -> bool:
            return len({sort_key(side.get(field)) for side in sides.values()} - {None}) > 1

        places = set()
        for scope, side in sides.items():
            named = {segment.id: segment.name for segment in SEGMENTS.get(scope, [])}
            places.add(sort_key(side.get("group")) or sort_key(named.get(side.get("segment"))))
        seen = [side["seen"] for side in sides.values() if side.get("seen") is not None]
        holds = {
            "version": several("os") or several("build"),
            "group": len(places - {None}) > 1,
            "seen": any(late - early > DAY for early, late in pairwise([min(seen), max(seen)])) if seen else False,
            "only": len(sides) == 1 and len(self.view.connections) > 1,
        }
        return tuple(name for name in DISAGREEMENTS if holds[name])

    def _value(self, key: str, field: str) -> Any:
        for scope in self.view.connections:
            value = self.groups[key].get(scope, {}).get(field)
            if value not in (None, ""):
                if COLUMNS[field].numeric:
                    return value
                return value.lower() if COLUMNS[field].kind in ("enum", "id") else sort_key(value)
        return None

    def _matches(self, key: str) -> bool:
        sides = self.groups[key].values()
        text = "\n".join(str(side.get(field) or "") for side in sides for field in ("name", "serial", "id", "model"))
        return (
            all(search_key(word) in search_key(text) for word in self.view.words)
            and (not self.view.differs_only or bool(self.differs(key)))
            and (not self.view.only_in or set(self.groups[key]) == {self.view.only_in})
        )

    def ids(self) -> list[str]:
        found = sorted(key for key in self.groups if self._matches(key))
        for field, descending in reversed(self.view.sort):
            known = [key for key in found if self._value(key, field) is not None]
            known.sort(key=lambda key: self._value(key, field), reverse=descending)
            found = known + [key for key in found if self._value(key, field) is None]
        return found


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=300)
@given(_FLEETS, st.lists(_VIEWS, min_size=1, max_size=4))
def test_twins_are_those_of_a_plain_model(fleets: dict[str, dict[str, dict]], views: list[TwinView]) -> None:
    conn = sqlite3.connect(":memory:", isolation_level=None)
    mirror_schema.build(conn)
    for scope, segments in SEGMENTS.items():
        item_rows.apply_items(conn, mirror_apply.number_of(conn, scope), Segment, segments, True, 1.0)
    for scope, named in fleets.items():
        found = [device(key, **{"name": None, **values}) for key, values in named.items()]
        mirror_apply.apply(conn, scope, found, at=1.0)
    for view in views:
        model = Model(fleets, view)
        assert twins.ids(conn, view) == model.ids()
        rows = twins.rows(conn, view.connections, [*model.groups, "s:S9", "d:x y"])
        assert {key: row.differs for key, row in rows.items()} == {key: model.differs(key) for key in model.groups}
        for key, row in rows.items():
            order = [scope for scope in view.connections if scope in model.groups[key]]
            assert [side.connection for side in row.sides] == order
            assert [side.row.id for side in row.sides] == [model.groups[key][scope]["id"] for scope in order]
        counts = twins.counts(conn, view)
        assert counts.total == len(model.groups) and counts.matching == len(model.ids())
        assert counts.differs == sum(bool(model.differs(key)) for key in model.groups)
        assert counts.by == {name: sum(name in model.differs(key) for key in model.groups) for name in DISAGREEMENTS}
    conn.close()
