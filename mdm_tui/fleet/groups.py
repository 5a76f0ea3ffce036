"""Groups of devices: a tree that the service keeps as a flat list, with all that can be wrong in one."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from .text import search_key

__all__ = ["Group", "GroupTree", "Node"]


@dataclass(frozen=True, slots=True)
class Group:
    """One group as the service lists it.

    parent: the id of the group above, "" for none. devices: how many are in it, without those in groups below.
    Times in epoch seconds. raw: the JSON text as the service sent it, so that what we do not know survives a change.
    unreadable: why the item could not be understood, "" when it could.
    """

    id: str
    name: str
    parent: str = ""
    devices: int | None = None
    enabled: bool | None = None
    created_at: float | None = None
    updated_at: float | None = None
    raw: str = "{}"
    unreadable: str = ""


@dataclass(frozen=True, slots=True)
class Node:
    """A group in its place.

    id: the group's, made up for one that has none. parent: the id of the node above, "" at the top. children: ids by
    name. total: devices in it and below, as far as said, None when nobody said anything; partly: some of them did not
    say, so there may be more. trouble: what is wrong with its place, as a sentence, "" when nothing is.
    """

    id: str
    group: Group
    parent: str = ""
    depth: int = 0
    children: tuple[str, ...] = ()
    total: int | None = None
    partly: bool = False
    trouble: str = ""

    @property
    def name(self) -> str:
        """What to call it: a group without a name by its id."""
        return self.group.name or self.id

    @property
    def devices(self) -> int | None:
        """How many are directly in it, None when the service does not say or says nonsense."""
        return _count(self.group)


class GroupTree:
    """A site's groups as a tree, from whatever the service lists.

    Everything listed is somewhere in it: groups whose place makes no sense (the group above is not listed, or a circle)
    stand at the top with the reason. No walk here recurses, so a chain of any length is only long.
    """

    def __init__(self, nodes: dict[str, Node], roots: tuple[str, ...]) -> None:
        self._nodes = nodes
        self._names: dict[str, list[str]] | None = None
        self.roots = roots

    @classmethod
    def build(cls, groups: Iterable[Group]) -> GroupTree:
        """Put each group in its place."""
        listed, trouble = _by_id(groups)
        above = _places(listed, trouble)
        children: dict[str, list[str]] = {}
        for key, parent in above.items():
            children.setdefault(parent, []).append(key)
        for siblings in children.values():
            siblings.sort(key=lambda key: (not trouble.get(key), search_key(listed[key].name), key))
        order: list[tuple[str, int]] = []
        waiting = [(key, 0) for key in reversed(children.get("", ()))]
        while waiting:
            key, depth = waiting.pop()
            order.append((key, depth))
            waiting.extend((child, depth + 1) for child in reversed(children.get(key, ())))
        totals: dict[str, tuple[int | None, bool]] = {}
        # From the deepest up: what is below is counted before.
        for key, _ in reversed(order):
            own = [
                (_count(listed[key]), _count(listed[key]) is None),
                *(totals[child] for child in children.get(key, ())),
            ]
            said = [count for count, _ in own if count is not None]
            totals[key] = (sum(said) if said else None, any(partly for _, partly in own))
        nodes = {
            key: Node(
                key,
                listed[key],
                above[key],
                depth,
                tuple(children.get(key, ())),
                *totals[key],
                ". ".join(trouble.get(key, ())),
            )
            for key, depth in order
        }
        return cls(nodes, tuple(children.get("", ())))

    def __len__(self) -> int:
        return len(self._nodes)

    def __contains__(self, key: object) -> bool:
        return key in self._nodes

    def node(self, key: str) -> Node:
        """A group in its place. Raises KeyError for one that is not listed."""
        return self._nodes[key]

    def get(self, key: str) -> Node | None:
        """As `node`, None for one that is not listed."""
        return self._nodes.get(key)

    def all(self) -> list[str]:
        """Every id, each group before those below it."""
        return list(self._nodes)

    def troubled(self) -> list[str]:
        """Ids of the groups with something wrong about their place."""
        return [key for key, node in self._nodes.items() if node.trouble]

    def visible(self, opened: Collection[str]) -> list[str]:
        """The ids that show while those groups are open, top to bottom. It costs what is visible, not what there is."""
        found: list[str] = []
        waiting = list(reversed(self.roots))
        while waiting:
            key = waiting.pop()
            found.append(key)
            if key in opened:
                waiting.extend(reversed(self._nodes[key].children))
        return found

    def path(self, key: str) -> tuple[str, ...]:
        """The ids from the top down to a group, itself included; empty for one that is not listed."""
        found: list[str] = []
        while key and (node := self._nodes.get(key)) is not None:
            found.append(key)
            key = node.parent
        return tuple(reversed(found))

    def path_text(self, key: str) -> str:
        """The path in names: `Depot / Berlin`."""
        return " / ".join(self._nodes[step].name for step in self.path(key))

    def below(self, key: str) -> list[str]:
        """The ids of all groups below one, without itself."""
        node = self._nodes.get(key)
        waiting = list(reversed(node.children)) if node is not None else []
        found: list[str] = []
        while waiting:
            found.append(step := waiting.pop())
            waiting.extend(reversed(self._nodes[step].children))
        return found

    def why_not_move(self, key: str, to: str) -> str:
        """Why a group cannot be moved below another ("" for the top), as a sentence; "" when it can."""
        node, target = self._nodes.get(key), self._nodes.get(to)
        if node is None:
            return "The group is not listed any more"
        if to and target is None:
            return "The group to move it into is not listed any more"
        if target is not None and target.group.unreadable:
            return f"{target.name} could not be read: nothing can be moved into it"
        if key == to:
            return f"{node.name} cannot be moved into itself"
        if target is not None and key in self.path(to):
            return f"{target.name} lies below {node.name}: a group cannot be moved below itself"
        # What the service holds counts: a group that stands at the top for its trouble may be moved there in earnest.
        if node.group.parent == to:
            return f"{node.name} is {f'in {target.name}' if target is not None else 'at the top'} already"
        return ""

    def named(self, name: str, parent: str) -> list[str]:
        """The ids of the groups of that name (case and accents aside) directly below a group, "" for the top."""
        siblings = self._nodes[parent].children if parent in self._nodes else () if parent else self.roots
        return [key for key in siblings if search_key(self._nodes[key].name) == search_key(name)]

    def find(self, text: str) -> list[str]:
        """The groups a person may mean by an id, a path of names (`Depot / Berlin`) or a name; the best fit only."""
        wanted = text.strip()
        if wanted in self._nodes:
            return [wanted]
        parts = [search_key(part) for part in re.split(r"\s*/\s*", wanted.strip("/ "))]
        found = [(key, top) for key in self._named("/".join(parts[-1:])) for key, top in self._climb(key, parts)]
        for size in range(2, len(parts) + 1):
            # A name may hold a slash itself.
            merged = [*parts[:-size], "/".join(parts[-size:])]
            found.extend(match for key in self._named(merged[-1]) for match in self._climb(key, merged))
        whole = list(dict.fromkeys(key for key, top in found if top))
        return whole or list(dict.fromkeys(key for key, _ in found))

    def _named(self, name: str) -> list[str]:
        if self._names is None:
            names: dict[str, list[str]] = {}
            for key, node in self._nodes.items():
                names.setdefault(_folded(node.name), []).append(key)
            self._names = names
        return self._names.get(name, [])

    def _climb(self, key: str, parts: list[str]) -> list[tuple[str, bool]]:
        """The key when the names above it are the parts before the last; and whether they begin at the top."""
        step = self._nodes[key]
        for part in reversed(parts[:-1]):
            if not step.parent:
                return []
            step = self._nodes[step.parent]
            if _folded(step.name) != part:
                return []
        return [(key, not step.parent)]


def _folded(name: str) -> str:
    return re.sub(r"\s*/\s*", "/", search_key(name.strip()))


def _count(group: Group) -> int | None:
    return group.devices if group.devices is not None and group.devices >= 0 else None


def _by_id(groups: Iterable[Group]) -> tuple[dict[str, Group], dict[str, list[str]]]:
    """Each id once. What comes twice with other content, or without an id, is told."""
    listed: dict[str, Group] = {}
    trouble: dict[str, list[str]] = {}
    for group in groups:
        key = group.id
        if not key:
            key = f" {len(listed) + 1}"
            trouble[key] = ["The service lists it without an id"]
        elif key in listed:
            if listed[key] != group:
                what = f"The service lists its id more than once, also as {group.name or 'a group without a name'}"
                trouble.setdefault(key, []).append(what)
            continue
        listed[key] = group
        if group.unreadable:
            trouble.setdefault(key, []).append(group.unreadable.rstrip("."))
    return listed, trouble


def _places(listed: dict[str, Group], trouble: dict[str, list[str]]) -> dict[str, str]:
    """The id above each group, "" for the top: circles are cut and orphans brought up, with the reason."""
    above: dict[str, str] = {}
    for key, group in listed.items():
        parent = group.parent
        if parent == key:
            trouble.setdefault(key, []).append("The service says that it lies in itself")
            parent = ""
        elif parent and parent not in listed:
            trouble.setdefault(key, []).append("The group above it is not listed by the service")
            parent = ""
        above[key] = parent
    settled: set[str] = set()
    for start in listed:
        steps: dict[str, None] = {}
        key = start
        while key and key not in settled and key not in steps:
            steps[key] = None
            key = above[key]
        if key and key in steps:
            walked = list(steps)
            circle = walked[walked.index(key) :]
            first = min(circle, key=lambda step: (search_key(listed[step].name), step))
            at = circle.index(first)
            names = [listed[step].name or step for step in circle[at:] + circle[:at]]
            shown = " in ".join(names[:4]) + (" in …" if len(names) > 4 else "")
            trouble.setdefault(first, []).append(f"The service says that it lies below itself: {shown} in {names[0]}")
            above[first] = ""
        settled.update(steps)
    return above
