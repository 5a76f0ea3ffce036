"""The log: JSON lines in the state folder, secrets masked, never a word on the terminal."""

from __future__ import annotations

import json
import logging
import os
import re
from datetime import UTC, datetime
from pathlib import Path

from mdm_tui.config.paths import Paths

__all__ = ["JsonLines", "redact", "start"]

_MASK = "••••••"
_MOST_BYTES = 2_000_000
# What looks like a credential, whoever wrote it: header values, key=value pairs, JWTs, long random words.
_PATTERNS = (
    r"(?i)((?:proxy-)?authorization['\"]?\s*[:=]\s*['\"]?)(?:(?:bearer|basic|token)\s+)?[^\s'\",;)\]}]+",
    r"(?i)(\b(?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{6,}",
    r"(?i)(\b[\w-]*(?:token|password|passwd|secret|api[-_]?key|qrcode)[\w-]*['\"]?\s*[:=]\s*['\"]?)[^\s'\",;&)\]}]+",
    r"()\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?",
    r"(://)[^/\s@]+(?=@)",
)


def redact(text: str) -> str:
    """`text` with everything that looks like a credential masked."""
    # Compiled when the first line is written, not before the first frame; `re` keeps them.
    for pattern in _PATTERNS:
        text = re.sub(pattern, rf"\g<1>{_MASK}", text)
    return text


class JsonLines(logging.Formatter):
    """One JSON object a line: at (UTC), level, name, message, and the error's kind and place without its values."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "name": record.name,
            "message": redact(record.getMessage()),
        }
        if record.exc_info and record.exc_info[0] is not None:
            kind, error, trace = record.exc_info
            line["error"] = f"{kind.__name__}: {redact(str(error))}"
            places: list[str] = []
            while trace is not None:
                code = trace.tb_frame.f_code
                places.append(f"{os.path.basename(code.co_filename)}:{trace.tb_lineno} {code.co_name}")
                trace = trace.tb_next
            line["trace"] = " < ".join(reversed(places))
        # ASCII: whatever a device's name holds, the file stays text that a terminal may show.
        return json.dumps(line, ensure_ascii=True)


class _Private(logging.FileHandler):
    """A file for its owner alone; never a link that somebody else has put in its place."""

    def _open(self):  # type: ignore[no-untyped-def]
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
        return os.fdopen(os.open(self.baseFilename, flags, 0o600), "a", encoding="utf-8")


def start(paths: Paths) -> Path:
    """Log to the state folder from now on: our own words from INFO, libraries' from WARNING. The file's path.

    Where the file cannot be written nothing is logged.
    """
    paths.ensure(paths.state)
    handler: logging.Handler
    try:
        handler = _opened(paths.log)
    except OSError:
        # A full disk must not keep anybody from their fleet.
        handler = logging.NullHandler()
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("mdm_tui").setLevel(logging.INFO)
    # A log that cannot be written must not write to the screen instead.
    logging.raiseExceptions = False
    return paths.log


def _opened(path: Path) -> logging.Handler:
    # Looked at here only: the standard library's rotating handler would be imported before the first frame.
    if path.is_file() and path.stat().st_size > _MOST_BYTES:
        path.replace(path.with_name(f"{path.name}.1"))
    handler = _Private(path, encoding="utf-8")
    handler.setFormatter(JsonLines())
    return handler
