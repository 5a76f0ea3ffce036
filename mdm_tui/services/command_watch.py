"""When to look at a command again: soon while it is young or on the screen, within the budget always."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mdm_tui.fleet.commands import State

if TYPE_CHECKING:
    from mdm_tui.store.journal import Intent

__all__ = ["LATE_WATCH", "Bucket", "Watch", "due"]

STEPS = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
# Beyond these ages (seconds) a command that nobody looks at is read less often.
_OLDER = ((3600.0, 300.0), (600.0, 60.0))
# How long the service is asked again about a command it did not have, and how often.
LATE_WATCH = 24 * 3600.0
_LATE_EVERY = 600.0


@dataclass(slots=True)
class Watch:
    """A command under observation. looks: how many there were; next_at: when the next is due; failures and
    misses (the service did not know it) in a row."""

    intent: Intent
    looks: int = 0
    next_at: float = 0.0
    failures: int = 0
    misses: int = 0
    command_id: str | None = None

    def plan(self, now: float, *, on_screen: bool) -> None:
        """Set when to look next, after a look."""
        step = STEPS[min(self.looks, len(STEPS) - 1)]
        age = now - (self.intent.sent_at or self.intent.created_at)
        if self.intent.state is State.ABSENT:
            step = _LATE_EVERY
        elif not on_screen:
            for older, every in _OLDER:
                if age > older:
                    step = max(step, every)
                    break
        if self.failures:
            step = max(step, min(60.0, 2.0**self.failures))
        self.looks += 1
        self.next_at = now + step


class Bucket:
    """A share of the hour's calls, with room for a burst. rate: calls a second."""

    def __init__(self, rate: float, burst: int, now: float) -> None:
        self._rate = max(rate, 1e-6)
        self._burst = float(burst)
        self._tokens = float(burst)
        self._at = now

    def take(self, now: float) -> bool:
        """Spend one call when there is one."""
        self._fill(now)
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True

    def wait(self, now: float) -> float:
        """Seconds until there is one."""
        self._fill(now)
        return max(0.0, (1.0 - self._tokens) / self._rate)

    def _fill(self, now: float) -> None:
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now


def due(watches: Collection[Watch], now: float, on_screen: Collection[str]) -> list[Watch]:
    """Those to look at now: what is on the screen first, then the newest."""
    ready = [watch for watch in watches if watch.next_at <= now]
    ready.sort(key=lambda watch: (watch.intent.device_id not in on_screen, -watch.intent.created_at))
    return ready
