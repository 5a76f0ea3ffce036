"""The whole Device screen as lines: overview, every section of the report, apps, commands, history. Draws nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo

from mdm_tui.fleet import inventory
from mdm_tui.fleet.devices import App, Value
from mdm_tui.fleet.inventory import Entry, Section, Table
from mdm_tui.fleet.inventory_apps import apps_section
from mdm_tui.fleet.inventory_text import Line, Spot, lines_of
from mdm_tui.fleet.provider import Capability
from mdm_tui.fleet.report import Report
from mdm_tui.fleet.text import clean
from mdm_tui.fleet.values import age, show_time
from mdm_tui.tui.screens.device_apps import sorted_section
from mdm_tui.tui.screens.device_overview import overview

__all__ = ["STRIP", "Contents", "Past", "document", "sections_of", "strip_of"]

# key of the strip, its title, the report's sections that stand there
STRIP: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("overview", "Overview", ("identity", "state", "summary")),
    ("health", "Health", ("power", "memory")),
    ("hardware", "Hardware", ("hardware", "displays")),
    ("software", "Software", ("software",)),
    ("network", "Network", ("network", "location")),
    ("security", "Security", ("security", "settings")),
    ("policy", "Policy", ("policy", "compliance")),
    ("apps", "Apps", ("applications",)),
    ("unknown", "Unknown", ("other",)),
    ("commands", "Commands", ()),
    ("history", "History", ()),
    ("raw", "Raw", ()),
)

# Without the capability the part is shown only where the report has something for it after all.
_NEEDS = {
    "policy": Capability.POLICIES,
    "security": Capability.DEVICE_POSTURE,
    "commands": Capability.COMMANDS,
}


@dataclass(frozen=True, slots=True)
class Past:
    """One kept report: when it was first seen (epoch seconds), and what changed with it, in words."""

    at: float
    changes: tuple[str, ...] = ()


@dataclass(slots=True)
class Contents:
    """All that the screen shows. Sentences say why a part is missing, "" where it is not.

    capabilities: of the service. apps_sort: the title of a column and whether it goes down, "" for the order they came
    in. group_path: the names from the top down to the device's group.
    """

    capabilities: frozenset[Capability] = frozenset(Capability)
    report: Report = field(default_factory=dict)
    values: Mapping[str, Value] = field(default_factory=dict)
    sections: list[Section] = field(default_factory=list)
    apps: Sequence[App] | None = None
    apps_sentence: str = ""
    apps_sort: tuple[str, bool] = ("", False)
    group_path: str = ""
    commands: Sequence[Line] = ()
    commands_count: int = 0
    commands_sentence: str = ""
    past: Sequence[Past] = ()
    past_sentence: str = ""


def sections_of(contents: Contents, *, now: float, zone: tzinfo | None) -> list[Section]:
    """The report's sections; apps that the service lists apart from the report join it."""
    found = inventory.build(contents.report, now=now, zone=zone)
    if contents.apps and not any(section.key == "applications" for section in found):
        found.append(apps_section(contents.apps, now))
    title, down = contents.apps_sort
    if title:
        found = [sorted_section(one, title, down) if one.key == "applications" else one for one in found]
    return found


def apps_count(contents: Contents) -> int | None:
    """How many applications are shown; None where none are known."""
    for section in contents.sections:
        if section.key == "applications":
            return sum(len(part.rows) for part in section.parts if isinstance(part, Table))
    return None


def strip_of(contents: Contents) -> list[tuple[str, str, int | None]]:
    """The strip: key, title, count."""
    counts = {"apps": apps_count(contents), "commands": contents.commands_count or None}
    shown = []
    for key, title, keys in STRIP:
        if not _has(contents, key, keys):
            continue
        shown.append((key, title, counts.get(key)))
    return shown


def _has(contents: Contents, key: str, keys: Sequence[str]) -> bool:
    """Whether a part of the strip is there: the report has it, or its service may say it."""
    if any(section.key in keys for section in contents.sections):
        return True
    needed = _NEEDS.get(key)
    return key != "unknown" and (needed is None or needed in contents.capabilities)


def document(contents: Contents, width: int, *, now: float, zone: tzinfo | None) -> list[Line]:
    """All lines but the raw view's, each part of the strip anchored by its key."""
    held = {section.key: section for section in contents.sections}
    made = overview(
        contents.report,
        contents.values,
        width,
        now=now,
        zone=zone,
        capabilities=contents.capabilities,
        group_path=contents.group_path,
    )
    for key, title, keys in STRIP:
        if key in ("commands", "history", "raw") or not _has(contents, key, keys):
            continue
        block: list[Line] = []
        for name in keys:
            section = held.get(name)
            if section is None:
                continue
            if key == "overview":
                section = _without_history(section)
            lines = lines_of(section, width)
            lines[0].anchor = ""
            block.extend([Line(), *lines])
        if key == "apps" and not block:
            block = [Line(), _title(title), _words(contents.apps_sentence or "The report lists no applications.")]
        if not block and key not in ("overview", "unknown"):
            block = [Line(), _title(title), _words("The report says nothing of this.")]
        if block and key != "overview":
            block[1].anchor = key
        made.extend(block)
    if Capability.COMMANDS in contents.capabilities:
        made.extend(_commands(contents))
    made.extend(_history(contents, held.get("state"), width, now, zone))
    return made


def _title(text: str, anchor: str = "", count: int | None = None) -> Line:
    more = ((f"  {count:,}", "muted"),) if count is not None else ()
    return Line(((" ", ""), (text, "accent"), *more), anchor=anchor)


def _words(text: str, role: str = "muted") -> Line:
    return Line((("   ", ""), (clean(text), role)))


def _without_history(section: Section) -> Section:
    if section.key != "state":
        return section
    parts = tuple(part for part in section.parts if part.path != "state.stateHistory")
    return Section(section.key, section.title, parts)


def _commands(contents: Contents) -> list[Line]:
    made = [Line(), _title("Commands", "commands", contents.commands_count or None)]
    made.extend(contents.commands)
    if contents.commands_sentence:
        made.append(_words(contents.commands_sentence))
    return made


def _history(contents: Contents, state: Section | None, width: int, now: float, zone: tzinfo | None) -> list[Line]:
    made = [Line(), _title("History", "history")]
    table = next((part for part in state.parts if part.path == "state.stateHistory"), None) if state else None
    if state is not None and table is not None:
        made.extend(lines_of(Section("state", "", (table,)), width)[1:])
    else:
        made.append(_words("The report holds no state history."))
    made.append(Line())
    made.append(Line((("   ", ""), ("Reports kept by this console", ""), (f"  {len(contents.past):,}", "muted"))))
    for past in contents.past:
        when = show_time(past.at, zone)
        entry = Entry("Report", when, "time", when, f"history.{past.at}")
        made.append(
            Line((("     ", ""), (when, ""), (f"  {age(now - past.at)} ago", "muted")), (Spot(5, len(when), entry),))
        )
        for number, change in enumerate(past.changes):
            text = clean(change, 2000)
            own = Entry("Change", text, "text", text, f"history.{past.at}.{number}")
            made.append(Line((("       ", ""), (text, "muted")), (Spot(7, len(text), own),)))
    if contents.past_sentence:
        made.append(_words(contents.past_sentence))
    return made
