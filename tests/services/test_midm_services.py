"""Groups, the catalogue and registering against the embedded server's MiDM: the real application over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from mdm_tui.fleet.commands import State
from mdm_tui.fleet.errors import FleetError, Kind
from mdm_tui.fleet.text import clean
from mdm_tui.services.events import Noticed
from mdm_tui.services.session import Session
from mdm_tui.store.mirror import View
from tests.faulty import Answer, Cut, Refused, Reset, Slow, Status

from .midmhouse import MidmHouse
from .virtual import VirtualClock


@pytest.fixture
async def build(tmp_path: Path, clock: VirtualClock) -> AsyncIterator[Callable[..., MidmHouse]]:
    houses: list[MidmHouse] = []

    def make(**options: object) -> MidmHouse:
        houses.append(MidmHouse(tmp_path, clock, **options))
        return houses[-1]

    yield make
    for house in houses:
        await house.close()


def groups_shown(session: Session) -> dict[str, str]:
    rows = session.mirror.first(View(session.scope), 1_000)[1]
    return {row.id: str(row.values.get("groupid")) for row in rows if row.values.get("groupid")}


def truth(house: MidmHouse) -> dict[str, str]:
    return dict(house.world.database.all("SELECT uuid, group_uuid FROM unit WHERE group_uuid IS NOT NULL"))


async def send(session: Session, text: str, **more: object) -> str:
    """Register what a text lists; the run's id."""
    rows = await session.registration.check((await session.registration.read(text)).lines)
    plan = await session.registration.plan(rows, **more)  # type: ignore[arg-type]
    return (await session.registration.submit(plan, plan.expects)).run_id


async def outcomes(session: Session) -> list[tuple[str, str]]:
    return [(row.serial, row.state.value) for row in await session.registration.outcomes()]


async def failing(work: object) -> FleetError:
    with pytest.raises(FleetError) as caught:
        await work  # type: ignore[misc]
    return caught.value


# groups


async def test_the_tree_and_its_counts_are_the_services(build: Callable[..., MidmHouse]) -> None:
    house = build()
    session = await house.started()
    tree = await session.groups.refresh()
    records = house.world.groups.all()
    assert set(tree.all()) == {record.uuid for record in records}
    counts = house.world.groups.counts()
    assert {key: tree.node(key).devices for key in tree.all()} == {key: counts.get(key, 0) for key in tree.all()}
    assert sum(tree.node(key).total or 0 for key in tree.roots) == sum(counts.values())
    assert max(tree.node(key).depth for key in tree.all()) >= 2
    assert tree.troubled() == []


async def test_a_circle_and_an_orphan_at_the_service_are_shown_with_their_reasons(
    build: Callable[..., MidmHouse],
) -> None:
    house = build()
    session = await house.started()
    tree = await session.groups.refresh()
    inner = next(key for key in tree.all() if tree.node(key).depth == 2)
    top, middle, _ = tree.path(inner)
    other = next(key for key in tree.roots if key != top)
    house.world.database.run("UPDATE unit_group SET parent = ? WHERE uuid = ?", (inner, top))
    house.world.database.run("UPDATE unit_group SET parent = 'ffff' WHERE uuid = ?", (other,))
    again = await session.groups.refresh()
    assert len(again) == len(tree)
    assert len(again.troubled()) == 2
    assert "not listed" in again.node(other).trouble
    assert any("below itself" in again.node(key).trouble for key in (top, middle, inner))


async def test_members_are_learnt_by_group_and_by_the_sweep(
    build: Callable[..., MidmHouse], clock: VirtualClock
) -> None:
    house = build()
    session = await house.started(page_size=5)
    tree = await session.groups.refresh()
    biggest = max(tree.all(), key=lambda key: tree.node(key).devices or 0)
    found = await session.groups.members(biggest)
    assert set(found.ids) == {key for key, group in truth(house).items() if group == biggest}
    assert found.complete
    await clock.until(lambda: "of" in session.groups.swept and len(groups_shown(session)) == len(truth(house)))
    assert groups_shown(session) == truth(house)


