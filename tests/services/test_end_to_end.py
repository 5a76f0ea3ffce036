"""Sessions on the embedded server's real application, over a network that misbehaves on request, in virtual time."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from mdm_tui.config.credentials import Secret
from mdm_tui.config.paths import Paths
from mdm_tui.fleet.commands import State
from mdm_tui.fleet.devices import Assignment, DeviceChanges
from mdm_tui.fleet.errors import FleetError, Kind
from mdm_tui.server.testing import BASE_URL, Fleet, fleet
from mdm_tui.services.policies import Changed, Saved
from mdm_tui.services.queue import QueueItem
from mdm_tui.services.session import Session
from mdm_tui.store.mirror import Mirror, View
from tests.faulty import Answer, Cut, Faulty, Refused, Reset, Status

from .conftest import connection
from .virtual import VirtualClock


class House:
    """One fleet, its network, and sessions on it."""

    def __init__(self, folder: Path, clock: VirtualClock, **options: Any) -> None:
        self.clock = clock
        self.fleet: Fleet = fleet(options.pop("devices", 60), start=clock.now(), **options)
        self.net = Faulty(httpx.ASGITransport(self.fleet.app))
        self.paths = Paths(*(folder / name for name in ("config", "state", "cache", "data")))
        self.sessions: list[Session] = []

        async def moved(seconds: float) -> None:
            self.fleet.world.advance(seconds)

        clock.moved = moved

    def session(
        self, *, token: str | None = None, mirror: Mirror | None = None, poll_seconds: float = 15.0, **more: Any
    ) -> Session:
        made = Session(
            connection(url=BASE_URL, organization=self.fleet.organization, **more),
            self.paths,
            clock=self.clock,
            env={},
            transport=self.net,
            secrets={"token": Secret(self.fleet.token if token is None else token)},
            mirror=mirror,
            poll_seconds=poll_seconds,
            dice=random.Random(1),
        )
        self.sessions.append(made)
        return made

    async def started(self, **more: Any) -> Session:
        session = self.session(**more)
        session.open_store()
        await session.start()
        await self.clock.settle()
        return session

    def posts(self, method: str = "POST") -> list[Any]:
        return [seen for seen in self.net.seen if seen.method == method]

    async def elsewhere(self, path: str, body: dict[str, Any]) -> None:
        """Somebody else changes something: past every session, its network and its mirror."""
        address = f"{BASE_URL}/organizations/{self.fleet.organization}/mdm/aosp/enterprise/{path}"
        headers = {"Authorization": f"Bearer {self.fleet.token}"}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self.fleet.app), headers=headers) as client:
            (await client.put(address, json=body)).raise_for_status()

    def listening(self) -> str:
        """The id of an active device that hears pushes."""
        world = self.fleet.world
        for (n,) in world.database.all("SELECT n FROM device WHERE state = 'active' ORDER BY n"):
            device = world.devices.at(n)
            if device.has_push and device.habit == 0:
                return device.id
        raise AssertionError("no such device in this fleet")


@pytest.fixture
async def build(tmp_path: Path, clock: VirtualClock) -> AsyncIterator[Callable[..., House]]:
    houses: list[House] = []

    def make(**options: Any) -> House:
        houses.append(House(tmp_path, clock, **options))
        return houses[-1]

    yield make
    for house in houses:
        for session in house.sessions:
            await session.stop()
        house.fleet.world.close()


async def send(session: Session, name: str, device_id: str, **more: Any) -> str:
    plan = await session.commands.plan(name, [session.context.key(device_id)], **more)
    return (await session.commands.submit(plan, plan.expects)).intent_ids[0]


async def item(session: Session, key: str) -> QueueItem:
    return next(row for row in await session.commands.queue() if row.key == key)


# the session


async def test_the_fleet_is_read_kept_and_followed(build: Callable[..., House], clock: VirtualClock) -> None:
    house = build()
    session = await house.started()
    assert session.sync.state.phase == "fresh"
    view = View(session.scope)
    ids, _ = session.mirror.first(view, 0)
    assert len(ids) == session.sync.state.total
    seen = {row.id: row.values["seen"] for row in session.mirror.first(view, 1000)[1]}
    await clock.advance(600)
    later = {row.id: row.values["seen"] for row in session.mirror.first(view, 1000)[1]}
    assert sum(later[device_id] != at for device_id, at in seen.items()) > 10, "devices report, the mirror follows"
    # Another session on the same files shows the fleet before anything is asked of the service.
    await session.stop()
    asked = len(house.net.seen)
    again = house.session()
    again.open_store()
    assert again.mirror.first(view, 1000)[0]
    assert len(house.net.seen) == asked


def test_the_mirror_is_shown_before_any_network_library_is_imported(tmp_path: Path) -> None:
    script = """
