"""The service of groups: the tree, changes that lose nothing, members, and the sweep."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from mdm_tui.fleet.errors import FleetError, Kind, Sent
from mdm_tui.fleet.groups import Group
from mdm_tui.services.context import Context
from mdm_tui.services.events import ItemsChanged
from mdm_tui.services.groups import FRESH, Groups
from mdm_tui.services.hub import Hub
from mdm_tui.store.mirror import Mirror, View

from .conftest import connection
from .site import SiteProvider
from .virtual import VirtualClock

DEPOT = [Group("g1", "Depot"), Group("g2", "Berlin", "g1"), Group("g3", "Vans", "g2"), Group("g4", "Bonn")]


@pytest.fixture
def site() -> SiteProvider:
    made = SiteProvider(12)
    made.listed = list(DEPOT)
    ids = list(made.rows)
    made.within = {"g2": ids[:3], "g3": ids[3:8]}
    return made


@pytest.fixture
async def context(tmp_path: Path, clock: VirtualClock, site: SiteProvider) -> AsyncIterator[Context]:
    mirror = Mirror.open(tmp_path / "mirror.db", clock=clock.now)

    async def connect() -> SiteProvider:
        return site

    made = connection(page_size=2, production=True, budget=3_600)
    context = Context(made, factory=site, mirror=mirror, hub=Hub(clock), clock=clock, connect=connect)
    context.arming.arm("test", 60)
    context.looked.set(), context.walked.set()
    yield context
    mirror.close()


@pytest.fixture
async def groups(context: Context) -> AsyncIterator[Groups]:
    made = Groups(context)
    await made.refresh()
    yield made
    await made.stop()


def where(context: Context) -> dict[str, str | None]:
    """Device → its group's name, of those in one."""
    rows = context.mirror.first(View(context.scope), 100)[1]
    return {row.id: row.values.get("group") for row in rows if row.values.get("group")}  # type: ignore[misc]


async def failing(work: object) -> FleetError:
    with pytest.raises(FleetError) as caught:
        await work  # type: ignore[misc]
    return caught.value


# the tree


async def test_all_groups_cost_one_request_and_are_there_before_the_next(
    groups: Groups, context: Context, site: SiteProvider
) -> None:
    assert site.count("groups") == 1
    assert (await groups.tree()).node("g1").total == 8
    again = Groups(context)
    assert (await again.tree()).all() == ["g4", "g1", "g2", "g3"]
    assert site.count("groups") == 1, "from the mirror"


async def test_the_groups_go_on_after_the_clock_was_set_back(
    groups: Groups, context: Context, site: SiteProvider, clock: VirtualClock
) -> None:
    await groups.members("g3")
    clock._now -= 86_400.0
    site.listed = [*site.listed, Group("g9", "Paris")]
    site.within["g3"] = []
    await groups.refresh()
    assert "g9" in await groups.tree() and "g9" in await Groups(context).tree()
    assert (await groups.members("g3")).ids == (), "an old answer is not taken for a young one"


async def test_what_changed_is_told_by_id_and_nothing_when_nothing_did(groups: Groups, context: Context, site) -> None:
    listening = context.hub.subscribe()
    await groups.refresh()
    assert listening.take() == []
    site.listed[3] = Group("g4", "Bonn West")
    await groups.refresh()
    assert listening.take() == [ItemsChanged(context.scope, "groups", frozenset({"g4"}))]


async def test_a_refusal_keeps_the_tree_and_says_why(groups: Groups, site: SiteProvider) -> None:
    site.plan_failures("groups", FleetError(Kind.SERVER, "The service failed", status=500))
    error = await failing(groups.refresh())
    assert groups.error is error
    assert len(await groups.tree()) == 4


async def test_what_the_service_lists_twice_is_told(groups: Groups, site: SiteProvider) -> None:
    site.listed.append(Group("g4", "Bonn, too"))
    assert "also as Bonn, too" in (await groups.refresh()).node("g4").trouble


# changes


async def test_a_group_is_created_read_back_and_named_by_its_place(groups: Groups, site: SiteProvider) -> None:
    saved = await groups.create("  Trucks ", "g2")
    assert saved.sentence == "Trucks is created in Depot / Berlin."
    assert (await groups.tree()).path_text(saved.group_id) == "Depot / Berlin / Trucks"
    assert [call[0] for call in site.calls] == ["groups", "groups", "create_group", "groups"]


@pytest.mark.parametrize("name", ["", "   ", "x" * 129, "a\u202eb", "a\nb", "North / South"])
async def test_a_name_that_cannot_be_is_refused_before_anything_is_sent(groups: Groups, site, name: str) -> None:
    error = await failing(groups.create(name))
    assert (error.kind, error.sent) == (Kind.INVALID, Sent.NEVER)
    assert site.count("create_group") == 0


