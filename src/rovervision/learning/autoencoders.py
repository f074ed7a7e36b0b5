"""Autoencoders after the Curiosity and Perseverance original, written anew after their description, as baselines."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from itertools import pairwise
from typing import Literal

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models import vgg16_bn  # type: ignore[import-untyped]

from rovervision.errors import RovervisionError

AutoencoderKind = Literal["autoencoder", "unpooling_autoencoder", "vgg_autoencoder", "variational_autoencoder"]
PLAIN_WIDTHS = (8, 16, 32, 16)
UNPOOLING_WIDTHS = (6, 12, 16)
VARIATIONAL_WIDTHS = (32, 64, 128, 32)
VGG_BLOCKS = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
"""Channels and convolutions of VGG-16's five blocks (Simonyan and Zisserman, ICLR 2015, configuration D)."""


class AutoencoderConfig(BaseModel):
    """What the kinds of autoencoder are told."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    input_px: int = Field(default=32, ge=16, le=256, multiple_of=16)
    """Images are brought to this side; for the VGG-16 autoencoder, to the next multiple of 32."""
    latent_dim: int = Field(default=32, ge=2, le=4096)
    """Numbers in a code of the variational autoencoder."""
    divergence_share: float = Field(default=1e-3, ge=0, le=10)
    """Weight of the divergence from a standard normal, per number of the code, beside the squared error."""
    imagenet: bool = False
    """The VGG-16 autoencoder starts from torchvision's ImageNet weights."""


class Autoencoder(nn.Module, ABC):
    """Images to codes and back.

    Args:
        config: the side of the input, and what single kinds are told.
    """

    forward_methods = ("loss",)
    encoder_name: str | None = None
    """The encoder of `pretrained` whose ImageNet weights it can start from."""

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__()
        self.input_px = config.input_px

    @abstractmethod
    def forward(self, unit: Tensor) -> Tensor:
        """Return codes. (N, 3, input_px, input_px) sRGB in 0..1 to (N, dim)."""

    @abstractmethod
    def decode(self, codes: Tensor) -> Tensor:
        """Return images of codes. (N, dim) to (N, 3, input_px, input_px), about 0..1."""

    def reconstruct(self, unit: Tensor) -> Tensor:
        """Return images as their codes tell them. Shapes as of `forward` and `decode`."""
        return self.decode(self(unit))

    def loss(self, unit: Tensor) -> Tensor:
        """Return the mean squared error of the reconstruction."""
        return F.mse_loss(self.reconstruct(unit), unit)

    @property
    def dim(self) -> int:
        """Numbers in a code."""
        was_training = self.training
        with torch.no_grad():
            dim = self.eval()(torch.zeros(1, 3, self.input_px, self.input_px, device=next(self.parameters()).device))
        self.train(was_training)
        return dim.shape[1]


