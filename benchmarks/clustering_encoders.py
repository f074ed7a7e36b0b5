"""Every kind of encoder, trained for the same time on the same tiles, scored alike: mean and spread over seeds.

    python -m benchmarks.clustering_encoders --minutes 20 --seeds 0 1 2
    python -m benchmarks.clustering_encoders --minutes 2 --seeds 0 contrastive autoencoder --threads 1

Makes no tiles: `kedro run --env msl --pipelines ingestion,curation` does. Labels are for scores only: nothing is
trained on or chosen by them. Autoencoders follow their description (Adam at one rate, squared error); rows
`*_relevant` are the same codes measured by how companions differ. Everything stands in one folder; a training that was
stopped goes on at its last checkpoint, and one that is done is not done again.
"""

import argparse
import json
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import yaml

from benchmarks.trials import machine, markdown, open_folder, parameters
from rovervision.datasets.encoder_weights import EncoderWeightsDataset
from rovervision.datasets.tile_store import TileStoreDataset
from rovervision.imaging.tiles import TileStore
from rovervision.learning.clusters import fit_clusters
from rovervision.learning.encoders import EncoderConfig, OpenEncoder, build_network, has_network, is_trained
from rovervision.learning.training import fit, open_fabric
from rovervision.learning.weights import Weights, read_weights, write_weights
from rovervision.pipelines.clustering.config import ClusteringConfig
from rovervision.pipelines.clustering.labels import known_labels
from rovervision.pipelines.clustering.scoring import Contender, main_axes, score_contender
from rovervision.pipelines.clustering.training import (
    chosen_rows,
    finish_encoder,
    input_side_px,
    learn_metric,
    loss_of,
    start_network,
    train_encoder,
    training_batches,
)

AUTOENCODER: Final = {
    "training": {"batch_size": 32, "learning_rate": 5e-3, "weight_decay": 0.0, "schedule": "constant"},
    "augmentation": {"area_min": 0.5},
}
"""The original crops, mirrors and nothing else; of its batches of 8, four are taken together."""
DEEP: Final = {**AUTOENCODER, "training": {"batch_size": 32, "learning_rate": 1e-3, "weight_decay": 0.0}}
RECIPES: Final[dict[str, dict[str, Any]]] = {
    "autoencoder": AUTOENCODER, "unpooling_autoencoder": AUTOENCODER, "variational_autoencoder": DEEP,
    "vgg_autoencoder": DEEP,
}  # fmt: skip
KINDS: Final = ["pixels", "handcrafted", "random", "autoencoder", "unpooling_autoencoder", "variational_autoencoder",
                "contrastive"]  # fmt: skip
SHOWN: Final = ["nmi_at_24", "purity_at_30", "neighbour_error", "probe_accuracy", "probe_macro_f1", "camera_nmi",
                "sol_nmi", "seed_stability"]  # fmt: skip
JUDGEMENTS: Final = 12
logger = logging.getLogger("encoders")


@dataclass(frozen=True)
class Bench:
    """What all trainings of a run share."""

    folder: Path
    tiles: TileStore
    env: str
    device: str
    minutes: float
    changes: Mapping[str, Any]
    """Parameter of the section `clustering`, dotted → value in the place of the environment's."""