import sys
from pathlib import Path
from mdm_tui.config.connections import Connection
from mdm_tui.config.paths import Paths
from mdm_tui.services.session import Session
from mdm_tui.store.mirror import View
home = Path(sys.argv[1])
session = Session(Connection("a", "applivery", "https://127.0.0.1/v1", "org-1"), Paths(home, home, home, home), env={})
session.open_store()
session.mirror.first(View(session.scope), 10)
heavy = ("pydantic", "httpx", "starlette", "uvicorn", "structlog", "tomlkit", "tree_sitter", "textual", "rich")
print([name for name in heavy if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


async def test_a_wrong_token_is_a_sentence_and_a_right_one_heals_it(
    build: Callable[..., House], clock: VirtualClock
) -> None:
    house = build()
    session = await house.started(token="wrong-token")
    state = session.sync.state
    assert state.phase == "signed_out"
    assert state.error is not None and state.error.kind is Kind.SIGNED_OUT
    assert "credentials" in state.error.sentence()
    assert session.writable == "TOKEN"
    session.secrets = {"token": Secret(house.fleet.token)}
    session.sync.poke()
    await clock.settle()
    assert session.sync.state.phase == "fresh"
    assert session.writable == ""


async def test_no_token_at_all_is_a_sentence_too(build: Callable[..., House], clock: VirtualClock) -> None:
    house = build()
    session = house.session(token_env="NOT_SET_ANYWHERE")
    session._given = None
    await session.start()
    await clock.settle()
    assert session.sync.state.phase == "signed_out"
    assert session.sync.state.error is not None
    assert "NOT_SET_ANYWHERE" in session.sync.state.error.sentence()
    assert house.net.seen == []


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Refused(), Kind.UNREACHABLE),
        (Status(503), Kind.SERVER),
        (Answer(b"<html>proxy</html>", headers={"content-type": "text/html"}), Kind.UNREADABLE),
        (Cut(30), None),
        (Status(403, 4003, "no"), Kind.FORBIDDEN),
        (Status(404, 3001, "Entity not found"), None),
    ],
    ids=lambda value: getattr(value, "name", type(value).__name__),
)
async def test_a_service_that_goes_away_costs_no_data_and_comes_back(
    build: Callable[..., House], clock: VirtualClock, fault: Any, kind: Kind | None
) -> None:
    house = build(devices=20)
    session = await house.started()
    known = len(session.mirror.first(View(session.scope), 0)[0])
    house.net.rule(fault)
    await clock.until(lambda: session.sync.state.error is not None, within=60)
    state = session.sync.state
    assert state.error is not None
    assert kind is None or state.error.kind is kind
    assert state.phase == "stale"
    assert state.next_at is not None and state.next_at > clock.now()
    assert state.error.sentence().endswith(".")
    await clock.advance(900)
    assert len(session.mirror.first(View(session.scope), 0)[0]) == known
    house.net.calm()
    await clock.until(lambda: session.sync.state.phase == "fresh", within=301)


