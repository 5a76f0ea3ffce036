"""The list of rollouts: told apart, filtered, sorted, exported, switched on and off whole."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

from house import House, open_house

from mdm_tui.fleet.rollouts import Rollout
from mdm_tui.tui.screens.rollout import RolloutScreen
from mdm_tui.tui.screens.rollout_confirm import ConfirmRollout
from mdm_tui.tui.screens.rollouts import RolloutsScreen
from mdm_tui.tui.screens.rollouts_source import COLUMNS, RolloutsSource, progress_words, reaches
from tests.faulty import Status

SAVE, UPDATE = "/profile/save", "/profile/update"


async def listed(house: House) -> Any:
    await house.press("9")
    await house.advance(1)
    assert isinstance(house.screen, RolloutsScreen)
    return house.screen


def names(screen: Any) -> list[str]:
    return [screen.source.row(screen.source.id_at(index)).name for index in range(screen.source.count())]


def at(screen: Any, name: str) -> str:
    """The id of a rollout, the cursor put on it."""
    key = next(one.id for one in screen.source.all() if one.name.startswith(name))
    screen.grid.move_cursor_to(key)
    return key


def exports(folder: Path) -> list[str]:
    return [path.read_text() for path in folder.glob("rollouts-*.csv")]


def sent(house: House) -> list[Any]:
    return [seen for seen in house.posts() if seen.path.endswith((SAVE, UPDATE))]


def test_whom_it_reaches_is_said_in_the_colour_it_deserves() -> None:
    assert reaches(Rollout("a", "A", everyone=True, groups=("g",))) == ("EVERYONE", "bad")
    assert reaches(Rollout("a", "A", groups=("g",), devices=("x", "y"))) == ("1 group, 2 devices", "")
    assert reaches(Rollout("a", "A")) == ("nobody", "warn")
    assert (progress_words(None), progress_words((3, 1_200))) == ("-", "3 of 1,200")


def test_each_column_sorts_and_what_cannot_be_read_says_why() -> None:
    source = RolloutsSource(lambda: 1_000.0)
    source.put(
        [
            Rollout("1", "Beta", True, groups=("g",), options={"apply_order": "apps"}, updated_at=10.0),
            Rollout("2", "alpha", False, True, writer="Marta", updated_at=20.0),
            Rollout("3", "Gamma", unreadable="is no object"),
        ]
    )
    assert [source.id_at(place) for place in range(3)] == ["2", "1", "3"]
    for column in COLUMNS:
        source.sort = ("", False)
        source.sort_by(column.key)
        source.arrange()
        first = [source.id_at(place) for place in range(3)]
        source.sort_by(column.key)
        source.arrange()
        assert sorted(first) == ["1", "2", "3"] and first == [source.id_at(place) for place in (2, 1, 0)]
    cells = source.cells("3", COLUMNS)
    assert cells is not None and "is no object" in [cell.text for cell in cells]


async def test_the_list_is_shown_filtered_sorted_and_exported(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    async with open_house(tmp_path, midm=True) as house:
        screen = await listed(house)
        assert len(names(screen)) == 5 and names(screen) == sorted(names(screen), key=str.casefold)
        text = house.text()
        assert "EVERYONE" in text and "6 groups" in text
        await house.press("slash")
        await house.type("cold")
        assert names(screen) == ["Cold chain, by hand"]
        await house.press("enter", "escape")
        assert len(names(screen)) == 5
        screen.sort_by("updated")
        assert names(screen)[0] == "Everything, everywhere"
        await house.press("x", "enter")
        (text,) = exports(tmp_path)
        rows = list(csv.DictReader(io.StringIO(text)))
        assert [row["name"] for row in rows] == names(screen)
        everywhere = next(row for row in rows if row["everyone"] == "True")
        assert everywhere["reaches"] == "EVERYONE" and len(json.loads(everywhere["apps"])) == 3


async def test_a_service_without_rollouts_says_so_and_nothing_is_lost(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True, documented_only=True) as house:
        await listed(house)
        assert "has no operation to list rollouts" in house.text()
        await house.press("c")
        assert any("No rollout is under the cursor" in toast for toast in house.toasts())


async def test_what_is_held_stays_when_the_service_does_not_answer(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True) as house:
        screen = await listed(house)
        house.net.rule(Status(503, 503, "Down"), path="/profile/find")
        await house.press("r")
        await house.advance(60)
        assert len(names(screen)) == 5
        assert "not read anew" in house.text() and any(house.toasts())


async def test_switching_one_off_is_an_edit_that_is_saved_whole(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True) as house:
        screen = await listed(house)
        key = at(screen, "Cold chain")
        before = house.fleet.world.rollouts.get(key).document
        await house.press("c")
        assert "Disable" in house.text() and "How far it is" in house.text()
        await house.press("end", "enter")
        assert isinstance(house.screen, ConfirmRollout)
        assert "It is disabled: nothing is installed" in house.text()
        await house.press("escape")
        assert sent(house) == [], "looked at, and left"
        await house.press("c", "end", "enter", "y")
        (one,) = sent(house)
        assert one.json["enabled"] is False
        assert (one.json["scope"], one.json["apps"]) == (before["scope"], before["apps"])
        assert any("is disabled, and read back" in toast for toast in house.toasts())
        await house.advance(1)
        assert house.screen.source.row(key).enabled is False


async def test_a_locked_production_connection_refuses_with_a_sentence(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True, connection={"production": True}) as house:
        screen = await listed(house)
        at(screen, "Cold chain")
        await house.press("c", "end", "enter")
        assert sent(house) == [] and isinstance(house.screen, RolloutsScreen)
        assert any(toast.startswith("Nothing can be saved") for toast in house.toasts())
        await house.press("enter", "f2")
        assert isinstance(house.screen, RolloutScreen) and sent(house) == []
        assert any("The draft is kept" in toast for toast in house.toasts())


async def test_a_copy_begins_as_the_one_under_the_cursor_without_its_name(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True) as house:
        screen = await listed(house)
        at(screen, "Cold chain")
        await house.press("c", "down", "down", "enter")
        editor = house.screen
        assert isinstance(editor, RolloutScreen) and editor.new
        assert len(editor.rollout.devices) == 6 and editor.named(editor.document) == ""
        await house.press("f2")
        assert sent(house) == [] and "it has no name yet" in house.text()


async def test_related_goes_to_whom_it_reaches_and_the_help_knows_the_keys(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True) as house:
        screen = await listed(house)
        at(screen, "Driver log")
        await house.press("o", "enter")
        assert isinstance(house.screen, RolloutScreen) and house.screen.view == "reach"
        assert house.screen.reach.count > 0
        await house.press("question_mark")
        assert "Rollout editor" in house.text() and "Undo, redo" in house.text()
        await house.press("escape", "escape", "question_mark")
        assert "Rollouts" in house.text() and "Related" in house.text()


async def test_the_line_for_a_ticket(tmp_path: Path, monkeypatch: Any) -> None:
    async with open_house(tmp_path, midm=True) as house:
        screen = await listed(house)
        copied: list[str] = []
        monkeypatch.setattr(house.app, "copy_to_clipboard", copied.append)
        key = at(screen, "Everything")
        await house.press("y")
        assert copied == [f"Everything, everywhere, disabled, reaches EVERYONE, id {key}"]
