"""How often: polling by attention, back-off, and the service's own wishes."""

from __future__ import annotations

import random
from enum import Enum

from mdm_tui.fleet.errors import FleetError, Kind

__all__ = ["Attention", "Pace"]

LONGEST = 300.0
FIRST_RETRY = 5.0
DETAIL_EVERY = 5.0
BACKGROUND = 60.0
IDLE = 120.0
WALK_EVERY = 600.0
# The share of the hour's budget that walking the whole fleet may spend.
WALK_SHARE = 0.25


class Attention(Enum):
    """Who is looking: `ACTIVE` somebody at the list, `BACKGROUND` at another screen, `IDLE` nobody for five minutes."""

    ACTIVE = "active"
    BACKGROUND = "background"
    IDLE = "idle"


class Pace:
    """The arithmetic of waiting. seconds: the interval asked for while somebody looks; dice: for jitter."""

    def __init__(self, seconds: float, *, dice: random.Random | None = None) -> None:
        self.seconds = max(1.0, seconds)
        self.attention = Attention.ACTIVE
        self._dice = dice or random.Random()

    def poll(self) -> float:
        """Seconds to the next look, with a tenth of jitter so that consoles do not march in step."""
        base = {
            Attention.ACTIVE: self.seconds,
            Attention.BACKGROUND: max(BACKGROUND, self.seconds),
            Attention.IDLE: max(IDLE, self.seconds),
        }[self.attention]
        return base * (1.0 + 0.1 * self._dice.random())

    def detail(self) -> float | None:
        """Seconds between looks at the opened device; None when nobody looks."""
        return DETAIL_EVERY if self.attention is Attention.ACTIVE else None

    def retry(self, attempts: int, error: FleetError) -> float:
        """Seconds to the next try after `attempts` failures in a row; what the service asked for wins."""
        if error.retry_after is not None:
            return max(1.0, error.retry_after) + self._dice.random()
        if error.kind in (Kind.SIGNED_OUT, Kind.FORBIDDEN, Kind.CONFIG, Kind.TLS, Kind.REDIRECT):
            # Only a person can cure these; a look now and then finds out that one did.
            return LONGEST
        wait = min(LONGEST, FIRST_RETRY * 2 ** min(attempts - 1, 10))
        return wait * (0.5 + 0.5 * self._dice.random())

    @staticmethod
    def walk(pages: int, budget: int) -> float:
        """Seconds between two walks through the whole fleet of so many pages."""
        return max(WALK_EVERY, pages * 3600.0 / max(1.0, budget * WALK_SHARE))
