"""A device's report as people read it: sections of entries and tables, with nothing left out.

Every leaf of the report ends in exactly one entry. What the field registry does not know stands, with its path, in the
section "Not known to this console". Laying the sections out as lines is `inventory_text`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from .fields import FIELDS, Field, known
from .report import SECTIONS, Report, leaves, pattern
from .text import clean
from .values import Kind, age, parse_time, show

__all__ = ["Column", "Entry", "Section", "Table", "build", "to_json", "to_markdown", "to_text", "tone", "tree_entries"]

SECRET = "(secret, not shown)"
EMPTY = "empty"
# Longer values are cut on the screen (the Raw view and the exports of the raw report have them whole).
LONGEST = 20_000
_ORDER = {path: number for number, path in enumerate(FIELDS)}
_NUMERIC: frozenset[Kind] = frozenset({"int", "number", "percent", "celsius", "bytes"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One value. text: cleaned, for display. note: the same said otherwise (an age, the raw number, plain words).

    path: its place in the report, with indices. value: as it came; None for secrets. heading: has no value of its own.
    """

    label: str
    text: str
    kind: Kind
    value: Any
    path: str
    depth: int = 0
    note: str = ""
    heading: bool = False

    @property
    def copy(self) -> str:
        """What copying this value puts on the clipboard."""
        if self.kind == "secret":
            return self.text
        if isinstance(self.value, str):
            return self.value
        return json.dumps(self.value, ensure_ascii=False) if self.value is not None else ""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    title: str
    kind: Kind

    @property
    def right(self) -> bool:
        """Numbers stand right."""
        return self.kind in _NUMERIC


