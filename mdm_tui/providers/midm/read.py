"""From the wire to the field's words. Pure: it runs on a worker thread for large pages.

A row that cannot be understood becomes a row that says so; the page it stood in survives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from pydantic import ValidationError

from mdm_tui.fleet import faults, fields
from mdm_tui.fleet.catalogue import CatalogueApp, Image, LicenseModel
from mdm_tui.fleet.devices import App, Device, Value
from mdm_tui.fleet.groups import Group
from mdm_tui.fleet.provider import Page
from mdm_tui.fleet.report import get
from mdm_tui.fleet.rollouts import Rollout
from mdm_tui.fleet.text import clean
from mdm_tui.fleet.values import words
from mdm_tui.providers.body import text
from mdm_tui.providers.rows import stand_in, why

from . import wire
from .report import report
from .rollouts import MidmRollouts
from .values import at_place, moment

__all__ = ["app", "app_state", "catalogue_app", "device", "group", "groups", "image", "license_models", "page",
           "rollout", "saved", "site_of"]  # fmt: skip

T = TypeVar("T")

_UNREADABLE = "(unreadable)"
_STRANGE = (ValidationError, ValueError, TypeError, LookupError, AttributeError)
_FORMAT = MidmRollouts()
# Where the answer says that there is nothing, nothing is kept; what it does not speak of stays as it was last seen.
_SPOKEN: dict[str, str] = {
    "enrolled": "identity.enrolledDate",
    "seen": "state.lastStatusReportTime",
    "disconnected": "state.lastDisconnectedTime",
    "link": "state.link",
    "remote": "state.remoteControl",
    "client": "software.clientVersion",
    "serial": "hardware.serialNumber",
    "model": "hardware.model",
    "manufacturer": "hardware.manufacturer",
    "brand": "hardware.brand",
}


def device(node: Any, *, detail: bool = False) -> Device:
    """A device of a list row or of the detail view. Values that the answer does not speak of are absent."""
    raw = text(node)
    try:
        found = wire.Device.model_validate(node)
        tree = report(node)
        everything = fields.values(tree)
    except _STRANGE as error:
        return _unreadable_device(node, raw, error, detail)
    values: dict[str, Value] = {key: value for key, value in everything.items() if value is not None}
    for key, path in _SPOKEN.items():
        above, _, name = path.rpartition(".")
        holder = get(tree, above)
        if key not in values and isinstance(holder, Mapping) and name in holder:
            values[key] = None
    # Detail only: a device without a group has none there, a list row never speaks of groups.
    if "deviceGroup" in node and get(tree, "identity.group.id") is None:
        values["group"] = values["groupid"] = None
    if "license" in node and get(tree, "identity.license.name") is None:
        values["license"] = None
    values["id"] = clean(found.id, 128)
    values["faults"] = faults.find({**everything, **values}, today=datetime.now(UTC).date())
    return Device(found.id, values, raw, detail)


def _unreadable_device(node: Any, raw: str, error: Exception, detail: bool) -> Device:
    values = fields.values({})
    values["id"] = id = stand_in(raw)
    values["name"] = _UNREADABLE
    values["faults"] = "unreadable"
    return Device(id, values, raw, detail, unreadable=why(node, error))


def group(node: Any) -> Group:
    """A group; `raw` is the whole object, which a change sends back."""
    raw = text(node)
    try:
        found = wire.Group.model_validate(node)
    except ValidationError as error:
        return Group(stand_in(raw), _UNREADABLE, raw=raw, unreadable=why(node, error))
    return Group(
        id=found.id,
        name=_named(words(found.profile.get("name"))),
        parent=found.parent or "",
        devices=found.devices if found.devices is None or found.devices >= 0 else None,
        enabled=found.enabled,
        created_at=found.created,
        updated_at=found.updated,
        raw=raw,
    )


def groups(document: Any, site: str) -> list[Group]:
    """All groups; where the site's uuid (lower case) is known, without those that are of another one."""
    rows = wire.listing(document).rows
    return [group(row) for row in rows if not site or _site_of(row) in ("", site)]


def _site_of(node: Any) -> str:
    return (words(at_place(node, ("siteUuid",))) or "").lower()


def app(node: Any, reported: Any = None) -> App:
    """An app on a device. reported: when the device told of it, as sent."""
    found = wire.AppInfo.model_validate(node if isinstance(node, dict) else {})
    return App(
        package=clean(found.package or _UNREADABLE, 256),
        name=clean(found.label or "", 256),
        version=clean(found.version or "", 128),
        version_code="" if found.version_code is None else str(found.version_code),
        size=found.size,
        data=found.data,
        target_sdk=clean(found.target_sdk or "", 40),
        installed_at=found.installed,
        updated_at=found.updated,
        reported_at=moment(reported),
        raw=text(node),
    )


def app_state(node: dict[str, Any], package: str) -> App | None:
    """The answer to whether an app is on a device; None when it is not. An answer without a yes or no is no answer."""
    found = wire.AppState.model_validate(node)
    if found.installed is None:
        raise ValueError("neither installed nor not")
    if not found.installed:
        return None
    code = "" if found.version_code is None else str(found.version_code)
    return App(package=clean(found.package or package, 256), version_code=code, raw=text(node))


