"""Bad input end to end: a real port that misbehaves, a whole session before it, in virtual time.

Each case: the fault is said in a sentence with what to do, nothing known is lost, the next try is planned, and the
session is well again by itself once the fault is gone.
"""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from mdm_tui.fleet.errors import Kind, Sent
from mdm_tui.services.session import Session
from mdm_tui.services.sync import SyncState
from mdm_tui.store.mirror import View

from .badinput import DEVICES, Fault, Station, envelope, rows
from .virtual import VirtualClock

# The longest that a session waits before it looks whether a fault is gone, with its jitter.
PATIENCE = 301.0
_LIST = b'{"status": true, "data": {"items": [{"id": "665f00000000000000000001", "displayName": "Do'

Build = Callable[..., Station]


@pytest.fixture
async def station(tmp_path: Path, clock: VirtualClock) -> AsyncIterator[Build]:
    made: list[Station] = []

    def make(**options: object) -> Station:
        made.append(Station(tmp_path, clock, **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for one in made:
        await one.close()


def said(session: Session, place: Station, kind: Kind, phase: str, *words: str) -> SyncState:
    """What holds of every failure; the state."""
    state = session.sync.state
    error = state.error
    assert error is not None
    assert (error.kind, state.phase) == (kind, phase), error.sentence()
    sentence = error.sentence()
    for word in words:
        assert word in sentence
    assert sentence.startswith(error.what.rstrip(".")) and sentence.endswith(f". {error.advice}")
    assert len(sentence.splitlines()) == 1 and sentence.endswith(".") and sentence[0].isprintable()
    assert place.fleet.token not in sentence
    assert "Traceback" not in sentence and "Error" not in sentence
    assert state.next_at is not None and state.next_at > place.clock.now()
    assert state.attempts > 0
    assert state.walked is None
    return state


async def broken(session: Session, clock: VirtualClock) -> None:
    await clock.until(lambda: session.sync.state.error is not None, within=60)


async def well(session: Session, clock: VirtualClock) -> None:
    await clock.until(lambda: session.sync.state.phase == "fresh", within=PATIENCE)
    assert session.sync.state.error is None
    assert session.sync.state.attempts == 0
    assert len(rows(session)) == DEVICES


FAULTS = {
    "web page": (Fault(200, b"<html><body>Sign in</body></html>", {"content-type": "text/html"}),
                 Kind.UNREADABLE, "stale", ("web page instead of JSON", "check the address")),
    "cut JSON": (Fault(200, _LIST), Kind.UNREADABLE, "stale", ("JSON that stops in the middle", "check the address")),
    "cut connection": (Fault(200, _LIST, lost=4000), Kind.UNREADABLE, "stale", ("an answer that stops in the middle",)),
    "empty": (Fault(200), Kind.UNREADABLE, "stale", ("without a body",)),
    "no JSON": (Fault(200, b"OK"), Kind.UNREADABLE, "stale", ("not JSON", "check the address")),
    "a number": (Fault(200, b"42"), Kind.UNREADABLE, "stale", ("check the address",)),
    "null": (Fault(200, b"null"), Kind.UNREADABLE, "stale", ("check the address",)),
    "no data": (Fault(200, b'{"status": true}'), Kind.UNREADABLE, "stale", ("check the address",)),
    "data is text": (Fault(200, b'{"status": true, "data": "many"}'), Kind.UNREADABLE, "stale", ("check the address",)),
    "items is an object": (Fault(200, b'{"status": true, "data": {"items": {"a": 1}}}'), Kind.UNREADABLE, "stale",
                           ("check the address",)),
    "too deep": (Fault(200, b"[" * 5000 + b"]" * 5000), Kind.UNREADABLE, "stale", ("nested deeper",)),
    "a refusal that says 200": (envelope(200, 5017, "Not now"), Kind.REFUSED, "stale",
                                ("Not now", "Check the connection's organisation")),
    "redirect": (Fault(302, headers={"location": "https://login.example/"}), Kind.REDIRECT, "stale",
                 ("https://login.example/", "set the final address")),
    "400": (envelope(400, 3000, "Bad sort"), Kind.INVALID, "stale", ("400", "Bad sort", "check the connection's")),
    "401": (envelope(401, 4002, "No auth token"), Kind.SIGNED_OUT, "signed_out", ("401", "Give valid credentials")),
    "401 bare": (Fault(401), Kind.SIGNED_OUT, "signed_out", ("401", "Give valid credentials")),
    "403": (envelope(403, 4003, "Forbidden"), Kind.FORBIDDEN, "stale", ("403", "mdm.aosp.device.list", "permission")),
    "404": (envelope(404, 3001, "Entity not found"), Kind.NOT_FOUND, "stale", ("404", "organization or address")),
    "404 page": (Fault(404, b"<h1>nginx</h1>", {"content-type": "text/html"}), Kind.NOT_FOUND, "stale",
                 ("404", "a web page", "organization or address")),
    "409": (envelope(409, 5106, "Conflict"), Kind.CONFLICT, "stale", ("409", "look again")),
    "429": (envelope(429, 429, "Too many requests", retry_after="90"), Kind.RATE_LIMITED, "paused",
            ("waits as long as the service asked",)),
    "429 without a time": (Fault(429), Kind.RATE_LIMITED, "paused", ("waits as long as the service asked",)),
    "500": (envelope(500, 5000, "Internal"), Kind.SERVER, "stale", ("500", "tries again by itself")),
    "502": (Fault(502, b"<html>bad gateway</html>", {"content-type": "text/html"}), Kind.SERVER, "stale",
            ("502", "a web page", "tries again by itself")),
    "503": (Fault(503), Kind.SERVER, "stale", ("503", "tries again by itself")),
    "504": (Fault(504), Kind.SERVER, "stale", ("504", "tries again by itself")),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
async def test_an_answer_that_is_no_use(
    station: Build, clock: VirtualClock, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    fault, kind, phase, words = FAULTS[name]
    place = station()
    session = await place.started()
    known = rows(session)
    assert len(known) == DEVICES
    last_ok = session.sync.state.last_ok
    place.front.fault = fault
    await broken(session, clock)
    state = said(
        session, place, kind, phase, f"127.0.0.1:{place.served.port}" if kind is not Kind.REFUSED else "", *words
    )
    assert state.last_ok == last_ok, "the age is that of the last look that succeeded"
    assert session.writable == ("TOKEN" if phase == "signed_out" else "")
    # However long it lasts, and with the slow walks that take away what is gone.
    await clock.advance(1900)
    assert rows(session) == known
    assert session.sync.state.attempts > state.attempts
    place.front.fault = None
    await well(session, clock)
    assert session.writable == ""
    assert not [record for record in caplog.records if record.exc_info], "a slip of ours"


@pytest.mark.parametrize(
    "name", ["web page", "cut connection", "items is an object", "401", "403", "404", "429", "503"]
)
async def test_the_same_at_the_first_look(station: Build, clock: VirtualClock, name: str) -> None:
    fault, kind, phase, words = FAULTS[name]
    place = station()
    place.front.fault = fault
    session = await place.started()
    state = said(session, place, kind, phase, *words)
    assert (rows(session), state.last_ok) == ([], None)
    place.front.fault = None
    await well(session, clock)


async def test_nobody_answers_for_a_while(station: Build, clock: VirtualClock) -> None:
    place = station()
    session = await place.started()
    known = rows(session)
    place.served.stop()
    await broken(session, clock)
    state = said(session, place, Kind.UNREACHABLE, "stale", "refused the connection", "Check the address")
    assert state.error is not None and state.error.sent is Sent.NEVER
    await clock.advance(1900)
    assert rows(session) == known
    place.served.start()
    await well(session, clock)


async def test_a_name_that_nobody_knows(station: Build, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    place = station()
    # Another machine's name service must not decide how long this takes.
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    session = await place.started(url="https://fleet.invalid/v1")
    state = said(session, place, Kind.UNREACHABLE, "stale", "The name fleet.invalid was not found", "Check the address")
    assert state.error is not None and state.error.sent is Sent.NEVER


async def test_a_wrong_token_until_the_right_one_is_in_its_file(station: Build, clock: VirtualClock) -> None:
    place = station()
    session = await place.started()
    known = rows(session)
    await session.stop()
    place.write_token("wrong-token")
    session = await place.started()
    said(session, place, Kind.SIGNED_OUT, "signed_out", "401", "Give valid credentials")
    assert "wrong-token" not in str(session.sync.state)
    assert session.writable == "TOKEN"
    assert rows(session) == known, "the last known fleet stays on the screen"
    place.write_token(place.fleet.token)
    await well(session, clock)
    assert session.writable == ""


async def test_a_token_file_that_others_may_read_until_it_is_closed(station: Build, clock: VirtualClock) -> None:
    place = station()
    place.token_file.chmod(0o644)
    session = await place.started()
    said(session, place, Kind.SIGNED_OUT, "signed_out", "mode 0644", f"chmod 600 {place.token_file}")
    assert place.front.asked == 0
    place.token_file.chmod(0o600)
    await well(session, clock)


@pytest.mark.parametrize("organization", ["f" * 24, "another-organisation"])
async def test_a_wrong_organisation(station: Build, clock: VirtualClock, organization: str) -> None:
    place = station()
    right = await place.started()
    known = rows(right)
    await right.stop()
    session = await place.started(organization=organization)
    said(session, place, Kind.NOT_FOUND, "stale", "404", organization, "organization or address is wrong")
    assert rows(session) == []
    await session.stop()
    again = await place.started()
    assert rows(again) == known
    assert again.sync.state.phase == "fresh"


NOW = datetime.now(UTC)
PAST = {"not_before": NOW - timedelta(days=9), "not_after": NOW - timedelta(days=2)}


def issue(path: Path, authority: trustme.CA, name: str = "127.0.0.1", **times: datetime) -> Path:
    path.unlink(missing_ok=True)
    authority.issue_cert(name, **times).private_key_and_cert_chain_pem.write_to_path(str(path))
    return path


def trust(path: Path, authority: trustme.CA) -> str:
    path.unlink(missing_ok=True)
    authority.cert_pem.write_to_path(str(path))
    return str(path)


@pytest.mark.parametrize(
    ("name", "times", "words"),
    [
        ("127.0.0.1", PAST, ("has expired", "must renew it")),
        ("fleet.example", {}, ("is for another name", "Check the address")),
    ],
    ids=["expired", "another name"],
)
async def test_a_certificate_goes_bad_until_the_service_has_a_good_one(
    station: Build, clock: VirtualClock, tmp_path: Path, name: str, times: dict[str, datetime], words: tuple[str, ...]
) -> None:
    authority, pem = trustme.CA(), tmp_path / "server.pem"
    place = station(pem=issue(pem, authority))
    session = await place.started(ca_file=trust(tmp_path / "company.pem", authority))
    known = rows(session)
    assert len(known) == DEVICES
    place.served.stop()
    issue(pem, authority, name, **times)
    place.served.start()
    await broken(session, clock)
    asked = place.front.asked
    state = said(session, place, Kind.TLS, "stale", *words)
    assert state.error is not None and state.error.sent is Sent.NEVER
    await clock.advance(1900)
    assert (rows(session), place.front.asked) == (known, asked)
    place.served.stop()
    issue(pem, authority)
    place.served.start()
    await well(session, clock)


@pytest.mark.parametrize("before", ["missing", "garbage", "another"])
async def test_a_ca_file_that_is_no_use_until_the_right_one_is_there(
    station: Build, clock: VirtualClock, tmp_path: Path, before: str
) -> None:
    authority, path = trustme.CA(), tmp_path / "company.pem"
    place = station(pem=issue(tmp_path / "server.pem", authority))
    kind, words = Kind.CONFIG, ("ca_file", str(path), "no such file", "PEM")
    if before == "garbage":
        path.write_bytes(b"garbage")
        words = ("ca_file", str(path), "holds no certificates", "PEM")
    elif before == "another":
        trust(path, trustme.CA())
        kind, words = Kind.TLS, ("an authority that this machine does not know", "ca_file")
    session = await place.started(ca_file=str(path))
    said(session, place, kind, "stale", *words)
    assert place.front.asked == 0
    trust(path, authority)
    await well(session, clock)


async def test_rows_of_wrong_types_cost_themselves_alone(station: Build, clock: VirtualClock) -> None:
    place = station()
    session = await place.started()
    good = {"id": "665f00000000000000000001", "displayName": 7, "tags": "kiosk", "state": ["ACTIVE"], "hardwareInfo": 3}
    items = [good, "text", 42, None, [], {"displayName": "no id"}, {"id": {"a": 1}}]
    paging = {"totalDocs": "7", "limit": None, "page": "one", "hasNextPage": "no"}
    place.front.fault = Fault(200, json.dumps({"status": True, "data": {"items": items, **paging}}).encode())
    session.sync.poke()
    await clock.settle()
    assert session.sync.state.phase == "fresh"
    shown = session.mirror.first(View(session.scope), 100)[1]
    new = [row for row in shown if row.unreadable]
    assert len(new) == len(items) - 1
    assert good["id"] in {row.id for row in shown if not row.unreadable}
