"""Generated tiles: a set in the layout of curated ones, and images that are asked for one by one."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from rovervision.imaging.encoding import encode_png
from rovervision.imaging.png_text import with_text
from rovervision.imaging.tiles import Arrays, Piece, TilePlan
from rovervision.learning.generation import Block, TileMaker, Wish, blocks
from rovervision.learning.training import open_fabric
from rovervision.learning.weights import Weights
from rovervision.pipelines.diffusion.config import DiffusionConfig


def generate_tiles(denoiser: Weights, config: DiffusionConfig, seed: int, device: str) -> TilePlan:
    """Promise the set of generated tiles, a batch at a time; camera and class are as frequent as in training.

    The index is that of curated tiles, and has `is_synthetic`, `model` and `seed` besides: nobody shall take them for
    photographs.
    """
    maker = TileMaker(denoiser, config.sampler, seed, open_fabric(device, "32-true").device)
    made = blocks(maker, config.generation.count, config.generation.batch_size)
    pieces = tuple(Piece(len(block.indices), _Tiles(block), maker.origin(block.indices)) for block in made)
    return TilePlan(describe_tiles(maker, range(config.generation.count)), maker.tile_px, pieces)


@dataclass(frozen=True)
class _Tiles:
    """The promise of a block's pixels, and of regions that nobody knows."""

    block: Block

    def __call__(self) -> Arrays:
        pixels = self.block.tiles()
        return pixels, np.zeros(pixels.shape[:3], np.uint8)


def describe_tiles(maker: TileMaker, indices: range) -> pd.DataFrame:
    """Return the tile index of generated tiles. They belong to the train split: nothing is ever scored on them."""
    cameras, classes = maker.names_of(maker.conditions_of(indices))
    names = [tile_name(maker, index) for index in indices]
    rovers = [camera.partition("/")[0] if camera else "unknown" for camera in cameras]
    about = pd.DataFrame(
        {
            "tile_id": names, "frame_id": names, "rover": rovers,
            "camera": [camera.partition("/")[2] if camera else "unknown" for camera in cameras],
            "label": pd.Series(classes, dtype=object),
        }
    )  # fmt: skip
    return about.assign(
        sol=pd.array([pd.NA] * len(names), dtype="Int64"), taken_utc=None, sclk_s=np.nan, split="train",
        group=f"generated-{maker.name}-{maker.seed}", left_px=0, top_px=0, side_px=maker.tile_px, is_color=True,
        is_debayered=False, weight=1.0, sampling_weight=1.0, is_synthetic=True, model=maker.name, seed=maker.seed,
    )  # fmt: skip


def tile_name(maker: TileMaker, index: int) -> str:
    """Return the name of a generated tile: seed and number."""
    return f"generated_{maker.seed}_{index:06d}"


def generate_images(
    denoiser: Weights, config: DiffusionConfig, seed: int, device: str
) -> dict[str, Callable[[], bytes]]:
    """Promise a PNG for each image that is asked for. File name → callable.

    Image i is tile i of the set with the same seed, where nothing special is wished for. Its text names the model.
    """
    wish = Wish(config.apply.class_name, config.apply.camera)
    maker = TileMaker(denoiser, config.sampler, seed, open_fabric(device, "32-true").device, wish)
    made = blocks(maker, config.apply.count, config.generation.batch_size)
    return {f"{tile_name(maker, index)}.png": _Image(block, index) for block in made for index in block.indices}


@dataclass(frozen=True)
class _Image:
    """The promise of one image of a block."""

    block: Block
    index: int

    @property
    def origin(self) -> str:
        """Equal only where the image is the same: a stored one is not made again."""
        return self.block.maker.origin([self.index])

    def __call__(self) -> bytes:
        maker = self.block.maker
        tile = self.block.tiles()[self.block.indices.index(self.index)]
        (camera,), (class_,) = maker.names_of(maker.conditions_of([self.index]))
        told = f"camera {camera or 'any'}, class {class_ or 'any'}, seed {maker.seed}, number {self.index}"
        return with_text(
            encode_png(tile),
            {
                "Software": f"rovervision {maker.name}",
                "Description": f"Generated, no photograph: {told}",
            },
        )