async def test_a_second_group_of_a_name_in_one_place_is_refused(groups: Groups, site: SiteProvider) -> None:
    assert (await failing(groups.create("berlin", "g1"))).kind is Kind.CONFLICT
    assert (await failing(groups.rename("g4", "Depot", seen=await groups.tree()))).kind is Kind.CONFLICT
    await groups.create("Berlin", "g4")
    assert site.count("create_group") == 1


async def test_an_answer_lost_after_creating_is_looked_up_and_said(groups: Groups, site: SiteProvider) -> None:
    site.lost = ["create_group"]
    saved = await groups.create("Trucks", "g2")
    assert saved.doubt and saved.group_id in await groups.tree()
    assert "The answer was lost" in saved.sentence and "Trucks is there now, in Depot / Berlin" in saved.sentence
    site.plan_failures("create_group", FleetError(Kind.TIMEOUT, "No answer in 30 s", sent=Sent.MAYBE))
    saved = await groups.create("Buses", "g2")
    assert saved.doubt and saved.group_id == ""
    assert "there is no Buses in Depot / Berlin now" in saved.sentence
    assert site.count("create_group") == 2, "never repeated by itself"


async def test_a_lost_answer_and_a_service_that_is_gone_is_not_known(groups: Groups, site: SiteProvider) -> None:
    site.lost = ["create_group"]
    site.plan_failures("groups", None, FleetError(Kind.UNREACHABLE, "Nobody answers", sent=Sent.NEVER))
    error = await failing(groups.create("Trucks"))
    assert error.sent is Sent.MAYBE
    assert "not known whether Trucks was created" in error.what and "could not be read back" in error.what


async def test_renaming_sends_the_fresh_copy_and_renames_it_on_the_members(
    groups: Groups, context: Context, site: SiteProvider
) -> None:
    await groups.members("g2")
    # Somebody else disables it meanwhile: that stays, because what is sent is what the service holds now.
    site.listed[1] = replace(site.listed[1], enabled=False)
    saved = await groups.rename("g2", "Berlin Mitte", seen=await groups.tree())
    assert saved.sentence == "Berlin is now called Berlin Mitte."
    assert site.listed[1] == Group("g2", "Berlin Mitte", "g1", devices=3, enabled=False)
    assert set(where(context).values()) == {"Berlin Mitte"}


async def test_what_somebody_else_renamed_is_told_and_not_overwritten(groups: Groups, site: SiteProvider) -> None:
    site.listed[1] = replace(site.listed[1], name="Berlin Nord")
    error = await failing(groups.rename("g2", "Berlin Mitte", seen=await groups.tree()))
    assert (error.kind, error.sent) == (Kind.CONFLICT, Sent.NEVER)
    assert "renamed Berlin to Berlin Nord meanwhile" in error.what
    assert site.count("change_group") == 0
    await groups.rename("g2", "Berlin Mitte", seen=await groups.tree())
    assert site.listed[1].name == "Berlin Mitte", "asked again, with their name seen"


async def test_only_what_was_shown_is_changed_however_often_the_tree_was_read_since(
    groups: Groups, site: SiteProvider
) -> None:
    seen = await groups.tree()
    began = list(site.listed)
    berlin, bonn = 1, 3
    theirs = {
        # What somebody else does while a dialog is open → what is refused with which words.
        "renamed Bonn to IMPORTANT": (bonn, {"name": "IMPORTANT"}, ("rename", "delete", "target", "parent")),
        "moved Bonn to Depot / Bonn": (bonn, {"parent": "g1"}, ("rename", "delete", "target", "parent")),
        "it was Depot / Berlin / Vans and is Depot / PRODUCTION / Vans": (
            berlin,
            {"name": "PRODUCTION"},
            ("g3", "g3d"),
        ),
        "it was Depot / Berlin / Vans and is Berlin / Vans": (berlin, {"parent": ""}, ("g3", "g3d")),
    }
    for words, (which, change, refused) in theirs.items():
        site.listed[:] = began
        site.listed[which] = replace(began[which], **change)
        await groups.refresh()
        works = {
            "rename": lambda: groups.rename("g4", "Bonn 2", seen=seen),
            "delete": lambda: groups.delete("g4", seen=seen),
            "target": lambda: groups.move("g3", "g4", seen=seen),
            "parent": lambda: groups.create("Bikes", "g4", seen=seen),
            "g3": lambda: groups.move("g3", "g4", seen=seen),
            "g3d": lambda: groups.delete("g3", seen=seen),
        }
        for key in refused:
            error = await failing(works[key]())
            assert (error.kind, error.sent) == (Kind.CONFLICT, Sent.NEVER), (words, key)
            assert words in error.what and "nothing was sent" in error.what, (words, key)
    assert not {"create_group", "change_group", "delete_group"} & {call[0] for call in site.calls}


