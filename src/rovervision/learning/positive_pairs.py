"""Which tiles show much the same without being the same: the other eye, the next frame, another part of the frame."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from rovervision.imaging.relations import stereo_pairs

_MMM_NAME = re.compile(r"(?P<sol>\d{4})M(?P<eye>[LRHD])(?P<sequence>\d{6})(?P<command>\d{3})\d{7}[A-U]")
"""Mastcam, MAHLI and MARDI: sol, instrument, sequence and command within it, counter of products (MMM DPSIS)."""


class PairingConfig(BaseModel):
    """Which companions of a tile count as its like."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    frame: bool = True
    """Other tiles of the same frame."""
    stereo: bool = True
    """The other eye at the same instant."""
    time: bool = True
    """Frames of the same camera and sequence shortly before and after."""
    stereo_s: float = Field(default=5.0, gt=0)
    """Longest time between the exposures of two eyes."""
    time_s: float = Field(default=300.0, gt=0)
    """A longer pause ends a sequence. Where an archive tells no times, sequences go by product names."""
    reach_frames: int = Field(default=6, ge=1)
    """A neighbour is at most so many frames of the sequence away."""
    across_splits: bool = False
    """Companions may be of another split."""
    share: float = Field(default=0.7, ge=0, le=1)
    """So often the second view is of a companion, where there is one; else of the tile itself."""


@dataclass(frozen=True)
class Companions:
    """The likes of N tiles: those of tile i are `rows[starts[i] : starts[i + 1]]`."""

    starts: NDArray[np.int64]
    """(N + 1,)."""
    rows: NDArray[np.int64]
    """Row numbers of companions."""
    sequences: NDArray[np.int64]
    """(N,) tiles of one sequence share a number: they may show the same and are not told apart."""

    def of(self, row: int) -> NDArray[np.int64]:
        """Return the companions of one tile."""
        return self.rows[self.starts[row] : self.starts[row + 1]]

    def draw(self, rows: NDArray[np.int64], share: float, rng: np.random.Generator) -> NDArray[np.int64]:
        """Return for each row a companion, by that chance and where there is one, else the row itself."""
        counts = self.starts[rows + 1] - self.starts[rows]
        chosen = self.starts[rows] + np.floor(rng.random(len(rows)) * counts).astype(np.int64)
        is_drawn = (rng.random(len(rows)) < share) & (counts > 0)
        return np.where(is_drawn, self.rows[np.where(is_drawn, chosen, 0)] if len(self.rows) else rows, rows)

    def pairs(self) -> NDArray[np.int64]:
        """Return (n, 2) rows i < j of all companions."""
        first = np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))
        both = np.stack([first, self.rows], axis=1)
        return _distinct(both[both[:, 0] < both[:, 1]])

    def among(self, rows: NDArray[np.int64]) -> "Companions":
        """Return the same for all tiles, with only these as anyone's companion."""
        allowed = np.zeros(len(self.sequences), bool)
        allowed[rows] = True
        first = np.repeat(np.arange(len(self.sequences)), np.diff(self.starts))
        kept = allowed[self.rows] & allowed[first]
        return _gathered(np.stack([first[kept], self.rows[kept]], axis=1), self.sequences)


def find_companions(index: pd.DataFrame, config: PairingConfig) -> Companions:
    """Return the companions of every tile of an index.

    Times are the spacecraft's clock, else UTC. Without both, the names of Mastcam, MAHLI and MARDI tell which frames
    belong to a sequence, in which order, and which command both eyes followed; other frames then have no neighbours.

    Args:
        index: rows of `imaging.tiles.TILE_INDEX_COLUMNS`.
        config: what counts.
    """
    frames = index.drop_duplicates("frame_id").reset_index(drop=True)
    clock_s, names = clocks(frames), frames["frame_id"].astype(str).tolist()
    sequences = number_sequences(frames, clock_s, config.time_s)
    found = [np.empty((0, 2), np.int64)]
    if config.time:
        found.append(neighbours(sequences, clock_s, names, config))
    if config.stereo:
        cameras = frames["camera"].astype(str).tolist()
        found += [stereo_pairs(frames["rover"].astype(str).tolist(), cameras, clock_s, config.stereo_s)]
        found += [same_command_pairs(names)]
    frame_of = pd.Index(frames["frame_id"]).get_indexer(index["frame_id"])
    pairs = tile_pairs(np.concatenate(found), frame_of, config.frame)
    if not config.across_splits:
        split = index["split"].astype(str).to_numpy()
        pairs = pairs[split[pairs[:, 0]] == split[pairs[:, 1]]]
    return _gathered(np.concatenate([pairs, pairs[:, ::-1]]), sequences[frame_of])


