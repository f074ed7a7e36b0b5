"""A synthetic archive: Mars-like scenes with known truth."""

from rovervision.sources.synthetic.config import SyntheticConfig
from rovervision.sources.synthetic.source import SyntheticSource

__all__ = ["SyntheticConfig", "SyntheticSource"]
