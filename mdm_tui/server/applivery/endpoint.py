"""One path of Applivery with its methods, as a small ASGI application: tokens, permissions, bodies, replays."""

from __future__ import annotations

import hashlib
import inspect
import secrets
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ..budget import Budget
from ..reading import NotJson, TooLarge, WrongKind, parse_json, read_body
from ..replay import Replays
from ..world import World
from ..world.errors import InUse, NoPush, NotCancellable, NotThere
from . import validation
from .call import Call, Operation
from .envelope import ApiError, bad_token, forbidden, invalid, no_token, not_found, ok


class Gate:
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


class Endpoint:
    """One path with its methods, as a small ASGI application."""

    def __init__(self, gate: Gate, methods: dict[str, Operation]) -> None:
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
