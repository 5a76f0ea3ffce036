"""What editing any JSON document needs: its text checked at each line, and what others changed meanwhile."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from mdm_tui.fleet.diff import Conflict, Difference
from mdm_tui.fleet.errors import FleetError, Kind, Problem, Sent
from mdm_tui.fleet.jsonpos import JsonError, Lines, Located, locate

__all__ = ["NEW", "NOWHERE", "Changed", "Checked", "PlacedProblem", "check", "load", "pretty", "value_at"]

_MAX_PROBLEMS = 200
# Ids of documents that the service does not have yet begin with it.
NEW = "new:"
NOWHERE = object()


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


def pretty(document: Any) -> str:
    """The document as an editor shows it."""
    return json.dumps(document, indent=2, ensure_ascii=False)


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


def value_at(document: Any, path: tuple[str | int, ...]) -> Any:
    """What stands at a place of a document; `NOWHERE`, which is like no value, where there is none."""
    for part in path:
        try:
            document = document[part]
        except (KeyError, IndexError, TypeError):
            return NOWHERE
    return document
