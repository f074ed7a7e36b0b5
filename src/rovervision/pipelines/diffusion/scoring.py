"""Scores of generated tiles, beside real ones and a simple generator, all of the same count."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rovervision.errors import RovervisionError
from rovervision.imaging.tiles import TileStore
from rovervision.learning import generated_scores
from rovervision.learning.judge import Judge, open_judge, train_judge
from rovervision.learning.similarity import nearest
from rovervision.learning.weights import Weights
from rovervision.pipelines.diffusion.config import DiffusionConfig
from rovervision.pipelines.diffusion.selecting import RealTiles, chosen_tiles, reference_rows, trained_rows

Pixels = NDArray[np.uint8]

GENERATED, REAL, GAUSSIAN = "generated", "training tiles", "Gaussian of pixels"
"""Names of what is scored: the model's tiles; as many of the real ones that it learnt from, which is the floor; and
samples of a Gaussian fitted to their pixels, which any model should beat."""

_GAUSSIAN_DIM = 192
"""Main axes of the Gaussian."""


@dataclass(frozen=True)
class Look:
    """Tiles as pixels, and as the judge sees them."""

    pixels: Pixels
    places: NDArray[np.float32]
    groups: NDArray[np.str_] | None = None
    """Of real ones, the group that each belongs to: none of its own group can be what it was copied from."""


def fit_judge(tiles: TileStore, config: DiffusionConfig, seed: int, device: str) -> Weights:
    """Return the judge, learnt from the tiles that the denoiser is trained on and no other."""
    train = chosen_tiles(tiles, trained_rows(tiles.index, config)[0], config.denoiser.tile_px)
    return train_judge(train.pixels, train.index, config.scoring.judge, seed, device)


def score_tiles(
    tiles: TileStore, tiles_generated: TileStore, judge: Weights, config: DiffusionConfig, seed: int
) -> tuple[pd.DataFrame, dict[str, float], pd.DataFrame]:
    """Return the score table, the generated tiles' row as numbers for MLflow, and who is nearest to whom.

    Table: one row for each reference and method. Neighbours: a row for each generated tile and each of the first
    reference, with its nearest training tile and the distances in places and in pixels (root mean square, 0..255).
    """
    opened, side_px = open_judge(judge), config.denoiser.tile_px
    check_generated(tiles_generated, config)
    generated = looked_at(np.array(tiles_generated.pixels), opened)  # torch warns of arrays that cannot be written
    unseen_rows = reference_rows(tiles.index, config.scoring.reference, config)
    train = chosen_tiles(tiles, trained_rows(tiles.index, config)[0], side_px)
    learnt = replace(looked_at(train.pixels, opened), groups=train.index["group"].to_numpy(str))
    watched = looked_at(chosen_tiles(tiles, unseen_rows, side_px).pixels, opened)
    methods = {GENERATED: generated} | rivals(learnt, len(generated.pixels), opened, seed)
    memory = {name: memorised(look, learnt, watched, config) for name, look in methods.items()}
    rows = []
    for name in dict.fromkeys([config.scoring.reference, config.scoring.also]):
        if name is not None:
            real = looked_at(chosen_tiles(tiles, reference_rows(tiles.index, name, config), side_px).pixels, opened)
            rows += [about(name, method, look, real, config) | memory[method] for method, look in methods.items()]
    table = with_ratios(pd.DataFrame(rows))
    return table, numbers_of(table, config.scoring.reference), neighbours(generated, watched, train, learnt)


def check_generated(tiles_generated: TileStore, config: DiffusionConfig) -> None:
    """Raise RovervisionError where the generated tiles are not those of this configuration."""
    least = config.scoring.neighbours + 1
    if tiles_generated.tile_px != config.denoiser.tile_px or len(tiles_generated) < least:
        raise RovervisionError(
            f"There are {len(tiles_generated)} generated tiles of {tiles_generated.tile_px} px, and at least {least} "
            f"of {config.denoiser.tile_px} px are needed. Set diffusion.generation.count, and generate again."
        )


def looked_at(pixels: Pixels, judge: Judge) -> Look:
    """Return tiles with their places."""
    return Look(pixels, judge.places(pixels))


def rivals(learnt: Look, count: int, judge: Judge, seed: int) -> dict[str, Look]:
    """Return what the generated tiles are scored beside: real ones and a Gaussian's, as many as there are."""
    assert learnt.groups is not None
    rng = np.random.default_rng([seed, count])
    drawn = np.sort(rng.choice(len(learnt.pixels), min(count, len(learnt.pixels)), replace=False))
    return {
        REAL: Look(learnt.pixels[drawn], learnt.places[drawn], learnt.groups[drawn]),
        GAUSSIAN: looked_at(gaussian_tiles(learnt.pixels, count, rng), judge),
    }


