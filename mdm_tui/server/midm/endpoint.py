"""One operation of MiDM as a small ASGI application: access, body, the handler, the envelope."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ..applivery.envelope import ApiError
from ..reading import NotJson, TooLarge, WrongKind, parse_form, parse_json, read_body
from ..world import World
from ..world.errors import NotThere, Refused
from .access import Access
from .call import Call, Operation
from .envelope import Refusal, against_rule, bad_value, no_device, not_there


@dataclass(frozen=True, slots=True)
class Gate:
    """What every operation of one server shares. inferred: see `Call`."""

    world: World
    access: Access
    inferred: bool


class Endpoint:
    """Answers the path of an operation, which has one method; an idempotency header means nothing here, as nothing is
    known of one."""

    def __init__(self, gate: Gate, operation: Operation) -> None:
        self._gate = gate
        self._operation = operation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; what is refused is answered in the envelope of its part."""
        portal = self._operation.portal
        try:
            response = await self._answer(Request(scope, receive))
        except Refusal as refusal:
            response = refusal.response(portal)
        except ApiError as error:
            response = Refusal(error.status, error.code, error.message, headers=error.headers).response(portal)
        except NotThere as missing:
            refusal = no_device() if missing.what == "device" else not_there(missing.what)
            response = refusal.response(portal)
        except Refused as refused:
            response = against_rule(str(refused)).response(portal)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        operation, gate = self._operation, self._gate
        if request.method != operation.method:
            raise Refusal(405, 405, "method not allowed", headers={"Allow": operation.method})
        token = gate.access.enter(request, session=operation.session)
        shift = request.scope.get("fleet.shift", 0)
        body = await _body(request, operation)
        call = Call(gate.world, gate.access, token, request.query_params, body, shift, gate.inferred)
        result: Any = operation.handler(call)
        return await result if inspect.isawaitable(result) else result


async def _body(request: Request, operation: Operation) -> Any:
    try:
        raw = await read_body(request)
        if not operation.body:
            return None
        return parse_json(request, raw) if operation.body == "json" else parse_form(request, raw)
    except TooLarge:
        raise Refusal(413, 413, "body larger than 1 MiB") from None
    except WrongKind as wrong:
        # 415 would mean a session that ended.
        raise Refusal(415, 416, f"Content-Type must be {wrong}") from None
    except NotJson as error:
        raise bad_value("body", f"is not JSON: {error}") from None
