"""Commands from the screen (story 5): no slip sends one, and what was sent is followed to its end."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from house import House, open_house
from textual import events
from textual.widgets import Input

from mdm_tui.store.journal import Run
from mdm_tui.tui.screens import dialogs
from mdm_tui.tui.screens.act_confirm import ActConfirm
from mdm_tui.tui.screens.act_form import ActForm
from mdm_tui.tui.screens.queue import QueueScreen
from mdm_tui.tui.widgets.form import Either
from mdm_tui.tui.widgets.ticks import Ticks

_ORDER = ("REBOOT", "LOCK", "CLEAR_APP_DATA", "RESET_PASSWORD", "DISENROLL")


async def act(house: House, name: str, *ids: str) -> Any:
    """From the Devices screen to the first dialog of a command."""
    grid = house.screen.grid
    if len(ids) == 1:
        grid.move_cursor_to(ids[0])
    else:
        grid.marks.update(ids)
        grid.marks_changed()
        grid.move_cursor_to(ids[0])
    await house.press("c")
    offered = list(house.session.factory.commands)
    await house.press(*["down"] * offered.index(name), "enter")
    return house.screen


async def confirm(house: House) -> None:
    """Type what the plan expects, and enter."""
    await house.type(house.screen.plan.expects)
    await house.press("enter")


def some(house: House, count: int) -> list[str]:
    source = house.screen.source
    return [source.id_at(index) for index in range(count)]


def commands(house: House) -> list[Any]:
    return [seen for seen in house.posts() if seen.path.endswith("/commands")]


async def test_a_reboot_is_named_typed_sent_once_and_followed_to_its_end(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        device_id = house.listening()
        values = (await house.session.mirror.rows(house.session.scope, [device_id]))[device_id].values
        dialog = await act(house, "REBOOT", device_id)
        assert isinstance(dialog, ActConfirm)
        text = house.text()
        assert str(values["name"]) in text and str(values["serial"]) in text and device_id[-3:] in text
        assert "1 of 1 will be sent, one by one" in text and "names no unit" in text
        await house.press("enter", "enter", "enter")
        assert commands(house) == [], "enter alone never sends"
        await house.press(*"reboot", "enter")
        assert commands(house) == [] and "nothing was sent" in house.text()
        house.screen.query_one("#typed", Input).value = ""
        house.screen.query_one("#duration", Input).value = "600"
        house.screen.query_one("#reason", Input).value = "TICKET-1"
        await confirm(house)
        assert isinstance(house.screen, QueueScreen)
        (sent,) = commands(house)
        assert sent.json == {"command": "REBOOT", "duration": 600}
        await house.advance(1)
        assert "REBOOT" in house.text() and "PENDING" in house.text()
        states = set()
        for _ in range(40):
            await house.advance(5)
            states.add(house.screen.source.item(house.screen.grid.cursor_id).state.value)
            if "done" in states:
                break
        assert "done" in states and len(states) > 1, states
        assert "✓ took it" in house.text() and "reason: TICKET-1" in house.text()
        assert len(commands(house)) == 1


async def test_several_devices_are_counted_and_the_leaving_is_left_out(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        ids = some(house, 3)
        await house.session.devices._context.call(lambda provider: provider.send(ids[0], _order("LOCK"), "elsewhere"))
        dialog = await act(house, "LOCK", *ids)
        assert dialog.plan.expects == "lock 2"
        assert "Lock 2 of 3 devices" in house.text() and "left out: " in house.text()
        await confirm(house)
        await house.advance(5)
        sent = [seen.path.split("/")[-2] for seen in commands(house)][1:]
        assert sorted(sent) == sorted(ids[1:])


def _order(name: str) -> Any:
    from mdm_tui.fleet.commands import Order

    return Order(name)


async def test_an_irreversible_command_waits_and_esc_stops_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_house(tmp_path) as house:
        device_id = house.listening()
        dialog = await act(house, "DISENROLL", device_id)
        assert "not documented, assume erased" in house.text() and "cannot be undone" in house.text()
        await confirm(house)
        assert dialog.left == 5 and "Sending in 5 s" in house.text()
        await house.press("enter", "enter")
        assert house.posts("DELETE") == [] and dialog.left
        await house.press("escape")
        assert "Stopped: nothing was sent" in house.text()
        assert house.posts("DELETE") == []
        # The seconds are the timer's; here it is asked five times.
        await confirm(house)
        dialog._timer.stop()
        for _ in range(5):
            assert house.posts("DELETE") == []
            dialog._next()
            if dialog._timer is not None:
                dialog._timer.stop()
        await house.rest()
        await house.advance(1)
        assert len(house.posts("DELETE")) == 1


async def test_a_countdown_that_is_covered_stops_by_itself(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        dialog = await act(house, "DISENROLL", house.listening())
        await confirm(house)
        assert dialog.left == 5
        await house.press("ctrl+p")
        assert dialog.left == 0
        dialog._next()
        await house.press("escape")
        assert house.screen is dialog
        assert "nothing was sent" in house.text()
        assert house.posts("DELETE") == []


async def test_a_password_is_an_explicit_choice_and_is_written_nowhere(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        device_id = house.listening()
        dialog = await act(house, "RESET_PASSWORD", device_id)
        assert isinstance(dialog, ActForm)
        assert dialog.query_one(Either).chosen is None, "nothing is preselected"
        dialog.finish()
        assert "Choose" in str(dialog.query_one(".problem").render())
        dialog.query_one("#value-newPassword", Input).value = "Tr0ub4dor&3"
        await house.rest()
        assert "Tr0ub4dor" not in house.text(), "the field hides it"
        dialog.finish()
        assert "differ" in str(dialog.query_one(".problem").render())
        dialog.query_one("#again-newPassword", Input).value = "Tr0ub4dor&3"
        await house.rest()
        dialog.finish()
        await house.rest()
        assert isinstance(house.screen, ActConfirm) and "new password set" in house.text()
        await confirm(house)
        assert commands(house)[0].json["params"] == {"newPassword": "Tr0ub4dor&3"}
        await house.advance(30)
        assert "Tr0ub4dor" not in house.text()
        assert not holding(tmp_path, b"Tr0ub4dor")
        journal = sqlite3.connect(house.paths.journal)
        assert "new password set" in str(journal.execute("SELECT * FROM run").fetchall())
        journal.close()


async def test_clearing_app_data_needs_packages_or_the_word_that_there_is_no_list(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        dialog = await act(house, "CLEAR_APP_DATA", house.listening())
        assert dialog.apps, "the device's own apps are offered"
        assert "[ ] " in house.text() and "[x] " not in house.text(), "a tick is a sign, not a colour"
        ticks = dialog.query_one(Ticks)
        ticks.focus()
        await house.press("space")
        assert ticks.selected == [dialog.apps[0][0]]
        assert house.text().count("[x] ") == 1
        await house.press("space")
        assert "[x] " not in house.text()
        dialog.query_one(Either).choose("with")
        await house.rest()
        dialog.finish()
        assert "no package is named" in str(dialog.query_one(".problem").render())
        dialog.query_one("#value-packageNames", Input).value = "com.example.scan not-a-package"
        dialog.finish()
        assert "not the name of a package" in str(dialog.query_one(".problem").render())
        dialog.query_one("#value-packageNames", Input).value = "com.example.scan"
        dialog.finish()
        await house.rest()
        assert isinstance(house.screen, ActConfirm)
        assert "erased for the named apps" in house.text() and "com.example.scan" in house.text()


async def test_a_dialog_hears_nothing_while_it_appears(tmp_path: Path) -> None:
    async with open_house(tmp_path, silence=dialogs.SILENCE) as house:
        device_id = house.listening()
        house.screen.grid.move_cursor_to(device_id)
        await house.press("c", "enter")
        dialog = house.screen
        assert isinstance(dialog, ActConfirm)
        shown = dialog._heard_from
        assert shown is not None
        early = events.Key("x", "x")
        early.time = shown - 0.01
        late = events.Key("x", "x")
        late.time = shown + 0.01
        assert dialog.deaf(early) and not dialog.deaf(late)
        field = dialog.query_one("#typed", Input)
        await house.app.on_event(early)
        await house.rest()
        assert field.value == ""
        await house.app.on_event(late)
        await house.rest()
        assert field.value == "x"


async def test_what_is_pending_can_be_cancelled(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        await act(house, "LOCK", house.listening())
        await confirm(house)
        await house.advance(1)
        screen = house.screen
        assert screen.source.item(screen.grid.cursor_id).cancellable, "a command just sent is pending"
        await house.press("c")
        assert "Cancel LOCK on" in house.text()
        await house.press("enter")
        assert [seen for seen in house.posts() if seen.path.endswith("/cancel")] == []
        await house.press("y")
        assert len([seen for seen in house.posts() if seen.path.endswith("/cancel")]) == 1
        await house.advance(5)
        assert screen.source.item(screen.grid.cursor_id).state.value == "cancelled"
        assert len(commands(house)) == 1, "nothing is resent"


async def test_the_queue_says_what_it_covers_and_never_shows_empty_as_none(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        await house.press("3")
        await house.advance(1)
        assert "that does not mean there are none" in house.text()
        assert "commands known for 0 of 24 devices" in house.text().lower()


async def test_commands_made_elsewhere_have_no_author(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        device_id = house.listening()
        await house.session.context.call(lambda provider: provider.send(device_id, _order("LOCK"), "k"))
        await house.session.commands.look(device_id)
        await house.press("3")
        await house.advance(1)
        assert "elsewhere" in house.text() and "the contract names no author" in house.text()
        await house.press("slash")
        await house.type("reboot")
        assert house.screen.source.count() == 0
        await house.press("escape", "greater_than_sign")
        assert house.screen.source.view == "flight"
        await house.press("enter")
        assert house.screen.device_id == device_id


def holding(folder: Path, secret: bytes) -> list[Path]:
    """Files that hold a secret."""
    return [path for path in folder.rglob("*") if path.is_file() and secret in path.read_bytes()]


KEYS = ["enter", "enter", "enter", "c", "down", "up", "tab", "space", "y", "e", "f2", "j", "1", "3", "escape", "t", "a"]


@pytest.mark.parametrize("seed", range(3))
async def test_mashing_keys_never_sends_a_command(tmp_path: Path, seed: int) -> None:
    async with open_house(tmp_path, devices=8) as house:
        dice = random.Random(seed)
        for _ in range(60):
            await house.pilot.press(dice.choice(KEYS))
        await house.rest()
        assert house.posts() == [] and house.posts("DELETE") == []


async def left_unsent(house: House, name: str, count: int) -> list[str]:
    """A run that an earlier session wrote down and did not begin; its devices, newest line first on the Queue."""
    ids = some(house, count)
    journal = house.session.journal
    assert journal is not None
    run = Run("jon", "", house.session.scope, name, "", "", f"{name.lower()} {count}", count)
    await journal.plan(run, [(one, f"Device {number}") for number, one in enumerate(ids)], name == "DISENROLL", None)
    await house.press("3")
    await house.press("r")
    house.screen.grid.move_cursor(0)
    await house.press("c", "enter")
    return ids


async def test_a_run_left_unsent_goes_as_a_whole_and_is_counted_so(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        ids = await left_unsent(house, "REBOOT", 3)
        dialog = house.screen
        assert isinstance(dialog, dialogs.Typed)
        assert "all of them go" in house.text()
        await house.type("send 1")
        await house.press("enter")
        assert house.screen is dialog and not commands(house)
        house.screen.query_one(Input).value = ""
        await house.type("send 3")
        await house.press("enter")
        await house.advance(5)
        assert sorted(seen.path.split("/")[-2] for seen in commands(house)) == sorted(ids)


async def test_what_cannot_be_undone_is_not_sent_on_an_old_confirmation(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        await left_unsent(house, "DISENROLL", 1)
        assert isinstance(house.screen, QueueScreen)
        assert any("cannot be undone" in toast for toast in house.toasts())
        await house.advance(30)
        assert not commands(house) and not house.posts("DELETE")
