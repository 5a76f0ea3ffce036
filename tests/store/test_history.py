"""Reports that differ, drafts, versions of policies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from storeparts import SCOPE, device

from mdm_tui.fleet.policies import Policy
from mdm_tui.store.history import REPORTS_KEPT, VERSIONS_KEPT, Draft, History


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    found = History.open(tmp_path / "state" / "history.db")
    yield found
    found.close()


async def test_a_report_is_kept_when_it_differs_from_the_one_before(history: History) -> None:
    said = [(1.0, "A"), (2.0, "A"), (3.0, "Bü"), (4.0, "A")]
    assert [await history.report(SCOPE, device("d", raw=raw), at) for at, raw in said] == [True, False, True, True]
    reports = await history.reports(SCOPE, "d")
    assert [at for at, _ in reports] == [4.0, 3.0, 1.0]
    assert reports[0][1] == reports[2][1] != reports[1][1]
    assert [await history.report_at(SCOPE, "d", at) for at in (0.5, 2.5, 3.0, 9.0)] == [
        None, (1.0, "A"), (3.0, "Bü"), (4.0, "A"),
    ]  # fmt: skip
    assert await history.reports(SCOPE, "other") == await history.reports("other", "d") == []


async def test_reports_and_versions_do_not_pile_up(history: History) -> None:
    for turn in range(REPORTS_KEPT + 3):
        await history.report(SCOPE, device("d", raw=str(turn)), float(turn))
    for turn in range(VERSIONS_KEPT + 3):
        await history.policy_version(SCOPE, Policy("p", "P", version=turn, raw=str(turn)), float(turn))
    reports = await history.reports(SCOPE, "d")
    assert (len(reports), reports[-1][0]) == (REPORTS_KEPT, 3.0)
    versions = await history.policy_versions(SCOPE, "p")
    assert (len(versions), versions[0].raw, versions[-1].version) == (VERSIONS_KEPT, "22", 3)


async def test_the_same_document_is_no_new_version(history: History) -> None:
    assert await history.policy_version(SCOPE, Policy("p", "P", raw="{}"), 1.0)
    assert not await history.policy_version(SCOPE, Policy("p", "P renamed", raw="{}"), 2.0)
    assert [version.at for version in await history.policy_versions(SCOPE, "p")] == [1.0]


async def test_drafts_survive_and_the_last_one_counts(history: History, tmp_path: Path) -> None:
    first = Draft(SCOPE, "policy", "p1", '{"a":1}', '{"a":', 1.0)
    last = Draft(SCOPE, "policy", "p1", '{"a":1}', '{"a":2}', 2.0)
    new = Draft(SCOPE, "policy", "", "", '{"name": "Zoë"', 3.0)
    for draft in (first, last, new, Draft("midm:x", "policy", "p1", "", "", 9.0)):
        await history.put_draft(draft)
    history.close()
    again = History.open(tmp_path / "state" / "history.db")
    try:
        assert await again.drafts(SCOPE) == [new, last]
        assert await again.draft(SCOPE, "policy", "p1") == last
        await again.drop_draft(SCOPE, "policy", "p1")
        assert await again.draft(SCOPE, "policy", "p1") is None
        assert await again.drafts(SCOPE) == [new]
    finally:
        again.close()
