"""Rollouts that pull the same device in different directions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from .matching import Choice

__all__ = ["Claim", "Clash", "Wanted", "clashes", "clashes_inside"]

EXAMPLES = 3


class Wanted(NamedTuple):
    """A version of a package. version: as people say it; code: the number that decides, None when not said."""

    app_id: str
    version: str
    code: int | None


@dataclass(frozen=True, slots=True)
class Claim:
    """What one rollout wants of the devices it reaches.

    devices: ids. apps: package → versions. choices: device → the images it will get. order: what it applies first, ""
    or `none` when it does not matter.
    """

    id: str
    name: str
    devices: frozenset[str]
    apps: Mapping[str, Sequence[Wanted]] = field(default_factory=dict)
    choices: Mapping[str, Choice] = field(default_factory=dict)
    order: str = ""

    @property
    def label(self) -> str:
        """As people say it."""
        return self.name or self.id or "this rollout"


@dataclass(frozen=True, slots=True)
class Clash:
    """One thing on which two rollouts differ for devices that both reach. examples: ids of some of the devices."""

    other: str
    other_name: str
    kind: Literal["app", "image", "order"]
    sentence: str
    devices: int
    examples: tuple[str, ...]


def clashes(mine: Claim, others: Iterable[Claim], names: Mapping[str, str]) -> list[Clash]:
    """On what the others differ from mine, the most devices first. names: device → its name, for the examples."""
    found: list[Clash] = []
    for other in others:
        both = mine.devices & other.devices
        if not both or (other.id == mine.id and mine.id):
            continue
        found.extend(_apps(mine, other, both, names))
        found.extend(_images(mine, other, both, names))
        orders = {mine.order, other.order} - {"", "none"}
        if len(orders) > 1:
            what = f"{other.label} applies {other.order} first, this one {mine.order}"
            found.append(_clash(other, "order", what, both, names))
    return sorted(found, key=lambda clash: (clash.kind == "order", -clash.devices, clash.other_name, clash.sentence))


def clashes_inside(mine: Claim) -> list[str]:
    """Sentences on what a rollout wants in two versions by itself."""
    return [
        f"{package} is in it in {len(versions)} versions: {', '.join(sorted({one.version for one in versions}))}"
        for package, versions in mine.apps.items()
        if len({_identity(one) for one in versions}) > 1
    ]


def _apps(mine: Claim, other: Claim, both: frozenset[str], names: Mapping[str, str]) -> Iterable[Clash]:
    for package in mine.apps.keys() & other.apps.keys():
        here, there = mine.apps[package], other.apps[package]
        if {_identity(one) for one in here} == {_identity(one) for one in there}:
            continue
        what = f"{other.label} installs {package} {_versions(there)}, this one {_versions(here)}"
        yield _clash(other, "app", what, both, names)


def _images(mine: Claim, other: Claim, both: frozenset[str], names: Mapping[str, str]) -> Iterable[Clash]:
    if not mine.choices or not other.choices:
        return
    apart: dict[tuple[str, str, str], set[str]] = {}
    for device in both:
        here, there = mine.choices.get(device), other.choices.get(device)
        if here is None or there is None:
            continue
        theirs = dict(there.ends)
        for part, build in here.ends:
            if part in theirs and theirs[part] != build:
                apart.setdefault((part, theirs[part], build), set()).add(device)
    for (part, theirs_build, build), devices in apart.items():
        image = f"{part} image" if part else "image"
        what = f"{other.label} brings the {image} to {theirs_build}, this one to {build}"
        yield _clash(other, "image", what, devices, names)


def _clash(
    other: Claim,
    kind: Literal["app", "image", "order"],
    what: str,
    devices: frozenset[str] | set[str],
    names: Mapping[str, str],
) -> Clash:
    named = sorted(devices, key=lambda device: (names.get(device, device), device))[:EXAMPLES]
    said = ", ".join(names.get(device, device) for device in named)
    more = ", …" if len(devices) > len(named) else ""
    count = f"{len(devices):,} device{'' if len(devices) == 1 else 's'}"
    return Clash(other.id, other.label, kind, f"{what}: {count} ({said}{more})", len(devices), tuple(named))


def _identity(wanted: Wanted) -> tuple[str, object]:
    """Two uploads of one version are no two versions."""
    if wanted.code is not None:
        return ("code", wanted.code)
    return ("version", wanted.version) if wanted.version else ("id", wanted.app_id)


def _versions(wanted: Sequence[Wanted]) -> str:
    return " and ".join(
        sorted({one.version or (str(one.code) if one.code is not None else one.app_id) for one in wanted})
    )
