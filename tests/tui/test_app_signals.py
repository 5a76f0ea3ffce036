"""SIGTERM, SIGHUP and a lost terminal end the console; a console that hangs is ended all the same."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from mdm_tui.tui.signals import handled


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_asks_for_the_end_once(number: int, code: int) -> None:
    asked: list[int] = []
    with handled(asked.append, grace=60):
        os.kill(os.getpid(), number)
        os.kill(os.getpid(), number)
    assert asked == [code]


def test_handlers_are_put_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with handled(lambda code: None):
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_lost_terminal_is_a_hang_up() -> None:
    master, slave = os.openpty()
    asked = threading.Event()
    codes: list[int] = []

    def end(code: int) -> None:
        codes.append(code)
        asked.set()

    with handled(end, grace=60, tty=slave):
        os.close(master)
        assert asked.wait(10)
    os.close(slave)
    assert codes == [129]


def test_what_does_not_end_by_itself_is_ended() -> None:
    # The main thread waits for ever, as Textual does when its terminal is gone.
    code = (
        "import os, signal, queue\n"
        "from mdm_tui.tui.signals import handled\n"
        "with handled(lambda code: None, grace=0.1):\n"
        "    os.kill(os.getpid(), signal.SIGHUP)\n"
        "    queue.Queue().get()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], timeout=30, check=False)
    assert done.returncode == 129
