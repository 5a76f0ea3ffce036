"""Who may write: a production connection is locked until a person arms it for a while, by typing its name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from mdm_tui.fleet.errors import FleetError, Kind, Sent

from .clock import Clock

if TYPE_CHECKING:
    from mdm_tui.config.connections import Connection

__all__ = ["CHOICES", "IDLE", "MINUTES", "Arming"]

MINUTES: Final = 10
"""Minutes for which a connection is armed where nobody says another time."""
CHOICES: Final = (5, 10, 30, 60)
IDLE: Final = 600.0
"""Seconds without a key after which it locks by itself."""


@dataclass(frozen=True, slots=True)
class _Moment:
    now: float
    monotonic: float


class Arming:
    """Whether changes may be sent on one connection. Locked at the start; it lives in memory only.

    Time is taken from both clocks and the one that says more counts: a machine that slept wakes up locked, and a
    clock that is set back lengthens nothing.
    """

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock
        self._began: _Moment | None = None
        self._touched = self._moment()
        self._seconds = 0.0
        self._ended = ""
        self._closed = False

    def arm(self, typed: str, minutes: float = MINUTES) -> None:
        """Unlock for so many minutes. typed: the connection's name. Raises `FleetError` when it may not be."""
        name = self._connection.name
        if self._connection.read_only:
            raise FleetError(Kind.READ_ONLY, "Not armed", sent=Sent.NEVER)
        if self._closed:
            raise self._over("Not armed")
        if not self._connection.production:
            raise self._invalid(f"{name} is not a production connection", "Changes need no arming here.")
        if minutes not in CHOICES:
            allowed = ", ".join(map(str, CHOICES[:-1]))
            raise self._invalid("Not armed: no such time", f"Give {allowed} or {CHOICES[-1]} minutes.")
        if typed.strip() != name:
            raise self._invalid("Not armed: that is not the connection's name", f"Type {name}.")
        self._began = self._touched = self._moment()
        self._seconds = minutes * 60.0
        self._ended = ""

    def lock(self) -> None:
        """Lock now; may be called from any thread and from a signal handler."""
        self._began = None

    def close(self) -> None:
        """Lock for good: the connection ends, production or not."""
        self._closed = True
        self.lock()

    def touch(self) -> None:
        """A key was pressed: somebody is there. It does not bring back what has locked already."""
        if self.armed:
            self._touched = self._moment()

    @property
    def armed(self) -> bool:
        """Whether a production connection is unlocked at this moment."""
        began = self._began
        if began is None:
            return False
        if self._since(began) >= self._seconds:
            self._end("its time is over")
        elif self._since(self._touched) >= IDLE:
            self._end(f"no key for {IDLE / 60:.0f} minutes")
        return self._began is not None

    @property
    def locked(self) -> bool:
        """Whether changes are refused for want of arming; on a connection that is not production only at its end."""
        return self._closed or (self._connection.production and not self.armed)

    def left(self) -> float:
        """Seconds until it locks; 0 when it is not armed. Idleness counts in its last minute only."""
        began = self._began
        if began is None or not self.armed:
            return 0.0
        idle = IDLE - self._since(self._touched)
        left = self._seconds - self._since(began)
        return min(left, idle) if idle < 60 else left

    def ended(self) -> str:
        """That it has locked by itself, as a sentence, once; else ""."""
        _settle = self.armed
        said, self._ended = self._ended, ""
        return said

    def reason(self) -> str:
        """Why nothing may be changed, in a word; "" when it may be."""
        if self._connection.read_only:
            return "READ-ONLY"
        return "CLOSED" if self._closed else "LOCKED" if self.locked else ""

    def need(self, what: str = "Nothing was sent") -> None:
        """Raise `FleetError` READ_ONLY, sent NEVER, unless changes may be sent now. what: how its sentence begins."""
        if self._connection.read_only:
            raise FleetError(Kind.READ_ONLY, what, sent=Sent.NEVER)
        if self._closed:
            raise self._over(what)
        if self.locked:
            raise FleetError(Kind.READ_ONLY, f"{what}: {self.why()}", sent=Sent.NEVER, todo="Press A to arm it.")

    def why(self) -> str:
        """What LOCKED means here, as a half sentence."""
        return f"{self._connection.name} is production and LOCKED"

    def _end(self, why: str) -> None:
        self._began = None
        self._ended = f"{self._connection.name} is LOCKED again: {why}."

    def _moment(self) -> _Moment:
        return _Moment(self._clock.now(), self._clock.monotonic())

    def _since(self, moment: _Moment) -> float:
        return max(self._clock.now() - moment.now, self._clock.monotonic() - moment.monotonic)

    def _over(self, what: str) -> FleetError:
        what = f"{what}: {self._connection.name} is closed"
        return FleetError(Kind.REFUSED, what, sent=Sent.NEVER, todo="Open it again first.")

    @staticmethod
    def _invalid(what: str, todo: str) -> FleetError:
        return FleetError(Kind.INVALID, what, sent=Sent.NEVER, todo=todo)
