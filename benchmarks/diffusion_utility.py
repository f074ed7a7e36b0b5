"""Do generated tiles help? The colorizer and a linear probe, trained with and without them, on sols held out from both.

    kedro run --env msl --pipelines ingestion,curation,diffusion --params ingestion.archive=msl-images.zip
    python -m benchmarks.diffusion_utility --data data/msl --minutes 10 --count 1000 --threads 2

The denoiser must not know the scored tiles: the groups that it held out are the ones that are scored here, and neither
the colorizer nor the probe has seen them. Real tiles are brought to the side of the generated ones. Every seed draws
other generated tiles and trains anew; all trainings have the same steps. Printed is what the generated tiles changed,
better or not. Everything stands in one folder: what was done is not done again. One process at a time.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from benchmarks.colorization_trials import (
    Bench,
    Trial,
    arguments,
    environment,
    logger,
    make_plan,
    open_bench,
    run_trial,
)
from benchmarks.trials import machine, markdown, parameters
from rovervision.datasets.tile_store import TileStoreDataset
from rovervision.imaging.tiles import TileStore
from rovervision.learning.code_scores import probe
from rovervision.learning.denoiser_batches import shrunk
from rovervision.learning.judge import open_judge
from rovervision.learning.tile_choice import split_monitor
from rovervision.learning.weights import Weights, read_weights
from rovervision.pipelines.colorization.nodes import fit_color_priors
from rovervision.pipelines.diffusion.config import DiffusionConfig
from rovervision.pipelines.diffusion.generating import generate_tiles
from rovervision.pipelines.diffusion.scoring import fit_judge
from rovervision.pipelines.diffusion.selecting import trained_rows

SCORED: Final = "val"
"""The split under which held-out tiles go here: the one that the environment msl scores."""


def diffusion_section(env: str, denoiser: Weights, count: int) -> DiffusionConfig:
    """Return the environment's section `diffusion` for this denoiser and so many generated tiles."""
    section = parameters(env, "diffusion", {"generation.count": count})
    return DiffusionConfig.model_validate(section | {"denoiser": denoiser.header["denoiser"]})


def real_tiles(tiles: TileStore, config: DiffusionConfig) -> TileStore:
    """Return the tiles that the denoiser learnt from as train, and those that it held out as the scored split."""
    train, held_out = trained_rows(tiles.index, config)
    index = tiles.index.iloc[np.r_[train, held_out]].reset_index(drop=True)
    index["split"] = np.repeat(["train", SCORED], [len(train), len(held_out)])
    side_px = config.denoiser.tile_px
    pixels = np.concatenate([shrunk(np.asarray(tiles.pixels[rows]), side_px) for rows in (train, held_out)])
    return TileStore(pixels, np.zeros(pixels.shape[:3], np.uint8), index)


def joined(real: TileStore, generated: TileStore) -> TileStore:
    """Return both. A generated tile counts as much as the mean real one does, and is trained on, never watched."""
    weights = real.index.loc[real.index["split"] == "train", ["weight", "sampling_weight"]].mean()
    trained_on = real.index["group"].iloc[split_monitor(real.index, 0.1)[0][0]]
    made = generated.index.assign(
        weight=weights["weight"], sampling_weight=weights["sampling_weight"], group=trained_on
    )
    columns = [name for name in real.index if name in made]
    index = pd.concat([real.index[columns], made[columns].astype(object)], ignore_index=True)
    index = index.astype({"is_color": bool, "is_debayered": bool, "weight": float, "sampling_weight": float})
    return TileStore(
        np.concatenate([real.pixels, np.asarray(generated.pixels)]),
        np.concatenate([real.regions, np.asarray(generated.regions)]),
        index,
    )


def generated_tiles(denoiser: Weights, config: DiffusionConfig, bench: Bench) -> TileStore:
    """Return generated tiles of the bench's seed, made once."""
    store = TileStoreDataset(filepath=str(bench.folder / f"tiles_{bench.seed}"))
    if not store.exists() or len(store.load()) != config.generation.count:
        store.save(generate_tiles(denoiser, config, bench.seed, bench.device))
    return store.load()


