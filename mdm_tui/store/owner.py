"""Which process claimed something, and whether it still lives."""

from __future__ import annotations

import functools
import os
import socket
import subprocess
from pathlib import Path

__all__ = ["alive", "current"]


def current() -> str:
    """This process as `host:pid:start:boot`: a process id alone is given out again."""
    pid = os.getpid()
    return f"{_host()}:{pid}:{_started(pid)}:{_boot()}"


def alive(owner: str) -> bool:
    """Whether the owner's process still runs. One on another host counts as alive: nothing here can tell."""
    try:
        host, pid_text, started, boot = owner.rsplit(":", 3)
        pid = int(pid_text)
    except ValueError:
        return False
    if host != _host():
        return True
    if boot != _boot() or pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return _started(pid) == started


def _host() -> str:
    return socket.gethostname() or "localhost"


@functools.cache
def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return _ask("sysctl", "-n", "kern.boottime")


def _started(pid: int) -> str:
    """When the process began, in whatever unit the system tells it; "" for one that ended or cannot be asked."""
    try:
        # The name in brackets may hold blanks and brackets itself: fields are counted from the last one.
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return "" if Path("/proc/self/stat").exists() else _ask("ps", "-o", "lstart=", "-p", str(pid))
    # A zombie has ended, though its number is not free yet.
    return "" if fields[0] in ("Z", "X") else fields[19]


def _ask(*command: str) -> str:
    try:
        found = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False).stdout
    except (OSError, subprocess.SubprocessError):
        return ""
    return "".join(char for char in found if char.isalnum())
