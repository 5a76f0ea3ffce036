"""The history: reports that differ, drafts of edits, earlier versions of policies. It cannot be rebuilt."""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from mdm_tui.fleet.devices import Device
from mdm_tui.fleet.policies import Policy

from .files import Source, open_kept
from .keys import storable
from .mirror_apply import pack, unpack
from .threads import Writer

__all__ = ["Draft", "History", "PolicyVersion"]

T = TypeVar("T")

REPORTS_KEPT = 200
VERSIONS_KEPT = 20

STEPS: tuple[Any, ...] = (
    (
        """CREATE TABLE report(
            connection TEXT NOT NULL, device_id TEXT NOT NULL, at REAL NOT NULL, sha256 TEXT NOT NULL,
            body BLOB NOT NULL, PRIMARY KEY (connection, device_id, at))""",
        """CREATE TABLE draft(
            connection TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, base TEXT NOT NULL, mine TEXT NOT NULL,
            at REAL NOT NULL, PRIMARY KEY (connection, kind, id))""",
        """CREATE TABLE policy_version(
            connection TEXT NOT NULL, policy_id TEXT NOT NULL, at REAL NOT NULL, version INTEGER, sha256 TEXT NOT NULL,
            body BLOB NOT NULL, PRIMARY KEY (connection, policy_id, at))""",
    ),
)


@dataclass(frozen=True, slots=True)
class Draft:
    """An edit that was not saved. kind: what is edited (`policy`, `device`); id: "" for a new one.

    base: the JSON text that it began from, "" for a new one; mine: the text as it stands. at: epoch seconds.
    """

    connection: str
    kind: str
    id: str
    base: str
    mine: str
    at: float


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """A policy as the service once held it. at: when it was first seen, epoch seconds."""

    at: float
    version: int | None
    sha: str
    raw: str


class History:
    """Everything runs in one thread, in order, and may raise FleetError."""

    def __init__(self, source: Source, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._writer = Writer(source, "history")

    @classmethod
    def open(cls, path: Path, clock: Callable[[], float] = time.time) -> History:
        """Open, make or upgrade the file. A damaged, foreign or newer one is refused and left as it is (CONFIG)."""
        source = open_kept(path, "history", STEPS, "FULL")
        return cls(source, clock)

    def close(self) -> None:
        """Finish what is queued and join the thread."""
        self._writer.close()

    async def report(self, connection: str, device: Device, at: float) -> bool:
        """Keep a device's JSON text if it differs from the one before it; the last 200 of a device. True: kept."""

        def keep(conn: sqlite3.Connection) -> bool:
            key = (connection, device.id)
            if not _put(conn, "report", "device_id", key, at, device.raw):
                return False
            _prune(conn, "report", "device_id", key, REPORTS_KEPT)
            return True

        return await self._writer.do(keep, keep=True)

    async def reports(self, connection: str, device_id: str) -> list[tuple[float, str]]:
        """When a device's report was different, and its SHA-256; newest first."""
        sql = "SELECT at, sha256 FROM report WHERE connection = ? AND device_id = ? ORDER BY at DESC"
        return await self._writer.read(lambda conn: conn.execute(sql, (connection, device_id)).fetchall())

    async def report_at(self, connection: str, device_id: str, at: float) -> tuple[float, str] | None:
        """The report that held at a time: when it was first seen, and its JSON text; None for before the first."""
        sql = "SELECT at, body FROM report WHERE connection = ? AND device_id = ? AND at <= ? ORDER BY at DESC LIMIT 1"
        row = await self._writer.read(lambda conn: conn.execute(sql, (connection, device_id, at)).fetchone())
        return (row[0], unpack(row[1])) if row else None

    async def put_draft(self, draft: Draft) -> None:
        """Keep a draft in place of an earlier one of the same thing; written even if the caller is cancelled."""
        row = tuple(
            storable(value) for value in (draft.connection, draft.kind, draft.id, draft.base, draft.mine, draft.at)
        )
        await self._writer.do(
            lambda conn: conn.execute("INSERT OR REPLACE INTO draft VALUES (?, ?, ?, ?, ?, ?)", row).rowcount, keep=True
        )

    async def draft(self, connection: str, kind: str, draft_id: str) -> Draft | None:
        """One draft."""
        sql = f"{_DRAFT} WHERE connection = ? AND kind = ? AND id = ?"
        row = await self._writer.read(lambda conn: conn.execute(sql, (connection, kind, draft_id)).fetchone())
        return Draft(*row) if row else None

    async def drafts(self, connection: str) -> list[Draft]:
        """All of a connection, newest first."""
        sql = f"{_DRAFT} WHERE connection = ? ORDER BY at DESC, kind, id"
        return [
            Draft(*row) for row in await self._writer.read(lambda conn: conn.execute(sql, (connection,)).fetchall())
        ]

    async def drop_draft(self, connection: str, kind: str, draft_id: str) -> None:
        """It was saved or given up."""
        sql = "DELETE FROM draft WHERE connection = ? AND kind = ? AND id = ?"
        await self._writer.do(lambda conn: conn.execute(sql, (connection, kind, draft_id)).rowcount, keep=True)

    async def policy_version(self, connection: str, policy: Policy, at: float) -> bool:
        """Keep a policy's document if it differs from the one before it; the last 20 of a policy. True: kept."""

        def keep(conn: sqlite3.Connection) -> bool:
            key = (connection, policy.id)
            if not _put(conn, "policy_version", "policy_id", key, at, policy.raw, policy.version):
                return False
            _prune(conn, "policy_version", "policy_id", key, VERSIONS_KEPT)
            return True

        return await self._writer.do(keep, keep=True)

    async def policy_versions(self, connection: str, policy_id: str) -> list[PolicyVersion]:
        """Earlier documents of a policy, newest first."""
        sql = (
            "SELECT at, version, sha256, body FROM policy_version WHERE connection = ? AND policy_id = ? "
            "ORDER BY at DESC"
        )
        rows = await self._writer.read(lambda conn: conn.execute(sql, (connection, policy_id)).fetchall())
        return [PolicyVersion(row[0], row[1], row[2], unpack(row[3])) for row in rows]


_DRAFT = "SELECT connection, kind, id, base, mine, at FROM draft"


def _put(
    conn: sqlite3.Connection, table: str, name: str, key: tuple[str, str], at: float, raw: str, *more: object
) -> bool:
    sha = hashlib.sha256(raw.encode("utf-8", "backslashreplace")).hexdigest()
    last = conn.execute(
        f"SELECT sha256 FROM {table} WHERE connection = ? AND {name} = ? AND at <= ? ORDER BY at DESC LIMIT 1",
        (*key, at),
    ).fetchone()
    if last is not None and last[0] == sha:
        return False
    columns = f"connection, {name}, at, sha256, body" + (", version" if more else "")
    marks = ", ".join("?" * (5 + len(more)))
    conn.execute(f"INSERT OR REPLACE INTO {table}({columns}) VALUES ({marks})", (*key, at, sha, pack(raw), *more))
    return True


def _prune(conn: sqlite3.Connection, table: str, name: str, key: tuple[str, str], kept: int) -> None:
    conn.execute(
        f"DELETE FROM {table} WHERE connection = ? AND {name} = ? AND at NOT IN "
        f"(SELECT at FROM {table} WHERE connection = ? AND {name} = ? ORDER BY at DESC LIMIT ?)",
        (*key, *key, kept),
    )
