"""Round vignettes are found wherever they lie; night, shadows and rounded corners are none."""

import math
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rovervision.imaging.decoding import decode_image, to_uint8
from rovervision.imaging.planes import planes_of
from rovervision.imaging.vignettes import Circle, inscribed, outside_frac, round_vignette
from tests.imaging.test_losses import sunlit


def stopped(height: int, width: int, circle: Circle, soft_px: float = 1.5, seed: int = 0) -> np.ndarray:
    """Return a sunlit gray picture through a round field stop."""
    gray = planes_of(sunlit(seed, height, width)).gray.astype(np.float32)
    y, x = np.ogrid[:height, :width]
    light = np.clip((circle.radius_px - np.hypot(x - circle.x_px, y - circle.y_px)) / soft_px + 0.5, 0, 1)
    return np.round(gray * light + 2 * (1 - light)).astype(np.uint8)


@settings(max_examples=40, deadline=None)
@given(
    x=st.floats(-12, 12), y=st.floats(-12, 12), radius=st.floats(0.55, 0.85), height=st.integers(150, 400),
    aspect=st.floats(0.8, 1.25),
)  # fmt: skip
def test_the_circle_is_found_to_two_percent(x: float, y: float, radius: float, height: int, aspect: float) -> None:
    width = round(height * aspect)
    true = Circle(width / 2 + x, height / 2 + y, radius * math.hypot(width, height) / 2)
    corners = [math.hypot(true.x_px - u, true.y_px - v) for u in (2, width - 3) for v in (2, height - 3)]
    if min(corners) < 1.06 * true.radius_px:
        return
    found = round_vignette(stopped(height, width, true))
    assert found is not None
    assert found == pytest.approx(true, abs=0.02 * true.radius_px + 1)


@settings(max_examples=30, deadline=None)
@given(x=st.floats(90, 130), y=st.floats(80, 110), radius=st.floats(60, 140))
def test_the_rectangle_lies_in_the_circle_and_the_share_is_exact(x: float, y: float, radius: float) -> None:
    circle = Circle(x, y, radius)
    left, top, right, bottom = inscribed(circle, 220, 180)
    assert 0 <= left < right <= 220
    assert 0 <= top < bottom <= 180
    for u in (left, right - 1):
        for v in (top, bottom - 1):
            assert math.hypot(u - x, v - y) <= radius
    v, u = np.ogrid[:180, :220]
    assert outside_frac(circle, 220, 180) == pytest.approx(np.mean(np.hypot(u - x, v - y) > radius), abs=0.003)


def test_what_is_dark_for_another_reason_is_no_vignette() -> None:
    night = np.random.default_rng(0).poisson(4, (200, 200)).astype(np.uint8)
    cornered = planes_of(sunlit(0, 200, 240)).gray
    for corner in (np.s_[:30, :30], np.s_[:30, -30:], np.s_[-30:, :30], np.s_[-30:, -30:]):
        cornered[corner] = 3
    falloff = planes_of(sunlit(0, 200, 240)).gray
    y, x = np.ogrid[-1:1:200j, -1:1:240j]
    falloff = (falloff * (1 - 0.5 * (x * x + y * y) / 2)).astype(np.uint8)
    spot = stopped(200, 240, Circle(60, 60, 50))
    rounded = np.zeros((200, 240), np.uint8)
    cv2.rectangle(rounded, (12, 0), (227, 199), 255, -1)
    rounded = np.where((rounded > 0) & (np.add.outer(np.arange(200), np.arange(240)) > 20), 120, 0).astype(np.uint8)
    for image in (night, cornered, falloff, spot, rounded, np.zeros((64, 64), np.uint8), sunlit()[..., 0]):
        assert round_vignette(image) is None


@pytest.mark.real
def test_every_picture_of_the_rmi_is_round_and_no_other(real_images: Path) -> None:
    round_ones = sorted((real_images / "curiosity" / "chemcam_rmi").iterdir())
    assert len(round_ones) == 4
    for path in round_ones:
        planes = planes_of(to_uint8(decode_image(path.read_bytes())))
        circle = round_vignette(planes.maximum)
        assert circle is not None, path.name
        height, width = planes.gray.shape
        assert 0.10 < outside_frac(circle, width, height) < 0.2
        left, top, right, bottom = inscribed(circle, width, height)
        side = right - left
        for v, u in ((top, left), (top, right - side // 20), (bottom - side // 20, left)):
            corner = planes.gray[v : v + side // 20, u : u + side // 20]
            assert np.mean(corner <= 10) < 0.5, path.name
    others = [path for path in sorted(real_images.glob("*/*/*.[jJpP]*")) if path.parent.name != "chemcam_rmi"]
    assert len(others) > 40
    for path in others[::2]:
        assert round_vignette(planes_of(to_uint8(decode_image(path.read_bytes()))).maximum) is None, path.name
