"""`mdm-tui device`: everything that is known of one device."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import time
from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from mdm_tui.fleet import fields, inventory
from mdm_tui.fleet.devices import App
from mdm_tui.fleet.errors import FleetError
from mdm_tui.fleet.inventory_apps import apps_section
from mdm_tui.fleet.provider import Capability
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
        if arguments.has is not None:
            return await _has(session, device_id, arguments.has, arguments.format)
        failed = await _read(session, device_id, refresh=arguments.refresh)
        stored = await session.mirror.device(session.scope, device_id)
        if stored is None:
            raise codes.CliError(f"The device {device_id} is no longer there.")
        now = time.time()
        report = session.factory.report(json.loads(stored.device.raw))
        apart = _apart(session, report, now)
        apps = await _apps(session, device_id) if apart and arguments.refresh else None
        _write(report, stored.device.values, apps, arguments.format, now)
        hint = "; --refresh asks for its apps as well" if apart and not arguments.refresh else ""
        print(f"{session.connection.name}, {work.said_age(stored.seen_at, now)}{hint}.", file=sys.stderr)
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


def _apart(session: Session, report: Report, now: float) -> bool:
    """Whether the service has the apps of a device in a list of their own."""
    inside = any(section.key == "applications" for section in inventory.build(report, now=now))
    return not inside and Capability.DEVICE_APPS in session.factory.capabilities


async def _apps(session: Session, device_id: str) -> list[App] | None:
    """The apps; a service that does not answer leaves the rest readable."""
    try:
        return await session.devices.apps(device_id)
    except FleetError as error:
        work.warn(error)
        return None


async def _has(session: Session, device_id: str, package: str, form: str) -> int:
    """Whether one app is installed: asked now, said in a sentence, or as JSON; the exit code says it as well."""
    app, asked = await session.devices.app_of(device_id, package)
    if form == "json":
        found: dict[str, Any] = {"package": package.strip(), "installed": app is not None}
        found |= {"version": app.version or None, "version_code": app.version_code or None} if app is not None else {}
        text = output.json_text({**found, "source": "asked" if asked else "list"})
    else:
        text = session.devices.told_of(app, package, asked=asked)
    print(text, flush=True)
    return codes.DONE if app is not None else codes.NOT_THERE


def _write(report: Report, values: Mapping[str, Any], apps: Sequence[App] | None, form: str, now: float) -> None:
    if form == "json":
        more = {} if apps is None else {"apps": [asdict(app) for app in apps]}
        text = f"{output.json_text({**flat(report, values), **more})}\n"
    else:
        sections = [*inventory.build(report, now=now), *([apps_section(apps, now)] if apps is not None else [])]
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
