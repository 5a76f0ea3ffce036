"""Runs a terminal program on a pseudo-terminal of a given size, and counts what it sends.

    python ptyrun.py --size 120x40 --ready Serial --press down:20 --press pagedown:5 --idle 3 --show -- CMD [ARG ...]

The program's questions to its terminal are answered as a modern terminal would. An answer to a key has ended
when nothing came for `quiet` seconds: that decides how long to wait, never what is counted. `text()` needs the
package pyte; all else is the standard library. Linux and macOS.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import statistics
import struct
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from typing import Any, Self

KEYS = {
    "up": b"\x1b[A",
    "down": b"\x1b[B",
    "right": b"\x1b[C",
    "left": b"\x1b[D",
    "shift+up": b"\x1b[1;2A",
    "shift+down": b"\x1b[1;2B",
    "home": b"\x1b[H",
    "end": b"\x1b[F",
    "pageup": b"\x1b[5~",
    "pagedown": b"\x1b[6~",
    "enter": b"\r",
    "tab": b"\t",
    "esc": b"\x1b",
    "space": b" ",
    "backspace": b"\x7f",
    "ctrl+c": b"\x03",
    "ctrl+q": b"\x11",
}

# Complete sequences that pyte does not know; it would print their tails.
_UNKNOWN = re.compile(rb"\x1b\[[<>=?][0-9;]*[a-zA-Z]|\x1b\[\?[0-9;]*\$[a-z]|\x1b[\]P_^][^\x07\x1b]*(?:\x07|\x1b\\)")
_UNFINISHED = re.compile(rb"\x1b(?:\[[0-9;<>=?$ ]*|[\]P_^][^\x07\x1b]*\x1b?)?\Z")


def key_bytes(key: str) -> bytes:
    """What a terminal sends for a key name; any other text is sent as it is."""
    return KEYS.get(key, key.encode())


def terminal_answers(data: bytes) -> bytes:
    """The answers of a terminal with synchronised output to the questions in `data`."""
    modes = re.findall(rb"\x1b\[\?(\d+)\$p", data)
    answers = [b"\x1b[?%s;%d$y" % (mode, 2 if mode == b"2026" else 0) for mode in modes]
    answers += [b"\x1b[1;1R"] * data.count(b"\x1b[6n")
    answers += [b"\x1b[?62;22c"] * len(re.findall(rb"\x1b\[0?c", data))
    answers += [b"\x1b[?0u"] * data.count(b"\x1b[?u")
    for number in re.findall(rb"\x1b\](1[01]);\?(?:\x07|\x1b\\)", data):
        answers.append(b"\x1b]%s;rgb:0000/0000/0000\x1b\\" % number)
    return b"".join(answers)


class PtyRun:
    """One program on one pseudo-terminal. Use it in a `with` block: leaving it kills the program."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        columns: int = 120,
        rows: int = 40,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
    ) -> None:
        """`env` is added to the environment; TERM is xterm-256color with true colour unless it says otherwise."""
        self.columns, self.rows = columns, rows
        self.output = bytearray()
        """Everything the program has sent so far."""
        self._pyte: tuple[Any, Any] | None = None
        self._fed = 0
        whole_env = {
            **{name: value for name, value in os.environ.items() if name != "NO_COLOR"},
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "COLUMNS": str(columns),
            "LINES": str(rows),
            **(env or {}),
        }
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.pid = os.fork()
        if self.pid == 0:  # pragma: no cover - the child is replaced at once
            try:
                os.setsid()
                fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
                for number in (0, 1, 2):
                    os.dup2(slave, number)
                os.closerange(3, 256)
                if cwd is not None:
                    os.chdir(cwd)
                os.execvpe(command[0], list(command), whole_env)
            finally:
                os._exit(127)
        os.close(slave)
        self.status: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read(self, quiet: float = 0.25, most: float = 10.0) -> bytes:
        """What comes until nothing has come for `quiet` seconds, or the program ended, or `most` have passed."""
        got = bytearray()
        end = time.monotonic() + most
        while (now := time.monotonic()) < end:
            ready, _, _ = select.select([self._master], [], [], min(quiet, end - now))
            if not ready:
                break
            if not (data := self._take()):
                break
            got += data
        self.output += got
        return bytes(got)

    def _take(self) -> bytes:
        """What is there to read, its questions answered; nothing when the other side is closed."""
        try:
            data = os.read(self._master, 1 << 16)
        except OSError:  # Linux
            return b""
        if answers := terminal_answers(data):
            with contextlib.suppress(OSError):
                os.write(self._master, answers)
        return data

    def wait_for(self, words: str, most: float = 30.0) -> bytes:
        """Read until `words` have been sent and the program is silent.

        Raises:
            TimeoutError: they did not come; its text shows the end of what did.
        """
        got = bytearray()
        end = time.monotonic() + most
        while words.encode() not in got:
            if time.monotonic() > end:
                raise TimeoutError(f"{words!r} did not appear. The last output: {bytes(got[-2000:])!r}")
            got += self.read(quiet=0.1, most=1.0)
            if self.ended():
                raise TimeoutError(f"the program ended before {words!r}. Its output: {bytes(got[-2000:])!r}")
        return bytes(got + self.read())

    def wait_shown(self, words: str, most: float = 30.0) -> str:
        """Read until `words` stand on the screen, whenever they came there; the screen's text.

        Raises:
            TimeoutError: they did not come; its text shows the screen.
        """
        end = time.monotonic() + most
        while words not in (shown := self.text()):
            if time.monotonic() > end or self.ended():
                raise TimeoutError(f"{words!r} is not on the screen:\n{shown}")
            self.read(quiet=0.1, most=0.5)
        return shown

    def send(self, data: bytes) -> None:
        os.write(self._master, data)

    def press(self, key: str, quiet: float = 0.25) -> bytes:
        """Send one key; what the program sent in answer."""
        self.send(key_bytes(key))
        return self.read(quiet)

    def resize(self, columns: int, rows: int) -> bytes:
        self.columns, self.rows, self._pyte, self._fed = columns, rows, None, len(self.output)
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        os.kill(self.pid, signal.SIGWINCH)
        return self.read()

    def ended(self) -> bool:
        """Whether the program has ended; `status` is then its exit code, negative for a signal."""
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
        return self.status is not None

    def wait_end(self, most: float = 15.0, *, reads: bool = True) -> int | None:
        """Until the program ends, reading meanwhile or not; its status, None when it still runs. Linux only."""
        if self.ended():
            return self.status
        ending = os.pidfd_open(self.pid)
        watched = [ending, self._master] if reads else [ending]
        end = time.monotonic() + most
        try:
            while (left := end - time.monotonic()) > 0:
                ready, _, _ = select.select(watched, [], [], left)
                if self._master in ready:
                    # What is left to read is read before the end is believed.
                    if data := self._take():
                        self.output += data
                        continue
                    watched.remove(self._master)
                if ending in ready:
                    self.ended()
                    break
        finally:
            os.close(ending)
        return self.status

    def text(self) -> str:
        """The screen as text, one line a row."""
        import pyte

        if self._pyte is None:
            screen = pyte.Screen(self.columns, self.rows)
            self._pyte = screen, pyte.ByteStream(screen)
        screen, stream = self._pyte
        data = bytes(self.output[self._fed :])
        if tail := _UNFINISHED.search(data):
            data = data[: tail.start()]
        self._fed += len(data)
        stream.feed(_UNKNOWN.sub(b"", data))
        return "\n".join(screen.display)

    def close(self) -> None:
        """Kill the program if it still runs, and close the terminal."""
        if not self.ended():
            os.kill(self.pid, signal.SIGKILL)
            _, status = os.waitpid(self.pid, 0)
            self.status = os.waitstatus_to_exitcode(status)
        os.close(self._master)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="120x40", help="columns x rows")
    parser.add_argument("--ready", default="", help="words that show that the program has started")
    parser.add_argument("--press", action="append", default=[], help="KEY:COUNT, in order")
    parser.add_argument("--idle", type=float, default=0.0, help="seconds to listen without a key, at the end")
    parser.add_argument("--show", action="store_true", help="print the screen at the end")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    columns, rows = (int(part) for part in options.size.split("x"))
    with PtyRun(options.command, columns=columns, rows=rows) as run:
        start = run.wait_for(options.ready) if options.ready else run.read(quiet=1.0)
        print(f"start        {len(start):>7} bytes")
        for phase in options.press:
            key, _, count = phase.partition(":")
            sizes = [len(run.press(key)) for _ in range(int(count or 1))]
            print(
                f"{key:<12} {statistics.median(sizes):>7.0f} bytes a key (median of {len(sizes)}, "
                f"least {min(sizes)}, most {max(sizes)})"
            )
        if options.idle:
            came = len(run.read(quiet=options.idle, most=options.idle))
            print(f"idle         {came / options.idle:>7.0f} bytes a second")
        if options.show:
            print(run.text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
