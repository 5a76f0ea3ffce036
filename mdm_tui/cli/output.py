"""Rows on stdout: for people (table, md) and for programs (json, jsonl, csv)."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import zip_longest
from typing import Any

from mdm_tui.fleet.devices import Value
from mdm_tui.fleet.fields import Field
from mdm_tui.fleet.inventory_text import wrap
from mdm_tui.fleet.text import inert
from mdm_tui.fleet.values import show

__all__ = ["csv_text", "json_text", "jsonl_text", "markdown", "plain", "table", "typed"]

Values = Mapping[str, Value]
# One device with a page of text for a name must not push every other row apart.
_WIDEST = 64
# A column that is never cut goes on in the next line from here, however wide the terminal.
_LONGEST = 400
_HIDDEN = re.compile(r"[^\x20-\x7e]")
_SPECIAL = re.compile(r"([\\`*_\[\]<>|#~])")


def plain(values: Values, fields: Sequence[Field]) -> dict[str, Any]:
    """A row for programs: the registry's keys; times as ISO 8601 UTC, yes and no as booleans, numbers as numbers."""
    return {field.key: typed(values.get(field.key), field) for field in fields}


def typed(value: Value, field: Field) -> Any:
    """One value for programs."""
    if value is None:
        return None
    if field.kind == "time" and isinstance(value, (int, float)):
        moment = datetime.fromtimestamp(value, UTC)
        return moment.isoformat(timespec="milliseconds" if value % 1 else "seconds").replace("+00:00", "Z")
    if field.kind == "bool":
        return bool(value)
    return value


def json_text(value: Any, *, indent: int | None = 2) -> str:
    """JSON that any terminal may show: letters stay, control, format and private characters are escaped."""
    return _HIDDEN.sub(_escape, json.dumps(value, ensure_ascii=False, indent=indent))


def _escape(match: re.Match[str]) -> str:
    char = match[0]
    if char == "\n" or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"):
        return char
    return json.dumps(char)[1:-1]


def jsonl_text(rows: Iterable[Mapping[str, Any]]) -> str:
    """One object a line."""
    return "".join(f"{json_text(row, indent=None)}\n" for row in rows)


def csv_text(rows: Iterable[Mapping[str, Any]], fields: Sequence[Field]) -> str:
    """CSV with the keys as its first line; text that a spreadsheet would run as a formula begins with `'`."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([field.key for field in fields])
    for row in rows:
        writer.writerow([_cell(row.get(field.key)) for field in fields])
    return out.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return inert(value)
    return "" if value is None else value


def table(
    rows: Sequence[Values], fields: Sequence[Field], *, now: float, width: int | None, whole: Collection[str] = ()
) -> str:
    """Aligned columns, ages for times. width: cells there are, the widest text column gives way; None: no limit.

    whole: keys of columns that go on in the next line instead of being cut.
    """
    cells = [[show(row.get(field.key), field.kind, now=now) for field in fields] for row in rows]
    widths = [
        max(
            [cell_width(field.title)]
            + [min(_LONGEST if field.key in whole else _WIDEST, cell_width(line[index])) for line in cells]
        )
        for index, field in enumerate(fields)
    ]
    if width is not None:
        widths = _narrowed(widths, fields, width)
    lines = [[field.title for field in fields]]
    for line in cells:
        pieces = [
            wrap(text, size) if field.key in whole else [text]
            for text, size, field in zip(line, widths, fields, strict=True)
        ]
        lines += [list(row) for row in zip_longest(*pieces, fillvalue="")]
    return "".join(
        "  ".join(
            _fit(text, size, right=field.align == "right")
            for text, size, field in zip(line, widths, fields, strict=True)
        ).rstrip()
        + "\n"
        for line in lines
    )


def _narrowed(widths: list[int], fields: Sequence[Field], width: int) -> list[int]:
    widths = list(widths)
    # Text gives way before numbers do; ids and serials are kept whole, since they are copied.
    soft = [index for index, field in enumerate(fields) if field.kind in ("text", "tags", "enum", "geo")]
    while soft and sum(widths) + 2 * (len(widths) - 1) > width:
        index = max(soft, key=lambda place: widths[place])
        if widths[index] <= 8:
            break
        widths[index] -= 1
    return widths


def markdown(rows: Sequence[Values], fields: Sequence[Field]) -> str:
    """A Markdown table; times absolute, in the person's zone."""

    def line(texts: Iterable[str]) -> str:
        return "| " + " | ".join(_SPECIAL.sub(r"\\\1", text) for text in texts) + " |\n"

    rule = "|" + "|".join(" ---: " if field.align == "right" else " --- " for field in fields) + "|\n"
    head = line(field.title for field in fields)
    return head + rule + "".join(line(show(row.get(field.key), field.kind) for field in fields) for row in rows)


def cell_width(text: str) -> int:
    """Cells a terminal needs for cleaned text."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def _fit(text: str, size: int, *, right: bool) -> str:
    if cell_width(text) > size:
        while text and cell_width(text) > size - 1:
            text = text[:-1]
        text += "…"
    blank = " " * max(0, size - cell_width(text))
    return blank + text if right else text + blank
