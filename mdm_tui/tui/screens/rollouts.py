"""The Rollouts screen: all rollouts, whom they reach, what they install, how far they are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, ClassVar

from textual import events
from textual.app import ComposeResult

from mdm_tui.fleet.errors import FleetError
from mdm_tui.fleet.rollouts import APPLY_ORDER, Rollout, said
from mdm_tui.services.documents import is_new
from mdm_tui.tui.actions import bindings
from mdm_tui.tui.screens.held_screen import HeldListScreen
from mdm_tui.tui.screens.rollouts_actions import RolloutsActions
from mdm_tui.tui.screens.rollouts_source import COLUMNS, RolloutsSource, progress_words, reaches, repeats, starts
from mdm_tui.tui.widgets.grid import Grid
from mdm_tui.tui.widgets.lines import Part, part

__all__ = ["RolloutsScreen"]


class RolloutsScreen(RolloutsActions, HeldListScreen):
    """A grid of rollouts. What is held is shown at once; then the service is asked."""

    GROUPS: ClassVar[tuple[str, ...]] = ("rollouts", "list")
    HINTS: ClassVar[tuple[str, ...]] = (
        "grid.open", "new", "rollouts.act", "rollouts.related", "filter.open", "sort.by", "export", "refresh",
    )  # fmt: skip
    TAB: ClassVar[str] = "rollouts"
    NOUN: ClassVar[str] = "rollout"
    NOUNS: ClassVar[str] = "rollouts"
    EXPORTED: ClassVar[tuple[str, ...]] = (
        "id", "name", "enabled", "everyone", "groups", "devices", "reaches", "apps", "images", "order", "starts",
        "repeats", "progress", "writer", "created", "updated",
    )  # fmt: skip
    BINDINGS = bindings("rollouts")

    def __init__(self, session: Any) -> None:
        super().__init__(session, COLUMNS, RolloutsSource(lambda: self.app.now()), "rollouts")
        self.read_whole = False

    def body(self) -> ComposeResult:
        yield self.filter
        yield self.grid

    def on_mount(self) -> None:
        self.grid.empty = "Reading the rollouts…"
        self.grid.sort = (self.source.sort,)
        self.grid.focus()
        self.grid.order_changed()
        self.say()
        self.app.spawn(self._begin(), "rollouts")

    async def _begin(self) -> None:
        await self.take()
        await self.ask()

    # --- reading ---

    async def take(self) -> None:
        """Show what is held now."""
        held = await self.session.mirror.items(self.session.scope, Rollout, raw=False)
        rollouts = self.session.rollouts
        before, self.source.drafts = self.source.drafts, frozenset(await rollouts.drafts())
        if self.gone:
            return
        followed, self.source.followed = self.source.followed, dict(rollouts.followed)
        changed, moved = self.source.put(held)
        if moved:
            self.grid.order_changed()
        changed |= before ^ self.source.drafts
        changed |= {key for key, far in self.source.followed.items() if followed.get(key) != far}
        if changed:
            self.grid.rows_changed(changed)
        self.say()

    async def ask(self) -> None:
        """Ask the service for all of them."""
        try:
            await self.session.rollouts.refresh()
            self.sentence, self.read_whole = "", True
        except FleetError as error:
            self.sentence = error.sentence()
        if not self.gone:
            await self.take()

    def news(self, events: Sequence[object]) -> None:
        from mdm_tui.services import events as kinds

        if any(isinstance(event, kinds.ItemsChanged) and event.kind == "rollouts" for event in events):
            self.app.spawn(self.take(), "rollouts")

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        # Drafts and progress come and go in the editor, which tells nobody.
        self.app.spawn(self.take(), "rollouts")

    # --- saying ---

    def more_words(self) -> tuple[list[Part], list[Part]]:
        new = sum(1 for key in self.source.drafts if is_new(key))
        changed = len(self.source.drafts) - new
        words = [part(f"{new} unsaved new{'' if new == 1 else ' ones'} (+)   ", "warn")] if new else []
        if changed:
            words.insert(0, part(f"~ {changed} with unsaved text   ", "warn"))
        everyone = sum(1 for one in self.source.all() if one.everyone and one.enabled is not False)
        if everyone:
            words.append(part(f"{everyone} for everyone   ", "bad"))
        return [], words

    def nothing(self) -> str:
        return "There are no rollouts yet. + makes one." if self.read_whole else "Reading the rollouts…"

    def exported(self, row: Rollout) -> Sequence[object]:
        return (
            row.id, row.name, row.enabled, row.everyone, json.dumps(row.groups), json.dumps(row.devices),
            reaches(row)[0], json.dumps([app.app_id for app in row.apps]), json.dumps(row.images),
            said(row.options, APPLY_ORDER), starts(row), repeats(row),
            progress_words(self.source.followed.get(row.id)).strip("-"), row.writer, row.created_at, row.updated_at,
        )  # fmt: skip

    def on_grid_opened(self, message: Grid.Opened) -> None:
        self.open_rollout(message.row_id)
