"""Random faults and random ends of sessions: whatever happens, no device gets a command twice, and none is lost."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from mdm_tui.fleet.commands import State
from mdm_tui.server.testing import TOKEN
from mdm_tui.store.journal import Intent
from tests.faulty import Cut, Dns, Fault, Refused, Reset, Slow, Status, WrongLength

from .test_end_to_end import House, build
from .virtual import VirtualClock

__all__ = ["build"]


class Dice(Fault):
    """A fault for some of the requests, the others go through. Seeded. Idempotency keys are taken out."""

    def __init__(self, seed: int, share: float, faults: list[Fault]) -> None:
        self.dice = random.Random(seed)
        self.share = share
        self.faults = faults

    async def __call__(self, request: Any, inner: Any) -> Any:
        # No vendor is known to honour it: the console must do without.
        request.headers.pop("idempotency-key", None)
        if self.dice.random() < self.share:
            return await self.dice.choice(self.faults)(request, inner)
        return await inner(request)


POSTS: list[Fault] = [
    Reset(), Reset(after=True), Slow(), Slow(after=True), Cut(20), WrongLength(), Refused(), Dns(),
    Status(500), Status(502), Status(429, **{"retry-after": "3"}), Status(400, 5209, "Invalid input"),
]  # fmt: skip
READS: list[Fault] = [Reset(), Slow(), Cut(20), Status(503), Status(429, **{"retry-after": "2"})]


@pytest.mark.parametrize("seed", range(3))
async def test_nothing_is_doubled_and_nothing_is_lost(
    build: Callable[..., House], clock: VirtualClock, seed: int
) -> None:
    house = build(devices=40, seed=seed)
    world = house.fleet.world
    ids = [world.devices.at(n).id for (n,) in world.database.all("SELECT n FROM device WHERE state = 'active'")][:24]
    session = await house.started(token=TOKEN, poll_seconds=600, timeout=10)
    dice = random.Random(seed)
    house.net.rule(Dice(seed, 0.6, POSTS), method="POST")
    house.net.rule(Dice(seed + 100, 0.15, READS), method="GET")
    for name in ("REBOOT", "LOCK"):
        session.context.provider or await session.connect()
        targets = [session.context.key(device_id) for device_id in ids]
        plan = await session.commands.plan(name, targets)
        await session.commands.submit(plan, plan.expects)
        # The session ends somewhere in the run; the next one takes up what the journal holds.
        await clock.advance(dice.uniform(0.0, 30.0))
        await session.stop()
        session = await house.started(token=TOKEN, poll_seconds=600, timeout=10)
        runs = {row.run_id for row in await session.commands.queue() if row.ours and row.state is State.PLANNED}
        for run in runs:
            if run is not None:
                await session.commands.resume(run)
        await clock.advance(150)
    house.net.calm()
    await clock.advance(700)

    assert session.journal is not None
    intents = await session.journal.intents(session.scope, limit=10_000)
    assert len(intents) == 2 * len(ids)
    assert await session.journal.verify() == []
    at_server = Counter[tuple[str, str]]()
    for device_id in ids:
        for command in await session.commands.look(device_id):
            at_server[device_id, command.name] += 1
    for intent in intents:
        check(intent, at_server[intent.device_id, intent.name])
    claimed = [intent.command_id for intent in intents if intent.command_id]
    assert len(claimed) == len(set(claimed))
    assert sum(at_server.values()) > len(ids) / 2, "the faults did not stop everything"


def check(intent: Intent, count: int) -> None:
    """What the journal says of an intent is true of the service."""
    assert count <= 1, f"{intent.name} was doubled"
    assert intent.state not in (State.SENDING, State.UNKNOWN), "nothing stays unclear once the service is back"
    if intent.state in (State.REJECTED, State.ABSENT, State.CANCELLED, State.PLANNED):
        assert count == 0, f"{intent.state} but it is at the service"
    else:
        assert count == 1, f"{intent.state} but it is not at the service"
        assert intent.command_id
