"""The joined list: one fleet as two services see it, through real sessions on the real server's application."""

from __future__ import annotations

import asyncio
import csv
import json
from pathlib import Path
from typing import Any

import pytest
from fleets import Two, two

from mdm_tui.services.pace import Attention
from mdm_tui.store.mirror import TwinRow, TwinView
from mdm_tui.tui.screens.act_confirm import ActConfirm
from mdm_tui.tui.screens.ask import Choose
from mdm_tui.tui.screens.both import BothScreen
from mdm_tui.tui.screens.device import DeviceScreen
from mdm_tui.tui.widgets.command_bar import verbs
from mdm_tui.tui.widgets.header import Header


async def joined(on: Two) -> BothScreen:
    """Both open, the joined list on the screen."""
    on.app.open_connection("depot")
    await on.read("acme")
    await on.read("depot")
    await on.press("B")
    screen = on.app.screen
    assert isinstance(screen, BothScreen)
    await on.until(lambda: screen.source.count() and screen.source.twin(screen.grid.cursor_id))
    return screen


async def rows(on: Two, screen: BothScreen) -> dict[str, TwinRow]:
    return await screen.twins.rows(screen.twins.view(), screen.source.ids)


async def to(on: Two, screen: BothScreen, key: str) -> TwinRow:
    """The cursor on a row, the row in memory."""
    assert screen.grid.move_cursor_to(key)
    await on.until(lambda: screen.source.twin(key) is not None)
    found = screen.source.twin(key)
    assert found is not None
    return found


def text(on: Two) -> str:
    strips = on.app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)


async def test_a_device_known_to_both_is_one_row_with_both_sources(tmp_path: Path) -> None:
    async with two(tmp_path, midm=60) as on:
        screen = await joined(on)
        found = await rows(on, screen)
        acme, depot = (on.app.sessions[name] for name in ("acme", "depot"))
        together = [key for key, row in found.items() if len(row.sides) == 2]
        assert together and len(found) < acme.sync.state.total + depot.sync.state.total  # type: ignore[operator]
        row = await to(on, screen, together[0])
        await on.until(lambda: "acme · " in screen.preview.text and "depot · " in screen.preview.text)
        assert {side.connection for side in row.sides} == {acme.scope, depot.scope}
        assert "⇄ both" in text(on)
        header = screen.query_one(Header).text
        assert header.startswith(" acme + depot") and f"B Both {len(found):,}" in header


async def test_devices_that_cannot_be_joined_are_shown_by_id_and_say_so(tmp_path: Path) -> None:
    async with two(tmp_path, midm=60) as on:
        screen = await joined(on)
        found = await rows(on, screen)
        loose = [key for key, row in found.items() if not row.joinable]
        assert loose
        row = await to(on, screen, loose[0])
        await on.until(lambda: "not joined:" in screen.preview.text)
        assert len(row.sides) == 1
        cells = screen.source.cells(loose[0], screen.grid.columns)
        assert cells is not None and any(cell.text == f"id {row.sides[0].row.id}" for cell in cells)


async def test_disagreements_are_a_filter_and_can_be_chosen_by_kind(tmp_path: Path) -> None:
    async with two(tmp_path, midm=60) as on:
        screen = await joined(on)
        everything = await rows(on, screen)
        differing = {key for key, row in everything.items() if row.differs}
        assert differing and len(differing) < len(everything)
        await on.press("d")
        await on.until(lambda: set(screen.source.ids) == differing)
        assert "disagreements only" in screen.filter.text and f"of {len(everything)}" in screen.filter.text
        await on.press("d")
        await on.until(lambda: len(screen.source.ids) == len(everything))
        await on.press("F")
        await on.until(lambda: isinstance(on.app.screen, Choose))
        await on.press("down", "down", "enter")
        version = {key for key, row in everything.items() if "version" in row.differs}
        await on.until(lambda: set(screen.source.ids) == version)
        await on.press("escape", "F")
        await on.until(lambda: isinstance(on.app.screen, Choose))
        await on.press("end", "enter")
        depot = on.app.sessions["depot"].scope
        only = {key for key, row in everything.items() if [side.connection for side in row.sides] == [depot]}
        await on.until(lambda: set(screen.source.ids) == only)
        assert "only in depot" in screen.filter.text


