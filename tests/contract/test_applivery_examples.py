"""Every example of the contract and every sample of the seeds is understood, and comes out as it went in."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mdm_tui.fleet import fields
from mdm_tui.fleet.commands import Order, State
from mdm_tui.fleet.devices import DeviceChanges
from mdm_tui.fleet.errors import FleetError, Kind
from mdm_tui.fleet.report import leaves
from mdm_tui.providers.applivery import factory
from mdm_tui.providers.applivery.client import OPERATIONS
from mdm_tui.providers.applivery.report import redact
from mdm_tui.providers.body import decode, text
from tests.contract.applivery import (
    AOSP,
    ID,
    OTHER,
    answers,
    connect,
    contract,
    examples,
    operations,
    resolve,
    sample,
    samples,
)
from tests.faulty import Answer, Faulty, page

DOCUMENT = {"name": "Kiosk"}

# operation of the contract → (our name of it, how it is called)
CALLS: dict[str, tuple[str, Any]] = {
    "listAosDevices": ("devices", lambda p: p.devices(1, 100)),
    "getAosDevice": ("device", lambda p: p.device(ID)),
    "updateAosDevice": ("update_device", lambda p: p.update_device(ID, DeviceChanges({"tags": ["a"]}))),
    "disenrollAosDevice": ("disenrol", lambda p: p.send(ID, Order("DISENROLL"), "k")),
    "listAosDeviceApplications": ("apps", lambda p: p.device_apps(ID)),
    "listAosCommands": ("commands", lambda p: p.device_commands(ID)),
    "createAosCommand": ("send", lambda p: p.send(ID, Order("REBOOT"), "k")),
    "getAosCommand": ("command", lambda p: p.command(ID, OTHER)),
    "getAosCommandPushStatus": ("push_status", lambda p: p.push_status(ID, OTHER)),
    "cancelAosCommand": ("cancel", lambda p: p.cancel(ID, OTHER)),
    "listAosPolicies": ("policies", lambda p: p.policies(1, 100)),
    "listAosPolicyTemplates": ("templates", lambda p: p.policy_templates()),
    "getAosPolicy": ("policy", lambda p: p.policy(ID)),
    "createAosPolicy": ("create_policy", lambda p: p.create_policy(DOCUMENT, "k")),
    "updateAosPolicy": ("update_policy", lambda p: p.update_policy(ID, DOCUMENT)),
    "deleteAosPolicy": ("delete_policy", lambda p: p.delete_policy(ID)),
    "listMdmUsers": ("users", lambda p: p.users()),
    "listSegments": ("segments", lambda p: p.segments()),
    "listMdmDeviceTags": ("tags", lambda p: p.tags()),
}


def test_every_operation_of_ours_is_called_here() -> None:
    assert {name for name, _ in CALLS.values()} == set(OPERATIONS)


@pytest.mark.parametrize("operation_id", CALLS)
async def test_method_path_and_permission_are_the_contracts(operation_id) -> None:
    name, call = CALLS[operation_id]
    net = Faulty(default=Answer(answers(operation_id)[0]))
    await call(connect(net))
    seen = net.seen[0]
    template, method, operation = next(
        (path, method, operation)
        for path, item in contract()["paths"].items()
        for method, operation in item.items()
        if method != "parameters" and operation["operationId"] == operation_id
    )
    path = "/v1" + template.replace("{organizationId}", "65f1c2a94be07d0012ab34cd")
    for variable, value in (("{aosDeviceId}", ID), ("{aosCommandId}", OTHER), ("{aosPolicyId}", ID)):
        path = path.replace(variable, value)
    assert (seen.method, seen.path) == (method.upper(), path)
    assert OPERATIONS[name].permission == operation.get("x-required-permission", "")
    names = {resolve(item)["name"] for item in operation.get("parameters", ())}
    assert set(seen.params) <= names


@pytest.mark.parametrize("operation_id", CALLS)
async def test_every_answer_of_the_contract_is_read(operation_id) -> None:
    for example in answers(operation_id):
        found = await CALLS[operation_id][1](connect(Faulty(default=Answer(example))))
        assert _unreadable(found) == []
        items = example["data"]["items"] if isinstance(example["data"], dict) and "items" in example["data"] else None
        if items is not None and hasattr(found, "items"):
            assert len(found.items) == len(items)
            assert found.total == example["data"].get("totalDocs")
            for ours, theirs in zip(found.items, items, strict=True):
                if hasattr(ours, "raw"):
                    assert json.loads(ours.raw) == redact(theirs)
        elif hasattr(found, "raw"):
            assert json.loads(found.raw) == redact(example["data"])


def _unreadable(found: Any) -> list[str]:
    rows = getattr(found, "items", found if isinstance(found, list) else [found])
    return [row.unreadable for row in rows if getattr(row, "unreadable", "")]


def test_every_example_in_the_file_survives_the_round_trip() -> None:
    count = 0
    for _, operation in operations():
        parts = [operation.get("requestBody", {}), *operation["responses"].values()]
        for example in [found for part in parts for found in examples(part)]:
            count += 1
            assert decode(text(example).encode()) == example
    assert count > 100


def test_every_error_of_the_contract_has_a_meaning() -> None:
    from mdm_tui.providers.applivery.refusals import explain

    expected = {
        3001: None,
        4001: Kind.FORBIDDEN,
        4002: Kind.SIGNED_OUT,
        4004: Kind.SIGNED_OUT,
        5017: Kind.REFUSED,
        5050: Kind.REFUSED,
        5173: Kind.REFUSED,
        5209: None,
        429: None,
    }
    seen = set()
    for _, operation in operations():
        for status, response in operation["responses"].items():
            for example in examples(response) if status not in ("200", "default") else []:
                said = explain(int(status), example)
                assert said.code == example["error"]["code"]
                assert said.message == example["error"]["message"]
                if said.code in expected:
                    seen.add(said.code)
                    assert said.kind is expected[said.code]
    assert seen >= {3001, 4001, 4002, 4004, 5173, 5209, 429}


# the seeds


def test_the_samples_are_all_there() -> None:
    assert len(samples()) == 16


@pytest.mark.parametrize("name", samples())
async def test_seed_samples(name) -> None:
    subject, _, kind = name.partition(".")
    call = {
        "device-update": lambda p: p.update_device(ID, DeviceChanges({"display_name": "x"})),
        "policy-create": lambda p: p.create_policy(DOCUMENT, "k"),
        "policy-list": lambda p: p.policies(1, 20),
        "command-create": lambda p: p.send(ID, Order("LOCK"), "k"),
    }[subject]
    body = sample(name)
    if kind == "request":
        assert decode(text(body).encode()) == body
        return
    if kind == "answer":
        found = await call(connect(Faulty(default=Answer(body))))
        assert _unreadable(found) == []
        raw = found.items[0].raw if hasattr(found, "items") else found.raw
        theirs = body["data"]["items"][0] if "items" in body["data"] else body["data"]
        assert json.loads(raw) == redact(theirs)
        return
    with pytest.raises(FleetError) as caught:
        await call(connect(Faulty(default=Answer(body, int(kind)))))
    assert caught.value.status == int(kind)
    assert caught.value.code == body["error"]["code"]
    assert caught.value.permission


async def test_the_seed_devices_secrets_are_redacted_and_nothing_else_is() -> None:
    device = await connect(Faulty(default=Answer(sample("device-update.answer")))).update_device(
        ID, DeviceChanges({"tags": []})
    )
    raw, theirs = json.loads(device.raw), sample("device-update.answer")["data"]
    assert raw["config"]["deviceReport"]["enrollmentTokenData"] == "(secret, not kept)"
    theirs["config"]["deviceReport"]["enrollmentTokenData"] = "(secret, not kept)"
    assert raw == theirs


# the registry


def maximal(schema: dict[str, Any], depth: int = 0) -> Any:
    """A value with every property the contract names."""
    schema = resolve(schema)
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object" or "properties" in schema:
        found = {key: maximal(value, depth + 1) for key, value in schema.get("properties", {}).items()}
        return found or ({"en": "text"} if isinstance(schema.get("additionalProperties"), dict) else {})
    if kind == "array":
        return [maximal(schema.get("items", {}), depth + 1)]
    if "enum" in schema:
        return schema["enum"][0]
    return {"string": "text", "integer": 1, "number": 1.5, "boolean": True}.get(kind or "", "any")


def _unknown(device: dict[str, Any]) -> list[str]:
    report = factory.report(device)
    return sorted({leaf.pattern for leaf in leaves(report) if fields.known(leaf.pattern) is None})


def test_every_leaf_of_the_contracts_device_has_a_field() -> None:
    device = maximal(contract()["components"]["schemas"]["AosDevice"])
    assert len(list(leaves(device))) > 200
    assert _unknown(device) == []


@pytest.mark.parametrize("source", ["getAosDevice", "updateAosDevice", "listAosDevices"])
def test_every_leaf_of_the_example_devices_has_a_field(source) -> None:
    for example in answers(source):
        for device in example["data"].get("items", [example["data"]]):
            assert _unknown(device) == []


def test_every_leaf_of_the_seed_device_has_a_field() -> None:
    assert _unknown(sample("device-update.answer")["data"]) == []


def test_nothing_of_a_device_is_lost_on_the_way_to_its_report() -> None:
    device = maximal(contract()["components"]["schemas"]["AosDevice"])
    device["brandNew"] = {"deep": [{"er": "than known"}]}
    there = sorted(map(repr, (leaf.value for leaf in leaves(device))))
    here = sorted(map(repr, (leaf.value for leaf in leaves(factory.report(device)))))
    assert here == there
    assert _unknown(device) == ["other.brandNew.deep[].er"]


async def test_the_columns_of_the_contracts_device() -> None:
    device = await connect(Faulty(default=Answer(answers("getAosDevice")[0]))).device(ID)
    assert device.detail
    found = {key: value for key, value in device.values.items() if value is not None}
    assert found["name"] == "Dock 4 scanner"
    assert found["serial"] == "HH20A0012345"
    assert (found["battery"], found["temp"], found["ram"]) == (81, 31.5, 4294967296)
    assert (found["pushed"], found["compliant"], found["applied"]) == (1, 1, "success")
    assert found["seen"] == 1780380012.012 - 0.012
    assert found["tags"] == "warehouse north"


@pytest.mark.parametrize(
    ("status", "sent_at", "state"),
    [
        ("PENDING", None, State.ACCEPTED),
        ("PENDING", "2026-06-02T06:30:01.000Z", State.PUSHED),
        ("PENDING", "nonsense", State.ACCEPTED),
        ("RECEIVED", "2026-06-02T06:30:01.000Z", State.RECEIVED),
        ("DONE", None, State.DONE),
        ("ERROR", None, State.FAILED),
        ("EXPIRED", None, State.EXPIRED),
        ("CANCEL", None, State.CANCELLED),
        ("TELEPORTED", None, State.UNKNOWN),
        (None, None, State.UNKNOWN),
    ],
)
async def test_the_states_of_a_command(status, sent_at, state) -> None:
    body = {"status": True, "data": {"id": OTHER, "command": "LOCK", "status": status, "sentAt": sent_at}}
    found = await connect(Faulty(default=Answer(body))).command(ID, OTHER)
    assert (found.state, found.status, found.device_id) == (state, status or "", ID)


async def test_the_scope_goes_into_the_query() -> None:
    from mdm_tui.fleet.provider import Scope

    net = Faulty(default=Answer(page([])))
    provider = connect(net)
    await provider.devices(2, 50, newest_first=True, scope=Scope(7, "children"))
    await provider.devices(1, 50, scope=Scope(0))
    await provider.policies(1, 20, sort="name:desc", name="a&b", scope=Scope(3, "ancestors"))
    first, second, third = (seen.params for seen in net.seen)
    assert first == {"page": "2", "limit": "50", "sort": "updatedAt:desc", "segmentId": "7", "expandTo": "children"}
    assert second == {"page": "1", "limit": "50", "sort": "createdAt:asc", "segmentId": "0"}
    assert (third["sort"], third["name"], third["expandTo"]) == ("name:desc", "a&b", "ancestors")
    assert AOSP.endswith("enterprise")
