"""What editing any JSON document needs: its text checked at each line, and what others changed meanwhile."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from mdm_tui.fleet.diff import Conflict, Difference, differences, merge, same
from mdm_tui.fleet.errors import FleetError, Kind, Problem, Sent
from mdm_tui.fleet.jsonpos import JsonError, Lines, Located, locate

__all__ = [
    "NEW",
    "Changed",
    "Checked",
    "PlacedProblem",
    "changed",
    "check",
    "is_new",
    "load",
    "new_id",
    "pretty",
    "untaken",
]

_MAX_PROBLEMS = 200
# Ids of documents that the service does not have yet begin with it, see `new_id`.
NEW = "new:"
_NEW = re.compile(f"{NEW}[0-9a-f]{{12}}")
_HALVES = re.compile("[\ud800-\udfff]")
# What stands at a place that a document does not have; like no value.
_NOWHERE = object()


@dataclass(frozen=True, slots=True)
class PlacedProblem:
    """A problem and its place: lines and columns from 1, `end` exclusive. pointer: "" for the text itself."""

    line: int
    column: int
    end_line: int
    end_column: int
    message: str
    pointer: str = ""
    allowed: str = ""
    warning: bool = False


@dataclass(frozen=True, slots=True)
class Checked:
    """What is wrong with a text, in its order; document: what it says, None when it is not JSON."""

    problems: tuple[PlacedProblem, ...]
    document: Any = None

    @property
    def ok(self) -> bool:
        """Nothing but warnings."""
        return not any(not problem.warning for problem in self.problems)


@dataclass(frozen=True, slots=True)
class Changed:
    """Nothing was sent: the service's copy is another one by now.

    theirs: its text. theirs_changes: what they did to the base. merged: both sides' changes in one text, with mine
    where both changed the same (`conflicts`). Save again with `base=theirs` once a person has decided.
    """

    theirs: str
    theirs_changes: tuple[Difference, ...]
    merged: str
    conflicts: tuple[Conflict, ...]


def new_id() -> str:
    """An id for a document that the service does not have yet."""
    return f"{NEW}{uuid.uuid4().hex[:12]}"


def is_new(document_id: str | None) -> bool:
    """Whether it is none of the service's ids. A service may begin ids of its own with the same letters."""
    return document_id is None or _NEW.fullmatch(document_id) is not None


def pretty(document: Any) -> str:
    """The document as an editor shows it. Half a surrogate pair, which no file or screen can hold, stays an escape."""
    text = json.dumps(document, indent=2, ensure_ascii=False)
    return _HALVES.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def check(text: str, contract: Callable[[Any], Sequence[Problem]] | None) -> Checked:
    """Check a text: its syntax, then the contract. Pure; long texts belong in a thread."""
    lines = Lines(text)
    try:
        located = locate(text)
    except JsonError as error:
        line, column = lines.place(error.offset)
        return Checked((PlacedProblem(line, column, line, column + 1, f"not JSON: {error.message}"),))
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        # Such as a number with more digits than Python reads.
        return Checked((PlacedProblem(1, 1, 1, 2, f"cannot be read: {type(error).__name__}"),))
    found = [Problem(path, "this name stands twice here, only the last one counts") for path, _ in located.repeated]
    if contract is not None:
        found.extend(contract(document))
    placed = [_place(problem, located, lines) for problem in found[:_MAX_PROBLEMS]]
    placed.sort(key=lambda problem: (problem.line, problem.column, problem.warning))
    return Checked(tuple(placed), document)


def _place(problem: Problem, located: Located, lines: Lines) -> PlacedProblem:
    span = located.nearest(problem.path)
    line, column = lines.place(span.key)
    end_line, end_column = lines.place(span.end)
    return PlacedProblem(
        line, column, end_line, end_column, problem.message, problem.pointer, problem.allowed, problem.warning
    )


def load(text: str) -> Any:
    """The document a text says. Raises INVALID with its line."""
    checked = check(text, None)
    if not checked.ok:
        first = checked.problems[0]
        raise FleetError(Kind.INVALID, f"Line {first.line}: {first.message}", sent=Sent.NEVER)
    return checked.document


def changed(base: Any, mine: Any, theirs: str) -> Changed | None:
    """What became of a document since `base`, None when nothing did. mine: what would be sent; theirs: its text now."""
    held = load(theirs)
    changes = differences(base, held)
    if not changes:
        return None
    both = merge(base, mine, held)
    return Changed(theirs, tuple(changes), pretty(both.document), both.conflicts)


def untaken(sent: Any, held: Any, before: Any) -> tuple[Difference, ...]:
    """Where the service holds something else than was sent. before: what it held until then, None for nothing.

    What it filled in by itself is no difference; what was taken out and is still there is one.
    """
    return tuple(
        item
        for item in differences(sent, held)
        if item.kind != "added" or same(_value_at(before, item.path), item.mine)
    )


def _value_at(document: Any, path: tuple[str | int, ...]) -> Any:
    for part in path:
        try:
            document = document[part]
        except (KeyError, IndexError, TypeError):
            return _NOWHERE
    return document
