"""What the rollout editor finds out and follows: whom a rollout reaches, which images, conflicts, its progress."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mdm_tui.fleet.errors import FleetError
from mdm_tui.fleet.rollout_words import waiting
from mdm_tui.tui.screens.rollout_confirm import Telling
from mdm_tui.tui.screens.rollout_lines import progress_parts, reach_parts, told
from mdm_tui.tui.screens.rollout_rows import ProgressSource, ReachSource, reach_rows
from mdm_tui.tui.widgets.grid import Grid
from mdm_tui.tui.widgets.lines import Lines, part

if TYPE_CHECKING:
    from mdm_tui.fleet.conflicts import Clash
    from mdm_tui.fleet.matching import Prediction
    from mdm_tui.fleet.rollouts import Rollout
    from mdm_tui.tui.screens.document import DocumentScreen as _Base
    from mdm_tui.tui.screens.rollout_form import Known
else:
    _Base = object

__all__ = ["RolloutFindings"]

_FACTS = ("name", "serial", "groupid")
# From so many rows on they are made in a thread.
_MANY = 2_000
_SUMMARY_ROWS = 6


class RolloutFindings(_Base):
    """Resolving and following, each stopped when nobody looks at it any more."""

    if TYPE_CHECKING:
        document: dict[str, Any] | None
        known: Known

        @property
        def rollout(self) -> Rollout: ...

    def start_findings(self) -> None:
        """Nothing is found out yet."""
        self.reach: Any = None
        self.prediction: Prediction | None = None
        self.clashes: Sequence[Clash] | None = None
        self.progress: Any = None
        self.device_names: Mapping[str, str] = {}
        self.working = ""
        self.trouble = ""
        self.reach_source = ReachSource()
        self.progress_source = ProgressSource(lambda: self.app.now())
        self._of: tuple[Any, ...] | None = None
        self._stop: asyncio.Event | None = None
        self._found = 0
        self._watching: asyncio.Task[Any] | None = None

    # --- names ---

    async def learn(self, *, fresh: bool = False) -> None:
        """Names for groups, apps and images; fresh: read anew, and what cannot be read is as last seen."""
        catalogue, groups = self.session.catalogue, self.session.groups
        for read in (groups.refresh, catalogue.refresh_apps, catalogue.refresh_images) if fresh else ():
            try:
                await read()
            except FleetError:
                # The check says of what is missing that it may only not have been read.
                continue
        tree, apps, images = await groups.tree(), await catalogue.apps(), await catalogue.images()
        self.known.tree = tree
        self.known.apps = {ref: app for app in apps for ref in (app.id, *app.refs)}
        self.known.images = {ref: image for image in images for ref in (image.id, *image.refs)}
        self.show_side()

    # --- work that can be stopped ---

    def begin_work(self) -> asyncio.Event:
        """A longer work begins; esc stops it."""
        self._stop = asyncio.Event()
        return self._stop

    def end_work(self) -> None:
        """It ended."""
        self._stop = None

    def escape(self) -> bool:
        if self._stop is not None and not self._stop.is_set():
            self._stop.set()
            return True
        return super().escape()

    # --- whom it reaches ---

    def _scope(self) -> tuple[Any, ...]:
        rollout = self.rollout
        return (rollout.everyone, rollout.groups, rollout.devices)

    @property
    def stale(self) -> bool:
        """Whether the scope is another one than the one that was resolved."""
        return self.reach is not None and self._of != self._scope()

    def forget(self) -> None:
        """What was found out may be true no more."""
        self._of = None
        if self.view in ("reach", "images", "conflicts"):
            self.app.spawn(self.find_out(), "reach")

    async def find_out(self) -> None:
        """Resolve the scope where that is not done, then predict and compare. A later call makes this one worthless."""
        if self.document is None or self.gone:
            return
        self._found += 1
        mine, document, scope = self._found, self.document, self._scope()
        if self._stop is not None:
            self._stop.set()
        if self.reach is None or self._of != scope or not self.reach.complete:
            stop = self.begin_work()
            try:
                reach = await self.service.resolve(document, Telling(self._say_working), stop)
            finally:
                if self._stop is stop:
                    self.end_work()
                    self._say_working("")
            if mine != self._found or self.gone:
                return
            await self._take_reach(reach, scope)
        known_as = "" if self.new else self.document_id
        try:
            prediction = await self.service.choices(document, self.reach)
            clashes = await self.service.conflicts(document, known_as, self.reach)
        except FleetError as error:
            self.say(error.sentence(), "bad")
            return
        if mine == self._found and not self.gone:
            self.prediction, self.clashes = prediction, clashes
            self.show_side()
            self.tick()

    async def _take_reach(self, reach: Any, scope: tuple[Any, ...]) -> None:
        facts = await self.session.mirror.facts(self.session.scope, _FACTS)
        many = len(reach.devices) + len(reach.entries) > _MANY
        rows = await asyncio.to_thread(reach_rows, reach, facts) if many else reach_rows(reach, facts)
        self.reach, self._of, self.known.reach = reach, scope, reach
        self.device_names = {device: str(values[0] or device) for device, values in facts.items()}
        self.known.devices = self.device_names
        if self.gone:
            return
        self.reach_source.put(rows)
        grid = self.query_one("#reach", Grid)
        grid.empty = "It reaches nobody: add groups or devices in the form, or everyone."
        grid.order_changed()
        self.show_side()
        self.tick()

    def _say_working(self, words: str) -> None:
        self.working = words
        if not self.gone:
            self.show_summary()
            if self.view in ("images", "conflicts"):
                self.show_side()

    def show_summary(self) -> None:
        """The lines over a list; there only where there is a list."""
        summary = self.query_one("#summary", Lines)
        summary.display = self.view in ("reach", "progress")
        if not summary.display:
            return
        if self.view == "reach":
            lines = reach_parts(self.reach, working=self.working, stale=self.stale)
        elif self.trouble or self.progress is None:
            lines = [[part(f" {self.trouble or 'Reading how far it is…'}", "warn" if self.trouble else "muted")]]
        else:
            lines = progress_parts(self.progress, self.known.apps, summary.size.width or self.app.size.width)
            if any(row.state == "waiting" for row in self.progress.devices):
                said = told(f"{waiting(self.rollout)}.", summary.size.width or self.app.size.width)
                lines[_SUMMARY_ROWS - len(said) :] = [[part(f" {line.text.strip()}", "muted")] for line in said]
        summary.styles.height = max(1, min(_SUMMARY_ROWS, len(lines)))
        summary.show(lines)

    # --- how far it is ---

    def follow(self, on: bool) -> None:
        """Read the progress again and again, or end that."""
        if self._watching is not None:
            self._watching.cancel()
            self._watching = None
        if not on:
            return
        if self.new:
            self.trouble = "The service does not have it yet: there is nothing to follow."
            self.query_one("#progress", Grid).empty = self.trouble
            self.show_summary()
            return
        self.query_one("#progress", Grid).empty = "Nothing to show yet."
        self._watching = self.app.spawn(self._watch(), "progress")

    async def _watch(self) -> None:
        try:
            async for progress in self.service.watch(self.document_id, self._in_sight):
                if self.gone:
                    return
                self.trouble = ""
                self._take_progress(progress)
        except FleetError as error:
            self.trouble = f"{error.sentence()} r tries again."
            if not self.gone:
                self.show_summary()

    def _take_progress(self, progress: Any) -> None:
        self.progress = progress
        changed, moved = self.progress_source.put(progress.devices)
        grid = self.query_one("#progress", Grid)
        grid.empty = "It reaches no device that is known here."
        if moved or not progress.devices:
            grid.order_changed()
        if changed:
            grid.rows_changed(changed)
        self.show_summary()

    def _in_sight(self) -> list[str]:
        first, last, _count = self.query_one("#progress", Grid).position
        return [self.progress_source.id_at(at) for at in range(max(first - 1, 0), last)]

    def on_screen_suspend(self) -> None:
        """Nobody looks at it: nothing is asked for it."""
        self.follow(False)

    def on_screen_resume(self, event: Any) -> None:
        if self.opened is not None and self.view == "progress":
            self.follow(True)

    # --- keys ---

    def action_refresh_now(self) -> None:
        if self.view == "progress":
            self.follow(True)
        elif self.view in ("reach", "images", "conflicts"):
            self._of = None
            self.app.spawn(self.find_out(), "reach")
        else:
            self.tell("F5 reads the service's copy; r reads reach, images, conflicts and progress anew.")

    def on_grid_opened(self, message: Grid.Opened) -> None:
        """enter on a device opens it."""
        if message.grid.id == "progress":
            self.app.open_device(message.row_id, self.session)
            return
        row = self.reach_source.row(message.row_id)
        if row is not None and row.device:
            self.app.open_device(row.device, self.session)
        elif row is not None:
            self.tell("delete takes it out of the scope." if row.out else "There is nothing to open.")

    def on_grid_view_changed(self, message: Grid.ViewChanged) -> None:
        """Devices that come into sight are read with the next look."""