def main() -> int:
    """Train and score the kinds with each seed, and print the table after each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kinds", nargs="*", default=KINDS, metavar="KIND")
    parser.add_argument("--minutes", type=float, required=True, help="wall time of each training")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--threads", type=int, help="of torch; all cores if left out")
    parser.add_argument("--data", type=Path, default=Path("data/msl"), help="data root that holds curated tiles")
    parser.add_argument("--set", nargs="+", default=[], metavar="NAME=VALUE", help="such as training.batch_size=256")
    parser.add_argument("--env", default="msl", help="environment whose parameters count")
    parser.add_argument("--out", type=Path, default=Path("data/benchmarks/clustering_encoders"))
    parser.add_argument("--device", default="auto")
    options = parser.parse_args()
    bench, rows = open_bench(options), []
    for seed in options.seeds:
        for kind in options.kinds:
            rows += run_kind(kind, seed, bench)
            print(f"\n{machine()}; {options.minutes:g} minutes of training each\n{markdown(table(rows))}\n", flush=True)
    return 0


def open_bench(options: argparse.Namespace) -> Bench:
    """Return the bench, with log and lock in place."""
    open_folder(options.out, options.threads)
    tiles = TileStoreDataset(filepath=str(options.data / "03_primary/tiles")).load()
    changes = {name: yaml.safe_load(value) for name, _, value in (each.partition("=") for each in options.set)}
    return Bench(options.out, tiles, options.env, options.device, options.minutes, changes)


def configured(kind: str, bench: Bench, plan: Mapping[str, Any] | None = None) -> ClusteringConfig:
    """Return the environment's parameters with the kind's recipe; every kind alone and its codes as they are."""
    section = parameters(bench.env, "clustering", bench.changes)
    for name, changes in RECIPES.get(kind, {}).items():
        section[name] = section[name] | changes
    section["training"] = section["training"] | dict(plan or {})
    config = ClusteringConfig.model_validate(section)
    return config.model_copy(update={"encoder": config.encoder.baseline(kind)})  # type: ignore[arg-type]


def run_kind(kind: str, seed: int, bench: Bench) -> list[dict[str, Any]]:
    """Train and score, or tell what an earlier run found: two rows for each way to measure the kind's codes."""
    place = bench.folder / f"{kind}_{seed}.json"
    config = configured(kind, bench)
    learnt = [
        config.encoder.what_counts(),
        *(part.model_dump(mode="json") for part in (config.training, config.augmentation)),
    ]
    scored = [part.model_dump_json() for part in (config.clusterer, config.scoring)]
    known = json.loads(place.read_text()) if place.is_file() else {}
    known = known if known.get("about") == [bench.minutes, *learnt] else {"about": [bench.minutes, *learnt]}
    if "rows" in known and known["scored"] == scored:
        logger.info("%s, seed %d: done before", kind, seed)
        return list(known["rows"])
    if "plan" not in known:
        (bench.folder / f"{kind}_{seed}_checkpoint.safetensors").unlink(missing_ok=True)
        known["plan"] = make_plan(kind, bench) if is_trained(kind) else {}
        place.write_text(json.dumps(known))
    logger.info("%s, seed %d: %s", kind, seed, known["plan"])
    weights = train(kind, seed, configured(kind, bench, known["plan"]), bench)
    known["scored"] = scored
    known["rows"] = [
        row | {"seed": seed, "wall_s": weights.header["spent_s"]}
        for name, encoder in ways(kind, weights, seed, bench)
        for row in score(name, encoder, seed, bench)
    ]
    place.write_text(json.dumps(known))
    return list(known["rows"])


def make_plan(kind: str, bench: Bench) -> dict[str, Any]:
    """Return epochs and tiles in an epoch for the minutes, by the speed of a few steps after a warm-up."""
    config = configured(kind, bench)
    network = start_network(config.encoder, 0, EncoderWeightsDataset(filepath=str(bench.folder / "weights")).load())
    assert network is not None
    rows, watched = chosen_rows(bench.tiles, config.encoder)
    size = config.training.batch_size

    def seconds_of(steps: int) -> float:
        few = config.model_copy(
            update={"training": config.training.model_copy(update={"epochs": 1, "epoch_tiles": steps * size})}
        )
        batches, monitor = training_batches(
            bench.tiles, few, input_side_px(config.encoder, network), rows, watched[:2], 0
        )
        started = time.monotonic()
        list(fit(network, loss_of, batches, monitor, few.training, open_fabric(bench.device, "32-true"), 0))
        return time.monotonic() - started

    seconds_of(2)
    steps = 4
    while (taken_s := seconds_of(steps)) < 15 and steps < 4096:
        steps *= 2
    tiles_per_s = steps * size / taken_s
    epoch_tiles = max(size, int(60 * bench.minutes * tiles_per_s / JUDGEMENTS / (1 + len(watched) / len(rows) / 3)))
    return {"epochs": JUDGEMENTS, "epoch_tiles": epoch_tiles}


