"""What must stay in sight on a terminal of 80 columns and 24 lines."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from fleets import Two, two
from textual.widgets import Input

from mdm_tui.services.arming import Arming
from mdm_tui.services.clock import SystemClock
from mdm_tui.tui import safe
from mdm_tui.tui.screens.act_form import ActForm
from mdm_tui.tui.screens.arm import ArmDialog
from mdm_tui.tui.screens.ask import Choose
from mdm_tui.tui.screens.connections import Connections
from mdm_tui.tui.screens.dialogs import Item, Search, Typed, filtered

SMALL = (80, 24)


def text(on: Two) -> str:
    strips = on.app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)


async def test_a_full_picker_keeps_its_line_of_keys(tmp_path: Path) -> None:
    async with two(tmp_path, size=SMALL) as on:
        title = "Sort by (the same one again turns it round), with a title that takes a second line"
        on.app.push_screen(Choose(title, [(str(number), f"column {number}", "") for number in range(60)]))
        await on.until(lambda: "column 3" in text(on))
        assert "enter choose   esc back" in text(on)
        on.app.screen.dismiss(None)
        items = [Item(str(number), f"thing {number}") for number in range(60)]
        on.app.push_screen(Search("Choose one of them", filtered(items)))
        await on.until(lambda: "thing 3" in text(on))
        assert "enter choose   esc back" in text(on)


async def test_the_form_of_a_command_names_its_device_and_keeps_its_keys(tmp_path: Path) -> None:
    from mdm_tui.fleet.commands import COMMANDS

    async with two(tmp_path, size=SMALL) as on:
        apps = [(f"com.example.app{number}", f"App {number}") for number in range(40)]
        on.app.push_screen(ActForm(COMMANDS["CLEAR_APP_DATA"], 1, apps, "dock 9"))
        await on.until(lambda: "App 1" in text(on))
        said = text(on)
        assert "dock 9" in said and "acme · Applivery (AOSP)" in said
        assert "esc back, nothing is sent yet" in " ".join(said.replace("│", " ").split())


async def test_notices_do_not_pile_up(tmp_path: Path) -> None:
    async with two(tmp_path, size=SMALL) as on:
        for number in range(6):
            safe.toast(on.app, "", f"notice {number}")
            safe.toast(on.app, "", f"notice {number}")
        await on.pilot.pause()
        assert on.toasts() == ["notice 3", "notice 4", "notice 5"], "the newest, each once"


async def test_the_list_of_connections_names_the_systems_whole(tmp_path: Path) -> None:
    async with two(tmp_path, size=SMALL, midm=60) as on:
        await on.press("at")
        await on.until(lambda: isinstance(on.app.screen, Connections))
        await on.until(lambda: "Applivery (AOSP)" in text(on) and "VisionMax MiDM" in text(on))


async def test_wrong_words_are_answered_in_sight_however_much_stands_above_them(tmp_path: Path) -> None:
    async with two(tmp_path, size=(60, 16)) as on:
        lines = [(f"REBOOT on dock {number}", "") for number in range(14)]
        on.app.push_screen(Typed("Send what was planned", lines, "send 14", to="send"))
        await on.until(lambda: isinstance(on.app.screen, Typed))
        await on.until(lambda: "Type send 14" in text(on))
        for typed, words in (("", "Type “send 14” first: nothing was sent."),
                             ("send 4", "That is not “send 14”: nothing was sent.")):  # fmt: skip
            on.app.screen.query_one(Input).value = typed
            await on.press("enter")
            await on.until(lambda words=words: words in text(on))
            assert f"Type send 14 to send: {typed}" in text(on)
        assert not on.toasts(), "it is said in the dialog"


async def test_arming_says_which_name_is_expected(tmp_path: Path) -> None:
    async with two(tmp_path, size=SMALL) as on:
        connection = SimpleNamespace(name="store fleet", production=True, read_only=False)
        arming = Arming(connection, SystemClock())  # type: ignore[arg-type]
        on.app.push_screen(ArmDialog(arming, "store fleet"))
        await on.until(lambda: "Type its name" in text(on))
        on.app.screen.query_one(Input).value = "store"
        await on.press("enter")
        await on.until(lambda: "That is not “store fleet”: it stays locked." in text(on))
        assert isinstance(on.app.screen, ArmDialog) and not arming.armed
