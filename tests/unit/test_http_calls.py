"""The transport: what is sent, what is tried again, what each fault is called. Time is virtual throughout."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import threading
import traceback

import httpx
import pytest

from mdm_tui.fleet.errors import FleetError, Kind, Sent
from mdm_tui.fleet.provider import Purpose
from mdm_tui.providers.applivery.refusals import explain
from mdm_tui.providers.auth import Bearer
from mdm_tui.providers.body import DECODED_LIMIT, WIRE_LIMIT, BodyError, decode
from mdm_tui.providers.deep import Deep
from mdm_tui.providers.http import OFF_LOOP, Call, Http
from tests.faulty import (
    Answer,
    ConnectTimeout,
    Cut,
    Dns,
    Faulty,
    Refused,
    Reset,
    Slow,
    Status,
    Tls,
    WrongLength,
    gzipped,
)

TOKEN = "canary-5f1d0c7e2b"
NOW = 1_780_000_000.0
READ = Call("GET", "/things", Purpose.LIST, permission="things.read")
WRITE = Call("POST", "/things", Purpose.EDIT, body={"a": 1}, key="k-1")


class Secret:
    """As the configuration's: masked wherever it is printed."""

    def reveal(self) -> str:
        return TOKEN

    def __repr__(self) -> str:
        return "Secret(***)"


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = NOW
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def connect(net, clock=None, **more):
    clock = clock or Clock()
    more = {"explain": explain, "transport": net, "clock": clock, "sleep": clock.sleep, "rand": lambda: 0.5} | more
    return Http("http://127.0.0.1:9/v1", Bearer(Secret()), **more)


def same(document):
    return document


async def refused(http, call=READ, read=same) -> FleetError:
    with pytest.raises(FleetError) as caught:
        await http.ask(call, read)
    return caught.value


async def test_a_read_carries_the_token_in_the_header_alone() -> None:
    net = Faulty().plan(Answer({"ok": True}))
    assert await connect(net).ask(Call("GET", "/a%2Fb", Purpose.LIST, params=(("q", "x y"),)), same) == {"ok": True}
    seen = net.seen[0]
    assert seen.headers["authorization"] == f"Bearer {TOKEN}"
    assert seen.url == "http://127.0.0.1:9/v1/a%2Fb?q=x+y" or seen.url == "http://127.0.0.1:9/v1/a%2Fb?q=x%20y"
    assert seen.headers["accept-encoding"] == "gzip"
    assert TOKEN not in seen.url and TOKEN.encode() not in seen.body


async def test_a_write_carries_its_key_and_is_json() -> None:
    net = Faulty().plan(Answer({"ok": True}))
    await connect(net).ask(WRITE, same)
    assert net.seen[0].headers["idempotency-key"] == "k-1"
    assert net.seen[0].json == {"a": 1}
    assert "idempotency-key" not in (await _one(READ)).headers


async def test_a_body_that_json_cannot_say_never_leaves_and_half_a_pair_goes_as_it_came() -> None:
    net = Faulty(default=Answer({"status": True, "data": {}}))
    error = await refused(connect(net), Call("POST", "/things", Purpose.EDIT, body={"a": [float("inf")]}))
    assert (error.kind, error.sent, net.seen) == (Kind.INVALID, Sent.NEVER, [])
    await connect(net).ask(Call("POST", "/things", Purpose.EDIT, body={"a": "\ud800", "b": "ü"}), same)
    assert net.seen[0].json == {"a": "\ud800", "b": "ü"}
    assert net.seen[0].headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("name", "value"),
    [("ALL_PROXY", "socks5://127.0.0.1:1"), ("NO_PROXY", "[::"), ("HTTPS_PROXY", "gopher://u:canary@127.0.0.1:1")],
)
def test_a_proxy_that_cannot_be_used_is_a_sentence_without_its_password(monkeypatch, name, value) -> None:
    for other in ("ALL_PROXY", "NO_PROXY", "HTTPS_PROXY", "HTTP_PROXY"):
        monkeypatch.delenv(other, raising=False)
        monkeypatch.delenv(other.lower(), raising=False)
    monkeypatch.setenv(name, value)
    with pytest.raises(FleetError, match="The proxy that the environment names") as error:
        Http("https://mdm.example/v1", Bearer(Secret()), explain=explain)
    assert (error.value.kind, error.value.sent) == (Kind.CONFIG, Sent.NEVER)
    assert "canary" not in error.value.sentence()


