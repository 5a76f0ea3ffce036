"""Asking the service for serial numbers before anything is sent: one call each, four at once, within the budget."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from mdm_tui.fleet.errors import FleetError, Kind
from mdm_tui.fleet.provider import Capability
from mdm_tui.fleet.registration import Line

from .context import Context
from .registration_plan import Row

__all__ = ["Asker"]

_AT_ONCE = 4
# The service asked for a pause: shorter ones are waited for, a longer one ends the check.
_PATIENT = 60.0
_TRIES = 3
# So many failures in a row mean the service and not the serial numbers.
_ENOUGH = 4
_HOPELESS = frozenset(
    {Kind.FORBIDDEN, Kind.UNSUPPORTED, Kind.SIGNED_OUT, Kind.CONFIG, Kind.TLS, Kind.REDIRECT, Kind.READ_ONLY}
)


class Asker:
    """Finds out which devices a service knows."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def registered(self, serial: str) -> bool:
        """Whether the service knows the serial number. Raises `FleetError`."""
        return await self._context.call(lambda provider: provider.registered(serial), Capability.DEVICE_REGISTER)

    async def check(
        self,
        lines: Sequence[Line],
        progress: Callable[[int, int], None] | None = None,
        stop: asyncio.Event | None = None,
    ) -> tuple[Row, ...]:
        """A row for each line, in their order; what could not be asked says why. Raises nothing.

        progress: told how many have an answer, of how many. stop: ends it after the calls that are on their way.
        """
        rows: dict[int, Row] = {}
        waiting = []
        for index, line in enumerate(lines):
            if line.problem:
                rows[index] = Row(line, "bad", line.problem)
            else:
                waiting.append(index)
        total = len(waiting)
        done = failures = 0
        ended = ""
        waiting.reverse()

        async def worker() -> None:
            nonlocal done, failures, ended
            while waiting and not ended:
                if stop is not None and stop.is_set():
                    ended = "the check was stopped"
                    return
                index = waiting.pop()
                rows[index], error = await self._ask(lines[index], stop)
                done += 1
                failures = failures + 1 if error is not None else 0
                if error is not None and (error.kind in _HOPELESS or failures >= _ENOUGH or _long(error)):
                    ended = error.what
                if progress is not None:
                    progress(done, total)

        async with asyncio.TaskGroup() as group:
            for _ in range(min(_AT_ONCE, total)):
                group.create_task(worker(), name="registration check")
        return tuple(rows.get(index) or Row(line, "unchecked", ended) for index, line in enumerate(lines))

    async def _ask(self, line: Line, stop: asyncio.Event | None) -> tuple[Row, FleetError | None]:
        clock = self._context.clock
        for attempt in range(1, _TRIES + 1):
            at = clock.now()
            try:
                found = await self.registered(line.serial)
            except FleetError as error:
                pause = error.retry_after if error.retry_after is not None else 1.0
                if error.kind is not Kind.RATE_LIMITED or pause > _PATIENT or attempt == _TRIES:
                    return Row(line, "unchecked", error.what, at), error
                await clock.wait(stop if stop is not None else asyncio.Event(), pause)
            else:
                return Row(line, "exists" if found else "new", at=at), None
        raise AssertionError("unreachable")


def _long(error: FleetError) -> bool:
    return error.kind is Kind.RATE_LIMITED
