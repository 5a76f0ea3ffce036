"""What calls cost: the rolling hour, the pauses a service asks for, and the difference between the clocks."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from statistics import median

from mdm_tui.fleet.errors import FleetError, Kind, Sent
from mdm_tui.fleet.provider import Meter, Purpose
from mdm_tui.fleet.values import age

__all__ = ["HOUR", "SHARES", "Budget", "Skew", "http_date", "retry_after"]

HOUR = 3600.0
LONGEST_PAUSE = 3600.0
# How much of the hour each purpose may use up: reading lists must never leave a command without a call.
SHARES: dict[Purpose, float] = {
    Purpose.LIST: 0.90,
    Purpose.OTHER: 0.90,
    Purpose.DETAIL: 0.95,
    Purpose.COMMANDS: 1.0,
    Purpose.EDIT: 1.0,
}


class Budget:
    """Counts the calls of the last hour into a `Meter` and refuses the one too many."""

    def __init__(self, limit: int, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._calls: deque[tuple[float, Purpose]] = deque()
        self._meter = Meter(limit=limit)
        self._latest = clock()

    def _now(self) -> float:
        """The time; where the clock was set back, what is counted and the pause go back with it."""
        now, latest = self._clock(), self._latest
        self._latest = now
        if now < latest:
            back = latest - now
            self._calls = deque((at - back, purpose) for at, purpose in self._calls)
            self._meter.paused_until -= back
        return now

    @property
    def meter(self) -> Meter:
        """The meter, with what is older than an hour taken out."""
        oldest = self._now() - HOUR
        meter = self._meter
        while self._calls and self._calls[0][0] <= oldest:
            _, purpose = self._calls.popleft()
            meter.by_purpose[purpose] -= 1
        meter.used = len(self._calls)
        return meter

    def take(self, purpose: Purpose, where: str) -> None:
        """Count one call; `FleetError` RATE_LIMITED, never sent, when this purpose's share of the hour is used up."""
        meter, now = self.meter, self._latest
        if meter.used >= math.ceil(meter.limit * SHARES[purpose]):
            wait = max(1.0, self._calls[0][0] + HOUR - now) if self._calls else HOUR
            raise FleetError(
                Kind.RATE_LIMITED,
                f"This console's own budget of {meter.limit} calls an hour is used up; the next is free in {age(wait)}",
                where=where,
                retry_after=wait,
                sent=Sent.NEVER,
            )
        self._calls.append((now, purpose))
        meter.used += 1
        meter.by_purpose[purpose] = meter.by_purpose.get(purpose, 0) + 1

    def pause(self, seconds: float) -> None:
        """Let nothing out for so long; a shorter pause never ends a longer one."""
        until = self._now() + seconds
        self._meter.paused_until = max(self._meter.paused_until, until)

    @property
    def paused_for(self) -> float:
        """Seconds until calls are allowed again, 0 when they are."""
        now = self._now()
        return max(0.0, self._meter.paused_until - now)


class Skew:
    """The service's clock minus ours, in seconds: the median of the last five answers."""

    def __init__(self) -> None:
        self._samples: deque[float] = deque(maxlen=5)

    def note(self, date: str | None, started: float, ended: float) -> None:
        """Take the `Date` header of an answer to a call that lasted from `started` to `ended`, by our clock."""
        stamp = http_date(date)
        if stamp is not None:
            # The header has whole seconds: on average the real moment is half a second later.
            self._samples.append(stamp + 0.5 - (started + ended) / 2)

    @property
    def seconds(self) -> float | None:
        """None until an answer carried a date."""
        return median(self._samples) if self._samples else None


def http_date(value: str | None) -> float | None:
    """Epoch seconds of an HTTP date, None when it is not one."""
    if not value:
        return None
    try:
        return parsedate_to_datetime(value).timestamp()
    except (ValueError, TypeError, OverflowError, OSError, IndexError):
        return None


def retry_after(value: str | None, *, now: float, default: float | None = None) -> float | None:
    """Seconds to wait by a `Retry-After` header: seconds or an HTTP date, at most an hour; `default` without one."""
    if value is None:
        return default
    try:
        seconds = float(value.strip())
    except ValueError:
        stamp = http_date(value)
        if stamp is None:
            return default
        seconds = stamp - now
    if not math.isfinite(seconds):
        return default
    return min(max(seconds, 0.0), LONGEST_PAUSE)
