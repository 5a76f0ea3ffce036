"""Which answer about a device is the newest: a late one never overwrites a newer one."""

from __future__ import annotations

__all__ = ["Versions"]

_KEPT = 2_000


class Versions:
    """Numbers for requests, and the highest one that was stored for a device.

    Only devices read one by one are kept: pages come in order among themselves.
    """

    def __init__(self) -> None:
        self._last = 0
        self._stored: dict[str, int] = {}

    def next(self) -> int:
        """The number of a request that starts now."""
        self._last += 1
        return self._last

    def take(self, device_id: str, version: int) -> bool:
        """Whether an answer to request `version` may be stored; then it is what later ones are compared with."""
        if version < self._stored.get(device_id, 0):
            return False
        self._stored.pop(device_id, None)
        self._stored[device_id] = version
        if len(self._stored) > _KEPT:
            del self._stored[next(iter(self._stored))]
        return True

    def stale(self, device_id: str, version: int) -> bool:
        """Whether something newer than request `version` is stored."""
        return version < self._stored.get(device_id, 0)