def test_an_address_whose_name_cannot_be_looked_up_is_said_before_anything_is_asked() -> None:
    with pytest.raises(FleetError, match="no name that can be looked up") as error:
        Http("https://xn--/v1", Bearer(Secret()), explain=explain)
    assert error.value.kind is Kind.CONFIG


async def _one(call):
    net = Faulty().plan(Answer({}))
    await connect(net).ask(call, same)
    return net.seen[0]


FAULTS = [
    # fault, kind of a read, kind of a write, how far the write got, a piece of the sentence
    (Refused(), Kind.UNREACHABLE, Sent.NEVER, "refused the connection"),
    (Dns(), Kind.UNREACHABLE, Sent.NEVER, "was not found"),
    (Tls(), Kind.TLS, Sent.NEVER, "No trusted connection"),
    (ConnectTimeout(), Kind.TIMEOUT, Sent.NEVER, "could not be reached in time"),
    (Slow(), Kind.TIMEOUT, Sent.MAYBE, "did not answer"),
    (Reset(), Kind.UNREACHABLE, Sent.MAYBE, "broke during"),
    (Answer(b"<!doctype html><h1>Sign in</h1>"), Kind.UNREADABLE, Sent.MAYBE, "web page instead of JSON"),
    (Answer(b"\r\n <html></html>"), Kind.UNREADABLE, Sent.MAYBE, "web page instead of JSON"),
    (Answer(b'{"status": true, "data": {"items": ['), Kind.UNREADABLE, Sent.MAYBE, "stops in the middle"),
    (Answer(b'{"status": true, "data": "abc'), Kind.UNREADABLE, Sent.MAYBE, "stops in the middle"),
    (Answer(b"hello"), Kind.UNREADABLE, Sent.MAYBE, "not JSON (at character 0)"),
    (Answer(b""), Kind.UNREADABLE, Sent.MAYBE, "answered 200 without a body"),
    (Answer(b"", 204), Kind.UNREADABLE, Sent.MAYBE, "answered 204 without a body"),
    (Answer(b"[" * 100_000), Kind.UNREADABLE, Sent.MAYBE, "nested deeper"),
    (Answer(b"[" * 65 + b"]" * 65), Kind.UNREADABLE, Sent.MAYBE, "nested deeper"),
    (Answer(b"{}", headers={"content-encoding": "br"}), Kind.UNREADABLE, Sent.MAYBE, "not asked for"),
    (Answer(b"not gzip", headers={"content-encoding": "gzip"}), Kind.UNREADABLE, Sent.MAYBE, "broken gzip"),
    (
        Answer(gzip.compress(b'{"a": 1}')[:-6], headers={"content-encoding": "gzip"}),
        Kind.UNREADABLE,
        Sent.MAYBE,
        "stops in the middle",
    ),
    (
        Status(301, location="https://elsewhere.example/v1"),
        Kind.REDIRECT,
        Sent.ANSWERED,
        "pointed to https://elsewhere",
    ),
    (Status(307), Kind.REDIRECT, Sent.ANSWERED, "pointed to nowhere"),
    (Status(400, 5209, "Invalid input"), Kind.INVALID, Sent.ANSWERED, "400 (5209, Invalid input)"),
    (Status(400, 5173, "No pushNotification token configured"), Kind.REFUSED, Sent.ANSWERED, "5173"),
    (Status(401, 4004, "Invalid Token"), Kind.SIGNED_OUT, Sent.ANSWERED, "401 (4004, Invalid Token)"),
    (Status(401, 4002, "No auth token"), Kind.SIGNED_OUT, Sent.ANSWERED, "4002"),
    (Status(401, 4001, "Unauthorized"), Kind.FORBIDDEN, Sent.ANSWERED, "4001"),
    (Status(403), Kind.FORBIDDEN, Sent.ANSWERED, "403 (forbidden)"),
    (Status(404, 3001, "Entity not found"), Kind.NOT_FOUND, Sent.ANSWERED, "3001, Entity not found"),
    (Answer(b"<html>", 404), Kind.NOT_FOUND, Sent.ANSWERED, "404 (a web page)"),
    (Status(405), Kind.UNSUPPORTED, Sent.ANSWERED, "405"),
    (Status(409, 1, "changed"), Kind.CONFLICT, Sent.ANSWERED, "changed"),
    (Status(412), Kind.CONFLICT, Sent.ANSWERED, "412"),
    (Status(413), Kind.REFUSED, Sent.ANSWERED, "413"),
    (Status(418), Kind.REFUSED, Sent.ANSWERED, "418"),
    (Status(422), Kind.INVALID, Sent.ANSWERED, "422"),
    (Status(429, 429, "Too many requests"), Kind.RATE_LIMITED, Sent.ANSWERED, "Too many requests"),
    (Status(500), Kind.SERVER, Sent.MAYBE, "500 (internal server error)"),
    (Answer(b"<html>Bad gateway</html>", 502), Kind.SERVER, Sent.MAYBE, "502 (a web page)"),
    (Status(503), Kind.SERVER, Sent.MAYBE, "503"),
    (Status(504), Kind.SERVER, Sent.MAYBE, "504"),
    (Status(599), Kind.SERVER, Sent.MAYBE, "599 (no reason given)"),
    (Answer(b'{"error": [1, 2]}', 500), Kind.SERVER, Sent.MAYBE, "500"),
    (Answer(b'"just text"', 400), Kind.INVALID, Sent.ANSWERED, "400 (bad request)"),
]


