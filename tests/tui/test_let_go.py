"""What is still buffered for a terminal that is gone must not change the exit code."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = """\
import sys
from mdm_tui.tui import signals
sys.stdout.write("a last frame")
if sys.argv[1] == "yes":
    signals.let_go()
sys.exit(129)
"""


@pytest.mark.parametrize(("lets_go", "code"), [("yes", 129), ("no", 120)])
def test_a_buffer_for_a_terminal_that_is_gone(lets_go: str, code: int) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        ended = subprocess.run(
            [sys.executable, "-c", PROGRAM, lets_go],
            stdout=writer,
            stderr=subprocess.DEVNULL,
            env=dict(os.environ, PYTHONPATH=str(ROOT), PYTHONUNBUFFERED=""),
            check=False,
        )
    finally:
        os.close(writer)
    assert ended.returncode == code
