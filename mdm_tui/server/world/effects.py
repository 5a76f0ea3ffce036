"""What a command does to a device."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .chance import mix
from .installed import has_package
from .records import CLEAR_APP_DATA, DISENROLL, GONE, LOCK, REBOOT, RESET_PASSWORD, Command, Device

if TYPE_CHECKING:
    from .world import World


@dataclass(slots=True)
class Outcome:
    """What came of it: data to report, an error with its kind, columns of the device that change."""

    data: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    error_kind: str = ""
    columns: dict[str, Any] = field(default_factory=dict)


def carry_out(world: World, device: Device, command: Command, moment: int) -> Outcome:
    """Run a command on a device at `moment`."""
    params = command.params or {}
    if command.kind == REBOOT:
        if mix(world.seed, command.number, 121) % 80 == 0:
            return Outcome(error="Reboot refused: system update in progress", error_kind="DEVICE_BUSY")
        world.devices.note(device.n, moment, "boot")
        return Outcome(columns={"booted_at": moment})
    if command.kind == LOCK:
        world.devices.note(device.n, moment, "lock")
        return Outcome()
    if command.kind == CLEAR_APP_DATA:
        return _clear(world, device, params, moment)
    if command.kind == RESET_PASSWORD:
        return _password(world, device, command, params)
    if command.kind == DISENROLL:
        return Outcome(columns={"state": GONE})
    return Outcome(error=f"Unknown command {command.kind}", error_kind="UNSUPPORTED")


def _clear(world: World, device: Device, params: dict[str, Any], moment: int) -> Outcome:
    names = params.get("packages")
    packages = [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
    if not packages:
        return Outcome(error="No package names given", error_kind="INVALID_VALUE")
    cleared = [name for name in packages if has_package(world, device, name, moment)]
    missing = [name for name in packages if name not in cleared]
    for name in cleared:
        world.devices.note(device.n, moment, "cleared", name)
    outcome = Outcome(data={"cleared": cleared})
    if missing:
        outcome.data["failed"] = missing
        outcome.error = "Not installed: " + ", ".join(missing)
        outcome.error_kind = "APP_NOT_INSTALLED"
    return outcome


def _password(world: World, device: Device, command: Command, params: dict[str, Any]) -> Outcome:
    if params.get("withheld"):
        return Outcome(error="The password was lost with a restart of the service", error_kind="INVALID_VALUE")
    password = params.get("password")
    if password in (None, ""):
        return Outcome(columns={"secured": 0})
    if not isinstance(password, str) or len(password) < 4:
        return Outcome(error="The password is too short for the policy", error_kind="PASSWORD_NOT_SUFFICIENT")
    if mix(world.seed, command.number, 122) % 40 == 0:
        return Outcome(error="The password token is not active yet", error_kind="USER_NOT_UNLOCKED")
    return Outcome(columns={"secured": 1})
