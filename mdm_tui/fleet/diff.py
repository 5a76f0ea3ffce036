"""JSON documents compared and merged: what differs, and what two people changed at once.

Lists are matched by what their entries say they are (an id), else by their content, so that an entry put in front
does not look like a change of all the others.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal

from .errors import Problem

__all__ = ["Conflict", "Difference", "Merged", "differences", "identity", "merge", "same"]

Path = tuple[str | int, ...]

# Beyond this a list is compared place by place: matching is quadratic.
_MATCHED = 2_000
# What names an entry, best first; between them and a mere name stand the references to something else (`assetId`).
_IDENTITIES = ("id", "uuid", "packageName")
_REFERENCES = ("Id", "Uuid")
_MISSING = object()


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differs. path: in `mine` for what was added or changed, in `base` for what was removed."""

    path: Path
    kind: Literal["added", "removed", "changed"]
    base: Any = None
    mine: Any = None

    @property
    def pointer(self) -> str:
        """The place as people write it: `applications[0].action`."""
        return Problem(self.path, "").pointer


@dataclass(frozen=True, slots=True)
class Conflict:
    """One place that both sides changed, differently. `None` stands for a value that is not there as well."""

    path: Path
    base: Any
    mine: Any
    theirs: Any

    @property
    def pointer(self) -> str:
        return Problem(self.path, "").pointer


@dataclass(frozen=True, slots=True)
class Merged:
    """Both sides' changes in one document; where they collide it holds mine and says so."""

    document: Any
    conflicts: tuple[Conflict, ...] = ()


def same(one: Any, other: Any) -> bool:
    """Equal as JSON: true is not 1, and 1 is 1.0."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return len(one) == len(other) and all(key in other and same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    return (type(one) is type(other) and one == other) or _numbers(one, other)


def _numbers(one: Any, other: Any) -> bool:
    return isinstance(one, (int, float)) and isinstance(other, (int, float)) and one == other


def identity(entry: Any) -> str:
    """What tells an entry of a list from its neighbours, "" when nothing does."""
    if isinstance(entry, Mapping):
        references = sorted(key for key in entry if isinstance(key, str) and key.endswith(_REFERENCES))
        for key in (*_IDENTITIES, *references, "name"):
            value = entry.get(key)
            if isinstance(value, str) and value:
                return f"{key}={value}"
    return ""


def differences(base: Any, mine: Any) -> list[Difference]:
    """What was added, removed and changed from `base` to `mine`, in the order of the documents."""
    found: list[Difference] = []
    _compare(base, mine, (), found)
    return found


def _compare(base: Any, mine: Any, path: Path, found: list[Difference]) -> None:
    if isinstance(base, Mapping) and isinstance(mine, Mapping):
        for key, value in base.items():
            if key not in mine:
                found.append(Difference((*path, key), "removed", base=value))
            else:
                _compare(value, mine[key], (*path, key), found)
        found.extend(Difference((*path, key), "added", mine=value) for key, value in mine.items() if key not in base)
    elif isinstance(base, list) and isinstance(mine, list):
        _compare_lists(base, mine, path, found)
    elif not same(base, mine):
        found.append(Difference(path, "changed", base, mine))


def _compare_lists(base: list[Any], mine: list[Any], path: Path, found: list[Difference]) -> None:
    for low, high in _pairs(base, mine):
        if high is None:
            found.append(Difference((*path, low), "removed", base=base[low]))  # type: ignore[arg-type]
        elif low is None:
            found.append(Difference((*path, high), "added", mine=mine[high]))
        else:
            _compare(base[low], mine[high], (*path, high), found)


def _pairs(base: list[Any], mine: list[Any]) -> list[tuple[int | None, int | None]]:
    """Which entry of `base` became which of `mine`."""
    if len(base) > _MATCHED or len(mine) > _MATCHED:
        return [
            (index if index < len(base) else None, index if index < len(mine) else None)
            for index in range(max(len(base), len(mine)))
        ]
    pairs: list[tuple[int | None, int | None]] = []
    matcher = SequenceMatcher(None, [_label(item) for item in base], [_label(item) for item in mine], autojunk=False)
    for tag, low, low_end, high, high_end in matcher.get_opcodes():
        if tag == "equal":
            pairs.extend(zip(range(low, low_end), range(high, high_end), strict=True))
            continue
        # Entries without an identity that stand at the same place changed; the others came and went.
        olds, news = list(range(low, low_end)), list(range(high, high_end))
        while olds and news and not identity(base[olds[0]]) and not identity(mine[news[0]]):
            pairs.append((olds.pop(0), news.pop(0)))
        pairs.extend((index, None) for index in olds)
        pairs.extend((None, index) for index in news)
    return pairs


def _label(entry: Any) -> str:
    return identity(entry) or json.dumps(entry, sort_keys=True, default=str)


def merge(base: Any, mine: Any, theirs: Any) -> Merged:
    """Three-way merge: what only one side changed is taken, what both changed differently is a conflict."""
    conflicts: list[Conflict] = []
    document = _merge(base, mine, theirs, (), conflicts)
    return Merged(None if document is _MISSING else document, tuple(conflicts))


def _merge(base: Any, mine: Any, theirs: Any, path: Path, conflicts: list[Conflict]) -> Any:
    if _same(mine, theirs) or _same(base, theirs):
        return mine
    if _same(base, mine):
        return theirs
    if isinstance(mine, Mapping) and isinstance(theirs, Mapping):
        before = base if isinstance(base, Mapping) else {}
        # Their order first: what is sent back stays close to what they hold.
        keys = [*theirs, *(key for key in mine if key not in theirs)]
        merged = {
            key: _merge(
                before.get(key, _MISSING), mine.get(key, _MISSING), theirs.get(key, _MISSING), (*path, key), conflicts
            )
            for key in keys
        }
        return {key: value for key, value in merged.items() if value is not _MISSING}
    if isinstance(mine, list) and isinstance(theirs, list) and isinstance(base, list):
        keyed = [_keyed(side) for side in (base, mine, theirs)]
        if all(side is not None for side in keyed):
            return _merge_keyed(keyed[0] or {}, keyed[1] or {}, keyed[2] or {}, path, conflicts)
    conflicts.append(Conflict(path, _none(base), _none(mine), _none(theirs)))
    return mine


def _merge_keyed(
    base: dict[str, Any], mine: dict[str, Any], theirs: dict[str, Any], path: Path, conflicts: list[Conflict]
) -> list[Any]:
    merged: list[Any] = []
    for key in [*theirs, *(key for key in mine if key not in theirs)]:
        value = _merge(
            base.get(key, _MISSING), mine.get(key, _MISSING), theirs.get(key, _MISSING), (*path, len(merged)), conflicts
        )
        if value is not _MISSING:
            merged.append(value)
    return merged


def _keyed(entries: list[Any]) -> dict[str, Any] | None:
    """The entries by identity (text by itself); None when they cannot be told apart."""
    keyed: dict[str, Any] = {}
    for entry in entries:
        key = entry if isinstance(entry, str) else identity(entry)
        if not key or key in keyed:
            return None
        keyed[key] = entry
    return keyed


def _same(one: Any, other: Any) -> bool:
    if one is _MISSING or other is _MISSING:
        return one is other
    return same(one, other)


def _none(value: Any) -> Any:
    return None if value is _MISSING else value
