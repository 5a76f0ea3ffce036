"""The command line on the second service, against the real server over HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import io
import json
import logging
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from mdm_tui.cli.child import Child, Ready
from mdm_tui.cli.main import main
from mdm_tui.cli.register_out import code_of
from mdm_tui.fleet.commands import State
from mdm_tui.fleet.fields import COLUMNS
from mdm_tui.fleet.twin_words import IN_ROW
from mdm_tui.server.testing import fleet
from tests.served import Served

ROOT = Path(__file__).resolve().parents[2]
DEVICES = 40
_HIDDEN = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]")
Done = subprocess.CompletedProcess[str]


@dataclass
class Desk:
    """A person's folder with both services in the configuration; `depot` is the default."""

    home: Path
    ready: Ready
    api_key: str
    password: str

    def configure(self, **depot: Any) -> None:
        (self.home / "config").mkdir(parents=True, exist_ok=True)
        more = "".join(f"{key} = {json.dumps(value)}\n" for key, value in depot.items())
        (self.home / "config" / "config.toml").write_text(
            f'default = "depot"\n[console]\nopen = ["acme"]\n'
            f'[connections.acme]\nprovider = "applivery"\nurl = "{self.ready.url}"\n'
            f'organization = "{self.ready.organization}"\n'
            f'[connections.depot]\nprovider = "midm"\nurl = "{self.ready.midm_url}"\n'
            f'organization = "{self.ready.site}"\nemail = "{self.ready.email}"\n{more}'
        )

    def env(self, password: str | None = None) -> dict[str, str]:
        return {
            "MDM_TUI_HOME": str(self.home),
            "MDM_TUI_TOKEN": self.ready.token,
            "MDM_TUI_API_KEY": self.api_key,
            "MDM_TUI_PASSWORD": self.password if password is None else password,
        }

    def run(self, *words: str, given: str = "", password: str | None = None) -> Done:
        """The program's own entry, in this process: a new one for each line would take half of the tests' time."""
        out, said = io.StringIO(), io.StringIO()
        stdin = io.TextIOWrapper(io.BytesIO(given.encode()))
        root, mask = logging.getLogger(), os.umask(0o077)
        handlers, level = list(root.handlers), root.level
        try:
            with (
                mock.patch.dict(os.environ, self.env(password)),
                mock.patch.object(sys, "stdin", stdin),
                contextlib.redirect_stdout(out),
                contextlib.redirect_stderr(said),
            ):
                code = main(words)
        finally:
            for handler in root.handlers:
                if handler not in handlers:
                    handler.close()
            root.handlers[:], logging.raiseExceptions = handlers, True
            root.setLevel(level)
            os.umask(mask)
        return Done(list(words), code, out.getvalue(), said.getvalue())

    def process(self, *words: str, given: str = "") -> Done:
        """The real program."""
        env = {**os.environ, "PYTHONPATH": str(ROOT), **self.env()}
        command = [sys.executable, "-m", "mdm_tui", *words]
        return subprocess.run(
            command, env=env, cwd=self.home, input=given, capture_output=True, text=True, check=False, timeout=120
        )

    def json(self, *words: str, **more: Any) -> Any:
        done = self.run(*words, "--format", "json", **more)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def beside(self, folder: Path, **depot: Any) -> Desk:
        """Another person at the same services, who has seen nothing yet."""
        other = replace(self, home=folder)
        other.configure(**depot)
        return other


