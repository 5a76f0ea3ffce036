"""Groups (story 2 of the second vendor): the tree, its size, its trouble, changing it, and the way to devices."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from house import House, open_house

from mdm_tui.fleet.groups import Group, GroupTree
from mdm_tui.tui.screens.device import DeviceScreen
from mdm_tui.tui.screens.groups import GroupsScreen
from mdm_tui.tui.screens.groups_devices import GroupDevicesScreen
from mdm_tui.tui.screens.groups_source import COLUMNS, GroupsSource
from tests.faulty import Delay, Refused

ALL = "/ota/api/device/group/all"
SAVE = "/ota/api/device/group/save"


async def shown(house: House) -> Any:
    await house.press("6")
    await house.advance(1)
    assert isinstance(house.screen, GroupsScreen)
    return house.screen


def names(screen: Any) -> list[str]:
    source = screen.source
    return [source.node(source.id_at(index)).name for index in range(source.count())]


def put_on(screen: Any, name: str) -> str:
    """Open the tree down to a group and put the cursor on it."""
    (key,) = screen.source.tree.find(name)
    screen.show_group(key)
    return key


def under(screen: Any) -> str:
    return screen.source.node(screen.grid.cursor_id).name


def made(house: House, name: str, parent: str | None = None) -> str:
    return house.fleet.world.groups.save(None, name, parent).uuid


# --- the tree ---


async def test_levels_open_and_close_and_stay_open_by_id(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True, devices=60) as house:
        before = house.net.count("GET", ALL)
        screen = await shown(house)
        top = names(screen)
        assert top == sorted(top) and len(top) < len(screen.source.tree)
        assert house.net.count("GET", ALL) == before + 1
        put_on(screen, "Iberia")
        await house.press("right")
        assert "Spain" in names(screen) and "Portugal" not in top
        await house.press("right")
        assert under(screen) != "Iberia", "right again goes in"
        await house.press("left")
        assert under(screen) == "Iberia", "left goes out, and then closes"
        # Somebody renames what is open: it stays open, because it is known by its id.
        key = screen.grid.cursor_id
        house.fleet.world.groups.save(key, "Peninsula", None)
        await house.press("r")
        assert "Peninsula" in names(screen) and "Spain" in names(screen) and under(screen) == "Peninsula"
        await house.press("left")
        assert names(screen) == sorted(screen.source.node(root).name for root in screen.source.tree.roots)


async def test_numbers_are_those_of_the_group_and_of_all_below(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True, devices=60) as house:
        screen = await shown(house)
        key = put_on(screen, "Iberia")
        await house.press("asterisk")
        own = house.fleet.world.groups.counts()
        below = [key, *screen.source.tree.below(key)]
        assert set(below) <= set(screen.source.ids()), "all that is below is open"
        cells = screen.source.cells(key, COLUMNS)
        assert cells[1].text == str(own.get(key, 0))
        assert cells[2].text == str(sum(own.get(one, 0) for one in below))
        screen.show_preview()
        assert f"{len(below) - 1} groups below" in screen.preview.text and key in screen.preview.text
        await house.press("asterisk")
        assert not set(below[1:]) & set(screen.source.ids())


def deep(count: int, depth: int) -> GroupTree:
    """`count` groups, chains of `depth` levels."""
    groups = [
        Group(f"g{at}", f"Group {at:03}", f"g{at - 1}" if at % depth else "", devices=at % 7) for at in range(count)
    ]
    return GroupTree.build(groups)


def test_five_hundred_groups_six_deep_cost_what_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    tree = deep(500, 6)
    asked: list[str] = []
    node = GroupTree.node
    monkeypatch.setattr(GroupTree, "node", lambda self, key: asked.append(key) or node(self, key))
    source = GroupsSource(lambda: 0.0)
    source.put(tree)
    assert source.count() == len(tree.roots) == 84
    del asked[:]
    source.toggle(source.id_at(0), True)
    assert source.count() == 85 and len(asked) <= 10, "opening one asks nobody else"
    del asked[:]
    source.words = "group 499"
    source.arrange()
    assert [source.node(key).name for key in source.ids()] == ["Group 499"]


async def test_only_what_is_in_sight_is_painted(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True, devices=12, width=80, height=24) as house:
        for chain in range(80):
            parent = None
            for level in range(6):
                parent = made(house, f"Chain {chain:02} level {level}", parent)
        before = house.net.count("GET", ALL)
        painted: list[str] = []
        cells = GroupsSource.cells
        GroupsSource.cells = lambda self, key, columns: painted.append(key) or cells(self, key, columns)  # type: ignore[method-assign]
        try:
            screen = await shown(house)
            await house.press("r")
        finally:
            GroupsSource.cells = cells  # type: ignore[method-assign]
        assert len(screen.source.tree) >= 480 and screen.source.count() >= 80
        assert len(set(painted)) <= screen.grid.size.height
        assert house.net.count("GET", ALL) == before + 2, "one request reads all of them"


async def test_circles_and_orphans_stand_on_top_with_a_word_and_a_glyph(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True, devices=12, width=200) as house:
        one, two = made(house, "Ring one"), made(house, "Ring two")
        lost = made(house, "Lost")
        database = house.fleet.world.database
        database.run("UPDATE unit_group SET parent = ? WHERE uuid = ?", (two, one))
        database.run("UPDATE unit_group SET parent = ? WHERE uuid = ?", (one, two))
        database.run("UPDATE unit_group SET parent = 'ffffffff-0000-4000-8000-000000000000' WHERE uuid = ?", (lost,))
        screen = await shown(house)
        assert set(names(screen)[:2]) == {"Lost", "Ring one"}, "what is in trouble comes first"
        text = house.text()
        assert "2 with trouble (n)" in text and "▲" in text
        assert "is not listed by the service" in text and "lies below itself" in text
        screen.grid.move_cursor(screen.source.count() - 1)
        await house.press("N")
        assert under(screen) in ("Lost", "Ring one")


async def test_strangers_names_are_only_text(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True, devices=12) as house:
        made(house, "[@click=app.bell]x[/] \u202eevil\x1b[31m")
        screen = await shown(house)
        assert "[@click=app.bell]x[/]" in house.text()
        assert "\x1b" not in house.text() and "\u202e" not in house.text()
        put_on(screen, next(name for name in names(screen) if "click" in name))
        await house.press("c")
        assert "[@click=app.bell]x[/]" in house.text()


# --- looking for one ---


async def test_the_filter_shows_paths_and_leads_back_into_the_tree(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True, devices=60) as house:
        screen = await shown(house)
        await house.press("slash")
        await house.type("madrid")
        await house.press("enter")
        found = names(screen)
        assert found and all("madrid" in name.lower() for name in found)
        path = screen.source.tree.path_text(screen.grid.cursor_id)
        assert " / " in path and path in house.text()
        key = screen.grid.cursor_id
        await house.press("escape")
        assert screen.grid.cursor_id == key and len(names(screen)) > len(found), "in its place, with all around it"
        await house.press("slash")
        await house.type("nowhere at all")
        await house.press("enter")
        assert "No group is called like that: nowhere at all" in house.text() and "esc clears" in house.text()


# --- changing it ---


async def test_a_new_group_is_made_below_the_one_under_the_cursor(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True, devices=24) as house:
        screen = await shown(house)
        parent = put_on(screen, "Iberia")
        await house.press("plus")
        assert "A group below it" in house.text() and "Register devices" in house.text()
        await house.press("enter")
        assert "It is made below Iberia." in house.text()
        await house.type("Spain")
        await house.press("enter")
        assert "There is a group called Spain there already." in house.text() and not house.net.count("POST", SAVE)
        await house.press(*["backspace"] * 5)
        await house.type("Gibraltar")
        await house.press("enter")
        assert house.net.count("POST", SAVE) == 1
        (new,) = screen.source.tree.find("Iberia / Gibraltar")
        assert screen.source.tree.node(new).parent == parent
        assert screen.grid.cursor_id == new and "Gibraltar is created in Iberia." in house.toasts()


async def test_renaming_and_moving_are_sent_once_and_read_back(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True, devices=24) as house:
        screen = await shown(house)
        key = put_on(screen, "Iberia / Spain")
        await house.press("e", *["backspace"] * 5)
        await house.type("España")
        await house.press("enter")
        assert house.fleet.world.groups.get(key).name == "España" and "Spain is now called España." in house.toasts()
        put_on(screen, "Iberia")
        await house.press("c", "down", "down", "enter")
        # Everything is in the list, and what lies below itself is refused with the reason.
        await house.type("españa")
        await house.press("enter")
        assert "lies below Iberia" in house.text() and house.net.count("POST", SAVE) == 1
        await house.press("escape")
        put_on(screen, "España")
        await house.press("c", "down", "down", "enter", "enter")
        assert "goes to the top" in house.text() and "devices" in house.text()
        text = " ".join(house.text().replace("│", " ").split())
        assert "Move España at test · VisionMax MiDM?" in text
        assert "the service's contract does not say" in text and "from then on" not in text
        await house.press("y")
        assert house.fleet.world.groups.get(key).parent is None
        assert under(screen) == "España" and house.net.count("POST", SAVE) == 2


async def test_the_cursor_goes_along_with_a_group_that_moves(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True, devices=24) as house:
        screen = await shown(house)
        key = put_on(screen, "Iberia / Spain")
        to = next(name for name in names(screen) if name != "Iberia" and screen.source.tree.find(name))
        await house.press("c", "down", "down", "enter")
        await house.type(to.casefold())
        await house.press("enter")
        await house.press("y")
        tree = screen.source.tree
        assert tree.node(tree.node(key).parent).name == to and house.net.count("POST", SAVE) == 1
        assert screen.grid.cursor_id == key, "the group above it was closed, and is open now"


async def test_the_ages_below_the_tree_go_on(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True, devices=24) as house:
        screen = await shown(house)
        put_on(screen, "Iberia / Spain")
        await house.press("e", "X", "enter")
        screen.show_preview()
        await house.pilot.pause()
        assert "changed 0s ago" in house.text()
        await house.advance(40)
        screen.tick()
        await house.pilot.pause()
        assert "changed 40s ago" in house.text(), "it says what the column says"


async def test_deleting_is_typed_and_refused_for_what_is_not_empty(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True, devices=24) as house:
        empty = made(house, "Empty one")
        screen = await shown(house)
        put_on(screen, "Empty one")
        await house.press("c", "down", "down", "down", "enter")
        await house.press("enter")
        assert "Type “delete Empty one” first: nothing was sent." in house.text() and screen.source.node(empty)
        await house.type("delete empty one")
        await house.press("enter")
        assert "Empty one is deleted." in house.toasts()
        assert empty not in screen.source.tree and screen.grid.cursor_id is not None
        put_on(screen, "Iberia")
        await house.press("c", "down", "down", "down", "enter")
        assert house.screen is screen, "nothing is to be typed for what cannot be done"
        assert any(
            "Iberia still holds 2 groups" in toast and "Move them elsewhere" in toast for toast in house.toasts()
        )
        assert house.net.count("POST", "/group/delete") == 1


async def test_what_is_emptied_meanwhile_can_be_deleted(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True, devices=24) as house:
        outer = made(house, "Outer")
        inner = made(house, "Inner", outer)
        screen = await shown(house)
        house.fleet.world.groups.delete(inner)
        assert screen.source.node(outer).children
        put_on(screen, "Outer")
        await house.press("c", "down", "down", "down", "enter")
        await house.type("delete outer")
        await house.press("enter")
        assert "Outer is deleted." in house.toasts()


async def test_a_complaint_is_of_what_was_typed_then(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True, devices=24) as house:
        made(house, "Empty one")
        screen = await shown(house)
        put_on(screen, "Empty one")
        await house.press("c", "down", "down", "down", "enter")
        assert "Delete the group Empty one at test · " in house.text()
        await house.type("delete empty")
        await house.press("enter")
        assert "That is not “delete Empty one”" in house.text()
        await house.type(" one")
        assert "That is not" not in house.text()
        await house.press("escape", "e", *["backspace"] * 9)
        await house.type("North / South")
        await house.press("enter")
        assert "a name holds none" in house.text()
        await house.press(*["backspace"] * 8)
        assert "a name holds none" not in house.text()
        await house.press("enter")
        assert "Empty one is now called North." in house.toasts()


async def test_a_group_gone_meanwhile_is_told_and_the_cursor_stays_near(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True, devices=24) as house:
        gone = made(house, "Zebra yard")
        screen = await shown(house)
        put_on(screen, "Zebra yard")
        at = screen.grid.cursor_index
        house.fleet.world.groups.delete(gone)
        await house.press("e", "end")
        await house.type(" two")
        await house.press("enter")
        assert any("Zebra yard is not at the service any more: nothing was sent" in one for one in house.toasts())
        assert house.net.count("POST", SAVE) == 0
        assert gone not in screen.source.tree and screen.grid.cursor_index == at - 1


async def test_a_dialog_changes_only_the_group_that_it_showed(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True, devices=24) as house:
        empty, other = made(house, "Empty one"), made(house, "Iceland")
        groups, screen = house.fleet.world.groups, await shown(house)

        async def theirs(key: str, name: str, parent: str | None) -> None:
            groups.save(key, name, parent, True)
            await house.session.groups.refresh()
            await house.rest()

        put_on(screen, "Empty one")
        await house.press("c", "down", "down", "down", "enter")
        await theirs(empty, "IMPORTANT", None)
        await house.type("delete empty one")
        await house.press("enter")
        assert any("renamed Empty one to IMPORTANT meanwhile: nothing was sent" in one for one in house.toasts())
        put_on(screen, "IMPORTANT")
        await house.press("e")
        await theirs(empty, "MORE IMPORTANT", None)
        await house.type(" 2")
        await house.press("enter")
        assert any("renamed IMPORTANT to MORE IMPORTANT" in one for one in house.toasts())
        put_on(screen, "MORE IMPORTANT")
        await house.press("c", "down", "down", "enter")
        await house.type("iceland")
        await house.press("enter")
        assert "goes below Iceland" in house.text()
        (iberia,) = screen.source.tree.find("Iberia")
        await theirs(other, "PRODUCTION-ALL", iberia)
        await house.press("y")
        assert any("renamed Iceland to PRODUCTION-ALL" in one for one in house.toasts())
        assert groups.get(empty).parent is None and groups.get(empty).name == "MORE IMPORTANT"
        assert house.net.count("POST", SAVE) == house.net.count("POST", "/group/delete") == 0


async def test_one_change_at_a_time(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True, devices=24) as house:
        screen = await shown(house)
        put_on(screen, "Iberia")
        house.net.rule(Delay(5, house.clock.sleep), path=SAVE)
        await house.press("e", "end")
        await house.type("n")
        await house.press("enter")
        assert "renaming Iberia…" in house.text()
        await house.press("e")
        assert any("Wait for the end of what is being sent" in toast for toast in house.toasts())
        await house.advance(6)
        assert under(screen) == "Iberian" and house.net.count("POST", SAVE) == 1


@pytest.mark.parametrize("keys", [("e",), ("plus", "enter"), ("c", "down", "down", "enter")])
async def test_a_locked_production_connection_changes_nothing(tmp_path: Path, keys: tuple[str, ...]) -> None:
    async with open_house(tmp_path, midm=True, devices=12, connection={"production": True}) as house:
        await shown(house)
        await house.press(*keys)
        assert any("production and LOCKED. Press A to arm it." in toast for toast in house.toasts())
        assert isinstance(house.screen, GroupsScreen) and house.net.count("POST", SAVE) == 0


async def test_without_the_service_what_is_held_stays_and_its_age_is_said(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True, devices=24) as house:
        screen = await shown(house)
        held = names(screen)
        await house.advance(125)
        house.net.rule(Refused(), path=ALL)
        await house.press("r")
        await house.advance(60)
        assert names(screen) == held and "not read anew, as of 3m ago" in house.text()
        assert house.toasts(), "pressed for: so it is said"
        house.net.calm()
        await house.press("r")
        assert "not read anew" not in house.text()


async def test_no_groups_and_why(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True, devices=12) as house:
        house.fleet.world.database.run("DELETE FROM unit_group")
        await shown(house)
        assert "This site has no groups yet." in house.text() and "+ makes the first one." in house.text()


async def test_export_and_copy_say_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with open_house(tmp_path, midm=True, devices=24) as house:
        screen = await shown(house)
        await house.press("x", "enter")
        file = next(tmp_path.glob("groups-*.csv"))  # noqa: ASYNC240
        rows = list(csv.DictReader(file.read_text().splitlines()))
        assert len(rows) == len(screen.source.tree)
        assert "Iberia / Spain" in {row["path"] for row in rows}
        key = put_on(screen, "Iberia / Spain")
        await house.press("y")
        assert "Iberia / Spain" in house.app.clipboard and key in house.app.clipboard


# --- the devices ---


async def test_enter_on_a_leaf_shows_its_devices_and_esc_leads_back(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True, devices=60) as house:
        screen = await shown(house)
        own = house.fleet.world.groups.counts()
        tree = screen.source.tree
        leaf = next(key for key in tree.all() if not tree.node(key).children and own.get(key, 0) > 1)
        screen.show_group(leaf)
        await house.press("enter")
        await house.advance(1)
        assert isinstance(house.screen, GroupDevicesScreen)
        assert house.screen.source.count() == own[leaf]
        assert f"in {tree.path_text(leaf)}" in house.text()
        serials = {
            row[0] for row in house.fleet.world.database.all("SELECT serial FROM unit WHERE group_uuid = ?", (leaf,))
        }
        assert serials == {house.screen.source.row(key).values["serial"] for key in house.screen.source.ids}
        await house.press("enter")
        assert isinstance(house.screen, DeviceScreen)
        await house.press("escape", "escape")
        assert house.screen is screen and screen.grid.cursor_id == leaf


async def test_the_groups_below_are_read_one_by_one_and_can_be_stopped(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True, devices=60) as house:
        screen = await shown(house)
        key = put_on(screen, "Iberia")
        below = [key, *screen.source.tree.below(key)]
        # What is learnt by itself meanwhile is none of this screen's.
        await house.session.groups.stop()
        house.session.groups._members.clear()
        house.net.seen.clear()
        house.net.rule(Delay(2, house.clock.sleep), path="/device/find")
        await house.press("o", "down", "enter")
        assert f"reading group 1 of {len(below)}" in house.text() and "esc stops" in house.text()
        await house.advance(3)
        await house.press("escape")
        await house.advance(10)
        assert isinstance(house.screen, GroupDevicesScreen) and "not all read" in house.text()
        asked = [seen.url for seen in house.net.seen if "deviceGroup" in seen.url]
        assert 0 < len(asked) < len(below)
        await house.advance(10)
        assert [seen.url for seen in house.net.seen if "deviceGroup" in seen.url] == asked, "stopped means stopped"
        house.net.calm()
        await house.press("r")
        await house.advance(1)
        counts = house.fleet.world.groups.counts()
        assert house.screen.source.count() == sum(counts.get(one, 0) for one in below)
        assert "not all read" not in house.text() and f"and {len(below) - 1} below" in house.text()


async def test_an_empty_group_says_so(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True, devices=12) as house:
        made(house, "Empty one")
        screen = await shown(house)
        put_on(screen, "Empty one")
        await house.press("enter")
        await house.advance(1)
        assert "No device is in Empty one." in house.text() and "esc goes back to the groups." in house.text()


async def test_typing_on_the_devices_of_a_group_counts_within_it(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True, devices=60) as house:
        screen = await shown(house)
        own = house.fleet.world.groups.counts()
        leaf = max((key for key in own if not screen.source.tree.node(key).children), key=lambda key: own[key])
        screen.show_group(leaf)
        await house.press("enter")
        await house.advance(1)
        await house.press("slash")
        await house.type("zzz")
        await house.press("enter")
        assert f"0 of {own[leaf]}" in house.text()
        await house.press("escape")
        assert house.screen.source.count() == own[leaf], "esc clears the words, the group stays"


async def test_help_lists_the_keys_of_the_tree(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True, devices=12) as house:
        await shown(house)
        await house.press("question_mark")
        assert "Open all below" in house.text() and "Rename" in house.text() and "In the tree" in house.text()


async def test_a_service_without_groups_says_so(tmp_path: Path) -> None:
    async with open_house(tmp_path, devices=12) as house:
        await house.press("6")
        assert any("offers no groups" in toast for toast in house.toasts())