def probe_row(tiles: TileStore, judge: Weights) -> dict[str, float]:
    """Return how well a linear classifier of the judge's codes tells the archive's classes of the scored split."""
    known = tiles.index["label"].notna().to_numpy()
    places = open_judge(judge).places(tiles.pixels[known])
    found = probe(places, tiles.index["label"][known], tiles.index["split"][known])
    return {name: float(value) for name, value in found.items()}


def shared_plan(bench: Bench, real: TileStore, minutes: float) -> dict[str, Any]:
    """Return the length of every training, measured once: arms differ in their tiles, and in no step."""
    place = bench.folder / f"plan_{minutes:g}.json"
    if not place.is_file():
        config = environment(bench.env)
        trial, given = Trial("plan", {}, minutes), replace(bench, tiles=real)
        place.write_text(json.dumps(make_plan(trial, config, fit_color_priors(real, config), given)))
    return dict(json.loads(place.read_text()))


def run_arm(
    name: str, tiles: TileStore, judge: Weights, plan: dict[str, Any], options: argparse.Namespace, bench: Bench
) -> dict[str, Any]:
    """Return the row of one arm and seed: a colorizer's scores and a probe's."""
    trial = Trial(f"{name}_{bench.seed}", {}, options.minutes)
    place = bench.folder / f"{trial.name}.json"
    if not place.is_file():
        about = {"changes": {}, "minutes": trial.minutes, "seed": bench.seed, "env": bench.env}
        place.write_text(json.dumps({"about": about, "plan": plan}))
    row = run_trial(trial, replace(bench, tiles=tiles))
    kept = {key: row[key] for key in ("ciede2000_mean", "ciede2000_median", "ciede2000_low_chroma") if key in row}
    return (
        {"arm": name, "seed": bench.seed, "tiles": int((tiles.index["split"] == "train").sum())}
        | kept
        | (probe_row(tiles, judge))
    )


def changes(rows: pd.DataFrame) -> pd.DataFrame:
    """Return for each score its mean in both arms, and mean and standard deviation of the change over seeds."""
    arms = {arm: part.set_index("seed").sort_index() for arm, part in rows.groupby("arm")}
    real, more = arms["real"], arms["with_generated"]
    found = []
    for name in real.columns.drop(["arm", "tiles", "probe_train_accuracy"], errors="ignore"):
        change = (more[name] - real[name]).dropna()
        better = change.mean() < 0 if name.startswith("ciede2000") else change.mean() > 0
        found.append(
            {
                "score": name, "real": real[name].mean(), "with generated": more[name].mean(),
                "change": change.mean(), "standard deviation": change.std() if len(change) > 1 else float("nan"),
                "better": "yes" if better else "no",
            }
        )  # fmt: skip
    return pd.DataFrame(found)


def main() -> None:
    """Run all arms and seeds, and print tables for docs/benchmarks.md."""
    parser = arguments(__doc__ or "", "data/benchmarks/diffusion_utility")
    parser.add_argument("--denoiser", type=Path, help="weights; data root's denoiser if left out")
    parser.add_argument("--minutes", type=float, default=10.0, help="of each training of a colorizer")
    parser.add_argument("--count", type=int, default=1000, help="generated tiles that are added")
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    first = open_bench(options)
    denoiser = read_weights(options.denoiser or options.data / "06_models/denoiser.safetensors")
    config = diffusion_section(options.env, denoiser, options.count)
    real = real_tiles(first.tiles, config)
    judge = fit_judge(first.tiles, config, options.seed, options.device)
    plan, rows = shared_plan(first, real, options.minutes), list[dict[str, Any]]()
    for seed in range(options.seed, options.seed + options.seeds):
        bench = replace(first, seed=seed)
        with_generated = joined(real, generated_tiles(denoiser, config, bench))
        for name, tiles in (("real", real), ("with_generated", with_generated)):
            rows.append(run_arm(name, tiles, judge, plan, options, bench))
            logger.info("%s", json.dumps(rows[-1]))
            pd.DataFrame(rows).to_csv(first.folder / "rows.csv", index=False)
    table = pd.DataFrame(rows)
    print(f"\n{machine()}, {options.minutes:g} minutes a colorizer, {options.count} generated tiles\n")
    print(f"{markdown(table.set_index('arm'))}\n\n{markdown(changes(table).set_index('score'))}")


if __name__ == "__main__":
    main()
