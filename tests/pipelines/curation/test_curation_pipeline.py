"""The pipeline runs from end to end on datasets at rest, and its figures tell what its tables do."""

from pathlib import Path

import numpy as np
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner

from rovervision.datasets.examined_shards import ExaminedShardsDataset
from rovervision.datasets.tile_store import TileStoreDataset
from rovervision.pipelines.curation import create_pipeline
from rovervision.pipelines.curation.config import CurationConfig
from tests.pipelines.curation.conftest import Archive
from tests.pipelines.curation.figures.conftest import check_page

FIGURES = ("curation_funnel", "curation_sheet", "curation_sharpness", "curation_duplicates", "curation_splits")


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
            "curation_sizes": MemoryDataset(),
            **{name: MemoryDataset(copy_mode="assign") for name in FIGURES},
        }
    )
    SequentialRunner().run(create_pipeline(), catalog)
    summary, tiles = catalog["curation_summary"].load(), catalog["tiles"].load()
    assert summary["frames"] == len(keys)
    assert summary["tiles"] == len(tiles) > 0
    assert isinstance(tiles.pixels, np.memmap)
    assert catalog["curation_sizes"].load()["frames"].sum() == len(keys)
    written = {name: check_page(catalog[name].load()) for name in FIGURES}
    assert f"{len(keys)} frames came in, {summary['frames_kept']} are kept" in written["curation_funnel"]
    for reason, count in summary["frames_by_reason"].items():
        assert reason.replace("_", " ") in written["curation_funnel"]
        assert f"\n{count} frame" in written["curation_funnel"]
    for split, count in summary["tiles_by_split"].items():
        assert f"{split}: {count} tile" in written["curation_sheet"]
        assert f"{split}\n{summary['frames_by_split'][split]} frame" in written["curation_splits"]


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
