"""Answers that are not what the contract says: one bad item is one row that says so, never a lost page."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mdm_tui.fleet import fields
from mdm_tui.fleet.commands import Order, State
from mdm_tui.fleet.devices import DeviceChanges, Segment
from mdm_tui.fleet.errors import FleetError, Kind, Sent
from mdm_tui.fleet.report import leaves
from mdm_tui.providers import factory, kinds
from mdm_tui.providers.applivery import read, refusals
from mdm_tui.providers.applivery.report import REDACTED
from tests.contract.applivery import ID, OTHER, answers, connect
from tests.faulty import Answer, Faulty, Reset, Slow, Status, page

DEVICE = answers("getAosDevice")[0]["data"]
COMMAND = answers("createAosCommand")[0]["data"]
POLICY = answers("getAosPolicy")[0]["data"]


async def devices(items: list[Any], **more: Any):
    return await connect(Faulty(default=Answer(page(items, **more)))).devices(1, 100)


@pytest.mark.parametrize(
    ("item", "why"),
    [
        (None, "null where an object"),
        (7, "a number where an object"),
        ("text", "text where an object"),
        ([DEVICE], "a list where an object"),
        (True, "true or false where an object"),
        ({}, "its id is missing"),
        (DEVICE | {"id": None}, "its id is missing"),
        (DEVICE | {"id": ""}, "its id is missing"),
        (DEVICE | {"id": {"$oid": "x"}}, "its id is an object"),
        (DEVICE | {"id": "x" * 129}, "its id is text"),
    ],
)
async def test_an_unreadable_item_is_a_row_that_says_so(item, why) -> None:
    found = await devices([DEVICE, item, DEVICE | {"id": OTHER}])
    assert [bool(row.unreadable) for row in found.items] == [False, True, False]
    row = found.items[1]
    assert why in row.unreadable
    assert row.id.startswith("?")
    assert row.id == (await devices([item])).items[0].id, "the same from poll to poll"
    assert row.values["name"] and set(row.values) == set(fields.values({})) | {"faults"}
    assert json.loads(row.raw) == item
    provider = connect(net := Faulty())
    with pytest.raises(FleetError):
        await provider.device(row.id)
    assert net.seen == []


def wrongs() -> list[Any]:
    return [None, 5, -1.5, True, "", "text", [], [None], {}, {"a": 1}, [[{}]], "\x1b]52;c;x\x07", 10**30, "9" * 400]


@pytest.mark.parametrize("wrong", wrongs(), ids=repr)
async def test_a_wrong_type_in_any_one_field_costs_that_field_at_most(wrong) -> None:
    """Every node of the contract's device, one after the other, is replaced."""
    items = [changed for path in _nodes(DEVICE) if (changed := _put(DEVICE, path, wrong))["id"] == ID]
    assert len(items) > 150
    found = await devices(items)
    assert [row.unreadable for row in found.items] == [""] * len(items)
    for row in found.items:
        for value in row.values.values():
            assert value is None or isinstance(value, int | float) or value.isprintable()


def _nodes(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    pairs = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in pairs:
        found += _nodes(value, (*path, key))
    return found


def _put(tree: Any, path: tuple[Any, ...], value: Any) -> Any:
    copy = json.loads(json.dumps(tree))
    node = copy
    for part in path[:-1]:
        node = node[part]
    node[path[-1]] = value
    return copy


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=5),
    max_leaves=30,
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(json_values)
def test_any_json_is_read_as_something_and_kept_as_it_came(node) -> None:
    for reader in (read.device, read.policy, read.template, lambda item: read.command(item, ID), read.app):
        found = reader(node)
        if reader is not read.template:
            assert json.loads(found.raw) == node
    read.user(node)
    for reader in (read.segments, read.tags, lambda item: read.page(item, read.device, 1, 10)):
        try:
            reader(node)
        except ValueError as error:
            assert "sent an answer" in str(error)
    refusals.explain(400, node)
    refusals.explain(400, {"error": node})
    refusals.explain(400, {"error": {"code": node, "message": node}})


