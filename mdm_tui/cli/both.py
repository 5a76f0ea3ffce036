"""`mdm-tui devices --both`: several connections as one list, one row for a device however many of them know it."""

from __future__ import annotations

import asyncio
import sys
import time
from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from mdm_tui.config.connections import Connection
from mdm_tui.config.settings import Settings
from mdm_tui.fleet.devices import Segment, Value
from mdm_tui.fleet.errors import FleetError
from mdm_tui.fleet.fields import COLUMNS, Field
from mdm_tui.fleet.twin_words import IN_ROW

from . import codes, connect, devices, listing, work
from .listing import column, write

if TYPE_CHECKING:
    from mdm_tui.services.session import Session
    from mdm_tui.services.twins import Twins
    from mdm_tui.store.mirror import TwinRow

__all__ = ["run"]

_CHUNK = 1_000
_JOINED = (
    column("serial", "Serial", "id"),
    column("name", "Name"),
    column("in", "In", doc="the connections that have it"),
    column("differs", "Differs", doc="what they disagree in: OS, build, group, last seen, only in one"),
)
_SIDES = "os,group,seen"


def run(arguments: Namespace, env: Mapping[str, str]) -> int:
    """Print the joined list; the exit code."""
    if arguments.columns == "list":
        devices.list_columns()
        return codes.DONE
    default = _SIDES if arguments.format in listing.PEOPLE else ",".join(COLUMNS)
    joined, asked = _joined(default if arguments.columns is None else arguments.columns)
    fields = devices.fields_of(asked) if asked else []
    sort = devices.sorting("name" if arguments.sort is None else arguments.sort)
    settings, paths = connect.settings(env)
    chosen = [connect.limited(arguments, found) for found in _chosen(arguments.connections, settings)]

    async def work_on_them() -> int:
        async with work.sessions(chosen, paths, env) as found:
            return await _print(found, arguments, joined, fields, sort)

    return asyncio.run(work_on_them())


def _joined(text: str) -> tuple[Sequence[Field], str]:
    """What is said once a row, and the columns said of each connection; naming `in` or `differs` names the former."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not {"in", "differs"}.intersection(names):
        return _JOINED, text
    by_key = {field.key: field for field in _JOINED}
    return [by_key[name] for name in dict.fromkeys(names) if name in by_key], ",".join(
        name for name in names if name not in by_key
    )


def _chosen(text: str | None, found: Settings) -> list[Connection]:
    """The connections named, else the default one and those opened beside it, else all. Raises `CliError`."""
    if text is not None:
        names = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    else:
        names = list(dict.fromkeys(filter(None, (found.default, *found.open))))
        if len(names) < 2:
            names = list(found.connections)
    if len(names) < 2:
        raise codes.CliError(
            f"--both needs two connections or more, and there {'is one' if names else 'is none'}: "
            "name them with --connections A,B or add them to the configuration.",
            codes.USAGE,
        )
    return [connect.known(found.connection(name), found) for name in names]


async def _print(
    sessions: list[Session],
    arguments: Namespace,
    joined: Sequence[Field],
    fields: list[Field],
    sort: tuple[tuple[str, bool], ...],
) -> int:
    from mdm_tui.services.twins import Twins

    twins = Twins(lambda: sessions)
    code = await _read(sessions, twins, refresh=arguments.refresh)
    words = tuple(word for text in arguments.words for word in text.split())
    view = twins.view(words=words, sort=sort, differs_only=arguments.differs)
    counts = await twins.counts(view)
    if code and not counts.total:
        raise codes.CliError("Nothing is known of any of the connections.", code)
    keys = await twins.ids(view)
    segments = {session.scope: await _segments(session) for session in sessions}
    names = {session.scope: session.connection.name for session in sessions}
    now = time.time()
    rows: list[dict[str, Value]] = []
    for start in range(0, len(keys), _CHUNK):
        some = keys[start : start + _CHUNK]
        found = await twins.rows(view, some)
        rows += [_row(found[key], names, segments, fields, now) for key in some if key in found]
    if arguments.format in listing.PEOPLE:
        for row in rows:
            # Programs get the fields' keys, people the screen's words.
            row["differs"] = ", ".join(IN_ROW[key] for key in str(row["differs"] or "").split(", ") if key) or None
        shown = [*joined, *(_side(field, name, " ") for field in fields for name in names.values())]
    else:
        shown = [*joined, *(_side(field, name, ".") for name in names.values() for field in fields)]
    write(rows, shown, arguments.format, now)
    print(
        f"{len(rows):,} of {counts.total:,} devices; {counts.joined:,} in several connections, "
        f"{counts.differs:,} with disagreements.",
        file=sys.stderr,
    )
    for session in sessions:
        print(f"{session.connection.name}: {work.said_age(session.sync.state.last_ok, now)}.", file=sys.stderr)
    return code


async def _read(sessions: Sequence[Session], twins: Twins, *, refresh: bool) -> int:
    """Read what is asked for or was never seen. One that fails leaves the others; its exit code."""
    code = codes.DONE
    asked = False
    for session in sessions:
        if not refresh and session.sync.state.last_ok is not None:
            continue
        try:
            await work.fetch(session)
            asked = True
        except FleetError as error:
            code = work.warn(error, f"{session.connection.name}: ")
    if asked:
        # The names of segments are what a group is compared with.
        await twins.learn()
        for sentence in twins.trouble.values():
            print(f"mdm-tui: {sentence}", file=sys.stderr)
    return code


async def _segments(session: Session) -> dict[str, str]:
    return {str(segment.id): segment.name for segment in await session.mirror.items(session.scope, Segment)}


def _row(
    row: TwinRow,
    names: Mapping[str, str],
    segments: Mapping[str, Mapping[str, str]],
    fields: Sequence[Field],
    now: float,
) -> dict[str, Value]:
    found: dict[str, Value] = {
        "serial": row.value("serial"),
        "name": row.value("name"),
        "in": ", ".join(names[side.connection] for side in row.sides),
        "differs": ", ".join(row.differs_in) or None,
    }
    for side in row.sides:
        values = devices.with_time(side.row, now)
        if not values.get("group") and values.get("segment") is not None:
            # What is compared: a segment is the group of a service that has no groups.
            values["group"] = segments[side.connection].get(str(values["segment"]))
        found |= {f"{names[side.connection]}.{field.key}": values.get(field.key) for field in fields}
    return found


def _side(field: Field, name: str, joint: str) -> Field:
    """A column for what one connection says."""
    return replace(field, key=f"{name}.{field.key}", title=f"{field.title}{joint}{name}")
