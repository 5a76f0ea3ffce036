"""Groups, apps, images, rollouts and segments in the mirror: one table, because nothing but id and name is asked of it.

What an item is made of is kept as JSON, compressed, with the service's own text beside it. A digest of both tells
whether anything changed, so that a list of 500 rollouts of a megabyte each is compared without being read.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

from mdm_tui.fleet.catalogue import CatalogueApp, Image
from mdm_tui.fleet.devices import Segment
from mdm_tui.fleet.groups import Group
from mdm_tui.fleet.rollouts import Rollout, RolloutApp

from .compile import CONN
from .keys import sort_key, storable

__all__ = ["ITEM_TABLES", "KINDS", "LAYOUT", "apply_items", "drop_item", "item", "items", "listed_at"]

T = TypeVar("T")

KINDS: dict[type, str] = {
    Group: "group",
    CatalogueApp: "app",
    Image: "image",
    Rollout: "rollout",
    Segment: "segment",
}
# What may stand inside an item.
_INNER: dict[str, type] = {"RolloutApp": RolloutApp}
_NAMES: dict[type, tuple[str, ...]] = {
    kind: tuple(part.name for part in fields(kind)) for kind in (*KINDS, *_INNER.values())
}
# When this changes, bodies that were written before cannot be read.
LAYOUT = sorted((kind.__name__, names) for kind, names in _NAMES.items())

ITEM_TABLES = (
    """CREATE TABLE item(conn INTEGER NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, at REAL NOT NULL, updated_at REAL,
        digest BLOB NOT NULL, name TEXT NOT NULL, s_name TEXT, body BLOB NOT NULL, raw BLOB,
        PRIMARY KEY (conn, kind, id))""",
    # When a kind was last asked for as a whole.
    """CREATE TABLE item_list(conn INTEGER NOT NULL, kind TEXT NOT NULL, at REAL NOT NULL, PRIMARY KEY (conn, kind))
        WITHOUT ROWID""",
)
_COLUMNS = "conn, kind, id, at, updated_at, digest, name, s_name, body, raw"


def apply_items(
    conn: sqlite3.Connection, number: int, kind: type[T], found: Iterable[T], complete: bool, at: float
) -> tuple[set[str], set[str]]:
    """Bring items in; complete: there are no others. Answers the ids that are new or changed, and those gone.

    at: when the answer was asked for. One that is older than what is held, by the service's `updated_at` where both
    name it, else by `at`, overwrites nothing and takes nothing away. Rows that say the same stay unwritten.
    """
    word = KINDS[kind]
    listed = conn.execute("SELECT at FROM item_list WHERE conn = ? AND kind = ?", (number, word)).fetchone()
    since = listed[0] if listed else at
    held = {
        row[0]: row[1:]
        for row in conn.execute(
            "SELECT id, at, updated_at, digest FROM item WHERE conn = ? AND kind = ?", (number, word)
        ).fetchall()
    }
    latest = {str(storable(str(one.id))): one for one in found}  # type: ignore[attr-defined]
    touched: set[str] = set()
    for key, one in latest.items():
        body, raw = _packed(one)
        digest = hashlib.blake2b(body, digest_size=16)
        digest.update(b"\0" + raw)
        known = held.get(key)
        updated = getattr(one, "updated_at", None)
        if known is not None and (known[2] == digest.digest() or _late(updated, at, known[1], max(known[0], since))):
            continue
        if known is None and at < since:
            # A newer look at all of them did not show it.
            continue
        name = str(storable(str(one.name)))  # type: ignore[attr-defined]
        conn.execute(
            f"INSERT OR REPLACE INTO item({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                number, word, key, at, storable(updated), digest.digest(), name, sort_key(name),
                zlib.compress(body, 1), zlib.compress(raw, 1),
            ),
        )  # fmt: skip
        touched.add(key)
    gone: set[str] = set()
    if complete and at >= since:
        # What was written while the list was under way is not in it and stays.
        gone = {key for key, row in held.items() if key not in latest and row[0] <= at}
        conn.execute(
            "DELETE FROM item WHERE conn = ? AND kind = ? AND id IN (SELECT value FROM json_each(?))",
            (number, word, json.dumps(sorted(gone))),
        )
        conn.execute("INSERT OR REPLACE INTO item_list VALUES (?, ?, ?)", (number, word, at))
    return touched, gone


def items(conn: sqlite3.Connection, scope: str, kind: type[T], *, raw: bool = True) -> list[T]:
    """All of a kind, by name; raw False leaves the service's own text out of them."""
    text = "raw" if raw else "NULL"
    rows = conn.execute(
        f"SELECT body, {text} FROM item WHERE conn = {CONN} AND kind = ? ORDER BY s_name NULLS LAST, id",
        (scope, KINDS[kind]),
    ).fetchall()
    return [_unpacked(kind, *row) for row in rows]


def item(conn: sqlite3.Connection, scope: str, kind: type[T], item_id: str) -> T | None:
    """One of a kind."""
    row = conn.execute(
        f"SELECT body, raw FROM item WHERE conn = {CONN} AND kind = ? AND id = ?",
        (scope, KINDS[kind], storable(item_id)),
    ).fetchone()
    return _unpacked(kind, *row) if row else None


def listed_at(conn: sqlite3.Connection, scope: str, kind: type) -> float | None:
    """When a kind was last asked for as a whole."""
    row = conn.execute(f"SELECT at FROM item_list WHERE conn = {CONN} AND kind = ?", (scope, KINDS[kind])).fetchone()
    return row[0] if row else None


def drop_item(conn: sqlite3.Connection, scope: str, kind: type, item_id: str) -> None:
    """It is known to be gone."""
    conn.execute(
        f"DELETE FROM item WHERE conn = {CONN} AND kind = ? AND id = ?", (scope, KINDS[kind], storable(item_id))
    )


def _late(new: float | None, at: float, old: float | None, old_at: float) -> bool:
    if new is not None and old is not None and new != old:
        return new < old
    return at < old_at


def _packed(one: Any) -> tuple[bytes, bytes]:
    body = [_plain(getattr(one, name)) for name in _NAMES[type(one)] if name != "raw"]
    raw = getattr(one, "raw", "")
    return json.dumps(body, separators=(",", ":")).encode(), raw.encode("utf-8", "surrogatepass")


def _unpacked(kind: type[T], body: bytes, raw: bytes | None) -> T:
    names = _NAMES[kind]
    values = dict(
        zip((name for name in names if name != "raw"), map(_whole, json.loads(zlib.decompress(body))), strict=True)
    )
    if "raw" in names and raw is not None:
        values["raw"] = zlib.decompress(raw).decode("utf-8", "surrogatepass")
    return kind(**values)


def _plain(value: Any) -> Any:
    """As JSON can say it: a list begins with the word for what it was."""
    if value is None or isinstance(value, (str, int, float)):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if is_dataclass(value) and type(value) in _NAMES:
        return [type(value).__name__, *(_plain(getattr(value, name)) for name in _NAMES[type(value)])]
    if isinstance(value, (tuple, list)):
        return ["tuple" if isinstance(value, tuple) else "list", *map(_plain, value)]
    return str(value)


def _whole(value: Any) -> Any:
    """What `_plain` was given."""
    if isinstance(value, dict):
        return {key: _whole(part) for key, part in value.items()}
    if not isinstance(value, list):
        return value
    parts = map(_whole, value[1:])
    inner = _INNER.get(value[0])
    if inner is not None:
        return inner(*parts)
    return tuple(parts) if value[0] == "tuple" else list(parts)
