"""What is known of whom a rollout reaches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from mdm_tui.fleet.devices import Value
from mdm_tui.fleet.matching import Hardware
from mdm_tui.fleet.rollouts import Rollout
from mdm_tui.fleet.text import normal_serial

__all__ = ["FACTS", "MANY", "Entry", "GroupReach", "Index", "Reach", "Resolving"]

FACTS = ("name", "serial", "groupid", "product", "model", "build")
# From so many devices on, what is computed for each of them is computed in a thread.
MANY = 2_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One device as the scope names it. Services compare exactly, so its text is as it stands there.

    state: `known` to the mirror, `registered` (the service knows it, the mirror not yet), `unknown` (saving would
    register it), `undecided` (nobody was asked), `empty` (blank). devices: ids; several share a serial number.
    suggestion: what may be meant by an entry that is not known, "" when nothing is like it.
    """

    text: str
    state: Literal["known", "registered", "unknown", "undecided", "empty"]
    devices: tuple[str, ...] = ()
    note: str = ""
    suggestion: str = ""


@dataclass(frozen=True, slots=True)
class GroupReach:
    """A group in the scope. devices: directly in it; below: in the groups below it, as far as said.

    gone: the service lists it no more. unread: why its members may not all be known, "" when they are.
    """

    id: str
    name: str
    devices: int
    below: int = 0
    gone: bool = False
    unread: str = ""


@dataclass(frozen=True, slots=True)
class Resolving:
    """How far it is. done of total: groups and entries."""

    done: int
    total: int
    what: str


@dataclass(frozen=True, slots=True)
class Reach:
    """Which devices a rollout reaches.

    devices: ids that the mirror knows, groups counted without those below. total: with `everyone`, how many devices
    the site has as the service says, None when it does not; mirrored: how many the mirror has. requests: how many
    were made for it. complete: everything was read. notes: sentences on what was not. at: epoch seconds.
    """

    everyone: bool
    devices: frozenset[str]
    groups: tuple[GroupReach, ...] = ()
    entries: tuple[Entry, ...] = ()
    total: int | None = None
    mirrored: int = 0
    requests: int = 0
    complete: bool = True
    notes: tuple[str, ...] = ()
    at: float = 0.0

    def _of(self, state: str) -> tuple[str, ...]:
        return tuple(entry.text for entry in self.entries if entry.state == state)

    @property
    def unknown(self) -> tuple[str, ...]:
        """Entries that the service does not know: saving registers them."""
        return self._of("unknown")

    @property
    def undecided(self) -> tuple[str, ...]:
        """Entries of which that is not known."""
        return self._of("undecided")

    @property
    def registers(self) -> int:
        """How many devices saving may register: what is not known to exist counts."""
        return len(self.unknown) + len(self.undecided)

    @property
    def count(self) -> int:
        """How many devices of the service it reaches, as far as known; without those that saving would register.

        With `everyone` the larger of what the service says and what was seen: fewer would confirm too little.
        """
        if self.everyone:
            return max(self.mirrored, self.total or 0)
        return len(self.devices) + len(self._of("registered"))

    @property
    def nobody(self) -> bool:
        """It reaches no device and would register none."""
        return not self.everyone and not self.count and not self.registers and self.complete

    @property
    def with_below(self) -> int:
        """How many it would be if groups counted with those below them, which the contract leaves open."""
        return self.count + sum(group.below for group in self.groups)


class Index:
    """All devices as the mirror has them, by what scopes name: read once, asked for many rollouts.

    facts: id → the values of `FACTS`. entries: what scopes name devices by.
    """

    def __init__(self, facts: Mapping[str, tuple[Value, ...]], entries: Literal["serial", "id"] = "serial") -> None:
        self.all = frozenset(facts)
        self._entries = entries
        self.names: dict[str, str] = {}
        self.hardware: dict[str, Hardware] = {}
        self._groups: dict[str, set[str]] = {}
        self._serials: dict[str, list[str]] = {}
        # Folded serial number or id → how it is written.
        self._alike: dict[str, str] = {}
        for device, values in facts.items():
            serial = str(values[1] or "")
            name, _, group, *kind = (str(value or "").strip() for value in values)
            self.names[device] = name or device
            self.hardware[device] = Hardware(*kind)
            if group:
                self._groups.setdefault(group, set()).add(device)
            if serial.strip():
                self._serials.setdefault(serial, []).append(device)
            written = device if entries == "id" else serial
            for key in (normal_serial(serial), _folded(device)):
                if key and written.strip():
                    self._alike.setdefault(key, written)

    def group(self, group_id: str) -> frozenset[str]:
        """The devices directly in a group, as last learnt."""
        return frozenset(self._groups.get(group_id, ()))

    def entry(self, text: str) -> tuple[str, ...]:
        """The devices that an entry of a scope means: of exactly that id, or exactly that serial number."""
        if self._entries == "id":
            return (text,) if text in self.all else ()
        return tuple(sorted(self._serials.get(text, ())))

    def suggestion(self, text: str) -> str:
        """The entry that may be meant by one that means nothing: of other case or blanks, or of the other kind."""
        found = self._alike.get(normal_serial(text) or _folded(text), "") or self._alike.get(_folded(text), "")
        return "" if found == text else found

    def reach(self, rollout: Rollout) -> frozenset[str]:
        """The devices that a rollout reaches, groups without those below them."""
        if rollout.everyone:
            return self.all
        found: set[str] = set()
        for group in rollout.groups:
            found |= self._groups.get(group, set())
        found.update(device for text in rollout.devices for device in self.entry(text))
        return frozenset(found)


def _folded(text: str) -> str:
    return "".join(text.split()).casefold()