def gaussian_tiles(pixels: Pixels, count: int, rng: np.random.Generator) -> Pixels:
    """Return samples of the Gaussian with the mean and the main axes of these tiles. (count, P, P, 3) uint8."""
    flat = pixels.reshape(len(pixels), -1).astype(np.float32)
    mean = flat.mean(axis=0)
    _, spreads, axes = np.linalg.svd((flat - mean)[:: max(1, len(flat) // 1000)], full_matrices=False)
    dim = min(_GAUSSIAN_DIM, len(spreads))
    rows = len(flat[:: max(1, len(flat) // 1000)])
    drawn = rng.standard_normal((count, dim)) * spreads[:dim] / np.sqrt(max(rows - 1, 1)) @ axes[:dim] + mean
    return np.clip(np.rint(drawn), 0, 255).astype(np.uint8).reshape(count, *pixels.shape[1:])


def about(reference: str, method: str, look: Look, real: Look, config: DiffusionConfig) -> dict[str, object]:
    """Return one row of the table, but for memory and ratios."""
    return {
        "reference": reference,
        "method": method,
        "tiles": len(look.pixels),
        "reference_tiles": len(real.pixels),
        "frechet": generated_scores.frechet_distance(real.places, look.places),
        "kernel": generated_scores.kernel_distance(real.places, look.places),
        **generated_scores.neighbourhoods(real.places, look.places, config.scoring.neighbours),
        "spectrum": generated_scores.spectrum_distance(real.pixels, look.pixels),
        "mean_color": generated_scores.mean_color_distance(real.pixels, look.pixels),
    }


def memorised(look: Look, learnt: Look, watched: Look, config: DiffusionConfig) -> dict[str, float]:
    """Return the shares of tiles that are nearer to a training tile than held-out ones are, by places and by pixels.

    Of training tiles themselves, those of their own group do not count: so their share tells how often a tile that is
    no copy is taken for one.
    """

    def share(few: NDArray[np.float32], many: NDArray[np.float32], real: NDArray[np.float32]) -> float:
        far, real_far = distances(few, look.groups, many, learnt.groups), distances(real, None, many, None)
        return generated_scores.memorised_share(far, real_far, config.scoring.memory_quantile)

    return {
        "memorised_share": share(look.places, learnt.places, watched.places),
        "memorised_share_pixels": share(flat(look.pixels), flat(learnt.pixels), flat(watched.pixels)),
    }


def distances(
    few: NDArray[np.float32],
    groups: NDArray[np.str_] | None,
    many: NDArray[np.float32],
    groups_of_many: NDArray[np.str_] | None,
) -> NDArray[np.float32]:
    """Return how far each of the few is from the nearest of the many, or of those of another group. (len(few),)."""
    if groups is None or groups_of_many is None:
        return nearest(many, few, 1)[1][:, 0]
    far = np.full(len(few), np.inf, np.float32)
    for group in np.unique(groups):
        own, others = groups == group, groups_of_many != group
        if others.any():
            far[own] = nearest(many[others], few[own], 1)[1][:, 0]
    return far


def flat(pixels: Pixels) -> NDArray[np.float32]:
    """Return tiles as rows whose Euclidean distance is the root mean square difference of pixels, in 0..255."""
    return pixels.reshape(len(pixels), -1).astype(np.float32) / np.float32(np.sqrt(pixels[0].size))


def with_ratios(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with `frechet_ratio`: the Fréchet distance over that of real tiles, of the same reference."""
    floors = table[table["method"] == REAL].set_index("reference")["frechet"]
    ratios = table["frechet"].to_numpy() / np.maximum(table["reference"].map(floors).to_numpy(), 1e-9)
    return table.assign(frechet_ratio=ratios)


def numbers_of(table: pd.DataFrame, reference: str) -> dict[str, float]:
    """Return the generated tiles' scores, and the floor of the Fréchet distance."""
    rows = table[table["reference"] == reference].set_index("method")
    own = rows.loc[GENERATED].drop("reference")
    return {str(name): float(value) for name, value in own.items()} | {
        "frechet_floor": float(rows.loc[REAL, "frechet"]),
        "frechet_gaussian": float(rows.loc[GAUSSIAN, "frechet"]),
    }


def neighbours(generated: Look, watched: Look, train: RealTiles, learnt: Look) -> pd.DataFrame:
    """Return for each generated tile and each of the reference its nearest training tile, by places."""
    parts = []
    for part, look in ((GENERATED, generated), ("held out", watched)):
        rows, far = (each[:, 0] for each in nearest(learnt.places, look.places, 1))
        apart = np.linalg.norm(flat(look.pixels) - flat(learnt.pixels[rows]), axis=1)
        parts.append(
            pd.DataFrame(
                {
                    "part": part, "row": np.arange(len(rows)), "distance": far, "pixel_distance": apart,
                    "training_tile": train.index["tile_id"].to_numpy()[rows],
                }
            )
        )  # fmt: skip
    return pd.concat(parts, ignore_index=True)
