"""A table as the last run left it."""

from pathlib import Path

import pandas as pd
import pytest
from kedro.io import DatasetError

from rovervision.datasets.earlier_table import EarlierTableDataset


def test_it_reads_what_another_dataset_wrote(tmp_path: Path) -> None:
    table = pd.DataFrame({"name": ["a", "b"], "value": [1.5, 2.5]})
    table.to_csv(tmp_path / "t.csv", index=False)
    pd.testing.assert_frame_equal(
        EarlierTableDataset(filepath=str(tmp_path / "t.csv")).load(), table, check_dtype=False
    )


def test_parquet_is_read_too_and_what_is_none_is_a_sentence(tmp_path: Path) -> None:
    path, table = tmp_path / "t.parquet", pd.DataFrame({"tile_id": ["a", "b"], "cluster": [3, -1]})
    assert EarlierTableDataset(filepath=str(path)).load().empty
    table.to_parquet(path)
    pd.testing.assert_frame_equal(EarlierTableDataset(filepath=str(path)).load(), table, check_dtype=False)
    path.write_bytes(b"no parquet")
    with pytest.raises(DatasetError, match=r"is no table .*Mend it"):
        EarlierTableDataset(filepath=str(path)).load()


@pytest.mark.parametrize("text", [None, ""])
def test_no_file_or_an_empty_one_is_an_empty_table(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "t.csv").write_text(text)
    dataset = EarlierTableDataset(filepath=str(tmp_path / "t.csv"))
    assert dataset.exists()
    assert dataset.load().empty


def test_what_is_no_table_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b'a,b\n"1,2\n\xff\xfe')
    with pytest.raises(DatasetError, match=r"is no table .*Mend it"):
        EarlierTableDataset(filepath=str(tmp_path / "t.csv")).load()


def test_it_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="only read"):
        EarlierTableDataset(filepath=str(tmp_path / "t.csv")).save(pd.DataFrame())
    assert not (tmp_path / "t.csv").exists()
