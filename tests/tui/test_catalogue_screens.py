"""Apps and images (story 4 of the second vendor): listed, filtered here, found by the service, looked at whole."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from house import House, open_house

from mdm_tui.tui.screens.apps import AppsScreen
from mdm_tui.tui.screens.catalogue_record import RecordScreen
from mdm_tui.tui.screens.catalogue_source import Terms, terms_of
from mdm_tui.tui.screens.images import ImagesScreen
from mdm_tui.tui.screens.rollout import RolloutScreen
from tests.faulty import Delay, Refused

FIELDS = ("name", "package", "version")


async def apps(house: House) -> Any:
    await house.press("7")
    await house.advance(1)
    assert isinstance(house.screen, AppsScreen)
    return house.screen


async def images(house: House) -> Any:
    await house.press("8")
    await house.advance(1)
    assert isinstance(house.screen, ImagesScreen)
    return house.screen


def rows(screen: Any) -> list[Any]:
    source = screen.source
    return [source.row(source.id_at(index)) for index in range(source.count())]


async def look_for(house: House, text: str) -> None:
    await house.press("slash")
    await house.type(text)
    await house.press("enter")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("scan 1.0", Terms({}, ("scan", "1.0"))),
        ("package:com.x till", Terms({"package": "com.x"}, ("till",))),
        ('Name:"Proof of delivery" x', Terms({"name": "Proof of delivery"}, ("x",))),
        ("package:", Terms({}, ())),
        ("colour:red", Terms({}, (), ("colour",))),
        ("https://example.com/x", Terms({}, ("https://example.com/x",))),
    ],
)
def test_what_is_typed_is_words_and_terms(text: str, expected: Terms) -> None:
    assert terms_of(text, FIELDS) == expected


async def test_apps_are_listed_filtered_and_sorted_by_number(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True, devices=12) as house:
        before = house.net.count("GET", "/app/all")
        screen = await apps(house)
        assert len(rows(screen)) == len(house.fleet.world.packages.all())
        assert house.net.count("GET", "/app/all") == before + 1
        await look_for(house, "inventory")
        screen.sort_by("version")
        assert [app.version for app in rows(screen)] == ["2.8.1", "2.9.0", "2.10.0"], "2.10 comes after 2.9"
        screen.sort_by("version")
        assert rows(screen)[0].version == "2.10.0"
        assert house.net.count("GET", "/app/find") == 0, "words are looked for in what is held"
        await look_for(house, " nothing like it")
        assert "No app has all of:" in house.text()
        await house.press("escape")
        assert len(rows(screen)) == len(house.fleet.world.packages.all())


async def test_a_term_asks_the_service_with_its_filter_page_by_page(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True, devices=12, connection={"page_size": 10}) as house:
        screen = await images(house)
        (product, held), *_ = sorted(
            (
                (one, [image for image in rows(screen) if image.product == one])
                for one in {i.product for i in rows(screen)}
            ),
            key=lambda pair: -len(pair[1]),
        )
        screen.filter_by("")
        await look_for(house, f"product:{product}")
        asked = [seen.params for seen in house.net.seen if seen.path.endswith("/ota/find")]
        assert len(asked) == 1 and product in asked[0]["filter"] and asked[0]["page"] == "0"
        assert {image.product for image in rows(screen)} == {product}
        assert f"of {len(held)} found" in house.text()
        while screen.has_next:
            before = len(rows(screen))
            await house.press("greater_than_sign")
            assert len(rows(screen)) > before
        assert len(rows(screen)) == len(held)
        await house.press("greater_than_sign")
        assert "That is all the service finds." in house.toasts()
        await house.press("escape")
        assert len(rows(screen)) == len(house.fleet.world.images.all()) and "found" not in house.text()


async def test_a_next_page_is_read_after_the_first(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True, devices=12, connection={"page_size": 10}) as house:
        screen = await images(house)
        await look_for(house, "part:base")
        first = {image.id for image in rows(screen)}
        assert len(first) == 10 and "more with >" in house.text()
        await house.press("greater_than_sign")
        assert first < {image.id for image in rows(screen)} and len(rows(screen)) == 20
        pages = [seen.params["page"] for seen in house.net.seen if seen.path.endswith("/ota/find")]
        assert pages == ["0", "1"]


async def test_an_unknown_field_is_named_and_nothing_is_asked(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True, devices=12) as house:
        await apps(house)
        await look_for(house, "colour:red")
        assert "no field colour; name, package, version" in house.text()
        assert house.net.count("GET", "/app/find") == 0


async def test_an_answer_that_comes_too_late_changes_nothing(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True, devices=12) as house:
        screen = await apps(house)
        house.net.rule(Delay(5, house.clock.sleep), path="/app/find")
        await look_for(house, "package:com.example.till")
        assert "reading…" in house.text()
        await house.press("escape")
        await house.advance(6)
        assert len(rows(screen)) == len(house.fleet.world.packages.all()) and "found" not in house.text()


async def test_without_the_service_the_rows_stay_and_it_is_said(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True, devices=12) as house:
        screen = await apps(house)
        house.net.rule(Refused(), path="/ota/api/app/")
        await house.press("r")
        await house.advance(60)
        assert rows(screen) and "not read anew, as of 1m ago" in house.text() and house.toasts()
        await look_for(house, "package:com.example.till")
        await house.advance(60)
        assert {app.package for app in rows(screen)} == {"com.example.till"}, "looked for in what is held"
        assert "not found anew" in house.text()


async def test_no_apps_and_why(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True, devices=12) as house:
        house.fleet.world.packages._all.clear()
        await apps(house)
        assert "Nobody has uploaded apps yet" in house.text()


async def test_images_say_what_they_lead_from_and_to(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True, devices=12, width=200) as house:
        screen = await images(house)
        partial = next(image for image in rows(screen) if image.partial)
        full = next(image for image in rows(screen) if not image.partial)
        said = {key: [screen.source.cell(image, key).text for key in ("kind", "from", "build")]
                for key, image in (("part", partial), ("whole", full))}["part"]  # fmt: skip
        assert said[0] == "partial" and said[1] == partial.from_build and said[2] == partial.build
        assert [screen.source.cell(full, key).text for key in ("kind", "from")] == ["full", "any"]
        assert "A/B" in house.text() and "Patch" in house.text()


async def test_enter_shows_the_whole_record_and_copies_it(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True, devices=12) as house:
        screen = await apps(house)
        app = screen.source.row(screen.grid.cursor_id)
        await house.press("enter")
        assert isinstance(house.screen, RecordScreen)
        assert f"‹ Apps   {app.name}" in house.text(), "where esc leads"
        text = "\n".join(line.text for line in house.screen.view.lines)
        assert app.package in text and '"packageName"' in text and f"{app.size:,} bytes" in text
        (other,) = [ref for ref in app.refs if ref != app.id]
        also = next(line for line in house.screen.view.lines if "Also named by" in line.text)
        assert [spot.entry.text for spot in also.spots if spot.entry.path == "refs"] == [other]
        assert "rollout" not in text.partition("As the service")[0].lower(), "an id of its own is no rollout"
        await house.press("Y")
        assert json.loads(house.app.clipboard) == json.loads(app.raw)
        await house.press("down", "y")
        assert house.app.clipboard == app.id
        await house.press("question_mark")
        assert "One of them, whole" in house.text()
        await house.press("escape", "escape")
        assert house.screen is screen


async def test_a_record_that_is_gone_meanwhile_stays_and_says_so(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True, devices=12) as house:
        await apps(house)
        await house.press("enter")
        record = house.screen
        house.fleet.world.packages._all.remove(
            next(one for one in house.fleet.world.packages._all if one.uuid in record.item.refs)
        )
        await house.session.catalogue.refresh_apps()
        await house.advance(1)
        assert "the service lists it no more" in house.text() and record.item.package in house.text()


async def test_o_names_the_rollouts_that_use_it(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True, devices=60) as house:
        screen = await apps(house)
        rollouts = await house.session.rollouts.refresh()
        used = next(one.apps[0].app_id for one in rollouts if one.apps)
        app = next(item for item in rows(screen) if used in (item.id, *item.refs))
        screen.grid.move_cursor_to(app.id)
        await house.press("o")
        names = [one.name for one in rollouts if {entry.app_id for entry in one.apps} & {app.id, *app.refs}]
        assert names and all(name in house.text() for name in names)
        await house.press("enter")
        assert isinstance(house.screen, RolloutScreen)
        await house.press("escape")
        assert house.screen is screen
        taken = {entry.app_id for one in rollouts for entry in one.apps}
        free = next(item for item in rows(screen) if not taken & {item.id, *item.refs})
        screen.grid.move_cursor_to(free.id)
        await house.press("o")
        assert f"No rollout uses {free.name}." in house.toasts()


async def test_export_has_every_column_of_what_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with open_house(tmp_path, midm=True, devices=12) as house:
        screen = await apps(house)
        await look_for(house, "till")
        await house.press("x", "enter")
        file = next(tmp_path.glob("apps-*.csv"))  # noqa: ASYNC240
        read = list(csv.DictReader(file.read_text().splitlines()))
        assert [row["id"] for row in read] == [app.id for app in rows(screen)]
        assert read[0]["package"] == "com.example.till" and read[0]["version"] == rows(screen)[0].version
        await house.press("y")
        assert "com.example.till" in house.app.clipboard


async def test_help_says_what_can_be_done(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True, devices=12) as house:
        await apps(house)
        await house.press("question_mark")
        assert "Apps and images" in house.text() and "Rollouts" in house.text()