@pytest.mark.parametrize(
    "wrap",
    [
        lambda items: {"status": True, "data": {"items": items}},
        lambda items: {"items": items},
        lambda items: {"status": True, "data": items},
        lambda items: items,
        lambda items: page(items, nextPage=None, prevPage=None, totalPages=None),
    ],
)
async def test_every_wrapper_of_a_list_is_read(wrap) -> None:
    provider = connect(Faulty(default=Answer(wrap([DEVICE]))))
    found = await provider.devices(1, 100)
    assert [row.id for row in found.items] == [ID]
    assert not found.has_next


@pytest.mark.parametrize("body", [{}, {"data": None}, {"data": {"items": None}}, {"items": {}}, "x", 5, {"data": "x"}])
async def test_a_list_that_is_none_is_an_error(body) -> None:
    with pytest.raises(FleetError) as caught:
        await connect(Faulty(default=Answer(body))).devices(1, 100)
    assert caught.value.kind is Kind.UNREADABLE
    assert "without a list" in caught.value.what


@pytest.mark.parametrize(
    ("paging", "items", "more"),
    [
        ({"hasNextPage": True}, 2, True),
        ({"hasNextPage": True}, 0, False),
        ({"hasNextPage": None, "totalPages": 3}, 2, True),
        ({"hasNextPage": None, "totalPages": 1}, 2, False),
        ({"hasNextPage": None, "totalPages": None}, 2, True),
        ({"hasNextPage": "yes", "totalPages": None}, 1, False),
    ],
)
async def test_whether_there_is_a_next_page(paging, items, more) -> None:
    found = await connect(Faulty(default=Answer(page([DEVICE] * items, **paging)))).devices(1, 2)
    assert found.has_next is more


@pytest.mark.parametrize(("total", "expected"), [(7, 7), ("7", 7), (None, None), (-1, None), ("many", None)])
async def test_totals(total, expected) -> None:
    assert (await devices([DEVICE], totalDocs=total)).total == expected


async def test_a_refusal_with_a_success_status_is_a_refusal() -> None:
    body = {"status": False, "error": {"code": 5050, "message": "Feature not allowed for you billing plan"}}
    with pytest.raises(FleetError) as caught:
        await connect(Faulty(default=Answer(body))).devices(1, 100)
    assert (caught.value.kind, caught.value.code, caught.value.sent) == (Kind.REFUSED, 5050, Sent.ANSWERED)
    assert caught.value.where.startswith("GET /organizations/")


# names of strangers


async def test_everything_for_display_is_clean_and_raw_is_as_it_came() -> None:
    bad = "\x1b]0;owned\x07\u202egnp.\u2066[@click=app.quit]\ud800"
    body = json.dumps(page([_all_text(DEVICE, bad) | {"id": ID}])).encode()
    row = (await connect(Faulty(default=Answer(body))).devices(1, 100)).items[0]
    assert all(value.isprintable() for value in row.values.values() if isinstance(value, str))
    assert json.loads(row.raw)["displayName"] == bad
    row.raw.encode()
    command = read.command(
        _all_text(COMMAND, bad) | {"id": OTHER, "params": {"x": bad}, "results": [{"errorMessage": bad}]}, ID
    )
    shown = (command.name, command.status, command.params_text, command.push_id, command.results[0].error)
    assert all(text.isprintable() for text in shown)
    policy = read.policy(_all_text(POLICY, bad) | {"id": ID})
    assert policy.name.isprintable() and policy.description.isprintable()


def _all_text(node: Any, text: str) -> Any:
    if isinstance(node, dict):
        return {key: _all_text(value, text) for key, value in node.items()}
    if isinstance(node, list):
        return [_all_text(value, text) for value in node]
    return text if isinstance(node, str) else node


