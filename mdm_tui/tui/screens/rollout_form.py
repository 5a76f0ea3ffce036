"""The form of a rollout: its parts as lines, one a field, in words. Draws nothing itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from textual.binding import BindingType

from mdm_tui.fleet.catalogue import CatalogueApp, Image
from mdm_tui.fleet.errors import Problem
from mdm_tui.fleet.groups import GroupTree
from mdm_tui.fleet.inventory import Entry
from mdm_tui.fleet.inventory_text import Line, Spot, width_of, wrap
from mdm_tui.fleet.rollouts import Rollout, RolloutFormat
from mdm_tui.fleet.text import clean
from mdm_tui.tui.actions import bindings
from mdm_tui.tui.screens.rollouts_source import NAMELESS, counted
from mdm_tui.tui.widgets.form import Pick
from mdm_tui.tui.widgets.grid_text import fit, glyphs
from mdm_tui.tui.widgets.report import LinesView

__all__ = ["FormLines", "Known", "app_words", "form_lines", "image_words", "option_words"]

_LABEL = 28
# Entries of the scope that are shown in the form; all of them are in the view of the reach.
SHOWN = 8


@dataclass(slots=True)
class Known:
    """What the form knows beside the document: names for ids, and whom it reaches where that was found out.

    devices: id → name.
    """

    tree: GroupTree = field(default_factory=lambda: GroupTree.build(()))
    apps: Mapping[str, CatalogueApp] = field(default_factory=dict)
    images: Mapping[str, Image] = field(default_factory=dict)
    reach: Any = None
    devices: Mapping[str, str] = field(default_factory=dict)

    def name_of(self, ref: str) -> str:
        """What a group, app or image is called, "" for whatever else."""
        if ref in self.tree:
            return self.tree.path_text(ref)
        if ref in self.apps:
            return app_words(self.apps[ref], ref)
        return self.images[ref].name if ref in self.images else ""


class FormLines(LinesView):
    """The lines with the keys of a field: what is under the cursor is asked for, added to, taken out."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("field")]

    def _ask(self, what: str) -> None:
        if self.entry is not None:
            self.post_message(Pick.Asked(self.entry.path, what))

    def action_choose(self) -> None:
        self._ask("choose")

    def action_add(self) -> None:
        self._ask("add")

    def action_clear(self) -> None:
        self._ask("clear")


def app_words(app: CatalogueApp | None, ref: str) -> str:
    """An app of the catalogue as people say it."""
    if app is None:
        return f"{clean(ref, 60)}: not at the service"
    name, version = clean(app.name or app.package, 60), clean(app.version, 30)
    words = [name, "" if version in name.split() else version]
    package = clean(app.package, 80) if app.name else ""
    return "  ".join(word for word in (*words, package, "disabled" if app.enabled is False else "") if word)


def image_words(image: Image | None, ref: str) -> str:
    """An image of the catalogue as people say it."""
    if image is None:
        return f"{clean(ref, 60)}: not at the service"
    step = f"{clean(image.from_build, 40)} → {clean(image.build, 40)}" if image.partial else clean(image.build, 40)
    kind = (clean(image.part, 20), "partial" if image.partial else "full", "A/B" if image.ab else "")
    name = clean(image.name, 80)
    # Names often say all of it: nothing is said twice.
    said = set(name.split())
    words = [name, *(word for word in (clean(image.product or image.device, 30), step) if word not in said)]
    words.append(" ".join(word for word in kind if word and word not in said))
    return "  ".join(word for word in (*words, "disabled" if image.enabled is False else "") if word)


def option_words(value: Any) -> tuple[str, str]:
    """A value as it is said, and its role."""
    if value is None:
        return "not said", "muted"
    if isinstance(value, bool):
        return ("yes" if value else "no"), ""
    return clean(value, 200) or '""', ""


