"""How fast the networks train: images/s, share of the device's peak, memory, and how long batches take to make.

Needs no Kedro, so it runs on any machine with a GPU; images are made up. Under torchrun or srun, all processes train
together, and images/s are those of all.

python -m benchmarks.training_speed --device cpu
python -m benchmarks.training_speed --device cuda --models residual_m,denoiser_64 --batch-sizes 256,1024 \
    --precision bf16-mixed --channels-last --compile --prefetch 2
torchrun --standalone --nproc-per-node=2 -m benchmarks.training_speed --device cpu --models residual_xs
"""

import argparse
import resource
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from lightning_fabric import Fabric
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.trials import machine, markdown
from rovervision.learning.batches import Augmentation, AugmentationConfig, ColorBatches
from rovervision.learning.colorizers import ModelConfig, build_colorizer
from rovervision.learning.contrastive import ContrastiveConfig, ContrastiveNetwork
from rovervision.learning.contrastive_batches import PairBatches
from rovervision.learning.denoiser import Conditions, NetworkConfig
from rovervision.learning.denoiser_batches import ChangesConfig, NoisyBatches
from rovervision.learning.exported_denoiser import DenoiserConfig, build_denoiser
from rovervision.learning.positive_pairs import Companions
from rovervision.learning.training import Batch, Batches, TrainingConfig, fit, open_fabric, seeded
from rovervision.learning.views import ViewConfig

PEAKS = {
    ("H200", "bf16-mixed"): 989e12,
    ("H100", "bf16-mixed"): 989e12,
    ("A100", "bf16-mixed"): 312e12,
    ("L40S", "bf16-mixed"): 362e12,
    ("H200", "32-true"): 67e12,
    ("H100", "32-true"): 67e12,
    ("A100", "32-true"): 19.5e12,
    ("L40S", "32-true"): 91.6e12,
    ("T4", "32-true"): 8.1e12,
    ("T4", "16-mixed"): 65e12,
}
"""Name and precision to FLOP/s, dense, without sparsity, SXM where there are several; from NVIDIA's data sheets of each
(H200: "H200 Tensor Core GPU", H100: "H100 Tensor Core GPU", A100, L40S and T4 likewise)."""
TILES = 4096
"""More than any batch has."""


class Watched:
    """The same batches, with the work that they are to make."""

    def __init__(self, batches: Batches) -> None:
        self.batches, self.made_s, self.whole_s = batches, 0.0, 0.0

    def __len__(self) -> int:
        return len(self.batches)

    def epoch(self, number: int, device: torch.device | None = None) -> Iterator[Batch]:
        """Yield them."""
        source, began = self.batches.epoch(number, device), work_s()
        self.made_s = 0.0
        while True:
            before = work_s()
            batch = next(source, None)
            self.made_s += work_s() - before
            if batch is None:
                break
            yield batch
        self.whole_s = work_s() - began


def now_s() -> float:
    """The time when the device has done all that it was given."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()


def work_s() -> float:
    """The same, or on a CPU the work of this process so far, which others on the machine do not make longer."""
    return now_s() if torch.cuda.is_available() else time.process_time()


@dataclass(frozen=True)
class Case:
    """A network, and batches of so many tiles for it."""

    model: torch.nn.Module
    batches: Callable[[int, int], Batches]
    """Tiles per batch and per epoch to epochs of batches."""


def pixels(side_px: int) -> np.ndarray:
    """Return tiles of noise."""
    return np.random.default_rng(0).integers(0, 256, (TILES, side_px, side_px, 3), dtype=np.uint8)


def colorizer(kind: str, size: str, tile_px: int = 64) -> Case:
    """Return a colorizer and tiles as the base configuration changes them."""
    tables, images, rows = torch.zeros(5, 101, 2), pixels(tile_px), np.arange(TILES)
    model = build_colorizer(tables, ModelConfig.model_validate({"kind": kind, kind: {"size": size}}))
    change = Augmentation(AugmentationConfig(), np.zeros((101, 2), np.float32))

    def batches(batch_size: int, count: int) -> Batches:
        return ColorBatches(images, rows % 5, rows, batch_size, change, 0, None, model.stride_px, epoch_tiles=count)

    return Case(model, batches)


def encoder(size: str) -> Case:
    """Return a contrastive encoder at 32 px and pairs of views."""
    network, images, rows = ContrastiveNetwork(ContrastiveConfig(size=size)), pixels(64), np.arange(TILES)
    none = Companions(np.zeros(TILES + 1, np.int64), np.zeros(0, np.int64), rows)

    def batches(batch_size: int, count: int) -> Batches:
        return PairBatches(images, rows, batch_size, 32, ViewConfig(), 0, none, 0.7, epoch_tiles=count)

    return Case(network, batches)


def denoiser(tile_px: int) -> Case:
    """At 32 px the network of the base configuration, at 64 px that of the environment `cluster`."""
    small = NetworkConfig(widths=(32, 64, 64), blocks=1, attention_px=(8,), dropout=0.0)
    large = NetworkConfig(widths=(96, 192, 192, 192), blocks=2, attention_px=(16, 8), dropout=0.15)
    config = DenoiserConfig(tile_px=tile_px, network=small if tile_px == 32 else large)
    model, images = build_denoiser(config, Conditions(("a", "b"), ("c", "d"))), pixels(tile_px)

    def batches(batch_size: int, count: int) -> Batches:
        return NoisyBatches(images, np.ones((TILES, 2), np.int64), batch_size, model, ChangesConfig(), 0, count)

    return Case(model, batches)


CASES: dict[str, Callable[[], Case]] = {
    "residual_xs": lambda: colorizer("residual", "xs"),
    "residual_s": lambda: colorizer("residual", "s"),
    "residual_m": lambda: colorizer("residual", "m", 128),
    "classification_xs": lambda: colorizer("classification", "xs"),
    "encoder_s": lambda: encoder("s"),
    "encoder_m": lambda: encoder("m"),
    "denoiser_32": lambda: denoiser(32),
    "denoiser_64": lambda: denoiser(64),
}


def loss(model: torch.nn.Module, batch: Batch) -> torch.Tensor:
    """Return the model's own loss of a batch."""
    return model.loss(*batch)  # type: ignore[operator]


