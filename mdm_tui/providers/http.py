"""The one transport: the only module that knows httpx, so that another library can take its place here.

What every provider gets from it: an address that must be https (http only to this machine), no redirects, secrets in
headers and nowhere else, bounded answers, errors as `FleetError` with a sentence, retries for reads alone,
a pause when the service asks for one, and a budget.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
import os
import random
import ssl
import time
from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx

from mdm_tui import __version__
from mdm_tui.fleet.errors import FleetError, Kind, Sent
from mdm_tui.fleet.provider import Meter
from mdm_tui.fleet.text import clean
from mdm_tui.fleet.values import age

from .address import address
from .auth import Auth
from .body import BodyError, Inflate, decode, encode
from .broken import broken, proxy_of
from .budget import Budget, Skew
from .calls import Call, Said, advice, again, hide_in, refusal

__all__ = ["Call", "Http", "Said"]

T = TypeVar("T")

# A read waits this long for a pause to end; a longer one is the caller's to show.
PATIENCE = 5.0
# Bodies from this size on are read on a worker thread: a page of 100 devices takes tens of milliseconds.
OFF_LOOP = 16 * 1024
_FIRST_DELAY = 0.4
# So often a call is made anew because its session had ended: others may use up each new one before its turn comes.
_RENEWALS = 3
# Below the five seconds after which common servers drop an idle connection.
_KEEP_ALIVE = 4.0

# What the first request would import on the event loop, for 30 ms and more; this module is imported in a thread.
for _late in ("anyio._backends._asyncio", "httpcore._backends.anyio"):
    with contextlib.suppress(ImportError):
        importlib.import_module(_late)

# These log whole addresses, and at the lowest level headers.
logging.getLogger("httpx").setLevel(logging.WARNING)
logging.getLogger("httpcore").setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: bytes
    headers: httpx.Headers


class _Signed(httpx.Auth):
    """Puts the provider's headers on a request as it leaves, redirects and proxies have none of their own."""

    def __init__(self, auth: Auth, call: Call) -> None:
        self.session = auth.session
        """The session under which the request left: while it waited for a connection, another may have come."""
        self._auth, self._call = auth, call

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        self.session = self._auth.session
        request.headers.update(self._auth.headers(self._call))
        yield request


