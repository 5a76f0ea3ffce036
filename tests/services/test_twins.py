"""Two sessions on two real services, one mirror: their devices as one list."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from mdm_tui.config.credentials import Secret
from mdm_tui.config.paths import Paths
from mdm_tui.fleet.devices import Device, DeviceKey, Segment
from mdm_tui.fleet.groups import Group
from mdm_tui.fleet.provider import Capability
from mdm_tui.fleet.text import normal_serial
from mdm_tui.server.testing import BASE_URL, MIDM_URL, Fleet, fleet
from mdm_tui.services.events import DevicesChanged
from mdm_tui.services.session import Session
from mdm_tui.services.twins import Twins
from mdm_tui.store.mirror import Mirror, TwinCounts, TwinRow, TwinView, View
from tests.faulty import Faulty, Status

from .conftest import connection
from .virtual import VirtualClock


class Pair:
    """Two organisations, each on a service of its own: one mirror holds both."""

    def __init__(self, folder: Path, clock: VirtualClock) -> None:
        self.paths = Paths(*(folder / name for name in ("config", "state", "cache", "data")))
        self.mirror = Mirror.open(self.paths.mirror, clock=clock.now)
        self.fleets: list[Fleet] = []
        self.nets: list[Faulty] = []
        self.sessions: list[Session] = []
        for place, devices in enumerate((40, 30)):
            made = fleet(devices, seed=place + 1, start=clock.now())
            net = Faulty(httpx.ASGITransport(made.app))
            session = Session(
                connection(name=f"site-{place}", url=BASE_URL, organization=made.organization),
                self.paths,
                clock=clock,
                env={},
                transport=net,
                secrets={"token": Secret(made.token)},
                mirror=self.mirror,
                dice=random.Random(1),
            )
            session.open_store()
            self.fleets.append(made)
            self.nets.append(net)
            self.sessions.append(session)
        self.twins = Twins(lambda: self.sessions)

    def asked(self, place: int) -> int:
        return sum(seen.path.endswith("/segments") for seen in self.nets[place].seen)

    async def filled(self) -> tuple[DeviceKey, DeviceKey]:
        """Both fleets in the mirror; one device of the second has the serial number of one of the first."""
        for session in self.sessions:
            await session.sync.once()
        one, two = (session.scope for session in self.sessions)
        rows = await self.mirror.twin_rows((one,), await self.mirror.twin_ids(TwinView((one,))))
        row = next(row for row in rows.values() if row.joinable)
        other = (await self.mirror.twin_ids(TwinView((two,))))[0]
        key = (await self.mirror.twin_rows((two,), [other]))[other].devices[0]
        said = {"serial": row.value("serial"), "segment": None, "group": "Nowhere"}
        at = self.sessions[1].clock.now() + 1.0
        await self.mirror.put_detail(two, Device(key.id, said, "{}"), at)
        return row.devices[0], key

    async def close(self) -> None:
        for session, made in zip(self.sessions, self.fleets, strict=False):
            await session.stop()
            made.world.close()
        self.mirror.close()


@pytest.fixture
async def pair(tmp_path: Path, clock: VirtualClock) -> AsyncIterator[Pair]:
    made = Pair(tmp_path, clock)
    sessions = list(made.sessions)
    yield made
    made.sessions[:] = sessions
    await made.close()


def groups(row: TwinRow) -> bool:
    return "group" in row.differs


async def test_the_devices_of_all_sessions_are_one_list(pair: Pair) -> None:
    one, two = await pair.filled()
    twins = pair.twins
    view = twins.view()
    assert view.connections == (one.connection, two.connection) and view.now == pair.sessions[0].clock.now()
    keys = await twins.ids(view)
    rows = await twins.rows(view, keys)
    joined = [row for row in rows.values() if len(row.sides) == 2]
    assert [row.devices for row in joined] == [(one, two)]
    held = [len(await pair.mirror.ids(View(session.scope))) for session in pair.sessions]
    assert len(keys) == sum(held) - 1
    counts = await twins.counts(view)
    assert (counts.total, counts.joined) == (len(keys), 1)
    assert counts.only == {one.connection: held[0] - 1, two.connection: held[1] - 1}
    assert await twins.of(one) == [two] and await twins.of(two) == [one]
    assert await twins.ids(twins.view(only=(joined[0].key,), only_in=two.connection)) == []


async def test_segments_are_read_once_and_give_their_names_to_the_comparison(pair: Pair) -> None:
    one, _two = await pair.filled()
    key = f"s:{normal_serial((await pair.mirror.rows(one.connection, [one.id]))[one.id].values['serial'])}"  # type: ignore[arg-type]
    view = pair.twins.view()
    assert not groups((await pair.twins.rows(view, [key]))[key]), "a number says nothing of a name"
    heard = pair.sessions[0].hub.subscribe()
    await asyncio.gather(pair.twins.learn(), pair.twins.learn())
    await pair.twins.learn()
    assert [pair.asked(0), pair.asked(1)] == [1, 1]
    assert DevicesChanged(one.connection, frozenset(), frozenset(("segment",)), moved=True) in heard.take()
    assert await pair.mirror.items(one.connection, Segment) != []
    assert groups((await pair.twins.rows(view, [key]))[key])
    assert pair.twins.trouble == {}
    await pair.twins.learn(again=True)
    assert pair.asked(0) == 2
    assert heard.take() == [], "nothing changed"


async def test_segments_that_cannot_be_read_are_a_sentence(pair: Pair) -> None:
    one, two = await pair.filled()
    pair.nets[0].rule(Status(403, 4003, "No permission"), path="segments")
    await pair.twins.learn()
    assert set(pair.twins.trouble) == {one.connection}
    sentence = pair.twins.trouble[one.connection]
    assert sentence.startswith("The segments of site-0 could not be read, so its groups are not compared. ")
    assert await pair.mirror.items(one.connection, Segment) == []
    assert await pair.mirror.items(two.connection, Segment) != []
    assert (await pair.twins.counts(pair.twins.view())).by["group"] == 0
    before = pair.asked(0)
    await pair.twins.learn()
    assert pair.asked(0) == before, "not asked again by itself"
    pair.nets[0].calm()
    await pair.twins.learn(again=True)
    assert pair.twins.trouble == {}
    assert (await pair.twins.counts(pair.twins.view())).by["group"] == 1


async def test_names_of_an_earlier_look_stay_and_are_told(pair: Pair) -> None:
    await pair.filled()
    await pair.twins.learn()
    pair.nets[0].rule(Status(403, 4003, "No permission"), path="segments")
    await pair.twins.learn(again=True)
    (sentence,) = pair.twins.trouble.values()
    assert "by the names of an earlier look" in sentence
    assert (await pair.twins.counts(pair.twins.view())).by["group"] == 1


async def test_a_service_without_segments_is_not_asked(pair: Pair) -> None:
    pair.sessions[0].context.unsupported[Capability.SEGMENTS] = "It has none."
    await pair.twins.learn()
    assert [pair.asked(0), pair.asked(1)] == [0, 1]
    assert pair.twins.trouble == {}


async def test_a_session_with_a_mirror_of_its_own_is_left_out_and_none_is_no_list(pair: Pair, tmp_path: Path) -> None:
    one, two = pair.sessions
    other = Session(one.connection, Paths(*(tmp_path / "own" / name for name in "abcd")), clock=one.clock, env={})
    other.open_store()
    pair.sessions.append(other)
    try:
        assert pair.twins.sessions == (one, two)
    finally:
        await other.stop()
    del pair.sessions[:]
    view = pair.twins.view()
    assert await pair.twins.ids(view) == [] and await pair.twins.rows(view, ["s:X"]) == {}
    assert await pair.twins.counts(view) == TwinCounts(0, 0, 0, 0, {}, {})
    assert await pair.twins.of(DeviceKey(one.scope, "x")) == []
    await pair.twins.learn()


# One fleet that two vendors' services know, each in its own way.


async def test_two_vendors_know_one_fleet(tmp_path: Path, clock: VirtualClock) -> None:
    made = fleet(80, start=clock.now())
    paths = Paths(*(tmp_path / name for name in ("config", "state", "cache", "data")))
    mirror = Mirror.open(paths.mirror, clock=clock.now)
    aosp = connection(name="acme", url=BASE_URL, organization=made.organization)
    midm = connection(name="depot", provider="midm", url=MIDM_URL, organization=made.site, email=made.email)
    keys = [(aosp, {"token": made.token}), (midm, {"api_key": made.api_key, "password": made.password})]
    sessions = [
        Session(
            one, paths, clock=clock, env={}, transport=httpx.ASGITransport(made.app), mirror=mirror,
            secrets={name: Secret(text) for name, text in given.items()}, dice=random.Random(1),
        )
        for one, given in keys
    ]  # fmt: skip
    twins = Twins(lambda: sessions)
    try:
        for session in sessions:
            session.open_store()
            await session.sync.once()
        await twins.learn()
        view = twins.view()
        rows = await twins.rows(view, await twins.ids(view))
        joined = [row for row in rows.values() if len(row.sides) == 2]
        counts = await twins.counts(view)
        assert counts.total == len(rows) and counts.joined == len(joined) > 40
        assert min(counts.only.values()) > 0, "some are in one system only"
        for row in joined:
            one, two = row.sides
            assert normal_serial(str(one.row.values["serial"])) == normal_serial(str(two.row.values["serial"]))
            assert await twins.of(row.devices[0]) == [row.devices[1]]
        assert 0 < counts.by["version"] < len(joined) / 2, "both write a version alike"
        assert counts.by["group"] == 0, "no group is known yet"
        groups = sessions[1].groups
        await groups.refresh()
        for group in await mirror.items(midm.scope, Group):
            await groups.members(group.id)
        counts = await twins.counts(view)
        assert 0 < counts.by["group"] < len(joined)
        before = await mirror.rows(midm.scope, await mirror.ids(View(midm.scope)))
        await sessions[1].sync.once()
        after = await mirror.rows(midm.scope, list(before))
        assert any(row.values.get("group") for row in before.values())
        assert {key: row.values.get("group") for key, row in after.items()} == {
            key: row.values.get("group") for key, row in before.items()
        }, "a list that does not name groups takes none away"
        assert twins.trouble == {}
    finally:
        for session in sessions:
            await session.stop()
        mirror.close()
        made.world.close()
