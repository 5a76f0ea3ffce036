"""A device's report in neutral words: a tree by section, and the walk over its leaves.

A provider moves the parts of its raw answer into these sections under neutral names; what it places as a whole
subtree keeps the names inside. Whatever it does not place ends in `other`, with its original path, so that nothing is
ever hidden.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

__all__ = ["SECTIONS", "Leaf", "Report", "get", "last", "leaves", "move", "pattern"]

Report = dict[str, Any]

# key → title, in the order in which people read a device.
SECTIONS: dict[str, str] = {
    "identity": "Identity",
    "state": "State",
    "policy": "Policy",
    "compliance": "Compliance",
    "software": "Software",
    "hardware": "Hardware",
    "displays": "Displays",
    "network": "Network and telephony",
    "memory": "Memory and storage",
    "power": "Battery and temperatures",
    "security": "Security",
    "settings": "Settings",
    "location": "Location",
    "applications": "Applications",
    "summary": "Summary by the service",
    "other": "Not known to this console",
}


class Leaf(NamedTuple):
    """One value of a report. path: keys and list indices from the section down."""

    path: tuple[str | int, ...]
    value: Any

    @property
    def pattern(self) -> str:
        """The path with `[]` for any index: the key into the field registry."""
        return pattern(self.path)


def pattern(path: Sequence[str | int]) -> str:
    """`("power", "events", 0, "level")` → `power.events[].level`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += "[]"
        else:
            text += f".{part}" if text else part
    return text


def leaves(tree: Any, path: tuple[str | int, ...] = ()) -> Iterator[Leaf]:
    """Every leaf below `tree`, in order; an empty object or list is a leaf too. Iterative: depth cannot overflow."""
    stack: list[tuple[tuple[str | int, ...], Any]] = [(path, tree)]
    while stack:
        here, node = stack.pop()
        if isinstance(node, Mapping) and node:
            stack.extend(reversed([((*here, str(key)), value) for key, value in node.items()]))
        elif isinstance(node, list) and node:
            stack.extend(reversed([((*here, index), value) for index, value in enumerate(node)]))
        else:
            yield Leaf(here, node)


def get(tree: Any, path: str) -> Any:
    """The value at a dotted path of keys, None when it is not there or something on the way is of another shape."""
    node = tree
    for key in _keys(path):
        # `type` first: asking an abstract class is what costs here.
        if type(node) is not dict and not isinstance(node, Mapping):
            return None
        node = node.get(key)
    return node


def last(tree: Any, path: str, key: str) -> Any:
    """In the list at `path`, the `key` of the newest entry that has one (by `createTime`, else the last)."""
    rows = get(tree, path)
    if not isinstance(rows, list):
        return None
    best: tuple[str, Any] | None = None
    for row in rows:
        if isinstance(row, Mapping) and row.get(key) is not None:
            at = str(row.get("createTime") or "")
            if best is None or at >= best[0]:
                best = (at, row[key])
    return best[1] if best else None


def move(raw: Mapping[str, Any], table: Sequence[tuple[str, str]]) -> Report:
    """Build a report: for each `(path in raw, path in report)` in order, the subtree moves; the rest goes to `other`.

    Longer raw paths must come before the shorter ones that contain them. `("rows[].a", "section.list[].b")` moves the
    list at `rows` whole, once the others have moved, and renames `a` in each of its objects. `raw` is not changed.
    """
    moves, lists = _plan(tuple(table))
    rest = _branches(raw)
    report: Report = {}
    for source, target in moves:
        found, value = _take(rest, source)
        if found:
            _put(report, target, value)
    for source, target, names in lists:
        found, value = _take(rest, source)
        if found:
            _put(report, target, [_renamed(row, names) for row in value] if isinstance(value, list) else value)
    if rest:
        report["other"] = rest
    return report


_Keys = tuple[str, ...]


@lru_cache(maxsize=64)
def _plan(
    table: tuple[tuple[str, str], ...],
) -> tuple[tuple[tuple[_Keys, _Keys], ...], tuple[tuple[_Keys, _Keys, dict[str, str]], ...]]:
    moves: list[tuple[_Keys, _Keys]] = []
    lists: dict[tuple[str, str], dict[str, str]] = {}
    for source, target in table:
        stem, below, name = source.partition("[].")
        if below:
            place, _, new = target.partition("[].")
            lists.setdefault((stem, place), {})[name] = new
        else:
            moves.append((_keys(source), _keys(target)))
    return tuple(moves), tuple((_keys(stem), _keys(place), names) for (stem, place), names in lists.items())


def _renamed(row: Any, names: Mapping[str, str]) -> Any:
    if not isinstance(row, Mapping):
        return row
    # A row that has the new name already keeps both as they came: nothing is written over.
    return {(key if names.get(key, key) in row else names[key]): value for key, value in row.items()}


def _branches(node: Any) -> Any:
    # Only objects are copied: `_take` deletes keys, lists and values are never written to.
    if type(node) is dict or isinstance(node, Mapping):
        return {
            key: _branches(value) if type(value) is dict or isinstance(value, Mapping) else value
            for key, value in node.items()
        }
    return node


@lru_cache(maxsize=4096)
def _keys(path: str) -> tuple[str, ...]:
    # The paths are those of the providers' tables: a page of 100 devices would split each of them 100 times.
    return tuple(path.split("."))


def _take(tree: Any, keys: tuple[str, ...]) -> tuple[bool, Any]:
    way: list[dict[str, Any]] = []
    node = tree
    for key in keys[:-1]:
        if not isinstance(node, dict) or key not in node:
            return False, None
        way.append(node)
        node = node[key]
    if not isinstance(node, dict) or keys[-1] not in node:
        return False, None
    value = node.pop(keys[-1])
    # An object emptied by the moves goes; one that was empty in the answer stays and is shown.
    for parent, key in zip(reversed(way), reversed(keys[:-1]), strict=True):
        if parent[key]:
            break
        del parent[key]
    return True, value


def _put(tree: Report, keys: tuple[str, ...], value: Any) -> None:
    node = tree
    for key in keys[:-1]:
        below = node.get(key)
        if not isinstance(below, dict):
            below = node[key] = {}
        node = below
    present = node.get(keys[-1])
    if isinstance(present, dict) and isinstance(value, Mapping):
        present.update(value)
    else:
        node[keys[-1]] = value
