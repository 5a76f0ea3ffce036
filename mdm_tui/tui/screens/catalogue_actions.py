"""What a person can do on the Apps and Images screens. Mixed into `CatalogueScreen`, which has the state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from mdm_tui.fleet.errors import FleetError
from mdm_tui.fleet.provider import Capability
from mdm_tui.fleet.text import clean
from mdm_tui.tui.screens.ask import Choose
from mdm_tui.tui.screens.dialogs import answer

if TYPE_CHECKING:
    from mdm_tui.tui.screens.catalogue_source import CatalogueSource
    from mdm_tui.tui.screens.held_screen import HeldListScreen as _Base
else:
    _Base = object

__all__ = ["CatalogueActions", "show_rollouts"]


class CatalogueActions(_Base):
    """The actions of the group `catalogue`."""

    if TYPE_CHECKING:
        source: CatalogueSource
        EXAMPLE: ClassVar[str]
        reading: bool
        page: int
        has_next: bool
        _asked: str
        _asking: int

        async def ask(self) -> None: ...
        async def take(self) -> None: ...
        async def _page(self, number: int, mine: int) -> None: ...

    def action_sort_add(self) -> None:
        self.tell(f"{self.NOUNS.capitalize()} are sorted by one column, then by name; s chooses it.")

    def action_refresh_now(self) -> None:
        self.app.spawn(self._refresh(), self.NOUNS)

    async def _refresh(self) -> None:
        await self.ask()
        if self.sentence:
            self.tell(self.sentence, "warning")

    # --- pages ---

    def action_more(self) -> None:
        """The next page of what the service finds."""
        if not self._asked:
            self.tell(f"All {self.NOUNS} are read at once; {self.EXAMPLE} is found page by page.")
        elif self.reading:
            self.tell("The page before is still being read.")
        elif not self.has_next:
            self.tell("That is all the service finds.")
        else:
            self.app.spawn(self._more(), self.NOUNS)

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

        self.app.push_screen(RecordScreen(self.session, self.TAB, self.NOUN, item_id))

    def action_related(self) -> None:
        item = self.source.row(self.grid.cursor_id)
        if item is not None:
            self.app.spawn(show_rollouts(self, item), "rollouts")

    # --- out of here ---

    def action_copy(self) -> None:
        if items := self.targets():
            what = f"The {self.NOUN}" if len(items) == 1 else f"{len(items):,} {self.NOUNS}"
            self.app.copy_text("\n".join(self.ticket(item) for item in items), what)

    def ticket(self, item: Any) -> str:
        """A line fit for a ticket."""
        raise NotImplementedError


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
