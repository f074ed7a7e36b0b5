"""Every kind of colorizer, trained for the same time on the same tiles, each by its own recipe: one table.

    python -m benchmarks.colorization_kinds --minutes 30
    python -m benchmarks.colorization_kinds --minutes 30 --cross data/folder
    python -m benchmarks.colorization_kinds --minutes 10 residual_s regression classification_marginal --score-tiles 400

`regression` and `classification_marginal` follow the originals' recipe (Adam at 5e-5, batches of 8, 64 px crops), the
others that of the environment. Images a second are those of training, judging included. Rows `_as_run` are of the same
weights with live batch statistics, as the original colours. How to make tiles: `benchmarks/colorization_ablation.py`.
"""

import sys
from typing import Any, Final

import pandas as pd

from benchmarks.colorization_trials import Bench, Trial, arguments, open_bench, run_trial
from benchmarks.trials import machine, markdown

ORIGINAL: Final = {"recipe": "original"}
KINDS: Final[dict[str, dict[str, Any]]] = {
    "residual": {},
    "residual_s": {"model.residual.size": "s"},
    "classification": {"model.kind": "classification"},
    "regression": {"model.kind": "regression", **ORIGINAL},
    "regression_own_recipe": {"model.kind": "regression"},
    "classification_marginal": {"model.kind": "classification_marginal", **ORIGINAL},
    "residual_m": {"model.residual.size": "m"},
}
DEFAULT: Final = ["regression", "residual", "residual_s", "classification"]
REFERENCE: Final = "regression"
BASELINES: Final = ("lightness_table", "camera_table", "starting_table", "oracle_own_table")


def main() -> int:
    """Train the kinds in turn and print the table after each."""
    parser = arguments(__doc__ or "", "data/benchmarks/colorization_kinds")
    parser.add_argument("kinds", nargs="*", default=DEFAULT, choices=[*KINDS, []], metavar="KIND")
    parser.add_argument("--minutes", type=float, required=True, help="wall time of each training")
    options = parser.parse_args()
    bench, rows = open_bench(options), {}
    for kind in options.kinds:
        name = f"{kind}_{options.minutes:g}min_seed{bench.seed}"
        rows[kind] = run_trial(Trial(name, KINDS[kind], options.minutes), bench)
        print(f"\n{machine()}, {options.minutes:g} minutes each\n", flush=True)
        for prefix, title in (("", "the scored split"), ("cross_", "other cameras")):
            if not prefix or bench.cross is not None:
                print(f"{title}\n\n{markdown(comparison(rows, prefix, bench, options.minutes))}\n", flush=True)
    return 0


def comparison(rows: dict[str, dict[str, Any]], prefix: str, bench: Bench, minutes: float) -> pd.DataFrame:
    """Return a row for each kind and baseline, and ratios to the regression where it was trained too."""
    parts = []
    for kind, row in rows.items():
        table = pd.read_csv(bench.folder / f"{kind}_{minutes:g}min_seed{bench.seed}_{prefix}table.csv")
        table = table.set_index("method")
        own = table[(table["role"] == "model") | table.index.str.endswith("_as_run")].rename(
            index=lambda method, kind=kind: f"{kind}_as_run" if method.endswith("_as_run") else kind
        )
        facts = {
            "million_parameters": row["parameters"] / 1e6,
            "images_per_s": row["tiles_per_s"],
            "wall_s": row["wall_s"],
        }
        parts.append(own.assign(**facts))
        if kind == next(iter(rows)):
            parts.append(table.loc[[name for name in BASELINES if name in table.index]])
    table = pd.concat(parts)
    shown = pd.DataFrame(
        {
            "mean": table["ciede2000_mean"],
            "ratio to table": table["ratio_to_table"],
            "p90": table["ciede2000_p90"],
            "p90 ratio": table["p90_ratio_to_table"],
            "gap closed": table["gap_closed"],
            "low chroma": table["ciede2000_low_chroma"],
            "chroma ratio": table["chroma_ratio"],
            "tint-free": table["structure_error"],
        }
    )
    if REFERENCE in table.index:
        reference = table.loc[REFERENCE]
        shown["mean / regression"] = table["ciede2000_mean"] / reference["ciede2000_mean"]
        shown["low chroma / regression"] = table["ciede2000_low_chroma"] / reference["ciede2000_low_chroma"]
    for name in ("million_parameters", "images_per_s", "wall_s"):
        shown[name] = table[name]
    return shown[~shown.index.duplicated()].rename_axis("kind").sort_values("mean", ascending=False)


if __name__ == "__main__":
    sys.exit(main())
