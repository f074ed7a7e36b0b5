"""Data that never came is found, to the line and the block; what was received is not taken for it."""

import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rovervision.imaging.framing import dark_lines
from rovervision.imaging.losses import blank_frac, missing_frac, stripe_level
from rovervision.imaging.planes import planes_of


def sunlit(seed: int = 0, height: int = 120, width: int = 160) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, 1, (height, width)).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), 6)
    light = 130 + 60 * soft / np.abs(soft).max() + 3 * noise
    return np.clip(light[..., None] * [1.2, 0.9, 0.6], 0, 255).astype(np.uint8)


def missing(image: np.ndarray) -> float:
    return missing_frac(planes_of(image).maximum)


def blank(image: np.ndarray) -> float:
    planes = planes_of(image)
    return blank_frac(planes.gray, planes.maximum, cv2.Laplacian(planes.gray, cv2.CV_16S))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), shade=st.floats(0.02, 0.4), axis=st.sampled_from([0, 1]))
def test_dark_lines_agree_with_a_slow_reference(seed: int, shade: float, axis: int) -> None:
    rng = np.random.default_rng(seed)
    image = (sunlit(seed, 40, 50)[..., 0] * np.where(rng.random((40, 50)) < 0.97, shade, 1.0)).astype(np.uint8)
    image[rng.random(40) < 0.5] //= 4
    is_dark, unlit_share = dark_lines(image, axis)
    for line, dark, unlit in zip(image if axis == 1 else image.T, is_dark, unlit_share, strict=True):
        low = line[line <= 16].astype(float)
        assert dark == (len(low) >= 0.9 * len(line) and low.std() <= 4.0)
        assert unlit == (np.mean(line < 32) if is_dark.any() else pytest.approx(unlit))


@settings(max_examples=25, deadline=None)
@given(
    starts=st.lists(st.integers(1, 8), min_size=1, max_size=4, unique=True), thick=st.integers(3, 6), turn=st.booleans()
)
def test_gaps_are_counted_to_the_line(starts: list[int], thick: int, turn: bool) -> None:
    picture = sunlit()
    for start in starts:
        picture[start * 12 : start * 12 + thick] = 0
    seen = picture.transpose(1, 0, 2).copy() if turn else picture
    assert missing(seen) == pytest.approx(len(starts) * thick / 120)


@settings(max_examples=25, deadline=None)
@given(
    left=st.integers(0, 4), top=st.integers(0, 3), wide=st.integers(2, 5), high=st.integers(2, 3),
    level=st.sampled_from([0, 90, 128]), quality=st.sampled_from([None, 95, 85]),
)  # fmt: skip
def test_blank_blocks_are_counted_to_the_cell(
    left: int, top: int, wide: int, high: int, level: int, quality: int | None
) -> None:
    picture = sunlit()
    picture[top * 16 : (top + high) * 16, left * 16 : (left + wide) * 16] = level
    if quality:
        data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
    share, inner = 4 * wide * high / 300, 4 * (wide - 1) * (high - 1) / 300
    # Colour bleeds into the outermost cells where JPEG halves its resolution.
    assert blank(picture) == pytest.approx(share) if quality is None else inner <= blank(picture) <= share


def test_blocks_that_touch_are_one_loss() -> None:
    picture = sunlit()
    picture[16:64, 32:80] = 128
    picture[48:96, 64:120] = 128
    assert blank(picture) > 0.15


def test_no_loss_in_what_was_received() -> None:
    flat_sky = sunlit()
    flat_sky[:50] = (180, 150, 110)
    flat_sky[40:60] = cv2.GaussianBlur(flat_sky, (31, 31), 0)[40:60]
    burnt = sunlit()
    burnt[30:80, 30:90] = 255
    night = np.random.default_rng(0).poisson(3, (80, 80)).astype(np.uint8)
    shadow = sunlit()
    y, x = np.mgrid[:120, :160]
    shadow[(x - 80) ** 2 + (y - 60) ** 2 < 35**2] = 0
    brown_hole = sunlit()
    brown_hole[40:80, 40:88] = (28, 26, 22)
    for picture in (sunlit(), burnt, night, shadow, brown_hole, np.zeros((40, 40), np.uint8)):
        assert blank(picture) == 0.0
    for picture in (sunlit(), flat_sky, night, np.zeros((40, 40), np.uint8)):
        assert missing(picture) == 0.0


@settings(max_examples=20, deadline=None)
@given(step=st.integers(4, 30), turn=st.booleans())
def test_interlacing_is_measured_in_levels(step: int, turn: bool) -> None:
    gray = planes_of(sunlit()).gray // 2 + 40
    striped = gray.copy()
    striped[1::2] += np.uint8(step)
    lines = striped.T.copy() if turn else striped
    assert stripe_level(lines) == pytest.approx(step, abs=1.0)
    assert stripe_level(gray) < 1.5


def test_a_horizon_is_no_stripe() -> None:
    gray = planes_of(sunlit()).gray
    gray[:40] = 230
    assert stripe_level(gray) < 1.5


@pytest.mark.real
def test_nothing_is_lost_in_whole_real_frames(real_images: Path) -> None:
    for path in sorted((real_images / "curiosity").glob("[nm]*/*"))[::3]:
        image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        assert blank(image) == 0.0, path.name
        assert stripe_level(image) < 6.0 or "bayer" in path.parent.name, path.name


@pytest.mark.real
def test_a_drill_hole_is_no_loss(real_images: Path) -> None:
    with zipfile.ZipFile(real_images / "msl-images.zip") as archive:
        data = archive.read("msl-images/calibrated/0283MH0002730050103241I01_DRCL.JPG")
    assert blank(cv2.cvtColor(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)) == 0.0
