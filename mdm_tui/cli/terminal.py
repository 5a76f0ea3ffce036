"""Whether there is a terminal to draw on, and the polite refusal when there is none."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from . import codes

__all__ = ["require"]


def require(env: Mapping[str, str]) -> None:
    """Raise `CliError` (exit 2) unless a full screen can be drawn here."""
    why = ""
    if not all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        why = "there is no terminal here"
    elif env.get("TERM", "") in ("", "dumb", "unknown"):
        why = f"this terminal cannot draw a screen (TERM={env.get('TERM', '')})"
    if why:
        raise codes.CliError(
            f"{why}, and the console needs one. `mdm-tui devices` and `mdm-tui device ID` print the same data.",
            codes.USAGE,
        )
