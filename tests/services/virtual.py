"""Time that tests move, and the knowledge of when everything has come to rest."""

from __future__ import annotations

import asyncio
import heapq
import time
from collections.abc import Awaitable, Callable
from typing import Any

START = 1_780_000_000.0
# A guard against a test that waits for ever, in real seconds; no test measures time with it.
STUCK = 20.0


class VirtualClock:
    """A `services.clock.Clock`. Nothing moves until a test calls `advance` or `until`."""

    def __init__(self, start: float = START) -> None:
        self._now = start
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._parked: dict[asyncio.Task[Any], asyncio.Future[None]] = {}
        self._count = 0
        self.moved: Callable[[float], Awaitable[None]] | None = None

    def now(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        await self._park(seconds)

    async def wait(self, event: asyncio.Event, seconds: float | None = None) -> bool:
        if event.is_set():
            return True
        waiter = asyncio.ensure_future(event.wait())
        self._parked[waiter] = asyncio.get_running_loop().create_future()
        try:
            await self._park(seconds, waiter)
        finally:
            waiter.cancel()
            self._parked.pop(waiter, None)
        return event.is_set()

    async def _park(self, seconds: float | None, wake: asyncio.Future[Any] | None = None) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if seconds is not None:
            self._count += 1
            heapq.heappush(self._sleepers, (self._now + max(0.0, seconds), self._count, future))
            if seconds <= 0:
                future.set_result(None)
        task = asyncio.current_task()
        assert task is not None
        self._parked[task] = future

        def woken(_: object) -> None:
            if not future.done():
                future.set_result(None)

        if wake is not None:
            wake.add_done_callback(woken)
        try:
            await future
        finally:
            self._parked.pop(task, None)

    def _busy(self) -> list[asyncio.Task[Any]]:
        me = asyncio.current_task()
        waiting = {task for task, future in self._parked.items() if not future.done()}
        return [task for task in asyncio.all_tasks() if task is not me and task not in waiting and not task.done()]

    async def settle(self) -> None:
        """Until every task waits for time or for a word from outside."""
        deadline = time.monotonic() + STUCK
        spins = 0
        while True:
            # Woken tasks get their turn before they are looked at.
            await asyncio.sleep(0)
            if not self._busy():
                await asyncio.sleep(0)
                if not self._busy():
                    return
            spins += 1
            if spins > 20:
                # A thread of the store is at work: let it have the processor.
                await asyncio.sleep(0.0005)
            if time.monotonic() > deadline:
                lines = "\n".join(f"{task.get_name()}: {task.get_stack(limit=1)}" for task in self._busy())
                raise AssertionError(f"these tasks never came to rest:\n{lines}")

    async def advance(self, seconds: float) -> None:
        """Move on, waking each sleeper at its own moment and letting it come to rest."""
        end = self._now + seconds
        await self.settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            at, _, future = heapq.heappop(self._sleepers)
            if future.done():
                continue
            await self._move(at)
            future.set_result(None)
            await self.settle()
        await self._move(end)
        await self.settle()

    async def until(self, done: Callable[[], bool], within: float = 3600.0) -> None:
        """Move from sleeper to sleeper until `done`; fails after `within` virtual seconds."""
        end = self._now + within
        await self.settle()
        while not done():
            while self._sleepers and self._sleepers[0][2].done():
                heapq.heappop(self._sleepers)
            assert self._sleepers and self._sleepers[0][0] <= end, f"not reached within {within} virtual seconds"
            await self.advance(max(0.0, self._sleepers[0][0] - self._now))

    async def _move(self, to: float) -> None:
        if to > self._now:
            step, self._now = to - self._now, to
            if self.moved is not None:
                await self.moved(step)
