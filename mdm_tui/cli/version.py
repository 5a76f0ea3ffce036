"""`--version`: what this stands on, read from the packages' metadata without importing any of them."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

from mdm_tui import __version__

__all__ = ["text"]

# The reset of a write-ahead log can lose a commit in versions without this fix.
_WAL_FIXED = ((3, 51, 3), (3, 50, 7), (3, 44, 6))


def _found(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def wal_fixed(numbers: tuple[int, ...]) -> bool:
    """Whether this SQLite has the write-ahead log fix: 3.51.3 and later, and two older branches."""
    return numbers >= _WAL_FIXED[0] or any(numbers[:2] == fixed[:2] and numbers >= fixed for fixed in _WAL_FIXED)


def text() -> str:
    """One line for us and one for each thing that matters in a report of a fault."""
    import sqlite3

    state = "has" if wal_fixed(sqlite3.sqlite_version_info) else "lacks"
    return "\n".join(
        (
            f"mdm-tui {__version__}",
            f"Python {platform.python_version()} on {platform.system()} {platform.machine()}",
            f"textual {_found('textual')}",
            f"httpx {_found('httpx')}",
            f"SQLite {sqlite3.sqlite_version} ({state} the write-ahead log fix; the journal does not need it)",
        )
    )