async def test_what_was_filled_or_emptied_since_it_was_shown_is_not_deleted(groups: Groups, site: SiteProvider) -> None:
    seen = await groups.tree()
    kept = site.within.pop("g3")
    await groups.refresh()
    error = await failing(groups.delete("g3", seen=seen))
    assert error.kind is Kind.CONFLICT and "was shown with 5 devices and holds nothing by now" in error.what
    site.within["g4"] = kept
    error = await failing(groups.delete("g4", seen=seen))
    assert error.kind is Kind.CONFLICT and "was shown with nothing and holds 5 devices by now" in error.what
    assert site.count("delete_group") == 0


async def test_a_group_that_is_gone_is_a_sentence_and_leaves_the_tree_with_its_memberships(
    groups: Groups, context: Context, site: SiteProvider
) -> None:
    await groups.members("g3")
    assert len(where(context)) == 5
    del site.listed[2]
    for work in (
        groups.rename("g3", "Cars", seen=await groups.tree()),
        groups.move("g3", "", seen=await groups.tree()),
        groups.delete("g3", seen=await groups.tree()),
    ):
        error = await failing(work)
        assert error.kind is Kind.NOT_FOUND
    assert "g3" not in await groups.tree()
    assert where(context) == {}
    assert groups.known("g3") is None
    assert (await failing(groups.members("g3"))).kind is Kind.NOT_FOUND
    assert not {"change_group", "delete_group"} & {call[0] for call in site.calls}


async def test_moving_goes_to_the_top_and_never_below_itself(groups: Groups, site: SiteProvider) -> None:
    saved = await groups.move("g3", "", seen=await groups.tree())
    assert saved.sentence == "Vans is now at the top."
    assert site.listed[2].parent == ""
    assert "below itself" in (await failing(groups.move("g1", "g2", seen=await groups.tree()))).what
    assert "already" in (await failing(groups.move("g3", "", seen=await groups.tree()))).what
    assert "not listed any more" in (await failing(groups.move("g3", "gone", seen=await groups.tree()))).what
    # The other one, whom nobody told, moves the target below it: what the service holds decides.
    site.listed[3] = replace(site.listed[3], parent="g3")
    assert "moved Bonn to Vans / Bonn" in (await failing(groups.move("g3", "g4", seen=await groups.tree()))).what
    assert "below itself" in (await failing(groups.move("g3", "g4", seen=await groups.tree()))).what
    assert site.count("change_group") == 1


async def test_a_lost_answer_to_a_change_is_looked_up(groups: Groups, site: SiteProvider) -> None:
    site.lost = ["change_group", "delete_group"]
    saved = await groups.move("g3", "g4", seen=await groups.tree())
    assert saved.doubt and "it was done: Vans is now in Bonn" in saved.sentence
    site.plan_failures("change_group", FleetError(Kind.SERVER, "It failed", status=502, sent=Sent.MAYBE))
    saved = await groups.rename("g3", "Cars", seen=await groups.tree())
    assert saved.doubt and "the change is not there" in saved.sentence
    site.within.clear()
    await groups.refresh()
    saved = await groups.delete("g3", seen=await groups.tree())
    assert saved.doubt and "Vans is gone now" in saved.sentence


async def test_only_what_is_empty_is_deleted(groups: Groups, site: SiteProvider) -> None:
    assert "holds 1 group and 3 devices" in (await failing(groups.delete("g2", seen=await groups.tree()))).what
    assert "holds 1 group:" in (await failing(groups.delete("g1", seen=await groups.tree()))).what
    saved = await groups.delete("g4", seen=await groups.tree())
    assert (saved.sentence, saved.group_id) == ("Bonn is deleted.", "")
    assert site.count("delete_group") == 1


async def test_a_locked_connection_changes_nothing(groups: Groups, context: Context, site: SiteProvider) -> None:
    context.arming.lock()
    asked = len(site.calls)
    for work in (
        groups.create("X"),
        groups.rename("g4", "X", seen=await groups.tree()),
        groups.move("g4", "g1", seen=await groups.tree()),
        groups.delete("g4", seen=await groups.tree()),
    ):
        assert (await failing(work)).kind is Kind.READ_ONLY
    assert len(site.calls) == asked


# members


