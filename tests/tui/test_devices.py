"""The Devices screen on a real mirror: filter, sort, marks, live changes, and nothing that jumps."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from desk import NOW, DeskSession, device, make_app, names, press, quiet, toasts, until

from mdm_tui.fleet.errors import FleetError, Kind
from mdm_tui.services.events import DevicesChanged, SyncChanged
from mdm_tui.tui.bridge import Bridge
from mdm_tui.tui.screens.ask import Choose
from mdm_tui.tui.screens.devices import DevicesScreen


class Desk:
    """The app, its pilot and the screen, in one hand."""

    def __init__(self, app: Any, pilot: Any, session: DeskSession) -> None:
        self.app, self.pilot, self.session = app, pilot, session

    @property
    def screen(self) -> DevicesScreen:
        found = self.app.screen_stack[0]
        assert isinstance(found, DevicesScreen)
        return found

    @property
    def shown(self) -> list[str]:
        return names(self.session, self.screen.source.ids)

    @property
    def cursor(self) -> str:
        return names(self.session, [self.screen.grid.cursor_id])[0]

    async def press(self, *keys: str) -> None:
        await press(self.app, self.pilot, *keys)

    async def report(self, *devices: Any) -> None:
        """Devices report and the bridge hears it."""
        await self.session.report(*devices)
        await self.heard()

    async def heard(self) -> None:
        """Until what was published has come to the screen."""
        seen = self.app.news_seen
        await until(self.app, lambda: self.app.news_seen != seen)
        await quiet(self.app, self.pilot)


@asynccontextmanager
async def desk(tmp_path: Path, count: int = 60, size: tuple[int, int] = (120, 40), **more: Any) -> AsyncIterator[Desk]:
    session = await DeskSession(tmp_path, count).fill()
    app = make_app(tmp_path, session, **more)
    async with app.run_test(size=size, notifications=True) as pilot:
        await quiet(app, pilot)
        yield Desk(app, pilot, session)


async def test_the_first_frame_has_the_last_known_fleet(tmp_path: Path) -> None:
    session = await DeskSession(tmp_path).fill()
    seen: list[int] = []
    session.start = lambda: _raise_if_empty(app, seen)  # type: ignore[method-assign]
    app = make_app(tmp_path, session)
    async with app.run_test(size=(120, 40)) as pilot:
        await quiet(app, pilot)
    assert seen == [60], "rows were there before the session started"


async def _raise_if_empty(app: Any, seen: list[int]) -> None:
    seen.append(app.screen.source.count())


async def test_rows_are_sorted_by_name_as_people_count(tmp_path: Path) -> None:
    async with desk(tmp_path) as on:
        vans = [name for name in on.shown if name.startswith("Van")]
        assert vans[:4] == ["Van 1", "Van 7", "Van 13", "Van 19"]


async def test_filter_by_words_live_then_kept_then_cleared(tmp_path: Path) -> None:
    async with desk(tmp_path) as on:
        await on.press("slash", "c", "a", "f", "e")
        assert on.shown and all(name.startswith("Café") for name in on.shown)
        assert "10 of 60" in on.screen.filter.text
        await on.press("enter")
        assert on.screen.focused is on.screen.grid
        assert on.screen.filter.text.startswith(" / cafe")
        await on.press("slash", "escape")
        assert len(on.shown) == 60


async def test_escape_on_the_list_clears_the_filter_too(tmp_path: Path) -> None:
    async with desk(tmp_path) as on:
        await on.press("slash", "v", "a", "n", "enter", "f")
        assert len(on.shown) < 10
        await on.press("escape")
        assert len(on.shown) == 60


async def test_nothing_found_says_so_and_how_to_go_on(tmp_path: Path) -> None:
    async with desk(tmp_path) as on:
        await on.press("slash", "q", "q", "q", "enter")
        assert on.shown == []
        assert on.screen.grid.empty == "No device has all of: qqq\nesc clears the filter."
        assert on.screen.grid.cursor_id is None
        await on.press("enter", "space", "c", "e", "y", "n", "v", "a", "u", "m")


async def test_sorting_by_a_column_and_turning_it_round(tmp_path: Path) -> None:
    async with desk(tmp_path) as on:
        await on.press("s")
        assert isinstance(on.app.screen, Choose)
        on.app.screen.dismiss("battery")
        await quiet(on.app, on.pilot)
        values = [device(n).values["battery"] for n in range(60)]
        by_id = {item.id: item.values["battery"] for item in on.session.devices}
        assert [by_id[row_id] for row_id in on.screen.source.ids] == sorted(values)  # type: ignore[type-var]
        on.screen.sort_by("battery")
        await quiet(on.app, on.pilot)
        assert [by_id[row_id] for row_id in on.screen.source.ids] == sorted(values, reverse=True)  # type: ignore[type-var]
        assert "by batt down" in on.screen.filter.text


async def test_marks_are_counted_also_outside_the_query(tmp_path: Path) -> None:
    async with desk(tmp_path) as on:
        await on.press("space", "space")
        assert "2 marked" in on.screen.filter.text
        await on.press("slash", "v", "a", "n", "enter")
        assert "2 marked, 2 outside" in on.screen.filter.text
        await on.press("m")
        assert len(on.shown) == 0
        await on.press("escape", "m")
        assert len(on.shown) == 2
        await on.press("m", "u")
        assert "marked" not in on.screen.filter.text
        await on.press("u")
        assert "2 marked" in on.screen.filter.text


async def test_faults_only(tmp_path: Path) -> None:
    async with desk(tmp_path) as on:
        await on.press("f")
        assert 0 < len(on.shown) < 60
        assert "faults only" in on.screen.filter.text


async def test_a_changed_cell_changes_in_place(tmp_path: Path) -> None:
    async with desk(tmp_path) as on:
        await on.press("j", "j", "j")
        before, cursor = list(on.shown), on.cursor
        number = next(n for n in range(60) if on.session.devices[n].values["name"] == before[1])
        await on.report(device(number, battery=2))
        row = on.screen.source.row(on.screen.source.ids[1])
        assert row is not None and row.values["battery"] == 2
        assert on.shown == before and on.cursor == cursor


async def test_order_and_members_settle_after_three_seconds_of_rest(tmp_path: Path) -> None:
    now = [NOW]
    async with desk(tmp_path, clock=lambda: now[0]) as on:
        await on.press("j", "j")
        cursor, line = on.screen.grid.cursor_id, on.screen.grid.view.line
        on.session.devices.append(device(60, name="AAA first"))
        await on.report(device(60, name="AAA first"))
        on.screen.tick()
        await quiet(on.app, on.pilot)
        assert len(on.shown) == 60, "not while keys are pressed"
        assert "order waits" in on.screen.filter.text
        now[0] += 3.1
        on.screen.tick()
        await quiet(on.app, on.pilot)
        assert on.shown[0] == "AAA first"
        assert on.screen.grid.cursor_id == cursor
        assert on.screen.grid.view.line in (line, line + 1), "the cursor stays on its device, on its line if it can"


@pytest.mark.parametrize("key", ["space", "z"])
async def test_order_never_settles_under_marks_or_freeze(tmp_path: Path, key: str) -> None:
    now = [NOW]
    async with desk(tmp_path, clock=lambda: now[0]) as on:
        await on.press(key)
        on.session.devices.append(device(60, name="AAA first"))
        await on.report(device(60, name="AAA first"))
        now[0] += 60
        on.screen.tick()
        await quiet(on.app, on.pilot)
        assert len(on.shown) == 60
        await on.press("r")
        assert on.shown[0] == "AAA first", "r settles now"
        assert on.session.pokes == 1


async def test_everything_dirty_reads_what_is_shown_again(tmp_path: Path) -> None:
    async with desk(tmp_path) as on:
        await on.session.mirror.apply(on.session.scope, [device(0, battery=1)], at=NOW + 1, walk=None)
        on.session.hub.publish(DevicesChanged(on.session.scope, None, frozenset(), True))
        await on.heard()
        row = on.screen.source.row(device(0).id)
        assert row is None or row.values["battery"] == 1


async def test_an_empty_mirror_says_what_is_going_on(tmp_path: Path) -> None:
    async with desk(tmp_path, 0) as on:
        state = on.session.state
        state.phase, state.last_ok, state.next_at = "syncing", None, None
        on.session.hub.publish(SyncChanged(on.session.scope))
        await on.heard()
        assert on.screen.grid.empty == "Reading the fleet."
        state.phase, state.next_at = "stale", NOW + 12
        state.error = FleetError(Kind.UNREACHABLE, "connection refused")
        on.session.hub.publish(SyncChanged(on.session.scope))
        await on.heard()
        assert "connection refused" in on.screen.grid.empty and "next try 12s" in on.screen.grid.empty
        state.phase, state.error, state.last_ok = "fresh", None, NOW
        on.session.hub.publish(SyncChanged(on.session.scope))
        await on.heard()
        assert on.screen.grid.empty == "This fleet has no devices."


async def test_the_first_devices_of_an_empty_mirror_show_at_once(tmp_path: Path) -> None:
    async with desk(tmp_path, 0) as on:
        on.session.devices.append(device(1))
        await on.report(device(1))
        assert on.shown == ["Van 1"]


async def test_a_scanner_filters_and_never_commands(tmp_path: Path) -> None:
    async with desk(tmp_path, key_window=0.03) as on:
        serial = str(device(7).values["serial"])
        from textual import events

        for character in serial:
            on.app.post_message(events.Key(character if character.isalnum() else "?", character))
        on.app.post_message(events.Key("enter", "\r"))
        await until(on.app, lambda: on.screen.asked.words == serial)
        await quiet(on.app, on.pilot)
        assert on.shown == ["Van 7"]
        assert not on.screen.grid.marks and not on.screen.settling.frozen


async def test_slow_keys_are_commands_also_with_the_guard(tmp_path: Path) -> None:
    async with desk(tmp_path, key_window=0.03) as on:
        await on.pilot.press("z")
        await until(on.app, lambda: on.screen.settling.frozen)
        assert on.screen.asked.words == ""


async def test_a_held_key_is_no_scanner(tmp_path: Path) -> None:
    async with desk(tmp_path, key_window=0.03) as on:
        await on.pilot.press(*"jjjjjj")
        await quiet(on.app, on.pilot)
        assert on.screen.grid.cursor_index == 6
        assert on.screen.asked.words == ""


async def test_copy_is_a_ticket_line(tmp_path: Path) -> None:
    async with desk(tmp_path) as on:
        await on.press("slash", "v", "a", "n", "enter", "j", "y")
        assert on.app.clipboard.startswith(f"{on.cursor}, serial ")
        assert any("copied" in sentence for sentence in toasts(on.app))


async def test_export_writes_what_is_seen_and_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with desk(tmp_path) as on:
        await on.press("slash", "v", "a", "n", "enter", "x")
        on.app.screen.dismiss("json")
        await quiet(on.app, on.pilot)
        (path,) = _exports(tmp_path)
        rows = json.loads(path.read_text())
        assert [row["name"] for row in rows] == on.shown
        assert "id" in rows[0] and "faults" in rows[0]
        assert any(str(path) in sentence for sentence in toasts(on.app))


async def test_acting_with_marks_elsewhere_asks_which_without_a_default(tmp_path: Path) -> None:
    async with desk(tmp_path) as on:
        got: list[list[str]] = []
        await on.press("space", "j")
        on.screen._with_targets("act on", got.append)
        await quiet(on.app, on.pilot)
        assert isinstance(on.app.screen, Choose)
        await on.press("enter")
        assert got == [], "enter alone chooses nothing"
        on.app.screen.dismiss("cursor")
        await quiet(on.app, on.pilot)
        assert got == [[on.screen.grid.cursor_id]]


async def test_the_preview_follows_the_cursor_and_becomes_a_pane(tmp_path: Path) -> None:
    async with desk(tmp_path, size=(120, 40)) as on:
        await on.press("j")
        await until(on.app, lambda: on.cursor in on.screen.preview.text)
        assert not on.screen.preview.pane
        await on.pilot.resize_terminal(180, 50)
        await quiet(on.app, on.pilot)
        assert on.screen.preview.pane
        assert "Serial" in on.screen.preview.text
        await on.press("p")
        assert not on.screen.preview.display


async def test_a_hidden_list_does_nothing_until_it_is_shown_again(tmp_path: Path) -> None:
    async with desk(tmp_path) as on:
        await on.press("question_mark")
        fetched = on.screen.source._rows.copy()
        number = next(n for n in range(60) if on.session.devices[n].values["name"] == on.shown[1])
        await on.report(device(number, battery=3))
        assert on.screen.source._rows == fetched
        await on.press("escape")
        row = on.screen.source.row(on.screen.source.ids[1])
        assert row is not None and row.values["battery"] == 3


def _exports(folder: Path) -> list[Path]:
    return list(folder.glob("devices-*.json"))


async def test_n_and_shift_n_go_from_fault_to_fault_through_the_whole_list(tmp_path: Path) -> None:
    async with desk(tmp_path, 200, size=(80, 24)) as on:
        await on.press("f")
        faulty = list(on.screen.source.ids)
        await on.press("f", "g")
        met: list[str | None] = []
        for _ in range(3):
            await on.press("n")
            met.append(on.screen.grid.cursor_id)
        first = [row_id for row_id in on.screen.source.ids if row_id in faulty]
        wanted = first[1:4] if on.screen.source.ids[0] in faulty else first[:3]
        assert met == wanted
        await on.press("N")
        assert on.screen.grid.cursor_id == met[1]


async def test_a_fault_in_what_carries_the_news_fails_a_test_that_waits_for_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: Bridge, events: object) -> None:
        raise AttributeError("the session has no such part")

    monkeypatch.setattr(Bridge, "deliver", broken)
    with pytest.raises(AttributeError, match="no such part"):
        async with desk(tmp_path) as on:
            await on.report(device(3, battery=1))
