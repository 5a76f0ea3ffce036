"""The limits checked before sending are the contract's, each of them: the schemas are walked, every rule is broken."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mdm_tui.fleet.commands import Order
from mdm_tui.fleet.devices import Assignment, DeviceChanges
from mdm_tui.fleet.errors import FleetError, Kind, Problem, Sent
from mdm_tui.providers.applivery import limits
from tests.contract.applivery import ID, answers, connect, contract, examples, operations, resolve, sample
from tests.faulty import Answer, Faulty

MODELS = {
    "AosDeviceUpdate": limits.AosDeviceUpdate,
    "AosPolicyCreate": limits.AosPolicyCreate,
    "AosCommandCreate": limits.AosCommandCreate,
}


def valid(schema: dict[str, Any]) -> Any:
    """A value with every property, within all limits."""
    schema = resolve(schema)
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object" or "properties" in schema:
        return {key: valid(value) for key, value in schema.get("properties", {}).items()}
    if kind == "array":
        return [valid(schema.get("items", {}))]
    if "enum" in schema:
        return schema["enum"][-1]
    if "pattern" in schema:
        return "a" * 24
    return {"string": "text", "integer": 1, "number": 1.5, "boolean": True}.get(kind or "", True)


def breaches(schema: dict[str, Any], path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """(place, a value that breaks a rule of the contract there)."""
    schema = resolve(schema)
    kinds = schema.get("type")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    kind = kinds[0]
    if kind is not None and path:
        yield path, {"string": 5, "integer": "5", "number": "5", "boolean": "yes"}.get(kind, "text")
        if "null" not in kinds:
            yield path, None
    if kind == "integer":
        yield path, 1.5
        yield path, True
    if kind == "number":
        yield path, True
        yield path, float("nan")
    if kind == "boolean":
        yield path, 1
    if "maxLength" in schema:
        yield path, "x" * (schema["maxLength"] + 1)
    if "pattern" in schema:
        yield from ((path, value) for value in ("", "a" * 23, "a" * 25, "g" * 24, "a" * 24 + "\n"))
    if "enum" in schema:
        yield path, schema["enum"][0].lower() + "-not"
    if "minimum" in schema:
        yield path, schema["minimum"] - 1
    if "maximum" in schema:
        yield path, schema["maximum"] + 1
    for key, value in schema.get("properties", {}).items():
        yield from breaches(value, (*path, key))
    if kind == "array" and "items" in schema:
        yield from breaches(schema["items"], (*path, 0))


def put(tree: Any, path: tuple[str | int, ...], value: Any) -> Any:
    tree = copy.deepcopy(tree)
    node = tree
    for part in path[:-1]:
        node = node[part]
    node[path[-1]] = value
    return tree


def found(name: str, body: Any) -> list[Problem]:
    return [problem for problem in limits._check(MODELS[name], body) if not problem.warning]


CASES = [(name, path, value) for name in MODELS for path, value in breaches(contract()["components"]["schemas"][name])]


@pytest.mark.parametrize("name", MODELS)
def test_a_body_with_every_field_is_fine(name) -> None:
    assert limits._check(MODELS[name], valid(contract()["components"]["schemas"][name])) == []


@pytest.mark.parametrize(("name", "path", "value"), CASES)
def test_every_rule_of_the_contract_is_held_at_its_place(name, path, value) -> None:
    body = put(valid(contract()["components"]["schemas"][name]), path, value)
    problems = found(name, body)
    assert [problem.path for problem in problems] == [path]
    assert problems[0].message and len(problems[0].message) < 80


def test_there_are_as_many_cases_as_the_contract_has_rules() -> None:
    assert len(CASES) > 120


@pytest.mark.parametrize("name", MODELS)
def test_required_fields_are_required(name) -> None:
    schema = resolve(contract()["components"]["schemas"][name])
    for key in schema.get("required", ()):
        body = valid(schema)
        del body[key]
        assert [(problem.path, problem.message) for problem in found(name, body)] == [((key,), "is required")]


@pytest.mark.parametrize("key", ["mdmAssetId", "location", "scope"])
def test_required_fields_of_an_asset(key) -> None:
    body = valid(contract()["components"]["schemas"]["AosPolicyCreate"])
    del body["assets"][0][key]
    assert [problem.pointer for problem in limits.check_policy(body)] == [f"assets[0].{key}"]


def test_the_examples_and_the_seeds_own_limits_agree() -> None:
    models = {
        "updateAosDevice": "AosDeviceUpdate",
        "createAosPolicy": "AosPolicyCreate",
        "createAosCommand": "AosCommandCreate",
    }
    for operation_id, operation in operations():
        if operation_id in models:
            for example in examples(operation["requestBody"]):
                assert limits._check(MODELS[models[operation_id]], example) == []
    assert found("AosCommandCreate", sample("command-create.request")) == []
    # The seeds' samples have "string" where their own text asks for identifiers.
    assert {problem.message for problem in found("AosPolicyCreate", sample("policy-create.request"))} == {
        "is not an identifier"
    }


def test_what_the_contract_does_not_name_is_a_warning() -> None:
    document = {"name": "x", "id": "1", "futureField": 1, "agentConfiguration": {"allowTeleport": True}}
    problems = {problem.pointer: problem for problem in limits.check_policy(document)}
    assert set(problems) == {"id", "futureField", "agentConfiguration.allowTeleport"}
    assert all(problem.warning for problem in problems.values())
    assert "not sent" in problems["id"].message
    assert "sent as it stands" in problems["futureField"].message


def test_values_that_are_allowed_are_named() -> None:
    body = valid(contract()["components"]["schemas"]["AosPolicyCreate"])
    body["applications"][0]["action"] = "install"
    body["name"] = "x" * 257
    problems = {problem.pointer: problem.allowed for problem in limits.check_policy(body)}
    assert problems == {"name": "at most 256 characters", "applications[0].action": "forceInstall, available"}


@pytest.mark.parametrize("document", [None, [], "text", 5, True])
def test_a_policy_that_is_no_object(document) -> None:
    assert [problem.path for problem in limits.check_policy(document)] == [()]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)
keys = st.sampled_from([*limits.AosPolicyCreate.model_fields, "id", "new"])


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(keys, json_values))
def test_checking_never_raises_and_bodies_lose_only_what_the_service_makes(document) -> None:
    limits.check_policy(document)
    body = limits.policy_body(document)
    assert "id" not in body
    for key, value in document.items():
        if key != "id" and value is not None and not (key == "config" and isinstance(value, str)):
            assert body[key] is value
    assert limits.policy_body(body) == body or _nan(body)


def _nan(node: Any) -> bool:
    return "nan" in repr(node)


# bodies


def test_a_read_policy_becomes_a_body_that_may_be_sent() -> None:
    for example in answers("getAosPolicy"):
        body = limits.policy_body(example["data"])
        assert limits.check_policy(body) == []
        assert set(body) <= set(contract()["components"]["schemas"]["AosPolicyUpdate"]["properties"])


def test_what_a_person_or_a_newer_service_added_is_kept() -> None:
    read = {"id": ID, "name": "a", "description": None, "version": 3, "kiosk": {"x": 1}, "config": '{"a": 1}'}
    assert limits.policy_body(read) == {"name": "a", "kiosk": {"x": 1}, "config": {"a": 1}}
    assert limits.policy_body({"config": "text"}) == {"config": "text"}
    assert limits.policy_body({"config": "[1]"}) == {"config": "[1]"}
    assert limits.policy_body({"kiosk": None}) == {"kiosk": None}


def test_changes_become_the_contracts_names() -> None:
    changes = DeviceChanges(
        {
            "display_name": "Dock",
            "tags": ("a", "b"),
            "policy_id": ID,
            "assignments": [Assignment(ID, 3, name="not sent")],
            "user_id": None,
            "push_provider": ID,
            "segment_id": 4,
        }
    )
    assert limits.check_changes(changes) == []
    assert limits.device_body(changes) == {
        "displayName": "Dock",
        "tags": ["a", "b"],
        "policyId": ID,
        "aosPolicyAssignments": [{"aosPolicyId": ID, "priority": 3}],
        "mdmUserId": None,
        "pushNotificationProvider": ID,
        "segmentId": 4,
    }


def test_problems_of_changes_stand_at_the_neutral_names() -> None:
    changes = DeviceChanges({"assignments": [Assignment("no", 1)], "segment_id": -1, "policy_id": None})
    problems = {problem.pointer: problem.warning for problem in limits.check_changes(changes)}
    assert problems == {"policy_id": True, "assignments[0].policy_id": False, "segment_id": False}


async def test_nothing_that_breaks_the_contract_is_sent() -> None:
    net = Faulty(default=Answer({"status": True, "data": {"id": ID}}))
    provider = connect(net)
    for call in (
        provider.update_device(ID, DeviceChanges({"display_name": "x" * 257})),
        provider.send(ID, Order("EXPLODE"), "k"),
        provider.send(ID, Order("REBOOT", duration=float("inf")), "k"),
        provider.send(ID, Order("RESET_PASSWORD", {"newPassword": 12345678}), "k"),
        provider.create_policy({"description": "no name"}, "k"),
        provider.update_policy(ID, {"segmentId": -1}),
    ):
        with pytest.raises(FleetError) as caught:
            await call
        assert (caught.value.kind, caught.value.sent) == (Kind.INVALID, Sent.NEVER)
        assert caught.value.problems
        assert "12345678" not in repr(caught.value.problems) + str(caught.value)
    assert net.seen == []


async def test_an_update_may_leave_the_name_out_and_sends_what_is_unknown() -> None:
    net = Faulty(default=Answer({"status": True, "data": {"id": ID}}))
    await connect(net).update_policy(ID, {"id": ID, "kiosk": 1, "description": "d"})
    assert net.seen[0].json == {"kiosk": 1, "description": "d"}


async def test_the_body_of_a_command_has_only_what_was_given() -> None:
    answer = Answer({"status": True, "data": {"id": ID, "command": "LOCK", "status": "PENDING"}})
    net = Faulty(default=answer)
    provider = connect(net)
    await provider.send(ID, Order("REBOOT"), "k1")
    await provider.send(ID, Order("LOCK", duration=600), "k2")
    await provider.send(ID, Order("CLEAR_APP_DATA", {"packageNames": ["a.b"]}), "k3")
    assert [seen.json for seen in net.seen] == [
        {"command": "REBOOT"},
        {"command": "LOCK", "duration": 600},
        {"command": "CLEAR_APP_DATA", "params": {"packageNames": ["a.b"]}},
    ]
    assert [seen.headers["idempotency-key"] for seen in net.seen] == ["k1", "k2", "k3"]
