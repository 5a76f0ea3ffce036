"""Two consoles on one home: what the other one wrote is counted too."""

from __future__ import annotations

from pathlib import Path

from live import Wire, live, session_on

from mdm_tui.server.testing import fleet


async def test_rows_that_the_other_console_wrote_are_counted(tmp_path: Path) -> None:
    served = fleet(devices=60, seed=3)
    wire = Wire(served)
    wire.cut = True
    async with live(tmp_path, served, wire=wire) as on:
        tally = on.app._bridges[on.app.current].tally
        await on.until(lambda: tally.devices == 0 and tally.policies == 0)
        other = session_on(tmp_path, served, Wire(served))
        await other.start()
        await on.until(lambda: other.sync.state.last_ok is not None)
        await other.policies.refresh()
        total = other.sync.state.total
        await other.stop()
        wire.cut = False
        await on.press("r")
        await on.until(lambda: tally.devices == total and tally.policies)
    served.world.close()