@pytest.mark.parametrize(("fault", "kind", "sent", "words"), FAULTS, ids=lambda value: None)
async def test_every_fault_is_a_sentence_that_says_where(fault, kind, sent, words) -> None:
    for call in (READ, WRITE):
        net = Faulty(default=fault)
        error = await refused(connect(net), call)
        assert error.kind is kind
        assert words in error.what
        assert "127.0.0.1:9" in error.what
        assert error.where == f"{call.method} /things"
        assert error.sentence().startswith(error.what.rstrip("."))
        assert error.what.isprintable()
        if call is WRITE:
            assert error.sent is sent
            assert net.count() == 1, "a write is never sent twice"


@pytest.mark.parametrize("fault", [Refused(), Dns(), Reset(), Status(502), Status(503), Status(504), Cut(3)])
async def test_reads_are_tried_three_times_with_growing_waits(fault) -> None:
    net, clock = Faulty(Faulty(default=Answer({"a": 1}))).rule(fault), Clock()
    await refused(connect(net, clock))
    assert net.count() == 3
    assert clock.slept == [0.4, 0.8]


async def test_a_read_succeeds_once_the_fault_is_over() -> None:
    net = Faulty(default=Answer({"a": 1})).plan(Reset(), Status(503))
    assert await connect(net).ask(READ, same) == {"a": 1}
    assert net.count() == 3


@pytest.mark.parametrize(
    "fault", [Status(400), Status(401), Status(403), Status(404), Status(409), Status(500), Status(302), Tls()]
)
async def test_reads_are_not_tried_again_where_it_cannot_help(fault) -> None:
    net = Faulty(default=fault)
    await refused(connect(net))
    assert net.count() == 1


async def test_a_slow_service_is_asked_twice_at_most() -> None:
    net = Faulty(default=Slow())
    await refused(connect(net))
    assert net.count() == 2


async def test_a_cut_body_is_no_answer_and_a_write_is_unknown() -> None:
    net = Faulty(Faulty(default=Answer({"status": True, "data": {"id": "1"}}))).rule(Cut(9))
    error = await refused(connect(net), WRITE)
    assert (error.kind, error.sent) == (Kind.UNREADABLE, Sent.MAYBE)
    assert "stops in the middle" in error.what
    net.calm()
    net.rule(WrongLength(2))
    assert (await refused(connect(net), WRITE)).sent is Sent.MAYBE


