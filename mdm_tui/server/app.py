"""The ASGI application of both contracts: guards and routing, and for Applivery tokens, permissions, bodies, replays.

The operations are in `applivery` and `midm`; MiDM's access and bodies are in `midm.endpoint`.
"""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import secrets
from collections.abc import Iterable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from .applivery import validation
from .applivery.call import Call, Operation
from .applivery.envelope import ApiError, bad_token, forbidden, invalid, no_token, not_found, ok
from .applivery.operations import OPERATIONS
from .budget import Budget
from .faults import Faults
from .midm import endpoint as midm
from .midm.access import DEFAULT_LIFE, Access, Account
from .midm.envelope import OTA, PORTAL, Refusal
from .midm.operations import OPERATIONS as MIDM_OPERATIONS
from .reading import NotJson, TooLarge, WrongKind, parse_json, read_body
from .replay import Replays
from .world import World
from .world.errors import InUse, NoPush, NotCancellable, NotThere

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
    routes = _applivery_routes(_Gate(world, tokens, budget), documented_only)
    access = None if account is None else Access(account, world.clock, token_life, budget)
    if access is not None:
        routes += _midm_routes(midm.Gate(world, access, not documented_only), documented_only)
    return FleetServer(world, routes, access, scenario, frozenset(hosts))


def _applivery_routes(gate: _Gate, documented_only: bool) -> list[Route]:
    paths: dict[str, dict[str, Operation]] = {}
    for operation in OPERATIONS:
        if operation.documented or not documented_only:
            paths.setdefault(operation.path, {})[operation.method] = operation
    return [Route(BASE_PATH + path, _Endpoint(gate, methods)) for path, methods in paths.items()]


def _midm_routes(gate: midm.Gate, documented_only: bool) -> list[Route]:
    return [
        Route(operation.path, midm.Endpoint(gate, {operation.method: operation}))
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


class _Gate:
    """What every operation of one server shares."""

    def __init__(self, world: World, tokens: dict[str, set[str] | None], budget: Budget | None) -> None:
        self.world = world
        self._budget = budget
        self.replays = Replays(world.database, world.clock)
        self._tokens = {token.encode(): permissions for token, permissions in tokens.items()}

    def enter(self, request: Request, operation: Operation) -> bytes:
        """Check token and permission; the token. Raises ApiError."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise no_token()
        given = token.encode("utf-8", "surrogateescape")
        for known, permissions in self._tokens.items():
            if secrets.compare_digest(known, given):
                if self._budget is not None:
                    self._budget.spend(given)
                if operation.permission and permissions is not None and operation.permission not in permissions:
                    raise forbidden()
                return given
        raise bad_token()

    def ids(self, request: Request) -> dict[str, str]:
        """Path parameters, checked. Raises ApiError."""
        ids = dict(request.path_params)
        organization = ids.pop("organizationId")
        if not validation.ORGANIZATION_PATTERN.fullmatch(organization):
            raise invalid("organizationId", "must be 24 hexadecimal digits or a slug")
        if organization.lower() not in (self.world.organization, self.world.slug):
            raise not_found()
        for name, value in ids.items():
            if not validation.ID_PATTERN.fullmatch(value):
                raise invalid(name, "must be 24 hexadecimal digits")
        return ids


class _Endpoint:
    """One path with its methods, as a small ASGI application."""

    def __init__(self, gate: _Gate, methods: dict[str, Operation]) -> None:
        self._gate = gate
        self._methods = methods

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except ApiError as error:
            response = error.response()
        except NotThere:
            response = not_found().response()
        except NotCancellable:
            response = ApiError(400, 5106, "Command is not in a cancellable state").response()
        except NoPush:
            response = ApiError(400, 5173, "No pushNotification token configured").response()
        except InUse as used:
            response = ApiError(409, 409, f"Policy is assigned to {used.count} devices").response()
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        operation = self._methods.get(request.method)
        if operation is None:
            raise ApiError(405, 405, "Method not allowed", headers={"Allow": ", ".join(sorted(self._methods))})
        token = self._gate.enter(request, operation)
        ids = self._gate.ids(request)
        raw = await _read(request)
        body = _parse(request, raw) if operation.body else None
        call = Call(self._gate.world, ids, request.query_params, body, request.scope.get("fleet.shift", 0))
        key = request.headers.get("idempotency-key") if operation.replayable else None
        if key is not None:
            return self._replayed(request, operation, call, key, token, raw)
        result: Any = operation.handler(call)
        if inspect.isawaitable(result):
            result = await result
        return result if isinstance(result, Response) else ok(result)

    def _replayed(
        self, request: Request, operation: Operation, call: Call, key: str, token: bytes, raw: bytes
    ) -> Response:
        """The first answer to a key is the answer to it for a day; work and memory of it are one transaction."""
        if not 0 < len(key) <= 255:
            raise invalid("Idempotency-Key", "must have 1 to 255 characters")
        scope = hashlib.sha256(b"\0".join((token, operation.method.encode(), request.url.path.encode())))
        replays = self._gate.replays
        # The response headers show whether the answer is a repetition.
        known = replays.find(scope.hexdigest(), key, raw)
        if known is not None:
            return Response(known, 200, {"Idempotent-Replayed": "true"}, media_type="application/json")
        with call.world.database.transaction():
            response = ok(operation.handler(call))
            replays.keep(scope.hexdigest(), key, raw, bytes(response.body))
        return response


async def _read(request: Request) -> bytes:
    try:
        return await read_body(request)
    except TooLarge:
        raise ApiError(413, 413, "Body larger than 1 MiB") from None


def _parse(request: Request, raw: bytes) -> Any:
    try:
        return parse_json(request, raw)
    except WrongKind as wrong:
        raise ApiError(415, 415, f"Content-Type must be {wrong}") from None
    except NotJson as error:
        raise invalid("(body)", f"is not JSON: {error}") from None


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
