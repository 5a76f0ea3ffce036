"""A fleet for in-process tests: the real application on a real SQLite file, with a clock that tests move."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from .app import FleetServer, create_app
from .midm.access import DEFAULT_LIFE, Account
from .world import VirtualClock, World
from .world.clock import DEFAULT_START

TOKEN = "test-token"
BASE_URL = "http://127.0.0.1/v1"
# MiDM's base address is the root; its paths begin with /ota and /portal.
MIDM_URL = "http://127.0.0.1"
API_KEY = "test-key"
EMAIL = "demo@example.com"
PASSWORD = "test-password"


class Fleet(NamedTuple):
    """Use as `httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE_URL)` with the bearer token.

    For MiDM: base_url=MIDM_URL, the API key in the header x-api-key and the token of a sign-in. site: its uuid.
    """

    app: FleetServer
    world: World
    token: str
    organization: str
    api_key: str
    email: str
    password: str
    site: str

    def midm_headers(self) -> dict[str, str]:
        """The headers of a MiDM call in a new session."""
        assert self.app.access is not None
        token = self.app.access.sign_in(self.email, self.password)
        return {"x-api-key": self.api_key, "Authorization": f"Bearer {token}"}


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
    token_life: float = DEFAULT_LIFE,
) -> Fleet:
    """The application, its world and what opens its doors. The caller closes the world.

    permissions: what the token may do, None for everything. tokens: more tokens with their permissions. hourly:
    requests an hour for each token, in virtual time. token_life: seconds a MiDM session lasts, in virtual time.
    """
    world = World.open(data_dir, devices=devices, seed=seed, speed=speed, scenario=scenario, clock=VirtualClock(start))
    app = create_app(
        world,
        scenario=scenario,
        documented_only=documented_only,
        tokens={TOKEN: permissions, **(tokens or {})},
        hourly=hourly,
        account=Account(API_KEY, EMAIL, PASSWORD),
        token_life=token_life,
    )
    return Fleet(app, world, TOKEN, world.organization, API_KEY, EMAIL, PASSWORD, world.site)
