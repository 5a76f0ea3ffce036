"""The Images screen: the system images that rollouts can bring to devices."""

from __future__ import annotations

from typing import Any, ClassVar

from mdm_tui.fleet.text import clean
from mdm_tui.tui.screens.catalogue import CatalogueScreen
from mdm_tui.tui.screens.catalogue_source import Trait
from mdm_tui.tui.widgets.grid import Cell, Column

__all__ = ["ImagesScreen"]


def _kind(image: Any) -> Cell:
    return Cell("partial", "warn") if image.partial else Cell("full", "muted")


def _ab(image: Any) -> Cell:
    return Cell("-", "muted") if image.ab is None else Cell("A/B" if image.ab else "no", "muted")


def _from(image: Any) -> Cell:
    # A full image goes onto any build; a partial one onto this alone.
    return Cell(clean(image.from_build, 200), "") if image.partial else Cell("any", "muted")


class ImagesScreen(CatalogueScreen):
    """Images with product, builds, A/B or not, and what they replace."""

    TAB: ClassVar[str] = "images"
    KIND: ClassVar[str] = "images"
    NOUN: ClassVar[str] = "image"
    NOUNS: ClassVar[str] = "images"
    # As `Provider.find_images` names them.
    FIELDS: ClassVar[tuple[str, ...]] = ("name", "product", "build", "part")
    EXAMPLE: ClassVar[str] = "product:K245"
    TRAITS: ClassVar[tuple[Trait, ...]] = (
        Trait(Column("name", "Image", 22, priority=0, flex=3, most=44), lambda image: image.name),
        Trait(Column("product", "Product", 8, priority=1, flex=1, most=14), lambda image: image.product),
        Trait(Column("part", "Part", 6, priority=5), lambda image: image.part, "pale"),
        Trait(Column("ab", "A/B", 3, priority=4), lambda image: image.ab, "bool", _ab),
        Trait(Column("kind", "Kind", 7, priority=2), lambda image: image.partial, "bool", _kind),
        Trait(Column("from", "From build", 14, priority=3, flex=1, most=24, clip="middle"),
              lambda image: image.from_build, "text", _from),
        Trait(Column("build", "Build", 14, priority=2, flex=1, most=24, clip="middle"), lambda image: image.build),
        Trait(Column("os", "OS", 3, "right", priority=6), lambda image: image.os, "pale"),
        Trait(Column("patch", "Patch", 10, priority=6), lambda image: image.patch, "pale"),
        Trait(Column("built", "Built", 10, priority=7), lambda image: image.built_at, "day"),
        Trait(Column("size", "Size", 8, "right", priority=5), lambda image: image.size, "bytes"),
        Trait(Column("enabled", "Enabled", 7, priority=8), lambda image: image.enabled, "bool"),
    )  # fmt: skip

    async def held(self) -> list[Any]:
        return await self.session.catalogue.images()

    async def reread(self) -> None:
        await self.session.catalogue.refresh_images()

    async def find(self, page: int) -> Any:
        return await self.session.catalogue.find_images(self.source.terms.where, page)

    def ticket(self, item: Any) -> str:
        way = f"{item.from_build} → {item.build or '-'}" if item.partial else f"full, {item.build or '-'}"
        return f"{item.name}, {item.product or '-'}, {way}, id {item.id}"
