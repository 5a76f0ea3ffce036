"""The transport against real TLS servers: who is trusted, what is said when nobody is, and that no token leaves."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import trustme

from mdm_tui.fleet.errors import FleetError, Kind, Sent
from mdm_tui.fleet.provider import Purpose
from mdm_tui.providers.applivery.refusals import explain
from mdm_tui.providers.auth import Bearer
from mdm_tui.providers.http import Call, Http
from mdm_tui.providers.tls import meaning
from tests.served import Served

TOKEN = "canary-7c1e55a0b9"
READ = Call("GET", "/things", Purpose.LIST)
WRITE = Call("POST", "/things", Purpose.EDIT, body={"a": 1}, key="k-1")
NOW = datetime.now(UTC)
# Names and validity of a certificate; all are for 127.0.0.1 but the one that is for another name.
CERTIFICATES = {
    "good": (["127.0.0.1"], {}),
    "expired": (["127.0.0.1"], {"not_before": NOW - timedelta(days=9), "not_after": NOW - timedelta(days=2)}),
    "early": (["127.0.0.1"], {"not_before": NOW + timedelta(days=2), "not_after": NOW + timedelta(days=9)}),
    "other": (["fleet.example"], {}),
}


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> str:
    path = tmp_path / "company.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


class Service:
    """An ASGI application that remembers what reached it."""

    def __init__(self) -> None:
        self.heard: list[dict[bytes, bytes]] = []

    async def __call__(self, scope, receive, send) -> None:
        self.heard.append(dict(scope["headers"]))
        headers = [(b"content-type", b"application/json"), (b"content-length", b"13")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b'{"fine":true}'})


@contextmanager
def served(tmp_path: Path, authority: trustme.CA, certificate: str) -> Iterator[tuple[int, Service]]:
    """A server on loopback with that certificate ("" for none); its port and what it heard."""
    service, pem = Service(), None
    if certificate:
        names, times = CERTIFICATES[certificate]
        pem = tmp_path / "server.pem"
        authority.issue_cert(*names, **times).private_key_and_cert_chain_pem.write_to_path(str(pem))
    with Served(service, pem=pem) as server:
        yield server.port, service


async def ask(url: str, call: Call = READ, **more: object) -> object:
    http = Http(url, Bearer(TOKEN), explain=explain, **more)
    try:
        return await http.ask(call, lambda node: node)
    finally:
        await http.aclose()


async def refused(url: str, call: Call = READ, **more: object) -> FleetError:
    with pytest.raises(FleetError) as caught:
        await ask(url, call, **more)
    error = caught.value
    assert error.sent is Sent.NEVER
    assert TOKEN not in repr(error) + error.sentence()
    # The library's exception holds the request with its header: it must not hang on ours.
    assert not isinstance(error.__cause__ or error.__context__, httpx.HTTPError)
    assert error.sentence() == f"{error.what}. {error.advice}"
    return error


async def test_a_company_s_own_authority_is_trusted_through_its_ca_file(tmp_path, authority, ca_file) -> None:
    with served(tmp_path, authority, "good") as (port, service):
        for call in (READ, WRITE):
            assert await ask(f"https://127.0.0.1:{port}/v1", call, ca_file=ca_file) == {"fine": True}
    assert [head[b"authorization"] for head in service.heard] == [f"Bearer {TOKEN}".encode()] * 2


@pytest.mark.parametrize("call", [READ, WRITE], ids=["read", "write"])
@pytest.mark.parametrize(
    ("certificate", "trusted", "what", "todo"),
    [
        ("good", False, "signed by an authority that this machine does not know", "Set ca_file"),
        ("other", True, "is for another name", "Check the address of the connection"),
        ("expired", True, "has expired", "must renew it"),
        ("early", True, "is not valid yet", "Check the date of this machine"),
        ("", True, "answered without TLS", "Check the address and the port"),
    ],
    ids=["unknown authority", "other name", "expired", "early", "no TLS"],
)
async def test_who_cannot_be_trusted_gets_nothing_and_is_named(
    tmp_path, authority, ca_file, certificate, trusted, what, todo, call
) -> None:
    with served(tmp_path, authority, certificate) as (port, service):
        error = await refused(f"https://127.0.0.1:{port}/v1", call, ca_file=ca_file if trusted else "")
    assert error.kind is Kind.TLS
    assert f"127.0.0.1:{port}" in error.what
    assert what in error.what
    assert todo in error.advice
    assert service.heard == []


async def test_another_authority_s_ca_file_is_no_help(tmp_path, authority) -> None:
    path = tmp_path / "another.pem"
    trustme.CA().cert_pem.write_to_path(str(path))
    with served(tmp_path, authority, "good") as (port, service):
        error = await refused(f"https://127.0.0.1:{port}/v1", ca_file=str(path))
    assert (error.kind, service.heard) == (Kind.TLS, [])


async def test_an_authority_of_the_environment_is_trusted_unless_the_connection_has_its_own(
    tmp_path, authority, ca_file, monkeypatch
) -> None:
    another = tmp_path / "another.pem"
    trustme.CA().cert_pem.write_to_path(str(another))
    monkeypatch.setenv("SSL_CERT_FILE", ca_file)
    with served(tmp_path, authority, "good") as (port, service):
        assert await ask(f"https://127.0.0.1:{port}/v1") == {"fine": True}
        error = await refused(f"https://127.0.0.1:{port}/v1", ca_file=str(another))
    assert (error.kind, len(service.heard)) == (Kind.TLS, 1)


async def test_http_to_another_machine_is_refused_before_anything_is_looked_up() -> None:
    error = await refused("http://fleet.example:8443/v1")
    assert error.kind is Kind.CONFIG
    assert "must be https" in error.what and "fleet.example" in error.what


async def test_http_to_a_tls_server_on_this_machine_is_a_sentence(tmp_path, authority) -> None:
    with served(tmp_path, authority, "good") as (port, service), pytest.raises(FleetError) as caught:
        await ask(f"http://127.0.0.1:{port}/v1", WRITE)
    error = caught.value
    # Nothing is known of how far it got: a server may hang up for any reason.
    assert (error.kind, error.sent) == (Kind.UNREACHABLE, Sent.MAYBE)
    assert TOKEN not in error.sentence()
    assert service.heard == []


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "no such file"),
        (b"", "no certificates"),
        (b"this is no certificate\n", "no certificates"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "no certificates"),
        (b"\x30\x82\x00\xff\x00", "no certificates"),
        ("key", "no certificates"),
        ("folder", "directory"),
    ],
    ids=["missing", "empty", "text", "torn", "binary", "a key", "a folder"],
)
async def test_a_ca_file_that_is_no_use(tmp_path, authority, content, says) -> None:
    path = tmp_path / "company.pem"
    if content == "key":
        content = authority.private_key_pem.bytes()
    if content == "folder":
        path.mkdir()
    elif content is not None:
        path.write_bytes(content)
    error = await refused("https://127.0.0.1:9/v1", ca_file=str(path))
    assert error.kind is Kind.CONFIG
    assert error.what.startswith(f"ca_file {path} ")
    assert says in error.what
    assert "PEM" in error.advice


async def test_certificates_named_by_the_environment_that_are_not_there(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "gone.pem"))
    error = await refused("https://127.0.0.1:9/v1")
    assert error.kind is Kind.CONFIG
    assert error.what.startswith(f"SSL_CERT_FILE {tmp_path}/gone.pem ")


def test_a_failure_nobody_foresaw_keeps_its_own_words() -> None:
    what, todo = meaning(ssl.SSLError(1, "[SSL: TLSV1_ALERT_PROTOCOL_VERSION] tlsv1 alert"), "host")
    assert what.startswith("No trusted connection to host: ")
    assert todo == ""
