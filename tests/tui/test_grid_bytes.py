"""What the grid sends on a real pseudo-terminal of 120 by 40, over 10,000 rows. Counts, never times."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


def _ptyrun() -> ModuleType:
    spec = importlib.util.spec_from_file_location("ptyrun", ROOT / "tests/benchmarks/ptyrun.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def run() -> Iterator:
    command = [sys.executable, str(ROOT / "tests/tui/gridapp.py"), "10000"]
    with _ptyrun().PtyRun(command, env={"PYTHONPATH": str(ROOT)}) as terminal:
        terminal.wait_for("Serial")
        yield terminal


def lines(run) -> list[str]:
    return run.text().splitlines()


def test_cursor_keys_cost_a_few_hundred_bytes(run):
    run.press("home")
    counts = []
    for number in range(1, 11):
        counts.append(len(run.press("down")))
        assert lines(run)[number + 1].startswith("▸"), "the cursor went one line down"
    assert max(counts) <= 500, counts
    assert min(counts) > 0


def test_ten_changed_cells_cost_less_than_two_thousand_bytes(run):
    run.press("home")
    sent = run.press("!")
    assert sum("Night shift v9" in line for line in lines(run)) == 10
    assert len(sent) <= 2000


def test_the_same_values_again_cost_nothing(run):
    run.press("home")
    run.press("!")
    assert run.press("!") == b""


def test_a_change_out_of_sight_costs_nothing(run):
    run.press("home")
    assert run.press("@") == b""
    run.press("end")
    assert "Night shift v9" in run.text(), "it was a change all the same"


def test_marking_costs_a_few_hundred_bytes(run):
    run.press("home")
    sent = run.press("space")
    assert lines(run)[1].startswith(" ✓")
    assert len(sent) <= 500


def test_the_edge_is_crossed_by_half_a_page_so_that_most_keys_stay_cheap(run):
    run.press("home")
    dear = [number for number in range(1, 61) if len(run.press("down", quiet=0.12)) > 500]
    # 39 rows are in sight: the 39th key leaves them, and the next 18 move within what the jump brought.
    assert len(dear) == 2
    assert dear[1] - dear[0] >= 18


def test_every_line_of_a_page_is_as_wide_as_the_screen(run):
    run.press("end")
    run.press("pageup")
    header, *rows = lines(run)
    battery = header.index("Batt %") + len("Batt %")
    for row in rows:
        # pyte gives a wide character one place of text and an empty one: count cells, not characters.
        assert _cells(row)[battery - 1].isdigit(), row
        assert _cells(row)[battery] == " ", row


def test_what_was_sent_in_pieces_is_the_same_picture_as_a_whole_one(run):
    run.press("home")
    keys = ["down", "space", "j", "v", "down", "down", "v", "!", "pagedown", "k", "#", "shift+up", "u", "u", "end", "!"]
    for key in keys:
        run.press(key, quiet=0.12)
    pieces = run.text()
    sent = run.press("^")
    assert len(sent) > 5000, "it was painted anew"
    assert run.text() == pieces


def _cells(row: str) -> list[str]:
    from rich.cells import cell_len

    cells: list[str] = []
    for character in row:
        cells += [character] + [""] * (cell_len(character) - 1)
    return cells
