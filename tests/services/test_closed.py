"""A connection that is closed sends nothing, whoever still asks; what asks too late gets a sentence."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from mdm_tui.config.paths import Paths
from mdm_tui.fleet.errors import FleetError, Kind, Sent
from mdm_tui.fleet.provider import Capability
from mdm_tui.services.context import Context
from mdm_tui.services.session import Session
from mdm_tui.store.history import Draft, History

from .conftest import connection
from .fake import FakeProvider


async def made(session: Session) -> tuple[Context, FakeProvider]:
    """The context of a session, connected."""
    session.open_store()
    context, fake = session.context, FakeProvider()
    context.provider = fake
    await session.open_files()
    return context, fake


@pytest.mark.parametrize("production", [True, False])
async def test_a_stopped_session_is_locked_and_sends_nothing(tmp_path: Path, production: bool) -> None:
    paths = Paths(*(tmp_path / name for name in ("config", "state", "cache", "data")))
    session = Session(connection(production=production), paths, env={}, secrets={})
    context, fake = await made(session)
    sent: list[str] = []

    async def send(_provider: object) -> None:
        sent.append("sent")

    if production:
        context.arming.arm(session.connection.name)
    await context.change(send, Capability.ROLLOUT_EDIT)
    assert sent == ["sent"]
    await session.stop()
    context.provider = fake
    assert session.writable == "CLOSED" and context.arming.locked
    for late in (context.change(send), context.call(send), context.ensure()):
        with pytest.raises(FleetError, match="is closed") as caught:
            await late
        assert caught.value.sent is Sent.NEVER
    with pytest.raises(FleetError, match="Not armed"):
        context.arming.arm(session.connection.name)
    assert sent == ["sent"]


async def test_a_change_whose_answer_nobody_waits_for_is_not_said_to_be_answered(tmp_path: Path) -> None:
    paths = Paths(*(tmp_path / name for name in ("config", "state", "cache", "data")))
    session = Session(connection(), paths, env={}, secrets={})
    context, _fake = await made(session)
    sent = asyncio.Event()

    async def send(_provider: object) -> None:
        sent.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(context.change(send, Capability.ROLLOUT_EDIT))
    await sent.wait()
    (wired,) = context.wire.waiting
    task.cancel()
    await asyncio.wait([task])
    assert wired.outcome.startswith("its answer was not waited for, it may have been done")
    assert context.wire.waiting == []
    await session.stop()


async def test_a_closed_file_is_a_sentence(tmp_path: Path) -> None:
    history = History.open(tmp_path / "history.db", clock=lambda: 0.0)
    history.close()
    with pytest.raises(FleetError, match="files are closed") as caught:
        await history.put_draft(Draft("a", "rollout", "1", "", "x", 0.0))
    assert (caught.value.kind, caught.value.sent) == (Kind.STORAGE, Sent.NEVER)


async def test_a_change_is_on_the_wire_until_its_answer(context: Context) -> None:
    asked, answered = asyncio.Event(), asyncio.Event()

    async def slow(_provider: object) -> str:
        asked.set()
        await answered.wait()
        return "done"

    task = asyncio.create_task(context.change(slow, Capability.GROUP_EDIT))
    await asked.wait()
    (wired,) = context.wire.waiting
    assert (wired.capability, wired.task, wired.outcome) == (Capability.GROUP_EDIT, task, "")
    # The end of the connection refuses the next one and lets this one have its answer.
    context.seal()
    with pytest.raises(FleetError, match="is closed"):
        await context.change(slow)
    answered.set()
    assert await task == "done"
    assert wired.outcome == "the service confirmed it" and context.wire.waiting == []
