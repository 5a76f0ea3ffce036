"""What MiDM's profiles may hold: the options and flags with their places, and the check of a document. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from mdm_tui.fleet.errors import Problem
from mdm_tui.fleet.rollouts import Option
from mdm_tui.fleet.text import clean
from mdm_tui.fleet.values import whole, words

from .values import at_place, flag

__all__ = ["FLAGS", "KINDS", "OPTIONS", "PLACES", "SPELLINGS", "problems"]

ORDERS = ("none", "apps", "otas", "settings")
# The name that is written → how else the page or older consoles write it.
SPELLINGS: dict[str, tuple[str, ...]] = {
    "silent_install": ("silentInstall",),
    "starts_on_update": ("startsOnUpdate",),
    "grant_all": ("grantAll",),
    "reboots_on_update": ("rebootsOnUpdate",),
    "need_ac": ("needAc",),
    "partialFirst": ("partial_first",),
    "checkBuildDate": ("check_build_date",),
    "start_on": ("startOn",),
}
# (neutral name, name on the wire, title) of what can be said for each app.
FLAGS: tuple[tuple[str, str, str], ...] = (
    ("silent", "silent_install", "Install without asking"),
    ("start", "starts_on_update", "Start after the update"),
    ("grant", "grant_all", "Grant all permissions"),
    ("reboot", "reboots_on_update", "Restart the device after the update"),
)
_UNSTATED = "the service does not state its values: what stands there is kept, any text may be typed"
_MEANING = "meaning concluded from its name"
_TABLE: tuple[tuple[Option, tuple[str, ...]], ...] = (
    (Option("apply_order", "Applied first", "Order", "choice", ORDERS, "what a device applies first"),
     ("profile", "applyOrder")),
    (Option("remove_if_no_scope", "Remove when nobody is left", "Order", "bool",
            help="the service removes the rollout once nothing is in its scope"), ("profile", "removeIfNoScope")),
    (Option("unscope_if_applied", "Leave when applied", "Order", "bool",
            help="a device leaves the scope once it has applied the rollout"), ("profile", "unscopeIfApplied")),
    (Option("start_on", "Start on", "Schedule", "date", help="a day, YYYY-MM-DD"), ("schedule_date", "start_on")),
    (Option("starts_on", "Starts on", "Schedule", "text", help="beside Start on; its form is not stated"),
     ("profile", "startsOn")),
    (Option("time_option", "Time of day", "Schedule", "text", help=_UNSTATED), ("profile", "timeOption")),
    (Option("repeat_option", "Repeats", "Schedule", "text", help=_UNSTATED), ("profile", "repeatOption")),
    (Option("repeat_every", "Every", "Schedule", "int", help="how many periods between repetitions"),
     ("profile", "repeatEvery")),
    (Option("repeat_period", "Period", "Schedule", "text", help=_UNSTATED), ("profile", "repeatPeriod")),
    (Option("ends_option", "Ends", "Schedule", "text", help=_UNSTATED), ("profile", "endsOption")),
    (Option("ends", "Ends on", "Schedule", "text", help="its form is not stated"), ("profile", "ends")),
    (Option("while_sleeping", "While asleep", "Conditions", "bool", help=_MEANING),
     ("profile", "applyWhile", "sleeping")),
    (Option("while_offline", "While offline", "Conditions", "bool", help=_MEANING),
     ("profile", "applyWhile", "offline")),
    (Option("wake_to_apply", "Wake to apply", "Conditions", "bool", help=_MEANING), ("profile", "wakeToApply")),
    (Option("update_via", "Update via", "Conditions", "text", help=_UNSTATED), ("profile", "updateVia")),
    (Option("silent_images", "Install without asking", "System images", "bool", help=_MEANING),
     ("settings", "otas", "silent_install")),
    (Option("partial_first", "Partial images first", "System images", "bool", help=_MEANING),
     ("settings", "otas", "partialFirst")),
    (Option("need_ac", "Only on mains power", "System images", "bool", help=_MEANING), ("settings", "otas", "need_ac")),
    (Option("check_build_date", "Refuse older images", "System images", "bool", help=_MEANING),
     ("settings", "otas", "checkBuildDate")),
)  # fmt: skip
OPTIONS: tuple[Option, ...] = tuple(option for option, _ in _TABLE)
PLACES: dict[str, tuple[str, ...]] = {option.key: place for option, place in _TABLE}
KINDS: dict[str, str] = {option.key: option.kind for option in OPTIONS}

_KNOWN: dict[tuple[str, ...], frozenset[str]] = {
    (): frozenset(
        ("uuid", "siteUuid", "writerUuid", "isGlobal", "profile", "scope", "writer", "apps", "otas", "schedule_date",
         "settings", "created", "updated", "enabled", "enable")
    ),
    ("scope",): frozenset(("group", "device")),
    ("apps",): frozenset(("install",)),
    ("profile",): frozenset(("name", "applyWhile")),
}  # fmt: skip
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def problems(document: Any) -> list[Problem]:
    """What breaks the contract, by path; what the contract does not name is a warning."""
    if not isinstance(document, Mapping):
        return [Problem((), "is not an object", "an object")]
    found: list[Problem] = []
    found += [
        Problem((name,), "is not an object", "an object")
        for name in ("profile", "scope", "apps", "settings", "schedule_date")
        if document.get(name) is not None and not isinstance(document[name], Mapping)
    ]
    _name(document, found)
    for place in (("isGlobal",), ("enabled",)):
        _switch(document, place, found)
    for key, place in PLACES.items():
        _option(document, key, place, found)
    for place in (("scope", "group"), ("scope", "device"), ("otas",)):
        _ids(document, place, found)
    _apps(document, found)
    _unknown(document, found)
    return found


def _name(document: Mapping[str, Any], found: list[Problem]) -> None:
    name = at_place(document, ("profile", "name"))
    if not isinstance(name, str) or not name.strip():
        # Left to itself the service takes the time by a 12-hour clock: two of a day can be the same.
        found.append(Problem(("profile", "name"), "is missing", "a name"))
    elif clean(name) != name:
        found.append(Problem(("profile", "name"), "holds characters that cannot be seen", "plain text", warning=True))


def _switch(document: Any, place: tuple[str, ...], found: list[Problem]) -> None:
    value = at_place(document, place)
    if value is not None and flag(value) is None:
        found.append(Problem(place, "is neither on nor off", "true or false"))


def _option(document: Any, key: str, place: tuple[str, ...], found: list[Problem]) -> None:
    value = at_place(document, place)
    if value is None:
        return
    kind = KINDS[key]
    if kind == "bool":
        _switch(document, place, found)
    elif kind == "int":
        if whole(value) is None:
            found.append(Problem(place, "is not a whole number", "a whole number"))
    elif not isinstance(value, str):
        found.append(Problem(place, "is not text", "text"))
    elif kind == "date" and value and not _DAY.match(value):
        found.append(Problem(place, "does not look like a day", "YYYY-MM-DD", warning=True))
    elif key == "apply_order" and value and value not in ORDERS:
        found.append(Problem(place, f"is {clean(value, 40)!r}", ", ".join(ORDERS)))


def _ids(document: Any, place: tuple[str, ...], found: list[Problem]) -> None:
    rows = at_place(document, place)
    if rows is None:
        return
    if not isinstance(rows, list):
        found.append(Problem(place, "is not a list", "a list of texts"))
        return
    seen: set[str] = set()
    for index, row in enumerate(rows):
        if not isinstance(row, str) or not row.strip():
            found.append(Problem((*place, index), "is not a text with something in it", "text"))
        elif row in seen:
            found.append(Problem((*place, index), "stands here twice", warning=True))
        else:
            seen.add(row)


def _apps(document: Any, found: list[Problem]) -> None:
    rows = at_place(document, ("apps", "install"))
    if rows is None or isinstance(rows, Mapping):
        rows = [rows] if rows else []
    elif not isinstance(rows, list):
        found.append(Problem(("apps", "install"), "is not a list", "a list of apps"))
        return
    names = {each for _, name, _ in FLAGS for each in (name, *SPELLINGS[name])}
    for index, row in enumerate(rows):
        where = ("apps", "install", index)
        if not isinstance(row, Mapping) or not (words(row.get("uuid")) or words(row.get("fileUuid"))):
            found.append(Problem(where, "names no app", "an object with uuid"))
            continue
        for name in row:
            if name in names and flag(row[name]) is None and row[name] is not None:
                found.append(Problem((*where, name), "is neither on nor off", "true or false"))
            elif name not in names and name not in ("uuid", "fileUuid"):
                found.append(Problem((*where, clean(name, 64)), "is not in the contract; it is kept", warning=True))


def _unknown(document: Mapping[str, Any], found: list[Problem]) -> None:
    known = {place: set(names) for place, names in _KNOWN.items()}
    for place in PLACES.values():
        known.setdefault(place[:-1], set()).update((place[-1], *SPELLINGS.get(place[-1], ())))
    for place, names in known.items():
        # Settings are free beside those for images.
        node = at_place(document, place)
        if isinstance(node, Mapping):
            found += [
                Problem((*place, clean(name, 64)), "is not in the contract; it is kept", warning=True)
                for name in node
                if name not in names
            ]
