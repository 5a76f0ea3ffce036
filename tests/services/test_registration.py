"""Registering devices: nothing is sent that was not checked and confirmed, and nothing twice."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from mdm_tui.fleet.catalogue import LicenseModel
from mdm_tui.fleet.commands import State
from mdm_tui.fleet.devices import Device
from mdm_tui.fleet.errors import FleetError, Kind, Sent
from mdm_tui.fleet.groups import Group
from mdm_tui.fleet.registration import RegistrationTerms
from mdm_tui.services.commands import Commands
from mdm_tui.services.context import Context
from mdm_tui.services.events import Noticed, RegistrationChanged
from mdm_tui.services.groups import Groups
from mdm_tui.services.hub import Hub
from mdm_tui.services.registration import RegistrationPlan, RegistrationService
from mdm_tui.store import owner
from mdm_tui.store.journal import Journal
from mdm_tui.store.mirror import Mirror

from .conftest import connection
from .site import SiteProvider
from .virtual import VirtualClock

ROOT = Path(__file__).parents[2]
THREE = "M0240001\nM0240002\nM0240003"
LOST = FleetError(Kind.TIMEOUT, "No answer in 30 s", sent=Sent.MAYBE)
AWAY = FleetError(Kind.UNREACHABLE, "Nobody answers", sent=Sent.NEVER)
NO = FleetError(Kind.REFUSED, "The serial number is on another site", status=200, sent=Sent.ANSWERED)


@pytest.fixture
def site() -> SiteProvider:
    made = SiteProvider()
    made.listed = [Group("g1", "Depot"), Group("g2", "Berlin", "g1")]
    return made


@pytest.fixture
async def build(tmp_path: Path, clock: VirtualClock, site: SiteProvider) -> AsyncIterator[Callable[..., Context]]:
    made: list[Context] = []

    async def connect() -> SiteProvider:
        return site

    def make(by: str = "") -> Context:
        context = Context(
            connection(production=True),
            factory=site,
            mirror=Mirror.open(tmp_path / "mirror.db", clock=clock.now),
            hub=Hub(clock),
            clock=clock,
            connect=connect,
            journal=Journal.open(tmp_path / "journal.db", clock.now),
        )
        context.owner = by or owner.current()
        context.arming.arm("test", 60)
        made.append(context)
        return context

    yield make
    for context in made:
        assert context.journal is not None
        context.journal.close()
        context.mirror.close()


@pytest.fixture
def context(build: Callable[..., Context]) -> Context:
    return build()


@pytest.fixture
async def service(context: Context) -> AsyncIterator[RegistrationService]:
    groups = Groups(context)
    await groups.refresh()
    made = RegistrationService(context, groups)
    await made.start()
    yield made
    await made.stop()


async def planned(service: RegistrationService, text: str = THREE, **more: object) -> RegistrationPlan:
    reading = await service.read(text)
    return await service.plan(await service.check(reading.lines), **more)  # type: ignore[arg-type]


async def states(service: RegistrationService) -> list[str]:
    return [row.state.value for row in await service.outcomes()]


async def failing(work: object) -> FleetError:
    with pytest.raises(FleetError) as caught:
        await work  # type: ignore[misc]
    return caught.value


def posts(site: SiteProvider) -> list[str]:
    return [call[1] for call in site.calls if call[0] == "register"]


# the check


async def test_each_serial_is_asked_once_four_at_a_time_and_told_on_the_way(
    service: RegistrationService, site: SiteProvider
) -> None:
    async def slowly(*_: object) -> None:
        await asyncio.sleep(0)

    site.before_answer = slowly
    site.known = {"M0240007", "M0240019"}
    reading = await service.read("\n".join(f"M024{number:04}" for number in range(30)) + "\nunknown\nM0240000")
    steps: list[tuple[int, int]] = []
    rows = await service.check(reading.lines, lambda *step: steps.append(step))
    assert [row.serial for row in rows if row.state == "exists"] == ["M0240007", "M0240019"]
    assert [row.state for row in rows[-2:]] == ["bad", "bad"]
    assert sum(row.state == "new" for row in rows) == 28
    assert site.count("registered") == 30
    assert site.most_at_once == 4
    assert steps == [(number, 30) for number in range(1, 31)]


async def test_a_stop_leaves_the_rest_unchecked_and_unsendable(service: RegistrationService, site) -> None:
    reading = await service.read("\n".join(f"M024{number:04}" for number in range(30)))
    stop = asyncio.Event()
    rows = await service.check(reading.lines, lambda done, _: stop.set() if done == 5 else None, stop)
    assert site.count("registered") < 12
    unchecked = [row for row in rows if row.state == "unchecked"]
    assert {row.why for row in unchecked} == {"the check was stopped"}
    plan = await service.plan(rows)
    assert len(plan.will) + len(plan.left_out) == 30
    assert "not checked, so not sent" in plan.left_out[0].why


@pytest.mark.parametrize(
    ("error", "asked"),
    [
        (FleetError(Kind.FORBIDDEN, "This user may not ask for devices", status=403), 4),
        (FleetError(Kind.RATE_LIMITED, "This console's own budget is used up", retry_after=900, sent=Sent.NEVER), 4),
    ],
)
async def test_a_service_that_refuses_or_a_budget_that_ends_is_not_asked_on(
    service: RegistrationService, site: SiteProvider, error: FleetError, asked: int
) -> None:
    site.plan_failures("registered", *[error] * 30)
    rows = await service.check((await service.read("\n".join(f"M024{number:04}" for number in range(30)))).lines)
    assert {row.why for row in rows} == {error.what}
    assert site.count("registered") <= asked


async def test_a_short_pause_is_waited_for_and_one_failure_costs_one_row(
    service: RegistrationService, site: SiteProvider, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float | None] = []

    async def wait(event: asyncio.Event, seconds: float | None = None) -> bool:
        waited.append(seconds)
        return event.is_set()

    monkeypatch.setattr(clock, "wait", wait)
    site.plan_failures("registered", FleetError(Kind.RATE_LIMITED, "Wait", retry_after=5, status=429), LOST)
    rows = await service.check((await service.read(THREE)).lines)
    assert waited == [5]
    assert sorted(row.state for row in rows) == ["new", "new", "unchecked"]
    assert next(row.why for row in rows if row.state == "unchecked") == "No answer in 30 s"


async def test_another_spelling_of_a_known_device_is_a_problem_until_it_is_corrected(
    service: RegistrationService, context: Context, site: SiteProvider
) -> None:
    known = [Device(f"d{serial}", {"id": f"d{serial}", "serial": serial}, "{}") for serial in ("VB2X0001", "vb 3x")]
    await context.mirror.apply(context.scope, known, at=context.clock.now(), walk=None)
    reading = await service.read("vb2x0001\nVB3X\nVB4X0001\nunknown")
    assert [bool(line.problem) for line in reading.lines] == [True, True, False, True]
    assert reading.lines[0].problem.startswith("like VB2X0001, which exists (case or blanks differ)")
    assert "like vb 3x" in reading.lines[1].problem and "placeholder" in reading.lines[3].problem
    rows = await service.check(reading.lines)
    assert [row.state for row in rows] == ["bad", "bad", "new", "bad"]
    assert [row.serial for row in (await service.plan(rows)).will] == ["VB4X0001"]
    site.known = {"VB2X0001"}
    rows = await service.check((await service.read("VB2X0001")).lines)
    assert [row.state for row in rows] == ["exists"]


# the plan


async def test_what_exists_is_left_alone_and_said(service: RegistrationService, site: SiteProvider) -> None:
    site.known = {"M0240002"}
    plan = await planned(service)
    assert [row.serial for row in plan.will] == ["M0240001", "M0240003"]
    assert plan.expects == "register 2"
    assert "left alone" in plan.left_out[0].why
    assert not plan.accepts("register 3") and not plan.accepts("") and plan.accepts(" Register  2 ")


async def test_one_device_is_confirmed_by_its_serial(service: RegistrationService) -> None:
    assert (await planned(service, "M0240001")).expects == "register M0240001"


async def test_existing_ones_are_reset_only_when_named_and_by_a_confirmation_of_their_own(
    service: RegistrationService, site: SiteProvider
) -> None:
    site.known = {"M0240001", "M0240002"}
    rows = await service.check((await service.read(THREE)).lines)
    plan = await service.plan(rows, again={"m0240002"})
    assert (plan.again, plan.expects) == (True, "reset M0240002")
    assert [row.serial for row in plan.will] == ["M0240002"]
    assert "resets its status" in plan.left_out[0].why and "new" in plan.left_out[1].why
    assert "resets their status" in plan.notes[0] or "resets its status" in plan.notes[0]
    assert (await service.plan(rows, again={"M0240001", "M0240002"})).expects == "reset 2"
    assert "M0240003" in (await failing(service.plan(rows, again={"M0240003"}))).what


async def test_the_license_is_said_before(service: RegistrationService) -> None:
    assert "trial license" in (await planned(service)).terms_text
    (model,) = await service.license_models()
    plan = await planned(service, model=model, auto_renew=True)
    assert plan.terms_text == (
        "License: Standard, where one is free; without a free one a trial license; it is renewed by itself."
    )
    assert plan.terms == RegistrationTerms("l1", True)
    assert LicenseModel("l1", "Standard") == model


async def test_a_group_that_went_since_the_reading_leaves_its_rows_out(
    service: RegistrationService, site: SiteProvider
) -> None:
    rows = await service.check((await service.read("serial,group\nM0240001,Depot / Berlin\nM0240002,")).lines)
    assert rows[0].line.device.group_id == "g2"
    del site.listed[1]
    await service._groups.refresh()
    plan = await service.plan(rows)
    assert [row.serial for row in plan.will] == ["M0240002"]
    assert "group is not at the service any more" in plan.left_out[0].why


# sending


async def test_devices_are_sent_one_by_one_in_order_and_each_has_its_outcome(
    service: RegistrationService, context: Context, site: SiteProvider, clock: VirtualClock
) -> None:
    listening = context.hub.subscribe()
    plan = await planned(service, auto_renew=False)
    run = await service.submit(plan, "register 3")
    assert service.running == run.run_id
    assert service.progress == (0, 3)
    await clock.settle()
    assert service.running == ""
    assert service.progress == (3, 3)
    assert site.saved == [(serial, RegistrationTerms("", False)) for serial in THREE.split()]
    rows = await service.outcomes()
    assert [(row.serial, row.state, row.sentence) for row in rows] == [
        (serial, State.DONE, "registered") for serial in THREE.split()
    ]
    assert "trial license" in rows[0].terms
    events = listening.take()
    assert RegistrationChanged(context.scope) in events
    assert any(isinstance(event, Noticed) and event.sentence == "Registration of 3 devices: 3 done" for event in events)
    assert await context.need_journal().verify() == []


async def test_nothing_is_sent_before_it_is_on_disk_as_being_sent(
    service: RegistrationService, context: Context, site: SiteProvider, clock: VirtualClock
) -> None:
    seen: list[State] = []

    async def look(method: str, *args: object) -> None:
        if method == "register":
            held = await context.need_journal().intents(context.scope)
            seen.extend(intent.state for intent in held if intent.device_id == args[0])

    site.before_answer = look
    await service.submit(await planned(service), "register 3")
    await clock.settle()
    assert seen == [State.SENDING] * 3


@pytest.mark.parametrize("typed", ["", "register", "register 2", "3", "yes", "reset 3"])
async def test_only_the_plans_own_words_send_it(service: RegistrationService, site: SiteProvider, typed: str) -> None:
    assert "type register 3" in (await failing(service.submit(await planned(service), typed))).what
    assert posts(site) == []


async def test_a_plan_is_sent_once_not_when_stale_and_not_while_locked(
    service: RegistrationService, context: Context, site: SiteProvider, clock: VirtualClock
) -> None:
    plan = await planned(service)
    other = await planned(service, "M0240009")
    await service.submit(plan, plan.expects)
    assert (await failing(service.submit(plan, plan.expects))).kind is Kind.REFUSED
    said = (await failing(service.submit(other, other.expects))).sentence()
    assert "Another registration" in said and "wait for its end" in said and "changed it meanwhile" not in said
    await clock.settle()
    assert (await failing(service.submit(plan, plan.expects))).kind is Kind.REFUSED
    context.arming.lock()
    assert (await failing(service.submit(other, other.expects))).kind is Kind.READ_ONLY
    context.arming.arm("test", 60)
    await clock.advance(601)
    context.arming.arm("test", 60)
    assert "older than ten minutes" in (await failing(service.submit(other, other.expects))).what
    assert len(posts(site)) == 3


@pytest.mark.parametrize("age", [0, 61])
async def test_the_service_is_asked_again_just_before_each_post(
    service: RegistrationService, site: SiteProvider, clock: VirtualClock, age: float
) -> None:
    plan = await planned(service)
    asked = site.count("registered")
    site.known = {"M0240002"}
    await clock.advance(age)
    await service.submit(plan, plan.expects)
    await clock.settle()
    assert posts(site) == ["M0240001", "M0240003"]
    rows = await service.outcomes()
    assert [row.state for row in rows] == [State.DONE, State.REJECTED, State.DONE]
    assert "somebody has registered it since" in rows[1].sentence
    assert site.count("registered") == asked + 3 + 2, "before each, and after each that was sent"


async def test_rows_planned_twice_are_sent_once(
    service: RegistrationService, site: SiteProvider, clock: VirtualClock
) -> None:
    rows = await service.check((await service.read(THREE)).lines)
    first, second = await service.plan(rows), await service.plan(rows)
    await service.submit(first, first.expects)
    await clock.advance(5)
    site.known.clear()  # a service that is slow to know what it has taken
    await service.submit(second, second.expects)
    await clock.settle()
    assert posts(site) == THREE.split()
    assert await states(service) == ["rejected"] * 3
    assert "sent since it was checked" in (await service.outcomes())[0].sentence
    third = await service.plan(rows)
    assert (third.will, third.expects) == ((), "")
    assert "sent since it was checked" in third.left_out[0].why
    await clock.advance(5)
    assert len((await planned(service)).will) == 3, "a later check is as good as any"


async def test_a_reset_planned_twice_is_made_once(
    service: RegistrationService, site: SiteProvider, clock: VirtualClock
) -> None:
    site.known = {"M0240001"}
    rows = await service.check((await service.read("M0240001")).lines)
    plans = [await service.plan(rows, again={"M0240001"}) for _ in range(2)]
    for plan in plans:
        await service.submit(plan, plan.expects)
        await clock.advance(5)
    assert posts(site) == ["M0240001"]
    assert "sent since it was checked" in (await service.outcomes())[0].sentence


async def test_what_is_not_settled_is_not_sent_however_late_it_was_checked(
    service: RegistrationService, site: SiteProvider, clock: VirtualClock
) -> None:
    site.plan_failures("register", LOST)
    await service.submit(await planned(service, "M0240001"), "register M0240001")
    await clock.advance(20)
    assert await states(service) == ["unknown"]
    plan = await planned(service, "M0240001")
    assert plan.will == () and "not known yet" in plan.left_out[0].why
    await clock.advance(300)
    assert await states(service) == ["absent"]
    assert len((await planned(service, "M0240001")).will) == 1


async def test_one_that_is_gone_since_the_check_is_not_registered_by_a_reset(
    service: RegistrationService, site: SiteProvider, clock: VirtualClock
) -> None:
    site.known = {"M0240001"}
    plan = await planned(service, "M0240001", again={"M0240001"})
    site.known.clear()
    await clock.advance(61)
    await service.submit(plan, plan.expects)
    await clock.settle()
    assert posts(site) == []
    assert "nothing to reset" in (await service.outcomes())[0].sentence


async def test_waiting_ends_with_the_run_or_with_what_it_left_open(
    service: RegistrationService, site: SiteProvider, clock: VirtualClock
) -> None:
    site.plan_failures("register", LOST)
    await service.submit(await planned(service), "register 3")
    await service.wait()
    assert await states(service) == ["unknown", "done", "done"]
    await clock.advance(300)
    await service.wait(settle=True)
    assert await states(service) == ["absent", "done", "done"]


async def test_groups_are_read_for_a_list_that_names_them_when_none_are_known(
    context: Context, site: SiteProvider
) -> None:
    service = RegistrationService(context, Groups(context))
    text = "serial,group\nM0240001,Depot/Berlin"
    site.plan_failures("groups", AWAY)
    assert "not known yet" in (await service.read(text)).lines[0].problem
    assert (await service.read(text)).lines[0].device.group_id == "g2"


async def test_a_refusal_is_that_rows_and_the_next_goes_on(
    service: RegistrationService, site: SiteProvider, clock: VirtualClock
) -> None:
    site.plan_failures("register", None, NO)
    await service.submit(await planned(service), "register 3")
    await clock.settle()
    assert await states(service) == ["done", "rejected", "done"]
    assert "on another site" in (await service.outcomes())[1].sentence


async def test_a_no_within_an_answer_is_looked_after_once(
    service: RegistrationService, site: SiteProvider, clock: VirtualClock
) -> None:
    done = ["M0240001"]

    async def half(method: str, *args: object) -> None:
        if method == "register":
            # No failure of the service is documented: this one saves the device, then says no.
            site.known.update(done)
            raise NO

    site.before_answer = half
    plan = await planned(service, "M0240001,M0240002")
    before = len(site.calls)
    await service.submit(plan, plan.expects)
    await clock.settle()
    assert await states(service) == ["done", "rejected"]
    assert posts(site) == ["M0240001", "M0240002"], "never a second one"
    asked = [call[1] for call in site.calls[before:] if call[0] == "registered"]
    assert asked == ["M0240001", "M0240001", "M0240002", "M0240002"], "before each POST, and once after its no"
    first, second = await service.outcomes()
    assert "on another site" in first.sentence and first.sentence.startswith("registered, although the service")
    assert "on another site" in second.sentence


async def test_after_a_no_that_cannot_be_looked_after_it_is_not_known(
    service: RegistrationService, site: SiteProvider, clock: VirtualClock
) -> None:
    site.plan_failures("register", NO)
    # The check, the look before the POST, and the first one after it.
    site.plan_failures("registered", None, None, AWAY)
    await service.submit(await planned(service, "M0240001"), "register M0240001")
    await clock.settle()
    assert await states(service) == ["unknown"]
    await clock.advance(300)
    assert await states(service) == ["absent"]
    assert posts(site) == ["M0240001"]


async def test_a_refusal_that_would_meet_all_ends_the_run(
    service: RegistrationService, site: SiteProvider, clock: VirtualClock
) -> None:
    site.plan_failures("register", None, FleetError(Kind.FORBIDDEN, "This user may not save devices", status=403))
    await service.submit(await planned(service), "register 3")
    await clock.settle()
    assert await states(service) == ["done", "rejected", "cancelled"]
    assert "may not save devices" in (await service.outcomes())[2].sentence
    assert len(posts(site)) == 2


async def test_what_provably_never_left_is_tried_again(
    service: RegistrationService, site: SiteProvider, clock: VirtualClock
) -> None:
    site.plan_failures("register", AWAY, AWAY, FleetError(Kind.RATE_LIMITED, "Wait", status=429, retry_after=20))
    await service.submit(await planned(service, "M0240001"), "register M0240001")
    await clock.advance(30)
    assert await states(service) == ["done"]
    assert posts(site) == ["M0240001"] * 4
    assert len(site.saved) == 1


async def test_a_service_that_stays_away_ends_the_run_in_time(
    service: RegistrationService, context: Context, site: SiteProvider, clock: VirtualClock
) -> None:
    site.plan_failures("register", *[AWAY] * 100)
    await service.submit(await planned(service), "register 3")
    await clock.advance(400)
    context.arming.touch()
    await clock.advance(500)
    assert await states(service) == ["rejected", "cancelled", "cancelled"]
    assert site.saved == [] and set(posts(site)) == {"M0240001"}


async def test_a_lost_answer_is_looked_up_and_never_repeated(
    service: RegistrationService, site: SiteProvider, clock: VirtualClock
) -> None:
    site.lost = ["register"]
    await service.submit(await planned(service), "register 3")
    await clock.settle()
    assert await states(service) == ["done", "done", "done"]
    assert posts(site) == THREE.split()


async def test_a_lost_answer_that_did_nothing_is_absent_after_a_while_and_the_rest_goes_on(
    service: RegistrationService, site: SiteProvider, clock: VirtualClock
) -> None:
    site.plan_failures("register", LOST)
    await service.submit(await planned(service), "register 3")
    await clock.settle()
    assert await states(service) == ["unknown", "done", "done"]
    assert "not sent again" in (await service.outcomes())[0].sentence
    await clock.advance(300)
    assert await states(service) == ["absent", "done", "done"]
    assert "was not registered" in (await service.outcomes())[0].sentence
    assert posts(site) == THREE.split()


async def test_one_that_arrives_late_is_found(
    service: RegistrationService, site: SiteProvider, clock: VirtualClock
) -> None:
    site.plan_failures("register", LOST)
    await service.submit(await planned(service, "M0240001"), "register M0240001")
    await clock.advance(20)
    assert await states(service) == ["unknown"]
    site.known.add("M0240001")
    await clock.advance(60)
    assert await states(service) == ["done"]


async def test_after_a_lost_answer_the_next_waits_until_the_service_answers_again(
    service: RegistrationService, site: SiteProvider, clock: VirtualClock
) -> None:
    plan = await planned(service)
    site.lost = ["register"]
    # Asked before the POST, then after it: only the latter fails.
    site.plan_failures("registered", None, AWAY, AWAY, AWAY)
    await service.submit(plan, "register 3")
    await clock.settle()
    assert posts(site) == ["M0240001"]
    await clock.advance(30)
    assert await states(service) == ["done", "done", "done"]


async def test_a_device_saved_again_whose_answer_is_lost_stays_open_to_a_person(
    service: RegistrationService, site: SiteProvider, clock: VirtualClock
) -> None:
    site.known = {"M0240001", "M0240002"}
    rows = await service.check((await service.read(THREE)).lines)
    plan = await service.plan(rows, again={"M0240001", "M0240002"})
    site.lost = ["register"]
    await service.submit(plan, "reset 2")
    await clock.settle()
    assert await states(service) == ["ambiguous", "done"]
    first, second = await service.outcomes()
    assert "look at its status" in first.sentence
    assert second.sentence == "saved again, its status is reset"
    assert posts(site) == ["M0240001", "M0240002"]


async def test_a_person_stops_the_run_between_two_devices(
    service: RegistrationService, site: SiteProvider, clock: VirtualClock
) -> None:
    async def halt(method: str, *args: object) -> None:
        if method == "register" and args[0] == "M0240002":
            service.halt()

    site.before_answer = halt
    await service.submit(await planned(service), "register 3")
    await clock.settle()
    assert await states(service) == ["done", "done", "cancelled"]
    assert "stopped" in (await service.outcomes())[2].sentence


async def test_a_lock_in_the_middle_keeps_the_rest_back(
    service: RegistrationService, context: Context, site: SiteProvider, clock: VirtualClock
) -> None:
    async def lock(method: str, *args: object) -> None:
        if method == "register":
            context.arming.lock()

    site.before_answer = lock
    await service.submit(await planned(service), "register 3")
    await clock.settle()
    assert await states(service) == ["done", "cancelled", "cancelled"]
    assert "test is LOCKED" in (await service.outcomes())[1].sentence


SPENT = FleetError(Kind.RATE_LIMITED, "This console's own budget is used up", retry_after=3_000, sent=Sent.NEVER)


@pytest.mark.parametrize("asked", [0, 1])
async def test_a_stop_is_heard_while_the_hours_calls_are_used_up(
    service: RegistrationService, site: SiteProvider, clock: VirtualClock, asked: int
) -> None:
    plan = await planned(service)
    site.plan_failures("registered", *[None] * asked, SPENT)
    await service.submit(plan, "register 3")
    await clock.advance(10)
    assert service.running
    service.halt()
    await clock.settle()
    assert service.running == ""
    assert posts(site) == ["M0240001"][:asked]
    assert (await states(service))[1:] == ["cancelled", "cancelled"]
    await clock.advance(100)
    assert (await states(service))[0] == ("done" if asked else "cancelled"), "what was sent is still followed"


async def test_the_hours_calls_are_waited_for_and_do_not_end_the_run(
    service: RegistrationService, context: Context, site: SiteProvider, clock: VirtualClock
) -> None:
    plan = await planned(service)
    site.plan_failures("registered", None, SPENT)
    await service.submit(plan, "register 3")
    for _ in range(102):
        context.arming.touch()
        await clock.advance(30)
    assert await states(service) == ["done", "done", "done"]


async def test_a_lock_is_heard_while_the_hours_calls_are_used_up(
    service: RegistrationService, context: Context, site: SiteProvider, clock: VirtualClock
) -> None:
    plan = await planned(service)
    site.plan_failures("registered", SPENT)
    await service.submit(plan, "register 3")
    await clock.advance(10)
    context.arming.lock()
    await clock.advance(60)
    assert await states(service) == ["cancelled"] * 3


async def test_what_it_takes_is_said_when_it_does_not_fit_the_hour(
    service: RegistrationService, site: SiteProvider
) -> None:
    site.meter.limit, site.meter.used = 100, 90
    plan = await planned(service, "M0240001")
    assert (plan.calls, plan.pace) == (3, "")
    plan = await planned(service)
    assert plan.calls == 9
    assert "up to 9 calls and 5 are left of this hour's 95" in plan.pace and "about an hour" in plan.pace
    assert plan.pace.rstrip(".") in plan.notes
    site.registered_calls = 2
    assert (await planned(service)).calls == 15


# other consoles, ends and crashes


async def test_one_console_at_a_time_registers(
    build: Callable[..., Context], service: RegistrationService, site: SiteProvider, clock: VirtualClock
) -> None:
    gate = asyncio.Event()

    async def hold(method: str, *args: object) -> None:
        if method == "register":
            await clock.wait(gate)

    other = build("another-host:1:2:3")
    second = RegistrationService(other, Groups(other))
    plan = await planned(second, "M0240009")
    first = await planned(service)
    site.before_answer = hold
    await service.submit(first, "register 3")
    await clock.settle()
    assert "Another console is registering" in (await failing(second.submit(plan, plan.expects))).what
    gate.set()
    await clock.settle()
    await second.submit(plan, plan.expects)
    await clock.settle()
    assert await states(second) == ["done"]
    await second.stop()


async def test_a_console_whose_turn_was_taken_sends_nothing_more_even_before_it_is_told(
    build: Callable[..., Context], service: RegistrationService, site: SiteProvider, clock: VirtualClock
) -> None:
    other = build("another-host:1:2:3")
    assert other.journal is not None
    stolen = other.journal

    async def steal(method: str, *args: object) -> None:
        if method == "register":
            # As when this one was suspended for longer than its lease.
            mine = await stolen.lease(other.scope, "registration")
            assert mine is not None
            await stolen.take_lease(other.scope, "registration", other.owner, 60, instead_of=mine.owner)

    site.before_answer = steal
    await service.submit(await planned(service), "register 3")
    await clock.settle()
    assert posts(site) == ["M0240001"]
    assert await states(service) == ["done", "cancelled", "cancelled"]
    assert (await service.outcomes())[1].sentence == "not sent: another console has taken the registration over"
    held = await stolen.lease(other.scope, "registration")
    assert held is not None and held.owner == other.owner


async def test_a_plan_of_another_console_sends_nothing_a_second_time(
    build: Callable[..., Context], service: RegistrationService, site: SiteProvider, clock: VirtualClock
) -> None:
    other = build("another-host:1:2:3")
    second = RegistrationService(other, Groups(other))
    late = await planned(second)
    await service.submit(await planned(service), "register 3")
    await clock.advance(5)
    site.known.clear()
    await second.submit(late, late.expects)
    await clock.settle()
    assert await states(second) == ["rejected"] * 3
    assert posts(site) == THREE.split()
    await second.stop()


async def test_a_session_that_ends_in_the_middle_leaves_it_to_the_next(
    build: Callable[..., Context], service: RegistrationService, site: SiteProvider, clock: VirtualClock
) -> None:
    gate = asyncio.Event()

    async def hold(method: str, *args: object) -> None:
        if method == "register":
            await clock.wait(gate)

    plan = await planned(service)
    site.before_answer = hold
    await service.submit(plan, "register 3")
    await clock.settle()
    await service.stop()
    site.before_answer = None
    assert await states(service) == ["unknown", "planned", "planned"]
    again = build()
    notices = again.hub.subscribe()
    following = RegistrationService(again, Groups(again))
    await following.start()
    await clock.advance(300)
    assert await states(following) == ["absent", "cancelled", "cancelled"]
    assert posts(site) == ["M0240001"]
    said = [event.sentence for event in notices.take() if isinstance(event, Noticed)]
    assert any("1 registration was on the wire" in sentence for sentence in said)
    await following.stop()


KILLED = """
import asyncio, sys
from pathlib import Path
from mdm_tui.store import owner
from mdm_tui.store.journal import Journal, Run

