"""Lists of devices to register, as people bring them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mdm_tui.fleet.groups import Group, GroupTree
from mdm_tui.fleet.registration import MOST_ROWS, Registration, read

TREE = GroupTree.build(
    [
        Group("g1", "Depot"),
        Group("g2", "Berlin", "g1"),
        Group("g3", "Vans", "g2"),
        Group("g4", "Bonn"),
        Group("g5", "Vans", "g4"),
    ]
)


def serials(text: str) -> list[str]:
    found = read(text)
    assert not found.problem and not found.bad, (found.problem, found.bad)
    return [line.serial for line in found.lines]


@pytest.mark.parametrize(
    "text",
    [
        "M0240001\nM0240002\nM0240003",
        "M0240001\r\nM0240002\r\nM0240003\r\n",
        "\ufeffM0240001\rM0240002\rM0240003",
        "M0240001, M0240002,M0240003",
        "M0240001;M0240002;M0240003",
        "M0240001\tM0240002\tM0240003",
        "M0240001, M0240002,\nM0240003,",
        "# from the pallet\n\nM0240001\n M0240002 \n#M0249999\nM0240003\n \n\n",
        "serial\nM0240001\nM0240002\nM0240003",
        "sep=;\nserial;model\nM0240001;K245\nM0240002;K245\nM0240003;",
        "sep=\t\nserial\tmodel\nM0240001\tK245\nM0240002\tK245\nM0240003\t",
        '"M0240001"\n"M0240002"\n"M0240003"',
    ],
)
def test_a_list_in_any_form_is_the_same_list(text: str) -> None:
    assert serials(text) == ["M0240001", "M0240002", "M0240003"]


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("word", ["serial", "serial_no", "Serial Number", "SN", "s/n", "SerialNo"])
def test_columns_come_in_any_order_by_their_header(mark: str, word: str) -> None:
    rows = [
        ["Model", "Colour", word, "Brand", "group", "Manufacturer"],
        ["K245", "red", "M0240001", "Mio", "Depot / Berlin", "MiTAC"],
    ]
    found = read("\n".join(mark.join(row) for row in rows), TREE)
    assert [line.device for line in found.lines] == [Registration("M0240001", "MiTAC", "Mio", "K245", "g2")]
    assert (found.lines[0].number, found.lines[0].problem) == (2, "")
    assert found.notes == ("columns by the header: model, serial, brand, group, manufacturer", "not used: Colour")


def test_without_a_header_the_columns_have_their_order_and_it_says_so() -> None:
    found = read("M0240001,MiTAC,Mio,K245,g4\nM0240002,MiTAC", TREE, "g1")
    assert [line.device for line in found.lines] == [
        Registration("M0240001", "MiTAC", "Mio", "K245", "g4"),
        Registration("M0240002", "MiTAC", "", "", "g1"),
    ]
    assert found.notes == ("no header: columns read as serial, manufacturer, brand, model, group",)


def test_quotes_keep_separators_together() -> None:
    found = read('serial,manufacturer\nM0240001,"MiTAC, Taipei"\nM0240002,"a ""b"""')
    assert [line.device.manufacturer for line in found.lines] == ["MiTAC, Taipei", 'a "b"']


def test_a_quote_that_is_never_closed_costs_its_line_alone() -> None:
    found = read('serial,model\nM0240001,"K245\nM0240002,K245')
    assert [line.problem for line in found.lines] == ["the quotes of this line do not fit together", ""]
    long = read("serial,model\nSN-1," + "x" * 200_000 + "\nSN-2,ok\n")
    assert [line.problem for line in long.lines] == ["a cell of this line is longer than 131,072 characters", ""]


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("", "no serial number"),
        ("unknown", "placeholder"),
        ("0123456789ABCDEF", "placeholder"),
        ("0000000", "placeholder"),
        ("M024 0001", "a blank"),
        ("M024ü001", "holds ü"),
        ("M0 !ü1", "holds a blank, ! and ü"),
        ('"M0,1;2 3"', "holds a comma, a semicolon and a blank"),
        ("=M0240001", "holds ="),
        ("M0240\u202e001", "holds ·"),
        ("M1", "2 characters"),
        ("M" * 65, "65 characters"),
    ],
)
def test_what_is_no_serial_number_is_told_with_what_is_allowed(cell: str, said: str) -> None:
    found = read(f"serial,model\nM0240001,K245\n{cell},K245")
    line = found.lines[1]
    assert said in line.problem
    assert line.number == 3
    assert len(line.problem) < 60, "it is read in a column"
    if said.startswith(("a blank", "holds", "2 ", "65")):
        assert "3 to 64" in line.rule and "contract states no rule" in line.rule
    assert [good.serial for good in found.good] == ["M0240001"]


