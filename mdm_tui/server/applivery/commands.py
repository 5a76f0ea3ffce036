"""Operations on commands."""

from __future__ import annotations

from typing import Any

from . import bodies, validation
from .call import Call
from .documents import params_in
from .envelope import invalid, page_of
from .shapes import command_shape, push_shape
from .sorts import COMMAND_SORTS
from .words import COMMANDS_BACK


def list_commands(call: Call) -> dict[str, Any]:
    """A page of a device's commands; newest first unless a sort is given."""
    page, limit = validation.paging(call.query)
    path, descending = validation.sorting(call.query)
    if path not in COMMAND_SORTS:
        raise invalid("sort", f"no field {path}")
    device = call.world.devices.get(call.ids["aosDeviceId"])
    offset = max(0, (page - 1) * limit + call.shift)
    found, total = call.world.commands.page(device, COMMAND_SORTS[path], descending or not path, offset, limit)
    return page_of([command_shape(call.world, device, command) for command in found], total, page, limit)


def create_command(call: Call) -> dict[str, Any]:
    """Queue a command. `duration` is taken as seconds of validity; without it the command is valid for a day."""
    world = call.world
    device = world.devices.get(call.ids["aosDeviceId"])
    body = validation.require(call.body, bodies.COMMAND_CREATE)
    duration = body.get("duration")
    command = world.commands.create(
        device,
        COMMANDS_BACK[body["command"]],
        params_in(body.get("params")),
        None if duration is None else world.commands.validity_from_seconds(duration),
    )
    return command_shape(world, device, command)


def get_command(call: Call) -> dict[str, Any]:
    """One command record."""
    device = call.world.devices.get(call.ids["aosDeviceId"])
    return command_shape(call.world, device, call.world.commands.of(device, call.ids["aosCommandId"]))


def get_push_status(call: Call) -> dict[str, Any]:
    """Whether the push has reached the device."""
    device = call.world.devices.get(call.ids["aosDeviceId"])
    return push_shape(call.world.commands.of(device, call.ids["aosCommandId"]))


def cancel_command(call: Call) -> dict[str, Any]:
    """Call back a pending command; 5106 once it has left that state."""
    world = call.world
    device = world.devices.get(call.ids["aosDeviceId"])
    command = world.commands.of(device, call.ids["aosCommandId"])
    return command_shape(world, device, world.commands.cancel(device, command))
