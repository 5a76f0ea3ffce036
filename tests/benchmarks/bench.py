"""`make bench`: what speed costs here and now, as a table with the limits of the project beside it.

    python tests/benchmarks/bench.py [--only WORD] [--pairs 9] [--devices 10000]

Times depend on the machine and on what else it does: the first frame is a ratio against a bare Textual app in the
same run, turn by turn. Bytes and requests are counts and do not. Exit code 1 when a limit is passed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(ROOT), str(HERE)]

from ptyrun import PtyRun  # noqa: E402

from mdm_tui.cli.child import Child  # noqa: E402
from mdm_tui.config.connections import Connection  # noqa: E402
from mdm_tui.config.paths import Paths  # noqa: E402
from mdm_tui.fleet.devices import Device, Segment  # noqa: E402
from mdm_tui.providers import factory as find_factory  # noqa: E402

# Both programs start from bytecode, as they do for everybody; the first pair, which is not counted, writes ours.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# As `mdm_tui.__main__` does; the sync is measured in this process.
sys.setswitchinterval(0.001)

BARE = """\
from textual.app import App
from textual.widgets import Static
class Bare(App):
    def compose(self):
        yield Static("first frame\\n" * 39)
Bare().run()
"""


@dataclass
class Line:
    """One line of the table. limit: the most that is allowed, None when there is no limit."""

    what: str
    value: float
    unit: str
    limit: float | None = None
    note: str = ""

    @property
    def passed(self) -> bool:
        return self.limit is None or self.value <= self.limit


@dataclass
class Fleet:
    """A served fleet, and the home of a console that has seen it."""

    url: str
    organization: str
    token: str
    home: Path
    midm_url: str
    site: str
    email: str
    api_key: str
    password: str

    @property
    def env(self) -> dict[str, str]:
        return {"MDM_TUI_HOME": str(self.home), "MDM_TUI_TOKEN": self.token, "PYTHONPATH": str(ROOT)}

    @property
    def flags(self) -> list[str]:
        return ["--url", self.url, "--organization", self.organization]

    def run(self, *words: str) -> str:
        """The command line's answer."""
        command = [sys.executable, "-m", "mdm_tui", *words, *self.flags]
        return subprocess.run(
            command, env={**os.environ, **self.env}, stdout=subprocess.PIPE, text=True, check=True, cwd=self.home
        ).stdout

    def seen(self) -> str:
        """Have the console's mirror filled; a serial of the first page that is shown uncut."""
        rows = json.loads(self.run("devices", "--refresh", "--format", "json"))
        return next(row["serial"] for row in rows[:30] if row["serial"] and 8 < len(row["serial"]) <= 13)

    def connection(self) -> Connection:
        return Connection("bench", "applivery", self.url, self.organization)

    def second(self) -> Connection:
        """The same fleet as the second service sees it."""
        return Connection("second", "midm", self.midm_url, self.site, email=self.email)


