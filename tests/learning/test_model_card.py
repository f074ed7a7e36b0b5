"""Cards say what the data were, and need no credit only for what a program rendered."""

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from rovervision.learning.model_card import describe_data, describe_use, is_synthetic, model_card, table_lines
from tests.pipelines.colorization.examples import example_tiles

TILES = example_tiles()


def frames(*sources: str) -> pd.DataFrame:
    """A frame for each that the tiles were cut from, of these sources in turn, and one that no tile is of."""
    ids = [*dict.fromkeys(TILES.index["frame_id"]), "unused"]
    made = [sources[i % len(sources)] for i in range(len(ids))]
    credit = [None if source == "synthetic" else f"Credit of {source}" for source in made]
    return pd.DataFrame({"frame_id": ids, "source": made, "credit": credit}).assign(
        rover="curiosity", camera="mahli", sol=range(len(ids))
    )


@given(st.lists(st.lists(st.text(), min_size=3, max_size=3), max_size=4))
def test_a_table_has_a_line_for_each_row_whatever_the_cells_hold(rows: list[list[str]]) -> None:
    lines = table_lines("abc", rows)
    assert len(lines) == len(rows) + 2
    assert all("\n" not in line and line.replace("\\|", "").count("|") == 4 for line in lines)


def test_numbers_are_readable_and_missing_ones_are_none() -> None:
    assert table_lines("abcd", [(1234567, 0.12345, None, float("nan"))])[-1] == "| 1,234,567 | 0.123 | – | – |"


def test_every_split_and_every_source_is_told_and_unused_frames_are_not() -> None:
    told = "\n".join(describe_data(TILES, frames("synthetic", "msl_labelled"), "f00d"))
    for split, part in TILES.index.groupby("split"):
        assert f"| {split} | {len(part)} | {part['frame_id'].nunique()} | {part['group'].nunique()} |" in told
    assert "| synthetic | curiosity | mahli | 12 | 0 to 22 |" in told
    assert "| msl_labelled | curiosity | mahli | 12 | 1 to 23 |" in told
    assert "`f00d`" in told


def test_credit_is_due_to_all_but_the_renderer() -> None:
    assert "need no credit" in describe_use(TILES, frames("synthetic"))[0]
    told = "\n".join(describe_use(TILES, frames("synthetic", "msl_labelled", "nasa")))
    assert "| Credit of msl_labelled | 8 |" in told
    assert "| Credit of nasa | 8 |" in told
    assert "need no credit" not in told
    assert is_synthetic(TILES, frames("synthetic"))
    assert not is_synthetic(TILES, frames("synthetic", "nasa"))


def test_a_card_has_its_sections_in_order() -> None:
    scores = pd.DataFrame({"method": ["own", "mean"], "error": [1.0, 2.0]})
    card = model_card("T", "P", {"kind": "k"}, ["D"], scores, "S", ["L1", "L2"], ["U"])
    places = [card.index(text) for text in ("# T", "P", "## Model", "| kind | k |", "## Data", "D", "## Scores", "S")]
    places += [
        card.index(text) for text in ("| own | 1.000 |", "| mean | 2.000 |", "## Limits", "- L1\n- L2", "## Lic")
    ]
    assert places == sorted(places)