async def test_two_sessions_share_one_mirror(build: Callable[..., House], clock: VirtualClock, tmp_path: Path) -> None:
    one, two = build(devices=10, seed=1), build(devices=12, seed=2)
    first = await one.started()
    second = await two.started(mirror=first.mirror)
    assert len(first.mirror.first(View(first.scope), 0)[0]) == first.sync.state.total
    assert len(first.mirror.first(View(second.scope), 0)[0]) == second.sync.state.total
    assert first.scope != second.scope
    await second.stop()
    assert first.mirror.first(View(first.scope), 0)[0], "the mirror stays open for the other one"


async def test_a_journal_that_cannot_be_used_stops_sending_and_nothing_else(
    build: Callable[..., House], clock: VirtualClock
) -> None:
    house = build(devices=10)
    house.paths.state.mkdir(parents=True)
    house.paths.journal.write_bytes(b"this is not a database, and it is long enough to be looked at" * 20)
    session = await house.started()
    assert session.sync.state.phase == "fresh"
    assert session.writable == "JOURNAL"
    plan = await session.commands.plan("REBOOT", [session.context.key(house.listening())])
    with pytest.raises(FleetError, match="journal"):
        await session.commands.submit(plan, plan.expects)
    assert house.posts() == []


# commands


async def test_a_command_climbs_the_ladder_on_the_real_server(build: Callable[..., House], clock: VirtualClock) -> None:
    house = build()
    session = await house.started()
    intent = await send(session, "REBOOT", house.listening(), reason="TICKET-1")
    seen: list[State] = []
    for _ in range(400):
        await clock.advance(0.5)
        row = await item(session, intent)
        if not seen or seen[-1] is not row.state:
            seen.append(row.state)
        if row.state.ended:
            break
    assert seen[-1] is State.DONE
    assert State.ACCEPTED in seen or State.PUSHED in seen
    assert [e.known for e in row.evidence] == ["yes", "yes", row.evidence[2].known, "yes"]
    assert row.results and row.status == "DONE" and row.reason == "TICKET-1"
    assert len(house.posts()) == 1
    assert house.posts()[0].headers.get("idempotency-key") == intent


@pytest.mark.parametrize("options", [{}, {"documented_only": True}], ids=["whole", "documented only"])
async def test_an_answer_lost_on_the_way_back_is_found_and_not_doubled(
    build: Callable[..., House], clock: VirtualClock, options: dict[str, Any]
) -> None:
    house = build(**options)
    session = await house.started()
    device_id = house.listening()
    house.net.rule(Reset(after=True), method="POST")
    intent = await send(session, "LOCK", device_id)
    await clock.settle()
    unclear = await item(session, intent)
    assert unclear.state is State.UNKNOWN
    assert "tries again" not in unclear.error
    house.net.calm()
    for _ in range(60):
        await clock.advance(2)
        if (await item(session, intent)).state.ended:
            break
    row = await item(session, intent)
    assert row.state is State.DONE
    assert len(house.posts()) == 1
    commands = await session.commands.look(device_id)
    assert len([command for command in commands if command.name == "LOCK"]) == 1


async def test_a_refused_permission_is_remembered_with_its_name(
    build: Callable[..., House], clock: VirtualClock
) -> None:
    house = build(permissions={"mdm.aosp.device.list", "mdm.aosp.command.list", "mdm.aosp.device.get"})
    session = await house.started()
    intent = await send(session, "LOCK", house.listening())
    await clock.settle()
    row = await item(session, intent)
    assert row.state is State.REJECTED
    assert any("command" in permission for permission in session.refused)


async def test_disenrolling_is_watched_until_the_device_has_left(
    build: Callable[..., House], clock: VirtualClock
) -> None:
    house = build()
    session = await house.started()
    intent = await send(session, "DISENROLL", house.listening())
    await clock.settle()
    assert len(house.posts("DELETE")) == 1
    for _ in range(120):
        await clock.advance(5)
        if (await item(session, intent)).state.ended:
            break
    assert (await item(session, intent)).state is State.DONE
    assert len(house.posts("DELETE")) == 1


