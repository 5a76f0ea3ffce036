"""Registering devices: what is asked for, row by row, and what became of it."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import dropwhile

from .groups import GroupTree
from .text import clean, normal_serial

__all__ = ["EMPTY", "MOST_ROWS", "SERIAL_RULE", "Line", "Place", "Reading", "Registration", "RegistrationTerms", "read"]

MOST_ROWS = 5_000
"""Rows that one registration takes."""
SERIAL_RULE = (
    "A serial number here is 3 to 64 of: letters A-Z a-z, digits, and the signs . _ - / : + "
    "(the service's contract states no rule)"
)
EMPTY = "empty"
"""The problem of a row in which nothing is said."""

_MOST_TEXT = 4_000_000
_LONGEST = 128
# What would read as a mark of the sentence itself.
_NAMED = {",": "a comma", ";": "a semicolon"}
_SERIAL = re.compile(r"[A-Za-z0-9._/:+-]{3,64}")
_HEADER = {
    "serial": "serial number serialnumber serialno serial_no sn s/n",
    "manufacturer": "manufacturer maker make vendor",
    "brand": "brand",
    "model": "model",
    "group": "group groupname grouppath groupid groupuuid devicegroup",
}
_COLUMNS = {
    re.sub(r"[\s_.-]", "", word): column
    for column, words in _HEADER.items()
    for word in (column, *words.replace("serial number", "").split())
}
_ORDER = ("serial", "manufacturer", "brand", "model", "group")


@dataclass(frozen=True, slots=True)
class Registration:
    """One device to be registered. group_id: the group it joins, "" for none."""

    serial: str
    manufacturer: str = ""
    brand: str = ""
    model: str = ""
    group_id: str = ""


@dataclass(frozen=True, slots=True)
class RegistrationTerms:
    """What holds for all devices of one registration. license_model: id, "" runs on a trial license.

    auto_renew: None leaves it to the service.
    """

    license_model: str = ""
    auto_renew: bool | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a device was registered. text: half a sentence, "" when there is nothing to say. wrong: not where the
    connection is."""

    text: str = ""
    wrong: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One row as it was given. number: the line in the text, from 1. group: as written.

    problem: why it cannot be sent, as half a sentence, "" when it can. rule: what would be accepted instead, as a
    sentence without its end, "" where the problem says all. Everything is fit for display.
    """

    number: int
    device: Registration
    group: str = ""
    problem: str = ""
    rule: str = ""

    @property
    def serial(self) -> str:
        """The serial number as it was given."""
        return self.device.serial


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text says. notes: how it was read. problem: why nothing of it can be sent, "" when the rows decide."""

    lines: tuple[Line, ...]
    notes: tuple[str, ...] = ()
    problem: str = ""

    @property
    def good(self) -> tuple[Line, ...]:
        """The rows that can be sent."""
        return () if self.problem else tuple(line for line in self.lines if not line.problem)

    @property
    def bad(self) -> tuple[Line, ...]:
        """The rows with a problem."""
        return tuple(line for line in self.lines if line.problem)


