"""Reading MiDM: the samples of the vendor's page, both shapes and spellings of what it mixes, what may come wrong."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from typing import Any

import pytest
from midm import SITE, connect, fine, refused, sample, signed_in

from mdm_tui.fleet import fields
from mdm_tui.fleet.errors import FleetError, Kind, Sent
from mdm_tui.fleet.registration import Place, Registration, RegistrationTerms
from mdm_tui.fleet.report import leaves
from mdm_tui.providers.midm import factory
from mdm_tui.providers.midm.values import flag, moment
from tests.faulty import Answer, Status

UUID = "b3d1f0c2-6c0f-4f5d-8a61-7d1c2e9f4a55"


def page(name: str, **changes: Any) -> Answer:
    """A sample as the answer."""
    return Answer(sample(name) | changes)


async def failure(work) -> FleetError:
    with pytest.raises(FleetError) as caught:
        await work
    return caught.value


# the samples of the page, as they stand there


async def test_the_pages_devices() -> None:
    midm, net = signed_in(page("device-find.answer"), page("device-findby.answer"))
    found = await midm.devices(1, 20)
    (row,) = found.items
    assert (row.id, row.unreadable, row.detail) == ("string", "", False)
    assert (row.values["serial"], row.values["model"], row.values["link"]) == ("string",) * 3
    assert (row.values["remote"], row.values["client"]) == (1, "0")
    assert (row.values["seen"], row.values["enrolled"]) == (None, None), "no time is made of what is none"
    assert (found.total, found.has_next) == (0, False), "the sample's totals are all nought"
    assert json.loads(row.raw) == sample("device-find.answer")["data"][0]
    one = await midm.device("string")
    assert (one.detail, one.values["groupid"], one.values["group"]) == (True, "string", "string")
    assert net.seen[1].params == {
        "filter": json.dumps({"siteUuid": SITE}, separators=(",", ":")),
        "page": "0",
        "size": "20",
        "sortBy": "uuid",
        "direction": "asc",
    }


async def test_the_pages_groups() -> None:
    midm, net = signed_in(page("group-all.answer"), page("group-save.answer"))
    assert await midm.groups() == [], "a group of another site"
    midm, net = signed_in(page("group-all.answer"), page("group-save.answer"), organization="depot-north")
    (group,) = await midm.groups()
    assert (group.id, group.name, group.parent, group.devices, group.enabled) == ("string", "string", "string", 0, True)
    await midm.change_group(group, name="North")
    sent = net.seen[-1]
    whole = sample("group-all.answer")["data"][0]
    assert sent.json == whole | {"profile": {"name": "North"}}, "the whole group goes back"
    assert sent.params == {"siteId": "depot-north"}


async def test_the_pages_apps_of_a_device() -> None:
    midm, _ = signed_in(page("device-app-installed.answer"), page("device-app-exists.answer"))
    (app,) = await midm.device_apps(UUID)
    assert (app.package, app.name, app.version, app.version_code) == ("string", "string", "string", "0")
    assert (app.size, app.data, app.installed_at) == (0, 0, None)
    found = await midm.device_has_app(UUID, "string")
    assert found is not None and (found.package, found.version_code) == ("string", "0")


async def test_the_pages_catalogue() -> None:
    midm, _ = signed_in(
        page("app-all.answer"), page("app-find.answer"), page("ota-all.answer"), page("ota-find.answer")
    )
    (app,), found = await midm.apps(), await midm.find_apps(1, 10)
    assert (app.id, app.refs, app.name, app.enabled) == ("string", ("string",), "string", True)
    assert (found.items, found.has_next) == ([app], False)
    (image,), of = await midm.images(), await midm.find_images(1, 10)
    assert (image.id, image.part, image.ab, image.partial) == ("string", "string", True, True)
    assert (image.built_at, of.items) == (None, [image])


async def test_the_pages_rollouts() -> None:
    midm, net = signed_in(
        page("profile-find.answer"),
        page("profile-findby.answer"),
        page("profile-save.answer"),
        page("profile-update.answer"),
    )
    found = await midm.rollouts(1, 10)
    (listed,) = found.items
    assert listed.unreadable == "its uuid is missing", "the page's sample has none"
    assert (listed.everyone, listed.groups, listed.images, found.total, found.has_next) == (
        True,
        ("string",),
        ("string",),
        None,
        False,
    )
    one = await midm.rollout(UUID)
    assert (one.id, one.name, one.unreadable) == (UUID, "string", ""), "it was asked for by its id"
    made = await midm.create_rollout(sample("profile-save.request") | {"profile": {"name": "x", "applyOrder": "apps"}})
    assert (made.id, made.name, made.unreadable) == ("string", "string", "")
    document = copy.deepcopy(sample("profile-update.request"))
    document["profile"]["applyOrder"] = "otas"
    after = await midm.update_rollout(UUID, document)
    assert (after.id, after.name, after.unreadable) == (UUID, "string", "")
    assert net.seen[-1].json == document | {"uuid": UUID}, "the whole document goes back"


async def test_the_pages_registration() -> None:
    midm, net = signed_in(fine(False), fine(False), page("device-save.answer"))
    wanted = sample("device-save.request")[0]
    hardware = wanted["profile"]["hardware_info"]
    assert await midm.registered("string") is False
    row = Registration(*(hardware[name] for name in ("serial_no", "manufacturer", "brand", "model")), "string")
    await midm.register([row], RegistrationTerms())
    assert (net.seen[-1].json, net.seen[-1].params) == ([wanted], {})


# what may come otherwise


@pytest.mark.parametrize(
    "apps", [{"packageName": "a.b", "versionCode": "7"}, [{"packageName": "a.b", "versionCode": 7}], [[], None]]
)
async def test_both_shapes_of_apps(apps: Any) -> None:
    midm, _ = signed_in(fine({"deviceUuid": UUID, "apps": apps}))
    found = await midm.device_apps(UUID)
    assert [(app.package, app.version_code) for app in found[:1]] in ([("a.b", "7")], [("(unreadable)", "")])


@pytest.mark.parametrize("apps", ["none", 3, True])
async def test_apps_of_no_known_shape_are_not_taken_for_none(apps: Any) -> None:
    midm, _ = signed_in(fine({"deviceUuid": UUID, "apps": apps}))
    error = await failure(midm.device_apps(UUID))
    assert error.kind is Kind.UNREADABLE and "apps that are neither an object nor a list" in error.sentence()


async def test_no_apps_and_apps_by_category() -> None:
    one = {"category": "user", "apps": [{"packageName": "a.b"}]}
    midm, _ = signed_in(fine({"apps": None}), fine([one, one | {"category": "system"}]))
    assert await midm.device_apps(UUID) == []
    assert [app.package for app in await midm.device_apps(UUID)] == ["a.b", "a.b"]


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (True, True),
        ("true", True),
        (" FALSE ", False),
        ("yes", None),
        (1, None),
        (None, None),
    ],
)
def test_switches_in_quotes(value: Any, found: bool | None) -> None:
    assert flag(value) is found


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (1769904000, 1769904000.0),
        (1769904000000, 1769904000.0),
        ("1769904000000", 1769904000.0),
        ("2026-02-01T00:00:00Z", 1769904000.0),
        ("2026-02-01 00:00:00", 1769904000.0),
        (20260201, 1769904000.0),
        (0, None),
        (-5, None),
        ("", None),
        ("soon", None),
        (10**17, None),
        (True, None),
        (None, None),
    ],
)
def test_times_by_magnitude(value: Any, found: float | None) -> None:
    assert moment(value) == found


async def test_a_device_as_older_consoles_saw_it() -> None:
    raw = {
        "uuid": UUID,
        "enabled": "true",
        "enrolled": "",
        "updated": 1769904000000,
        "states": {"state": "standby", "rtcEnabled": "false", "clientVersion": "3.1"},
        "profile": {
            "hardware_info": {
                "serial_no": "M024",
                "model": "K245",
                "product_id": "K245-P",
                "memory": {"total": 4e9, "free": 1e9},
                "storages": [{"name": "data", "total": 32e9, "free": 5e9}],
                "battery": {"level": 71, "isCharging": True},
            },
            "software_info": {"os_version": "10", "build_no": "K245.R12"},
            "network": {"wifi": {"mac_address": "aa:bb"}, "telephony": {"carrier": "Tel"}},
        },
        "license": {"licenseModel": {"name": "1 Year"}, "autoRenew": True},
        "deviceGroup": None,
        "weather": {"today": "rain"},
    }
    midm, _ = signed_in(fine(raw))
    found = await midm.device(UUID)
    values = found.values
    expected = {
        "os": "10", "build": "K245.R12", "battery": 71, "ram": 4e9, "storage": 32e9, "mac": "aa:bb", "operator": "Tel",
        "product": "K245-P", "license": "1 Year", "autorenew": 1, "link": "standby", "remote": 0, "client": "3.1",
        "state": "PROVISIONING", "enrolled": None, "group": None, "groupid": None, "updated": 1769904000.0,
    }  # fmt: skip
    assert {key: values.get(key, "absent") for key in expected} == expected
    assert "seen" not in values and "disconnected" not in values, "what is not said is absent"
    tree = factory.report(raw)
    assert tree["other"]["weather"] == {"today": "rain"}, "nothing is hidden"
    unknown = [leaf.pattern for leaf in leaves(tree) if fields.known(leaf.pattern) is None]
    assert unknown == ["other.weather.today"] or all(name.startswith("other.") for name in unknown)
    assert json.loads(found.raw) == raw


async def test_every_documented_leaf_of_a_device_is_known_to_the_console() -> None:
    tree = factory.report(sample("device-findby.answer")["data"])
    assert "other" not in tree
    assert [leaf.pattern for leaf in leaves(tree) if fields.known(leaf.pattern) is None] == []


async def test_rows_that_cannot_be_read_stay_on_their_page() -> None:
    good = {"uuid": UUID, "profile": {"name": "North"}, "parentUuid": None, "deviceNumbers": "12"}
    rows = [good, None, {"profile": {"name": "x"}}, [], 3, {"uuid": 7, "profile": []}]
    midm, _ = signed_in(fine(rows), fine(rows), fine(rows), fine(rows), fine(rows))
    groups = await midm.groups()
    assert [bool(group.unreadable) for group in groups] == [False, True, True, True, True, False]
    assert (groups[0].parent, groups[0].devices, groups[5].name) == ("", 12, "(no name)")
    assert groups[2].unreadable == "its uuid is missing"
    for found in (await midm.apps(), await midm.images(), (await midm.rollouts(1, 9)).items):
        assert len(found) == 6 and found[1].unreadable and found[1].id.startswith("?")
    devices = (await midm.devices(1, 9)).items
    assert [bool(device.unreadable) for device in devices] == [False, True, True, True, True, False]
    assert devices[1].values["faults"] == "unreadable"


@pytest.mark.parametrize(
    ("rows", "limit", "totals", "total", "more"),
    [
        (3, 3, {}, None, True),
        (2, 3, {}, None, False),
        (0, 3, {"totalPage": 9, "totalSize": 90}, 90, False),
        (3, 3, {"totalPage": 1, "totalSize": 3}, 3, True),
        (2, 9, {"totalPage": 5, "size": 2, "totalSize": 10}, 10, True),
        (2, 3, {"totalPage": None, "totalSize": "x"}, None, False),
        (2, 3, {"totalSize": -4}, None, False),
        (2, 3, {"totalSize": "2"}, 2, False),
    ],
)
async def test_what_came_says_whether_there_is_more(
    rows: int, limit: int, totals: dict[str, Any], total: int | None, more: bool
) -> None:
    midm, _ = signed_in(fine([{"uuid": f"u{number}"} for number in range(rows)], **totals))
    found = await midm.devices(1, limit)
    assert (len(found.items), found.total, found.has_next) == (rows, total, more)


def _nested(levels: int, bottom: Any = "x") -> Any:
    for _ in range(levels):
        bottom = {"a": [bottom]}
    return bottom


async def test_a_row_that_is_nested_too_deep_costs_itself_alone() -> None:
    rows = [{"uuid": "r-0", "profile": {"name": "Plain"}}]
    rows += [{"uuid": f"r-{n}", "profile": {"name": "Deep", "x": _nested(40, n)}} for n in (1, 2)]
    rows += [{"uuid": "r-3", "profile": {"name": 'Brackets ]}], \\"'}}]
    whole = sample("profile-find.answer") | {"data": rows}
    midm, _ = signed_in(Answer(whole))
    found = (await midm.rollouts(1, 20)).items
    assert [(row.id, row.unreadable) for row in (found[0], found[3])] == [("r-0", ""), ("r-3", "")]
    assert found[3].name.startswith("Brackets")
    assert {row.unreadable for row in found[1:3]} == {"it is nested deeper than 64 levels"}
    assert len({row.id for row in found}) == 4 and all(row.id.startswith("?") for row in found[1:3])
    for name, ask in (
        ("group-all.answer", lambda midm: midm.groups()),
        ("app-find.answer", lambda midm: midm.find_apps(1, 20)),
        ("ota-find.answer", lambda midm: midm.find_images(1, 20)),
        ("device-find.answer", lambda midm: midm.devices(1, 20)),
    ):
        row = sample(name)["data"][0]
        if name == "group-all.answer":
            row["siteUuid"] = SITE
        midm, _ = signed_in(page(name, data=[row | {"x": _nested(300)}, row]))
        answer = await ask(midm)
        items = answer if isinstance(answer, list) else list(answer.items)
        assert [bool(item.unreadable) for item in items] == [True, False], name


async def test_a_document_that_is_nested_too_deep_is_not_read_without_a_part() -> None:
    for data in (
        {"uuid": "r-1", "apps": [{"x": _nested(40)}]},
        {"uuid": "r-1", "items": {"a": [_nested(40)]}},
        {"uuid": "r-1", "items": [_nested(40)]},
        [{"uuid": "r-1", "apps": [{"x": _nested(40)}]}],
    ):
        midm, _ = signed_in(page("profile-findby.answer", data=data))
        assert (await failure(midm.rollout("r-1"))).kind is Kind.UNREADABLE


async def test_ids_and_spellings_of_uploads() -> None:
    both = {"uuid": "u", "fileUuid": "f", "enabled": False, "appInfo": {"label": "Driver", "minSdkVersion": 26}}
    info = {"type": "REGION", "abUpdate": "false", "buildDate": 1769904000000, "preBuild": " ", "sdk": "29"}
    midm, _ = signed_in(fine([both]), fine([{"fileUuid": "f", "otaInfo": info}, {"otaInfo": {"type": "delta"}}]))
    (app,) = await midm.apps()
    assert (app.id, app.refs, app.name, app.min_sdk, app.enabled) == ("u", ("u", "f"), "Driver", "26", False)
    image, nameless = await midm.images()
    assert (image.part, image.ab, image.partial, image.sdk) == ("region", False, False, 29)
    assert image.built_at == 1769904000.0
    assert nameless.unreadable == "it has neither uuid nor fileUuid"


async def test_an_answer_without_yes_or_no_is_not_a_no() -> None:
    midm, _ = signed_in(fine(None), fine("true"), fine({"packageName": "a.b"}))
    assert (await failure(midm.registered("M1"))).kind is Kind.UNREADABLE
    assert await midm.registered("M1") is True
    assert (await failure(midm.device_has_app(UUID, "a.b"))).kind is Kind.UNREADABLE


async def test_a_device_of_another_site_is_known_too_since_saving_takes_no_site() -> None:
    midm, net = signed_in(fine(True), fine(False), fine(True), fine(False), fine(False))
    assert [await midm.registered("M1") for _ in range(3)] == [True, True, False]
    asked = [seen.params.get("siteUuid") for seen in net.seen if seen.path.endswith("/exists")]
    assert asked == [SITE, SITE, None, SITE, None]
    assert midm.registered_calls == 2 and SITE in midm.registers_where
    named, net = signed_in(fine(False), organization="berlin")
    assert await named.registered("M1") is False
    assert (len(net.seen), named.registered_calls) == (2, 1) and "berlin" in named.registers_where


def _sited(serial: str, site: str | None) -> dict[str, object]:
    return {"uuid": f"u{serial}", "siteUuid": site, "profile": {"hardware_info": {"serial_no": serial}}}


async def test_where_a_device_went_is_read_back() -> None:
    other = "11111111-2222-4333-8444-555555555555"
    rows = [_sited("M1", SITE.upper()), _sited("M2", other), _sited("M3", None)]
    midm, _ = signed_in(fine(rows), fine(rows), fine(rows), fine(False), fine([]), fine(True))
    assert await midm.registered_at("M1") == Place()
    found = await midm.registered_at("M2")
    assert found.wrong and other in found.text and f"not at the connection's {SITE}" in found.text
    assert (await midm.registered_at("M3")).text.startswith("at another site, not at")
    assert await midm.registered_at("M4") == Place()
    named, _ = signed_in(fine(rows), fine([]), organization="berlin")
    found = await named.registered_at("M2")
    assert not found.wrong and other in found.text and "berlin" in found.text
    assert await named.registered_at("M2") == Place()


# refusals: by result, then the status, then the code


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refused(500, "broken"), Kind.SERVER),
        (refused(403, "not you"), Kind.FORBIDDEN),
        (refused(404, "gone"), Kind.NOT_FOUND),
        (refused(977, "never heard of"), Kind.REFUSED),
        (refused("E00001", "no"), Kind.REFUSED),
        (Answer({"code": 977, "data": []}), Kind.REFUSED),
        (refused(0, "no"), Kind.REFUSED),
        (refused(400, "no such device", status=400), Kind.NOT_FOUND),
        (refused(404, "no such device", status=400), Kind.NOT_FOUND),
        (refused(422, "uuid is wrong", status=400), Kind.NOT_FOUND),
        (refused(403, "", status=403), Kind.FORBIDDEN),
        (Answer({"timestamp": 1, "status": 404, "error": "Not Found"}, 404), Kind.UNSUPPORTED),
        (Status(405), Kind.UNSUPPORTED),
        (Answer({"result": "true", "data": []}), Kind.UNREADABLE),
        (Answer([]), Kind.UNREADABLE),
    ],
)
async def test_what_a_refusal_means(answer: Answer, kind: Kind) -> None:
    midm, _ = signed_in(answer)
    error = await failure(midm.device(UUID))
    assert error.kind is kind, error
    assert error.where == "GET /ota/api/device/findBy"


async def test_what_to_do_about_a_refused_question_names_no_token_that_nobody_was_given() -> None:
    midm, _ = signed_in(refused(977, "never heard of"))
    error = await failure(midm.devices(1, 10))
    assert error.sentence().endswith("Check the connection's organisation and what its credentials may read.")


async def test_codes_that_are_fine() -> None:
    midm, _ = signed_in(
        Answer({"result": True, "code": 977, "data": True}), Answer({"code": 200, "data": True}), Answer({"data": True})
    )
    assert [await midm.registered("M1") for _ in range(3)] == [True, True, True]


async def test_a_write_the_service_broke_on_is_unknown() -> None:
    midm, net = signed_in(refused(500, "half done"))
    error = await failure(midm.create_group("North"))
    assert (error.kind, error.sent, len(net.seen)) == (Kind.SERVER, Sent.MAYBE, 2)


# configuration


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"paths": {"app/al": "/x"}}, "did you mean 'app/all'"),
        ({"paths": {"app/all": "x"}}, "Allowed: a path"),
        ({"paths": {"app/all": "/a/../b"}}, "Allowed: a path"),
        ({"paths": {"app/all": "/a?b=1"}}, "Allowed: a path"),
        ({"paths": {"app/all": "//elsewhere.example/x"}}, "Allowed: a path"),
        ({"paths": {"app/all": "POST /a"}}, "Allowed: a path"),
        ({"options": {"bearr": True}}, "did you mean 'bearer'"),
        ({"options": {"bearer": "no"}}, "true or false"),
        ({"options": {"api_key_header": "Authorization"}}, "nothing else uses"),
        ({"options": {"api_key_header": "x key\r\n"}}, "the name of a header"),
        ({"options": {"scope_devices": "imei"}}, '"serial" or "id"'),
        ({"email": ""}, "has no email"),
    ],
)
def test_a_configuration_that_cannot_be_used(more: dict[str, Any], says: str) -> None:
    with pytest.raises(FleetError) as caught:
        connect(None, **more)
    assert (caught.value.kind, caught.value.sent) == (Kind.CONFIG, Sent.NEVER)
    assert says in caught.value.sentence()


async def test_header_prefix_and_paths_are_configuration() -> None:
    midm, net = signed_in(
        fine(True),
        fine({"uuid": "u", "profile": {"name": "x"}}),
        options={"api_key_header": "Api-Token", "bearer": False, "scope_devices": "id"},
        paths={"auth": "/login", "device/exists": "/ota/api/exists", "device/group/save": "PUT /ota/api/group"},
    )
    await midm.registered("M1")
    await midm.create_group("North")
    assert [(seen.method, seen.path) for seen in net.seen] == [
        ("POST", "/login"), ("GET", "/ota/api/exists"), ("PUT", "/ota/api/group"),
    ]  # fmt: skip
    assert net.seen[0].headers["api-token"] == "key-canary-1" and "authorization" not in net.seen[0].headers
    assert net.seen[1].headers["authorization"] == "token-canary-3"
    assert midm.rollout_format.entries == "id"


def test_the_factory_loads_neither_network_nor_models() -> None:
    code = (
        "import sys\nfrom mdm_tui.providers import factory\nf = factory('midm')\nf.report({'uuid': '1'})\n"
        "f.rollouts.check(f.rollouts.blank())\nf.rollouts.read({})\n"
        "assert not {'httpx', 'pydantic'} & set(sys.modules), sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


async def test_a_created_rollout_without_an_id_is_not_taken_for_made() -> None:
    midm, _ = signed_in(fine({"name": "x", "profile": {"name": "x"}}))
    error = await failure(midm.create_rollout({"profile": {"name": "x"}}))
    assert (error.kind, error.sent) == (Kind.UNREADABLE, Sent.MAYBE)


async def test_a_wait_without_a_time_is_not_said_to_have_one() -> None:
    midm, _ = signed_in(Answer({"result": False, "code": 429, "message": "too many"}))
    error = await failure(midm.groups())
    assert (error.kind, error.retry_after) == (Kind.RATE_LIMITED, None)
    assert "as long as the service asked" not in error.sentence() and "did not say for how long" in error.sentence()
