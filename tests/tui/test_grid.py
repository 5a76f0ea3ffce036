"""The grid in an app: the cursor and the marks follow ids, and only what differs is painted."""

from __future__ import annotations

import random
import re

import pytest
from gridapp import COLUMNS, FakeFleet, GridApp
from textual import events
from textual.geometry import Region

from mdm_tui.tui.theme import find_theme, palette, use_theme
from mdm_tui.tui.widgets.grid import GRID_KEYS, Column, Grid, Marks


def text_of(app: GridApp) -> list[str]:
    return [app.grid.render_line(y).text for y in range(app.grid.size.height)]


def signs(app: GridApp) -> dict[int, str]:
    """The mark column by the number in the device's name."""
    found = ((re.search(r"(\d+)(?: scanner)?\s+M0", line), line) for line in text_of(app)[1:])
    return {int(match[1]): line[1] for match, line in found if match}


class Watch:
    """Counts the regions a grid asks to repaint."""

    def __init__(self, grid: Grid, monkeypatch: pytest.MonkeyPatch) -> None:
        self.regions: list[Region] = []
        refresh = grid.refresh

        def counted(*regions: Region, **options: bool) -> Grid:
            self.regions += regions or [grid.size.region]
            return refresh(*regions, **options)

        monkeypatch.setattr(grid, "refresh", counted)

    @property
    def cells(self) -> int:
        return sum(region.area for region in self.regions)


async def test_the_cursor_stays_on_its_device_and_its_line_when_the_order_changes():
    app = GridApp(500)
    async with app.run_test(size=(120, 30)) as pilot:
        app.grid.move_cursor(100)
        await pilot.press("down", "down", "down")
        held, line = app.grid.cursor_id, app.grid.view.line
        shuffle = random.Random(7)
        for _ in range(20):
            rest = [row_id for row_id in app.fleet.ids if row_id != held]
            shuffle.shuffle(rest)
            rest.insert(shuffle.randrange(60, 400), held)
            app.fleet.ids[:] = rest
            app.grid.order_changed()
            await pilot.pause()
            assert app.grid.cursor_id == held
            assert app.grid.view.line == line
            assert text_of(app)[line + 1].startswith("▸")


async def test_rows_that_come_and_go_above_do_not_move_the_cursor():
    app = GridApp(300)
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.press("pagedown", "pagedown", "down")
        held, line, screen = app.grid.cursor_id, app.grid.view.line, text_of(app)
        new = [f"{'f' * 23}{n}" for n in range(9)]
        for row_id in new:
            app.fleet.rows[row_id] = app.fleet.rows[app.fleet.ids[0]]
        app.fleet.ids[3:3] = new
        app.grid.order_changed()
        await pilot.pause()
        assert (app.grid.cursor_id, app.grid.view.line) == (held, line)
        assert text_of(app) == screen
        del app.fleet.ids[0:20]
        app.grid.order_changed()
        await pilot.pause()
        assert (app.grid.cursor_id, app.grid.view.line) == (held, line)
        assert text_of(app) == screen


async def test_a_removed_device_leaves_the_cursor_on_its_nearest_neighbour():
    app = GridApp(50)
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.press(*["down"] * 5)
        ids = list(app.fleet.ids)
        del app.fleet.ids[4:8]
        app.grid.order_changed()
        await pilot.pause()
        assert app.grid.cursor_id == ids[8]
        del app.fleet.ids[4:]
        app.grid.order_changed()
        await pilot.pause()
        assert app.grid.cursor_id == ids[3]
        app.fleet.ids.clear()
        app.grid.order_changed()
        await pilot.pause()
        assert app.grid.cursor_id is None
        assert app.seen[-1] == ("cursor", None)


async def test_an_empty_grid_says_so_and_fills_later():
    app = GridApp(0, empty="No device matches [b]x[/].\nesc clears the query")
    async with app.run_test(size=(80, 10)) as pilot:
        screen = "\n".join(text_of(app))
        assert "No device matches [b]x[/]." in screen
        assert "esc clears the query" in screen
        await pilot.press("down", "space", "enter", "end", "pagedown", "v", "shift+down", "a", "u")
        assert app.grid.cursor_id is None
        fleet = FakeFleet(3)
        app.grid.set_source(fleet)
        await pilot.pause()
        assert app.grid.cursor_id == fleet.ids[0]
        assert "Dock 0 scanner" in text_of(app)[1]
        assert "No device" not in "\n".join(text_of(app))


