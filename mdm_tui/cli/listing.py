"""Lists of things that are no devices: which columns there are, which are asked for, and all of it on stdout."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from mdm_tui.config.errors import nearest
from mdm_tui.fleet.devices import Value
from mdm_tui.fleet.fields import Field
from mdm_tui.fleet.text import search_key
from mdm_tui.fleet.values import Kind

from . import codes, output

__all__ = ["PEOPLE", "Listing", "column", "matching", "write"]

PEOPLE = ("table", "md")
"""The formats that people read."""


@dataclass(frozen=True)
class Listing:
    """The columns of one kind of thing. command: as it is typed. first: what people see until they choose."""

    command: str
    columns: Sequence[Field]
    first: tuple[str, ...]
    _by_key: dict[str, Field] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._by_key.update((column.key, column) for column in self.columns)

    def chosen(self, text: str | None, form: str) -> list[Field]:
        """The columns named in a comma-separated list, else those that suit the format. Raises `CliError`."""
        if text is None:
            return [self._by_key[key] for key in self.first] if form in PEOPLE else list(self.columns)
        names = [name.strip() for name in text.split(",") if name.strip()]
        found = [self._by_key.get(name.lower()) for name in names]
        how = f"`mdm-tui {self.command} --columns list` names them."
        if not names:
            raise codes.CliError(f"--columns: no field is named; {how}", codes.USAGE)
        for name, column in zip(names, found, strict=True):
            if column is None:
                hint = nearest(name, list(self._by_key))
                what = f"did you mean {hint!r}?" if hint else how
                raise codes.CliError(f"--columns: there is no field {name!r}; {what}", codes.USAGE)
        return [column for column in found if column is not None]

    def describe(self) -> None:
        """Print what `--columns` takes."""
        for column in self.columns:
            print(f"{column.key:12} {column.title:14} {column.kind:8} {column.doc}".rstrip())


def column(key: str, title: str, kind: Kind = "text", doc: str = "") -> Field:
    """One column; numbers stand to the right."""
    return Field(key, title, kind, doc=doc, align="right" if kind in ("int", "bytes") else "left")


def matching(rows: Iterable[dict[str, Value]], words: Sequence[str]) -> list[dict[str, Value]]:
    """The rows in whose texts every word is found, without regard to case and accents."""
    wanted = [search_key(word) for text in words for word in text.split()]
    if not wanted:
        return list(rows)
    found = []
    for row in rows:
        text = search_key("\n".join(value for value in row.values() if isinstance(value, str)))
        if all(word in text for word in wanted):
            found.append(row)
    return found


def write(
    rows: Sequence[Mapping[str, Value]], fields: Sequence[Field], form: str, now: float, whole: Collection[str] = ()
) -> None:
    """Print rows. A row that could not be read says so under `unreadable`, which `json` and `jsonl` print as well.

    whole: keys of columns that a table never cuts.
    """
    if form == "table":
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        text = output.table(rows, fields, now=now, width=width, whole=whole)
    elif form == "md":
        text = output.markdown(rows, fields)
    else:
        plain = [output.plain(values, fields) for values in rows]
        if form == "csv":
            text = output.csv_text(plain, fields)
        else:
            for row, flat in zip(rows, plain, strict=True):
                if row.get("unreadable"):
                    flat["unreadable"] = row["unreadable"]
            text = output.jsonl_text(plain) if form == "jsonl" else f"{output.json_text(plain)}\n"
    sys.stdout.write(text)
    sys.stdout.flush()
