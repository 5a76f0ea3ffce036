"""The rows of the Apps and Images screens, and what is typed above them: words, and terms for the service. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mdm_tui.fleet.text import clean, search_key
from mdm_tui.fleet.values import calm_age, show_bytes
from mdm_tui.tui.screens.held import HeldRows
from mdm_tui.tui.widgets.grid import Cell, Column
from mdm_tui.tui.widgets.grid_text import glyphs

__all__ = ["CatalogueSource", "Terms", "Trait", "terms_of"]

_TERM = re.compile(r'([A-Za-z_]+):("[^"]*"?|\S*)|(\S+)')


@dataclass(frozen=True, slots=True)
class Trait:
    """One column: how a value is found, shown and sorted. kind: text, bytes, age, day, bool or number.

    told: another way to say the value; where it is given, the value itself is for sorting.
    """

    column: Column
    value: Callable[[Any], Any]
    kind: str = "text"
    told: Callable[[Any], Cell] | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """What was typed. where: field → its whole value, asked of the service; words: looked for in the rows.

    wrong: fields that nobody knows.
    """

    where: Mapping[str, str] = field(default_factory=dict)
    words: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()


def terms_of(text: str, fields: Collection[str]) -> Terms:
    """Read `package:com.x words "…"`: `field:value` with a known field is a term, an address or the like is a word."""
    where: dict[str, str] = {}
    words: list[str] = []
    wrong: list[str] = []
    for match in _TERM.finditer(text):
        name, value, word = match.groups()
        if name is None:
            words.append(word.strip('"'))
        elif name.lower() in fields:
            if value.strip('"'):
                where[name.lower()] = value.strip('"')
        elif value.startswith("//"):
            words.append(match[0])
        else:
            wrong.append(name)
    return Terms(where, tuple(word for word in words if word), tuple(wrong))


class CatalogueSource(HeldRows):
    """Rows for the grid; the id of a row is the item's. fields: what the service finds by, as attributes of an item."""

    def __init__(self, traits: Sequence[Trait], fields: Collection[str], now: Callable[[], float]) -> None:
        super().__init__()
        self._traits = {trait.column.key: trait for trait in traits}
        self._fields = tuple(fields)
        self._now = now
        self._texts: dict[str, str] = {}
        self.words = ""
        self.sort: tuple[str, bool] = ("name", False)

    # --- what the grid asks ---

    def cells(self, row_id: str, columns: Sequence[Column]) -> Sequence[Cell] | None:
        item = self._held.get(row_id)
        return None if item is None else [self.cell(item, column.key) for column in columns]

    def glyph(self, row_id: str) -> Cell:
        item = self._held.get(row_id)
        if item is not None and item.unreadable:
            return Cell(glyphs().fault, "bad")
        return Cell(glyphs().disabled, "muted") if item is not None and item.enabled is False else Cell(" ")

    # --- what the screen asks ---

    @property
    def terms(self) -> Terms:
        """What is asked for now."""
        return terms_of(self.words, self._fields)

    def put(self, items: Sequence[Any]) -> tuple[set[str], bool]:
        """Take what is held now. Answers which differ and whether order or membership do."""
        old, self._held = self._held, {item.id: item for item in items}
        changed = {key for key, item in self._held.items() if old.get(key) != item}
        for key in changed | (old.keys() - self._held.keys()):
            self._texts.pop(key, None)
        return changed, self.arrange()

    def arrange(self) -> bool:
        """Filter and sort again; whether the rows or their order changed.

        served: ids as the service found them for the terms; None while they are only looked for in what is held.
        """
        terms = self.terms
        if self.served is not None:
            shown = [self._held[key] for key in self.served if key in self._held]
        else:
            shown = [item for item in self._held.values() if self._has(item, terms.where)]
        if words := [search_key(word) for word in terms.words]:
            shown = [item for item in shown if all(word in self._searched(item) for word in words)]
        key, down = self.sort
        trait = self._traits[key]
        known = [item for item in shown if trait.value(item) not in (None, "")]
        unknown = sorted((item for item in shown if trait.value(item) in (None, "")), key=_by_name)
        known.sort(key=_by_name)
        known.sort(key=lambda item: _rank(trait.value(item)), reverse=down)
        # What is not known is last, whichever way it is sorted.
        return self._show([item.id for item in (*known, *unknown)])

    def sort_by(self, key: str) -> None:
        """Sort by a column; the same one again turns it round."""
        kind = self._traits[key].kind
        self.sort = (key, not self.sort[1] if self.sort[0] == key else kind in ("age", "day", "bytes"))

    def cell(self, item: Any, key: str) -> Cell:
        """One cell of an item."""
        trait = self._traits[key]
        if key == "name" and item.unreadable:
            return Cell(f"{clean(item.name) or item.id}: {clean(item.unreadable, 200)}", "bad")
        if trait.told is not None:
            return trait.told(item)
        value = trait.value(item)
        if value is None or value == "":
            return Cell("-", "muted")
        if trait.kind == "bytes":
            return Cell(show_bytes(value), "")
        if trait.kind == "age":
            return Cell(calm_age(self._now() - value), "muted")
        if trait.kind == "day":
            return Cell(_day(value), "muted")
        if trait.kind == "bool":
            return Cell("yes" if value else "no", "muted" if value else "")
        return Cell(clean(value, 300), "" if key == "name" else "muted" if trait.kind == "pale" else "")

    def plain(self, item: Any) -> dict[str, str]:
        """An item's columns as text, for a file."""
        return {key: "" if (cell := self.cell(item, key)).text == "-" else cell.text for key in self._traits}

    # --- inside ---

    @staticmethod
    def _has(item: Any, where: Mapping[str, str]) -> bool:
        return all(search_key(str(getattr(item, key, "") or "")) == search_key(text) for key, text in where.items())

    def _searched(self, item: Any) -> str:
        text = self._texts.get(item.id)
        if text is None:
            said = [str(value) for trait in self._traits.values()
                    if trait.kind in ("text", "pale") and (value := trait.value(item))]  # fmt: skip
            text = self._texts[item.id] = search_key(" ".join([*said, item.id, item.file_name]))
        return text


def _by_name(item: Any) -> tuple[str, str]:
    return (search_key(item.name), item.id)


def _rank(value: Any) -> Any:
    """A value to sort by: versions and levels by their numbers, part by part; text after numbers."""
    if isinstance(value, (bool, int, float)):
        return ((0, float(value), ""),)
    parts = re.findall(r"\d+|[^\d.]+", search_key(str(value)))
    return tuple((0, float(part), "") if part.isdigit() else (1, 0.0, part) for part in parts)


def _day(stamp: float) -> str:
    from mdm_tui.fleet.values import show_time

    return show_time(stamp)[:10]
