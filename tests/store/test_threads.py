"""Readers beside the writer, interruption, the end."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from storeparts import SCOPE, device

from mdm_tui.fleet.errors import FleetError, Kind, Sent
from mdm_tui.store.files import Source
from mdm_tui.store.mirror import Mirror, View
from mdm_tui.store.threads import Interrupted, Reader, Writer

# Never ends by itself: only an interruption stops it.
ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


@pytest.fixture
def source(tmp_path: Path) -> Source:
    (tmp_path / "x.db").touch()
    found = Source(tmp_path / "x.db", wal=True, synchronous="NORMAL")
    conn = found.connect()
    conn.execute("CREATE TABLE t(v)")
    conn.close()
    return found


@pytest.fixture
def writer(source: Source) -> Iterator[Writer]:
    found = Writer(source)
    yield found
    found.close()


@pytest.fixture
def reader(source: Source) -> Iterator[Reader]:
    found = Reader(source)
    yield found
    found.close()


class Endless:
    """A read that says when it has begun."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def __call__(self, conn: sqlite3.Connection) -> int:
        self._loop.call_soon_threadsafe(self.begun.set)
        return conn.execute(ENDLESS).fetchone()[0]


async def test_a_newer_call_interrupts_the_one_in_its_slot(reader: Reader) -> None:
    endless = Endless()
    older = asyncio.create_task(reader.call(endless, "ids"))
    await endless.begun.wait()
    assert await reader.call(lambda conn: conn.execute("SELECT 7").fetchone()[0], "ids") == 7
    with pytest.raises(Interrupted):
        await older


async def test_waiting_calls_of_a_slot_are_overtaken_too(reader: Reader) -> None:
    endless, ran = Endless(), []
    calls = [asyncio.create_task(reader.call(endless, "ids"))]
    await endless.begun.wait()
    calls += [asyncio.create_task(reader.call(lambda conn, i=i: ran.append(i) or i, "ids")) for i in range(5)]
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert results[-1] == 4
    assert isinstance(results[0], Interrupted)
    done = [result for result in results[1:] if not isinstance(result, Interrupted)]
    assert done == ran


async def test_other_slots_are_not_disturbed(reader: Reader) -> None:
    endless = Endless()
    running = asyncio.create_task(reader.call(endless, "ids"))
    await endless.begun.wait()
    assert await reader.call(lambda conn: 1) == 1
    assert await reader.call(lambda conn: 2, "counts") == 2
    assert not running.done()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_cancelling_the_caller_frees_the_slot(reader: Reader) -> None:
    endless = Endless()
    running = asyncio.create_task(reader.call(endless))
    await endless.begun.wait()
    running.cancel()
    # The unnamed slot works in order: this answers only if the endless read was stopped.
    assert await reader.call(lambda conn: 3) == 3


async def test_close_interrupts_reads_and_joins(source: Source) -> None:
    reader = Reader(source, "closing")
    endless = Endless()
    running = asyncio.create_task(reader.call(endless))
    await endless.begun.wait()
    reader.close()
    with pytest.raises(Interrupted):
        await running
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("closing")]
    with pytest.raises(Interrupted):
        await reader.call(lambda conn: 1)


async def test_close_finishes_queued_writes(source: Source) -> None:
    writer = Writer(source)
    futures = [
        writer.submit(lambda conn, i=i: conn.execute("INSERT INTO t VALUES (?)", (i,)).rowcount) for i in range(9)
    ]
    writer.close()
    assert [future.result(0) for future in futures] == [1] * 9
    with pytest.raises(Interrupted):
        await writer.do(lambda conn: 1)


async def test_an_error_rolls_all_of_a_transaction_back(writer: Writer) -> None:
    def half(conn: sqlite3.Connection) -> None:
        conn.execute("INSERT INTO t VALUES (1)")
        raise ValueError("in the middle")

    with pytest.raises(ValueError, match="in the middle"):
        await writer.do(half)
    assert await writer.read(lambda conn: conn.execute("SELECT count(*) FROM t").fetchone()[0]) == 0


async def test_a_reader_sees_whole_transactions_only_and_does_not_wait_for_them(writer: Writer, reader: Reader) -> None:
    inside, go_on = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def slow(conn: sqlite3.Connection) -> None:
        conn.execute("INSERT INTO t VALUES (1)")
        loop.call_soon_threadsafe(inside.set)
        go_on.wait()
        conn.execute("INSERT INTO t VALUES (2)")

    writing = asyncio.create_task(writer.do(slow))
    await inside.wait()
    assert await reader.call(lambda conn: conn.execute("SELECT count(*) FROM t").fetchone()[0]) == 0
    go_on.set()
    await writing
    assert await reader.call(lambda conn: conn.execute("SELECT count(*) FROM t").fetchone()[0]) == 2


async def test_a_reader_cannot_write(reader: Reader) -> None:
    with pytest.raises(FleetError) as caught:
        await reader.call(lambda conn: conn.execute("INSERT INTO t VALUES (1)").rowcount)
    assert (caught.value.kind, caught.value.sent) == (Kind.STORAGE, Sent.NEVER)


async def test_a_full_disk_is_a_sentence_and_nothing_is_half_written(writer: Writer) -> None:
    def fill(conn: sqlite3.Connection) -> None:
        conn.execute("PRAGMA max_page_count=4")
        conn.execute("INSERT INTO t VALUES (1)")
        conn.execute("INSERT INTO t VALUES (zeroblob(100000))")

    with pytest.raises(FleetError) as caught:
        await writer.do(fill)
    assert caught.value.sentence().startswith("The disk is full: ")
    assert await writer.read(lambda conn: conn.execute("SELECT count(*) FROM t").fetchone()[0]) == 0


async def test_the_grid_reads_whole_pages_while_pages_are_applied(mirror: Mirror) -> None:
    """Each page sets every device to the same number: a window with two numbers would be half a transaction."""
    ids = [f"d{i:02d}" for i in range(50)]
    await mirror.apply(SCOPE, [device(key, battery=0) for key in ids], at=0.0, walk=None)

    async def write() -> None:
        for turn in range(1, 60):
            await mirror.apply(SCOPE, [device(key, battery=turn) for key in ids], at=float(turn), walk=None)

    async def read() -> set[int]:
        seen: set[int] = set()
        while not writing.done():
            rows = await mirror.rows(SCOPE, await mirror.ids(View(SCOPE)))
            numbers = {row.values["battery"] for row in rows.values()}
            assert len(rows) == 50
            assert len(numbers) == 1
            seen |= numbers  # type: ignore[operator]
        return seen

    writing = asyncio.create_task(write())
    assert len(await read()) > 1
    await writing


async def test_two_consoles_share_a_mirror(mirror: Mirror, tmp_path: Path) -> None:
    other = Mirror.open(tmp_path / "cache" / "mirror.db")
    try:
        await asyncio.gather(
            *(one.apply(SCOPE, [device(f"{n}-{i}")], at=1.0, walk=None)
              for i in range(20) for n, one in enumerate((mirror, other)))
        )  # fmt: skip
        assert len(await mirror.ids(View(SCOPE))) == len(await other.ids(View(SCOPE))) == 40
    finally:
        other.close()
