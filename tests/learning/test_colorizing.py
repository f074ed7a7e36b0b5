"""Colour for whole images: lightness kept, any size and depth, no seams, the same bytes every time."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rovervision.errors import RovervisionError
from rovervision.imaging.color import rgb_to_lab
from rovervision.imaging.color_difference import ciede2000
from rovervision.learning import colorizing, working_copy
from rovervision.learning.colorizers import ModelConfig, ResidualConfig
from rovervision.learning.colorizing import colorize, doubt_map, lightness_of, load_colorizer, paint, plan_colors
from rovervision.learning.weights import Weights
from rovervision.learning.working_copy import picture_share
from rovervision.learning.working_copy import working_copy as copy_of
from tests.learning.test_colorizers import SMALL, disturbed

REPOSITORY = Path(__file__).resolve().parents[2]


def gray(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8)


def scene(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Smooth shapes of several sizes with fine grain: what a picture looks like to a network."""
    rng = np.random.default_rng(seed)
    layers = [
        cv2.resize(rng.normal(0, 1, (n, n)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
        for n in (3, 9, 33)
    ]
    return np.clip(128 + 60 * layers[0] + 25 * layers[1] + 10 * layers[2], 8, 250).astype(np.uint8)


@cache
def restrained() -> tuple[torch.nn.Module, int]:
    """A colorizer with weights of any kind that is little trusted, as a trained one is in effect, and its scale."""
    return disturbed(ModelConfig(residual=ResidualConfig(trust=0.3))), 96


@settings(max_examples=25)
@given(st.integers(1, 70), st.integers(1, 70))
def test_lightness_is_kept(height, width):
    image = gray(height, width)
    colored = colorize(image, disturbed(), 32)
    assert colored.shape == (height, width, 3)
    assert np.abs(rgb_to_lab(colored)[..., 0] - lightness_of(image)).max() < 1.0


def test_of_a_color_image_only_the_lightness_counts():
    image = np.random.default_rng(0).integers(40, 200, (20, 30, 3), dtype=np.uint8)
    colored = colorize(image, disturbed(), 32)
    assert np.abs(rgb_to_lab(colored)[..., 0] - rgb_to_lab(image)[..., 0]).max() < 1.0


@pytest.mark.parametrize("channels", [(), (3,)])
def test_sixteen_bits_mean_the_same_as_eight(channels):
    image = np.random.default_rng(0).integers(0, 256, (24, 24, *channels), dtype=np.uint8)
    np.testing.assert_allclose(lightness_of(image.astype(np.uint16) * 257), lightness_of(image), atol=8e-3)
    wide = colorize(image.astype(np.uint16) * 257, disturbed(), 32)
    assert np.abs(wide.astype(int) - colorize(image, disturbed(), 32)).max() <= 1


def test_bands_leave_no_seam(monkeypatch):
    image = scene(100, 40)
    whole, doubt = colorize(image, disturbed(), 32), doubt_map(image, disturbed(), 32)
    monkeypatch.setattr(colorizing, "_BAND_PIXELS", 7 * 40)
    np.testing.assert_array_equal(colorize(image, disturbed(), 32), whole)
    np.testing.assert_array_equal(doubt_map(image, disturbed(), 32), doubt)


def test_what_is_enlarged_by_bands_is_what_torch_enlarges():
    cells = np.random.default_rng(0).normal(size=(5, 7)).astype(np.float32)
    whole = torch.nn.functional.interpolate(torch.from_numpy(cells)[None, None], size=(40, 63), mode="bilinear")[0, 0]
    np.testing.assert_allclose(colorizing._enlarged(cells, slice(0, 40), 40, 63), whole.numpy(), atol=1e-4)
    np.testing.assert_allclose(colorizing._enlarged(cells, slice(11, 20), 40, 63), whole.numpy()[11:20], atol=1e-4)


def test_the_same_image_has_the_same_bytes_in_any_company():
    """Whatever the order, the batch and the number of threads, torch's own included."""
    model, work_px = restrained()
    images = [scene(150 + 9 * i, 200, i) for i in range(4)]
    alone = [colorize(image, model, work_px) for image in images]
    plan = plan_colors(images[0], model, work_px).correction
    before = torch.get_num_threads()
    try:
        for own, n_threads in ((1, 1), (3, 2), (4, 4)):
            torch.set_num_threads(own)
            np.testing.assert_array_equal(plan_colors(images[0], model, work_px).correction, plan)
            with ThreadPoolExecutor(n_threads) as threads:
                again = list(threads.map(lambda image: colorize(image, model, work_px), images[::-1]))[::-1]
            assert all(np.array_equal(one, other) for one, other in zip(alone, again, strict=True))
    finally:
        torch.set_num_threads(before)


def test_one_scene_has_the_same_colours_at_any_size():
    model, work_px = restrained()
    full = scene(1024, 1365)
    labs = []
    for side in (256, 512, 1024):
        image = cv2.resize(full, (side * 4 // 3, side), interpolation=cv2.INTER_AREA)
        labs.append(rgb_to_lab(cv2.resize(colorize(image, model, work_px), (341, 256), interpolation=cv2.INTER_AREA)))
    assert max(ciede2000(labs[i], labs[j]).mean() for i, j in ((0, 1), (1, 2), (0, 2))) < 2


def test_a_bounded_working_copy_needs_no_tiles(monkeypatch):
    """A strip whose copy would be too large is seen smaller, as a whole; colours are nearly those without the bound."""
    model, work_px = restrained()
    strip = scene(work_px, 14 * work_px)
    whole = colorize(strip, model, work_px)
    monkeypatch.setattr(working_copy, "WORK_PIXELS_MAX", 7 * work_px**2)
    copy = copy_of(strip, work_px, 4)
    assert copy.lightness.size < 7.5 * work_px**2
    assert ciede2000(rgb_to_lab(colorize(strip, model, work_px)), rgb_to_lab(whole)).mean() < 0.5


def test_the_largest_images_have_a_small_working_copy():
    for width, height in ((8192, 8192), (60_000, 2), (3, 60_000), (60_000, 2_000), (1, 1)):
        size = working_copy.working_size(width, height, 4096, 4)
        assert size[0] * size[1] <= 1.5 * working_copy.WORK_PIXELS_MAX
        assert size[0] % 4 == size[1] % 4 == 0
        assert min(size) >= 4


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_borders_stay_gray_and_change_no_colour_inside(kind):
    model, work_px = restrained()
    picture = np.maximum(scene(120, 160), 60).astype(kind) * (1 if kind == np.uint8 else 257)
    framed = np.zeros((150, 200), kind)
    framed[10:130, 15:175] = picture
    colored = colorize(framed, model, work_px)
    content = copy_of(framed, work_px, 4).content
    inside = (slice(content.top_px, content.bottom_px), slice(content.left_px, content.right_px))
    np.testing.assert_array_equal(colored[inside], colorize(framed[inside], model, work_px))
    around = np.ones(framed.shape, bool)
    around[inside] = False
    assert around.sum() > 9000
    assert np.ptp(colored[around].astype(int), axis=-1).max() == 0


def test_a_round_picture_is_not_seen_with_the_night_around_it():
    side, radius = 256, 120
    y, x = np.mgrid[:side, :side]
    inside = np.hypot(x - 128, y - 128) < radius
    image = np.where(inside, np.maximum(scene(side, side), 60), 3).astype(np.uint8)
    copy = copy_of(image, 96, 4)
    assert copy.circle is not None
    assert copy.lightness.min() > lightness_of(np.full((1, 1), 40, np.uint8)).min()
    share = picture_share(copy, slice(0, side), side)
    assert share[128, 128] == 1
    assert share[2, 2] == 0
    colored = colorize(image, disturbed(), 96)
    assert np.ptp(colored[~inside & (share == 0)].astype(int), axis=-1).max() == 0
    assert np.ptp(colored[inside].astype(int), axis=-1).max() > 10


def test_the_table_alone_is_reproduced_exactly():
    """With nothing to correct, colour is a function of lightness: equal grays stay equal."""
    model = disturbed()
    for layer in (model.to_ab, model.to_tint):
        torch.nn.init.zeros_(layer.weight)
        torch.nn.init.zeros_(layer.bias)
    image = gray(40, 40)
    colored = colorize(image, model, 32)
    for value in (0, 77, 200, 255):
        assert len(np.unique(colored[image == value], axis=0)) <= 1


@pytest.mark.parametrize("size", [(1, 1), (1, 60_000), (60_000, 1), (3, 60_000)])
@pytest.mark.parametrize("value", [0, 128, 255])
def test_odd_images_have_sane_colours(size, value):
    image = np.full(size, value, np.uint8)
    colored = colorize(image, disturbed(), 32)
    assert colored.shape == (*size, 3)
    assert np.abs(rgb_to_lab(colored)[..., 0] - lightness_of(image)).max() < 1.0


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["gray", "rgb"])
def test_the_largest_images_fit_into_two_gib(kind):
    command = [sys.executable, "-m", "benchmarks.colorization_apply", "--memory-of", kind]
    answer = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True, timeout=120)
    assert 500 < float(answer.stdout.split()[0]) < 2048


@pytest.mark.parametrize("image", [np.zeros((4, 4)), np.zeros((4, 4, 2), np.uint8), np.zeros((0, 4), np.uint8)])
def test_what_is_no_image_is_a_sentence(image):
    with pytest.raises(RovervisionError, match="no image that can be coloured"):
        colorize(image, disturbed(), 32)


def test_doubt_covers_the_picture_and_nothing_else():
    framed = np.zeros((150, 200), np.uint8)
    framed[10:130, 15:175] = np.maximum(scene(120, 160), 60)
    doubt = doubt_map(framed, disturbed(), 64)
    assert doubt.shape == framed.shape
    assert doubt[40:100, 40:150].min() > 0
    assert doubt[:8].max() == 0


def test_a_kind_without_doubt_has_none():
    model = disturbed()
    plain = torch.nn.Module()
    plain.tables, plain.correction, plain.stride_px = model.tables, model.correction, 4
    assert doubt_map(gray(20, 20), plain, 32) is None
    np.testing.assert_array_equal(colorize(gray(20, 20), plain, 32), colorize(gray(20, 20), model, 32))


def test_a_plan_fits_the_image_that_it_was_made_of():
    image = scene(90, 70)
    plan = plan_colors(image, disturbed(), 32)
    np.testing.assert_array_equal(paint(image, plan), colorize(image, disturbed(), 32))


def test_foreign_weights_are_a_sentence():
    with pytest.raises(RovervisionError, match="not a colorizer"):
        load_colorizer(Weights({"x": torch.zeros(2)}, {"model": SMALL.model_dump(mode="json")}))
    with pytest.raises(RovervisionError, match="not a colorizer"):
        load_colorizer(Weights({}, {}))
