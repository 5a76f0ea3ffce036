"""What the Apps and Images screens share: a grid of what is held, filtered here or found by the service."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from mdm_tui.fleet.errors import FleetError
from mdm_tui.fleet.text import clean
from mdm_tui.fleet.values import age
from mdm_tui.tui.actions import bindings
from mdm_tui.tui.screens.catalogue_actions import CatalogueActions
from mdm_tui.tui.screens.catalogue_source import CatalogueSource, Trait
from mdm_tui.tui.screens.held_screen import HeldListScreen
from mdm_tui.tui.widgets.grid import Grid
from mdm_tui.tui.widgets.lines import Part, part

__all__ = ["CatalogueScreen"]


class CatalogueScreen(CatalogueActions, HeldListScreen):
    """A screen says what it shows: `KIND`, its words, `TRAITS` (the columns) and `FIELDS` (what the service finds by).

    Words are looked for in what is held. `field:value` is asked of the service on enter, page by page.
    """

    GROUPS: ClassVar[tuple[str, ...]] = ("catalogue", "list")
    HINTS: ClassVar[tuple[str, ...]] = (
        "grid.open", "filter.open", "rollouts.using", "sort.by", "copy", "export", "grid.wide", "refresh",
    )  # fmt: skip
    BINDINGS = bindings("catalogue")
    KIND: ClassVar[str] = ""
    TRAITS: ClassVar[tuple[Trait, ...]] = ()
    FIELDS: ClassVar[tuple[str, ...]] = ()
    EXAMPLE: ClassVar[str] = ""

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        cls.EXPORTED = ("id", *(trait.column.key for trait in cls.TRAITS))

    def __init__(self, session: Any) -> None:
        source = CatalogueSource(self.TRAITS, self.FIELDS, lambda: self.app.now())
        super().__init__(session, [trait.column for trait in self.TRAITS], source, self.KIND)
        self.at: float | None = None
        """When they were last read in this session."""
        self.reading = False
        self.total: int | None = None
        self.page = 0
        self.has_next = False
        self._asked = ""
        self._asking = 0

    # What the kinds do differently.

    async def held(self) -> list[Any]:
        """All that is held, from the mirror."""
        raise NotImplementedError

    async def reread(self) -> None:
        """Read all of them from the service."""
        raise NotImplementedError

    async def find(self, page: int) -> Any:
        """A page of what the service finds for the terms."""
        raise NotImplementedError

    # --- reading ---

    def on_mount(self) -> None:
        self.grid.sort = (self.source.sort,)
        self.grid.empty = f"Reading the {self.NOUNS}…"
        self.grid.focus()
        self.say()
        self.app.spawn(self._begin(), self.NOUNS)

    async def _begin(self) -> None:
        await self.take()
        await self.ask()

    async def take(self) -> None:
        """Show what is held now."""
        items = await self.held()
        if self.gone:
            return
        changed, moved = self.source.put(items)
        if moved:
            self.grid.order_changed()
        if changed:
            self.grid.rows_changed(changed)
        self.say()

    async def ask(self) -> None:
        """Ask the service: for all of them, or, while there are terms, for the first page it finds."""
        self._asking += 1
        mine = self._asking
        self.reading = True
        self.say()
        try:
            if self._asked:
                await self._page(1, mine)
            else:
                at = self.app.now()
                await self.reread()
                self.at = at
            sentence = ""
        except FleetError as error:
            sentence = error.sentence()
        if mine != self._asking or self.gone:
            return
        self.sentence, self.reading = sentence, False
        await self.take()

    async def _page(self, number: int, mine: int) -> None:
        page = await self.find(number)
        if mine != self._asking or self.gone:
            return
        known = self.source.served if number > 1 and self.source.served is not None else []
        self.source.served = list(dict.fromkeys([*known, *(item.id for item in page.items)]))
        self.page, self.total = number, page.total
        self.has_next = page.has_next and bool(page.items)

    def news(self, events: Sequence[object]) -> None:
        from mdm_tui.services.events import ItemsChanged

        if any(isinstance(event, ItemsChanged) and event.kind == self.KIND for event in events):
            self.app.spawn(self.take(), self.NOUNS)

    def aged(self) -> None:
        super().aged()
        self.say()

    # --- saying ---

    def say(self) -> None:
        """The line above the list."""
        text, terms = self.source.words.strip(), self.source.terms
        left: list[Part] = [part(" / ", "accent")]
        left.append(part(text, bold=True) if text else part(f"filter, or {self.EXAMPLE}", "muted"))
        right: list[Part] = []
        if terms.wrong:
            right.append(part(f"no field {terms.wrong[0]}; {', '.join(self.FIELDS)}   ", "warn"))
        elif terms.where and self._asked != text:
            right.append(part("enter asks the service   ", "info"))
        if self.sentence:
            old = f", as of {age(self.app.now() - self.at)} ago" if self.at is not None else ", as last seen"
            right.append(part(f"not {'found' if self._asked else 'read'} anew{old}   ", "warn"))
        elif note := self._note():
            right.append(part(f"{note}   ", "warn"))
        if self.reading:
            right.append(part("reading…   ", "info"))
        if self.source.served is not None:
            more = ", more with >" if self.has_next else ""
            found = f"{self.total:,}" if self.total is not None else "?"
            right.append(part(f"{len(self.source.served):,} of {found} found{more}   ", "info"))
        self.filter.say(left, [*right, *self.counted()])
        if not self.source.count() and self.grid.empty != (words := self.nothing()):
            self.grid.empty = words

    def _note(self) -> str:
        return clean(self.session.catalogue.notes.get(self.KIND, ""), 200)

    def nothing(self) -> str:
        if self.reading:
            return f"Reading the {self.NOUNS}…"
        if self.sentence:
            return f"The {self.NOUNS} could not be read: {clean(self.sentence, 400)}\nr tries again."
        if self.source.terms.wrong:
            return f"There is no field {self.source.terms.wrong[0]}: the service finds by {', '.join(self.FIELDS)}."
        if self.source.served is not None:
            words = clean(self.source.words, 100)
            why = "It may compare whole values; words alone look inside all that was read."
            return f"The service finds no {self.NOUN} for {words}\n{why}\nesc shows all of them."
        if self.source.words.strip():
            return f"No {self.NOUN} has all of: {clean(self.source.words.strip(), 100)}\nesc clears the filter."
        return f"Nobody has uploaded {self.NOUNS} yet; that is done in the service's own portal."

    def exported(self, row: Any) -> Sequence[object]:
        return (row.id, *self.source.plain(row).values())

    # --- the grid's and the filter's messages ---

    def on_grid_opened(self, message: Grid.Opened) -> None:
        self.open_record(message.row_id)

    def filter_by(self, text: str) -> None:
        """Look for words and terms in what is held; what the service found before is let go."""
        if self._asked and self._asked != text.strip():
            self._forget()
        super().filter_by(text)

    def filter_closed(self, *, applied: bool) -> None:
        if applied:
            self.find_terms()

    def find_terms(self) -> None:
        """Ask the service for the terms that are typed, if there are any."""
        terms = self.source.terms
        if terms.where and not terms.wrong:
            self._asked = self.source.words.strip()
            self.app.spawn(self.ask(), self.NOUNS)

    def _forget(self) -> None:
        self._asked, self.source.served, self.total, self.has_next = "", None, None, False
        self._asking += 1
        self.reading = False
        self.sentence = ""