@pytest.mark.parametrize("width", [40, 80, 120])
async def test_a_long_sentence_in_an_empty_grid_is_read_to_its_end(width):
    sentence = "The service has no operation to find apps here: HTTP 404. Where it has one elsewhere, set the path."
    app = GridApp(0, empty=f"{sentence}\nr tries again.")
    async with app.run_test(size=(width, 10)):
        shown = [line.strip() for line in text_of(app)[1:] if line.strip()]
        assert " ".join(shown) == f"{sentence} r tries again."
        assert shown[-1] == "r tries again.", "a line of its own stays one"


async def test_marks_are_by_id_and_survive_order_and_absence():
    app = GridApp(40)
    async with app.run_test(size=(120, 20)) as pilot:
        await pilot.press("space", "space", "down", "space")
        marked = [app.fleet.ids[n] for n in (0, 1, 3)]
        assert list(app.grid.marks) == marked
        app.fleet.ids.reverse()
        app.grid.order_changed()
        gone = app.fleet.ids.pop(app.fleet.ids.index(marked[1]))
        app.grid.order_changed()
        await pilot.press("end")
        assert list(app.grid.marks) == marked
        assert gone in app.grid.marks
        assert {number for number, sign in signs(app).items() if sign == "✓"} == {0, 3}


async def test_unmarking_all_can_be_taken_back():
    app = GridApp(40)
    async with app.run_test(size=(120, 20)) as pilot:
        await pilot.press("space", "space")
        before = list(app.grid.marks)
        await pilot.press("u")
        assert list(app.grid.marks) == []
        await pilot.press("u")
        assert list(app.grid.marks) == before
        await pilot.press("a")
        assert len(app.grid.marks) == 40


async def test_ranges():
    app = GridApp(40)
    async with app.run_test(size=(120, 20)) as pilot:
        ids = app.fleet.ids
        await pilot.press("down", "v", "down", "down", "down", "up")
        assert set(app.grid.marks) == set(ids[1:4]), "the range shrinks when the cursor comes back"
        assert app.grid.ranging
        await pilot.press("v", "down")
        assert set(app.grid.marks) == set(ids[1:4]), "v ends the range"
        await pilot.press("u", "home", "shift+down", "shift+down", "down", "down")
        assert set(app.grid.marks) == set(ids[0:3]), "a plain move ends what shift began"
        await pilot.press("shift+up")
        assert set(app.grid.marks) == set(ids[0:5])


async def test_marks_can_be_shared_by_two_grids():
    shared = Marks(["x"])
    assert Grid(COLUMNS, FakeFleet(1), marks=shared).marks is shared


async def test_a_cursor_key_repaints_two_markers_and_two_names(monkeypatch):
    app = GridApp(200)
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.press("down")
        watch = Watch(app.grid, monkeypatch)
        await pilot.press("down")
        name = app.grid.shown_columns.widths[0]
        assert watch.cells == 2 * (1 + name)
        assert {region.y for region in watch.regions} == {2, 3}


async def test_only_changed_cells_in_sight_are_repainted(monkeypatch):
    app = GridApp(200)
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.pause()
        watch = Watch(app.grid, monkeypatch)
        layout = app.grid.shown_columns
        policy = [column.key for column in layout.columns].index("policy")
        app.change([app.fleet.ids[4]], "policy", "Night shift v9")
        assert watch.regions == [Region(layout.starts[policy], 5, layout.widths[policy], 1)]
        watch.regions.clear()
        app.fleet.asked.clear()
        app.change(app.fleet.ids[60:], "policy", "Night shift v9")
        app.grid.rows_changed(app.fleet.ids)
        assert watch.regions == []
        assert len(app.fleet.asked) == 29, "rows out of sight are not even read"


