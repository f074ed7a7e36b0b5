"""The scenes have what makes colour worth learning: context, light, depth."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rovervision.sources.regions import GROUND, HARDWARE, ROCK, SKY
from rovervision.sources.synthetic.develop import PANCHROMATIC, bayer, encode
from rovervision.sources.synthetic.lighting import light
from rovervision.sources.synthetic.solids import box, cast, lit, turned
from rovervision.sources.synthetic.textures import TILE_PX, fractal, pebbles, ripples, sample, slabs
from rovervision.sources.synthetic.views import View


def lab_of(rgb):
    return cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)


@pytest.fixture(scope="module")
def pixels(source, frames, mask_of, truth):
    """(N, 3) Lab of the true colours and (N,) regions, from every third sound frame."""
    sound = [f for f in frames if f.has_mask and not truth(f)["defects"]][::2]
    lab = [lab_of(source.render_truth(f)).reshape(-1, 3) for f in sound]
    return np.concatenate(lab), np.concatenate([mask_of(f).ravel() for f in sound])


def test_ground_is_ochre_and_hardware_is_neutral(pixels):
    lab, region = pixels
    chroma = np.hypot(lab[:, 1], lab[:, 2])
    assert np.median(chroma[region == HARDWARE]) < 0.6 * np.median(chroma[region == GROUND])
    assert np.median(lab[region == GROUND, 2]) > 10
    assert np.median(chroma[region == ROCK]) < np.median(chroma[region == GROUND])


def test_hardware_is_neutral_at_every_lightness(pixels):
    lab, region = pixels
    chroma = np.hypot(lab[:, 1], lab[:, 2])
    for low, high in ((10, 30), (30, 50), (50, 70), (70, 90)):
        band = (lab[:, 0] > low) & (lab[:, 0] < high)
        hardware, ground = band & (region == HARDWARE), band & (region == GROUND)
        assert hardware.sum() > 200
        if ground.sum() > 200:
            assert np.median(chroma[hardware]) < np.median(chroma[ground])


def test_colour_is_not_a_function_of_lightness(pixels):
    lab, _ = pixels
    level = np.clip(lab[:, 0].astype(int), 0, 100)
    count = np.maximum(np.bincount(level, minlength=101), 1)
    residual = np.zeros(len(lab))
    for channel in (1, 2):
        mean = np.bincount(level, lab[:, channel], minlength=101) / count
        residual += (lab[:, channel] - mean[level]) ** 2
    # What is left when every lightness gets its best single colour, in CIELAB units: far above a just noticeable 2.3.
    assert np.sqrt(residual.mean()) > 6


def test_mars_looks_like_mars(source, frames, truth, mask_of):
    ground = []
    for frame in (f for f in frames if f.has_mask and not truth(f)["defects"]):
        image, mask = source.render_truth(frame), mask_of(frame)
        if (mask == GROUND).mean() > 0.2:
            ground.append(image[mask == GROUND].mean(0))
    red, green, blue = np.mean(ground, 0)
    assert red > green > blue
    assert 0.5 < blue / red < 0.75
    assert 90 < red < 200


def test_sky_is_tan_and_paler_than_the_ground(pixels):
    lab, region = pixels
    sky, ground = lab[region == SKY], lab[region == GROUND]
    assert len(sky) > 1000
    assert np.median(sky[:, 0]) > np.median(ground[:, 0])
    assert 5 < np.median(sky[:, 2]) < np.median(ground[:, 2]) + 8


def test_gray_cameras_do_not_measure_lightness(source, frames, truth, decode):
    gray = [f for f in frames if truth(f)["gray_is_usual"] and not truth(f)["defects"]]
    assert gray
    differences = []
    for frame in gray:
        true = source.render_truth(frame)
        luma = cv2.cvtColor(true, cv2.COLOR_RGB2GRAY).astype(float)
        differences.append(decode(frame).astype(float).mean() - luma.mean())
    # Red ground is brighter in a red band than to the eye.
    assert np.mean(differences) > 3
    assert PANCHROMATIC.sum() == pytest.approx(1)
    assert PANCHROMATIC[0] > 0.5


def test_stereo_partners_see_parallax_that_grows_towards_the_viewer(source, frames, truth):
    by_id = {frame.frame_id: frame for frame in frames}
    lefts = [f for f in frames if truth(f)["stereo_partner"] and f.camera == "navcam_left"]
    near, far = [], []
    for frame in lefts:
        one = source.render_truth(frame).mean(-1).astype(np.float32)
        other = source.render_truth(by_id[truth(frame)["stereo_partner"]]).mean(-1).astype(np.float32)
        if one.shape != other.shape:
            continue
        band = one.shape[0] // 4
        near.append(_shift(one[-band:], other[-band:]))
        far.append(_shift(one[:band], other[:band]))
    assert len(near) >= 3
    assert np.median(near) > 1.5
    assert np.median(near) > np.median(far)


def _shift(left, right):
    """Return by how many columns the left image must move left to fit the right one."""
    window = cv2.createHanningWindow(left.shape[::-1], cv2.CV_32F)
    (dx, _), _ = cv2.phaseCorrelate(left, right, window)
    return -dx


def test_burst_frames_differ_little_but_differ(source, frames, truth, decode):
    bursts: dict[str, list] = {}
    for frame in frames:
        if truth(frame)["burst"] and not truth(frame)["defects"]:
            bursts.setdefault(truth(frame)["burst"], []).append(frame)
    pairs = [members[:2] for members in bursts.values() if len(members) > 1]
    assert pairs
    for one, other in pairs:
        difference = np.abs(decode(one).astype(int) - decode(other).astype(int))
        assert 0 < difference.mean() < 8


@given(
    st.tuples(st.floats(-3, 3), st.floats(0.5, 20), st.floats(-2, 2)),
    st.floats(-60, 120),
)
@settings(max_examples=50, deadline=None)
def test_projection_undoes_rays(point, horizon):
    view = View(64, 48, 70.0, horizon, (0.2, 0.0, 1.8))
    column, row = view.project(np.array([point]))[0]
    direction = np.array([(column - 32) / 70.0, 1.0, (horizon - row) / 70.0])
    assert np.allclose(np.asarray(view.origin) + direction * point[1], point, atol=1e-6)


def test_ray_meets_a_turned_box_where_a_march_does():
    solid = box((0.1, 2.0, 0.4), (0.5, 0.3, 0.4), turned(0.5, 0.2, -0.3), "white_panel")
    view = View(24, 18, 22.0, 9.0, (0.0, 0.0, 0.5))
    rays = view.rays()
    depth = cast(solid, np.asarray(view.origin), rays).depth
    steps = np.linspace(0.5, 4.0, 1751)
    for row in range(0, 18, 2):
        for column in range(0, 24, 2):
            points = np.asarray(view.origin) + rays[row, column] * steps[:, None]
            inside = (points @ solid.planes.T <= solid.limits).all(1)
            marched = steps[inside.argmax()] if inside.any() else np.inf
            if np.isfinite(marched) and inside.sum() > 5:
                assert depth[row, column] == pytest.approx(marched, abs=0.01)
            elif not inside.any():
                assert np.isinf(depth[row, column]) or depth[row, column] > 0


def test_shadow_falls_opposite_the_sun():
    solid = box((0.0, 3.0, 0.5), (0.2, 0.2, 0.5), turned(0.0), "gray_panel")
    sun = np.array([1, 0, 1], np.float32) / np.float32(np.sqrt(2))
    ground = np.array([[[-0.6, 3.0, 0.0], [0.6, 3.0, 0.0], [-2.5, 3.0, 0.0]]], np.float32)
    assert lit(solid, ground, sun, 0.01).tolist() == [[0.0, 1.0, 1.0]]


@pytest.mark.parametrize("tile", [fractal(5), pebbles(5, 400), ripples(5, 9), *slabs(5, 30)])
def test_textures_wrap_around(tile):
    inner = np.abs(np.diff(tile, axis=0)).max()
    assert np.abs(tile[0] - tile[-1]).max() <= 1.5 * inner + 1e-6
    there = np.array([[0.3, 0.7]], np.float32)
    assert np.allclose(sample(tile, there, there), sample(tile, there + 3, there - 2), atol=2e-2 * np.ptp(tile))
    assert tile.shape == (TILE_PX, TILE_PX)


@given(st.floats(0, 2), st.floats(0, 2))
def test_encoding_never_falls(one, other):
    low, high = sorted([one, other])
    assert encode(np.array([low]))[0] <= encode(np.array([high]))[0]


def test_bayer_takes_each_channel_where_rggb_has_it():
    rgb = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    mosaic = bayer(rgb)
    for row in range(4):
        for column in range(6):
            channel = (row % 2) + (column % 2)
            assert mosaic[row, column] == rgb[row, column, channel]


@given(st.integers(0, 2000), st.floats(6, 18), st.floats(0, 360))
@settings(deadline=None)
def test_sunlight_is_warm_and_the_sun_is_up(sol, hour, view_deg):
    here = light(0, "curiosity", sol, hour, view_deg)
    assert np.linalg.norm(here.sun) == pytest.approx(1)
    assert here.sun[2] > 0
    assert here.sun_color[0] > here.sun_color[1] > here.sun_color[2] > 0
    assert here.sky_color[0] > here.sky_color[1] > here.sky_color[2] > 0