def flops_per_image(case: Case, device: torch.device) -> float:
    """Operations of one forward and backward pass, as torch counts them: products and convolutions alone."""
    batch = next(case.batches(4, 4).epoch(0, device))
    model = case.model.to(device).train()
    with FlopCounterMode(display=False) as counter:
        loss(model, batch).backward()
    model.zero_grad(set_to_none=True)
    return counter.get_total_flops() / 4


def peak(fabric: Fabric, precision: str) -> float:
    """FLOP/s that the device can do: of a CPU as measured, of a GPU as its data sheet says; NaN where nobody told."""
    if fabric.device.type == "cpu":
        return measured_peak() * fabric.world_size
    name = torch.cuda.get_device_name(fabric.device) if fabric.device.type == "cuda" else ""
    known = (value for (part, kind), value in PEAKS.items() if part in name and kind == precision)
    return next(known, float("nan")) * fabric.world_size


def measured_peak(side: int = 1024, rounds: int = 8) -> float:
    """The best of some products of two square matrices of float32."""
    one, times_s = torch.rand(side, side), []
    for _ in range(rounds):
        began_s = time.perf_counter()
        torch.mm(one, one)
        times_s.append(time.perf_counter() - began_s)
    return 2 * side**3 / min(times_s)


def timed(case: Case, count: int, config: TrainingConfig, fabric: Fabric, watch: bool) -> tuple[float, float]:
    """Return the seconds of the second epoch, and the share of it that making batches took, where that is watched."""
    batches = case.batches(config.batch_size, count)
    watched = Watched(batches)
    ends_s = [
        now_s()
        for _ in fit(case.model, loss, watched if watch else batches, case.batches(2, 2), config, fabric, seed=0)
    ]
    return ends_s[-1] - ends_s[-2], watched.made_s / watched.whole_s if watch else float("nan")


def measure(name: str, batch_size: int, options: argparse.Namespace) -> dict[str, object]:
    """Train for two epochs, of which the second counts; once more, step by step, for the share of making batches."""
    fabric = open_fabric(options.device, options.precision, together=True)
    speed = {
        "channels_last": options.channels_last, "compile": options.compile, "prefetch_batches": options.prefetch,
        "accumulate": options.accumulate, "deterministic": options.deterministic,
    }  # fmt: skip
    config = TrainingConfig(epochs=2, batch_size=batch_size, precision=options.precision, **speed)
    with seeded(0):
        case = CASES[name]()
    flops, count = flops_per_image(case, fabric.device), options.steps * batch_size
    if fabric.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    seconds, _ = timed(case, count, config, fabric, watch=False)
    used = (
        torch.cuda.max_memory_allocated() if fabric.device.type == "cuda"
        else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    )  # fmt: skip
    with seeded(0):
        case = CASES[name]()
    _, share = timed(case, count, config.model_copy(update={"prefetch_batches": 0}), fabric, watch=True)
    rate = count / seconds
    return {
        "model": name, "batch": batch_size, "processes": fabric.world_size, "images/s": rate,
        "GFLOP per image": flops / 1e9, "share of peak": rate * flops / peak(fabric, options.precision),
        "memory GiB": used / 2**30, "share of making batches": share,
    }  # fmt: skip


def main() -> None:
    """Print a table of the cases that were asked for, one row each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--models", default="residual_xs,encoder_s,denoiser_32", help=f"of {', '.join(CASES)}")
    parser.add_argument("--batch-sizes", default="16,64")
    parser.add_argument("--steps", type=int, default=12, help="of an epoch")
    parser.add_argument("--precision", default="32-true", choices=["32-true", "bf16-mixed", "16-mixed"])
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--deterministic", action="store_true")
    parser.add_argument("--prefetch", type=int, default=0)
    parser.add_argument("--accumulate", type=int, default=1)
    options = parser.parse_args()
    rows = [
        measure(name, int(size), options)
        for name in options.models.split(",")
        for size in options.batch_sizes.split(",")
    ]
    if open_fabric(options.device, options.precision, together=True).global_rank == 0:
        print(machine())
        print(markdown(pd.DataFrame(rows)))


if __name__ == "__main__":
    main()
