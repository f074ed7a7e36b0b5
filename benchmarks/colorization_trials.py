"""Trainings to compare: of a given length, resumable, scored on the same tiles. Used by the other benchmarks of colour.

Everything stands in one folder: `log.txt`, and for each trial its plan, last checkpoint, colorizer and scores. A trial
that was stopped goes on at its last checkpoint; one that is done is not done again. One process at a time.
"""

import argparse
import json
import logging
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch

from benchmarks.trials import FirstBatches, markdown, open_folder, parameters
from rovervision.datasets.encoder_weights import EncoderWeightsDataset
from rovervision.datasets.tile_store import TileStoreDataset
from rovervision.imaging.tiles import TileStore
from rovervision.learning.training import fit, open_fabric
from rovervision.learning.weights import Weights, read_weights, write_weights
from rovervision.pipelines.colorization.config import ColorizationConfig
from rovervision.pipelines.colorization.nodes import (
    finish_colorizer,
    fit_color_priors,
    start_colorizer,
    teach_or_judge,
    training_batches,
)
from rovervision.pipelines.colorization.scoring import score_colorizer, tabulate_scores

JUDGEMENTS: Final = 16
"""A training of given minutes is judged so often."""
logger = logging.getLogger("trials")


@dataclass(frozen=True)
class Trial:
    """A name, what differs from the environment's parameters (dotted names), and how long it trains."""

    name: str
    changes: Mapping[str, Any]
    minutes: float | None = None
    """None: as many epochs as the parameters say."""


@dataclass(frozen=True)
class Bench:
    """What all trials of a run share."""

    folder: Path
    tiles: TileStore
    cross: TileStore | None
    """Tiles of other cameras, to score on and nothing else."""
    env: str
    seed: int
    device: str
    score_tiles: int | None


def arguments(description: str, folder: str) -> argparse.ArgumentParser:
    """Return a parser of the options that all benchmarks of colour share."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("data/msl"), help="data root that holds curated tiles")
    parser.add_argument("--cross", type=Path, help="data root with the tiles of other cameras")
    parser.add_argument("--cross-cameras", default="hazcam,navcam", help="parts of camera names to score there")
    parser.add_argument("--env", default="msl", help="environment whose parameters count")
    parser.add_argument("--out", type=Path, default=Path(folder))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, help="of torch; all cores if left out")
    parser.add_argument("--score-tiles", type=int, help="score at most so many tiles, evenly taken")
    return parser


def open_bench(options: argparse.Namespace) -> Bench:
    """Return the bench, with log and lock in place."""
    open_folder(options.out, options.threads)
    tiles = TileStoreDataset(filepath=str(options.data / "03_primary/tiles")).load()
    cross = None if options.cross is None else cross_tiles(options.cross, options.cross_cameras.split(","), options.env)
    return Bench(options.out, tiles, cross, options.env, options.seed, options.device, options.score_tiles)


def cross_tiles(root: Path, cameras: list[str], env: str) -> TileStore:
    """Return the colour tiles of these cameras, all of them to be scored."""
    tiles = TileStoreDataset(filepath=str(root / "03_primary/tiles")).load()
    chosen = tiles.index["camera"].astype(str).str.contains("|".join(cameras)) & tiles.index["is_color"]
    picked = tiles.select((chosen & ~tiles.index["is_debayered"]).to_numpy())
    return TileStore(picked.pixels, picked.regions, picked.index.assign(split=environment(env).scoring.split))


def environment(env: str, changes: Mapping[str, Any] | None = None) -> ColorizationConfig:
    """Return the environment's section `colorization` with changes, dotted name → value."""
    return ColorizationConfig.model_validate(parameters(env, "colorization", changes))


def run_trial(trial: Trial, bench: Bench) -> dict[str, Any]:
    """Train and score, or tell what an earlier run found. Returns the trial's row."""
    place = bench.folder / f"{trial.name}.json"
    about = {"changes": dict(trial.changes), "minutes": trial.minutes, "seed": bench.seed, "env": bench.env}
    about = json.loads(json.dumps(about))
    known = json.loads(place.read_text()) if place.is_file() else {}
    if known.get("about") == about and "row" in known:
        logger.info("%s: done before", trial.name)
        return dict(known["row"])
    config = environment(bench.env, trial.changes)
    priors = fit_color_priors(bench.tiles, config)
    plan = known.get("plan") if known.get("about") == about else None
    if plan is None:
        (bench.folder / f"{trial.name}_checkpoint.safetensors").unlink(missing_ok=True)
        plan = make_plan(trial, config, priors, bench)
        place.write_text(json.dumps({"about": about, "plan": plan}))
    logger.info("%s: %s", trial.name, plan)
    colorizer = train(trial, planned(config, plan), priors, plan, bench)
    row = {**score(trial, colorizer, priors, config, bench), **plan, **colorizer.header["trial"]}
    place.write_text(json.dumps({"about": about, "plan": plan, "row": row}))
    return row


def make_plan(trial: Trial, config: ColorizationConfig, priors: Any, bench: Bench) -> dict[str, Any]:
    """Return epochs, tiles in an epoch, and how many watched tiles are passed over, for the trial's minutes."""
    if trial.minutes is None:
        return {"epochs": config.followed().training.epochs, "epoch_tiles": None, "watched_step": 1}
    tiles_per_s, watched_per_s, watched = rates(config, priors, bench)
    epoch_s = 60 * trial.minutes / JUDGEMENTS
    step = max(1, math.ceil(watched / watched_per_s / (0.1 * epoch_s)))
    judge_s = watched / step / watched_per_s
    epoch_tiles = max(config.followed().training.batch_size, int((epoch_s - judge_s) * tiles_per_s))
    return {"epochs": JUDGEMENTS, "epoch_tiles": epoch_tiles, "watched_step": step}


