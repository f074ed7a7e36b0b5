"""The index of a volume: its label, its rows by tabs and by bytes, and rows that are broken."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rovervision.errors import RovervisionError
from rovervision.sources.exploration_rovers.counters import decode_counter
from rovervision.sources.exploration_rovers.index_label import IndexLayout, parse_index_label
from rovervision.sources.exploration_rovers.index_rows import (
    NEEDED_COLUMNS,
    RowCount,
    read_rows,
    record_of,
    split_row,
    values_of,
)
from tests.sources.exploration_rovers.volume import (
    COLUMNS,
    DESCENT_BYTES,
    DESCENT_COLUMNS,
    STANDARD_BYTES,
    index_label,
    index_row,
    product_row,
)

REAL_DESCENT_STARTS = (
    "2 16 59 66 87 94 123 145 154 186 191 212 233 254 276 309 341 375 398 412 417 422 427 433 440 463 478 490 505 529 "
    "535 543 551 562 573 584 595 606 617 629 641 653 659 721 757 761 764 769"
)
"""START_BYTE of the 48 columns in the label of mer1do_0xxx, as the archive publishes it."""


def layout_of(label: str) -> IndexLayout:
    return parse_index_label(label, NEEDED_COLUMNS, "the label")


STANDARD = layout_of(index_label(STANDARD_BYTES))
DESCENT = layout_of(index_label(DESCENT_BYTES))


def values(line: bytes, layout: IndexLayout = STANDARD) -> dict:
    (row,) = read_rows([line], layout, RowCount())
    return values_of(row, layout)


def spaced(line: bytes) -> bytes:
    """The same row without tabs: only the label's bytes can cut it."""
    return line.replace(b"\t", b",")


def test_the_label_tells_the_archives_own_bytes() -> None:
    assert [column.places[0].start + 1 for column in DESCENT.columns] == [int(n) for n in REAL_DESCENT_STARTS.split()]
    assert (len(DESCENT.columns), len(DESCENT.places)) == (48, 52)
    assert (len(STANDARD.columns), len(STANDARD.places)) == (55, 59)
    assert (len(index_row()), len(index_row(descent=True))) == (STANDARD_BYTES, DESCENT_BYTES)
    assert STANDARD.row_bytes == STANDARD_BYTES - 1  # the line feed counts


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b""])
def test_the_real_row_reads_the_same_by_tabs_and_by_bytes(end: bytes) -> None:
    line = index_row().rstrip(b"\n") + end
    by_tabs, by_bytes = values(line), values(spaced(line))
    assert by_tabs == by_bytes
    assert by_tabs["PRODUCT_ID"] == "1P128287181EFF0000P2303L2M1"
    assert by_tabs["PATH_NAME"] == "/mer1po_0xxx/data/sol0001/edr/"
    assert by_tabs["FILTER_NAME"] == "PANCAM_L2_753NM"
    assert by_tabs["ROVER_MOTION_COUNTER"] == ["0", "0", "1", "34", "0"]
    assert by_tabs["PIXEL_AVERAGING_WIDTH"] == "1"
    assert by_tabs["SEQUENCE_ID"] == "p2303"  # the label is one byte off here


def test_a_row_whose_last_padding_was_lost_still_reads() -> None:
    assert values(index_row().rstrip()) == values(index_row())


def test_the_descent_cameras_rows_have_fewer_fields() -> None:
    line = product_row("1E128278505EDN0000F0006N0M1", 1, LINES=256)
    assert line.count(b"\t") == 51
    read = values(line, DESCENT)
    assert read == values(spaced(line), DESCENT)
    assert (read["INSTRUMENT_ID"], read["LINES"], read["LINE_SAMPLES"]) == ("DESCAM", "256", "1024")
    assert "PATH_NAME" not in read


@pytest.mark.parametrize(
    "broken",
    [
        b"x\n",
        b"<html><body>Not now</body></html>\n",
        index_row()[:400] + b"\n",
        index_row(PLANET_DAY_NUMBER="n/a"),
        index_row(PLANET_DAY_NUMBER="-3"),
        index_row(PRODUCT_ID="1P12828718XEFF0000P2303L2M1"),
        index_row(PRODUCT_ID=""),
        b"\t" * 58 + b"\n",
        b"\xff\x00" * 600 + b"\n",
        index_row().replace(b'"ROVER_FRAME', b'"' + b"R" * 70_000),
        b"\t".join([b"1P128287181EFF0000P2303L2M1"] * 11 + [b"9" * 5000] + [b""] * 47),
    ],
)
def test_a_broken_row_is_counted_and_costs_no_other(broken: bytes) -> None:
    count = RowCount()
    rows = list(read_rows([index_row(), broken, b"\n", index_row(PLANET_DAY_NUMBER=2)], STANDARD, count))
    assert [row.sol for row in rows] == [1, 2]
    assert (count.readable, count.broken) == (2, 1)


