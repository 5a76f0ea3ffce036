"""The command line's grammar. Standard library only: a usage error must not wait for anything to be imported."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from . import options_parts as parts
from .options_parts import FORMATS, SCENARIOS, Parser

__all__ = ["FORMATS", "SCENARIOS", "parse"]

_ABOUT = "A terminal console for fleets of managed Android devices."
_AFTER = """\
Without a command the console opens on the default connection; where none is set up, on the demo fleet.
Exit codes: 0 done, 1 failed or (device --has) not there, 2 usage, 3 signed out or forbidden, 4 some targets failed,
5 outcomes unknown.
"""


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """The arguments read; `command` is None when none was given. Raises `SystemExit` after --help and mistakes."""
    words: list[str] = []
    for word in argv:
        # `--sort -seen`: argparse would take the descending field for a flag.
        if words and words[-1] == "--sort" and word.startswith("-"):
            words[-1] = f"--sort={word}"
        else:
            words.append(word)
    root, commands = _parser()
    found = root.parse_args(words)
    wrong = _CHECKS[found.command](found) if found.command in _CHECKS else ""
    if wrong:
        commands[found.command].error(wrong)
    return found


def _parser() -> tuple[Parser, dict[str, Parser]]:
    root = Parser(
        prog="mdm-tui", description=_ABOUT, epilog=_AFTER, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    root.add_argument("--version", action="store_true", help="the versions of mdm-tui and of what it stands on")
    parts.connection(root, top=True)
    parts.link(root, top=True)
    commands = root.add_subparsers(dest="command", title="commands", metavar="COMMAND", parser_class=Parser)

    demo = commands.add_parser("demo", help="the console on a fleet of simulated devices", description=_DEMO)
    parts.fleet(demo)
    parts.link(demo, top=False)

    serve = commands.add_parser("serve", help="the embedded fleet server alone", description=_SERVE)
    parts.fleet(serve)
    serve.add_argument("--port", type=parts.number(int, 0, 65535), default=0, help="the port on 127.0.0.1 (a free one)")
    serve.add_argument("--data-dir", metavar="DIR", default=None, help="where the fleet is kept (a folder of its own)")
    serve.add_argument(
        "--documented-only", action="store_true", help="leave out the endpoints that no public page documents"
    )

    devices = commands.add_parser(
        "devices",
        help="print the list of devices; register devices",
        usage="%(prog)s [WORD ...] [flags]\n       %(prog)s --both [WORD ...] [flags]\n"
        "       %(prog)s register --csv FILE [flags]",
        description=_DEVICES,
    )
    devices.add_argument("words", nargs="*", metavar="WORD", help="only devices in which every word is found")
    parts.output(devices)
    devices.add_argument("--sort", metavar="-A,B,…", default=None, help="fields to sort by, - for descending (name)")
    _both(devices)
    _register(devices)
    parts.connection(devices, top=False)

    device = commands.add_parser("device", help="print one device's whole report", description=_DEVICE)
    parts.connection(device, top=False)
    device.add_argument("device", metavar="ID-or-SERIAL", help="its id, its serial, or an unambiguous beginning")
    device.add_argument("--format", choices=("table", "json", "md"), default="table", help="(table)")
    device.add_argument("--refresh", action="store_true", help="ask the service first, also for its apps")
    device.add_argument(
        "--has",
        metavar="PACKAGE",
        default=None,
        help="only ask whether one app is installed; ends with 0 when it is, 1 when it is not",
    )

    groups = commands.add_parser("groups", help="print the tree of groups, or a group's devices", description=_GROUPS)
    groups.add_argument("words", nargs="*", metavar="WORD", help="only groups in whose path every word is found")
    groups.add_argument("--devices", metavar="GROUP", default=None, help="the devices of one: its id, path or name")
    parts.output(groups)
    parts.connection(groups, top=False)

    for name, what, fields in (
        ("apps", "apps that rollouts can install", "name, package, version"),
        ("images", "system images", "name, product, build, part"),
    ):
        items = commands.add_parser(name, help=f"print the {what}", description=_ITEMS)
        items.add_argument("words", nargs="*", metavar="WORD", help="only those in which every word is found")
        items.add_argument(
            "--find", action="append", metavar="FIELD=VALUE", help=f"let the service find them ({fields}), page by page"
        )
        items.add_argument("--page", type=parts.number(int, 1, 1_000_000), default=None, metavar="N", help="of --find")
        items.add_argument(
            "--limit", type=parts.number(int, 1, 1_000), default=None, metavar="N", help="how many on a page of --find"
        )
        parts.output(items)
        parts.connection(items, top=False)

    rollouts = commands.add_parser("rollouts", help="print the rollouts, or one of them", description=_ROLLOUTS)
    rollouts.add_argument("rollout", nargs="?", metavar="NAME-or-ID", help="one of them: whom it reaches, its progress")
    parts.output(rollouts)
    parts.connection(rollouts, top=False)

    connection = commands.add_parser("connection", help="list the connections, or test one", description=_CONNECTION)
    connection.add_argument("action", choices=("list", "test"), help="what to do")
    connection.add_argument("name", nargs="?", metavar="NAME", help="which one to test (the default one)")
    connection.add_argument("--format", choices=FORMATS, default="table", help="(table)")
    parts.connection(connection, top=False)
    return root, dict(commands.choices)


def _both(devices: argparse.ArgumentParser) -> None:
    group = devices.add_argument_group("several connections as one list")
    group.add_argument("--both", action="store_true", help="devices joined by serial number, one row for each")
    group.add_argument(
        "--connections", metavar="A,B,…", default=None, help="which (the default one and those of `open`, else all)"
    )
    group.add_argument("--differs", action="store_true", help="only devices on which they disagree")


def _register(devices: argparse.ArgumentParser) -> None:
    group = devices.add_argument_group("registering: devices register --csv FILE", _REGISTER)
    group.add_argument("--csv", metavar="FILE", default=None, help="a CSV or a list of serial numbers; - for stdin")
    group.add_argument("--group", metavar="GROUP", default=None, help="of rows that name none: its id, path or name")
    group.add_argument("--license", metavar="NAME|ID", default=None, help="a license model (a trial license)")
    group.add_argument("--auto-renew", choices=("yes", "no"), default=None, help="the license (the service decides)")
    group.add_argument("--dry-run", action="store_true", help="check and print, send nothing")
    count = parts.number(int, 0, 1_000_000)
    group.add_argument(
        "--confirm", type=count, metavar="N", default=None, help="send, when this is how many devices are new"
    )
    group.add_argument(
        "--reset", nargs="+", metavar="SERIAL", default=None, help="save these again, which resets their status"
    )
    group.add_argument(
        "--confirm-reset", type=count, metavar="N", default=None, help="how many --reset names; needed beside it"
    )
    group.add_argument("--arm", metavar="NAME", default=None, help="on a production connection: its name, to unlock it")


def _devices_wrong(found: argparse.Namespace) -> str:
    """What does not go together, "" when all does."""
    if found.csv is not None:
        if found.words != ["register"]:
            return "--csv goes with the word register alone: devices register --csv FILE"
        listing = {
            "--columns": found.columns, "--sort": found.sort, "--both": found.both, "--refresh": found.refresh,
            "--connections": found.connections, "--differs": found.differs,
        }  # fmt: skip
        if given := [flag for flag, value in listing.items() if value not in (None, False)]:
            return f"{given[0]} does not go with register"
        if found.confirm_reset is not None and not found.reset:
            return "--confirm-reset goes with --reset SERIAL"
        if found.dry_run and (found.confirm is not None or found.confirm_reset is not None):
            return "--dry-run sends nothing, so there is nothing to confirm"
        return ""
    registering = {
        "--group": found.group, "--license": found.license, "--auto-renew": found.auto_renew,
        "--dry-run": found.dry_run or None, "--confirm": found.confirm, "--reset": found.reset,
        "--confirm-reset": found.confirm_reset, "--arm": found.arm,
    }  # fmt: skip
    if given := [flag for flag, value in registering.items() if value is not None]:
        return f"{given[0]} goes with devices register --csv FILE"
    if not found.both and (found.connections is not None or found.differs):
        return f"{'--differs' if found.differs else '--connections'} goes with --both"
    if found.both and (found.connection or found.url or found.organization):
        return "--both takes its connections from --connections or the configuration"
    return ""


def _items_wrong(found: argparse.Namespace) -> str:
    if not found.find:
        given = [flag for flag in ("page", "limit") if getattr(found, flag) is not None]
        return f"--{given[0]} goes with --find FIELD=VALUE" if given else ""
    if found.words:
        return "give words or --find: words look at all that was seen, --find asks the service for a page"
    bad = [text for text in found.find if "=" not in text.strip("=")]
    return f"--find: {bad[0]!r} is not FIELD=VALUE" if bad else ""


def _groups_wrong(found: argparse.Namespace) -> str:
    return "give words or --devices" if found.words and found.devices is not None else ""


def _rollouts_wrong(found: argparse.Namespace) -> str:
    if found.rollout is None:
        return ""
    if found.columns is not None and found.columns != "list":
        return "--columns goes with the list of rollouts"
    return "" if found.format in ("table", "json", "md") else "one rollout is printed as table, json or md"


def _connection_wrong(found: argparse.Namespace) -> str:
    if found.name is None:
        return ""
    if found.action == "list":
        return "list takes no name"
    return "NAME and the flags of a connection name two" if found.connection or found.url else ""


_CHECKS = {
    "connection": _connection_wrong,
    "devices": _devices_wrong,
    "groups": _groups_wrong,
    "apps": _items_wrong,
    "images": _items_wrong,
    "rollouts": _rollouts_wrong,
}

_DEMO = "Starts the embedded fleet server and opens the console on it. The same seed gives the same fleet; it is kept."
_SERVE = (
    "Runs the embedded fleet server; its first line on stdout is a JSON object with address, organisation and token."
)
_DEVICES = """\
Prints the fleet as last seen, its age on stderr; asks the service first with --refresh or when nothing was seen yet.
"""
_DEVICE = "Prints one device as last seen, its age on stderr; asks the service when its full report was never read."
_GROUPS = """\
Prints the groups as last seen, their age on stderr; asks the service first with --refresh or when none was seen yet.
"""
_ITEMS = """\
Prints them as last seen, their age on stderr; asks the service first with --refresh, with --find, or when none was
seen yet.
"""
_ROLLOUTS = """\
Prints the rollouts as last seen, their age on stderr. One of them: whom it reaches, its conflicts and its progress as
far as last seen; --refresh asks the service for all of it. --format json prints its document.
"""
_CONNECTION = """\
list: the connections of the configuration, and whether their secrets are found. test: asks the service for a little of
everything that a connection offers, and says what answers. Nothing is changed.
"""
_REGISTER = """\
Each serial number is looked up at the service first; the rows are printed, and nothing is sent without --confirm and
the right number. A device that exists is left alone unless --reset names it. Without --csv, `register` is a word to
look for.
"""
