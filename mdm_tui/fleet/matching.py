"""Which system image a service will choose for a device, predicted from what is known of both.

The service decides by itself: it takes the smaller download, the full image when the partial ones together are
larger, and refuses images that are not made for a device. What a device does not report, above all whether it has
A/B partitions, is concluded from the catalogue or said to be unknown; a prediction never hides a doubt.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from .catalogue import Image
from .devices import Value
from .image_route import Certainty, Doubts, Left, plan_part
from .text import search_key

__all__ = ["Certainty", "Choice", "Hardware", "Left", "Matcher", "Outcome", "Prediction", "hardware_of"]

Outcome = Literal["install", "there", "none", "unknown"]


class Hardware(NamedTuple):
    """What decides about a device: devices that agree in these get the same images."""

    product: str
    model: str
    build: str

    @property
    def label(self) -> str:
        """As people say it."""
        return self.product or self.model or "unknown hardware"


@dataclass(frozen=True, slots=True)
class Choice:
    """What will happen to a device.

    outcome: `install` these images in this order; it is `there` already; `none` of the images is for it; `unknown`.
    reason: a sentence without its end, doubts included. left: the other images of the rollout, each with why.
    size: bytes to download, None when an image does not say its size. ends: (part, build) that it will be on.
    older: an image that may be installed is older than what the device has, and the rollout does not refuse those.
    unseen: only the region's images are to be installed, and devices do not report that build: installed or not, they
    say the same.
    """

    outcome: Outcome
    images: tuple[str, ...]
    reason: str
    certainty: Certainty
    left: tuple[Left, ...] = ()
    size: int | None = None
    ends: tuple[tuple[str, str], ...] = ()
    older: bool = False
    unseen: bool = False


@dataclass(frozen=True, slots=True)
class Kin:
    """Devices of the same hardware on the same build, and the choice for them."""

    hardware: Hardware
    devices: tuple[str, ...]
    choice: Choice


@dataclass(frozen=True, slots=True)
class Prediction:
    """The choice for each device. kin: largest first. unused: images of the rollout that no device will get.

    unfit: those among them that are not made for any of the devices.
    """

    kin: tuple[Kin, ...]
    by_device: Mapping[str, Choice]
    unused: tuple[str, ...] = ()
    unfit: tuple[str, ...] = ()

    def count(self, outcome: Outcome) -> int:
        """How many devices have this outcome."""
        return sum(len(kin.devices) for kin in self.kin if kin.choice.outcome == outcome)

    @property
    def older(self) -> int:
        """How many devices may be brought to an older build than they have."""
        return sum(len(kin.devices) for kin in self.kin if kin.choice.older)


def hardware_of(values: Mapping[str, Value]) -> Hardware:
    """What decides about a device, from its row."""
    return Hardware(*(str(values.get(key) or "").strip() for key in Hardware._fields))


def _fold(text: str) -> str:
    return " ".join(search_key(text).split())


class Matcher:
    """Predicts for one rollout.

    images: those of the rollout. known: the whole catalogue, as evidence for partitions and build dates.
    refuse_older: whether builds older than the device's are refused; partial_first: whether partial images are
    preferred; None for what the rollout does not say.
    """

    def __init__(
        self,
        images: Iterable[Image],
        known: Iterable[Image] = (),
        *,
        refuse_older: bool | None = None,
        partial_first: bool | None = None,
    ) -> None:
        self._images = list({image.id: image for image in images if not image.unreadable}.values())
        everything = {image.id: image for image in (*known, *self._images) if not image.unreadable}
        self._known: dict[str, list[Image]] = {}
        for image in everything.values():
            for name in {_fold(image.product), _fold(image.device)} - {""}:
                self._known.setdefault(name, []).append(image)
        self._refuse_older = refuse_older
        self._partial_first = partial_first
        self._made: dict[Hardware, Choice] = {}

    def choose(self, hardware: Hardware) -> Choice:
        """The choice for devices like these."""
        found = self._made.get(hardware)
        if found is None:
            found = self._made[hardware] = self._choose(hardware)
        return found

    def predict(self, devices: Mapping[str, Mapping[str, Value]]) -> Prediction:
        """The choice for each device: id → its row. Asked once for each kind of device, however many there are."""
        groups: dict[Hardware, list[str]] = {}
        for device_id, values in devices.items():
            groups.setdefault(hardware_of(values), []).append(device_id)
        kin = [Kin(hardware, tuple(ids), self.choose(hardware)) for hardware, ids in groups.items()]
        kin.sort(key=lambda one: (-len(one.devices), one.hardware))
        used = {image for one in kin for image in one.choice.images}
        possible = {left.image for one in kin for left in one.choice.left if left.fits}
        unused = [image.id for image in self._images if image.id not in used]
        return Prediction(
            tuple(kin),
            {device_id: one.choice for one in kin for device_id in one.devices},
            tuple(unused),
            tuple(image for image in unused if image not in possible),
        )

    def _choose(self, hardware: Hardware) -> Choice:
        if not self._images:
            return Choice("none", (), "the rollout has no images", "certain")
        if not hardware.product and not hardware.model:
            why = "it is not known what hardware the device is"
            return Choice("unknown", (), why, "unknown", tuple(Left(image.id, why, True) for image in self._images))
        doubts = Doubts()
        left: list[Left] = []
        fitting = self._fitting(hardware, left, doubts)
        if not fitting:
            certainty: Certainty = "certain" if hardware.product else "likely"
            if any(one.fits for one in left):
                return Choice("unknown", (), doubts.sentence("no image is known to be for it"), "unknown", tuple(left))
            return Choice("none", (), f"none of the images is for {hardware.label}", certainty, tuple(left))
        fitting, clash = self._partitions(hardware, fitting, left, doubts)
        if clash:
            return Choice("unknown", (), clash, "unknown", tuple(left))
        return self._parts(hardware, fitting, left, doubts)

    def _parts(self, hardware: Hardware, fitting: Sequence[Image], left: list[Left], doubts: Doubts) -> Choice:
        """Base and region images are chosen separately."""
        parts: dict[str, list[Image]] = {}
        for image in fitting:
            parts.setdefault(_fold(image.part), []).append(image)
        known = self._known_for(hardware)
        chosen: list[Image] = []
        said: list[str] = []
        there = False
        ends: list[tuple[str, str]] = []
        for part in sorted(parts):
            if part == "region":
                doubts.add("likely", "devices report one build only, which may not be the region's")
            plan = plan_part(
                hardware.build,
                parts[part],
                known,
                doubts,
                refuse_older=self._refuse_older,
                partial_first=self._partial_first,
            )
            chosen.extend(plan.steps)
            left.extend(plan.left)
            there = there or plan.there
            if plan.end:
                ends.append((part, plan.end))
            said.append(f"{part}: {plan.why}" if len(parts) > 1 and part else plan.why)
        unseen = bool(chosen) and all(_fold(image.part) == "region" for image in chosen)
        outcome: Outcome = "install" if chosen else "there" if there else "none"
        if outcome == "none" and doubts.certainty == "unknown":
            outcome = "unknown"
        sizes = [image.size for image in chosen]
        size = None if any(item is None for item in sizes) else sum(item or 0 for item in sizes)
        return Choice(
            outcome,
            tuple(image.id for image in chosen),
            doubts.sentence("; ".join(said)),
            doubts.certainty,
            tuple(left),
            size,
            tuple(ends),
            bool(chosen) and doubts.older,
            unseen,
        )

    def _fitting(self, hardware: Hardware, left: list[Left], doubts: Doubts) -> list[Image]:
        """The images made for this hardware."""
        found: list[Image] = []
        names = {_fold(hardware.product)} if hardware.product else {_fold(hardware.model)}
        for image in self._images:
            made_for = {_fold(image.product)} if image.product else {_fold(image.device)} - {""}
            if not hardware.product:
                made_for |= {_fold(image.device)} - {""}
            if image.enabled is False:
                left.append(Left(image.id, "is disabled", False))
            elif not made_for:
                left.append(Left(image.id, "does not say what hardware it is made for", True))
                doubts.add("unknown", f"{image.name or image.id} does not say what hardware it is made for")
            elif made_for & names:
                found.append(image)
                if not image.product:
                    doubts.add("likely", f"{image.name or image.id} says a code name and no product")
            else:
                left.append(Left(image.id, f"is made for {image.product or image.device}", False))
        if found and not hardware.product:
            doubts.add("likely", "the device says its model and no product")
        return found

    def _known_for(self, hardware: Hardware) -> list[Image]:
        return self._known.get(_fold(hardware.product or hardware.model), [])

    def _partitions(
        self, hardware: Hardware, fitting: list[Image], left: list[Left], doubts: Doubts
    ) -> tuple[list[Image], str]:
        """Those packed for the device's partitions; else a sentence why that cannot be told."""
        known = self._known_for(hardware)
        proof = {image.ab for image in known if hardware.build and image.build == hardware.build} - {None}
        kinds = {image.ab for image in (*known, *fitting)} - {None}
        if len(proof) == 1:
            ab = proof.pop()
        elif len(kinds) <= 1:
            # Every image of this product is packed alike: there is nothing to tell apart.
            ab = next(iter(kinds), None)
            doubts.add("likely", "devices do not report their partitions; all images of the product are packed alike")
        else:
            wanted = {image.ab for image in fitting} - {None}
            if len(wanted) > 1:
                with_ab = ", ".join(image.name or image.id for image in fitting if image.ab)
                without = ", ".join(image.name or image.id for image in fitting if image.ab is False)
                left.extend(Left(image.id, "the device's partitions are not known", True) for image in fitting)
                return [], (
                    "it is not known whether the device has A/B partitions: "
                    f"with them {with_ab} may be taken, without them {without}"
                )
            ab = next(iter(wanted), None)
            doubts.add("unknown", "it is not known whether the device has A/B partitions")
        kept: list[Image] = []
        for image in fitting:
            if image.ab is None or ab is None or image.ab is ab:
                kept.append(image)
                continue
            packed = "A/B partitions" if image.ab else "partitions that are not A/B"
            left.append(Left(image.id, f"is packed for {packed}, which the device does not have", False))
        return kept, ""
