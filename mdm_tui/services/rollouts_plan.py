"""What saving a rollout will do, in sentences, and what a person has to type for it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mdm_tui.fleet.catalogue import Image
from mdm_tui.fleet.conflicts import Clash
from mdm_tui.fleet.errors import Problem
from mdm_tui.fleet.matching import Prediction
from mdm_tui.fleet.rollouts import Rollout
from mdm_tui.fleet.text import clean

from .rollouts_scope import Reach

__all__ = ["RolloutPlan", "make_plan"]

_NAMED = 5


@dataclass(frozen=True, slots=True)
class RolloutPlan:
    """A save, frozen. id: None or `new:…` for one that the service does not have yet. text: the document; base: what
    the edit began from. problems: errors keep it from being sent. sentences: what to show before sending.

    expects: each thing that must be typed, in this order, in one line; none for an ordinary save. at: epoch seconds; a
    plan grows stale.
    """

    id: str | None
    name: str
    text: str
    base: str
    reach: Reach
    prediction: Prediction
    clashes: tuple[Clash, ...]
    problems: tuple[Problem, ...]
    sentences: tuple[str, ...]
    expects: tuple[str, ...]
    at: float

    @property
    def ready(self) -> bool:
        """Nothing but warnings stands in its way."""
        return all(problem.warning for problem in self.problems)

    @property
    def typed(self) -> str:
        """What must be typed, "" when nothing must."""
        return " ".join(self.expects)

    def accepts(self, typed: str) -> bool:
        """Whether what was typed confirms it. Thousands may be separated: `1,204` is 1204."""
        plain = re.sub(r"(?<=\d)[,.'_](?=\d{3}(\D|$))", "", typed)
        return " ".join(plain.split()).casefold() == self.typed.casefold()


def make_plan(
    rollout_id: str | None,
    rollout: Rollout,
    text: str,
    base: str,
    *,
    images: Mapping[str, Image],
    reach: Reach,
    prediction: Prediction,
    clashes: Sequence[Clash],
    problems: Sequence[Problem],
    left_out: str,
    at: float,
) -> RolloutPlan:
    """Put together what was found out. images: what the rollout names, by its reference."""
    found = list(problems)
    if reach.nobody:
        found.append(Problem(("groups",), "it reaches nobody", warning=True))
    if reach.devices:
        places = {image.id: (place, image.name or ref) for ref, image in images.items()
                  for place, other in enumerate(rollout.images) if other == ref}  # fmt: skip
        found.extend(
            Problem(("images", places[key][0]), f"{places[key][1]} is for none of the devices it reaches", warning=True)
            for key in prediction.unfit
            if key in places
        )
    return RolloutPlan(
        rollout_id,
        rollout.name,
        text,
        base,
        reach,
        prediction,
        tuple(clashes),
        tuple(found),
        tuple(_sentences(rollout, reach, prediction, clashes, left_out)),
        tuple(_expects(rollout, reach, prediction)),
        at,
    )


def _expects(rollout: Rollout, reach: Reach, prediction: Prediction) -> list[str]:
    typed: list[str] = []
    if reach.registers:
        typed.append(f"register {reach.registers}")
    if reach.everyone:
        typed.append(str(reach.count))
    if prediction.older and rollout.enabled is not False:
        typed.append(f"older {prediction.older}")
    return typed


def _sentences(
    rollout: Rollout, reach: Reach, prediction: Prediction, clashes: Sequence[Clash], left_out: str
) -> list[str]:
    said = [_whom(reach)]
    if not reach.everyone and reach.with_below != reach.count:
        said.append(
            f"With the groups below them it would be {reach.with_below:,}; "
            "whether the service includes those is not stated."
        )
    said.extend(f"The group {group.name} is not at the service any more." for group in reach.groups if group.gone)
    said.extend(
        f"Not all devices of the group {group.name} may be known: {group.unread.rstrip('.')}."
        for group in reach.groups
        if group.unread
    )
    if reach.unknown:
        unknown = f"{_devices(len(reach.unknown))} that the service does not know: {_list(reach, 'unknown')}."
        # Ignored as a scope, says the contract; whether it is read for that as well it leaves open.
        said.append(f"Saving {'may register' if reach.everyone else 'registers'} {unknown}")
    if reach.undecided:
        count = len(reach.undecided)
        said.append(
            f"Of {count:,} {'entry' if count == 1 else 'entries'} it is not known whether the service knows them; "
            f"saving may register them: {_list(reach, 'undecided')}."
        )
        said.append(
            f"“register {reach.registers}” confirms {len(reach.unknown):,} that the service does not know "
            f"and {count:,} that were not asked for."
        )
    said.extend(f"{note.rstrip('.')}." for note in reach.notes)
    if rollout.enabled is False:
        said.append("It is disabled: nothing is installed until it is enabled.")
    if prediction.older:
        said.append(
            f"Older build: {_devices(prediction.older)} may be brought to an older build than they have, "
            "and the rollout does not refuse that."
        )
    if rollout.images:
        # What leads backwards is never among those that are only counted.
        kinds = sorted(prediction.kin, key=lambda one: not one.choice.older)
        for kin in kinds[:_NAMED]:
            build = f" on {kin.hardware.build}" if kin.hardware.build else ""
            sure = "" if kin.choice.certainty == "certain" else f" ({kin.choice.certainty})"
            lead = "Older build" if kin.choice.older else "Images"
            said.append(
                f"{lead} for {_devices(len(kin.devices))} ({kin.hardware.label}{build}): {kin.choice.reason}{sure}."
            )
        if rest := kinds[_NAMED:]:
            left, many = sum(len(kin.devices) for kin in rest), len(rest)
            said.append(
                f"Images for {left:,} more device{'' if left == 1 else 's'} "
                f"of {many:,} other kind{'' if many == 1 else 's'}."
            )
    said.extend(f"Conflict: {clash.sentence}." for clash in clashes[:_NAMED])
    if len(clashes) > _NAMED:
        said.append(f"{len(clashes) - _NAMED:,} more conflicts with other rollouts.")
    if left_out:
        said.append(f"{left_out}.")
    return said


def _whom(reach: Reach) -> str:
    if reach.everyone:
        seen = ""
        if reach.total is not None and reach.total != reach.mirrored:
            seen = f" (the service says {reach.total:,}, {reach.mirrored:,} were seen here)"
        return f"It reaches EVERY device of the site, {reach.count:,}{seen}; the scope is ignored."
    if reach.nobody:
        return "It reaches nobody."
    parts: list[str] = []
    if reach.groups:
        count = len(reach.groups)
        parts.append(f"{sum(group.devices for group in reach.groups):,} in {count} group{'' if count == 1 else 's'}")
    alone = sum(len(entry.devices) or entry.state == "registered" for entry in reach.entries)
    if alone:
        parts.append(f"{alone:,} named by themselves")
    least = "" if reach.complete else "at least "
    return f"It reaches {least}{_devices(reach.count)}{': ' + ', '.join(parts) if parts else ''}."


def _devices(count: int) -> str:
    return f"{count:,} device{'' if count == 1 else 's'}"


def _list(reach: Reach, state: str) -> str:
    some = [entry for entry in reach.entries if entry.state == state]
    # Those that look like a slip first: they are worth reading.
    some.sort(key=lambda entry: not entry.suggestion)
    shown = ", ".join(
        clean(entry.text, 60) + (f" (did you mean {clean(entry.suggestion, 60)}?)" if entry.suggestion else "")
        for entry in some[:_NAMED]
    )
    return f"{shown}, and {len(some) - _NAMED:,} more" if len(some) > _NAMED else shown
