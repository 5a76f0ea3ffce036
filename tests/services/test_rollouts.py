"""Rollouts: whom they reach, what is said before a save, and saving that overwrites nobody and repeats nothing."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mdm_tui.fleet.catalogue import CatalogueApp, Image
from mdm_tui.fleet.devices import App, Device
from mdm_tui.fleet.errors import FleetError, Kind, Sent
from mdm_tui.fleet.groups import Group
from mdm_tui.fleet.rollouts import Rollout, RolloutApp
from mdm_tui.providers.midm.rollouts import MidmRollouts
from mdm_tui.services.catalogue import Catalogue
from mdm_tui.services.context import Context
from mdm_tui.services.documents import Changed
from mdm_tui.services.events import Noticed
from mdm_tui.services.groups import Groups
from mdm_tui.services.hub import Hub
from mdm_tui.services.rollouts import PLAN_KEPT, WATCH_EVERY, Rollouts
from mdm_tui.services.rollouts_reach import VERIFIED
from mdm_tui.services.rollouts_save import RolloutSaved
from mdm_tui.services.rollouts_scope import Resolving
from mdm_tui.store.history import History
from mdm_tui.store.mirror import Mirror

from .conftest import connection
from .rolloutfake import FORM, FakeFactory, FakeRollouts
from .virtual import VirtualClock


class Desk:
    """One connection with its rollouts."""

    def __init__(self, fake: FakeRollouts, path: Path, clock: VirtualClock, **more: object) -> None:
        self.fake = fake
        self.clock = clock
        self.mirror = Mirror.open(path / "mirror.db", clock=clock.now)
        self.history = History.open(path / "history.db", clock=clock.now)

        async def connect() -> FakeRollouts:
            return fake

        self.context = Context(
            connection(**more),
            factory=FakeFactory(),  # type: ignore[arg-type]
            mirror=self.mirror,
            hub=Hub(clock),
            clock=clock,
            connect=connect,
            history=self.history,
        )
        self.rollouts = Rollouts(self.context, Groups(self.context), Catalogue(self.context))

    async def seen(self, hidden: int = 0) -> None:
        """The mirror has all devices but the last `hidden`."""
        keys = list(self.fake.rows)
        self.fake.unlisted = set(keys[len(keys) - hidden :])
        page = await self.fake.devices(1, 100_000)
        self.fake.unlisted = set()
        await self.mirror.apply(self.context.scope, page.items, at=self.clock.now(), walk=None)
        self.fake.calls.clear()

    async def save(
        self, rollout_id: str | None, document: dict[str, Any], base: str = "{}", typed: str | None = None
    ) -> RolloutSaved | Changed:
        plan = await self.rollouts.plan(rollout_id, json.dumps(document), base)
        return await self.rollouts.save(plan, plan.typed if typed is None else typed)

    def close(self) -> None:
        self.mirror.close()
        self.history.close()


@pytest.fixture
async def desk(tmp_path: Path, clock: VirtualClock) -> AsyncIterator[Desk]:
    desk = Desk(FakeRollouts(10, per_group=5), tmp_path, clock)
    await desk.seen()
    yield desk
    await desk.rollouts.stop()
    desk.close()


def document(name: str = "Spring", **parts: Any) -> dict[str, Any]:
    made = FORM.put(FORM.blank(), "name", name)
    for key, value in parts.items():
        made = FORM.put(made, key, value)
    return made


def messages(problems: Any) -> list[str]:
    return [f"{'' if problem.warning else 'ERROR '}{problem.pointer}: {problem.message}" for problem in problems]


# whom it reaches
async def test_groups_count_their_direct_members_and_the_number_with_those_below_is_said(desk: Desk) -> None:
    desk.fake.listed_groups = [
        Group("g0", "North", devices=5),
        Group("g1", "Depot", parent="g0", devices=5),
        Group("g2", "Hall", parent="g1", devices=7),
    ]
    reach = await desk.rollouts.resolve(document(groups=["g0"], devices=["SN000009"]))
    assert (reach.count, reach.with_below, reach.complete) == (6, 18, True)
    assert [(group.name, group.devices, group.below) for group in reach.groups] == [("North", 5, 12)]
    both = await desk.rollouts.resolve(document(groups=["g0", "g1"]))
    assert [(group.devices, group.below) for group in both.groups] == [(5, 7), (5, 0)]
    assert (both.count, both.with_below) == (10, 17)


async def test_a_scope_of_5000_devices_takes_a_request_for_each_page_and_none_when_asked_again(
    tmp_path: Path, clock: VirtualClock
) -> None:
    desk = Desk(FakeRollouts(5_000, per_group=500), tmp_path, clock, page_size=100)
    told: list[Resolving] = []
    reach = await desk.rollouts.resolve(document(groups=[f"g{n}" for n in range(10)]), told.append)
    assert (reach.count, reach.requests) == (5_000, 51)
    assert (desk.fake.count("devices"), desk.fake.count("groups")) == (50, 1)
    assert [item.done for item in told] == sorted(item.done for item in told)
    assert told[-1].done == 9
    assert told[-1].total == 10
    again = await desk.rollouts.resolve(document(groups=[f"g{n}" for n in range(10)]))
    assert (again.count, again.requests, desk.fake.count("devices")) == (5_000, 1, 50)
    desk.close()


async def test_an_entry_is_known_by_its_exact_text_and_only_what_the_service_does_not_know_is_unknown(
    desk: Desk,
) -> None:
    await desk.mirror.drop(desk.context.scope, ["d00007"])
    scope = ["SN000001", "SN000007", "SNTYPO", "unknown"]
    reach = await desk.rollouts.resolve(document(devices=scope))
    assert [(entry.text, entry.state) for entry in reach.entries] == [
        ("SN000001", "known"),
        ("SN000007", "registered"),
        ("SNTYPO", "unknown"),
        ("unknown", "unknown"),
    ]
    assert (reach.count, reach.registers, reach.unknown) == (2, 2, ("SNTYPO", "unknown"))
    assert "placeholder" in reach.entries[3].note
    assert (
        "devices[3]: unknown is a placeholder and no serial number: it may mean many devices, or a new one"
        in messages((await desk.rollouts.check(document(devices=scope))).problems)
    )
    assert desk.fake.count("registered") == 3
    await desk.rollouts.resolve(document(devices=scope))
    assert desk.fake.count("registered") == 3
    await desk.clock.advance(301)
    await desk.rollouts.resolve(document(devices=scope))
    assert desk.fake.count("registered") == 6


async def test_an_entry_of_other_case_other_blanks_or_the_other_kind_would_register_a_device(desk: Desk) -> None:
    scope = ["sn000001", " SN000002", "SN 000003", "d00004"]
    plan = await desk.rollouts.plan(None, json.dumps(document(devices=scope)))
    assert [(entry.state, entry.suggestion) for entry in plan.reach.entries] == [
        ("unknown", "SN000001"),
        ("unknown", "SN000002"),
        ("unknown", "SN000003"),
        ("unknown", "SN000004"),
    ]
    assert plan.typed == "register 4"
    assert plan.reach.count == 0
    assert any("sn000001 (did you mean SN000001?)" in sentence for sentence in plan.sentences)
    desk.fake.rollout_format = MidmRollouts("id")
    await desk.context.ensure()
    plan = await desk.rollouts.plan(None, json.dumps(document(devices=["D00001", "SN000002", "d00003"])))
    found = [(entry.state, entry.suggestion) for entry in plan.reach.entries]
    assert found == [("unknown", "d00001"), ("registered", ""), ("known", "")]


async def test_what_only_the_mirror_knows_is_asked_for_before_a_save(desk: Desk) -> None:
    made = json.dumps(document(devices=["SN000001", "SN000002"]))
    assert (await desk.rollouts.plan(None, made)).typed == ""
    assert desk.fake.count("registered") == 0, "the service listed them a moment ago"
    del desk.fake.rows["d00001"]
    await desk.clock.advance(61)
    plan = await desk.rollouts.plan(None, made)
    assert [(entry.state, entry.note) for entry in plan.reach.entries] == [
        ("unknown", "was here when last seen"),
        ("known", ""),
    ]
    assert (plan.typed, desk.fake.count("registered")) == ("register 1", 2)


async def test_more_than_100_that_only_the_mirror_knows_are_verified_by_one_walk(
    tmp_path: Path, clock: VirtualClock
) -> None:
    desk = Desk(FakeRollouts(300), tmp_path, clock, page_size=100)
    await desk.seen()
    del desk.fake.rows["d00299"]
    await clock.advance(61)
    made = json.dumps(document(devices=[f"SN{number:06d}" for number in range(300)]))
    plan = await desk.rollouts.plan(None, made)
    assert (plan.reach.unknown, plan.typed) == (("SN000299",), "register 1")
    assert (desk.fake.count("devices"), desk.fake.count("registered")) == (3, 1)
    desk.close()


async def test_a_plan_of_more_than_a_minute_is_verified_again_before_it_is_sent(desk: Desk) -> None:
    made = json.dumps(document(devices=["SN000001", "SN000002", "T1"]))
    plan = await desk.rollouts.plan(None, made)
    await desk.clock.advance(61)
    assert isinstance(await desk.rollouts.save(plan, plan.typed), RolloutSaved)
    plan = await desk.rollouts.plan(None, made)
    del desk.fake.rows["d00001"]
    await desk.clock.advance(61)
    with pytest.raises(FleetError, match="made anew") as refused:
        await desk.rollouts.save(plan, plan.typed)
    assert refused.value.sent is Sent.NEVER
    assert desk.fake.count("create_rollout") == 1


async def test_the_pages_of_a_group_are_told_while_they_are_read(tmp_path: Path, clock: VirtualClock) -> None:
    desk = Desk(FakeRollouts(300, per_group=300), tmp_path, clock, page_size=100)
    told: list[str] = []
    await desk.rollouts.resolve(document(groups=["g0"]), lambda step: told.append(step.what))
    assert [what for what in told if what.startswith("page")] == [
        f"page {number} of Group g0: {number * 100} of 300 devices" for number in (1, 2, 3)
    ]
    desk.close()


async def test_what_was_typed_says_how_many_of_it_nobody_was_asked_for(tmp_path: Path, clock: VirtualClock) -> None:
    desk = Desk(FakeRollouts(1), tmp_path, clock)
    made = json.dumps(document(devices=[f"NEW{number}" for number in range(300)]))
    plan = await desk.rollouts.plan(None, made)
    assert plan.typed == "register 300"
    assert (
        "“register 300” confirms 100 that the service does not know and 200 that were not asked for." in plan.sentences
    )
    desk.close()


async def test_many_entries_are_decided_by_the_list_of_devices_first_and_at_most_100_by_a_question(
    tmp_path: Path, clock: VirtualClock
) -> None:
    desk = Desk(FakeRollouts(1_000), tmp_path, clock, page_size=100)
    scope = [f"SN{number:06d}" for number in range(1_150)]
    reach = await desk.rollouts.resolve(document(devices=scope))
    assert (desk.fake.count("devices"), desk.fake.count("registered")) == (10, 100)
    assert (reach.count, len(reach.unknown), len(reach.undecided), reach.registers) == (1_000, 100, 50, 150)
    assert reach.requests == 110
    assert reach.notes == ("50 entries were not asked for: at most 100 are, one by one",)
    # What was not asked for is asked in the next look; the list is not read again.
    again = await desk.rollouts.resolve(document(devices=scope))
    assert (len(again.unknown), len(again.undecided), desk.fake.count("devices")) == (150, 0, 10)
    desk.close()


async def test_stopped_half_way_it_says_what_it_knows(desk: Desk) -> None:
    stop = asyncio.Event()
    asked: list[str] = []

    def progress(step: Resolving) -> None:
        asked.append(step.what)
        if step.what == "devices of Group g1":
            stop.set()

    scope = document(groups=["g0", "g1"], devices=["SN000001", "SNTYPO"])
    reach = await desk.rollouts.resolve(scope, progress, stop)
    assert [(group.devices, bool(group.unread)) for group in reach.groups] == [(5, False), (0, True)]
    assert (reach.count, reach.undecided, reach.complete) == (5, ("SNTYPO",), False)
    assert "Not everything was read: stopped" in reach.notes
    assert desk.fake.count("registered") == 0


async def test_a_service_that_goes_away_meanwhile_ends_the_asking(desk: Desk) -> None:
    gone = FleetError(Kind.UNREACHABLE, "No connection", sent=Sent.NEVER)
    desk.fake.fail["registered"] = deque([gone])
    reach = await desk.rollouts.resolve(document(devices=["T1", "T2", "T3"]))
    assert (reach.undecided, reach.complete, desk.fake.count("registered")) == (("T1", "T2", "T3"), False, 1)
    assert reach.registers == 3
    plan = await desk.rollouts.plan(None, json.dumps(document(devices=["T1", "T2", "T3"])))
    assert plan.typed == "register 3"


async def test_a_group_that_is_gone_reaches_nobody_and_is_named(desk: Desk) -> None:
    plan = await desk.rollouts.plan(None, json.dumps(document(groups=["gone"])))
    assert plan.reach.groups[0].gone
    assert plan.reach.nobody
    assert "The group gone is not at the service any more." in plan.sentences
    assert "It reaches nobody." in plan.sentences
    assert messages(plan.problems) == [
        "groups[0]: the group gone is not at the service: it reaches nobody",
        "apps: it installs neither apps nor images",
        "groups: it reaches nobody",
    ]


async def test_totals_that_lie_about_a_group_are_said_before_saving(desk: Desk) -> None:
    devices = desk.fake.devices

    async def lying(page: int, limit: int, **more: Any) -> Any:
        found = await devices(page, limit, **more)
        return replace(found, total=9) if more.get("group") else found

    desk.fake.devices = lying  # type: ignore[method-assign]
    plan = await desk.rollouts.plan(None, json.dumps(document(groups=["g0"])))
    assert not plan.reach.complete
    assert plan.sentences[:2] == (
        "It reaches at least 5 devices: 5 in 1 group.",
        "Not all devices of the group Group g0 may be known: the service says 9 devices and listed 5.",
    )


async def test_where_scopes_hold_ids_an_entry_is_looked_for_as_a_device_too(desk: Desk) -> None:
    await desk.mirror.drop(desk.context.scope, ["d00007"])
    desk.fake.rollout_format = MidmRollouts("id")
    await desk.context.ensure()
    assert desk.rollouts.entries == "id"
    reach = await desk.rollouts.resolve(document(devices=["d00007", "d99999"]))
    assert [entry.state for entry in reach.entries] == ["registered", "unknown"]
    assert (reach.requests, desk.fake.count("device"), desk.fake.count("registered")) == (3, 2, 1)


# the file of drafts gives way
async def test_what_was_saved_is_told_as_saved_when_its_draft_cannot_be_dropped(desk: Desk) -> None:
    notices = desk.context.hub.subscribe()
    text = json.dumps(document("Spring"))
    desk.rollouts.draft("new:0123456789ab", "{}", text)
    plan = await desk.rollouts.plan("new:0123456789ab", text)
    desk.history.close()
    saved = await desk.rollouts.save(plan)
    assert isinstance(saved, RolloutSaved) and desk.fake.count("create_rollout") == 1
    assert isinstance(await desk.save(saved.rollout.id, document("Summer"), saved.base), RolloutSaved)
    said = [event.sentence for event in notices.take() if isinstance(event, Noticed)]
    assert len(said) == 1 and said[0].startswith("Drafts and earlier reports cannot be kept: ")


async def test_a_text_that_cannot_be_written_lasts_for_the_session_and_hides_nothing_else(desk: Desk) -> None:
    saved = await desk.save(None, document("Spring"))
    assert isinstance(saved, RolloutSaved)
    desk.history.close()
    desk.rollouts.draft(saved.rollout.id, saved.base, "{")
    await desk.clock.advance(5)
    assert await desk.rollouts.drafts() == [saved.rollout.id]
    assert (await desk.rollouts.open(saved.rollout.id)).draft == "{"
    await desk.rollouts.drop_draft(saved.rollout.id)
    assert (await desk.rollouts.open(saved.rollout.id)).draft is None


async def test_a_report_is_read_where_the_earlier_ones_cannot_be(desk: Desk) -> None:
    desk.history.close()
    device_id = next(iter(desk.fake.rows))
    await desk.context.keep_detail(Device(device_id, {"id": device_id}, '{"new": 1}', True), desk.clock.now())
    held = await desk.mirror.device(desk.context.scope, device_id)
    assert held is not None and held.device.raw == '{"new": 1}'


# what must be typed
async def test_everyone_asks_for_the_number_the_service_says(desk: Desk) -> None:
    await desk.mirror.drop(desk.context.scope, ["d00007"])
    plan = await desk.rollouts.plan(None, json.dumps(document(everyone=True, groups=["g0"])))
    assert (plan.typed, plan.reach.count, plan.reach.mirrored) == ("10", 10, 9)
    assert plan.sentences[0] == (
        "It reaches EVERY device of the site, 10 (the service says 10, 9 were seen here); the scope is ignored."
    )
    assert plan.accepts(" 10 ") and not plan.accepts("9") and not plan.accepts("")
    desk.fake.total_said = False
    plan = await desk.rollouts.plan(None, json.dumps(document(everyone=True)))
    assert plan.typed == "9"
    assert "The service does not say how many devices there are: counted as last seen." in plan.sentences


async def test_everyone_who_came_after_the_number_was_typed_is_not_reached_by_it(desk: Desk) -> None:
    plan = await desk.rollouts.plan(None, json.dumps(document(everyone=True)))
    assert plan.typed == "10"
    devices = desk.fake.devices

    async def grown(page: int, limit: int, **more: Any) -> Any:
        return replace(await devices(page, limit, **more), total=400)

    desk.fake.devices = grown  # type: ignore[method-assign]
    await desk.clock.advance(VERIFIED + 1)
    with pytest.raises(FleetError, match="it reaches 400 devices by now, and 10 were confirmed") as refused:
        await desk.rollouts.save(plan, "10")
    assert refused.value.sent is Sent.NEVER
    assert desk.fake.count("create_rollout") == 0


async def test_a_total_that_the_mirror_disproves_is_not_what_is_typed(desk: Desk) -> None:
    devices = desk.fake.devices

    async def lying(page: int, limit: int, **more: Any) -> Any:
        return replace(await devices(page, limit, **more), total=0)

    desk.fake.devices = lying  # type: ignore[method-assign]
    plan = await desk.rollouts.plan(None, json.dumps(document(everyone=True)))
    assert (plan.typed, plan.reach.count) == ("10", 10)
    assert "10 (the service says 0, 10 were seen here)" in plan.sentences[0]


async def test_unknown_entries_ask_to_register_them_and_both_ask_for_both(desk: Desk) -> None:
    plan = await desk.rollouts.plan(None, json.dumps(document(devices=["SN000001", "T1", "T2"])))
    assert plan.typed == "register 2"
    assert "Saving registers 2 devices that the service does not know: T1, T2." in plan.sentences
    with pytest.raises(FleetError, match="not confirmed") as refused:
        await desk.rollouts.save(plan, "")
    assert refused.value.sent is Sent.NEVER
    assert desk.fake.count("create_rollout") == 0
    saved = await desk.rollouts.save(plan, "REGISTER  2")
    assert isinstance(saved, RolloutSaved)
    plan = await desk.rollouts.plan(None, json.dumps(document(everyone=True, devices=["T9"])))
    assert plan.expects == ("register 1", "10")
    assert plan.accepts("register 1 10")
    # The scope is ignored, it says one line above: what is in it is not promised.
    assert "Saving may register 1 device that the service does not know: T9." in plan.sentences


async def test_an_ordinary_save_needs_nothing_typed_and_an_old_plan_is_made_again(desk: Desk) -> None:
    plan = await desk.rollouts.plan(None, json.dumps(document(groups=["g0"])))
    assert (plan.typed, plan.ready, plan.accepts("")) == ("", True, True)
    await desk.clock.advance(PLAN_KEPT + 1)
    with pytest.raises(FleetError, match="more than 10 minutes old"):
        await desk.rollouts.save(plan)
    assert desk.fake.count("create_rollout") == 0


async def test_the_outlook_asks_nobody_says_what_it_does_not_know_and_cannot_be_saved(desk: Desk) -> None:
    desk.fake.listed_groups = [Group("g0", "North", devices=5), Group("g1", "South", devices=5)]
    saved = await desk.save(
        None, document("Spring", groups=["g0", "g1"], devices=["SN000001", "NEW-1"]), typed="register 1"
    )
    assert isinstance(saved, RolloutSaved)
    await desk.mirror.drop(desk.context.scope, ["d00000"])
    desk.fake.calls.clear()
    plan = await desk.rollouts.outlook(saved.rollout)
    assert desk.fake.calls == []
    assert (plan.reach.complete, plan.reach.undecided) == (False, ("NEW-1",))
    assert "Not all devices of the group North may be known: 4 of 5 as last seen here." in plan.sentences
    assert not any("South" in sentence for sentence in plan.sentences), "all of it is known"
    with pytest.raises(FleetError, match="more than 10 minutes old"):
        await desk.rollouts.save(plan, plan.typed)
    assert desk.fake.count("update_rollout") == 0


async def test_thousands_may_be_separated_when_typed(tmp_path: Path, clock: VirtualClock) -> None:
    desk = Desk(FakeRollouts(1_204), tmp_path, clock)
    plan = await desk.rollouts.plan(None, json.dumps(document(everyone=True)))
    assert plan.accepts("1,204") and plan.accepts("1204") and not plan.accepts("1,20")
    desk.close()


# the check
async def test_what_is_missing_at_the_service_keeps_it_from_being_sent(desk: Desk) -> None:
    desk.fake.listed_apps.append(CatalogueApp("off", "Old", "com.old", "1", 1, enabled=False, refs=("off",)))
    desk.fake.listed_images = [Image("i1", "One", product="ZZ", build="B2", refs=("i1",))]
    apps = [RolloutApp("file-a1", {"silent": True}), RolloutApp("nope"), RolloutApp("off")]
    made = document("", groups=["g0"], apps=apps, images=["i1", "i9"])
    plan = await desk.rollouts.plan(None, json.dumps(made))
    assert messages(plan.problems) == [
        "ERROR profile.name: is missing",
        "ERROR apps[1]: the app nope is not at the service",
        "apps[2]: the app Old is disabled",
        "ERROR images[1]: the image i9 is not at the service",
        "images[0]: One is for none of the devices it reaches",
    ]
    assert not plan.ready
    with pytest.raises(FleetError) as refused:
        await desk.rollouts.save(plan)
    assert refused.value.kind is Kind.INVALID
    assert desk.fake.count("create_rollout") == 0


async def test_an_app_that_went_between_load_and_save_is_told(desk: Desk) -> None:
    made = document(groups=["g0"], apps=[RolloutApp("a1")])
    assert (await desk.rollouts.plan(None, json.dumps(made))).ready
    desk.fake.listed_apps.clear()
    plan = await desk.rollouts.plan(None, json.dumps(made))
    assert "ERROR apps[0]: the app Mail (a1) is not at the service any more" in messages(plan.problems)
    with pytest.raises(FleetError, match=r"Apps: the app Mail \(a1\) is not at the service any more") as refused:
        await desk.rollouts.save(plan, plan.typed)
    assert "apps[0]" not in refused.value.what, "a place as the form calls it"


async def test_a_rollout_whose_id_begins_as_a_drafts_is_the_services(desk: Desk) -> None:
    made = await desk.rollouts.save(await desk.rollouts.plan(None, json.dumps(document("One", groups=["g0"]))))
    assert isinstance(made, RolloutSaved)
    desk.fake.documents["new:release-7"] = desk.fake.documents.pop(made.rollout.id)
    opened = await desk.rollouts.open("new:release-7")
    assert opened.rollout is not None and opened.base != "{}"
    assert desk.rollouts.new().rollout is None
    assert (await desk.rollouts.open(desk.rollouts.new().id)).rollout is None


async def test_a_catalogue_that_cannot_be_read_is_a_warning(desk: Desk) -> None:
    made = json.dumps(document(groups=["g0"], apps=[RolloutApp("a1")]))
    await desk.rollouts.plan(None, made)
    desk.fake.fail["apps"] = deque([FleetError(Kind.SERVER, "HTTP 500")])
    plan = await desk.rollouts.plan(None, made)
    assert plan.ready
    assert any("compared as last seen: HTTP 500" in item for item in messages(plan.problems))


async def test_a_name_that_another_rollout_has_is_a_warning(desk: Desk) -> None:
    await desk.save(None, document("Spring", groups=["g0"]))
    assert "name: another rollout has this name: r1" in messages(
        (await desk.rollouts.check(document("SPRING", groups=["g0"]))).problems
    )
    own = await desk.rollouts.check(document("Spring", groups=["g0"]), "r1")
    assert not any("another rollout" in item for item in messages(own.problems))


async def test_the_choice_of_images_is_in_the_plan(desk: Desk) -> None:
    desk.fake.rows["d00000"]["build"] = "B2"
    await desk.seen()
    desk.fake.listed_images = [Image("i1", "Two", product="HX7", build="B2", size=2**20, ab=False, refs=("f1", "i1"))]
    plan = await desk.rollouts.plan(None, json.dumps(document(groups=["g0"], images=["f1"])))
    assert (plan.prediction.count("install"), plan.prediction.count("there")) == (4, 1)
    assert any(said.startswith("Images for 4 devices (HX7 on B1): the full image Two") for said in plan.sentences)


async def test_a_kind_brought_to_an_older_build_is_told_and_the_others_are_counted_right(desk: Desk) -> None:
    for number, row in enumerate(desk.fake.rows.values()):
        row["build"] = f"K{number // 2}"
    desk.fake.add(10, group="g1", build="Z1")
    await desk.seen()
    desk.fake.listed_images = [
        Image("i0", "Zero", product="HX7", build="B0", size=2**20, ab=False, built_at=1.0, refs=("i0",)),
        Image("i1", "One", product="HX7", build="Z1", size=2**20, ab=False, built_at=2.0, refs=("i1",)),
    ]
    plan = await desk.rollouts.plan(None, json.dumps(document(groups=["g0", "g1"], images=["i0"])))
    assert any(said.startswith("Older build for 1 device (HX7 on Z1)") for said in plan.sentences)
    assert sum(said.startswith("Images for 2 devices (HX7 on K") for said in plan.sentences) == 4
    assert "Images for 2 more devices of 1 other kind." in plan.sentences


async def test_an_older_build_has_to_be_typed(desk: Desk) -> None:
    desk.fake.listed_images = [
        Image("i0", "Zero", product="HX7", build="B0", size=2**20, ab=False, built_at=1.0, refs=("i0",)),
        Image("i1", "One", product="HX7", build="B1", size=2**20, ab=False, built_at=2.0, refs=("i1",)),
    ]
    for refuse, typed in ((None, "older 5"), (False, "older 5"), (True, "")):
        made = document(groups=["g0"], images=["i0"], check_build_date=refuse)
        plan = await desk.rollouts.plan(None, json.dumps(made))
        assert plan.typed == typed, refuse
        assert bool(typed) == any(said.startswith("Older build: 5 devices may be") for said in plan.sentences)
        assert bool(typed) == any(said.startswith("Older build for 5 devices (HX7 on B1)") for said in plan.sentences)
    off = await desk.rollouts.plan(None, json.dumps(document(groups=["g0"], images=["i0"], enabled=False)))
    assert off.typed == "" and off.prediction.older == 5, "nothing is installed yet"
    plan = await desk.rollouts.plan(None, json.dumps(document(groups=["g0"], images=["i0"])))
    with pytest.raises(FleetError):
        await desk.rollouts.save(plan, "")
    assert desk.fake.documents == {}
    assert isinstance(await desk.rollouts.save(plan, "older 5"), RolloutSaved)


async def test_conflicts_with_other_enabled_rollouts_are_named(desk: Desk) -> None:
    desk.fake.listed_apps.append(CatalogueApp("a2", "Mail", "com.mail", "1.0", 10, refs=("a2",)))
    await desk.save(None, document("Old mail", groups=["g1"], apps=[RolloutApp("a2")]))
    await desk.save(None, document("Off", groups=["g1"], apps=[RolloutApp("a2")], enabled=False))
    plan = await desk.rollouts.plan(None, json.dumps(document(groups=["g0"], apps=[RolloutApp("a1")])))
    assert plan.clashes == ()
    made = document(groups=["g0", "g1"], apps=[RolloutApp("a1")])
    plan = await desk.rollouts.plan(None, json.dumps(made))
    assert [clash.sentence for clash in plan.clashes] == [
        "Old mail installs com.mail 1.0, this one 2.0: 5 devices (Dock 5, Dock 6, Dock 7, …)"
    ]
    assert [clash.devices for clash in await desk.rollouts.conflicts(made)] == [5]


# saving
async def test_a_new_rollout_is_sent_once_read_back_and_its_draft_dropped(desk: Desk) -> None:
    opened = desk.rollouts.new()
    made = json.dumps(document(groups=["g0"]))
    desk.rollouts.draft(opened.id, opened.base, made)
    assert (await desk.rollouts.open(opened.id)).draft == made
    saved = await desk.rollouts.save(await desk.rollouts.plan(opened.id, made))
    assert isinstance(saved, RolloutSaved)
    assert (saved.rollout.id, saved.differs, saved.note) == ("r1", (), "")
    assert json.loads(saved.base) == document(groups=["g0"])
    assert await desk.rollouts.drafts() == []
    assert [rollout.name for rollout in await desk.rollouts.all()] == ["Spring"]
    opened = await desk.rollouts.open("r1")
    assert opened.base == saved.base


async def test_a_change_goes_back_whole_with_what_is_unknown_here(desk: Desk) -> None:
    await desk.save(None, document(groups=["g0"]))
    desk.fake.documents["r1"]["settings"] = {"kiosk": {"x": [1, {"y": None}]}}
    opened = await desk.rollouts.open("r1")
    mine = FORM.put(json.loads(opened.base), "groups", ["g1"])
    saved = await desk.save("r1", mine, opened.base)
    assert isinstance(saved, RolloutSaved)
    assert saved.differs == ()
    sent = next(call[2] for call in desk.fake.calls if call[0] == "update_rollout")
    assert sent["settings"] == {"kiosk": {"x": [1, {"y": None}]}}
    assert (sent["siteUuid"], sent["uuid"], sent["scope"]["group"]) == ("s", "r1", ["g1"])


async def test_somebody_elses_save_in_between_is_shown_and_nothing_is_sent(desk: Desk) -> None:
    await desk.save(None, document(groups=["g0"]))
    opened = await desk.rollouts.open("r1")
    desk.fake.documents["r1"] = FORM.put(FORM.put(desk.fake.documents["r1"], "groups", ["g0", "g1"]), "name", "Theirs")
    mine = FORM.put(FORM.put(json.loads(opened.base), "name", "Mine"), "enabled", False)
    changed = await desk.save("r1", mine, opened.base)
    assert isinstance(changed, Changed)
    assert desk.fake.count("update_rollout") == 0
    assert [item.pointer for item in changed.theirs_changes] == ["profile.name", "scope.group[1]"]
    assert [item.pointer for item in changed.conflicts] == ["profile.name"]
    merged = json.loads(changed.merged)
    assert (merged["profile"]["name"], merged["scope"]["group"], merged["enabled"]) == ("Mine", ["g0", "g1"], False)
    saved = await desk.save("r1", merged, changed.theirs)
    assert isinstance(saved, RolloutSaved)


async def test_a_time_stamp_of_the_service_is_no_change(desk: Desk) -> None:
    await desk.save(None, document(groups=["g0"]))
    opened = await desk.rollouts.open("r1")
    desk.fake.documents["r1"]["updated"] = "another moment"
    saved = await desk.save("r1", FORM.put(json.loads(opened.base), "enabled", False), opened.base)
    assert isinstance(saved, RolloutSaved)


async def test_what_the_service_holds_differently_afterwards_is_told(desk: Desk) -> None:
    await desk.save(None, document(groups=["g0"], start_on="2026-12-01"))
    opened = await desk.rollouts.open("r1")
    update = desk.fake.update_rollout

    async def stubborn(rollout_id: str, body: Any) -> Any:
        answer = await update(rollout_id, body)
        # It keeps a switch, adds something of its own, and leaves in what was taken out.
        desk.fake.documents["r1"].update(enabled=True, priority=5, schedule_date={"start_on": "2026-12-01"})
        return answer

    desk.fake.update_rollout = stubborn  # type: ignore[method-assign]
    mine = FORM.put(json.loads(opened.base), "enabled", False)
    del mine["schedule_date"]
    saved = await desk.save("r1", mine, opened.base)
    assert isinstance(saved, RolloutSaved)
    assert [item.pointer for item in saved.differs] == ["enabled", "schedule_date"]


async def test_a_lost_answer_of_a_change_is_decided_by_reading_back(desk: Desk) -> None:
    await desk.save(None, document(groups=["g0"]))
    opened = await desk.rollouts.open("r1")
    desk.fake.lost.add("update_rollout")
    saved = await desk.save("r1", FORM.put(json.loads(opened.base), "enabled", False), opened.base)
    assert isinstance(saved, RolloutSaved)
    assert (saved.differs, desk.fake.count("update_rollout")) == ((), 1)
    assert "the answer was lost" in saved.note


async def test_a_lost_answer_of_a_change_that_was_not_done_is_no_save_and_keeps_the_draft(desk: Desk) -> None:
    await desk.save(None, document(groups=["g0"]))
    opened = await desk.rollouts.open("r1")
    mine = FORM.put(json.loads(opened.base), "enabled", False)
    desk.rollouts.draft("r1", opened.base, json.dumps(mine))
    desk.fake.fail["update_rollout"] = deque([FleetError(Kind.TIMEOUT, "No answer", sent=Sent.MAYBE)])
    with pytest.raises(FleetError, match="holds what it held before") as unknown:
        await desk.save("r1", mine, opened.base)
    assert unknown.value.sent is Sent.MAYBE
    assert "not repeated by itself" in unknown.value.sentence()
    assert (desk.fake.count("update_rollout"), await desk.rollouts.drafts()) == (1, ["r1"])

    update = desk.fake.update_rollout

    async def lost(rollout_id: str, body: Any) -> Any:
        await update(rollout_id, FORM.put(dict(body), "name", "Somebody else's"))
        raise FleetError(Kind.TIMEOUT, "No answer", sent=Sent.MAYBE)

    desk.fake.update_rollout = lost  # type: ignore[method-assign]
    with pytest.raises(FleetError, match="holds something else in profile"):
        await desk.save("r1", mine, opened.base)


async def test_a_lost_answer_of_a_new_one_is_looked_up_and_never_sent_again(desk: Desk) -> None:
    # One of the same name and content was there before: it is not taken for the new one.
    await desk.save(None, document(groups=["g0"]))
    desk.fake.lost.add("create_rollout")
    saved = await desk.save(None, document(groups=["g0"]))
    assert isinstance(saved, RolloutSaved)
    assert (saved.rollout.id, desk.fake.count("create_rollout")) == ("r2", 2)
    assert "the answer was lost (No answer in 10 seconds), it is in the list" in saved.note


async def test_a_new_one_that_is_not_in_the_list_stays_unknown_and_keeps_its_draft(desk: Desk) -> None:
    opened = desk.rollouts.new()
    desk.rollouts.draft(opened.id, opened.base, "{}")
    desk.fake.fail["create_rollout"] = deque([FleetError(Kind.TIMEOUT, "No answer", sent=Sent.MAYBE)])
    plan = await desk.rollouts.plan(opened.id, json.dumps(document(groups=["g0"])))
    with pytest.raises(FleetError, match="not known whether the rollout was created") as unknown:
        await desk.rollouts.save(plan)
    assert unknown.value.sent is Sent.MAYBE
    assert "is not repeated by itself" in unknown.value.sentence()
    assert desk.fake.count("create_rollout") == 1
    assert await desk.rollouts.drafts() == [opened.id]


@pytest.mark.parametrize("listed", [True, False])
async def test_an_answer_that_names_none_is_looked_up_before_the_draft_goes(desk: Desk, listed: bool) -> None:
    opened = desk.rollouts.new()
    wanted = json.dumps(document(groups=["g0"]))
    desk.rollouts.draft(opened.id, opened.base, wanted)
    create = desk.fake.create_rollout

    async def silent(body: dict[str, Any]) -> Rollout:
        if listed:
            await create(body)
        return Rollout("", "")

    desk.fake.create_rollout = silent  # type: ignore[method-assign]
    plan = await desk.rollouts.plan(opened.id, wanted)
    if listed:
        saved = await desk.rollouts.save(plan)
        assert isinstance(saved, RolloutSaved)
        assert (saved.rollout.id, saved.note) == ("r1", "the answer names none, it is in the list")
        assert await desk.rollouts.drafts() == []
    else:
        with pytest.raises(FleetError, match="the list does not show it now"):
            await desk.rollouts.save(plan)
        assert await desk.rollouts.drafts() == [opened.id]


async def test_a_rollout_that_is_gone_is_told_and_the_draft_kept(desk: Desk) -> None:
    await desk.save(None, document(groups=["g0"]))
    opened = await desk.rollouts.open("r1")
    desk.rollouts.draft("r1", opened.base, "{}")
    del desk.fake.documents["r1"]
    with pytest.raises(FleetError) as gone:
        await desk.save("r1", json.loads(opened.base), opened.base)
    assert gone.value.kind is Kind.NOT_FOUND
    assert await desk.rollouts.drafts() == ["r1"]
    assert await desk.rollouts.all() == []


async def test_where_single_rollouts_cannot_be_read_the_list_is_compared(desk: Desk) -> None:
    await desk.save(None, document(groups=["g0"]))
    lacks = FleetError(Kind.UNSUPPORTED, "not offered", sent=Sent.ANSWERED)
    desk.fake.fail["rollout"] = deque([lacks] * 9)
    opened = await desk.rollouts.open("r1")
    assert "compared with the list" in opened.stale
    saved = await desk.save("r1", FORM.put(json.loads(opened.base), "enabled", False), opened.base)
    assert isinstance(saved, RolloutSaved)
    assert "compared with the list" in saved.note


async def test_a_locked_connection_sends_nothing(tmp_path: Path, clock: VirtualClock) -> None:
    desk = Desk(FakeRollouts(3), tmp_path, clock, production=True)
    plan = await desk.rollouts.plan(None, json.dumps(document(devices=["SN000001"])))
    with pytest.raises(FleetError) as locked:
        await desk.rollouts.save(plan, plan.typed)
    assert locked.value.kind is Kind.READ_ONLY
    desk.context.arming.arm("test")
    assert isinstance(await desk.rollouts.save(plan, plan.typed), RolloutSaved)
    desk.close()


async def test_a_list_that_lost_a_rollout_drops_it_and_a_service_that_does_not_page_ends(desk: Desk) -> None:
    await desk.save(None, document("A", groups=["g0"]))
    await desk.save(None, document("B", groups=["g0"]))
    del desk.fake.documents["r1"]
    assert [rollout.name for rollout in await desk.rollouts.refresh()] == ["B"]

    whole = desk.fake.rollouts

    async def endless(page: int, limit: int) -> Any:
        return replace(await whole(1, limit), has_next=True)

    desk.fake.rollouts = endless  # type: ignore[method-assign]
    desk.fake.calls.clear()
    assert [rollout.name for rollout in await desk.rollouts.refresh()] == ["B"]
    assert desk.fake.count("rollouts") == 2


# progress
async def test_progress_counts_apps_and_images_and_asks_for_few_lists_at_a_time(desk: Desk) -> None:
    desk.fake.listed_images = [Image("i1", "Two", product="HX7", build="B2", ab=False, refs=("i1",))]
    desk.fake.rows["d00001"]["build"] = "B2"
    desk.fake.rows["d00002"]["product"] = "ZZ"
    await desk.seen()
    desk.fake.installed = {
        "d00001": [App("com.mail", version="2.1", version_code="21")],
        "d00004": [App("com.mail", version="1.9", version_code="19")],
    }
    await desk.save(None, document(groups=["g0"], apps=[RolloutApp("a1")], images=["i1"]))
    desk.fake.calls.clear()
    progress = await desk.rollouts.progress("r1", visible=["d00004"], most=2)
    assert [call[1] for call in desk.fake.calls if call[0] == "device_apps"] == ["d00004", "d00000"]
    assert progress.asked == 2
    count = progress.apps["a1"]
    assert (count.done, count.waiting, count.unknown) == (0, 2, 3)
    assert progress.images is not None
    assert (progress.images.done, progress.images.waiting, progress.images.unfit) == (1, 3, 1)
    more = await desk.rollouts.progress("r1", visible=["d00004"], most=20)
    assert (more.asked, desk.fake.count("device_apps")) == (5, 5)
    assert (more.apps["a1"].done, more.apps["a1"].waiting) == (1, 4)
    assert {row.name: row.state for row in more.devices}["Dock 1"] == "done"


async def test_an_image_that_does_not_show_in_what_devices_report_is_never_said_to_be_waited_for(desk: Desk) -> None:
    desk.fake.listed_images = [
        Image("i1", "Two", product="HX7", part="base", build="B2", ab=False, refs=("i1",)),
        Image("i2", "Region", product="HX7", part="region", build="R9", ab=False, refs=("i2",)),
    ]
    desk.fake.rows["d00001"]["build"] = "B2"
    await desk.seen()
    await desk.save(None, document(groups=["g0"], images=["i1", "i2"]))
    progress = await desk.rollouts.progress("r1")
    assert progress.images is not None
    # One has the base: of the region's image its reports say nothing, before and after.
    assert (progress.images.done, progress.images.waiting, progress.images.unknown) == (0, 4, 1)
    (row,) = [row for row in progress.devices if row.id == "d00001"]
    assert (row.state, "devices report one build only" in row.note) == ("unknown", True)


async def test_devices_that_have_all_of_it_are_asked_less_often_and_a_used_budget_reads_the_screen_only(
    desk: Desk,
) -> None:
    desk.fake.installed = {key: [App("com.mail", version_code="20")] for key in ("d00000", "d00001")}
    await desk.save(None, document(groups=["g0"], apps=[RolloutApp("a1")]))
    desk.fake.calls.clear()
    await desk.rollouts.progress("r1")
    await desk.clock.advance(61)
    await desk.rollouts.progress("r1")
    asked = [call[1] for call in desk.fake.calls if call[0] == "device_apps"]
    assert asked == ["d00000", "d00001", "d00002", "d00003", "d00004", "d00002", "d00003", "d00004"]
    await desk.clock.advance(600)
    desk.fake.meter.used = desk.fake.meter.limit
    desk.fake.calls.clear()
    progress = await desk.rollouts.progress("r1", visible=["d00003"])
    assert [call[1] for call in desk.fake.calls if call[0] == "device_apps"] == ["d00003"]
    assert progress.notes == ("Half of the hour's calls are used: only the apps of devices on the screen are read",)
    assert progress.asked == 5


async def test_progress_is_followed_while_somebody_looks(desk: Desk) -> None:
    await desk.save(None, document(devices=["SN000001"], apps=[RolloutApp("a1")]))
    seen: list[int] = []

    async def look() -> None:
        async for progress in desk.rollouts.watch("r1"):
            seen.append(progress.apps["a1"].done)
            if seen[-1]:
                return

    task = asyncio.create_task(look())
    await desk.clock.advance(WATCH_EVERY)
    desk.fake.installed = {"d00001": [App("com.mail", version_code="20")]}
    await desk.clock.advance(3 * WATCH_EVERY)
    await task
    assert seen[0] == 0
    assert seen[-1] == 1


# devices that leave, rollouts that vanish
async def test_devices_that_are_done_and_left_the_scope_stay_done(desk: Desk) -> None:
    await desk.save(None, document(devices=["SN000000", "SN000001", "SN000002"], apps=[RolloutApp("a1")]))
    desk.fake.installed = {"d00000": [App("com.mail", version_code="20")]}
    first = await desk.rollouts.progress("r1")
    assert (first.apps["a1"].done, first.apps["a1"].waiting) == (1, 2)
    # The service takes one that is done out of the scope, one that was not seen done, and changes nothing else.
    desk.fake.documents["r1"]["scope"]["device"] = ["SN000002"]
    after = await desk.rollouts.progress("r1")
    assert [(row.name, row.state, row.note) for row in after.devices] == [
        ("Dock 0", "done", "left the scope after being done"),
        ("Dock 1", "unknown", "left the scope"),
        ("Dock 2", "waiting", ""),
    ]
    assert desk.rollouts.followed["r1"] == (1, 3)
    # What is uninstalled later was done all the same; what is read later of the other one counts.
    desk.fake.installed = {"d00001": [App("com.mail", version_code="20")]}
    await desk.clock.advance(601)
    later = await desk.rollouts.progress("r1")
    assert [row.state for row in later.devices] == ["done", "done", "waiting"]
    # Whoever saves it here decides whom it reaches: those who left are no part of it any more.
    opened = await desk.rollouts.open("r1")
    await desk.save("r1", FORM.put(json.loads(opened.base), "enabled", False), opened.base)
    assert [row.name for row in (await desk.rollouts.progress("r1")).devices] == ["Dock 2"]


@pytest.mark.parametrize("leaves", [True, False, None])
async def test_of_devices_that_leave_when_they_are_done_it_is_said_that_earlier_ones_are_not_counted(
    desk: Desk, leaves: bool | None
) -> None:
    body = document(devices=["SN000000"], apps=[RolloutApp("a1")])
    if leaves is not None:
        body = FORM.put(body, "unscope_if_applied", leaves)
    await desk.save(None, body)
    said = " ".join((await desk.rollouts.progress("r1")).notes)
    assert ("any that left before it was first looked at here are not counted" in said) is (leaves is True)


async def test_a_rollout_that_vanishes_while_it_is_followed_says_the_likely_reason_and_keeps_what_was_seen(
    desk: Desk,
) -> None:
    made = document(devices=["SN000000", "SN000001"], apps=[RolloutApp("a1")], remove_if_no_scope=True)
    await desk.save(None, made)
    desk.fake.installed = {"d00000": [App("com.mail", version_code="20")]}
    seen: list[Any] = []

    async def look() -> None:
        async for progress in desk.rollouts.watch("r1"):
            seen.append(progress)
            desk.fake.documents.clear()

    task = asyncio.create_task(look())
    await desk.clock.advance(2 * WATCH_EVERY)
    await task
    assert [progress.gone for progress in seen] == [False, True]
    assert seen[-1].notes == (
        "The rollout is not at the service any more: likely removed with the last device of its scope, "
        "as it asked for.",
    )
    assert [(row.name, row.state) for row in seen[-1].devices] == [("Dock 0", "done"), ("Dock 1", "unknown")]
    with pytest.raises(FleetError, match="not at the service any more") as gone:
        await desk.rollouts.progress("r9")
    assert gone.value.kind is Kind.NOT_FOUND


async def test_progress_of_a_rollout_that_cannot_be_read_goes_on_by_the_last_copy(desk: Desk) -> None:
    await desk.save(None, document(devices=["SN000001"], apps=[RolloutApp("a1")]))
    desk.fake.fail["rollout"] = deque([FleetError(Kind.SERVER, "HTTP 500")])
    progress = await desk.rollouts.progress("r1")
    assert [row.name for row in progress.devices] == ["Dock 1"]
    assert progress.notes[0].startswith("The rollout itself as last read: HTTP 500")