async def test_members_come_page_by_page_into_the_mirror_and_are_kept_a_while(
    groups: Groups, context: Context, site: SiteProvider, clock: VirtualClock
) -> None:
    steps: list[tuple[int, int | None]] = []
    found = await groups.members("g3", progress=lambda *step: steps.append(step))
    assert (len(found.ids), found.complete, found.total) == (5, True, 5)
    assert steps == [(2, 5), (4, 5), (5, 5)]
    assert where(context) == dict.fromkeys(site.within["g3"], "Vans")
    await groups.members("g3")
    assert site.count("members") == 3
    await groups.members("g3", fresh=True)
    assert site.count("members") == 6
    await clock.advance(FRESH + 1)
    await groups.members("g3")
    assert site.count("members") == 9


async def test_who_left_the_group_loses_it(groups: Groups, context: Context, site: SiteProvider) -> None:
    await groups.members("g3")
    gone = site.within["g3"].pop(0)
    site.within["g2"].append(gone)
    await groups.members("g3", fresh=True)
    assert gone not in where(context)
    await groups.members("g2")
    assert where(context)[gone] == "Berlin"


async def test_two_who_ask_at_once_share_the_answer(groups: Groups, site: SiteProvider) -> None:
    first, second = await asyncio.gather(groups.members("g3"), groups.members("g3", fresh=True))
    assert first is second
    assert site.count("members") == 3


async def test_a_stop_ends_between_pages_and_is_said(groups: Groups, context: Context, site: SiteProvider) -> None:
    stop = asyncio.Event()
    found = await groups.members("g3", progress=lambda *_: stop.set(), stop=stop)
    assert (len(found.ids), found.complete) == (2, False)
    assert "stopped" in found.note
    assert site.count("members") == 1
    assert len((await groups.members("g3")).ids) == 5, "what is incomplete is not given again"


async def test_totals_that_lie_take_nobody_out(groups: Groups, context: Context, site: SiteProvider) -> None:
    await groups.members("g3")
    site.within["g3"] = site.within["g3"][:3]
    site.lie = [5, 5]
    found = await groups.members("g3", fresh=True)
    assert not found.complete and "says 5 devices and listed 3" in found.note
    assert len(where(context)) == 5
    site.lie = [5, 3]
    assert "changed while it was read" in (await groups.members("g3", fresh=True)).note


# the sweep


async def test_groups_are_read_at_once_and_members_briskly_after_the_first_walk_and_only_of_groups_with_devices(
    groups: Groups, context: Context, site: SiteProvider, clock: VirtualClock
) -> None:
    context.looked.clear(), context.walked.clear()
    begun = site.count("groups")
    await groups.start()
    await clock.advance(60)
    assert len(site.calls) == begun, "the devices come first"
    context.looked.set()
    await clock.advance(0)
    assert (site.count("groups"), site.count("members")) == (begun + 1, 0)
    await clock.advance(60)
    assert site.count("members") == 0
    context.walked.set()
    await clock.advance(0)
    # Two pages of the one and three of the other, a second each.
    assert site.count("members") == 2
    await clock.advance(5)
    assert "2 of 2" in groups.swept
    assert [call[1] for call in site.calls if call[0] == "members"] == ["g2", "g2", "g3", "g3", "g3"]
    assert len(where(context)) == 8
    read = len(site.calls)
    await clock.advance(1_800)
    assert len(site.calls) == read, "the next one has an hour's time"
    before = site.count("members")
    await clock.until(lambda: site.count("members") == before + 2)
    # Then a call costs its share of the hour: ten seconds of a budget of one a second.
    await clock.advance(19)
    assert site.count("members") == before + 2
    await clock.advance(2)
    assert site.count("members") == before + 5


async def test_what_a_sweep_learnt_is_not_asked_again_by_the_next_session_unless_the_counts_differ(
    groups: Groups, context: Context, site: SiteProvider, clock: VirtualClock
) -> None:
    await groups.start()
    await clock.until(lambda: "2 of 2" in groups.swept)
    await groups.stop()
    read = site.count("members")
    again = Groups(context)
    await again.start()
    await clock.advance(60)
    assert site.count("members") == read
    assert again.swept == "memberships known for 2 of 2 groups"
    await again.stop()
    site.within["g2"].append(site.within["g3"].pop())
    third = Groups(context)
    await third.start()
    await clock.until(lambda: site.count("members") == read + 4)
    assert len(where(context)) == 8
    await third.stop()
    await clock.advance(3_600)
    late = Groups(context)
    await late.start()
    await clock.until(lambda: site.count("members") == read + 8)
    await late.stop()


