"""The regions of a rover scene, as they stand in region masks."""

from typing import Final

UNKNOWN: Final = 0
SKY: Final = 1
RIDGE: Final = 2
GROUND: Final = 3
ROCK: Final = 4
HARDWARE: Final = 5

REGION_NAMES: Final[dict[int, str]] = {
    UNKNOWN: "unknown",
    SKY: "sky",
    RIDGE: "ridge",
    GROUND: "ground",
    ROCK: "rock",
    HARDWARE: "hardware",
}
"""Mask value (uint8) → region name. 0 means that the archive does not say."""
