"""What the policy editor says beside the text: problems, differences, contents, devices. Draws nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from mdm_tui.fleet.inventory import Entry, tree_entries
from mdm_tui.fleet.inventory_text import Line, Spot, width_of, wrap
from mdm_tui.fleet.text import clean
from mdm_tui.fleet.values import age
from mdm_tui.tui.widgets.grid_text import fit, glyphs

__all__ = [
    "DIFFERENCES_SHOWN",
    "content_lines",
    "counted",
    "device_lines",
    "difference_lines",
    "note_at",
    "problem_lines",
]

DIFFERENCES_SHOWN = 500
"""More than anybody reads; laying out tens of thousands would hold up the keys."""
_QUOTED = re.compile(r'"([^"\\]+)"')
_SIGNS = {"added": ("+", "good"), "removed": ("-", "warn"), "changed": ("~", "")}


def note_at(problems: Iterable[Any]) -> dict[int, tuple[str, str]]:
    """The first problem of each line, errors before warnings: line from 0 → (message, role)."""
    found: dict[int, tuple[str, str]] = {}
    for problem in sorted(problems, key=lambda item: (item.line, item.warning)):
        message = clean(problem.message, 200)
        if problem.allowed:
            message += f": {clean(problem.allowed, 120)}"
        found.setdefault(problem.line - 1, (message, "warn" if problem.warning else "bad"))
    return found


def problem_lines(problems: Sequence[Any], width: int, *, title_of: Callable[[str], str] | None = None) -> list[Line]:
    """One line a problem; enter goes to its place. title_of: what a form calls a place, lines say nothing there."""
    made: list[Line] = []
    for number, problem in enumerate(problems):
        role = "warn" if problem.warning else "bad"
        # What belongs to no line of the text has none.
        where = f"line {problem.line}" if problem.line and title_of is None else ""
        name = clean((title_of(problem.pointer) if title_of is not None else "") or problem.pointer, 60)
        text = clean(problem.message, 400) + (f" (allowed: {clean(problem.allowed, 200)})" if problem.allowed else "")
        head = f"{fit(where, 10) if where else ''}{name + '  ' if name else ''}"
        entry = Entry(name or where, f"{where} {name}: {text}".strip(), "text", problem.line, f"problem.{number}")
        pieces = wrap(text, max(20, width - width_of(head) - 6))
        for row, piece in enumerate(pieces):
            lead = (
                [(" ", ""), (f"{glyphs().fault} ", role), (head, "muted")]
                if row == 0
                else [(" " * (3 + width_of(head)), "")]
            )
            made.append(Line((*lead, (piece, role if row == 0 else "")), (Spot(3, 4, entry),)))
    return made


def counted(differences: Sequence[Any]) -> str:
    """`2 changes, 1 removal`: what is shown beside the title."""
    removals = sum(1 for item in differences if item.kind == "removed")
    changes = len(differences) - removals
    words = []
    if changes:
        words.append(f"{changes} change{'s' if changes != 1 else ''}")
    if removals:
        words.append(f"{removals} removal{'s' if removals != 1 else ''} {glyphs().fault}")
    return ", ".join(words) or "no changes"


def difference_lines(
    title: str,
    differences: Sequence[Any],
    width: int,
    *,
    readable: bool = True,
    name_of: Callable[[str], str] | None = None,
) -> list[Line]:
    """`~ agentConfiguration.allowLocation   false → true`, and so on; of very many the first, and how many more.

    name_of: what an id stands for, "" for others.
    """

    def named(found: re.Match[str]) -> str:
        name = name_of(found[1]) if name_of is not None else ""
        return f"{clean(name, 80)} ({found[1]})" if name else found[0]

    made = [Line(((" ", ""), (title, "accent")))]
    if not readable:
        made.append(Line((("   ", ""), ("not JSON: nothing can be compared yet", "muted"))))
    elif not differences:
        made.append(Line((("   ", ""), ("nothing differs", "muted"))))
    for number, item in enumerate(differences[:DIFFERENCES_SHOWN]):
        sign, role = _SIGNS[item.kind]
        path = clean(item.pointer, 200) or "the whole document"
        if item.kind == "changed":
            value = f"{_short(item.base)} → {_short(item.mine)}"
        else:
            value = _short(item.mine if item.kind == "added" else item.base)
        if name_of is not None:
            value = _QUOTED.sub(named, value)
        entry = Entry(path, value, "text", value, f"difference.{number}")
        together = width_of(path) + width_of(value) + 8 <= width
        spans = [(" ", ""), (f"{sign} ", role or "accent"), (path, role)]
        if together:
            made.append(Line((*spans, (f"   {value}", "muted")), (Spot(3, width_of(path), entry),)))
            continue
        made.append(Line(tuple(spans), (Spot(3, width_of(path), entry),)))
        made += [Line((("      ", ""), (piece, "muted"))) for piece in wrap(value, width - 8)]
    if (more := len(differences) - DIFFERENCES_SHOWN) > 0:
        made.append(Line((("   ", ""), (f"and {more:,} more differences, in the text", "muted"))))
    return made


def _short(value: Any) -> str:
    if isinstance(value, Mapping):
        for key in ("name", *sorted(value, key=lambda key: not str(key).endswith("Name"))):
            if isinstance(value.get(key), str) and (key == "name" or str(key).endswith(("Name", "Id"))):
                rest = f"  {clean(value['action'], 40)}" if isinstance(value.get("action"), str) else ""
                return f"{clean(value[key], 120)}{rest}"
    return clean(json.dumps(value, ensure_ascii=False), 300)


def content_lines(policy: Mapping[str, Any], mine: Any, width: int) -> list[Line]:
    """Applications and assets in words; policy: the service's raw copy, which has their names."""
    names = _names(policy)
    made = [Line(((" ", ""), ("Applications", "accent")))]
    document = mine if isinstance(mine, Mapping) else {}
    apps = document.get("applications")
    for number, app in enumerate(apps if isinstance(apps, list) else []):
        made.extend(_part(app, names, ("action",), f"applications[{number}]", width))
    if len(made) == 1:
        made.append(Line((("   ", ""), ("none", "muted"))))
    made += [Line(), Line(((" ", ""), ("Assets", "accent")))]
    assets = document.get("assets")
    start = len(made)
    for number, asset in enumerate(assets if isinstance(assets, list) else []):
        made.extend(_part(asset, names, ("location", "scope"), f"assets[{number}]", width))
    if len(made) == start:
        made.append(Line((("   ", ""), ("none", "muted"))))
    return made


