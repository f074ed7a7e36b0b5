"""The pipeline runs from end to end on datasets at rest, and its figures show what they should."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from rovervision.datasets.examined_shards import ExaminedShardsDataset
from rovervision.datasets.tile_store import TileStoreDataset
from rovervision.imaging.tiles import ExaminedShard
from rovervision.pipelines.curation import create_pipeline
from rovervision.pipelines.curation.config import CurationConfig
from rovervision.pipelines.curation.figures import draw_funnel, draw_sheet
from tests.pipelines.curation.conftest import Archive, cut, split


def texts(figure: Figure) -> str:
    found = [
        text for axes in figure.axes for text in (*axes.texts, *axes.get_yticklabels(), axes.title, axes.yaxis.label)
    ]
    lefts = [axes.get_title(loc="left") for axes in figure.axes]
    return "\n".join([text.get_text() for text in found] + lefts)


def test_the_pipeline_runs_on_datasets_at_rest(tmp_path: Path, archive: Archive, config: CurationConfig) -> None:
    keys = archive.table["frame_id"].tolist()[:60]
    catalog = DataCatalog(
        {
            "frames_fetched": MemoryDataset(archive.table[archive.table["frame_id"].isin(keys)].reset_index(drop=True)),
            "images_raw": MemoryDataset({key: archive.images[key] for key in keys}, copy_mode="assign"),
            "masks_raw": MemoryDataset(archive.masks, copy_mode="assign"),
            "params:curation": MemoryDataset(config),
            "params:seed": MemoryDataset(0),
            "frames_examined": ExaminedShardsDataset(filepath=str(tmp_path / "examined")),
            "tiles": TileStoreDataset(filepath=str(tmp_path / "tiles")),
            "curation_summary": MemoryDataset(),
        }
    )
    SequentialRunner().run(create_pipeline(), catalog)
    summary, tiles = catalog["curation_summary"].load(), catalog["tiles"].load()
    assert summary["frames"] == len(keys)
    assert summary["tiles"] == len(tiles) > 0
    assert isinstance(tiles.pixels, np.memmap)


def test_every_dataset_of_the_pipeline_is_in_the_catalog_with_a_layer_and_a_description() -> None:
    import yaml

    root = Path(__file__).resolve().parents[3]
    catalog = yaml.safe_load((root / "conf" / "base" / "catalog_curation.yml").read_text())
    assert set(catalog) == create_pipeline().all_outputs()
    for entry in catalog.values():
        assert entry["metadata"]["description"]
        assert entry["metadata"]["kedro-viz"]["layer"]


def test_the_pipeline_is_one_box_and_datasets_keep_their_names() -> None:
    pipeline = create_pipeline()
    assert {node.namespace for node in pipeline.nodes} == {"curation"}
    assert pipeline.inputs() == {"frames_fetched", "images_raw", "masks_raw", "params:curation", "params:seed"}
    assert "tiles" in pipeline.outputs() | pipeline.all_outputs()


def test_the_funnel_names_every_reason_with_its_count(
    examined: dict[str, ExaminedShard], judged: pd.DataFrame, config: CurationConfig
) -> None:
    frames = split(judged, examined, config)
    figure = draw_funnel(examined, frames)
    shown = texts(figure)
    counts = frames["reasons"].explode().value_counts()
    assert len(counts) > 5
    for reason, count in counts.items():
        assert reason.replace("_", " ") in shown
        assert str(count) in shown
    assert f"{len(frames):,} frames fetched, {int(frames['kept'].sum()):,} kept" in shown
    assert plt.get_fignums() == []
    figure.canvas.draw()


def test_the_sheet_names_every_camera_and_counts_every_split(
    examined: dict[str, ExaminedShard], judged: pd.DataFrame, config: CurationConfig
) -> None:
    tiles = cut(examined, split(judged, examined, config), config)
    figure = draw_sheet(tiles)
    shown = texts(figure)
    for camera in tiles.index["camera"].unique():
        assert camera.replace("_", " ") in shown
    for part, count in tiles.index["split"].value_counts().items():
        assert f"{part}: {count:,} tiles" in shown
    assert plt.get_fignums() == []
    figure.canvas.draw()


def test_the_funnel_of_a_faultless_set_can_be_drawn(
    examined: dict[str, ExaminedShard], judged: pd.DataFrame, config: CurationConfig
) -> None:
    frames = split(judged[judged["kept"]].reset_index(drop=True), examined, config)
    draw_funnel(examined, frames).canvas.draw()


@pytest.mark.parametrize("count", [1, 2])
def test_a_sheet_of_very_few_tiles_can_be_drawn(
    examined: dict[str, ExaminedShard], judged: pd.DataFrame, config: CurationConfig, count: int
) -> None:
    tiles = cut(examined, split(judged, examined, config), config)
    draw_sheet(tiles.select(range(count))).canvas.draw()
