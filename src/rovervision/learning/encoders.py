"""The kinds of encoder: one configuration, one way to build them, one form of weights."""

from collections.abc import Iterator
from typing import Any, Literal, Protocol, cast, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, field_validator
from torch import nn

from rovervision.errors import RovervisionError
from rovervision.imaging.descriptors import HandcraftedConfig, PixelsConfig, handcrafted_codes, pixel_codes
from rovervision.learning.autoencoders import AUTOENCODERS, Autoencoder, AutoencoderConfig, build_autoencoder
from rovervision.learning.code_metric import CodeMetric, MetricConfig
from rovervision.learning.contrastive import ContrastiveConfig, ContrastiveNetwork
from rovervision.learning.contrastive_batches import to_unit
from rovervision.learning.kinds import known_kind
from rovervision.learning.positive_pairs import PairingConfig
from rovervision.learning.pretrained_encoders import PretrainedConfig, PretrainedNetwork
from rovervision.learning.weights import Weights

Kind = Literal[
    "pixels", "handcrafted", "random", "autoencoder", "unpooling_autoencoder", "vgg_autoencoder",
    "variational_autoencoder", "contrastive", "pretrained",
]  # fmt: skip
KINDS: tuple[str, ...] = get_args(Kind)
Split = Literal["train", "val", "test"]

_IMAGES_AT_ONCE = 128