def read(text: str, tree: GroupTree | None = None, group_id: str = "", taken: Iterable[str] = ()) -> Reading:
    """Read a CSV with or without a header, or serial numbers one a line or separated by commas.

    tree: the groups that rows may name; None while they are not known. group_id: the group of the rows that name none.
    taken: serial numbers that are in use, which no row may nearly repeat.
    """
    if len(text) > _MOST_TEXT:
        return Reading((), (), f"The text is longer than {_MOST_TEXT:,} characters: split it")
    rows, separator = _rows(text)
    if not rows:
        return Reading((), (), "There is no row in it")
    notes: list[str] = []
    number, first, trouble = rows[0]
    known = [_COLUMNS.get(_word(cell), "") for cell in first]
    if "serial" in known or len([column for column in known if column]) > 1:
        if "serial" not in known:
            return Reading((), (), f"Line {number} is a header without a column for the serial number")
        columns, rows = known, list(dropwhile(lambda row: not any(row[1]), rows[1:]))
        notes.append(f"columns by the header: {', '.join(column for column in columns if column)}")
        if unused := [clean(cell, 40) for cell, column in zip(first, columns, strict=True) if cell and not column]:
            notes.append(f"not used: {', '.join(unused)}")
        for column in _ORDER:
            if columns.count(column) > 1:
                return Reading((), (), f"The header names the column {column} {columns.count(column)} times")
    elif not trouble and _is_list(rows, separator):
        columns = ["serial"]
        rows = [(at, [cell], why) for at, cells, why in rows for cell in (cells if separator else cells[:1])]
        notes.append("read as a list of serial numbers")
    else:
        columns = list(_ORDER)
        notes.append(f"no header: columns read as {', '.join(_ORDER)}")
    problem = ""
    if not rows:
        problem = "There is no row below the header"
    elif (filled := sum(any(cells) for _, cells, _ in rows)) > MOST_ROWS:
        problem = f"It holds {filled:,} rows; one registration takes at most {MOST_ROWS:,}: split it"
        rows = rows[:MOST_ROWS]
    lines = [_line(at, cells, why, columns, tree, group_id) for at, cells, why in rows]
    return Reading(tuple(_without_doubles(_without_likenesses(lines, taken))), tuple(notes), problem)


def _rows(text: str) -> tuple[list[tuple[int, list[str], str]], str]:
    """(line, cells, what is wrong with its form), and the separator; without comments.

    Blank lines at the ends are left out, those between rows are one row without a cell that says anything.
    """
    lines = list(enumerate(re.split(r"\r\n|\n|\r", text.removeprefix("\ufeff")), 1))
    separator = ""
    if lines and (told := re.fullmatch(r"\s*sep=(.)\s*", lines[0][1], re.IGNORECASE)):
        separator, lines = told[1], lines[1:]
    lines = [(number, line) for number, line in lines if not line.lstrip().startswith("#")]
    while lines and not lines[-1][1].strip():
        lines.pop()
    lines = list(dropwhile(lambda one: not one[1].strip(), lines))
    if not separator and lines:
        bare = re.sub(r'"[^"]*"', "", lines[0][1])
        separator = max("\t;,", key=bare.count)
        if not bare.count(separator):
            # A first row of one cell leaves it to the others.
            whole = "".join(line for _, line in lines)
            separator = max("\t;,", key=whole.count) if any(mark in whole for mark in "\t;,") else ""
    rows: list[tuple[int, list[str], str]] = []
    for number, line in lines:
        # Line by line: a quote that is never closed must not swallow the rest.
        try:
            cells = next(csv.reader([line], delimiter=separator or ",", skipinitialspace=True, strict=True), [])
            why = ""
        except csv.Error:
            most = csv.field_size_limit()
            long = max(map(len, line.split(separator or ","))) > most
            what = f"a cell of this line is longer than {most:,} characters"
            cells, why = [line], what if long else "the quotes of this line do not fit together"
        cells = [cell.strip() for cell in cells]
        while len(cells) > 1 and not cells[-1]:
            cells.pop()
        if any(cells):
            rows.append((number, cells, why))
        elif not rows or any(rows[-1][1]):
            rows.append((number, [""], ""))
    return rows, separator


def _word(cell: str) -> str:
    return re.sub(r"[\s_.-]", "", cell.lower())


def _is_list(rows: Sequence[tuple[int, list[str], str]], separator: str) -> bool:
    """Whether all cells are serial numbers, rather than rows of columns."""
    if all(len(cells) == 1 for _, cells, _ in rows):
        return True
    if len(rows) == 1 and separator and len(rows[0][1]) > len(_ORDER):
        # No row has so many columns: one line of serial numbers, whatever is wrong with some of them.
        return True
    cells = [cell for _, row, _ in rows for cell in row if cell]
    return all(
        _SERIAL.fullmatch(cell) and len(cell) > 3 and any(char.isdigit() for char in cell) for cell in cells
    ) and (len({cell.upper() for cell in cells}) == len(cells))


