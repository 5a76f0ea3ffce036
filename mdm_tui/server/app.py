"""The ASGI application of both contracts: guards and routing. The rest is in `applivery` and `midm`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from .applivery import endpoint as applivery
from .applivery.call import Operation
from .applivery.envelope import ApiError, not_found
from .applivery.operations import OPERATIONS
from .budget import Budget
from .faults import Faults
from .midm import endpoint as midm
from .midm.access import DEFAULT_LIFE, Access, Account
from .midm.envelope import OTA, PORTAL, Refusal
from .midm.operations import OPERATIONS as MIDM_OPERATIONS
from .world import World

BASE_PATH = "/v1"
LOCAL_HOSTS = frozenset(("127.0.0.1", "localhost", "[::1]"))


def create_app(
    world: World,
    *,
    scenario: str = "calm",
    documented_only: bool = False,
    tokens: dict[str, set[str] | None],
    hosts: Iterable[str] = (),
    hourly: int | None = None,
    account: Account | None = None,
    token_life: float = DEFAULT_LIFE,
) -> FleetServer:
    """The server of one fleet.

    scenario: `flaky` puts faults in the way; `hostile` comes with the world. documented_only: operations that the
    contract only infers answer 404. tokens: bearer token → permission names, None for all. hosts: names besides the
    loopback ones that the Host header may carry. hourly: requests an hour for each token, None for no limit.
    account: who may sign in to MiDM; without one there is no MiDM here. token_life: seconds such a session lasts.
    """
    budget = None if hourly is None else Budget(hourly, world.clock)
    routes = _applivery_routes(applivery.Gate(world, tokens, budget), documented_only)
    access = None if account is None else Access(account, world.clock, token_life, budget)
    if access is not None:
        routes += _midm_routes(midm.Gate(world, access, not documented_only), documented_only)
    return FleetServer(world, routes, access, scenario, frozenset(hosts))


def _applivery_routes(gate: applivery.Gate, documented_only: bool) -> list[Route]:
    paths: dict[str, dict[str, Operation]] = {}
    for operation in OPERATIONS:
        if operation.documented or not documented_only:
            paths.setdefault(operation.path, {})[operation.method] = operation
    return [Route(BASE_PATH + path, applivery.Endpoint(gate, methods)) for path, methods in paths.items()]


def _midm_routes(gate: midm.Gate, documented_only: bool) -> list[Route]:
    return [
        Route(operation.path, midm.Endpoint(gate, operation))
        for operation in MIDM_OPERATIONS
        if operation.documented or not documented_only
    ]


class FleetServer(Starlette):
    """A Starlette application with the guards and the faults outermost, so that faults can break the connection."""

    def __init__(
        self, world: World, routes: list[Route], access: Access | None, scenario: str, hosts: frozenset[str]
    ) -> None:
        super().__init__(
            routes=routes,
            exception_handlers={404: _nothing_here, ApiError: _refusal, Exception: _broken},
        )
        self.router.redirect_slashes = False
        self.world = world
        # Sessions of MiDM.
        self.access = access
        self._hosts = LOCAL_HOSTS | hosts
        self.faults = Faults(world.seed) if scenario == "flaky" else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        refusal = self._guard(scope)
        if refusal is not None:
            await _worded(refusal, scope["path"])(scope, receive, send)
        elif self.faults is not None:
            await self.faults(super().__call__, scope, receive, send)
        else:
            await super().__call__(scope, receive, send)

    def _guard(self, scope: Scope) -> ApiError | None:
        """A browser must not reach this server: neither by another name for it nor from another page."""
        host = None
        for name, value in scope["headers"]:
            if name == b"host":
                host = value.decode("latin-1").lower()
            elif name == b"origin":
                return ApiError(403, 403, "Requests from web pages are not accepted")
        name = (host or "").rsplit(":", 1)[0] if not (host or "").endswith("]") else host
        if name not in self._hosts:
            return ApiError(400, 400, "Unknown Host header")
        return None


async def _nothing_here(request: Request, exc: Exception) -> Response:
    return _worded(not_found(), request.url.path)


async def _refusal(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, ApiError)
    return exc.response()


async def _broken(request: Request, exc: Exception) -> Response:
    return _worded(ApiError(500, 500, "Internal error"), request.url.path)


def _worded(error: ApiError, path: str) -> Response:
    """What went wrong before or beside an operation, in the words of the service that the path belongs to."""
    if not path.startswith((OTA, PORTAL)):
        return error.response()
    return Refusal(error.status, error.status, error.message).response(path.startswith(PORTAL))


async def run_with(world: World, serving: Any) -> None:
    """Run `serving` (an awaitable) with the world's agents beside it; whichever fails ends both."""
    agents = asyncio.ensure_future(world.run())
    server = asyncio.ensure_future(serving)
    try:
        done, _ = await asyncio.wait((agents, server), return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in (agents, server):
            task.cancel()
        await asyncio.gather(agents, server, return_exceptions=True)
