import base64

import cv2
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rovervision.gallery.pictures import Encoding, Picture, at_most, gray_of, heat
from rovervision.imaging.color import rgb_to_lab
from tests.gallery.scenes import noise


def unpacked(address: str) -> np.ndarray:
    data = base64.b64decode(address.partition(",")[2])
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]


def test_a_packed_picture_shows_the_same_colours() -> None:
    ramp = np.stack(np.broadcast_arrays(np.arange(0, 240, 4)[:, None], np.arange(0, 240, 4)[None], 90), -1)
    pixels = ramp.astype(np.uint8)
    shown = unpacked(Picture(pixels, "").address(Encoding(90, 100)))
    assert np.abs(shown.astype(int) - pixels).mean() < 4  # red and blue exchanged would be far off


@given(st.integers(1, 300), st.integers(1, 300), st.integers(1, 400))
def test_no_side_is_longer_than_allowed_and_none_grows(height: int, width: int, longest_px: int) -> None:
    shown = at_most(np.zeros((height, width, 3), np.uint8), longest_px)
    assert max(shown.shape[:2]) == min(max(height, width), longest_px)
    assert abs(shown.shape[0] * width - shown.shape[1] * height) <= max(height, width)


def test_a_hotter_value_is_lighter_and_the_scale_ends_at_its_top() -> None:
    values = np.linspace(0, 12, 49)[None]
    lightness = rgb_to_lab(heat(values, 10.0))[0, :, 0]
    assert (np.diff(lightness) >= 0).all()
    assert (heat(values, 10.0)[0, 40] == heat(values, 10.0)[0, -1]).all()
    assert lightness[0] < 3 and lightness[-1] > 95


def test_gray_keeps_lightness_and_nothing_else() -> None:
    lab = rgb_to_lab(noise(20, 20, 3))
    gray = rgb_to_lab(gray_of(lab))
    assert np.abs(gray[..., 0] - lab[..., 0]).max() < 0.5
    assert np.abs(gray[..., 1:]).max() < 0.5
