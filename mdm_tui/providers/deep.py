"""One row of a list that is nested too deep: left out by itself, so that it does not cost the others."""

from __future__ import annotations

import hashlib
import re
from typing import Any, NamedTuple

__all__ = ["Deep", "cut", "put"]

# Where an envelope has its rows: in its `data`, its `items`, or in the `items` of `data`.
_ROWS = frozenset(((b'"data"',), (b'"items"',), (b'"data"', b'"items"')))
_IDS = frozenset(("id", "uuid"))
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{},:]', re.DOTALL)
# Each bracket, comma and text is looked at once; so many take about two seconds, on a worker thread.
_MOST_TOKENS = 2_000_000


class Deep(list[str]):
    """Stands for a row that was not read. It says why and which, so that two of them are told apart.

    A list, since no row is one: nobody takes it for an object or a name.
    """


class Left(NamedTuple):
    """A row that was left out: where its list is in the answer, its number there, what it is told apart by."""

    path: tuple[str, ...]
    at: int
    digest: str


def cut(body: bytes, most: int) -> tuple[bytes, list[Left]]:
    """The answer with null for each row that reaches deeper than `most` levels, and which these are.

    What is deep elsewhere stays, as in a document that was asked for by itself: without a part it would not be what
    the service holds. Counts levels instead of recursing.
    """
    parts: list[bytes] = []
    left: list[Left] = []
    keys: list[bytes] = []
    word = b""
    depth = rows_at = deepest = index = start = kept = 0
    for count, token in enumerate(_TOKEN.finditer(body)):
        if count >= _MOST_TOKENS:
            return body, []
        mark = token[0]
        if rows_at and depth == rows_at and mark in (b",", b"]"):
            if deepest > most:
                row = body[start : token.start()]
                path = tuple(key[1:-1].decode() for key in keys)
                left.append(Left(path, index, hashlib.sha256(row.strip()).hexdigest()[:16]))
                parts += [body[kept:start], b"null"]
                kept = token.start()
            if mark == b"]":
                break
            index, start, deepest = index + 1, token.end(), 0
        elif mark in (b"[", b"{"):
            depth += 1
            deepest = max(deepest, depth)
            if not rows_at:
                if mark == b"[" and len(keys) == depth - 1 and tuple(keys) in _ROWS:
                    rows_at, start, deepest = depth, token.end(), 0
                elif depth > most:
                    return body, []
        elif mark in (b"]", b"}"):
            depth -= 1
            if not rows_at:
                del keys[max(depth, 0) :]
        elif not rows_at and mark == b":":
            # The keys above this place, as long as all of them are objects'.
            if len(keys) >= depth - 1:
                keys[max(depth - 1, 0) :] = [word]
        elif not rows_at:
            word = mark
    return b"".join([*parts, body[kept:]]), left


def put(document: Any, left: list[Left], why: str) -> bool:
    """Put a `Deep` where `cut` left a null. False: the list is no list of rows but a part of one thing."""
    for path, at, digest in left:
        rows = document
        for key in path:
            if key == "items" and not _IDS.isdisjoint(rows):
                return False
            rows = rows[key]
        rows[at] = Deep([why, digest])
    return True