async def test_a_cut_error_body_still_says_what_the_status_means() -> None:
    net = Faulty(Faulty(default=Status(403, 1, "no"))).rule(Cut(3))
    error = await refused(connect(net))
    assert (error.kind, error.permission) == (Kind.FORBIDDEN, "things.read")
    assert "(needs things.read)" in error.sentence()


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
async def test_read_only_sends_nothing_but_reads(method) -> None:
    net = Faulty(default=Answer({}))
    http = connect(net, read_only=True)
    error = await refused(http, Call(method, "/things", Purpose.EDIT))
    assert (error.kind, error.sent) == (Kind.READ_ONLY, Sent.NEVER)
    assert net.seen == [] and http.meter.used == 0
    assert await http.ask(READ, same) == {}


async def test_after_closing_nothing_is_sent() -> None:
    net = Faulty(default=Answer({}))
    http = connect(net)
    await http.aclose()
    error = await refused(http, WRITE)
    assert (error.kind, error.sent, net.seen) == (Kind.UNREACHABLE, Sent.NEVER, [])


# pauses


async def test_retry_after_pauses_everything_until_it_is_over() -> None:
    net, clock = Faulty(default=Answer({})).plan(Status(429, retry_after="60")), Clock()
    http = connect(net, clock)
    error = await refused(http)
    assert (error.kind, error.retry_after, net.count()) == (Kind.RATE_LIMITED, 60.0, 1)
    assert http.meter.paused_until == NOW + 60
    for call in (READ, WRITE):
        held = await refused(http, call)
        assert (held.kind, held.sent, held.retry_after) == (Kind.RATE_LIMITED, Sent.NEVER, 60.0)
    assert net.count() == 1
    clock.now += 61
    assert await http.ask(WRITE, same) == {}


async def test_a_short_pause_is_waited_out_by_reads_and_refuses_writes() -> None:
    net, clock = Faulty(default=Answer({})).plan(Status(429, retry_after="3")), Clock()
    http = connect(net, clock)
    assert await http.ask(READ, same) == {}
    assert clock.slept == [3.0]
    net.plan(Status(503, retry_after="2"))
    assert (await refused(http, WRITE)).status == 503
    assert (await refused(http, WRITE)).sent is Sent.NEVER
    assert await http.ask(READ, same) == {}
    assert clock.slept == [3.0, 2.0]


async def test_a_clock_that_is_set_back_lengthens_neither_a_pause_nor_the_hour() -> None:
    clock, net = Clock(), Faulty(default=Answer({}))
    http = connect(net, clock, budget=2)
    await http.ask(WRITE, same)
    net.plan(Status(503, retry_after="30"))
    assert (await refused(http, WRITE)).retry_after == 30.0
    clock.now -= 86_400.0
    assert (await refused(http, WRITE)).retry_after == 30.0
    clock.now += 31.0
    assert "is used up" in (await refused(http, WRITE)).what
    clock.now += 3_600.0
    assert await http.ask(WRITE, same) == {}


async def test_retry_after_may_be_a_date_by_the_services_own_clock() -> None:
    headers = {"date": "Wed, 21 Oct 2026 07:28:00 GMT", "retry_after": "Wed, 21 Oct 2026 07:28:30 GMT"}
    error = await refused(connect(Faulty().plan(Status(429, **headers))))
    assert error.retry_after == 30.0


@pytest.mark.parametrize(
    ("value", "seconds"), [("", 2.0), ("soon", 2.0), ("-5", 0.0), ("99999999", 3600.0), ("nan", 2.0)]
)
async def test_a_strange_retry_after_is_bounded(value, seconds) -> None:
    error = await refused(connect(Faulty(default=Status(429, retry_after=value))), WRITE)
    assert error.retry_after == seconds


async def test_429_without_a_header_waits_two_seconds() -> None:
    net, clock = Faulty(default=Answer({})).plan(Status(429)), Clock()
    assert await connect(net, clock).ask(READ, same) == {}
    assert clock.slept == [2.0]


# the budget


async def test_the_hour_rolls_and_lists_leave_room_for_commands() -> None:
    net, clock = Faulty(default=Answer({})), Clock()
    http = connect(net, clock, budget=10)
    for _ in range(9):
        await http.ask(READ, same)
    error = await refused(http)
    assert (error.kind, error.sent) == (Kind.RATE_LIMITED, Sent.NEVER)
    assert "budget of 10 calls" in error.what
    await http.ask(Call("POST", "/c", Purpose.COMMANDS), same)
    assert (await refused(http, Call("POST", "/c", Purpose.COMMANDS))).sent is Sent.NEVER
    assert http.meter.by_purpose == {Purpose.LIST: 9, Purpose.COMMANDS: 1}
    clock.now += 3600
    assert (http.meter.used, http.meter.by_purpose[Purpose.LIST]) == (0, 0)
    await http.ask(READ, same)
    assert http.meter.used == 1


