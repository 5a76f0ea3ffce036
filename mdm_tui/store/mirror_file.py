"""The mirror as a file: opened before the first frame, written in one thread, read in others, rebuilt when damaged."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self, TypeVar

from . import mirror_clock, mirror_schema
from .files import BROKEN, Damaged, Source, on_network, prepare, trouble
from .threads import Reader, Writer

__all__ = ["MirrorFile"]

T = TypeVar("T")
# Clocks are corrected by less than this all the time, seconds.
_STEP = 1.0


class MirrorFile:
    """What every part of the mirror is built on.

    notice: a sentence when a damaged file had to be built anew, else "".
    """

    def __init__(self, source: Source, clock: Callable[[], float]) -> None:
        self.notice = ""
        self._source = source
        self._clock = clock
        self._latest: float | None = None
        """The newest time by the clock that a write has seen."""
        self._writer = Writer(source, "mirror-writer")
        self._reader = Reader(source, "mirror-reader")
        self._first: sqlite3.Connection | None = None
        self._first_generation = -1
        self._rebuilding = threading.Lock()

    @classmethod
    def open(cls, path: Path, *, clock: Callable[[], float] = time.time) -> Self:
        """Open or make the file. Cheap and synchronous: it stands before the first frame. Raises FleetError."""
        prepare(path)
        mirror = cls(Source(path, wal=not on_network(path.parent), synchronous="NORMAL"), clock)
        try:
            mirror._connect()
        except Damaged as error:
            mirror._rebuild(0, error)
        return mirror

    @property
    def path(self) -> Path:
        """Where the file lies."""
        return self._source.path

    def close(self) -> None:
        """Finish the queued writes, interrupt the reads, join the threads."""
        self._reader.close()
        self._writer.close()
        if self._first is not None:
            self._first.close()
            self._first = None

    def _connect(self) -> sqlite3.Connection:
        if self._first is not None and self._first_generation != self._source.generation:
            self._first.close()
            self._first = None
        if self._first is None:
            generation = self._source.generation
            conn = self._source.connect()
            try:
                if not mirror_schema.is_current(conn):
                    mirror_schema.build(conn)
            except BROKEN as error:
                conn.close()
                raise trouble(self._source.path, error) from error
            self._first, self._first_generation = conn, generation
        return self._first

    def _watch(self, connection: str, fields: frozenset[str]) -> None:
        """A view was asked for whose order or membership these fields decide."""
        raise NotImplementedError

    def _watched(self, connection: str) -> frozenset[str]:
        """The fields of the views that were asked for lately."""
        raise NotImplementedError

    async def _write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        generation = self._source.generation
        timely = self._timely(work)
        try:
            return await self._writer.do(timely)
        except Damaged as error:
            self._rebuild(generation, error)
            return await self._writer.do(timely)

    def _timely(self, work: Callable[[sqlite3.Connection], T]) -> Callable[[sqlite3.Connection], T]:
        """`work`; where the clock was set back, or was ahead when the file was written, after that was put right."""
        now, latest = self._clock(), self._latest
        self._latest = now
        if latest is not None and now >= latest - _STEP:
            return work

        def settled(conn: sqlite3.Connection) -> T:
            if latest is not None or mirror_clock.is_ahead(conn, now):
                mirror_clock.set_back(conn, now)
            return work(conn)

        return settled

    async def _read(self, work: Callable[[sqlite3.Connection], T], slot: str = "") -> T:
        generation = self._source.generation
        try:
            return await self._reader.call(work, slot)
        except Damaged as error:
            self._rebuild(generation, error)
            return await self._reader.call(work, slot)

    def _rebuild(self, generation: int, error: Damaged) -> None:
        """Put the damaged file aside and begin anew; once, however many calls met the damage."""
        with self._rebuilding:
            if self._source.generation != generation:
                return
            path = self._source.path
            aside = path.with_name(f"{path.name}.damaged")
            try:
                path.replace(aside)
                for tail in ("-wal", "-shm", "-journal"):
                    path.with_name(path.name + tail).unlink(missing_ok=True)
            except OSError:
                raise error from None
            prepare(path)
            self._source.generation += 1
            self._connect()
            self.notice = f"The mirror was damaged and is built anew; the damaged file is {aside}"
