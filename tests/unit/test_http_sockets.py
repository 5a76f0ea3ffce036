"""The transport against real sockets: addresses, redirects between two origins, TLS, broken connections, proxies."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from mdm_tui.fleet.errors import FleetError, Kind, Sent
from mdm_tui.fleet.provider import Purpose
from mdm_tui.providers.address import address
from mdm_tui.providers.applivery.refusals import explain
from mdm_tui.providers.auth import Bearer
from mdm_tui.providers.http import Call, Http

READ = Call("GET", "/things", Purpose.LIST, tries=1)


@asynccontextmanager
async def server(answer: bytes | Callable[[bytes], bytes]) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A TCP server that reads one request head, writes the answer and closes. Gives its port and what it heard."""
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            data = await reader.read(65536)
            heard.append(data)
            writer.write(answer(data) if callable(answer) else answer)
            await writer.drain()
        finally:
            writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield listening.sockets[0].getsockname()[1], heard
    finally:
        listening.close()
        await listening.wait_closed()


async def ask(url: str, call: Call = READ, **more) -> object:
    http = Http(url, Bearer("token-canary"), explain=explain, **more)
    try:
        return await http.ask(call, lambda node: node)
    finally:
        await http.aclose()


async def refused(url: str, call: Call = READ, **more) -> FleetError:
    with pytest.raises(FleetError) as caught:
        await ask(url, call, **more)
    return caught.value


def said(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    head = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", "connection: close", *headers]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
async def test_a_redirect_never_reaches_the_second_origin(method, status) -> None:
    async with server(said(b"{}")) as (second, heard):
        to = f"location: http://127.0.0.1:{second}/v1/things"
        async with server(said(b"", f"{status} Moved", to)) as (first, _):
            error = await refused(f"http://127.0.0.1:{first}/v1", Call(method, "/things", Purpose.OTHER))
        assert heard == []
    assert error.kind is Kind.REDIRECT
    assert error.sent is Sent.ANSWERED
    assert f"127.0.0.1:{second}" in error.what


async def test_something_that_is_no_tls_is_a_tls_error_and_gets_no_token() -> None:
    async with server(b"HTTP/1.1 200 OK\r\n\r\n") as (port, heard):
        error = await refused(f"https://127.0.0.1:{port}/v1")
    assert (error.kind, error.sent) == (Kind.TLS, Sent.NEVER)
    assert "without TLS" in error.what and "port" in error.advice
    assert not any(b"token-canary" in data for data in heard)


async def test_nobody_listening() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        error = await refused(f"http://127.0.0.1:{free.getsockname()[1]}/v1")
    assert (error.kind, error.sent) == (Kind.UNREACHABLE, Sent.NEVER)
    assert "refused the connection" in error.what


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (b"", Kind.UNREACHABLE, "broke during"),
        (b"garbage\r\n\r\n", Kind.UNREACHABLE, "broke during"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{", Kind.UNREADABLE, "stops in the middle"),
        (b'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{"a"', Kind.UNREADABLE, "stops in the middle"),
        (said(b"<html></html>"), Kind.UNREADABLE, "web page"),
    ],
)
async def test_broken_answers(answer, kind, words) -> None:
    async with server(answer) as (port, _):
        for call in (READ, Call("POST", "/things", Purpose.EDIT, body={})):
            error = await refused(f"http://127.0.0.1:{port}/v1", call)
            assert error.kind is kind
            assert words in error.what
            assert call.method == "GET" or error.sent is Sent.MAYBE


async def test_a_service_that_never_answers_times_out() -> None:
    async with server(lambda data: b"") as (port, _):
        pass
    hang = asyncio.Event()

    async def serve(reader, writer):
        await hang.wait()
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    error = await refused(f"http://127.0.0.1:{port}/v1", timeout=0.05)
    hang.set()
    listening.close()
    assert (error.kind, error.sent) == (Kind.TIMEOUT, Sent.MAYBE)


async def test_a_proxy_from_the_environment_is_not_used_for_this_machine(monkeypatch) -> None:
    async with server(said(b'{"proxy": true}')) as (proxy, heard), server(said(b'{"proxy": false}')) as (port, _):
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy}")
        assert await ask(f"http://127.0.0.1:{port}/v1") == {"proxy": False}
        assert heard == []


