"""What an edit of a device is made of: the values of the form, what was touched, how a change is said."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mdm_tui.fleet.devices import Assignment, DeviceChanges
from mdm_tui.fleet.text import clean

__all__ = ["TITLES", "Form", "change_lines", "tags_of", "tags_text", "value_words"]

# One tag as it is typed: `"…"`, where `""` is a quote and the end may be missing yet, else up to the next comma.
_TAG = re.compile(r'\s*(?:"((?:[^"]|"")*)("?)([^,]*)|([^,]*))(?:,|\Z)')

# The neutral names of `DeviceChanges`, in the order of the form.
TITLES: dict[str, str] = {
    "display_name": "Display name",
    "tags": "Tags",
    "policy_id": "Policy",
    "assignments": "Assignments",
    "user_id": "User",
    "push_provider": "Push provider",
    "segment_id": "Segment",
}


@dataclass(slots=True)
class Form:
    """base: the values the form began with; values: as they stand; names: ids → words for them."""

    base: dict[str, Any] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    def begin(self, base: Mapping[str, Any]) -> None:
        """Start from what the service holds."""
        self.base = dict(base)
        self.values = dict(base)
        for entry in base.get("assignments") or ():
            if entry.name:
                self.names.setdefault(entry.policy_id, entry.name)

    @property
    def touched(self) -> dict[str, Any]:
        """What differs from the beginning, and only that."""
        from mdm_tui.services.edits import equal

        return {
            key: value
            for key, value in self.values.items()
            if key in TITLES and not equal(key, value, self.base.get(key))
        }

    def changes(self) -> DeviceChanges:
        """What would be sent."""
        return DeviceChanges(self.touched)

    def name(self, key: Any) -> str:
        """The words for an id, else the id."""
        return clean(self.names.get(str(key), str(key)), 200)


def tags_of(text: str) -> list[str]:
    """Tags from what is typed: separated by commas, blanks round them dropped, none twice. `"a, b"` is one tag."""
    found: list[str] = []
    for match in _TAG.finditer(text):
        inside, end, rest, bare = match.groups()
        tag = bare.strip() if inside is None else inside.replace('""', '"') + rest.rstrip()
        if tag or end:
            found.append(tag)
    return list(dict.fromkeys(found))


def tags_text(tags: Iterable[str]) -> str:
    """Tags as they are typed, so that `tags_of` gives them back."""
    return ", ".join(_quoted(tag) for tag in tags)


def _quoted(tag: str) -> str:
    plain = tag and tag == tag.strip() and "," not in tag and not tag.startswith('"')
    return tag if plain else '"' + tag.replace('"', '""') + '"'


def value_words(form: Form, key: str, value: Any) -> str:
    """A field's value as it is said."""
    if key == "tags":
        return clean(tags_text(value or []), 400) or "none"
    if key == "assignments":
        return ", ".join(f"{form.name(entry.policy_id)} ({entry.priority})" for entry in value or []) or "none"
    if value in (None, ""):
        return "none"
    return form.name(value) if key in ("policy_id", "user_id", "segment_id") else clean(value, 400)


def change_lines(form: Form) -> list[tuple[str, str]]:
    """What will be sent, as (text, role) lines: `~` changed, `+` added, `-` taken out."""
    made: list[tuple[str, str]] = []
    for key, value in form.touched.items():
        before, title = form.base.get(key), TITLES[key]
        if key == "tags":
            made += [(f"+ {title}  {clean(tag, 200)}", "good") for tag in value if tag not in (before or [])]
            made += [(f"- {title}  {clean(tag, 200)}", "warn") for tag in before or [] if tag not in value]
            if not any(set(value) ^ set(before or [])):
                made.append((f"~ {title}  another order", ""))
        elif key == "assignments":
            made += _stack_lines(form, before or [], value)
        else:
            was, now = value_words(form, key, before), value_words(form, key, value)
            made.append((f"~ {title}  {was} → {now}", "" if value not in (None, "") else "warn"))
    return made


def _stack_lines(form: Form, before: Sequence[Assignment], now: Sequence[Assignment]) -> list[tuple[str, str]]:
    old = {entry.policy_id: entry for entry in before}
    new = {entry.policy_id: entry for entry in now}
    made: list[tuple[str, str]] = []
    for key, entry in new.items():
        name = form.name(key)
        if key not in old:
            made.append((f"+ Assignments  {name}, priority {entry.priority}", "good"))
        elif old[key].priority != entry.priority:
            made.append((f"~ Assignments  {name}, priority {old[key].priority} → {entry.priority}", ""))
    made += [
        (f"- Assignments  {form.name(key)}, priority {old[key].priority}", "warn") for key in old if key not in new
    ]
    return made or [("~ Assignments  another order", "")]
