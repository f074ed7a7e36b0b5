"""A small archive with everything that a page can show, made of noise."""

from typing import Any

import numpy as np
import pandas as pd

from rovervision.gallery.clusters import clusters_room
from rovervision.gallery.colors import Colors, Comparison, compare
from rovervision.gallery.colors import scores_of as color_scores
from rovervision.gallery.facts import Difference, Hash, RunFacts
from rovervision.gallery.generated import generated_room
from rovervision.gallery.kept import frieze, kept_room
from rovervision.gallery.page import Link
from rovervision.gallery.pictures import Picture, gray_of
from rovervision.gallery.rooms import Missing, Room, Rooms
from rovervision.imaging.color import rgb_to_lab
from rovervision.imaging.quality import THUMBNAIL_PX
from rovervision.imaging.tiles import ExaminedShard, TileStore

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(1)>"
"""A name as an archive should never have, and may."""
RNG_SEED = 4


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(RNG_SEED).integers(0, 256, shape, dtype=np.uint8)


def tile_store(count: int = 40, side_px: int = 16) -> TileStore:
    index = pd.DataFrame(
        {
            "tile_id": [f"tile_{row}" for row in range(count)],
            "frame_id": [f"frame_{row}" for row in range(count)],
            "rover": "curiosity", "camera": "mastcam_left", "sol": np.arange(count), "taken_utc": None, "sclk_s": 0.0,
            "label": "ground", "split": np.where(np.arange(count) % 4, "train", "test"), "group": "one", "left_px": 0,
            "top_px": 0, "side_px": side_px, "is_color": True, "is_debayered": False, "weight": 1.0,
        }
    )  # fmt: skip
    return TileStore(noise(count, side_px, side_px, 3), np.zeros((count, side_px, side_px), np.uint8), index)


def frames(count: int = 12) -> pd.DataFrame:
    """Frames of which the first four are rejected: two by a measure, one by a sentence, one without a picture."""
    found = [["blurred: laplacian_variance 3.5 is below 22"], ["blurred: laplacian_variance 11 is below 22"]]
    found += [[f"sample_type: the archive calls it {HOSTILE}"], ["undecodable: the file breaks off"]]
    found += [[] for _ in range(count - len(found))]
    return pd.DataFrame(
        {
            "frame_id": [f"frame_{row}" for row in range(count)],
            "rover": "curiosity", "camera": "mastcam_left", "sol": np.arange(count),
            "kept": [not each for each in found],
            "reasons": [[each.partition(":")[0] for each in listed] for listed in found],
            "findings": found, "split": "train",
            "thumbnail": [None if row == 3 else bytes(THUMBNAIL_PX**2) for row in range(count)],
        }
    )  # fmt: skip


def shards() -> dict[str, ExaminedShard]:
    candidates = pd.DataFrame({"frame_id": ["frame_0", "frame_1"], "left_px": 0, "top_px": 0, "side_px": 16})
    return {"0": ExaminedShard(frames()[["frame_id"]], candidates, noise(2, 16, 16, 3), noise(2, 16, 16))}


def ingestion_summary() -> dict[str, Any]:
    return {
        "n_selected": 12, "n_fetched": 11, "n_bytes": 12345, "sol_min": 1, "sol_max": 12,
        "queries": {"one": {"listed": 13}}, "cameras": {"curiosity/mastcam_left": 12},
        "credits": {f"NASA/JPL-Caltech/{HOSTILE}": 12},
    }  # fmt: skip


def curation_summary() -> dict[str, Any]:
    return {"frames_kept": 8, "tiles": 40, "frames_by_split": {"train": 6, "test": 2}, "leaks_found": 0}


def tile_clusters(tiles: TileStore) -> pd.DataFrame:
    about = tiles.index[["tile_id", "frame_id", "rover", "camera", "sol", "label", "split"]]
    return about.assign(cluster=np.arange(len(tiles)) % 3 - 1, distance=np.linspace(0, 1, len(tiles)), confidence=0.5)


def cluster_table() -> pd.DataFrame:
    names = {-1: "like no other", 0: HOSTILE, 1: "dark ground"}
    return pd.DataFrame(
        [
            {
                "cluster": cluster, "name": name, "n_tiles": 13, "share_frac": 0.33, "top_camera": "mastcam_left",
                "top_camera_frac": 1.0, "first_sol": 1.0, "last_sol": 9.0, "top_labels": "ground 90%",
            }
            for cluster, name in names.items()
        ]
    )  # fmt: skip


