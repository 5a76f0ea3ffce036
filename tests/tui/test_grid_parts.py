"""The grid's parts without a screen: text that fits, columns, the viewport, runs of style."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from mdm_tui.tui.theme import Palette, load_theme, themes_dir
from mdm_tui.tui.widgets.grid_layout import GAP, PREFIX, arrange, arrange_wide
from mdm_tui.tui.widgets.grid_model import Cell, Column, Marks
from mdm_tui.tui.widgets.grid_paint import RowState, differing, paint_header, paint_row, slots_of, to_strip
from mdm_tui.tui.widgets.grid_text import ASCII, UNICODE, Glyphs, fit, glyphs, set_glyphs, suited
from mdm_tui.tui.widgets.grid_view import Viewport

PALETTE = Palette(load_theme(themes_dir() / "night.toml"))
DOT = Cell("●", "good")


@given(st.text(), st.integers(0, 40), st.booleans(), st.booleans())
def test_fitted_text_is_exactly_as_wide_as_asked(text, width, right, middle):
    assert cell_len(fit(text, width, right, middle)) == width


@pytest.mark.parametrize(
    ("text", "width", "right", "middle", "shown"),
    [
        ("Gate tablet", 8, False, False, "Gate ta…"),
        ("Gate  tablet", 6, False, False, "Gate… "),
        ("6710aaaabbbb0a11", 9, False, True, "6710…0a11"),
        ("12", 5, True, False, "   12"),
        ("仓库扫描器", 6, False, False, "仓库… "),
        ("仓库扫描器", 7, False, False, "仓库扫…"),
        ("e\u0301e\u0301e\u0301", 2, False, False, "e\u0301…".replace("e\u0301", "é")),
        ("a\nb\tc", 8, False, False, "a b c   "),
        ("", 3, False, False, "   "),
        ("long", 1, False, False, "…"),
    ],
)
def test_fit(text, width, right, middle, shown):
    assert fit(text, width, right, middle) == shown


def test_every_glyph_and_its_twin_take_one_cell():
    for chosen in (UNICODE, ASCII):
        for name in chosen.__slots__:
            assert cell_len(getattr(chosen, name)) == 1
    assert all(getattr(ASCII, name).isascii() for name in ASCII.__slots__)


def test_the_ascii_twins_can_be_chosen():
    set_glyphs(ASCII)
    try:
        layout = arrange([Column("name", "Name", 8)], 20)
        painted = paint_row(layout, [Cell("Gate tablet")], Cell(glyphs().active), RowState(cursor=True, marked=True))
        text = to_strip(painted, PALETTE, 20).text
        assert text.isascii()
        assert text.startswith(">+ * Gate ta~")
    finally:
        set_glyphs(UNICODE)


@pytest.mark.parametrize(
    ("term", "encoding", "wanted"),
    [
        ("xterm-256color", "utf-8", UNICODE),
        ("tmux-256color", "UTF8", UNICODE),
        ("xterm", None, UNICODE),
        ("linux", "utf-8", ASCII),
        ("xterm", "iso-8859-15", ASCII),
        ("vt220", "ascii", ASCII),
    ],
)
def test_the_terminal_decides_on_the_twins(term: str, encoding: str | None, wanted: Glyphs):
    assert suited({"TERM": term}, encoding) is wanted


columns = st.lists(
    st.builds(
        Column,
        key=st.uuids().map(str),
        title=st.text(max_size=12),
        width=st.integers(1, 30),
        align=st.sampled_from(["left", "right"]),
        priority=st.integers(0, 9),
        flex=st.integers(0, 3),
        most=st.sampled_from([0, 0, 40]),
    ),
    min_size=1,
    max_size=12,
)


@given(columns, st.integers(PREFIX + 8, 250), st.booleans(), st.integers(0, 12))
def test_columns_never_leave_the_screen_nor_overlap(some, width, wide, first):
    layout = arrange_wide(some, width, first) if wide else arrange(some, width)
    assert layout.columns[0] is some[0]
    assert layout.hidden == len(some) - len(layout.columns)
    end = PREFIX - GAP
    for start, size in zip(layout.starts, layout.widths, strict=True):
        assert start == end + GAP
        end = start + size
    if not wide or len(layout.columns) > 1:
        assert end <= width
    if not wide:
        kept = {column.key: column for column in layout.columns}
        lost = [column for column in some if column.key not in kept]
        worst_kept = max((column.priority for column in layout.columns[1:]), default=0)
        assert all(column.priority >= worst_kept for column in lost)


@given(columns, st.integers(PREFIX + 8, 250))
def test_the_header_and_the_rows_are_as_wide_as_the_screen(some, width):
    layout = arrange(some, width)
    header = to_strip(paint_header(layout, [(some[0].key, True)], wide=False), PALETTE, width)
    row = paint_row(layout, [Cell("仓x")] * len(layout.columns), DOT, RowState())
    assert cell_len(header.text) == width
    assert cell_len(to_strip(row, PALETTE, width).text) == width


def test_a_plain_row_is_at_most_three_runs():
    layout = arrange([Column("a", "A", 10), Column("b", "B", 10), Column("c", "C", 10)], 60)
    cells = [Cell("one"), Cell("two"), Cell("low battery", "bad")]
    row = to_strip(paint_row(layout, cells, DOT, RowState()), PALETTE, 60)
    assert [segment.text.strip() for segment in row] == ["●", "one         two", "low batte…"]


def test_equal_lines_have_no_difference_and_one_cell_has_one_span():
    layout = arrange([Column(key, key, 10) for key in "abcdefgh"], 120)
    slots = slots_of(layout)

    def row(**changed: str):
        cells = [Cell(changed.get(key, "same text!")) for key in "abcdefgh"]
        return paint_row(layout, cells, DOT, RowState())

    assert list(differing(row(), row(), slots, 120)) == []
    assert list(differing(row(), row(c="other"), slots, 120)) == [(layout.starts[2], 10)]
    # Near changes go in one span, far ones in two.
    assert len(list(differing(row(), row(c="other", d="other"), slots, 120))) == 1
    assert len(list(differing(row(), row(a="other", h="other"), slots, 120))) == 2


class Ids:
    """The least source there can be."""

    def __init__(self, ids: Sequence[str]) -> None:
        self.ids = list(ids)

    def count(self) -> int:
        return len(self.ids)

    def id_at(self, index: int) -> str:
        return self.ids[index]

    def index_of(self, row_id: str) -> int | None:
        return self.ids.index(row_id) if row_id in self.ids else None

    def cells(self, row_id: str, columns: Sequence[Column]) -> None:
        return None

    def glyph(self, row_id: str) -> Cell:
        return DOT

    def want(self, first: int, last: int) -> None:
        return None


steps = st.lists(
    st.one_of(
        st.tuples(st.just("move"), st.integers(-5, 120)),
        st.tuples(st.just("page"), st.integers(-30, 30)),
        st.tuples(st.just("scroll"), st.integers(-9, 9)),
        st.tuples(st.just("resize"), st.integers(0, 40)),
        st.tuples(st.just("order"), st.permutations(range(60)).map(tuple)),
        st.tuples(st.just("keep"), st.sets(st.integers(0, 59)).map(sorted).map(tuple)),
    ),
    max_size=30,
)


@given(steps)
def test_the_cursor_is_always_in_sight_and_keeps_its_id(taken):
    source = Ids([str(number) for number in range(60)])
    view = Viewport(source)
    view.resize(20)
    view.move_to(0)
    for what, value in taken:
        held, line = view.cursor_id, view.line
        seen = [source.id_at(index) for index in view.visible()]
        if what == "move":
            view.move_to(value)
        elif what == "page":
            view.page(value)
        elif what == "scroll":
            view.scroll(value)
        elif what == "resize":
            view.resize(value)
        else:
            source.ids = [str(number) for number in value]
            view.reorder(seen)
            if held in source.ids:
                assert view.cursor_id == held
                if line <= view.index <= len(source.ids) - view.height + line and len(source.ids) > view.height:
                    assert view.line == line
        if source.ids:
            assert view.cursor_id == source.ids[view.index]
            assert view.index in view.visible()
        else:
            assert view.cursor_id is None and not view.visible()
        assert view.top >= 0


def test_a_key_at_the_edge_jumps_half_a_page():
    view = Viewport(Ids([str(number) for number in range(100)]))
    view.resize(20)
    view.move_to(19)
    assert view.top == 0
    view.move_to(20)
    assert view.top == 10
    view.move_to(9)
    assert view.top == 0


def test_marks_keep_their_order_and_come_back():
    marks = Marks("abc")
    marks.toggle("b")
    marks.toggle("d")
    assert list(marks) == ["a", "c", "d"]
    marks.clear_or_restore()
    assert not len(marks)
    marks.clear_or_restore()
    assert list(marks) == ["a", "c", "d"] and "a" in marks and "b" not in marks
