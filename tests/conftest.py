"""What every test may ask for."""

from pathlib import Path

import cv2
import pytest
from hypothesis import settings

REPOSITORY = Path(__file__).resolve().parents[1]
REAL_IMAGES = REPOSITORY.parent / "shared" / "mars"

cv2.setNumThreads(1)

settings.register_profile("project", deadline=None, derandomize=True)  # laws are checked, not raced
settings.load_profile("project")


@pytest.fixture(scope="session")
def real_images() -> Path:
    """The folder of real rover images that stands beside the project, never in it."""
    if not REAL_IMAGES.is_dir():
        pytest.skip("the real rover images are not on this machine (expected beside the project, in shared/mars)")
    return REAL_IMAGES
