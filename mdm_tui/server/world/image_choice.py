"""Which of several system images a unit gets: the service's own choice, by what the unit is and has. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .uploads import ImageRecord


@dataclass(frozen=True, slots=True)
class State:
    """What decides: the unit's hardware, and what the partition to be replaced holds. built_at: milliseconds."""

    product: str
    ab: bool
    build: str
    built_at: int
    region: str


@dataclass(frozen=True, slots=True)
class ImageChoice:
    """steps: images in the order of installing; empty when there is nothing to do, or, with refused, nothing fits."""

    steps: tuple[ImageRecord, ...]
    refused: str = ""

    @property
    def size(self) -> int:
        """Bytes to download."""
        return sum(image.size for image in self.steps)


def choose(images: Sequence[ImageRecord], unit: State, *, check_date: bool, partial_first: bool | None) -> ImageChoice:
    """The images a unit takes: the newest build that can be reached, by the smallest download.

    check_date: images older than what the unit has are refused. partial_first: which way wins between equal
    downloads; the smaller one always does.
    """
    fitting = [image for image in images if image.enabled and image.product == unit.product]
    if not fitting:
        return ImageChoice((), f"none of the images is made for {unit.product or 'this device'}")
    packed = [image for image in fitting if image.ab == unit.ab]
    if not packed:
        has = "has A/B partitions" if unit.ab else "has no A/B partitions"
        return ImageChoice((), f"the images for {unit.product} are packed for other partitions: the device {has}")
    steps: list[ImageRecord] = []
    refusals: list[str] = []
    for part in sorted({image.part for image in packed}):
        region = part == "region"
        found = _part(
            [image for image in packed if image.part == part],
            unit.region if region else unit.build,
            0 if region else unit.built_at,
            check_date,
            partial_first is not False,
        )
        steps += found.steps
        if found.refused:
            refusals.append(found.refused)
    return ImageChoice(tuple(steps), "" if steps else "; ".join(refusals))


def _part(
    images: Sequence[ImageRecord], build: str, built_at: int, check_date: bool, partial_first: bool
) -> ImageChoice:
    here = any(image.build == build for image in images)
    usable = [image for image in images if image.build != build and not (check_date and image.built_at < built_at)]
    ways = _ways(build, usable, partial_first)
    if not ways:
        if here:
            return ImageChoice(())
        if not usable:
            return ImageChoice((), f"the images are older than build {build}, which the device has")
        return ImageChoice((), f"no partial image starts from build {build or 'unknown'}, and there is no full one")
    final = max(ways, key=lambda end: (ways[end].steps[-1].built_at, len(ways[end].steps), end))
    if here and ways[final].steps[-1].built_at <= built_at:
        return ImageChoice(())
    return ImageChoice(ways[final].steps)


@dataclass(frozen=True, slots=True)
class _Way:
    """Images that lead to a build, in the order of installing."""

    steps: tuple[ImageRecord, ...]
    partial_first: bool

    @property
    def cost(self) -> tuple[int, int, int]:
        """The download decides; of equal ones the kind that is wanted first, then the fewer restarts."""
        full = sum(not image.from_build for image in self.steps)
        unwanted = full if self.partial_first else len(self.steps) - full
        return sum(image.size for image in self.steps), unwanted, len(self.steps)


def _ways(build: str, images: Sequence[ImageRecord], partial_first: bool) -> dict[str, _Way]:
    """The best way to each build: one full image, or partial ones in a row, behind a full one where there is no other.

    Begins with what can be installed on the unit as it is, and lengthens the ways by partial images for as long as
    that reaches another build, or one of them by less.
    """
    ways: dict[str, _Way] = {}

    def offer(steps: tuple[ImageRecord, ...]) -> bool:
        way, end = _Way(steps, partial_first), steps[-1].build
        if end in ways and ways[end].cost <= way.cost:
            return False
        ways[end] = way
        return True

    for image in images:
        if not image.from_build or image.from_build == build:
            offer((image,))
    partial = [image for image in images if image.from_build and image.from_build != build and image.build != build]
    longer = True
    while longer:
        before = dict(ways)
        offers = [offer((*before[image.from_build].steps, image)) for image in partial if image.from_build in before]
        longer = any(offers)
    return ways
