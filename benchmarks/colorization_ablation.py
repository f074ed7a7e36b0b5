"""What each choice is worth: trains named variants of an environment's colorizer and prints a row of scores for each.

    python -m benchmarks.colorization_ablation --list
    python -m benchmarks.colorization_ablation base members3 tint            # as many epochs as conf/msl says
    python -m benchmarks.colorization_ablation base s --minutes 30           # the same time for each
    python -m benchmarks.colorization_ablation base spectral cameras --cross data/folder
    python -m benchmarks.colorization_ablation base --set model.residual.trust=1.0 --as trust1

Needs curated tiles: `kedro run --env msl --pipelines ingestion,curation`. Tiles of other cameras come from a folder of
Perseverance's colour images: `kedro run --env folder --pipelines ingestion,curation --params ingestion.archive=DIR`.
See `benchmarks/colorization_trials.py` for how trials are resumed.
"""

import json
import sys
from typing import Any, Final

import pandas as pd

from benchmarks.colorization_trials import Trial, arguments, open_bench, run_trial
from benchmarks.trials import machine, markdown

RESIDUAL: Final = "model.residual."
VARIANTS: Final[dict[str, dict[str, Any]]] = {
    "base": {},
    "s": {f"{RESIDUAL}size": "s"},
    "m": {f"{RESIDUAL}size": "m"},
    "mirror": {f"{RESIDUAL}mirror": True},
    "members3": {f"{RESIDUAL}members": 3},
    "members3_bagged": {f"{RESIDUAL}members": 3, f"{RESIDUAL}member_frac": 0.6},
    "members5_bagged": {f"{RESIDUAL}members": 5, f"{RESIDUAL}member_frac": 0.6},
    "tint_levels": {f"{RESIDUAL}tint_levels": True},
    "tint_histogram": {f"{RESIDUAL}tint_histogram": True},
    "tint": {f"{RESIDUAL}tint_levels": True, f"{RESIDUAL}tint_histogram": True},
    "depth_drop": {f"{RESIDUAL}depth_drop": 0.1},
    "trust1": {f"{RESIDUAL}trust": 1.0},
    "camera_share1": {f"{RESIDUAL}camera_share": 1.0},
    "lite0": {f"{RESIDUAL}encoder": "efficientnet_lite0"},
    "lite0_trained": {f"{RESIDUAL}encoder": "efficientnet_lite0", f"{RESIDUAL}encoder_frozen": False},
    "resnet18": {f"{RESIDUAL}encoder": "resnet18"},
    "last": {"training.keep": "last"},
    "all_groups": {"training.keep": "last", "sampling.monitor_frac": 0.0},
    "balanced": {"sampling.weights": "balanced"},
    "balance_power1": {"sampling.balance_power": 1.0},
    "no_dust": {"augmentation.dust_max": 0.0},
    "no_patches": {"augmentation.patch_frac": 0.0},
    "spectral": {"augmentation.spectral_max": 0.5},
    "vignette": {"augmentation.vignette_max": 0.3},
    "blur": {"augmentation.blur_max_px": 1.5},
    "blocks": {"augmentation.blocks_max": 4.0},
    "cameras": {
        "augmentation.spectral_max": 0.5,
        "augmentation.vignette_max": 0.3,
        "augmentation.blur_max_px": 1.5,
        "augmentation.blocks_max": 4.0,
    },
}
COLUMNS: Final = {
    "parameters": "parameters", "wall_s": "wall_s", "ciede2000_mean": "mean", "ratio_to_table": "ratio",
    "p90_ratio_to_table": "p90_ratio", "ciede2000_low_chroma": "low_chroma", "chroma_ratio": "chroma_ratio",
    "tint_error": "tint", "structure_error": "tint_free", "gap_closed": "gap_closed", "monitor_loss": "monitor",
    "best_epoch": "best_epoch", "cross_ciede2000_mean": "cross_mean", "cross_ratio_to_table": "cross_ratio",
    "cross_structure_error": "cross_tint_free",
}  # fmt: skip


def main() -> int:
    """Train the variants in turn and print the table after each."""
    parser = arguments(__doc__ or "", "data/benchmarks/colorization_ablation")
    parser.add_argument("variants", nargs="*", metavar="VARIANT", help="see --list")
    parser.add_argument(
        "--minutes", type=float, help="train each for so long; else as many epochs as the parameters say"
    )
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a change of all variants")
    parser.add_argument("--as", dest="suffix", default="", help="ending of the trials' names, for --set")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    unknown = sorted(set(options.variants) - set(VARIANTS))
    if options.list or unknown or not options.variants:
        print("\n".join(f"{name:18} {json.dumps(changes)}" for name, changes in VARIANTS.items()))
        return 2 if unknown else 0
    common = {name: json_value(value) for name, _, value in (each.partition("=") for each in options.set)}
    bench, rows = open_bench(options), {}
    for variant in options.variants:
        name = "_".join(filter(None, [variant, options.suffix, f"seed{bench.seed}"]))
        trial = Trial(name, {**VARIANTS[variant], **common}, options.minutes)
        rows[name] = run_trial(trial, bench)
        table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("variant")
        shown = table[[column for column in COLUMNS if column in table]].rename(columns=COLUMNS)
        print(f"\n{machine()}\n\n{markdown(shown)}\n", flush=True)
    return 0


def json_value(text: str) -> Any:
    """Return the value as JSON reads it, or the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text


if __name__ == "__main__":
    sys.exit(main())
