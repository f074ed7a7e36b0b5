"""The nodes that `benchmarks.scale` measures, each with its tables read from files and written to them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from benchmarks.ingestion_listing import list_frames
from benchmarks.scale_tables import stored_files, write_codes, write_shards
from benchmarks.trials import parameters
from rovervision.datasets.examined_shards import ExaminedShards, ExaminedShardsDataset
from rovervision.datasets.source_listing import SourceListingDataset
from rovervision.datasets.tile_codes import TileCodesDataset
from rovervision.datasets.tile_store import TileStoreDataset
from rovervision.imaging.tiles import TileStore
from rovervision.learning.codes import TileCodes
from rovervision.learning.positive_pairs import find_companions
from rovervision.pipelines.clustering import figures as cluster_figures
from rovervision.pipelines.clustering import nodes as clustering
from rovervision.pipelines.clustering.config import ClusteringConfig
from rovervision.pipelines.clustering.describing import tabulate_clusters
from rovervision.pipelines.clustering.map_page import write_map_page
from rovervision.pipelines.clustering.scoring import score_encoders
from rovervision.pipelines.colorization.config import ColorizationConfig
from rovervision.pipelines.colorization.nodes import fit_color_priors, training_batches
from rovervision.pipelines.colorization.selecting import fingerprint
from rovervision.pipelines.curation import figures, nodes
from rovervision.pipelines.curation.config import CurationConfig
from rovervision.pipelines.diffusion.config import DiffusionConfig
from rovervision.pipelines.diffusion.scoring import fit_judge
from rovervision.pipelines.ingestion import nodes as ingestion
from rovervision.sources.frame import Query
from rovervision.sources.registry import IngestionConfig

INGESTION: Final = IngestionConfig(queries=(Query(name="everything", source="curiosity"),))
CURATION: Final = CurationConfig(**parameters("msl", "curation", {"splits.sols_per_group": 1}))
CLUSTERING: Final = ClusteringConfig(**parameters("msl", "clustering"))
COLORIZATION: Final = ColorizationConfig(**parameters("nasa", "colorization"))
DIFFUSION: Final = DiffusionConfig(**parameters("base", "diffusion", {"scoring.reference": "val"}))


class Tables:
    """The files of one archive."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __getitem__(self, name: str) -> pd.DataFrame:
        """Read a table."""
        return pd.read_parquet(self.folder / f"{name}.parquet")

    def __setitem__(self, name: str, table: pd.DataFrame) -> None:
        """Write a table."""
        table.to_parquet(self.folder / f"{name}.parquet", index=False)

    @property
    def shards(self) -> ExaminedShards:
        """The examined shards."""
        return ExaminedShardsDataset(filepath=str(self.folder / "frames_examined")).load()

    @property
    def tiles(self) -> TileStore:
        """The tiles, mapped."""
        return TileStoreDataset(filepath=str(self.folder / "tiles")).load()

    @property
    def codes(self) -> TileCodes:
        """The codes, mapped."""
        return TileCodesDataset(filepath=str(self.folder / "codes")).load()


def select_frames(at: Tables) -> None:
    """Choose among all listed frames."""
    listing = SourceListingDataset(filepath=str(at.folder / "frames.parquet")).load()
    at["frames_selected"], _ = ingestion.select_frames(listing, INGESTION)


def plan_download(at: Tables) -> None:
    """Plan the download of all, of which none is stored."""
    none_stored = pd.DataFrame({"name": [], "origin": [], "n_bytes": []})
    at["download_plan"], _ = ingestion.plan_download(at["frames_selected"], none_stored, {}, INGESTION)


def plan_fetch(at: Tables) -> object:
    """Promise all images."""
    return ingestion.plan_fetch(at["frames_selected"], at["download_plan"], INGESTION)


def join_manifest(at: Tables) -> None:
    """Put what was asked for and what came side by side."""
    table = at["frames_selected"]
    files = stored_files(table["frame_id"].tolist())
    at["frames_fetched"], _ = ingestion.join_manifest(table, {}, files, {})


def examine_frames(at: Tables) -> object:
    """Promise all examinations."""
    table = at["frames_fetched"]
    return nodes.examine_frames(table, stored_files(table["frame_id"].tolist()), {}, CURATION)


def judge_frames(at: Tables) -> None:
    """Judge all examined frames."""
    at["frames_judged"] = nodes.judge_frames(at.shards, CURATION)


def relate_frames(at: Tables) -> None:
    """Relate all frames that pass."""
    at["frames_related"] = nodes.relate_frames(at["frames_judged"], at.shards, CURATION)


def split_frames(at: Tables) -> None:
    """Share out the frames."""
    at["frames_split"] = nodes.split_frames(at["frames_judged"], at["frames_related"], CURATION, 0)


def cut_tiles(at: Tables) -> None:
    """Write the tiles of the kept frames with their index."""
    TileStoreDataset(filepath=str(at.folder / "tiles")).save(nodes.cut_tiles(at.shards, at["frames_split"], CURATION))


def report_leaks(at: Tables) -> None:
    """Search for what shows the same in two splits."""
    at["leakage_report"] = nodes.report_leaks(at["frames_split"], at.tiles, CURATION)


