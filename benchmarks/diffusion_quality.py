"""Generated tiles of this project beside those of the original's recipe: same network, same minutes, same tiles.

    kedro run --env msl --pipelines ingestion,curation --params ingestion.archive=msl-images.zip
    python -m benchmarks.diffusion_quality --data data/msl --minutes 15 --threads 2
    python -m benchmarks.diffusion_quality --speed-only --threads 2

Trains a denoiser for the given minutes after each recipe on the train split without its held-out groups, generates as
many tiles with each, and scores them in the features of one judge that has seen the same training tiles. Then measures
how fast each samples at 64 px. Everything stands in one folder: what was done is not done again, and a training that
was stopped goes on at its last checkpoint. One process at a time; run it on an otherwise idle machine.
"""

import argparse
import json
import logging
import math
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import torch

from benchmarks.trials import FirstBatches, machine, markdown, open_folder, parameters
from rovervision.datasets.tile_store import TileStoreDataset
from rovervision.imaging.tiles import TileStore
from rovervision.learning.denoiser import CHANGES, Conditions, NetworkConfig
from rovervision.learning.denoiser_batches import NoisyBatches
from rovervision.learning.exported_denoiser import DenoiserConfig, build_denoiser, count_parameters
from rovervision.learning.samplers import SamplerConfig, generators, sample
from rovervision.learning.tile_choice import describe_tiles
from rovervision.learning.training import fit, open_fabric, seeded
from rovervision.learning.weights import Weights, read_weights, write_weights
from rovervision.pipelines.diffusion.config import DiffusionConfig
from rovervision.pipelines.diffusion.generating import generate_tiles
from rovervision.pipelines.diffusion.nodes import (
    finish_denoiser,
    loss_of,
    training_batches,
)
from rovervision.pipelines.diffusion.scoring import GENERATED, fit_judge, score_tiles
from rovervision.pipelines.diffusion.selecting import (
    RealTiles,
    chosen_tiles,
    count_pairs,
    find_conditions,
    trained_rows,
)

JUDGEMENTS: Final = 20
"""A training is judged and saved so often."""
RECIPES: Final[dict[str, dict[str, Any]]] = {
    "edm": {},
    "ddpm_1000": {"denoiser.schedule": "ddpm_1000", "sampler.kind": "ddim", "sampler.steps": 100},
}
"""What differs from the environment. The original took 1,000 steps a tile; a thousand tiles allow 100 of DDIM."""
logger = logging.getLogger("diffusion_quality")


