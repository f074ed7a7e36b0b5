"""Frames, shards and tiles made by hand, and the law of every page: nothing written covers anything else."""

from collections.abc import Iterator, Mapping
from itertools import combinations

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from rovervision.imaging.quality import THUMBNAIL_PX
from rovervision.imaging.tiles import ExaminedShard, TileStore

TILE_PX = 16
SPLITS = ("train", "val", "test")


def frames_table(count: int, cameras: int = 1, reasons: Mapping[int, Mapping[str, str]] | None = None) -> pd.DataFrame:
    """Return frames f0, f1, ... of as many cameras; reasons: row -> reason -> what the finding says."""
    failed = [dict((reasons or {}).get(row, {})) for row in range(count)]
    rng = np.random.default_rng(count)
    return pd.DataFrame(
        {
            "frame_id": pd.Series([f"f{row}" for row in range(count)], dtype="string"),
            "rover": pd.Series(["perseverance" if row % 2 else "curiosity" for row in range(count)], dtype="string"),
            "camera": pd.Series([f"front_hazcam_{row % cameras}_right" for row in range(count)], dtype="string"),
            "sol": pd.Series(range(count), dtype="Int64"),
            "decoded_width_px": 64.0,
            "decoded_height_px": 48.0,
            "n_bytes": 1000,
            "entropy_bits": rng.uniform(3, 8, count),
            "spatial_variance": rng.choice([0.0, 0.25, 30.0, 900.0], count),
            "thumbnail": pd.Series([bytes([row % 256]) * THUMBNAIL_PX**2 for row in range(count)], dtype=object),
            "kept": np.array([not each for each in failed], bool),
            "reasons": pd.Series([list(each) for each in failed], dtype=object),
            "findings": pd.Series(
                [[f"{name}: {text}" for name, text in each.items()] for each in failed], dtype=object
            ),
            "group": pd.Series([None if each else f"g{row // 5}" for row, each in enumerate(failed)], dtype="string"),
            "split": pd.Series(
                [None if each else SPLITS[row // 5 % 3] for row, each in enumerate(failed)], dtype="string"
            ),
        }
    )


class CountedShards(Mapping[str, ExaminedShard]):
    """Shards of a few frames each, with two candidate tiles a frame; counts how often one is read."""

    def __init__(self, frames: pd.DataFrame, per_shard: int = 4) -> None:
        self.frames, self.per_shard, self.reads = frames, per_shard, 0

    def __getitem__(self, name: str) -> ExaminedShard:
        self.reads += 1
        top = int(name) * self.per_shard
        part = self.frames.iloc[top : top + self.per_shard]
        rows = [(row, half) for row in range(top, top + len(part)) for half in (0, 1)]
        pixels = [np.full((TILE_PX, TILE_PX, 3), (row % 256, half, 7), np.uint8) for row, half in rows]
        return ExaminedShard(
            part,
            pd.DataFrame({"frame_id": [self.frames["frame_id"].iloc[row] for row, _ in rows]}),
            np.array(pixels, np.uint8).reshape(-1, TILE_PX, TILE_PX, 3),
            np.zeros((len(rows), TILE_PX, TILE_PX), np.uint8),
        )

    def __iter__(self) -> Iterator[str]:
        return (str(number) for number in range(len(self)))

    def __len__(self) -> int:
        return (len(self.frames) + self.per_shard - 1) // self.per_shard


def tiles_table(frames: pd.DataFrame) -> TileStore:
    """Return two tiles of each kept frame."""
    kept = frames[frames["kept"]]
    index = kept.loc[kept.index.repeat(2), ["frame_id", "rover", "camera", "sol", "split", "group"]]
    index = index.reset_index(drop=True).assign(
        tile_id=range(2 * len(kept)), taken_utc=None, sclk_s=None, label=None, left_px=0, top_px=0, side_px=48,
        is_color=True, is_debayered=False, weight=1.0,
    )  # fmt: skip
    pixels = np.random.default_rng(0).integers(0, 256, (len(index), TILE_PX, TILE_PX, 3), dtype=np.uint8)
    return TileStore(pixels, np.zeros(pixels.shape[:3], np.uint8), index)


def texts(figure: Figure) -> str:
    """Return all that is written on a figure's axes."""
    found = [text for axes in figure.axes for text in (*axes.texts, axes.title, axes.xaxis.label, axes.yaxis.label)]
    return "\n".join(text.get_text() for text in found)


def collisions(figure: Figure) -> list[str]:
    """Return the texts that cover another text or a picture, or leave the page. Draws the page, once and whole."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    written = [text for axes in figure.axes for text in (*axes.texts, axes.xaxis.label, axes.yaxis.label)]
    written += [
        label for axes in figure.axes if axes.axison for axis in (axes.xaxis, axes.yaxis) for label in shown(axis)
    ]
    boxes = [(text.get_text(), text.get_window_extent(renderer)) for text in written if text.get_text().strip()]
    pictures = [("a picture", image.get_window_extent(renderer)) for image in figure.axes[0].images]
    page = figure.bbox
    outside = [f"{name} leaves the page" for name, box in boxes if not _is_inside(box, page)]
    pairs = [*combinations(boxes, 2), *((text, picture) for text in boxes for picture in pictures)]
    return outside + [f"{one[0]} covers {other[0]}" for one, other in pairs if _covers(one[1], other[1])]


def check_page(figure: Figure) -> str:
    """Check what holds of every page, and return all that is written on it."""
    assert collisions(figure) == []
    assert plt.get_fignums() == []
    return texts(figure)


def shown(axis: Axis) -> list[Text]:
    """Return the tick labels within the limits of an axis; matplotlib keeps others, which it does not draw."""
    low, high = sorted(axis.get_view_interval())
    places = zip(axis.get_majorticklocs(), axis.get_majorticklabels(), strict=True)
    return [label for place, label in places if low <= place <= high]


def _is_inside(box: Bbox, page: Bbox) -> bool:
    return box.x0 >= page.x0 and box.x1 <= page.x1 and box.y0 >= page.y0 and box.y1 <= page.y1


def _covers(one: Bbox, other: Bbox) -> bool:
    """Return whether two boxes have more in common than a pixel's width."""
    shared = Bbox.intersection(one, other)
    return shared is not None and shared.width > 1 and shared.height > 1
