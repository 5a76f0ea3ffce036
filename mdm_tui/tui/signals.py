"""Ends the console cleanly when the machine asks for it: SIGTERM, SIGHUP, and a terminal that went away.

A hung-up terminal may leave Textual's writer blocked for ever, so a clean end is given a few seconds and then forced:
commands are on disk before they are sent, nothing is lost by it.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

__all__ = ["GRACE", "before_stopping", "handled", "lent", "let_go"]

GRACE = 3.0  # seconds for a clean end

_lent: list[tuple[Callable[[], None], Path]] = []


@contextlib.contextmanager
def lent(stop: Callable[[], None], file: Path) -> Iterator[None]:
    """While it lasts another program has the terminal and the file: an end calls `stop`, and leaves no file behind."""
    entry = (stop, file)
    _lent.append(entry)
    try:
        yield
    finally:
        _lent.remove(entry)


@contextlib.contextmanager
def handled(end: Callable[[int], None], *, grace: float = GRACE, tty: int | None = None) -> Iterator[None]:
    """While it lasts, SIGTERM, SIGHUP and the loss of the terminal call `end(return code)` from any thread.

    end: must be thread-safe and return at once. tty: the terminal's file descriptor, None to watch none.
    """
    asked = threading.Event()
    done = threading.Event()

    def finish(code: int) -> None:
        if asked.is_set():
            return
        asked.set()
        for stop, _file in tuple(_lent):
            stop()
        threading.Thread(target=_force, args=(code, done, grace), daemon=True, name="last-resort").start()
        end(code)

    def on_signal(number: int, _frame: FrameType | None) -> None:
        finish(128 + number)

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGTERM, signal.SIGHUP)}
    if tty is not None and os.isatty(tty):
        threading.Thread(target=_watch, args=(tty, done, finish), daemon=True, name="terminal-watch").start()
    try:
        yield
    finally:
        done.set()
        for number, handler in before.items():
            signal.signal(number, handler)


def let_go() -> None:
    """Send what is still buffered for a terminal that is gone nowhere: Python would end with code 120 for it."""
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        if stream is None:
            continue
        try:
            stream.flush()
        except (OSError, ValueError):
            with contextlib.suppress(OSError, ValueError):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, stream.fileno())
                os.close(nowhere)


def before_stopping(call: Callable[[], None]) -> None:
    """From now on `call` runs in the main thread before SIGTSTP (ctrl+z of another program, `kill -TSTP`) is obeyed."""
    before = signal.getsignal(signal.SIGTSTP)

    def on_signal(number: int, frame: FrameType | None) -> None:
        call()
        if callable(before):
            before(number, frame)
        elif before == signal.SIG_DFL:
            os.kill(os.getpid(), signal.SIGSTOP)

    signal.signal(signal.SIGTSTP, on_signal)


def _watch(tty: int, done: threading.Event, finish: Callable[[int], None]) -> None:
    # No event mask: only hang-up, error and invalid are reported, and the wait costs nothing.
    poll = select.poll()
    poll.register(tty, 0)
    while not done.is_set():
        if poll.poll(5_000):
            if not done.is_set():
                finish(128 + signal.SIGHUP)
            return


def _force(code: int, done: threading.Event, grace: float) -> None:
    if not done.wait(grace):
        for _stop, file in tuple(_lent):
            with contextlib.suppress(OSError):
                file.unlink()
        with contextlib.suppress(Exception):
            sys.stderr.flush()
        os._exit(code)