def rates(config: ColorizationConfig, priors: Any, bench: Bench, least_s: float = 20.0) -> tuple[float, float, int]:
    """Return trained and watched tiles a second, measured after a warm-up, and the number of watched tiles."""
    config = config.followed()
    model, known = start_colorizer(priors, config, bench.seed)
    batches, watched, _ = training_batches(bench.tiles, priors, config, bench.seed, known, model.stride_px)
    fabric = open_fabric(bench.device, config.training.precision)

    def seconds_of(steps: int) -> float:
        few = FirstBatches(batches, steps)
        once = config.training.model_copy(update={"epochs": 1})
        started = time.monotonic()
        list(fit(model, teach_or_judge, few, FirstBatches(watched, 0), once, fabric, bench.seed))
        return time.monotonic() - started

    training_log = logging.getLogger("rovervision.learning.training")
    training_log.setLevel(logging.WARNING)
    seconds_of(2)
    steps = 2
    while (taken_s := seconds_of(steps)) < least_s and steps < len(batches):
        steps *= 2
    training_log.setLevel(logging.INFO)
    judging = model.to(fabric.device).eval()
    started, seen = time.monotonic(), 0
    with torch.no_grad():
        for batch in FirstBatches(watched, 4).epoch(0, fabric.device):
            judging.error(*batch)
            seen += len(batch[0])
    return steps * config.training.batch_size / taken_s, seen / (time.monotonic() - started), len(watched.rows)


def planned(config: ColorizationConfig, plan: Mapping[str, Any]) -> ColorizationConfig:
    """Return the configuration with the plan's length."""
    config = config.followed()
    length = {"epochs": plan["epochs"], "epoch_tiles": plan["epoch_tiles"]}
    return config.model_copy(update={"recipe": "own", "training": config.training.model_copy(update=length)})


def train(trial: Trial, config: ColorizationConfig, priors: Any, plan: Mapping[str, Any], bench: Bench) -> Weights:
    """Return the trained colorizer; a checkpoint is written after every epoch."""
    place = bench.folder / f"{trial.name}_checkpoint.safetensors"
    model, known = start_colorizer(priors, config, bench.seed)
    batches, watched, about = training_batches(bench.tiles, priors, config, bench.seed, known, model.stride_px)
    watched.rows = watched.rows[:: plan["watched_step"]]
    watched.epoch_tiles = len(watched.rows)
    saved = read_weights(place) if place.is_file() else None
    if saved is None:
        model.take_encoder(EncoderWeightsDataset(filepath=str(bench.folder / "encoders")).load())
    spent_s, started = (saved.header["spent_s"] if saved else 0.0), time.monotonic()
    header = {
        "recipe": "trial", "model": config.model.model_dump(mode="json"), "cameras": known,
        "tile_px": bench.tiles.tile_px, "trained_on": about,
    }  # fmt: skip
    fabric = open_fabric(bench.device, config.training.precision)
    for state, _ in fit(model, teach_or_judge, batches, watched, config.training, fabric, bench.seed, saved):
        spent = {"spent_s": spent_s + time.monotonic() - started}
        checkpoint = Weights(state.tensors, state.header | header | spent)
        write_weights(place, checkpoint)
    wall_s, header = checkpoint.header["spent_s"], checkpoint.header
    seen = header["epoch"] * (plan["epoch_tiles"] or len(batches.rows))
    done = finish_colorizer(checkpoint, config)
    facts = {
        "parameters": sum(p.numel() for p in model.parameters()), "wall_s": wall_s, "tiles_per_s": seen / wall_s,
        "best_epoch": header["best_epoch"], "monitor_loss": header["best_loss"],
    }  # fmt: skip
    colorizer = Weights(done.tensors, done.header | {"trial": facts})
    write_weights(bench.folder / f"{trial.name}.safetensors", colorizer)
    return colorizer


def score(trial: Trial, colorizer: Weights, priors: Any, config: ColorizationConfig, bench: Bench) -> dict[str, Any]:
    """Return figures of the trial on the scored split, and on other cameras with names that begin with `cross_`."""
    scoring = config.scoring.model_copy(update={"tiles_max": bench.score_tiles})
    config = config.model_copy(update={"scoring": scoring})
    row: dict[str, Any] = {}
    for prefix, tiles in (("", bench.tiles), ("cross_", bench.cross)):
        if tiles is None:
            continue
        scores = score_colorizer(tiles, colorizer, priors, config)
        scores.to_parquet(bench.folder / f"{trial.name}_{prefix}scores.parquet")
        table, numbers = tabulate_scores(scores, config, bench.seed)
        table.to_csv(bench.folder / f"{trial.name}_{prefix}table.csv", index=False)
        logger.info("%s %s\n%s", trial.name, prefix, markdown(table.set_index("method")))
        row |= {f"{prefix}{name}": value for name, value in numbers.items()}
        others = table[table["role"] != "model"].set_index("method")["ciede2000_mean"]
        row |= {f"{prefix}mean_of_{name}": float(value) for name, value in others.items()}
    return row
