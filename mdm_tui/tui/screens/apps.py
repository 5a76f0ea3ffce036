"""The Apps screen: the apps that rollouts can install."""

from __future__ import annotations

from typing import Any, ClassVar

from mdm_tui.fleet.values import show_bytes
from mdm_tui.tui.screens.catalogue import CatalogueScreen
from mdm_tui.tui.screens.catalogue_source import Trait
from mdm_tui.tui.widgets.grid import Column

__all__ = ["AppsScreen"]


class AppsScreen(CatalogueScreen):
    """Apps with versions, sizes and SDK levels."""

    TAB: ClassVar[str] = "apps"
    KIND: ClassVar[str] = "apps"
    NOUN: ClassVar[str] = "app"
    NOUNS: ClassVar[str] = "apps"
    # As `Provider.find_apps` names them.
    FIELDS: ClassVar[tuple[str, ...]] = ("name", "package", "version")
    EXAMPLE: ClassVar[str] = "package:com.example.app"
    TRAITS: ClassVar[tuple[Trait, ...]] = (
        Trait(Column("name", "App", 22, priority=0, flex=3, most=40), lambda app: app.name),
        Trait(Column("package", "Package", 20, priority=3, flex=3, most=44, clip="middle"), lambda app: app.package),
        Trait(Column("version", "Version", 9, "right", priority=1, flex=1, most=14), lambda app: app.version),
        Trait(Column("code", "Code", 9, "right", priority=6), lambda app: app.version_code, "pale"),
        Trait(Column("size", "Size", 8, "right", priority=2), lambda app: app.size, "bytes"),
        Trait(Column("min", "Min SDK", 7, "right", priority=4), lambda app: app.min_sdk, "pale"),
        Trait(Column("target", "Target", 6, "right", priority=5), lambda app: app.target_sdk, "pale"),
        Trait(Column("max", "Max", 5, "right", priority=8), lambda app: app.max_sdk, "pale"),
        Trait(Column("enabled", "Enabled", 7, priority=4), lambda app: app.enabled, "bool"),
        Trait(Column("updated", "Changed", 7, "right", priority=3), lambda app: app.updated_at, "age"),
        Trait(
            Column("file", "File", 16, priority=9, flex=1, most=40, clip="middle"), lambda app: app.file_name, "pale"
        ),
    )

    async def held(self) -> list[Any]:
        return await self.session.catalogue.apps()

    async def reread(self) -> None:
        await self.session.catalogue.refresh_apps()

    async def find(self, page: int) -> Any:
        return await self.session.catalogue.find_apps(self.source.terms.where, page)

    def ticket(self, item: Any) -> str:
        size = show_bytes(item.size) if item.size is not None else "size not said"
        return f"{item.name} {item.version or '-'} ({item.version_code or '-'}), {item.package}, {size}, id {item.id}"
