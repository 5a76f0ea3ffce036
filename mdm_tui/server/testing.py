"""A fleet for in-process tests: the real application on a real SQLite file, with a clock that tests move."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from starlette.applications import Starlette

from .app import create_app
from .world import VirtualClock, World
from .world.clock import DEFAULT_START

TOKEN = "test-token"
BASE_URL = "http://127.0.0.1/v1"


class Fleet(NamedTuple):
    """Use as `httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE_URL)` with the bearer token."""

    app: Starlette
    world: World
    token: str
    organization: str


def fleet(
    devices: int = 50,
    seed: int = 1,
    *,
    scenario: str = "calm",
    documented_only: bool = False,
    permissions: set[str] | None = None,
    tokens: dict[str, set[str] | None] | None = None,
    data_dir: Path | None = None,
    speed: float = 1.0,
    hourly: int | None = None,
    start: datetime | float = DEFAULT_START,
) -> Fleet:
    """(app, world, token, organization). The caller closes the world.

    permissions: what the token may do, None for everything. tokens: more tokens with their permissions. hourly:
    requests an hour for each token, in virtual time.
    """
    world = World.open(data_dir, devices=devices, seed=seed, speed=speed, scenario=scenario, clock=VirtualClock(start))
    app = create_app(
        world,
        scenario=scenario,
        documented_only=documented_only,
        tokens={TOKEN: permissions, **(tokens or {})},
        hourly=hourly,
    )
    return Fleet(app, world, TOKEN, world.organization)
