"""What is said of the group under the cursor. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mdm_tui.fleet.groups import GroupTree, Node
from mdm_tui.fleet.text import clean
from mdm_tui.fleet.values import age, show_time
from mdm_tui.tui.screens.groups_source import counted
from mdm_tui.tui.widgets.grid_text import glyphs
from mdm_tui.tui.widgets.lines import Part, part

if TYPE_CHECKING:
    from mdm_tui.services.groups import Members

__all__ = ["devices_words", "held_words", "pane", "strip"]


def devices_words(node: Node) -> str:
    """How many devices are in it, and with all that lies below."""
    own = "1 device" if node.devices == 1 else f"{counted(node.devices)} devices"
    if not node.children:
        return own
    more = "at least " if node.partly else ""
    return f"{own} directly, {more}{counted(node.total)} with the groups below"


def held_words(node: Node) -> str:
    """What is directly in a group: `1 group and 3 devices`; "" for nothing."""
    groups, devices = len(node.children), node.devices or 0
    said = [f"{groups:,} group{'' if groups == 1 else 's'}"] if groups else []
    said += [f"{devices:,} device{'' if devices == 1 else 's'}"] if devices else []
    return " and ".join(said)


def strip(tree: GroupTree, node: Node, now: float, members: Members | None, width: int) -> list[list[Part]]:
    """Two lines: where it stands and what is in it; then its state, times and id, or its trouble."""
    signs = glyphs()
    first = [
        part(f" {signs.cursor} ", "accent"),
        part(clean(tree.path_text(node.id), 300), "text", bold=True),
        part(f"   {devices_words(node)}", "muted"),
    ]
    below = len(tree.below(node.id))
    if below:
        first.append(part(f", {below:,} group{'' if below == 1 else 's'} below", "muted"))
    if node.trouble:
        return [first, [part(f"   {signs.fault} {clean(node.trouble, 400)}", "bad")]]
    second = [part("   "), *_enabled(node)]
    for word, at in (("changed", node.group.updated_at), ("created", node.group.created_at)):
        if at is not None:
            second.append(part(f"   {word} {age(now - at)} ago", "muted"))
    if members is not None:
        second.append(part(f"   members read {age(now - members.at)} ago", "muted"))
    second.append(part(f"   id {clean(node.id, 80)}", "muted"))
    return [first, second]


def pane(tree: GroupTree, node: Node, now: float, members: Members | None, width: int) -> list[list[Part]]:
    """The same as a pane on the right: one thing a line."""
    from mdm_tui.fleet.inventory_text import wrap

    lines: list[list[Part]] = [[part(clean(node.name, 200), "text", bold=True)], []]
    room = max(width - 3, 20)
    lines += [[part(row, "muted")] for row in wrap(clean(tree.path_text(node.id), 400), room)]
    lines.append([])
    if node.trouble:
        lines += [[part(row, "bad")] for row in wrap(f"{glyphs().fault} {clean(node.trouble, 400)}", room)]
        lines.append([])
    rows: list[tuple[str, str]] = [("Devices", counted(node.devices))]
    if node.children:
        rows.append(("With below", f"{'at least ' if node.partly else ''}{counted(node.total)}"))
        rows.append(("Groups below", f"{len(tree.below(node.id)):,}"))
    for title, at in (("Created", node.group.created_at), ("Changed", node.group.updated_at)):
        if at is not None:
            rows.append((title, f"{show_time(at)}"))
    if members is not None:
        note = "" if members.complete else ", not all"
        rows.append(("Members", f"read {age(now - members.at)} ago{note}"))
    lines.append([part(f"{'Enabled':<14}", "muted"), *_enabled(node)])
    lines += [[part(f"{title:<14}", "muted"), part(words)] for title, words in rows]
    lines += [[], *[[part(row, "muted")] for row in wrap(f"id {clean(node.id, 80)}", room)]]
    return lines


def _enabled(node: Node) -> list[Part]:
    if node.group.enabled is None:
        return [part("enabled: not said", "muted")]
    return [part("enabled", "muted") if node.group.enabled else part("disabled", "warn")]