async def test_secrets_that_answers_echo_are_kept_nowhere() -> None:
    canary = "hunter2-canary"
    secret = {"newPassword": canary, "nested": [{"oneTimeToken": canary}], "qrCode": [canary]}
    provider = connect(
        Faulty(default=Answer({"status": True, "data": COMMAND | {"params": secret, "results": [{"data": secret}]}}))
    )
    command = await provider.send(ID, Order("RESET_PASSWORD", {"newPassword": canary}), "k")
    assert command is not None
    assert canary not in repr(command)
    assert REDACTED in command.raw and REDACTED in command.params_text
    escaped = json.dumps(DEVICE | {"x": {"newPassword": canary}}).replace("newPassword", "newPasswor\\u0064")
    row = (
        await connect(Faulty(default=Answer(b'{"data": {"items": [' + escaped.encode() + b"]}}"))).devices(1, 10)
    ).items[0]
    assert canary not in repr(row)


# sending


async def test_an_answer_to_a_command_that_names_no_record_leaves_it_unknown() -> None:
    for body in ({"status": True, "data": {}}, {"status": True, "data": None}, {"status": True, "data": {"id": []}}):
        with pytest.raises(FleetError) as caught:
            await connect(Faulty(default=Answer(body))).send(ID, Order("REBOOT"), "k")
        assert (caught.value.kind, caught.value.sent) == (Kind.UNREADABLE, Sent.MAYBE)


async def test_disenrolling_is_one_delete_and_finds_its_record_by_reading() -> None:
    old = COMMAND | {"id": "0" * 24, "command": "DISENROLL", "status": "EXPIRED"}
    new = COMMAND | {"id": OTHER, "command": "DISENROLL", "status": "PENDING", "sentAt": None}
    net = Faulty(default=Answer(page([COMMAND, new, old]))).plan(Answer({"status": True, "data": {"status": True}}))
    found = await connect(net).send(ID, Order("DISENROLL"), "key-1")
    assert [seen.method for seen in net.seen] == ["DELETE", "GET"]
    assert net.seen[0].headers["idempotency-key"] == "key-1"
    assert net.seen[0].path.endswith(f"/devices/{ID}")
    assert found is not None
    assert (found.id, found.state) == (OTHER, State.ACCEPTED)


@pytest.mark.parametrize("fault", [Status(500), Reset(), Slow(), Answer(page([])), Answer(b"<html>")])
async def test_disenrolling_without_a_record_is_still_accepted_and_nothing_is_repeated(fault) -> None:
    net = Faulty().plan(Answer({"status": True, "data": {"status": True}}), fault)
    assert await connect(net).send(ID, Order("DISENROLL"), "k") is None
    assert [seen.method for seen in net.seen] == ["DELETE", "GET"]


async def test_disenrolling_that_the_service_did_not_queue_is_refused() -> None:
    net = Faulty(default=Answer({"status": True, "data": {"status": False}}))
    with pytest.raises(FleetError) as caught:
        await connect(net).send(ID, Order("DISENROLL"), "k")
    assert (caught.value.kind, caught.value.sent, net.count()) == (Kind.REFUSED, Sent.ANSWERED, 1)


async def test_a_read_only_connection_sends_nothing() -> None:
    net = Faulty(default=Answer({}))
    provider = connect(net, read_only=True)
    for name in ("REBOOT", "DISENROLL"):
        with pytest.raises(FleetError) as caught:
            await provider.send(ID, Order(name), "k")
        assert (caught.value.kind, caught.value.sent) == (Kind.READ_ONLY, Sent.NEVER)
    assert net.seen == []


