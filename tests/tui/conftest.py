"""Dialogs hear at once in these tests, but for those that are about their silence."""

from __future__ import annotations

import pytest

from mdm_tui.tui.screens import dialogs


@pytest.fixture(autouse=True)
def heard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialogs.Guarded, "silence", 0.0)
