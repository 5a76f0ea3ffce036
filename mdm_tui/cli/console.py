"""`mdm-tui`: the console on a connection; on the demo fleet where none is set up."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping

from . import connect, log, terminal

__all__ = ["run"]


def run(arguments: Namespace, env: Mapping[str, str]) -> int:
    """Open the console; the exit code."""
    settings, paths = connect.settings(env)
    settings = connect.link(arguments, settings)
    connection = connect.choose(arguments, settings)
    terminal.require(env)
    if connection is None:
        from . import demo

        notice = (
            f"No connection is set up in {paths.config_file}: this is the demo fleet; the README tells how to add one."
        )
        return demo.open_console(Namespace(**vars(demo.DEFAULTS), low_bandwidth=settings.low_bandwidth), env, notice)
    log.start(paths)
    from mdm_tui.tui.app import run as open_app

    connections = {**settings.connections, connection.name: connection}
    return open_app(connections, connection.name, settings, paths, env, beside=settings.open)
