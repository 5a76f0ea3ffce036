"""The mirror's groups, apps, images, rollouts and segments, and who belongs to which group."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import TypeVar

from mdm_tui.fleet.devices import Value
from mdm_tui.fleet.groups import Group

from . import item_rows, members, mirror_read
from .mirror_apply import Changes, number_of
from .mirror_file import MirrorFile

__all__ = ["Items"]

T = TypeVar("T")


class Items(MirrorFile):
    """Items of a kind: `Group`, `CatalogueApp`, `Image`, `Rollout`, `Segment`. They come back equal to what was given.

    Ids are text here, a segment's number too.
    """

    async def apply_items(
        self, connection: str, kind: type[T], items: Iterable[T], complete: bool, at: float
    ) -> set[str]:
        """Bring items in (complete: there are no others); the ids that are new, changed or gone.

        at: when they were asked for: an answer that is older than what is held changes nothing. What became of a
        group's members only `apply_groups` tells.
        """
        found = list(items)
        if kind is Group:
            return (await self.apply_groups(connection, found, complete, at))[0]  # type: ignore[arg-type]

        def work(conn: sqlite3.Connection) -> set[str]:
            touched, gone = item_rows.apply_items(conn, number_of(conn, connection), kind, found, complete, at)
            return touched | gone

        return await self._write(work)

    async def apply_groups(
        self, connection: str, groups: Iterable[Group], complete: bool, at: float
    ) -> tuple[set[str], Changes]:
        """As `apply_items`; the members of a renamed group get its name, those of one that is gone have none."""
        found = list(groups)
        watched = self._watched(connection)

        def work(conn: sqlite3.Connection) -> tuple[set[str], Changes]:
            number = number_of(conn, connection)
            touched, gone = item_rows.apply_items(conn, number, Group, found, complete, at)
            return touched | gone, members.follow(conn, number, touched, gone, watched)

        return await self._write(work)

    async def items(self, connection: str, kind: type[T], *, raw: bool = True) -> list[T]:
        """All of a kind, by name. raw False leaves `raw` at its default, for lists of large documents."""
        return await self._read(lambda conn: item_rows.items(conn, connection, kind, raw=raw))

    async def item(self, connection: str, kind: type[T], item_id: str) -> T | None:
        """One of a kind, None when it is not known."""
        return await self._read(lambda conn: item_rows.item(conn, connection, kind, item_id))

    async def listed_at(self, connection: str, kind: type) -> float | None:
        """When all of a kind were last asked for, epoch seconds; None before."""
        return await self._read(lambda conn: item_rows.listed_at(conn, connection, kind))

    async def drop_item(self, connection: str, kind: type, item_id: str) -> Changes:
        """It is known to be gone. A group's members belong to none then, which is what is answered."""
        watched = self._watched(connection)

        def work(conn: sqlite3.Connection) -> Changes:
            item_rows.drop_item(conn, connection, kind, item_id)
            if kind is not Group:
                return Changes()
            return members.follow(conn, number_of(conn, connection), (), (item_id,), watched)

        return await self._write(work)

    async def apply_members(
        self, connection: str, group_id: str, group_name: str, device_ids: Iterable[str], complete: bool, at: float
    ) -> Changes:
        """These devices are directly in the group (complete: no others are). at: when that was asked for.

        A membership that was learnt later stays. Devices that the mirror does not hold are passed over.
        """
        wanted = list(device_ids)
        watched = self._watched(connection)
        return await self._write(
            lambda conn: members.apply_members(
                conn, number_of(conn, connection), group_id, group_name, wanted, complete, at, watched
            )
        )

    async def settle_members(self, connection: str, at: float) -> list[str]:
        """Every group was read: devices that none of them named are in none. The ids of those just learnt so."""

        def work(conn: sqlite3.Connection) -> list[str]:
            found = conn.execute(
                "UPDATE device SET member_at = ? WHERE conn = ? AND member_at IS NULL AND f_groupid IS NULL "
                "AND at <= ? RETURNING id",
                (at, number_of(conn, connection), at),
            ).fetchall()
            return [row[0] for row in found]

        return await self._write(work)

    async def facts(
        self, connection: str, fields: Iterable[str], only: Iterable[str] | None = None
    ) -> dict[str, tuple[Value, ...]]:
        """Some columns of many devices: id → their values in that order. only: no others than these ids."""
        names, ids = tuple(fields), None if only is None else list(only)
        return await self._read(lambda conn: mirror_read.facts(conn, connection, names, ids))

    async def present_since(self, connection: str, since: float) -> frozenset[str]:
        """Ids of the devices that the service listed at or after a moment (epoch seconds)."""
        return await self._read(lambda conn: mirror_read.present_since(conn, connection, since))
