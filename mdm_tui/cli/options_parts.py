"""The parts of the grammar that several commands share."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any, NoReturn

from . import codes

__all__ = ["FORMATS", "SCENARIOS", "Parser", "connection", "fleet", "link", "number", "output"]

FORMATS = ("table", "json", "jsonl", "csv", "md")
SCENARIOS = ("calm", "flaky", "hostile")


class Parser(argparse.ArgumentParser):
    """One command's grammar; a mistake is one sentence and exit code 2."""

    def __init__(self, **settings: Any) -> None:
        # No shortened flags: what a script wrote must mean the same when a flag is added.
        super().__init__(allow_abbrev=False, **settings)

    def error(self, message: str) -> NoReturn:
        self.exit(codes.USAGE, f"{self.prog}: {message}. See {self.prog} --help.\n")


def number(kind: Callable[[str], Any], low: float, high: float) -> Callable[[str], Any]:
    """A reader of numbers from low to high."""

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


def connection(parser: argparse.ArgumentParser, *, top: bool) -> None:
    """The flags that choose a connection."""
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


def link(parser: argparse.ArgumentParser, *, top: bool) -> None:
    """The flag for slow links."""
    parser.add_argument(
        "--low-bandwidth",
        action="store_true",
        default=False if top else argparse.SUPPRESS,
        help="for slow links: ages tick every ten seconds (low_bandwidth in the configuration)",
    )


def fleet(parser: argparse.ArgumentParser) -> None:
    """The flags that make a simulated fleet."""
    group = parser.add_argument_group("fleet")
    group.add_argument(
        "--devices", type=number(int, 1, 1_000_000), default=500, metavar="N", help="how many devices (500)"
    )
    group.add_argument(
        "--seed", type=number(int, 0, 2**31), default=1, metavar="N", help="the same seed, the same fleet"
    )
    group.add_argument("--scenario", choices=SCENARIOS, default="calm", help="how the fleet behaves (calm)")
    group.add_argument(
        "--speed", type=number(float, 0.1, 1000), default=1.0, metavar="X", help="how fast the devices live (1)"
    )


def output(parser: argparse.ArgumentParser) -> None:
    """How a list is printed, and whether the service is asked."""
    parser.add_argument("--columns", metavar="A,B,…", default=None, help="fields to print; `--columns list` names them")
    parser.add_argument("--format", choices=FORMATS, default="table", help="(table)")
    parser.add_argument("--refresh", action="store_true", help="ask the service first")
