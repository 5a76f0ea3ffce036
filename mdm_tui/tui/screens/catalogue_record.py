"""One app or system image, whole: what is known of it in words, and the record as the service sent it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields
from typing import Any, ClassVar

from textual.app import ComposeResult

from mdm_tui.fleet.inventory import Entry, Section
from mdm_tui.fleet.inventory_text import Line, lay_out
from mdm_tui.fleet.text import clean
from mdm_tui.fleet.values import age, show_bytes, show_time
from mdm_tui.tui.actions import bindings
from mdm_tui.tui.screens.base import FleetScreen
from mdm_tui.tui.screens.catalogue_actions import show_rollouts
from mdm_tui.tui.widgets.grid_text import glyphs
from mdm_tui.tui.widgets.json_view import json_lines
from mdm_tui.tui.widgets.lines import Lines, Part, part, spread
from mdm_tui.tui.widgets.report import LinesView

__all__ = ["RecordScreen", "entries_of"]

_TITLES = {
    "min_sdk": "Least SDK", "target_sdk": "Target SDK", "max_sdk": "Most SDK", "ab": "A/B partitions",
    "from_build": "From build", "built_at": "Built", "created_at": "Created", "updated_at": "Changed", "os": "Android",
    "sdk": "SDK", "sku": "SKU", "patch": "Security patch", "refs": "Also named by", "part": "Replaces",
    "display": "Display build", "id": "Id", "file_name": "File", "unreadable": "Could not be read",
}  # fmt: skip


def entries_of(item: Any, now: float) -> list[Entry]:
    """Each field of an item as it is said; what the service does not say is `-`."""
    found: list[Entry] = []
    for one in fields(item):
        value = getattr(item, one.name)
        if one.name == "refs":
            # The id has a line of its own.
            value = tuple(ref for ref in value if ref != item.id)
        if one.name == "raw" or (one.name in ("unreadable", "refs") and not value):
            continue
        title = _TITLES.get(one.name, one.name.replace("_", " ").capitalize())
        text, note = _said(one.name, value, now)
        found.append(Entry(title, text, "text", value, one.name, note=note))
        if one.name == "from_build":
            found.append(Entry("Kind", "partial" if value else "full", "text", None, "kind"))
    return found


def _said(name: str, value: Any, now: float) -> tuple[str, str]:
    if value is None or value == "" or value == ():
        return "-", ""
    if name.endswith("_at"):
        return show_time(value), f"{age(now - value)} ago"
    if name == "size":
        return show_bytes(value), f"{value:,} bytes"
    if isinstance(value, bool):
        return "yes" if value else "no", ""
    if isinstance(value, tuple):
        return clean(", ".join(map(str, value)), 400), ""
    return clean(value, 400), ""


class RecordScreen(FleetScreen):
    """Over the list it was opened from. kind: `apps` or `images`; word: what one of them is called."""

    GROUPS: ClassVar[tuple[str, ...]] = ("record",)
    HINTS: ClassVar[tuple[str, ...]] = ("copy", "copy.all", "rollouts.using", "back")
    BINDINGS = bindings("record")

    def __init__(self, session: Any, kind: str, word: str, item_id: str) -> None:
        super().__init__(session)
        self.TAB = kind  # type: ignore[misc]
        self._kind, self._word, self._id = kind, word, item_id
        self.item: Any = None
        self.lost = False
        self.view = LinesView(id="record")

    def body(self) -> ComposeResult:
        yield Lines(id="title")
        yield self.view

    def on_mount(self) -> None:
        self.view.focus()
        self.app.spawn(self.take(), "record")

    async def take(self) -> None:
        """Show the item as it is held now; one that is gone stays as it was, and says so."""
        catalogue = self.session.catalogue
        items = await (catalogue.apps() if self._kind == "apps" else catalogue.images())
        if self.gone:
            return
        found = next((item for item in items if item.id == self._id), None)
        self.lost, self.item = found is None, found if found is not None else self.item
        self._lay_out()

    def news(self, events: Sequence[object]) -> None:
        from mdm_tui.services.events import ItemsChanged

        if any(isinstance(event, ItemsChanged) and event.kind == self._kind for event in events):
            self.app.spawn(self.take(), "record")

    def on_lines_view_resized(self, message: LinesView.Resized) -> None:
        self._lay_out()

    def _lay_out(self) -> None:
        width = self.view.size.width or self.app.size.width
        self.query_one("#title", Lines).show([self._title()])
        if self.item is None:
            self.view.set_lines([Line(((f"   This {self._word} is not held here any more.", "warn"),))])
            return
        section = Section("fields", f"What is known of this {self._word}", tuple(entries_of(self.item, self.app.now())))
        lines = lay_out([section], width)
        lines += [Line(), Line(((" ", ""), ("As the service sent it", "accent")), anchor="raw")]
        self.view.set_lines([*lines, *json_lines(self.item.raw, width)])

    def _title(self) -> list[Part]:
        if self.item is None:
            return [part("")]
        version = getattr(self.item, "version", "") or getattr(self.item, "build", "")
        name = clean(self.item.name, 120) or self.item.id
        left = [part(f" {glyphs().more_left} {self._kind.capitalize()}   ", "muted"), part(name, bold=True)]
        left.append(part(f"   {version}", "muted"))
        right = [part("the service lists it no more ", "bad")] if self.lost else [part("")]
        return spread(left, right, self.size.width or self.app.size.width)

    def action_copy(self) -> None:
        entry = self.view.entry
        if entry is not None:
            self.app.copy_text(entry.copy or entry.text, clean(entry.label, 60) or "The value")

    def action_copy_all(self) -> None:
        if self.item is not None:
            try:
                text = json.dumps(json.loads(self.item.raw), indent=2, ensure_ascii=False)
            except ValueError:
                text = self.item.raw
            self.app.copy_text(text, "The record")

    def action_related(self) -> None:
        if self.item is not None:
            self.app.spawn(show_rollouts(self, self.item), "rollouts")
