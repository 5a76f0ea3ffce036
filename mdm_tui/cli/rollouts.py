"""`mdm-tui rollouts`: the list of them."""

from __future__ import annotations

import asyncio
import sys
import time
from argparse import Namespace
from collections.abc import Mapping
from typing import TYPE_CHECKING

from mdm_tui.fleet.devices import Value
from mdm_tui.fleet.fields import Field
from mdm_tui.fleet.provider import Capability
from mdm_tui.fleet.rollout_words import schedule
from mdm_tui.fleet.rollouts import APPLY_ORDER, Rollout, RolloutFormat, said
from mdm_tui.fleet.text import clean

from . import codes, work
from .listing import Listing, column, write

if TYPE_CHECKING:
    from mdm_tui.services.session import Session

__all__ = ["ROLLOUTS", "SCHEDULE", "known", "options_in", "run"]

ROLLOUTS = Listing(
    "rollouts",
    (
        column("id", "Id", "id"),
        column("name", "Name"),
        column("enabled", "Enabled", "bool"),
        column("reaches", "Reaches", doc="as its scope says it"),
        column("everyone", "Everyone", "bool", "it reaches every device and its scope is ignored"),
        column("groups", "Groups", "int", "in its scope"),
        column("devices", "Devices", "int", "named one by one in its scope"),
        column("apps", "Apps", "int"),
        column("images", "Images", "int"),
        column("order", "Order", doc="what is applied first"),
        column("schedule", "Schedule", doc="start, recurrence and end; the service's own words are in quotes"),
        column("writer", "Writer", doc="who wrote it"),
        column("created", "Created", "time"),
        column("updated", "Updated", "time"),
    ),
    ("name", "enabled", "reaches", "apps", "images", "order", "schedule", "updated"),
)
SCHEDULE = "Schedule"


def run(arguments: Namespace, env: Mapping[str, str]) -> int:
    """Print the list; the exit code."""
    if arguments.columns == "list":
        ROLLOUTS.describe()
        return codes.DONE
    return asyncio.run(_print(arguments, env, ROLLOUTS.chosen(arguments.columns, arguments.format)))


async def _print(arguments: Namespace, env: Mapping[str, str], fields: list[Field]) -> int:
    async with work.session(arguments, env) as session:
        found, at = await known(session, refresh=arguments.refresh)
        write([_row(item) for item in found], fields, arguments.format, time.time())
        words = f"{len(found):,} rollouts of {session.connection.name}, {work.said_age(at, time.time())}."
        print(words, file=sys.stderr)
    return codes.DONE


async def known(session: Session, *, refresh: bool) -> tuple[list[Rollout], float | None]:
    """All as last seen, read when that is asked for or was never done, and when that was."""
    work.need(session, Capability.ROLLOUTS, "rollouts")
    at, started = await session.mirror.listed_at(session.scope, Rollout), time.time()
    if refresh or at is None:
        return await session.rollouts.refresh(), started
    return await session.rollouts.all(), at


def options_in(rollout: Rollout, form: RolloutFormat, section: str) -> list[tuple[str, str]]:
    """The options of one section that the rollout says, with their titles."""
    found: list[tuple[str, str]] = []
    for option in form.options:
        value = rollout.options.get(option.key)
        if option.section == section and value not in (None, ""):
            shown = {True: "yes", False: "no"}[value] if isinstance(value, bool) else clean(value, 120)
            found.append((option.title, shown))
    return found


def _row(rollout: Rollout) -> dict[str, Value]:
    order = said(rollout.options, APPLY_ORDER)
    return {
        "id": rollout.id,
        "name": rollout.name,
        "enabled": rollout.enabled,
        "reaches": _scope(rollout),
        "everyone": rollout.everyone,
        "groups": len(rollout.groups),
        "devices": len(rollout.devices),
        "apps": len(rollout.apps),
        "images": len(rollout.images),
        "order": clean(order, 40) if isinstance(order, str) else None,
        "schedule": schedule(rollout) or None,
        "writer": rollout.writer or None,
        "created": rollout.created_at,
        "updated": rollout.updated_at,
        "unreadable": rollout.unreadable,
    }


def _scope(rollout: Rollout) -> str:
    if rollout.everyone:
        return "EVERYONE"
    parts = [
        f"{count:,} {word}{'' if count == 1 else 's'}"
        for count, word in ((len(rollout.groups), "group"), (len(rollout.devices), "device"))
        if count
    ]
    return ", ".join(parts) or "nobody"
