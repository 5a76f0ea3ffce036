"""MiDM's profiles as rollouts. Pure functions over documents: needs no network or model library.

Source: the contract's MidmProfile. Its page writes some names in two ways and some switches in quotes; all of them are
read, one spelling is written. Values that no page states (`repeatOption` and its neighbours) are kept as they come.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal

from mdm_tui.fleet.errors import Problem
from mdm_tui.fleet.rollouts import Option, Rollout, RolloutApp
from mdm_tui.fleet.text import clean
from mdm_tui.fleet.values import table, whole, words

from .rollout_check import FLAGS, KINDS, OPTIONS, PLACES, SPELLINGS, problems
from .values import at_place, flag, moment

__all__ = ["MidmRollouts"]

# What a form calls the places of a profile that are no options; as the service writes them, and neutral.
_TITLES = {
    "profile.name": "Name", "name": "Name", "enabled": "Enabled", "isGlobal": "Everyone", "everyone": "Everyone",
    "scope.group": "Groups", "groups": "Groups", "scope.device": "Devices", "devices": "Devices",
    "apps.install": "Apps", "apps": "Apps", "otas": "System images", "images": "System images",
}  # fmt: skip
# The service makes these itself; a new profile is sent without them.
COMPUTED = ("uuid", "siteUuid", "writerUuid", "writer", "created", "updated")


class MidmRollouts:
    """See `fleet.rollouts.RolloutFormat`. entries: how a scope names devices ("serial" unless configured)."""

    options: Sequence[Option] = OPTIONS
    flags: Sequence[tuple[str, str]] = tuple((key, title) for key, _, title in FLAGS)
    entries: Literal["serial", "id"]
    computed: Collection[str] = COMPUTED

    def __init__(self, entries: Literal["serial", "id"] = "serial") -> None:
        self.entries = entries

    def blank(self) -> dict[str, Any]:
        """The document of a new rollout, its name still empty. Nothing is in its scope."""
        return {
            "isGlobal": False,
            "profile": {"name": "", "applyOrder": "none", "removeIfNoScope": False, "unscopeIfApplied": False},
            "scope": {"group": [], "device": []},
            "apps": {"install": []},
            "otas": [],
            "settings": {},
            "enabled": True,
        }

    def read(self, document: Mapping[str, Any]) -> Rollout:
        """The rollout in neutral words; whatever is of another shape is left out, never an error."""
        scope, writer = table(document.get("scope")), table(document.get("writer"))
        name = words(table(document.get("profile")).get("name"))
        return Rollout(
            id=words(document.get("uuid")) or "",
            name=clean(name) if name and name.strip() else "(no name)",
            enabled=flag(document.get("enabled", document.get("enable"))),
            everyone=flag(document.get("isGlobal")) or False,
            groups=_texts(scope.get("group")),
            devices=_texts(scope.get("device")),
            apps=tuple(_app(entry) for entry in _installs(document) if _app_id(entry)),
            images=_texts(document.get("otas")),
            options=_options(document),
            writer=clean(words(table(writer.get("profile")).get("name")) or words(writer.get("email")) or "", 128),
            created_at=moment(document.get("created")),
            updated_at=moment(document.get("updated")),
        )

    def put(self, document: Mapping[str, Any], key: str, value: Any) -> dict[str, Any]:
        """A copy with one part changed and all else as it was. Raises `KeyError` for a key it does not know."""
        out = copy.deepcopy(dict(document))
        if key == "name":
            _below(out, ("profile",))["name"] = value
        elif key == "enabled":
            out.pop("enable", None)
            out["enabled"] = value
        elif key == "everyone":
            out["isGlobal"] = value
        elif key in ("groups", "devices"):
            _below(out, ("scope",))[key.removesuffix("s")] = list(value)
        elif key == "images":
            out["otas"] = list(value)
        elif key == "apps":
            _put_apps(out, value)
        else:
            _put_option(out, PLACES[key], value)
        return out

    def check(self, document: Any) -> list[Problem]:
        """What breaks the contract, by path; what the contract does not name is a warning."""
        return problems(document)

    def title(self, pointer: str) -> str:
        """What a form calls a place, "" where it has no field for it."""
        place = pointer.partition("[")[0]
        found = next((option.title for option in OPTIONS if ".".join(PLACES[option.key]) == place), "")
        return found or _TITLES.get(place, "")

    def body(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """The document as it is sent: whole, with one spelling for each name, switches without quotes."""
        out = copy.deepcopy(dict(document))
        if "enable" in out:
            out.setdefault("enabled", out.pop("enable"))
            out.pop("enable", None)
        for name in ("isGlobal", "enabled"):
            _unquote(out, name)
        for entry in _installs(out):
            if isinstance(entry, dict):
                if "uuid" not in entry and "fileUuid" in entry:
                    entry["uuid"] = entry["fileUuid"]
                for _, name, _ in FLAGS:
                    _respell(entry, name)
                    _unquote(entry, name)
        for key, place in PLACES.items():
            node = at_place(out, place[:-1])
            if isinstance(node, dict):
                _respell(node, place[-1])
                if KINDS[key] == "bool":
                    _unquote(node, place[-1])
        return out

    def new_body(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """As `body`, without what the service makes itself."""
        return {name: value for name, value in self.body(document).items() if name not in COMPUTED}


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(text for item in value if (text := words(item))) if isinstance(value, list) else ()


def _below(document: dict[str, Any], place: Sequence[str]) -> dict[str, Any]:
    """The object at a place; one is made where there is none, or something of another shape."""
    node = document
    for name in place:
        below = node.get(name)
        if not isinstance(below, dict):
            below = node[name] = {}
        node = below
    return node


def _said(node: Mapping[str, Any], name: str) -> Any:
    """The value under a name, in whichever spelling; the one that is written wins."""
    return next((node[each] for each in (name, *SPELLINGS.get(name, ())) if each in node), None)


def _respell(node: dict[str, Any], name: str) -> None:
    for other in SPELLINGS.get(name, ()):
        if other in node:
            value = node.pop(other)
            node.setdefault(name, value)


def _unquote(node: dict[str, Any], name: str) -> None:
    if isinstance(node.get(name), str):
        found = flag(node[name])
        node[name] = node[name] if found is None else found


def _installs(document: Mapping[str, Any]) -> list[Any]:
    # The contract has a list; a single object is read as a list of one.
    found = table(document.get("apps")).get("install")
    return found if isinstance(found, list) else [found] if isinstance(found, dict) else []


def _app_id(entry: Any) -> str:
    if isinstance(entry, Mapping):
        return words(entry.get("uuid")) or words(entry.get("fileUuid")) or ""
    return words(entry) or ""


def _app(entry: Any) -> RolloutApp:
    node = table(entry)
    found = ((key, flag(_said(node, name))) for key, name, _ in FLAGS)
    return RolloutApp(_app_id(entry), {key: value for key, value in found if value is not None})


def _put_apps(out: dict[str, Any], wanted: Sequence[RolloutApp]) -> None:
    there = {_app_id(entry): entry for entry in _installs(out)}
    rows: list[Any] = []
    for app in wanted:
        before = there.get(app.app_id)
        entry: dict[str, Any] = before if isinstance(before, dict) else {"uuid": app.app_id}
        for key, name, _ in FLAGS:
            had = flag(_said(entry, name))
            if app.flags.get(key) == had:
                continue
            for each in (name, *SPELLINGS.get(name, ())):
                entry.pop(each, None)
            if key in app.flags:
                entry[name] = app.flags[key]
        rows.append(entry)
    _below(out, ("apps",))["install"] = rows


def _options(document: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, place in PLACES.items():
        node = at_place(document, place[:-1])
        value = _said(node, place[-1]) if isinstance(node, Mapping) else None
        if KINDS[key] == "bool":
            value = flag(value)
        elif KINDS[key] == "int":
            value = whole(value)
        else:
            text = words(value)
            value = clean(text, 256) if text else None
        if value is not None:
            found[key] = value
    return found


def _put_option(out: dict[str, Any], place: Sequence[str], value: Any) -> None:
    if value is None:
        node = at_place(out, place[:-1])
        if not isinstance(node, dict):
            return
    else:
        node = _below(out, place[:-1])
    for each in (place[-1], *SPELLINGS.get(place[-1], ())):
        node.pop(each, None)
    if value is not None:
        node[place[-1]] = value
