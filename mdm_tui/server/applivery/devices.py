"""Operations on devices."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from starlette.responses import Response

from ..world import World
from ..world.devices import DeviceFilter
from ..world.errors import NotThere
from ..world.installed import installed
from ..world.records import DISENROLL, GONE, Device
from . import bodies, spoil, validation
from .call import Call
from .documents import params_in
from .envelope import encoded, invalid, page_response
from .shapes import device_shape, installed_shape
from .sorts import DEVICE_SORTS, is_device_path, value_at
from .words import STATES_BACK

# Rows made before other work may run: about 5 ms.
CHUNK = 40


async def list_devices(call: Call) -> Response:
    """Lean rows. Several `state` or `tags` mean any of them."""
    world, query = call.world, call.query
    page, limit = validation.paging(query)
    path, descending = validation.sorting(query)
    if not is_device_path(path):
        raise invalid("sort", f"no field {path}")
    wanted = _filter(world, call)
    total = world.devices.count(wanted)
    offset = max(0, (page - 1) * limit + call.shift)
    if path in DEVICE_SORTS:
        devices = world.devices.page(wanted, DEVICE_SORTS[path], descending, offset, limit)
    else:
        numbers = await asyncio.to_thread(
            world.devices.numbers_by,
            wanted,
            lambda device: value_at(device_shape(world, device), path),
            descending,
        )
        devices = world.devices.several(numbers[offset : offset + limit])
    rows: list[str] = []
    for start in range(0, len(devices), CHUNK):
        if start:
            await asyncio.sleep(0)
        rows += [encoded(device_shape(world, device)) for device in devices[start : start + CHUNK]]
    return page_response(rows, total, page, limit)


def _filter(world: World, call: Call) -> DeviceFilter:
    query = call.query
    segment = validation.whole(query, "segmentId", -validation.SAFE_INTEGER, validation.SAFE_INTEGER)
    expand = validation.choice(query, "expandTo", ("ancestors", "children"))
    states = validation.choices(query, "state", tuple(STATES_BACK))
    return DeviceFilter(
        states=[STATES_BACK[state] for state in states],
        tags=query.getlist("tags"),
        person_id=validation.identifier(query, "mdm-user"),
        policy_id=validation.identifier(query, "aos-policy"),
        segments=None if segment is None else world.registry.segments(segment, expand),
        deleted=validation.switch(query, "show-deleted"),
    )


def get_device(call: Call) -> dict[str, Any]:
    """The detail view, with the effective policy expanded. Deleted devices can still be read."""
    return device_shape(call.world, call.world.devices.get(call.ids["aosDeviceId"]), full=True)


def _present(call: Call) -> Device:
    device = call.world.devices.get(call.ids["aosDeviceId"])
    if device.state == GONE:
        raise NotThere("device", device.id)
    return device


def update_device(call: Call) -> dict[str, Any]:
    """Only the fields sent change; lists are replaced whole; `mdmUserId: null` unlinks. Answers in the lean shape."""
    device = _present(call)
    body = validation.require(call.body, bodies.DEVICE_UPDATE)
    world = call.world
    columns = _columns(world, body)
    if columns:
        obeyed = device.effective_id
        device = world.devices.change(device, **columns)
        if device.effective_id != obeyed:
            world.agents.poke(device)
    return device_shape(world, device)


def _columns(world: World, body: dict[str, Any]) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    if "displayName" in body:
        columns["name"] = body["displayName"]
    if "tags" in body:
        columns["tags"] = json.dumps(body["tags"])
    if "policyId" in body:
        columns["policy_id"] = world.policies.get(body["policyId"]).id
    if "aosPolicyAssignments" in body:
        pairs = [
            [world.policies.get(entry["aosPolicyId"]).id, int(entry["priority"])]
            for entry in body["aosPolicyAssignments"]
        ]
        columns["assignments"] = json.dumps(pairs)
    if "mdmUserId" in body:
        person_id = body["mdmUserId"]
        if person_id is not None and person_id.lower() not in world.registry.people:
            raise NotThere("user", person_id)
        columns["person_id"] = person_id.lower() if person_id is not None else None
    if "pushNotificationProvider" in body:
        provider = body["pushNotificationProvider"].lower()
        if provider not in world.registry.providers:
            raise NotThere("push provider", provider)
        columns["provider_id"] = provider
    if "segmentId" in body:
        columns["segment_id"] = _segment(world, body["segmentId"])
    return columns


def _segment(world: World, segment_id: int) -> int:
    if not world.registry.has_segment(segment_id):
        raise NotThere("segment", segment_id)
    return int(segment_id)


def move_device(call: Call) -> dict[str, Any]:
    """Move to another segment."""
    device = _present(call)
    body = validation.require(call.body, bodies.MOVE)
    segment_id = _segment(call.world, body["segmentId"])
    return device_shape(call.world, call.world.devices.change(device, segment_id=segment_id))


def disenroll_device(call: Call) -> dict[str, Any]:
    """Queues a disenrolment; asked again, the active command is used. 5173 without a push token."""
    device = _present(call)
    flags = call.query.getlist("wipeDataFlags")
    reason = validation.text(call.query, "wipeReasonMessage", 200)
    params: dict[str, Any] = {}
    if flags:
        params["wipeDataFlags"] = flags
    if reason is not None:
        params["wipeReasonMessage"] = reason
    call.world.commands.create(device, DISENROLL, params_in(params))
    return {"status": True}


def list_installed(call: Call) -> dict[str, Any]:
    """Applications as last reported; none before the first report."""
    device = call.world.devices.get(call.ids["aosDeviceId"])
    if device.reported_at is None:
        return {"items": []}
    apps = installed(call.world, device, device.reported_at)
    items = [installed_shape(call.world, device, app) for app in apps]
    if call.world.scenario == "hostile":
        for number, item in enumerate(items):
            spoil.installed(call.world.seed, device.n, number, item)
    return {"items": items}