async def test_a_new_order_repaints_only_what_moved(monkeypatch):
    app = GridApp(200)
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.pause()
        watch = Watch(app.grid, monkeypatch)
        app.fleet.ids[10], app.fleet.ids[12] = app.fleet.ids[12], app.fleet.ids[10]
        app.grid.order_changed()
        assert {region.y for region in watch.regions} == {11, 13}
        watch.regions.clear()
        app.fleet.ids[100], app.fleet.ids[120] = app.fleet.ids[120], app.fleet.ids[100]
        app.grid.order_changed()
        assert watch.regions == []


async def test_entering_and_leaving_repaints_the_marker_alone(monkeypatch):
    app = GridApp(200)
    async with app.run_test(size=(120, 30)) as pilot:
        watch = Watch(app.grid, monkeypatch)
        app.screen.set_focus(None)
        await pilot.pause()
        assert not app.grid.has_focus
        app.grid.focus()
        await pilot.pause()
        assert app.grid.has_focus
        assert watch.cells == 2


async def test_the_source_is_asked_for_what_is_in_sight_and_a_margin():
    app = GridApp(500)
    async with app.run_test(size=(120, 31)) as pilot:
        await pilot.pause()
        assert app.fleet.wanted == [(0, 59)]
        await pilot.press("down")
        assert len(app.fleet.wanted) == 1, "a key within the page asks for nothing"
        await pilot.press("end")
        assert app.fleet.wanted[-1] == (440, 499)


async def test_a_row_that_is_not_loaded_is_dots_until_it_comes():
    app = GridApp(50)
    app.fleet.missing.add(app.fleet.ids[2])
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.pause()
        assert text_of(app)[3].count("·") == len(app.grid.shown_columns.columns)
        app.fleet.missing.clear()
        app.grid.rows_changed([app.fleet.ids[2]])
        await pilot.pause()
        assert "Gate tablet 2" in text_of(app)[3]


@pytest.mark.parametrize("width", [20, 40, 80, 120, 200])
async def test_columns_line_up_at_every_width(width):
    app = GridApp(60)
    async with app.run_test(size=(width, 24)) as pilot:
        await pilot.pause()
        for y in range(24):
            assert app.grid.render_line(y).cell_length == width
        layout = app.grid.shown_columns
        assert layout.columns[0].key == "name"
        assert layout.starts[-1] + layout.widths[-1] <= width
        keys = {column.key for column in layout.columns}
        if width == 80:
            assert keys == {"name", "serial", "battery", "seen", "faults"}
        if width >= 120:
            assert len(keys) == len(COLUMNS)


