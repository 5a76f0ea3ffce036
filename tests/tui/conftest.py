"""Dialogs hear at once in these tests, but for those that are about their silence; rest is known, not slept for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from idle import watched

from mdm_tui.tui import bridge
from mdm_tui.tui.screens import dialogs


@pytest.fixture(autouse=True)
def heard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialogs.Guarded, "silence", 0.0)
    # Counts for the header are gathered for a moment; here as soon as they are wanted.
    monkeypatch.setattr(bridge, "_LATE", 0.0)


@pytest.fixture(autouse=True)
def rest(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with watched(monkeypatch):
        yield