def clocks(frames: pd.DataFrame) -> NDArray[np.float64]:
    """Return seconds of the spacecraft's clock, else of UTC, else NaN. (F,)."""
    sclk_s = frames["sclk_s"].to_numpy(np.float64, na_value=np.nan)
    utc = pd.to_datetime(frames["taken_utc"], utc=True, errors="coerce", format="ISO8601")
    utc_s = (utc - pd.Timestamp(0, tz="UTC")).dt.total_seconds().to_numpy(np.float64, na_value=np.nan)
    return sclk_s if np.isfinite(sclk_s).any() else utc_s


def number_sequences(frames: pd.DataFrame, clock_s: NDArray[np.float64], pause_s: float) -> NDArray[np.int64]:
    """Return which sequence each frame is of: one camera and sol without a longer pause, or one sequence by name. (F,)

    A frame of which neither is known is a sequence by itself.
    """
    owners = frames["rover"].astype(str) + " " + frames["camera"].astype(str) + " " + frames["sol"].astype(str)
    matches = [_MMM_NAME.match(name) for name in frames["frame_id"].astype(str)]
    keys = [
        f"{owner} {m['sequence']}" if m else f"alone {row}"
        for row, (owner, m) in enumerate(zip(owners, matches, strict=True))
    ]
    owner = pd.factorize(owners, sort=True)[0]  # -1 where the sol is not known
    order = np.lexsort((clock_s, owner))
    order = order[np.isfinite(clock_s[order])]
    begins = (np.diff(owner[order], prepend=-2) != 0) | (np.diff(clock_s[order], prepend=-np.inf) > pause_s)
    begins |= owner[order] < 0  # nobody knows whether two unknown sols are one
    for row, run in zip(order.tolist(), np.cumsum(begins).tolist(), strict=True):
        keys[row] = f"run {run}"
    return np.unique(keys, return_inverse=True)[1].astype(np.int64)


def neighbours(
    sequences: NDArray[np.int64], clock_s: NDArray[np.float64], names: Sequence[str], config: PairingConfig
) -> NDArray[np.int64]:
    """Return (n, 2) frames of one sequence that are at most `reach_frames` and `time_s` apart."""
    order = np.lexsort((np.array(names), np.nan_to_num(clock_s), sequences))
    found = [np.empty((0, 2), np.int64)]
    for reach in range(1, min(config.reach_frames, len(order) - 1) + 1):
        first, second = order[:-reach], order[reach:]
        is_far = clock_s[second] - clock_s[first] > config.time_s
        kept = (sequences[first] == sequences[second]) & ~is_far
        found.append(np.stack([first[kept], second[kept]], axis=1))
    return np.concatenate(found)


def same_command_pairs(names: Sequence[str]) -> NDArray[np.int64]:
    """Return (n, 2) frames of Mastcam's two eyes that one command of one sequence took, by their names."""
    matches = [(row, m) for row, name in enumerate(names) if (m := _MMM_NAME.match(name))]
    table = pd.DataFrame(
        [(row, m["eye"], m["sol"] + m["sequence"] + m["command"]) for row, m in matches],
        columns=["row", "eye", "command"],
    )
    left, right = (table[table["eye"] == eye] for eye in "LR")
    return left.merge(right, on="command")[["row_x", "row_y"]].to_numpy(np.int64)


def tile_pairs(frame_pairs: NDArray[np.int64], frame_of: NDArray[np.intp], same_frame: bool) -> NDArray[np.int64]:
    """Return (n, 2) tiles of paired frames, and of the same frame where asked for. Frames' own numbers to tiles'."""
    tiles = pd.DataFrame({"frame": frame_of, "tile": np.arange(len(frame_of))})
    own = np.stack([np.unique(frame_of)] * 2, axis=1) if same_frame else np.empty((0, 2), np.int64)
    links = pd.DataFrame(np.concatenate([frame_pairs, own]), columns=["frame", "other"])
    both = links.merge(tiles, on="frame").merge(tiles, left_on="other", right_on="frame", suffixes=("", "_other"))
    pairs = both[["tile", "tile_other"]].to_numpy(np.int64)
    return pairs[pairs[:, 0] != pairs[:, 1]]


def _distinct(pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return each of (n, 2) pairs once, ordered. As single numbers they are sorted ten times as fast."""
    size = int(pairs.max(initial=0)) + 1
    return np.stack(np.divmod(np.unique(pairs[:, 0] * size + pairs[:, 1]), size), axis=1)


def _gathered(pairs: NDArray[np.int64], sequences: NDArray[np.int64]) -> Companions:
    pairs = _distinct(pairs)
    counts = np.bincount(pairs[:, 0], minlength=len(sequences))
    return Companions(np.concatenate([[0], np.cumsum(counts)]), pairs[:, 1].copy(), sequences)
