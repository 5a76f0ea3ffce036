"""A JSON document as lines to read: one value a line, each knowing its path; nothing in it can act on the terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from mdm_tui.fleet.inventory import Entry
from mdm_tui.fleet.inventory_text import Line, Spot, width_of, wrap
from mdm_tui.fleet.text import reveal

__all__ = ["json_lines", "tree_lines"]

_INDENT_MOST = 40


def json_lines(text: str, width: int, *, anchor: str = "") -> list[Line]:
    """The document in `text`, indented; where it is not JSON, its characters as they are. May run in a thread."""
    try:
        tree = json.loads(text)
    except (ValueError, RecursionError):
        lines = [
            Line(((" ", ""), (piece, "")), (Spot(1, len(piece), Entry("", piece, "text", line, f"line {number}")),))
            for number, line in enumerate(text.split("\n"), 1)
            for piece in wrap(reveal(line), width - 2)
        ]
    else:
        lines = list(tree_lines(tree, width))
    if lines and anchor:
        lines[0].anchor = anchor
    return lines


def tree_lines(tree: Any, width: int) -> Iterator[Line]:
    """The lines of a parsed document. Iterative: nesting may be deeper than Python's stack."""
    # Each step: depth, path, the key's text, the value, whether a comma follows; or a closing bracket.
    stack: list[tuple[int, str, str, Any, str]] = [(0, "", "", tree, "")]
    while stack:
        depth, path, key, value, tail = stack.pop()
        left = 1 + min(depth * 2, _INDENT_MOST)
        if isinstance(value, _Close):
            yield Line(((" " * left, ""), (value.text + tail, "muted")))
            continue
        inside = isinstance(value, (Mapping, list)) and bool(value)
        if inside:
            opening, closing = ("{", "}") if isinstance(value, Mapping) else ("[", "]")
            entry = Entry(key, "", "tree", value, path, depth, heading=True)
            spans = [(" " * left, ""), *_key(key), (opening, "muted")]
            x = left + sum(width_of(text) for text, _role in spans[1:-1])
            yield Line(tuple(spans), (Spot(x, 1, entry),))
            stack.append((depth, path, "", _Close(closing), tail))
            items = value.items() if isinstance(value, Mapping) else enumerate(value)
            below = [
                (
                    depth + 1,
                    _below(path, name),
                    json.dumps(name) if isinstance(name, str) else "",
                    item,
                    "," if number < len(value) - 1 else "",
                )
                for number, (name, item) in enumerate(items)
            ]
            stack.extend(reversed(below))
            continue
        yield from _scalar(path, key, value, tail, left, width)


class _Close:
    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


def _below(path: str, name: str | int) -> str:
    if isinstance(name, int):
        return f"{path}[{name}]"
    return f"{path}.{name}" if path else name


def _key(key: str) -> list[tuple[str, str]]:
    return [(reveal(key), "info"), (": ", "muted")] if key else []


def _scalar(path: str, key: str, value: Any, tail: str, left: int, width: int) -> Iterator[Line]:
    shown = reveal(json.dumps(value, ensure_ascii=False))
    role = "" if isinstance(value, str) else "accent"
    entry = Entry(key, shown, "text", value, path)
    head = _key(key)
    start = left + sum(width_of(text) for text, _role in head)
    if start > width // 2 and width_of(shown) + start >= width:
        yield Line(((" " * left, ""), *head), (Spot(left, 1, entry),))
        head, start = [], left + 2
    lead: list[tuple[str, str]] = [(" " * (left if head else start), ""), *head]
    pieces = wrap(shown, width - start - 2)
    for number, piece in enumerate(pieces):
        end = [(tail, "muted")] if tail and number == len(pieces) - 1 else []
        yield Line((*lead, (piece, role), *end), (Spot(start, max(1, width_of(piece)), entry),))
        lead = [(" " * start, "")]
