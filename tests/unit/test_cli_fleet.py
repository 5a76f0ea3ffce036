"""`devices` and `device` in the real program, against the real server over HTTP."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from mdm_tui.cli.child import Child, Ready
from mdm_tui.fleet.fields import COLUMNS, default_columns
from mdm_tui.providers.applivery import factory

ROOT = Path(__file__).resolve().parents[2]
DEVICES = 12
_HIDDEN = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]")

DEFAULT_COLUMNS = default_columns(factory.capabilities)


@dataclass
class Line:
    """A command line with a connection made on the spot, its files in `home`."""

    ready: Ready
    home: Path

    def run(self, *words: str, token: str | None = None) -> subprocess.CompletedProcess[str]:
        given = self.ready.token if token is None else token
        env = {**os.environ, "PYTHONPATH": str(ROOT), "MDM_TUI_HOME": str(self.home), "MDM_TUI_TOKEN": given}
        flags = ["--url", self.ready.url, "--organization", self.ready.organization]
        command = [sys.executable, "-m", "mdm_tui", *flags, *words]
        return subprocess.run(command, env=env, cwd=self.home, capture_output=True, text=True, check=False, timeout=120)

    def json(self, *words: str) -> list[dict[str, object]]:
        done = self.run("devices", "--format", "json", *words)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture(scope="module", params=["calm", "hostile"])
def line(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    home = tmp_path_factory.mktemp("home")
    flags = [f"--devices={DEVICES}", f"--scenario={request.param}", f"--data-dir={home / 'fleet'}"]
    with Child(flags, home / "server.log", DEVICES) as server:
        yield Line(server.wait(), home)


def test_an_empty_mirror_asks_the_service_first_and_then_no_more(line: Line, tmp_path: Path) -> None:
    line = Line(line.ready, tmp_path)
    rows = line.json()
    assert rows
    assert {len(row) - ("unreadable" in row) for row in rows} == {len(COLUMNS)}
    again = line.run("devices", "--format", "json", token="not-the-token")
    assert (again.returncode, len(json.loads(again.stdout))) == (0, len(rows)), "from the mirror, without asking"
    assert re.search(r"seen \d+[smh] ago|seen now", again.stderr), again.stderr


def test_sorted_and_filtered(line: Line) -> None:
    rows = line.json("--sort", "-battery", "--columns", "id,battery")
    levels = [row["battery"] for row in rows if row["battery"] is not None]
    assert levels == sorted(levels, reverse=True)
    assert set(rows[0]) - {"unreadable"} == {"id", "battery"}
    wanted = str(rows[0]["id"])
    assert [row["id"] for row in line.json(wanted)] == [wanted]
    assert line.json(wanted, "no-such-word-anywhere") == []


def test_every_format_holds_every_device(line: Line) -> None:
    ids = {row["id"] for row in line.json()}
    lines = line.run("devices", "--format", "jsonl").stdout.splitlines()
    assert {json.loads(text)["id"] for text in lines} == ids
    cells = list(csv.DictReader(line.run("devices", "--format", "csv").stdout.splitlines()))
    assert {row["id"] for row in cells} == ids
    for name, extra in (("table", 1), ("md", 2)):
        shown = line.run("devices", "--format", name).stdout.splitlines()
        assert len(shown) == len(ids) + extra
        assert all(COLUMNS[key].title in shown[0] for key in DEFAULT_COLUMNS)


def test_nothing_of_strangers_reaches_the_terminal(line: Line) -> None:
    first = str(line.json()[0]["id"])
    for words in (
        *(["devices", "--format", form] for form in ("table", "json", "jsonl", "csv", "md")),
        *(["device", first, "--format", form] for form in ("table", "json", "md")),
    ):
        done = line.run(*words)
        assert done.returncode == 0, done.stderr
        assert done.stdout
        assert not _HIDDEN.search(done.stdout + done.stderr), words


def test_one_device_by_id_by_serial_and_by_a_beginning(line: Line) -> None:
    rows = [row for row in line.json() if row["serial"] and "unreadable" not in row]
    serials = [str(row["serial"]) for row in rows]
    row = next(row for row in rows if serials.count(str(row["serial"])) == 1 and len(str(row["serial"])) > 8)
    for text in (str(row["id"]), str(row["serial"])):
        done = line.run("device", text, "--format", "json")
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert found["id"] == row["id"]
        assert found["identity.id"] == row["id"]
        assert set(COLUMNS) <= set(found)
        assert any(key.startswith("hardware.") for key in found), "the full report, not the list's row"
    assert "Hardware" in line.run("device", str(row["id"])).stdout


def test_no_such_device_and_too_many(line: Line) -> None:
    missing = line.run("device", "no-such-device")
    assert (missing.returncode, missing.stdout) == (1, "")
    assert "--refresh" in missing.stderr
    # Ids begin with the moment of their making, and no fleet of this size is made in more than a few years.
    line.json()
    many = line.run("device", "6")
    assert (many.returncode, many.stdout) == (2, ""), many.stderr
    assert re.search(r"fits \d+ devices", many.stderr)


def test_a_wrong_token_and_a_wrong_organisation(line: Line) -> None:
    refused = line.run("devices", "--refresh", token="wrong")
    assert (refused.returncode, refused.stdout) == (3, "")
    assert "valid credentials" in refused.stderr
    other = Line(Ready(line.ready.url, "f" * 24, line.ready.token), line.home)
    lost = other.run("devices")
    assert (lost.returncode, lost.stdout) != (0, "[]")
    assert lost.returncode in (1, 3), lost.stderr
    for done in (refused, lost):
        assert "Traceback" not in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1


def test_the_service_away(line: Line) -> None:
    line.json()
    away = Line(Ready("http://127.0.0.1:9/v1", line.ready.organization, line.ready.token), line.home)
    assert away.run("devices").returncode == 0, "what was last seen is still there"
    asked = away.run("devices", "--refresh")
    assert (asked.returncode, asked.stdout) == (1, "")
    assert "Check the address" in asked.stderr


def test_a_reader_that_has_seen_enough(line: Line) -> None:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "MDM_TUI_HOME": str(line.home), "MDM_TUI_TOKEN": line.ready.token}
    flags = ["--url", line.ready.url, "--organization", line.ready.organization]
    process = subprocess.Popen(
        [sys.executable, "-m", "mdm_tui", "devices", *flags],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    words = process.stderr.read()
    process.stderr.close()
    assert process.wait(60) == 0
    assert "Traceback" not in words and "BrokenPipe" not in words


def test_the_log_holds_no_token(line: Line) -> None:
    line.json("--refresh")
    for path in (line.home / "state").iterdir():
        assert line.ready.token.encode() not in path.read_bytes()
