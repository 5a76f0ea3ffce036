"""The mirror orders answers by when they were asked for. A clock that is set back must not make all new ones late."""

from __future__ import annotations

import sqlite3

__all__ = ["is_ahead", "set_back"]

# Older than anybody takes for a look of now, and newer than what makes a walk forget it.
_BEFORE = 120.0
_TIMES = (
    ("device", ("at", "member_at")),
    ("raw", ("detail_at",)),
    ("policy", ("at",)),
    ("command", ("at",)),
    ("look", ("at",)),
    ("item", ("at",)),
    ("item_list", ("at",)),
)


def is_ahead(conn: sqlite3.Connection, now: float) -> bool:
    """Whether something was kept by a clock that was ahead of `now` (epoch seconds); it looks at a few rows."""
    listed = conn.execute("SELECT 1 FROM item_list WHERE at > ? LIMIT 1", (now,)).fetchone()
    return bool(listed) or any(
        at > now for (at,) in conn.execute("SELECT at FROM device ORDER BY k LIMIT 100").fetchall()
    )


def set_back(conn: sqlite3.Connection, now: float) -> None:
    """Whatever is later than now was asked for by `now` at the latest: answers to come are newer."""
    for table, columns in _TIMES:
        for column in columns:
            conn.execute(f"UPDATE {table} SET {column} = ? WHERE {column} > ?", (now, now))
    conn.execute("UPDATE device SET present_at = ? WHERE present_at > ?", (now - _BEFORE, now))