class Training:
    """One recipe on one set of tiles."""

    def __init__(self, name: str, tiles: TileStore, options: argparse.Namespace) -> None:
        self.name, self.options = name, options
        generation = {"generation.count": options.count, "generation.batch_size": 50}
        section = parameters(options.env, "diffusion", RECIPES[name] | generation)
        self.config = DiffusionConfig.model_validate(section).followed()
        side_px = self.config.denoiser.tile_px
        self.train, self.held_out = (
            chosen_tiles(tiles, rows, side_px) for rows in trained_rows(tiles.index, self.config)
        )
        together = pd.concat([self.train.index, self.held_out.index], ignore_index=True)
        self.conditions, self.numbers = find_conditions(together, self.config.condition, pd.DataFrame())

    def started(self, config: DiffusionConfig, watched_step: int = 1) -> tuple[Any, NoisyBatches, NoisyBatches]:
        """Return an untrained model with its batches; of the held-out tiles, each `watched_step`-th is watched."""
        with seeded(self.options.seed):
            model = build_denoiser(config.denoiser, self.conditions)
        count, rows = len(self.train.pixels), slice(None, None, watched_step)
        held_out = RealTiles(self.held_out.pixels[rows], self.held_out.index.iloc[rows])
        numbers = np.concatenate([self.numbers[:count], self.numbers[count:][rows]])
        return (model, *training_batches(model, config, self.train, held_out, numbers, self.options.seed))

    def plan(self) -> tuple[DiffusionConfig, int]:
        """Return the configuration with epochs that fill the minutes, and how many held-out tiles are passed over."""
        place = self.options.out / f"{self.name}_plan.json"
        asked = {"minutes": self.options.minutes, "seed": self.options.seed}
        known = json.loads(place.read_text()) if place.is_file() else {}
        if {name: known.get(name) for name in asked} != asked:
            (self.options.out / f"{self.name}_checkpoint.safetensors").unlink(missing_ok=True)
            known = asked | self.lengths()
            place.write_text(json.dumps(known))
        length = {"epochs": JUDGEMENTS, "epoch_tiles": known["epoch_tiles"]}
        training = self.config.training.model_copy(update=length)
        return self.config.model_copy(update={"training": training}), known["watched_step"]

    def lengths(self) -> dict[str, int]:
        """Return how many tiles an epoch of the plan has and how many watched ones are passed over, by timing some."""
        model, batches, watched = self.started(self.config)
        fabric = open_fabric(self.options.device, self.config.training.precision)
        once = self.config.training.model_copy(update={"epochs": 1})
        for steps in (2, 12):
            started = time.monotonic()
            list(
                fit(
                    model,
                    loss_of,
                    FirstBatches(batches, steps),
                    FirstBatches(watched, 0),
                    once,
                    fabric,
                    self.options.seed,
                )
            )
            tiles_per_s = steps * self.config.training.batch_size / (time.monotonic() - started)
        started = time.monotonic()
        with torch.no_grad():
            seen = sum(
                len(batch[0]) for batch in FirstBatches(watched, 3).epoch(0, fabric.device) if [loss_of(model, batch)]
            )
        watched_per_s = seen / (time.monotonic() - started)
        epoch_s = 60 * self.options.minutes / JUDGEMENTS
        step = max(1, math.ceil(len(watched.pixels) / watched_per_s / (0.1 * epoch_s)))
        judge_s = len(watched.pixels) / step / watched_per_s
        logger.info("%s: %.0f tiles a second; every %d. held-out tile is watched", self.name, tiles_per_s, step)
        least = self.config.training.batch_size
        return {"epoch_tiles": max(least, math.floor((epoch_s - judge_s) * tiles_per_s)), "watched_step": step}

    def denoiser(self) -> Weights:
        """Return the trained denoiser; a checkpoint is written after every epoch."""
        place = self.options.out / f"{self.name}_checkpoint.safetensors"
        config, watched_step = self.plan()
        model, batches, watched = self.started(config, watched_step)
        saved = read_weights(place) if place.is_file() else None
        spent_s, started = (saved.header["spent_s"] if saved else 0.0), time.monotonic()
        header = {
            "recipe": self.name, "denoiser": config.denoiser.model_dump(mode="json"),
            "conditions": self.conditions.to_json(), "pairs": count_pairs(self.numbers[: len(self.train.index)]),
            "parameters": count_parameters(model), "trained_on": describe_tiles(self.train.index),
        }  # fmt: skip
        fabric = open_fabric(self.options.device, config.training.precision)
        given = (model, loss_of, batches, watched, config.training, fabric, self.options.seed, saved)
        checkpoint = saved
        for state, _ in fit(*given):
            spent = {"spent_s": spent_s + time.monotonic() - started}
            checkpoint = Weights(state.tensors, state.header | header | spent)
            write_weights(place, checkpoint)
        assert checkpoint is not None
        done = finish_denoiser(checkpoint)
        seen = checkpoint.header["epoch"] * config.training.epoch_tiles
        return Weights(done.tensors, done.header | {"wall_s": checkpoint.header["spent_s"], "tiles_seen": seen})


def run_recipe(name: str, tiles: TileStore, options: argparse.Namespace) -> pd.DataFrame:
    """Train, generate and score, or read what an earlier run found. Returns the recipe's rows of the table."""
    place = options.out / f"{name}_table.csv"
    asked = f"{options.minutes} {options.seed} {options.count}"
    told = options.out / f"{name}_asked.txt"
    if place.is_file() and told.is_file() and told.read_text() == asked:
        logger.info("%s: done before", name)
        return pd.read_csv(place)
    training = Training(name, tiles, options)
    denoiser = training.denoiser()
    write_weights(options.out / f"{name}.safetensors", denoiser)
    generated = TileStoreDataset(filepath=str(options.out / f"{name}_tiles"))
    started = time.monotonic()
    generated.save(generate_tiles(denoiser, training.config, options.seed, options.device))
    generate_s = time.monotonic() - started
    judge_place = options.out / "judge.safetensors"
    if not judge_place.is_file():
        write_weights(judge_place, fit_judge(tiles, training.config, options.seed, options.device))
    table, _, neighbours = score_tiles(
        tiles, generated.load(), read_weights(judge_place), training.config, options.seed
    )
    neighbours.to_parquet(options.out / f"{name}_neighbours.parquet")
    about = {
        "recipe": name, "parameters": denoiser.header["parameters"], "wall_s": denoiser.header["wall_s"],
        "tiles_seen": denoiser.header["tiles_seen"], "best_epoch": denoiser.header["best_epoch"],
        "evaluations": training.config.sampler.evaluations, "generate_s": generate_s,
    }  # fmt: skip
    rows = table.assign(**about)
    rows.to_csv(place, index=False)
    told.write_text(asked)
    return rows