def train(kind: str, seed: int, config: ClusteringConfig, bench: Bench) -> Weights:
    """Return the encoder; a checkpoint is written after every epoch."""
    place = bench.folder / f"{kind}_{seed}_checkpoint.safetensors"
    saved = read_weights(place) if place.is_file() else None
    spent_s, started = (saved.header["spent_s"] if saved else 0.0), time.monotonic()
    fetched = EncoderWeightsDataset(filepath=str(bench.folder / "weights")).load()
    for state, _ in train_encoder(bench.tiles, config, seed, bench.device, saved, fetched):
        checkpoint = Weights(state.tensors, state.header | {"spent_s": spent_s + time.monotonic() - started})
        write_weights(place, checkpoint)
    done = finish_encoder(checkpoint, config)
    return Weights(done.tensors, done.header | {"spent_s": checkpoint.header["spent_s"]})


def ways(kind: str, weights: Weights, seed: int, bench: Bench) -> list[tuple[str, OpenEncoder]]:
    """Return the encoders to score: the kind alone, measured by likes, and fused as the environment says."""
    alone = EncoderConfig.model_validate(weights.header["encoder"])
    network = None
    if has_network(kind):
        network = build_network(alone)
        network.load_state_dict(weights.group("network"))
        network.eval()
    relevant = alone.metric.model_copy(update={"kind": "relevant"})
    asked = {kind: alone}
    if kind in ("handcrafted", "contrastive", "autoencoder", "random", "pretrained"):
        asked[f"{kind}_relevant"] = alone.model_copy(update={"metric": relevant})
    if kind in ("contrastive", "autoencoder", "random", "pretrained"):
        fused = alone.model_copy(update={"metric": relevant, "fuse_with": "handcrafted"})
        asked[f"{kind}_handcrafted_relevant"] = fused
    rows = np.concatenate(chosen_rows(bench.tiles, alone))
    device = open_fabric(bench.device, "32-true").device
    return [
        (
            name,
            OpenEncoder(
                each, network, learn_metric(bench.tiles, each, network, np.unique(rows), seed, bench.device), device
            ),
        )
        for name, each in asked.items()
    ]


def score(name: str, encoder: OpenEncoder, seed: int, bench: Bench) -> list[dict[str, Any]]:
    """Return the rows of one encoder: of all tiles, and of the scored split alone."""
    config = configured("pixels", bench)
    started = time.monotonic()
    codes = encoder.embed(bench.tiles.pixels)
    embed_s = time.monotonic() - started
    np.save(bench.folder / f"codes_{name}_{seed}.npy", codes)
    axes = main_axes(codes, config.clusterer, seed)
    clusters = fit_clusters(axes, config.clusterer, seed).labels
    labels = known_labels(bench.tiles.index, config.scoring)
    found = score_contender(Contender(name, "model", codes, axes, clusters), bench.tiles.index, labels, config, seed)
    logger.info("%s, seed %d\n%s", name, seed, markdown(pd.DataFrame(found).set_index("scope")))
    return [{"encoder": name, **row, "tiles_per_s": len(codes) / embed_s} for row in found]


def table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Return the mean over seeds, and the spread (standard deviation) where there are several."""
    scores = pd.DataFrame(rows)
    shown = [name for name in (*SHOWN, "tiles_per_s", "wall_s") if name in scores]

    def cell(values: pd.Series) -> str:
        known = values.dropna()
        digits = 3 if known.abs().max() <= 1 else 0
        spread = f" ± {known.std():.{digits}f}" if len(known) > 1 else ""
        return f"{known.mean():.{digits}f}{spread}" if len(known) else ""

    return scores.groupby(["scope", "encoder"], sort=False)[shown].agg(cell)


if __name__ == "__main__":
    raise SystemExit(main())