def tile_map(tiles: TileStore) -> pd.DataFrame:
    places = np.random.default_rng(RNG_SEED).normal(size=(len(tiles), 2))
    return pd.DataFrame(places, columns=["x", "y"])


def cluster_scores() -> pd.DataFrame:
    rows = [("pixels", "baseline", 0.4), ("contrastive", "model", 0.6)]
    return pd.DataFrame(
        [
            {"encoder": name, "role": role, "scope": scope, "n_tiles": 10, "nmi": nmi, "seed_stability": stable}
            for name, role, nmi in rows
            for scope, stable in (("all", nmi), ("test", np.nan))
        ]
    )


def color_score_table() -> pd.DataFrame:
    rows = [("gray", "baseline", 12.0), ("lightness_table", "baseline", 5.0), ("residual", "model", 4.0)]
    rows.append(("oracle_own_table", "oracle", 2.0))
    return pd.DataFrame(
        [
            {
                "method": name, "role": role, "frames": 9, "ciede2000_mean": mean, "ciede2000_low": mean - 1,
                "ciede2000_high": mean + 1, "ciede2000_median": mean, "ciede2000_p90": mean, "ratio_to_table": mean / 5,
                "chroma_ratio": 1.1,
            }
            for name, role, mean in rows
        ]
    )  # fmt: skip


def comparison(title: str = "The median frame") -> Comparison:
    image = noise(48, 64, 3)
    return compare(title, "Curiosity, Mastcam left, sol 3", image, gray_of(rgb_to_lab(image)), np.full((48, 64), 3.0))


def colors_room() -> Colors:
    one = comparison()
    unseen = Comparison("Curiosity, Navcam, sol 4", "", one.gray, one.predicted)
    return Colors("residual", [one, comparison("The worst frame")], [unseen], None, color_scores(color_score_table()))


def neighbours() -> pd.DataFrame:
    rows = [("generated", row, 0.1 + row, f"tile_{row}") for row in range(8)]
    rows += [("held out", row, 2.0, "tile_0") for row in range(4)]
    return pd.DataFrame(rows, columns=["part", "row", "distance", "training_tile"])


def diffusion_table() -> pd.DataFrame:
    rows = [("generated", 20.0), ("training tiles", 10.0), ("Gaussian of pixels", 40.0)]
    return pd.DataFrame(
        [
            {"reference": "test", "method": name, "tiles": 8, "reference_tiles": 10, "frechet": far, "recall": 1 / far}
            for name, far in rows
        ]
    )


def all_rooms() -> Rooms:
    tiles = tile_store()
    contents = {
        "kept": kept_room(ingestion_summary(), curation_summary(), frames(), shards()),
        "clusters": clusters_room(tiles, tile_map(tiles), tile_clusters(tiles), cluster_table(), cluster_scores()),
        "colors": colors_room(),
        "generated": generated_room(tiles, tile_store(8), neighbours(), diffusion_table()),
    }
    rooms = {key: Room(key, content, key == "kept", key == "colors") for key, content in contents.items()}
    missing = [Missing("A room", "kedro run --pipelines diffusion")]
    return Rooms(rooms, missing, frieze(tiles), ingestion_summary()["credits"])


def run_facts() -> RunFacts:
    return RunFacts(
        "whole project", f"kedro run --params a='{HOSTILE}'", "msl", "2026-11-20 18:42", "2 min 3 s", "0.1.0",
        commit="abc123", is_changed=True, software={"Python": "3.11"}, differences=[Difference("seed", "0", "1")],
        parameters={"seed": "1"}, hashes=[Hash("tiles", "every pixel", "0123")], tracking="mlflow ui",
    )  # fmt: skip


def places() -> dict[str, list[Link]]:
    link = Link("cluster_map.html", "cluster map")
    return {"map": [link], "film": [], "figures": [link], "tables": [], "earlier": []}


def large_picture(side_px: int) -> Picture:
    return Picture(noise(side_px, side_px, 3), "Noise, which cannot be packed well.")