def catalogue_app(node: Any) -> CatalogueApp:
    """An app in the store."""
    raw = text(node)
    try:
        found = wire.CatalogueApp.model_validate(node)
        info = wire.AppInfo.model_validate(found.info)
    except ValidationError as error:
        return CatalogueApp(stand_in(raw), _UNREADABLE, raw=raw, unreadable=why(node, error))
    if not found.refs:
        return CatalogueApp(stand_in(raw), _named(found.name), raw=raw, unreadable=_NO_ID)
    return CatalogueApp(
        id=found.refs[0],
        name=_named(found.name or info.label or info.package),
        package=clean(info.package or "", 256),
        version=clean(info.version or "", 128),
        version_code=info.version_code,
        size=info.size or found.size,
        min_sdk=clean(info.min_sdk or "", 40),
        target_sdk=clean(info.target_sdk or "", 40),
        max_sdk=clean(info.max_sdk or "", 40),
        enabled=found.on,
        file_name=clean(found.file_name, 256),
        updated_at=found.updated,
        created_at=found.created,
        refs=found.refs,
        raw=raw,
    )


_NO_ID = "it has neither uuid nor fileUuid"
_PARTS = {"base": "base", "region": "region"}


def image(node: Any) -> Image:
    """A system image. Its part is base or region where the service says so in any case, else the service's word."""
    raw = text(node)
    try:
        found = wire.Image.model_validate(node)
        info = wire.ImageInfo.model_validate(found.info)
    except ValidationError as error:
        return Image(stand_in(raw), _UNREADABLE, raw=raw, unreadable=why(node, error))
    if not found.refs:
        return Image(stand_in(raw), _named(found.name), raw=raw, unreadable=_NO_ID)
    part = clean((info.type or "").strip(), 64)
    return Image(
        id=found.refs[0],
        name=_named(found.name or info.display or info.build),
        product=clean(info.product or "", 128),
        device=clean(info.device or "", 128),
        brand=clean(info.brand or "", 128),
        sku=clean(info.sku or "", 128),
        part=_PARTS.get(part.lower(), part),
        ab=info.ab,
        from_build=clean((info.from_build or "").strip(), 256),
        build=clean((info.build or "").strip(), 256),
        display=clean(info.display or "", 256),
        os=clean(info.os or "", 64),
        sdk=info.sdk,
        patch=clean(info.patch or "", 64),
        size=found.size,
        built_at=info.built,
        enabled=found.on,
        file_name=clean(found.file_name, 256),
        updated_at=found.updated,
        created_at=found.created,
        refs=found.refs,
        raw=raw,
    )


def rollout(node: Any, id: str = "") -> Rollout:
    """A rollout; `raw` is the whole document, which a change sends back.

    id: the one that was asked for: the page's own samples have no uuid in a profile.
    """
    raw = text(node)
    if not isinstance(node, dict):
        return Rollout(stand_in(raw), _UNREADABLE, raw=raw, unreadable=why(node))
    found = _FORMAT.read(node)
    own = found.id or id
    lacking = "" if 0 < len(own) <= 128 else "its uuid is missing" if not own else "its uuid is too long"
    return replace(found, id=stand_in(raw) if lacking else own, raw=raw, unreadable=lacking)


def saved(node: dict[str, Any], document: Mapping[str, Any], id: str = "") -> Rollout:
    """What became of a profile that was saved. The answer may hold no more than id, name and time.

    id: the one that was changed. Without it an answer that names none proves nothing: that raises.
    """
    if "profile" in node and (id or words(node.get("uuid"))):
        return rollout(node, id)
    found = wire.Saved.model_validate({"uuid": id, **node} if id else node)
    name = found.name or words(document.get("profile", {}).get("name")) or ""
    return Rollout(found.id, clean(name) or "(no name)", updated_at=found.updated, raw=text(node))


def license_models(document: Any) -> list[LicenseModel]:
    """The license models; one without an id cannot be chosen and is left out."""
    found: list[LicenseModel] = []
    for node in wire.listing(document).rows:
        try:
            model = wire.License.model_validate(node)
        except ValidationError:
            continue
        found.append(LicenseModel(model.id, _named(model.name)))
    return found


def page(document: Any, one: Callable[[Any], T], number: int, limit: int) -> Page[T]:
    """A page of rows. number: from 1. Totals are missing or wrong at times, so what came decides.

    An empty page is the last one; a full one may be followed by another; a short one is, where the totals say so
    (services cap the size that was asked for).
    """
    found = wire.listing(document)
    count = len(found.rows)
    total = found.total if found.total is None or found.total >= 0 else None
    size = found.size if found.size and 0 < found.size < limit else limit
    promised = (found.pages is not None and number < found.pages) or (
        total is not None and total > (number - 1) * size + count
    )
    more = count > 0 and (count >= limit or promised)
    return Page([one(item) for item in found.rows], number, total, more)


def _named(name: str | None) -> str:
    return clean(name) if name and name.strip() else "(no name)"


def site_of(document: Any, serial: str) -> str:
    """The site of the one device of exactly this serial number in a list, in lower case; "" when it does not say."""
    found: set[str] = set()
    for row in wire.listing(document).rows:
        if words(at_place(row, ("profile", "hardware_info", "serial_no"))) == serial:
            found.add(_site_of(row))
    return found.pop() if len(found) == 1 else ""