async def test_groups_are_made_renamed_moved_and_deleted(build: Callable[..., MidmHouse]) -> None:
    house = build()
    session = await house.started()
    tree = await session.groups.refresh()
    root = tree.roots[0]
    made = await session.groups.create("New vans", root)
    assert house.world.groups.get(made.group_id).parent == root
    await session.groups.rename(made.group_id, "Newer vans", seen=await session.groups.tree())
    await session.groups.move(made.group_id, "", seen=await session.groups.tree())
    record = house.world.groups.get(made.group_id)
    assert (record.name, record.parent) == ("Newer vans", None)
    gone = await session.groups.delete(made.group_id, seen=await session.groups.tree())
    assert gone.sentence == "Newer vans is deleted."
    assert made.group_id not in await session.groups.tree()
    full = next(key for key in tree.all() if tree.node(key).devices)
    assert (await failing(session.groups.delete(full, seen=await session.groups.tree()))).kind is Kind.CONFLICT


@pytest.mark.parametrize("fault", [Slow(after=True), Reset(after=True), Cut(20), Status(502)])
async def test_a_lost_answer_to_a_new_group_is_looked_up(build: Callable[..., MidmHouse], fault: object) -> None:
    house = build()
    session = await house.started()
    before = len(await session.groups.refresh())
    house.net.rule(fault, path="group/save", times=1)  # type: ignore[arg-type]
    saved = await session.groups.create("New vans")
    assert saved.doubt
    assert len(house.asked("group/save")) == 1
    there = [record for record in house.world.groups.all() if record.name == "New vans"]
    assert len(there) == len(await session.groups.tree()) - before
    assert ("is there now" in saved.sentence) == bool(there)
    assert ("there is no New vans" in saved.sentence) == (not there)


async def test_a_group_deleted_elsewhere_leaves_the_tree_and_its_members(
    build: Callable[..., MidmHouse],
) -> None:
    house = build()
    session = await house.started()
    tree = await session.groups.refresh()
    leaf = next(key for key in tree.all() if tree.node(key).devices and not tree.node(key).children)
    await session.groups.members(leaf)
    assert leaf in groups_shown(session).values()
    house.world.database.run("UPDATE unit SET group_uuid = NULL WHERE group_uuid = ?", (leaf,))
    house.world.groups.delete(leaf)
    assert (await failing(session.groups.members(leaf, fresh=True))).kind is Kind.NOT_FOUND
    assert leaf not in await session.groups.tree()
    assert leaf not in groups_shown(session).values()


async def test_a_session_that_ends_in_the_middle_of_a_page_walk_is_signed_in_again(
    build: Callable[..., MidmHouse],
) -> None:
    house = build()
    session = await house.started(page_size=3)
    tree = await session.groups.refresh()
    biggest = max(tree.all(), key=lambda key: tree.node(key).devices or 0)
    signed = len(house.asked("/portal/V1/auth"))

    def ended(read: int, total: int | None) -> None:
        if read == 3:
            house.sign_all_out()

    found = await session.groups.members(biggest, progress=ended)
    assert (len(found.ids), found.complete) == (tree.node(biggest).devices, True)
    assert len(house.asked("/portal/V1/auth")) == signed + 1


# the catalogue


async def test_apps_and_images_are_the_services_with_and_without_the_lists_of_all(
    build: Callable[..., MidmHouse],
) -> None:
    house = build()
    session = await house.started(page_size=3)
    apps, images = await session.catalogue.refresh_apps(), await session.catalogue.refresh_images()
    assert len(apps) > 3 and len(images) > 3
    house.net.rule(Status(404), path="/all")
    assert await session.catalogue.refresh_apps() == apps
    assert await session.catalogue.refresh_images() == images
    page = await session.catalogue.find_apps({"package": apps[0].package})
    assert {app.package for app in page.items} == {apps[0].package}


# registering


