"""What must be seen on eighty columns and twenty-four lines."""

from __future__ import annotations

from pathlib import Path

import pytest
from house import open_house
from textual.widgets import Static

from mdm_tui.fleet.inventory_text import width_of
from mdm_tui.tui.actions import GROUP_TITLES, for_groups, help_lines
from mdm_tui.tui.screens.base import capabilities_of
from mdm_tui.tui.screens.help import HelpScreen
from mdm_tui.tui.screens.queue import QueueScreen
from mdm_tui.tui.screens.queue_lines import detail_lines


@pytest.mark.parametrize("mode", ["devices", "policies", "queue", "device"])
async def test_the_help_never_hides_its_last_line_and_shows_every_key(tmp_path: Path, mode: str) -> None:
    async with open_house(tmp_path, width=80, height=24) as house:
        if mode == "device":
            house.app.open_device(house.listening())
            await house.rest()
        else:
            await house.app.action_go(mode)
            await house.rest()
        groups, can = house.screen.GROUPS, capabilities_of(house.screen)
        await house.press("question_mark")
        text = house.text()
        assert "esc closes" in text, "the way out"
        await house.press("end")
        assert "esc closes" in house.text()
        text += house.text()
        for keys, title in help_lines(for_groups([*groups, "everywhere"], can)):
            assert keys in text and title in text


async def test_where_a_question_mark_is_text_the_last_line_offers_another_way(tmp_path: Path) -> None:
    async with open_house(tmp_path, width=80, height=24) as house:
        assert "? all keys" in house.text()
        await house.press("slash")
        assert "? all keys" not in house.text()
        assert "ctrl+p all actions" in house.text()
        await house.press("escape")
        assert "? all keys" in house.text()
        house.app.open_device(house.listening())
        await house.rest()
        assert "? all keys" in house.text()
        await house.press("e")
        assert "? all keys" not in house.text(), "the cursor is in a text field"
        await house.press("tab", "tab")
        assert "? all keys" in house.text(), "a field that is chosen, not typed"


async def test_evidence_fits_and_a_send_leads_to_its_newest_command(tmp_path: Path) -> None:
    async with open_house(tmp_path, width=80, height=24) as house:
        ids = [house.screen.source.id_at(index) for index in range(3)]
        await house.press("3")
        assert house.screen.grid.cursor_id is None
        for device_id in ids:
            await house.advance(60)
            plan = await house.session.commands.plan("LOCK", [house.session.context.key(device_id)])
            await house.session.commands.submit(plan, plan.expects)
            await house.rest()
        await house.advance(1)
        house.screen.grid.move_cursor(2)
        await house.press("1", "c")
        house.screen.dismiss("REBOOT")
        await house.rest()
        await house.type(house.screen.plan.expects)
        await house.press("enter")
        await house.advance(1)
        screen = house.screen
        assert isinstance(screen, QueueScreen)
        item = screen.source.item(screen.grid.cursor_id)
        assert item.name == "REBOOT"
        for width in (72, 80, 120):
            lines = detail_lines(item, width, now=house.clock.now())
            assert all(width_of(line.text) <= width for line in lines)
            said = " ".join("\n".join(line.text for line in lines).split())
            assert all(name in said for name in ("sent", "pushed", "delivered", "took it"))


async def test_the_count_of_matches_stays_while_they_are_gone_through(tmp_path: Path) -> None:
    async with open_house(tmp_path, width=80, height=24) as house:
        house.app.open_device(house.listening())
        await house.rest()
        for raw in (False, True):
            if raw:
                await house.screen.go_section("raw")
                await house.rest()
            await house.press("slash")
            await house.type("battery")
            await house.press("enter")
            at, count = house.screen.query_one("#report").matches
            assert count > 3
            assert f"{at:,} of {count:,}" in house.text()
            await house.press("n")
            after = house.screen.query_one("#report").matches
            assert after != (at, count)
            assert f"{after[0]:,} of {count:,}" in house.text()
            await house.press("escape")
            assert f" of {count:,}" not in house.text()


@pytest.mark.parametrize("width", [80, 120])
async def test_no_title_of_the_help_stands_without_what_it_is_the_title_of(tmp_path: Path, width: int) -> None:
    async with open_house(tmp_path, width=width, height=40) as house:
        for groups in (("devices", "list"), ("device", "list"), ("policies", "list"), ("queue", "list"), ("policy",)):
            help_screen = HelpScreen(groups)
            await house.app.push_screen(help_screen)
            await house.rest()
            for column in help_screen.query(".column").results(Static):
                last = str(column.render()).splitlines()[-1]
                assert last not in GROUP_TITLES.values(), f"{groups}: {last} is at the end of a column"
            await house.press("escape")
