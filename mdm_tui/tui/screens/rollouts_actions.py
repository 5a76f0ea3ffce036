"""What a person can do on the Rollouts screen. Mixed into `RolloutsScreen`, which has the state."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from mdm_tui.fleet.errors import FleetError
from mdm_tui.fleet.text import clean
from mdm_tui.services.documents import is_new
from mdm_tui.tui.screens.base import refusal
from mdm_tui.tui.screens.dialogs import Item, Search, answer, filtered
from mdm_tui.tui.screens.rollouts_source import reaches

if TYPE_CHECKING:
    from mdm_tui.fleet.rollouts import Rollout
    from mdm_tui.tui.screens.held_screen import HeldListScreen as _Base
else:
    _Base = object

__all__ = ["RolloutsActions"]


class RolloutsActions(_Base):
    """The actions of the group `rollouts`."""

    if TYPE_CHECKING:

        async def ask(self) -> None: ...
        async def take(self) -> None: ...

    @property
    def _under(self) -> Rollout | None:
        return self.source.row(self.grid.cursor_id)

    def action_refresh_now(self) -> None:
        self.app.spawn(self._refresh(), "rollouts")

    async def _refresh(self) -> None:
        await self.ask()
        if self.sentence:
            self.tell(self.sentence, "warning")

    # --- opening ---

    def open_rollout(self, rollout_id: str, view: str = "") -> None:
        """The rollout's screen over this one."""
        from mdm_tui.tui.screens.rollout import RolloutScreen

        held = self.source.row(rollout_id)
        if held is not None and held.unreadable:
            self.tell(f"{clean(held.name, 60)} cannot be opened: {clean(held.unreadable, 200)}", "warning")
            return
        self.app.push_screen(RolloutScreen(self.session, rollout_id, view=view))

    def show_rollout(self, rollout_id: str) -> None:
        """Open one and leave the cursor on it."""
        self.grid.move_cursor_to(rollout_id)
        self.open_rollout(rollout_id)

    def action_edit(self) -> None:
        if self.grid.cursor_id is not None:
            self.warn_locked()
            self.open_rollout(self.grid.cursor_id)

    def action_new(self) -> None:
        self.warn_locked()
        self.app.spawn(self._new(), "new rollout")

    async def _new(self) -> None:
        """From nothing, from another rollout, or an unsaved one of before."""
        from mdm_tui.tui.screens.rollout import RolloutScreen

        items = [Item("empty", "An empty rollout", "it reaches nobody yet")]
        items += [Item(key, "An unsaved new rollout", "kept from before") for key in self.source.drafts if is_new(key)]
        under = self._under
        if under is not None and not under.unreadable:
            items.append(Item("copy", f"A copy of {clean(under.name, 60)}"))
        key = await answer(self.app, Search("A new rollout from", filtered(items)))
        if key is None:
            return
        if is_new(key):
            self.open_rollout(key)
        elif key == "copy":
            await self._copy()
        else:
            self.app.push_screen(RolloutScreen(self.session, opened=self.session.rollouts.new()))

    def action_duplicate(self) -> None:
        """A new rollout that begins as the one under the cursor."""
        self.warn_locked()
        self.app.spawn(self._copy(), "copy rollout")

    async def _copy(self) -> None:
        from mdm_tui.fleet.rollouts import Rollout
        from mdm_tui.tui.screens.rollout import RolloutScreen

        under = self._under
        if under is None:
            return
        # The rows of the list are without their documents.
        held = await self.session.mirror.item(self.session.scope, Rollout, under.id)
        if held is None:
            self.tell(f"{clean(under.name, 60)} is not at the service any more.", "warning")
            return
        self.app.push_screen(RolloutScreen(self.session, opened=self.session.rollouts.new(held)))

    # --- acting ---

    def action_act(self) -> None:
        """What can be done with the rollout under the cursor."""
        from mdm_tui.tui.screens.ask import Choose

        under = self._under
        if under is None:
            self.tell("No rollout is under the cursor; + makes one.")
            return
        switch = ("disable", "Disable", "it is saved whole, after a look at what that does")
        if under.enabled is False:
            switch = ("enable", "Enable", "it is saved whole, after a look at what that does")
        options = [
            ("open", "Open", "to edit it"),
            ("progress", "How far it is", "read from its devices"),
            ("duplicate", "Copy", "a new one that begins as this one"),
            switch,
        ]
        does = {
            "open": self.action_edit,
            "progress": lambda: self.open_rollout(under.id, "progress"),
            "duplicate": self.action_duplicate,
            "enable": lambda: self.switch(under, True),
            "disable": lambda: self.switch(under, False),
        }
        self.app.push_screen(Choose(clean(under.name, 40), options), lambda key: does[key]() if key else None)

    def action_related(self) -> None:
        """What the rollout reaches and installs."""
        from mdm_tui.tui.screens.ask import Choose

        under = self._under
        if under is None:
            return
        options = [
            ("reach", "Devices it reaches", reaches(under)[0]),
            ("images", "Images its devices will get", f"{len(under.images):,} in it"),
            ("conflicts", "Rollouts that want something else", "of the same devices"),
            ("go.apps", "All apps of the service", f"{len(under.apps):,} in this rollout"),
            ("go.images", "All images of the service", ""),
        ]
        self.app.push_screen(Choose(clean(under.name, 40), options), lambda key: key and self._go(under.id, key))

    def _go(self, rollout_id: str, key: str) -> None:
        if key.startswith("go."):
            self.app.spawn(self.app.go_to(self.session, key.removeprefix("go.")), "go")
        else:
            self.open_rollout(rollout_id, key)

    def switch(self, rollout: Rollout, on: bool) -> None:
        """Enable or disable it: an edit, saved whole."""
        if sentence := refusal(self.session, "Nothing can be saved"):
            self.tell(sentence, "warning")
            return
        self.app.spawn(self._switch(rollout, on), "switch rollout")

    async def _switch(self, rollout: Rollout, on: bool) -> None:
        from mdm_tui.services.rollouts import Changed
        from mdm_tui.tui.screens.rollout_confirm import plan_and_save

        rollouts, name = self.session.rollouts, clean(rollout.name, 60)
        try:
            opened = await rollouts.open(rollout.id)
            if opened.draft is not None and opened.draft != opened.base:
                self.tell(f"{name} has unsaved changes: open it, and save or drop them first.", "warning")
                return
            if opened.stale:
                self.tell(f"Nothing was sent. {clean(opened.stale, 300)}", "warning")
                return
            text = json.dumps(rollouts.form.put(json.loads(opened.base), "enabled", on))
            saved = await plan_and_save(self.app, self.session, rollout.id, text, opened.base, self.notice)
        except FleetError as error:
            self.tell(f"{name}: {error.sentence()}", "error")
            return
        finally:
            self.notice("")
        if saved is None:
            return
        if isinstance(saved, Changed):
            self.tell(f"Nothing was sent: somebody changed {name} meanwhile. Look at it again.", "warning")
        elif saved.differs:
            places = ", ".join(clean(item.pointer, 60) for item in saved.differs[:5])
            self.tell(f"{name} is saved, but the service holds something else in {places}.", "warning")
        else:
            self.tell(f"{name} is {'enabled' if on else 'disabled'}, and read back.")
        if not self.gone:
            await self.take()

    def notice(self, sentence: str, role: str = "muted") -> None:
        """What is being found out, in the line above the list."""
        if self.gone:
            return
        if sentence:
            from mdm_tui.tui.widgets.lines import part

            self.filter.say([part(f" {sentence}", role)], [])
        else:
            self.say()

    # --- copying ---

    def action_copy(self) -> None:
        rollouts = self.targets()
        if rollouts:
            lines = []
            for one in rollouts:
                on = "disabled" if one.enabled is False else "enabled"
                lines.append(f"{one.name}, {on}, reaches {reaches(one)[0]}, id {one.id}")
            what = "The rollout" if len(lines) == 1 else f"{len(lines)} rollouts"
            self.app.copy_text("\n".join(lines), what)