def test_a_blank_line_between_rows_is_a_row_that_says_so() -> None:
    found = read("M0240001\n\n  \nM0240002\n\n")
    assert [(line.number, line.serial, line.problem) for line in found.lines] == [
        (1, "M0240001", ""),
        (2, "", "empty"),
        (4, "M0240002", ""),
    ]
    found = read("serial,model\n\nM0240001,K245\n,\nM0240002,\n")
    assert [(line.number, line.problem) for line in found.lines] == [(3, ""), (4, "empty"), (5, "")]
    rows = "\n\n".join(f"M{number:07}" for number in range(MOST_ROWS))
    assert (read(rows).problem, len(read(rows).good)) == ("", MOST_ROWS), "blank ones are not counted as devices"


@pytest.mark.parametrize("mark", [", ", ";", "\t"])
def test_one_line_of_more_cells_than_columns_is_a_list_whatever_is_wrong_with_some(mark: str) -> None:
    found = read(mark.join(["M0240001", "M0240002", "M0240003", "", "x/y", "M024 4", "M0240005"]))
    assert [(line.serial, line.problem) for line in found.lines] == [
        ("M0240001", ""),
        ("M0240002", ""),
        ("M0240003", ""),
        ("", "empty"),
        ("x/y", ""),
        ("M024 4", "the serial number holds a blank"),
        ("M0240005", ""),
    ]
    assert found.notes == ("read as a list of serial numbers",)


def test_the_same_serial_again_is_told_with_its_first_line_whatever_its_case() -> None:
    found = read("serial\n\nM0240001\nm0240001\nM0240002\nM0240001")
    assert [line.problem for line in found.lines] == [
        "",
        "the same serial number as line 3",
        "",
        "the same serial number as line 3",
    ]


def test_a_group_is_named_by_path_or_id_and_must_be_there_and_only_once() -> None:
    text = "serial,group\nM0240001,Depot/Berlin/Vans\nM0240002,g5\nM0240003,Vans\nM0240004,Nowhere\nM0240005,"
    found = read(text, TREE)
    assert [line.device.group_id for line in found.lines] == ["g3", "g5", "", "", ""]
    assert [line.problem for line in found.lines] == [
        "",
        "",
        "Vans names 2 groups: give its path or its id",
        "there is no group Nowhere",
        "",
    ]
    assert "not known yet" in read(text).lines[0].problem


def test_forms_that_cannot_be_read_are_refused_as_a_whole() -> None:
    assert "no row" in read("").problem
    assert "no row" in read("# only a comment\n\n").problem
    assert "below the header" in read("serial,model").problem
    assert "without a column for the serial number" in read("model,brand\nK245,Mio").problem
    assert "serial 2 times" in read("serial,sn\nA,B").problem


def test_cells_beyond_the_columns_are_a_problem_of_their_row() -> None:
    found = read("serial,model\nM0240001,K245,more\nM0240002,K245,,")
    assert [line.problem for line in found.lines] == ["it has 3 cells for 2 columns", ""]


def test_too_many_rows_are_refused_with_both_numbers() -> None:
    found = read("\n".join(f"M{number:07}" for number in range(MOST_ROWS)))
    assert (found.problem, len(found.good)) == ("", MOST_ROWS)
    found = read("\n".join(f"M{number:07}" for number in range(MOST_ROWS + 7)))
    assert found.problem == "It holds 5,007 rows; one registration takes at most 5,000: split it"
    assert found.good == ()
    assert "longer than" in read("x" * 4_000_001).problem


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=st.sampled_from('M01ab,;\t\n\r"# =ü\x00\u2028'), max_size=60))
def test_any_text_is_read_without_a_fault_and_every_good_serial_stands_once(text: str) -> None:
    found = read(text, TREE)
    good = [line.serial.upper() for line in found.good]
    assert len(set(good)) == len(good)
    assert all(line.serial in text for line in found.good)
    assert found.lines or found.problem
