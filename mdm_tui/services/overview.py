"""The lists that are only counted while nobody looks at them: read once after the devices, then now and then."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping

from mdm_tui.fleet.errors import FleetError, Kind
from mdm_tui.fleet.provider import Capability

from .context import Context
from .tasks import Tasks

__all__ = ["EVERY", "Overview"]

_log = logging.getLogger(__name__)

EVERY = 600.0
"""Seconds between two readings, while somebody looks at the session."""
# What may be otherwise a minute later.
_PASSING = frozenset({Kind.UNREACHABLE, Kind.TIMEOUT, Kind.SERVER, Kind.RATE_LIMITED})
# After a reading that failed; how often it is found out whether somebody looks again.
_AGAIN = 60.0
_AWAY = 30.0


class Overview:
    """reads: what reads a whole list, by what the service must be able to do. looked_at: whether somebody looks.

    What goes wrong is for the screens of the lists to say.
    """

    def __init__(
        self,
        context: Context,
        reads: Mapping[Capability, Callable[[], Awaitable[object]]],
        *,
        looked_at: Callable[[], bool],
    ) -> None:
        self._context, self._reads, self._looked_at = context, reads, looked_at
        self._tasks = Tasks()

    async def start(self) -> None:
        """Begin once the first devices are there."""
        self._tasks.spawn(self._run(), "overview")

    async def stop(self) -> None:
        await self._tasks.stop()

    async def _run(self) -> None:
        clock = self._context.clock
        await clock.wait(self._context.looked)
        while True:
            well = True
            for capability, read in self._reads.items():
                if not self._context.can(capability):
                    continue
                try:
                    await read()
                except FleetError as error:
                    well = well and error.kind not in _PASSING
                    _log.info("a list could not be read to be counted: %s", error.what)
            await clock.sleep(EVERY if well else _AGAIN)
            while not self._looked_at():
                await clock.sleep(_AWAY)
