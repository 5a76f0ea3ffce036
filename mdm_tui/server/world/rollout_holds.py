"""Why a unit does not go on with a rollout now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .rollout_words import Wishes
from .rollout_work import Step
from .units import UnitRecord

if TYPE_CHECKING:
    from .world import World


def why_wait(world: World, unit: UnitRecord, wishes: Wishes) -> str:
    """Why nothing can begin on a unit, "" when it can."""
    if unit.enrolled_at is None:
        return "the device has not enrolled"
    if not unit.online:
        return "the device is offline"
    return _why_asleep(world, unit, wishes)


def why_hold(world: World, unit: UnitRecord, wishes: Wishes, step: Step) -> str:
    """Why what is downloaded cannot be installed, "" when it can."""
    now = world.clock.now()
    if not unit.online and not wishes.while_offline:
        return "the device is offline"
    if step.image and wishes.need_ac and not world.life.charging(unit, now):
        return "downloaded, waits for mains power"
    if not wishes.wakes and not world.life.idle(unit, now):
        return "downloaded, the device is in use"
    return _why_asleep(world, unit, wishes)


def _why_asleep(world: World, unit: UnitRecord, wishes: Wishes) -> str:
    awake = wishes.wakes or wishes.while_asleep or not world.life.asleep(unit, world.clock.now())
    return "" if awake else "the device is asleep"