@pytest.fixture(scope="module", params=["calm", "hostile"])
def desk(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    home = tmp_path_factory.mktemp("home")
    flags = [f"--devices={DEVICES}", f"--scenario={request.param}", f"--data-dir={home / 'fleet'}"]
    with Child(flags, home / "server.log", DEVICES) as server:
        found = Desk(home, server.wait(), server.api_key, server.password)
        found.configure()
        yield found


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    home = tmp_path_factory.mktemp("calm")
    with Child([f"--devices={DEVICES}", f"--data-dir={home / 'fleet'}"], home / "server.log", DEVICES) as server:
        found = Desk(home, server.wait(), server.api_key, server.password)
        found.configure()
        yield found


def refused(done: Done, code: int, *words: str) -> None:
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    for word in words:
        assert word in done.stderr, done.stderr
    assert "Traceback" not in done.stderr


# looking


def test_nothing_of_strangers_reaches_the_terminal(desk: Desk) -> None:
    group = max(desk.json("groups"), key=lambda row: row["devices"] or 0)["id"]
    rollout = desk.json("rollouts")[0]["id"]
    for words, forms in (
        *(([name], ("table", "json", "jsonl", "csv", "md")) for name in ("groups", "apps", "images", "rollouts")),
        (["groups", "--devices", group], ("table", "json", "csv")),
        (["rollouts", rollout], ("table", "json", "md")),
        (["devices", "--both"], ("table", "json", "csv", "md")),
    ):
        for form in forms:
            done = desk.run(*words, "--format", form)
            assert done.returncode == 0, (words, form, done.stderr)
            assert done.stdout and not _HIDDEN.search(done.stdout + done.stderr), (words, form)


def test_every_format_holds_every_one(desk: Desk) -> None:
    for name in ("groups", "apps", "images", "rollouts"):
        ids = {row["id"] for row in desk.json(name)}
        assert ids
        lines = desk.run(name, "--format", "jsonl").stdout.splitlines()
        assert {json.loads(text)["id"] for text in lines} == ids
        cells = csv.DictReader(desk.run(name, "--format", "csv").stdout.splitlines())
        assert {row["id"].removeprefix("'") for row in cells} == ids
        for form, extra in (("table", 1), ("md", 2)):
            assert len(desk.run(name, "--format", form).stdout.splitlines()) == len(desk.json(name)) + extra


def test_what_was_seen_is_printed_without_asking_and_refresh_asks(desk: Desk) -> None:
    for name in ("groups", "apps", "images", "rollouts"):
        rows = desk.json(name)
        held = desk.run(name, "--format", "json", password="wrong")
        assert (held.returncode, len(json.loads(held.stdout))) == (0, len(rows)), held.stderr
        assert re.search(r"seen \d+[smh] ago", held.stderr)
        refused(desk.run(name, "--refresh", password="wrong"), 3, "The sign-in of", "was refused")


def test_the_tree_of_groups(calm: Desk) -> None:
    rows = {row["id"]: row for row in calm.json("groups")}
    for row in rows.values():
        above = rows.get(row["parent"])
        assert row["path"] == (f"{above['path']} / {row['name']}" if above else row["name"])
        assert row["depth"] == (above["depth"] + 1 if above else 0)
        below = [one["total"] for one in rows.values() if one["parent"] == row["id"]]
        assert row["total"] == row["devices"] + sum(below)
    shown = calm.run("groups").stdout.splitlines()[1:]
    for line, row in zip(shown, rows.values(), strict=True):
        assert line.startswith("  " * row["depth"] + row["name"])
    deep = max(rows.values(), key=lambda row: row["depth"])
    found = calm.json("groups", *deep["name"].split())
    assert deep["path"] in {row["path"] for row in found} and len(found) < len(rows)
    assert deep["path"].split(" / ")[0] in calm.run("groups", *deep["name"].split()).stdout


def test_the_devices_of_a_group(calm: Desk, tmp_path: Path) -> None:
    fresh = calm.beside(tmp_path)
    row = max(fresh.json("groups"), key=lambda row: row["devices"])
    for name in (row["path"], row["id"]):
        found = fresh.json("groups", "--devices", name)
        assert len(found) == row["devices"] > 1
        assert {device["groupid"] for device in found} == {row["id"]}
        assert set(found[0]) == set(COLUMNS)
    held = fresh.json("groups", "--devices", row["id"], "--columns", "serial", password="wrong")
    assert len(held) == row["devices"], "all members are known: nobody is asked"
    refused(fresh.run("groups", "--devices", "Nowhere"), 1, "there is no group 'Nowhere'")


def test_the_service_finds_apps_and_images_page_by_page(calm: Desk) -> None:
    apps = calm.json("apps")
    package = apps[0]["package"]
    wanted = {row["id"] for row in apps if row["package"] == package}
    assert 1 < len(wanted) < len(apps)
    pages = [
        calm.run("apps", "--find", f"package={package}", "--limit", "1", "--page", str(page + 1), "--format", "json")
        for page in range(len(wanted))
    ]
    assert {json.loads(page.stdout)[0]["id"] for page in pages} == wanted
    assert f"1 of {len(wanted)} apps" in pages[0].stderr and "--page 2 has more" in pages[0].stderr
    assert "has more" not in pages[-1].stderr
    assert "whole values" not in pages[0].stderr
    part = calm.run("apps", "--find", f"package={package[:-2]}")
    assert "0 of 0 apps found by the service; it may compare whole values" in part.stderr
    image = calm.json("images")[0]
    found = calm.json("images", "--find", f"product={image['product']}", "--find", f"part={image['part']}")
    assert image["id"] in {row["id"] for row in found}
    assert {(row["product"], row["part"]) for row in found} == {(image["product"], image["part"])}
    refused(calm.run("apps", "--find", "colour=red"), 1, "'colour' is not a field to search by", "package")
    words = calm.json("apps", *apps[0]["name"].split())
    assert apps[0]["id"] in {row["id"] for row in words} and len(words) < len(apps)


def test_one_rollout_as_last_seen_and_as_it_is(calm: Desk, tmp_path: Path) -> None:
    fresh = calm.beside(tmp_path)
    rows = fresh.json("rollouts")
    row = next(row for row in rows if row["groups"] and row["apps"])
    document = fresh.json("rollouts", row["id"])
    assert (document["uuid"], document["profile"]["name"]) == (row["id"], row["name"])
    assert len(document["scope"]["group"]) == row["groups"], "the service's own document, whole"
    seen = fresh.run("rollouts", row["name"])
    assert seen.returncode == 0 and "--refresh asks the service" in seen.stderr
    assert "Not all devices of the group" in seen.stdout, "memberships were never read here"
    assert "are read yet; --refresh asks the service." in seen.stdout and "at least 0" not in seen.stdout
    assert re.search(r"^Progress\n", seen.stdout, re.MULTILINE)
    asked = fresh.run("rollouts", row["id"], "--refresh")
    assert asked.returncode == 0, asked.stderr
    assert "Not all devices of the group" not in asked.stdout
    assert re.search(r"^  It reaches [1-9]\d* device", asked.stdout, re.MULTILINE)
    assert re.search(r"^Progress\n +\S.*\d+ (done|waiting)", asked.stdout, re.MULTILINE)
    assert asked.stdout.count("  Group ") == row["groups"]
    refused(fresh.run("rollouts", "no such"), 1, "No rollout has the id or name 'no such'")
    refused(fresh.run("rollouts", ""), 2, f"fits {len(rows)} rollouts")


def test_a_service_that_has_none_of_it_says_so(calm: Desk) -> None:
    for words, what in (
        (["groups"], "no groups"),
        (["apps"], "no catalogue of apps"),
        (["images", "--find", "product=x"], "no system images"),
        (["rollouts", "x"], "no rollouts"),
        (["devices", "register", "--csv", "-"], "no registering of devices"),
    ):
        refused(calm.run("-c", "acme", *words), 1, f"acme is Applivery (AOSP), which has {what} through its API.")


def test_a_device_with_its_apps_and_whether_it_has_one(calm: Desk, tmp_path: Path) -> None:
    fresh = calm.beside(tmp_path)
    serial = next(row["serial"] for row in fresh.json("devices") if row["state"] == "ACTIVE" and row["serial"])
    assert "--refresh asks for its apps" in fresh.run("device", serial).stderr
    apps = fresh.json("device", serial, "--refresh")["apps"]
    told = fresh.run("device", serial, "--refresh", "--format", "md")
    assert apps and told.returncode == 0 and all(app["package"] in told.stdout for app in apps)
    there = fresh.json("device", serial, "--has", apps[0]["package"])
    assert (there["package"], there["installed"]) == (apps[0]["package"], True)
    missing = fresh.run("device", serial, "--has", "com.nobody.has")
    assert (missing.returncode, missing.stderr) == (1, ""), "as grep: a script need not read the words"
    assert "com.nobody.has is not on the device" in missing.stdout
    missing = fresh.run("device", serial, "--has", "com.nobody.has", "--format", "json")
    assert (missing.returncode, json.loads(missing.stdout)["installed"]) == (1, False)
    refused(fresh.run("device", serial, "--has", "com.nobody.has", password="wrong-password"), 3)


def test_both_as_one_list(calm: Desk, tmp_path: Path) -> None:
    fresh = calm.beside(tmp_path)
    rows = fresh.json("devices", "--both")
    joined = [row for row in rows if row["in"] == "depot, acme"]
    assert joined and {row["in"] for row in rows} == {"depot, acme", "depot", "acme"}
    assert set(rows[0]) == {"serial", "name", "in", "differs"} | {
        f"{name}.{key}" for name in ("depot", "acme") for key in COLUMNS
    }
    for row in joined:
        assert row["depot.serial"].upper() == row["acme.serial"].upper() and row["depot.id"] != row["acme.id"]
    assert len(rows) - len(joined) == sum("only" in (row["differs"] or "") for row in rows)
    told = fresh.run("devices", "--both", "--differs", "--columns", "serial,differs", "--format", "md").stdout
    words = {word for line in told.splitlines()[2:] for word in line.split(" | ")[1].rstrip(" |").split(", ")}
    assert "only in one" in words and words <= set(IN_ROW.values()), "as the screen says it"
    differing = fresh.json("devices", "--both", "--differs")
    why = fresh.json("devices", "--both", "--differs", "--columns", "serial,in,differs")
    assert [set(row) for row in why] == [{"serial", "in", "differs"}] * len(differing)
    assert {word for row in why for word in row["differs"].split(", ")} <= {"os", "build", "group", "seen", "only"}
    assert [row for row in rows if row["differs"]] == differing and len(differing) < len(rows)
    turned = fresh.json("devices", "--both", "--connections", "acme,depot", "--columns", "os", joined[0]["serial"])
    assert list(turned[0]) == ["serial", "name", "in", "differs", "acme.os", "depot.os"]
    assert fresh.run("devices", "--both", password="wrong").returncode == 0, "as last seen"
    half = fresh.run("devices", "--both", "--refresh", password="wrong")
    assert half.returncode == 3 and len(half.stdout.splitlines()) == len(rows) + 1, (
        "the other one is there all the same"
    )
    assert "mdm-tui: depot: " in half.stderr
    refused(fresh.run("devices", "--both", "--connections", "acme"), 2, "two connections or more")
    refused(fresh.run("devices", "--both", "--connections", "acme,dpot"), 2, "did you mean 'depot'?")


def test_where_nothing_is_known_and_nobody_answers(calm: Desk, tmp_path: Path) -> None:
    other = replace(calm, ready=replace(calm.ready, token="wrong")).beside(tmp_path)
    done = other.run("devices", "--both", password="not-the-word")
    assert (done.returncode, done.stdout) == (3, "")
    assert "Nothing is known of any of the connections." in done.stderr


def test_connections_listed_and_tested(calm: Desk, tmp_path: Path) -> None:
    desk = calm.beside(tmp_path, password_env="NOT_SET", production=True)
    rows = {row["name"]: row for row in desk.json("connection", "list")}
    assert (rows["depot"]["default"], rows["depot"]["open"], rows["depot"]["production"]) == (True, False, True)
    assert (rows["acme"]["default"], rows["acme"]["open"], rows["acme"]["secrets"]) == (False, True, "found")
    assert rows["depot"]["secrets"] == "found", "in MDM_TUI_PASSWORD"
    assert (rows["depot"]["opened"], rows["acme"]["opened"]) == ("as the default", "beside it")
    head, *lines = desk.run("connection", "list").stdout.splitlines()
    assert "Opened" in head and "Default" not in head, "one column says it, in words"
    assert [sorted({"as the default", "beside it"} & set(re.split("  +", line))) for line in lines] == [
        ["beside it"],
        ["as the default"],
    ]
    for name, some in (("depot", {"groups", "apps", "images", "rollouts"}), ("acme", {"policies", "segments"})):
        tested = desk.json("connection", "test", name)
        assert some < {row["what"] for row in tested} and all(row["works"] for row in tested)
    refused(desk.run("connection", "test", password="not-the-word"), 3, "sign-in")
    assert calm.password not in desk.run("connection", "list").stdout


# registering


def test_nothing_is_sent_without_the_right_numbers(calm: Desk, tmp_path: Path) -> None:
    desk = calm.beside(tmp_path)
    before = {row["serial"] for row in desk.json("devices")}
    known = next(serial for serial in sorted(before) if serial and len(serial) > 8)
    group = next(row for row in desk.json("groups") if row["depth"] == 1)
    file = tmp_path / "new devices.csv"
    file.write_text(
        f"serial,maker,model,group\nTEST-0001,Zebra,TC52,{group['path']}\nTEST-0002,Zebra,TC52,\n{known},,,\n"
        "TEST-0001,,,\nunknown,,,\nTEST-0003,,,Nowhere\n"
    )
    words = ("devices", "register", "--csv", str(file))
    plain = desk.run(*words)
    assert plain.returncode == 2 and "Nothing was sent. To send: --confirm 2" in plain.stderr
    dry = desk.run(*words, "--dry-run", "--format", "json")
    assert dry.returncode == 4, "rows that cannot be sent"
    rows = {row["line"]: row for row in json.loads(dry.stdout)}
    assert [rows[line]["will"] for line in range(2, 8)] == [
        *("register", "register", "left alone"),
        *("not sent", "not sent", "not sent"),
    ]
    assert rows[2]["group"] == group["path"]
    assert "same serial number as line 2" in rows[5]["why"] and "placeholder" in rows[6]["why"]
    assert "no group Nowhere" in rows[7]["why"]
    assert len(rows[4]["why"]) > 64 and rows[4]["why"] in plain.stdout, "a pipe has no width to be cut to"
    assert "trial license" in dry.stderr and "1 of them without a group" in dry.stderr
    for flags, says in (
        (("--confirm", "3"), "--confirm says 3, and 2 are to be registered"),
        (("--confirm", "2", "--reset", known), "--confirm-reset is missing, and 1 is to be reset"),
        (("--confirm", "2", "--reset", known, "--confirm-reset", "2"), "--confirm-reset says 2, and 1 is to be reset"),
        (("--reset", known, "--confirm-reset", "1"), "--confirm is missing, and 2 are to be registered"),
    ):
        done = desk.run(*words, *flags)
        assert (done.returncode, f"Nothing was sent: {says}." in done.stderr) == (2, True), done.stderr
    refused(desk.run(*words, "--confirm", "2", "--reset", "TEST-0001"), 2, "not among the devices", "that exist")
    refused(desk.run(*words, "--license", "nope"), 2, "no license model 'nope'", "Standard")
    refused(desk.run(*words, "--group", "Nowhere"), 1, "--group: there is no group 'Nowhere'")
    assert {row["serial"] for row in desk.json("devices", "--refresh")} == before


def test_registered_once_and_each_row_has_its_outcome(calm: Desk, tmp_path: Path) -> None:
    desk = calm.beside(tmp_path)
    group = desk.json("groups")[0]
    words = ("devices", "register", "--csv", "-", "--group", group["id"], "--license", "standard")
    sending = (*words, "--auto-renew", "yes", "--confirm", "2", "--format", "json")
    done = desk.process(*sending, given="TEST-1001\nTEST-1002\n")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    assert [(row["serial"], row["will"], row["outcome"]) for row in rows] == [
        ("TEST-1001", "register", "done"),
        ("TEST-1002", "register", "done"),
    ]
    assert {row["license"] for row in rows} == {"Standard"} and "License: Standard" in done.stderr
    found = {row["serial"]: row for row in desk.json("devices", "--refresh", "test-10")}
    assert {row["id"] for row in rows} == {row["id"] for row in found.values()} and len(found) == 2
    inside = desk.json("groups", "--devices", group["id"], "--refresh")
    assert set(found) <= {row["serial"] for row in inside}

    again = desk.run(*words, "--confirm", "2", given="TEST-1001\nTEST-1002\n")
    assert again.returncode == 2 and "--confirm says 2, and 0 are to be registered" in again.stderr
    nothing = desk.run(*words, given="TEST-1001\nTEST-1002\n")
    assert nothing.returncode == 0 and "There is nothing to send." in nothing.stderr

    mixed = desk.run(
        *words, "--confirm", "1", "--reset", "test-1001", "--confirm-reset", "1", given="TEST-1001\nTEST-1003\n"
    )
    assert mixed.returncode == 0, mixed.stderr
    preview, outcome = mixed.stdout.split("\n\n")
    assert "resets its status" in mixed.stderr
    lines = [[line.split() for line in part.splitlines()[1:]] for part in (preview, outcome)]
    assert [cells[1] for cells in lines[0]] == [cells[1] for cells in lines[1]] == ["TEST-1001", "TEST-1003"]
    assert "its status is reset" in outcome.splitlines()[1] and "registered" in outcome.splitlines()[2]

    alone = desk.run("devices", "register", "--csv", "-", "--reset", "TEST-1001", given="TEST-1001\n")
    # It is in the group of above and stays there.
    assert "It names no group: the present one is left as it is" in alone.stderr
    assert "without a group" not in alone.stderr


def test_serial_numbers_on_one_line_have_each_their_own_fate(calm: Desk, tmp_path: Path) -> None:
    desk = calm.beside(tmp_path)
    known = next(row["serial"] for row in desk.json("devices", "--refresh") if (row["serial"] or "").startswith("HT"))
    words = ("devices", "register", "--csv", "-", "--format", "json")
    given = f"TEST-3001, {known}, TEST-3002\n"
    shown = desk.run(*words, given=given)
    assert [row["will"] for row in json.loads(shown.stdout)] == ["register", "left alone", "register"]
    done = desk.run(*words, "--confirm", "2", given=given)
    assert done.returncode == 0, done.stderr
    assert [row["outcome"] for row in json.loads(done.stdout)] == ["done", None, "done"]


def test_an_output_that_takes_nothing_costs_a_sentence(calm: Desk, tmp_path: Path) -> None:
    desk = calm.beside(tmp_path)

    def run(out: Any, *words: str, before: tuple[str, ...] = ()) -> tuple[int, str]:
        done = subprocess.run(
            [*before, sys.executable, "-m", "mdm_tui", *words], input="TEST-3101\n", env={**os.environ, **desk.env()},
            cwd=ROOT, stdout=out, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        return done.returncode, done.stderr

    nobody, out = os.pipe()
    os.close(nobody)
    code, said = run(out, "devices", "register", "--csv", "-", "--confirm", "1")
    os.close(out)
    # The preview reached nobody: it must not look as if it were done.
    assert code == 5 and "closed before the end" in said
    assert not desk.json("devices", "--refresh", "TEST-3101")
    with open("/dev/full", "wb") as full:
        for words in (("devices", "--format", "json"), ("--version",)):
            code, said = run(full, *words)
            assert code == 1 and "No space left" in said
    code, said = run(None, "devices", before=("sh", "-c", 'exec "$@" >&-', "sh"))
    assert code == 1 and "standard output is closed" in said
    listed = ("devices", "register", "--csv", "-")
    code, said = run(subprocess.DEVNULL, *listed, before=("sh", "-c", 'exec "$@" <&-', "sh"))
    assert code == 1 and "standard input is closed" in said


def test_a_journal_that_cannot_be_used_is_named(calm: Desk, tmp_path: Path) -> None:
    desk = calm.beside(tmp_path)
    (tmp_path / "state").mkdir()
    journal = tmp_path / "state" / "journal.db"
    journal.write_text("no database")
    done = desk.run("devices", "register", "--csv", "-", "--confirm", "1", given="TEST-3201\n")
    refused(done, 2, "nothing can be sent", str(journal), "Move it away")
    assert journal.read_text() == "no database"


def test_what_is_locked_stays_locked(calm: Desk, tmp_path: Path) -> None:
    desk = calm.beside(tmp_path, production=True)
    words = ("devices", "register", "--csv", "-", "--confirm", "1")
    given = "TEST-2001\n"
    refused(desk.run("--read-only", *words, given=given), 1, "Nothing was sent", "read_only")
    refused(desk.run(*words, given=given), 1, "depot is production and LOCKED", "--arm depot")
    refused(desk.run(*words, "--arm", "Depot", given=given), 1, "Not armed", "Type depot")
    done = desk.run(*words, "--arm", "depot", given=given)
    assert done.returncode == 0, done.stderr
    refused(calm.run(*words, "--arm", "depot", given=given), 1, "depot is not a production connection")


def test_a_list_that_cannot_be_read(calm: Desk, tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes("Größe\n\xff".encode("latin-1"))
    (tmp_path / "empty").write_text("")
    words = ("devices", "register", "--csv")
    for name, says in (("latin", "line 1"), ("empty", "no row"), ("missing", "No such file"), (".", "directory")):
        refused(calm.run(*words, str(tmp_path / name)), 1, "--csv: ", says)


@pytest.mark.parametrize(
    ("states", "code"),
    [
        ([State.DONE, State.DONE], 0),
        ([State.DONE, State.REJECTED], 4),
        ([State.CANCELLED], 4),
        ([State.ABSENT], 4),
        ([State.REJECTED, State.UNKNOWN], 5),
        ([State.AMBIGUOUS, State.DONE], 5),
        ([State.ACCEPTED], 5),
    ],
)
def test_codes_of_outcomes(states: list[State], code: int) -> None:
    assert code_of(states) == code


class Careless:
    """The application behind a line that breaks after a save was done, or that refuses it."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.saves = 0
        self.fault = ""
        self.held, self.go = threading.Event(), threading.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        saving = scope["type"] == "http" and scope["path"].endswith("device/save")
        self.saves += saving
        if not saving or not self.fault:
            await self.app(scope, receive, send)
        elif self.fault == "hold":
            self.held.set()
            await asyncio.to_thread(self.go.wait)
            await self.app(scope, receive, send)
        elif self.fault == "refuse":
            body = b'{"code": 400, "result": false, "message": "no more licenses"}'
            headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
            await send({"type": "http.response.start", "status": 400, "headers": headers})
            await send({"type": "http.response.body", "body": body})
        else:

            async def nowhere(message: Any) -> None:
                pass

            await self.app(scope, receive, nowhere)
            # The promised body never comes: the connection ends.
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"99")]})


@dataclass
class Line(Desk):
    """A desk at a service whose line misbehaves."""

    line: Careless


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    made = fleet(12)
    careless = Careless(made.app)
    with Served(careless) as served:
        root = f"http://127.0.0.1:{served.port}"
        ready = Ready(f"{root}/v1", made.organization, made.token, root, made.site, made.email)
        desk = Line(tmp_path, ready, made.api_key, made.password, careless)
        desk.configure()
        yield desk
        careless.go.set()
    made.world.close()


def test_a_lost_answer_and_a_refusal(line: Line) -> None:
    words = ("devices", "register", "--csv", "-", "--format", "json")
    careless = line.line
    careless.fault = "lose"
    new = line.run(*words, "--confirm", "1", given="TEST-3001\n")
    assert (new.returncode, json.loads(new.stdout)[0]["outcome"], careless.saves) == (0, "done", 1), new.stderr
    reset = line.run(*words, "--reset", "TEST-3001", "--confirm-reset", "1", given="TEST-3001\n")
    row = json.loads(reset.stdout)[0]
    assert (reset.returncode, row["outcome"], careless.saves) == (5, "ambiguous", 2), reset.stderr
    assert "look at its status" in row["said"]
    careless.fault = "refuse"
    bad = line.run(*words, "--confirm", "1", given="TEST-3002\n")
    row = json.loads(bad.stdout)[0]
    assert (bad.returncode, row["outcome"], careless.saves) == (4, "rejected", 3), bad.stderr
    assert "no more licenses" in row["said"]
    assert line.run(*words, "--confirm", "0", given="TEST-3001\n").returncode == 0, "there is nothing to send"


def test_stopped_half_way_it_says_what_was_sent(line: Line) -> None:
    line.line.fault = "hold"
    command = [sys.executable, "-m", "mdm_tui", "devices", "register", "--csv", "-", "--confirm", "3"]
    with subprocess.Popen(
        command,
        env={**os.environ, "PYTHONPATH": str(ROOT), **line.env()},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Who runs the tests in the background has it ignored, and a child inherits that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        assert process.stdin is not None and process.stderr is not None
        process.stdin.write("TEST-4001\nTEST-4002\nTEST-4003\n")
        process.stdin.close()
        process.stdin = None
        assert line.line.held.wait(60)
        process.send_signal(signal.SIGINT)
        said = ""
        while "Stopping" not in said and (text := process.stderr.readline()):
            said += text
        line.line.go.set()
        _, rest = process.communicate(timeout=60)
    assert process.returncode == 130, said + rest
    assert "Stopped: 1 done, 2 cancelled." in rest
    assert line.line.saves == 1


def test_a_service_without_what_is_inferred(tmp_path: Path) -> None:
    made = fleet(12, documented_only=True)
    with Served(made.app) as served:
        root = f"http://127.0.0.1:{served.port}"
        ready = Ready(f"{root}/v1", made.organization, made.token, root, made.site, made.email)
        desk = Desk(tmp_path, ready, made.api_key, made.password)
        desk.configure()
        assert len(desk.json("groups")) > 1 and len(desk.json("devices")) > 1
        for words, name in ((["apps"], "app/find"), (["images"], "ota/find"), (["rollouts"], "profile/find")):
            refused(desk.run(*words), 1, f'set "{name}" under [connections.depot.paths]')
        done = desk.run("devices", "register", "--csv", "-", "--confirm", "1", given="TEST-5001\n")
        assert done.returncode == 0, done.stderr
        tested = desk.run("connection", "test", "--format", "json")
        works = {row["what"]: row["works"] for row in json.loads(tested.stdout)}
        assert (tested.returncode, works["groups"], works["apps"]) == (4, True, False)
        assert 'set "app/find" under [connections.depot.paths]' in " ".join(
            desk.run("connection", "test").stdout.split()
        )
    made.world.close()