@pytest.mark.parametrize(
    "id", ["", ".", "..", "a/b", "../x", "%2e%2e", "a?b", "a#b", "a\n", "a b", "é", "{}", "x" * 129]
)
async def test_no_id_leaves_its_place_in_the_path(id) -> None:
    net = Faulty(default=Answer({}))
    provider = connect(net)
    for call in (provider.device(id), provider.cancel(ID, id), provider.delete_policy(id), provider.command(id, ID)):
        with pytest.raises(FleetError) as caught:
            await call
        assert (caught.value.kind, caught.value.sent) == (Kind.NOT_FOUND, Sent.NEVER)
    assert net.seen == []


@pytest.mark.parametrize("organization", ["", "ab", "../x", "a/b", "a b", "acme\n", "acme?x"])
def test_an_organisation_that_is_none_is_refused(organization) -> None:
    with pytest.raises(FleetError) as caught:
        connect(Faulty(), organization=organization)
    assert caught.value.kind is Kind.CONFIG


# what a service may lack


async def test_without_single_records_the_documented_lists_are_read() -> None:
    here = page([COMMAND | {"id": OTHER}])
    net = Faulty(default=Answer(here)).rule(Status(404, 3001, "Entity not found"), path=f"/commands/{OTHER}")
    provider = connect(net)
    assert (await provider.command(ID, OTHER)).id == OTHER
    assert (await provider.command(ID, OTHER)).id == OTHER
    assert net.count(path=f"/commands/{OTHER}") == 1, "what is lacking is asked for once"
    with pytest.raises(FleetError) as caught:
        await provider.cancel(ID, OTHER)
    assert caught.value.kind is Kind.UNSUPPORTED
    assert "no endpoint to cancel a command" in caught.value.what
    with pytest.raises(FleetError) as caught:
        await provider.command(ID, "0" * 24)
    assert caught.value.kind is Kind.NOT_FOUND


async def test_without_single_policies_the_list_is_read_page_by_page() -> None:
    first, second = page([POLICY | {"id": OTHER}], hasNextPage=True), page([POLICY | {"id": ID}])
    net = Faulty().rule(Status(404, 3001, "Entity not found"), path=f"/policies/{ID}").rule(Answer(first), times=1)
    net.rule(Answer(second))
    provider = connect(net)
    assert (await provider.policy(ID)).id == ID
    assert [seen.params.get("page") for seen in net.seen] == [None, "1", "2"]
    for call in (provider.update_policy(ID, {"name": "x"}), provider.delete_policy(ID)):
        with pytest.raises(FleetError) as caught:
            await call
        assert caught.value.kind is Kind.UNSUPPORTED
    assert net.count("PUT") == net.count("DELETE") == 1


async def test_a_policy_that_is_nowhere_is_not_found() -> None:
    net = Faulty(default=Answer(page([]))).rule(Status(404, 3001, "Entity not found"), path=f"/policies/{ID}")
    for call in (lambda p: p.policy(ID), lambda p: p.delete_policy(ID)):
        with pytest.raises(FleetError) as caught:
            await call(connect(net))
        assert (caught.value.kind, caught.value.code) == (Kind.NOT_FOUND, 3001)


async def test_a_refusal_that_names_fields_stands_at_them() -> None:
    details = [
        {"path": "aosPolicyAssignments[0].priority", "message": "must be \x1bwhole"},
        {"pointer": "/tags/1", "message": "too long"},
        {"field": ["displayName"], "message": "no"},
        {"path": "(body)", "message": "no"},
        {"path": 5, "message": 5},
        "text",
    ]
    body = {"status": False, "error": {"code": 5209, "message": "Invalid input", "details": details}}
    with pytest.raises(FleetError) as caught:
        await connect(Faulty(default=Answer(body, 400))).update_device(ID, DeviceChanges({"tags": ["a"]}))
    assert [(item.pointer, item.message) for item in caught.value.problems] == [
        ("assignments[0].priority", "must be ␛whole"),
        ("tags[1]", "too long"),
        ("display_name", "no"),
        ("", "no"),
    ]


