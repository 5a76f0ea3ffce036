"""The provider against the embedded server's real application: every method, also where endpoints are left out."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest

from mdm_tui.fleet import fields
from mdm_tui.fleet.commands import Order, State
from mdm_tui.fleet.devices import DeviceChanges
from mdm_tui.fleet.errors import FleetError, Kind, Sent
from mdm_tui.fleet.provider import Scope
from mdm_tui.fleet.report import leaves
from mdm_tui.providers.applivery import factory
from mdm_tui.server.testing import Fleet, fleet
from tests.contract.applivery import connect
from tests.faulty import Faulty, Slow


@pytest.fixture
def world(request: pytest.FixtureRequest) -> Iterator[Fleet]:
    found = fleet(120, **getattr(request, "param", {}))
    yield found
    found.world.close()


def provider(world: Fleet, token: str = "", **more):
    net = Faulty(httpx.ASGITransport(world.app))
    more = {"url": "http://127.0.0.1/v1", "organization": world.organization} | more
    return connect(net, token=token or world.token, **more), net


async def everything(found) -> list:
    devices, page = [], 1
    while True:
        answer = await found.devices(page, 50)
        devices += answer.items
        if not answer.has_next:
            assert len({device.id for device in devices}) == len(devices) == answer.total
            return devices
        page += 1


@pytest.mark.parametrize("world", [{}, {"scenario": "hostile"}, {"documented_only": True}], indirect=True, ids=str)
async def test_the_whole_fleet_is_read(world) -> None:
    found, _ = provider(world)
    devices = await everything(found)
    assert len(devices) > 100
    for device in devices:
        assert device.id
        assert device.values["name"]
        for value in device.values.values():
            assert value is None or isinstance(value, int | float) or value.isprintable()
        device.raw.encode()
    newest = await found.devices(1, 20, newest_first=True)
    stamps = [device.values["updated"] for device in newest.items]
    assert stamps == sorted(stamps, reverse=True)


async def test_every_leaf_of_a_simulated_device_is_known(world) -> None:
    found, _ = provider(world)
    for device in (await found.devices(1, 10)).items:
        detail = await found.device(device.id)
        assert detail.detail and detail.id == device.id
        unknown = {
            leaf.pattern for leaf in leaves(factory.report(json.loads(detail.raw))) if not fields.known(leaf.pattern)
        }
        assert unknown == set()


async def test_edits_arrive_and_refusals_stand_at_their_fields(world) -> None:
    found, net = provider(world)
    device = (await found.devices(1, 1)).items[0]
    changed = await found.update_device(device.id, DeviceChanges({"display_name": "Dock 9", "tags": ["a", "b"]}))
    assert (changed.values["name"], changed.values["tags"]) == ("Dock 9", "a b")
    assert (await found.device(device.id)).values["name"] == "Dock 9"
    with pytest.raises(FleetError) as caught:
        await found.update_device(device.id, DeviceChanges({"policy_id": None}))
    assert caught.value.kind is Kind.INVALID
    assert [problem.pointer for problem in caught.value.problems] == ["policy_id"]
    assert net.count("PUT") == 2


async def test_a_command_from_sending_to_cancelling(world) -> None:
    found, _ = provider(world)
    device = (await found.devices(1, 1)).items[0]
    command = await found.send(device.id, Order("LOCK", duration=600), "key-1")
    assert command is not None and command.state in (State.ACCEPTED, State.PUSHED)
    again = await found.send(device.id, Order("LOCK", duration=600), "key-1")
    assert again is not None and again.id == command.id, "the key makes a resend harmless where it is honoured"
    assert (await found.command(device.id, command.id)).name == "LOCK"
    assert (await found.push_status(device.id, command.id)).delivered is False
    assert (await found.cancel(device.id, command.id)).state is State.CANCELLED
    with pytest.raises(FleetError) as caught:
        await found.cancel(device.id, command.id)
    assert caught.value.kind is Kind.CONFLICT
    assert [item.id for item in (await found.device_commands(device.id)).items][:1] == [command.id]


async def test_a_lost_answer_is_unknown_and_the_service_has_the_command(world) -> None:
    found, net = provider(world)
    device = (await found.devices(1, 1)).items[0]
    before = {item.id for item in (await found.device_commands(device.id)).items}
    net.plan(Slow(after=True))
    with pytest.raises(FleetError) as caught:
        await found.send(device.id, Order("REBOOT"), "key-2")
    assert (caught.value.kind, caught.value.sent) == (Kind.TIMEOUT, Sent.MAYBE)
    after = {item.id for item in (await found.device_commands(device.id)).items}
    assert len(after - before) == 1 == net.count("POST")


async def test_a_policy_from_creating_to_deleting(world) -> None:
    found, _ = provider(world)
    made = await found.create_policy({"name": "Kiosk", "config": {"a": [1.5, None]}}, "key-3")
    read = json.loads((await found.policy(made.id)).raw)
    assert read["config"] == {"a": [1.5, None]}
    saved = await found.update_policy(made.id, read | {"description": "d"})
    assert (saved.description, saved.version) == ("d", (made.version or 0) + 1)
    listed = await found.policies(1, 20, sort="name:asc", name="Kiosk", scope=Scope(0, "children"))
    assert made.id in {policy.id for policy in listed.items}
    await found.delete_policy(made.id)
    with pytest.raises(FleetError) as caught:
        await found.policy(made.id)
    assert caught.value.kind is Kind.NOT_FOUND


@pytest.mark.parametrize("world", [{"documented_only": True}], indirect=True, ids=str)
async def test_what_is_left_out_is_got_by_without_or_said(world) -> None:
    found, _ = provider(world)
    device = (await found.devices(1, 1)).items[0]
    command = await found.send(device.id, Order("REBOOT"), "k")
    assert command is not None
    assert (await found.command(device.id, command.id)).id == command.id
    policy = (await found.policies(1, 1)).items[0]
    assert (await found.policy(policy.id)).raw == policy.raw
    for call in (
        found.cancel(device.id, command.id),
        found.update_policy(policy.id, {"name": "x"}),
        found.delete_policy(policy.id),
    ):
        with pytest.raises(FleetError) as caught:
            await call
        assert caught.value.kind is Kind.UNSUPPORTED
        assert caught.value.sentence().endswith("This service does not offer it; everything else works.")


async def test_the_rest_of_the_organisation(world) -> None:
    found, _ = provider(world)
    device = (await found.devices(1, 1)).items[0]
    assert all(app.package for app in await found.device_apps(device.id))
    assert (await found.segments())[0].id == 0
    assert await found.tags()
    assert await found.policy_templates()
    users = await found.users()
    assert users.items and (users.total == len(users.items) or users.has_next)


@pytest.mark.parametrize("world", [{"permissions": {"mdm.aosp.device.list"}}], indirect=True, ids=str)
async def test_refusals_of_a_token(world) -> None:
    found, _ = provider(world)
    device = (await found.devices(1, 1)).items[0]
    with pytest.raises(FleetError) as caught:
        await found.send(device.id, Order("REBOOT"), "k")
    assert (caught.value.kind, caught.value.permission) == (Kind.FORBIDDEN, "mdm.aosp.command.create")
    found, _ = provider(world, token="wrong")
    with pytest.raises(FleetError) as caught:
        await found.devices(1, 1)
    assert (caught.value.kind, caught.value.code) == (Kind.SIGNED_OUT, 4004)
    found, _ = provider(world, organization="somebody-else")
    with pytest.raises(FleetError) as caught:
        await found.devices(1, 1)
    assert caught.value.kind is Kind.NOT_FOUND
