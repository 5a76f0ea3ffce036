"""Small pictures out of characters: a line of measurements, a bar."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from mdm_tui.tui.widgets.grid_text import ASCII, glyphs

__all__ = ["bar", "spark"]

_STEPS = "▁▂▃▄▅▆▇█"
_ASCII_STEPS = "_.-=+*#@"


def spark(values: Sequence[float], width: int, *, low: float | None = None, high: float | None = None) -> str:
    """`values` (oldest first) on at most `width` cells; where there are more, the mean of neighbours.

    low, high: the ends of the scale; by default those of the values.
    """
    steps = _ASCII_STEPS if glyphs() is ASCII else _STEPS
    if not values or width <= 0:
        return ""
    if len(values) > width:
        edges = [round(number * len(values) / width) for number in range(width + 1)]
        groups = [values[start : max(start + 1, end)] for start, end in pairwise(edges)]
        values = [sum(group) / len(group) for group in groups]
    floor = min(values) if low is None else low
    span = (max(values) if high is None else high) - floor
    if span <= 0:
        return steps[0] * len(values)
    return "".join(steps[max(0, min(len(steps) - 1, int((value - floor) / span * len(steps))))] for value in values)


def bar(fraction: float, width: int) -> str:
    """A bar filled to `fraction` (0 to 1) on `width` cells."""
    full, empty = ("#", "-") if glyphs() is ASCII else ("█", "░")
    filled = round(max(0.0, min(1.0, fraction)) * width)
    return full * filled + empty * (width - filled)
