"""What a person can do on the Apps and Images screens. Mixed into `CatalogueScreen`, which has the state."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from mdm_tui.fleet.errors import FleetError
from mdm_tui.fleet.provider import Capability
from mdm_tui.fleet.text import clean
from mdm_tui.tui.screens.ask import Choose
from mdm_tui.tui.screens.dialogs import answer

if TYPE_CHECKING:
    from mdm_tui.tui.screens.base import FleetScreen as _Base
    from mdm_tui.tui.screens.base import List
    from mdm_tui.tui.screens.catalogue_source import CatalogueSource, Trait
    from mdm_tui.tui.widgets.filter_line import FilterLine
else:
    _Base = object

__all__ = ["CatalogueActions", "show_rollouts"]


class CatalogueActions(_Base):
    """The actions of the group `catalogue`."""

    if TYPE_CHECKING:
        ONE: ClassVar[str]
        MANY: ClassVar[str]
        KIND: ClassVar[str]
        TRAITS: ClassVar[tuple[Trait, ...]]
        source: CatalogueSource
        grid: List
        filter: FilterLine
        EXAMPLE: ClassVar[str]
        sentence: str
        reading: bool
        page: int
        has_next: bool
        _asked: str
        _asking: int

        async def ask(self) -> None: ...
        async def take(self) -> None: ...
        async def _page(self, number: int, mine: int) -> None: ...
        def say(self) -> None: ...
        def filter_by(self, text: str) -> None: ...
        def find_terms(self) -> None: ...

    async def action_filter(self) -> None:
        await self.filter.open(self.source.text)

    def take_text(self, text: str, *, apply: bool) -> None:
        """What a scanner or a paste brought: words for the filter."""
        self.filter_by(" ".join(text.split()))

    def action_sort(self) -> None:
        key, down = self.source.sort
        turn = "down" if down else "up"
        options = [
            (trait.column.key, trait.column.title, turn if trait.column.key == key else "") for trait in self.TRAITS
        ]
        dialog = Choose("Sort by (the same one again turns it round)", options, now=key)
        self.app.push_screen(dialog, lambda one: one and self.sort_by(one))

    def action_sort_add(self) -> None:
        self.tell(f"{self.MANY[:1].upper()}{self.MANY[1:]} are sorted by one column, then by name; s chooses it.")

    def sort_by(self, key: str) -> None:
        """Sort by a column; the same one again turns it round."""
        self.source.sort_by(key)
        self.grid.sort = (self.source.sort,)
        if self.source.arrange():
            self.grid.order_changed()

    def action_refresh_now(self) -> None:
        self.app.spawn(self._refresh(), self.MANY)

    async def _refresh(self) -> None:
        await self.ask()
        if self.sentence:
            self.tell(self.sentence, "warning")

    # --- pages ---

    def action_more(self) -> None:
        """The next page of what the service finds."""
        if not self._asked:
            self.tell(f"All {self.MANY} are read at once; {self.EXAMPLE} is found page by page.")
        elif self.reading:
            self.tell("The page before is still being read.")
        elif not self.has_next:
            self.tell("That is all the service finds.")
        else:
            self.app.spawn(self._more(), self.MANY)

    async def _more(self) -> None:
        self.reading = True
        mine = self._asking
        self.say()
        try:
            await self._page(self.page + 1, mine)
        except FleetError as error:
            self.tell(error.sentence(), "warning")
        if mine == self._asking and not self.gone:
            self.reading = False
            await self.take()

    # --- one of them ---

    def open_record(self, item_id: str) -> None:
        """Everything that is said of one of them."""
        from mdm_tui.tui.screens.catalogue_record import RecordScreen

        self.app.push_screen(RecordScreen(self.session, self.TAB, self.ONE, item_id))

    def action_related(self) -> None:
        item = self.source.row(self.grid.cursor_id)
        if item is not None:
            self.app.spawn(show_rollouts(self, item), "rollouts")

    # --- out of here ---

    def _targets(self) -> list[Any]:
        ids = list(self.grid.marks) or ([self.grid.cursor_id] if self.grid.cursor_id is not None else [])
        return [item for item in map(self.source.row, ids) if item is not None]

    def action_copy(self) -> None:
        if items := self._targets():
            what = f"The {self.ONE}" if len(items) == 1 else f"{len(items):,} {self.MANY}"
            self.app.copy_text("\n".join(self.ticket(item) for item in items), what)

    def ticket(self, item: Any) -> str:
        """A line fit for a ticket."""
        raise NotImplementedError

    def action_export(self) -> None:
        ids = list(self.grid.marks) or [self.source.id_at(index) for index in range(self.source.count())]
        options = [("csv", "CSV", "for spreadsheets"), ("json", "JSON", "one array of objects")]
        what = f"marked {self.MANY}" if self.grid.marks else self.MANY
        dialog = Choose(f"Export {len(ids):,} {what}", options)
        self.app.push_screen(dialog, lambda kind: self._export_as(kind, ids))

    def _export_as(self, kind: str | None, ids: Sequence[str]) -> None:
        if kind:
            self.app.spawn(self._export(kind, ids), "export")

    async def _export(self, kind: str, ids: Sequence[str]) -> None:
        from mdm_tui.tui.screens import devices_export

        keys = ["id", *(trait.column.key for trait in self.TRAITS)]
        rows = [{"id": item.id, **self.source.plain(item)} for key in ids if (item := self.source.row(key)) is not None]
        make = devices_export.as_csv if kind == "csv" else devices_export.as_json
        now = self.app.now()
        try:
            path = await asyncio.to_thread(
                lambda: devices_export.write(Path.cwd(), self.KIND, kind, make(keys, rows), now)
            )
        except OSError as error:
            self.tell(f"Not written: {error.strerror or error}.", "error")
            return
        self.tell(f"{len(rows):,} {self.MANY} written to {path}")


async def show_rollouts(screen: Any, item: Any) -> None:
    """The rollouts that use an app or an image; one that is chosen is opened. In a task of `app.spawn`."""
    session, name = screen.session, clean(item.name, 60) or item.id
    if not session.can(Capability.ROLLOUTS):
        screen.tell(f"{session.factory.title} offers no rollouts through its API.", "warning")
        return
    try:
        # They are asked for anew: that nothing uses it must not be read from an old list.
        found = await session.rollouts.refresh()
    except FleetError as error:
        found = await session.rollouts.all()
        screen.tell(f"The rollouts could not be read anew: {error.sentence()}", "warning")
    refs = {item.id, *item.refs}
    using = [one for one in found if refs.intersection((*(app.app_id for app in one.apps), *one.images))]
    if screen.gone:
        return
    if not using:
        screen.tell(f"No rollout uses {name}.")
        return
    options = [(one.id, clean(one.name, 60) or one.id, _reach(one)) for one in using]
    title = f"{name} is in 1 rollout" if len(using) == 1 else f"{name} is in {len(using):,} rollouts"
    key = await answer(screen.app, Choose(title, options))
    if key:
        from mdm_tui.tui.screens.rollout import RolloutScreen

        screen.app.push_screen(RolloutScreen(session, key))


def _reach(rollout: Any) -> str:
    if rollout.enabled is False:
        return "disabled"
    if rollout.everyone:
        return "everyone"
    groups, devices = len(rollout.groups), len(rollout.devices)
    said = [f"{groups:,} group{'' if groups == 1 else 's'}"] if groups else []
    said += [f"{devices:,} device{'' if devices == 1 else 's'}"] if devices else []
    return ", ".join(said) or "nobody"
