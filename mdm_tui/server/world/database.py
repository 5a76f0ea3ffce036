"""The world's SQLite file: schema, opening, helpers. One connection writes; other threads read by their own."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from .schema_units import SCHEMA_UNITS

SCHEMA_VERSION = 3
# The schema without the second registry: it is upgraded in place.
OLD_VERSION = 2

SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE person (
  id TEXT PRIMARY KEY, email TEXT NOT NULL, name TEXT NOT NULL, tags TEXT NOT NULL, language TEXT NOT NULL,
  department TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE provider (id TEXT PRIMARY KEY, name TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE application (
  id TEXT PRIMARY KEY, number INTEGER NOT NULL, package TEXT NOT NULL, title TEXT NOT NULL, slug TEXT NOT NULL,
  source TEXT NOT NULL, selector TEXT NOT NULL, app_id TEXT NOT NULL, build_id TEXT NOT NULL,
  version_name TEXT NOT NULL, version_code INTEGER NOT NULL, size INTEGER NOT NULL, revision INTEGER NOT NULL,
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE policy (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, segment_id INTEGER NOT NULL, expose INTEGER NOT NULL,
  version INTEGER NOT NULL, body TEXT NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE device (
  n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, segment_id INTEGER NOT NULL,
  tags TEXT NOT NULL, state TEXT NOT NULL, person_id TEXT, policy_id TEXT, assignments TEXT NOT NULL,
  effective_id TEXT, provider_id TEXT, has_push INTEGER NOT NULL, model INTEGER NOT NULL, serial TEXT NOT NULL,
  imei TEXT NOT NULL, mac TEXT NOT NULL, site INTEGER NOT NULL, habit INTEGER NOT NULL, rhythm INTEGER NOT NULL,
  history TEXT NOT NULL, created_at INTEGER NOT NULL, enrolled_at INTEGER, updated_at INTEGER NOT NULL,
  reported_at INTEGER, applied_id TEXT, applied_version INTEGER, applied_at INTEGER, applied_error TEXT,
  booted_at INTEGER NOT NULL, secured INTEGER NOT NULL);
-- With the state in them, pages far down the list are skipped to without touching the table.
CREATE INDEX device_updated ON device (updated_at, n, state);
CREATE INDEX device_created ON device (created_at, n, state);
CREATE INDEX device_reported ON device (reported_at, n, state);
CREATE INDEX device_name ON device (name, n, state);
CREATE INDEX device_state ON device (state, n);
CREATE INDEX device_segment ON device (segment_id, n);
CREATE INDEX device_person ON device (person_id, n);
CREATE INDEX device_policy ON device (policy_id, n);
CREATE INDEX device_effective ON device (effective_id, n);
CREATE TABLE device_tag (tag TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (tag, n)) WITHOUT ROWID;
CREATE INDEX device_tag_n ON device_tag (n);
CREATE TABLE happening (n INTEGER NOT NULL, at INTEGER NOT NULL, kind TEXT NOT NULL, detail TEXT NOT NULL);
CREATE INDEX happening_n ON happening (n, at);
CREATE TABLE command (
  id TEXT PRIMARY KEY, number INTEGER NOT NULL, n INTEGER NOT NULL, person_id TEXT, kind TEXT NOT NULL,
  params TEXT NOT NULL, status TEXT NOT NULL, push_id TEXT, results TEXT NOT NULL, created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL, sent_at INTEGER, delivered_at INTEGER, received_at INTEGER,
  expires_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX command_n ON command (n, created_at);
CREATE INDEX command_open ON command (status, n) WHERE status IN ('pending', 'received');
CREATE TABLE replay (
  scope TEXT NOT NULL, key TEXT NOT NULL, fingerprint TEXT NOT NULL, status INTEGER NOT NULL, body BLOB NOT NULL,
  at INTEGER NOT NULL, PRIMARY KEY (scope, key)) WITHOUT ROWID;
"""


class Database:
    """One SQLite file. `statements` counts what ran on the writing connection: tests count instead of timing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.statements = 0
        new = not path.exists()
        if new:
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        # Handlers run on the event loop's thread; tests open the world in one thread and serve it in another.
        self.connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._pragmas(self.connection)
        self.connection.execute("PRAGMA journal_mode=WAL")
        self.connection.execute("PRAGMA synchronous=NORMAL")
        self._depth = 0
        self._prepare()
        self._depth = 0

    @staticmethod
    def _pragmas(connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA busy_timeout=5000")
        connection.execute("PRAGMA cache_size=-32768")

    def _prepare(self) -> None:
        version = self.connection.execute("PRAGMA user_version").fetchone()[0]
        if version == SCHEMA_VERSION:
            return
        if version == OLD_VERSION:
            self.is_old = True
            return
        if version != 0:
            raise RuntimeError(
                f"{self.path}: the fleet was written by another version of the server "
                f"(schema {version}, this one reads {SCHEMA_VERSION}). Use another data folder."
            )
        # The schema and the fleet are written in one transaction (see seeding): half a fleet cannot be left behind.
        self.is_new = True

    is_new = False
    # Whether the tables of the second registry are missing.
    is_old = False

    def create(self) -> None:
        """Create the tables. Call inside `transaction`."""
        self._statements(SCHEMA)
        self.upgrade()
        self.is_new = False

    def upgrade(self) -> None:
        """Create what schema 2 has not. Call inside `transaction`."""
        self._statements(SCHEMA_UNITS)
        self.connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        self.is_old = False

    def _statements(self, text: str) -> None:
        for statement in text.split(";"):
            if statement.strip():
                self.connection.execute(statement)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; inner uses join the outer one."""
        if self._depth:
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
            return
        self.connection.execute("BEGIN IMMEDIATE")
        self._depth = 1
        try:
            yield
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        else:
            self.connection.execute("COMMIT")
        finally:
            self._depth = 0

    def run(self, sql: str, params: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Execute one statement."""
        self.statements += 1
        return self.connection.execute(sql, params)

    def many(self, sql: str, rows: Sequence[Sequence[Any]] | Iterator[Sequence[Any]]) -> None:
        """Execute one statement for each row."""
        self.statements += 1
        self.connection.executemany(sql, rows)

    def one(self, sql: str, params: Sequence[Any] = ()) -> Any:
        """The first row, or None."""
        return self.run(sql, params).fetchone()

    def all(self, sql: str, params: Sequence[Any] = ()) -> list[Any]:
        """All rows."""
        return self.run(sql, params).fetchall()

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A read-only connection for work in another thread."""
        connection = sqlite3.connect(f"{self.path.as_uri()}?mode=ro", uri=True)
        try:
            self._pragmas(connection)
            yield connection
        finally:
            connection.close()

    def meta(self, key: str) -> str | None:
        """What is kept under a name of the fleet's own, or None."""
        row = self.one("SELECT value FROM meta WHERE key=?", (key,))
        return row[0] if row else None

    def set_meta(self, key: str, value: str) -> None:
        """Keep a text under a name."""
        self.run("INSERT INTO meta VALUES (?,?) ON CONFLICT (key) DO UPDATE SET value=excluded.value", (key, value))

    def close(self) -> None:
        """Close the file."""
        self.connection.close()