@dataclass(frozen=True, slots=True)
class Table:
    """A list of objects: one row each, one column for each kind of leaf; None where a row lacks it."""

    title: str
    path: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Entry | None, ...], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the report. key: as in `report.SECTIONS`."""

    key: str
    title: str
    parts: tuple[Entry | Table, ...]

    def entries(self) -> Iterable[Entry]:
        """Every entry, those in tables too, in reading order."""
        for part in self.parts:
            if isinstance(part, Entry):
                yield part
            else:
                for row in part.rows:
                    yield from (cell for cell in row if cell is not None)


def build(report: Report, *, now: float | None = None, zone: tzinfo | None = None) -> list[Section]:
    """The sections of a report that hold anything, in reading order.

    now: epoch seconds for the ages beside times, None for no ages. zone: of absolute times, None for the person's.
    """
    walk = _Walk(now, zone)
    made: list[Section] = []
    for key, title in SECTIONS.items():
        if key == "other" or key not in report:
            continue
        parts = walk.parts((key,), report[key])
        if parts:
            made.append(Section(key, title, tuple(parts)))
    for key, node in report.items():
        if key == "other" or key not in SECTIONS:
            walk.strange(() if key == "other" else (key,), node)
    if walk.unknown:
        made.append(Section("other", SECTIONS["other"], tuple(walk.unknown)))
    return made


class _Walk:
    def __init__(self, now: float | None, zone: tzinfo | None) -> None:
        self.now = now
        self.zone = zone
        self.unknown: list[Entry] = []

    def parts(self, path: tuple[str | int, ...], node: Any) -> list[Entry | Table]:
        found: list[Entry | Table] = []
        # Iterative: a hostile report may be nested deeper than Python's stack.
        stack: list[tuple[tuple[str | int, ...], Any]] = [(path, node)]
        while stack:
            here, value = stack.pop()
            at = pattern(here)
            field = known(at)
            below = known(f"{at}.*") if isinstance(value, (Mapping, list)) and value else None
            if below is not None and below.kind == "tree":
                found.append(Entry(below.full, "", "tree", value, _dotted(here), heading=True))
                found.extend(tree_entries(value, here, depth=1, now=self.now, zone=self.zone))
            elif isinstance(value, Mapping) and value:
                stack.extend(reversed([((*here, str(key)), below) for key, below in value.items()]))
            elif isinstance(value, list) and value:
                if all(isinstance(item, Mapping) for item in value) and any(value):
                    found.extend(self.table(here, value))
                elif any(isinstance(item, (Mapping, list)) for item in value):
                    stack.extend(reversed([((*here, index), item) for index, item in enumerate(value)]))
                else:
                    self.leaf(here, value, field or known(at + "[]"), found)
            else:
                self.leaf(here, value, field, found)
        return _ordered(found)

    def leaf(self, path: tuple[str | int, ...], value: Any, field: Field | None, found: list[Entry | Table]) -> None:
        if field is None:
            self.strange(path, value)
        else:
            found.append(_entry(_label(field, path), value, field.kind, path, self.now, self.zone))

    def strange(self, path: tuple[str | int, ...], node: Any) -> None:
        for leaf in leaves(node, path):
            self.unknown.append(_entry(_dotted(leaf.path), leaf.value, "text", leaf.path, self.now, self.zone))

    def table(self, path: tuple[str | int, ...], rows: Sequence[Mapping[str, Any]]) -> list[Entry | Table]:
        fields: dict[str, Field] = {}
        taken: list[dict[str, list[tuple[tuple[str | int, ...], Any]]]] = []
        for index, row in enumerate(rows):
            cells: dict[str, list[tuple[tuple[str | int, ...], Any]]] = {}
            for leaf in leaves(row, (*path, index)) if row else ():
                field = known(leaf.pattern)
                if field is None:
                    self.strange(leaf.path, leaf.value)
                    continue
                fields.setdefault(field.path, field)
                cells.setdefault(field.path, []).append((leaf.path, leaf.value))
            taken.append(cells)
        if not fields:
            for index, row in enumerate(rows):
                if not row:
                    self.strange((*path, index), row)
            return []
        order = sorted(fields, key=lambda key: _ORDER.get(key, len(_ORDER)))
        columns = tuple(Column(fields[key].full, fields[key].kind) for key in order)
        holder = known(pattern(path))
        title = holder.full if holder is not None else _words(str(path[-1]))
        made = tuple(
            tuple(self._cell(fields[key], cells[key]) if key in cells else None for key in order) for cells in taken
        )
        return [Table(title, _dotted(path), columns, made)]

    def _cell(self, field: Field, held: list[tuple[tuple[str | int, ...], Any]]) -> Entry:
        path, value = held[0]
        if len(held) == 1 and field.kind != "tree" and not field.path.endswith("*"):
            return _entry(field.full, value, field.kind, path, self.now, self.zone)
        stem = len(re.sub(r"\.?\*+$", "", field.path).split(".")) + sum(isinstance(part, int) for part in path)
        if field.path.endswith("*"):
            # Several keys share the column: each is named.
            pieces = [
                f"{_dotted(at[min(stem, len(at) - 1) :]) or at[-1]}: {_shown(item, 'text', self.zone)}"
                for at, item in held
            ]
        else:
            pieces = [_shown(item, field.kind, self.zone) for _at, item in held]
        return Entry(field.full, ", ".join(pieces), field.kind, [item for _at, item in held], _dotted(path))


def _ordered(parts: Sequence[Entry | Table]) -> list[Entry | Table]:
    """In the registry's order, whatever the service's was: single values, then trees, then tables."""
    ranked: list[tuple[tuple[int, int], Entry | Table]] = []
    rank = (0, 0)
    for part in parts:
        if isinstance(part, Table):
            rank = (2, len(ranked))
        elif part.heading and part.depth == 0:
            rank = (1, len(ranked))
        elif part.depth == 0:
            at = re.sub(r"\[\d+\]", "[]", part.path)
            rank = (0, _ORDER.get(at, _ORDER.get(at.removesuffix("[]"), len(_ORDER))))
        ranked.append((rank, part))
    return [part for _rank, part in sorted(ranked, key=lambda item: item[0])]


def tree_entries(
    node: Any, path: tuple[str | int, ...], *, depth: int = 0, now: float | None = None, zone: tzinfo | None = None
) -> list[Entry]:
    """A subtree as indented entries: objects and lists are headings, scalars values. Labels are the tree's own keys."""
    made: list[Entry] = []
    stack = [(path, node, depth - 1)]
    while stack:
        here, value, level = stack.pop()
        if isinstance(value, Mapping) and value:
            below: list[tuple[Any, Any]] = [(str(key), item) for key, item in value.items()]
        elif isinstance(value, list) and value and any(isinstance(item, (Mapping, list)) for item in value):
            below = list(enumerate(value))
        else:
            field = known(pattern(here))
            kind: Kind = field.kind if field is not None and field.kind != "tree" else "text"
            made.append(_entry(_key(here), value, kind, here, now, zone, max(0, level)))
            continue
        if level >= depth:
            made.append(Entry(_key(here), "", "tree", value, _dotted(here), level, heading=True))
        stack.extend(reversed([((*here, key), item, level + 1) for key, item in below]))
    return made


