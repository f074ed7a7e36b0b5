"""Networks, losses and the one training loop. The only place that imports torch.

from rovervision.learning import open_colorizer

colorize = open_colorizer("colorizer.safetensors")
colored = colorize(gray, camera="curiosity/navcam_left")
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rovervision.learning.serving import open_colorizer, undo_white_balance

__all__ = ["open_colorizer", "undo_white_balance"]


def __getattr__(name: str) -> Any:
    """Import what `__all__` names when it is asked for: torch takes seconds, and most commands need none of it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from rovervision.learning import serving

    return getattr(serving, name)
