"""`mdm-tui devices`: the list as it was last seen, or as it is now."""

from __future__ import annotations

import asyncio
import sys
import time
from argparse import Namespace
from collections.abc import Mapping
from typing import TYPE_CHECKING

from mdm_tui.config.errors import nearest
from mdm_tui.fleet import faults
from mdm_tui.fleet.devices import Value
from mdm_tui.fleet.fields import COLUMNS, Field, column, default_columns

from . import codes, listing, work

if TYPE_CHECKING:
    from mdm_tui.services.session import Session
    from mdm_tui.store.mirror import Row, View

__all__ = ["fields_of", "list_columns", "read", "run", "sorting", "usual", "with_time", "write"]

# Rows read at once: memory stays flat while a large fleet is printed.
_CHUNK = 1_000


def run(arguments: Namespace, env: Mapping[str, str]) -> int:
    """Print the list; the exit code."""
    if arguments.columns == "list":
        list_columns()
        return codes.DONE
    fields = None if arguments.columns is None else fields_of(arguments.columns)
    return asyncio.run(_print(arguments, env, fields, sorting("name" if arguments.sort is None else arguments.sort)))


async def _print(
    arguments: Namespace, env: Mapping[str, str], fields: list[Field] | None, sort: tuple[tuple[str, bool], ...]
) -> int:
    async with work.session(arguments, env) as session:
        from mdm_tui.store.mirror import View

        if arguments.refresh or session.sync.state.last_ok is None:
            await work.fetch(session)
        now = time.time()
        words = tuple(word for text in arguments.words for word in text.split())
        rows = await read(session, View(session.scope, words=words, sort=sort, now=now))
        write(rows, fields or usual(session, arguments.format), arguments.format, now)
        _say(session, len(rows), now)
        if words == ("register",):
            print("`register` was a word to look for; to register devices, add --csv FILE.", file=sys.stderr)
    return codes.DONE


async def read(session: Session, view: View) -> list[Row]:
    """All rows of a view, in its order."""
    ids = await session.mirror.ids(view)
    rows: list[Row] = []
    for start in range(0, len(ids), _CHUNK):
        some = ids[start : start + _CHUNK]
        found = await session.mirror.rows(session.scope, some)
        rows += [found[id] for id in some if id in found]
    return rows


def usual(session: Session, form: str) -> list[Field]:
    """The columns until a person chooses: for people those that this service fills, else all."""
    people = form in listing.PEOPLE
    return [COLUMNS[key] for key in (default_columns(session.factory.capabilities) if people else COLUMNS)]


def write(rows: list[Row], fields: list[Field], form: str, now: float) -> None:
    """Print devices."""
    listing.write([{**with_time(row, now), "unreadable": row.unreadable} for row in rows], fields, form, now)


def with_time(row: Row, now: float) -> dict[str, Value]:
    """The row's values, with the faults that depend on the time and the reason why it could not be read."""
    values = dict(row.values)
    found = [str(values.get("faults") or ""), faults.silent(values.get("seen"), now)]
    if row.unreadable:
        found.append(f"unreadable: {row.unreadable}")
    values["faults"] = ", ".join(text for text in found if text)
    values.setdefault("id", row.id)
    return values


def _say(session: Session, count: int, now: float) -> None:
    state = session.sync.state
    total = f" of {state.total:,}" if state.total is not None and state.total != count else ""
    words = f"{count:,}{total} devices of {session.connection.name}, {work.said_age(state.last_ok, now)}"
    if state.incomplete:
        words += f"; incomplete: {state.incomplete}"
    print(f"{words}.", file=sys.stderr)


def fields_of(text: str) -> list[Field]:
    """The fields named in a comma-separated list. Raises `CliError` with the nearest name."""
    return [_field(name, "--columns") for name in _names(text, "--columns")]


def sorting(text: str) -> tuple[tuple[str, bool], ...]:
    """`-seen,name` as pairs of key and descending. Raises `CliError` with the nearest name."""
    return tuple((_field(name.lstrip("-+"), "--sort").key, name.startswith("-")) for name in _names(text, "--sort"))


def _names(text: str, flag: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise codes.CliError(f"{flag}: no field is named; `mdm-tui devices --columns list` names them.", codes.USAGE)
    return names


def _field(name: str, flag: str) -> Field:
    found = column(name)
    if found is None:
        hint = nearest(name, [*COLUMNS, *(alias for field in COLUMNS.values() for alias in field.aliases)])
        raise codes.CliError(
            f"{flag}: there is no field {name!r}"
            + (f"; did you mean {hint!r}?" if hint else "; `mdm-tui devices --columns list` names them."),
            codes.USAGE,
        )
    return found


def list_columns() -> None:
    """Print what `--columns` takes."""
    for field in COLUMNS.values():
        notes = ", ".join(part for part in (field.doc, *(f"also {alias}" for alias in field.aliases)) if part)
        print(f"{field.key:12} {field.title:10} {field.kind:8} {notes}".rstrip())
