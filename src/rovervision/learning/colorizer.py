"""What every colorizer is: tables by lightness, and a network's correction of them."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rovervision.learning.color import perceived_ab_error
from rovervision.learning.pretrained import EncoderWeights

COARSE = 4
"""Most kinds work at a quarter of the resolution: true ab at that resolution is only 0.8 CIEDE2000 away on MSL."""


class Colorizer(nn.Module, ABC):
    """Lightness in, the two colour channels of CIELAB out: a table by lightness plus what a network adds to it.

    The camera chooses the table and nothing else; camera 0 stands for any. A kind that starts from nothing has tables
    of zeros.

    Kinds that can tell how far off they may be have a method `doubt`: lightness (N, 1, H, W), multiples of `stride_px`,
    to the expected error of each cell, (N, 1, h, w), in units of CIEDE2000.

    Args:
        tables: (1 + C, 101, 2) mean a and b for lightness 0, 1, ... 100: global first, then of each camera.
    """

    tables: Tensor
    stride_px: int = COARSE
    """Pixels of lightness to a cell of the correction, along each axis, and of the true ab that `loss` takes."""
    forward_methods = ("loss", "error")
    """Methods beside `forward` that training calls, for Fabric to wrap."""
    side_heads: tuple[str, ...] = ()
    """Parts that learn beside the colours, by name. Their gradients are clipped apart, so that colours are the same
    with and without them."""

    def __init__(self, tables: Tensor) -> None:
        super().__init__()
        self.register_buffer("tables", tables.to(torch.float32).clone())

    def forward(self, lightness: Tensor, camera: Tensor | None = None) -> Tensor:
        """Return ab at the lightness's own resolution.

        Args:
            lightness: (N, 1, H, W) in 0..100, any H and W.
            camera: (N,) int64 camera numbers; None for any camera.

        Returns:
            (N, 2, H, W) in Lab units.
        """
        correction = self.correction(pad_to_multiple(lightness, self.stride_px))
        return self.look_up(lightness, camera) + enlarge(correction, self.stride_px, lightness.shape[2:])

    @abstractmethod
    def correction(self, lightness: Tensor) -> Tensor:
        """Return what is added to the table, in Lab units. (N, 1, H, W), multiples of `stride_px`, to (N, 2, h, w)."""

    @abstractmethod
    def loss(self, lightness: Tensor, camera: Tensor, ab: Tensor, fold: Tensor | None = None) -> Tensor:
        """Return what training lowers, a scalar.

        Args:
            lightness: (N, 1, H, W) in 0..100, H and W multiples of `stride_px`.
            camera: (N,) int64 camera numbers.
            ab: (N, 2, h, w) the true colour, averaged over cells of `stride_px` pixels.
            fold: (N,) int64 in 0..`FOLDS` - 1; tiles of one group have one fold. None where nobody told.
        """

    def take_encoder(self, weights: EncoderWeights) -> None:
        """Set a pretrained encoder to its weights, before training, where the configuration asks for one."""

    def look_up(self, lightness: Tensor, camera: Tensor | None = None) -> Tensor:
        """Return the table's ab, interpolated between whole lightnesses. (N, 1, H, W) to (N, 2, H, W)."""
        which = any_camera(lightness) if camera is None else camera
        position = lightness[:, 0].clamp(0, 100)
        low = position.floor().clamp(max=99).long()
        share = (position - low)[..., None]
        rows = which[:, None, None]
        ab = self.tables[rows, low] * (1 - share) + self.tables[rows, low + 1] * share
        return ab.permute(0, 3, 1, 2)

    def coarse(self, lightness: Tensor, camera: Tensor | None = None) -> Tensor:
        """Return ab at the correction's resolution. (N, 1, H, W), multiples of `stride_px`, to (N, 2, h, w)."""
        return F.avg_pool2d(self.look_up(lightness, camera), self.stride_px) + self.correction(lightness)

    def error(self, lightness: Tensor, camera: Tensor, ab: Tensor, fold: Tensor | None = None) -> Tensor:
        """Return the mean perceived error, by which the epochs of every kind are judged. Arguments as of `loss`."""
        return perceived_ab_error(self.coarse(lightness, camera), ab).mean()


FOLDS = 10
"""Groups of training tiles are dealt into so many folds."""


def any_camera(lightness: Tensor) -> Tensor:
    """Return camera 0 for each image of a batch. (N, ...) to (N,) int64."""
    return torch.zeros(len(lightness), dtype=torch.int64, device=lightness.device)


def pad_to_multiple(x: Tensor, multiple: int) -> Tensor:
    """Repeat the last row and column until height and width are multiples. (N, C, H, W)."""
    height, width = x.shape[2:]
    return F.pad(x, (0, -width % multiple, 0, -height % multiple), mode="replicate")


def enlarge(cells: Tensor, stride_px: int, size: tuple[int, ...]) -> Tensor:
    """Return a map of cells at the resolution of pixels, bilinear, cut to (height, width). (N, C, h, w)."""
    height, width = size
    if stride_px > 1:
        cells = F.interpolate(cells, scale_factor=stride_px, mode="bilinear", align_corners=False)
    return cells[:, :, :height, :width]
