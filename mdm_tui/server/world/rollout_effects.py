"""What an installation leaves on a unit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .rollout_work import Step
from .units import UnitRecord

if TYPE_CHECKING:
    from .world import World


def apply(world: World, unit: UnitRecord, step: Step) -> None:
    """An app or an image is installed now; a restart takes the unit off the line until its next check-in."""
    now = world.clock.now()
    said: list[str] = [f"{step.label} installed"]
    restarts = False
    if step.package and step.wish:
        world.database.run(
            "INSERT INTO unit_package VALUES (?,?,?,?,?) ON CONFLICT (u, package) DO UPDATE SET "
            "upload = excluded.upload, last_at = excluded.last_at",
            (unit.u, step.package.package, step.package.uuid, now, now),
        )
        said += ["all permissions granted"] if step.wish.grants else []
        said += ["started"] if step.wish.starts else []
        restarts = step.wish.reboots
    columns: dict[str, object] = {"checked_in_at": now}
    if step.image:
        restarts = True
        if step.image.part == "region":
            columns["region"] = step.image.build
        else:
            columns |= {
                "build": step.image.build,
                "os": str(step.image.info.get("osVersion") or unit.os),
                "sdk": int(step.image.info.get("sdk") or unit.sdk),
                "built_at": step.image.built_at,
            }
    if restarts:
        columns["disconnected_at"] = now
        said.append("restarted")
    world.units.change(unit, **columns)
    world.units.note(unit.u, "install", ", ".join(said))
