"""The stories of the list and of staying alive, with every part real but the wire between the two processes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from desk import make_app, until
from live import Live, Wire, live, session_on

from mdm_tui.server.testing import fleet
from mdm_tui.tui.screens.devices import DevicesScreen
from mdm_tui.tui.widgets.header import Header


def _screen(app: Any) -> DevicesScreen:
    found = app.screen_stack[0]
    assert isinstance(found, DevicesScreen)
    return found


def _header(app: Any) -> str:
    return app.screen.query_one(Header).text


async def _whole(on: Live) -> DevicesScreen:
    screen = _screen(on.app)
    # What the list and the header show comes in batches, at most ten a second.
    await on.until(lambda: screen.source.count() == on.session.sync.state.total and "fresh" in _header(on.app))
    return screen


async def test_a_fleet_is_there_and_rows_change_while_the_cursor_stays(tmp_path: Path) -> None:
    async with live(tmp_path) as on:
        screen = await _whole(on)
        await on.press("j", "j", "j", "j")
        cursor, ids = screen.grid.cursor_id, list(screen.source.ids)
        before = {row_id: screen.source.row(row_id) for row_id in ids[:20]}
        on.advance(60)
        await on.press("r")
        await on.until(lambda: any(screen.source.row(row_id) not in (None, row) for row_id, row in before.items()))
        assert screen.grid.cursor_id == cursor


async def test_words_find_a_device_by_what_the_service_knows_of_it(tmp_path: Path) -> None:
    async with live(tmp_path) as on:
        screen = await _whole(on)
        row = screen.source.row(screen.source.ids[3])
        assert row is not None
        serial = str(row.values["serial"])
        await on.press("slash", *serial, "enter")
        await on.until(lambda: screen.source.ids == [row.id])
        assert f"1 of {on.session.sync.state.total}" in screen.filter.text


async def test_pulled_away_the_data_is_stale_with_reason_and_countdown_and_comes_back(tmp_path: Path) -> None:
    async with live(tmp_path) as on:
        screen = await _whole(on)
        count = screen.source.count()
        on.wire.cut = True
        await on.press("r")
        await on.until(lambda: "stale" in _header(on.app))
        assert screen.source.count() == count, "an error never clears data"
        assert "next try" in _header(on.app)
        on.wire.cut = False
        await on.press("r")
        await on.until(lambda: "fresh" in _header(on.app))


async def test_come_back_and_the_last_known_fleet_is_there_before_any_request(tmp_path: Path) -> None:
    served = fleet(devices=60, seed=3)
    async with live(tmp_path, served) as on:
        count = (await _whole(on)).source.count()
    wire = Wire(served)
    wire.cut = True
    session = session_on(tmp_path, served, wire)
    seen: list[tuple[int, int, str]] = []
    start = session.start

    async def starting() -> None:
        seen.append((_screen(app).source.count(), len(wire.asked), _header(app)))
        await start()

    session.start = starting  # type: ignore[method-assign]
    app = make_app(tmp_path, session, clock=lambda: served.world.clock.now() / 1000 + 7_200)
    async with app.run_test(size=(120, 40), notifications=True):
        await until(app, lambda: "stale" in _header(app))
        assert _screen(app).source.count() == count
    ((rows, requests, header),) = seen
    assert (rows, requests) == (count, 0)
    assert "last known" in header, "its age is stated"
    served.world.close()


async def test_a_wrong_token_is_a_sentence_and_the_console_stays(tmp_path: Path) -> None:
    served = fleet(devices=5, seed=3)
    other = served._replace(token="not-a-token")
    async with live(tmp_path, other) as on:
        await on.until(lambda: "signed out" in _header(on.app) and "token" in _screen(on.app).grid.empty.lower())
        assert "not-a-token" not in _screen(on.app).grid.empty
    served.world.close()


async def test_a_token_that_may_not_read_devices_says_what_it_needs(tmp_path: Path) -> None:
    served = fleet(devices=5, seed=3, permissions={"mdm.aosp.policy.list"})
    async with live(tmp_path, served) as on:
        await on.until(lambda: "No device is known yet" in _screen(on.app).grid.empty)
        assert "(needs mdm.aosp.device.list)" in _screen(on.app).grid.empty
    served.world.close()


async def test_read_only_is_said_in_the_header(tmp_path: Path) -> None:
    async with live(tmp_path, read_only=True, production=True) as on:
        await _whole(on)
        assert "PRODUCTION · READ-ONLY" in _header(on.app)
