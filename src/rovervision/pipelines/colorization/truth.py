"""A truth for rovers without colour cameras: natural colour from Pancam's narrow bands, and scores on it."""

import io
import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

import cv2
import numpy as np
import pandas as pd
from PIL import Image, PngImagePlugin

from rovervision.imaging.color import rgb_to_lab
from rovervision.imaging.color_priors import look_up
from rovervision.imaging.decoding import decode_image, to_uint8
from rovervision.imaging.scores import score_colors
from rovervision.imaging.triplets import BANDS, Byte, Composition, compose, find_triplets
from rovervision.learning.colorizers import number_cameras
from rovervision.learning.colorizing import colorize, load_colorizer
from rovervision.learning.weights import Weights
from rovervision.pipelines.colorization.config import ColorizationConfig
from rovervision.sources.frame import StoredFile
from rovervision.sources.product_names import parse_product_name

FACTS: Final = "rovervision"
"""Keyword of the PNG text in which a composed image tells how it came about, as JSON."""

COLUMNS: Final = (
    "file", "rover", "camera", "sequence", "sol", "red", "green", "blue", "span_s",
    "red_right_px", "red_down_px", "red_correlation", "blue_right_px", "blue_down_px", "blue_correlation",
    "red_gain", "green_gain", "blue_gain", "left_px", "top_px", "failure",
)  # fmt: skip

METHODS: Final = ("gray", "table", "colorizer")


def compose_natural_color(
    frames_fetched: pd.DataFrame, images_raw: Mapping[str, StoredFile], config: ColorizationConfig
) -> dict[str, Callable[[], bytes]]:
    """Promise a colour image of each triplet of red, green and blue frames. `<green frame>.png` → callable.

    A triplet whose bands cannot be read or do not agree fails on its own, with the reason.
    """
    triplets = find_triplets(name_bands(frames_fetched, images_raw), config.truth)
    sols = frames_fetched.set_index("frame_id")["sol"]
    promises: dict[str, Callable[[], bytes]] = {}
    for row in triplets.to_dict("records"):
        files = {name: images_raw[row[name]] for name in BANDS}
        sol = sols[row["green"]]
        about = {key: row[key] for key in ("rover", "camera", "sequence", *BANDS, "span_s")}
        about["sol"] = None if pd.isna(sol) else int(sol)
        promises[f"{row['green']}.png"] = partial(compose_files, files, about, config)
    return promises


def name_bands(frames: pd.DataFrame, images: Mapping[str, StoredFile]) -> pd.DataFrame:
    """Return the readable frames of Spirit and Opportunity with what their names tell: see `find_triplets`."""
    rows = []
    for frame_id, file_name in zip(frames["frame_id"], frames["file_name"], strict=True):
        name = parse_product_name(file_name)
        is_whole = frame_id in images and images[frame_id].failure is None
        if name and name.sequence and is_whole and name.sample_type not in ("thumbnail", "unknown"):
            told = ("rover", "camera", "sequence", "product_type", "sample_type", "filter", "sclk_s")
            rows.append({"frame_id": frame_id} | {key: getattr(name, key) for key in told})
    columns = ["frame_id", "rover", "camera", "sequence", "product_type", "sample_type", "filter", "sclk_s"]
    return pd.DataFrame(rows, columns=columns)


def compose_files(files: Mapping[str, StoredFile], about: Mapping[str, Any], config: ColorizationConfig) -> bytes:
    """Return the PNG of one triplet, with how it came about in its text."""
    bands = {name: band_of(file) for name, file in files.items()}
    made = compose(bands["red"], bands["green"], bands["blue"], config.truth)
    return encode_with_facts(made.rgb, {**about, **facts_of(made)})


def band_of(file: StoredFile) -> Byte:
    """Return a band as (H, W) uint8. 16-bit counts are stretched, as an archive's browse images are."""
    image = to_uint8(decode_image(file.read()))
    return image if image.ndim == 2 else np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)


def facts_of(made: Composition) -> dict[str, float]:
    """Return shifts, correlations, gains and place of a composition by the names of the table's columns."""
    facts: dict[str, float] = {"left_px": made.left_px, "top_px": made.top_px}
    for name, found in made.alignments.items():
        facts[f"{name}_right_px"] = round(found.right_px, 3)
        facts[f"{name}_down_px"] = round(found.down_px, 3)
        facts[f"{name}_correlation"] = round(found.correlation, 4)
    return facts | {f"{name}_gain": round(gain, 4) for name, gain in zip(BANDS, made.gains, strict=True)}


def encode_with_facts(rgb: Byte, facts: Mapping[str, Any]) -> bytes:
    """Return PNG bytes that carry facts as JSON in a text chunk."""
    text = PngImagePlugin.PngInfo()
    text.add_text(FACTS, json.dumps(facts))
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "PNG", pnginfo=text)
    return buffer.getvalue()


def facts_in(data: bytes) -> dict[str, Any]:
    """Return the facts that a composed image carries; nothing where it carries none."""
    with Image.open(io.BytesIO(data)) as image:
        return dict(json.loads(image.info.get(FACTS, "{}")))


def tabulate_natural_color(images_natural_color: Mapping[str, StoredFile]) -> pd.DataFrame:
    """Return which frames each composed image is made of, how they were aligned, or why there is no image."""
    rows = []
    for key, file in images_natural_color.items():
        facts = {"failure": file.failure} if file.failure else facts_in(file.read())
        rows.append({"file": key} | facts)
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(dict.fromkeys(("sol", "left_px", "top_px"), "Int64"))


def score_natural_color(
    images_natural_color: Mapping[str, StoredFile], colorizer: Weights, config: ColorizationConfig
) -> tuple[pd.DataFrame, dict[str, float]]:
    """Score the colorizer on composed images: the green band goes in, the natural colour is the truth.

    Returns one row per image and method (gray: no colour; table: the colorizer's table alone) with the scores of
    `score_colors`, at the truth's lightness; and the methods' mean over images of what the factors of the bands cannot
    change much: `structure_error`, and beside it `ciede2000`.
    """
    model = load_colorizer(colorizer)
    work_px = config.apply.work_px(colorizer)
    rows = []
    for key, file in images_natural_color.items():
        if file.failure:
            continue
        data = file.read()
        rgb, facts = decode_image(data), facts_in(data)
        camera = int(number_cameras([f"{facts.get('rover')}/{facts.get('camera')}"], colorizer.header["cameras"])[0])
        green = np.ascontiguousarray(rgb[..., 1])
        truth, colored = rgb_to_lab(rgb), rgb_to_lab(colorize(green, model, work_px, camera))
        table = model.tables[camera].cpu().numpy()
        guesses = (np.zeros_like(truth[..., 1:]), look_up(colored[..., 0], table), colored[..., 1:])
        for method, ab in zip(METHODS, guesses, strict=True):
            rows.append({"file": key, "method": method} | score_colors(truth, ab, {}))
    return _scores(rows)


def _scores(rows: list[dict[str, Any]]) -> tuple[pd.DataFrame, dict[str, float]]:
    if not rows:
        return pd.DataFrame(columns=["file", "method"]), {}
    scores = pd.DataFrame(rows)
    means = scores.groupby("method")[["structure_error", "ciede2000"]].mean()
    figures = {f"{method}.{name}": float(means.loc[method, name]) for method in METHODS for name in means.columns}
    return scores, {"images": float(scores["file"].nunique())} | figures
