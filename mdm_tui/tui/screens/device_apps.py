"""The apps of a device: the list that a service keeps apart from the report, its order, and asking for one package."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mdm_tui.fleet.errors import FleetError
from mdm_tui.fleet.groups import Group, GroupTree
from mdm_tui.fleet.inventory import Entry, Section, Table
from mdm_tui.fleet.provider import Capability
from mdm_tui.fleet.text import clean, search_key
from mdm_tui.fleet.values import number, parse_time
from mdm_tui.tui.screens.base import placed
from mdm_tui.tui.screens.dialogs import Prompt, answer

if TYPE_CHECKING:
    from mdm_tui.tui.screens.base import FleetScreen
    from mdm_tui.tui.screens.device_lines import Contents

    _Base = FleetScreen
else:
    _Base = object

__all__ = ["DeviceApps", "ask_app", "sorted_section"]


def sorted_section(section: Section, title: str, down: bool) -> Section:
    """The section with each table that has this column in its order; rows without a value stay last."""
    parts = tuple(_sorted(part, title, down) if isinstance(part, Table) else part for part in section.parts)
    return Section(section.key, section.title, parts)


def _sorted(table: Table, title: str, down: bool) -> Table:
    at = next((place for place, column in enumerate(table.columns) if column.title == title), None)
    if at is None:
        return table
    valued = [(value, row) for row in table.rows if (value := _order(row[at])) is not None]
    rest = [row for row in table.rows if _order(row[at]) is None]
    valued.sort(key=lambda pair: pair[0], reverse=down)
    return Table(table.title, table.path, table.columns, (*(row for _value, row in valued), *rest))


def _order(entry: Entry | None) -> tuple[int, float, str] | None:
    if entry is None or entry.value in (None, ""):
        return None
    held = parse_time(entry.value) if entry.kind == "time" and isinstance(entry.value, str) else number(entry.value)
    return (1, 0.0, search_key(entry.text)) if held is None else (0, float(held), "")


async def ask_app(app: Any, session: Any, device_id: str) -> None:
    """Ask for a package name, then the service whether it is on the device; the answer is a notice."""
    from mdm_tui.tui import safe

    words = "The whole package name, as com.example.app. The service is asked; nothing is changed."
    package = await answer(app, placed(Prompt("Is an app installed?", words), session))
    if not package or not package.strip():
        return
    try:
        safe.toast(app, "", await session.devices.has_app(device_id, package))
    except FleetError as error:
        safe.toast(app, "", error.sentence(), "warning")


class DeviceApps(_Base):
    """What the Device screen reads beside the report: its apps and the path of its group. Mixed into `DeviceScreen`."""

    _groups_asked = False

    if TYPE_CHECKING:
        device_id: str
        contents: Contents

        async def reload(self) -> None: ...

    async def _apps(self) -> None:
        try:
            self.contents.apps = await self.session.devices.apps(self.device_id)
            self.contents.apps_sentence = ""
        except FleetError as error:
            self.contents.apps_sentence = error.sentence()
        await self.reload()

    async def _read_group(self) -> None:
        group = self.contents.values.get("groupid")
        self.contents.group_path = ""
        if not isinstance(group, str) or not group or Capability.GROUPS not in self.session.factory.capabilities:
            return
        groups = await self.session.mirror.items(self.session.scope, Group, raw=False)
        if not groups and not self._groups_asked:
            # Told by an event when they are read.
            self._groups_asked = True
            self.app.spawn(self._learn_groups(), "groups")
        self.contents.group_path = clean(GroupTree.build(groups).path_text(group), 400)

    async def _learn_groups(self) -> None:
        try:
            await self.session.groups.refresh()
        except FleetError:
            # The group's own name is shown all the same.
            return

    def action_ask_app(self) -> None:
        """Ask the service whether one package is on this device."""
        # A task of its own: an action that waited for its dialog would hold up the very keys that answer it.
        self.app.spawn(ask_app(self.app, self.session, self.device_id), "ask for an app")

    def action_sort_apps(self) -> None:
        """Choose the column by which the apps stand; the same one again turns it round."""
        tables = [
            part
            for section in self.contents.sections
            if section.key == "applications"
            for part in section.parts
            if isinstance(part, Table)
        ]
        if not tables:
            self.tell("No applications are shown.")
            return
        from mdm_tui.tui.screens.ask import Choose

        title, down = self.contents.apps_sort
        options = [
            (column.title, column.title, ("down" if down else "up") if column.title == title else "")
            for column in tables[0].columns
        ]
        self.app.push_screen(Choose("Sort the apps by", options, now=title), self._sort_apps)

    def _sort_apps(self, chosen: str | None) -> None:
        if chosen:
            title, down = self.contents.apps_sort
            self.contents.apps_sort = (chosen, not down if chosen == title else False)
            self.app.spawn(self.reload(), "device")
