"""Exports hold every pixel and every column, in files of bounded size, and others can read them."""

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from PIL import Image

from rovervision.datasets import tile_export
from rovervision.datasets.tile_export import TileExportDataset
from rovervision.datasets.tile_store import TileStoreDataset
from rovervision.imaging.tiles import TILE_INDEX_COLUMNS, TileExport, TileStore

SPLITS = {"train": 23, "validation": 4, "test": 9}
CARD = "---\npretty_name: Mars\n---\n# Mars\n"


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tile_export, "BATCH_TILES", 6)


def tiles(seed: int = 0) -> TileStore:
    """Tiles whose splits are mixed, and whose columns are of every kind that occurs, with gaps."""
    rng = np.random.default_rng(seed)
    names = rng.permutation(np.repeat(["train", "val", "test"], list(SPLITS.values())))
    count = len(names)
    index = pd.DataFrame({name: [f"{name}{row}" for row in range(count)] for name in TILE_INDEX_COLUMNS})
    index = index.assign(
        split=names,
        sol=pd.array([None if row % 5 == 0 else row for row in range(count)], "Int64"),
        sclk_s=np.where(np.arange(count) % 3 == 0, np.nan, np.arange(count) / 7),
        label=[None] * (count - 1) + ["wheel"],
        taken_utc=None,
        is_color=rng.random(count) < 0.5,
        entropy_bits=rng.random(count),
    )
    pixels = rng.integers(0, 256, (count, 8, 8, 3), dtype=np.uint8)
    return TileStore(pixels, rng.integers(0, 6, (count, 8, 8), dtype=np.uint8), index)


def decoded(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)))


def part(store: TileStore, name: str) -> TileStore:
    return store.select((store.index["split"] == {"validation": "val"}.get(name, name)).to_numpy())


