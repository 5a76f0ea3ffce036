"""A console that registers devices over a real port, and is killed from outside while an answer is on its way.

registrar.py HOME PORT SITE EMAIL API_KEY PASSWORD
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from mdm_tui.config.connections import Connection
from mdm_tui.config.credentials import Secret
from mdm_tui.config.paths import Paths
from mdm_tui.services.session import Session


async def main(home: Path, port: str, site: str, email: str, api_key: str, password: str) -> None:
    connection = Connection("depot", "midm", f"http://127.0.0.1:{port}", site, email=email)
    secrets = {"api_key": Secret(api_key), "password": Secret(password)}
    session = Session(connection, Paths(home, home, home, home), env={}, secrets=secrets)
    await session.start()
    service = session.registration
    rows = await service.check((await service.read("NEW-0001\nNEW-0002\nNEW-0003")).lines)
    plan = await service.plan(rows)
    await service.submit(plan, "register 3")
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), *sys.argv[2:7]))
