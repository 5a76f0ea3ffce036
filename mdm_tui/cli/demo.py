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
from .child import EMAIL, Child, Ready
from .serve import fleet_flags

__all__ = ["DEFAULTS", "open_console", "run"]

DEFAULTS = Namespace(devices=500, seed=1, scenario="calm", speed=1.0)
NAME = "demo"
MIDM = "demo-midm"
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
            ready = _known(folder, child)
            if ready is None:
                ready = child.wait()
                _remember(folder, ready)
            connections = _connections(ready, settings.budget)
            secrets = {
                NAME: {"token": Secret(ready.token)},
                MIDM: {"api_key": Secret(child.api_key), "password": Secret(child.password)},
            }
            beside = [name for name in connections if name != NAME]
            from mdm_tui.tui.app import run as open_app

            what = f"{arguments.devices:,} simulated devices, scenario {arguments.scenario}, seed {arguments.seed}."
            notice = f"{notice} {what}".strip() if notice else f"Demo fleet: {what}"
            notice = f"{notice}{_beside(folder, name)}"
            return open_app(connections, NAME, settings, paths, env, secrets, notice, beside)
    finally:
        os.close(lock)


def _connections(ready: Ready, budget: int) -> dict[str, Connection]:
    """The demo's systems: the same world as two services see it."""
    found = {
        NAME: Connection(
            name=NAME, provider="applivery", url=ready.url, organization=ready.organization, budget=budget, demo=True
        )
    }
    if ready.site:
        found[MIDM] = Connection(
            name=MIDM, provider="midm", url=ready.midm_url, organization=ready.site, email=ready.email, budget=budget,
            demo=True,
        )  # fmt: skip
    return found


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


def _known(folder: Path, child: Child) -> Ready | None:
    """The fleet's own ids from last time, so that its last known rows can be shown while the server starts."""
    try:
        found = json.loads((folder / "fleet.json").read_text())
        organization, site = found["organization"], found["site"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if not (isinstance(organization, str) and organization and isinstance(site, str) and site):
        return None
    return Ready(child.url, organization, child.token, child.root, site, EMAIL)


def _remember(folder: Path, ready: Ready) -> None:
    # No secret is in it: they live as long as the server.
    known = {"organization": ready.organization, "site": ready.site}
    (folder / "fleet.json").write_text(json.dumps(known) + "\n")
