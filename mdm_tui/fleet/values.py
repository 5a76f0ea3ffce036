"""Values: read from what services send, shown as people read them. Never raises on strange input."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, tzinfo
from typing import Any, Literal

from .text import clean

__all__ = ["Kind", "age", "calm_age", "number", "parse", "parse_time", "show", "show_bytes", "show_time",
           "table", "whole", "words"]  # fmt: skip

Kind = Literal[
    "text",
    "id",
    "enum",
    "bool",
    "int",
    "number",
    "percent",
    "celsius",
    "bytes",
    "time",
    "date",
    "version",
    "duration",
    "tags",
    "geo",
    "tree",
    "secret",
]

_MISSING = "-"
_TIME_MIN, _TIME_MAX = -62135596800.0, 253402300799.0
_DURATION = re.compile(r"^(\d+(?:\.\d+)?)s$")


def parse_time(value: Any) -> float | None:
    """Seconds since the epoch from ISO 8601 / RFC 3339 text; None for anything else."""
    if not isinstance(value, str) or not 10 <= len(value) <= 40:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    try:
        stamp = moment.timestamp()
    except (OverflowError, OSError, ValueError):
        return None
    return stamp if _TIME_MIN <= stamp <= _TIME_MAX else None


def words(value: Any) -> str | None:
    """Text, or a number as text: ids, versions and SDK levels come as either; None for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return str(value)


def whole(value: Any) -> int | None:
    """A whole number, as `number` reads it; None for anything else."""
    found = number(value)
    return int(found) if found is not None and found == int(found) else None


def table(value: Any) -> dict[str, Any]:
    """An object as it came; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def number(value: Any) -> float | int | None:
    """A finite number from a number or numeric text (64-bit numbers arrive as text); None for anything else."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int):
        return value if abs(value) < 2**63 else None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str) and len(value) <= 40:
        try:
            whole = int(value)
        except ValueError:
            pass
        else:
            return whole if abs(whole) < 2**63 else None
        try:
            real = float(value)
        except ValueError:
            return None
        return real if math.isfinite(real) else None
    return None


def parse(value: Any, kind: Kind) -> str | int | float | None:
    """The value as it is kept for sorting and filtering: numbers, times as seconds, yes/no as 1/0, text clean."""
    if value is None:
        return None
    if kind == "time":
        return parse_time(value)
    if kind == "bool":
        return int(value) if isinstance(value, bool) else None
    if kind in ("int", "number", "percent", "celsius", "bytes"):
        return number(value)
    if kind == "tags":
        return " ".join(clean(item, 64) for item in value) if isinstance(value, list) else clean(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dict, list)):
        return None
    return clean(value)


def show(value: Any, kind: Kind, *, now: float | None = None, zone: tzinfo | None = None) -> str:
    """The value as one clean display text; "-" when there is none. With `now`, times are ages, else absolute."""
    if value is None or value == "":
        return _MISSING
    if kind == "time":
        stamp = value if isinstance(value, (int, float)) and not isinstance(value, bool) else parse_time(value)
        if stamp is None:
            return clean(value)
        return age(now - stamp) if now is not None else show_time(stamp, zone)
    if kind == "bool":
        if isinstance(value, (bool, int)):
            return "yes" if value else "no"
        return clean(value)
    found = number(value)
    if found is not None:
        if kind == "percent":
            return f"{found:.0f}%"
        if kind == "celsius":
            return f"{found:.1f} °C" if isinstance(found, float) and found % 1 else f"{found:.0f} °C"
        if kind == "bytes":
            return show_bytes(found)
        if kind == "number" and isinstance(found, float):
            return f"{found:.4f}".rstrip("0").rstrip(".")
    if kind == "duration" and isinstance(value, str) and (match := _DURATION.match(value)):
        return age(float(match[1]))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and not any(isinstance(item, (dict, list)) for item in value):
        return ", ".join(show(item, kind) for item in value) or _MISSING
    if isinstance(value, (dict, list)):
        return _MISSING if not value else f"{len(value)} entries"
    return clean(value)


_UNITS = ((86_400.0, "d"), (3_600.0, "h"), (60.0, "m"))


def age(seconds: float) -> str:
    """`40s`, `9h`, `3d`, `2y`: one unit, so that it ticks only when the unit's count changes."""
    if seconds < 0:
        return "now" if seconds > -60 else f"in {age(-seconds)}"
    if seconds >= 2 * 365 * 86_400:
        return f"{int(seconds // (365 * 86_400))}y"
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{int(seconds // size)}{unit}"
    return f"{int(seconds)}s"


def calm_age(seconds: float) -> str:
    """As `age`, but below a minute in steps of ten seconds: a list whose ages tick every second never rests."""
    if 0 <= seconds < 60:
        return "now" if seconds < 10 else f"{int(seconds // 10) * 10}s"
    return age(seconds)


def show_bytes(count: float) -> str:
    """Binary units with at most one decimal: `3.7 GiB`."""
    size = float(count)
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if abs(size) < 1024 or unit == "TiB":
            return f"{size:.0f} {unit}" if unit == "B" or size >= 100 else f"{size:.1f} {unit}"
        size /= 1024
    return clean(count)


def show_time(stamp: float, zone: tzinfo | None = None) -> str:
    """`2026-11-20 14:02:11 CET`, in the person's zone unless another is given."""
    try:
        moment = datetime.fromtimestamp(stamp, UTC).astimezone(zone)
    except (OverflowError, OSError, ValueError):
        return clean(stamp)
    return moment.strftime("%Y-%m-%d %H:%M:%S %Z").rstrip()
