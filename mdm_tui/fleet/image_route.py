"""From the build that a device has to the newest one that the images at hand can bring it to."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from .catalogue import Image
from .values import show_bytes

__all__ = ["Certainty", "Doubts", "Left", "Part", "plan_part"]

Certainty = Literal["certain", "likely", "unknown"]
_WORSE: dict[Certainty, int] = {"certain": 0, "likely": 1, "unknown": 2}


class Left(NamedTuple):
    """An image that will not be installed. fits: made for the device and only not needed, or it cannot be told."""

    image: str
    why: str
    fits: bool


@dataclass(slots=True)
class Doubts:
    """What makes a prediction less than certain."""

    certainty: Certainty = "certain"
    said: list[str] = field(default_factory=list)
    # Whether the image that is taken is older than what the device has.
    older: bool = False

    def add(self, level: Certainty, sentence: str) -> None:
        if _WORSE[level] > _WORSE[self.certainty]:
            self.certainty = level
        if sentence not in self.said:
            self.said.append(sentence)

    def sentence(self, said: str) -> str:
        return "; ".join([said, *self.said])


@dataclass(frozen=True, slots=True)
class Part:
    """The plan for the base or the region images. steps: in order; there: the device has the newest already.

    end: the build that it will be on, "" when none of the images decides.
    """

    steps: tuple[Image, ...]
    there: bool
    why: str
    left: tuple[Left, ...]
    end: str = ""


class _Route(NamedTuple):
    """A way to a build. size: bytes; full: how many full images are in it."""

    size: int
    full: int
    steps: tuple[Image, ...]


def plan_part(
    build: str,
    images: Sequence[Image],
    known: Sequence[Image],
    doubts: Doubts,
    *,
    refuse_older: bool | None,
    partial_first: bool | None,
) -> Part:
    """What the service takes of these images for a device on `build` ("" when it is not known).

    images: made for the device, of one part. known: the catalogue's of the same product, for the build's date.
    """
    left: list[Left] = []
    since = max((image.built_at for image in known if build and image.build == build and image.built_at), default=None)
    here = [image for image in images if build and image.build == build]
    usable = _usable([image for image in images if image not in here], since, refuse_older, left, doubts)
    if not build:
        doubts.add("unknown" if any(image.partial for image in usable) else "likely", "the device's build is not known")
    routes = _routes(build, usable)
    routes.pop(build, None)
    target = _newest(routes, here, since, refuse_older, doubts)
    left.extend(Left(image.id, "is on the device already", True) for image in here)
    steps = routes[target].steps if target is not None else ()
    for image in usable:
        if image in steps:
            continue
        if image.partial and image.from_build != build and image.from_build not in routes:
            has = f"has {build}" if build else "does not say its build"
            left.append(Left(image.id, f"starts from build {image.from_build}, and the device {has}", not build))
        elif target is None:
            left.append(Left(image.id, "is not newer than what the device has", True))
        elif _place(image) == target:
            left.append(Left(image.id, "leads to the same build with a larger download", True))
        else:
            left.append(Left(image.id, "another way is newer or smaller", True))
    if not steps:
        why = f"the device has {build} already" if here else "no image starts from the device's build"
        if not here and not usable:
            why = "all images for the device are older than its build"
        return Part((), bool(here), why, tuple(left), build if here else "")
    _doubt_sizes(steps, usable, doubts, partial_first)
    return Part(steps, False, _said(steps, usable), tuple(left), steps[-1].build)


def _usable(
    images: Sequence[Image], since: float | None, refuse_older: bool | None, left: list[Left], doubts: Doubts
) -> list[Image]:
    """Without those that are older than the device's build, where the rollout refuses them."""
    if not refuse_older:
        return list(images)
    kept: list[Image] = []
    for image in images:
        if since is None or image.built_at is None:
            # The service knows both dates: whether it refuses the image cannot be told here.
            doubts.add("unknown", "build dates cannot all be compared, and the rollout refuses older images")
            kept.append(image)
        elif image.built_at < since:
            left.append(Left(image.id, "is older than the device's build, which the rollout refuses", False))
        else:
            kept.append(image)
    return kept


