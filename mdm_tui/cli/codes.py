"""Exit codes: one meaning each, for scripts."""

from __future__ import annotations

from typing import Final

__all__ = [
    "DONE",
    "FAILED",
    "INTERRUPTED",
    "NOT_THERE",
    "SIGNED_OUT",
    "SOME_FAILED",
    "TERMINATED",
    "UNKNOWN",
    "USAGE",
    "CliError",
]

DONE: Final = 0
FAILED: Final = 1
# What was asked for by name is not there: as `grep` ends.
NOT_THERE: Final = 1
USAGE: Final = 2
SIGNED_OUT: Final = 3
SOME_FAILED: Final = 4
UNKNOWN: Final = 5
INTERRUPTED: Final = 130
TERMINATED: Final = 143


class CliError(Exception):
    """Ends the command with one sentence on stderr and an exit code."""

    def __init__(self, sentence: str, code: int = FAILED) -> None:
        super().__init__(sentence)
        self.code = code
