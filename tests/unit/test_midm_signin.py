"""Signing in to MiDM: once for all who wait, never in a loop, and no secret where it could be read."""

from __future__ import annotations

import asyncio
import logging
import traceback
from typing import Any

import httpx
import pytest

from mdm_tui.fleet.errors import FleetError, Kind, Sent
from tests.contract.midm import SECRETS, SIGNED_IN, TOKEN, connect, fine, refused, signed_in
from tests.faulty import Answer, Faulty, Refused, Reset, Slow, Status

ALL = [*SECRETS.values(), TOKEN]
EMPTY = fine([])
LOST = refused(415, "session expired")


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 1_780_000_000.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)


class Service:
    """A service whose sessions end when told; each sign-in gives the next token. gate: what the sign-in waits for.

    life: calls for which a session is good, 0 for any number.
    """

    def __init__(self) -> None:
        self.tokens = 0
        self.good = 0
        self.gate: asyncio.Event | None = None
        self.calls: list[str] = []
        self.asked = asyncio.Event()
        self.done = 0
        self.life = 0
        self.left = 0

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        self.calls.append(path)
        self.asked.set()
        if path.endswith("/auth"):
            if self.gate is not None:
                await self.gate.wait()
            self.tokens += 1
            self.good, self.left = self.tokens, self.life
            body: dict[str, Any] = {"result": True, "code": "S00000", "token": f"t{self.tokens}"}
            return httpx.Response(200, json=body)
        # The answer comes when others have left as well.
        good = request.headers.get("authorization") == f"Bearer t{self.good}"
        if good and self.life:
            good, self.left = self.left > 0, self.left - 1
        await asyncio.sleep(0)
        if not good:
            return httpx.Response(200, json={"result": False, "code": 415, "message": "session expired"})
        self.done += request.method == "POST"
        data: Any = {"uuid": "g", "profile": {"name": "x"}} if request.method == "POST" else []
        return httpx.Response(200, json={"result": True, "code": 0, "data": data})

    def signs(self) -> int:
        return sum(path.endswith("/auth") for path in self.calls)


async def failure(work) -> FleetError:
    with pytest.raises(FleetError) as caught:
        await work
    return caught.value


async def test_once_for_all_who_wait_at_the_start_and_when_it_ends() -> None:
    service = Service()
    midm = connect(httpx.MockTransport(service))
    await asyncio.gather(*(midm.devices(page, 10) for page in range(1, 7)))
    assert service.signs() == 1
    service.good = 0
    await asyncio.gather(*(midm.devices(page, 10) for page in range(1, 6)), midm.create_group("x"))
    assert (service.signs(), service.done, len(service.calls)) == (2, 1, 1 + 6 + 6 + 1 + 6)


async def test_a_late_refusal_of_an_older_session_does_not_end_the_new_one() -> None:
    service = Service()
    midm = connect(httpx.MockTransport(service))
    await midm.groups()
    for _ in range(5):
        service.good = 0
        await asyncio.gather(midm.groups(), midm.devices(1, 10))
    assert service.signs() == 6


async def test_who_began_the_sign_in_may_be_cancelled() -> None:
    service = Service()
    service.gate = asyncio.Event()
    midm = connect(httpx.MockTransport(service))
    first, second = asyncio.create_task(midm.groups()), asyncio.create_task(midm.devices(1, 10))
    await service.asked.wait()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    service.gate.set()
    assert (await second).items == []
    assert service.signs() == 1


async def test_closing_while_it_signs_in_is_a_sentence_and_no_cancelling() -> None:
    service = Service()
    service.gate = asyncio.Event()
    midm = connect(httpx.MockTransport(service))
    waiting = asyncio.create_task(failure(midm.groups()))
    await service.asked.wait()
    await midm.aclose()
    error = await waiting
    assert (error.kind, error.sent) == (Kind.UNREACHABLE, Sent.NEVER)


