"""`mdm-tui demo`: the embedded fleet server as a child process, and the console on it."""

from __future__ import annotations

import json
import os
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path

from mdm_tui.config.connections import Connection
from mdm_tui.config.credentials import Secret
from mdm_tui.config.paths import Paths

from . import connect, log, terminal
from .child import Child, Ready
from .serve import fleet_flags

__all__ = ["DEFAULTS", "open_console", "run"]

DEFAULTS = Namespace(devices=500, seed=1, scenario="calm", speed=1.0)
NAME = "demo"
# As many demos side by side as anybody needs; each has a fleet of its own.
_SIDE_BY_SIDE = 9


def run(arguments: Namespace, env: Mapping[str, str]) -> int:
    """Start the server, open the console, end both; the exit code."""
    terminal.require(env)
    return open_console(arguments, env)


def open_console(arguments: Namespace, env: Mapping[str, str], notice: str = "") -> int:
    """The console on a demo fleet. It does not wait for the server when the fleet is known from last time."""
    settings, paths = connect.settings(env)
    settings = connect.link(arguments, settings)
    log.start(paths)
    name = f"{arguments.scenario}-{arguments.devices}-{arguments.seed}"
    folder, lock = _folder(paths, name)
    try:
        with Child(
            [*fleet_flags(arguments), f"--data-dir={folder}", f"--log-file={paths.server_log}"],
            paths.server_log,
            arguments.devices,
        ) as child:
            known = _known(folder)
            if known is None:
                ready = child.wait()
                _remember(folder, ready)
                organization, url, token = ready.organization, ready.url, ready.token
            else:
                organization, url, token = known, child.url, child.token
            connection = Connection(
                name=NAME, provider="applivery", url=url, organization=organization, budget=settings.budget, demo=True
            )
            from mdm_tui.tui.app import run as open_app

            what = f"{arguments.devices:,} simulated devices, scenario {arguments.scenario}, seed {arguments.seed}."
            notice = f"{notice} {what}".strip() if notice else f"Demo fleet: {what}"
            notice = f"{notice}{_beside(folder, name)}"
            return open_app({NAME: connection}, NAME, settings, paths, env, {NAME: {"token": Secret(token)}}, notice)
    finally:
        os.close(lock)


def _folder(paths: Paths, name: str) -> tuple[Path, int]:
    """The fleet's folder and the lock that keeps a second demo away from it: the next one gets its own fleet."""
    import fcntl

    paths.ensure(paths.demo)
    for number in range(1, _SIDE_BY_SIDE + 1):
        folder = paths.demo / (name if number == 1 else f"{name}-{number}")
        paths.ensure(folder)
        lock = os.open(folder / "demo.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            continue
        return folder, lock
    from . import codes

    raise codes.CliError(f"{_SIDE_BY_SIDE} demos of this fleet are running already; end one, or use another --seed.")


def _beside(folder: Path, name: str) -> str:
    """What to say when the fleet asked for is in use; "" when it is the one that was opened."""
    if folder.name == name:
        return ""
    return f" Another demo has fleet {name}; this is a fleet of its own, {folder.name}."


def _known(folder: Path) -> str | None:
    """The fleet's own id from last time, so that its last known rows can be shown while the server starts."""
    try:
        found = json.loads((folder / "fleet.json").read_text())["organization"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if isinstance(found, str) and found else None


def _remember(folder: Path, ready: Ready) -> None:
    # The token is not in it: it lives as long as the server.
    (folder / "fleet.json").write_text(json.dumps({"organization": ready.organization}) + "\n")