class Http:
    """A connection to one service.

    auth: who asks. explain: reads a refusal's JSON (None when there was none).
    timeout: seconds each for sending and for every wait on the answer. transport, clock (epoch seconds), sleep and
    rand are given by tests.
    """

    def __init__(
        self,
        base_url: str,
        auth: Auth,
        *,
        explain: Callable[[int, Any], Said],
        timeout: float = 30.0,
        read_only: bool = False,
        ca_file: str = "",
        budget: int = 10_000,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        rand: Callable[[], float] = random.random,
    ) -> None:
        base, self.host, local = address(base_url)
        auth.check(self.host)
        self.auth = auth
        self._explain, self._read_only = explain, read_only
        self._clock, self._sleep, self._rand = clock, sleep, rand
        self._budget, self._skew = Budget(budget, clock), Skew()
        self._deadline = 4 * timeout
        # A proxy from the environment is for the outside, never for this machine.
        self._client = _client(base, timeout, proxies=not local, ca_file=ca_file, transport=transport)
        self._proxy = "" if local or transport is not None else proxy_of(self._client.base_url.host)

    @property
    def meter(self) -> Meter:
        """Calls of the last hour."""
        return self._budget.meter

    @property
    def clock_skew(self) -> float | None:
        """The service's clock minus ours in seconds, None while unknown."""
        return self._skew.seconds

    async def aclose(self) -> None:
        """Close the connections."""
        await self.auth.aclose()
        await self._client.aclose()

    async def ask(self, call: Call, read: Callable[[Any], T]) -> T:
        """Make the call and give its JSON to `read`, off the event loop when it is large. Raises `FleetError` only.

        Reads are tried again, at most three times in all and twice after a timeout, when nothing was sent, when the
        connection broke, and on 429, 502, 503, 504. A call that was refused because its session was lost is made again
        under a new one, three times at most, where the refusal proves it (see `Auth.proves`), so that nothing was done;
        a read once after one that may mean it. Nothing else is ever sent twice.
        """
        if self._read_only and call.method != "GET" and not call.opens:
            what = f"{call.where} was not sent: this connection may only read"
            raise FleetError(Kind.READ_ONLY, what, where=call.where, sent=Sent.NEVER)
        if self._client.is_closed:
            what = f"{call.where} was not sent: the connection to {self.host} is closed"
            raise FleetError(Kind.UNREACHABLE, what, where=call.where, sent=Sent.NEVER)
        if call.opens:
            return await self._tried(call, read, _Signed(self.auth, call))
        doubts = 0
        for left in range(_RENEWALS, -1, -1):
            await self.auth.begin(self.ask)
            signed = _Signed(self.auth, call)
            try:
                found = await self._tried(call, read, signed)
            except FleetError as error:
                refused = error
            else:
                self.auth.proved(signed.session)
                return found
            # Only an answer that can be read proves anything.
            if not left or refused.sent is not Sent.ANSWERED:
                raise refused
            if not self.auth.proves(refused):
                doubts += 1
                if call.method != "GET" or doubts > 1:
                    raise refused
            if not await self.auth.renew(self.ask, signed.session, refused):
                raise refused
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def _tried(self, call: Call, read: Callable[[Any], T], signed: _Signed) -> T:
        tries = call.tries if call.method == "GET" else 1
        for attempt in range(1, tries + 1):
            await self._gate(call)
            found = await self._once(call, read, signed)
            if not isinstance(found, FleetError):
                return found[0]
            last = attempt >= (min(tries, 2) if found.kind is Kind.TIMEOUT else tries)
            if last or not again(found):
                raise found
            wait = found.retry_after
            if wait is None:
                wait = _FIRST_DELAY * 2 ** (attempt - 1) * (0.5 + self._rand())
            if wait > PATIENCE:
                raise found
            await self._sleep(wait)
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def _gate(self, call: Call) -> None:
        """Wait out a short pause, refuse in a long one, then count the call."""
        wait = self._budget.paused_for
        if 0 < wait <= PATIENCE and call.method == "GET":
            await self._sleep(wait)
            wait = self._budget.paused_for
        if wait > 0:
            what = f"{self.host} asked this console to wait; {age(wait)} are left"
            raise FleetError(Kind.RATE_LIMITED, what, where=call.where, retry_after=wait, sent=Sent.NEVER)
        self._budget.take(call.purpose, call.where)

    async def _once(self, call: Call, read: Callable[[Any], T], signed: _Signed) -> tuple[T] | FleetError:
        # The failure is returned, not raised from the handler: the library's exception, which holds the request
        # with its header, must not hang on ours.
        failed: Exception
        status: int | None = None
        try:
            async with asyncio.timeout(self._deadline):
                answer = await self._exchange(call, signed)
            status = answer.status
            if 200 <= status < 300:
                return (await self._understood(answer, call, read),)
        except FleetError as error:
            # The frames it comes from hold the answer, in which a service may repeat a secret.
            return error.with_traceback(None)
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, OSError, BodyError) as error:
            failed = error
        else:
            return self._refusal(call, answer)
        if isinstance(failed, BodyError):
            return _unusable(self.host, call, failed, status)
        return broken(call, failed, self.host, self._proxy)

    async def _exchange(self, call: Call, signed: _Signed) -> _Answer:
        body, headers = _packed(call)
        path, params = call.path.lstrip("/"), call.params or None
        request = self._client.build_request(call.method, path, params=params, content=body, headers=headers)
        started = self._clock()
        response = await self._client.send(request, stream=True, auth=signed)
        try:
            self._skew.note(response.headers.get("date"), started, self._clock())
            if response.is_stream_consumed:
                answer = response.content
            else:
                inflate = Inflate(response.headers.get("content-encoding", ""))
                async for chunk in response.aiter_raw():
                    inflate.feed(chunk)
                answer = inflate.end()
        except (BodyError, httpx.HTTPError) as error:
            if response.status_code >= 300:
                # What it says is lost, what it means is in the status.
                return _Answer(response.status_code, b"", response.headers)
            if isinstance(error, httpx.RemoteProtocolError | httpx.ReadError):
                raise BodyError(Kind.UNREADABLE, "sent an answer that stops in the middle") from None
            raise
        finally:
            await response.aclose()
        return _Answer(response.status_code, answer, response.headers)

    async def _understood(self, answer: _Answer, call: Call, read: Callable[[Any], T]) -> T:
        if not answer.body.strip():
            if not call.empty:
                raise BodyError(Kind.UNREADABLE, f"answered {answer.status} without a body")
            return read(None)

        def work() -> T:
            document = decode(answer.body)
            try:
                return read(document)
            except BodyError:
                raise
            except FleetError as error:
                if not error.where:
                    error.where = call.where
                error.todo = error.todo or advice(call, error.kind)
                hide_in(error, (*self.auth.hidden, *call.hide))
                raise
            except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
                raise BodyError(Kind.UNREADABLE, "sent an answer of another shape than the contract's") from None

        if len(answer.body) >= OFF_LOOP:
            return await asyncio.to_thread(work)
        return work()

    def _refusal(self, call: Call, answer: _Answer) -> FleetError:
        error = refusal(
            call,
            self.host,
            answer.status,
            answer.headers,
            answer.body,
            explain=self._explain,
            now=self._clock(),
            # Services have been seen to repeat what was wrong: no secret may come back that way.
            hide=(*self.auth.hidden, *call.hide),
        )
        if error.retry_after:
            self._budget.pause(error.retry_after)
        return error