async def test_new_devices_are_registered_into_their_group_with_their_license(
    build: Callable[..., MidmHouse], clock: VirtualClock
) -> None:
    house = build()
    session = await house.started()
    tree = await session.groups.refresh()
    path = tree.path_text(tree.all()[-1])
    known = house.world.database.one("SELECT serial FROM unit WHERE serial <> '' AND enrolled_at IS NOT NULL")[0]
    model = (await session.registration.license_models())[0]
    text = f'serial,model,group\nNEW-0001,K245,"{path}"\nNEW-0002,K245,\n{known},K245,\nunknown,,\nNEW-0001,,'
    before = house.world.units.by_serial(known)
    rows = await session.registration.check((await session.registration.read(text)).lines)
    assert [row.state for row in rows] == ["new", "new", "exists", "bad", "bad"]
    plan = await session.registration.plan(rows, model=model, auto_renew=True)
    assert len(plan.left_out) == 3 and plan.expects == "register 2"
    await session.registration.submit(plan, "register 2")
    await clock.settle()
    assert await outcomes(session) == [("NEW-0001", "done"), ("NEW-0002", "done")]
    first = house.world.units.by_serial("NEW-0001")
    assert (first.model, first.group_uuid, first.auto_renew) == ("K245", tree.all()[-1], True)
    assert house.world.units.by_serial(known) == before, "what exists is left alone"
    shown = await session.registration.outcomes()
    assert shown[0].device_id == first.uuid
    assert shown[0].license == first.license
    assert first.license in shown[0].sentence
    assert first.uuid in session.mirror.first(View(session.scope), 1_000)[0]
    assert [len(seen.json) for seen in house.asked("device/save")] == [1, 1]


async def test_an_existing_device_is_reset_only_when_named_and_confirmed(
    build: Callable[..., MidmHouse], clock: VirtualClock
) -> None:
    house = build()
    session = await house.started()
    serials = [
        row[0]
        for row in house.world.database.all(
            "SELECT serial FROM unit WHERE enrolled_at IS NOT NULL AND length(serial) > 6 "
            "GROUP BY serial HAVING count(*) = 1 LIMIT 2"
        )
    ]
    rows = await session.registration.check((await session.registration.read("\n".join(serials))).lines)
    plan = await session.registration.plan(rows)
    assert plan.expects == ""
    assert (await failing(session.registration.submit(plan, "register 2"))).kind is Kind.INVALID
    plan = await session.registration.plan(rows, again=serials[:1])
    assert plan.expects == f"reset {serials[0]}"
    await session.registration.submit(plan, plan.expects)
    await clock.settle()
    assert await outcomes(session) == [(serials[0], "done")]
    assert house.world.units.by_serial(serials[0]).enrolled_at is None
    assert house.world.units.by_serial(serials[1]).enrolled_at is not None


@pytest.mark.parametrize("fault", [Slow(after=True), Reset(after=True), Status(502), Slow(), Reset()])
async def test_whatever_happens_to_an_answer_no_device_is_saved_twice(
    build: Callable[..., MidmHouse], clock: VirtualClock, fault: object
) -> None:
    house = build()
    session = await house.started()
    house.net.rule(fault, path="device/save", times=1)  # type: ignore[arg-type]
    await send(session, "NEW-0001\nNEW-0002")
    await clock.advance(400)
    there = house.world.units.exists("NEW-0001")
    assert await outcomes(session) == [("NEW-0001", "done" if there else "absent"), ("NEW-0002", "done")]
    assert there == getattr(fault, "after", False)
    assert len(house.asked("device/save")) == 2


async def test_another_sites_uuid_resets_nobody_and_the_site_is_told(
    build: Callable[..., MidmHouse], clock: VirtualClock
) -> None:
    house = build()
    session = await house.started(organization="11111111-2222-4333-8444-555555555555")
    known = house.world.database.one("SELECT serial FROM unit WHERE serial <> '' AND enrolled_at IS NOT NULL")[0]
    rows = await session.registration.check((await session.registration.read(f"{known}\nNEW-0001")).lines)
    assert [row.state for row in rows] == ["exists", "new"]
    before = house.world.units.by_serial(known)
    plan = await session.registration.plan(rows)
    assert "the site of the user who signs in" in plan.terms_text and session.connection.organization in plan.terms_text
    await session.registration.submit(plan, plan.expects)
    await clock.settle()
    assert house.world.units.by_serial(known) == before
    (row,) = await session.registration.outcomes()
    assert row.state is State.DONE
    assert f"at the site {house.fleet.site}, not at the connection's 11111111" in row.sentence


async def test_the_right_site_is_told_before_and_not_after(
    build: Callable[..., MidmHouse], clock: VirtualClock
) -> None:
    house = build()
    for name, told in ((house.fleet.site, False), (house.world.site_name, True)):
        session = await house.started(organization=name)
        serial = f"NEW-{name[:8]}"
        await send(session, serial)
        await clock.settle()
        (row,) = await session.registration.outcomes()
        assert row.state is State.DONE
        assert ("at the site" in row.sentence) is told and "not at" not in row.sentence
        await session.stop()


