"""The way from noise to image."""

import torch
from matplotlib.figure import Figure

from rovervision.imaging.chart_style import INK, MUTED, draw_bare
from rovervision.imaging.montage import spread
from rovervision.learning.denoiser import CHANGES
from rovervision.learning.edm import EdmDenoiser, sampling_levels
from rovervision.learning.exported_denoiser import open_denoiser
from rovervision.learning.generation import TileMaker, to_pixels
from rovervision.learning.samplers import generators, sample
from rovervision.learning.training import open_fabric
from rovervision.learning.weights import Weights
from rovervision.pipelines.diffusion.config import DiffusionConfig

_COLUMNS = 10


def draw_denoising_path(denoiser: Weights, config: DiffusionConfig, seed: int, device: str) -> Figure:
    """Draw what the denoiser expects the image to be, from pure noise to the end, for the first few tiles."""
    place = open_fabric(device, "32-true").device
    model, indices = open_denoiser(denoiser, place), list(range(config.figures.paths))
    numbers = TileMaker(denoiser, config.sampler, seed, place).conditions_of(indices)
    condition = torch.zeros(len(indices), 2 + CHANGES)
    condition[:, :2] = torch.from_numpy(numbers)
    seen: dict[int, torch.Tensor] = {}

    def remember(step: int, expected: torch.Tensor) -> None:
        seen.setdefault(step, expected)  # the first of a step's two looks: at the level that it starts from

    last = sample(model, condition.to(place), generators(seed, indices), config.sampler, remember)
    steps = [list(seen)[row] for row in spread(len(seen), _COLUMNS - 1)]
    shown = [*(to_pixels(seen[step]) for step in steps), to_pixels(last)]
    titles = [*(title_of(model, config, step) for step in steps), "result"]
    figure = Figure(figsize=(1.18 * len(shown), 1.2 * len(indices) + 0.9), layout="constrained", facecolor="white")
    axes = figure.subplots(len(indices), len(shown), squeeze=False)
    for column, pixels in enumerate(shown):
        for axis, tile in zip(axes[:, column], pixels, strict=True):
            axis.imshow(tile, interpolation="bicubic")
            draw_bare(axis)
        axes[0, column].set_title(titles[column], fontsize=9, color=INK if column == len(shown) - 1 else MUTED)
    figure.suptitle("What the denoiser expects at each noise level of the sampler", fontsize=12, color=INK)
    return figure


def title_of(model: object, config: DiffusionConfig, step: int) -> str:
    """Return the noise level of a step, or its number."""
    if isinstance(model, EdmDenoiser):
        return f"σ = {float(sampling_levels(model.config, config.sampler.steps)[step]):.2g}"
    return f"step {step + 1}"