@contextmanager
def served(devices: int) -> Iterator[Fleet]:
    """A calm fleet of its own, gone at the end."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        flags = [f"--devices={devices}", "--scenario=calm", f"--data-dir={home / 'fleet'}"]
        with Child(flags, home / "server.log", devices) as child:
            ready = child.wait()
            yield Fleet(
                *(ready.url, ready.organization, ready.token, home),
                *(ready.midm_url, ready.site, ready.email, child.api_key, child.password),
            )


def first_frame(command: list[str], words: str, env: dict[str, str]) -> float:
    """Milliseconds from the start of a program to the end of the burst that brought `words`."""
    quiet = 0.01
    begun = time.monotonic()
    with PtyRun(command, env=env) as run:
        while words.encode() not in run.output:
            run.read(quiet=quiet, most=2.0)
            if time.monotonic() - begun > 30 or run.ended():
                raise TimeoutError(f"{words!r} did not appear: {bytes(run.output[-2000:])!r}")
        return (time.monotonic() - begun - quiet) * 1e3


def frames(pairs: int, _devices: int) -> list[Line]:
    """The first frame with the last known fleet on it, against the smallest Textual app."""
    with served(500) as fleet:
        serial = fleet.seen()
        bare = fleet.home / "bare.py"
        bare.write_text(BARE)
        ours, theirs = [], []
        for number in range(pairs + 1):
            one = first_frame([sys.executable, "-m", "mdm_tui", *fleet.flags], serial, fleet.env)
            two = first_frame([sys.executable, str(bare)], "first frame", fleet.env)
            # The first pair only fills the file cache.
            if number:
                ours.append(one)
                theirs.append(two)
        ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
        return [
            Line("first frame, bare Textual app", statistics.median(theirs), "ms"),
            Line("first frame with the last known fleet", statistics.median(ours), "ms"),
            Line("  ratio, median of pairs", ratio, "×", 1.6, f"{pairs} pairs, turn by turn"),
        ]


def keys(_pairs: int, _devices: int) -> list[Line]:
    """Bytes the whole console sends for a cursor key, what follows after its rest included."""
    with served(500) as fleet:
        serial = fleet.seen()
        with PtyRun([sys.executable, "-m", "mdm_tui", *fleet.flags], env=fleet.env) as run:
            run.wait_for(serial)
            run.read(quiet=1.0, most=8.0)
            sizes = [len(run.press("down", quiet=0.3)) for _ in range(20)]
    return [Line("bytes of a cursor key at 120×40", statistics.median(sizes), "B", 500, f"most {max(sizes)}, 20 keys")]


def cells(_pairs: int, _devices: int) -> list[Line]:
    """Bytes of changes in the grid over 10,000 rows."""
    command = [sys.executable, str(ROOT / "tests" / "tui" / "gridapp.py"), "10000"]
    with PtyRun(command, env={"PYTHONPATH": str(ROOT)}) as run:
        run.wait_for("Serial")
        seen, unseen = len(run.press("!")), len(run.press("@"))
    return [
        Line("live change of ten visible cells", seen, "B", 2_000, "the grid alone"),
        Line("change off the screen", unseen, "B", 0, "the grid alone"),
    ]


async def _blocked(until: asyncio.Event) -> float:
    """The longest time in ms for which the event loop answered nobody."""
    longest, step = 0.0, 0.002
    while not until.is_set():
        before = time.perf_counter()
        await asyncio.sleep(step)
        longest = max(longest, time.perf_counter() - before - step)
    return longest * 1e3


def sync(_pairs: int, devices: int) -> list[Line]:
    """A full sync over real HTTP, and then a poll in which nothing changed."""
    with served(devices) as fleet:
        return asyncio.run(_sync(fleet, devices)) + asyncio.run(_pages(fleet))


async def _sync(fleet: Fleet, devices: int) -> list[Line]:
    from mdm_tui.services.session import Session

    paths = Paths.default({"MDM_TUI_HOME": str(fleet.home / "sync")})
    session = Session(fleet.connection(), paths, env=fleet.env)
    session.open_store()
    done = asyncio.Event()
    watch = asyncio.create_task(_blocked(done))
    begun = time.monotonic()
    await session.sync.once()
    took = time.monotonic() - begun
    done.set()
    blocked = await watch
    from mdm_tui.store.mirror import View

    held, total = len(await session.mirror.ids(View(session.scope))), session.sync.state.total
    await session.stop()
    # A simulated fleet has a few devices that have left: the service does not list them.
    assert held == total and held > devices * 0.9, f"{held} devices are here, {total} at the service"
    return [
        Line(f"full sync of {devices:,} devices", took, "s", 15 if devices <= 10_000 else None),
        Line("  longest block of the event loop", blocked, "ms", 50),
    ]


async def _pages(fleet: Fleet) -> list[Line]:
    url = f"{fleet.url}/organizations/{fleet.organization}/mdm/aosp/enterprise/devices?limit=100&page="
    median = _paged([f"{url}{page}" for page in range(1, 51)], {"Authorization": f"Bearer {fleet.token}"})
    return [Line("server: a page of 100, median of 50", median, "ms", 30)]


def _paged(urls: list[str], headers: dict[str, str]) -> float:
    """Milliseconds from asking to the last byte, the median."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    times = []
    for url in urls:
        request = urllib.request.Request(url, headers=headers)
        begun = time.perf_counter()
        with opener.open(request) as answer:
            body = answer.read()
        # A refusal is quick.
        assert len(body) > 20_000, body[:300]
        times.append((time.perf_counter() - begun) * 1e3)
    return statistics.median(times)