async def test_a_session_that_is_never_good_ends_after_two_sign_ins() -> None:
    net = Faulty().plan(SIGNED_IN, LOST, SIGNED_IN, LOST, LOST)
    midm = connect(net)
    first = await failure(midm.groups())
    later = await failure(midm.groups())
    assert (first.kind, later.kind) == (Kind.SIGNED_OUT, Kind.SIGNED_OUT)
    assert [seen.path.rsplit("/", 1)[-1] for seen in net.seen] == ["auth", "all", "auth", "all", "all"]


@pytest.mark.parametrize(
    "answer",
    [
        refused("E00410", "bad password"),
        refused(410, "bad password", status=401),
        refused(411, "api key", status=401),
        refused("E00422", "password too short", status=400),
        Status(403),
    ],
)
async def test_a_refused_sign_in_is_not_tried_again(answer: Answer) -> None:
    net = Faulty().plan(answer)
    midm = connect(net)
    errors = [await failure(midm.groups()), await failure(midm.create_group("x"))]
    errors += await asyncio.gather(*(failure(midm.devices(page, 10)) for page in (1, 2)))
    assert len(net.seen) == 1
    for error in errors:
        assert (error.kind, error.sent) == (Kind.SIGNED_OUT, Sent.NEVER)
        assert "The sign-in of ops@example.com was refused" in error.sentence()
        assert "not tried again by itself" in error.sentence()


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Refused(), Kind.UNREACHABLE),
        (Reset(after=True), Kind.UNREACHABLE),
        (Slow(), Kind.TIMEOUT),
        (Status(503), Kind.SERVER),
        (refused("E00500", "", status=500), Kind.SERVER),
        (Answer(b"<html>"), Kind.UNREADABLE),
        (Answer({"result": True, "code": "S00000", "data": {}}), Kind.UNREADABLE),
        (Answer({"result": True, "token": "two words"}), Kind.UNREADABLE),
        (Status(404), Kind.CONFIG),
        (Status(302, location="https://elsewhere.example/"), Kind.REDIRECT),
    ],
)
async def test_a_sign_in_that_failed_leaves_the_call_unsent(fault: Any, kind: Kind) -> None:
    net = Faulty(httpx.MockTransport(Service())).plan(fault)
    midm = connect(net)
    error = await failure(midm.create_group("x"))
    assert (error.kind, error.sent) == (kind, Sent.NEVER)
    assert "/portal/V1/auth" in error.where
    assert (await midm.create_group("x")).id == "g", "the next call signs in anew"


async def test_a_pause_holds_for_the_sign_in_as_well() -> None:
    clock = Clock()
    net = Faulty(httpx.MockTransport(Service())).plan(Status(429, retry_after="60"))
    midm = connect(net, clock=clock, sleep=clock.sleep)
    error = await failure(midm.groups())
    assert (error.kind, error.retry_after) == (Kind.RATE_LIMITED, 60.0)
    assert (await failure(midm.groups())).kind is Kind.RATE_LIMITED
    assert len(net.seen) == 1
    clock.now += 61
    assert await midm.groups() == []


@pytest.mark.parametrize(
    "document",
    [
        {"result": True, "data": {"access_token": "tok"}},
        {"result": True, "token": "tok"},
        {"result": True, "data": {"token": "tok"}},
        {"code": "S00000", "data": [], "token": "tok"},
    ],
)
async def test_the_token_is_found_where_it_may_be(document: dict[str, Any]) -> None:
    net = Faulty().plan(Answer(document), EMPTY)
    await connect(net).groups()
    assert net.seen[1].headers["authorization"] == "Bearer tok"
    assert net.seen[0].json == {"email": "ops@example.com", "password": SECRETS["password"], "type": "email"}
    assert "authorization" not in net.seen[0].headers


