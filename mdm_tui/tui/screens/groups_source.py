"""The rows of the Groups screen: what of the tree is open, or the groups that a filter finds. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from mdm_tui.fleet.groups import GroupTree, Node
from mdm_tui.fleet.text import clean, search_key
from mdm_tui.fleet.values import calm_age
from mdm_tui.tui.screens.held import Rows
from mdm_tui.tui.widgets.grid import Cell, Column
from mdm_tui.tui.widgets.grid_text import glyphs

__all__ = ["COLUMNS", "GroupsSource", "counted"]

COLUMNS: Final = (
    Column("name", "Group", 26, priority=0, flex=4, most=56),
    Column("devices", "Devices", 7, "right", priority=1),
    Column("total", "With below", 10, "right", priority=2),
    Column("enabled", "Enabled", 7, priority=4),
    Column("updated", "Changed", 7, "right", priority=3),
    Column("trouble", "Trouble", 14, priority=2, flex=3),
)


def counted(count: int | None) -> str:
    """A number of devices; `?` where the service does not say."""
    return "?" if count is None else f"{count:,}"


class GroupsSource(Rows):
    """Rows for the grid; the id of a row is the group's. `opened`: ids of the groups that are open, kept for good.

    Making the order costs what is open, painting what is in sight: nothing here walks the whole tree but a filter.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        super().__init__()
        self._now = now
        self.tree = GroupTree.build(())
        self.opened: set[str] = set()
        self.words = ""
        self._names: dict[str, str] | None = None
        self._begun = False

    # --- what the grid asks ---

    def cells(self, row_id: str, columns: Sequence[Column]) -> Sequence[Cell] | None:
        node = self.tree.get(row_id)
        return None if node is None else [self._cell(node, column.key) for column in columns]

    def glyph(self, row_id: str) -> Cell:
        node = self.tree.get(row_id)
        if node is None:
            return Cell(" ")
        if node.trouble:
            return Cell(glyphs().fault, "bad")
        return Cell(glyphs().disabled, "muted") if node.group.enabled is False else Cell(" ")

    def seek(self, index: int, step: int) -> int | None:
        """The next row with a trouble; in a filter the next match."""
        return self._next(index, step, lambda key: bool(self.words or self.tree.node(key).trouble))

    # --- what the screen asks ---

    def node(self, row_id: str | None) -> Node | None:
        """A group in its place; None where there is none."""
        return self.tree.get(row_id) if row_id is not None else None

    def ids(self) -> list[str]:
        """The rows, top to bottom."""
        return list(self._ids)

    def put(self, tree: GroupTree) -> tuple[set[str], bool]:
        """Take another tree. Answers which rows in view differ, and whether rows or their order do."""
        before, self.tree = self.tree, tree
        self._names = None
        if not self._begun and len(tree):
            self._begun = True
            # A single group on top says nothing by itself.
            if len(tree.roots) == 1:
                self.opened.add(tree.roots[0])
        self.opened.intersection_update({key for key in self.opened if key in tree})
        moved = self.arrange()
        return {key for key in self._ids if before.get(key) != tree.node(key)}, moved

    def arrange(self) -> bool:
        """Make the rows anew; whether they or their order changed."""
        return self._show(self._matches() if self.words.strip() else self.tree.visible(self.opened))

    def toggle(self, row_id: str, opened: bool | None = None) -> bool:
        """Open or close a group; whether anything changed."""
        node = self.tree.get(row_id)
        if node is None or not node.children or (row_id in self.opened) is opened:
            return False
        self.opened.symmetric_difference_update({row_id})
        return self.arrange()

    def toggle_whole(self, row_id: str) -> bool:
        """Open a group and all below it, or close them where all are open; whether anything changed."""
        inner = [key for key in (row_id, *self.tree.below(row_id)) if (node := self.tree.get(key)) and node.children]
        if self.opened.issuperset(inner):
            self.opened.difference_update(inner)
        else:
            self.opened.update(inner)
        return self.arrange()

    def reveal(self, row_id: str) -> bool:
        """Open what lies above a group; whether it can be seen then."""
        path = self.tree.path(row_id)
        self.opened.update(path[:-1])
        self.arrange()
        return bool(path)

    # --- inside ---

    def _matches(self) -> list[str]:
        if self._names is None:
            self._names = {key: search_key(self.tree.node(key).name) for key in self.tree.all()}
        words = search_key(self.words).split()
        return [key for key, name in self._names.items() if all(word in name for word in words)]

    def _cell(self, node: Node, key: str) -> Cell:
        group = node.group
        if key == "name":
            return Cell(self._name(node), "" if group.name else "muted")
        if key == "devices":
            return Cell(counted(node.devices), "" if node.devices else "muted")
        if key == "total":
            if not node.children:
                return Cell("")
            return Cell(counted(node.total) + ("+" if node.partly and node.total is not None else ""), "muted")
        if key == "enabled":
            said = "-" if group.enabled is None else "yes" if group.enabled else "no"
            return Cell(said, "" if group.enabled is False else "muted")
        if key == "updated":
            at = group.updated_at
            return Cell(calm_age(self._now() - at) if at is not None else "-", "muted")
        return Cell(clean(node.trouble, 300), "bad")

    def _name(self, node: Node) -> str:
        if self.words.strip():
            return clean(self.tree.path_text(node.id), 400)
        signs = glyphs()
        sign = (signs.opened if node.id in self.opened else signs.closed) if node.children else " "
        return f"{'  ' * node.depth}{sign} {clean(node.name, 200)}"
