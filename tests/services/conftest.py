"""Surroundings for service tests: real stores on real files, virtual time, a fake or a real service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mdm_tui.config.connections import Connection
from mdm_tui.services.context import Context
from mdm_tui.services.hub import Hub
from mdm_tui.store.mirror import Mirror

from .fake import FakeProvider
from .virtual import VirtualClock


def connection(**more: object) -> Connection:
    given = {"name": "test", "provider": "applivery", "url": "https://127.0.0.1/v1", "organization": "org-1", **more}
    return Connection(**given)  # type: ignore[arg-type]


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def fake() -> FakeProvider:
    return FakeProvider(5)


@pytest.fixture
async def context(tmp_path: Path, clock: VirtualClock, fake: FakeProvider) -> AsyncIterator[Context]:
    mirror = Mirror.open(tmp_path / "mirror.db", clock=clock.now)

    async def connect() -> FakeProvider:
        return fake

    yield Context(connection(), factory=fake, mirror=mirror, hub=Hub(clock), clock=clock, connect=connect)
    mirror.close()
