"""The flaky scenario: an ASGI layer that delays, refuses, cuts and shifts, by seed and number of the request."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from .midm.envelope import OTA, PORTAL
from .world.chance import mix, unit

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

# Share of requests in a thousand, by fault; the rest go through.
SHARES: dict[str, int] = {
    "limit": 40,
    "error": 40,
    "html": 15,
    "drop": 15,
    "drop_after": 10,
    "cut": 20,
    "slow": 30,
    "shift": 80,
}


class Faults:
    """Wraps an application. `sleep` can be replaced by tests; `plan` tells what befalls request number k."""

    def __init__(self, seed: int, sleep: Callable[[float], Awaitable[Any]] = asyncio.sleep) -> None:
        self._seed = seed
        self._number = 0
        self.sleep = sleep

    def plan(self, number: int) -> str:
        """The fault's name, or an empty text."""
        luck = mix(self._seed, number, 501) % 1000
        for name, share in SHARES.items():
            luck -= share
            if luck < 0:
                return name
        return ""

    async def __call__(self, app: App, scope: Scope, receive: Receive, send: Send) -> None:
        self._number += 1
        number = self._number
        fault = self.plan(number)
        delay = 0.01 + 0.25 * unit(self._seed, number, 502) ** 2
        if fault == "slow":
            delay += 1 + 2 * unit(self._seed, number, 503)
        await self.sleep(delay)
        if fault == "limit":
            seconds = str(1 + mix(self._seed, number, 504) % 3).encode()
            await _send_error(send, scope["path"], 429, "Too many requests", [(b"retry-after", seconds)])
        elif fault == "error":
            status = (500, 502, 503, 504)[mix(self._seed, number, 505) % 4]
            await _send_error(send, scope["path"], status, "Upstream failure")
        elif fault == "html":
            status = (200, 502)[mix(self._seed, number, 506) % 2]
            page = b"<!doctype html><html><body><h1>Sign in to the guest network</h1></body></html>"
            await _send(send, status, page, b"text/html; charset=utf-8")
        elif fault == "drop":
            await _drop(send)
        elif fault == "drop_after":
            await app(scope, receive, _nowhere)
            await _drop(send)
        elif fault == "cut":
            await _cut(app, scope, receive, send)
        else:
            if fault == "shift" and scope["method"] == "GET":
                scope = {**scope, "fleet.shift": 1 + mix(self._seed, number, 507) % 3}
            await app(scope, receive, send)


async def _nowhere(message: Message) -> None:
    """The work is done, the answer is lost."""


async def _drop(send: Send) -> None:
    """End the connection without an answer: uvicorn's transport when there is one, else an error for the caller."""
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is not None:
        transport.abort()
        # Let the server notice before it wonders where the answer is.
        await asyncio.sleep(0)
        return
    raise ConnectionResetError("the flaky scenario dropped the connection")


async def _cut(app: App, scope: Scope, receive: Receive, send: Send) -> None:
    """Send the head and half of the body, then end."""
    start: Message = {}
    body = b""

    async def collect(message: Message) -> None:
        nonlocal start, body
        if message["type"] == "http.response.start":
            start = message
        else:
            body += message.get("body", b"")

    await app(scope, receive, collect)
    await send(start)
    await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
    await _drop(send)


async def _send(
    send: Send, status: int, body: bytes, kind: bytes, headers: list[tuple[bytes, bytes]] | None = None
) -> None:
    head = [(b"content-type", kind), (b"content-length", str(len(body)).encode()), *(headers or [])]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": body})


async def _send_error(
    send: Send, path: str, status: int, message: str, headers: list[tuple[bytes, bytes]] | None = None
) -> None:
    body: dict[str, Any] = {"status": False, "error": {"code": status, "message": message}}
    if path.startswith((OTA, PORTAL)):
        body = {"result": False, "code": f"E{status:05d}" if path.startswith(PORTAL) else status, "message": message}
    await _send(send, status, json.dumps(body).encode(), b"application/json", headers)