def measure_speed(options: argparse.Namespace, side_px: int = 64, images: int = 4) -> pd.DataFrame:
    """Return images a second at this side, of a network of 3.7 million parameters, in one go."""
    network = NetworkConfig(widths=(32, 64, 96, 128), blocks=2, attention_px=(8,))
    rows = []
    for name, sampler in (
        ("this project, heun", SamplerConfig()),
        ("this project, dpmsolver++ of 10 steps", SamplerConfig(kind="dpmsolver++", steps=10)),
        ("original, 1,000 steps", SamplerConfig(kind="ddpm", steps=1000)),
    ):
        schedule = "ddpm_1000" if sampler.kind == "ddpm" else "edm"
        with seeded(0):
            model = build_denoiser(
                DenoiserConfig(schedule=schedule, tile_px=side_px, network=network), Conditions()
            ).eval()
        place = open_fabric(options.device, "32-true").device
        model, condition = model.to(place), torch.zeros(images, 2 + CHANGES, device=place)
        sample(model, condition, generators(0, range(images)), sampler.model_copy(update={"steps": 2}))
        started = time.monotonic()
        sample(model, condition, generators(0, range(images)), sampler)
        taken_s = time.monotonic() - started
        rows.append(
            {
                "sampler": name, "evaluations": sampler.evaluations, "s_per_image": taken_s / images,
                "images_per_s": images / taken_s, "parameters": count_parameters(model),
            }
        )  # fmt: skip
        logger.info("%s: %.3f s an image", name, taken_s / images)
    return pd.DataFrame(rows)


def main() -> None:
    """Train, generate, score, and print tables for docs/benchmarks.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipes", nargs="*", default=list(RECIPES), help=f"of {', '.join(RECIPES)}")
    parser.add_argument("--data", type=Path, default=Path("data/msl"), help="data root that holds curated tiles")
    parser.add_argument("--env", default="msl", help="environment whose parameters count")
    parser.add_argument("--out", type=Path, default=Path("data/benchmarks/diffusion_quality"))
    parser.add_argument("--minutes", type=float, default=15.0, help="of each training")
    parser.add_argument("--count", type=int, default=1000, help="generated tiles of each recipe")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, help="of torch; all cores if left out")
    parser.add_argument("--speed-only", action="store_true")
    options = parser.parse_args()
    open_folder(options.out, options.threads)
    if not options.speed_only:
        tiles = TileStoreDataset(filepath=str(options.data / "03_primary/tiles")).load()
        report(pd.concat([run_recipe(name, tiles, options) for name in options.recipes], ignore_index=True))
    speed = measure_speed(options)
    speed["times_faster"] = speed["images_per_s"] / speed["images_per_s"].iloc[-1]
    print(f"\n{machine()}\n\n{markdown(speed.set_index('sampler'))}")


def report(rows: pd.DataFrame) -> None:
    """Print the table, generated tiles of each recipe first, then what they are compared with."""
    own = rows[rows["method"] == GENERATED].assign(method=lambda part: part["recipe"])
    others = rows[rows["method"] != GENERATED].drop_duplicates(["reference", "method"])
    table = pd.concat([own, others], ignore_index=True).sort_values("reference", kind="stable")
    scores = [
        "reference", "method", "tiles", "frechet", "frechet_ratio", "kernel", "precision", "recall", "density",
        "coverage", "spectrum", "mean_color", "memorised_share", "memorised_share_pixels",
    ]  # fmt: skip
    print(f"\n{machine()}\n\n{markdown(table[scores].set_index('reference'))}\n")
    trained = own.drop_duplicates("recipe")
    columns = ["recipe", "parameters", "wall_s", "tiles_seen", "best_epoch", "evaluations", "generate_s"]
    print(markdown(trained[columns].set_index("recipe")))
    first = own[own["reference"] == own["reference"].iloc[0]].set_index("recipe")["frechet"]
    if {"edm", "ddpm_1000"} <= set(first.index):
        print(f"\nFréchet distance, edm over ddpm_1000: {first['edm'] / first['ddpm_1000']:.3f}")


if __name__ == "__main__":
    main()
