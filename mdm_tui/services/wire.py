"""Changes that are on the wire: sent, and not answered yet. What a connection that is left has to wait for."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from mdm_tui.fleet.provider import Capability

__all__ = ["OnWire", "Wired"]

# These keep their own books in the journal and end in their own way.
_JOURNALLED = frozenset({Capability.COMMANDS, Capability.DEVICE_REGISTER})


@dataclass(eq=False, slots=True)
class Wired:
    """One change. task: who waits for its answer. outcome: "" while there is none, then what came of it, in words."""

    capability: Capability | None
    task: asyncio.Task[Any] | None
    outcome: str = ""


class OnWire:
    """The changes of one connection that wait for their answers; those of the journal are not counted here."""

    def __init__(self) -> None:
        self._waiting: list[Wired] = []

    def begin(self, capability: Capability | None) -> Wired:
        """A change is about to be sent."""
        wired = Wired(capability, asyncio.current_task())
        if capability not in _JOURNALLED:
            self._waiting.append(wired)
        return wired

    def end(self, wired: Wired, outcome: str) -> None:
        """It was answered, or will not be."""
        wired.outcome = outcome
        if wired in self._waiting:
            self._waiting.remove(wired)

    @property
    def waiting(self) -> list[Wired]:
        return list(self._waiting)
