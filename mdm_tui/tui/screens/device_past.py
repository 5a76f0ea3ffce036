"""The kept reports of a device, newest first, each with what changed since the one before it."""

from __future__ import annotations

import asyncio
import json
from itertools import pairwise
from typing import Any

from mdm_tui.fleet.diff import Difference, differences
from mdm_tui.fleet.report import Report
from mdm_tui.fleet.text import clean
from mdm_tui.tui.screens.device_lines import Past

__all__ = ["changes_of", "past_of"]

_COMPARED = 10
_CHANGES_MOST = 12
# What differs in every report and says nothing.
_NOISE = (
    "createTime", "updatedAt", "reportedAt", "lastStatusReportTime", "lastPolicySyncTime",
    "lastPolicyComplianceReportTime", "lastDisconnectedTime", "level", "freeRam", "free", "dataUsage",
)  # fmt: skip
_SERIES = ("powerManagementEvents", "hardwareStatusSamples", "memoryEvents")


async def past_of(session: Any, device_id: str) -> list[Past]:
    """All kept reports; the newest few say what changed with them. Raises nothing: no history is an empty list."""
    kept = [(row[0], row[1]) for row in await session.devices.history(device_id)]
    kept.sort(key=lambda row: row[0], reverse=True)
    texts: list[str] = []
    for at, _digest in kept[: _COMPARED + 1]:
        found = await session.history.report_at(session.scope, device_id, at)
        texts.append(found[1] if found is not None else "{}")
    report = session.devices.report
    compared = await asyncio.to_thread(lambda: [changes_of(report(old), report(new)) for new, old in pairwise(texts)])
    return [Past(at, compared[number] if number < len(compared) else ()) for number, (at, _digest) in enumerate(kept)]


def changes_of(old: Report, new: Report) -> tuple[str, ...]:
    """What changed from one report to the next, in words; measurements and times that always move are left out."""
    if not old or not new:
        # One of them could not be read: there is nothing to compare.
        return ()
    try:
        found = differences(old, new)
    except RecursionError:
        return ()
    told = [item for item in found if not any(part in _NOISE or part in _SERIES for part in item.path)]
    words = [_words(item) for item in told[:_CHANGES_MOST]]
    if len(told) > _CHANGES_MOST:
        words.append(f"and {len(told) - _CHANGES_MOST:,} more")
    if not words and found:
        words.append("measurements only")
    return tuple(words)


def _words(item: Difference) -> str:
    name = clean(item.pointer.removeprefix("other."), 120)
    if item.kind == "added":
        return f"{name}  added: {_value(item.mine)}"
    if item.kind == "removed":
        return f"{name}  removed: {_value(item.base)}"
    return f"{name}  {_value(item.base)} → {_value(item.mine)}"


def _value(value: Any) -> str:
    if isinstance(value, str):
        return clean(value, 80)
    return clean(json.dumps(value, ensure_ascii=False), 80)