def _client(
    base: str, timeout: float, *, proxies: bool, ca_file: str, transport: httpx.AsyncBaseTransport | None
) -> httpx.AsyncClient:
    verify = _trust(ca_file, plain=base.startswith("http:"))
    headers = {"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": f"mdm-tui/{__version__}"}
    try:
        # Its name is decoded when it is first looked at, which would be in the middle of a call.
        _host = httpx.URL(base).host
    except (httpx.InvalidURL, ValueError):
        raise FleetError(
            Kind.CONFIG, "The address of the connection has no name that can be looked up", sent=Sent.NEVER
        ) from None
    try:
        return httpx.AsyncClient(
            base_url=base,
            headers=headers,
            timeout=httpx.Timeout(timeout, connect=min(timeout, 10.0), pool=min(timeout, 10.0)),
            limits=httpx.Limits(max_connections=8, max_keepalive_connections=4, keepalive_expiry=_KEEP_ALIVE),
            follow_redirects=False,
            trust_env=proxies,
            verify=verify,
            transport=transport,
        )
    except (httpx.InvalidURL, ValueError, ImportError):
        # All else that it is given is fixed. A proxy's address may hold a password: it is not repeated.
        what = "The proxy that the environment names cannot be used"
        todo = "Set HTTPS_PROXY to http://host:port, or take the proxy variables away (NO_PROXY as well)."
        raise FleetError(Kind.CONFIG, what, sent=Sent.NEVER, todo=todo) from None


def _packed(call: Call) -> tuple[bytes | None, dict[str, str]]:
    """The body of a call and the headers that are its own. Raises `FleetError` INVALID, before anything leaves."""
    headers = {"Idempotency-Key": call.key} if call.key else {}
    if call.body is None:
        return None, headers
    try:
        return encode(call.body), {**headers, "Content-Type": "application/json"}
    except (ValueError, RecursionError):
        what = f"{call.where} was not sent: it holds a value that JSON cannot say"
        raise FleetError(Kind.INVALID, what, where=call.where, sent=Sent.NEVER) from None


def _unusable(host: str, call: Call, error: BodyError, status: int | None) -> FleetError:
    what = f"{host} {error.what}, in answer to {call.where}"
    # The service may well have done what was asked: only the words about it are lost.
    sent = Sent.ANSWERED if call.method == "GET" else Sent.MAYBE
    return FleetError(error.kind, what, where=call.where, status=status, sent=sent)


def _trust(ca_file: str, *, plain: bool) -> ssl.SSLContext:
    """Who is trusted: the authorities of ca_file alone, else those that SSL_CERT_FILE or the system names.

    Verification is always on; for an http address, which must be local, the context trusts nobody and is cheap.
    """
    if plain:
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    named = f"ca_file {clean(ca_file, 200)}"
    try:
        if ca_file:
            return ssl.create_default_context(cafile=ca_file)
        named = f"SSL_CERT_FILE {clean(os.environ.get('SSL_CERT_FILE', ''), 200)}"
        context = httpx.create_ssl_context(trust_env=True)
        if not os.environ.get("SSL_CERT_FILE"):
            # The library's own bundle lacks what a company has given to its machines.
            context.load_default_certs()
    except (OSError, ValueError) as error:
        raise _no_certificates(named, error) from None
    return context


def _no_certificates(named: str, error: Exception) -> FleetError:
    if isinstance(error, OSError) and not isinstance(error, ssl.SSLError) and error.errno:
        what = f"{named} cannot be read: {os.strerror(error.errno).lower()}"
    else:
        what = f"{named} holds no certificates that can be read"
    todo = "Give a PEM file with the authority's certificate, then try again."
    return FleetError(Kind.CONFIG, what, sent=Sent.NEVER, todo=todo)
