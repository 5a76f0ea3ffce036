"""The transport and a session that can be lost: renewed once for all, and no call made twice that may have worked."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from mdm_tui.fleet.errors import FleetError, Kind, Sent
from mdm_tui.fleet.provider import Purpose
from mdm_tui.providers.applivery.refusals import explain
from mdm_tui.providers.auth import Auth, Bearer
from mdm_tui.providers.http import Call, Http
from tests.faulty import Answer, Faulty, Reset, Status

READ = Call("GET", "/things", Purpose.LIST)
WRITE = Call("POST", "/things", Purpose.EDIT, body={"a": 1})


class Numbered(Auth):
    """A session whose token is its number; renewing takes a call of its own."""

    def __init__(self) -> None:
        self.number, self.renewals = 1, 0

    def headers(self, call: Call) -> dict[str, str]:
        return {} if call.opens else {"Authorization": f"t{self.number}", "X-Api-Key": "key-canary"}

    @property
    def hidden(self) -> tuple[str, ...]:
        return ("key-canary",)

    @property
    def session(self) -> int:
        return self.number

    async def renew(self, ask, session: int, error: FleetError) -> bool:
        if error.kind is not Kind.SIGNED_OUT:
            return False
        if session == self.number:
            self.renewals += 1
            self.number += 1
            await ask(Call("POST", "/open", Purpose.EDIT, opens=True), lambda node: node)
        return True


def connect(net: Faulty, **more) -> tuple[Http, Numbered]:
    async def sleep(seconds: float) -> None:
        await asyncio.sleep(0)

    auth = Numbered()
    return Http("http://127.0.0.1:9", auth, explain=explain, transport=net, sleep=sleep, **more), auth


def paths(net: Faulty) -> list[str]:
    return [seen.path for seen in net.seen]


@pytest.mark.parametrize("call", [READ, WRITE])
async def test_a_lost_session_is_renewed_and_the_call_made_once_more(call: Call) -> None:
    net = Faulty().plan(Status(401), Answer({}), Answer({"ok": True}))
    http, auth = connect(net)
    assert await http.ask(call, lambda node: node) == {"ok": True}
    assert (paths(net), auth.renewals) == (["/things", "/open", "/things"], 1)
    assert [seen.headers.get("authorization") for seen in net.seen] == ["t1", None, "t2"]


async def test_it_is_renewed_three_times_at_most() -> None:
    net = Faulty().plan(*[Status(401), Answer({})] * 3, Status(401))
    http, auth = connect(net)
    with pytest.raises(FleetError) as caught:
        await http.ask(WRITE, lambda node: node)
    assert (caught.value.kind, auth.renewals, len(net.seen)) == (Kind.SIGNED_OUT, 3, 7)


async def test_a_change_is_made_again_only_after_what_proves_that_nothing_was_done() -> None:
    def read(node: dict) -> object:
        if "lost" in node:
            raise FleetError(Kind.SIGNED_OUT, "The session may have ended")
        return node

    net = Faulty().plan(Answer({"lost": 1}), Answer({}), Answer({"ok": True}), Answer({"lost": 1}))
    http, auth = connect(net)
    assert await http.ask(READ, read) == {"ok": True}
    with pytest.raises(FleetError):
        await http.ask(WRITE, read)
    assert (paths(net), auth.renewals) == (["/things", "/open", "/things", "/things"], 1)


async def test_what_may_have_worked_is_not_made_again() -> None:
    for fault in (Reset(after=True), Status(503), Answer(b"{")):
        net = Faulty(httpx.MockTransport(lambda request: httpx.Response(200, json={}))).plan(fault)
        http, auth = connect(net)
        with pytest.raises(FleetError) as caught:
            await http.ask(WRITE, lambda node: node)
        assert (caught.value.sent, auth.renewals, len(net.seen)) == (Sent.MAYBE, 0, 1)


async def test_a_connection_that_may_only_read_may_sign_in() -> None:
    net = Faulty().plan(Status(401), Answer({}), Answer({"ok": True}))
    http, _ = connect(net, read_only=True)
    assert await http.ask(READ, lambda node: node) == {"ok": True}
    with pytest.raises(FleetError) as caught:
        await http.ask(WRITE, lambda node: node)
    assert caught.value.kind is Kind.READ_ONLY


async def test_no_header_of_ours_follows_a_redirect() -> None:
    net = Faulty().plan(Status(307, location="https://elsewhere.example/?k=key-canary"))
    http, _ = connect(net)
    with pytest.raises(FleetError) as caught:
        await http.ask(WRITE, lambda node: node)
    assert (caught.value.kind, len(net.seen)) == (Kind.REDIRECT, 1)
    assert "key-canary" not in str(caught.value)


async def test_a_refusal_with_a_success_status_repeats_no_secret() -> None:
    def read(node: object) -> None:
        raise FleetError(Kind.REFUSED, f"The service refused ({node})", code="E-key-canary")

    http, _ = connect(Faulty().plan(Answer({"message": "bad key key-canary"})))
    with pytest.raises(FleetError) as caught:
        await http.ask(READ, read)
    assert "key-canary" not in repr((caught.value, caught.value.args, caught.value.__dict__))


def test_a_bearer_never_prints() -> None:
    assert "tok-1" not in repr(Bearer("tok-1")) + repr(Bearer("tok-1").__dict__)
