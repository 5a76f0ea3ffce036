"""The command line's grammar. Standard library only: a usage error must not wait for anything to be imported."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from . import codes

__all__ = ["FORMATS", "SCENARIOS", "parse"]

FORMATS = ("table", "json", "jsonl", "csv", "md")
SCENARIOS = ("calm", "flaky", "hostile")

_ABOUT = "A terminal console for fleets of managed Android devices."
_AFTER = """\
Without a command the console opens on the default connection; where none is set up, on the demo fleet.
Exit codes: 0 done, 1 failed, 2 usage, 3 signed out or forbidden, 4 some targets failed, 5 outcomes unknown.
"""


class _Parser(argparse.ArgumentParser):
    def __init__(self, **settings: Any) -> None:
        # No shortened flags: what a script wrote must mean the same when a flag is added.
        super().__init__(allow_abbrev=False, **settings)

    def error(self, message: str) -> NoReturn:
        self.exit(codes.USAGE, f"{self.prog}: {message}. See {self.prog} --help.\n")


def _number(kind: Callable[[str], Any], low: float, high: float) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        try:
            value = kind(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text} is not from {low:,} to {high:,}")
        return value

    return read


_SECRETS = (
    ("--token-env", "token", "MDM_TUI_TOKEN"),
    ("--api-key-env", "API key", "MDM_TUI_API_KEY"),
    ("--password-env", "password", "MDM_TUI_PASSWORD"),
)


def _connection(parser: argparse.ArgumentParser, *, top: bool) -> None:
    # Below a command an absent flag must not undo the one given before the command.
    absent: Any = None if top else argparse.SUPPRESS
    group = parser.add_argument_group("connection")
    group.add_argument("-c", "--connection", metavar="NAME", default=absent, help="a connection of the configuration")
    group.add_argument("--url", default=absent, help="a connection made on the spot: the service's address")
    group.add_argument(
        "--organization",
        metavar="ID",
        default=absent,
        help="on the spot: the organisation's id or slug, or the site's uuid or id name",
    )
    for flag, words, general in _SECRETS:
        group.add_argument(
            flag, metavar="VAR", default=absent, help=f"the environment variable with the {words} (else {general})"
        )
    group.add_argument("--email", default=absent, help="who signs in, for services that want it")
    group.add_argument("--provider", metavar="KIND", default=absent, help="on the spot: applivery (default) or midm")
    group.add_argument(
        "--read-only",
        action="store_true",
        default=False if top else argparse.SUPPRESS,
        help="nothing but reading leaves this machine",
    )


def _link(parser: argparse.ArgumentParser, *, top: bool) -> None:
    parser.add_argument(
        "--low-bandwidth",
        action="store_true",
        default=False if top else argparse.SUPPRESS,
        help="for slow links: ages tick every ten seconds (low_bandwidth in the configuration)",
    )


def _fleet(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("fleet")
    group.add_argument(
        "--devices", type=_number(int, 1, 1_000_000), default=500, metavar="N", help="how many devices (500)"
    )
    group.add_argument(
        "--seed", type=_number(int, 0, 2**31), default=1, metavar="N", help="the same seed, the same fleet"
    )
    group.add_argument("--scenario", choices=SCENARIOS, default="calm", help="how the fleet behaves (calm)")
    group.add_argument(
        "--speed", type=_number(float, 0.1, 1000), default=1.0, metavar="X", help="how fast the devices live (1)"
    )


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """The arguments read; `command` is None when none was given. Raises `SystemExit` after --help and mistakes."""
    words: list[str] = []
    for word in argv:
        # `--sort -seen`: argparse would take the descending field for a flag.
        if words and words[-1] == "--sort" and word.startswith("-"):
            words[-1] = f"--sort={word}"
        else:
            words.append(word)
    return _parser().parse_args(words)


def _parser() -> argparse.ArgumentParser:
    root = _Parser(
        prog="mdm-tui", description=_ABOUT, epilog=_AFTER, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    root.add_argument("--version", action="store_true", help="the versions of mdm-tui and of what it stands on")
    _connection(root, top=True)
    _link(root, top=True)
    commands = root.add_subparsers(dest="command", title="commands", metavar="COMMAND", parser_class=_Parser)

    demo = commands.add_parser("demo", help="the console on a fleet of simulated devices", description=_DEMO)
    _fleet(demo)
    _link(demo, top=False)

    serve = commands.add_parser("serve", help="the embedded fleet server alone", description=_SERVE)
    _fleet(serve)
    serve.add_argument("--port", type=_number(int, 0, 65535), default=0, help="the port on 127.0.0.1 (a free one)")
    serve.add_argument("--data-dir", metavar="DIR", default=None, help="where the fleet is kept (a folder of its own)")
    serve.add_argument(
        "--documented-only", action="store_true", help="leave out the endpoints that no public page documents"
    )

    devices = commands.add_parser("devices", help="print the list of devices", description=_DEVICES)
    _connection(devices, top=False)
    devices.add_argument("words", nargs="*", metavar="WORD", help="only devices in which every word is found")
    devices.add_argument(
        "--columns", metavar="A,B,…", default=None, help="fields to print; `--columns list` names them"
    )
    devices.add_argument("--sort", metavar="-A,B,…", default="name", help="fields to sort by, - for descending (name)")
    devices.add_argument("--format", choices=FORMATS, default="table", help="(table)")
    devices.add_argument("--refresh", action="store_true", help="ask the service first")

    device = commands.add_parser("device", help="print one device's whole report", description=_DEVICE)
    _connection(device, top=False)
    device.add_argument("device", metavar="ID-or-SERIAL", help="its id, its serial, or an unambiguous beginning")
    device.add_argument("--format", choices=("table", "json", "md"), default="table", help="(table)")
    device.add_argument("--refresh", action="store_true", help="ask the service first")
    return root


_DEMO = "Starts the embedded fleet server and opens the console on it. The same seed gives the same fleet; it is kept."
_SERVE = (
    "Runs the embedded fleet server; its first line on stdout is a JSON object with address, organisation and token."
)
_DEVICES = """\
Prints the fleet as last seen, its age on stderr; asks the service first with --refresh or when nothing was seen yet.
"""
_DEVICE = "Prints one device as last seen, its age on stderr; asks the service when its full report was never read."