def both(_pairs: int, _devices: int) -> list[Line]:
    """Two services of one server: a page of MiDM, and a walk through both of them, 20,000 devices each."""
    with served(20_000) as fleet:
        return asyncio.run(_midm_pages(fleet)) + asyncio.run(_both(fleet))


async def _midm_pages(fleet: Fleet) -> list[Line]:
    provider = find_factory("midm").connect(fleet.second(), {"api_key": fleet.api_key, "password": fleet.password})
    try:
        assert len((await provider.devices(1, 100)).items) == 100
        session = provider.hides[0]
    finally:
        await provider.aclose()
    url = f"{fleet.midm_url}/ota/api/device/find?sortBy=uuid&direction=asc&size=100&page="
    headers = {"x-api-key": fleet.api_key, "Authorization": f"Bearer {session}"}
    median = _paged([f"{url}{page}" for page in range(50)], headers)
    return [Line("server: a page of 100 of MiDM, median of 50", median, "ms", 30)]


async def _both(fleet: Fleet) -> list[Line]:
    from mdm_tui.services.session import Session
    from mdm_tui.store.mirror import Mirror, TwinView, View

    paths = Paths.default({"MDM_TUI_HOME": str(fleet.home / "both")})
    paths.ensure(paths.cache)
    env = {**fleet.env, "MDM_TUI_API_KEY": fleet.api_key, "MDM_TUI_PASSWORD": fleet.password}
    mirror = Mirror.open(paths.mirror)
    sessions = [Session(one, paths, env=env, mirror=mirror) for one in (fleet.connection(), fleet.second())]
    for session in sessions:
        session.open_store()
    done = asyncio.Event()
    watch = asyncio.create_task(_blocked(done))
    begun = time.monotonic()
    await asyncio.gather(*(session.sync.once() for session in sessions))
    took = time.monotonic() - begun
    done.set()
    blocked = await watch
    held = [len(await mirror.ids(View(session.scope))) for session in sessions]
    joined = len(await mirror.twin_ids(TwinView(tuple(session.scope for session in sessions), now=time.time())))
    totals = [session.sync.state.total for session in sessions]
    for session in sessions:
        await session.stop()
    mirror.close()
    assert held == totals and min(held) > 15_000, f"{held} devices are here, {totals} at the services"
    assert joined < sum(held), "no device is known to both"
    note = f"{joined:,} rows when joined"
    return [
        Line(f"full sync of {held[0]:,} and {held[1]:,} devices", took, "s", 60, note),
        Line("  longest block of the event loop", blocked, "ms", 50),
    ]


def polls(_pairs: int, _devices: int) -> list[Line]:
    """Requests of a poll in which nothing changed: a fleet whose clock stands still."""
    return asyncio.run(_polls())


async def _polls() -> list[Line]:
    import httpx

    from mdm_tui.server.testing import BASE_URL, fleet
    from mdm_tui.services.session import Session

    still = fleet(300)
    with tempfile.TemporaryDirectory() as home:
        paths = Paths.default({"MDM_TUI_HOME": home})
        connection = Connection("bench", "applivery", BASE_URL, still.organization)
        session = Session(
            connection, paths, env={"MDM_TUI_TOKEN": still.token}, transport=httpx.ASGITransport(app=still.app)
        )
        session.open_store()
        try:
            await session.start()
            await _fresh(session)
            before = session.provider.meter.used
            last = session.sync.state.last_ok
            session.sync.poke()
            await _fresh(session, after=last)
            used = session.provider.meter.used - before
        finally:
            await session.stop()
            still.world.close()
    return [Line("requests of a poll in which nothing changed", used, "", 1)]


async def _fresh(session: object, after: float | None = None) -> None:
    """Wait until a look that ended after `after` has made the data fresh."""
    state = session.sync.state  # type: ignore[attr-defined]
    async with asyncio.timeout(60):
        async for _events in session.hub.subscribe():  # type: ignore[attr-defined]
            state = session.sync.state  # type: ignore[attr-defined]
            if state.phase == "fresh" and state.last_ok is not None and (after is None or state.last_ok > after):
                return


