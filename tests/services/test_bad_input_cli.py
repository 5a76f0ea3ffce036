"""Bad input at the command line: the real program as a process, against a real port that misbehaves.

One sentence on stderr, the exit code of its kind, nothing on stdout, and what was known before is still there.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from mdm_tui.server.testing import fleet
from tests.served import Served

from .badinput import DEVICES, Fault, Front, envelope

ROOT = Path(__file__).resolve().parents[2]
PAGE = {"content-type": "text/html"}


class Desk:
    """A person's folder, a service on a port, and the program started as that person would."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.fleet = fleet(DEVICES)
        self.front = Front(self.fleet.app)
        self.served = Served(self.front)
        self.served.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.served.port}/v1"

    def run(self, *words: str, token: str | None = None, home: Path | None = None) -> subprocess.CompletedProcess[str]:
        outside = {name: value for name, value in os.environ.items() if not name.startswith("MDM_TUI")}
        given = {"MDM_TUI_TOKEN": self.fleet.token if token is None else token} if token != "" else {}
        env = {**outside, "PYTHONPATH": str(ROOT), "MDM_TUI_HOME": str(home or self.home), **given}
        command = [sys.executable, "-m", "mdm_tui", *words]
        return subprocess.run(command, env=env, cwd=self.home, capture_output=True, text=True, check=False, timeout=60)

    def devices(self, *words: str, url: str = "", organization: str = "", **more: str) -> Done:
        return self.run(
            "devices", "--url", url or self.url, "--organization", organization or self.fleet.organization,
            "--format", "json", *words, **more,
        )  # fmt: skip


Done = subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    desk = Desk(tmp_path_factory.mktemp("home"))
    assert len(json.loads(desk.devices().stdout)) == DEVICES
    yield desk
    desk.served.stop()
    desk.fleet.world.close()


def said(done: Done, code: int, *words: str) -> str:
    """What holds of every failure; the sentence."""
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("mdm-tui: ") and lines[0].endswith(".")
    for word in words:
        assert word in lines[0]
    assert "Traceback" not in lines[0] and "test-token" not in lines[0]
    # There are no keys here, and nothing is tried again.
    assert "press" not in lines[0] and "by itself" not in lines[0]
    return lines[0]


@pytest.mark.parametrize(
    ("fault", "code", "words"),
    [
        (Fault(200, b"<html></html>", PAGE), 1, ("web page instead of JSON", "check the address")),
        (Fault(200, b'{"status": tr'), 1, ("stops in the middle", "check the address")),
        (Fault(200, b'{"status": true', lost=99), 1, ("stops in the middle", "check the address")),
        (Fault(200, b'{"status": true, "data": {"items": 5}}'), 1, ("check the address",)),
        (envelope(400, 3000, "Bad sort"), 1, ("400", "Bad sort", "address and organisation")),
        (envelope(401, 4004, "Invalid Token"), 3, ("401", "Give valid credentials")),
        (envelope(403, 4003, "Forbidden"), 3, ("403", "mdm.aosp.device.list", "Ask for the permission")),
        (envelope(404, 3001, "Entity not found"), 1, ("404", "organization or address")),
        (envelope(409, 5106, "Conflict"), 1, ("409", "look again")),
        (envelope(429, 429, "Too many requests", retry_after="90"), 1, ("429", "Try again when the service allows it")),
        (envelope(500, 5000, "Internal"), 1, ("500", "try again later")),
        (Fault(503, b"<html></html>", PAGE), 1, ("503", "try again later")),
        (Fault(302, headers={"location": "https://login.example/"}), 1, ("302", "set the final address")),
    ],
    ids=lambda value: f"{value.status}-{value.body[:12]!r}" if isinstance(value, Fault) else "",
)
def test_an_answer_that_is_no_use(desk: Desk, fault: Fault, code: int, words: tuple[str, ...]) -> None:
    desk.front.fault = fault
    try:
        said(desk.devices("--refresh"), code, *words)
    finally:
        desk.front.fault = None


def test_a_wrong_token_none_and_a_wrong_organisation(desk: Desk) -> None:
    assert "wrong-one" not in said(desk.devices("--refresh", token="wrong-one"), 3, "401", "Give valid credentials")
    said(desk.devices("--refresh", token=""), 3, "MDM_TUI_TOKEN is not set", "token_env", "Give valid credentials")
    said(desk.devices(organization="f" * 24), 1, "404", "organization or address is wrong")
    after = desk.devices()
    assert (after.returncode, len(json.loads(after.stdout))) == (0, DEVICES), "nothing that was known is lost"


def test_nobody_there(desk: Desk) -> None:
    said(desk.devices("--refresh", url="http://127.0.0.1:9/v1"), 1, "refused the connection", "Check the address")
    said(desk.devices("--refresh", url="http://fleet.invalid/v1"), 2, "--url", "http://", "Allowed: https://")