async def test_a_group_that_lost_all_its_devices_is_read_once_more(
    groups: Groups, context: Context, site: SiteProvider, clock: VirtualClock
) -> None:
    await groups.members("g3")
    site.within["g3"] = []
    await groups.start()
    await clock.advance(60)
    assert len(where(context)) == 3


@pytest.mark.parametrize(("budget", "members"), [(20, 3), (40, 8)])
async def test_the_first_sweep_takes_a_fifth_of_the_hours_calls_at_most(
    tmp_path: Path, site: SiteProvider, clock: VirtualClock, budget: int, members: int
) -> None:
    mirror = Mirror.open(tmp_path / "other.db", clock=clock.now)

    async def connect() -> SiteProvider:
        return site

    made = connection(page_size=1, budget=budget)
    context = Context(made, factory=site, mirror=mirror, hub=Hub(clock), clock=clock, connect=connect)
    context.looked.set(), context.walked.set()
    await context.ensure()
    # A hidden session: what was never read is read all the same.
    groups = Groups(context, looked_at=lambda: False)
    await groups.start()
    await clock.advance(3_000)
    # A group is begun while there is room, and read to its end: one call for all groups, three and five for them.
    assert (site.count("groups"), site.count("members")) == (1, members)
    await clock.until(lambda: "2 of 2" in groups.swept, within=7_200)
    assert site.count("members") == 8
    await groups.stop()
    mirror.close()


async def test_what_was_read_before_is_read_again_for_a_tenth(
    tmp_path: Path, site: SiteProvider, clock: VirtualClock
) -> None:
    mirror = Mirror.open(tmp_path / "other.db", clock=clock.now)

    async def connect() -> SiteProvider:
        return site

    made = connection(page_size=1, budget=100)
    context = Context(made, factory=site, mirror=mirror, hub=Hub(clock), clock=clock, connect=connect)
    context.looked.set(), context.walked.set()
    await context.ensure()
    groups = Groups(context)
    await groups.start()
    await clock.advance(60)
    assert site.count("members") == 8, "nine calls of twenty, so both at once"
    site.within["g2"], site.within["g3"] = site.within["g3"], site.within["g2"]
    spent: list[int] = []
    for _ in range(30):
        before = len(site.calls)
        await clock.advance(3_600)
        spent.append(len(site.calls) - before)
    # One group may be begun at the very end of the share.
    assert 0 < max(spent) <= 10 + 4
    await groups.stop()
    mirror.close()


async def test_a_hidden_session_is_swept_once_and_then_rests(
    context: Context, site: SiteProvider, clock: VirtualClock
) -> None:
    answering = False
    groups = Groups(context, looked_at=lambda: False, answers=lambda: answering)
    await context.ensure()
    await groups.start()
    await clock.advance(1_000)
    assert site.calls == [], "the service does not answer"
    answering = True
    await clock.until(lambda: "2 of 2" in groups.swept)
    read = len(site.calls)
    await clock.advance(10_000)
    assert len(site.calls) == read
    await groups.stop()


async def test_the_sweep_rests_while_nobody_looks_and_while_the_hour_is_half_spent(
    context: Context, site: SiteProvider, clock: VirtualClock
) -> None:
    looking = False
    groups = Groups(context, looked_at=lambda: looking, answers=lambda: looking)
    await context.ensure()
    await groups.start()
    await clock.advance(1_000)
    assert site.calls == []
    looking = True
    site.meter.used = 6_000
    await clock.advance(1_000)
    assert site.calls == []
    site.meter.used = 0
    await clock.until(lambda: site.count("members") > 0)
    await groups.stop()


async def test_the_sweep_ends_when_the_service_refuses_and_says_so(
    groups: Groups, context: Context, site: SiteProvider, clock: VirtualClock
) -> None:
    site.plan_failures("members", FleetError(Kind.FORBIDDEN, "This token may not list devices", status=403))
    await groups.start()
    await clock.advance(7_200)
    assert site.count("members") == 1
    assert "may not list devices" in groups.swept


async def test_the_sweep_outlives_failures_and_groups_that_go(
    groups: Groups, context: Context, site: SiteProvider, clock: VirtualClock
) -> None:
    down = FleetError(Kind.UNREACHABLE, "Nobody answers", sent=Sent.NEVER)
    site.plan_failures("members", down, down)

    async def gone(method: str, *args: object) -> None:
        if method == "members" and args[0] == "g2":
            site.listed = [group for group in site.listed if group.id != "g2"]

    site.before_answer = gone
    await groups.start()
    await clock.until(lambda: "2 of 2" in groups.swept)
    assert set(where(context).values()) == {"Vans"}
