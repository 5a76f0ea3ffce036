"""Threads that own a connection each, so that no statement ever runs on the event loop."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

from mdm_tui.fleet.errors import FleetError, Kind, Sent

from .files import BROKEN, Source, trouble

__all__ = ["Closed", "Interrupted", "Reader", "Writer"]

T = TypeVar("T")
# Of SQLite's machine: a millisecond or two. Each look takes the interpreter's lock.
_STEPS_BETWEEN_LOOKS = 100_000
Work = Callable[[sqlite3.Connection], T]


class Interrupted(Exception):
    """The call was overtaken by a newer one in its slot, or the store was closed before it ran."""


class Closed(Interrupted, FleetError):
    """The store was closed: a sentence for whoever asks too late, and for those who expect it an interruption."""

    def __init__(self) -> None:
        what = "The connection's files are closed"
        FleetError.__init__(self, Kind.STORAGE, what, sent=Sent.NEVER, todo="Open the connection again first.")


class _Job(Generic[T]):
    __slots__ = ("dropped", "future", "work")

    def __init__(self, work: Work[T]) -> None:
        self.work = work
        self.future: Future[T] = Future()
        self.dropped = False


class _Lane:
    """One thread, one connection, jobs in order. The thread starts with the first job."""

    def __init__(self, source: Source, name: str, *, readonly: bool) -> None:
        self._source = source
        self._name = name
        self._readonly = readonly
        self._jobs: deque[_Job[Any]] = deque()
        self._wake = threading.Condition()
        self._thread: threading.Thread | None = None
        self._running: _Job[Any] | None = None
        self._conn: sqlite3.Connection | None = None
        self._generation = -1
        self._closed = False

    def submit(self, work: Work[T], *, supersede: bool = False) -> _Job[T]:
        """Queue a job; supersede: everything before it is dropped, the running statement is interrupted."""
        job = _Job(work)
        with self._wake:
            if self._closed:
                raise Closed
            if supersede:
                self._drop_all()
            if self._thread is None:
                self._thread = threading.Thread(target=self._loop, name=self._name, daemon=True)
                self._thread.start()
            self._jobs.append(job)
            self._wake.notify()
        return job

    def drop(self, job: _Job[Any]) -> None:
        """Nobody waits for this job any more."""
        with self._wake:
            if job is self._running:
                job.dropped = True
                if self._conn is not None:
                    self._conn.interrupt()
            else:
                job.future.cancel()

    def close(self, *, finish: bool) -> None:
        """End the thread: after the queued jobs (finish), or at once."""
        with self._wake:
            if not finish:
                self._drop_all(Closed)
            self._closed = True
            self._wake.notify()
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def _drop_all(self, why: type[Interrupted] = Interrupted) -> None:
        waiting, self._jobs = self._jobs, deque()
        for job in waiting:
            if job.future.set_running_or_notify_cancel():
                job.future.set_exception(why())
        if self._running is not None:
            self._running.dropped = True
            if self._conn is not None:
                # Without a running statement this has no effect on the next one.
                self._conn.interrupt()

    def _loop(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._jobs or self._closed)
                if not self._jobs:
                    break
                job = self._jobs.popleft()
                if not job.future.set_running_or_notify_cancel():
                    continue
                self._running = job
            result: Any = None
            failure: BaseException | None = None
            try:
                result = job.work(self._connection())
            except BROKEN as error:
                failure = trouble(self._source.path, error)
                failure.__cause__ = error
            except BaseException as error:
                failure = error
            with self._wake:
                self._running = None
            if job.dropped:
                job.future.set_exception(Interrupted())
            elif failure is not None:
                job.future.set_exception(failure)
            else:
                job.future.set_result(result)
            del job, result, failure
        with self._wake:
            if self._conn is not None:
                self._conn.close()
                self._conn = None

    def _connection(self) -> sqlite3.Connection:
        if self._conn is None or self._generation != self._source.generation:
            generation = self._source.generation
            if self._conn is not None:
                self._conn.close()
                self._conn = None
            fresh = self._source.connect(readonly=self._readonly)
            if self._readonly:
                fresh.set_progress_handler(self._overtaken, _STEPS_BETWEEN_LOOKS)
            with self._wake:
                self._conn, self._generation = fresh, generation
        return self._conn

    def _overtaken(self) -> bool:
        # `interrupt` reaches a running statement only: a job caught just before its first one is stopped here.
        job = self._running
        return job is not None and job.dropped


class Writer:
    """The one thread of this process that writes a file. Jobs run in order, each in a transaction of its own."""

    def __init__(self, source: Source, name: str = "store-writer") -> None:
        self._lane = _Lane(source, name, readonly=False)

    async def do(self, work: Work[T], *, keep: bool = False) -> T:
        """Run `work(conn)` inside BEGIN IMMEDIATE … COMMIT and answer after the commit; an error rolls all of it back.

        keep: the work is done even if the caller is cancelled before it begins. Raises FleetError.
        """
        wrapped = asyncio.wrap_future(self.submit(work))
        return await (asyncio.shield(wrapped) if keep else wrapped)

    async def read(self, work: Work[T]) -> T:
        """Run `work(conn)` in the same thread and in order with the writes, in a transaction that only reads."""
        return await asyncio.wrap_future(self._lane.submit(lambda conn: _transaction(conn, work, "BEGIN")).future)

    def submit(self, work: Work[T]) -> Future[T]:
        """As `do`, without waiting."""
        return self._lane.submit(lambda conn: _transaction(conn, work, "BEGIN IMMEDIATE")).future

    def close(self) -> None:
        """Finish what is queued and join the thread."""
        self._lane.close(finish=True)


class Reader:
    """Reads off the loop. Each slot has its own thread and connection, so that a long read delays no other slot."""

    def __init__(self, source: Source, name: str = "store-reader") -> None:
        self._source = source
        self._name = name
        self._lanes: dict[str, _Lane] = {}
        self._closed = False

    async def call(self, work: Work[T], slot: str = "") -> T:
        """Run `work(conn)`. A named slot holds one call: a newer one interrupts it, and it raises `Interrupted`.

        Cancelling the caller interrupts the statement as well.
        """
        if self._closed:
            raise Closed
        lane = self._lanes.get(slot)
        if lane is None:
            lane = self._lanes[slot] = _Lane(self._source, f"{self._name}-{slot or 'any'}", readonly=True)
        job = lane.submit(work, supersede=bool(slot))
        try:
            return await asyncio.wrap_future(job.future)
        except asyncio.CancelledError:
            lane.drop(job)
            raise

    def close(self) -> None:
        """Interrupt what runs and join the threads."""
        self._closed = True
        for lane in self._lanes.values():
            lane.close(finish=False)


def _transaction(conn: sqlite3.Connection, work: Work[T], begin: str) -> T:
    conn.execute(begin)
    try:
        result = work(conn)
        conn.execute("COMMIT")
    except BaseException:
        if conn.in_transaction:
            conn.execute("ROLLBACK")
        raise
    return result
