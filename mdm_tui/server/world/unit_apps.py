"""Which packages a unit has: what the simulated device has, and over it what rollouts brought."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .catalog import AGENT_PACKAGE, AGENT_VERSIONS, APPS, SYSTEM_APPS
from .chance import hex_digits, mix
from .clock import DAY
from .installed import Installed, installed

if TYPE_CHECKING:
    from .units import UnitRecord
    from .world import World


@dataclass(frozen=True, slots=True)
class InstalledPackage:
    """One package on a unit. size and data: bytes; times: milliseconds. max_sdk None: no upper bound."""

    package: str
    label: str
    version_code: int
    version_name: str
    min_sdk: int
    target_sdk: int
    max_sdk: int | None
    cert_md5: str
    size: int
    data: int
    first_installed: int
    last_updated: int


def certificate(salt: int, package: str) -> str:
    """The fingerprint of whoever signs the package. salt: the fleet's."""
    return hex_digits(32, salt, 9201, sum(package.encode()) if package.startswith("com.example") else 1)


def version_code(version: str) -> int:
    """The number that goes with a version's name of three parts."""
    major, minor, patch = (int(part) for part in version.split("."))
    return major * 100 + minor * 10 + patch


def installed_on(world: World, unit: UnitRecord) -> list[InstalledPackage]:
    """Everything on the unit now, in the order of the packages' names. Nothing while it never enrolled."""
    if unit.enrolled_at is None:
        return []
    found = {item.package: item for item in _carried(world, unit)}
    for package, upload, first, last in world.database.all(
        "SELECT package, upload, first_at, last_at FROM unit_package WHERE u = ?", (unit.u,)
    ):
        record = world.packages.get(upload)
        before = found.get(package)
        found[package] = InstalledPackage(
            package, record.label, record.version_code, record.version_name, record.min_sdk, record.target_sdk,
            record.max_sdk, record.cert_md5, record.size, before.data if before else record.data,
            min(first, before.first_installed) if before else first, last,
        )  # fmt: skip
    return [found[package] for package in sorted(found)]


def _carried(world: World, unit: UnitRecord) -> list[InstalledPackage]:
    if unit.n is not None:
        device = world.devices.at(unit.n)
        items = [item for item in installed(world, device, world.clock.now()) if not item.removed]
    else:
        items = _invented(world, unit)
    return [_package(world, unit, item) for item in items]


def _invented(world: World, unit: UnitRecord) -> list[Installed]:
    born = unit.enrolled_at or unit.created_at
    luck = mix(world.seed, unit.u, 9202)
    items = [
        Installed(package, title, unit.os or "1", unit.sdk, "system", visible, False, born)
        for package, title, visible in SYSTEM_APPS
    ]
    name, code = AGENT_VERSIONS[luck % 3]
    items.append(Installed(AGENT_PACKAGE, "Device agent", name, code, "custom", True, False, born))
    for number, app in enumerate(APPS):
        if luck >> number & 3 == 0:
            version = app.versions[(luck >> number + 8) % len(app.versions)]
            code = version_code(version)
            items.append(Installed(app.package, app.title, version, code, "custom", True, False, born + DAY))
    return items


def _package(world: World, unit: UnitRecord, item: Installed) -> InstalledPackage:
    luck = mix(world.seed, unit.u, 9203, sum(item.package.encode()))
    known = next((app for app in APPS if app.package == item.package), None)
    return InstalledPackage(
        package=item.package,
        label=item.title,
        version_code=item.code,
        version_name=item.version,
        min_sdk=min(unit.sdk or 27, 27 if known else 24),
        target_sdk=unit.sdk if item.origin == "system" else min(unit.sdk or 33, 33),
        max_sdk=None,
        cert_md5=certificate(world.salt, item.package),
        size=known.size if known else 400_000 + luck % 9_000_000,
        data=(luck >> 24) % 30_000_000,
        first_installed=(unit.enrolled_at or item.changed_at),
        last_updated=max(item.changed_at, unit.enrolled_at or 0),
    )