async def test_words_and_sorting(tmp_path: Path) -> None:
    async with two(tmp_path, midm=60) as on:
        screen = await joined(on)
        everything = await rows(on, screen)
        key = next(key for key, row in everything.items() if len(row.sides) == 2)
        await on.line(f"filter {everything[key].value('serial')}")
        await on.until(lambda: screen.source.ids == [key])
        assert on.app.screen is screen, "words filter the list that is looked at"
        await on.press("escape", "s", "end", "enter")
        scopes = (on.app.sessions["acme"].scope, on.app.sessions["depot"].scope)
        wanted = await screen.twins.ids(TwinView(scopes, sort=(("seen", False),)))
        await on.until(lambda: screen.source.ids == wanted)


async def test_enter_asks_in_which_system_and_its_header_names_it(tmp_path: Path) -> None:
    async with two(tmp_path, midm=60) as on:
        screen = await joined(on)
        found = await rows(on, screen)
        key = next(key for key, row in found.items() if len(row.sides) == 2)
        row = await to(on, screen, key)
        await on.press("enter")
        await on.until(lambda: isinstance(on.app.screen, Choose))
        assert "in acme · Applivery" in text(on) and "in depot · " in text(on)
        await on.press("down", "enter")
        await on.until(lambda: isinstance(on.app.screen, DeviceScreen))
        device = on.app.screen
        depot = on.app.sessions["depot"]
        assert "‹ Both" in text(on), "what esc leads back to"
        assert device.session is depot and device.device_id == row.sides[1].row.id
        assert device.query_one(Header).text.startswith(" depot ")
        assert on.app.session is depot, "what is armed or gone to from here is depot's"
        await on.press("escape")
        assert on.app.screen is screen
        alone = next(key for key, row in found.items() if len(row.sides) == 1)
        await to(on, screen, alone)
        await on.press("enter")
        await on.until(lambda: isinstance(on.app.screen, DeviceScreen))


async def test_acting_goes_through_one_systems_own_flow_with_its_own_ids(tmp_path: Path) -> None:
    async with two(tmp_path, midm=60) as on:
        screen = await joined(on)
        found = await rows(on, screen)
        acme, depot = (on.app.sessions[name] for name in ("acme", "depot"))
        key = next(
            key
            for key, row in found.items()
            if len(row.sides) == 2 and row.sides[0].row.values.get("state") == "ACTIVE"
        )
        other = next(key for key, row in found.items() if [side.connection for side in row.sides] == [depot.scope])
        screen.grid.marks.replace([key, other])
        await to(on, screen, key)
        await on.press("c")
        await on.until(lambda: "Act in which system?" in text(on))
        said = " ".join(text(on).split())
        assert "1 of 2, 1 not in it: left out" in said
        assert "in depot · VisionMax MiDM takes no commands through its API" in said, "named, with the reason"
        assert "up down, then enter choose" in said
        await on.press("enter")
        assert "Act in which system?" in text(on), "enter alone chooses none"
        await on.press("down", "down", "enter")
        await on.until(lambda: "Reboot" in text(on))
        assert "acme · Applivery (AOSP)" in text(on), "the menu names the system it acts on"
        await on.press("home", "enter")
        await on.until(lambda: isinstance(on.app.screen, ActConfirm))
        confirm = on.app.screen
        assert confirm.session is acme
        assert [target.device.id for target in confirm.plan.will] == [found[key].sides[0].row.id]
        await on.press("escape")


async def test_a_system_without_commands_is_not_asked_for_one(tmp_path: Path) -> None:
    async with two(tmp_path, midm=60) as on:
        screen = await joined(on)
        depot = on.app.sessions["depot"].scope
        found = await rows(on, screen)
        key = next(key for key, row in found.items() if [side.connection for side in row.sides] == [depot])
        await to(on, screen, key)
        await on.press("c")
        title = on.app.sessions["depot"].factory.title
        await on.until(lambda: f"{title} takes no commands through its API." in on.toasts())


@pytest.mark.parametrize("kind", ["csv", "json"])
async def test_an_export_has_each_source_by_name(tmp_path: Path, monkeypatch: Any, kind: str) -> None:
    monkeypatch.chdir(tmp_path)
    async with two(tmp_path, midm=60) as on:
        screen = await joined(on)
        found = await rows(on, screen)
        await on.press("x", *(() if kind == "csv" else ("down",)), "enter")
        await on.until(lambda: list(tmp_path.glob(f"devices-both-*.{kind}")))
        await on.until(lambda: any("devices written to" in toast for toast in on.toasts()))
        written = await asyncio.to_thread(lambda: next(tmp_path.glob(f"devices-both-*.{kind}")).read_text())
        rows_of = list(csv.DictReader(written.splitlines())) if kind == "csv" else json.loads(written)
        assert len(rows_of) == len(found)
        ids = {row["depot.id"] for row in rows_of if row["depot.id"]}
        depot = on.app.sessions["depot"].scope
        assert ids == {side.row.id for row in found.values() for side in row.sides if side.connection == depot}


