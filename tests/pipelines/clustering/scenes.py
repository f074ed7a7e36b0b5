"""Tiles of two kinds of scene, each seen over several sols by two eyes and shortly after one another."""

import numpy as np
import pandas as pd

from rovervision.imaging.tiles import TileStore


def scene_tiles(sols: int = 8, shots: int = 4, tile_px: int = 32) -> TileStore:
    """Return stripes and spots: on each sol one run of shots of each, both eyes within a second, in the sol's tint."""
    rng = np.random.default_rng(0)
    rows, pixels = [], []
    for sol in range(sols):
        tint = rng.uniform(0.6, 1.0, 3)
        for kind in ("stripes", "spots"):
            for shot in range(shots):
                for eye, camera in enumerate(("mastcam_left", "mastcam_right")):
                    start_s = 100_000.0 * sol + 5_000.0 * (kind == "spots")
                    pixels.append(draw(kind, tile_px, rng, tint))
                    rows.append((f"{sol}-{kind}-{shot}-{eye}", camera, sol, start_s + 20 * shot + 0.5 * eye, kind))
    index = pd.DataFrame(rows, columns=["frame_id", "camera", "sol", "sclk_s", "label"])
    index = index.assign(
        tile_id=index["frame_id"] + "-0", rover="curiosity", taken_utc=None, left_px=0, top_px=0, side_px=tile_px,
        split=np.array(["train", "train", "val", "test"])[index["sol"] % 4], group=[f"g{sol}" for sol in index["sol"]],
        is_color=True, is_debayered=False, weight=1.0,
    )  # fmt: skip
    store = np.stack(pixels)
    return TileStore(store, np.zeros(store.shape[:3], np.uint8), index)


def draw(kind: str, side_px: int, rng: np.random.Generator, tint: np.ndarray) -> np.ndarray:
    """Return one scene, (P, P, 3) uint8."""
    down, across = np.mgrid[:side_px, :side_px] + rng.uniform(0, 8, (2, 1, 1))
    gray = np.sin(0.9 * down) if kind == "stripes" else np.sin(0.6 * down) * np.sin(0.6 * across)
    gray = 0.5 + 0.3 * gray + 0.05 * rng.standard_normal((side_px, side_px))
    return (255 * np.clip(gray[..., None] * tint, 0, 1)).astype(np.uint8)
