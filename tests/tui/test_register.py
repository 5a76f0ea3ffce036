"""Registering devices (story 3 of the second vendor): nothing is sent unchecked, unseen, untyped or twice."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from house import House, open_house

from mdm_tui.tui.screens import dialogs
from mdm_tui.tui.screens.devices import DevicesScreen
from mdm_tui.tui.screens.register import RegisterScreen
from tests.faulty import Delay, Refused, Reset

EXISTS = "/device/exists"
SAVE = "/ota/api/device/save"
LIST = "M0240001\nM0240002\nunknown\nM0240001\n"


@pytest.fixture(autouse=True)
def heard(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(dialogs.Guarded, "silence", 0.0)
    yield


async def opened(house: House, text: str = "") -> Any:
    """The screen with a list typed into it and read."""
    await house.press("plus")
    assert isinstance(house.screen, RegisterScreen)
    if text:
        await house.type(text)
        await house.screen.read_now()
        await house.rest()
    return house.screen


async def checked(house: House, text: str) -> Any:
    screen = await opened(house, text)
    await house.press("f2")
    return screen


def whats(screen: Any) -> list[str]:
    return [screen.source.what(line)[0] for line in screen.source.lines]


def known(house: House, count: int = 1) -> list[str]:
    """Serial numbers of devices that the service has, each held by one device alone."""
    found = house.fleet.world.database.all(
        "SELECT serial FROM unit WHERE length(serial) > 8 GROUP BY serial HAVING count(*) = 1 ORDER BY serial"
    )
    return [row[0] for row in found[:count]]


def bodies(house: House) -> list[Any]:
    return [seen.json for seen in house.net.seen if seen.method == "POST" and seen.path == SAVE]


def said(house: House) -> str:
    """What is on the screen, without the ends of its lines and the frames of dialogs."""
    return " ".join(house.text().replace("│", " ").split())


def unit(house: House, serial: str) -> Any:
    return house.fleet.world.units.by_serial(serial)


# --- the list ---


async def test_a_list_is_read_as_it_is_typed_and_nothing_is_asked(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True, devices=12) as house:
        screen = await opened(house)
        assert "Paste or type serial numbers" in house.text() and "Nothing is sent before" in house.text()
        await house.type(LIST)
        await screen.read_now()
        await house.rest()
        assert whats(screen)[:2] == ["not checked yet"] * 2
        assert "placeholder" in whats(screen)[2] and "same serial number as line 1" in whats(screen)[3]
        assert "2 to check" in house.text() and "2 with a problem" in house.text()
        assert house.net.count("GET", EXISTS) == 0 and not bodies(house)
        await house.press("tab", "n")
        assert screen.source.line(screen.grid.cursor_id).serial == "unknown", "n finds the problems"


async def test_a_file_with_a_header_is_read_with_its_groups(tmp_path: Path) -> None:
    file = tmp_path / "new.csv"
    file.write_text("Serial,Maker,Model,Group\nM0240001,Zebra,TC52,Iberia/Spain\nM0240002,Zebra,TC52,Nowhere\n")
    async with open_house(tmp_path, midm=True, devices=12) as house:
        screen = await opened(house)
        await house.press("f3")
        await house.type(str(tmp_path / "none.csv"))
        await house.press("enter")
        assert "There is no file" in house.text()
        await house.press("ctrl+u")
        await house.type(str(file))
        await house.press("enter")
        assert "Columns by the header" in house.text() and "Iberia / Spain" in said(house)
        assert "there is no group Nowhere" in whats(screen)[1]


@pytest.mark.parametrize("width", [80, 120])
async def test_a_blank_row_and_what_no_serial_number_holds_are_said_whole(tmp_path: Path, width: int) -> None:
    async with open_house(tmp_path, midm=True, devices=12, width=width) as house:
        screen = await opened(house, "M0240001\n\nM02 !1\n")
        assert whats(screen)[1:] == ["empty", "the serial number holds a blank and !"]
        assert whats(screen)[2] in house.text() and "3 to 64 of: letters A-Z a-z" in said(house)
        await house.press("tab", "n", "n", "enter")
        assert any("holds a blank and !. A serial number here is" in toast for toast in house.toasts())


async def test_a_line_feed_ends_a_line_as_enter_does(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True, devices=12) as house:
        screen = await opened(house, "")
        for end in ("ctrl+j", "enter"):
            await house.type("M0240001" if end == "ctrl+j" else "M0240002")
            await house.press(end)
        assert screen.area.text == "M0240001\nM0240002\n"


async def test_a_scanner_adds_lines_while_the_rows_have_the_focus(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True, devices=12) as house:
        screen = await opened(house, "M0240001")
        await house.press("tab")
        await house.type("M0240002")
        assert screen.area.text == "M0240001\nM0240002\n" and len(screen.source.lines) == 2


async def test_what_was_typed_is_there_again(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True, devices=12) as house:
        await opened(house, LIST)
        await house.press("escape")
        assert isinstance(house.screen, DevicesScreen)
        await house.press("colon")
        await house.type("register")
        await house.press("enter")
        assert house.screen.area.text == LIST


# --- checking ---


async def test_each_serial_is_asked_once_and_what_exists_is_left_alone(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True, devices=24) as house:
        (serial,) = known(house)
        screen = await checked(house, f"{serial}\nM0240001\nunknown\n")
        # What the site does not have is asked for without it too.
        assert house.net.count("GET", EXISTS) == 3, "the placeholder is not asked for"
        assert whats(screen)[:2] == ["exists: left alone", "new: will be registered"]
        before = unit(house, serial)
        await house.press("f2")
        assert house.net.count("GET", EXISTS) == 3 and "saving it again resets its status" in said(house)
        await house.type("register m0240001")
        await house.press("enter")
        await house.advance(10)
        (body,) = bodies(house)
        assert serial not in str(body) and "M0240001" in str(body)
        assert unit(house, serial) == before


async def test_a_check_is_stopped_and_goes_on_where_it_was(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True, devices=12) as house:
        screen = await opened(house, "\n".join(f"M02400{number:02}" for number in range(20)))
        house.net.rule(Delay(1, house.clock.sleep), path=EXISTS)
        await house.press("f2")
        # Two questions of a second each: with the site, and without it.
        await house.advance(3)
        assert "checking 4 of 20, F6 stops" in house.text()
        await house.press("escape")
        await house.advance(3)
        assert screen.stage == "list" and isinstance(house.screen, RegisterScreen), "esc stopped it, and no more"
        asked = house.net.count("GET", EXISTS)
        assert asked == 16 and screen.source.counts()["unchecked"] == 12
        assert any("12 rows not checked: the check was stopped. F2 asks again." in toast for toast in house.toasts())
        house.net.calm()
        await house.press("f2")
        assert "Some rows could not be checked" in house.text()
        await house.press("enter")
        assert house.net.count("GET", EXISTS) == 40 and screen.source.counts()["new"] == 20


async def test_without_the_service_nothing_is_taken_for_new(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True, devices=12) as house:
        screen = await opened(house, LIST)
        house.net.rule(Refused(), path=EXISTS)
        await house.press("f2")
        await house.advance(120)
        assert all(what.startswith("not checked: ") for what in whats(screen)[:2])
        house.net.calm()
        await house.press("f2")
        assert screen.source.counts()["new"] == 2


# --- sending ---


async def test_nothing_is_sent_before_the_number_is_typed(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True, devices=12) as house:
        await checked(house, LIST)
        await house.press("f2")
        assert "Register 2 devices at test" in house.text() and "run on a trial license" in house.text()
        assert "Left out: 2 rows" in house.text() and house.fleet.site in house.text()
        await house.press("enter")
        await house.type("register 4")
        await house.press("enter")
        assert "That is not “register 2”" in house.text() and not bodies(house)
        await house.press("escape")
        assert not bodies(house) and "Nothing was sent." in house.toasts()


async def test_the_dialog_is_deaf_while_it_appears(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_house(tmp_path, midm=True, devices=12) as house:
        await checked(house, "M0240001")
        monkeypatch.setattr(dialogs.Guarded, "silence", 3_600.0)
        await house.press("f2")
        await house.type("register m0240001")
        await house.press("enter")
        assert "Register 1 device at test" in house.text() and not bodies(house)


async def test_each_row_is_sent_once_and_has_its_outcome(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with open_house(tmp_path, midm=True, devices=12) as house:
        screen = await checked(house, LIST)
        await house.press("f2")
        await house.type("register 2")
        await house.press("enter")
        await house.advance(10)
        assert [len(body) if isinstance(body, list) else 1 for body in bodies(house)] == [1, 1]
        assert unit(house, "M0240001") and unit(house, "M0240002")
        assert screen.stage == "sent" and all(what.startswith("registered") for what in whats(screen)[:2])
        assert "2 done" in house.text()
        await house.press("f2")
        assert len(bodies(house)) == 2, "sent is sent"
        await house.press("f7", "enter")
        rows = list(csv.DictReader(next(tmp_path.glob("registration-*.csv")).read_text().splitlines()))  # noqa: ASYNC240
        assert [row["state"] for row in rows] == ["done", "done", "not sent", "not sent"]
        await house.press("f5")
        assert screen.stage == "list" and screen.area.text == "" and not screen.source.lines


async def test_license_renewal_and_group_are_chosen_and_sent(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True, devices=12) as house:
        screen = await opened(house, "M0240001")
        models = house.fleet.world.licenses.all()
        await house.press("f4", "enter", "down", "enter")
        await house.press("f4", "down", "enter", "down", "enter")
        await house.press("f4", "end", "enter")
        await house.type("spain")
        await house.press("enter")
        assert models[0].name in house.text() and "renewed yes" in house.text()
        assert "Iberia / Spain" in screen.source.group(screen.source.lines[0])
        await house.press("f2", "f2")
        assert f"License: {models[0].name}" in house.text() and "it is renewed by itself" in said(house)
        await house.type("register m0240001")
        await house.press("enter")
        await house.advance(10)
        (sent,) = [seen for seen in house.net.seen if seen.method == "POST" and seen.path == SAVE]
        assert sent.params["licenseModelUuid"] == models[0].uuid and sent.params["autoRenew"] == "true"
        (group,) = (await house.session.groups.tree()).find("Iberia / Spain")
        assert unit(house, "M0240001").group_uuid == group


async def test_an_existing_device_is_reset_only_when_named_and_typed(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True, devices=24) as house:
        one, two = known(house, 2)
        screen = await checked(house, f"{one}\n{two}\nM0240001\n")
        assert house.app.focused is screen.grid
        await house.press("space")
        assert whats(screen)[0] == "exists: its status will be reset"
        assert any("is named: its status at the service is reset" in toast for toast in house.toasts())
        screen.grid.move_cursor(2)
        await house.press("space")
        assert any("Only a device that exists is named" in toast for toast in house.toasts())
        await house.press("f2")
        assert "Never both at once" in said(house)
        await house.press("down", "enter")
        assert "Reset 1 device at test" in house.text() and "resets its status" in house.text()
        await house.type(f"reset {one}")
        await house.press("enter")
        await house.advance(10)
        (body,) = bodies(house)
        assert one in str(body) and two not in str(body) and "M0240001" not in str(body)
        assert unit(house, one).enrolled_at is None, "it has to enrol again"
        assert "its status is reset" in whats(screen)[0]


@pytest.mark.parametrize("first", ["new", "named"])
async def test_what_waits_for_a_step_of_its_own_is_still_sent(tmp_path: Path, first: str) -> None:
    async with open_house(tmp_path, midm=True, devices=24, width=120) as house:
        (one,) = known(house)
        screen = await checked(house, f"{one}\nM0240001\n")
        await house.press("space", "f2")
        assert "wait for the next step" in said(house)
        await house.press(*["down"] * (first == "named"), "enter")
        assert "left alone, because" not in said(house) and "F2 again after this one" in said(house)
        steps = [("register M0240001", "registered"), (f"reset {one}", "its status is reset")]
        if first == "named":
            steps.reverse()
        await house.type(steps[0][0])
        await house.press("enter")
        await house.advance(10)
        assert screen.stage == "sent" and len(bodies(house)) == 1
        assert "Not sent yet: 1 " in said(house) and any("not sent yet, F2" in what for what in whats(screen))
        assert "f2 check, then send" in house.text().lower()
        await house.press("f2")
        await house.type(steps[1][0])
        await house.press("enter")
        await house.advance(10)
        assert len(bodies(house)) == 2 and "Not sent yet" not in said(house)
        assert "its status is reset" in whats(screen)[0] and whats(screen)[1].startswith("registered")
        await house.press("f2")
        assert any("It is sent. F5 begins a new list" in toast for toast in house.toasts())


async def test_a_reset_says_the_group_the_device_is_in_and_what_is_not_stated(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True, devices=24, width=120) as house:
        (one,) = known(house)
        group = unit(house, one).group_uuid
        name = house.fleet.world.groups.get(group).name
        (key,) = await house.session.mirror.find(house.session.scope, one)
        await house.session.groups.members(group)
        await checked(house, one)
        await house.press("space", "f2")
        assert f"in {name} as last seen" in said(house) and "no group " not in said(house).replace("names no group", "")
        assert "left as it is, as far as the service's contract tells" in said(house)
        assert "Without a group" not in house.text()
        await house.type(f"reset {one}")
        await house.press("enter")
        await house.advance(10)
        assert key and unit(house, one).group_uuid == group


async def test_the_reset_key_is_offered_where_it_is_one_and_found_by_its_word(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True, devices=12, width=160) as house:
        await opened(house, "M0240001")
        assert "reset this one" not in house.text()
        await house.press("tab")
        assert "space reset this one" in house.text()
        await house.press("question_mark")
        assert "Reset this one" in house.text()
        await house.press("escape", "ctrl+p")
        await house.type("reset")
        await house.rest()
        assert "Reset this one" in house.text()


async def test_leaving_while_it_is_sent_warns_and_the_work_goes_on(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True, devices=12) as house:
        await checked(house, "\n".join(f"M02400{number:02}" for number in range(6)))
        house.net.rule(Delay(1, house.clock.sleep), path=SAVE)
        await house.press("f2")
        await house.type("register 6")
        await house.press("enter")
        await house.advance(1.5)
        assert "sending 1 of 6, F6 stops" in house.text()
        await house.press("escape")
        assert "Leave while it is being sent?" in house.text()
        await house.press("y")
        assert isinstance(house.screen, DevicesScreen)
        await house.press("plus")
        assert house.screen.stage == "sending" and len(house.screen.source.lines) == 6
        await house.advance(20)
        assert house.screen.stage == "sent" and len(bodies(house)) == 6
        assert all(what.startswith("registered") for what in whats(house.screen))


async def test_sending_is_stopped_after_the_device_on_its_way(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True, devices=12) as house:
        screen = await checked(house, "\n".join(f"M02400{number:02}" for number in range(6)))
        house.net.rule(Delay(1, house.clock.sleep), path=SAVE)
        await house.press("f2")
        await house.type("register 6")
        await house.press("enter")
        await house.advance(1.5)
        await house.press("f6")
        await house.advance(20)
        assert len(bodies(house)) == 2 and screen.stage == "sent"
        assert [what.startswith("registered") for what in whats(screen)] == [True] * 2 + [False] * 4


async def test_a_lost_answer_is_looked_up_and_never_sent_again(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True, devices=12) as house:
        screen = await checked(house, "M0240001\nM0240002\n")
        house.net.rule(Reset(after=True), path=SAVE, times=1)
        await house.press("f2")
        await house.type("register 2")
        await house.press("enter")
        await house.advance(400)
        assert len(bodies(house)) == 2 and all(what.startswith("registered") for what in whats(screen))


async def test_production_that_is_locked_is_refused_with_a_sentence(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True, devices=12, connection={"production": True}) as house:
        screen = await checked(house, "M0240001")
        assert any("LOCKED" in toast and "can be written and checked" in toast for toast in house.toasts())
        assert screen.source.counts()["new"] == 1
        await house.press("f2")
        assert isinstance(house.screen, RegisterScreen) and not bodies(house)
        assert any("Nothing can be registered: test is production and LOCKED" in one for one in house.toasts()[-1:])


async def test_a_group_of_the_tree_is_that_of_the_rows(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True, devices=12) as house:
        await house.press("6")
        await house.advance(1)
        (key,) = house.screen.source.tree.find("Iberia")
        house.screen.show_group(key)
        await house.press("plus", "end", "enter")
        assert isinstance(house.screen, RegisterScreen) and house.screen.group_id == key
        assert "group Iberia" in house.text()


async def test_a_service_that_registers_nobody_says_so(tmp_path: Path) -> None:
    async with open_house(tmp_path, devices=12) as house:
        await house.press("colon")
        await house.type("register")
        await house.press("enter")
        assert any("registers no devices through its API" in toast for toast in house.toasts())


async def test_five_thousand_rows_paint_what_is_in_sight(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True, devices=12) as house:
        screen = await opened(house)
        painted: list[str] = []
        cells = screen.source.cells
        screen.source.cells = lambda key, columns: painted.append(key) or cells(key, columns)
        screen.area.load_text("\n".join(f"M{number:07}" for number in range(5_000)))
        await screen.read_now()
        await house.rest()
        assert len(screen.source.lines) == 5_000 and len(set(painted)) <= screen.grid.size.height
        assert "5,000 to check" in house.text()


async def test_help_lists_what_works_here(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True, devices=12) as house:
        await opened(house)
        await house.press("tab", "question_mark")
        assert "Registering devices" in house.text() and "Check, then send" in house.text()


async def test_why_a_row_whose_outcome_is_not_known_is_not_sent_again_is_said(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True, devices=12) as house:
        await checked(house, "M0240001\n")
        await house.press("f2")
        await house.type("register M0240001")
        house.net.rule(Reset(after=False), path=SAVE, times=1)
        await house.press("enter")
        await house.advance(3)
        await house.press("f5")
        await house.type("M0240001\n")
        await house.screen.read_now()
        await house.press("f2", "f2")
        assert isinstance(house.screen, RegisterScreen)
        assert any(
            "M0240001: it was sent before, and what became of that is not known" in one for one in house.toasts()
        )
        assert len(bodies(house)) == 1


async def test_a_maker_is_the_manufacturer_and_a_brand_says_that_it_is_one(tmp_path: Path) -> None:
    rows = "serial,manufacturer,brand\nM0240001,Zebra,ZT\nM0240002,Zebra,Zebra\nM0240003,,ZT\nM0240004,Zebra,\n"
    async with open_house(tmp_path, midm=True, devices=12, width=200) as house:
        screen = await opened(house, rows)
        column = [next(one for one in screen.grid.columns if one.title == "Maker")]
        made = [screen.source.cells(screen.source.id_at(at), column)[0].text for at in range(4)]
        assert made == ["Zebra, brand ZT", "Zebra", "brand ZT", "Zebra"]