def form_lines(
    rollout: Rollout, form: RolloutFormat, known: Known, problems: Sequence[Problem], width: int
) -> list[Line]:
    """All fields, by section. The path of an entry is the field's key, `key:id` for an entry of a list."""
    wrong: dict[str, list[Problem]] = {}
    for problem in problems:
        wrong.setdefault("/".join(str(step) for step in problem.path), []).append(problem)
    made: list[Line] = []

    def heading(title: str) -> None:
        if made:
            made.append(Line())
        made.append(Line(((" ", ""), (title, "accent")), anchor=title))

    def row(
        path: str, title: str, value: str, role: str = "", note: str = "", at: str = "", whole: bool = False
    ) -> None:
        # whole: the note is a figure, so the value is cut and not the note.
        room = max(8, width - _LABEL - 5)
        entry = Entry(title or value, value, "text", value, path)
        most = max(8, room - width_of(note) - 3) if whole and note else room
        text = fit(value, most, middle=whole).rstrip() if width_of(value) > most else value
        spans = [("   ", ""), (fit(title, _LABEL), "muted"), (text, role)]
        left = room - width_of(text) - 3
        if note and left >= min(len(note), 24):
            spans.append((f"   {fit(note, left).rstrip()}", "muted"))
        made.append(Line(tuple(spans), (Spot(3 + _LABEL, max(1, width_of(text)), entry),)))
        for problem in wrong.get(at or path, ()):
            for number, piece in enumerate(wrap(clean(problem.message, 300), room - 2)):
                sign = f"{glyphs().fault} " if number == 0 else "  "
                spans = [(" " * (3 + _LABEL), ""), (f"{sign}{piece}", "warn" if problem.warning else "bad")]
                made.append(Line(tuple(spans)))

    heading("Rollout")
    named = rollout.name not in ("", NAMELESS)
    row("name", "Name", clean(rollout.name, 200) if named else "none yet", "" if named else "bad", "enter edits it")
    on, role = option_words(rollout.enabled)
    row("enabled", "Enabled", on, role or ("warn" if rollout.enabled is False else ""),
        "nothing is installed until it is enabled" if rollout.enabled is False else "")  # fmt: skip
    heading("Whom it reaches")
    everyone = "yes: EVERY device of the site, the scope below is ignored" if rollout.everyone else "no"
    row("everyone", "Everyone", everyone, "bad" if rollout.everyone else "")
    _scope(rollout, known, row)
    heading("What it installs")
    _list(row, "apps", "Apps", [app.app_id for app in rollout.apps],
          lambda at, ref: _app(rollout, form, known, at, ref))  # fmt: skip
    _list(row, "images", "System images", rollout.images, lambda at, ref: _image(known, ref))
    section = ""
    for option in form.options:
        if option.section != section:
            section = option.section
            heading(section)
        value, role = option_words(rollout.options.get(option.key))
        odd = option.choices and value not in option.choices and role != "muted"
        row(option.key, option.title, value, "warn" if odd else role, option.help)
    return made


def _scope(rollout: Rollout, known: Known, row: Any) -> None:
    reach = known.reach
    dim = "muted" if rollout.everyone else ""

    def group(_at: int, key: str) -> tuple[str, str, str]:
        node = known.tree.get(key)
        if node is None:
            return f"{clean(key, 60)}: not at the service, it reaches nobody", "warn", ""
        devices = "" if node.devices is None else counted(node.devices, "device")
        return clean(known.tree.path_text(key), 200), dim, devices

    _list(row, "groups", "Groups", rollout.groups, group, whole=True)
    states = {entry.text: entry for entry in reach.entries} if reach is not None else {}

    def device(_at: int, text: str) -> tuple[str, str, str]:
        entry = states.get(text)
        if entry is None or entry.state == "known":
            names = [known.devices.get(key, "") for key in entry.devices] if entry is not None else []
            note = entry.note if entry is not None and entry.note else ", ".join(filter(None, names))
            return clean(text, 100), dim, clean(note, 80)
        words = {"unknown": "saving would register it", "undecided": "not known whether it exists",
                 "registered": "registered, not yet seen here", "empty": "is blank"}[entry.state]  # fmt: skip
        return f"{clean(text, 100)}  {words}", "warn" if entry.state != "registered" else dim, clean(entry.note, 80)

    # What needs a decision first: the others are many.
    places = sorted(range(len(rollout.devices)), key=lambda at: _trouble(states.get(rollout.devices[at])), reverse=True)
    _list(row, "devices", "Devices", rollout.devices, device, places=places[:SHOWN])


def _trouble(entry: Any) -> int:
    return {"unknown": 3, "undecided": 2, "empty": 2, "registered": 1}.get(entry.state, 0) if entry is not None else 0


def _app(rollout: Rollout, form: RolloutFormat, known: Known, at: int, ref: str) -> tuple[str, str, str]:
    flags = rollout.apps[at].flags
    said = [title.lower() for key, title in form.flags if flags.get(key)]
    return app_words(known.apps.get(ref), ref), "" if ref in known.apps else "bad", ", ".join(said) or "no flags"


def _image(known: Known, ref: str) -> tuple[str, str, str]:
    return image_words(known.images.get(ref), ref), "" if ref in known.images else "bad", ""


def _list(
    row: Any,
    key: str,
    title: str,
    ids: Sequence[str],
    words: Any,
    places: Sequence[int] | None = None,
    whole: bool = False,
) -> None:
    """places: which of them are shown, None for all. whole: their notes are never cut."""
    row(key, title, f"{len(ids):,}" if ids else "none", "" if ids else "muted", "+ adds, delete takes out")
    shown = range(len(ids)) if places is None else places
    for at in shown:
        text, role, note = words(at, ids[at])
        row(f"{key}:{ids[at]}", "", text, role, note, f"{key}/{at}", whole)
    if len(ids) > len(shown):
        row(f"{key}:", "", f"and {len(ids) - len(shown):,} more", "muted", "the view Reach has all of them")
