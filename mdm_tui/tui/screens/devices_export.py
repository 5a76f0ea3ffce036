"""What is seen, as a file: CSV or JSON, readable by its owner alone, never over an existing one."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import os
import time
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from mdm_tui.fleet.text import inert

__all__ = ["as_csv", "as_json", "ask", "export", "write"]


def ask(screen: Any, title: str, work: Callable[[str], Coroutine[Any, Any, None]]) -> None:
    """Ask in which format, and begin `work` in it beside the screens."""
    from mdm_tui.tui.screens.ask import Choose

    options = [("csv", "CSV", "for spreadsheets"), ("json", "JSON", "one array of objects")]
    screen.app.push_screen(Choose(title, options), lambda kind: kind and screen.app.spawn(work(kind), "export"))


async def export(
    screen: Any, kind: str, what: str, keys: Sequence[str], rows: Sequence[dict[str, str]], name: str = ""
) -> None:
    """Write rows into the working folder and say where. what: they are called; name: of the file, `what` itself."""
    make, now = as_csv if kind == "csv" else as_json, screen.app.now()
    try:
        path = await asyncio.to_thread(lambda: write(Path.cwd(), name or what, kind, make(keys, rows), now))
    except OSError as error:
        screen.tell(f"The {what} could not be written to {Path.cwd()}: {error.strerror or error}.", "error")
    else:
        screen.tell(f"{len(rows):,} {what} written to {path}")


def as_csv(keys: Sequence[str], rows: Sequence[dict[str, str]]) -> str:
    """CSV with the registry's keys as its head. Text that a spreadsheet would run is quoted with an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(keys)
    for row in rows:
        writer.writerow([inert(row.get(key, "")) for key in keys])
    return out.getvalue()


def as_json(keys: Sequence[str], rows: Sequence[dict[str, str]]) -> str:
    """One array of flat objects."""
    return json.dumps([{key: row.get(key, "") for key in keys} for row in rows], ensure_ascii=False, indent=1) + "\n"


def write(folder: Path, name: str, kind: str, text: str, now: float) -> Path:
    """Write a new file of mode 0600 and answer with its path. Raises OSError."""
    stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(now))
    for number in range(100):
        path = folder / f"{name}-{stamp}{f'-{number}' if number else ''}.{kind}"
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            continue
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        return path
    raise FileExistsError(f"{folder}: a hundred exports in one second")
