"""The demo's server as a child process that cannot outlive us: it ends when our end of its stdin closes."""

from __future__ import annotations

import json
import os
import secrets
import select
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from . import codes

__all__ = ["EMAIL", "Child", "Ready"]

# Seconds for a fleet's first creation: the start itself, and so much for each device.
_START, _EACH = 60.0, 0.01
# Seconds that a server may take to end; who quits does not wait for one that hangs.
_ENDING = 1.0
_LONGEST_LINE = 65_536
EMAIL = "demo@example.com"
"""Who signs in at the demo's second system."""


@dataclass(frozen=True, slots=True)
class Ready:
    """What the server said when it was ready. site: the organisation of its second system, "" when it has none."""

    url: str
    organization: str
    token: str = field(repr=False)
    midm_url: str = ""
    site: str = ""
    email: str = EMAIL


class Child:
    """The server, started on entering and ended on leaving.

    The socket it answers on is opened here and handed over: its address is known at once, and a call that comes
    before the server is ready waits instead of failing. The secrets are made here too and given through the
    environment: they are in no file and in no list of processes.
    """

    def __init__(self, flags: Sequence[str], log: Path, devices: int = 500) -> None:
        self._flags = list(flags)
        self._log = log
        self._patience = _START + devices * _EACH
        self._process: subprocess.Popen[bytes] | None = None
        self.token = secrets.token_urlsafe(32)
        self.api_key = secrets.token_urlsafe(24)
        self.password = secrets.token_urlsafe(24)
        self.url = ""
        self.root = ""

    def __enter__(self) -> Child:
        listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.root = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self.url = f"{self.root}/v1"
        # The child finds the package where we did, and never one in the folder it happens to start in.
        home = str(Path(__file__).resolve().parents[2])
        path = os.pathsep.join(part for part in (home, os.environ.get("PYTHONPATH", "")) if part)
        log = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-P", "-m", "mdm_tui.server", *self._flags),
                    *(f"--fd={listener.fileno()}", "--parent-pipe"),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                pass_fds=(listener.fileno(),),
                env={
                    **os.environ,
                    "PYTHONPATH": path,
                    "MDM_TUI_SERVER_TOKEN": self.token,
                    "MDM_TUI_SERVER_API_KEY": self.api_key,
                    "MDM_TUI_SERVER_PASSWORD": self.password,
                },
                # A ctrl+c at the terminal is for the console; the server ends after it, with our pipe.
                start_new_session=True,
            )
        finally:
            os.close(log)
            # Ours is closed, so that calls fail at once should the server end.
            listener.close()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        process = self._process
        if process is None:
            return
        ended = process.poll()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            process.wait(_ENDING)
        except subprocess.TimeoutExpired:
            # Its fleet is a database: what was committed is safe, and the next demo may open it at once.
            process.kill()
            process.wait()
        if ended and kind is None:
            print(f"mdm-tui: the demo's server ended by itself ({ended}). {self._words()}", file=sys.stderr)

    def wait(self) -> Ready:
        """Wait for the ready line, saying so on stderr. Raises `CliError` with the log's place."""
        process = self._process
        assert process is not None and process.stdout is not None, "wait() belongs inside the with block"
        print("Making the demo fleet (only this once) …", file=sys.stderr)
        until = time.monotonic() + self._patience
        data = b""
        while b"\n" not in data and len(data) < _LONGEST_LINE:
            left = until - time.monotonic()
            if left <= 0 or not select.select([process.stdout], [], [], left)[0]:
                raise codes.CliError(f"The demo's server was not ready after {self._patience:.0f} s. {self._words()}")
            got = os.read(process.stdout.fileno(), 4096)
            if not got:
                raise codes.CliError(f"The demo's server ended with code {process.wait()}. {self._words()}")
            data += got
        return self._read(data.split(b"\n", 1)[0])

    def _read(self, line: bytes) -> Ready:
        try:
            found: Any = json.loads(line)
            side = found["applivery"]
            other = found.get("midm") or {}
            return Ready(
                str(side["base_url"]),
                str(side["organization"]),
                str(side["token"]),
                str(other.get("base_url", "")),
                str(other.get("organization", "")),
                str(other.get("email", EMAIL)),
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            raise codes.CliError(f"The demo's server did not say that it is ready. {self._words()}") from None

    def _words(self) -> str:
        """Where its log is, and the last line of it."""
        try:
            lines = self._log.read_text(errors="replace").strip().splitlines()
        except OSError:
            lines = []
        last = f": {lines[-1][:300]}" if lines else ", which is empty"
        return f"Its log is {self._log}{last}"
