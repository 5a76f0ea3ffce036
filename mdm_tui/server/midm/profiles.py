"""Operations on profiles, MiDM's word for rollouts: kept whole, in one spelling, with site and writer in them."""

from __future__ import annotations

import copy
from datetime import datetime
from typing import Any

from starlette.responses import Response

from ..world.rollouts import RolloutRecord
from . import query, values
from .call import Call
from .envelope import bad_value, ok, rows_ok
from .groups import require_site
from .shapes import PROFILE_FREE, PROFILE_PATHS, encode, profile_shape

_ORDERS = ("none", "apps", "otas", "settings")
# The switches of each part; the template on the page spells the second ones.
_OPTIONS = ("removeIfNoScope", "unscopeIfApplied", "wakeToApply")
_WHILE = ("sleeping", "offline")
_APP = ("starts_on_update", "silent_install", "grant_all", "reboots_on_update")
_OTA = ("silent_install", "partialFirst", "need_ac", "checkBuildDate")
_SPELT = {
    "silentInstall": "silent_install",
    "startsOnUpdate": "starts_on_update",
    "grantAll": "grant_all",
    "rebootsOnUpdate": "reboots_on_update",
    "needAc": "need_ac",
    "partial_first": "partialFirst",
    "check_build_date": "checkBuildDate",
}
# Written by the service; what a body says of them counts for nothing.
_COMPUTED = ("uuid", "siteUuid", "writerUuid", "writer", "created", "updated")


def list_profiles(call: Call) -> Response:
    """Paged and filtered, without totals: the page shows none."""
    first, size = query.paging(call.query, call.shift)
    known = query.known_in(PROFILE_PATHS, PROFILE_FREE)
    wanted = query.filters(call.query, known)
    path, descending = query.sorting(call.query, known)
    shapes = (_shape(call, rollout) for rollout in call.world.rollouts.all())
    found = query.chosen(shapes, wanted, path, descending)
    return rows_ok([encode(shape) for shape in found[first : first + size]])


def get_profile(call: Call) -> Response:
    """One profile, whole."""
    key = query.text(call.query, "uuid")
    if not key:
        raise bad_value("uuid", "is required")
    return ok(data=_shape(call, call.world.rollouts.get(key)))


def save_profile(call: Call) -> Response:
    """A new profile. Devices in its scope that do not exist are registered."""
    require_site(call)
    body = values.thing(call.body, "body")
    document = read_profile(body)
    rollout = call.world.rollouts.save(None, document)
    return ok(data={"uuid": rollout.uuid, "name": rollout.name, "updated": rollout.updated_at})


def update_profile(call: Call) -> Response:
    """Replaces the profile by what is sent."""
    body = values.thing(call.body, "body")
    key = values.text(body.get("uuid"), "uuid", required=True)
    before = call.world.rollouts.get(key)
    document = read_profile(body)
    if not document["profile"]["name"]:
        document["profile"]["name"] = before.name
    return ok(data=_shape(call, call.world.rollouts.save(key, document)))


def _shape(call: Call, rollout: RolloutRecord) -> dict[str, Any]:
    return profile_shape(call.world, rollout, call.access.email)


def read_profile(body: dict[str, Any]) -> dict[str, Any]:
    """The document as it is kept: one spelling, booleans as booleans, what is unknown as it came. Raises Refusal."""
    document = copy.deepcopy({name: value for name, value in body.items() if name not in _COMPUTED})
    document["isGlobal"] = values.switch(body.get("isGlobal"), "isGlobal", False)
    document["enabled"] = values.switch(body.get("enabled", body.get("enable")), "enabled", True)
    document.pop("enable", None)
    document["profile"] = _options(values.thing(document.get("profile"), "profile"))
    scope = values.thing(document.get("scope"), "scope")
    document["scope"] = scope | {
        "group": values.texts(scope.get("group"), "scope.group"),
        "device": values.texts(scope.get("device"), "scope.device"),
    }
    apps = values.thing(document.get("apps"), "apps")
    document["apps"] = apps | {"install": [_app(entry, i) for i, entry in _numbered(apps.get("install"))]}
    document["otas"] = values.texts(document.get("otas"), "otas")
    _dates(document)
    settings = values.thing(document.get("settings"), "settings")
    if "otas" in settings:
        otas = _respelt(values.thing(settings["otas"], "settings.otas"))
        settings["otas"] = _switches(otas, _OTA, "settings.otas")
    document["settings"] = settings
    return document


def _numbered(value: Any) -> list[tuple[int, Any]]:
    return list(enumerate(values.items(value, "apps.install")))


def _app(entry: Any, number: int) -> dict[str, Any]:
    where = f"apps.install[{number}]"
    entry = _respelt(values.thing(entry, where))
    key = values.text(entry.get("uuid", entry.get("fileUuid")), f"{where}.uuid", required=True)
    return _switches(entry | {"uuid": key}, _APP, where)


def _options(options: dict[str, Any]) -> dict[str, Any]:
    options["name"] = values.text(options.get("name"), "profile.name").strip()
    order = values.text(options.get("applyOrder"), "profile.applyOrder")
    if order and order not in _ORDERS:
        raise bad_value("profile.applyOrder", "must be one of " + ", ".join(_ORDERS))
    options["applyOrder"] = order or "none"
    for name in ("startsOn", "updateVia", "repeatOption", "endsOption", "ends", "repeatPeriod", "timeOption"):
        if name in options:
            options[name] = values.text(options[name], f"profile.{name}")
    for name in ("startsOn", "ends"):
        _date(options.get(name, ""), f"profile.{name}")
    if options.get("repeatEvery") is not None:
        options["repeatEvery"] = values.whole(options["repeatEvery"], "profile.repeatEvery")
    if options.get("applyWhile") is not None:
        options["applyWhile"] = _switches(
            values.thing(options["applyWhile"], "profile.applyWhile"), _WHILE, "profile.applyWhile"
        )
    return _switches(options, _OPTIONS, "profile")


def _respelt(entry: dict[str, Any]) -> dict[str, Any]:
    """The spelling of the samples counts where both are there."""
    kept = {_SPELT.get(name, name): value for name, value in entry.items() if name in _SPELT}
    return kept | {name: value for name, value in entry.items() if name not in _SPELT}


def _switches(entry: dict[str, Any], names: tuple[str, ...], where: str) -> dict[str, Any]:
    for name in names:
        if name in entry:
            entry[name] = values.switch(entry[name], f"{where}.{name}", False)
    return entry


def _dates(document: dict[str, Any]) -> None:
    schedule = values.thing(document.get("schedule_date"), "schedule_date")
    if "start_on" in schedule:
        schedule["start_on"] = values.text(schedule["start_on"], "schedule_date.start_on")
        _date(schedule["start_on"], "schedule_date.start_on")
    if "schedule_date" in document:
        document["schedule_date"] = schedule


def _date(given: str, where: str) -> None:
    """A date as YYYY-MM-DD, perhaps with a time behind it. Raises Refusal."""
    if not given:
        return
    try:
        datetime.fromisoformat(given)
    except ValueError:
        raise bad_value(where, "must be a date as YYYY-MM-DD, or a date and time") from None