def test_tls(desk: Desk, tmp_path: Path) -> None:
    authority, pem, company = trustme.CA(), tmp_path / "server.pem", tmp_path / "company.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(pem))
    authority.cert_pem.write_to_path(str(company))
    plain = desk.url.replace("http:", "https:")
    said(desk.devices("--refresh", url=plain), 1, "answered without TLS", "Check the address and the port")
    with Served(desk.front, pem=pem) as served:
        url = f"https://127.0.0.1:{served.port}/v1"
        said(desk.devices("--refresh", url=url), 1, "does not know", "Set ca_file")
        for name, code, words in (
            ("company.pem", 0, ()),
            ("missing.pem", 2, ("missing.pem", "no such file", "PEM")),
            ("server.log", 2, ("server.log", "holds no certificates", "PEM")),
        ):
            home = tmp_path / name.split(".")[0]
            config = home / "config"
            config.mkdir(parents=True)
            (tmp_path / "server.log").write_text("garbage")
            (config / "config.toml").write_text(
                f'[connections.acme]\nprovider = "applivery"\nurl = "{url}"\n'
                f'organization = "{desk.fleet.organization}"\nca_file = "../../{name}"\n'
            )
            done = desk.run("devices", "--refresh", "--format", "json", home=home)
            if code:
                said(done, code, *words)
            else:
                assert (done.returncode, len(json.loads(done.stdout))) == (0, DEVICES), done.stderr


CONFIG = """\
default = "acme"

[console]
theme = "day"
poll_seconds = 30

[connections.acme]
provider = "applivery"
url = "https://api.example.com/v1/"
organization = "acme-logistics"
token_env = "ACME_TOKEN"
production = true
timeout = 5
"""


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("theme", "thme", 4, ("console.thme", "did you mean 'theme'?", "Allowed: theme,")),
        ("poll_seconds = 30", "poll_seconds = 1", 5, ("console.poll_seconds", "Allowed: a number from 5 to 3600")),
        ("timeout = 5", "timeout = -5", 13, ("connections.acme.timeout", "Allowed: a number from 1 to 600")),
        ("production = true", 'production = "yes"', 12, ("connections.acme.production", "Allowed: true or false")),
        ("https://api", "http://api", 9, ("connections.acme.url", "Allowed: https://host")),
        ("https://api", "https://me:hunter2@api", 9, ("connections.acme.url", "user name", "Allowed:")),
        ('"applivery"', '"applivry"', 8, ("connections.acme.provider", "did you mean 'applivery'?", "Allowed: appl")),
        ('"acme-logistics"', '"a b"', 10, ("connections.acme.organization", "Allowed: the organisation's id")),
        ('"ACME_TOKEN"', '"eyJhbGciOi.J9"', 11, ("connections.acme.token_env", "Allowed: the name of an environment")),
        ('default = "acme"', 'default = "acne"', 1, ("default", "did you mean 'acme'?", "Allowed: acme")),
        ("[connections.acme]", "[conections.acme]", 7, ("conections", "did you mean 'connections'?", "Allowed: ")),
        ("poll_seconds = 30", "poll_seconds 30", 5, ("column", "Allowed: TOML")),
        ("timeout = 5", "timeout = 5\ntimeout = 6", 14, ("Allowed: TOML",)),
        ("[console]", "console = 3\n[connections.x]", 3, ("console", "Allowed: a table: [console]")),
    ],
)
def test_a_mistake_in_the_configuration(
    desk: Desk, tmp_path: Path, old: str, new: str, line: int, words: tuple[str, ...]
) -> None:
    assert CONFIG.count(old) >= 1
    path = tmp_path / "config" / "config.toml"
    path.parent.mkdir()
    path.write_text(CONFIG.replace(old, new, 1))
    sentence = said(desk.run("devices", home=tmp_path), 2, f"{path}, line {line}: ", *words)
    assert "hunter2" not in sentence and "eyJhbGci" not in sentence


def test_an_organisation_that_this_service_cannot_have(desk: Desk) -> None:
    said(desk.devices(organization="a.b_c"), 2, "'a.b_c'", "Correct the connection's organization")


def test_a_configuration_that_is_no_text_or_cannot_be_read(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "config" / "config.toml"
    path.parent.mkdir()
    path.write_bytes(b"default = 'x'\n\xff\xfe")
    said(desk.run("devices", home=tmp_path), 2, f"{path}, line 2: ", "UTF-8")
    path.unlink()
    path.mkdir()
    said(desk.run("devices", home=tmp_path), 2, str(path), "not a plain file")


def test_a_connection_that_is_not_there(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "config" / "config.toml"
    path.parent.mkdir()
    path.write_text(CONFIG)
    said(desk.run("-c", "acmee", "devices", home=tmp_path), 2, "did you mean 'acme'?", "Allowed: acme")
    path.unlink()
    said(desk.run("devices", home=tmp_path), 2, str(path), "--url and --organization")