def twins(_pairs: int, _devices: int) -> list[Line]:
    """Both systems as one list: 20,000 devices each, joined by serial number in one statement."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_twins(Path(folder) / "mirror.db", 20_000))


async def _twins(path: Path, each: int) -> list[Line]:
    from mdm_tui.store.mirror import Mirror, TwinView

    one, two = "applivery:bench", "midm:bench"
    mirror = Mirror.open(path)
    try:
        dice = random.Random(1)
        for scope, first in ((one, 0), (two, each * 3 // 20)):
            numbers = list(range(first, first + each))
            # In no order, as services list them: neighbours in the join are far apart in the file.
            dice.shuffle(numbers)
            for begin in range(0, each, 500):
                rows = [_twin(scope, number, dice) for number in numbers[begin : begin + 500]]
                await mirror.apply(scope, rows, at=1.0, walk=None)
        await mirror.apply_items(one, Segment, [Segment(n, f"Site {n}") for n in range(500)], True, 1.0)
        view = TwinView((one, two), now=1.8e9)
        views = {
            "by name": view,
            "two words": replace(view, words=("handset", "px30")),
            "disagreements only": replace(view, differs_only=True),
            "by battery": replace(view, sort=(("battery", False), ("name", False))),
            "all of these": replace(
                view, words=("px30",), differs_only=True, sort=(("faults", True), ("battery", False), ("name", False))
            ),
        }
        lines = []
        for name, asked in views.items():
            times, keys = [], []
            for _ in range(9):
                begun = time.perf_counter()
                keys = await mirror.twin_ids(asked)
                times.append((time.perf_counter() - begun) * 1e3)
            note = f"{len(keys):,} rows, median of 9"
            lines.append(Line(f"twins of 2 × {each:,}, {name}", statistics.median(times), "ms", 150, note))
        times = []
        keys = await mirror.twin_ids(view)
        for begin in range(0, 5_000, 100):
            begun = time.perf_counter()
            assert len(await mirror.twin_rows(view.connections, keys[begin : begin + 100])) == 100
            times.append((time.perf_counter() - begun) * 1e3)
        return [*lines, Line("  a window of 100 of them", statistics.median(times), "ms", None, "median of 50")]
    finally:
        mirror.close()


def _twin(scope: str, number: int, dice: random.Random) -> Device:
    # One in ten stands elsewhere, runs something else, or was heard of long before.
    site = (number + (number % 10 == 3)) % 500
    aosp = scope.startswith("applivery")
    values = {
        "id": f"{scope[0]}{number:023x}",
        "name": f"Handset {dice.randrange(100_000)}",
        "model": "PX30 Rugged",
        "serial": f"PX{number * 7_919 % 1_000_003:010d}" if number % 500 else "unknown",
        "os": "12" if number % 10 == 4 and dice.random() < 0.5 else "13",
        "build": f"PX30.{number % 7}.2026",
        "battery": dice.randrange(101),
        "seen": 1.8e9 - dice.randrange(2 * 86_400 if number % 10 == 5 else 3_600),
        "imei": f"35{number:013d}",
        "tags": "kiosk, store",
        **({"segment": number % 500} if aosp else {"group": f"Site {site}", "groupid": f"g{site}"}),
    }
    return Device(str(values["id"]), values, json.dumps(values))


PARTS: dict[str, Callable[[int, int], list[Line]]] = {
    "frames": frames,
    "keys": keys,
    "cells": cells,
    "polls": polls,
    "sync": sync,
    "both": both,
    "twins": twins,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=PARTS, action="append", help="these parts alone")
    parser.add_argument("--pairs", type=int, default=9, help="pairs of starts for the first frame")
    parser.add_argument("--devices", type=int, default=10_000, help="devices of the full sync")
    options = parser.parse_args()
    print(f"{'what':46} {'measured':>12}  {'limit':>10}")
    failed = 0
    for name in options.only or PARTS:
        for line in PARTS[name](options.pairs, options.devices):
            limit = "" if line.limit is None else f"{line.limit:g} {line.unit}".strip()
            value = f"{line.value:.2f}" if line.unit in ("×", "s") else f"{line.value:,.1f}".removesuffix(".0")
            verdict = "" if line.limit is None else "ok" if line.passed else "OVER"
            failed += not line.passed
            print(
                f"{line.what:46} {value:>9} {line.unit:<2}  {limit:>10}  {verdict:4} {line.note}".rstrip(), flush=True
            )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
