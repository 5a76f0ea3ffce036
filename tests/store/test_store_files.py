"""The files: modes, damage, versions, network file systems."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from storeparts import SCOPE, device

from mdm_tui.fleet.errors import FleetError, Kind
from mdm_tui.store import history, journal_schema, mirror_schema
from mdm_tui.store import journal as journal_module
from mdm_tui.store.files import on_network
from mdm_tui.store.history import Draft, History
from mdm_tui.store.journal import Journal, Run
from mdm_tui.store.mirror import Mirror, View

OPENERS: list[Callable[[Path], Any]] = [Mirror.open, Journal.open, History.open]
KEPT: list[Callable[[Path], Any]] = [Journal.open, History.open]
RUN = Run("ana", "pts/1", SCOPE, "LOCK", "", "lost", "ABC123", 1)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("umask", [0o000, 0o077, 0o777])
@pytest.mark.parametrize("opener", OPENERS)
async def test_modes_hold_under_any_umask(tmp_path: Path, opener: Callable, umask: int) -> None:
    before = os.umask(umask)
    try:
        store = opener(tmp_path / "a" / "b" / "x.db")
        if isinstance(store, Mirror):
            await store.apply(SCOPE, [device("a")], at=1.0, walk=None)
            assert (tmp_path / "a/b/x.db-wal").exists()
        modes = {path.name: mode(path) for path in (tmp_path / "a" / "b").iterdir()}
    finally:
        os.umask(before)
    store.close()
    assert set(modes.values()) == {0o600}
    assert (mode(tmp_path / "a"), mode(tmp_path / "a" / "b")) == (0o700, 0o700)


@pytest.mark.parametrize("opener", OPENERS)
def test_a_file_that_others_could_read_is_closed_up(tmp_path: Path, opener: Callable) -> None:
    opener(tmp_path / "x.db").close()
    (tmp_path / "x.db").chmod(0o644)
    opener(tmp_path / "x.db").close()
    assert mode(tmp_path / "x.db") == 0o600


@pytest.mark.parametrize("opener", OPENERS)
def test_a_link_is_refused(tmp_path: Path, opener: Callable) -> None:
    target = tmp_path / "elsewhere"
    (tmp_path / "x.db").symlink_to(target)
    with pytest.raises(FleetError) as caught:
        opener(tmp_path / "x.db")
    assert caught.value.kind is Kind.CONFIG
    assert not target.exists()


@pytest.mark.parametrize("opener", OPENERS)
def test_a_folder_that_cannot_be_is_a_sentence(tmp_path: Path, opener: Callable) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(FleetError) as caught:
        opener(tmp_path / "file" / "x.db")
    assert caught.value.kind is Kind.STORAGE
    assert str(tmp_path) in caught.value.sentence()


@pytest.mark.parametrize("opener", KEPT)
@pytest.mark.parametrize("damage", [b"this is no database" * 100, b"SQLite format 3\0" + b"\xff" * 8000])
def test_a_damaged_file_of_record_is_refused_and_left_as_it_is(tmp_path: Path, opener: Callable, damage: bytes) -> None:
    (tmp_path / "x.db").write_bytes(damage)
    with pytest.raises(FleetError) as caught:
        opener(tmp_path / "x.db")
    assert caught.value.kind is Kind.CONFIG
    assert "left as it is" in caught.value.sentence()
    assert "onfiguration" not in caught.value.advice and "away to begin anew" in caught.value.advice
    assert (tmp_path / "x.db").read_bytes() == damage
    assert [path.name for path in tmp_path.iterdir()] == ["x.db"]


@pytest.mark.parametrize("opener", KEPT)
@pytest.mark.parametrize("change", ["UPDATE meta SET value = 99 WHERE key = 'version'", "DROP TABLE meta"])
def test_a_newer_or_foreign_file_of_record_is_refused_and_left_as_it_is(
    tmp_path: Path, opener: Callable, change: str
) -> None:
    opener(tmp_path / "x.db").close()
    with sqlite3.connect(tmp_path / "x.db") as conn:
        conn.execute(change)
    conn.close()
    before = (tmp_path / "x.db").read_bytes()
    with pytest.raises(FleetError) as caught:
        opener(tmp_path / "x.db")
    assert caught.value.kind is Kind.CONFIG
    assert "left as it is" in caught.value.sentence()
    assert "onfiguration" not in caught.value.advice and "away to begin anew" in caught.value.advice
    assert (tmp_path / "x.db").read_bytes() == before


def test_a_journal_is_not_a_history(tmp_path: Path) -> None:
    Journal.open(tmp_path / "x.db").close()
    with pytest.raises(FleetError, match="not a history"):
        History.open(tmp_path / "x.db")


async def test_an_old_journal_is_upgraded_with_all_that_is_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal.open(tmp_path / "x.db")
    (intent,) = await journal.plan(RUN, [("d1", "Dock")], False)
    journal.close()
    newer = (*journal_schema.STEPS, ("ALTER TABLE run ADD COLUMN site TEXT NOT NULL DEFAULT 'here'",))
    monkeypatch.setattr(journal_module, "STEPS", newer)
    journal = Journal.open(tmp_path / "x.db")
    assert await journal.intents(SCOPE) == [intent]
    assert await journal.verify() == []
    journal.close()
    with sqlite3.connect(tmp_path / "x.db") as conn:
        assert conn.execute("SELECT site FROM run").fetchall() == [("here",)]
        assert conn.execute("SELECT value FROM meta WHERE key = 'version'").fetchone() == (len(newer),)
    conn.close()
    monkeypatch.undo()
    with pytest.raises(FleetError, match="newer mdm-tui"):
        Journal.open(tmp_path / "x.db")


async def test_an_upgrade_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = History.open(tmp_path / "x.db")
    draft = Draft(SCOPE, "policy", "p1", "{}", '{"a": 1}', 1.0)
    await store.put_draft(draft)
    store.close()
    monkeypatch.setattr(history, "STEPS", (*history.STEPS, ("CREATE TABLE extra(x)", "no SQL at all")))
    with pytest.raises(FleetError):
        History.open(tmp_path / "x.db")
    monkeypatch.undo()
    store = History.open(tmp_path / "x.db")
    assert await store.drafts(SCOPE) == [draft]
    store.close()


async def test_a_mirror_of_other_columns_is_built_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mirror = Mirror.open(tmp_path / "mirror.db")
    await mirror.apply(SCOPE, [device("a")], at=1.0, walk=None)
    mirror.close()
    with sqlite3.connect(tmp_path / "mirror.db") as conn:
        conn.execute("UPDATE meta SET value = 'of another program' WHERE key = 'fingerprint'")
    conn.close()
    mirror = Mirror.open(tmp_path / "mirror.db")
    assert mirror.notice == ""
    assert mirror.first(View(SCOPE), 5) == ([], [])
    assert (await mirror.apply(SCOPE, [device("a")], at=1.0, walk=None)).added == ["a"]
    mirror.close()


def test_the_fingerprint_names_every_column() -> None:
    tables = "".join(mirror_schema._TABLES)
    assert all(f"f_{key}" in tables for key in mirror_schema.COLUMNS)


@pytest.mark.parametrize("damage", [b"no database at all" * 400, b"SQLite format 3\0" + b"\xff" * 8000])
async def test_a_damaged_mirror_is_put_aside_and_built_anew(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "mirror.db").write_bytes(damage)
    mirror = Mirror.open(tmp_path / "mirror.db")
    assert "built anew" in mirror.notice
    assert (tmp_path / "mirror.db.damaged").read_bytes() == damage
    assert (await mirror.apply(SCOPE, [device("a")], at=1.0, walk=None)).added == ["a"]
    assert mode(tmp_path / "mirror.db") == 0o600
    mirror.close()


@pytest.mark.parametrize("meets", ["first", "ids", "apply"])
async def test_damage_met_while_working_is_mended_too(tmp_path: Path, meets: str) -> None:
    mirror = Mirror.open(tmp_path / "mirror.db")
    page = [device(f"{i:05d}", model="x" * 200) for i in range(2000)]
    await mirror.apply(SCOPE, page, at=1.0, walk=None)
    mirror.close()
    data = bytearray((tmp_path / "mirror.db").read_bytes())
    # The first pages hold the schema; everything after them is overwritten, so that opening still works.
    data[4096 * 24 :] = b"\xa5" * (len(data) - 4096 * 24)
    (tmp_path / "mirror.db").write_bytes(data)
    mirror = Mirror.open(tmp_path / "mirror.db")
    assert mirror.notice == ""
    if meets == "first":
        assert mirror.first(View(SCOPE), 5) == ([], [])
    elif meets == "ids":
        assert await mirror.ids(View(SCOPE)) == []
    else:
        assert len((await mirror.apply(SCOPE, page, at=2.0, walk=None)).added) == 2000
    assert "built anew" in mirror.notice
    await mirror.apply(SCOPE, page, at=3.0, walk=None)
    assert len(await mirror.ids(View(SCOPE))) == 2000
    assert len(mirror.first(View(SCOPE), 5)[0]) == 2000
    mirror.close()


MOUNTS = r"""
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:31 / /home rw,relatime - nfs4 server:/export rw
31 30 0:32 / /home/local\040disk rw - xfs /dev/sdb1 rw
32 22 0:33 / /mnt/team rw - fuse.sshfs host:/ rw
not a mount line
"""


@pytest.mark.parametrize(
    ("folder", "network"),
    [("/var/x", False), ("/home/ana", True), ("/home/local disk/x", False), ("/homes", False), ("/mnt/team", True)],
)
def test_network_file_systems_are_known_by_their_mount(folder: str, network: bool) -> None:
    assert on_network(Path(folder), MOUNTS) is network


@pytest.mark.parametrize(("network", "expected"), [(False, "wal"), (True, "delete")])
async def test_no_wal_on_a_network_file_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, network: bool, expected: str
) -> None:
    monkeypatch.setattr("mdm_tui.store.mirror_file.on_network", lambda folder: network)
    mirror = Mirror.open(tmp_path / "mirror.db")
    await mirror.apply(SCOPE, [device("a")], at=1.0, walk=None)
    assert await mirror.ids(View(SCOPE)) == ["a"]
    mirror.close()
    with sqlite3.connect(tmp_path / "mirror.db") as conn:
        assert conn.execute("PRAGMA journal_mode").fetchone() == (expected,)
    conn.close()


async def test_the_journal_waits_for_the_disk(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "journal.db")
    found = await journal._writer.read(
        lambda conn: [conn.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]
    )
    assert found == ["delete", 3]
    journal.close()
