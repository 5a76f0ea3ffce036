"""The server as a process: ready line, end, what lasts, what is said when it cannot start."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager

import pytest


@contextmanager
def _server(*arguments: str, **options):
    process = subprocess.Popen(
        [sys.executable, "-m", "mdm_tui.server", "--devices", "20", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            pipe.close()


def _get(ready: dict, path: str, **headers: str):
    applivery = ready["applivery"]
    request = urllib.request.Request(
        f"{applivery['base_url']}/organizations/{applivery['organization']}{path}",
        headers={"Authorization": f"Bearer {applivery['token']}", **headers},
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=20) as response:
        return json.load(response)


def _midm_device_count(ready: dict) -> int:
    """Sign in with what the ready line says and ask how many devices there are."""
    midm = ready["midm"]
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    key = {"x-api-key": midm["api_key"], "Content-Type": "application/json"}
    body = json.dumps({"email": midm["email"], "password": midm["password"], "type": "email"}).encode()
    request = urllib.request.Request(f"{midm['base_url']}/portal/V1/auth", body, key)
    with opener.open(request, timeout=20) as response:
        token = json.load(response)["data"]["access_token"]
    headers = {**key, "Authorization": f"Bearer {token}"}
    request = urllib.request.Request(f"{midm['base_url']}/ota/api/device/find?size=1", headers=headers)
    with opener.open(request, timeout=20) as response:
        found = json.load(response)
    assert found["data"][0]["siteUuid"] == midm["organization"]
    return found["totalSize"]


def test_secrets_come_through_the_environment() -> None:
    given = {"MDM_TUI_SERVER_API_KEY": "given-key", "MDM_TUI_SERVER_PASSWORD": "given-word"}
    with _server(env={**os.environ, **given}) as process:
        ready = json.loads(process.stdout.readline())
        assert (ready["midm"]["api_key"], ready["midm"]["password"]) == ("given-key", "given-word")
        assert _midm_device_count(ready) > 10


def test_ready_line_answers_and_a_clean_end_on_a_signal(tmp_path) -> None:
    log = tmp_path / "server.log"
    with _server("--log-file", str(log)) as process:
        ready = json.loads(process.stdout.readline())
        assert ready["ready"] is True
        assert set(ready) == {"ready", "url", "applivery", "midm"}
        assert ready["applivery"]["base_url"] == ready["url"] + "/v1"
        assert ready["url"].startswith("http://127.0.0.1:")
        assert len(ready["applivery"]["token"]) > 30
        assert _get(ready, "/mdm/aosp/enterprise/devices")["data"]["totalDocs"] > 10
        assert _midm_device_count(ready) > 10
        with pytest.raises(urllib.error.HTTPError) as refused:
            _get(ready, "/segments", Origin="http://page.example")
        assert refused.value.code == 403
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        assert process.stdout.read() == ""
        assert process.stderr.read() == ""
    text = log.read_text()
    assert "/v1/organizations/" in text
    for secret in (ready["applivery"]["token"], ready["midm"]["api_key"], ready["midm"]["password"]):
        assert secret not in text
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_it_ends_when_the_parents_pipe_closes() -> None:
    with _server("--parent-pipe") as process:
        json.loads(process.stdout.readline())
        process.stdin.close()
        assert process.wait(20) == 0


@pytest.mark.parametrize("devices", ["20", "1000000"])
def test_it_ends_when_the_parents_pipe_closes_while_it_starts(tmp_path, devices: str) -> None:
    with _server("--parent-pipe", "--data-dir", str(tmp_path), "--devices", devices) as process:
        process.stdin.close()
        # A million devices take minutes to make.
        assert process.wait(20) == 0
        assert process.stderr.read() == ""


def test_it_ends_without_a_word_on_requests_that_were_half_sent() -> None:
    with _server() as process:
        ready = json.loads(process.stdout.readline())
        side = ready["applivery"]
        port = int(ready["url"].rsplit(":", 1)[1])
        head = (
            f"POST /v1/organizations/{side['organization']}/mdm/aosp/enterprise/policies HTTP/1.1\r\n"
            f"Host: 127.0.0.1\r\nAuthorization: Bearer {side['token']}\r\nContent-Type: application/json\r\n"
            "Content-Length: 500\r\nExpect: 100-continue\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", port)) as half:
            half.sendall(head.encode())
            # Asked for the rest: the request is under way.
            assert b"100 Continue" in half.recv(4096)
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
        assert process.stderr.read() == ""


def test_a_data_folder_keeps_fleet_and_secrets_and_serves_one_at_a_time(tmp_path) -> None:
    folder = tmp_path / "fleet"
    lines = []
    for _ in range(2):
        with _server("--data-dir", str(folder)) as process:
            ready = json.loads(process.stdout.readline())
            lines.append(
                (
                    {key: ready["applivery"][key] for key in ("organization", "token")},
                    {key: ready["midm"][key] for key in ("organization", "api_key", "email", "password")},
                )
            )
            if len(lines) == 1:
                with _server("--data-dir", str(folder)) as second:
                    assert second.wait(20) == 1
                    (said,) = second.stderr.read().splitlines()
                    assert "in use by another server" in said
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 0
    assert lines[0] == lines[1]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for name in ("token", "api-key", "password"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    assert len({lines[0][0]["token"], lines[0][1]["api_key"], lines[0][1]["password"]}) == 3


def test_a_taken_port_is_named() -> None:
    with _server() as process:
        port = json.loads(process.stdout.readline())["url"].rsplit(":", 1)[1]
        with _server("--port", port) as second:
            assert second.wait(20) == 1
            assert f"127.0.0.1:{port}" in second.stderr.read()


def test_the_flaky_scenario_breaks_real_connections() -> None:
    seen: set[str] = set()
    with _server("--scenario", "flaky") as process:
        ready = json.loads(process.stdout.readline())
        for _ in range(150):
            try:
                _get(ready, "/segments")
                seen.add("ok")
            except urllib.error.HTTPError as error:
                seen.add(str(error.code))
            except json.JSONDecodeError:
                seen.add("html")
            except OSError:
                seen.add("broken")
            except Exception as error:
                seen.add(type(error).__name__)
            if {"ok", "429"} <= seen and seen & {"broken", "IncompleteRead", "RemoteDisconnected"}:
                break
        assert {"ok", "429"} <= seen and seen & {"broken", "IncompleteRead", "RemoteDisconnected"}
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_a_broken_file_is_named(tmp_path) -> None:
    (tmp_path / "world.db").write_bytes(b"this is not a database" * 100)
    with _server("--data-dir", str(tmp_path)) as process:
        assert process.wait(20) == 1
        said = process.stderr.read()
        assert "world.db" in said and "Traceback" not in said
