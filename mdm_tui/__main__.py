"""`python -m mdm_tui` and the console script."""

from __future__ import annotations

import gc
import sys


def main() -> int:
    """Run the command line; the exit code."""
    # Nothing made while starting is garbage. The console turns it on again after its first frame, every other
    # command before it begins.
    gc.disable()
    # The screen waits for threads that decode answers: 1 ms instead of 5 halves its longest wait.
    sys.setswitchinterval(0.001)
    from mdm_tui.cli.main import main as run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