async def test_what_never_left_is_sent_when_the_service_is_back(
    build: Callable[..., MidmHouse], clock: VirtualClock
) -> None:
    house = build()
    session = await house.started()
    house.net.rule(Refused(), path="device/save", times=3)
    await send(session, "NEW-0001")
    await clock.advance(60)
    assert await outcomes(session) == [("NEW-0001", "done")]


async def test_a_refusal_inside_a_fine_status_is_a_refusal(
    build: Callable[..., MidmHouse], clock: VirtualClock
) -> None:
    house = build()
    session = await house.started()
    no = Answer({"result": False, "code": 300, "message": "no free slot on this site"})
    house.net.rule(no, path="device/save", times=1)
    await send(session, "NEW-0001\nNEW-0002")
    await clock.settle()
    assert await outcomes(session) == [("NEW-0001", "rejected"), ("NEW-0002", "done")]
    assert "no free slot" in (await session.registration.outcomes())[0].sentence
    assert not house.world.units.exists("NEW-0001")


async def test_the_next_session_finds_out_what_became_of_the_last_ones_device(
    build: Callable[..., MidmHouse], clock: VirtualClock
) -> None:
    house = build()
    session = await house.started()
    checked = await session.registration.check((await session.registration.read("NEW-0001\nNEW-0002")).lines)

    class AwayAfterwards(Refused):
        async def __call__(self, request, real):
            return await (super().__call__(request, real) if house.asked("device/save") else real(request))

    house.net.rule(Slow(after=True), path="device/save", times=1)
    house.net.rule(AwayAfterwards(), path="device/exists")
    plan = await session.registration.plan(checked)
    await session.registration.submit(plan, plan.expects)
    await clock.settle()
    assert await outcomes(session) == [("NEW-0001", "unknown"), ("NEW-0002", "planned")]
    await session.stop()
    house.net.calm()
    again = await house.started()
    await clock.advance(120)
    assert await outcomes(again) == [("NEW-0001", "done"), ("NEW-0002", "cancelled")]
    assert len(house.asked("device/save")) == 1
    assert not house.world.units.exists("NEW-0002")


async def test_a_session_that_ended_before_a_save_costs_a_sign_in_and_nothing_else(
    build: Callable[..., MidmHouse], clock: VirtualClock
) -> None:
    house = build()
    session = await house.started()
    rows = await session.registration.check((await session.registration.read("NEW-0001")).lines)
    plan = await session.registration.plan(rows)
    house.sign_all_out()
    await session.registration.submit(plan, plan.expects)
    await clock.settle()
    assert await outcomes(session) == [("NEW-0001", "done")]
    assert len(house.asked("/portal/V1/auth")) == 2


async def test_a_registration_stands_in_no_list_of_commands(
    build: Callable[..., MidmHouse], clock: VirtualClock
) -> None:
    house = build()
    session = await house.started()
    notices = session.hub.subscribe()
    await send(session, "NEW-0001\nNEW-0002\nNEW-0003")
    await clock.settle()
    assert await session.commands.queue() == []
    assert {row.state for row in await session.registration.outcomes()} == {State.DONE}
    said = [event.sentence for event in notices.take() if isinstance(event, Noticed)]
    assert "Registration of 3 devices: 3 done" in said


async def test_a_hostile_service_costs_sentences_and_no_faults(
    build: Callable[..., MidmHouse], clock: VirtualClock
) -> None:
    house = build(scenario="hostile", devices=120)
    session = await house.started(page_size=20)
    refused: list[FleetError] = []
    for _ in range(3):
        for work in (session.groups.refresh, session.catalogue.refresh_apps, session.catalogue.refresh_images):
            try:
                await work()
            except FleetError as error:
                refused.append(error)
        for key in (await session.groups.tree()).all():
            try:
                found = await session.groups.members(key, fresh=True)
            except FleetError as error:
                refused.append(error)
            else:
                assert found.complete or found.note
    shown = session.mirror.first(View(session.scope), 1_000)[1]
    said = [str(row.values.get("group")) for row in shown if row.values.get("group")]
    said += [app.name for app in await session.catalogue.apps()] + [error.sentence() for error in refused]
    assert said and all(clean(text) == text for text in said)
