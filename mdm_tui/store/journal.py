"""The journal: what was asked of devices, on disk before it is sent. It cannot be rebuilt and is never overwritten.

An error of `plan`, `claim` or `record` means that the change is NOT on disk: after a failed `claim` nothing may be
sent.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TypeVar

from mdm_tui.fleet.commands import State

from . import journal_chain, journal_rows
from .files import Damaged, Source, open_kept
from .journal_schema import STEPS, TRANSITIONS, Event, Intent, Lease, Run, allowed
from .threads import Interrupted, Writer

__all__ = ["TRANSITIONS", "Event", "Intent", "Journal", "Lease", "Run", "allowed"]

T = TypeVar("T")


class Journal:
    """All processes of a person share the file; every change is one BEGIN IMMEDIATE transaction, synced to the disk.

    Everything runs in one thread, in order, and may raise FleetError.
    """

    def __init__(self, source: Source, clock: Callable[[], float]) -> None:
        self._source = source
        self._clock = clock
        self._writer = Writer(source, "journal")

    @classmethod
    def open(cls, path: Path, clock: Callable[[], float] = time.time) -> Journal:
        """Open, make or upgrade the file. A damaged, foreign or newer one is refused and left as it is (CONFIG)."""
        source = open_kept(path, "journal", STEPS, "EXTRA")
        return cls(source, clock)

    def close(self) -> None:
        """Finish what is queued and join the thread."""
        self._writer.close()

    async def plan(
        self,
        run: Run,
        targets: Sequence[tuple[str, str]],
        destructive: bool,
        duration: float | None = None,
        *,
        parent: str = "",
    ) -> list[Intent]:
        """Write a run and one planned intent for each `(device id, device name)`, in one commit.

        parent: the intent that a resend repeats. Raises FleetError(INVALID) for no targets or one twice.
        """
        frozen = list(targets)
        return await self._keep(
            lambda conn: journal_rows.plan(conn, run, frozen, destructive, duration, parent, self._now())
        )

    async def claim(self, intent_id: str, owner: str) -> bool:
        """planned → sending, committed when this answers True: only then may it be sent, and only by this owner.

        False: it was claimed, sent or cancelled already. A caller cancelled meanwhile has its claim given back.
        """
        claimed = self._writer.submit(lambda conn: journal_rows.claim(conn, intent_id, owner, self._now()))
        try:
            return await asyncio.shield(asyncio.wrap_future(claimed))
        except asyncio.CancelledError:
            if not claimed.cancel():
                # Only this very claim: another task of this process may be sending under the same owner.
                with contextlib.suppress(Interrupted):
                    self._writer.submit(
                        lambda conn: claimed.result() and journal_rows.withdraw(conn, intent_id, owner, self._now())
                    )
            raise

    async def record(
        self,
        intent_id: str,
        to: State,
        *,
        by: str,
        detail: str = "",
        command_id: str | None = None,
        http_status: int | None = None,
        error: str = "",
    ) -> Intent:
        """Move an intent on, with its event. It is written even if the caller is cancelled.

        Raises FleetError(CONFLICT) for a transition that `TRANSITIONS` does not have, for `sending` (that is `claim`)
        and for a command that belongs to another intent.
        """
        return await self._keep(
            lambda conn: journal_rows.record(
                conn, intent_id, to, by=by, now=self._now(), detail=detail, command_id=command_id,
                http_status=http_status, error=error,
            )
        )  # fmt: skip

    async def give_up(self, intent_ids: Sequence[str], *, by: str, why: str) -> int:
        """Cancel those of them that still are planned, in one commit; how many they were."""
        wanted = list(intent_ids)
        return await self._keep(lambda conn: journal_rows.give_up(conn, wanted, by, why, self._now()))

    async def note(self, intent_id: str, *, by: str, detail: str) -> None:
        """Keep evidence that changes no state."""
        await self._keep(lambda conn: journal_rows.note(conn, intent_id, by, detail, self._now()))

    async def baseline(self, intent_id: str, ids: Sequence[str], at: float) -> None:
        """Keep which commands the device had before this one is sent."""
        before = list(ids)
        await self._keep(lambda conn: journal_rows.baseline(conn, intent_id, before, at, self._now()))

    async def recover(self, is_alive: Callable[[str], bool], *, by: str = "recovery") -> list[Intent]:
        """`sending` with a dead owner → `unknown`, in one commit: before anything is sent. `owner.alive` can tell."""
        return await self._keep(lambda conn: journal_rows.recover(conn, is_alive, by, self._now()))

    async def intents(
        self, connection: str, *, limit: int = 500, open_only: bool = False, names: Collection[str] | None = None
    ) -> list[Intent]:
        """Newest first; open_only: those that have not ended. names: only what is called so, None for all."""
        wanted = None if names is None else tuple(names)
        return await self._writer.read(lambda conn: journal_rows.intents(conn, connection, limit, open_only, wanted))

    async def intent(self, intent_id: str) -> Intent | None:
        """One intent."""
        return await self._writer.read(lambda conn: journal_rows.intent(conn, intent_id))

    async def events(self, intent_id: str) -> list[Event]:
        """What happened to an intent, in order."""
        return await self._writer.read(lambda conn: journal_rows.events(conn, intent_id))

    async def verify(self) -> list[str]:
        """What in the file is not as it was written, one sentence each."""
        try:
            return await self._writer.read(journal_chain.verify)
        except Damaged as error:
            return [error.what]

    async def take_lease(
        self, connection: str, purpose: str, owner: str, ttl: float, *, instead_of: str = ""
    ) -> Lease | None:
        """Take or renew a lease for `ttl` seconds; None while another owner holds it.

        instead_of: the owner it may be taken over from; who has taken it meanwhile keeps it.
        """
        return await self._keep(
            lambda conn: journal_rows.take_lease(conn, connection, purpose, owner, ttl, self._now(), instead_of)
        )

    async def renew(self, lease: Lease, ttl: float) -> Lease | None:
        """Hold a lease for `ttl` seconds from now; None when another owner has taken it meanwhile."""
        return await self.take_lease(lease.connection, lease.purpose, lease.owner, ttl)

    async def release(self, lease: Lease) -> None:
        """Give a lease back; one that another owner took is left alone."""
        await self._keep(lambda conn: journal_rows.release(conn, lease))

    async def lease(self, connection: str, purpose: str) -> Lease | None:
        """Who holds a lease, or held it last."""
        return await self._writer.read(lambda conn: journal_rows.lease(conn, connection, purpose))

    def _now(self) -> float:
        return float(self._clock())

    async def _keep(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return await self._writer.do(work, keep=True)
