"""Colour for gray images: which ones, and a PNG for each."""

from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import PurePosixPath

import numpy as np
import pandas as pd

from rovervision.errors import RovervisionError
from rovervision.imaging.encoding import encode_png
from rovervision.imaging.tiles import TileStore
from rovervision.learning.colorizing import WhiteBalance, lightness_of
from rovervision.learning.model_use import ModelAtHand, ModelPlan, ModelUse, origin_of_use
from rovervision.learning.serving import OpenColorizer, to_base64
from rovervision.learning.weights import Weights
from rovervision.pipelines.colorization.config import ColorizationConfig
from rovervision.pipelines.colorization.doubt_picture import draw_doubt
from rovervision.sources.frame import StoredFile
from rovervision.sources.product_names import parse_product_name

_OWN = "rovervision.pipelines.colorization"
APPLYING_CODE = ("rovervision.imaging", "rovervision.learning", f"{_OWN}.applying", f"{_OWN}.doubt_picture")
"""Modules and packages that decide what a coloured image is."""


def select_gray_images(
    frames_split: pd.DataFrame, images_raw: Mapping[str, StoredFile]
) -> dict[str, Callable[[], bytes]]:
    """Promise the bytes of every kept frame that holds no colour: what a colorizer is for. File name → callable."""
    gray = frames_split[frames_split["kept"] & ~frames_split["is_color"]]
    wanted = gray.set_index("frame_id")["file_name"].to_dict()
    suffixes = {frame_id: PurePosixPath(name).suffix for frame_id, name in wanted.items()}
    return {
        f"{frame_id}{suffixes[frame_id]}": images_raw[frame_id].read for frame_id in wanted if frame_id in images_raw
    }


def colorize_images(images: Mapping[str, StoredFile], colorizer: Weights, config: ColorizationConfig) -> ModelPlan:
    """Promise a PNG in colour for every image. Relative path → callable; a file that is no image fails on its own.

    Where `apply.doubt` asks for it, a second PNG tells how far off the colours may be (see `draw_doubt`). Promises of
    the same file, model and code have the same origin.
    """
    apply = config.apply
    work_px = apply.work_px(colorizer)
    model = ModelAtHand({"colorizer": colorizer}, partial(_open, work_px=work_px, white_balance=apply.white_balance))
    told = f"{model.digest()} {work_px} {apply.white_balance}"

    def color(key: str) -> ModelUse:
        camera, file = camera_of(key), images[key]
        origin = origin_of_use(f"colour {told} {camera}", file)
        return ModelUse(partial(colorize_file, file, camera=camera), model, origin)

    names = output_names(list(images))
    uses = {names[key]: color(key) for key in images}
    if apply.doubt:
        if not model.get().knows_doubt:
            raise RovervisionError(
                f"Colorizers of the kind {colorizer.header['model']['kind']} cannot tell how far off they may be. Set "
                "colorization.apply.doubt=false, or train the kind residual."
            )
        doubts = doubt_names(list(names.values()))
        uses |= {
            doubts[names[key]]: ModelUse(partial(doubt_file, file), model, origin_of_use(f"doubt {told}", file))
            for key, file in images.items()
        }
    return ModelPlan(uses, model=model, workers=apply.workers, code=APPLYING_CODE)


def _open(weights: Mapping[str, Weights], work_px: int, white_balance: WhiteBalance) -> OpenColorizer:
    return OpenColorizer(weights["colorizer"], work_px, white_balance)


def camera_of(path: str) -> str:
    """Return `rover/camera` as the file name tells it, or else the two folders that the file lies in."""
    product = parse_product_name(PurePosixPath(path).name)
    return f"{product.rover}/{product.camera}" if product else "/".join(PurePosixPath(path).parts[-3:-1])


def output_names(keys: list[str]) -> dict[str, str]:
    """Return key → PNG path: the same folder and stem; the suffix stays in the name where two stems would collide."""
    stems = {key: str(PurePosixPath(key).with_suffix("")) for key in keys}
    count = Counter(stem.lower() for stem in stems.values())
    return {key: f"{stem if count[stem.lower()] == 1 else key}.png" for key, stem in stems.items()}


def doubt_names(colored: list[str]) -> dict[str, str]:
    """Return name of a coloured image → name of its doubt: `_doubt` before the suffix, more often where it is taken."""
    taken, names = {name.lower() for name in colored}, {}
    for name in colored:
        doubt = f"{name.removesuffix('.png')}_doubt.png"
        while doubt.lower() in taken:
            doubt = f"{doubt.removesuffix('.png')}_doubt.png"
        taken.add(doubt.lower())
        names[name] = doubt
    return names


def colorize_file(file: StoredFile, colorizer: OpenColorizer, camera: str) -> bytes:
    """Return the image of one file in colour, as PNG bytes."""
    return colorizer.png(file.read(), camera)


def doubt_file(file: StoredFile, colorizer: OpenColorizer) -> bytes:
    """Return the doubt about the colours of one file, as PNG bytes."""
    doubt = colorizer.doubt_of_file(file.read())
    if doubt is None:
        raise RovervisionError("This colorizer cannot tell how far off it may be.")
    return draw_doubt(doubt)


def exemplify_colorizer(tiles: TileStore, colorizer: Weights, config: ColorizationConfig) -> dict[str, pd.DataFrame]:
    """Return one gray tile and its colouring as PNG in base64, from which MLflow takes the model's signature.

    input: one row of `image` and `camera`. output: one row of `image`.
    """
    gray = encode_png(np.rint(lightness_of(np.asarray(tiles.pixels[0])) * 2.55).astype(np.uint8))
    colored = OpenColorizer(colorizer, config.apply.work_px(colorizer)).png(gray)
    return {
        "input": pd.DataFrame({"image": [to_base64(gray)], "camera": [""]}),
        "output": pd.DataFrame({"image": [to_base64(colored)]}),
    }
