"""A network that misbehaves on request: an `httpx` transport around a real one, with faults from a plan.

    net = Faulty(httpx.ASGITransport(app))      # or Faulty() with only scripted answers
    net.plan(Status(503), Reset(after=True))    # the next two requests; then all is well again
    net.rule(Cut(40), method="POST")            # every matching request, until `net.calm()`

`net.seen` holds every request that reached the transport, in order. Each fault says whether the service got the
request: `after=True` faults run the real answer first, so that the service has done what was asked.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import ssl
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

__all__ = [
    "Answer", "ConnectTimeout", "Cut", "Delay", "Dns", "Drip", "Fault", "Faulty", "Mangle", "Refused", "Reset", "Seen",
    "Slow", "Status", "Tls", "WrongLength", "gzipped", "page",
]  # fmt: skip


@dataclass(frozen=True)
class Seen:
    """A request as it left. json: the decoded body, None without one."""

    method: str
    url: str
    path: str
    params: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body) if self.body else None


class Body(httpx.AsyncByteStream):
    """A raw body in chunks, with an error at its end if there is one."""

    def __init__(self, *chunks: bytes, error: Exception | None = None) -> None:
        self.chunks, self.error, self.closed = chunks, error, False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self.chunks:
            yield chunk
        if self.error is not None:
            raise self.error

    async def aclose(self) -> None:
        self.closed = True


class Fault:
    """What happens to one request. `inner` gives the real answer, and makes the service act."""

    async def __call__(
        self, request: httpx.Request, inner: Callable[[httpx.Request], Awaitable[httpx.Response]]
    ) -> httpx.Response:
        raise NotImplementedError


@dataclass
class Answer(Fault):
    """A scripted answer; the service never sees the request. body: bytes as they are, else made JSON."""

    body: Any = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)

    async def __call__(self, request, inner):
        raw = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        headers = {"content-type": "application/json", "content-length": str(len(raw))} | self.headers
        return httpx.Response(self.status, headers=headers, stream=Body(raw))


def Status(status: int, code: Any = None, message: str = "", **headers: str) -> Answer:
    """A refusal in the service's envelope (an empty body without code and message); headers with `_` for `-`."""
    error = {key: value for key, value in (("code", code), ("message", message)) if value not in (None, "")}
    body: Any = {"status": False, "error": error} if error else b""
    return Answer(body, status, {name.replace("_", "-"): value for name, value in headers.items()})


@dataclass
class _Raises(Fault):
    after: bool = False

    def error(self, request: httpx.Request) -> Exception:
        raise NotImplementedError

    async def __call__(self, request, inner):
        if self.after:
            answer = await inner(request)
            await answer.aread()
            await answer.aclose()
        raise self.error(request)


class Refused(_Raises):
    """Nobody listens: nothing was sent."""

    def error(self, request):
        return _caused(httpx.ConnectError("refused", request=request), ConnectionRefusedError(111, "refused"))


class Dns(_Raises):
    """The name is not found: nothing was sent."""

    def error(self, request):
        return _caused(httpx.ConnectError("dns", request=request), socket.gaierror(-2, "Name or service not known"))


class Tls(_Raises):
    """The certificate is not trusted: nothing was sent."""

    def error(self, request):
        cause = ssl.SSLCertVerificationError(1, "certificate verify failed")
        return _caused(httpx.ConnectError("certificate verify failed", request=request), cause)


class ConnectTimeout(_Raises):
    """No connection in time: nothing was sent."""

    def error(self, request):
        return httpx.ConnectTimeout("connect", request=request)


class Slow(_Raises):
    """No answer in time. after=True: the service has done it all the same."""

    def error(self, request):
        return httpx.ReadTimeout("read", request=request)


class Reset(_Raises):
    """The connection breaks before an answer. after=True: the service has done it all the same."""

    def error(self, request):
        return httpx.ReadError("reset", request=request)


@dataclass
class Mangle(Fault):
    """The service acts, then its body is changed."""

    change: Callable[[bytes], bytes]
    headers: dict[str, str] = field(default_factory=dict)

    async def __call__(self, request, inner):
        answer = await inner(request)
        raw = self.change(await answer.aread())
        await answer.aclose()
        return httpx.Response(answer.status_code, headers=_headers(answer, raw) | self.headers, stream=Body(raw))


