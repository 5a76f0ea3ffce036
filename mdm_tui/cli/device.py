"""`mdm-tui device`: everything that is known of one device."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import time
from argparse import Namespace
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mdm_tui.fleet import fields, inventory
from mdm_tui.fleet.errors import FleetError
from mdm_tui.fleet.report import Report, leaves

from . import codes, output, work

if TYPE_CHECKING:
    from mdm_tui.services.session import Session

__all__ = ["flat", "run"]

_SHOWN = 10


def run(arguments: Namespace, env: Mapping[str, str]) -> int:
    """Print one device; the exit code."""
    return asyncio.run(_print(arguments, env))


async def _print(arguments: Namespace, env: Mapping[str, str]) -> int:
    async with work.session(arguments, env) as session:
        device_id = await _find(session, arguments.device, refresh=arguments.refresh)
        failed = await _read(session, device_id, refresh=arguments.refresh)
        stored = await session.mirror.device(session.scope, device_id)
        if stored is None:
            raise codes.CliError(f"The device {device_id} is no longer there.")
        now = time.time()
        report = session.factory.report(json.loads(stored.device.raw))
        _write(report, stored.device.values, arguments.format, now)
        print(f"{session.connection.name}, {work.said_age(stored.seen_at, now)}.", file=sys.stderr)
        if failed is not None:
            from .main import code_of, sentence_of

            print(f"mdm-tui: only the list's view of it: {sentence_of(failed)}", file=sys.stderr)
            return code_of(failed)
    return codes.DONE


async def _find(session: Session, text: str, *, refresh: bool) -> str:
    found = await session.mirror.find(session.scope, text)
    if not found and (refresh or session.sync.state.last_ok is None):
        await work.fetch(session)
        found = await session.mirror.find(session.scope, text)
    if not found:
        hint = "" if refresh else " --refresh asks the service first."
        raise codes.CliError(f"No device of {session.connection.name} has the id or serial {text!r}.{hint}")
    if len(found) > 1:
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        raise codes.CliError(f"{text!r} fits {len(found)} devices: {', '.join(found[:_SHOWN])}{more}.", codes.USAGE)
    return found[0]


async def _read(session: Session, device_id: str, *, refresh: bool) -> FleetError | None:
    """Read the full view when it is asked for or was never read; what stood in the way, unless it was asked for."""
    stored = await session.mirror.device(session.scope, device_id)
    if stored is not None and stored.device.detail and not refresh:
        return None
    try:
        await session.devices.refresh(device_id)
    except FleetError as error:
        if refresh or stored is None:
            raise
        return error
    return None


def _write(report: Report, values: Mapping[str, Any], form: str, now: float) -> None:
    if form == "json":
        text = f"{output.json_text(flat(report, values))}\n"
    else:
        sections = inventory.build(report, now=now)
        if form == "md":
            text = inventory.to_markdown(sections)
        else:
            width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 100
            text = inventory.to_text(sections, width)
    sys.stdout.write(text)
    sys.stdout.flush()


def flat(report: Report, values: Mapping[str, Any]) -> dict[str, Any]:
    """One flat object: the registry's columns, typed, then every leaf of the report under its path, as it came."""
    found: dict[str, Any] = {field.key: output.typed(values.get(field.key), field) for field in fields.COLUMNS.values()}
    for leaf in leaves(report):
        path = ""
        for part in leaf.path:
            path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
        known = fields.known(leaf.pattern)
        found[path] = inventory.SECRET if known is not None and known.kind == "secret" else leaf.value
    return found