class PlainAutoencoder(Autoencoder):
    """3x3 convolutions with max-pooling; back with transposed 4x4 convolutions of stride 2."""

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__(config)
        *poolings, last = pairwise((3, *PLAIN_WIDTHS))
        self.down = nn.Sequential(
            *(nn.Sequential(nn.Conv2d(*ends, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)) for ends in poolings),
            nn.Conv2d(*last, 3, padding=1),
            nn.ReLU(),
        )
        ways = [*pairwise(reversed(PLAIN_WIDTHS[1:])), (PLAIN_WIDTHS[1], 3)]
        layers = [nn.Sequential(nn.ConvTranspose2d(*ends, 4, 2, 1), nn.ReLU()) for ends in ways[:-1]]
        self.up = nn.Sequential(*layers, nn.ConvTranspose2d(*ways[-1], 4, 2, 1), nn.Sigmoid())

    def forward(self, unit: Tensor) -> Tensor:
        """Return the deepest maps as codes."""
        return self.down(unit).flatten(1)

    def decode(self, codes: Tensor) -> Tensor:
        """Return images of codes."""
        return self.up(codes.unflatten(1, (PLAIN_WIDTHS[-1], self.input_px // 8, self.input_px // 8)))


class UnpoolingAutoencoder(Autoencoder):
    """After Ramachandra (arXiv:1911.06623): 5x5 convolutions, max-pooling whose places are remembered, and back.

    A reconstruction puts values where the image's own maxima were; a code alone does not tell these places, and is
    decoded with each value over its whole 2x2 pixels.
    """

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__(config)
        ends = list(pairwise((3, *UNPOOLING_WIDTHS)))
        self.down = nn.ModuleList(nn.Conv2d(*each, 5, padding=2) for each in ends)
        self.up = nn.ModuleList(nn.ConvTranspose2d(two, one, 5, padding=2) for one, two in reversed(ends))

    def forward(self, unit: Tensor) -> Tensor:
        """Return the deepest maps as codes."""
        return self._encode(unit)[0].flatten(1)

    def decode(self, codes: Tensor) -> Tensor:
        """Return images of codes, without the places of maxima."""
        side = self.input_px // 4
        return self._decode(codes.unflatten(1, (UNPOOLING_WIDTHS[-1], side, side)), None)

    def reconstruct(self, unit: Tensor) -> Tensor:
        """Return images as their codes and the places of their maxima tell them."""
        return self._decode(*self._encode(unit))

    def _encode(self, unit: Tensor) -> tuple[Tensor, list[Tensor]]:
        x, places = unit, []
        for layer in self.down[:-1]:
            x, place = F.max_pool2d(layer(x), 2, return_indices=True)
            x = torch.tanh(x)
            places.append(place)
        return torch.tanh(self.down[-1](x)), places

    def _decode(self, x: Tensor, places: list[Tensor] | None) -> Tensor:
        for level, layer in enumerate(self.up[:-1]):
            x = torch.tanh(layer(x))
            if places is None:
                x = F.interpolate(x, scale_factor=2, mode="nearest")
            else:
                x = F.max_unpool2d(x, places[-1 - level], [2, 2])
        return torch.sigmoid(self.up[-1](x))


class VggAutoencoder(Autoencoder):
    """VGG-16 with batch normalisation, and its mirror image; the code is the mean over what is left of the image."""

    encoder_name = "vgg16_bn"

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__(config)
        self.input_px = -(-config.input_px // 32) * 32
        self.features = vgg16_bn(weights=None).features
        layers: list[nn.Module] = []
        channels = VGG_BLOCKS[-1][0]
        for width, convolutions in reversed(VGG_BLOCKS):
            layers.append(nn.Upsample(scale_factor=2, mode="nearest"))
            for _ in range(convolutions):
                layers += [nn.Conv2d(channels, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
                channels = width
        self.up = nn.Sequential(*layers, nn.Conv2d(channels, 3, 3, padding=1), nn.Sigmoid())

    def forward(self, unit: Tensor) -> Tensor:
        """Return codes of 512 numbers."""
        return self.features((unit - 0.449) / 0.226).mean(dim=(2, 3))

    def decode(self, codes: Tensor) -> Tensor:
        """Return images of codes."""
        side = self.input_px // 32
        return self.up(codes[:, :, None, None].expand(-1, -1, side, side))

    def take(self, weights: Mapping[str, Tensor]) -> None:
        """Set the encoder to torchvision's weights of VGG-16. Raises RovervisionError where they are others."""
        named = {name.removeprefix("features."): t for name, t in weights.items() if name.startswith("features.")}
        try:
            self.features.load_state_dict(named)
        except RuntimeError as error:
            raise RovervisionError(
                f"These are not torchvision's weights of VGG-16 with batch normalisation ({str(error).splitlines()[0]})"
                " Download them again, or set clustering.encoder.autoencoder.imagenet=false."
            ) from error


class VariationalAutoencoder(Autoencoder):
    """A code is where a normal distribution has its mean (Kingma and Welling, ICLR 2014)."""

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__(config)
        self.divergence_share = config.divergence_share
        ends = list(pairwise((3, *VARIATIONAL_WIDTHS)))
        self.down = nn.Sequential(
            *(nn.Sequential(nn.Conv2d(*each, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)) for each in ends)
        )
        self.side = self.input_px // 16
        cells = VARIATIONAL_WIDTHS[-1] * self.side**2
        self.moments, self.spread = nn.Linear(cells, 2 * config.latent_dim), nn.Linear(config.latent_dim, cells)
        ways = [*pairwise(reversed(VARIATIONAL_WIDTHS)), (VARIATIONAL_WIDTHS[0], 3)]
        layers = [nn.Sequential(nn.ConvTranspose2d(*each, 4, 2, 1), nn.ReLU()) for each in ways[:-1]]
        self.up = nn.Sequential(*layers, nn.ConvTranspose2d(*ways[-1], 4, 2, 1), nn.Sigmoid())

    def forward(self, unit: Tensor) -> Tensor:
        """Return the means as codes."""
        return self._moments(unit)[0]

    def decode(self, codes: Tensor) -> Tensor:
        """Return images of codes."""
        return self.up(F.relu(self.spread(codes)).unflatten(1, (VARIATIONAL_WIDTHS[-1], self.side, self.side)))

    def loss(self, unit: Tensor) -> Tensor:
        """Return the squared error of one drawn code's image, and the divergence. Judged, the mean is the code."""
        mean, log_variance = self._moments(unit)
        drawn = mean + torch.randn_like(mean) * (log_variance / 2).exp() if self.training else mean
        divergence = (mean**2 + log_variance.exp() - log_variance - 1).mean() / 2
        return F.mse_loss(self.decode(drawn), unit) + self.divergence_share * divergence

    def _moments(self, unit: Tensor) -> tuple[Tensor, Tensor]:
        mean, log_variance = self.moments(self.down(unit).flatten(1)).chunk(2, dim=1)
        return mean, log_variance.clamp(-10, 10)


AUTOENCODERS: dict[str, type[Autoencoder]] = {
    "autoencoder": PlainAutoencoder,
    "unpooling_autoencoder": UnpoolingAutoencoder,
    "vgg_autoencoder": VggAutoencoder,
    "variational_autoencoder": VariationalAutoencoder,
}


def build_autoencoder(kind: AutoencoderKind, config: AutoencoderConfig) -> Autoencoder:
    """Return an untrained autoencoder. Its weights come from torch's generator: see `training.seeded`."""
    return AUTOENCODERS[kind](config)
