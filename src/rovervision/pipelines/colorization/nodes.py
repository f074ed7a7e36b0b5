"""The steps of colorization: what is known without a network, training, scoring, and use."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import PurePosixPath

import numpy as np
import pandas as pd
import torch

from rovervision.errors import RovervisionError
from rovervision.imaging.color_priors import ColorPriors
from rovervision.imaging.color_priors import fit_color_priors as fit_priors
from rovervision.imaging.decoding import decode_image, is_pds3, to_uint8
from rovervision.imaging.encoding import encode_png
from rovervision.imaging.tiles import TileStore
from rovervision.learning.batches import Augmentation, ColorBatches
from rovervision.learning.color import perceived_ab_error
from rovervision.learning.colorizers import ResidualColorizer, build_colorizer, number_cameras, stack_tables
from rovervision.learning.colorizing import colorize, lightness_of, load_colorizer
from rovervision.learning.training import Batch, Metrics, fit, open_fabric, seeded
from rovervision.learning.weights import Weights
from rovervision.pipelines.colorization.config import ColorizationConfig
from rovervision.pipelines.colorization.selecting import (
    camera_names,
    color_rows,
    describe_tiles,
    fingerprint,
    sampling_weights,
    scored_rows,
    split_monitor,
)
from rovervision.sources.frame import StoredFile
from rovervision.sources.product_names import parse_product_name


def fit_color_priors(tiles: TileStore, config: ColorizationConfig) -> dict[str, dict[str, object]]:
    """Average the colours of the training tiles: as a whole, at each lightness, and at each lightness by camera.

    `as_they_come` counts every tile once and serves the baselines. `balanced` and `usual` are for the colorizer and
    leave the watched groups out: the one counts rare strata more, as training does, and is what the colorizer starts
    from; the other counts every tile once, so it is mostly soil, and is the colour of dust.
    """
    scored_rows(tiles.index, config.scoring)  # a split without colour is better told now than after the training
    rows, cameras = color_rows(tiles.index, "train"), camera_names(tiles.index)
    learnt, _ = split_monitor(tiles.index, config.sampling.monitor_frac)
    weights = sampling_weights(tiles.index.iloc[learnt], config.sampling)

    def average(rows: np.ndarray, weights: np.ndarray) -> dict[str, object]:
        counted = zip(rows, weights, strict=True)
        return fit_priors((cameras[row], tiles.pixels[row], float(weight)) for row, weight in counted).to_json()

    return {
        "as_they_come": average(rows, np.ones(len(rows))),
        "usual": average(learnt, np.ones(len(learnt))),
        "balanced": average(learnt, weights),
    }


def train_colorizer(
    tiles: TileStore,
    color_priors: dict[str, dict[str, object]],
    config: ColorizationConfig,
    seed: int,
    device: str,
    saved: Weights | None,
) -> Iterator[tuple[Weights, Metrics]]:
    """Train on the training split; yield a checkpoint and the new metrics after every epoch.

    A share of the training groups (whole groups, by hash) is not trained on: the epoch that is best there is kept.
    """
    train, monitor = split_monitor(tiles.index, config.sampling.monitor_frac)
    if len(train) < config.training.batch_size:
        raise RovervisionError(
            f"The training split has {len(train)} colour tiles, fewer than one batch of {config.training.batch_size}. "
            "Ingest more frames, or lower colorization.training.batch_size."
        )
    weights = sampling_weights(tiles.index.iloc[train], config.sampling)
    tables, known = stack_tables(ColorPriors.from_json(color_priors["balanced"]), config.model.camera_share)
    cameras = number_cameras(camera_names(tiles.index), known).numpy()
    batch_size = config.training.batch_size
    augmentation = Augmentation(config.augmentation, ColorPriors.from_json(color_priors["usual"]).lookup)
    batches = ColorBatches(tiles.pixels, cameras, train, batch_size, augmentation, seed, weights)
    watched = ColorBatches(tiles.pixels, cameras, monitor, 2 * batch_size, None, seed)
    with seeded(seed):
        model = build_colorizer(tables, config.model)
    fabric = open_fabric(device, config.training.precision)
    recipe = fingerprint(config, seed, tiles)
    resume = saved if saved is not None and config.resume and saved.header.get("recipe") == recipe else None
    header = {
        "recipe": recipe,
        "model": config.model.model_dump(mode="json"),
        "cameras": known,
        "tile_px": tiles.tile_px,
        "trained_on": describe_tiles(tiles.index, train, monitor),
    }
    for checkpoint, metrics in fit(model, perceived_loss, batches, watched, config.training, fabric, seed, resume):
        yield Weights(checkpoint.tensors, checkpoint.header | header), metrics


def perceived_loss(model: ResidualColorizer, batch: Batch) -> torch.Tensor:
    """Return the mean perceived error of coarse ab over a batch of (lightness, camera, ab)."""
    lightness, camera, true_ab = batch
    return perceived_ab_error(model.coarse(lightness, camera), true_ab).mean()


def finish_colorizer(checkpoint: Weights, config: ColorizationConfig) -> Weights:
    """Return the best averaged weights alone, with all that is needed to use them."""
    about = {
        "epochs": checkpoint.header["epoch"],
        "work_px": config.apply.work_px(checkpoint),
        "input": "CIE L, 0..100",
    }
    header = {
        key: checkpoint.header[key]
        for key in ("recipe", "model", "cameras", "tile_px", "trained_on", "best_epoch", "best_loss")
    }
    return Weights(checkpoint.group("best"), header | about)


def exemplify_colorizer(tiles: TileStore, colorizer: Weights, config: ColorizationConfig) -> dict[str, np.ndarray]:
    """Return one gray tile and its colouring, from which MLflow takes the model's signature.

    input: (1, tile_px, tile_px, 1) uint8. output: (1, tile_px, tile_px, 3) uint8.
    """
    gray = np.rint(lightness_of(np.asarray(tiles.pixels[0])) * 2.55).astype(np.uint8)
    colored = colorize(gray, load_colorizer(colorizer), config.apply.work_px(colorizer))
    return {"input": gray[None, ..., None], "output": colored[None]}


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
