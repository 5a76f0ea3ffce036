"""The mirror's view of several connections at once."""

from __future__ import annotations

from collections.abc import Sequence

from mdm_tui.fleet.devices import DeviceKey

from . import twin_compile, twins
from .mirror_file import MirrorFile
from .twin_compile import TwinView
from .twins import TwinCounts, TwinRow

__all__ = ["Twins"]


class Twins(MirrorFile):
    """Devices joined by serial number. All is computed from the devices; nothing of it is kept."""

    async def twin_ids(self, view: TwinView) -> list[str]:
        """The keys of a view in order. A newer call interrupts the running one, which raises `Interrupted`."""
        for scope in view.connections:
            self._watch(scope, twin_compile.relevant(view))
        return await self._read(lambda conn: twins.ids(conn, view), "twin ids")

    async def twin_rows(self, connections: Sequence[str], keys: Sequence[str]) -> dict[str, TwinRow]:
        """A window of rows by key; what is no key any more is left out."""
        scopes, wanted = tuple(connections), list(keys)
        return await self._read(lambda conn: twins.rows(conn, scopes, wanted))

    async def twin_counts(self, view: TwinView) -> TwinCounts:
        """How many there are. A newer call interrupts the running one."""
        return await self._read(lambda conn: twins.counts(conn, view), "twin counts")

    async def twins_of(self, connection: str, device_id: str, others: Sequence[str]) -> list[DeviceKey]:
        """The same device in other connections; none where its serial number can join nothing."""
        scopes = tuple(others)
        return await self._read(lambda conn: twins.twins_of(conn, connection, device_id, scopes))
