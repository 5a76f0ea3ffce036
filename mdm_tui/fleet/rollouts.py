"""Rollouts: which apps, images and settings go to which devices, and when.

A rollout is edited as the document the service sent, so that what we do not know survives. A provider says with a
`RolloutFormat` where in its documents the parts of a rollout stand; screens and services never look there themselves.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from .errors import Problem

__all__ = ["APPLY_ORDER", "CHECK_BUILD_DATE", "LEFT_WHEN_APPLIED", "PARTIAL_FIRST", "REMOVED_WHEN_EMPTY", "REPEATS",
           "STARTS", "Option", "Rollout", "RolloutApp", "RolloutFormat", "said", "switch"]  # fmt: skip

# Neutral keys of the options whose meaning is known here, in whatever section they stand.
APPLY_ORDER = "apply_order"
CHECK_BUILD_DATE = "check_build_date"
PARTIAL_FIRST = "partial_first"
REMOVED_WHEN_EMPTY = "remove_if_no_scope"
LEFT_WHEN_APPLIED = "unscope_if_applied"
# When it starts and how it repeats: the first that is said, and all that are said.
STARTS = ("start_on", "starts_on")
REPEATS = ("repeat_option", "repeat_every", "repeat_period")


@dataclass(frozen=True, slots=True)
class Option:
    """One setting of a rollout, as a form asks for it. key: its neutral name; section: the heading it stands under.

    kind: `choice` has `choices`, but any other text is kept and may be typed. help: one line, what is known of its
    meaning and what is not.
    """

    key: str
    title: str
    section: str
    kind: Literal["bool", "choice", "text", "int", "date"]
    choices: tuple[str, ...] = ()
    help: str = ""


@dataclass(frozen=True, slots=True)
class RolloutApp:
    """An app in a rollout. flags: neutral name → on or off; a flag that is absent was not said."""

    app_id: str
    flags: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rollout:
    """One rollout, read from its document.

    everyone: it reaches every device of the site, and the scope below is ignored. groups: ids; devices: entries of
    the scope as they stand there, serial numbers or ids. options: neutral key (see `Option`) → value, only those that
    were said. Times in epoch seconds. raw: the JSON text as the service sent it.
    """

    id: str
    name: str
    enabled: bool | None = None
    everyone: bool = False
    groups: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    apps: tuple[RolloutApp, ...] = ()
    images: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    writer: str = ""
    created_at: float | None = None
    updated_at: float | None = None
    raw: str = "{}"
    unreadable: str = ""


class RolloutFormat(Protocol):
    """A provider's rollout documents. Pure functions; nothing here asks the service.

    options: what a form offers, in order. flags: (neutral name, title) of what can be said for each app.
    entries: whether scope entries are written as "serial" or "id". computed: names at the top of a document that the
    service makes itself: who wrote it, when; they go back as they are, and are no difference between two people.
    """

    options: Sequence[Option]
    flags: Sequence[tuple[str, str]]
    entries: Literal["serial", "id"]
    computed: Collection[str]

    def blank(self) -> dict[str, Any]:
        """The document of a new rollout, its name still empty."""
        ...

    def read(self, document: Mapping[str, Any]) -> Rollout:
        """The rollout in neutral words; whatever is of another shape is left out, never an error."""
        ...

    def put(self, document: Mapping[str, Any], key: str, value: Any) -> dict[str, Any]:
        """A copy with one part changed and all else as it was.

        key: name, enabled, everyone, groups, devices, apps (`RolloutApp`s), images, or an option's key; an option's
        value None takes it out. Entries that stay keep what is unknown in them.
        """
        ...

    def check(self, document: Any) -> list[Problem]:
        """What breaks the contract, by path; what the contract does not name is a warning."""
        ...

    def title(self, pointer: str) -> str:
        """What a form calls a place of the document, written as problems write it; "" where a form has no field."""
        ...

    def body(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """The document as it is sent: whole, with one spelling for each name."""
        ...


def said(options: Mapping[str, Any], key: str) -> Any:
    """An option's value by one of the keys above, None when it is not said; the key may have its section before it."""
    if key in options:
        return options[key]
    return next((value for name, value in options.items() if name.rsplit(".", 1)[-1] == key), None)


def switch(options: Mapping[str, Any], key: str) -> bool | None:
    """An on-or-off option, None for what is not said or is neither."""
    value = said(options, key)
    return value if isinstance(value, bool) else None