@dataclass
class Cut(Fault):
    """The service acts, then the connection breaks after `at` bytes of the body."""

    at: int = 20

    async def __call__(self, request, inner):
        answer = await inner(request)
        raw = await answer.aread()
        await answer.aclose()
        broken = httpx.RemoteProtocolError("peer closed connection without sending complete message body")
        stream = Body(raw[: self.at], error=broken)
        return httpx.Response(answer.status_code, headers=_headers(answer, raw), stream=stream)


@dataclass
class WrongLength(Fault):
    """The service acts, then a JSON body that lacks its end comes as if it were whole."""

    missing: int = 5

    async def __call__(self, request, inner):
        return await Mangle(lambda raw: raw[: -self.missing])(request, inner)


@dataclass
class Delay(Fault):
    """The answer comes after a while. sleep: give a virtual one."""

    seconds: float
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep

    async def __call__(self, request, inner):
        await self.sleep(self.seconds)
        return await inner(request)


@dataclass
class Drip(Fault):
    """The answer comes when `gate` is set: for cancelling in the middle."""

    gate: asyncio.Event

    async def __call__(self, request, inner):
        answer = await inner(request)
        await self.gate.wait()
        return answer


@dataclass
class _Rule:
    fault: Fault
    method: str
    path: str
    times: int | None


class Faulty(httpx.AsyncBaseTransport):
    """See the module. default: what answers when there is no inner transport and no fault is planned."""

    def __init__(self, inner: httpx.AsyncBaseTransport | None = None, *, default: Fault | None = None) -> None:
        self.inner = inner
        self.default = default
        self.seen: list[Seen] = []
        self._plan: deque[Fault | None] = deque()
        self._rules: list[_Rule] = []

    def plan(self, *faults: Fault | None) -> Faulty:
        """Faults for the next requests, one each; None lets a request through."""
        self._plan.extend(faults)
        return self

    def rule(self, fault: Fault, *, method: str = "", path: str = "", times: int | None = None) -> Faulty:
        """A fault for every request of that method whose path contains `path`, `times` times or until `calm()`."""
        self._rules.append(_Rule(fault, method, path, times))
        return self

    def calm(self) -> None:
        """No more faults."""
        self._plan.clear()
        self._rules.clear()

    def count(self, method: str = "", path: str = "") -> int:
        """How many requests of that kind reached the transport."""
        return sum((not method or one.method == method) and path in one.path for one in self.seen)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        url = request.url
        seen = Seen(request.method, str(url), url.path, dict(url.params), dict(request.headers), body)
        self.seen.append(seen)
        fault = self._next(request)
        if fault is not None:
            return await fault(request, self._real)
        return await self._real(request)

    def _next(self, request: httpx.Request) -> Fault | None:
        if self._plan:
            return self._plan.popleft()
        for rule in self._rules:
            if rule.times != 0 and rule.method in ("", request.method) and rule.path in request.url.path:
                if rule.times is not None:
                    rule.times -= 1
                return rule.fault
        return None

    async def _real(self, request: httpx.Request) -> httpx.Response:
        if self.inner is not None:
            return await self.inner.handle_async_request(request)
        if self.default is not None:
            return await self.default(request, self._real)
        return await Status(404, 3001, "Entity not found")(request, self._real)

    async def aclose(self) -> None:
        if self.inner is not None:
            await self.inner.aclose()


def page(items: list[Any], **more: Any) -> dict[str, Any]:
    """A page of the service with those items; `more` overrules the paging fields."""
    paging = {
        "totalDocs": len(items), "limit": max(len(items), 1), "hasPrevPage": False, "hasNextPage": False, "page": 1,
        "totalPages": 1, "prevPage": 0, "nextPage": 0,
    }  # fmt: skip
    return {"status": True, "data": {"items": items, **paging, **more}}


def gzipped(body: Any, **headers: str) -> Answer:
    """A compressed answer."""
    raw = gzip.compress(body if isinstance(body, bytes) else json.dumps(body).encode())
    return Answer(raw, headers={"content-encoding": "gzip"} | headers)


def _headers(answer: httpx.Response, raw: bytes) -> dict[str, str]:
    kept = {name: value for name, value in answer.headers.items() if name not in ("content-encoding",)}
    return kept | {"content-length": str(len(raw))}


def _caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error
