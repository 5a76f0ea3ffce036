"""`python -m mdm_tui.server`: the server alone."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from .run import serve
from .world.world import SCENARIOS


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments and serve; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m mdm_tui.server", description="A simulated fleet over HTTP.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 (the default) takes a free one")
    parser.add_argument("--fd", type=int, help="a listening socket that was handed over; instead of a port")
    parser.add_argument("--devices", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scenario", choices=SCENARIOS, default="calm")
    parser.add_argument("--speed", type=float, default=1.0, help="shortens the devices' rhythms")
    parser.add_argument("--data-dir", type=Path, help="keeps the fleet and its secrets")
    parser.add_argument("--documented-only", action="store_true", help="leave out what the contract only infers")
    parser.add_argument("--parent-pipe", action="store_true", help="end when standard input closes")
    parser.add_argument("--log-file", type=Path)
    parser.add_argument("--hourly", type=int, help="requests an hour, with bursts of 100; 429 beyond")
    given = parser.parse_args(argv)
    return serve(
        host=given.host,
        port=given.port,
        fd=given.fd,
        # Through the environment: an argument could be read by everybody on this machine.
        token=os.environ.get("MDM_TUI_SERVER_TOKEN") or None,
        api_key=os.environ.get("MDM_TUI_SERVER_API_KEY") or None,
        password=os.environ.get("MDM_TUI_SERVER_PASSWORD") or None,
        devices=given.devices,
        seed=given.seed,
        scenario=given.scenario,
        speed=given.speed,
        data_dir=given.data_dir,
        documented_only=given.documented_only,
        parent_pipe_fd=0 if given.parent_pipe else None,
        log_file=given.log_file,
        hourly=given.hourly,
    )


if __name__ == "__main__":
    sys.exit(main())
