"""From a row's cells to runs of style, and from two rows to the spans that differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len
from rich.segment import Segment
from textual.strip import Strip

from mdm_tui.tui import safe
from mdm_tui.tui.theme import Palette
from mdm_tui.tui.widgets.grid_layout import GAP, PREFIX, Layout
from mdm_tui.tui.widgets.grid_model import Cell
from mdm_tui.tui.widgets.grid_text import fit, glyphs

Piece = tuple[str, str, bool]
"""Text already padded to its slot, role, bold."""

# Bytes that a new span costs: a move of the terminal's cursor and its colours. What lies between two changes is
# sent along where it costs less.
_NEW_SPAN: Final = 40
_GAP: Final = " " * GAP


@dataclass(frozen=True, slots=True)
class Painted:
    """One line as it was last drawn. Pieces lie side by side, in slots that the layout fixes."""

    pieces: tuple[Piece, ...]
    on: str = "ground"


BLANK: Final = Painted(())


@dataclass(frozen=True, slots=True)
class RowState:
    """What is true of a row beside its data."""

    cursor: bool = False
    marked: bool = False
    focused: bool = True
    dimmed: bool = False
    bar: bool = False


def paint_row(layout: Layout, cells: Sequence[Cell] | None, glyph: Cell, state: RowState) -> Painted:
    """One row: cursor, mark, glyph, then a piece for each column."""
    signs = glyphs()
    pieces: list[Piece] = [
        (signs.cursor if state.cursor else " ", "accent" if state.focused else "muted", state.cursor),
        (signs.mark + " " if state.marked else "  ", "marked", False),
        (fit(glyph.text or " ", 1) + " ", glyph.role, False),
    ]
    for number, (column, width) in enumerate(zip(layout.columns, layout.widths, strict=True)):
        right = column.align == "right"
        if cells is None:
            text, role = fit(signs.pending, width, right), "muted"
        else:
            cell = cells[number]
            text, role = fit(cell.text, width, right, column.clip == "middle"), cell.role
        # The marker alone is hard to follow across a wide screen: the name is bold beside it.
        pieces.append((text + _GAP, role, state.cursor and number == 0))
    if state.dimmed:
        pieces = [(text, "muted", False) for text, _role, _bold in pieces]
    return Painted(tuple(pieces), "raised" if state.cursor and state.bar else "ground")


def paint_header(layout: Layout, sort: Sequence[tuple[str, bool]], *, wide: bool) -> Painted:
    """The titles, the arrow of the sorted columns, and in wide mode a sign where columns are out of sight."""
    signs = glyphs()
    arrows = {key: signs.descending if descending else signs.ascending for key, descending in sort}
    left = signs.more_left if wide and layout.first else " "
    pieces: list[Piece] = [(left + " " * (PREFIX - 1), "muted", False)]
    for column, width in zip(layout.columns, layout.widths, strict=True):
        arrow = arrows.get(column.key, "")
        # The arrow stands at its title; where the title fills its column, in the gap behind it.
        title = fit(column.title, width, True) if column.align == "right" else fit(column.title, width).rstrip()
        pieces.append((fit(title + arrow, width + GAP), "text" if arrow else "muted", False))
    return Painted(tuple(pieces))


def paint_text(text: str, width: int, x: int = PREFIX) -> Painted:
    """A line that is no row: what an empty grid says."""
    return Painted(((" " * x + fit(text, max(1, width - x)), "muted", False),))


def to_strip(painted: Painted, palette: Palette, width: int) -> Strip:
    """The line as a strip of exactly `width` cells, neighbouring pieces of one style merged.

    Spaces look alike in every colour on one ground, so they join the run before them.
    """
    segments: list[Segment] = []
    run = ""
    style = None
    for text, role, bold in painted.pieces:
        if run and text.isspace():
            run += text
            continue
        own = palette.style(role, painted.on, bold=bold)
        if style is not None and (own is style or run.isspace()):
            style = own
            run += text
            continue
        if run:
            segments.append(safe.segment(run, style))
        run, style = text, own
    # What is left of the line are spaces as well: they end the last run.
    run += " " * (width - sum(segment.cell_length for segment in segments) - cell_len(run))
    if run:
        segments.append(safe.segment(run, style or palette.style("", painted.on)))
    return Strip(segments).adjust_cell_length(width)


def differing(
    old: Painted | None, new: Painted, slots: Sequence[tuple[int, int]], width: int
) -> Iterator[tuple[int, int]]:
    """Spans (x, width) in which two lines differ. `slots` are the pieces' places."""
    if old is None or old.on != new.on or len(old.pieces) != len(new.pieces) or len(new.pieces) != len(slots):
        if old != new:
            yield 0, width
        return
    start = end = -1
    between = 0
    run = ("", False)
    for before, after, (x, size) in zip(old.pieces, new.pieces, slots, strict=True):
        text, *style = after
        if before == after or (before[0] == text and text.isspace()):
            between += size + GAP + (_NEW_SPAN if tuple(style) != run and not text.isspace() else 0)
            continue
        if start >= 0 and between > _NEW_SPAN:
            yield start, min(end, width) - start
            start = -1
        start, end = x if start < 0 else start, x + size
        between, run = 0, (after[1], after[2])
    if 0 <= start < width:
        yield start, min(end, width) - start


def slots_of(layout: Layout) -> list[tuple[int, int]]:
    """Place and size of each piece of a row in a layout, the gap after a column left out."""
    columns = [(x, size) for x, size in zip(layout.starts, layout.widths, strict=True)]
    return [(0, 1), (1, 1), (3, 1), *columns]
