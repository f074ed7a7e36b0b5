"""What a colorizer says of single tiles, beside the truth."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from rovervision.imaging.color import fit_gamut, lab_to_rgb, rgb_to_lab
from rovervision.imaging.color_difference import ciede2000
from rovervision.imaging.tiles import TileStore
from rovervision.learning.colorizer import enlarge
from rovervision.learning.colorizers import Colorizer, number_cameras, pad_to_multiple
from rovervision.learning.weights import Weights

Float = NDArray[np.float32]


@dataclass(frozen=True)
class Prediction:
    """One tile: its true colours, those that a colorizer gives it, and the error that it expects of them."""

    lab: Float
    """(H, W, 3) the truth."""
    ab: Float
    """(H, W, 2) the prediction; its lightness is the true one."""
    doubt: Float | None
    """(H, W) expected error in units of CIEDE2000; None for a kind that does not judge itself."""

    @property
    def error(self) -> Float:
        """The error, (H, W) CIEDE2000, as it is scored."""
        return ciede2000(self.lab, np.concatenate([self.lab[..., :1], self.ab], axis=-1))

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """The predicted image, (H, W, 3) sRGB."""
        return lab_to_rgb(fit_gamut(np.concatenate([self.lab[..., :1], self.ab], axis=-1)))


def predict_tile(tiles: TileStore, row: int, model: Colorizer, colorizer: Weights) -> Prediction:
    """Return what the model says of one tile. `colorizer` are its weights, whose header knows the cameras."""
    lab = rgb_to_lab(np.asarray(tiles.pixels[row]))
    about = tiles.index.iloc[row]
    number = camera_number(f"{about['rover']}/{about['camera']}", colorizer)
    return Prediction(lab, predict_ab(model, lab[..., 0], number), predict_doubt(model, lab[..., 0]))


@torch.no_grad()
def predict_ab(model: Colorizer, lightness: Float, camera: int) -> Float:
    """Return the model's ab for one image's lightness. (H, W) to (H, W, 2) float32."""
    L = _as_batch(model, lightness)
    return model(L, torch.tensor([camera], device=L.device))[0].permute(1, 2, 0).cpu().numpy()


@torch.no_grad()
def predict_doubt(model: Colorizer, lightness: Float) -> Float | None:
    """Return the expected CIEDE2000 of each pixel's colour, (H, W) float32; None where the kind has no doubt."""
    ask = getattr(model, "doubt", None)
    if ask is None:
        return None
    cells = ask(pad_to_multiple(_as_batch(model, lightness), model.stride_px))
    return enlarge(cells, model.stride_px, lightness.shape)[0, 0].float().cpu().numpy()


@torch.no_grad()
def predict_together(model: Colorizer, tiles: TileStore, rows: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Yield row and ab (H, W, 2) of tiles that are coloured together, as if training went on."""
    live = copy.deepcopy(model).train()  # running statistics move, so the model itself stays out of it
    L = torch.from_numpy(np.stack([rgb_to_lab(np.asarray(tiles.pixels[row]))[..., 0] for row in rows]))[:, None]
    predicted = live(L.to(model.tables.device)).permute(0, 2, 3, 1).cpu().numpy()
    yield from zip(rows.tolist(), predicted, strict=True)


def camera_number(camera: str, colorizer: Weights) -> int:
    """Return the number under which a colorizer knows the camera `rover/camera`; 0 where it does not."""
    return int(number_cameras([camera], colorizer.header["cameras"])[0])


def _as_batch(model: Colorizer, lightness: Float) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(lightness))[None, None].to(model.tables.device)