async def test_a_pending_command_is_cancelled_at_the_server(build: Callable[..., House], clock: VirtualClock) -> None:
    house = build()
    session = await house.started()
    device_id = house.listening()
    world = house.fleet.world
    # A device that is off does not take the command before it is cancelled.
    n = next(n for (n,) in world.database.all("SELECT n FROM device") if world.devices.at(n).id == device_id)
    world.devices.change(world.devices.at(n), habit=4)
    intent = await send(session, "LOCK", device_id)
    await clock.settle()
    row = await item(session, intent)
    assert row.cancellable and row.command_id
    await session.commands.cancel(device_id, row.command_id)
    await clock.settle()
    assert (await item(session, intent)).state is State.CANCELLED


# editing a device


async def test_two_operators_edit_one_device_and_lose_nothing(build: Callable[..., House], clock: VirtualClock) -> None:
    house = build()
    session = await house.started()
    device_id = house.listening()
    opened = await session.devices.refresh(device_id)
    before = session.devices.editable(opened.raw)
    policies = [policy.id for policy in await session.policies.refresh()][:2]
    # Meanwhile somebody else adds a tag and a policy.
    await house.elsewhere(
        f"devices/{device_id}",
        {
            "tags": [*before["tags"], "theirs"],
            "aosPolicyAssignments": [{"aosPolicyId": policies[0], "priority": 7}],
        },
    )
    mine = await session.devices.update(
        device_id,
        DeviceChanges(
            {"display_name": "Gate 9", "tags": [*before["tags"], "mine"], "assignments": [Assignment(policies[1], 3)]}
        ),
        opened.raw,
    )
    assert mine.ok and "theirs" in mine.sentence()
    [put] = house.posts("PUT")
    assert set(put.json) == {"displayName", "tags", "aosPolicyAssignments"}
    held = session.devices.editable(mine.device.raw)
    assert held["display_name"] == "Gate 9"
    assert {"theirs", "mine", *before["tags"]} == set(held["tags"])
    assert {(a.policy_id, a.priority) for a in held["assignments"]} >= {(policies[0], 7), (policies[1], 3)}
    row = (await session.mirror.rows(session.scope, [device_id]))[device_id]
    assert row.values["name"] == "Gate 9"


async def test_a_name_both_changed_is_asked_and_nothing_is_sent(
    build: Callable[..., House], clock: VirtualClock
) -> None:
    house = build()
    session = await house.started()
    device_id = house.listening()
    opened = await session.devices.refresh(device_id)
    await house.elsewhere(f"devices/{device_id}", {"displayName": "Theirs"})
    outcome = await session.devices.update(device_id, DeviceChanges({"display_name": "Mine"}), opened.raw)
    assert [clash.key for clash in outcome.clashes] == ["display_name"]
    assert not outcome.ok and "somebody else" in outcome.sentence()
    assert house.posts("PUT") == []
    decided = await session.devices.update(
        device_id, DeviceChanges({"display_name": "Mine"}), opened.raw, mine_wins=["display_name"]
    )
    assert decided.ok
    assert session.devices.editable(decided.device.raw)["display_name"] == "Mine"


async def test_a_put_without_an_answer_is_read_back(build: Callable[..., House], clock: VirtualClock) -> None:
    house = build()
    session = await house.started()
    device_id = house.listening()
    opened = await session.devices.refresh(device_id)
    house.net.rule(Reset(after=True), method="PUT")
    outcome = await session.devices.update(device_id, DeviceChanges({"display_name": "Kept"}), opened.raw)
    assert outcome.error is not None
    assert outcome.ok
    assert len(house.posts("PUT")) == 1


