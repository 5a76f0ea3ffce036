"""Operations that only an older console calls: the log of a device, license models, counters."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from ..world.units import UnitFilter
from . import query
from .call import Call
from .envelope import bad_value, ok, pages, rows_ok
from .groups import require_site
from .shapes import encode, time_text

_LOG_PATHS = frozenset(("forWhat", "siteUuid", "category", "log", "loggedAt", "logger.profile.name"))
_known = query.known_in(_LOG_PATHS)
# A log is asked for one device; what it keeps of one is short.
_LONGEST_LOG = 10_000


def find_logs(call: Call) -> Response:
    """The log of one device, newest first; without `forWhat` nothing is found."""
    first, size = query.paging(call.query, call.shift)
    wanted = query.filters(call.query, _known)
    path, descending = query.sorting(call.query, _known)
    entries: list[dict[str, Any]] = []
    for key in wanted.pop("forWhat", []):
        if isinstance(key, str):
            entries += [
                {
                    "category": category,
                    "log": text,
                    "loggedAt": time_text(at),
                    "logger": {"profile": {"name": "system"}},
                    "forWhat": key,
                    "siteUuid": call.world.site,
                }
                for at, category, text in call.world.units.logs(key, 0, _LONGEST_LOG)[0]
            ]
    found = query.chosen(entries, wanted, path, descending)
    rows = [encode(entry) for entry in found[first : first + size]]
    return rows_ok(rows, totalPage=pages(len(found), size), size=size, totalSize=len(found))


def list_license_models(call: Call) -> Response:
    """The license models of the site, by uuid and name."""
    require_site(call)
    return ok(data=[{"uuid": model.uuid, "name": model.name} for model in call.world.licenses.all()])


def count(call: Call) -> Response:
    """Counters of devices, with maps by model where they are asked for; or how many licenses are taken."""
    subject = query.text(call.query, "db")
    if subject == "license":
        return ok(
            data=[
                {"name": model.name, "report": {"used": model.used, "expired": 0, "active": model.used}}
                for model in call.world.licenses.all()
            ]
        )
    if subject != "device":
        raise bad_value("db", "must be device or license")
    units = call.world.units
    everyone, online = UnitFilter(), UnitFilter(online=True)
    total, enrolled = units.count(everyone), units.count(UnitFilter(enrolled=True))
    data: dict[str, Any] = {
        "total": total,
        "inactive": total - enrolled,
        "enrolled": enrolled,
        "online": units.count(online),
    }
    asked = call.query.getlist("fields")
    if "model" in asked:
        data["model"] = units.by_model(everyone)
    if "model_online" in asked:
        data["model_online"] = units.by_model(online)
    if "model_ofline" in asked:
        data["model_ofline"] = units.by_model(UnitFilter(online=False))
    return ok(data=data)
