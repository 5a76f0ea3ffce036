"""Keeping the mirror like the service: cheap looks at what changed, slow walks through everything."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from mdm_tui.fleet.errors import FleetError, Kind, Sent
from mdm_tui.fleet.text import clean
from mdm_tui.fleet.values import age

from .context import Context
from .events import SyncChanged
from .pace import Attention, Pace
from .tasks import Tasks
from .walk import Walker

__all__ = ["Phase", "Sync", "SyncState"]

_log = logging.getLogger(__name__)

Phase = Literal["starting", "syncing", "fresh", "stale", "paused", "signed_out"]

PAGE_SHIFT_WALKS = 3
SKEW = 30.0
"""Seconds by which the two clocks may differ before the person is told that ages are wrong."""
# What a new connection reads again from files and surroundings: the secrets, the trusted certificates.
_CURED_OUTSIDE = frozenset({Kind.SIGNED_OUT, Kind.CONFIG, Kind.TLS})


@dataclass(frozen=True, slots=True)
class SyncState:
    """Where the synchronisation stands. Times in epoch seconds.

    last_ok: the last look that succeeded, from an earlier session as well. next_at: when the next one starts, or other
    credentials are looked for.
    total: devices at the service; walked: how many of them the running walk has read (None between walks).
    attempts: failures in a row. incomplete: why the list may lack devices, "" when it does not.
    """

    phase: Phase = "starting"
    last_ok: float | None = None
    next_at: float | None = None
    error: FleetError | None = None
    total: int | None = None
    walked: int | None = None
    attempts: int = 0
    incomplete: str = ""


class Sync:
    """The one task that polls the list of devices, and the one that watches the device on the screen."""

    def __init__(
        self,
        context: Context,
        *,
        poll_seconds: float = 15.0,
        refresh: Callable[[str], Awaitable[object]] | None = None,
        others: Callable[[], bool] = lambda: True,
        dice: random.Random | None = None,
    ) -> None:
        """refresh: reads one device in full (`Devices.refresh`). others: whether there are other credentials now than
        those that were tried."""
        self.state = SyncState()
        self.pace = Pace(poll_seconds, dice=dice)
        self.visible: tuple[str, ...] = ()
        self.opened: str | None = None
        self._context = context
        self._refresh, self._others = refresh, others
        self._tasks = Tasks()
        self._poke = asyncio.Event()
        self._paced = asyncio.Event()
        self._focus = asyncio.Event()
        self._walker = Walker(context, progress=self._progress, between=self._between_pages)
        self._next_walk = 0.0
        self._next_delta = 0.0
        self._skewed = False

    # what the screens ask
    def poke(self) -> None:
        """Look now, whatever was planned."""
        self._poke.set()
        self._paced.set()

    def focus(self, visible: Sequence[str] = (), opened: str | None = None) -> None:
        """What the screen shows: ids of rows, and the device that is open in full."""
        self.visible = tuple(visible)
        if opened != self.opened:
            self.opened = opened
            self._focus.set()

    def attend(self, attention: Attention) -> None:
        """How closely somebody is watching: it sets the pace from now on."""
        before, self.pace.attention = self.pace.attention, attention
        if attention is not before:
            self._focus.set()
            self._paced.set()

    # life
    async def start(self) -> None:
        """Show what is known of the last look, then poll until stopped."""
        await self.recall()
        self._tasks.spawn(self._run(), "sync")
        self._tasks.spawn(self._watch(), "watch")

    async def recall(self) -> None:
        """Take age and total of the last look from the mirror."""
        self.state = replace(self.state, **await self._walker.recall())
        self._tell()

    async def stop(self) -> None:
        """End the polling and the watching."""
        await self._tasks.stop()

    async def once(self) -> None:
        """One full walk, now and here (the command line's `--refresh`). Raises `FleetError`."""
        await self.recall()
        await self._look(walk=True)

    def _tell(self) -> None:
        self._context.hub.publish(SyncChanged(self._context.scope))

    def _set(self, **changes: object) -> None:
        state = replace(self.state, **changes)  # type: ignore[arg-type]
        if state != self.state:
            self.state = state
            self._tell()

    async def _run(self) -> None:
        clock = self._context.clock
        while True:
            self._poke.clear()
            wait = await self._cycle()
            ended = clock.monotonic()
            while not self._poke.is_set():
                self._paced.clear()
                left = ended + wait - clock.monotonic()
                self._set(next_at=clock.now() + left)
                if not await clock.wait(self._paced, left):
                    if not _pointless(self.state.error) or self._others():
                        break
                    ended = clock.monotonic()
                if self.state.error is None:
                    # Somebody came back, or went: the same interval, from the same look, at the new pace.
                    wait = self.pace.poll()
            if self.state.error is not None and self.state.error.kind in _CURED_OUTSIDE:
                # Somebody may have put a new secret or certificate where the old one was.
                await self._context.reconnect()

    async def _cycle(self) -> float:
        """One look; the seconds to wait for the next one."""
        clock = self._context.clock
        try:
            await self._look(walk=clock.monotonic() >= self._next_walk)
        except FleetError as error:
            return self._failed(error)
        except Exception as error:
            # A full disk or a slip of ours must not end the polling without a word.
            _log.exception("looking at the service failed")
            return self._failed(
                FleetError(
                    Kind.UNREADABLE, f"What was read could not be kept ({type(error).__name__}: {clean(error, 120)})"
                )
            )
        return self.pace.poll()

    async def _look(self, *, walk: bool) -> None:
        context, clock = self._context, self._context.clock
        self._set(phase="syncing", next_at=None)
        await context.ensure()
        await self._walker.delta()
        context.looked.set()
        self._looked()
        if walk:
            await self._walk()
            context.walked.set()
            self._next_walk = clock.monotonic() + Pace.walk(self._walker.pages, context.connection.budget)
        await self._walker.remember()
        self._set(phase="fresh", last_ok=clock.now(), error=None, attempts=0, walked=None, total=self._walker.total)
        self._compare_clocks()

    def _compare_clocks(self) -> None:
        """Say it once when this machine's clock and the service's differ, and once more after they agreed again."""
        provider = self._context.provider
        skew = provider.clock_skew if provider is not None else None
        skewed = skew is not None and abs(skew) > SKEW
        if skew is not None and skewed and not self._skewed:
            way = "behind" if skew > 0 else "ahead of"
            self._context.notice(
                "warn", f"This machine's clock is {age(abs(skew))} {way} the service's: ages here are wrong by as much."
            )
        self._skewed = skewed

    def _looked(self) -> None:
        self._next_delta = self._context.clock.monotonic() + self.pace.poll()

    async def _walk(self) -> None:
        for _ in range(PAGE_SHIFT_WALKS):
            if await self._walker.walk():
                self._set(incomplete="")
                return
        self._set(
            incomplete=f"the fleet changed under each of {PAGE_SHIFT_WALKS} readings: some devices may be missing"
        )

    async def _between_pages(self) -> None:
        # A walk through a large fleet takes its time; what changes meanwhile is still shown.
        if self._poke.is_set() or self._context.clock.monotonic() >= self._next_delta:
            self._poke.clear()
            await self._walker.delta()
            self._looked()
            self._set(last_ok=self._context.clock.now())

    def _progress(self, walked: int, total: int | None) -> None:
        self._set(walked=walked, total=total)

    def _failed(self, error: FleetError) -> float:
        self._context.learn(error)
        attempts = self.state.attempts + 1
        wait = self.pace.retry(attempts, error)
        phase: Phase = "stale"
        if error.kind is Kind.RATE_LIMITED:
            phase = "paused"
        elif error.kind is Kind.SIGNED_OUT:
            phase = "signed_out"
        # One event for the failure and its countdown.
        self._set(
            phase=phase,
            error=error,
            attempts=attempts,
            walked=None,
            next_at=self._context.clock.now() + wait,
        )
        return wait

    async def _watch(self) -> None:
        """Read the open device again and again while somebody looks at it."""
        clock = self._context.clock
        while True:
            self._focus.clear()
            every = self.pace.detail()
            if self.opened is None or self._refresh is None or every is None:
                await clock.wait(self._focus)
                continue
            if self._context.provider is not None and self.state.phase in ("fresh", "syncing"):
                try:
                    await self._refresh(self.opened)
                except FleetError:
                    # The list's own look says what is wrong with the service, with its countdown.
                    every *= 4
            await clock.wait(self._focus, every)


def _pointless(error: FleetError | None) -> bool:
    """Whether only other credentials, or a person, make another try worth it.

    A password that is refused again and again locks its account, and what cannot be sent at all does not get better by
    waiting. A token to which the service itself said no locks nothing, and services refuse good ones while their own
    sign-in is down: that is looked at now and then, as any other failure.
    """
    return error is not None and error.kind is Kind.SIGNED_OUT and error.sent is Sent.NEVER
