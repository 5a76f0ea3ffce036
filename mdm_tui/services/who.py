"""Who asks, for the journal."""

from __future__ import annotations

import getpass
import os
import sys

__all__ = ["actor", "tty"]


def actor() -> str:
    """The person's name on this machine."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"


def tty() -> str:
    """The terminal, "" without one."""
    try:
        return os.ttyname(sys.stdin.fileno())
    except (OSError, ValueError, AttributeError):
        return ""
