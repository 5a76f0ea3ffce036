"""What `devices register` prints: its columns, its progress, what became of the rows, and the exit code of that."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from mdm_tui.fleet.commands import State
from mdm_tui.fleet.devices import Value
from mdm_tui.fleet.fields import Field

from . import codes
from .listing import Listing, column, write

if TYPE_CHECKING:
    from mdm_tui.services.registration import Outcome

__all__ = [
    "OPEN",
    "OUTCOME",
    "REGISTER",
    "before_sending",
    "code_of",
    "counted",
    "counted_out",
    "counts",
    "told",
    "write_rows",
]

REGISTER = Listing(
    "devices register",
    (
        column("line", "Line", "int"),
        column("serial", "Serial", "id"),
        column("manufacturer", "Manufacturer"),
        column("brand", "Brand"),
        column("model", "Model"),
        column("group", "Group"),
        column("will", "Will", "enum"),
        column("why", "Why"),
        column("outcome", "Outcome", "enum"),
        column("said", "Said"),
        column("license", "License"),
        column("id", "Id", "id"),
    ),
    ("line", "serial", "manufacturer", "model", "group", "will", "why"),
)
OUTCOME = "line,serial,will,outcome,said"
# What a row is told in words: cut to a terminal's width, and nowhere else.
_WORDS = ("why", "said")
_GOOD = frozenset({State.DONE})
OPEN = frozenset({State.UNKNOWN, State.AMBIGUOUS, State.SENDING, State.ACCEPTED})


def write_rows(rows: Sequence[Mapping[str, Value]], fields: Sequence[Field], form: str) -> None:
    """Print rows in a form of `--format`."""
    write(rows, fields, form, time.time(), () if sys.stdout.isatty() else _WORDS)


def code_of(states: Sequence[State]) -> int:
    """The exit code of what became of the rows that were sent."""
    if any(state in OPEN for state in states):
        return codes.UNKNOWN
    return codes.DONE if all(state in _GOOD for state in states) else codes.SOME_FAILED


def counts(rows: Sequence[Outcome]) -> str:
    """How many rows came to which state, in words."""
    found = Counter(row.state.value for row in rows)
    return ", ".join(f"{count:,} {word}" for word, count in found.items())


def told(row: Outcome) -> dict[str, Value]:
    """The columns of an outcome."""
    return {
        "outcome": row.state.value,
        "said": row.sentence,
        "license": row.license or None,
        "id": row.device_id or None,
    }


def before_sending() -> str:
    """The columns that are known before anything is sent."""
    keys = [field.key for field in REGISTER.columns]
    return ",".join(keys[: keys.index("outcome")])


def counted(what: str) -> Callable[[int, int], None]:
    """A teller of progress on a terminal's stderr."""

    def tell(done: int, total: int) -> None:
        if sys.stderr.isatty():
            print(f"\r\x1b[K{what}: {done:,} of {total:,}", end="", file=sys.stderr, flush=True)

    return tell


def counted_out() -> None:
    """The line of progress goes."""
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
