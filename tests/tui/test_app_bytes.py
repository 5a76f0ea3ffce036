"""What the whole console sends on a real pseudo-terminal of 120 by 40, over 2,000 devices. Counts, never times."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def run() -> Iterator[Any]:
    sys.path.insert(0, str(ROOT / "tests/benchmarks"))
    try:
        from ptyrun import PtyRun
    finally:
        sys.path.pop(0)
    with PtyRun(
        [sys.executable, str(ROOT / "tests/tui/deskapp.py")], env={"PYTHONPATH": str(ROOT), "COLUMNS": "", "LINES": ""}
    ) as terminal:
        terminal.wait_for("Problems")
        terminal.read(quiet=0.8)
        yield terminal


def _rows(run: Any) -> list[str]:
    return [line for line in run.text().splitlines() if "%" in line and "API" not in line]


def test_a_cursor_key_costs_at_most_five_hundred_bytes_all_told(run: Any) -> None:
    run.press("home", quiet=0.5)
    counts = []
    for number in range(1, 9):
        counts.append(len(run.press("down", quiet=0.5)))
        assert _rows(run)[number].startswith("▸"), "the cursor went one line down"
    assert max(counts) <= 500, counts
    assert min(counts) > 0


def test_ten_changed_cells_cost_at_most_two_thousand_bytes(run: Any) -> None:
    run.press("home", quiet=0.5)
    os.kill(run.pid, signal.SIGUSR1)
    run.wait_for("88%")
    before = len(run.output)
    os.kill(run.pid, signal.SIGUSR1)
    run.wait_for("11%")
    sent = len(run.output) - before
    assert sum("11%" in row for row in _rows(run)[2:12]) == 10
    assert sent <= 2_000, sent


def test_a_change_out_of_sight_and_time_that_passes_cost_nothing(run: Any) -> None:
    run.press("home", quiet=0.5)
    os.kill(run.pid, signal.SIGUSR2)
    assert run.read(quiet=1.5) == b""


def test_the_pane_of_a_wide_screen_is_whole_after_every_key(run: Any) -> None:
    # Only changed cells are sent: what the terminal then shows must be what one repaint would show.
    run.resize(180, 45)
    run.press("home", quiet=0.6)
    for _ in range(4):
        run.press("down", quiet=0.6)
    patched = [line[130:].rstrip() for line in run.text().splitlines()[3:40]]
    run.resize(179, 45)
    run.resize(180, 45)
    run.read(quiet=0.6)
    whole = [line[130:].rstrip() for line in run.text().splitlines()[3:40]]
    assert any("Serial" in line for line in whole)
    assert patched == whole


def test_sixteen_colours_are_the_terminals_own(tmp_path: Path) -> None:
    sys.path.insert(0, str(ROOT / "tests/benchmarks"))
    try:
        from ptyrun import PtyRun
    finally:
        sys.path.pop(0)
    env = {"PYTHONPATH": str(ROOT), "TERM": "xterm", "COLORTERM": ""}
    with PtyRun([sys.executable, str(ROOT / "tests/tui/deskapp.py"), "60"], env=env) as terminal:
        terminal.wait_for("Problems")
        sent = bytes(terminal.output)
    assert b"38;2;" not in sent and b"38;5;" not in sent
    # The role `bad` is the terminal's bright red.
    assert b"\x1b[91;40mProblems" in sent