async def test_limits_are_checked_before_sending_and_an_unlinked_user_stays_unlinked(
    build: Callable[..., House], clock: VirtualClock
) -> None:
    house = build()
    session = await house.started()
    device_id = house.listening()
    opened = await session.devices.refresh(device_id)
    with pytest.raises(FleetError) as caught:
        await session.devices.update(device_id, DeviceChanges({"display_name": "x" * 257}), opened.raw)
    assert caught.value.problems[0].path[0] == "display_name"
    assert house.posts("PUT") == []
    user = (await session.devices.users()).items[0]
    linked = await session.devices.update(device_id, DeviceChanges({"user_id": user.id}), opened.raw)
    assert linked.ok
    gone = await session.devices.update(device_id, DeviceChanges({"user_id": None}), linked.device.raw)
    assert gone.ok
    assert house.posts("PUT")[-1].json == {"mdmUserId": None}


async def test_a_device_without_a_full_view_is_edited_from_the_list(
    build: Callable[..., House], clock: VirtualClock
) -> None:
    house = build(documented_only=True)
    session = await house.started()
    device_id = house.listening()
    stored = await session.mirror.device(session.scope, device_id)
    assert stored is not None
    outcome = await session.devices.update(device_id, DeviceChanges({"tags": ["new"]}), stored.device.raw)
    assert outcome.ok
    row = (await session.mirror.rows(session.scope, [device_id]))[device_id]
    assert row.values["tags"] == "new"


async def test_a_change_that_could_not_be_sent_says_that_it_is_not_repeated(
    build: Callable[..., House], clock: VirtualClock
) -> None:
    house = build(devices=5)
    session = await house.started()
    device_id = house.listening()
    opened = await session.devices.refresh(device_id)
    house.net.rule(Refused(), method="PUT")
    with pytest.raises(FleetError) as caught:
        await session.devices.update(device_id, DeviceChanges({"display_name": "New"}), opened.raw)
    assert caught.value.kind is Kind.UNREACHABLE
    assert "Nothing was changed" in caught.value.sentence()
    assert "tries again" not in caught.value.sentence()


# policies


async def test_a_policy_is_edited_saved_and_read_back(build: Callable[..., House], clock: VirtualClock) -> None:
    house = build()
    session = await house.started()
    listed = await session.policies.refresh()
    opened = await session.policies.open(listed[0].id)
    mine = json.loads(opened.base) | {"description": "changed by a test"}
    text = json.dumps(mine, indent=2)
    assert [item.pointer for item in session.policies.differences(opened.base, text)] == ["description"]
    saved = await session.policies.save(opened.id, text, opened.base)
    assert isinstance(saved, Saved)
    assert saved.differs == ()
    assert json.loads(saved.base)["description"] == "changed by a test"
    held = await session.mirror.policy(session.scope, opened.id)
    assert held is not None and held.description == "changed by a test"


async def test_a_policy_changed_meanwhile_is_shown_and_not_overwritten(
    build: Callable[..., House], clock: VirtualClock
) -> None:
    house = build()
    session = await house.started()
    policy = (await session.policies.refresh())[0]
    opened = await session.policies.open(policy.id)
    base = json.loads(opened.base)
    await house.elsewhere(f"policies/{policy.id}", {"description": "theirs"})
    mine = json.dumps(base | {"name": "Mine"})
    answer = await session.policies.save(policy.id, mine, opened.base)
    assert isinstance(answer, Changed)
    assert house.posts("PUT") == []
    assert [item.pointer for item in answer.theirs_changes] == ["description"]
    assert answer.conflicts == ()
    saved = await session.policies.save(policy.id, answer.merged, answer.theirs)
    assert isinstance(saved, Saved)
    assert json.loads(saved.base)["name"] == "Mine"
    assert json.loads(saved.base)["description"] == "theirs"


async def test_a_field_taken_out_that_the_service_keeps_is_told(
    build: Callable[..., House], clock: VirtualClock
) -> None:
    house = build()
    session = await house.started()
    policy = (await session.policies.refresh())[0]
    opened = await session.policies.open(policy.id)
    first = await session.policies.save(
        policy.id, json.dumps(json.loads(opened.base) | {"description": "stays"}), opened.base
    )
    assert isinstance(first, Saved)
    without = json.loads(first.base)
    del without["description"]
    saved = await session.policies.save(policy.id, json.dumps(without), first.base)
    assert isinstance(saved, Saved)
    assert [(item.pointer, item.mine) for item in saved.differs] == [("description", "stays")]


