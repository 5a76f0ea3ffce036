"""Which columns are shown, and where: a pure function of the columns and the width."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mdm_tui.tui.widgets.grid_model import Column

GAP: Final = 2
"""Cells between two columns."""
PREFIX: Final = 5
"""Cells before the first column: cursor, mark, space, state glyph, space."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns shown, left to right, with their start and width in cells."""

    columns: tuple[Column, ...]
    starts: tuple[int, ...]
    widths: tuple[int, ...]
    hidden: int
    """How many columns found no room."""
    first: int = 0
    """In wide mode: how many columns after the first one are scrolled away to the left."""


def arrange(columns: Sequence[Column], width: int) -> Layout:
    """Columns that fit on `width` cells: the least wanted dropped, what is left over given to flexible ones."""
    shown = list(columns)
    room = width - PREFIX
    while len(shown) > 1 and _needed(shown) > room:
        # The highest number goes first, the rightmost among equals; the first column never.
        worst = max(range(1, len(shown)), key=lambda index: (shown[index].priority, index))
        del shown[worst]
    widths = [column.width for column in shown]
    if widths:
        widths[0] = max(1, min(widths[0], room))
        _share(shown, widths, room - _needed(shown))
    return _placed(shown, widths, len(columns) - len(shown))


def arrange_wide(columns: Sequence[Column], width: int, first: int) -> Layout:
    """Every column at its own width, the first one pinned, the rest from the one after `first` scrolled ones."""
    rest = columns[1:]
    first = max(0, min(first, len(rest) - 1))
    shown = list(columns[:1])
    room = width - PREFIX - sum(column.width for column in shown)
    for column in rest[first:]:
        room -= GAP + column.width
        if room < 0:
            break
        shown.append(column)
    widths = [column.width for column in shown]
    if room > 0:
        _share(shown, widths, room)
    return _placed(shown, widths, len(columns) - len(shown), first)


def _needed(columns: Sequence[Column]) -> int:
    return sum(column.width for column in columns) + GAP * (len(columns) - 1)


def _share(columns: Sequence[Column], widths: list[int], spare: int) -> None:
    """Hand out spare cells by flex; what a bounded column cannot take goes round again."""
    while spare > 0:
        takers = [
            index
            for index, column in enumerate(columns)
            if column.flex and (not column.most or widths[index] < column.most)
        ]
        total = sum(columns[index].flex for index in takers)
        if not total:
            return
        before = spare
        for index in takers:
            share = max(1, before * columns[index].flex // total)
            if columns[index].most:
                share = min(share, columns[index].most - widths[index])
            share = min(share, spare)
            widths[index] += share
            spare -= share


def _placed(columns: Sequence[Column], widths: Sequence[int], hidden: int, first: int = 0) -> Layout:
    starts: list[int] = []
    x = PREFIX
    for width in widths:
        starts.append(x)
        x += width + GAP
    return Layout(tuple(columns), tuple(starts), tuple(widths), hidden, first)
