"""What is seen, as a file: CSV or JSON, readable by its owner alone, never over an existing one."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import io
import json
import os
import time
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from mdm_tui.fleet.text import inert

__all__ = ["as_csv", "as_json", "ask", "export", "save", "write"]


def ask(screen: Any, count: int, what: str, work: Callable[[str], Coroutine[Any, Any, None]], more: str = "") -> None:
    """Ask in which format to export `count` things called `what`, and begin `work` in it beside the screens.

    more: what the question says beside them. With nothing to export it says so and asks nothing.
    """
    from mdm_tui.tui.screens.ask import Choose

    if not count:
        screen.tell(f"There are no {what} in this list: nothing to export.")
        return
    title = f"Export {_many(count, what)}{more}"
    options = [("csv", "CSV", "for spreadsheets"), ("json", "JSON", "one array of objects")]
    screen.app.push_screen(Choose(title, options), lambda kind: kind and screen.app.spawn(work(kind), "export"))


async def export(
    screen: Any, kind: str, what: str, keys: Sequence[str], rows: Sequence[dict[str, str]], name: str = ""
) -> None:
    """Write rows into the working folder and say where. what: they are called; name: of the file, `what` itself."""
    make = as_csv if kind == "csv" else as_json
    await save(screen, _many(len(rows), what), name or what, kind, lambda: make(keys, rows))


async def save(screen: Any, what: str, name: str, kind: str, text: Callable[[], str]) -> None:
    """Write `what` into the working folder beside the screens, and say where or why not."""
    now = screen.app.now()
    try:
        path = await asyncio.to_thread(lambda: write(Path.cwd(), name, kind, text(), now))
    except OSError as error:
        # The folder may be gone: then it cannot be named either.
        where = f" to {os.path.dirname(error.filename)}" if isinstance(error.filename, str) else ""
        screen.tell(f"Not written{where}: {error.strerror or error}.", "error")
    else:
        screen.tell(f"{what} written to {path}")


def _many(count: int, what: str) -> str:
    """`1 policy`, `1,204 devices`. what: in the plural."""
    one = f"{what[:-3]}y" if what.endswith("ies") else what.removesuffix("s")
    return f"{count:,} {one if count == 1 else what}"


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
    """Write a new file of mode 0600 and answer with its path. Raises OSError with its name; nothing is left then."""
    stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(now))
    for number in range(100):
        path = folder / f"{name}-{stamp}{f'-{number}' if number else ''}.{kind}"
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            continue
        try:
            # Half a character, which a service's JSON can hold, is written as JSON writes it.
            with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace", newline="") as file:
                file.write(text)
        except OSError as error:
            with contextlib.suppress(OSError):
                path.unlink()
            raise OSError(error.errno, error.strerror, str(path)) from error
        return path
    raise FileExistsError(f"{folder}: a hundred exports in one second")
