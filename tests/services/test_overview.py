"""Lists that are only counted: read after the first devices, once each, and now and then while somebody looks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from mdm_tui.fleet.errors import FleetError, Kind, Sent
from mdm_tui.fleet.provider import Capability
from mdm_tui.services.context import Context
from mdm_tui.services.overview import EVERY, Overview

from .midmhouse import MidmHouse
from .virtual import VirtualClock

LISTS = ("app/all", "ota/all", "profile/find", "device/group/all")


@pytest.fixture
def reads() -> list[str]:
    return []


def reader(reads: list[str], name: str, *errors: FleetError) -> Callable[[], Awaitable[object]]:
    left = list(errors)

    async def read() -> None:
        reads.append(name)
        if left:
            raise left.pop(0)

    return read


async def test_once_after_the_first_devices_and_then_now_and_then_while_somebody_looks(
    context: Context, clock: VirtualClock, reads: list[str]
) -> None:
    looking = True
    lists = {Capability.POLICIES: reader(reads, "policies"), Capability.ROLLOUTS: reader(reads, "rollouts")}
    overview = Overview(context, lists, looked_at=lambda: looking)
    context.unsupported[Capability.ROLLOUTS] = "There are none here."
    await overview.start()
    await clock.advance(1_000)
    assert reads == [], "the devices come first"
    context.looked.set()
    await clock.advance(EVERY - 1)
    assert reads == ["policies"], "and what the service lacks is not asked for"
    await clock.advance(2)
    assert reads == ["policies"] * 2
    looking = False
    await clock.advance(10 * EVERY)
    assert reads == ["policies"] * 2
    looking = True
    await clock.advance(30)
    assert reads == ["policies"] * 3
    await overview.stop()


@pytest.mark.parametrize(("kind", "again"), [(Kind.SERVER, 2), (Kind.FORBIDDEN, 1), (Kind.UNSUPPORTED, 1)])
async def test_what_failed_for_a_moment_is_read_again_soon(
    context: Context, clock: VirtualClock, reads: list[str], kind: Kind, again: int
) -> None:
    error = FleetError(kind, "It failed", sent=Sent.ANSWERED)
    overview = Overview(context, {Capability.POLICIES: reader(reads, "p", error)}, looked_at=lambda: True)
    context.looked.set()
    await overview.start()
    await clock.advance(90)
    assert len(reads) == again
    await overview.stop()


async def test_a_session_reads_each_list_once_and_knows_its_groups_within_half_a_minute(
    tmp_path, clock: VirtualClock
) -> None:
    house = MidmHouse(tmp_path, clock, devices=120)
    session = await house.started()
    first = house.asked("device/find")[0]
    await clock.advance(40)
    for path in LISTS:
        assert len(house.asked(path)) == 1, path
        assert house.net.seen.index(house.asked(path)[0]) > house.net.seen.index(first), "not before the devices"
    tree = await session.groups.tree()
    facts = await session.mirror.facts(session.scope, ("groupid",))
    known = sum(group is not None for (group,) in facts.values())
    assert known == sum(tree.node(key).devices for key in tree.all()) > 60
    await clock.advance(400)
    for path in LISTS:
        assert len(house.asked(path)) == 1, path
    await house.close()