async def test_what_a_service_lacks_is_said_so() -> None:
    provider = connect(Faulty(default=Status(404)))
    calls = {
        "device": provider.device(ID),
        "apps": provider.device_apps(ID),
        "command": provider.command(ID, OTHER),
        "cancel": provider.cancel(ID, OTHER),
        "policy": provider.policy(ID),
        "templates": provider.policy_templates(),
        "tags": provider.tags(),
    }
    for call in calls.values():
        with pytest.raises(FleetError) as caught:
            await call
        assert caught.value.kind is Kind.UNSUPPORTED
    provider = connect(Faulty(default=Status(404, 3001, "Entity not found")))
    for call, kind in (
        (provider.policy_templates(), Kind.UNSUPPORTED),
        (provider.tags(), Kind.UNSUPPORTED),
        (provider.device(ID), Kind.NOT_FOUND),
        (provider.cancel(ID, OTHER), Kind.NOT_FOUND),
        (provider.devices(1, 10), Kind.NOT_FOUND),
    ):
        with pytest.raises(FleetError) as caught:
            await call
        assert caught.value.kind is kind


async def test_cancelling_too_late_is_a_conflict() -> None:
    late = Status(400, 5106, "Command is not in a cancellable state")
    with pytest.raises(FleetError) as caught:
        await connect(Faulty(default=late)).cancel(ID, OTHER)
    assert caught.value.kind is Kind.CONFLICT


# the organisation


async def test_segments_become_a_list_with_their_parents() -> None:
    tree = {
        "organizationId": ID,
        "children": [
            {"id": 1, "name": "North", "children": [{"id": 3, "name": "Do\x1bcks", "children": [{"id": 9}]}, "bad"]},
            {"name": "no id", "children": []},
            {"id": 2, "name": None, "children": None},
            {"id": 1, "name": "twice", "children": []},
        ],
    }
    found = await connect(Faulty(default=Answer({"status": True, "data": tree}))).segments()
    assert found == [
        Segment(0, "Whole organisation"),
        Segment(1, "North", 0, 1),
        Segment(3, "Do␛cks", 1, 2),
        Segment(9, "segment 9", 3, 3),
        Segment(2, "segment 2", 0, 1),
    ]


async def test_tags_and_users() -> None:
    provider = connect(
        Faulty().plan(
            Answer({"data": {"items": [{"value": "a"}, "b", {"value": "\x1b[2J"}, {"value": 5}, None, {"value": "a"}]}})
        )
    )
    assert await provider.tags() == ["a", "b"]
    provider = connect(
        Faulty().plan(Answer(page([{"id": ID, "email": "a@b", "tags": ["x", None]}, {"email": "no id"}])))
    )
    found = await provider.users("a")
    assert [(user.id, user.email, user.tags) for user in found.items] == [(ID, "a@b", ("x",))]


async def test_a_template_is_what_a_policy_starts_from() -> None:
    found = await connect(Faulty(default=Answer(answers("listAosPolicyTemplates")[0]))).policy_templates()
    assert [(item.id, item.version, item.applications) for item in found] == [("example-template", 1, 1)]
    assert set(json.loads(found[0].raw)) == {"config", "applications"}


# the factory


def test_the_factory_and_the_report_load_no_network_and_no_models() -> None:
    import subprocess

    code = (
        "import sys\nfrom mdm_tui.providers import factory\nf = factory('applivery')\nf.report({'id': '1'})\n"
        "print(sorted({'httpx', 'pydantic', 'h11', 'anyio'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_unknown_kind_names_the_known_ones() -> None:
    with pytest.raises(FleetError) as caught:
        factory("acme")
    assert caught.value.kind is Kind.CONFIG
    assert "applivery" in caught.value.what and "applivery" in kinds()


def test_the_report_is_the_one_that_values_are_read_from() -> None:
    report = factory("applivery").report(DEVICE)
    assert "other" not in report
    assert len(list(leaves(report))) == len(list(leaves(DEVICE)))
