"""Laws of the listing: what was searched is what loads, whole or not at all, a batch at a time."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kedro.io import DatasetError

from rovervision.datasets.source_listing import LISTING_SCHEMA, SourceListingDataset
from rovervision.errors import RovervisionError
from rovervision.sources.frame import Frame
from rovervision.sources.frame_table import FRAME_COLUMNS, FrameListing, frames_of, table_of

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
maybe_int = st.none() | st.integers(0, 2**40)
frames = st.builds(
    Frame,
    frame_id=words, file_name=words, source=words, query=st.just("q"), rover=words, camera=words, sol=maybe_int,
    taken_utc=st.none() | words,
    received_utc=st.none() | words, color_type=words, filter=words,
    sclk_s=st.none() | st.floats(0, 1e9), site=st.none() | words, width_px=maybe_int,
    height_px=maybe_int, sample_type=words, product_type=words, version=words, url=words, credit=words,
    label=st.none() | words, official_split=st.none() | st.sampled_from(["train", "val"]), has_mask=st.booleans(),
    record=words,
)  # fmt: skip


CREDIT = Frame(frame_id="", file_name="", source="").credit


def whole(listing: FrameListing) -> pd.DataFrame:
    return pd.concat(listing.batches(), ignore_index=True)


@settings(max_examples=40, deadline=None)
@given(st.lists(frames, min_size=1, max_size=7))
def test_frames_survive_the_disk(tmp_path_factory: pytest.TempPathFactory, listed: list[Frame]) -> None:
    listing = SourceListingDataset(filepath=str(tmp_path_factory.mktemp("l") / "frames.parquet"), batch_rows=3)
    listing.save({"q": lambda: iter(listed)})
    assert frames_of(whole(listing.load())) == listed
    light = [
        replace(frame, record="{}", url="", credit=Frame.__dataclass_fields__["credit"].default) for frame in listed
    ]
    assert list(listing.load().frames()) == light
    assert frames_of(table_of(listed)) == listed


def frame(number: int) -> Frame:
    return Frame(frame_id=f"f{number}", file_name=f"f{number}.png", source="made_up", sol=number)


def count(numbers: range) -> Iterator[Frame]:
    return (frame(number) for number in numbers)


def test_queries_are_listed_one_after_the_other(tmp_path: Path) -> None:
    listing = SourceListingDataset(filepath=str(tmp_path / "deep" / "frames.parquet"))
    assert not listing.exists()
    with pytest.raises(DatasetError, match="no listing"):
        listing.load()
    listing.save({name: partial(count, range(n)) for name, n in [("first", 2), ("second", 3)]})
    table = whole(listing.load())
    assert listing.exists()
    assert list(table["query"]) == ["first"] * 2 + ["second"] * 3
    assert tuple(table.columns) == FRAME_COLUMNS
    assert pq.read_schema(tmp_path / "deep" / "frames.parquet").names == LISTING_SCHEMA.names


def test_memory_holds_one_batch(tmp_path: Path) -> None:
    """No more than one batch of frames is taken from the search before a row group is written."""
    listing = SourceListingDataset(filepath=str(tmp_path / "frames.parquet"), batch_rows=10)
    listing.save({"q": partial(count, range(95))})
    groups = pq.ParquetFile(tmp_path / "frames.parquet").metadata
    assert [groups.row_group(n).num_rows for n in range(groups.num_row_groups)] == [10] * 9 + [5]


def test_a_search_that_breaks_leaves_the_old_listing(tmp_path: Path) -> None:
    def breaks() -> Iterator[Frame]:
        yield from count(range(5))
        raise ConnectionError("the line is dead")

    listing = SourceListingDataset(filepath=str(tmp_path / "frames.parquet"), batch_rows=2)
    listing.save({"q": partial(count, range(3))})
    with pytest.raises(DatasetError, match="the line is dead"):
        listing.save({"q": breaks})
    assert len(whole(listing.load())) == 3
    assert [path.name for path in tmp_path.iterdir()] == ["frames.parquet"]


def test_queries_without_frames_are_told_and_only_nothing_at_all_is_an_error(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    listing = SourceListingDataset(filepath=str(tmp_path / "frames.parquet"))
    with pytest.raises(DatasetError, match="No query found a frame: none, nothing"):
        listing.save({"none": partial(count, range(0)), "nothing": partial(count, range(0))})
    assert not listing.exists()
    listing.save({"some": partial(count, range(3)), "none": partial(count, range(0))})
    assert len(whole(listing.load())) == 3
    assert "none" in caplog.text


def test_a_listing_of_an_older_version_is_told(tmp_path: Path) -> None:
    table_of([frame(1)]).drop(columns=["filter"]).to_parquet(tmp_path / "frames.parquet")
    with pytest.raises(RovervisionError, match="lacks filter"):
        whole(SourceListingDataset(filepath=str(tmp_path / "frames.parquet")).load())


def test_frames_carry_the_name_of_their_query(tmp_path: Path) -> None:
    listing = SourceListingDataset(filepath=str(tmp_path / "frames.parquet"))
    listing.save({"asked": lambda: iter([replace(frame(1), query="")])})
    assert list(whole(listing.load())["query"]) == ["asked"]
