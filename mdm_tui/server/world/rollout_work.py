"""What is left to do on a unit for a rollout, worked out anew each time from what it has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .image_choice import State, choose
from .rollout_words import AppWish, Wishes
from .unit_apps import installed_on
from .units import UnitRecord
from .uploads import ImageRecord, PackageRecord

if TYPE_CHECKING:
    from .world import World


@dataclass(frozen=True, slots=True)
class Step:
    """One download and one installation: of an app (with its flags) or of an image."""

    package: PackageRecord | None = None
    wish: AppWish | None = None
    image: ImageRecord | None = None

    @property
    def size(self) -> int:
        """Bytes to download."""
        return self.package.size if self.package else self.image.size if self.image else 0

    @property
    def label(self) -> str:
        """What it is, as logs and reasons name it."""
        if self.package:
            return f"{self.package.package} {self.package.version_name}"
        return f"image {self.image.build}" if self.image else ""


@dataclass(frozen=True, slots=True)
class Work:
    """The next step, None when nothing is left; and what the unit refuses, each with its reason."""

    step: Step | None
    refused: tuple[str, ...]


def work_for(world: World, unit: UnitRecord, wishes: Wishes) -> Work:
    """What comes next for a unit, in the rollout's order."""
    step: Step | None = None
    refused: list[str] = []
    for kind in wishes.order:
        if kind == "apps" and wishes.apps:
            found = _apps(world, unit, wishes, refused)
        elif kind == "otas" and wishes.images:
            found = _images(world, unit, wishes, refused)
        else:
            continue
        step = step or found
    return Work(step, tuple(refused))


def _apps(world: World, unit: UnitRecord, wishes: Wishes, refused: list[str]) -> Step | None:
    has = {item.package: item.version_code for item in installed_on(world, unit)}
    # Of one app the newest version counts: the others would only be in its way.
    newest: dict[str, tuple[PackageRecord, AppWish]] = {}
    for wish in wishes.apps:
        package = world.packages.get(wish.ref)
        known = newest.get(package.package)
        if known is None or package.version_code > known[0].version_code:
            newest[package.package] = (package, wish)
    first: Step | None = None
    for package, wish in newest.values():
        now = has.get(package.package)
        if now == package.version_code:
            continue
        if now is not None and now > package.version_code:
            refused.append(f"{package.package}: a newer version is installed ({now})")
        elif not package.enabled:
            refused.append(f"{package.package} {package.version_name} is disabled")
        elif unit.sdk < package.min_sdk:
            refused.append(f"{package.package} needs SDK {package.min_sdk}, the device has {unit.sdk}")
        else:
            first = first or Step(package=package, wish=wish)
    return first


def _images(world: World, unit: UnitRecord, wishes: Wishes, refused: list[str]) -> Step | None:
    state = State(unit.product, unit.ab, unit.build, unit.built_at, unit.region)
    images = [world.images.get(ref) for ref in dict.fromkeys(wishes.images)]
    choice = choose(images, state, check_date=wishes.check_date, partial_first=wishes.partial_first)
    if choice.refused:
        refused.append(choice.refused)
    return Step(image=choice.steps[0]) if choice.steps else None