@given(st.lists(st.binary(max_size=1000), max_size=10))
def test_no_bytes_break_the_reader(lines: list[bytes]) -> None:
    count = RowCount()
    assert len(list(read_rows(lines, STANDARD, count))) == count.readable
    assert count.readable + count.broken == sum(bool(line.strip()) for line in lines)


WORDS = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters='"'), max_size=6)


@given(
    st.booleans(),
    st.dictionaries(
        st.sampled_from(
            [c for c in COLUMNS if c.n_bytes >= 6 and c.name not in {"PRODUCT_ID", "ROVER_MOTION_COUNTER"}]
        ),
        WORDS,
        max_size=8,
    ),
    st.lists(st.integers(0, 999_999), min_size=5, max_size=5),
    st.integers(0, 9999),
)
def test_what_is_written_is_read(descent: bool, fields: dict, counter: list[int], sol: int) -> None:
    columns, layout = (DESCENT_COLUMNS, DESCENT) if descent else (COLUMNS, STANDARD)
    given_values = {c.name: value for c, value in fields.items() if c in columns}
    motion = " ".join(map(str, counter))
    line = index_row(descent=descent, ROVER_MOTION_COUNTER=motion, PLANET_DAY_NUMBER=sol, **given_values)
    read = values(line, layout)
    assert {name: read[name] for name in given_values} == given_values
    assert read["ROVER_MOTION_COUNTER"] == [str(n) for n in counter]
    assert read == values(spaced(line), layout) == json.loads(record_of(read))
    others = {c.name: c.default for c in columns if c.n_items == 1} | {"PLANET_DAY_NUMBER": str(sol)} | given_values
    assert {name: read[name] for name in others} == others


@pytest.mark.parametrize("name", sorted(NEEDED_COLUMNS))
def test_a_label_without_a_needed_column_is_refused(name: str) -> None:
    with pytest.raises(RovervisionError, match=rf"the label describes no column {name};"):
        layout_of(index_label().replace(f"= {name}\n", "= SOMETHING_ELSE\n"))


@pytest.mark.parametrize("text", ["", "<html></html>", "OBJECT = COLUMN\nNAME = A\n", 'NAME = "never closed'])
def test_what_is_no_label_is_refused(text: str) -> None:
    with pytest.raises(RovervisionError, match="describes no column"):
        layout_of(text)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("START_BYTE                = 2\n", "START_BYTE                = 0\n"),
        ("START_BYTE                = 2\n", "START_BYTE                = x\n"),
        ("START_BYTE                = 2\n", ""),
        ("BYTES                     = 11\n", "BYTES                     = 0\n"),
        ("BYTES                     = 11\n", "BYTES                     = 99999999\n"),
        ("ITEMS                     = 5\n", "ITEMS                     = 99999999\n"),
        ("ITEMS                     = 5\n", "ITEMS                     = 0\n"),
        ("ITEM_OFFSET               = 7\n", "ITEM_OFFSET               = -7\n"),
    ],
)
def test_impossible_columns_are_refused(old: str, new: str) -> None:
    assert old in index_label()
    with pytest.raises(RovervisionError, match=r"describes a column without|where no row reaches"):
        layout_of(index_label().replace(old, new))


@given(st.text(max_size=300))
def test_no_text_breaks_the_label_reader(text: str) -> None:
    with pytest.raises(RovervisionError):
        layout_of(text)


def test_a_row_with_a_tab_too_many_is_cut_by_bytes() -> None:
    line = index_row(MISSION_PHASE_NAME="PRIMARY\tMISSION")
    assert values(line)["MISSION_PHASE_NAME"] == "PRIMARY\tMISSION"
    assert split_row(line[:500], STANDARD) is None


@pytest.mark.parametrize(
    ("characters", "number"),
    [
        ("b2", 138), ("zj", 1019), ("av", 131), ("qf", 691), ("cm", 194), ("B2", 138),
        ("00", 0), ("07", 7), ("99", 99), ("A0", 100), ("ZZ", 1035),
        ("##", None), ("1A", None), ("A#", None), ("", None), ("A", None), ("123", None), ("٣٤", None), ("ß", None),
    ],
)  # fmt: skip
def test_counters(characters: str, number: int | None) -> None:
    assert decode_counter(characters) == number
