"""The editor of rollouts: form and text as one document, whom it reaches, what saving would do, never unasked."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from house import House, open_house
from test_rollouts_screen import at, listed, sent

from mdm_tui.fleet.devices import Device
from mdm_tui.fleet.errors import FleetError, Kind, Sent
from mdm_tui.fleet.groups import Group, GroupTree
from mdm_tui.fleet.rollouts import Rollout, RolloutApp
from mdm_tui.providers.midm.rollouts import MidmRollouts
from mdm_tui.services.session import Session
from mdm_tui.tui.screens.dialogs import Search
from mdm_tui.tui.screens.rollout import RolloutScreen
from mdm_tui.tui.screens.rollout_confirm import ConfirmRollout, Telling
from mdm_tui.tui.screens.rollout_fields import serials_of
from mdm_tui.tui.screens.rollout_form import Known, form_lines
from mdm_tui.tui.screens.rollouts import RolloutsScreen
from mdm_tui.tui.widgets.report import LinesView
from tests.faulty import Mangle, Reset, Status


async def opened(house: House, name: str, view: str = "form") -> Any:
    """The editor on the rollout of that name."""
    screen = await listed(house)
    screen.open_rollout(at(screen, name), view)
    await house.rest()
    assert isinstance(house.screen, RolloutScreen)
    return house.screen


async def put(house: House, **parts: Any) -> None:
    """Change parts as the form does."""
    for key, value in parts.items():
        house.screen.put(key, value)
    await house.rest()


async def on_field(house: House, path: str) -> None:
    """The cursor of the form on a field."""
    form = house.screen.query_one("#form", LinesView)
    form.move_to(next(number for number, line in enumerate(form.lines) if line.key == path))
    assert form.entry is not None and form.entry.path == path


def shown(house: House, name: str = "side") -> str:
    return "\n".join(line.text for line in house.screen.query_one(f"#{name}", LinesView).lines)


def reached(screen: Any) -> list[Any]:
    source = screen.reach_source
    return [source.row(source.id_at(number)) for number in range(source.count())]


def test_a_list_is_read_however_it_is_separated() -> None:
    assert serials_of(" A1, B2;C3\nD4\tA1 ,, ") == ["A1", "B2", "C3", "D4"]


# --- the form ---


async def test_the_form_says_all_parts_and_changes_only_what_was_touched(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True) as house:
        screen = await opened(house, "Cold chain")
        before = json.loads(screen.text)
        form = shown(house, "form")
        for words in ("Name", "Everyone", "Devices", "Applied first", "Start on", "Only on mains power"):
            assert words in form
        await on_field(house, "need_ac")
        await house.press("enter")
        assert screen.rollout.options["need_ac"] is True
        await on_field(house, "apply_order")
        await house.press("enter", "home", "enter")
        await on_field(house, "name")
        await house.press("enter", "end")
        await house.type(" and more")
        await house.press("enter")
        after = json.loads(screen.text)
        assert after["settings"] == {**before["settings"], "otas": {"need_ac": True}}
        assert after["profile"] == {**before["profile"], "name": "Cold chain, by hand and more", "applyOrder": "none"}
        assert {key: after[key] for key in ("scope", "apps", "otas")} == {
            key: before[key] for key in ("scope", "apps", "otas")
        }
        assert "3 changes" in house.text() and sent(house) == []


async def test_a_choice_of_a_value_begins_on_it_and_marks_it(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True) as house:
        screen = await opened(house, "Cold chain")
        for value, title in (("ota", "ota"), (None, "Not said")):
            await put(house, apply_order=value)
            await on_field(house, "apply_order")
            await house.press("enter")
            lines = [line.replace("│", " ").split() for line in house.text().splitlines()]
            assert [line[line.index("✓") + 1 :][: len(title.split())] for line in lines if "✓" in line] == [
                title.split()
            ], "one is marked, and it is this"
            await house.press("enter")
            assert house.screen is screen and screen.rollout.options.get("apply_order") == value


def test_a_long_group_is_cut_and_not_its_figure() -> None:
    group = Group("g", "Sevilla " + 12 * "store and " + "yard", "", 3)
    known = Known(tree=GroupTree.build([group]))
    for width in (60, 80, 120):
        lines = form_lines(Rollout("r", "R", groups=("g",)), MidmRollouts("serial"), known, [], width)
        line = next(line.text for line in lines if "Sevilla" in line.text)
        assert line.endswith("d   3 devices") and "…" in line and len(line) <= width


async def test_everyone_is_never_one_key_away(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True) as house:
        screen = await opened(house, "Cold chain")
        await on_field(house, "everyone")
        await house.press("enter")
        assert "Reach EVERY device of the site?" in house.text() and not screen.rollout.everyone
        await house.press("escape")
        assert house.screen is screen and not screen.rollout.everyone
        assert screen.query_one("#form", LinesView).entry.path == "everyone", "a dialog moves nothing"
        await house.press("enter", "y")
        assert screen.rollout.everyone
        await house.press("enter")
        assert not screen.rollout.everyone, "off needs no question"
        await house.press("1", "9")
        assert house.screen is screen
        await house.press("enter")
        assert "Name of the rollout" in house.text() and not screen.rollout.everyone


async def test_undo_and_redo_go_through_the_form_and_the_text_alike(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True) as house:
        screen = await opened(house, "Cold chain")
        texts = [screen.text]
        for key in ("need_ac", "partial_first"):
            await on_field(house, key)
            await house.press("enter")
            texts.append(screen.text)
        await house.press("f3")
        screen.area.text = screen.area.text.replace("by hand", "typed")
        await house.rest()
        screen.show_view("form")
        await house.rest()
        assert "Cold chain, typed" in shown(house, "form")
        await house.press("ctrl+z")
        assert screen.text == texts[2]
        await house.press("ctrl+z", "ctrl+z")
        assert screen.text == texts[0] and not screen.differences
        await house.press("ctrl+y")
        assert screen.text == texts[1]
        await house.press("ctrl+z", "ctrl+z")
        assert "Nothing is left to undo." in house.toasts()


async def test_a_day_is_checked_where_it_is_typed(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True) as house:
        screen = await opened(house, "Cold chain")
        await on_field(house, "start_on")
        await house.press("enter")
        await house.type("2026-13-01")
        await house.press("enter")
        assert "A day as YYYY-MM-DD, please" in house.text()
        await house.press("ctrl+u")
        house.screen.query_one("Input").value = "2026-12-01"
        await house.press("enter")
        assert screen.rollout.options["start_on"] == "2026-12-01"
        await on_field(house, "start_on")
        await house.press("delete")
        assert "start_on" not in screen.rollout.options


async def test_what_nobody_knows_survives_and_stands_in_the_text(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True) as house:
        world = house.fleet.world
        record = next(one for one in world.rollouts.all() if one.name.startswith("Cold"))
        install = [{**record.document["apps"]["install"][0], "future_flag": 7}]
        world.rollouts.save(record.uuid, {**record.document, "tomorrow": {"a": [1]}, "apps": {"install": install}})
        screen = await opened(house, "Cold chain")
        await on_field(house, "apps:" + screen.rollout.apps[0].app_id)
        await house.press("enter", "home", "enter", "escape")
        assert screen.rollout.apps[0].flags["silent"] is True
        await house.press("f3")
        assert '"tomorrow": {' in screen.area.text and '"future_flag": 7' in screen.area.text
        await house.press("f2", "y")
        (one,) = sent(house)
        assert one.json["tomorrow"] == {"a": [1]}
        assert one.json["apps"]["install"][0] == {**install[0], "silent_install": True}


async def test_groups_apps_and_images_are_chosen_from_what_there_is(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True) as house:
        screen = await opened(house, "Cold chain")
        await on_field(house, "groups")
        await house.press("plus")
        await house.type("madrid")
        await house.press("enter")
        (group,) = screen.rollout.groups
        assert house.fleet.world.groups.get(group).name == "Madrid depot"
        assert "Spain / Madrid depot" in shown(house, "form")
        await house.press("plus")
        await house.type("madrid")
        await house.press("enter")
        assert isinstance(house.screen, Search) and screen.rollout.groups == (group,), "it is in the scope already"
        await house.press("escape")
        before = len(screen.rollout.apps)
        await on_field(house, "apps")
        await house.press("plus", "enter")
        assert len(screen.rollout.apps) == before + 1
        await on_field(house, "images")
        await house.press("plus", "enter")
        assert len(screen.rollout.images) == 1 and screen.rollout.images[0] in screen.known.images
        await on_field(house, f"images:{screen.rollout.images[0]}")
        await house.press("delete")
        assert screen.rollout.images == ()


async def test_devices_are_pasted_or_taken_from_the_marks(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True) as house:
        devices = house.screen
        ids = devices.source.ids[:2]
        serials = [(await house.session.mirror.rows(house.session.scope, [key]))[key].values["serial"] for key in ids]
        await house.press("space", "space")
        screen = await opened(house, "Driver log")
        await on_field(house, "devices")
        await house.press("plus", "enter")
        await house.type("X-1\nX-2, X-1\n")
        await house.press("enter")
        assert screen.rollout.devices == ("X-1", "X-2")
        await on_field(house, "devices")
        await house.press("plus", "down", "enter")
        assert list(screen.rollout.devices[2:]) == [serial for serial in serials if serial]
        assert "2 devices added to the scope." in house.toasts()


# --- whom it reaches ---


async def test_unknown_entries_stand_first_and_what_saving_does_to_them_is_said(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True) as house:
        screen = await opened(house, "Cold chain")
        await put(house, devices=(*screen.rollout.devices, "NEVER-1"), groups=("gone-group",))
        screen.show_view("reach")
        await house.rest()
        rows = reached(screen)
        assert [row.name for row in rows[:2]] == ["NEVER-1", "gone-group"]
        assert rows[0].words == "saving would register it" and rows[0].role == "warn"
        assert "is not at the service any more" in rows[1].words
        assert len(rows) == 8 and all(row.how == "by itself" for row in rows[2:])
        assert "Saving would register 1 device that the service does not know." in house.text()
        screen.query_one("#reach").move_cursor(0)
        await house.press("delete")
        assert "NEVER-1" not in screen.rollout.devices and reached(screen)[0].name == "gone-group"
        assert screen.reach.registers == 0, "it was found out anew"
        await house.press("ctrl+z")
        assert "NEVER-1" in screen.rollout.devices and "The scope has changed since" in house.text()
        await house.press("r")
        assert screen.reach.registers == 1


async def test_everyone_is_counted_and_the_scope_is_said_to_be_ignored(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True) as house:
        screen = await opened(house, "Everything")
        await put(house, devices=("NEVER-9",))
        assert "it reaches everyone: its scope" in shown(house, "form")
        screen.show_view("reach")
        await house.rest()
        total = house.fleet.world.database.one("SELECT count(*) FROM unit")[0]
        assert f"EVERY device of the site: {total}" in house.text()
        assert {row.how for row in reached(screen)} == {"everyone"}


async def test_a_scope_of_five_thousand_costs_few_requests_few_rows_and_can_be_stopped(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True) as house:
        scope, mirror = house.session.scope, house.session.mirror
        many = [
            Device(f"u{n}", {"name": f"Scanner {n}", "serial": f"SCAN{n:05d}", "id": f"u{n}"}, "{}")
            for n in range(5_000)
        ]
        await mirror.apply(scope, many, at=house.clock.now(), walk=None)
        screen = await opened(house, "Cold chain")
        await put(house, devices=[device.values["serial"] for device in many])
        assert "and 4,992 more" in shown(house, "form")
        before = len(house.net.seen)
        asked: list[str] = []
        cells = screen.reach_source.cells
        screen.reach_source.cells = lambda row_id, columns: asked.append(row_id) or cells(row_id, columns)
        screen.show_view("reach")
        await house.rest()
        assert screen.reach.count == 5_000 and screen.reach_source.count() == 5_000
        assert len(house.net.seen) - before <= 2, "all are known here"
        assert 0 < len(set(asked)) <= 40, "what is in sight is painted, nothing else"
        # A hundred unknown ones are asked for one by one, until somebody stops it.
        await put(house, devices=[f"NOBODY{n}" for n in range(100)])
        wanted = screen.service.resolve

        async def stopping(document: Any, progress: Any, stop: Any) -> Any:
            def tell(at: Any) -> None:
                progress(at)
                if at.done == 3:
                    assert screen.escape(), "esc is for the work that goes on"

            return await wanted(document, tell, stop)

        screen.service.resolve = stopping
        await house.press("r")
        assert not screen.reach.complete and screen.reach.registers == 100
        assert "stopped" in house.text()
        assert isinstance(house.screen, RolloutScreen)


def test_progress_is_said_some_forty_times_however_many_entries_there_are() -> None:
    from mdm_tui.services.rollouts_scope import Resolving

    said: list[str] = []
    telling = Telling(said.append)
    for number in range(5_000):
        telling(Resolving(number, 5_000, f"serial {number}"))
    assert 20 < len(said) <= 42
    assert said[1].startswith("Finding out whom it reaches: ")


# --- predictions ---


async def test_each_kind_of_device_gets_its_image_with_the_reason(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True) as house:
        screen = await opened(house, "Security", "images")
        text = shown(house)
        assert "Which image each kind of device gets" in text
        kinds = [kin.hardware.label for kin in screen.prediction.kin]
        assert kinds and all(label in text for label in kinds)
        assert "refused" in text and "is made for" in text
        assert "Predicted from what devices and images report" in text and "certain" not in text
        await house.press("escape")
        screen = await opened(house, "Cold chain", "images")
        assert "has no system images" in shown(house)


async def test_an_older_build_has_a_sign_and_a_word(tmp_path: Path) -> None:
    from mdm_tui.fleet.catalogue import Image
    from mdm_tui.fleet.matching import Matcher
    from mdm_tui.tui.screens.rollout_lines import image_lines

    old = Image("old", "Old", product="HX7", build="B1", ab=False, built_at=1.0)
    known = [Image("five", "Five", product="HX7", build="B5", ab=False, built_at=5.0)]
    prediction = Matcher([old], known).predict({"d": {"product": "HX7", "build": "B5"}})
    words = "\n".join(line.text for line in image_lines(prediction, {"old": old}, ["old"], 120))
    assert "▲ to an OLDER build" in words


async def test_conflicts_name_the_other_rollout_and_open_it(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True) as house:
        screen = await opened(house, "Cold chain")
        serials = list(screen.rollout.devices)
        app = screen.rollout.apps[0].app_id
        package = screen.known.apps[app].package
        other = next(
            one for one in screen.known.apps.values()
            if one.package == package and one.version != screen.known.apps[app].version
        )  # fmt: skip
        await house.press("escape")
        house.screen.app.push_screen(RolloutScreen(house.session, opened=house.session.rollouts.new()))
        await house.rest()
        screen = house.screen
        await put(house, name="Rival", devices=serials, apps=[RolloutApp(other.id)])
        screen.show_view("conflicts")
        await house.rest()
        assert f"Cold chain, by hand installs {package}" in shown(house) and len(screen.clashes) >= 1
        side = screen.query_one("#side", LinesView)
        side.move_to(next(number for number, line in enumerate(side.lines) if line.key.startswith("rollout:")))
        await house.press("enter")
        assert house.screen is not screen and house.screen.rollout.name == "Cold chain, by hand"


async def test_progress_is_read_again_while_it_is_looked_at_and_not_longer(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True) as house:
        screen = await opened(house, "Cold chain", "progress")
        assert "waiting" in house.text() and screen.progress.asked == 6
        assert "A device that waits may" in house.text() or "states no condition" in house.text()
        looks = [screen.progress]
        await house.advance(61)
        assert screen.progress is not looks[0]
        screen.show_view("form")
        await house.rest()
        last = screen.progress
        await house.advance(120)
        assert screen.progress is last, "nobody looks"
        assert house.session.rollouts.followed[screen.document_id][1] == 6
        await house.press("escape")
        assert isinstance(house.screen, RolloutsScreen)
        assert f"{house.session.rollouts.followed[screen.document_id][0]} of 6" in house.text()


# --- saving ---


async def test_saving_says_what_it_will_do_sends_the_whole_and_reads_it_back(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True) as house:
        screen = await opened(house, "Cold chain")
        await house.press("f2")
        assert "Nothing is changed here, so nothing is sent" in house.text()
        await put(house, need_ac=True)
        await house.press("f2")
        assert isinstance(house.screen, ConfirmRollout) and "It reaches 6 devices" in house.text()
        await house.press("enter")
        assert sent(house) == [], "enter alone never sends"
        await house.press("y")
        (one,) = sent(house)
        assert one.json["settings"]["otas"]["need_ac"] is True and one.json["profile"]["name"] == "Cold chain, by hand"
        assert "Saved, and read back: the service holds what was sent." in house.text()
        assert not screen.differences


async def test_unknown_devices_are_registered_only_after_that_was_typed(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True) as house:
        screen = await opened(house, "Cold chain")
        await put(house, devices=(*screen.rollout.devices, "NEVER-1", "NEVER-2"))
        await house.press("f2")
        text = house.text()
        assert "Saving registers 2 devices that the service does not know: NEVER-1, NEVER-2." in text
        assert "register 2" in text
        await house.press("enter")
        await house.type("register 3")
        await house.press("enter")
        assert sent(house) == [] and "nothing was sent" in house.text()
        house.screen.query_one("Input").value = "register 2"
        await house.press("enter")
        assert len(sent(house)) == 1 and house.fleet.world.units.exists("NEVER-2")


async def test_everyone_asks_for_the_number_of_devices(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True) as house:
        await opened(house, "Everything")
        await put(house, need_ac=True)
        await house.press("f2")
        total = house.fleet.world.database.one("SELECT count(*) FROM unit")[0]
        assert f"It reaches EVERY device of the site, {total}" in house.text()
        await house.press("y", "enter")
        assert sent(house) == [] and isinstance(house.screen, ConfirmRollout)
        house.screen.query_one("Input").value = str(total)
        await house.press("enter")
        assert len(sent(house)) == 1


async def test_somebody_elses_save_is_shown_and_chosen(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True) as house:
        screen = await opened(house, "Cold chain")
        await put(house, need_ac=True)
        rollouts = house.fleet.world.rollouts
        record = rollouts.get(screen.document_id)
        rollouts.save(record.uuid, {**record.document, "enabled": False})
        await house.advance(60)
        await house.press("f2", "y")
        assert sent(house) == [] and "Somebody changed this rollout meanwhile" in house.text()
        await house.advance(120)
        await house.press("down", "enter")
        assert screen.read_at == house.clock.now() - 120, "the copy is as old as when it was found to be another one"
        assert screen.rollout.enabled is False and screen.rollout.options["need_ac"] is True
        await house.press("ctrl+z")
        assert screen.rollout.enabled is True, "taking both can be undone"
        await house.press("ctrl+y", "f2", "y")
        (one,) = sent(house)
        assert one.json["enabled"] is False and one.json["settings"]["otas"]["need_ac"] is True


async def test_overwriting_has_to_be_typed_and_is_planned_again(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True) as house:
        screen = await opened(house, "Cold chain")
        await put(house, need_ac=True)
        rollouts = house.fleet.world.rollouts
        record = rollouts.get(screen.document_id)
        rollouts.save(record.uuid, {**record.document, "enabled": False})
        await house.press("f2", "y", "end", "enter", "enter")
        assert sent(house) == []
        await house.type("overwrite 1")
        await house.press("enter")
        assert isinstance(house.screen, ConfirmRollout)
        await house.press("y")
        assert sent(house)[0].json["enabled"] is True


async def test_a_lost_answer_is_a_sentence_and_what_is_held_is_read_back(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True) as house:
        await opened(house, "Cold chain")
        await put(house, need_ac=True)
        await house.press("f2")
        house.net.rule(Reset(after=True), path="/profile/update", times=1)
        await house.press("y")
        await house.advance(5)
        assert len(sent(house)) == 1, "never twice by itself"
        assert "the answer was lost" in house.text() and "this is what is held" in house.text()


async def test_a_save_that_cannot_be_known_keeps_the_draft_and_says_so(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True) as house:
        screen = await opened(house, "Cold chain")
        await put(house, need_ac=True)
        await house.press("f2")
        house.net.rule(Reset(after=True), path="/profile/update", times=1)
        real = house.session.rollouts._saver.current
        looks = [0]

        async def current(rollout_id: str) -> Any:
            looks[0] += 1
            if looks[0] == 2:
                house.net.rule(Status(503, 503, "Down"), path="/profile/find")
            return await real(rollout_id)

        house.session.rollouts._saver.current = current
        await house.press("y")
        await house.advance(90)
        assert "It is not known whether the rollout was saved" in house.text()
        assert screen.rollout.options["need_ac"] is True
        assert screen.document_id in await house.session.rollouts.drafts()


async def test_an_image_and_an_app_that_went_meanwhile_stop_the_saving_with_their_place(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True) as house:
        screen = await opened(house, "Cold chain")
        await put(house, images=["gone-image"], apps=[*screen.rollout.apps, RolloutApp("gone-app")])
        await house.press("f2")
        assert sent(house) == [] and "Not saved: the problems below come first." in house.text()
        assert "the image gone-image is not at the service" in house.text()
        assert "the app gone-app is not at the service" in house.text()
        assert "▲ System images  the image" in shown(house, "problems") and "▲ Apps  the app" in shown(
            house, "problems"
        )


async def test_a_rollout_that_went_meanwhile_is_a_sentence_and_the_text_stays(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True) as house:
        screen = await opened(house, "Cold chain")
        await put(house, need_ac=True)
        house.fleet.world.database.run("DELETE FROM rollout WHERE uuid = ?", (screen.document_id,))
        await house.press("f2", "y")
        assert sent(house) == [] and screen.rollout.options["need_ac"] is True
        assert "the service does not find this rollout" in house.screen.query_one("Notice").text
        assert "Your text is kept as a draft" in " ".join(house.screen.query_one("Notice").text.split())


async def test_a_new_one_is_created_found_again_and_in_the_list(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True) as house:
        await listed(house)
        await house.press("plus")
        assert "An empty rollout" in house.text()
        await house.press("enter")
        screen = house.screen
        assert screen.new and "none yet" in shown(house, "form")
        await put(house, name="Forklifts", groups=(house.fleet.world.groups.all()[0].uuid,))
        await house.press("f2", "y")
        (one,) = sent(house)
        assert one.json["profile"]["name"] == "Forklifts" and "uuid" not in one.json
        assert "Created, and read back" in house.text() and not screen.new
        await house.press("escape")
        await house.advance(1)
        assert "Forklifts" in house.text()


async def test_what_is_typed_while_a_save_goes_on_is_neither_sent_nor_lost(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True) as house:
        screen = await opened(house, "Cold chain")
        await put(house, need_ac=True)
        plan, save = screen.service.plan, screen.service.save

        async def planned(*args: Any, **more: Any) -> Any:
            found = await plan(*args, **more)
            screen.put("partial_first", True)
            return found

        screen.service.plan = planned
        await house.press("f2")
        assert "it was changed while that was found out" in house.text() and sent(house) == []
        screen.service.plan = plan

        async def saved(*args: Any) -> Any:
            found = await save(*args)
            screen.put("silent_images", True)
            return found

        screen.service.save = saved
        await house.press("f2", "y")
        assert sent(house)[0].json["settings"]["otas"] == {"need_ac": True, "partialFirst": True}
        assert screen.rollout.options["silent_images"] is True and len(screen.differences) == 1
        assert screen.document_id in await screen.service.drafts()


async def test_what_was_typed_during_a_save_is_put_over_what_is_held_then(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True) as house:
        screen = await opened(house, "Cold chain", "document")
        await put(house, need_ac=True)
        save = screen.service.save

        async def saved(*args: Any) -> Any:
            found = await save(*args)
            held = json.loads(found.base)
            held["filled_in"] = "by the service"
            screen.put("silent_images", True)
            return replace(found, base=json.dumps(held, indent=2))

        screen.service.save = saved
        await house.press("f2", "y")
        document = json.loads(screen.text)
        assert document["filled_in"] == "by the service" and screen.rollout.options["silent_images"] is True
        assert [item.kind for item in screen.differences] == ["added"] and "What you typed since" in house.text()
        kept = await screen.service._drafts.get(screen.document_id)
        assert (kept.base, kept.mine) == (screen.base, screen.text)


async def test_what_is_typed_while_a_new_one_is_created_becomes_a_draft_of_what_was_created(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True) as house:
        await listed(house)
        await house.press("plus", "enter")
        screen = house.screen
        await put(house, name="Fresh", groups=(house.fleet.world.groups.all()[0].uuid,))
        began, current = screen.document_id, screen.service._saver.current

        async def waits(*args: Any) -> Any:
            await house.clock.sleep(5)
            return await current(*args)

        screen.service._saver.current = waits
        await house.press("f2", "y")
        assert len(sent(house)) == 1
        screen.put("silent_images", True)
        await house.advance(2)
        assert await screen.service.drafts() == [began], "typed after what was sent: it is not dropped with it"
        await house.advance(5)
        assert screen.document_id != began and await screen.service.drafts() == [screen.document_id]
        assert screen.rollout.options["silent_images"] is True and len(screen.differences) == 1


# --- keeping ---


async def test_leaving_keeps_the_draft_for_the_next_session_too(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True) as house:
        screen = await opened(house, "Cold chain")
        rollout_id = screen.document_id
        await put(house, need_ac=True)
        await house.press("escape")
        assert isinstance(house.screen, RolloutsScreen) and "~" in house.text()
        await house.press("enter")
        assert "Your unsaved text of " in house.text() and "ago) is back." in house.text()
        assert house.screen.rollout.options["need_ac"] is True
        await house.press("f5", "y")
        assert "need_ac" not in house.screen.rollout.options
        await put(house, partial_first=True)
        await house.advance(2)
        held, paths, clock, net = house.session, house.paths, house.clock, house.net
    again = Session(held.connection, paths, clock=clock, env={}, transport=net, secrets=held.secrets)
    again.open_store()
    await again.open_files()
    assert rollout_id in await again.rollouts.drafts()
    await again.stop()


async def test_the_form_and_the_changes_speak_of_fields_and_names(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True) as house:
        screen = await opened(house, "Cold chain")
        image = next(iter(screen.known.images.values()))
        await put(house, images=[image.id], name="")
        problems = shown(house, "problems")
        assert "Name" in problems and "profile.name" not in problems and "line " not in problems
        screen.show_view("changes")
        await house.rest()
        assert f"{image.name} ({image.id})" in shown(house)
        screen.show_view("document")
        await house.rest()
        assert re.search(r"line \d+ +profile.name", shown(house, "problems"))


async def test_leaving_says_broken_text_and_drops_what_changes_nothing(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True) as house:
        screen = await opened(house, "Cold chain")
        await put(house, need_ac=True)
        await house.press("ctrl+z", "escape")
        assert await screen.service.drafts() == [] and "unsaved text" not in house.text()
        await house.press("enter", "f3")
        assert house.screen.view == "document"
        await house.press("greater_than_sign")
        assert house.screen.view == "document" and house.screen.text.startswith(">"), "it is text there"
        await house.press("escape")
        assert "The text of this rollout is not JSON. It is kept here as a draft; nothing was sent." in house.toasts()
        assert "~ 1 with unsaved text" in house.text()
        await house.press("enter", "f3", "home", "delete", "escape")
        assert await screen.service.drafts() == [] and "unsaved text" not in house.text()


async def test_unsaved_text_on_production_is_said_loudly_with_its_time(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True, connection={"production": True}) as house:
        screen = await opened(house, "Cold chain")
        await put(house, need_ac=True)
        await house.press("escape")
        await house.advance(3 * 3600)
        await house.press("enter")
        assert house.screen is not screen and house.screen.rollout.options["need_ac"] is True
        assert "PRODUCTION test: Your unsaved text of 20" in house.text() and "(3h ago) is back" in house.text()
        assert any(said.startswith("PRODUCTION: unsaved text of 20") for said in house.toasts())


async def test_reading_again_drops_nothing_until_the_copy_is_there(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True) as house:
        screen = await opened(house, "Cold chain")
        await put(house, need_ac=True)
        await house.advance(2)
        text, base = screen.text, screen.base

        async def kept() -> bool:
            return (screen.text, screen.base, await screen.service.drafts()) == (text, base, [screen.document_id])

        # The mirror has a copy, and it is an old one.
        house.net.rule(Status(503, 503, "Down"), path="/profile/find")
        await house.press("f5", "y")
        await house.advance(30)
        assert "Nothing was dropped: only an old copy is at hand." in house.text() and await kept()
        house.net.calm()

        async def fails(_id: str) -> Any:
            raise FleetError(Kind.UNREACHABLE, "Nobody answers", sent=Sent.NEVER)

        real, screen.service.open = screen.service.open, fails
        await house.press("f5", "y")
        assert "Nobody answers" in house.text() and await kept()

        async def slow(key: str) -> Any:
            await house.clock.sleep(5)
            return await real(key)

        screen.service.open = slow
        await house.press("f5", "y")
        text = text.replace("{", "{ ", 1)
        screen.take(text)
        await house.press("f5", "f2")
        assert screen.is_current and "Wait for the end" in " ".join(house.toasts())
        await house.advance(8)
        assert "Nothing was dropped: you typed while" in house.text() and await kept()
        await house.press("f5", "y")
        await house.advance(8)
        assert screen.text == base and await screen.service.drafts() == []


async def test_broken_text_is_said_in_the_form_and_nothing_is_sent(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True) as house:
        screen = await opened(house, "Cold chain")
        await house.press("f3")
        screen.area.text = '{"profile": {,}'
        await house.rest()
        assert "not JSON" in house.text()
        await house.press("f2")
        assert sent(house) == [] and "Not saved" in house.text()
        screen.show_view("form")
        await house.rest()
        assert "the view JSON has the text" in shown(house, "form")
        screen.put("name", "x")
        assert screen.text == '{"profile": {,}'


async def test_half_a_surrogate_pair_is_an_escape_in_the_text_and_goes_back_as_it_came(tmp_path: Path) -> None:
    def half(raw: bytes) -> bytes:
        answer = json.loads(raw)
        rows = answer["data"] if isinstance(answer["data"], list) else [answer["data"]]
        for row in rows:
            row["profile"]["note"], row["\udfffkey"] = "\ud800x", 1
        return json.dumps(answer).encode()

    async with open_house(tmp_path, midm=True) as house:
        house.net.rule(Mangle(half), path="profile/find")
        screen = await opened(house, "Cold chain", "document")
        assert "\\ud800x" in screen.text and "\\udfffkey" in screen.text and screen.text.encode()
        assert json.loads(screen.text)["profile"]["note"] == "\ud800x"
        assert screen.checked.ok and not screen.differences


@pytest.mark.parametrize("view", ["form", "document", "changes", "reach", "images", "conflicts", "progress"])
async def test_every_view_of_a_hostile_rollout_is_only_text(tmp_path: Path, view: str) -> None:
    async with open_house(tmp_path, midm=True, scenario="hostile", width=80, height=24) as house:
        screen = await listed(house)
        ids: Sequence[str] = [one.id for one in screen.source.all() if not one.unreadable]
        for rollout_id in ids[:4]:
            house.app.push_screen(RolloutScreen(house.session, rollout_id, view=view))
            await house.rest()
            assert isinstance(house.screen, RolloutScreen) and house.screen.view == view
            assert all(line.isprintable() for line in house.text().splitlines())
            await house.press("escape")
