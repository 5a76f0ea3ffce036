"""When a console has come to rest, known from the event loop itself.

Textual's pilot sleeps a fiftieth of a second and compares processor time with the clock's: slow where nothing is to be
done, and wrong where the machine is busy with something else. The loop knows better what is ready, due, or out with a
thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

import pytest

# What is due so soon belongs to what a key began: a screen repaints sixty times a second.
SOON = 0.02


class Threads:
    """The answers that threads still owe, by event loop."""

    def __init__(self) -> None:
        self._owed: set[asyncio.Future[Any]] = set()

    def note(self, future: asyncio.Future[Any]) -> asyncio.Future[Any]:
        """Remember an answer until it is there."""
        self._owed.add(future)
        future.add_done_callback(self._owed.discard)
        return future

    def owed(self) -> set[asyncio.Future[Any]]:
        """Those of the running loop."""
        loop = asyncio.get_running_loop()
        return {future for future in self._owed if future.get_loop() is loop}

    async def idle(self, min_sleep: float = 0.0, max_sleep: float = 1.0) -> None:
        """Until nothing is ready, nothing falls due soon and no thread owes an answer; at most `max_sleep` seconds."""
        loop: Any = asyncio.get_running_loop()
        end = monotonic() + max_sleep
        while (left := end - monotonic()) > 0:
            await asyncio.sleep(0)
            if loop._ready:
                continue
            if owed := self.owed():
                await asyncio.wait(owed, timeout=left, return_when=asyncio.FIRST_COMPLETED)
                continue
            due = min((handle.when() for handle in loop._scheduled if not handle.cancelled()), default=float("inf"))
            if due - loop.time() > SOON:
                return
            await asyncio.sleep(max(0.0, due - loop.time()))


@contextmanager
def watched(patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let Textual's pilot wait by what the loop knows."""
    threads = Threads()
    wrap = asyncio.wrap_future

    def noted(future: Any, *, loop: Any = None) -> Any:
        return threads.note(wrap(future, loop=loop))

    for owner in ("asyncio.wrap_future", "asyncio.futures.wrap_future"):
        patch.setattr(owner, noted)
    for owner in ("textual.pilot.wait_for_idle", "textual.app.wait_for_idle"):
        patch.setattr(owner, threads.idle)
    yield