async def test_every_try_costs_a_call() -> None:
    http = connect(Faulty(default=Status(503)))
    await refused(http)
    assert http.meter.used == 3


# sizes


async def test_gzip_is_read_and_many_members_too() -> None:
    double = gzip.compress(b'{"a": ') + gzip.compress(b"1}")
    net = Faulty().plan(gzipped({"a": 1}), Answer(double, headers={"content-encoding": "gzip"}))
    http = connect(net)
    assert await http.ask(READ, same) == {"a": 1}
    assert await http.ask(READ, same) == {"a": 1}


async def test_a_bomb_is_stopped_while_it_inflates() -> None:
    bomb = gzip.compress(b" " * (DECODED_LIMIT + 1))
    assert len(bomb) < 64 * 1024
    error = await refused(connect(Faulty(default=Answer(bomb, headers={"content-encoding": "gzip"}))))
    assert error.kind is Kind.TOO_LARGE
    assert "once inflated" in error.what


async def test_a_body_is_given_up_at_the_limit_and_not_read_to_its_end() -> None:
    taken = 0

    class Endless(httpx.AsyncByteStream):
        async def __aiter__(self):
            nonlocal taken
            while True:
                taken += 1
                yield b" " * (1024 * 1024)

    net = httpx.MockTransport(lambda request: httpx.Response(200, stream=Endless()))
    error = await refused(connect(net))
    assert error.kind is Kind.TOO_LARGE
    assert taken == WIRE_LIMIT // (1024 * 1024) + 1


async def test_brackets_inside_text_are_no_nesting() -> None:
    deep = {"name": "[" * 500 + '"' + "{" * 500, "list": [[[]]]}
    assert await connect(Faulty().plan(Answer(deep))).ask(READ, same) == deep


async def test_large_answers_are_read_off_the_loop_and_small_ones_on_it() -> None:
    http = connect(Faulty().plan(Answer(["x" * OFF_LOOP]), Answer([])))
    assert await http.ask(READ, lambda _: threading.get_ident()) != threading.get_ident()
    assert await http.ask(READ, lambda _: threading.get_ident()) == threading.get_ident()


async def test_an_answer_of_another_shape_is_unreadable() -> None:
    error = await refused(connect(Faulty(default=Answer([1]))), READ, lambda node: node["data"]["items"])
    assert error.kind is Kind.UNREADABLE
    assert "another shape" in error.what


async def test_an_empty_answer_is_fine_where_nothing_is_expected() -> None:
    call = Call("DELETE", "/things/1", Purpose.EDIT, empty=True)
    assert await connect(Faulty().plan(Answer(b"", 204))).ask(call, lambda node: node) is None


async def test_what_the_contract_only_infers_may_be_missing() -> None:
    call = Call("GET", "/maybe", Purpose.OTHER, optional=True)
    for fault in (Status(404), Answer(b"<html>", 404), Status(405), Status(501), Status(400, 5138, "Not implemented")):
        assert (await refused(connect(Faulty(default=fault)), call)).kind is Kind.UNSUPPORTED
    assert (await refused(connect(Faulty(default=Status(404, 3001, "x"))), call)).kind is Kind.NOT_FOUND


# clocks


async def test_the_skew_is_the_median_of_five_dates() -> None:
    dates = ["2026-11-20", "nonsense"]
    net = Faulty()
    for seconds in (10, 20, 30, 999, 40, 50):
        moment = httpx_date(NOW + seconds)
        net.plan(Answer({}, headers={"date": moment}))
    net.plan(Answer({}, headers={"date": dates[1]}))
    http = connect(net)
    assert http.clock_skew is None
    for _ in range(7):
        await http.ask(READ, same)
    assert http.clock_skew == 40.5


def httpx_date(stamp: float) -> str:
    from email.utils import formatdate

    return formatdate(stamp, usegmt=True)


# secrets


