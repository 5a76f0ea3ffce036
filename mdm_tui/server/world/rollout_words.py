"""Reading a rollout's document: scope, order, conditions and calendar. Pure; what has another shape is not said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .clock import DAY, HOUR, MINUTE

ORDERS: dict[str, tuple[str, ...]] = {
    "none": ("apps", "otas", "settings"),
    "apps": ("apps", "otas", "settings"),
    "otas": ("otas", "apps", "settings"),
    "settings": ("settings", "apps", "otas"),
}

# Words with which a calendar says that there is none.
_NEVER = ("", "none", "never", "no", "off", "once", "false")

_PERIODS: dict[str, int] = {"minute": MINUTE, "hour": HOUR, "day": DAY, "week": 7 * DAY, "month": 30 * DAY}


@dataclass(frozen=True, slots=True)
class AppWish:
    """One application to install. Flags that were not said are off, but installing is silent unless said otherwise."""

    ref: str
    starts: bool
    silent: bool
    grants: bool
    reboots: bool


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a document asks for. Times: milliseconds; ends None: never; every 0: not repeated."""

    everyone: bool
    groups: tuple[str, ...]
    devices: tuple[str, ...]
    apps: tuple[AppWish, ...]
    images: tuple[str, ...]
    order: tuple[str, ...]
    settings: bool
    remove_if_no_scope: bool
    unscope_if_applied: bool
    while_asleep: bool
    while_offline: bool
    wakes: bool
    starts_at: int
    ends_at: int | None
    every: int
    silent_images: bool
    partial_first: bool | None
    need_ac: bool
    check_date: bool


def _part(document: Any, *path: str) -> dict[str, Any]:
    for name in path:
        document = document.get(name) if isinstance(document, Mapping) else None
    return dict(document) if isinstance(document, Mapping) else {}


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def said(part: Mapping[str, Any], *names: str) -> bool | None:
    """A switch by any of its spellings, as a boolean or as quoted text."""
    for name in names:
        value = part.get(name)
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value.casefold() in ("true", "false"):
            return value.casefold() == "true"
    return None


def moment(value: Any) -> int | None:
    """Milliseconds of a date, a date with a time (UTC unless it says otherwise), or a number of milliseconds."""
    if isinstance(value, bool) or value in (None, ""):
        return None
    if isinstance(value, int | float):
        return int(value)
    if not isinstance(value, str):
        return None
    try:
        read = datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    return int((read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp() * 1000)


def read(document: Mapping[str, Any]) -> Wishes:
    """The document in the world's words."""
    options = _part(document, "profile")
    scope = _part(document, "scope")
    images = _part(document, "settings", "otas")
    install = _part(document, "apps").get("install")
    starts = [moment(_part(document, "schedule_date").get("start_on")), moment(options.get("startsOn"))]
    ends = moment(options.get("ends")) if str(options.get("endsOption") or "on").casefold() not in _NEVER else None
    while_ = _part(options, "applyWhile")
    return Wishes(
        everyone=said(document, "isGlobal") or False,
        groups=tuple(uuid.lower() for uuid in _texts(scope.get("group"))),
        devices=_texts(scope.get("device")),
        apps=tuple(
            AppWish(
                entry["uuid"].lower(),
                said(entry, "starts_on_update", "startsOnUpdate") or False,
                said(entry, "silent_install", "silentInstall") is not False,
                said(entry, "grant_all", "grantAll") or False,
                said(entry, "reboots_on_update", "rebootsOnUpdate") or False,
            )
            for entry in (install if isinstance(install, list) else [])
            if isinstance(entry, Mapping) and isinstance(entry.get("uuid"), str)
        ),
        images=tuple(uuid.lower() for uuid in _texts(document.get("otas"))),
        order=ORDERS.get(str(options.get("applyOrder") or "none"), ORDERS["none"]),
        settings=any(name != "otas" for name in _part(document, "settings")),
        remove_if_no_scope=said(options, "removeIfNoScope") or False,
        unscope_if_applied=said(options, "unscopeIfApplied") or False,
        while_asleep=said(while_, "sleeping") or False,
        while_offline=said(while_, "offline") or False,
        wakes=said(options, "wakeToApply") or False,
        starts_at=max((start for start in starts if start is not None), default=0),
        ends_at=ends + (DAY if _is_day(options.get("ends")) else 0) if ends is not None else None,
        every=_every(options),
        silent_images=said(images, "silent_install", "silentInstall") is not False,
        partial_first=said(images, "partialFirst", "partial_first"),
        need_ac=said(images, "need_ac", "needAc") or False,
        check_date=said(images, "checkBuildDate", "check_build_date") or False,
    )


def _is_day(value: Any) -> bool:
    """A last day counts until its end."""
    return isinstance(value, str) and len(value.strip()) == 10


def _every(options: Mapping[str, Any]) -> int:
    """How often it is repeated: repeatEvery times repeatPeriod. The words of the period are not stated; the plain
    ones are understood, with or without their endings (day, days, daily)."""
    if str(options.get("repeatOption") or "").casefold() in _NEVER:
        return 0
    word = str(options.get("repeatPeriod") or options.get("repeatOption")).casefold()
    period = next((span for name, span in _PERIODS.items() if word.startswith(name)), 0)
    if word == "daily":
        period = DAY
    count = options.get("repeatEvery")
    return period * (count if isinstance(count, int) and not isinstance(count, bool) and count > 0 else 1)


def stamp_name(now: int) -> str:
    """The name of a rollout that was saved without one: yyyyMMdd_hh:mm:ss, on a clock of 12 hours, so that a morning
    and an evening can have the same name."""
    return datetime.fromtimestamp(now / 1000, UTC).strftime("%Y%m%d_%I:%M:%S")
