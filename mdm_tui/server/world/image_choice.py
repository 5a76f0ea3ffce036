"""Which of several system images a unit gets: the service's own choice, by what the unit is and has. Pure."""

from __future__ import annotations

import heapq
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
    routes = _routes(build, usable, partial_first)
    if not routes:
        if here:
            return ImageChoice(())
        if not usable:
            return ImageChoice((), f"the images are older than build {build}, which the device has")
        return ImageChoice((), f"no partial image starts from build {build or 'unknown'}, and there is no full one")
    target = max(routes, key=lambda place: (routes[place][-1].built_at, len(routes[place]), place))
    if here and routes[target][-1].built_at <= built_at:
        return ImageChoice(())
    return ImageChoice(routes[target])


def _routes(build: str, images: Sequence[ImageRecord], partial_first: bool) -> dict[str, tuple[ImageRecord, ...]]:
    """The smallest download to each build that can be reached."""
    best: dict[str, tuple[ImageRecord, ...]] = {}
    heap: list[tuple[int, int, int, str, tuple[ImageRecord, ...]]] = [(0, 0, 0, build, ())]
    seen: set[str] = set()
    number = 0
    while heap:
        size, rank, _, place, steps = heapq.heappop(heap)
        if place in seen:
            continue
        seen.add(place)
        if steps:
            best[place] = steps
        for image in images:
            # A full image goes on whatever is there; behind another step it would be a waste.
            if (image.from_build != place or not place) if image.from_build else bool(steps):
                continue
            number += 1
            full = not image.from_build
            cost = (size + image.size, rank + (full if partial_first else not full), number)
            heapq.heappush(heap, (*cost, image.build, (*steps, image)))
    return best
