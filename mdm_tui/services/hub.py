"""From services to screens: bounded, merged, at most ten batches a second."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

from .clock import Clock, SystemClock
from .events import CommandsChanged, DetailChanged, DevicesChanged, Event, ItemsChanged, Noticed, PoliciesChanged

__all__ = ["Hub", "Subscription"]

BATCH_EVERY = 0.1
MAX_IDS = 5_000
MAX_NOTICES = 50
MAX_DETAILS = 500


class Hub:
    """One session's events. Use it from the event loop's thread only."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock: Clock = clock or SystemClock()
        self._subscriptions: set[Subscription] = set()

    def publish(self, event: Event) -> None:
        """Hand an event to every subscription; never waits."""
        for subscription in self._subscriptions:
            subscription.put(event)

    def subscribe(self) -> Subscription:
        """Events from now on; close it when done."""
        subscription = Subscription(self, self._clock)
        self._subscriptions.add(subscription)
        return subscription

    def forget(self, subscription: Subscription) -> None:
        """No more events for a listener."""
        self._subscriptions.discard(subscription)

    def close(self) -> None:
        """End every subscription's iteration after what it still holds."""
        for subscription in list(self._subscriptions):
            subscription.close()


class Subscription:
    """What one reader has not seen yet: an asynchronous iterator of batches.

    Events of one kind and connection merge into one; past the bounds an event says "anything may have changed".
    """

    def __init__(self, hub: Hub, clock: Clock) -> None:
        self._hub = hub
        self._clock = clock
        self._pending: dict[tuple[object, ...], Event] = {}
        self._notices: list[Noticed] = []
        self._ready = asyncio.Event()
        self._closed = False
        self._next_at = 0.0

    def put(self, event: Event) -> None:
        """Merge an event into what is pending."""
        if self._closed:
            return
        if isinstance(event, Noticed):
            if event not in self._notices:
                self._notices.append(event)
                # The newest sentences matter; a flood must not grow without end.
                del self._notices[:-MAX_NOTICES]
        else:
            self._merge(event)
        self._ready.set()

    def _merge(self, event: Event) -> None:
        key: tuple[object, ...] = (type(event), event.connection)
        if isinstance(event, DetailChanged):
            if len(self._pending) >= MAX_DETAILS:
                # Nobody shows that many devices at once: the list's event stands for them.
                self._merge(DevicesChanged(event.connection, None))
                return
            key = (*key, event.id)
        elif isinstance(event, ItemsChanged):
            key = (*key, event.kind)
        held = self._pending.get(key)
        if isinstance(event, DevicesChanged) and isinstance(held, DevicesChanged):
            event = DevicesChanged(
                event.connection, _union(held.ids, event.ids), held.fields | event.fields, held.moved or event.moved
            )
        elif isinstance(event, CommandsChanged) and isinstance(held, CommandsChanged):
            event = replace(event, intent_ids=_union(held.intent_ids, event.intent_ids))
        elif isinstance(event, (PoliciesChanged, ItemsChanged)) and isinstance(held, (PoliciesChanged, ItemsChanged)):
            event = replace(event, ids=_union(held.ids, event.ids))
        self._pending[key] = event

    def __aiter__(self) -> AsyncIterator[list[Event]]:
        return self

    async def __anext__(self) -> list[Event]:
        await self._clock.wait(self._ready)
        if not self._closed:
            pause = self._next_at - self._clock.monotonic()
            if pause > 0:
                await self._clock.sleep(pause)
        batch = self.take()
        if not batch:
            raise StopAsyncIteration
        self._next_at = self._clock.monotonic() + BATCH_EVERY
        return batch

    def take(self) -> list[Event]:
        """What is pending now, without waiting."""
        batch: list[Event] = [*self._pending.values(), *self._notices]
        self._pending.clear()
        self._notices.clear()
        if not self._closed:
            self._ready.clear()
        return batch

    def close(self) -> None:
        """No further events; the reader gets what is pending and then its end."""
        self._closed = True
        self._ready.set()
        self._hub.forget(self)


def _union(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    if one is None or other is None:
        return None
    both = one | other
    return both if len(both) <= MAX_IDS else None
