"""Several connections as one list: devices joined by serial number, each row with all its sources."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from mdm_tui.fleet.devices import DeviceKey, Segment
from mdm_tui.fleet.errors import FleetError
from mdm_tui.fleet.provider import Capability
from mdm_tui.store.mirror import TwinCounts, TwinRow, TwinView

from .events import DevicesChanged

if TYPE_CHECKING:
    from mdm_tui.store.mirror import Mirror

    from .session import Session

__all__ = ["Twins"]


class Twins:
    """Views over the sessions that are open at the moment and share one mirror.

    sessions: those sessions, their stores open, in the order in which their sides are shown; one with a mirror of
    its own is left out. trouble: by connection, why its groups are not compared, as a sentence.
    """

    def __init__(self, sessions: Callable[[], Sequence[Session]]) -> None:
        self.trouble: dict[str, str] = {}
        self._sessions = sessions
        self._learnt: weakref.WeakSet[Session] = weakref.WeakSet()

    @property
    def sessions(self) -> tuple[Session, ...]:
        """Those that share the first one's mirror."""
        found = self._sessions()
        return tuple(session for session in found if session.mirror is found[0].mirror)

    @property
    def connections(self) -> tuple[str, ...]:
        """Their scopes."""
        return tuple(dict.fromkeys(session.scope for session in self.sessions))

    def view(
        self,
        *,
        words: tuple[str, ...] = (),
        sort: tuple[tuple[str, bool], ...] = (("name", False),),
        differs_only: bool = False,
        only_in: str = "",
        only: tuple[str, ...] | None = None,
    ) -> TwinView:
        """A view of all of them, now; see `TwinView`."""
        sessions = self.sessions
        now = sessions[0].clock.now() if sessions else 0.0
        return TwinView(self.connections, words, sort, differs_only, only_in, now, only)

    async def ids(self, view: TwinView) -> list[str]:
        """The keys of a view in order; a newer call interrupts the running one. Raises `FleetError`."""
        mirror = self._mirror()
        return [] if mirror is None else await mirror.twin_ids(view)

    async def rows(self, view: TwinView, keys: Sequence[str]) -> dict[str, TwinRow]:
        """A window of the view's rows; a key that is none any more is left out."""
        mirror = self._mirror()
        return {} if mirror is None else await mirror.twin_rows(view.connections, keys)

    async def counts(self, view: TwinView) -> TwinCounts:
        """How many there are, match, and disagree in what."""
        mirror = self._mirror()
        return TwinCounts(0, 0, 0, 0, {}, {}) if mirror is None else await mirror.twin_counts(view)

    async def of(self, device: DeviceKey) -> list[DeviceKey]:
        """The same device in the other connections; none where its serial number can join nothing."""
        mirror = self._mirror()
        others = [scope for scope in self.connections if scope != device.connection]
        return [] if mirror is None else await mirror.twins_of(device.connection, device.id, others)

    async def learn(self, *, again: bool = False) -> None:
        """Read each session's segments into the mirror, once: their names are what a group is compared with.

        Raises nothing of the service's: a failure is a sentence in `trouble`. again: also those that were read, or
        failed, before.
        """
        wanted = [
            session
            for session in self.sessions
            if (again or session not in self._learnt) and session.can(Capability.SEGMENTS)
        ]
        # Before the first answer, so that a second call meanwhile asks nobody twice.
        self._learnt.update(wanted)
        try:
            await asyncio.gather(*map(self._read_segments, wanted))
        except asyncio.CancelledError:
            self._learnt.difference_update(wanted)
            raise

    async def _read_segments(self, session: Session) -> None:
        scope, mirror = session.scope, session.mirror
        try:
            at = session.clock.now()
            touched = await mirror.apply_items(scope, Segment, await session.devices.segments(), True, at)
        except FleetError as error:
            self.trouble[scope] = (
                f"The segments of {session.connection.name} could not be read, so {await _without(mirror, scope)}. "
                f"{error.sentence()}"
            )
            return
        self.trouble.pop(scope, None)
        if touched:
            session.hub.publish(DevicesChanged(scope, frozenset(), frozenset(("segment",)), moved=True))

    def _mirror(self) -> Mirror | None:
        sessions = self.sessions
        return sessions[0].mirror if sessions else None


async def _without(mirror: Mirror, scope: str) -> str:
    try:
        held = await mirror.items(scope, Segment)
    except FleetError:
        held = []
    return "groups are compared by the names of an earlier look" if held else "its groups are not compared"
