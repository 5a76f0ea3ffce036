"""Tasks that belong to a service, not to a dialog: kept alive, watched, ended together."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

__all__ = ["Tasks"]

_log = logging.getLogger(__name__)


class Tasks:
    """The running tasks of one service."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()
        self.closed = False

    def spawn(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Run it from the loop's next turn on; a failure nobody awaits is logged, never lost."""
        # Not by `create_task`: Textual's loop begins the work at once from Python 3.12 on, before the caller has it.
        task = asyncio.Task(work, loop=asyncio.get_running_loop(), name=name)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("task %s failed: %s", task.get_name(), type(error).__name__, exc_info=error)

    def __len__(self) -> int:
        return len(self._running)

    async def stop(self, grace: float = 0.5) -> None:
        """Cancel all and wait for their ends, `grace` seconds at most."""
        self.closed = True
        running = list(self._running)
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running, timeout=grace)
