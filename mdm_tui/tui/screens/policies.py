"""The Policies screen: all policies, or those of a segment, sorted, filtered, opened, assigned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from textual import events
from textual.app import ComposeResult

from mdm_tui.fleet.errors import FleetError, Kind
from mdm_tui.fleet.provider import Scope
from mdm_tui.fleet.text import clean
from mdm_tui.tui.actions import bindings
from mdm_tui.tui.screens.base import FleetScreen, List
from mdm_tui.tui.screens.policies_actions import PoliciesActions
from mdm_tui.tui.screens.policies_source import COLUMNS, SORTS, PoliciesSource
from mdm_tui.tui.widgets.filter_line import FilterLine
from mdm_tui.tui.widgets.grid import Grid
from mdm_tui.tui.widgets.lines import Part, part

__all__ = ["PoliciesScreen"]

_PAGE = 100
_PAGES_MOST = 200


class PoliciesScreen(PoliciesActions, FleetScreen):
    """A grid of policies. What is held is shown at once; then the service is asked."""

    GROUPS: ClassVar[tuple[str, ...]] = ("policies", "list")
    HINTS: ClassVar[tuple[str, ...]] = (
        "grid.open", "new", "policies.act", "filter.open", "sort.by", "export", "refresh",
    )  # fmt: skip
    TAB: ClassVar[str] = "policies"
    BINDINGS = bindings("policies")

    def __init__(self, session: Any) -> None:
        super().__init__(session)
        self.source = PoliciesSource(lambda: self.app.now())
        self.grid = List(COLUMNS, self.source, id="policies")
        self.filter = FilterLine(id="filter")
        self.scope: Scope | None = None
        self.sentence = ""
        self._asking = 0
        self._ticked = 0.0

    def body(self) -> ComposeResult:
        yield self.filter
        yield self.grid

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
            self.grid.rows_changed([self.source.id_at(index) for index in range(self.source.count())])

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

    def tick(self) -> None:
        now = self.app.now()
        if now - self._ticked >= 30 or now < self._ticked:
            self._ticked = now
            first, last, _count = self.grid.position
            self.grid.rows_changed([self.source.id_at(index) for index in range(max(first - 1, 0), last)])

    # --- saying ---

    def say(self) -> None:
        """The line above the list."""
        left: list[Part] = [part(" / ", "accent")]
        left.append(part(self.source.words, bold=True) if self.source.words else part("filter", "muted"))
        if self.scope is not None:
            left.append(part(f"   segment {self.app.narrowed(self.session).name}", "info"))
        right: list[Part] = []
        if self.sentence:
            right.append(part("not read anew ", "warn"))
        new = sum(1 for key in self.source.drafts if key.startswith("new:"))
        if new:
            right.append(part(f"{new} unsaved new{'' if new == 1 else ' ones'} (+)   ", "warn"))
        if len(self.grid.marks):
            right.append(part(f"{len(self.grid.marks):,} marked   ", "marked"))
        first, last, count = self.grid.position
        where = f"{first:,}-{last:,} of {count:,}" if count else "none shown"
        right += [part(where, "muted"), part(" ")]
        self.filter.say(left, right)
        if not self.source.count():
            self.grid.empty = self._nothing()

    def _nothing(self) -> str:
        if self.sentence:
            return clean(self.sentence, 400)
        if self.source.words:
            return "No policy matches; esc clears the filter."
        if self.scope is not None:
            name = self.app.narrowed(self.session).name
            return f"No policy is in segment {name}.\n:segment all shows all of them."
        return "There are no policies yet. + makes one."

    def on_grid_view_changed(self, message: Grid.ViewChanged) -> None:
        self.say()

    def on_grid_marks_changed(self, message: Grid.MarksChanged) -> None:
        self.say()

    def on_grid_opened(self, message: Grid.Opened) -> None:
        self.open_policy(message.row_id)

    # --- filter ---

    def on_filter_line_changed(self, message: FilterLine.Changed) -> None:
        self.filter_by(message.text)

    async def on_filter_line_closed(self, message: FilterLine.Closed) -> None:
        self.filter_by(message.text if message.applied else "")
        await self.filter.close()
        self.grid.focus()
        if self.scope is not None:
            self.app.spawn(self.ask(), "policies")

    def filter_by(self, text: str) -> None:
        """Show the policies that hold all these words."""
        self.source.words = clean(text, 256).strip()
        if self.source.arrange():
            self.grid.order_changed()
        self.say()

    def escape(self) -> bool:
        if self.source.words:
            self.filter_by("")
            return True
        return False

    def narrowed_anew(self) -> None:
        self.scope = self.app.narrowed(self.session).scope
        self.source.served = None if self.scope is None else []
        self.app.spawn(self.ask(), "policies")
