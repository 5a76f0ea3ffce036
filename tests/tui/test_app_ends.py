"""How the real program ends on a real pseudo-terminal: its key, SIGTERM, and a terminal that goes away."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
_RESTORED = b"\x1b[?1049l"


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Any]:
    sys.path.insert(0, str(ROOT / "tests/benchmarks"))
    try:
        from ptyrun import PtyRun
    finally:
        sys.path.pop(0)
    command = [sys.executable, "-m", "mdm_tui", "demo", "--devices", "5", "--seed", "2"]
    env = {"PYTHONPATH": str(ROOT), "MDM_TUI_HOME": str(tmp_path)}
    with PtyRun(command, env=env, cwd=str(tmp_path)) as terminal:
        terminal.wait_for("Problems", most=60)
        yield terminal


def _ended(run: Any, *, reads: bool = True) -> int | None:
    end = time.monotonic() + 15
    while not run.ended() and time.monotonic() < end:
        if reads:
            run.read(quiet=0.05, most=0.1)
        time.sleep(0.02)
    return run.status


def _children(pid: int) -> set[int]:
    found: set[int] = set()
    for task in Path(f"/proc/{pid}/task").iterdir():
        found |= {int(child) for child in (task / "children").read_text().split()}
    return found


def _gone(pids: set[int]) -> bool:
    end = time.monotonic() + 10
    while time.monotonic() < end:
        if not [pid for pid in pids if Path(f"/proc/{pid}").exists()]:
            return True
        time.sleep(0.02)
    return False


needs_proc = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="reads /proc")


@needs_proc
def test_ctrl_q_ends_it_and_its_server(run: Any) -> None:
    server = _children(run.pid)
    assert server
    run.press("ctrl+q")
    assert _ended(run) == 0
    assert _RESTORED in run.output
    assert _gone(server)


@needs_proc
def test_sigterm_restores_the_terminal(run: Any) -> None:
    server = _children(run.pid)
    os.kill(run.pid, signal.SIGTERM)
    assert _ended(run) == 143
    assert _RESTORED in run.output
    assert _gone(server)


@needs_proc
def test_a_terminal_that_goes_away_ends_it(run: Any) -> None:
    server = _children(run.pid)
    # The fixture closes the terminal again: it gets one that can be closed.
    spare = os.open(os.devnull, os.O_RDWR)
    os.dup2(spare, run._master)
    os.close(spare)
    assert _ended(run, reads=False) == 129
    assert _gone(server)
