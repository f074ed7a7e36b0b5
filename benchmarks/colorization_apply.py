"""Time and memory of colouring whole images, beside the original's regression network: rows for docs/benchmarks.md.

    python -m benchmarks.colorization_apply
    python -m benchmarks.colorization_apply --weights data/msl/06_models/colorizer.safetensors --work-px 192

Each method colours the same image in memory, in turn with the others; the best round counts. CPU time is that of the
process with all its threads; on a busy machine it says more than the clock. The original puts the whole image through
its network, at full size, and converts with the formulas of `imaging.color`; "network alone" leaves that out. Without
`--weights` the networks are untrained, which changes no time. Memory is the largest resident set of a process of its
own that colours one image of 8192 x 8192 pixels and does nothing else.
"""

import argparse
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import torch

from rovervision.imaging.color import fit_gamut, lab_to_rgb
from rovervision.imaging.encoding import encode_png
from rovervision.learning.colorizers import Colorizer, ModelConfig, ResidualConfig, build_colorizer
from rovervision.learning.colorizing import colorize, lightness_of, load_colorizer
from rovervision.learning.serving import OpenColorizer
from rovervision.learning.weights import Weights, read_weights

WORK_PX: Final = 384
"""1.5 tiles of 256 pixels."""


def scene(side_px: int, kind: str = "gray") -> np.ndarray:
    """Return a gray image of smooth shapes with grain, (side, side) uint8, or the same as colour."""
    rng = np.random.default_rng(0)
    image = np.zeros((side_px, side_px), np.float32)
    for n, contrast in ((3, 60.0), (9, 25.0), (33, 15.0), (129, 8.0)):
        layer = rng.normal(0, contrast, (n, n)).astype(np.float32)
        image += cv2.resize(layer, (side_px, side_px), interpolation=cv2.INTER_LINEAR)
    gray = np.clip(image + 120, 0, 255).astype(np.uint8)
    return gray if kind == "gray" else np.repeat(gray[..., None], 3, axis=-1)


def untrained(config: ModelConfig) -> Colorizer:
    """Return a colorizer whose table is Mars's brown, and whose corrections are small."""
    levels = torch.linspace(0, 1, 101)
    tables = torch.stack([12 * levels, 30 * levels], dim=1)[None]
    model = build_colorizer(tables, config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.01 * torch.randn_like(parameter))
    return model


@torch.no_grad()
def original_network(image: np.ndarray, model: Colorizer) -> np.ndarray:
    """Return ab of every pixel, as the original does: the whole image at full size."""
    return model.correction(torch.from_numpy(lightness_of(image))[None, None])[0].permute(1, 2, 0).numpy()


def original(image: np.ndarray, model: Colorizer) -> np.ndarray:
    """Return the image in colour, as the original does."""
    lab = np.concatenate([lightness_of(image)[..., None], original_network(image, model)], axis=-1)
    return lab_to_rgb(fit_gamut(lab))


def best(methods: dict[str, Callable[[], object]], rounds: int) -> dict[str, tuple[float, float]]:
    """Return CPU and wall milliseconds of each method, the best of the rounds, after one that does not count."""
    found = dict.fromkeys(methods, (np.inf, np.inf))
    for number in range(rounds + 1):
        for name, method in methods.items():
            wall_s, cpu_s = time.perf_counter(), time.process_time()
            method()
            spent = 1000 * (time.process_time() - cpu_s), 1000 * (time.perf_counter() - wall_s)
            if number:
                found[name] = min(found[name][0], spent[0]), min(found[name][1], spent[1])
    return found


def networks(weights: Path | None) -> dict[str, tuple[Colorizer, OpenColorizer]]:
    """Return what is measured beside the original, by name."""
    if weights is not None:
        read = read_weights(weights)
        return {weights.name: (load_colorizer(read), OpenColorizer(read))}
    found = {}
    for size in ("xs", "s"):
        config = ModelConfig(kind="residual", residual=ResidualConfig(size=size))
        model = untrained(config)
        header = {"model": config.model_dump(mode="json"), "work_px": WORK_PX, "cameras": ()}
        found[f"residual {size}"] = model, OpenColorizer(Weights(model.state_dict(), header))
    return found


def report(rounds: int, weights: Path | None, work_px: int) -> None:
    """Print times at 1024 x 1024 and at 4096 x 4096, and the memory at 8192 x 8192."""
    small, color, large, regression = (
        scene(1024),
        scene(1024, "rgb"),
        scene(4096),
        untrained(ModelConfig(kind="regression")),
    )
    methods: dict[str, Callable[[], object]] = {
        "regression, as the original does": lambda: original(small, regression),
        "regression, network alone": lambda: original_network(small, regression),
    }
    for name, (model, opened) in networks(weights).items():
        png = encode_png(small)
        methods |= {
            name: lambda model=model: colorize(small, model, work_px),  # type: ignore[misc]
            f"{name}, RGB": lambda model=model: colorize(color, model, work_px),  # type: ignore[misc]
            f"{name}, PNG to PNG": lambda opened=opened, png=png: opened.png(png),  # type: ignore[misc]
        }
    found = best(methods, rounds)
    reference = found["regression, as the original does"]
    print(
        "1024 x 1024\n\n| method | CPU ms | wall ms | times faster, CPU | times faster, wall |\n|---|---|---|---|---|"
    )
    for name, (cpu_ms, wall_ms) in found.items():
        print(f"| {name} | {cpu_ms:.0f} | {wall_ms:.0f} | {reference[0] / cpu_ms:.1f} | {reference[1] / wall_ms:.1f} |")
    for name, (model, _) in networks(weights).items():
        ((cpu_ms, wall_ms),) = best({name: lambda model=model: colorize(large, model, work_px)}, 2).values()  # type: ignore[misc]
        print(f"\n4096 x 4096, {name}: {cpu_ms / 16.8:.1f} ms CPU and {wall_ms / 16.8:.1f} ms a megapixel")
    for kind in ("gray", "rgb"):
        command = [sys.executable, "-m", "benchmarks.colorization_apply", "--memory-of", kind]
        answer = subprocess.run(command, capture_output=True, text=True, check=True)
        print(f"\n8192 x 8192, {kind}: {answer.stdout.strip()}")


def resident_peak_mib() -> float:
    """Return the largest resident set of this process; `getrusage` would count what its parent had at its start too."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) / 1024


def peak_mib(kind: str) -> tuple[float, float]:
    """Colour an image of 8192 x 8192 pixels; return the process's largest resident set before and in all, in MiB."""
    loaded_mib = resident_peak_mib()
    image = np.tile(scene(1024, kind), (8, 8) if kind == "gray" else (8, 8, 1))
    model = untrained(ModelConfig(kind="residual", residual=ResidualConfig(size="s")))
    colored = colorize(image, model, WORK_PX)
    assert colored.shape == (8192, 8192, 3)
    return loaded_mib, resident_peak_mib()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--work-px", type=int, default=WORK_PX)
    parser.add_argument("--memory-of", choices=("gray", "rgb"), help="measure only the memory of such an image")
    asked = parser.parse_args()
    if asked.memory_of:
        loaded_mib, largest_mib = peak_mib(asked.memory_of)
        print(f"{largest_mib:.0f} MiB resident at most, {loaded_mib:.0f} of them before the image")
        return
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False).stdout
    print(
        f"{datetime.now(UTC):%Y-%m-%d}, commit {commit.strip()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}, torch {torch.__version__}\n"
    )
    report(asked.rounds, asked.weights, asked.work_px)


if __name__ == "__main__":
    main()