async def test_a_draft_survives_the_session(build: Callable[..., House], clock: VirtualClock) -> None:
    house = build(devices=5)
    session = await house.started()
    policy = (await session.policies.refresh())[0]
    opened = await session.policies.open(policy.id)
    for length in range(3, 10):
        session.policies.draft(policy.id, opened.base, "x" * length)
        await clock.advance(0.1)
    assert session.history is not None
    assert await session.history.drafts(session.scope) == [], "not while somebody types"
    await clock.advance(1)
    [written] = await session.history.drafts(session.scope)
    assert written.mine == "x" * 9
    mine = json.dumps({**json.loads(opened.base), "name": "unsaved"})
    session.policies.draft(policy.id, opened.base, mine)
    await session.stop()
    later = await house.started()
    again = await later.policies.open(policy.id)
    assert again.draft == mine
    assert again.draft_base == opened.base
    assert await later.policies.drafts() == [policy.id]
    saved = await later.policies.save(policy.id, again.base, again.base)
    assert isinstance(saved, Saved)
    assert await later.policies.drafts() == [policy.id], "another text was sent than the one that is kept"
    assert isinstance(await later.policies.save(policy.id, mine, saved.base), Saved)
    assert await later.policies.drafts() == []


async def test_a_new_policy_is_created_once_checked_at_its_line_and_deleted(
    build: Callable[..., House], clock: VirtualClock
) -> None:
    house = build(devices=5)
    session = await house.started()
    await session.policies.refresh()
    new = session.policies.new()
    wrong = '{\n  "name": "Fresh",\n  "applications": [\n    {"action": "install"}\n  ]\n}'
    checked = await session.policies.check(wrong)
    assert {problem.line for problem in checked.problems if not problem.warning} == {4}
    with pytest.raises(FleetError) as caught:
        await session.policies.save(new.id, wrong)
    assert caught.value.kind is Kind.INVALID and caught.value.problems
    assert house.posts() == []
    saved = await session.policies.save(new.id, '{"name": "Fresh"}')
    assert isinstance(saved, Saved)
    assert len(house.posts()) == 1
    await session.policies.delete(saved.policy.id)
    assert await session.mirror.policy(session.scope, saved.policy.id) is None


async def test_a_create_without_an_answer_is_not_repeated(build: Callable[..., House], clock: VirtualClock) -> None:
    house = build(devices=5)
    session = await house.started()
    house.net.rule(Reset(after=True), method="POST")
    with pytest.raises(FleetError, match="not known whether the policy was created") as caught:
        await session.policies.save(None, '{"name": "Maybe"}')
    assert "not repeated by itself" in caught.value.sentence()
    assert "tries again" not in caught.value.sentence()
    assert len(house.posts()) == 1
    house.net.calm()
    assert [policy.name for policy in await session.policies.refresh()].count("Maybe") == 1


async def test_an_assigned_policy_turns_to_pushed(build: Callable[..., House], clock: VirtualClock) -> None:
    house = build()
    session = await house.started()
    device_id = house.listening()
    opened = await session.devices.refresh(device_id)
    current = session.devices.editable(opened.raw)["policy_id"]
    target = next(policy.id for policy in await session.policies.refresh() if policy.id != current)
    outcome = await session.policies.assign(target, device_id, opened.raw)
    assert outcome.ok
    row = (await session.mirror.rows(session.scope, [device_id]))[device_id]
    assert (row.values["policyid"], row.values["pushed"]) == (target, 0)
    session.sync.focus((), device_id)
    for _ in range(100):
        await clock.advance(15)
        row = (await session.mirror.rows(session.scope, [device_id]))[device_id]
        if row.values["pushed"] == 1:
            break
    assert row.values["pushed"] == 1
