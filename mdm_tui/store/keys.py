"""How values are kept: storable, comparable, and with keys that sort as people expect."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from mdm_tui.fleet.devices import Value
from mdm_tui.fleet.fields import COLUMNS
from mdm_tui.fleet.text import search_key

__all__ = ["SEARCHED", "SORT_KEYS", "search_text", "sort_key", "storable", "words_of"]

# What a bare word looks in (RULES §7.14).
SEARCHED = ("name", "serial", "id", "imei", "mac", "model", "user", "tags")
# Columns whose value does not sort as it stands: words need folding, versions their parts as numbers.
SORT_KEYS = tuple(key for key, field in COLUMNS.items() if field.kind in ("text", "version", "tags"))

_DIGITS = re.compile(r"\d+", re.ASCII)
_LIMIT = 2**63


def sort_key(value: Value) -> str | None:
    """The key by which text sorts: folded, digits by their number (`dock 9` before `dock 10`); None for no text.

    Each run of digits is led by its length in two digits, so that plain text order is number order.
    """
    if value is None or value == "":
        return None
    return _DIGITS.sub(_padded, search_key(str(value)).strip())


def _padded(match: re.Match[str]) -> str:
    digits = match[0].lstrip("0") or "0"
    return f"{min(len(digits), 99):02d}{digits}"


def search_text(values: Mapping[str, Value]) -> str:
    """The folded text that bare words are looked for in; one line a field, so that no word spans two."""
    return "\n".join(search_key(str(values[key])) for key in SEARCHED if values.get(key) not in (None, ""))


def words_of(words: tuple[str, ...]) -> list[str]:
    """The words of a view as they are looked for."""
    return [folded for word in words if (folded := search_key(word).replace("\n", " ").strip())]


def storable(value: object) -> Value:
    """The value as SQLite can keep it and find it again: no NaN, no 65-bit numbers, no lone surrogates, no NUL."""
    if value is None or (value.__class__ is int and -_LIMIT <= value < _LIMIT):  # type: ignore[operator]
        return value  # type: ignore[return-value]
    if isinstance(value, str):
        if "\x00" in value:
            # SQLite's JSON functions, by which rows are looked up, end a text there.
            value = value.replace("\x00", "\\x00")
        if not value.isascii():
            try:
                value.encode("utf-8")
            except UnicodeEncodeError:
                return value.encode("utf-8", "backslashreplace").decode("utf-8")
        return value
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, (int, float)):
        real = float(value) if abs(value) < 1e300 else math.inf
        return real if math.isfinite(real) else None
    return str(value)
