"""Machine learning on Mars rover images: archives, tiles, colour."""

__version__ = "0.1.0"
