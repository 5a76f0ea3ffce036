"""What a person can do on the Groups screen. Mixed into `GroupsScreen`, which has the state."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from mdm_tui.fleet.errors import FleetError
from mdm_tui.fleet.groups import GroupTree, Node
from mdm_tui.fleet.provider import Capability
from mdm_tui.fleet.text import clean
from mdm_tui.fleet.values import show_time
from mdm_tui.tui.screens.ask import Ask, Choose
from mdm_tui.tui.screens.base import refusal
from mdm_tui.tui.screens.dialogs import Prompt, Typed, answer
from mdm_tui.tui.screens.groups_choose import TOP, choose_group
from mdm_tui.tui.screens.groups_source import counted
from mdm_tui.tui.screens.groups_text import devices_words, held_words

if TYPE_CHECKING:
    from mdm_tui.services.group_edit import GroupSaved
    from mdm_tui.tui.screens.groups_source import GroupsSource
    from mdm_tui.tui.screens.list_screen import PreviewScreen as _Base
else:
    _Base = object

__all__ = ["GroupsActions"]


class GroupsActions(_Base):
    """The actions of the group `groups`."""

    if TYPE_CHECKING:
        source: GroupsSource
        sentence: str
        doing: str

        async def ask(self) -> None: ...
        async def take(self) -> None: ...
        def show_group(self, group_id: str) -> None: ...

    # --- looking ---

    def action_refresh_now(self) -> None:
        self.app.spawn(self._refresh(), "groups")

    async def _refresh(self) -> None:
        await self.ask()
        if self.sentence:
            self.tell(self.sentence, "warning")

    def action_open_all(self) -> None:
        """Open the group under the cursor with all below it, or close them."""
        if self.grid.cursor_id is not None and not self.source.words.strip():
            if self.source.toggle_whole(self.grid.cursor_id):
                self.grid.order_changed()
            self.grid.rows_changed(self.source.ids())
            self.say()

    # --- the devices ---

    def action_devices(self) -> None:
        if self.grid.cursor_id is not None:
            self.open_devices(self.grid.cursor_id)

    def open_devices(self, group_id: str) -> None:
        """The devices of a group; where groups lie below it, after asking whether theirs are meant too."""
        node = self.source.node(group_id)
        if node is None:
            return
        below = self.source.tree.below(group_id)
        if not below:
            self._show_devices((group_id,))
            return
        many = "the group below" if len(below) == 1 else f"the {len(below):,} groups below"
        options = [
            ("own", "Directly in it", f"{counted(node.devices)} devices, as the service counts"),
            ("below", f"With {many}", f"{counted(node.total)} devices, read group by group"),
        ]
        dialog = Choose(f"The devices of {clean(node.name, 40)}", options)
        chosen = {"own": (group_id,), "below": (group_id, *below)}
        self.app.push_screen(dialog, lambda key: self._show_devices(chosen[key]) if key else None)

    def _show_devices(self, group_ids: tuple[str, ...]) -> None:
        from mdm_tui.tui.screens.groups_devices import GroupDevicesScreen

        self.app.push_screen(GroupDevicesScreen(self.session, group_ids, self.source.tree.path_text(group_ids[0])))

    # --- acting ---

    def action_act(self) -> None:
        """What can be done with the group under the cursor."""
        seen, node = self.source.tree, self.source.node(self.grid.cursor_id)
        options: list[tuple[str, str, str]] = []
        edits, can = self.session.can(Capability.GROUP_EDIT), self.session.can
        if node is not None:
            options.append(("devices", "Show its devices", devices_words(node)))
            if edits:
                options += [("rename", "Rename", ""), ("move", "Move", "below another group, or to the top")]
            if can(Capability.GROUP_DELETE):
                options.append(("delete", "Delete", "an empty one, after its name was typed"))
        options += self._new_options(node)
        if not options:
            self.tell(f"{self.session.factory.title} lets nobody change groups through its API.", "warning")
            return
        title = "Groups" if node is None else clean(node.name, 40)
        self.app.push_screen(Choose(title, options), lambda key: self._do(key, node, seen) if key else None)

    def action_new(self) -> None:
        """A group below the one under the cursor or at the top, or devices to register."""
        seen, node = self.source.tree, self.source.node(self.grid.cursor_id)
        options = self._new_options(node)
        if not options:
            self.tell(f"{self.session.factory.title} lets nobody make groups through its API.", "warning")
        elif len(options) == 1:
            self._do(options[0][0], node, seen)
        else:
            self.app.push_screen(
                Choose("What is new?", options), lambda key: self._do(key, node, seen) if key else None
            )

    def _new_options(self, node: Node | None) -> list[tuple[str, str, str]]:
        options: list[tuple[str, str, str]] = []
        if self.session.can(Capability.GROUP_EDIT):
            if node is not None and not node.group.unreadable:
                options.append(("new", "A group below it", clean(self.source.tree.path_text(node.id), 60)))
            options.append(("top", "A group at the top", ""))
        if self.session.can(Capability.DEVICE_REGISTER):
            where = "into this group" if node is not None else "from a list or a CSV file"
            options.append(("register", "Register devices", where))
        return options

    def _do(self, key: str, node: Node | None, seen: GroupTree) -> None:
        """seen: the tree that was shown when this began: the dialogs show it, and it goes along with what is sent."""
        if key == "register":
            from mdm_tui.tui.screens.register import open_register

            open_register(self.app, self.session, node.id if node is not None else "")
        elif key == "devices" and node is not None:
            self.open_devices(node.id)
        elif key in ("new", "top"):
            parent = node if key == "new" else None
            self._change("created", lambda: self._new(parent, seen), "new group")
        elif node is not None:
            work = {"rename": self._rename, "move": self._move, "delete": self._delete}[key]
            words = {"rename": "renamed", "move": "moved", "delete": "deleted"}[key]
            self._change(words, lambda: work(node, seen), key)

    def action_rename(self) -> None:
        seen, node = self.source.tree, self.source.node(self.grid.cursor_id)
        if node is None:
            return
        if not self.session.can(Capability.GROUP_EDIT):
            self.tell(f"{self.session.factory.title} lets nobody change groups through its API.", "warning")
            return
        self._change("renamed", lambda: self._rename(node, seen), "rename")

    # --- changing ---

    @property
    def _where(self) -> str:
        """What a change acts on, for the titles of dialogs."""
        connection = self.session.connection
        return f"{connection.name} · {self.session.factory.title}{' · PRODUCTION' if connection.production else ''}"

    def _change(self, words: str, work: Callable[[], Awaitable[None]], what: str) -> None:
        """Begin a change when one may be made: one at a time."""
        if sentence := refusal(self.session, f"Nothing can be {words}"):
            self.tell(sentence, "warning")
        elif self.doing:
            self.tell(f"Wait for the end of what is being sent: {self.doing}.", "warning")
        else:
            self.app.spawn(work(), what)  # type: ignore[arg-type]

    async def _sent(self, doing: str, work: Awaitable[GroupSaved]) -> None:
        """Send a change, say what became of it, and put the cursor on the group."""
        self.doing = doing
        self.say()
        group_id = ""
        try:
            saved = await work
        except FleetError as error:
            self.tell(error.sentence(), "error")
        else:
            self.tell(saved.sentence, "warning" if saved.doubt else "information")
            for note in saved.notes:
                self.tell(f"{note[:1].upper()}{note[1:]}.", "warning")
            group_id = saved.group_id
        finally:
            self.doing = ""
        if not self.gone:
            await self.take()
        if group_id and not self.gone:
            # Only in the tree as it is now: one that moved was still found where it had been.
            self.show_group(group_id)

    async def _new(self, parent: Node | None, seen: GroupTree) -> None:
        where = f"below {clean(seen.path_text(parent.id), 200)}" if parent is not None else "at the top"
        parent_id = parent.id if parent is not None else ""
        check = _namer(lambda name: bool(self.source.tree.named(name, parent_id)))
        name = await answer(self.app, Prompt(f"A new group at {self._where}", f"It is made {where}.", check=check))
        if name is not None:
            name = name.strip()
            await self._sent(f"creating {clean(name, 40)}", self.session.groups.create(name, parent_id, seen=seen))

    async def _rename(self, node: Node, seen: GroupTree) -> None:
        check = _namer(lambda name: any(key != node.id for key in seen.named(name, node.parent)))
        words = f"It stays where it is: {clean(seen.path_text(node.id), 200)}"
        title = f"Another name for {clean(node.name, 60)} at {self._where}"
        name = await answer(self.app, Prompt(title, words, node.group.name, check=check))
        if name is not None and name.strip() != node.group.name:
            work = self.session.groups.rename(node.id, name.strip(), seen=seen)
            await self._sent(f"renaming {clean(node.name, 40)}", work)

    async def _move(self, node: Node, seen: GroupTree) -> None:
        name = clean(node.name, 60)
        to = await choose_group(
            self.app, seen, f"Move {name} below", top="At the top", why_not=lambda key: seen.why_not_move(node.id, key)
        )
        if to is None:
            return
        to = "" if to == TOP else to
        where = f"below {clean(seen.path_text(to), 200)}" if to else "to the top"
        words = (
            f"{clean(seen.path_text(node.id), 200)} goes {where}, with {devices_words(node)}. "
            "Whether what reaches a group also reaches the groups below it, the service's contract does not say: "
            "what changes for these devices is not known."
        )
        if await answer(self.app, Ask(f"Move {name} at {self._where}?", words, "move it")):
            await self._sent(f"moving {name}", self.session.groups.move(node.id, to, seen=seen))

    async def _delete(self, node: Node, seen: GroupTree) -> None:
        name = clean(node.name, 60)
        if node.children or node.devices:
            # Before anything is typed; what is shown may be older than what the service holds.
            await self.ask()
            found = self.source.tree.get(node.id)
            if self.gone or found is None:
                return
            if held := held_words(found):
                self.tell(f"{name} still holds {held}: only an empty group is deleted. Move them elsewhere first.",
                          "warning")  # fmt: skip
                return
            node, seen, name = found, self.source.tree, clean(found.name, 60)
        shown = name if name == node.group.name and len(name) <= 40 else node.id[-6:]
        lines = [
            (f"{clean(seen.path_text(node.id), 200)}   id {clean(node.id, 80)}", ""),
            (f"It holds {devices_words(node)}; the service deletes only what is empty.", "muted"),
            ("It cannot be brought back, and a new one of its name has another id.", "warn"),
        ]
        title = f"Delete the group {name} at {self._where}"
        if await answer(self.app, Typed(title, lines, f"delete {shown}", to="delete it")):
            await self._sent(f"deleting {name}", self.session.groups.delete(node.id, seen=seen))

    # --- out of here ---

    def action_copy(self) -> None:
        node = self.source.node(self.grid.cursor_id)
        if node is not None:
            text = f"{self.source.tree.path_text(node.id)}, {devices_words(node)}, id {node.id}"
            self.app.copy_text(text, "The group")

    def action_export(self) -> None:
        from mdm_tui.tui.screens import devices_export

        found = self.source.ids() if self.source.words.strip() else self.source.tree.all()
        devices_export.ask(self, len(found), "groups", lambda kind: _export(self, kind, found))


async def _export(screen: GroupsActions, kind: str, ids: list[str]) -> None:
    from mdm_tui.tui.screens import devices_export

    tree = screen.source.tree
    keys = ["id", "path", "name", "parent", "devices", "total", "enabled", "created", "updated", "trouble"]
    rows = [_exported(tree.path_text(key), node) for key in ids if (node := tree.get(key)) is not None]
    await devices_export.export(screen, kind, "groups", keys, rows)


def _namer(taken: Callable[[str], bool]) -> Callable[[str], str]:
    def check(name: str) -> str:
        wanted = name.strip()
        if not wanted:
            return "A group needs a name."
        if "/" in wanted:
            return "Paths of groups are written with /, so a name holds none."
        return f"There is a group called {clean(wanted, 60)} there already." if taken(wanted) else ""

    return check


def _exported(path: str, node: Node) -> dict[str, Any]:
    group = node.group
    values = {
        "id": node.id, "path": path, "name": group.name, "parent": group.parent, "devices": group.devices,
        "total": node.total, "enabled": group.enabled, "trouble": node.trouble,
        "created": show_time(group.created_at) if group.created_at is not None else None,
        "updated": show_time(group.updated_at) if group.updated_at is not None else None,
    }  # fmt: skip
    return {key: "" if value is None else str(value) for key, value in values.items()}
