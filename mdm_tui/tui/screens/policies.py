"""The Policies screen: all policies, or those of a segment, sorted, filtered, opened, assigned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from textual import events

from mdm_tui.fleet.errors import FleetError, Kind
from mdm_tui.fleet.provider import Scope
from mdm_tui.services.documents import is_new
from mdm_tui.tui.actions import bindings
from mdm_tui.tui.screens.held_screen import HeldListScreen
from mdm_tui.tui.screens.policies_actions import PoliciesActions
from mdm_tui.tui.screens.policies_source import COLUMNS, SORTS, PoliciesSource
from mdm_tui.tui.widgets.grid import Grid
from mdm_tui.tui.widgets.lines import Part, part

__all__ = ["PoliciesScreen"]

_PAGE = 100
_PAGES_MOST = 200


class PoliciesScreen(PoliciesActions, HeldListScreen):
    """A grid of policies. What is held is shown at once; then the service is asked."""

    GROUPS: ClassVar[tuple[str, ...]] = ("policies", "list")
    HINTS: ClassVar[tuple[str, ...]] = (
        "grid.open", "new", "policies.act", "filter.open", "sort.by", "export", "refresh",
    )  # fmt: skip
    TAB: ClassVar[str] = "policies"
    NOUN: ClassVar[str] = "policy"
    NOUNS: ClassVar[str] = "policies"
    EXPORTED: ClassVar[tuple[str, ...]] = (
        "id", "name", "version", "segment", "applications", "assets", "description",
    )  # fmt: skip
    BINDINGS = bindings("policies")

    def __init__(self, session: Any) -> None:
        super().__init__(session, COLUMNS, PoliciesSource(lambda: self.app.now()), "policies")
        self.scope: Scope | None = None
        self._asking = 0

    def on_mount(self) -> None:
        self.grid.empty = "Reading the policies…"
        self.scope = self.app.narrowed(self.session).scope
        self.source.served = None if self.scope is None else []
        self.grid.sort = (self.source.sort,)
        self.grid.focus()
        self.grid.order_changed()
        self.say()
        self.app.spawn(self._begin(), "policies")

    async def _begin(self) -> None:
        await self.take()
        await self.ask()
        try:
            self.source.segments = {segment.id: segment.name for segment in await self.session.devices.segments()}
        except FleetError:
            return
        if not self.gone:
            self.grid.rows_changed(self.in_view())

    # --- reading ---

    async def take(self) -> None:
        """Show what is held now."""
        policies = await self.session.mirror.policies(self.session.scope)
        before, self.source.drafts = self.source.drafts, frozenset(await self.session.policies.drafts())
        if self.gone:
            return
        changed, moved = self.source.put(policies)
        if moved:
            self.grid.order_changed()
        changed |= before ^ self.source.drafts
        if changed:
            self.grid.rows_changed(changed)
        self.say()

    async def ask(self) -> None:
        """Ask the service: for everything, or, in a segment, for its pages sorted and named as the screen is."""
        self._asking += 1
        mine = self._asking
        try:
            if self.scope is None:
                await self.session.policies.refresh()
                served = None
            else:
                served = await self._pages(mine)
            self.sentence = ""
        except FleetError as error:
            self.sentence = error.sentence()
            served = self.source.served
            if error.kind is Kind.NOT_FOUND and self.scope is not None:
                served = []
        if mine != self._asking or self.gone:
            return
        self.source.served = served
        await self.take()
        if self.source.arrange():
            self.grid.order_changed()
        self.say()

    async def _pages(self, mine: int) -> list[str]:
        key, down = self.source.sort
        sort = f"{SORTS[key]}:{'desc' if down else 'asc'}" if key in SORTS else ""
        found: list[str] = []
        for number in range(1, _PAGES_MOST):
            page = await self.session.policies.page(number, _PAGE, sort=sort, name=self.source.words, scope=self.scope)
            found.extend(policy.id for policy in page.items)
            if not page.has_next or not page.items or mine != self._asking:
                break
        return list(dict.fromkeys(found))

    def news(self, events: Sequence[object]) -> None:
        from mdm_tui.services import events as kinds

        if any(isinstance(event, kinds.PoliciesChanged) for event in events):
            self.app.spawn(self.take(), "policies")

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        # Drafts come and go in the editor, which tells nobody.
        self.app.spawn(self.take(), "policies")

    # --- saying ---

    def more_words(self) -> tuple[list[Part], list[Part]]:
        narrowed = [part(f"   segment {self.app.narrowed(self.session).name}", "info")] if self.scope else []
        new = sum(1 for key in self.source.drafts if is_new(key))
        changed = len(self.source.drafts) - new
        words = [part(f"~ {changed} with unsaved text   ", "warn")] if changed else []
        if new:
            words.append(part(f"{new} unsaved new{'' if new == 1 else ' ones'} (+)   ", "warn"))
        return narrowed, words

    def nothing(self) -> str:
        if self.scope is not None:
            name = self.app.narrowed(self.session).name
            return f"No policy is in segment {name}.\n:segment all shows all of them."
        return "There are no policies yet. + makes one."

    def exported(self, row: Any) -> Sequence[object]:
        return (row.id, row.name, row.version, row.segment_id, row.applications, row.assets, row.description)

    # --- what changes what is asked ---

    def filter_closed(self, *, applied: bool) -> None:
        self.sorted_anew()

    def sorted_anew(self) -> None:
        # In a segment the service sorts and finds.
        if self.scope is not None:
            self.app.spawn(self.ask(), "policies")

    def on_grid_opened(self, message: Grid.Opened) -> None:
        self.open_policy(message.row_id)

    def narrowed_anew(self) -> None:
        self.scope = self.app.narrowed(self.session).scope
        self.source.served = None if self.scope is None else []
        self.app.spawn(self.ask(), "policies")
