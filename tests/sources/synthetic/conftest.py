"""A small archive that all tests of the synthetic source share."""

from collections.abc import Callable
from json import loads
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from rovervision.sources.frame import Frame, Query
from rovervision.sources.synthetic import SyntheticConfig, SyntheticSource

EVERYTHING = Query(name="everything", source="synthetic")


@pytest.fixture(scope="session")
def source() -> SyntheticSource:
    return SyntheticSource(SyntheticConfig(frames_count=120, sols_count=8, image_px=96, seed=3, defect_frac=0.25))


@pytest.fixture(scope="session")
def frames(source: SyntheticSource) -> list[Frame]:
    return list(source.search(EVERYTHING))


@pytest.fixture(scope="session")
def default_frames() -> list[Frame]:
    return list(SyntheticSource(SyntheticConfig()).search(EVERYTHING))


@pytest.fixture(scope="session")
def truth() -> Callable[[Frame], dict[str, Any]]:
    return lambda frame: loads(frame.record)


@pytest.fixture(scope="session")
def decode(source: SyntheticSource) -> Callable[[Frame], NDArray[np.uint8] | None]:
    """Give a frame's file as it decodes: (H, W) or (H, W, 3) RGB, None where it does not."""

    def read(frame: Frame) -> NDArray[np.uint8] | None:
        data = np.frombuffer(source.fetch(frame), np.uint8)
        image = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if data.size else None
        return image if image is None or image.ndim == 2 else image[..., ::-1]

    return read


@pytest.fixture(scope="session")
def mask_of(source: SyntheticSource) -> Callable[[Frame], NDArray[np.uint8]]:
    return lambda frame: cv2.imdecode(np.frombuffer(source.fetch_mask(frame), np.uint8), cv2.IMREAD_UNCHANGED)
