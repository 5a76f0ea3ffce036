"""The console on a desk, as a program: `python deskapp.py [DEVICES]`. Its time is frozen.

SIGUSR1: ten devices on the screen report another battery. SIGUSR2: one far out of sight does.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[2])]

from desk import DeskSession, device, make_app  # noqa: E402

_CHANGES = (11, 88)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        session = DeskSession(Path(folder), int(sys.argv[1]) if len(sys.argv) > 1 else 2_000)
        asyncio.run(session.fill())
        app = make_app(Path(folder), session, env=os.environ)
        turn = [0]

        def report(first: int, count: int) -> None:
            by_id = {item.id: number for number, item in enumerate(session.devices)}
            ids = app.screen_stack[0].source.ids[first : first + count]
            turn[0] += 1
            app.spawn(
                session.report(*[device(by_id[row_id], battery=_CHANGES[turn[0] % 2], faults="") for row_id in ids]),
                "report",
            )

        start = session.start

        async def started() -> None:
            loop = asyncio.get_running_loop()
            loop.add_signal_handler(signal.SIGUSR1, report, 2, 10)
            loop.add_signal_handler(signal.SIGUSR2, report, 1_500, 1)
            await start()

        session.start = started  # type: ignore[method-assign]
        app.run()


if __name__ == "__main__":
    main()
