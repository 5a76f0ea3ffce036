"""A clock that was ahead and is set back: what is asked for after that is newer than anything kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from storeparts import SCOPE, Hand, device

from mdm_tui.fleet.groups import Group
from mdm_tui.store.mirror import Mirror

MONTH = 30 * 86_400.0
NOW = 1_780_000_000.0


async def kept(mirror: Mirror, at: float, **values: object) -> None:
    await mirror.apply_items(SCOPE, Group, [Group("g1", "Depot"), Group("g2", "Berlin")], True, at)
    await mirror.apply(SCOPE, [device("a", **values)], at=at, walk=None)


async def newer(mirror: Mirror) -> None:
    """What the service says after the clock was set back is taken as it is."""
    await mirror.apply_items(SCOPE, Group, [Group("g1", "Dock"), Group("g3", "Paris")], True, NOW)
    assert [group.name for group in await mirror.items(SCOPE, Group)] == ["Dock", "Paris"]
    await mirror.apply(SCOPE, [device("a", model="new")], at=NOW, walk=None)
    held = await mirror.device(SCOPE, "a")
    assert held is not None and held.device.values["model"] == "new"
    assert await mirror.present_since(SCOPE, NOW - 60) == {"a"}


async def test_while_the_file_is_open(tmp_path: Path) -> None:
    clock = Hand()
    clock.now = NOW + MONTH
    mirror = Mirror.open(tmp_path / "mirror.db", clock=clock)
    await kept(mirror, NOW + MONTH, model="old")
    clock.now = NOW
    await newer(mirror)
    mirror.close()


async def test_between_two_sessions(tmp_path: Path) -> None:
    clock = Hand()
    clock.now = NOW + MONTH
    mirror = Mirror.open(tmp_path / "mirror.db", clock=clock)
    await kept(mirror, NOW + MONTH, model="old")
    mirror.close()
    clock.now = NOW
    mirror = Mirror.open(tmp_path / "mirror.db", clock=clock)
    await newer(mirror)
    mirror.close()


@pytest.mark.parametrize("step", [0.0, 0.5])
async def test_an_answer_that_was_overtaken_still_changes_nothing(tmp_path: Path, step: float) -> None:
    clock = Hand()
    clock.now = NOW
    mirror = Mirror.open(tmp_path / "mirror.db", clock=clock)
    await kept(mirror, NOW, model="new")
    clock.now = NOW - step
    await kept(mirror, NOW - 5, model="old")
    held = await mirror.device(SCOPE, "a")
    assert held is not None and held.device.values["model"] == "new"
    mirror.close()
