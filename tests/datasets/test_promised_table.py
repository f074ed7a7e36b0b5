"""A table in pieces comes out the same whoever makes it, and one bad row costs itself alone."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from kedro.io import DatasetError

from rovervision.datasets.promised_table import PromisedTableDataset
from rovervision.imaging.shard_plan import WorkersConfig
from tests.datasets.fake_models import model_of, table_plan
from tests.datasets.fake_shards import calls

ONE = WorkersConfig(kind="threads", count=1)


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    folder = tmp_path / "journal"
    folder.mkdir()
    return folder


def forget(journal: Path) -> None:
    for path in journal.iterdir():
        path.unlink()


def save(path: Path, journal: Path, workers: WorkersConfig = ONE, **more: Any) -> pd.DataFrame:
    table = PromisedTableDataset(filepath=str(path))
    table.save(table_plan(model_of(journal), journal, 11, workers, **more))
    forget_openings(journal)
    return table.load()


def forget_openings(journal: Path) -> None:
    for path in journal.glob("open.*"):
        path.unlink()


def test_pieces_come_out_in_order_and_their_types_agree(tmp_path: Path, journal: Path) -> None:
    """The last piece has no code at all, the first no failure."""
    loaded = save(tmp_path / "deep" / "t.parquet", journal)
    assert loaded["number"].tolist() == list(range(11))
    np.testing.assert_array_equal(loaded["code"][3], np.full(3, 6, np.float32))
    assert loaded["failure"].isna().tolist() == [True] * 8 + [False] * 3
    assert calls(journal) == dict.fromkeys(range(11), 1)
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["t.parquet"]
    assert pq.ParquetFile(tmp_path / "deep" / "t.parquet").num_row_groups == 3


@pytest.mark.parametrize(
    "kind", ["threads", pytest.param("processes", marks=pytest.mark.slow), pytest.param("dask", marks=pytest.mark.slow)]
)
def test_whoever_works_leaves_the_same_bytes(tmp_path: Path, journal: Path, kind: str) -> None:
    if kind == "dask":
        pytest.importorskip("distributed")
    save(tmp_path / "one.parquet", journal)
    save(tmp_path / "two.parquet", journal, WorkersConfig(kind=kind, count=2))
    assert (tmp_path / "two.parquet").read_bytes() == (tmp_path / "one.parquet").read_bytes()


def test_a_row_that_no_worker_survives_says_so_in_its_place(tmp_path: Path, journal: Path) -> None:
    whole = save(tmp_path / "whole.parquet", journal)
    loaded = save(tmp_path / "t.parquet", journal, WorkersConfig(kind="processes", count=1, attempts=1), killers=(5,))
    assert "ended its worker 1 times" in loaded["failure"][5]
    assert loaded["code"][5] is None
    pd.testing.assert_frame_equal(loaded.drop(5), whole.drop(5))


def test_an_interrupted_save_goes_on_and_leaves_the_last_table(
    tmp_path: Path, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = save(tmp_path / "t.parquet", journal, size=3)
    forget(journal)
    unlink = Path.replace

    def full(self: Path, target: Path) -> Path:
        if target.name == "008.parquet":
            raise OSError(28, "No space left on device")
        return unlink(self, target)

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(DatasetError, match="is full"):
        save(tmp_path / "t.parquet", journal)
    monkeypatch.undo()
    pd.testing.assert_frame_equal(PromisedTableDataset(filepath=str(tmp_path / "t.parquet")).load(), before)
    forget(journal)
    save(tmp_path / "t.parquet", journal)
    assert calls(journal) == {8: 1, 9: 1, 10: 1}
    forget(journal)
    save(tmp_path / "t.parquet", journal)
    assert calls(journal) == dict.fromkeys(range(11), 1), "once it is whole, nothing is left of the pieces"


def test_a_table_that_is_not_there_is_told(tmp_path: Path) -> None:
    table = PromisedTableDataset(filepath=str(tmp_path / "t.parquet"))
    assert not table.exists()
    with pytest.raises(DatasetError, match="There is no table"):
        table.load()
