"""The tables of mirror.db. They follow the field registry; when it changes the mirror is simply built again."""

from __future__ import annotations

import hashlib
import sqlite3
from dataclasses import fields

from mdm_tui.fleet.commands import Command
from mdm_tui.fleet.fields import COLUMNS
from mdm_tui.fleet.policies import Policy

from .item_rows import ITEM_TABLES, LAYOUT
from .keys import SEARCHED, SORT_KEYS

__all__ = ["FINGERPRINT", "build", "is_current"]

# Raised when rows are made otherwise from the same values (keys that sort, search and join) or tables change.
_LAYOUT = 5

_FIELDS = "".join(f", f_{key}" for key in COLUMNS)
_SORTS = "".join(f", s_{key} TEXT" for key in SORT_KEYS)


def _names(kind: type) -> str:
    # A column for each attribute of a word of the field: a new one needs no change here.
    return ", ".join(item.name for item in fields(kind))


# No type on the `f_` columns: a value comes back with the type it was given.
_TABLES = (
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID",
    "CREATE TABLE connection(n INTEGER PRIMARY KEY, scope TEXT NOT NULL UNIQUE)",
    "CREATE TABLE note(conn INTEGER NOT NULL, key TEXT NOT NULL, value, PRIMARY KEY (conn, key)) WITHOUT ROWID",
    f"""CREATE TABLE device(
        k INTEGER PRIMARY KEY, conn INTEGER NOT NULL, id TEXT NOT NULL, at REAL NOT NULL, present_at REAL NOT NULL,
        missed INTEGER NOT NULL DEFAULT 0, unreadable TEXT NOT NULL DEFAULT '', problem INTEGER NOT NULL DEFAULT 0,
        raw_hash BLOB, member_at REAL, serial_key TEXT, said_name TEXT,
        search TEXT NOT NULL DEFAULT ''{_SORTS}{_FIELDS},
        UNIQUE (conn, id))""",
    # The default order, with all that the usual filters look at: such a view never touches the table.
    "CREATE INDEX device_name ON device(conn, s_name, id, problem, f_seen, f_segment, search)",
    # In the order of the serial numbers, so that joining connections by them sorts nothing; with what it looks at.
    """CREATE INDEX device_twin ON device(
        serial_key, conn, id, s_name, said_name, f_seen, s_os, s_build, s_group, f_segment, search)""",
    "CREATE INDEX device_group ON device(conn, f_groupid) WHERE f_groupid IS NOT NULL",
    "CREATE TABLE raw(k INTEGER PRIMARY KEY, list BLOB, detail BLOB, detail_at REAL)",
    f"CREATE TABLE policy(conn INTEGER NOT NULL, at REAL NOT NULL, {_names(Policy)}, PRIMARY KEY (conn, id))",
    f"""CREATE TABLE command(conn INTEGER NOT NULL, at REAL NOT NULL, {_names(Command)},
        PRIMARY KEY (conn, device_id, id))""",
    "CREATE INDEX command_newest ON command(conn, created_at)",
    # When a device's commands were last looked at, also when there were none.
    """CREATE TABLE look(conn INTEGER NOT NULL, device_id TEXT NOT NULL, at REAL NOT NULL,
        PRIMARY KEY (conn, device_id)) WITHOUT ROWID""",
    *ITEM_TABLES,
)

FINGERPRINT = hashlib.sha256(
    repr((_LAYOUT, _TABLES, LAYOUT, SEARCHED, [(key, field.kind) for key, field in COLUMNS.items()])).encode()
).hexdigest()


def is_current(conn: sqlite3.Connection) -> bool:
    """Whether the file has exactly these tables."""
    try:
        row = conn.execute("SELECT value FROM meta WHERE key = 'fingerprint'").fetchone()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_ERROR:
            raise
        return False
    return row is not None and row[0] == FINGERPRINT


def build(conn: sqlite3.Connection) -> None:
    """Make the tables, in place of whatever was there: nothing in a mirror is worth a migration.

    In one transaction rather than with a new file, because another console may have this one open.
    """
    conn.execute("BEGIN IMMEDIATE")
    try:
        if not is_current(conn):
            found = conn.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
            for (name,) in found.fetchall():
                quoted = name.replace('"', '""')
                conn.execute(f'DROP TABLE "{quoted}"')
            for sql in _TABLES:
                conn.execute(sql)
            conn.execute("INSERT INTO meta VALUES ('fingerprint', ?)", (FINGERPRINT,))
        conn.execute("COMMIT")
    except BaseException:
        if conn.in_transaction:
            conn.execute("ROLLBACK")
        raise
