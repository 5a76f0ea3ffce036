"""Sections laid out as lines: for the Device screen, which paints them, and for the text and Markdown exports."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from .inventory import Column, Entry, Section, Table, tone

__all__ = ["Line", "Spot", "lay_out", "lines_of", "to_markdown", "to_text", "width_of", "wrap"]

_LABEL_MOST = 34
_CELL_MOST = 44
_GAP = 2
_TWO_COLUMNS_FROM = 96


class Spot(NamedTuple):
    """Where on a line a value stands: cells from the left, cells wide."""

    x: int
    width: int
    entry: Entry


@dataclass(slots=True)
class Line:
    """One line: runs of (text, theme role), the values on it, and the key of the section that begins here."""

    spans: tuple[tuple[str, str], ...] = ()
    spots: tuple[Spot, ...] = ()
    anchor: str = ""

    @property
    def text(self) -> str:
        """The line without its roles."""
        return "".join(text for text, _role in self.spans)

    @property
    def key(self) -> str:
        """What this line is of, stable while values change: how a cursor finds its line again."""
        return self.spots[0].entry.path if self.spots else ""


def width_of(text: str) -> int:
    """Terminal cells of cleaned text."""
    if text.isascii():
        return len(text)
    return sum(
        0
        if unicodedata.category(char) in ("Mn", "Me")
        else 2
        if unicodedata.east_asian_width(char) in ("W", "F")
        else 1
        for char in text
    )


def wrap(text: str, width: int) -> list[str]:
    """`text` in pieces of at most `width` cells, at spaces where there are any; nothing is lost but those spaces."""
    width = max(4, width)
    if len(text) <= width and width_of(text) <= width:
        return [text]
    pieces: list[str] = []
    start = 0
    while start < len(text):
        # Only a window of the text is looked at: a value may be a megabyte long.
        window = text[start : start + width + 1]
        size = _fitting(window, width)
        if start + size >= len(text):
            pieces.append(text[start:])
            break
        space = window.rfind(" ", size // 2, size + 1)
        if space > 0:
            pieces.append(window[:space])
            start += space + 1
        else:
            pieces.append(window[:size])
            start += size
    return pieces


def _fitting(text: str, width: int) -> int:
    """How many characters from the start of `text` fit on so many cells, at least one."""
    if text.isascii():
        return min(len(text), width)
    used = 0
    for index, char in enumerate(text):
        used += width_of(char)
        if used > width:
            return max(1, index)
    return len(text)


def _pad(text: str, width: int, *, right: bool = False) -> str:
    blank = " " * max(0, width - width_of(text))
    return blank + text if right else text + blank


def lay_out(sections: Sequence[Section], width: int, *, margin: int = 1) -> list[Line]:
    """All sections, one after the other, a blank line between them."""
    made: list[Line] = []
    for section in sections:
        if made:
            made.append(Line())
        made.extend(lines_of(section, width, margin=margin))
    return made


def lines_of(section: Section, width: int, *, margin: int = 1) -> list[Line]:
    """One section: its title, then its entries (in two columns where they are short and there is room) and tables."""
    left = " " * margin
    made = [Line(((left, ""), (section.title, "accent")), anchor=section.key)]
    run: list[Entry] = []
    for part in (*section.parts, None):
        if isinstance(part, Entry):
            run.append(part)
            continue
        if run:
            made.extend(_entries(run, width, margin + 2))
            run = []
        if part is not None:
            made.extend(_table(part, width, margin + 2))
    return made


def _entries(run: Sequence[Entry], width: int, left: int) -> Iterator[Line]:
    tree = next((at for at, entry in enumerate(run) if entry.heading or entry.depth), len(run))
    if 0 < tree < len(run):
        yield from _entries(run[:tree], width, left)
        yield from _entries(run[tree:], width, left)
        return
    half = (width - left) // 2 - 1
    wide = width >= _TWO_COLUMNS_FROM and len(run) >= 6 and tree > 0
    if not wide:
        label = _label_width(run, width)
        for entry in run:
            yield from _entry(entry, width, left, label)
        return
    label = min(_label_width(run, width), half // 2)
    # What fits stands in two columns, what does not below it, on lines of its own.
    short = [e for e in run if label + 2 + width_of(e.text) <= half and width_of(e.label) <= label]
    yield from _pairs(short, half, left, label)
    kept = {id(entry) for entry in short}
    for entry in run:
        if id(entry) not in kept:
            yield from _entry(entry, width, left, label)


def _pairs(group: Sequence[Entry], half: int, left: int, label: int) -> Iterator[Line]:
    rows = (len(group) + 1) // 2
    for number in range(rows):
        spans: list[tuple[str, str]] = [(" " * left, "")]
        spots: list[Spot] = []
        x = left
        for entry in group[number::rows]:
            room = half - label - 2
            cells = width_of(entry.text)
            note = f"  {entry.note}" if entry.note and cells + width_of(entry.note) + 3 <= room else ""
            spans.append((_pad(entry.label, label + 2), "muted"))
            spans.append((entry.text, tone(entry)))
            spans.append((_pad(note, room - cells + 1), "muted"))
            spots.append(Spot(x + label + 2, max(1, cells), entry))
            x += half + 1
        yield Line(tuple(spans), tuple(spots))


def _label_width(run: Sequence[Entry], width: int) -> int:
    longest = max((width_of(entry.label) + entry.depth * 2 for entry in run if not entry.heading), default=8)
    return min(longest, _LABEL_MOST, max(8, width // 3))


def _entry(entry: Entry, width: int, left: int, label: int) -> Iterator[Line]:
    indent = left + min(entry.depth, 20) * 2
    if entry.heading:
        spot = Spot(indent, max(1, width_of(entry.label)), entry)
        yield Line(((" " * indent, ""), (entry.label, "muted")), (spot,))
        return
    x = left + label + 2
    wide = width_of(entry.label)
    if wide > x - indent - 2 and indent + wide + 2 + width_of(entry.text) < width:
        x = indent + wide + 2
        head = " " * indent + entry.label + "  "
    elif wide > x - indent - 2:
        # A long label (the path of an unknown value) stands on lines of its own.
        for name in wrap(entry.label, max(8, width - indent - 1)):
            yield Line(((" " * indent, ""), (name, "muted")), (Spot(indent, width_of(name), entry),))
        head = " " * x
    else:
        head = " " * indent + _pad(entry.label, x - indent)
    role = tone(entry)
    pieces = wrap(entry.text, max(8, width - x - 1))
    for number, piece in enumerate(pieces):
        spans = [(head if number == 0 else " " * x, "muted"), (piece, role)]
        if number == len(pieces) - 1 and entry.note and x + width_of(piece) + width_of(entry.note) + 3 <= width:
            spans.append((f"  {entry.note}", "muted"))
        yield Line(tuple(spans), (Spot(x, max(1, width_of(piece)), entry),))


def _table(table: Table, width: int, left: int) -> Iterator[Line]:
    count = len(table.rows)
    yield Line(((" " * left, ""), (table.title, "text"), (f"  {count:,}", "muted")))
    sizes = [
        max([width_of(column.title), *(width_of(row[at].text) for row in table.rows if row[at] is not None)])  # pyright: ignore[reportOptionalMemberAccess]
        for at, column in enumerate(table.columns)
    ]
    left += 2
    shown: list[int] = []
    used = left
    for at, size in enumerate(sizes):
        # The first column always stands in the table; a value that is too wide for it wraps below.
        if size <= _CELL_MOST and used + size + (_GAP if shown else 0) <= width - 1:
            used += size + (_GAP if shown else 0)
            shown.append(at)
    below = [at for at in range(len(sizes)) if at not in shown]
    if shown:
        head = "  ".join(_pad(table.columns[at].title, sizes[at], right=table.columns[at].right) for at in shown)
        yield Line(((" " * left, ""), (head.rstrip(), "muted")))
    for row in table.rows:
        if shown:
            yield _row(row, shown, sizes, table.columns, left)
        yield from _below(row, below, width, left + (2 if shown else 0))


def _row(
    row: Sequence[Entry | None], shown: Sequence[int], sizes: Sequence[int], columns: Sequence[Column], left: int
) -> Line:
    spans: list[tuple[str, str]] = [(" " * left, "")]
    spots: list[Spot] = []
    x = left
    for at in shown:
        entry = row[at]
        text = entry.text if entry is not None else "-"
        padded = _pad(text, sizes[at], right=columns[at].right)
        spans.append((padded + " " * _GAP, (tone(entry) if entry is not None else "muted")))
        if entry is not None:
            start = x + (sizes[at] - width_of(text) if columns[at].right else 0)
            spots.append(Spot(start, max(1, width_of(text)), entry))
        x += sizes[at] + _GAP
    return Line(tuple(spans), tuple(spots))


def _below(row: Sequence[Entry | None], below: Sequence[int], width: int, left: int) -> Iterator[Line]:
    """What the table had no room for, as `label value` pairs, as many a line as fit."""
    spans: list[tuple[str, str]] = []
    spots: list[Spot] = []
    x = left
    for at in below:
        entry = row[at]
        if entry is None:
            continue
        need = width_of(entry.label) + 1 + width_of(entry.text)
        if spots and x + need + 3 > width - 1:
            yield Line(((" " * left, ""), *spans), tuple(spots))
            spans, spots, x = [], [], left
        if need > width - 1 - left:
            start = left + width_of(entry.label) + 1
            for number, piece in enumerate(wrap(entry.text, max(8, width - 1 - start))):
                name = entry.label + " " if number == 0 else " " * (start - left)
                yield Line(
                    ((" " * left, ""), (name, "muted"), (piece, tone(entry))),
                    (Spot(start, max(1, width_of(piece)), entry),),
                )
            continue
        if spots:
            spans.append(("   ", "muted"))
            x += 3
        spans += [(entry.label + " ", "muted"), (entry.text, tone(entry))]
        spots.append(Spot(x + width_of(entry.label) + 1, max(1, width_of(entry.text)), entry))
        x += need
    if spots:
        yield Line(((" " * left, ""), *spans), tuple(spots))


def to_text(sections: Sequence[Section], width: int = 100) -> str:
    """Plain text, no trailing blanks, a line feed at the end."""
    return "".join(f"{line.text.rstrip()}\n" for line in lay_out(sections, width, margin=0))


def to_markdown(sections: Sequence[Section]) -> str:
    """Markdown: `##` a section, lists for values, tables for lists of objects."""
    out: list[str] = []
    for section in sections:
        out.append(f"## {section.title}\n\n")
        for part in section.parts:
            if isinstance(part, Entry):
                indent = "  " * part.depth
                note = f" ({_escape(part.note)})" if part.note else ""
                value = "" if part.heading else f" {_escape(part.text)}{note}"
                out.append(f"{indent}- **{_escape(part.label)}**:{value}\n")
            else:
                out.append(f"\n### {_escape(part.title)}\n\n")
                out.append("| " + " | ".join(_escape(column.title) for column in part.columns) + " |\n")
                out.append("|" + "|".join(" ---: " if column.right else " --- " for column in part.columns) + "|\n")
                for row in part.rows:
                    cells = " | ".join(_escape(cell.text) if cell is not None else "-" for cell in row)
                    out.append(f"| {cells} |\n")
                out.append("\n")
        out.append("\n")
    return "".join(out).rstrip("\n") + "\n"


def _escape(text: str) -> str:
    # Enough that a name can neither become a link, an image, a heading nor break a table.
    for char in "\\`*_[]<>|#":
        text = text.replace(char, "\\" + char)
    return text