@pytest.mark.parametrize("tiles_per_file", [4, 6, 7, 23, 100])
def test_parquet_holds_every_tile_in_files_of_bounded_size(tmp_path: Path, tiles_per_file: int) -> None:
    dataset = TileExportDataset(filepath=str(tmp_path / "export"), tiles_per_file=tiles_per_file)
    dataset.save(TileExport(tiles(), CARD))
    assert (dataset.load() / "README.md").read_text() == CARD
    names = {path.name for path in (tmp_path / "export" / "data").iterdir()}
    for split, count in SPLITS.items():
        n_files = -(-count // tiles_per_file)
        files = [f"{split}-{number:05d}-of-{n_files:05d}.parquet" for number in range(n_files)]
        assert set(files) == {name for name in names if name.startswith(split)}
        read = [pq.read_table(tmp_path / "export" / "data" / name) for name in files]
        assert [table.num_rows for table in read] == [tiles_per_file] * (count // tiles_per_file) + (
            [count % tiles_per_file] if count % tiles_per_file else []
        )
        rows = [row for table in read for row in table.to_pylist()]
        own = part(tiles(), split)
        assert [row["tile_id"] for row in rows] == own.index["tile_id"].tolist()
        np.testing.assert_array_equal([decoded(row["image"]["bytes"]) for row in rows], own.pixels)
        np.testing.assert_array_equal([decoded(row["regions"]["bytes"]) for row in rows], own.regions)
        assert [row["image"]["path"] for row in rows] == [f"{name}.png" for name in own.index["tile_id"]]
        assert [row["sol"] for row in rows] == [None if pd.isna(sol) else sol for sol in own.index["sol"]]
        assert [row["label"] for row in rows] == [None if pd.isna(one) else one for one in own.index["label"]]
        assert [row["entropy_bits"] for row in rows] == own.index["entropy_bits"].tolist()
    groups = pq.ParquetFile(next((tmp_path / "export" / "data").glob("train-00000*"))).metadata
    assert all(groups.row_group(number).num_rows <= 6 for number in range(groups.num_row_groups))


def test_masks_may_stay_at_home(tmp_path: Path) -> None:
    TileExportDataset(filepath=str(tmp_path / "export"), with_regions=False).save(TileExport(tiles(), CARD))
    schema = pq.read_schema(tmp_path / "export" / "data" / "test-00000-of-00001.parquet")
    assert schema.names == ["image", *tiles().index.columns]
    assert json.loads(schema.metadata[b"huggingface"]) == {"info": {"features": {"image": {"_type": "Image"}}}}


def test_an_image_folder_holds_every_tile(tmp_path: Path) -> None:
    TileExportDataset(filepath=str(tmp_path / "export"), format="imagefolder", tiles_per_file=10).save(
        TileExport(tiles(), CARD)
    )
    for split in SPLITS:
        root, own = tmp_path / "export" / "data" / split, part(tiles(), split)
        rows = pq.read_table(root / "metadata.parquet").to_pylist()
        assert [row["tile_id"] for row in rows] == own.index["tile_id"].tolist()
        read = [np.asarray(Image.open(root / row["file_name"])) for row in rows]
        np.testing.assert_array_equal(read, own.pixels)
        read = [np.asarray(Image.open(root / row["regions_file_name"])) for row in rows]
        np.testing.assert_array_equal(read, own.regions)
        assert len(list(root.rglob("*.png"))) == 2 * len(own)
        assert max(len(list(inner.iterdir())) for inner in root.iterdir() if inner.is_dir()) <= 20
        assert [row["sclk_s"] for row in rows] == [None if pd.isna(s) else s for s in own.index["sclk_s"]]


def test_an_export_that_fails_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = TileExportDataset(filepath=str(tmp_path / "export"))
    assert not dataset.exists()
    with pytest.raises(Exception, match="run the curation pipeline"):
        dataset.load()
    dataset.save(TileExport(tiles(), CARD))
    before = {path: path.read_bytes() for path in (tmp_path / "export").rglob("*.parquet")}
    monkeypatch.setattr(tile_export, "encode_png", lambda _: 1 / 0)
    with pytest.raises(Exception, match="division by zero"):
        dataset.save(TileExport(tiles(1), CARD))
    assert {path: path.read_bytes() for path in (tmp_path / "export").rglob("*.parquet")} == before
    assert [path.name for path in tmp_path.iterdir()] == ["export"]


def test_mapped_tiles_are_exported_like_others(tmp_path: Path) -> None:
    stored = TileStoreDataset(filepath=str(tmp_path / "tiles"))
    stored.save(tiles())
    for name, store in (("one", tiles()), ("other", stored.load())):
        TileExportDataset(filepath=str(tmp_path / name)).save(TileExport(store, CARD))
    for path in (tmp_path / "one" / "data").iterdir():
        assert pq.read_table(path).equals(pq.read_table(tmp_path / "other" / "data" / path.name))


@pytest.mark.parametrize("given", [{"format": "zip"}, {"tiles_per_file": 0}])
def test_impossible_settings_are_refused(given: dict[str, object]) -> None:
    with pytest.raises(Exception, match=next(iter(given))):
        TileExportDataset(filepath="anywhere", **given)


@pytest.mark.parametrize("layout", ["parquet", "imagefolder"])
def test_hugging_face_datasets_loads_it(tmp_path: Path, layout: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets", reason="the library is only needed to check that it can read exports")
    folder = tmp_path / "export"
    TileExportDataset(filepath=str(folder), format=layout, tiles_per_file=10).save(TileExport(tiles(), CARD))
    loaded = datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))
    assert {name: split.num_rows for name, split in loaded.items()} == SPLITS
    for name, split in loaded.items():
        own = part(tiles(), name)
        assert isinstance(split.features["image"], datasets.Image)
        assert isinstance(split.features["regions"], datasets.Image)
        np.testing.assert_array_equal([np.asarray(row["image"]) for row in split], own.pixels)
        np.testing.assert_array_equal([np.asarray(row["regions"]) for row in split], own.regions)
        assert split["tile_id"][:] == own.index["tile_id"].tolist()
        assert split["is_color"][:] == own.index["is_color"].tolist()