@pytest.mark.parametrize("life", [8, 16, 40])
async def test_sessions_that_end_after_a_few_calls_are_renewed_again(life: int) -> None:
    service = Service()
    service.life = life
    midm = connect(httpx.MockTransport(service))
    made = await asyncio.gather(*(midm.create_group("x") for _ in range(24)))
    assert (len(made), service.done) == (24, 24), "each made, none twice"
    assert service.signs() == -(-24 // life)


async def test_a_renewal_that_the_service_refuses_is_the_last() -> None:
    refusals = [refused("E00410", "bad password")]
    net = Faulty().plan(SIGNED_IN, LOST, *refusals)
    midm = connect(net)
    errors = [await failure(midm.create_group("x")), await failure(midm.groups())]
    assert [error.kind for error in errors] == [Kind.SIGNED_OUT] * 2
    assert len(net.seen) == 3


@pytest.mark.parametrize(
    ("answer", "posts"),
    [
        (refused(400, "license model exhausted"), 1),
        (refused(400, "", status=400), 1),
        (refused(401, "who?"), 1),
        (refused(410, "who?"), 1),
        (refused(415, "session expired"), 2),
        (refused(None, "", status=401), 2),
    ],
)
async def test_a_change_is_made_again_only_when_the_session_was_surely_lost(answer: Answer, posts: int) -> None:
    midm, net = signed_in(EMPTY, answer, SIGNED_IN, fine({"uuid": "g", "profile": {"name": "x"}}))
    await midm.groups()
    if posts == 2:
        assert (await midm.create_group("x")).id == "g"
    else:
        error = await failure(midm.create_group("x"))
        assert error.sent is Sent.ANSWERED
    assert sum(seen.path.endswith("group/save") for seen in net.seen) == posts


async def test_a_code_400_that_outlives_a_new_session_is_a_refusal() -> None:
    midm, net = signed_in(EMPTY, refused(400, "what?"), SIGNED_IN, refused(400, "what?"))
    await midm.groups()
    error = await failure(midm.find_apps(1, 10))
    assert (error.kind, len(net.seen)) == (Kind.INVALID, 5)


async def test_a_connection_that_may_only_read_signs_in() -> None:
    midm, net = signed_in(EMPTY, read_only=True)
    assert await midm.groups() == []
    error = await failure(midm.create_group("x"))
    assert (error.kind, error.sent, len(net.seen)) == (Kind.READ_ONLY, Sent.NEVER, 2)


@pytest.mark.parametrize("name", ["api_key", "password"])
@pytest.mark.parametrize("value", ["", "two words", "line\nbreak", "tök"])
def test_secrets_that_cannot_be_used(name: str, value: str) -> None:
    if name == "password" and value:
        connect(None, secrets=SECRETS | {name: value})
        return
    with pytest.raises(FleetError) as caught:
        connect(None, secrets=SECRETS | {name: value})
    assert (caught.value.kind, caught.value.sent) == (Kind.SIGNED_OUT, Sent.NEVER)
    assert not value or value not in repr(caught.value)


async def test_no_secret_in_errors_logs_and_reprs(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    echo = " ".join(ALL)
    answers = [
        refused(403, echo),
        refused(403, echo, status=403),
        refused(echo, echo),
        Status(302, location=f"https://elsewhere.example/{TOKEN}"),
        Reset(after=True),
        Answer(echo.encode()),
    ]
    written: list[str] = []
    for answer in answers:
        midm, _ = signed_in(answer)
        error = await failure(midm.create_group("x"))
        written += [repr(error), str(error), error.sentence(), repr(error.__dict__), repr(midm), repr(midm.__dict__)]
        client = midm._client  # type: ignore[attr-defined]
        written += [repr(client.__dict__), repr(client.http.__dict__), repr(client.http.auth.__dict__)]
        written += traceback.TracebackException.from_exception(error, capture_locals=True).format()
    # Before the first session the service can repeat no more than these two.
    echo = " ".join(SECRETS.values())
    for answer in (refused("E1", echo, status=401), refused(echo, echo), Answer(echo.encode()), Slow()):
        error = await failure(connect(Faulty().plan(answer)).groups())
        written += [repr(error), str(error), repr(error.__dict__)]
        written += traceback.TracebackException.from_exception(error, capture_locals=True).format()
    text = "".join(written) + caplog.text
    assert [line for line in text.splitlines() if any(secret in line for secret in ALL)] == []
    assert "(secret)" in text
