"""Which frames train, which validate, which test: whole groups, by a hash that new frames do not disturb."""

import hashlib
from collections.abc import Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

SPLITS = ("train", "val", "test")


class SplitsConfig(BaseModel):
    """How groups are formed and shared out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sols_per_group: int = Field(default=3, ge=1)
    """Sols of one rover that stay together: a rover sees the same rocks for days."""
    train_share: float = Field(default=0.7, ge=0.0, le=1.0)
    val_share: float = Field(default=0.1, ge=0.0, le=1.0)
    test_share: float = Field(default=0.2, ge=0.0, le=1.0)

    @model_validator(mode="after")
    def _shares_add_up(self) -> "SplitsConfig":
        total = self.train_share + self.val_share + self.test_share
        if abs(total - 1.0) > 1e-9:
            raise ValueError(f"train_share, val_share and test_share must add up to 1, not {total:g}")
        return self

    @property
    def shares(self) -> tuple[float, float, float]:
        """Shares in the order of `SPLITS`."""
        return self.train_share, self.val_share, self.test_share


def block_keys(
    rovers: Sequence[str], sols: Sequence[int | None], frame_ids: Sequence[str], sols_per_group: int
) -> list[str]:
    """Return each frame's rover and block of sols, such as `curiosity-00120`; the frame alone where no sol is known.

    Block k holds the sols k * sols_per_group to (k + 1) * sols_per_group - 1 and is named by its first.
    """
    return [
        f"{rover}-{sol // sols_per_group * sols_per_group:05d}" if sol is not None else f"{rover}-{frame_id}"
        for rover, sol, frame_id in zip(rovers, sols, frame_ids, strict=True)
    ]


def group_keys(blocks: Sequence[str], component: np.ndarray) -> list[str]:
    """Return for each frame the smallest block key in its component of frames that show the same.

    So a component is never torn, and blocks are not merged through it: a calibration target seen on a thousand sols
    moves its own frames to one group, not a thousand sols.
    """
    smallest: dict[int, str] = {}
    for block, root in zip(blocks, component.tolist(), strict=True):
        smallest[root] = min(block, smallest.get(root, block))
    return [smallest[root] for root in component.tolist()]


def split_of(group: str, config: SplitsConfig, seed: int) -> str:
    """Return train, val or test for a group: SHA-256 of seed and group as a number in [0, 1) against the shares."""
    digest = hashlib.sha256(f"{seed}:{group}".encode()).digest()
    position = int.from_bytes(digest[:8], "big") / 2**64
    bound = 0.0
    for name, share in zip(SPLITS, config.shares, strict=True):
        bound += share
        if position < bound:
            return name
    return max(zip(config.shares, SPLITS, strict=True))[1]  # rounding of the sum


def assign_splits(groups: Sequence[str], official: Sequence[str | None], config: SplitsConfig, seed: int) -> list[str]:
    """Return the split of each frame: its official one where it has one, else its group's."""
    drawn = {group: split_of(group, config, seed) for group in set(groups)}
    return [part if part in SPLITS else drawn[group] for group, part in zip(groups, official, strict=True)]


def leaks(component: np.ndarray, splits: Sequence[str]) -> np.ndarray:
    """Return (N,) bool: frames in train whose component also has a frame in val or test."""
    parts = np.asarray(splits, dtype=str)
    held_out = np.unique(component[parts != "train"])
    return (parts == "train") & np.isin(component, held_out)


def crossing(component: np.ndarray, splits: Sequence[str]) -> np.ndarray:
    """Return (N,) bool: frames to drop so that no component spans two splits.

    Of a component only the frames in its most held-out split stay: test before val before train. Unlike `leaks` it
    also takes frames of val whose component has one in test.
    """
    order = np.array([SPLITS.index(part) for part in splits], np.int64)
    last = np.zeros(len(component), np.int64)
    np.maximum.at(last, component, order)
    return order < last[component]
