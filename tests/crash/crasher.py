"""A console that sends: claims, writes to a ledger what a service would have received, records. Killed from outside.

    crasher.py JOURNAL LEDGER MODE
MODE `work`: sends all that is planned, a line on stdout for each step.
MODE `hold`: claims one, says so, and waits for its end.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from mdm_tui.fleet.commands import State
from mdm_tui.store import owner
from mdm_tui.store.journal import Journal

SCOPE = "applivery:acme"


async def main(journal_path: Path, ledger_path: Path, mode: str) -> None:
    me = owner.current()
    journal = Journal.open(journal_path)
    ledger = os.open(ledger_path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    await journal.recover(owner.alive, by=me)
    print("ready", flush=True)
    for intent in reversed(await journal.intents(SCOPE, limit=10_000, open_only=True)):
        if intent.state is not State.PLANNED or not await journal.claim(intent.id, me):
            continue
        # The line is in the system's hands before the outcome is in the journal: what a POST is for the service.
        print("claimed", flush=True)
        os.write(ledger, f"{intent.id}\n".encode())
        if mode == "hold":
            print("held", flush=True)
            sys.stdin.read()
        print("sent", flush=True)
        await journal.record(intent.id, State.ACCEPTED, by=me, command_id=f"c-{intent.id}")
    journal.close()
    os.close(ledger)
    print("done", flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))
