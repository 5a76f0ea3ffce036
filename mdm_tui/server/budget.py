"""The request limit: so many an hour for each token, with room for a burst, answered with 429 and Retry-After."""

from __future__ import annotations

import math

from .applivery.envelope import ApiError
from .world.clock import HOUR, Clock

BURST = 100


class Budget:
    """A bucket for each token that fills evenly. hourly: requests an hour."""

    def __init__(self, hourly: int, clock: Clock) -> None:
        if hourly < 1:
            raise ValueError(f"the limit must be at least one request an hour, not {hourly}")
        self._hourly = hourly
        self._burst = min(BURST, hourly)
        self._clock = clock
        self._buckets: dict[bytes, tuple[float, int]] = {}

    def spend(self, token: bytes) -> None:
        """Take one request from the token's bucket. Raises ApiError 429 when it is empty."""
        now = self._clock.now()
        left, since = self._buckets.get(token, (float(self._burst), now))
        left = min(self._burst, left + (now - since) * self._hourly / HOUR)
        if left < 1:
            self._buckets[token] = (left, now)
            seconds = math.ceil((1 - left) * HOUR / self._hourly / 1000)
            raise ApiError(429, 429, "Too many requests", headers={"Retry-After": str(max(1, seconds))})
        self._buckets[token] = (left - 1, now)
