"""Policies, commands seen at the service, notes."""

from __future__ import annotations

from dataclasses import replace

from storeparts import SCOPE, device

from mdm_tui.fleet.commands import Command, CommandResult, State
from mdm_tui.fleet.policies import Policy
from mdm_tui.store.mirror import Coverage, Mirror

COMMAND = Command(
    "c1", "a", "LOCK", "PENDING", State.ACCEPTED, 10.0, 10.0, sent_at=None, expires_at=70.0, push_id="x", raw="{}"
)


async def test_policies_come_back_as_they_were_and_by_name(mirror: Mirror) -> None:
    policies = [
        Policy("1", "Kiosk 10", 3, "d", 4, True, 2, 1, 5.0, 1.0, '{"x": 1}'),
        Policy("2", "kiosk 9", None, private=None),
        Policy("3", "", unreadable="not an object"),
    ]
    assert await mirror.apply_policies(SCOPE, policies, True, 1.0) == {"1", "2", "3"}
    assert await mirror.policies(SCOPE) == [policies[1], policies[0], policies[2]]
    assert await mirror.apply_policies(SCOPE, policies, True, 2.0) == set()
    assert await mirror.policy(SCOPE, "1") == policies[0]
    assert await mirror.policy("midm:x", "1") is None


async def test_policies_change_go_and_are_not_overwritten_by_older_ones(mirror: Mirror) -> None:
    one, two = Policy("1", "A", 2, updated_at=20.0), Policy("2", "B")
    await mirror.apply_policies(SCOPE, [one, two], True, 1.0)
    assert await mirror.apply_policies(SCOPE, [replace(one, version=1, updated_at=10.0)], False, 2.0) == set()
    newer = replace(one, version=3, updated_at=30.0)
    assert await mirror.apply_policies(SCOPE, [newer], True, 3.0) == {"1", "2"}
    assert await mirror.policies(SCOPE) == [newer]
    await mirror.drop_policy(SCOPE, "1")
    assert await mirror.policies(SCOPE) == []


async def test_commands_come_back_as_they_were_newest_first(mirror: Mirror) -> None:
    newer = replace(
        COMMAND, id="c2", created_at=20.0, results=(CommandResult(21.0, "ok"), CommandResult(None, "", "x"))
    )
    assert await mirror.apply_commands(SCOPE, "a", [COMMAND, newer], 1.0) == {"c1", "c2"}
    assert await mirror.commands(SCOPE, "a") == [newer, COMMAND]
    assert await mirror.apply_commands(SCOPE, "a", [COMMAND, newer], 2.0) == set()
    done = replace(COMMAND, state=State.DONE, status="DONE", updated_at=30.0)
    assert await mirror.apply_commands(SCOPE, "a", [done], 3.0) == {"c1"}
    assert await mirror.apply_commands(SCOPE, "a", [COMMAND], 4.0) == set(), "an older answer"
    assert await mirror.commands(SCOPE) == [newer, done]
    assert await mirror.commands(SCOPE, "b") == []


async def test_coverage_counts_looks_also_when_there_was_nothing(mirror: Mirror) -> None:
    assert await mirror.coverage(SCOPE) == Coverage(0, 0, None)
    await mirror.apply(SCOPE, [device("a"), device("b"), device("c")], at=1.0, walk=None)
    await mirror.apply_commands(SCOPE, "a", [COMMAND], 7.0)
    await mirror.apply_commands(SCOPE, "b", [], 5.0)
    await mirror.apply_commands(SCOPE, "b", [], 4.0)
    assert await mirror.coverage(SCOPE) == Coverage(2, 3, 5.0)
    await mirror.drop(SCOPE, ["a"])
    assert await mirror.coverage(SCOPE) == Coverage(1, 2, 5.0)
    assert await mirror.commands(SCOPE) == []


async def test_notes_belong_to_a_connection(mirror: Mirror) -> None:
    assert await mirror.get_meta(SCOPE, "last_sync") is None
    await mirror.set_meta(SCOPE, "last_sync", 12.5)
    await mirror.set_meta(SCOPE, "organization", "Acmé")
    assert await mirror.get_meta(SCOPE, "last_sync") == 12.5
    assert await mirror.get_meta(SCOPE, "organization") == "Acmé"
    assert await mirror.get_meta("midm:x", "last_sync") is None
