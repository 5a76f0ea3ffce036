"""What the app keeps of each connection that is open: its segment, its counted numbers, how old its rows were."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textual.app import App

    from mdm_tui.fleet.provider import Scope
    from mdm_tui.services.session import Session
    from mdm_tui.store.mirror import View
    from mdm_tui.tui.bridge import Bridge
    from mdm_tui.tui.screens.base import FleetScreen

    _Base = App[int]
else:
    _Base = object

__all__ = ["Kept", "Narrowed"]


@dataclass(frozen=True, slots=True)
class Narrowed:
    """The part of a fleet that is looked at. ids: its segments, () for all; scope: as the service asks."""

    ids: tuple[int, ...] = ()
    name: str = ""
    scope: Scope | None = None


class Kept(_Base):
    """Mixed into the app below `Fleets`, which has the sessions."""

    if TYPE_CHECKING:
        now: Callable[[], float]
        _bridges: dict[str, Bridge]
        _narrowed: dict[str, Narrowed]
        _last_known: dict[str, float]

        @property
        def session(self) -> Session: ...
        def fleet_screens(self) -> Iterator[FleetScreen]: ...

    def narrowed(self, session: Session) -> Narrowed:
        """The segment that a connection is narrowed to."""
        return self._narrowed.get(session.connection.name, Narrowed())

    def narrow(self, session: Session, narrowed: Narrowed) -> None:
        """Narrow a connection to a segment; its screens follow."""
        self._narrowed[session.connection.name] = narrowed
        for screen in self.fleet_screens():
            if screen.session is session:
                screen.narrowed_anew()
        self.count_again(session)

    @property
    def segment_name(self) -> str:
        """The name of the segment that is looked at, "" for all of it."""
        return self.narrowed(self.session).name

    def last_known(self, session: Session) -> float | None:
        """How old the mirror was when the session was opened; None where it had nothing."""
        return self._last_known.get(session.connection.name)

    def note_last_known(self, session: Session, at: float | None) -> None:
        """Remember it, once."""
        if at is not None:
            self._last_known.setdefault(session.connection.name, at)

    def tally_of(self, session: Session) -> Any:
        """The counted numbers of a session, None before its start."""
        bridge = self._bridges.get(session.connection.name)
        return bridge.tally if bridge else None

    def fleet_total(self, session: Session) -> int | None:
        """How many devices a session knows, None while that has not been counted."""
        tally = self.tally_of(session)
        return tally.devices if tally else None

    def whole_fleet(self, session: Session) -> View:
        """The view of everything in a session, or in the segment that it is narrowed to."""
        from mdm_tui.store.mirror import View

        return View(session.scope, now=self.now(), segment=self.narrowed(session).ids)

    def count_again(self, session: Session) -> None:
        """Count the devices of a session soon."""
        if tally := self.tally_of(session):
            tally.want("devices")