async def main(path, name):
    me = owner.current()
    journal = Journal.open(path, lambda: 1_779_999_990.0)
    run = Run("ana", "pts/1", "applivery:org-1", name, "trial", "", "register 3", 3)
    intents = await journal.plan(run, [(f"M024000{n}", "K245") for n in (1, 2, 3)], False)
    await journal.take_lease("applivery:org-1", "registration", me, 60)
    for intent in intents[:2]:
        await journal.claim(intent.id, me)
    print("sending", flush=True)
    sys.stdin.read()

asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
"""


def killed(path: Path, name: str) -> None:
    """A console that claimed two of three and was killed with both on the wire."""
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path), name],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdout is not None and process.stdin is not None
    assert process.stdout.readline().strip() == "sending"
    process.kill()
    process.wait()
    process.stdout.close()
    process.stdin.close()


async def test_after_a_kill_the_service_decides_what_became_of_it_and_nothing_is_sent(
    tmp_path: Path, build: Callable[..., Context], site: SiteProvider, clock: VirtualClock
) -> None:
    site.known = {"M0240001"}
    killed(tmp_path / "journal.db", "REGISTER")
    context = build()
    # The commands' own recovery comes first, as in a session: it must leave registrations to their service.
    commands = Commands(context)
    await commands.start()
    service = RegistrationService(context, Groups(context))
    await service.start()
    await clock.advance(300)
    assert await states(service) == ["done", "absent", "cancelled"]
    assert "console ended before its turn" in (await service.outcomes())[2].sentence
    assert posts(site) == []
    assert await commands.queue() == []
    assert site.count("device_commands") == 0, "no command is looked for"
    plan = await planned(service, "M0240002")
    await service.submit(plan, plan.expects)
    await clock.settle()
    assert await states(service) == ["done"]
    assert await context.need_journal().verify() == []
    await commands.stop()
    await service.stop()


async def test_after_a_kill_a_device_that_existed_before_is_left_to_a_person(
    tmp_path: Path, build: Callable[..., Context], site: SiteProvider, clock: VirtualClock
) -> None:
    site.known = {"M0240001", "M0240002", "M0240003"}
    killed(tmp_path / "journal.db", "REGISTER_AGAIN")
    context = build()
    service = RegistrationService(context, Groups(context))
    await service.start()
    await clock.advance(300)
    assert await states(service) == ["ambiguous", "ambiguous", "cancelled"]
    assert posts(site) == [] and site.count("registered") == 0
    await service.stop()
