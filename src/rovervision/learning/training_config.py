"""What a training is told, and the types that it speaks in."""

from collections.abc import Callable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

Batch = tuple[Tensor, ...]
Loss = Callable[[Any, Batch], Tensor]
Metrics = dict[str, list[dict[str, float]]]


class TrainingConfig(BaseModel):
    """How long and how fast to learn."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    epochs: int = Field(default=100, ge=1)
    batch_size: int = Field(default=16, ge=1)
    learning_rate: float = Field(default=2e-3, gt=0)
    """Highest rate of AdamW: reached after the warm-up, then lowered to zero along a cosine."""
    weight_decay: float = Field(default=1e-2, ge=0)
    warmup_frac: float = Field(default=0.05, ge=0, lt=1)
    gradient_clip: float = Field(default=1.0, gt=0)
    ema_decay: float = Field(default=0.998, ge=0, lt=1)
    """Moving average of the weights; it forgets faster in the first steps, so that short runs profit as well."""
    schedule: Literal["cosine", "constant"] = "cosine"
    """How the learning rate goes on after the warm-up."""
    keep: Literal["best", "last"] = "best"
    """Which epoch's averaged weights are kept: the best on the watched tiles, or the last."""
    epoch_tiles: int | None = Field(default=None, ge=1)
    """Tiles in an epoch; None: as many as there are. A training is judged, saved and resumed between epochs."""
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = "32-true"
    """Lightning Fabric's word."""
    # What follows changes how fast a training is; its result by rounding, and by what dropout leaves out.
    accumulate: int = Field(default=1, ge=1)
    """A batch is computed in so many pieces, one after the other, where it does not fit on the device at once."""
    channels_last: bool = False
    """Images and kernels lie in memory with their channels last, as the units for half precision of a GPU want them."""
    compile: bool = False
    """torch.compile: slower to begin, and faster afterwards."""
    deterministic: bool = False
    """Only algorithms that give the same on every run; on a GPU others are faster."""
    prefetch_batches: int = Field(default=0, ge=0, le=16)
    """So many batches are made beforehand, by a thread; 0: each when it is its turn."""

    def what_counts(self) -> str:
        """Return what decides the weights that a training ends with, as JSON."""
        return self.model_dump_json(exclude=set(SPEED))


SPEED = ("accumulate", "channels_last", "compile", "deterministic", "prefetch_batches")
"""A training may go on from a checkpoint that was made with others of these."""
