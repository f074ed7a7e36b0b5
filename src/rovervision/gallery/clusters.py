"""The second room: what the archive holds, as a map of its tiles and as groups of what looks alike."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rovervision.gallery.pictures import Picture, sheet
from rovervision.gallery.scores import Column, ScoreTable, score_table
from rovervision.imaging.montage import spread
from rovervision.imaging.tiles import TileStore

MAP_COLUMNS = 24
"""Pictures in a row of the map's sheet; it has as many rows at most."""
_MAP_PX = 64
_MEMBERS, _MEMBER_COLUMNS, _MEMBER_PX = 8, 4, 80
CLUSTERS_MAX = 40
_SHOWN_AT_ONCE = 12

COLUMNS = (
    Column("nmi", "NMI", "Normalised mutual information with the classes or regions that are known.", "higher"),
    Column("ari", "ARI", "Adjusted Rand index with the same; 0 is chance.", "higher"),
    Column("probe_balanced_accuracy", "probe", "Balanced accuracy of a linear classifier on the codes.", "higher"),
    Column("neighbour_accuracy", "neighbours", "Share of tiles whose nearest others are of their class.", "higher"),
    Column("silhouette", "silhouette", "How compact and apart the clusters are.", "higher"),
    Column("seed_stability", "stability", "Agreement of clusterings from other seeds.", "higher"),
)
NAMES = {"pixels": "raw pixels", "handcrafted": "handcrafted codes", "random": "random weights"}


@dataclass(frozen=True)
class TileMap:
    """Some tiles at the places of their codes."""

    picture: Picture
    """A sheet of them, `MAP_COLUMNS` a row."""
    n_tiles: int
    n_all: int
    data: dict[str, Any]
    """For the page's script: x and y (0..1), cluster, text of each tile, columns of the sheet."""


@dataclass(frozen=True)
class Cluster:
    """A group of tiles."""

    number: int
    name: str
    n_tiles: int
    share: float
    facts: list[str]
    picture: Picture


@dataclass(frozen=True)
class Clusters:
    """All of the room."""

    map: TileMap
    clusters: list[Cluster]
    scores: ScoreTable | None

    @property
    def first(self) -> list[Cluster]:
        """The clusters that are shown at once."""
        return self.clusters[:_SHOWN_AT_ONCE]

    @property
    def others(self) -> list[Cluster]:
        """Those that are shown when asked for."""
        return self.clusters[_SHOWN_AT_ONCE:]


def clusters_room(
    tiles: TileStore,
    tile_map: pd.DataFrame,
    tile_clusters: pd.DataFrame,
    cluster_table: pd.DataFrame,
    scores: pd.DataFrame | None,
) -> Clusters:
    """Return the room. The tables' rows are those of the tiles."""
    return Clusters(
        map=map_of(tiles, tile_map, tile_clusters),
        clusters=[one_cluster(row, tiles, tile_clusters) for row in cluster_table[:CLUSTERS_MAX].to_dict("records")],
        scores=None if scores is None else scores_of(scores),
    )


def map_of(tiles: TileStore, tile_map: pd.DataFrame, tile_clusters: pd.DataFrame) -> TileMap:
    """Return tiles evenly taken, each with its place on the map, cluster and origin."""
    rows = spread(len(tiles), MAP_COLUMNS**2)
    x, y = (unit(tile_map[axis].to_numpy(float))[rows] for axis in ("x", "y"))
    about = tile_clusters.iloc[rows]
    data = {
        "x": x.round(4).tolist(),
        "y": (1 - y).round(4).tolist(),
        "cluster": about["cluster"].astype(int).tolist(),
        "text": [origin_of(row) for row in about.to_dict("records")],
        "columns": MAP_COLUMNS,
    }
    alt = f"{len(rows)} tiles of the archive, the pictures of the map below."
    picture = sheet([np.asarray(tiles.pixels[row]) for row in rows], MAP_COLUMNS, _MAP_PX, alt)
    return TileMap(picture, len(rows), len(tiles), data)


def unit(values: np.ndarray) -> np.ndarray:
    """Return numbers moved and scaled to 0..1."""
    low, high = float(values.min()), float(values.max())
    return (values - low) / (high - low) if high > low else np.full(values.shape, 0.5)


def origin_of(row: Mapping[Any, Any]) -> str:
    """Return camera, sol and class of a tile in words."""
    told = [f"{row['rover']} {row['camera']}".replace("_", " ")]
    told += [] if pd.isna(row["sol"]) else [f"sol {int(row['sol'])}"]
    told += [] if pd.isna(row["label"]) or not row["label"] else [str(row["label"])]
    return ", ".join(told)


def one_cluster(row: Mapping[Any, Any], tiles: TileStore, tile_clusters: pd.DataFrame) -> Cluster:
    """Return a cluster with those members, each of a frame of its own, that are nearest to its centre."""
    number, name = int(row["cluster"]), str(row["name"])
    members = tile_clusters.reset_index(drop=True)
    members = members[members["cluster"] == number].sort_values("distance", kind="stable")
    rows = members.drop_duplicates("frame_id").index[:_MEMBERS]
    alt = f"{len(rows)} typical tiles of cluster {number}, {name}." if number >= 0 else f"{len(rows)} tiles: {name}."
    picture = sheet([np.asarray(tiles.pixels[each]) for each in rows], _MEMBER_COLUMNS, _MEMBER_PX, alt)
    return Cluster(number, name, int(row["n_tiles"]), float(row["share_frac"]), facts_of(row), picture)


def facts_of(row: Mapping[Any, Any]) -> list[str]:
    """Return what is known of a cluster: its main camera, its sols, its classes."""
    facts = [f"{str(row['top_camera']).replace('_', ' ')} {100 * float(row['top_camera_frac']):.0f} %"]
    if not pd.isna(row["first_sol"]):
        facts.append(f"sols {int(row['first_sol'])} to {int(row['last_sol'])}")
    if isinstance(row.get("top_labels"), str) and row["top_labels"]:
        facts.append(row["top_labels"].replace("%", " %"))
    return facts


def scores_of(scores: pd.DataFrame) -> ScoreTable | None:
    """Return the encoders beside one another, on the scored split where there is one."""
    scopes = list(dict.fromkeys(scores["scope"]))
    scope = next((name for name in scopes if name != "all"), scopes[0] if scopes else "all")
    table = scores[scores["scope"] == scope].rename(columns={"encoder": "method"})
    stable = scores[scores["scope"] == "all"].set_index("encoder").get("seed_stability")
    if stable is not None:  # it is measured on all tiles alone
        table = table.assign(seed_stability=table["method"].map(stable))
    if not len(table):
        return None
    count = int(table["n_tiles"].iloc[0])
    where = "all tiles" if scope == "all" else f"tiles of the {scope} split"
    return score_table(f"The encoder beside simpler ones, on {count:,} {where}.", table, COLUMNS, NAMES)
