"""Who a process is, so that another one can tell whether it still lives."""

from __future__ import annotations

import os
import socket
from pathlib import Path

__all__ = ["alive", "current"]


def current() -> str:
    """This process: `host:pid:process_start_time:boot_id`."""
    pid = os.getpid()
    return f"{_host()}:{pid}:{_started(pid) or 0}:{_boot()}"


def alive(owner: str) -> bool:
    """Whether the process still lives. One on another machine cannot be asked and counts as living."""
    parts = owner.rsplit(":", 3)
    if len(parts) != 4 or not parts[1].isdigit():
        return False
    host, pid, started, boot = parts[0], int(parts[1]), parts[2], parts[3]
    if host != _host():
        return True
    if boot != _boot():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        # It exists and belongs to somebody else.
        pass
    now = _started(pid)
    return now is None or started in ("0", str(now))


def _host() -> str:
    return socket.gethostname().replace(":", "_")


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return "-"


def _started(pid: int) -> int | None:
    """Clock ticks since boot at which the process began; None where the system does not say."""
    try:
        # The name in the second field may hold blanks and parentheses.
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        return int(fields[19])
    except (OSError, ValueError, IndexError):
        return None