async def test_no_token_or_password_in_any_error_repr_or_log(caplog) -> None:
    caplog.set_level(logging.DEBUG)
    password = "hunter2-canary"
    call = Call("POST", "/c", Purpose.COMMANDS, body={"newPassword": password}, key="k", hide=(password,))
    echo = Status(400, 5209, f"Invalid Token {TOKEN} for password {password}")
    redirect = Status(302, location=f"https://evil.example/?t={TOKEN}")
    faults = [fault for fault, *_ in FAULTS] + [echo, redirect]
    written: list[str] = [repr(call)]
    for fault in faults:
        http = connect(Faulty(default=fault))
        error = await refused(http, call)
        assert error.__context__ is None and error.__cause__ is None
        written += [repr(error), str(error), error.sentence(), repr(error.__dict__), repr(http.__dict__)]
        written += traceback.TracebackException.from_exception(error, capture_locals=True).format()
    text = "".join(written) + caplog.text
    assert TOKEN not in text and password not in text
    assert "(secret)" in text


@pytest.mark.parametrize("token", ["", "two words", "line\nbreak", "end\n", "tab\t", "über", "nul\0"])
def test_a_token_that_no_header_can_carry_is_refused_without_repeating_it(token) -> None:
    with pytest.raises(FleetError) as caught:
        Http("https://api.example/v1", Bearer(token), explain=explain)
    assert caught.value.kind is Kind.SIGNED_OUT
    assert caught.value.sent is Sent.NEVER
    if token:
        assert token not in repr(caught.value)


# cancelling


async def test_cancelling_closes_the_answer_and_is_not_swallowed() -> None:
    gate, started = asyncio.Event(), asyncio.Event()

    class Hangs(httpx.AsyncByteStream):
        closed = False

        async def __aiter__(self):
            started.set()
            await gate.wait()
            yield b"{}"

        async def aclose(self):
            self.closed = True

    stream = Hangs()
    http = connect(httpx.MockTransport(lambda request: httpx.Response(200, stream=stream)))
    task = asyncio.create_task(http.ask(WRITE, same))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert stream.closed


async def test_numbers_and_bytes_that_are_not_quite_json_do_not_cost_a_page() -> None:
    digits = "1" * 5000
    body = (
        b'{"a": NaN, "b": 1e999, "c": ' + digits.encode() + b', "d": "\xff", "e": "\\ud800", "f": 12345678901234567890}'
    )
    found = await connect(Faulty().plan(Answer(body))).ask(READ, same)
    assert found == {"a": None, "b": "1e999", "c": digits, "d": "\ufffd", "e": "\ud800", "f": 12345678901234567890}


async def test_a_byte_order_mark_is_ignored() -> None:
    body = b"\xef\xbb\xbf" + json.dumps({"a": 1}).encode()
    assert await connect(Faulty().plan(Answer(body))).ask(READ, same) == {"a": 1}


def test_json_cut_anywhere_is_said_to_stop_in_the_middle() -> None:
    from mdm_tui.providers.body import BodyError, decode

    whole = json.dumps({"a": [True, None, False, -1.5e3, 'x"\u00e9\n', {"é": 10}]}).encode()
    for at in range(1, len(whole)):
        with pytest.raises(BodyError, match="stops in the middle"):
            decode(whole[:at])
    for other in (b"OK", b"{'a': 1}", b"42 apples", b'{"a": nil, "b": 1}'):
        with pytest.raises(BodyError) as caught:
            decode(other)
        assert "not JSON" in caught.value.what


def test_a_list_is_cut_by_counting_so_that_no_answer_is_too_deep_for_it() -> None:
    deep = b"[" * 100_000 + b"]" * 100_000
    for body in (b'{"data": [1, %b, {"a": 2}]}', b'{"n": [[3]], "data": {"t": 1, "items": [1, %b, {"a": 2}]}}'):
        found = decode(body % deep)["data"]
        rows = found if isinstance(found, list) else found["items"]
        assert (rows[0], rows[2]) == (1, {"a": 2}) and isinstance(rows[1], Deep)
    for body in (b'{"data": [1], "x": %b}', b'{"x": {"data": [%b]}}', b'{"data": [%b', b"[%b]", b'{"data": [%b, "]}'):
        with pytest.raises(BodyError):
            decode(body % deep)
