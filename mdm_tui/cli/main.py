"""Where a command line ends up: parse, dispatch, and turn every expected failure into one sentence and a code."""

from __future__ import annotations

import gc
import os
import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence

from mdm_tui.config.errors import ConfigError
from mdm_tui.fleet.errors import FleetError, Kind

from . import codes
from .options import parse

__all__ = ["code_of", "main", "sentence_of"]


def main(argv: Sequence[str]) -> int:
    """Run one command line (without the program's name); the exit code."""
    # Everything this program writes is for its owner alone, whoever set the umask.
    os.umask(0o077)
    try:
        arguments = parse(argv)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else codes.USAGE
    try:
        if sys.stdout is None:
            raise codes.CliError("Nothing was done: standard output is closed.")
        code = _version() if arguments.version else _run(arguments, os.environ)
        # Here and not at the interpreter's end: what cannot be written is a failure with a sentence.
        sys.stdout.flush()
        return code
    except codes.CliError as error:
        _say(str(error))
        return error.code
    except ConfigError as error:
        _say(error.sentence())
        return codes.USAGE
    except FleetError as error:
        _say(sentence_of(error))
        return code_of(error)
    except KeyboardInterrupt:
        _say("stopped")
        return codes.INTERRUPTED
    except BrokenPipeError:
        _mute()
        if not _sends(arguments):
            # The reader has seen enough (`| head`).
            return codes.DONE
        _say("The output was closed before the end: what was sent is in the journal, the rest is not sent.")
        return codes.UNKNOWN
    except OSError as error:
        _mute()
        _say(f"It could not go on: {error.strerror or error}.")
        return codes.FAILED
    except Exception as error:
        import logging

        # A slip of this program costs a sentence. Without a handler the library itself would print all of it.
        kept = bool(logging.getLogger().handlers)
        if kept:
            logging.getLogger(__name__).exception("the command failed")
        _say(f"A fault of this program ({type(error).__name__}){'; where it was is in the log' if kept else ''}.")
        return codes.FAILED


def _version() -> int:
    from . import version

    print(version.text())
    return codes.DONE


def _sends(arguments: Namespace) -> bool:
    """Whether the command was confirmed, so that it may have sent something."""
    return any(getattr(arguments, name, None) is not None for name in ("confirm", "confirm_reset"))


def _mute() -> None:
    """Close stdout, so that the interpreter does not complain at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


# What to do where the console's own advice names keys and repeats that only the console has.
_ADVICE = {
    Kind.UNREACHABLE: "Check the address and the network.",
    Kind.TIMEOUT: "The service did not answer in time; try again later.",
    Kind.SIGNED_OUT: "Give valid credentials for this connection.",
    Kind.RATE_LIMITED: "Try again when the service allows it.",
    Kind.SERVER: "The fault is the service's; try again later.",
}


def sentence_of(error: FleetError) -> str:
    """What happened and what to do at a command line."""
    advice = "" if error.todo else _ADVICE.get(error.kind)
    said = error.sentence()
    return f"{said.removesuffix(error.advice)}{advice}" if advice else said


def code_of(error: FleetError) -> int:
    """The exit code that tells a script what kind of failure it was."""
    if error.kind in (Kind.SIGNED_OUT, Kind.FORBIDDEN):
        return codes.SIGNED_OUT
    return codes.USAGE if error.kind is Kind.CONFIG else codes.FAILED


def _run(arguments: Namespace, env: Mapping[str, str]) -> int:
    # Each command imports what it needs, and nothing before it is wanted.
    from importlib import import_module

    if arguments.command not in (None, "demo"):
        gc.enable()
    return import_module(f".{_room(arguments)}", __package__).run(arguments, env)


def _room(arguments: Namespace) -> str:
    """The module of a command."""
    if arguments.command == "devices":
        return "register" if arguments.csv is not None else "both" if arguments.both else "devices"
    if arguments.command in ("apps", "images"):
        return "catalogue"
    if arguments.command == "rollouts":
        return "rollouts" if arguments.rollout is None or arguments.columns == "list" else "rollout"
    return arguments.command or "console"


def _say(sentence: str) -> None:
    from mdm_tui.fleet.text import clean

    print(f"mdm-tui: {clean(sentence, 2_000)}", file=sys.stderr)