class Encoder(Protocol):
    """Images to codes."""

    dim: int
    """Numbers in a code."""

    def embed(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return a code for each image; alone or among others, an image has the same.

        Args:
            pixels: (N, P, P, 3) uint8 sRGB; a gray image has R = G = B.

        Returns:
            (N, dim) float32, finite.
        """
        ...


class EncoderConfig(BaseModel):
    """Which encoder; each kind that can be told something has a section of its own, read for that kind only."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind = "contrastive"
    fuse_with: Literal["pixels", "handcrafted"] | None = "handcrafted"
    """Put the normalised codes of this encoder beside those of the kind."""
    fuse_share: float = Field(default=0.5, gt=0, lt=1)
    """How much of a distance comes from the encoder that is put beside."""
    metric: MetricConfig = MetricConfig()
    splits: tuple[Split, ...] = ("train", "val", "test")
    """Splits whose tiles are trained on. Labels are not, so all may be."""
    monitor_frac: float = Field(default=0.1, ge=0.0, lt=0.5)
    """Share of the groups that is not trained on but watched."""
    pixels: PixelsConfig = PixelsConfig()
    handcrafted: HandcraftedConfig = HandcraftedConfig()
    autoencoder: AutoencoderConfig = AutoencoderConfig()
    contrastive: ContrastiveConfig = ContrastiveConfig()
    pairing: PairingConfig = PairingConfig()
    pretrained: PretrainedConfig = PretrainedConfig()

    @field_validator("kind", mode="before")
    @classmethod
    def _is_known(cls, kind: Any) -> Any:
        return known_kind(kind, KINDS)

    @property
    def parts(self) -> tuple[str, ...]:
        """The kinds whose codes are put side by side."""
        return (self.kind,) if self.fuse_with is None else (self.kind, self.fuse_with)

    @property
    def shares(self) -> tuple[float, ...]:
        """How much of a distance comes from each of `parts`."""
        return (1.0,) if self.fuse_with is None else (1 - self.fuse_share, self.fuse_share)

    def what_counts(self) -> dict[str, Any]:
        """Return what the encoder follows from, without the sections of kinds that it is not made of: JSON values."""
        shared = {"kind", "fuse_with", "fuse_share", "metric", "splits", "monitor_frac", "pairing"}
        own = {"random": "contrastive"} | dict.fromkeys(AUTOENCODERS, "autoencoder")
        return self.model_dump(mode="json", include=shared | {own.get(kind, kind) for kind in self.parts})

    def baseline(self, kind: Kind) -> "EncoderConfig":
        """Return another kind alone, its codes as they are: to compare with."""
        plain = {"kind": kind, "fuse_with": None, "metric": self.metric.model_copy(update={"kind": "plain"})}
        return self.model_copy(update=plain)


def is_trained(kind: str) -> bool:
    """Tell whether an encoder of this kind learns from tiles over epochs."""
    return kind == "contrastive" or kind in AUTOENCODERS


def has_network(kind: str) -> bool:
    """Tell whether an encoder of this kind has a network."""
    return kind not in ("pixels", "handcrafted")


def build_network(config: EncoderConfig) -> nn.Module:
    """Return the kind's network, untrained. Its weights come from torch's generator: see `training.seeded`.

    Raises RovervisionError for a kind that has none.
    """
    if config.kind in ("contrastive", "random"):
        return ContrastiveNetwork(config.contrastive)
    if config.kind == "pretrained":
        return PretrainedNetwork(config.pretrained)
    if config.kind in AUTOENCODERS:
        return build_autoencoder(cast(Any, config.kind), config.autoencoder)
    raise RovervisionError(f"The encoder {config.kind} has no network. Set clustering.encoder.kind to one that has.")


def input_side_px(config: EncoderConfig, network: nn.Module) -> int:
    """Return the side that the kind's network takes."""
    return config.contrastive.input_px if isinstance(network, ContrastiveNetwork) else cast(Any, network).input_px


class OpenEncoder:
    """Turns images into codes, and codes of autoencoders into images. Made by `open_encoder`."""

    def __init__(
        self, config: EncoderConfig, network: nn.Module | None, metric: CodeMetric, device: str | torch.device = "cpu"
    ) -> None:
        self.config, self.metric, self._device = config, metric, torch.device(device)
        self._network = network if network is None else network.to(self._device).eval()
        self.dim = int(self.metric.apply(self.parts(np.zeros((1, 16, 16, 3), np.uint8))).shape[1])

    def embed(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return (N, dim) float32 codes of (N, P, P, 3) uint8; alone or among others, an image has the same.

        Raises RovervisionError where these are no square colour images of 8 bits.
        """
        _check_images(pixels)
        if len(pixels) == 0:
            return np.empty((0, self.dim), np.float32)
        codes, top = np.empty((len(pixels), self.dim), np.float32), 0
        for some in _some_at_once(pixels):  # into place: a list of all parts would be held beside their copy
            codes[top : top + len(some)] = self.metric.apply(self.parts(some))
            top += len(some)
        return codes

    def parts(self, pixels: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """Return the codes of the kind, and of the one that it is fused with, before they are measured."""
        return [self._codes(kind, pixels) for kind in self.config.parts]

    @property
    def can_decode(self) -> bool:
        """Whether `latents`, `decode` and `reconstruct` are to be had: an autoencoder's."""
        return isinstance(self._network, Autoencoder)

    def latents(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return what the autoencoder itself calls the code of an image: `embed` may measure and fuse it."""
        self._autoencoder()
        _check_images(pixels)
        return np.concatenate([self._codes(self.config.kind, some) for some in _some_at_once(pixels)])

    @torch.no_grad()
    def decode(self, latents: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Return images of latents. (N, L) to (N, input_px, input_px, 3) uint8."""
        return _to_pixels(self._autoencoder().decode(torch.from_numpy(np.asarray(latents)).to(self._device)))

    @torch.no_grad()
    def reconstruct(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return images as the autoencoder gives them back. (N, P, P, 3) to (N, input_px, input_px, 3), both uint8."""
        network = self._autoencoder()
        _check_images(pixels)
        unit = to_unit(pixels, network.input_px, self._device)
        return _to_pixels(network.reconstruct(unit))

    def _autoencoder(self) -> Autoencoder:
        if not isinstance(self._network, Autoencoder):
            raise RovervisionError(
                f"The encoder {self.config.kind} cannot turn codes into images. Set clustering.encoder.kind to one of "
                f"{', '.join(AUTOENCODERS)}."
            )
        return self._network

    @torch.no_grad()
    def _codes(self, kind: str, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        if kind == "pixels":
            return pixel_codes(pixels, self.config.pixels)
        if kind == "handcrafted":
            return handcrafted_codes(pixels, self.config.handcrafted)
        assert self._network is not None
        unit = to_unit(pixels, input_side_px(self.config, self._network), self._device)
        return self._network(unit).float().cpu().numpy()


def open_encoder(weights: Weights, device: str | torch.device = "cpu") -> OpenEncoder:
    """Return the encoder of these weights. Raises RovervisionError where they are not an encoder's."""
    if "encoder" not in weights.header:
        raise RovervisionError("These are not the weights of an encoder. Train one: kedro run --pipelines clustering")
    config = EncoderConfig.model_validate(weights.header["encoder"])
    network = None
    if has_network(config.kind):
        network = build_network(config)
        network.load_state_dict(weights.group("network"))
    return OpenEncoder(config, network, CodeMetric.restore(weights.group("metric"), config.shares), device)


def _check_images(pixels: NDArray[np.uint8]) -> None:
    if pixels.ndim != 4 or pixels.shape[1] != pixels.shape[2] or pixels.shape[3] != 3 or pixels.dtype != np.uint8:
        raise RovervisionError(
            f"Codes are made of square colour images of 8 bits, (N, P, P, 3) uint8: these are {pixels.shape} "
            f"{pixels.dtype}. Convert them first; gray images repeat one channel three times."
        )


def _some_at_once(pixels: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    for start in range(0, len(pixels), _IMAGES_AT_ONCE):
        yield np.asarray(pixels[start : start + _IMAGES_AT_ONCE])


def _to_pixels(unit: torch.Tensor) -> NDArray[np.uint8]:
    return (unit.clamp(0, 1) * 255).round().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
