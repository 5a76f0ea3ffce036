"""The mirror: the fleet as last seen, one disposable file for all connections."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence

from mdm_tui.fleet.commands import Command
from mdm_tui.fleet.devices import Device, Value
from mdm_tui.fleet.policies import Policy

from . import mirror_apply, mirror_more, mirror_read
from .compile import View, relevant
from .files import BROKEN, Damaged, Source, trouble
from .mirror_apply import Changes
from .mirror_items import Items
from .mirror_more import Coverage
from .mirror_read import Counts, Row, Stored
from .mirror_twins import Twins
from .twin_compile import DISAGREEMENTS, TwinView
from .twins import TwinCounts, TwinRow, TwinSide

__all__ = [
    "DISAGREEMENTS",
    "Changes",
    "Counts",
    "Coverage",
    "Mirror",
    "Row",
    "Stored",
    "TwinCounts",
    "TwinRow",
    "TwinSide",
    "TwinView",
    "View",
]

_VIEWS_WATCHED = 8


class Mirror(Items, Twins):
    """What was last seen, by connection. Writes and long reads run in threads; every method may raise FleetError."""

    def __init__(self, source: Source, clock: Callable[[], float]) -> None:
        super().__init__(source, clock)
        self._walks: dict[tuple[str, int], float] = {}
        self._views: dict[str, deque[frozenset[str]]] = {}

    def first(self, view: View, limit: int) -> tuple[list[str], list[Row]]:
        """All ids of a view in order, and its first `limit` rows, at once: for the first frame and for tests."""
        self._watch(view.connection, relevant(view))
        generation = self._source.generation
        try:
            return self._first_rows(view, limit)
        except Damaged as error:
            self._rebuild(generation, error)
            return self._first_rows(view, limit)

    async def apply(self, connection: str, devices: Sequence[Device], *, at: float, walk: int | None) -> Changes:
        """Bring devices in, in one transaction. at: when they were asked for; walk: the running full walk, if any."""
        if walk is not None:
            key = (connection, walk)
            self._walks[key] = min(at, self._walks.get(key, at))
        watched = self._watched(connection)
        return await self._write(
            lambda conn: mirror_apply.apply(conn, connection, devices, at=at, watched=watched),
        )

    async def finish_walk(self, connection: str, walk: int) -> Changes:
        """A full walk met all there is: what two of them missed goes."""
        started = self._walks.pop((connection, walk), None)
        since = self._clock() if started is None else started
        return await self._write(lambda conn: mirror_apply.finish_walk(conn, connection, since))

    async def drop(self, connection: str, ids: Iterable[str]) -> Changes:
        """These are known to be gone."""
        wanted = list(ids)
        return await self._write(lambda conn: mirror_apply.drop(conn, connection, wanted))

    async def put_detail(self, connection: str, device: Device, at: float) -> Changes:
        """Bring one device's full view in; its JSON is kept beside the list's."""
        watched = self._watched(connection)
        return await self._write(
            lambda conn: mirror_apply.apply(conn, connection, [device], at=at, detail=True, watched=watched)
        )

    async def ids(self, view: View) -> list[str]:
        """The ids of a view in order. A newer call interrupts the running one, which raises `Interrupted`."""
        self._watch(view.connection, relevant(view))
        return await self._read(lambda conn: mirror_read.ids(conn, view), "ids")

    async def rows(self, connection: str, ids: Sequence[str]) -> dict[str, Row]:
        """A window of rows by id; what is not there is left out."""
        wanted = list(ids)
        return await self._read(lambda conn: mirror_read.rows(conn, connection, wanted))

    async def device(self, connection: str, device_id: str) -> Stored | None:
        """One device with its JSON text, None when it is not known."""
        return await self._read(lambda conn: mirror_read.device(conn, connection, device_id))

    async def find(self, connection: str, text: str) -> list[str]:
        """The ids meant by an id, a serial, or the beginning of either."""
        return await self._read(lambda conn: mirror_read.find(conn, connection, text))

    async def counts(self, view: View) -> Counts:
        """How many there are. A newer call interrupts the running one."""
        return await self._read(lambda conn: mirror_read.counts(conn, view), "counts")

    async def get_meta(self, connection: str, key: str) -> Value:
        """A note of the connection, None when it was never set."""
        return await self._read(lambda conn: mirror_more.get_meta(conn, connection, key))

    async def set_meta(self, connection: str, key: str, value: Value) -> None:
        """Keep a note of the connection."""
        await self._write(lambda conn: mirror_more.set_meta(conn, connection, key, value))

    async def apply_policies(self, connection: str, policies: Sequence[Policy], complete: bool, at: float) -> set[str]:
        """Bring policies in (complete: there are no others); the ids that are new, changed or gone."""
        return await self._write(lambda conn: mirror_more.apply_policies(conn, connection, policies, complete, at))

    async def policies(self, connection: str) -> list[Policy]:
        """All policies, by name."""
        return await self._read(lambda conn: mirror_more.policies(conn, connection))

    async def policy(self, connection: str, policy_id: str) -> Policy | None:
        """One policy."""
        return await self._read(lambda conn: mirror_more.policy(conn, connection, policy_id))

    async def drop_policy(self, connection: str, policy_id: str) -> None:
        """It is known to be gone."""
        await self._write(lambda conn: mirror_more.drop_policy(conn, connection, policy_id))

    async def apply_commands(self, connection: str, device_id: str, commands: Sequence[Command], at: float) -> set[str]:
        """Bring a device's commands in and note the look; the ids that are new or changed."""
        return await self._write(lambda conn: mirror_more.apply_commands(conn, connection, device_id, commands, at))

    async def commands(self, connection: str, device_id: str | None = None) -> list[Command]:
        """Commands seen at the service, of one device or of all, newest first."""
        return await self._read(lambda conn: mirror_more.commands(conn, connection, device_id))

    async def coverage(self, connection: str) -> Coverage:
        """For how many devices the commands are known."""
        return await self._read(lambda conn: mirror_more.coverage(conn, connection))

    def _watch(self, connection: str, fields: frozenset[str]) -> None:
        seen = self._views.setdefault(connection, deque(maxlen=_VIEWS_WATCHED))
        if fields not in seen:
            seen.append(fields)

    def _watched(self, connection: str) -> frozenset[str]:
        return frozenset().union(*self._views.get(connection, ()))

    def _first_rows(self, view: View, limit: int) -> tuple[list[str], list[Row]]:
        try:
            conn = self._connect()
            found = mirror_read.ids(conn, view)
            window = mirror_read.rows(conn, view.connection, found[:limit])
        except BROKEN as error:
            raise trouble(self._source.path, error) from error
        return found, [window[key] for key in found[:limit] if key in window]
