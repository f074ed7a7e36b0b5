"""Colour for gray images: which ones, and a PNG for each."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import PurePosixPath

import pandas as pd

from rovervision.imaging.decoding import decode_image, is_pds3, to_uint8
from rovervision.imaging.encoding import encode_png
from rovervision.learning.colorizers import ResidualColorizer, number_cameras
from rovervision.learning.colorizing import colorize, load_colorizer
from rovervision.learning.weights import Weights
from rovervision.pipelines.colorization.config import ColorizationConfig
from rovervision.sources.frame import StoredFile
from rovervision.sources.product_names import parse_product_name


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


def colorize_images(
    images: Mapping[str, StoredFile], colorizer: Weights, config: ColorizationConfig
) -> dict[str, Callable[[], bytes]]:
    """Promise a PNG in colour for every image. Relative path → callable; a file that is no image fails on its own."""
    model = load_colorizer(colorizer)
    names, work_px = output_names(list(images)), config.apply.work_px(colorizer)
    cameras = number_cameras([camera_of(key) for key in images], colorizer.header["cameras"]).tolist()
    return {
        names[key]: partial(colorize_file, file, model, work_px, camera)
        for (key, file), camera in zip(images.items(), cameras, strict=True)
    }


def camera_of(path: str) -> str:
    """Return `rover/camera` as the file name tells it, or else the two folders that the file lies in."""
    product = parse_product_name(PurePosixPath(path).name)
    return f"{product.rover}/{product.camera}" if product else "/".join(PurePosixPath(path).parts[-3:-1])


def output_names(keys: list[str]) -> dict[str, str]:
    """Return key → PNG path: the same folder and stem; the suffix stays in the name where two stems would collide."""
    stems = {key: str(PurePosixPath(key).with_suffix("")) for key in keys}
    lowered = [stem.lower() for stem in stems.values()]
    return {key: f"{stem if lowered.count(stem.lower()) == 1 else key}.png" for key, stem in stems.items()}


def colorize_file(file: StoredFile, model: ResidualColorizer, work_px: int, camera: int) -> bytes:
    """Return the image of one file in colour, as PNG bytes. Sensor counts of a PDS3 file are stretched to 8 bits."""
    data = file.read()
    image = decode_image(data)
    return encode_png(colorize(to_uint8(image) if is_pds3(data) else image, model, work_px, camera))
