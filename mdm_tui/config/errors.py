"""What can be wrong with the configuration, said so that it can be put right."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

__all__ = ["ConfigError", "nearest"]


class ConfigError(Exception):
    """Something in the configuration that cannot be used.

    file: where it stands (None: a flag or the environment). key: dotted, as in the file. line: from 1, None when it
    cannot be told. message: what is wrong, without a full stop. allowed: what would be right.
    """

    def __init__(
        self, message: str, *, key: str = "", allowed: str = "", file: Path | None = None, line: int | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.key = key
        self.allowed = allowed
        self.file = file
        self.line = line

    def at(self, file: Path, line: int | None) -> ConfigError:
        """The same, with its place."""
        return ConfigError(self.message, key=self.key, allowed=self.allowed, file=file, line=line)

    def sentence(self) -> str:
        """Where, what, and what is allowed, as one line."""
        place = str(self.file) if self.file else ""
        if place and self.line:
            place += f", line {self.line}"
        parts = [part for part in (place, self.key) if part]
        head = ": ".join([*parts, self.message]).rstrip(".")
        head += "" if head.endswith("?") else "."
        return f"{head} Allowed: {self.allowed.rstrip('.')}." if self.allowed else head

    def __str__(self) -> str:
        return self.sentence()


def nearest(name: str, names: Iterable[str]) -> str:
    """The one of `names` that `name` was probably meant to be, "" when none is near."""
    import difflib

    found = difflib.get_close_matches(name.lower(), list(names), n=1, cutoff=0.6)
    return found[0] if found else ""
