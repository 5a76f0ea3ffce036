"""The MiDM provider against the embedded server's real application: both sides made from the contract alone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest
from midm import connect

from mdm_tui.fleet.devices import Device
from mdm_tui.fleet.errors import FleetError, Kind, Sent
from mdm_tui.fleet.groups import Group
from mdm_tui.fleet.provider import Provider, Purpose
from mdm_tui.fleet.registration import Registration, RegistrationTerms
from mdm_tui.fleet.rollouts import RolloutApp
from mdm_tui.providers.midm.rollouts import MidmRollouts
from mdm_tui.server.testing import Fleet, fleet
from mdm_tui.server.world.clock import SECOND, VirtualClock
from tests.faulty import Faulty

FORMAT = MidmRollouts()


class Site:
    """A fleet, the net before it, and providers on it."""

    def __init__(self, made: Fleet) -> None:
        self.fleet = made
        self.net = Faulty(httpx.ASGITransport(made.app))
        self.midm = self.connect()

    def connect(self, **more) -> Provider:
        secrets = {"api_key": self.fleet.api_key, "password": self.fleet.password} | more.pop("secrets", {})
        fields = {"email": self.fleet.email, "organization": self.fleet.site, "url": "http://127.0.0.1"} | more
        return connect(self.net, secrets=secrets, **fields)

    def asked(self, end: str) -> int:
        return sum(seen.path.endswith(end) for seen in self.net.seen)

    async def all(self, limit: int = 20) -> list[Device]:
        found: list[Device] = []
        page = 0
        while True:
            page += 1
            got = await self.midm.devices(page, limit)
            found += got.items
            if not got.has_next:
                return found


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    made = fleet(50, 7)
    yield Site(made)
    made.world.close()


@pytest.fixture
async def bare() -> AsyncIterator[Site]:
    """A service with nothing but what is documented."""
    made = fleet(50, 7, documented_only=True)
    yield Site(made)
    made.world.close()


async def refusal(work) -> FleetError:
    with pytest.raises(FleetError) as caught:
        await work
    return caught.value


def later(site: Site) -> None:
    """Two hours pass: every session ends."""
    clock = site.fleet.world.clock
    assert isinstance(clock, VirtualClock)
    clock.move_to(clock.now() + 2 * 3600 * SECOND)


async def test_the_whole_fleet_page_by_page(site: Site) -> None:
    devices = await site.all()
    assert len({device.id for device in devices}) == len(devices) > 40
    assert not [device for device in devices if device.unreadable]
    first = await site.midm.devices(1, 20)
    assert (first.total, len(first.items)) == (len(devices), 20)
    assert site.asked("/auth") == 1
    for device in devices:
        assert device.values["state"] in ("ACTIVE", "PROVISIONING", "DISABLED")
        assert "group" not in device.values and "groupid" not in device.values, "a list row says nothing of groups"
    assert {device.values.get("link") for device in devices} >= {"online"}


async def test_newest_first_by_check_in_or_by_change_as_asked(site: Site) -> None:
    assert set(site.midm.newest_by) == {"seen", "updated"}
    for key in site.midm.newest_by:
        found = await site.midm.devices(1, 20, newest_first=True, by=key)
        # Somebody else looks meanwhile.
        await site.midm.devices(1, 1, newest_first=True)
        more = await site.midm.devices(2, 20, newest_first=True, by=key)
        # What never happened comes last.
        moments = [device.values.get(key) or 0 for device in (*found.items, *more.items)]
        assert all(isinstance(moment, float | int) for moment in moments)
        assert moments == sorted(moments, key=lambda moment: float(moment or 0), reverse=True) and moments[0]


async def test_groups_and_their_members(site: Site) -> None:
    groups = await site.midm.groups()
    assert groups and not [group for group in groups if group.unreadable]
    assert {group.parent for group in groups} - {""} <= {group.id for group in groups}
    full = next(group for group in groups if group.devices)
    members = (await site.midm.devices(1, 200, group=full.id)).items
    assert len(members) == full.devices
    one = await site.midm.device(members[0].id)
    assert (one.detail, one.values["groupid"], one.values["group"]) == (True, full.id, full.name)
    assert one.values["name"] and one.values["serial"] == members[0].values["serial"]


async def test_a_group_is_made_renamed_moved_and_deleted(site: Site) -> None:
    above = await site.midm.create_group("Harbour")
    below = await site.midm.create_group("Crane", above.id)
    assert (above.parent, below.parent, below.name) == ("", above.id, "Crane")
    renamed = await site.midm.change_group(below, name="Crane 2")
    assert (renamed.id, renamed.name, renamed.parent) == (below.id, "Crane 2", above.id)
    top = await site.midm.change_group(renamed, parent="")
    assert (top.name, top.parent) == ("Crane 2", "")
    back = await site.midm.change_group(top, parent=above.id)
    assert back.parent == above.id
    error = await refusal(site.midm.change_group(above, parent=below.id))
    assert error.kind in (Kind.CONFLICT, Kind.REFUSED, Kind.INVALID) and error.sent is Sent.ANSWERED
    await site.midm.delete_group(below.id)
    assert below.id not in {group.id for group in await site.midm.groups()}
    assert (await refusal(site.midm.delete_group(below.id))).kind is Kind.NOT_FOUND


async def test_the_apps_of_a_device_and_the_question_for_one(site: Site) -> None:
    device = next(item for item in await site.all() if item.values["state"] == "ACTIVE")
    apps = await site.midm.device_apps(device.id)
    assert apps and all(app.package and app.version_code for app in apps)
    there = await site.midm.device_has_app(device.id, apps[0].package)
    assert there is not None and there.version_code == apps[0].version_code
    assert await site.midm.device_has_app(device.id, "com.example.nowhere") is None
    assert site.asked("/app/installed") == 1


async def test_nobody_knows_the_device(site: Site) -> None:
    unknown = "00000000-0000-4000-8000-000000000000"
    for work in (site.midm.device(unknown), site.midm.device_apps(unknown), site.midm.device_has_app(unknown, "a.b")):
        assert (await refusal(work)).kind is Kind.NOT_FOUND
    assert (await refusal(site.midm.device("../x"))).sent is Sent.NEVER


async def test_registering(site: Site) -> None:
    group, (model, *_) = (await site.midm.groups())[0], await site.midm.license_models()
    rows = [Registration("NEW-001", "MiTAC", "Mio", "K245", group.id), Registration("NEW-002")]
    assert [await site.midm.registered(row.serial) for row in rows] == [False, False]
    await site.midm.register(rows, RegistrationTerms(model.id, True))
    assert [await site.midm.registered(row.serial) for row in rows] == [True, True]
    sent = next(seen for seen in site.net.seen if seen.path.endswith("/device/save"))
    assert (sent.params["licenseModelUuid"], sent.params["autoRenew"], len(sent.json)) == (model.id, "true", 2)
    made = next(item for item in await site.all() if item.values.get("serial") == "NEW-001")
    assert (made.values["state"], made.values["enrolled"]) == ("PROVISIONING", None)
    assert (await site.midm.device(made.id)).values["groupid"] == group.id
    assert (await refusal(site.midm.register([Registration("  ")], RegistrationTerms()))).sent is Sent.NEVER


async def test_the_catalogue(site: Site) -> None:
    apps, images = await site.midm.apps(), await site.midm.images()
    assert apps and images and not [item for item in (*apps, *images) if item.unreadable]
    assert all(len(app.refs) == 2 and app.id == app.refs[0] and app.package for app in apps)
    assert {image.part for image in images} <= {"base", "region"}
    assert any(image.partial for image in images) and any(image.ab for image in images)
    assert all(image.built_at and 1.4e9 < image.built_at < 2e9 for image in images)
    found = await site.midm.find_apps(1, 5, {"package": apps[0].package})
    assert {app.package for app in found.items} == {apps[0].package}
    of_product = await site.midm.find_images(1, 50, {"product": images[0].product, "part": images[0].part})
    assert {(image.product, image.part) for image in of_product.items} == {(images[0].product, images[0].part)}
    pages = [await site.midm.find_apps(number, 2) for number in (1, 2)]
    assert pages[0].has_next and not {app.id for app in pages[0].items} & {app.id for app in pages[1].items}
    assert (await refusal(site.midm.find_apps(1, 5, {"colour": "red"}))).sent is Sent.NEVER


async def test_a_rollout_is_made_read_and_sent_back_whole(site: Site) -> None:
    app, image, group = (await site.midm.apps())[0], (await site.midm.images())[0], (await site.midm.groups())[0]
    serial = next(item.values["serial"] for item in await site.all() if item.values.get("serial"))
    document = FORMAT.blank()
    assert (await refusal(site.midm.create_rollout(document))).sent is Sent.NEVER, "a name is always sent"
    for key, value in (
        ("name", "Driver 5.2"),
        ("groups", [group.id]),
        ("devices", [serial]),
        ("apps", [RolloutApp(app.id, {"silent": True})]),
        ("images", [image.refs[-1]]),
        ("apply_order", "apps"),
        ("need_ac", False),
        ("start_on", "2027-02-06"),
    ):
        document = FORMAT.put(document, key, value)
    made = await site.midm.create_rollout(document)
    assert (made.name, made.unreadable) == ("Driver 5.2", "") and made.updated_at
    whole = await site.midm.rollout(made.id)
    assert (whole.groups, whole.devices, whole.images) == ((group.id,), (serial,), (image.refs[-1],))
    assert whole.apps == (RolloutApp(app.id, {"silent": True}),)
    assert whole.options["apply_order"] == "apps" and whole.options["need_ac"] is False
    changed = FORMAT.put(FORMAT.put(json.loads(whole.raw), "name", "Driver 5.3"), "enabled", False)
    after = await site.midm.update_rollout(whole.id, changed)
    assert (after.id, after.name, after.enabled, after.apps) == (whole.id, "Driver 5.3", False, whole.apps)
    listed = {item.id: item for item in (await site.midm.rollouts(1, 100)).items}
    assert listed[whole.id].name == "Driver 5.3"
    unknown = "00000000-0000-4000-8000-000000000000"
    assert (await refusal(site.midm.rollout(unknown))).kind is Kind.NOT_FOUND
    assert (await refusal(site.midm.update_rollout(unknown, changed))).kind is Kind.NOT_FOUND


async def test_without_what_is_only_inferred(bare: Site) -> None:
    midm = bare.midm
    lacking = {
        "app/all": midm.apps(),
        "app/find": midm.find_apps(1, 5),
        "ota/all": midm.images(),
        "ota/find": midm.find_images(1, 5),
        "profile/find": midm.rollouts(1, 5),
        "profile/findBy": midm.rollout("00000000-0000-4000-8000-000000000000"),
    }
    for name, work in lacking.items():
        error = await refusal(work)
        assert error.kind is Kind.UNSUPPORTED, (name, error)
        assert "[connections.depot.paths]" in error.sentence()
        if name != "profile/findBy":
            assert f'"{name}"' in error.sentence()
    device = next(item for item in await bare.all() if item.values["state"] == "ACTIVE")
    app = (await midm.device_apps(device.id))[0]
    for _ in range(2):
        found = await midm.device_has_app(device.id, app.package)
        assert found is not None and found.version == app.version, "the list of apps is asked instead"
    assert bare.asked("/app/exists") == 1, "what is lacking is not asked for again"


async def test_a_path_can_be_put_elsewhere(site: Site) -> None:
    moved = site.connect(paths={"app/all": "/elsewhere/apps"})
    assert (await refusal(moved.apps())).kind is Kind.UNSUPPORTED
    assert site.net.seen[-1].path == "/elsewhere/apps"
    assert await site.connect(paths={"app/all": "/ota/api/app/all"}).apps()


async def test_a_session_that_ends_in_the_middle_of_a_walk(site: Site) -> None:
    first = await site.midm.devices(1, 20)
    later(site)
    second, third = await asyncio.gather(site.midm.devices(2, 20), site.midm.devices(3, 20))
    whole = await site.all()
    assert [item.id for item in (*first.items, *second.items, *third.items)] == [item.id for item in whole]
    assert site.asked("/auth") == 2, "once for all calls that waited"


async def test_a_write_under_an_ended_session_is_done_once(site: Site) -> None:
    await site.midm.groups()
    later(site)
    made: Group = await site.midm.create_group("Once")
    assert [group.name for group in await site.midm.groups()].count("Once") == 1
    assert (made.name, site.asked("/group/save"), site.asked("/auth")) == ("Once", 2, 2)


@pytest.mark.parametrize("wrong", [{"password": "wrong-password"}, {"api_key": "wrong-key"}])
async def test_wrong_secrets_are_tried_once(site: Site, wrong: dict[str, str]) -> None:
    midm = site.connect(secrets=wrong)
    errors = await asyncio.gather(*(refusal(midm.devices(page, 10)) for page in range(1, 5)))
    errors.append(await refusal(midm.groups()))
    for error in errors:
        assert (error.kind, error.sent) == (Kind.SIGNED_OUT, Sent.NEVER)
        assert "sign-in of demo@example.com was refused" in error.sentence()
        assert not any(secret in repr((error, error.__dict__)) for secret in wrong.values())
    assert len(site.net.seen) == 1


async def test_the_site_by_its_name(site: Site) -> None:
    midm = site.connect(organization=site.fleet.world.site_name)
    assert (await midm.devices(1, 10)).items
    made = await midm.create_group("By name")
    assert made.name == "By name"
    assert site.net.seen[-1].params == {"siteId": site.fleet.world.site_name}


@pytest.mark.parametrize("scenario", ["hostile", "flaky"])
async def test_what_strangers_wrote_and_a_bad_line(scenario: str) -> None:
    made = fleet(60, 3, scenario=scenario)
    site = Site(made)
    site.midm = connect(
        site.net,
        secrets={"api_key": made.api_key, "password": made.password},
        email=made.email,
        organization=made.site,
        url="http://127.0.0.1",
        sleep=lambda seconds: asyncio.sleep(0),
    )
    read: list[object] = []
    for work in (site.all, site.midm.groups, site.midm.apps, site.midm.images, lambda: site.midm.rollouts(1, 50)):
        try:
            read.append(await work())
        except FleetError as error:
            # A line as bad as this one may end a reading, but only in words.
            assert scenario == "flaky" and error.sentence().isprintable()
    devices = read[0] if isinstance(read[0], list) else []
    for device in devices:
        assert isinstance(device, Device)
        assert all(
            value is None or not isinstance(value, str) or value.isprintable() for value in device.values.values()
        )
    for group in await site.midm.groups() if scenario == "hostile" else []:
        assert group.name.isprintable()
    assert read
    made.world.close()


async def test_purposes_are_counted(site: Site) -> None:
    await site.midm.devices(1, 10)
    assert site.midm.meter.by_purpose == {Purpose.EDIT: 1, Purpose.LIST: 1}
