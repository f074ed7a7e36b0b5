"""A trained colorizer for anyone who has only the weights file: arrays in and out, PNG in and out, and for MLflow."""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

from rovervision.errors import RovervisionError
from rovervision.imaging.decoding import decode_image, is_pds3, to_uint8
from rovervision.imaging.encoding import encode_png
from rovervision.imaging.png_text import text_of, with_text
from rovervision.learning.colorizers import number_cameras
from rovervision.learning.colorizing import WhiteBalance, doubt_map, gains_for, load_colorizer, paint, plan_colors
from rovervision.learning.weights import Weights, read_weights
from rovervision.learning.white_balance import Gains, undo_gains

if TYPE_CHECKING:
    import pandas as pd

GAINS_KEY = "Rovervision white balance"
"""The text of a PNG that holds the gains of linear red, green and blue, with spaces between."""


class OpenColorizer:
    """Colours images. Made by `open_colorizer`."""

    def __init__(self, weights: Weights, work_px: int | None = None, white_balance: WhiteBalance = "released") -> None:
        self._model, self._cameras = load_colorizer(weights), tuple(weights.header.get("cameras", ()))
        self._work_px = work_px or int(weights.header["work_px"])
        self._white_balance: WhiteBalance = white_balance

    @overload
    def __call__(self, images: NDArray[Any], camera: str = "") -> NDArray[np.uint8]: ...
    @overload
    def __call__(self, images: Sequence[NDArray[Any]], camera: str = "") -> list[NDArray[np.uint8]]: ...
    def __call__(
        self, images: NDArray[Any] | Sequence[NDArray[Any]], camera: str = ""
    ) -> NDArray[np.uint8] | list[NDArray[np.uint8]]:
        """Return images in colour, each as if it were alone.

        Args:
            images: one image, (H, W) gray or (H, W, 3) sRGB, uint8 or uint16; a batch of equal sizes, (N, H, W, 1) or
                (N, H, W, 3); or a list of images of any sizes. Of colour, only the lightness is used.
            camera: such as `curiosity/navcam_left`; one that the model has not met is any camera.

        Returns:
            (H, W, 3) uint8 sRGB; (N, H, W, 3); or a list of images.
        """
        if not isinstance(images, np.ndarray):
            return [self._color(image, camera)[0] for image in images]
        if images.ndim != 4:
            return self._color(images, camera)[0]
        gray_or_color = images[..., 0] if images.shape[3] == 1 else images
        return np.stack([self._color(image, camera)[0] for image in gray_or_color])

    def png(self, data: bytes, camera: str = "") -> bytes:
        """Return the bytes of an image file (JPEG, PNG, TIFF, PDS3) in colour, as PNG.

        Sensor counts of a PDS3 file are stretched to 8 bits. The gains of a white balance stand in the PNG's text.
        """
        colored, gains = self._color(_decoded(data), camera)
        text = {GAINS_KEY: " ".join(map(str, gains))} if max(gains) != min(gains) else {}
        return with_text(encode_png(colored), text)

    @property
    def knows_doubt(self) -> bool:
        """Whether the model can tell how far off its colours may be."""
        return hasattr(self._model, "doubt")

    def doubt(self, image: NDArray[Any]) -> NDArray[np.float32] | None:
        """Return the error to expect of each pixel (see `colorizing.doubt_map`); None where the model knows none."""
        return doubt_map(image, self._model, self._work_px)

    def doubt_of_file(self, data: bytes) -> NDArray[np.float32] | None:
        """Return the same for the bytes of an image file."""
        return self.doubt(_decoded(data))

    def _color(self, image: NDArray[Any], camera: str) -> tuple[NDArray[np.uint8], Gains]:
        image = np.ascontiguousarray(image)
        number = int(number_cameras([camera], self._cameras)[0])
        plan = plan_colors(image, self._model, self._work_px, number)
        gains = gains_for(plan, self._white_balance)
        return paint(image, plan, gains), gains


def open_colorizer(path: str | Path, white_balance: WhiteBalance = "released") -> OpenColorizer:
    """Return what colours images with the weights of a safetensors file. Raises RovervisionError where it is none.

    Args:
        path: a colorizer's weights, `colorizer.safetensors`.
        white_balance: `released`, the colours that the archives publish, or `display`, toward a white light.
    """
    return OpenColorizer(read_weights(Path(path)), white_balance=white_balance)


def undo_white_balance(png: bytes) -> NDArray[np.uint8]:
    """Return the image of a PNG that a colorizer wrote, with the released colours, (H, W, 3) uint8, within 1 of 255."""
    image, gains = decode_image(png), text_of(png).get(GAINS_KEY)
    if gains is None:
        return image
    red, green, blue = map(float, gains.split())
    return undo_gains(image, (red, green, blue))


def open_png_service(files: Mapping[str, str]) -> Callable[["pd.DataFrame"], "pd.DataFrame"]:
    """Return what MLflow serves: a table of images in, a table of images in colour out.

    Args:
        files: `weights` → path of a colorizer's safetensors file.

    Returns:
        A function of a table whose column `image` holds image files in base64, and whose column `camera`, if there is
        one, names cameras. It returns a table of one column, `image`, PNG in base64, a row for each row.
    """
    colorizer = open_colorizer(files["weights"])

    def answer(asked: "pd.DataFrame") -> "pd.DataFrame":
        import pandas as pd

        cameras = asked["camera"] if "camera" in asked else [""] * len(asked)
        rows = zip(asked["image"], cameras, strict=True)
        return pd.DataFrame(
            {"image": [to_base64(colorizer.png(from_base64(image), camera or "")) for image, camera in rows]}
        )

    return answer


def to_base64(data: bytes) -> str:
    """Return bytes as base64 text."""
    return base64.b64encode(data).decode("ascii")


def from_base64(text: str) -> bytes:
    """Return the bytes of base64 text; a `data:` address is understood too. Raises RovervisionError for other text."""
    try:
        return base64.b64decode(text.partition(",")[2] if text.startswith("data:") else text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise RovervisionError(
            f"The image is not base64 ({error}). Send the bytes of an image file in base64."
        ) from error


def _decoded(data: bytes) -> NDArray[Any]:
    image = decode_image(data)
    return to_uint8(image) if is_pds3(data) else image