async def test_resizing_keeps_the_cursor_in_sight():
    app = GridApp(300)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press(*["down"] * 35)
        held = app.grid.cursor_id
        for size in ((80, 12), (200, 60), (80, 3), (120, 40)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            assert app.grid.cursor_id == held
            assert sum(line.startswith("▸") for line in text_of(app)) == 1


async def test_wide_shows_every_column_by_scrolling():
    app = GridApp(60)
    async with app.run_test(size=(80, 20)) as pilot:
        await pilot.press("w")
        seen = {column.key for column in app.grid.shown_columns.columns}
        for _ in range(len(COLUMNS)):
            await pilot.press("right")
            layout = app.grid.shown_columns
            assert layout.columns[0].key == "name", "the first column stays"
            seen |= {column.key for column in layout.columns}
        assert seen == {column.key for column in COLUMNS}
        assert text_of(app)[0].startswith("‹")
        await pilot.press(*["left"] * len(COLUMNS))
        assert app.grid.shown_columns.first == 0
        await pilot.press("w")
        assert not app.grid.wide


async def test_the_header_shows_the_order_without_moving_a_column():
    app = GridApp(60)
    async with app.run_test(size=(120, 20)) as pilot:
        await pilot.pause()
        plain = text_of(app)[0]
        app.grid.sort = [("battery", True), ("name", False)]
        assert "Batt %↓" in text_of(app)[0]
        assert "Name↑" in text_of(app)[0]
        assert text_of(app)[0].replace("↓", " ").replace("↑", " ") == plain


async def test_a_dimmed_grid_has_one_colour_and_keeps_its_text():
    app = GridApp(60)
    async with app.run_test(size=(120, 20)) as pilot:
        await pilot.pause()
        before = text_of(app)
        app.grid.dimmed = True
        for y in range(1, 20):
            assert len(list(app.grid.render_line(y))) == 1
        assert text_of(app) == before
        app.grid.dimmed = False
        assert any(len(list(app.grid.render_line(y))) > 1 for y in range(1, 20))


async def test_the_mouse_moves_opens_and_scrolls():
    app = GridApp(100)
    async with app.run_test(size=(120, 20)) as pilot:
        await pilot.click("#grid", offset=(30, 5))
        assert app.grid.cursor_id == app.fleet.ids[4]
        assert not [event for event in app.seen if event[0] == "opened"]
        await pilot.click("#grid", offset=(30, 7), times=2)
        assert ("opened", app.fleet.ids[6]) in app.seen
        app.grid.view.scroll(50)
        app.grid.view_moved()
        assert app.grid.cursor_index in app.grid.view.visible(), "what one acts on is always in sight"


async def test_moves_by_key():
    app = GridApp(100)
    async with app.run_test(size=(120, 21)) as pilot:
        grid = app.grid
        for keys, index in (
            (["j", "j"], 2),
            (["k"], 1),
            (["pagedown"], 21),
            (["ctrl+d"], 31),
            (["ctrl+u"], 21),
            (["pageup"], 1),
            (["G"], 99),
            (["pagedown"], 99),
            (["g"], 0),
            (["pageup"], 0),
            (["n"], 1),
            (["N"], 0),
        ):
            await pilot.press(*keys)
            assert grid.cursor_index == index, keys
        assert grid.position == (1, 20, 100)
        await pilot.press("enter")
        assert app.seen[-1] == ("opened", app.fleet.ids[0])


async def test_keys_the_table_does_not_name_are_left_to_others():
    heard: list[str] = []

    class Listening(GridApp):
        def on_key(self, event: events.Key) -> None:
            heard.append(event.key)

    app = Listening(10)
    async with app.run_test(size=(80, 10)) as pilot:
        await pilot.press("x", "slash", "c", "7")
    assert heard == ["x", "slash", "c", "7"]


def test_the_class_binds_nothing_itself_and_every_action_exists():
    assert Grid._merged_bindings is None or not Grid.BINDINGS
    names = [name for _keys, _action, name, _words in GRID_KEYS]
    assert len(set(names)) == len(names)
    keys = [key for keys, *_rest in GRID_KEYS for key in keys.split(",")]
    assert len(set(keys)) == len(keys)
    for _keys, action, _name, words in GRID_KEYS:
        assert callable(getattr(Grid, f"action_{action}"))
        assert words


async def test_a_column_too_many_is_dropped_by_priority_only():
    app = GridApp(5)
    async with app.run_test(size=(60, 10)) as pilot:
        app.grid.set_columns(
            [Column("name", "Name", 20), Column("policy", "Policy", 30, priority=2), Column("os", "OS", 20)]
        )
        await pilot.pause()
        assert [column.key for column in app.grid.shown_columns.columns] == ["name", "os"]


async def test_a_new_theme_repaints_the_rows_in_its_colours():
    app = GridApp(20)
    async with app.run_test(size=(120, 20)) as pilot:
        await pilot.pause()
        day = use_theme(app, find_theme("day")[0])
        await pilot.pause()
        line = app.screen._compositor.render_strips()[1]
        assert {segment.style.bgcolor for segment in line if segment.style} == {day.style("").bgcolor}
        assert day.style("good") in [segment.style for segment in line]


async def test_the_bar_raises_the_cursors_row_alone():
    app = GridApp(20)
    async with app.run_test(size=(120, 20)) as pilot:
        app.grid.bar = True
        await pilot.press("down")
        raised = palette(app).style("", "raised").bgcolor
        bars = [
            y
            for y in range(20)
            if any(segment.style and segment.style.bgcolor == raised for segment in app.grid.render_line(y))
        ]
        assert bars == [2]
