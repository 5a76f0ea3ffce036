"""From the wire to the field's words. Pure: it runs on a worker thread for large pages.

A row that cannot be understood becomes a row that says so; the page it stood in survives.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from pydantic import ValidationError

from mdm_tui.fleet import faults, fields
from mdm_tui.fleet.commands import Command, CommandResult, PushStatus, State
from mdm_tui.fleet.devices import App, Device, Segment, User
from mdm_tui.fleet.policies import Policy
from mdm_tui.fleet.provider import Page
from mdm_tui.fleet.text import clean
from mdm_tui.providers.body import text
from mdm_tui.providers.rows import stand_in, why

from . import wire
from .report import SECRET_NAMES, redact, report

__all__ = [
    "app",
    "command",
    "device",
    "page",
    "policy",
    "push_status",
    "segments",
    "tags",
    "template",
    "user",
]

T = TypeVar("T")

ROOT_SEGMENT = "Whole organisation"


def keep(node: Any) -> str:
    """The JSON text of what came, secrets redacted."""
    plain = text(node)
    # Looking for the names in the text is far cheaper than walking every node.
    return text(redact(node)) if any(name in plain for name in SECRET_NAMES) else plain


def device(node: Any, *, detail: bool = False) -> Device:
    """A device of a list row or of the detail view."""
    raw = keep(node)
    try:
        found = wire.Device.model_validate(node)
        values = fields.values(report(node))
    except (ValidationError, ValueError, TypeError, LookupError, AttributeError) as error:
        return _unreadable_device(node, raw, error, detail)
    values["id"] = clean(found.id, 128)
    values["faults"] = faults.find(values, today=datetime.now(UTC).date())
    return Device(found.id, values, raw, detail)


def _unreadable_device(node: Any, raw: str, error: Exception, detail: bool) -> Device:
    name = node.get("displayName") if isinstance(node, dict) else None
    values = fields.values({})
    values["id"] = id = stand_in(raw)
    values["name"] = clean(name) if isinstance(name, str) and name.strip() else "(unreadable)"
    values["faults"] = "unreadable"
    return Device(id, values, raw, detail, unreadable=why(node, error))


def policy(node: Any) -> Policy:
    """A policy; `raw` is the whole document."""
    raw = keep(node)
    try:
        found = wire.Policy.model_validate(node)
    except ValidationError as error:
        return Policy(stand_in(raw), "(unreadable)", raw=raw, unreadable=why(node, error))
    return Policy(
        id=found.id,
        name=clean(found.name) if found.name else "(no name)",
        version=found.version,
        description=clean(found.description or ""),
        segment_id=found.segment_id,
        private=found.private,
        applications=len(found.applications),
        assets=len(found.assets),
        updated_at=found.updated_at,
        created_at=found.created_at,
        raw=raw,
    )


def template(node: Any) -> Policy:
    """A template as a policy: the id is the template's, `raw` the part of a policy to start from."""
    raw = keep(node)
    try:
        found = wire.Template.model_validate(node)
    except ValidationError as error:
        return Policy(stand_in(raw), "(unreadable)", raw=raw, unreadable=why(node, error))
    rows = found.policy.get("applications")
    return Policy(
        id=found.id,
        name=clean(found.id),
        version=found.version,
        applications=len(rows) if isinstance(rows, list) else 0,
        raw=keep(found.policy),
    )


def state(status: str | None, sent_at: float | None) -> State:
    """Our state for the contract's word (RULES §3); a word the contract does not have is UNKNOWN."""
    if status == "PENDING":
        return State.PUSHED if sent_at is not None else State.ACCEPTED
    return _STATES.get(status or "", State.UNKNOWN)


_STATES = {
    "RECEIVED": State.RECEIVED,
    "DONE": State.DONE,
    "ERROR": State.FAILED,
    "EXPIRED": State.EXPIRED,
    "CANCEL": State.CANCELLED,
}


def command(node: Any, device_id: str) -> Command:
    """A command record of the device that was asked about."""
    raw = keep(node)
    try:
        found = wire.Command.model_validate(node)
    except ValidationError as error:
        return Command(
            stand_in(raw), device_id, "(unreadable)", "", State.UNKNOWN, None, None, raw=raw,
            unreadable=why(node, error),
        )  # fmt: skip
    return Command(
        id=found.id,
        device_id=clean(found.device or device_id, 128),
        name=clean(found.command or "(no name)", 64),
        status=clean(found.status or "", 64),
        state=state(found.status, found.sent_at),
        created_at=found.created_at,
        updated_at=found.updated_at,
        sent_at=found.sent_at,
        expires_at=found.expires_at,
        results=tuple(_result(row) for row in found.results),
        params_text=clean(keep(found.params)) if found.params else "",
        push_id=clean(found.push_id or "", 256),
        raw=raw,
    )


def _result(node: dict[str, Any]) -> CommandResult:
    found = wire.Result.model_validate(node)
    said = "" if found.data in (None, {}, []) else clean(keep(found.data))
    return CommandResult(found.at, said, clean(found.error or ""), clean(found.error_type or "", 128))


def push_status(node: Any) -> PushStatus:
    """The push service's word on a command."""
    found = wire.PushStatus.model_validate(node)
    return PushStatus(found.delivered, found.pending, found.expires_at, found.sent_at)


def app(node: Any) -> App:
    """An application a device reported."""
    found = wire.AppReport.model_validate(node if isinstance(node, dict) else {})
    return App(
        package=clean(found.package or "(unreadable)", 256),
        name=clean(found.name or "", 256),
        version=clean(found.version or "", 128),
        version_code=clean(found.version_code or "", 40),
        state=clean(found.state or "", 64),
        source=clean(found.source or "", 64),
        raw=keep(node),
    )


def user(node: Any) -> User | None:
    """A person, None for a row that names nobody: there is nothing to choose."""
    try:
        found = wire.User.model_validate(node)
    except ValidationError:
        return None
    tags = tuple(clean(tag, 64) for tag in found.tags)
    return User(found.id, clean(found.email or ""), clean(found.name or ""), tags)


def tags(document: Any) -> list[str]:
    """The tags in use, each once; rows are `{value}` or plain text.

    They are shown to be chosen and then sent back: one that cannot be shown as it is, is not offered.
    """
    found = (item.get("value") if isinstance(item, dict) else item for item in wire.listing(document).items)
    return list(dict.fromkeys(item for item in found if isinstance(item, str) and item and clean(item) == item))


def segments(document: Any) -> list[Segment]:
    """The tree as a list, parents before children; the root, segment 0 at depth 0, comes first."""
    tree = wire.data(document)
    out = [Segment(0, ROOT_SEGMENT)]
    seen = {0}
    stack = [(node, 0, 1) for node in reversed(wire.SegmentNode.model_validate(tree).children)]
    while stack:
        raw, parent, depth = stack.pop()
        node = wire.SegmentNode.model_validate(raw)
        if node.id is None:
            continue
        below = depth
        if node.id not in seen:
            seen.add(node.id)
            out.append(Segment(node.id, clean(node.name or f"segment {node.id}", 256), parent, depth))
            below = depth + 1
        stack.extend((child, node.id, below) for child in reversed(node.children))
    return out


def page(document: Any, one: Callable[[Any], T], number: int, limit: int) -> Page[T]:
    """A page of rows; where the service says nothing about the next one, a full page is followed by another."""
    found = wire.listing(document)
    more = found.more
    if more is None:
        more = number < found.pages if found.pages is not None else len(found.items) >= limit
    total = found.total if found.total is None or found.total >= 0 else None
    return Page([one(item) for item in found.items], number, total, bool(more and found.items))
