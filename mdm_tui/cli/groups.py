"""`mdm-tui groups`: the tree, or the devices of one group."""

from __future__ import annotations

import asyncio
import sys
import time
from argparse import Namespace
from collections.abc import Mapping
from typing import TYPE_CHECKING

from mdm_tui.fleet.devices import Value
from mdm_tui.fleet.errors import FleetError
from mdm_tui.fleet.fields import Field
from mdm_tui.fleet.groups import Group, GroupTree, Node
from mdm_tui.fleet.provider import Capability

from . import codes, devices, work
from .listing import PEOPLE, Listing, column, matching, write

if TYPE_CHECKING:
    from mdm_tui.services.session import Session

__all__ = ["GROUPS", "find", "run"]

GROUPS = Listing(
    "groups",
    (
        column("id", "Id", "id"),
        column("name", "Name"),
        column("path", "Path", doc="the names from the top down"),
        column("parent", "Parent", "id", "the id of the group above, as it stands in the tree"),
        column("depth", "Depth", "int", "0 at the top"),
        column("devices", "Devices", "int", "directly in it"),
        column("total", "With below", "int", "in it and in the groups below, as far as said"),
        column("partly", "Partly", "bool", "some groups below do not say how many devices they have"),
        column("enabled", "Enabled", "bool"),
        column("created", "Created", "time"),
        column("updated", "Updated", "time"),
        column("trouble", "Trouble", doc="what is wrong about its place"),
    ),
    ("name", "devices", "total", "enabled", "updated"),
)
_INDENT = "  "


def run(arguments: Namespace, env: Mapping[str, str]) -> int:
    """Print the tree or a group's devices; the exit code."""
    inside = arguments.devices is not None
    if arguments.columns == "list":
        if inside:
            devices.list_columns()
        else:
            GROUPS.describe()
        return codes.DONE
    if inside:
        fields = None if arguments.columns is None else devices.fields_of(arguments.columns)
        return asyncio.run(_devices(arguments, env, fields))
    return asyncio.run(_tree(arguments, env, GROUPS.chosen(arguments.columns, arguments.format)))


async def _tree(arguments: Namespace, env: Mapping[str, str], fields: list[Field]) -> int:
    async with work.session(arguments, env) as session:
        tree = await _known(session, refresh=arguments.refresh)
        rows = matching((_row(tree, tree.node(key)) for key in tree.all()), arguments.words)
        if arguments.columns is None and arguments.format in PEOPLE:
            if arguments.format == "table" and not arguments.words:
                rows = [{**row, "name": f"{_INDENT * int(row['depth'] or 0)}{row['name']}"} for row in rows]
            else:
                # Without those above it, or where blanks are lost, a name says too little.
                fields = GROUPS.chosen(",".join(("path", *GROUPS.first[1:])), arguments.format)
            if any(row["trouble"] for row in rows):
                fields = [*fields, *GROUPS.chosen("trouble", arguments.format)]
        now = time.time()
        write(rows, fields, arguments.format, now)
        at = await session.mirror.listed_at(session.scope, Group)
        of = f" of {len(tree):,}" if len(rows) != len(tree) else ""
        print(f"{len(rows):,}{of} groups of {session.connection.name}, {work.said_age(at, now)}.", file=sys.stderr)
    return codes.DONE


async def _known(session: Session, *, refresh: bool) -> GroupTree:
    """The tree as last seen, read when that is asked for or was never done."""
    work.need(session, Capability.GROUPS, "groups")
    if refresh or await session.mirror.listed_at(session.scope, Group) is None:
        return await session.groups.refresh()
    return await session.groups.tree()


def _row(tree: GroupTree, node: Node) -> dict[str, Value]:
    group = node.group
    return {
        "id": group.id,
        "name": node.name,
        "path": tree.path_text(node.id),
        "parent": node.parent,
        "depth": node.depth,
        "devices": node.devices,
        "total": node.total,
        "partly": node.partly,
        "enabled": group.enabled,
        "created": group.created_at,
        "updated": group.updated_at,
        "trouble": node.trouble,
        "unreadable": group.unreadable,
    }


def find(tree: GroupTree, text: str, flag: str) -> Node:
    """The group that a person means. Raises `CliError`."""
    found = tree.find(text)
    if not found:
        raise codes.CliError(f"{flag}: there is no group {text!r}; `mdm-tui groups --refresh` prints them.")
    if len(found) > 1:
        paths = ", ".join(f"{tree.path_text(key)} ({key})" for key in found[:5])
        raise codes.CliError(f"{flag}: {text!r} names {len(found)} groups: {paths}. Give a path or an id.", codes.USAGE)
    return tree.node(found[0])


async def _devices(arguments: Namespace, env: Mapping[str, str], fields: list[Field] | None) -> int:
    async with work.session(arguments, env) as session:
        from mdm_tui.store.mirror import View

        node = find(await _known(session, refresh=arguments.refresh), arguments.devices, "--devices")
        view = View(session.scope, group=(node.id,), now=time.time())
        held, code, asked = await devices.read(session, view), codes.DONE, False
        # The mirror learns memberships little by little: what it has is all of them when the numbers agree.
        if arguments.refresh or node.devices is None or len(held) != node.devices:
            try:
                members = await session.groups.members(node.id, fresh=True)
            except FleetError as error:
                if arguments.refresh or not held:
                    raise
                code = work.warn(error, "as last seen, some may be missing: ")
            else:
                asked = True
                held = await devices.read(session, view)
                if members.note:
                    print(f"mdm-tui: {members.note}.", file=sys.stderr)
        now = time.time()
        devices.write(held, fields or devices.usual(session, arguments.format), arguments.format, now)
        age = "seen now" if asked else "as last seen"
        print(f"{len(held):,} devices directly in {node.name} of {session.connection.name}, {age}.", file=sys.stderr)
    return code
