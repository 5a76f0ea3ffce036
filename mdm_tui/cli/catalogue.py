"""`mdm-tui apps` and `mdm-tui images`: what the service holds ready for devices."""

from __future__ import annotations

import asyncio
import sys
import time
from argparse import Namespace
from collections.abc import Mapping
from typing import TYPE_CHECKING

from mdm_tui.fleet.catalogue import CatalogueApp, Image
from mdm_tui.fleet.devices import Value
from mdm_tui.fleet.fields import Field
from mdm_tui.fleet.provider import Capability, Page

from . import codes, work
from .listing import Listing, column, matching, write

if TYPE_CHECKING:
    from mdm_tui.services.session import Session

__all__ = ["APPS", "IMAGES", "run"]

_ENDS = (
    column("enabled", "Enabled", "bool"),
    column("file", "File"),
    column("created", "Created", "time"),
    column("updated", "Updated", "time"),
)
APPS = Listing(
    "apps",
    (
        column("id", "Id", "id"),
        column("name", "Name"),
        column("package", "Package", "id"),
        column("version", "Version", "version"),
        column("code", "Code", "int", "the version as a number, which decides what is newer"),
        column("size", "Size", "bytes"),
        column("minsdk", "Min SDK"),
        column("targetsdk", "Target SDK"),
        column("maxsdk", "Max SDK"),
        *_ENDS,
    ),
    ("name", "package", "version", "code", "size", "minsdk", "targetsdk", "enabled", "updated"),
)
IMAGES = Listing(
    "images",
    (
        column("id", "Id", "id"),
        column("name", "Name"),
        column("product", "Product", doc="the hardware it is made for"),
        column("device", "Device", doc="the hardware's code name"),
        column("brand", "Brand"),
        column("sku", "SKU"),
        column("part", "Part", doc="what it replaces: base or region, or the service's own word"),
        column("ab", "A/B", "bool", "for A/B partitions"),
        column("partial", "Partial", "bool", "it only brings one build to another"),
        column("frombuild", "From build", "version", "the build that a partial one starts from"),
        column("build", "To build", "version", "the build that it leads to"),
        column("display", "Display"),
        column("os", "OS", "version"),
        column("sdk", "SDK", "int"),
        column("patch", "Patch", "date", "security patch level"),
        column("size", "Size", "bytes"),
        column("built", "Built", "time"),
        *_ENDS,
    ),
    ("name", "product", "part", "ab", "partial", "build", "os", "patch", "size", "built", "enabled"),
)


def run(arguments: Namespace, env: Mapping[str, str]) -> int:
    """Print the list, or a page of what the service finds; the exit code."""
    shown = APPS if arguments.command == "apps" else IMAGES
    if arguments.columns == "list":
        shown.describe()
        return codes.DONE
    return asyncio.run(_print(arguments, env, shown.chosen(arguments.columns, arguments.format)))


async def _print(arguments: Namespace, env: Mapping[str, str], fields: list[Field]) -> int:
    what = arguments.command
    async with work.session(arguments, env) as session:
        if what == "apps":
            work.need(session, Capability.APPS, "catalogue of apps")
        else:
            work.need(session, Capability.IMAGES, "system images")
        if arguments.find:
            page = await _found(session, arguments)
            rows = [_row(item) for item in page.items]
            words = _page_words(page, what, arguments.limit or session.connection.page_size)
        else:
            items, at = await _seen(session, what, refresh=arguments.refresh)
            rows = matching(map(_row, items), arguments.words)
            of = f" of {len(items):,}" if len(items) != len(rows) else ""
            words = f"{len(rows):,}{of} {what} of {session.connection.name}, {work.said_age(at, time.time())}"
            words += "".join(f"; incomplete: {note}" for note in session.catalogue.notes.values())
        write(rows, fields, arguments.format, time.time())
        print(f"{words}.", file=sys.stderr)
    return codes.DONE


async def _seen(session: Session, what: str, *, refresh: bool) -> tuple[list[CatalogueApp] | list[Image], float | None]:
    """All as last seen, read when that is asked for or was never done, and when that was."""
    kind = CatalogueApp if what == "apps" else Image
    catalogue, started = session.catalogue, time.time()
    at = await session.mirror.listed_at(session.scope, kind)
    if refresh or at is None:
        await (catalogue.refresh_apps() if what == "apps" else catalogue.refresh_images())
        at = started
    return (await catalogue.apps() if what == "apps" else await catalogue.images()), at


async def _found(session: Session, arguments: Namespace) -> Page[CatalogueApp] | Page[Image]:
    where = {}
    for text in arguments.find:
        name, _, value = text.partition("=")
        where[name.strip()] = value.strip()
    find = session.catalogue.find_apps if arguments.command == "apps" else session.catalogue.find_images
    return await find(where, arguments.page or 1, arguments.limit)


def _page_words(page: Page[CatalogueApp] | Page[Image], what: str, size: int) -> str:
    of, more = "", ""
    if page.total is not None:
        of = f" of {page.total:,}"
        more = f"; --page {page.page + 1} has more" if page.page * size < page.total else ""
    elif page.has_next:
        more = f"; --page {page.page + 1} may have more"
    if not page.items and page.page == 1:
        # The contract does not say how a filter compares.
        more = "; it may compare whole values, where words without --find look inside all that was seen"
    return f"Page {page.page}: {len(page.items):,}{of} {what} found by the service{more}"


def _row(item: CatalogueApp | Image) -> dict[str, Value]:
    ends = {
        "enabled": item.enabled,
        "file": item.file_name,
        "created": item.created_at,
        "updated": item.updated_at,
        "unreadable": item.unreadable,
    }
    if isinstance(item, CatalogueApp):
        return {
            "id": item.id, "name": item.name, "package": item.package, "version": item.version,
            "code": item.version_code, "size": item.size, "minsdk": item.min_sdk, "targetsdk": item.target_sdk,
            "maxsdk": item.max_sdk, **ends,
        }  # fmt: skip
    return {
        "id": item.id, "name": item.name, "product": item.product, "device": item.device, "brand": item.brand,
        "sku": item.sku, "part": item.part, "ab": item.ab, "partial": item.partial, "frombuild": item.from_build,
        "build": item.build, "display": item.display, "os": item.os, "sdk": item.sdk, "patch": item.patch,
        "size": item.size, "built": item.built_at, **ends,
    }  # fmt: skip
