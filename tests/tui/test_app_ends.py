"""How the real program ends on a real pseudo-terminal: its key, SIGTERM, and a terminal that goes away."""

from __future__ import annotations

import os
import select
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
    editor = tmp_path / "editor"
    editor.write_text(f"#!/bin/sh\n. {tmp_path}/habit\necho $$ > {tmp_path}/pid\necho it is open\nexec sleep 60\n")
    editor.chmod(0o700)
    env = {"PYTHONPATH": str(ROOT), "MDM_TUI_HOME": str(tmp_path), "EDITOR": str(editor), "TMPDIR": str(tmp_path)}
    with PtyRun(command, env=env, cwd=str(tmp_path)) as terminal:
        terminal.wait_for("Problems", most=60)
        yield terminal


class Server:
    """The processes that the program has started, held so that their end is an event and no other takes their ids."""

    def __init__(self, pid: int) -> None:
        children: set[int] = set()
        for task in Path(f"/proc/{pid}/task").iterdir():
            children |= {int(child) for child in (task / "children").read_text().split()}
        assert children
        self._held = [os.pidfd_open(child) for child in children]

    def gone(self) -> bool:
        """Whether all of them end, within ten seconds."""
        end = time.monotonic() + 10
        left = list(self._held)
        while left and (ready := select.select(left, [], [], max(0.0, end - time.monotonic()))[0]):
            left = [one for one in left if one not in ready]
        for one in self._held:
            os.close(one)
        return not left


needs_proc = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="reads /proc")


@needs_proc
def test_ctrl_q_ends_it_and_its_server(run: Any) -> None:
    server = Server(run.pid)
    run.press("ctrl+q")
    assert run.wait_end() == 0
    assert _RESTORED in run.output
    assert server.gone()


@needs_proc
def test_sigterm_restores_the_terminal(run: Any) -> None:
    server = Server(run.pid)
    os.kill(run.pid, signal.SIGTERM)
    assert run.wait_end() == 143
    assert _RESTORED in run.output
    assert server.gone()


@needs_proc
def test_a_terminal_that_goes_away_ends_it(run: Any) -> None:
    server = Server(run.pid)
    # The fixture closes the terminal again: it gets one that can be closed.
    spare = os.open(os.devnull, os.O_RDWR)
    os.dup2(spare, run._master)
    os.close(spare)
    assert run.wait_end(reads=False) == 129
    assert server.gone()


@needs_proc
def test_after_a_stop_the_whole_screen_is_painted_anew(run: Any) -> None:
    os.kill(run.pid, signal.SIGTSTP)
    os.waitid(os.P_PID, run.pid, os.WSTOPPED | os.WNOWAIT)
    run.read(quiet=0.2, most=2)
    os.kill(run.pid, signal.SIGCONT)
    # The footer's line does not change by itself.
    run.wait_for("all keys", most=20)
    run.press("\x1a")
    assert "does not stop" in run.text()
    run.press("ctrl+q")
    assert run.wait_end() == 0


@needs_proc
@pytest.mark.parametrize("habit", ["", "trap '' TERM"])
def test_sigterm_while_the_editor_is_open_leaves_no_copy_of_the_text(run: Any, tmp_path: Path, habit: str) -> None:
    (tmp_path / "habit").write_text(habit)
    run.press("2")
    run.wait_shown("Baseline")
    run.press("enter")
    run.wait_shown("fits the contract")
    run.send(b"\x1bOS")
    run.wait_for("it is open")
    (copy,) = tmp_path.glob("policy-*.json")
    assert copy.stat().st_mode & 0o777 == 0o600
    editor = int((tmp_path / "pid").read_text())
    try:
        os.kill(run.pid, signal.SIGTERM)
        assert run.wait_end() == 143
        assert not copy.exists()
        if not habit:
            with pytest.raises(ProcessLookupError):
                os.kill(editor, 0)
    finally:
        if habit:
            os.kill(editor, signal.SIGKILL)
