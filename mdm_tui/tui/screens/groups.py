"""The Groups screen: the tree of groups, opened level by level, searched, changed, and the way to their devices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from mdm_tui.fleet.errors import FleetError
from mdm_tui.fleet.text import clean
from mdm_tui.fleet.values import age
from mdm_tui.tui.actions import bindings
from mdm_tui.tui.screens.groups_actions import GroupsActions
from mdm_tui.tui.screens.groups_source import COLUMNS, GroupsSource
from mdm_tui.tui.screens.groups_text import pane, strip
from mdm_tui.tui.screens.list_screen import PreviewScreen
from mdm_tui.tui.widgets.lines import Line, Part, part
from mdm_tui.tui.widgets.tree_list import TreeList

__all__ = ["GroupsScreen"]


class GroupsScreen(GroupsActions, PreviewScreen):
    """A grid of what is open. The tree that is held is shown at once; then the service is asked."""

    GROUPS: ClassVar[tuple[str, ...]] = ("groups", "tree", "moves")
    HINTS: ClassVar[tuple[str, ...]] = (
        "grid.open", "group.devices", "group.new", "group.act", "group.rename", "filter.open", "group.whole", "refresh",
    )  # fmt: skip
    TAB: ClassVar[str] = "groups"
    BINDINGS = bindings("groups")
    BESIDE: ClassVar[bool] = True

    def __init__(self, session: Any) -> None:
        super().__init__(session)
        self.source = GroupsSource(lambda: self.app.now())
        self.grid = TreeList(COLUMNS, self.source, id="groups", empty="Reading the groups…")
        self.sentence = ""
        """Why the groups could not be read anew, "" when they could."""
        self.doing = ""
        """The change that is being sent, "" between changes."""
        self._wanted = ""

    def on_mount(self) -> None:
        self.grid.focus()
        self.say()
        self.app.spawn(self._begin(), "groups")

    async def _begin(self) -> None:
        await self.take()
        await self.ask()

    # --- reading ---

    async def take(self) -> None:
        """Show the tree as it is held now."""
        tree = await self.session.groups.tree()
        if self.gone:
            return
        changed, moved = self.source.put(tree)
        if moved:
            self.grid.order_changed()
        if changed:
            self.grid.rows_changed(changed)
        self._go_to_wanted()
        self.say()
        self.show_preview()

    async def ask(self) -> None:
        """Ask the service for all groups. What is held stays when that fails."""
        try:
            await self.session.groups.refresh()
            self.sentence = ""
        except FleetError as error:
            self.sentence = error.sentence()
        if not self.gone:
            await self.take()

    def news(self, events: Sequence[object]) -> None:
        from mdm_tui.services.events import ItemsChanged

        if any(isinstance(event, ItemsChanged) and event.kind == "groups" for event in events):
            self.app.spawn(self.take(), "groups")

    def aged(self) -> None:
        super().aged()
        self.say()

    # --- going ---

    def show_group(self, group_id: str) -> None:
        """Put the cursor on a group; when it is not known yet, as soon as it is."""
        self._wanted = group_id
        self._go_to_wanted()

    def _go_to_wanted(self) -> None:
        if self._wanted and self._wanted in self.source.tree:
            wanted, self._wanted = self._wanted, ""
            self.source.words = ""
            self.source.reveal(wanted)
            self.grid.order_changed()
            self.grid.move_cursor_to(wanted)

    # --- saying ---

    def say(self) -> None:
        """The line above the tree."""
        words, tree = self.source.words.strip(), self.source.tree
        left: list[Part] = [part(" / ", "accent")]
        left.append(part(words, bold=True) if words else part("filter by name", "muted"))
        right: list[Part] = []
        if self.doing:
            right.append(part(f"{self.doing}…   ", "info"))
        if self.sentence:
            at = self.session.groups.at
            old = f", as of {age(self.app.now() - at)} ago" if at is not None else ", as last seen"
            right.append(part(f"not read anew{old}   ", "warn"))
        if trouble := len(tree.troubled()):
            right.append(part(f"{trouble:,} with trouble (n)   ", "bad"))
        first, last, count = self.grid.position
        many = f"{count:,} of {len(tree):,} groups" if words else f"{len(tree):,} groups"
        right.append(part(many, "text" if words else "muted"))
        right.append(part(f" · {first:,}-{last:,} " if last else " ", "muted"))
        self.filter.say(left, right)
        empty = self._nothing()
        if self.grid.empty != empty:
            self.grid.empty = empty

    def _nothing(self) -> str:
        if self.source.words.strip():
            return f"No group is called like that: {clean(self.source.words.strip(), 100)}\nesc clears the filter."
        if self.sentence:
            return f"The groups could not be read: {clean(self.sentence, 400)}\nr tries again."
        if self.session.groups.at is None:
            return "Reading the groups…"
        return "This site has no groups yet.\n+ makes the first one."

    def preview_lines(self) -> Sequence[Line]:
        node = self.source.node(self.grid.cursor_id)
        if node is None:
            return []
        make = pane if self.preview.pane else strip
        known = self.session.groups.known(node.id)
        return make(self.source.tree, node, self.app.now(), known, self.preview.size.width)

    # --- the grid's and the filter's messages ---

    def on_grid_opened(self, event: TreeList.Opened) -> None:
        event.stop()
        node = self.source.node(event.row_id)
        if node is None:
            return
        if not node.children:
            self.open_devices(node.id)
        elif self.source.words.strip():
            self.source.opened.add(node.id)
            self.show_group(node.id)
            self.say()
        else:
            self._toggle(node.id, None)

    def on_tree_list_unfolded(self, event: TreeList.Unfolded) -> None:
        event.stop()
        node = self.source.node(event.row_id)
        if node is None or self.source.words.strip():
            return
        if not self._toggle(node.id, True) and node.children:
            self.grid.move_cursor(self.grid.cursor_index + 1)

    def on_tree_list_folded(self, event: TreeList.Folded) -> None:
        event.stop()
        node = self.source.node(event.row_id)
        if node is None or self.source.words.strip():
            return
        if not self._toggle(node.id, False) and node.parent:
            self.grid.move_cursor_to(node.parent)

    def _toggle(self, row_id: str, opened: bool | None) -> bool:
        if not self.source.toggle(row_id, opened):
            return False
        self.grid.order_changed()
        self.grid.rows_changed([row_id])
        self.say()
        return True

    def filter_by(self, text: str) -> None:
        """Show the groups whose names hold all these words, each with its path; "" shows the tree again."""
        before, self.source.words = self.source.words, clean(text, 256)
        if before.strip() and not text.strip() and self.grid.cursor_id is not None:
            # Out of the filter: to the same group in its place.
            self.show_group(self.grid.cursor_id)
        elif self.source.arrange():
            self.grid.order_changed()
            if text.strip():
                self.grid.move_cursor(0)
        # The same row is painted otherwise in the tree and in a filter.
        self.grid.rows_changed(self.source.ids())
        self.say()