async def test_both_are_polled_closely_and_a_change_of_either_is_painted_in_place(tmp_path: Path) -> None:
    async with two(tmp_path, midm=60) as on:
        screen = await joined(on)
        acme, depot = (on.app.sessions[name] for name in ("acme", "depot"))
        assert acme.sync.pace.attention is depot.sync.pace.attention is Attention.ACTIVE
        assert acme.sync.visible and depot.sync.visible
        found = await rows(on, screen)
        key = next(key for key in screen.source.ids if len(found[key].sides) == 2)
        before = list(screen.source.ids)
        await to(on, screen, key)
        from dataclasses import replace

        from mdm_tui.services.events import DevicesChanged

        stored = await acme.mirror.device(acme.scope, found[key].sides[0].row.id)
        assert stored is not None
        changed = replace(stored.device, values={**stored.device.values, "os": "99"})
        await acme.mirror.apply(acme.scope, [changed], at=on.app.now(), walk=None)
        acme.hub.publish(DevicesChanged(acme.scope, frozenset({changed.id}), frozenset({"os"})))

        def os_cell() -> str:
            cells = screen.source.cells(key, screen.grid.columns) or ()
            return next(
                (cell.text for cell, column in zip(cells, screen.grid.columns, strict=True) if column.key == "os"), ""
            )

        await on.until(lambda: os_cell().startswith("99"))
        assert screen.source.ids == before and screen.grid.cursor_id == key


async def test_one_alone_has_nothing_to_be_joined_with_and_closing_leaves_the_list(tmp_path: Path) -> None:
    async with two(tmp_path, midm=60) as on:
        await on.press("B")
        assert any("One connection is open; @ opens another" in toast for toast in on.toasts())
        screen = await joined(on)
        assert on.app.screen is screen
        await on.press("at", "end", "up", "x")
        await on.until(lambda: "depot is closed." in on.toasts())
        await on.press("escape")
        assert on.app.current_mode == "acme/devices"
        await joined(on)
        await on.press("escape")
        assert on.app.current_mode == "acme/devices", "esc leads back to the connection shown last"


async def test_a_device_says_where_else_it_is_and_o_goes_there(tmp_path: Path) -> None:
    async with two(tmp_path, midm=60) as on:
        screen = await joined(on)
        found = await rows(on, screen)
        row = next(row for row in found.values() if len(row.sides) == 2)
        mine, theirs = (side.row.id for side in row.sides)
        depot = on.app.sessions["depot"]
        await on.line("connect acme")
        on.app.open_device(mine)
        await on.until(lambda: "⇄ also in depot · " in text(on))
        await on.press("o")
        await on.until(lambda: isinstance(on.app.screen, Choose))
        await on.until(lambda: "What in acme it belongs to" in text(on))
        assert "policy" in text(on).partition("What in acme it belongs to")[2].partition("\n")[0]
        await on.press("enter")
        await on.until(lambda: isinstance(on.app.screen, DeviceScreen) and on.app.screen.session is depot)
        assert on.app.screen.device_id == theirs  # type: ignore[attr-defined]
        await on.until(lambda: "⇄ also in acme · " in text(on))
        await on.press("o")
        await on.until(lambda: "What in depot it belongs to" in text(on))
        said = text(on).partition("What in depot it belongs to")[2].partition("\n")[0]
        assert "group" in said and "policy" not in said, "only what the service has"


async def test_help_and_the_command_bar_offer_what_the_connection_has(tmp_path: Path) -> None:
    async with two(tmp_path, midm=60) as on:
        await on.line("connect depot")
        await on.read("depot")
        await on.press("question_mark")
        await on.until(lambda: "The screens on top" in text(on))
        said = " ".join(text(on).split())
        assert "1 6-9 The screens on top" in said and "Not in this version" not in said
        await on.press("escape")
        offered = verbs(on.app)
        assert {"groups", "apps", "images", "rollouts", "register", "both"} <= set(offered)
        assert not {"policies", "queue", "segment", "activity", "pulse"} & set(offered)
        await on.press("colon", "p", "tab")
        await on.until(lambda: "a device by that name or serial" in text(on))
        await on.press("escape")
        await on.line("connect acme")
        await on.press("question_mark")
        await on.until(lambda: "The screens on top" in text(on))
        assert "1-3 The screens on top" in " ".join(text(on).split())
        assert "policies" in verbs(on.app) and "rollouts" not in verbs(on.app)