def summarize_curation(at: Tables) -> object:
    """Count."""
    return nodes.summarize_curation(at["frames_split"], at["frames_related"], at.tiles, at["leakage_report"])


def curation_figures(at: Tables) -> None:
    """Draw the five figures, each with its tables read anew."""
    figures.draw_funnel(at.shards, at["frames_split"]).savefig(at.folder / "funnel.png")
    figures.draw_sharpness(at.shards, at["frames_split"]).savefig(at.folder / "sharpness.png")
    related = figures.draw_duplicates(at.shards, at["frames_split"], at["frames_related"])
    related.savefig(at.folder / "duplicates.png")
    figures.draw_splits(at["frames_split"], at.tiles).savefig(at.folder / "splits.png")
    figures.draw_sheet(at.tiles).savefig(at.folder / "sheet.png")


def companions(at: Tables) -> object:
    """Find the likes of all tiles, as training an encoder begins."""
    return find_companions(at.tiles.index, CLUSTERING.encoder.pairing)


def cluster_tiles(at: Tables) -> None:
    """Cluster all codes."""
    clusters, at["tile_clusters"] = clustering.cluster_tiles(at.tiles, at.codes, CLUSTERING, 0)
    np.save(at.folder / "centers.npy", clusters.tensors["centers"].numpy())


def tabulate(at: Tables) -> None:
    """Describe the clusters."""
    at["cluster_table"] = tabulate_clusters(at.tiles, at["tile_clusters"], CLUSTERING)


def map_tiles(at: Tables) -> None:
    """Place all tiles on a map."""
    at["tile_map"] = clustering.map_tiles(at.codes, CLUSTERING, 0)


def list_outliers(at: Tables) -> object:
    """Find the tiles that are like no other."""
    tiles, codes = at.tiles, at.codes
    weights, table = clustering.cluster_tiles(tiles, codes, CLUSTERING, 0)
    return clustering.list_outliers(tiles, codes, weights, table, CLUSTERING)


def score_codes(at: Tables) -> object:
    """Score the encoder beside its baselines; tiles have no labels here."""
    return score_encoders(at.tiles, at.codes, at["tile_clusters"], CLUSTERING, 0)


def cluster_pictures(at: Tables) -> None:
    """Draw map, timeline and overview, and write the page."""
    found, named = at["tile_clusters"], at["cluster_table"]
    cluster_figures.draw_map(at.tiles, at["tile_map"], found, named, CLUSTERING).savefig(at.folder / "map.png")
    cluster_figures.draw_timeline(found, named).savefig(at.folder / "timeline.png")
    cluster_figures.draw_overview(at.tiles, found, named, CLUSTERING).savefig(at.folder / "overview.png")
    page = write_map_page(at.tiles, at["tile_map"], found, named, CLUSTERING)
    (at.folder / "map.html").write_text(page, encoding="utf-8")


def color_priors(at: Tables) -> None:
    """Average the colours of the training tiles."""
    config = COLORIZATION.model_copy(update={"scoring": COLORIZATION.scoring.model_copy(update={"split": "val"})})
    priors = fit_color_priors(at.tiles, config)
    (at.folder / "color_priors.json").write_text(json.dumps(priors), encoding="utf-8")


def start_training(at: Tables) -> object:
    """Weigh the tiles, know them again, and draw the first batch of an epoch."""
    tiles, priors = at.tiles, json.loads((at.folder / "color_priors.json").read_text(encoding="utf-8"))
    batches, _, about = training_batches(tiles, priors, COLORIZATION, 0, (), 4)
    return next(batches.epoch(0)), about, fingerprint(COLORIZATION, 0, tiles)


def judge_of_generated(at: Tables) -> object:
    """Fit what generated tiles are compared in."""
    return fit_judge(at.tiles, DIFFUSION, 0, "cpu")


def make_listing(at: Tables, n_frames: int) -> None:
    """List the frames of a made-up feed."""
    list_frames(at.folder, n_frames)


def make_shards(at: Tables, n_frames: int) -> None:
    """Write what examinations might have found."""
    write_shards(at.folder / "frames_examined", at["frames_fetched"])


def make_codes(at: Tables, n_frames: int) -> None:
    """Write codes for the tiles."""
    write_codes(at.folder / "codes", at.tiles.index["tile_id"].tolist())


TASKS: Final[dict[str, Callable[[Tables], object]]] = {
    task.__name__: task
    for task in (
        select_frames, plan_download, plan_fetch, join_manifest, examine_frames, judge_frames, relate_frames,
        split_frames, cut_tiles, report_leaks, summarize_curation, curation_figures, companions, cluster_tiles,
        tabulate, map_tiles, list_outliers, score_codes, cluster_pictures, color_priors, start_training,
        judge_of_generated,
    )
}  # fmt: skip

MOST: Final = {"report_leaks": 50_000, "list_outliers": 20_000, "score_codes": 50_000}
"""Frames beyond which a node that grows faster than they do is not tried."""

PREPARED: Final[dict[str, Callable[[Tables, int], None]]] = {
    "frames.parquet": make_listing,
    "frames_examined": make_shards,
    "codes": make_codes,
}
"""What is made up: file or folder, and how. The first stands before all tasks, the others before those named below."""

NEEDS: Final = {"select_frames": "frames.parquet", "judge_frames": "frames_examined", "companions": "codes"}
