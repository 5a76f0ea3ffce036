"""What a service holds ready for devices: its apps and system images, as last seen and as it finds them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Literal, TypeVar

from mdm_tui.fleet.catalogue import CatalogueApp, Image
from mdm_tui.fleet.errors import FleetError, Kind
from mdm_tui.fleet.provider import Capability, Page, Provider

from .context import Context
from .events import ItemsChanged

__all__ = ["Catalogue"]

T = TypeVar("T", CatalogueApp, Image)

_MAX_PAGES = 1_000
# A service may lack the list of all and still find page by page.
_LACKING = frozenset({Kind.UNSUPPORTED, Kind.NOT_FOUND})


class Catalogue:
    """What screens and the command line do with apps and images. errors: the last refresh's, by kind."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.errors: dict[Literal["apps", "images"], FleetError] = {}
        self.notes: dict[Literal["apps", "images"], str] = {}
        """What is to be known of the last refresh, by kind; nothing where all went as it should."""
        self._called: dict[str, str] = {}

    async def apps(self) -> list[CatalogueApp]:
        """All apps as last seen, by name."""
        return await self._context.mirror.items(self._context.scope, CatalogueApp)

    def called(self, ref: str) -> str:
        """What an app or image that went was called, "" where this session has not seen it go."""
        return self._called.get(ref, "")

    async def images(self) -> list[Image]:
        """All system images as last seen, by name."""
        return await self._context.mirror.items(self._context.scope, Image)

    async def refresh_apps(self) -> list[CatalogueApp]:
        """Read all apps. Raises `FleetError`; what is held stays."""
        await self._refresh(
            "apps",
            CatalogueApp,
            Capability.APPS,
            lambda provider: provider.apps(),
            lambda provider, page, size: provider.find_apps(page, size),
        )
        return await self.apps()

    async def refresh_images(self) -> list[Image]:
        """Read all system images. Raises `FleetError`; what is held stays."""
        await self._refresh(
            "images",
            Image,
            Capability.IMAGES,
            lambda provider: provider.images(),
            lambda provider, page, size: provider.find_images(page, size),
        )
        return await self.images()

    async def find_apps(
        self, where: Mapping[str, str] | None = None, page: int = 1, limit: int | None = None
    ) -> Page[CatalogueApp]:
        """A page as the service finds it, pages from 1; it goes into the mirror as well. See `Provider.find_apps`."""
        size = limit or self._context.connection.page_size
        return await self._page(
            "apps", CatalogueApp, Capability.APPS, lambda provider: provider.find_apps(page, size, where)
        )

    async def find_images(
        self, where: Mapping[str, str] | None = None, page: int = 1, limit: int | None = None
    ) -> Page[Image]:
        """As `find_apps`, see `Provider.find_images`."""
        size = limit or self._context.connection.page_size
        return await self._page(
            "images", Image, Capability.IMAGES, lambda provider: provider.find_images(page, size, where)
        )

    async def _refresh(
        self,
        name: Literal["apps", "images"],
        kind: type[T],
        capability: Capability,
        whole: Callable[[Provider], Awaitable[list[T]]],
        part: Callable[[Provider, int, int], Awaitable[Page[T]]],
    ) -> None:
        at = self._context.clock.now()
        try:
            found, note = await self._all(capability, whole, part)
        except FleetError as error:
            self.errors[name] = error
            raise
        self.errors.pop(name, None)
        self.notes.pop(name, None)
        if note:
            self.notes[name] = note
        await self._keep(name, kind, found, not note, at)

    async def _all(
        self,
        capability: Capability,
        whole: Callable[[Provider], Awaitable[list[T]]],
        part: Callable[[Provider, int, int], Awaitable[Page[T]]],
    ) -> tuple[list[T], str]:
        """All there are, and why some may be missing: in one answer, else page by page."""
        try:
            # The list of all may be missing where the pages are not, so its lack says nothing of the capability.
            return await self._context.call(whole), ""
        except FleetError as error:
            if error.kind not in _LACKING:
                raise
        found: dict[str, T] = {}
        totals: set[int | None] = set()
        size = self._context.connection.page_size
        for number in range(1, _MAX_PAGES + 1):
            page = await self._context.call(lambda provider, number=number: part(provider, number, size), capability)
            found.update((item.id, item) for item in page.items)
            totals.add(page.total)
            if not page.has_next or not page.items:
                break
        else:
            return list(found.values()), f"only the first {_MAX_PAGES:,} pages were read"
        total = page.total
        if len(totals) > 1 or (total is not None and total != len(found)):
            return list(found.values()), f"the service says {total} and listed {len(found)}: some may be missing"
        return list(found.values()), ""

    async def _page(
        self,
        name: Literal["apps", "images"],
        kind: type[T],
        capability: Capability,
        work: Callable[[Provider], Awaitable[Page[T]]],
    ) -> Page[T]:
        at = self._context.clock.now()
        found = await self._context.call(work, capability)
        await self._keep(name, kind, found.items, False, at)
        return found

    async def _keep(
        self, name: Literal["apps", "images"], kind: type[T], found: list[T], complete: bool, at: float
    ) -> None:
        context = self._context
        if complete:
            here = {item.id for item in found}
            for item in await context.mirror.items(context.scope, kind, raw=False):
                if item.id not in here:
                    self._called.update(dict.fromkeys((item.id, *item.refs), item.name))
        touched = await context.mirror.apply_items(context.scope, kind, found, complete, at)
        if touched:
            context.hub.publish(ItemsChanged(context.scope, name, frozenset(touched)))