def _entry(
    label: str,
    value: Any,
    kind: Kind,
    path: tuple[str | int, ...],
    now: float | None,
    zone: tzinfo | None,
    depth: int = 0,
) -> Entry:
    label = clean(label, 400)
    if kind == "secret":
        return Entry(label, SECRET if value not in (None, "") else "-", kind, None, _dotted(path), depth)
    return Entry(label, _shown(value, kind, zone), kind, value, _dotted(path), depth, _note(value, kind, now))


def _shown(value: Any, kind: Kind, zone: tzinfo | None) -> str:
    if isinstance(value, (Mapping, list)) and not value:
        return EMPTY
    if isinstance(value, str) and len(value) > 500:
        text = clean(value[:LONGEST], LONGEST)
        return text if len(value) <= LONGEST else f"{text} … {len(value):,} characters, whole in Raw"
    if isinstance(value, list) and not any(isinstance(item, (Mapping, list)) for item in value):
        return ", ".join(_shown(item, kind, zone) for item in value)
    if kind == "geo":
        kind = "text"
    return show(value, kind, zone=zone)


def _note(value: Any, kind: Kind, now: float | None) -> str:
    if kind == "time" and now is not None:
        stamp = parse_time(value)
        if stamp is not None:
            gone = age(now - stamp)
            return gone if gone == "now" or gone.startswith("in ") else f"{gone} ago"
    if kind in ("bytes", "duration") and isinstance(value, (str, int)) and not isinstance(value, bool):
        return clean(value, 40)
    if kind == "enum" and isinstance(value, str):
        return soften(value)
    return ""


def soften(word: str) -> str:
    """Plain words for one of the contract's, "" where they would only repeat it."""
    if word.endswith(("_UNSPECIFIED", "STATUS_UNKNOWN")):
        return "no information"
    if "_" in word and re.fullmatch(r"[A-Z0-9_]{4,80}", word):
        return word.replace("_", " ").lower()
    return ""


def _label(field: Field, path: tuple[str | int, ...]) -> str:
    if field.path.endswith("*"):
        return str(path[-1]) if field.title == "System property" else f"{field.full} {path[-1]}"
    if field.path.count("[]") and any(isinstance(part, int) for part in path):
        return f"{field.full} [{next(part for part in path if isinstance(part, int))}]"
    return field.full


def _key(path: Sequence[str | int]) -> str:
    part = path[-1] if path else ""
    return f"[{part}]" if isinstance(part, int) else clean(part, 400)


def _dotted(path: Sequence[str | int]) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return clean(text, 2000)


def _words(key: str) -> str:
    text = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", key)
    return clean(text[:1].upper() + text[1:].lower(), 200)


# What is wrong at a glance: (path, value) → role. The healthy stays pale.
_TONES: dict[tuple[str, Any], str] = {
    ("compliance.policyCompliant", False): "bad",
    ("policy.status.pushed", False): "warn",
    ("policy.appliedPolicy.status", "error"): "bad",
    ("settings.isEncrypted", False): "bad",
    ("settings.isDeviceSecure", False): "warn",
    ("settings.adbEnabled", True): "warn",
    ("settings.developmentSettingsEnabled", True): "warn",
    ("settings.unknownSourcesEnabled", True): "warn",
    ("settings.verifyAppsEnabled", False): "warn",
    ("security.devicePosture", "AT_RISK"): "bad",
    ("security.devicePosture", "POTENTIALLY_COMPROMISED"): "bad",
    ("state.state", "PENDING_DISENROLL"): "warn",
    ("state.state", "DELETED"): "bad",
    ("state.state", "DISABLED"): "warn",
}


def tone(entry: Entry) -> str:
    """The theme role of an entry whose value is a fault, "" when it is none."""
    if entry.path == "policy.appliedPolicy.errorMessage" and entry.value:
        return "bad"
    if not isinstance(entry.value, (str, bool)):
        return ""
    return _TONES.get((entry.path, entry.value), "")


def to_text(sections: Sequence[Section], width: int = 100) -> str:
    """The whole inventory as plain lines of at most `width` cells where values allow it."""
    from .inventory_text import to_text as write

    return write(sections, width)


def to_markdown(sections: Sequence[Section]) -> str:
    """The whole inventory as Markdown: a heading a section, lists of values, tables."""
    from .inventory_text import to_markdown as write

    return write(sections)


def to_json(report: Report) -> str:
    """The neutral report as indented JSON, ASCII only, so that no control or bidi character gets out."""
    return json.dumps(report, indent=2, ensure_ascii=True)
