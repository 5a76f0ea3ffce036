"""Which applications a device has, at which version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .catalog import AGENT_PACKAGE, AGENT_VERSIONS, SYSTEM_APPS
from .chance import mix
from .clock import DAY
from .nature import software
from .records import Device

if TYPE_CHECKING:
    from .world import World


@dataclass(frozen=True, slots=True)
class Installed:
    """One application on a device. `origin`: system, updated or custom; `removed` ones are still remembered."""

    package: str
    title: str
    version: str
    code: int
    origin: str
    visible: bool
    removed: bool
    changed_at: int


def forced_packages(world: World, policy_id: str | None) -> list[str]:
    """Packages that a policy installs by force."""
    policy = world.policies.all.get(policy_id or "")
    if policy is None:
        return []
    packages = []
    for entry in policy.body.get("applications") or []:
        application = world.registry.applications.get(entry["application"])
        if application and entry.get("install", "force") == "force":
            packages.append(application.package)
    return packages


def installed(world: World, device: Device, moment: int) -> list[Installed]:
    """Everything on the device at `moment`, system packages first."""
    seed, n = world.seed, device.n
    system = software(seed, device, moment)
    born = device.enrolled_at or device.created_at
    found = [
        Installed(
            package,
            title,
            f"{system.android}-{system.build[-4:]}" if mix(seed, n, 91, index) % 9 else f"{system.android}",
            system.api,
            "system" if mix(seed, n, 91, index) % 9 else "updated",
            visible,
            False,
            born,
        )
        for index, (package, title, visible) in enumerate(SYSTEM_APPS)
    ]
    name, code = AGENT_VERSIONS[system.agent]
    found.append(Installed(AGENT_PACKAGE, "Device agent", name, code, "custom", True, False, born))
    forced = set(forced_packages(world, device.applied_id))
    for application in world.registry.applications.values():
        luck = mix(seed, n, 92, application.number)
        wanted = application.package in forced
        if not wanted and luck % 9:
            continue
        versions = world.registry.versions(application)
        # An update reaches a device some days after it is out; one in twelve stays behind for good.
        age = (moment - application.updated_at) // DAY - luck // 16 % 6
        behind = age < 0 or luck // 256 % 12 == 0
        newest = application.version_name
        version = versions[-2] if behind and len(versions) > 1 else newest
        found.append(
            Installed(
                application.package,
                application.title,
                version,
                application.version_code - (10 if version != newest else 0),
                "custom",
                True,
                not wanted and luck // 4096 % 5 == 0,
                max(born, application.updated_at + (luck // 16 % 6) * DAY),
            )
        )
    return found


def has_package(world: World, device: Device, package: str, moment: int) -> bool:
    """Whether an application with this package name is on the device."""
    return any(app.package == package and not app.removed for app in installed(world, device, moment))
