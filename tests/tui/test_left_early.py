"""A person is faster than the machine: answers given twice, dialogs under dialogs, screens left while work goes on."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from house import open_house
from textual import events

from mdm_tui.tui.palette import Palette
from mdm_tui.tui.screens.ask import Ask, Choose
from mdm_tui.tui.screens.device import DeviceScreen
from mdm_tui.tui.screens.device_edit import EditScreen
from mdm_tui.tui.screens.editor import PolicyScreen


async def test_a_dialog_answered_twice_takes_no_other_screen_away(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        house.app.open_device(house.listening())
        await house.rest()
        given: list[Any] = []
        dialog = Choose("Which?", [("a", "A", ""), ("b", "B", "")])
        await house.app.push_screen(dialog, given.append)
        dialog.dismiss("a")
        dialog.dismiss("b")
        await house.rest()
        assert given == ["a"]
        assert isinstance(house.screen, DeviceScreen)


async def test_an_answer_under_another_dialog_waits_for_its_turn(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        below, above = Ask("Below?", "", "go"), Ask("Above?", "", "go")
        given: list[tuple[str, Any]] = []
        await house.app.push_screen(below, lambda answer: given.append(("below", answer)))
        await house.app.push_screen(above, lambda answer: given.append(("above", answer)))
        below.dismiss(True)
        await house.rest()
        assert house.screen is above
        assert given == []
        await house.press("escape")
        assert given == [("above", None), ("below", True)]
        assert len(house.app.screen_stack) == 1


async def test_leaving_the_columns_as_they_are_shows_each_once(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        before = house.screen.asked.columns
        await house.press("W", "escape")
        assert house.screen.asked.columns == before
        await house.press("s")
        assert isinstance(house.screen, Choose)


async def test_an_edit_that_ends_after_its_form_was_left_says_so(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        grid = house.screen.grid
        grid.move_cursor_to(house.listening())
        await house.press("e")
        screen = house.screen
        assert isinstance(screen, EditScreen)
        update, go = house.session.devices.update, asyncio.Event()

        async def slow(*given: Any, **more: Any) -> Any:
            await go.wait()
            return await update(*given, **more)

        house.session.devices.update = slow  # type: ignore[method-assign]
        screen.form.values["display_name"] = "Renamed"
        screen.action_send()
        await house.pilot.pause()
        await house.app.pop_screen()
        go.set()
        await house.rest()
        assert house.app.crash_message == ""
        assert len(house.posts("PUT")) == 1
        assert any("service" in toast or "Sent" in toast or "holds" in toast for toast in house.toasts())


async def test_a_policy_saved_after_its_editor_was_left_says_so(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        await house.press("2", "enter")
        screen = house.screen
        assert isinstance(screen, PolicyScreen)
        save, go = house.session.policies.save, asyncio.Event()

        async def slow(*given: Any, **more: Any) -> Any:
            await go.wait()
            return await save(*given, **more)

        house.session.policies.save = slow  # type: ignore[method-assign]
        screen.area.text = screen.text.replace('"exposeToChildren": true', '"exposeToChildren": false')
        await screen.check()
        screen.action_save()
        await house.pilot.pause()
        await house.app.pop_screen()
        go.set()
        await house.rest()
        assert house.app.crash_message == ""
        assert any("read back" in toast for toast in house.toasts())


async def test_what_breaks_while_it_ends_is_no_crash(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        house.app.exit(143, return_code=143)
        house.app._handle_exception(RuntimeError("a screen that was half taken down"))
        assert house.app.crash_message == ""
        assert house.app.return_code == 143
        assert not list(house.paths.state.glob("crash-*"))


async def test_a_palette_closed_twice_takes_no_other_screen_away(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        await house.press("ctrl+p")
        palette = house.screen
        assert isinstance(palette, Palette)
        palette.dismiss()
        palette.dismiss()
        await house.rest()
        assert house.app.crash_message == ""
        assert len(house.app.screen_stack) == 1


async def test_keys_that_come_before_the_screen_has_its_parts_wait_for_it(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        device_id = house.listening()
        app = house.app
        # At once, before the screen was composed; `Y` copies what stands on it, and needs it.
        app.open_device(device_id)
        screen = app.screen
        assert isinstance(screen, DeviceScreen)
        assert not screen.is_mounted
        await app.on_event(events.Key("greater_than_sign", ">"))
        await app.on_event(events.Key("y", "y"))
        await app.on_event(events.Key("escape", None))
        assert app.screen is screen, "they wait"
        await house.rest()
        assert app.is_running
        assert any("copied" in toast for toast in house.toasts()), "none was lost"
        assert app.screen is not screen, "in their order"


async def test_a_key_that_comes_back_finds_another_screen_in_the_making(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        app = house.app
        late = events.Key("y", "y")
        late._set_forwarded()
        app.open_device(house.listening())
        await app.on_event(late)
        await house.rest()
        assert app.is_running
        assert isinstance(app.screen, DeviceScreen)
