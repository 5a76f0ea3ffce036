"""Editing a device without losing anybody's work: what can be edited, and three sides brought together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mdm_tui.fleet.devices import Assignment
from mdm_tui.fleet.report import Report, get

__all__ = ["EDITABLE", "Clash", "Merge", "assignments", "editable", "equal", "merge", "references",
           "unreadable_assignments"]  # fmt: skip

# The neutral names of `DeviceChanges` → the place in the report.
EDITABLE: dict[str, str] = {
    "display_name": "identity.displayName",
    "tags": "identity.tags",
    "policy_id": "policy.assignedId",
    "assignments": "policy.assignments",
    "user_id": "identity.user.id",
    "push_provider": "identity.pushNotificationProvider",
    "segment_id": "identity.segmentId",
}


# Fields whose values name something else that has to exist, and what that is.
_REFERENCES: dict[str, str] = {
    "policy_id": "the policy",
    "assignments": "a policy of the assignments",
    "user_id": "the user",
    "push_provider": "the push provider",
    "segment_id": "the segment",
}


@dataclass(frozen=True, slots=True)
class Clash:
    """One field that somebody else changed differently since it was opened."""

    key: str
    base: Any
    mine: Any
    theirs: Any


@dataclass(frozen=True, slots=True)
class Merge:
    """values: what to send. clashes: what a person has to decide. kept: sentences on others' changes that stay."""

    values: dict[str, Any]
    clashes: tuple[Clash, ...] = ()
    kept: tuple[str, ...] = ()


def editable(report: Report) -> dict[str, Any]:
    """The values that can be edited, as a report holds them, by the names of `DeviceChanges`."""
    found: dict[str, Any] = {key: get(report, path) for key, path in EDITABLE.items()}
    found["display_name"] = found["display_name"] or ""
    tags = found["tags"]
    found["tags"] = [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []
    found["assignments"] = assignments(found["assignments"])
    return found


def assignments(raw: Any) -> list[Assignment]:
    """The ordered stack of policies; entries that cannot be read are left out (see `unreadable_assignments`)."""
    stack: list[Assignment] = []
    for row in raw if isinstance(raw, list) else []:
        if not isinstance(row, Mapping) or not isinstance(row.get("policyId"), str):
            continue
        priority = row.get("priority")
        if isinstance(priority, bool) or not isinstance(priority, int):
            continue
        policy = row.get("policy")
        policy = policy if isinstance(policy, Mapping) else {}
        stack.append(
            Assignment(row["policyId"], priority, str(policy.get("name") or ""), str(policy.get("version") or ""))
        )
    return stack


def references(values: Mapping[str, Any]) -> dict[str, str]:
    """Which of these values name something that has to exist: key → what it is called."""
    return {key: words for key, words in _REFERENCES.items() if values.get(key) not in (None, "", [])}


def unreadable_assignments(report: Report) -> int:
    """How many entries of the stack `assignments` had to leave out."""
    raw = get(report, EDITABLE["assignments"])
    return len(raw) - len(assignments(raw)) if isinstance(raw, list) else 0


def merge(
    base: Mapping[str, Any], mine: Mapping[str, Any], theirs: Mapping[str, Any], *, mine_wins: Iterable[str] = ()
) -> Merge:
    """Bring an edit together with what the service holds by now.

    base: the editable values when the edit began; mine: only what was touched; theirs: the values now.
    mine_wins: keys whose clash a person has decided. Tags and assignments merge entry by entry.
    """
    decided = frozenset(mine_wins)
    values: dict[str, Any] = {}
    clashes: list[Clash] = []
    kept: list[str] = []
    for key, wanted in mine.items():
        before, now = base.get(key), theirs.get(key)
        if key == "tags":
            result: Any = _merge_tags(before or [], list(wanted or []), now or [], kept)
        elif key == "assignments":
            result, clashing = _merge_stack(before or [], list(wanted or []), now or [], kept)
            if clashing and key not in decided:
                clashes.append(Clash(key, before, wanted, now))
        else:
            result = wanted
            if now != before and now != wanted and key not in decided:
                clashes.append(Clash(key, before, wanted, now))
        if not equal(key, result, now):
            values[key] = result
    return Merge(values, tuple(clashes), tuple(kept))


def equal(key: str, one: Any, other: Any) -> bool:
    """Whether two values of a field are the same to the service: names are no part of an assignment."""
    if key == "assignments":
        return _stack(one) == _stack(other)
    if key == "tags":
        return list(one or []) == list(other or [])
    if key == "display_name":
        return (one or "") == (other or "")
    return one == other


def _stack(entries: Iterable[Assignment] | None) -> list[tuple[str, int]]:
    return [(entry.policy_id, entry.priority) for entry in entries or ()]


def _merge_tags(base: list[str], mine: list[str], theirs: list[str], kept: list[str]) -> list[str]:
    if set(base) == set(theirs):
        return list(dict.fromkeys(mine))
    added = [tag for tag in mine if tag not in base]
    removed = {tag for tag in base if tag not in mine}
    others = [tag for tag in theirs if tag not in base and tag not in mine]
    gone = [tag for tag in base if tag not in theirs and tag in mine]
    if others:
        kept.append(f"added by somebody else meanwhile and kept: {', '.join(others)}")
    if gone:
        kept.append(f"removed by somebody else meanwhile and left out: {', '.join(gone)}")
    return list(dict.fromkeys([*(tag for tag in theirs if tag not in removed), *added]))


def _merge_stack(
    base: list[Assignment], mine: list[Assignment], theirs: list[Assignment], kept: list[str]
) -> tuple[list[Assignment], bool]:
    if _stack(base) == _stack(theirs):
        return mine, False
    before, wanted, now = (_by_policy(side) for side in (base, mine, theirs))
    if len(before) < len(base) or len(wanted) < len(mine) or len(now) < len(theirs):
        # One policy twice in a stack: which entry became which cannot be told.
        return mine, True
    clash = False
    result: list[Assignment] = []
    for policy_id in [*now, *(other for other in wanted if other not in now)]:
        old, ours, other = before.get(policy_id), wanted.get(policy_id), now.get(policy_id)
        if _priority(ours) == _priority(old):
            if other is not None:
                result.append(other)
        else:
            # Touched here. Touched there as well, differently: a person decides.
            clash = clash or (_priority(other) != _priority(old) and _priority(other) != _priority(ours))
            if ours is not None:
                result.append(ours)
    foreign = [entry.name or entry.policy_id for key, entry in now.items() if key not in before and key not in wanted]
    if foreign:
        kept.append(f"assigned by somebody else meanwhile and kept: {', '.join(foreign)}")
    return sorted(result, key=lambda entry: entry.priority), clash


def _by_policy(entries: list[Assignment]) -> dict[str, Assignment]:
    return {entry.policy_id: entry for entry in entries}


def _priority(entry: Assignment | None) -> int | None:
    return entry.priority if entry is not None else None