def _line(
    number: int, cells: list[str], why: str, columns: Sequence[str], tree: GroupTree | None, group_id: str
) -> Line:
    if not why and not any(cells):
        return Line(number, Registration(""), problem=EMPTY)
    said = {column: cell for column, cell in zip(columns, cells, strict=False) if column}
    group = said.get("group", "")
    problem, rule = why or _extra(cells, columns), ""
    if not problem:
        problem, rule = _serial_problem(said.get("serial", ""))
    for column in ("manufacturer", "brand", "model"):
        value = said.get(column, "")
        if not problem and len(value) > _LONGEST:
            problem = f"the {column} is longer than {_LONGEST} characters"
        elif not problem and clean(value) != value:
            problem = f"the {column} holds characters that cannot be seen"
    if group:
        found, wrong = _group(group, tree)
        problem = problem or wrong
    else:
        found = group_id
    serial, manufacturer, brand, model = (clean(said.get(column, ""), _LONGEST) for column in _ORDER[:4])
    device = Registration(serial, manufacturer, brand, model, found)
    return Line(number, device, clean(group, _LONGEST), problem, rule)


def _extra(cells: Sequence[str], columns: Sequence[str]) -> str:
    return f"it has {len(cells)} cells for {len(columns)} columns" if len(cells) > len(columns) else ""


def _serial_problem(serial: str) -> tuple[str, str]:
    """What is wrong with a serial number, and what would be accepted."""
    if not serial:
        return "no serial number", ""
    if not _SERIAL.fullmatch(serial):
        wrong = list(dict.fromkeys(re.findall(r"[^A-Za-z0-9._/:+-]", serial)))
        if not wrong:
            return f"{len(serial)} character{'' if len(serial) == 1 else 's'}: 3 to 64 are accepted", SERIAL_RULE
        shown = list(
            dict.fromkeys(_NAMED.get(char) or ("a blank" if char.isspace() else clean(char)) for char in wrong)
        )
        shown = shown[:4]
        listed = " and ".join(filter(None, (", ".join(shown[:-1]), shown[-1])))
        return f"the serial number holds {listed}", SERIAL_RULE
    if not normal_serial(serial):
        return f"{serial} is a placeholder, not a serial number", ""
    return "", ""


def _group(text: str, tree: GroupTree | None) -> tuple[str, str]:
    """The id of the group a row names, and what is wrong with it."""
    shown = clean(text, 60)
    if tree is None:
        return "", f"the groups are not known yet, so {shown} cannot be found"
    found = tree.find(text)
    if not found:
        return "", f"there is no group {shown}"
    if len(found) > 1:
        return "", f"{shown} names {len(found)} groups: give its path or its id"
    return found[0], ""


def _without_likenesses(lines: Sequence[Line], taken: Iterable[str]) -> list[Line]:
    """The lines, those marked that name a known device in another spelling."""
    wanted = {normal_serial(line.serial) for line in lines if not line.problem}
    same: dict[str, set[str]] = {}
    for serial in taken:
        if (key := normal_serial(serial)) in wanted:
            same.setdefault(key, set()).add(serial)
    found: list[Line] = []
    for line in lines:
        spelt = same.get(normal_serial(line.serial)) if not line.problem else None
        if spelt and line.serial not in spelt:
            like = clean(min(spelt), 60)
            line = replace(line, problem=f"like {like}, which exists (case or blanks differ): write it exactly so")
        found.append(line)
    return found


def _without_doubles(lines: Sequence[Line]) -> list[Line]:
    first: dict[str, int] = {}
    found: list[Line] = []
    for line in lines:
        key = "" if line.problem else normal_serial(line.serial)
        if key and key in first:
            line = replace(line, problem=f"the same serial number as line {first[key]}")
        elif key:
            first[key] = line.number
        found.append(line)
    return found