def _names(policy: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for info in policy.get("applicationsInfo") or ():
        if isinstance(info, Mapping) and isinstance(info.get("id"), str):
            held = info.get("info")
            detail: Mapping[str, Any] = held if isinstance(held, Mapping) else {}
            words = [str(detail.get(key)) for key in ("name", "processedVersionName", "bundleId") if detail.get(key)]
            found[info["id"]] = "  ".join(words)
    for info in policy.get("assetsInfo") or ():
        if isinstance(info, Mapping):
            key = info.get("id") or info.get("_id") or info.get(reference(info))
            if isinstance(key, str):
                found[key] = str(info.get("name") or info.get("assetName") or "")
    return found


def reference(entry: Mapping[str, Any]) -> str:
    """The key under which an entry names what it stands for (`…Id`), "" when it names nothing."""
    return next((key for key in entry if isinstance(key, str) and key.endswith("Id")), "")


def _part(part: Any, names: Mapping[str, str], words: Sequence[str], path: str, width: int) -> list[Line]:
    if not isinstance(part, Mapping):
        return [Line((("   ", ""), (clean(part, 200), "warn")))]
    key = reference(part)
    held = str(part.get(key) or "-")
    name = clean(part.get("assetName") or names.get(held) or "(name not known)", 120)
    said = "  ".join(clean(part[word], 120) for word in words if part.get(word))
    entry = Entry(name, name, "text", held, path)
    spans = [("   ", ""), (name, ""), (f"  {said}" if said else "", "accent"), (f"  {clean(held, 40)}", "muted")]
    made = [Line(tuple(spans), (Spot(3, max(1, width_of(name)), entry),))]
    known = {key, "assetName", *words}
    rest = {name: value for name, value in part.items() if name not in known}
    for inner in tree_entries(rest, (path,)) if rest else ():
        label = "  " * inner.depth + inner.label
        for number, piece in enumerate(wrap(inner.text, max(16, width - 36))):
            made.append(Line((("      ", ""), (fit(label if number == 0 else "", 26), "muted"), (piece, ""))))
    return made


def device_lines(rows: Sequence[Any], width: int, *, now: float) -> list[Line]:
    """The devices that have the policy, and whether they have taken it."""
    made = [Line(((" ", ""), ("Devices that have it, as far as known here", "accent"), (f"  {len(rows):,}", "muted")))]
    if not rows:
        made.append(Line((("   ", ""), ("none to which it is assigned directly", "muted"))))
    for row in rows:
        values = row.values
        pushed = values.get("pushed")
        state = "pushed" if pushed else "not pushed yet" if pushed is not None else "nobody says"
        seen = values.get("seen")
        old = f"{age(now - seen)}" if isinstance(seen, (int, float)) else "never"
        has = f"has v{clean(values['has'])}" if values.get("has") not in (None, "") else ""
        name = clean(values.get("name") or row.id)
        entry = Entry(name, name, "id", row.id, f"device.{row.id}")
        made.append(
            Line(
                (
                    ("   ", ""),
                    (fit(name, 24), ""),
                    (f"  {fit(clean(values.get('serial') or '-'), 14)}", "muted"),
                    (f"  {fit(state, 15)}", "warn" if pushed == 0 else "muted"),
                    (f"{fit(has, 10)}  seen {old}", "muted"),
                ),
                (Spot(3, max(1, width_of(name)), entry),),
            )
        )
    return made
