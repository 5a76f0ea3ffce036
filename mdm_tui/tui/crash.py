"""When the console fails: a short message without data, and a report that only its owner can read.

Textual's own crash screen prints the local variables of every frame, tokens among them; it is never used.
"""

from __future__ import annotations

import os
import platform
import re
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from mdm_tui import __version__
from mdm_tui.fleet.text import clean

__all__ = ["message", "redact", "write_report"]

_KEEP = 200  # lines of traceback at most
_BEARER = re.compile(r"(?i)\b(bearer|basic|token|password|secret|api[-_ ]?key)([\"'\s:=]+)[^\s\"',;)}\]]{4,}")


def redact(text: str, secrets: Sequence[str] = ()) -> str:
    """`text` without the secrets given, and without whatever follows a word that announces one."""
    for secret in sorted((secret for secret in secrets if len(secret) >= 4), key=len, reverse=True):
        text = text.replace(secret, "…")
    return _BEARER.sub(r"\1\2…", text)


def write_report(error: BaseException, folder: Path, secrets: Sequence[str] = ()) -> Path | None:
    """Write what happened, without local variables, to a new file of mode 0600; None where that fails too."""
    lines = [line for part in traceback.format_exception(error) for line in part.splitlines()]
    head = [
        f"mdm-tui {__version__}, Python {platform.python_version()}, {platform.system()} {platform.release()}",
        time.strftime("%Y-%m-%d %H:%M:%S %z"),
        "",
    ]
    body = "\n".join(clean(redact(line, secrets), 2_000) for line in [*head, *lines[-_KEEP:]])
    path = folder / f"crash-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.txt"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as file:
            file.write(body + "\n")
    except OSError:
        return None
    return path


def message(error: BaseException, report: Path | None, secrets: Sequence[str] = ()) -> str:
    """What the person reads on the terminal after it has been restored."""
    what = clean(redact(f"{type(error).__name__}: {error}", secrets), 160)
    where = f"A report without your data is in {report}." if report else "A report could not be written."
    return (
        f"mdm-tui stopped because of a mistake in itself ({what}).\n"
        f"{where}\nCommands already asked for are in the journal: start mdm-tui again to see how they went."
    )