async def test_a_proxy_from_the_environment_is_used_for_the_outside(monkeypatch) -> None:
    async with server(said(b"", "403 Forbidden")) as (proxy, heard):
        for name in ("HTTPS_PROXY", "https_proxy"):
            monkeypatch.setenv(name, f"http://ana:canary@127.0.0.1:{proxy}")
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        error = await refused("https://service.invalid/v1")
    assert heard and heard[0].startswith(b"CONNECT service.invalid:443")
    assert not any(b"token-canary" in data for data in heard)
    assert (error.kind, error.sent) == (Kind.UNREACHABLE, Sent.NEVER)
    assert error.what == f"The proxy 127.0.0.1:{proxy} would not connect to service.invalid (403)"
    # Nobody listens there any more.
    gone = await refused("https://service.invalid/v1")
    assert (gone.kind, gone.sent) == (Kind.UNREACHABLE, Sent.NEVER)
    assert gone.what == f"The proxy 127.0.0.1:{proxy} refused the connection"
    assert "HTTPS_PROXY" in gone.sentence()
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://ana:canary@proxy.invalid:3128")
    lost = await refused("https://service.invalid/v1")
    assert lost.what == "The name of the proxy proxy.invalid:3128 was not found"
    assert not any("canary" in told.sentence() for told in (error, gone, lost))
    monkeypatch.setenv("NO_PROXY", "service.invalid")
    assert (await refused("https://service.invalid/v1")).what == "The name service.invalid was not found"


@pytest.mark.parametrize(
    ("url", "base", "host", "local"),
    [
        ("https://api.example.io/v1/", "https://api.example.io/v1", "api.example.io", False),
        ("https://api.example.io:8443", "https://api.example.io:8443", "api.example.io:8443", False),
        ("http://127.0.0.1:5000/v1", "http://127.0.0.1:5000/v1", "127.0.0.1:5000", True),
        ("http://localhost:1/v1", "http://localhost:1/v1", "localhost:1", True),
        ("http://[::1]:80/v1", "http://[::1]:80/v1", "[::1]:80", True),
        ("https://127.0.0.1/v1", "https://127.0.0.1/v1", "127.0.0.1", True),
    ],
)
def test_addresses_that_are_allowed(url, base, host, local) -> None:
    assert address(url) == (base, host, local)


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.io/v1",
        "http://127.0.0.1.example.io/",
        "http://10.0.0.1/",
        "http://localhost.example.io/",
        "https://user:word@api.example.io/v1",
        "https://user@api.example.io/v1",
        "https://@api.example.io/",
        "http://user@127.0.0.1:1/",
        "https://api.example.io/v1?token=x",
        "https://api.example.io/v1#x",
        "ftp://api.example.io/",
        "file:///etc/passwd",
        "api.example.io",
        "https://",
        "https://host:port/",
        "https://[::1/",
        "",
    ],
)
def test_addresses_that_are_refused_without_repeating_secrets(url) -> None:
    with pytest.raises(FleetError) as caught:
        address(url)
    assert (caught.value.kind, caught.value.sent) == (Kind.CONFIG, Sent.NEVER)
    assert "word" not in caught.value.what.replace("password", "")


def test_a_ca_file_that_cannot_be_read_is_a_sentence(tmp_path) -> None:
    broken = tmp_path / "ca.pem"
    broken.write_text("not a certificate")
    for path in (broken, tmp_path / "missing.pem"):
        with pytest.raises(FleetError) as caught:
            Http("https://api.example.io/v1", Bearer("t"), explain=explain, ca_file=str(path))
        assert caught.value.kind is Kind.CONFIG
        assert path.name in caught.value.what


def test_verification_is_always_on() -> None:
    import ssl

    from mdm_tui.providers.http import _trust

    for plain in (True, False):
        context = _trust("", plain=plain)
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname
