"""Where a key stands in a TOML text: only wanted when something is wrong with it."""

from __future__ import annotations

import re

__all__ = ["find_line"]

_HEADER = re.compile(r"^\s*\[\[?\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?$")
_ASSIGN = re.compile(r"""^\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*=""")
_PART = re.compile(r"""[A-Za-z0-9_-]+|"([^"]*)"|'([^']*)'""")


def find_line(text: str, key: str) -> int | None:
    """The line, from 1, on which the dotted `key` stands in a TOML text; its table's line when it is not there."""
    if not key:
        return None
    best: tuple[int, int] | None = None
    table = ""
    fence = ""
    for number, line in enumerate(text.splitlines(), 1):
        if fence:
            if fence in line:
                fence = ""
            continue
        if header := _HEADER.match(line):
            table = found = _dotted(header[1])
        elif assign := _ASSIGN.match(line):
            found = _dotted(assign[1])
            found = f"{table}.{found}" if table else found
            for mark in ('"""', "'''"):
                if line.count(mark) == 1:
                    fence = mark
        else:
            continue
        # A header `[a.b.c]` names `a.b` as well; a key `a.b = {...}` holds `a.b.c`.
        if found == key or found.startswith(f"{key}."):
            return number
        if key.startswith(f"{found}.") and (best is None or len(found) > best[0]):
            best = (len(found), number)
    return best[1] if best else None


def _dotted(name: str) -> str:
    return ".".join(part[1] or part[2] or part[0].strip("\"'") for part in _PART.finditer(name))
