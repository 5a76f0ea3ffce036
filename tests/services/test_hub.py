"""Events: merged, bounded, at most ten batches a second."""

from __future__ import annotations

import asyncio

from mdm_tui.services.events import DetailChanged, DevicesChanged, Event, Noticed, SyncChanged
from mdm_tui.services.hub import MAX_IDS, MAX_NOTICES, Hub

from .virtual import VirtualClock


async def test_ten_batches_a_second_at_most(clock: VirtualClock) -> None:
    hub = Hub(clock)
    subscription = hub.subscribe()
    batches: list[list[Event]] = []

    async def read() -> None:
        async for batch in subscription:
            batches.append(batch)  # noqa: PERF401 - looked at while it runs

    reader = asyncio.create_task(read())
    await clock.settle()
    for number in range(100):
        hub.publish(DevicesChanged("a", frozenset({str(number)}), frozenset({"battery"})))
        await clock.advance(0.01)
    assert 9 <= len(batches) <= 11
    hub.close()
    await reader
    seen = [event for batch in batches for event in batch if isinstance(event, DevicesChanged)]
    assert frozenset().union(*(event.ids or frozenset() for event in seen)) == {str(number) for number in range(100)}


async def test_one_kind_and_connection_merge_into_one(clock: VirtualClock) -> None:
    hub = Hub(clock)
    subscription = hub.subscribe()
    hub.publish(DevicesChanged("a", frozenset({"1"}), frozenset({"battery"})))
    hub.publish(DevicesChanged("a", frozenset({"2"}), frozenset({"seen"}), moved=True))
    hub.publish(DevicesChanged("b", frozenset({"3"})))
    hub.publish(SyncChanged("a"))
    hub.publish(SyncChanged("a"))
    assert subscription.take() == [
        DevicesChanged("a", frozenset({"1", "2"}), frozenset({"battery", "seen"}), True),
        DevicesChanged("b", frozenset({"3"})),
        SyncChanged("a"),
    ]
    assert subscription.take() == []


async def test_a_reader_that_sleeps_costs_bounded_memory(clock: VirtualClock) -> None:
    hub = Hub(clock)
    subscription = hub.subscribe()
    for number in range(MAX_IDS + 1):
        hub.publish(DevicesChanged("a", frozenset({str(number)})))
        hub.publish(DetailChanged("a", str(number)))
        hub.publish(Noticed("a", "info", f"sentence {number}"))
    batch = subscription.take()
    devices = [event for event in batch if isinstance(event, DevicesChanged)]
    assert [event.ids for event in devices] == [None]
    notices = [event for event in batch if isinstance(event, Noticed)]
    assert len(notices) == MAX_NOTICES
    assert notices[-1].sentence == f"sentence {MAX_IDS}"
    assert len(batch) < 1_000


async def test_closing_ends_the_reader_after_what_is_pending(clock: VirtualClock) -> None:
    hub = Hub(clock)
    subscription = hub.subscribe()
    hub.publish(SyncChanged("a"))
    hub.close()
    assert [batch async for batch in subscription] == [[SyncChanged("a")]]
    hub.publish(SyncChanged("a"))
    assert subscription.take() == []