def _routes(build: str, images: Sequence[Image]) -> dict[str, _Route]:
    """The smallest download to each build that can be reached; of equal ones the one with fewer full images."""
    partials: dict[str, list[Image]] = {}
    for image in images:
        if image.partial:
            partials.setdefault(image.from_build, []).append(image)
    # A full image can be installed on whatever is there; on top of another step it would be a waste.
    full_ones = [image for image in images if not image.partial]
    best: dict[str, _Route] = {}
    number = 0
    heap: list[tuple[int, int, int, str, int, tuple[Image, ...]]] = [(0, 0, 0, build, number, ())]
    while heap:
        size, full, count, place, _, steps = heapq.heappop(heap)
        if place in best:
            continue
        best[place] = _Route(size, full, steps)
        onward = partials.get(place, []) if place else []
        for image in onward if steps else [*onward, *full_ones]:
            # The number keeps images themselves from being compared.
            number += 1
            cost = (size + (image.size or 0), full + (not image.partial), count + 1, _place(image), number)
            heapq.heappush(heap, (*cost, (*steps, image)))
    return best


def _place(image: Image) -> str:
    """The build that an image leads to; one that does not say it leads to a place of its own."""
    return image.build or f"\0{image.id}"


def _newest(
    routes: dict[str, _Route], here: Sequence[Image], since: float | None, refuse_older: bool | None, doubts: Doubts
) -> str | None:
    """The build to end at, None to stay."""
    dated = {place: route.steps[-1].built_at for place, route in routes.items() if route.steps}
    if not dated:
        return None
    if len(dated) + bool(here) > 1 and any(date is None for date in dated.values()):
        doubts.add("unknown", "images without a build date cannot be put in order")
    # The longest way leads furthest where dates are equal or missing.
    target = max(dated, key=lambda place: (dated[place] or 0.0, len(routes[place].steps), place))
    date = dated[target]
    if here and (date is None or since is None or date <= since):
        return None
    if date is not None and since is not None and date < since:
        doubts.older = True
        if refuse_older is None:
            doubts.add("unknown", "the image is older than the device's build, and the rollout does not say if it may")
        else:
            doubts.add("certain", "the image is older than the device's build")
    elif since is None and refuse_older is None and len(dated) == 1 and not here:
        doubts.add("likely", "it is not known how old the device's build is")
    return target


def _doubt_sizes(steps: Sequence[Image], usable: Sequence[Image], doubts: Doubts, partial_first: bool | None) -> None:
    """The download decides between partial and full: say when that could not be compared."""
    rivals = [image for image in usable if _place(image) == _place(steps[-1]) and image not in steps]
    if not rivals:
        return
    if not all(image.size for image in (*steps, *rivals)):
        doubts.add("unknown", "images without a size cannot be compared")
    elif partial_first is False and any(image.partial for image in steps):
        doubts.add("likely", "the rollout says not to take partial images first")
    elif partial_first and not any(image.partial for image in steps) and any(image.partial for image in rivals):
        doubts.add("likely", "the rollout says to take partial images first, and together they are larger")


def _said(steps: Sequence[Image], usable: Sequence[Image]) -> str:
    end = steps[-1]
    size = sum(image.size or 0 for image in steps)
    download = f", {show_bytes(size)}" if size else ""
    partial = [image for image in steps if image.partial]
    if not partial:
        why = f"the full image {end.name or end.id} brings it to {end.build or 'another build'}{download}"
        if any(image.partial and image.build == end.build for image in usable):
            why += ", less than the partial images together"
        return why
    if len(steps) == 1:
        return f"the partial image {end.name or end.id} brings it to {end.build}{download}"
    kinds = "partial images" if len(partial) == len(steps) else "images, a full one first,"
    return f"{len(steps)} {kinds} in a row bring it to {end.build}{download}"
