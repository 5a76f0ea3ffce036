"""Fixtures for the store's tests: real files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from storeparts import Hand

from mdm_tui.store.mirror import Mirror


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture
def mirror(tmp_path: Path, clock: Hand) -> Iterator[Mirror]:
    found = Mirror.open(tmp_path / "cache" / "mirror.db", clock=clock)
    yield found
    found.close()
