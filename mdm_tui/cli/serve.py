"""`mdm-tui serve`: the embedded fleet server in this process, its ready line on stdout."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping

from mdm_tui.config.paths import Paths

__all__ = ["fleet_flags", "run"]


def fleet_flags(arguments: Namespace) -> list[str]:
    """The server's flags that make the fleet."""
    return [
        f"--devices={arguments.devices}",
        f"--seed={arguments.seed}",
        f"--scenario={arguments.scenario}",
        f"--speed={arguments.speed:g}",
    ]


def run(arguments: Namespace, env: Mapping[str, str]) -> int:
    """Serve until a signal; the exit code."""
    from mdm_tui.server.__main__ import main

    folder = arguments.data_dir
    if folder is None:
        paths = Paths.default(env)
        folder = str(paths.ensure(paths.data / "serve" / f"{arguments.scenario}-{arguments.devices}-{arguments.seed}"))
    flags = [*fleet_flags(arguments), f"--port={arguments.port}", f"--data-dir={folder}"]
    if arguments.documented_only:
        flags.append("--documented-only")
    return main(flags)
