"""The synchronisation against a service that does exactly what a test says, in virtual time."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator

import pytest

from mdm_tui.fleet.errors import FleetError, Kind, Sent
from mdm_tui.services.context import Context
from mdm_tui.services.devices import Devices
from mdm_tui.services.events import DevicesChanged, Event, Noticed, SyncChanged
from mdm_tui.services.pace import Attention
from mdm_tui.services.sync import Sync
from mdm_tui.store.mirror import View

from .conftest import connection
from .fake import FakeProvider, raw_device
from .virtual import VirtualClock

DOWN = FleetError(Kind.UNREACHABLE, "The service cannot be reached", sent=Sent.NEVER)


@pytest.fixture
async def sync(context: Context) -> AsyncIterator[Sync]:
    devices = Devices(context)
    made = Sync(context, poll_seconds=15, refresh=devices.refresh, dice=random.Random(1))
    yield made
    await made.stop()
    await devices.stop()


def ids(context: Context) -> list[str]:
    return context.mirror.first(View(context.scope), 0)[0]


def small_pages(context: Context, size: int = 2) -> None:
    context.connection = connection(page_size=size)


async def test_the_first_look_brings_everything(
    sync: Sync, context: Context, clock: VirtualClock, fake: FakeProvider
) -> None:
    small_pages(context)
    assert sync.state.phase == "starting"
    await sync.start()
    await clock.settle()
    assert sync.state.phase == "fresh"
    assert sync.state.total == 5
    assert sync.state.last_ok == clock.now()
    assert sync.state.next_at is not None and 15 <= sync.state.next_at - clock.now() <= 16.5
    assert len(ids(context)) == 5
    # One page of the newest, then three of all.
    assert [call[1:] for call in fake.calls] == [(1, True), (1, False), (2, False), (3, False)]


async def test_an_unchanged_poll_is_one_request_and_no_event_but_its_own(
    sync: Sync, context: Context, clock: VirtualClock, fake: FakeProvider
) -> None:
    small_pages(context)
    await sync.start()
    await clock.settle()
    subscription = context.hub.subscribe()
    fake.calls.clear()
    await clock.advance(17)
    assert fake.calls == [("devices", 1, True)]
    assert {type(event) for event in subscription.take()} == {SyncChanged}
    await clock.advance(17 * 5)
    assert 5 <= len(fake.calls) <= 7


async def test_a_delta_reads_until_what_is_known(
    sync: Sync, context: Context, clock: VirtualClock, fake: FakeProvider
) -> None:
    small_pages(context, 3)
    await sync.start()
    await clock.settle()
    for number in (1, 2, 3):
        fake.rows[f"{number:024x}"] |= {"updatedAt": f"2026-06-02T00:00:0{number}.000Z", "displayName": f"New {number}"}
    subscription = context.hub.subscribe()
    fake.calls.clear()
    await clock.advance(17)
    # Three changed, three a page: the second page holds older ones and ends the look.
    assert fake.calls == [("devices", 1, True), ("devices", 2, True)]
    changed = [event for event in subscription.take() if isinstance(event, DevicesChanged)]
    assert [event.ids for event in changed] == [frozenset(f"{number:024x}" for number in (1, 2, 3))]
    assert {"name", "updated"} <= changed[0].fields


async def test_a_look_that_broke_off_leaves_no_hole(
    sync: Sync, context: Context, clock: VirtualClock, fake: FakeProvider
) -> None:
    small_pages(context)
    await sync.start()
    await clock.settle()
    for number in (1, 2, 3, 4):
        fake.rows[f"{number:024x}"] |= {"updatedAt": f"2026-06-02T00:00:0{number}.000Z", "displayName": f"New {number}"}
    fake.plan_failures("devices", None, DOWN)
    await clock.advance(17)
    assert sync.state.phase == "stale"
    await clock.advance(10)
    assert sync.state.phase == "fresh"
    rows = await context.mirror.rows(context.scope, ids(context))
    assert sorted(str(row.values["name"]) for row in rows.values()) == ["Device 5", "New 1", "New 2", "New 3", "New 4"]


async def test_a_device_goes_after_two_walks_missed_it(
    sync: Sync, context: Context, clock: VirtualClock, fake: FakeProvider
) -> None:
    await sync.start()
    await clock.settle()
    gone = f"{3:024x}"
    del fake.rows[gone]
    await clock.advance(615)
    assert gone in ids(context)
    subscription = context.hub.subscribe()
    await clock.advance(620)
    assert gone not in ids(context)
    events = [event for event in subscription.take() if isinstance(event, DevicesChanged)]
    assert any(event.ids and gone in event.ids and event.moved for event in events)


async def test_failures_back_off_with_a_countdown_and_recover(
    sync: Sync, context: Context, clock: VirtualClock, fake: FakeProvider
) -> None:
    await sync.start()
    await clock.settle()
    before = sync.state.last_ok
    fake.plan_failures("devices", *[DOWN] * 12)
    waits: list[float] = []
    await clock.advance(17)
    while fake.fail["devices"]:
        assert sync.state.phase == "stale"
        assert sync.state.error is DOWN
        assert sync.state.last_ok == before
        assert sync.state.next_at is not None
        waits.append(sync.state.next_at - clock.now())
        await clock.until(lambda known=sync.state.attempts: sync.state.attempts > known)
    # Full-width doubling with jitter downwards to a half, five minutes at most.
    for index, wait in enumerate(waits):
        full = min(300.0, 5.0 * 2**index)
        assert full / 2 - 1 <= wait <= full
    assert len(ids(context)) == 5
    await clock.until(lambda: sync.state.phase == "fresh", within=301)
    assert sync.state.attempts == 0
    assert sync.state.error is None


async def test_retry_after_wins(sync: Sync, clock: VirtualClock, fake: FakeProvider) -> None:
    fake.plan_failures("devices", FleetError(Kind.RATE_LIMITED, "Too many calls", status=429, retry_after=120))
    await sync.start()
    await clock.settle()
    assert sync.state.phase == "paused"
    assert sync.state.next_at is not None and 120 <= sync.state.next_at - clock.now() <= 121
    fake.calls.clear()
    await clock.advance(119)
    assert fake.calls == []
    await clock.advance(3)
    assert sync.state.phase == "fresh"


async def test_signed_out_waits_for_a_person_and_asks_for_the_token_again(
    sync: Sync, context: Context, clock: VirtualClock, fake: FakeProvider
) -> None:
    fake.plan_failures("devices", FleetError(Kind.SIGNED_OUT, "The token is not valid", status=401))
    await sync.start()
    await clock.settle()
    assert sync.state.phase == "signed_out"
    assert fake.count("devices") == 1
    await clock.advance(200)
    assert fake.count("devices") == 1
    sync.poke()
    await clock.settle()
    assert fake.closed, "the old connection is dropped, so that the token is read again"
    assert sync.state.phase == "fresh"


async def test_refused_credentials_are_not_tried_again_until_a_person_or_other_credentials_come(
    context: Context, clock: VirtualClock, fake: FakeProvider
) -> None:
    others = False
    sync = Sync(context, others=lambda: others)
    no = FleetError(Kind.SIGNED_OUT, "The sign-in was refused", sent=Sent.NEVER)
    fake.plan_failures("devices", no, no)
    await sync.start()
    await clock.advance(86_400)
    assert (sync.state.phase, fake.count("devices")) == ("signed_out", 1)
    assert not fake.closed
    sync.attend(Attention.IDLE)
    sync.attend(Attention.ACTIVE)
    await clock.advance(600)
    assert fake.count("devices") == 1, "somebody who looks has not pressed r"
    sync.poke()
    await clock.advance(86_400)
    assert fake.count("devices") == 2
    others = True
    await clock.advance(300)
    assert fake.closed and sync.state.phase == "fresh"
    await sync.stop()


async def test_a_token_that_the_service_refuses_is_looked_at_now_and_then(
    sync: Sync, clock: VirtualClock, fake: FakeProvider
) -> None:
    fake.plan_failures("devices", FleetError(Kind.SIGNED_OUT, "401", status=401, sent=Sent.ANSWERED))
    await sync.start()
    await clock.advance(301)
    assert sync.state.phase == "fresh"


async def test_a_fleet_that_changes_under_the_walk_is_walked_again_and_then_called_incomplete(
    sync: Sync, context: Context, clock: VirtualClock, fake: FakeProvider
) -> None:
    small_pages(context)
    fake.lie_total.extend([5, 5, 6])
    await sync.start()
    await clock.settle()
    assert sync.state.incomplete == ""
    # The look at the newest, a walk that did not fit together, and one that did.
    assert fake.count("devices") == 1 + 3 + 3

    fake.calls.clear()
    fake.lie_total.extend([9, 5, 5] * 3)
    await clock.advance(615)
    walked = [call for call in fake.calls if call[2] is False]
    assert len(walked) == 9
    assert "may be missing" in sync.state.incomplete
    assert len(ids(context)) == 5


async def test_a_late_page_never_overwrites_a_newer_detail(
    sync: Sync, context: Context, clock: VirtualClock, fake: FakeProvider
) -> None:
    await sync.start()
    await clock.settle()
    device_id = f"{1:024x}"
    gate = asyncio.Event()

    async def hold(method: str, *_: object) -> None:
        if method == "devices":
            await clock.wait(gate)

    # A page is asked for and held; the device is read by itself meanwhile; then the old page arrives.
    fake.before_answer = hold
    sync.poke()
    await clock.settle()
    await clock.advance(1)
    old = dict(fake.rows[device_id])
    fake.rows[device_id] = raw_device(1, updated=1, displayName="Newest")
    devices = Devices(context)
    await devices.refresh(device_id)
    fake.rows[device_id] = old
    gate.set()
    await clock.settle()
    row = (await context.mirror.rows(context.scope, [device_id]))[device_id]
    assert row.values["name"] == "Newest"
    await devices.stop()


async def test_the_open_device_is_read_every_five_seconds_while_somebody_looks(
    sync: Sync, context: Context, clock: VirtualClock, fake: FakeProvider
) -> None:
    await sync.start()
    await clock.settle()
    sync.focus((), f"{2:024x}")
    await clock.advance(21)
    assert fake.count("device") == 5
    sync.attend(Attention.IDLE)
    await clock.advance(60)
    assert fake.count("device") == 5
    sync.attend(Attention.ACTIVE)
    sync.focus((), None)
    await clock.advance(60)
    assert fake.count("device") <= 6


async def test_nobody_looking_slows_the_polling(sync: Sync, clock: VirtualClock, fake: FakeProvider) -> None:
    await sync.start()
    await clock.settle()
    sync.attend(Attention.IDLE)
    await clock.advance(20)
    fake.calls.clear()
    await clock.advance(500)
    assert fake.count("devices") <= 5
    sync.attend(Attention.ACTIVE)
    await clock.settle()
    before = fake.count("devices")
    await clock.advance(16 * 4)
    assert fake.count("devices") - before >= 3


async def test_unreadable_items_are_kept_as_rows(
    sync: Sync, context: Context, clock: VirtualClock, fake: FakeProvider
) -> None:
    original = fake._device

    def broken(row: dict, detail: bool = False):
        device = original(row, detail)
        if row["id"].endswith("2"):
            device.unreadable = "tags is a number"
        return device

    fake._device = broken  # type: ignore[method-assign]
    await sync.start()
    await clock.settle()
    rows = await context.mirror.rows(context.scope, ids(context))
    assert len(rows) == 5
    assert [row.unreadable for row in rows.values() if row.unreadable] == ["tags is a number"]


async def test_the_last_look_is_known_before_the_next_one(
    context: Context, clock: VirtualClock, fake: FakeProvider
) -> None:
    first = Sync(context)
    await first.start()
    await clock.settle()
    await first.stop()
    at = clock.now()
    await clock.advance(500)
    fake.plan_failures("devices", *[DOWN] * 3)
    second = Sync(context)
    await second.start()
    await clock.settle()
    assert second.state.last_ok == at
    assert second.state.total == 5
    assert second.state.phase == "stale"
    await second.stop()


async def test_events_of_a_walk_name_what_changed(sync: Sync, context: Context, clock: VirtualClock) -> None:
    subscription = context.hub.subscribe()
    await sync.start()
    await clock.settle()
    events: list[Event] = subscription.take()
    devices = [event for event in events if isinstance(event, DevicesChanged)]
    assert len(devices) == 1
    assert devices[0].moved
    assert devices[0].ids is not None and len(devices[0].ids) == 5


async def test_clocks_that_differ_are_told_once(
    sync: Sync, context: Context, clock: VirtualClock, fake: FakeProvider
) -> None:
    subscription = context.hub.subscribe()
    fake.clock_skew = -29.0
    await sync.start()
    await clock.advance(40)
    assert not [event for event in subscription.take() if isinstance(event, Noticed)]
    fake.clock_skew = -240.0
    await clock.advance(60)
    (told,) = [event for event in subscription.take() if isinstance(event, Noticed)]
    assert "4m ahead of the service's" in told.sentence
    fake.clock_skew = 0.0
    await clock.advance(20)
    fake.clock_skew = 90.0
    await clock.advance(20)
    (told,) = [event for event in subscription.take() if isinstance(event, Noticed)]
    assert "behind the service's" in told.sentence
