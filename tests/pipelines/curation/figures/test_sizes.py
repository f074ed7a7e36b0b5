"""The size table counts every frame and every byte once."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from rovervision.pipelines.curation.figures.sizes import SIZE_COLUMNS, tabulate_sizes
from tests.pipelines.curation.figures.conftest import frames_table

sizes = st.one_of(st.just((None, None)), st.sampled_from([(64.0, 48.0), (64.0, 64.0), (1024.0, 1024.0)]))
rows = st.tuples(st.sampled_from("ab"), st.sampled_from("xy"), sizes, st.booleans(), st.integers(0, 10**10))


@given(st.lists(rows, max_size=30))
def test_frames_and_bytes_add_up(listed: list) -> None:
    frames = pd.DataFrame(
        {
            "rover": [row[0] for row in listed],
            "camera": [row[1] for row in listed],
            "decoded_width_px": np.array([row[2][0] for row in listed], np.float64),
            "decoded_height_px": np.array([row[2][1] for row in listed], np.float64),
            "kept": np.array([row[3] for row in listed], bool),
            "n_bytes": np.array([row[4] for row in listed], np.int64),
        }
    )
    table = tabulate_sizes(frames)
    assert tuple(table.columns) == SIZE_COLUMNS
    assert table["frames"].sum() == len(listed)
    assert table["frames_kept"].sum() == sum(row[3] for row in listed)
    assert table["file_bytes"].sum() == sum(row[4] for row in listed)
    assert len(table) == len({row[:3] for row in listed})
    assert not table.duplicated(["rover", "camera", "width_px", "height_px"]).any()
    for _, camera in table.groupby(["rover", "camera"]):
        assert camera["frames"].is_monotonic_decreasing


def test_a_row_says_what_it_counts() -> None:
    frames = frames_table(4, reasons={0: {"undecodable": "truncated"}})
    frames.loc[0, ["decoded_width_px", "decoded_height_px"]] = np.nan
    frames["rover"] = "curiosity"
    table = tabulate_sizes(frames)
    assert table.iloc[0].tolist()[2:] == [64, 48, 3, 3, 3000, 1000]
    assert table.iloc[1].isna().tolist() == [False, False, True, True, False, False, False, False]
    assert table.iloc[1].tolist()[4:] == [1, 0, 1000, 1000]
