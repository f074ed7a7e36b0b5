"""Frames in order, steady in colour, each with what it shows."""

from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pandas as pd
import pytest

from rovervision.errors import RovervisionError
from rovervision.imaging.color import rgb_to_lab
from rovervision.imaging.encoding import encode_png
from rovervision.imaging.tints import TintConfig
from rovervision.imaging.video import Film
from rovervision.learning.colorizing import colorize, load_colorizer
from rovervision.learning.weights import Weights
from rovervision.pipelines.colorization import film as filming
from tests.learning.test_colorizers import disturbed
from tests.pipelines.colorization.examples import CONFIG, stored

HAZCAM = "1F{clock}EFF0114P9199L0M1.jpg"


@pytest.fixture(scope="module")
def colorizer() -> Weights:
    header = {"model": CONFIG.model.model_dump(mode="json"), "tile_px": 16, "cameras": ["opportunity/navcam_left"]}
    return Weights(disturbed(CONFIG.model).state_dict(), header)


def config(**film):
    return CONFIG.model_copy(update={"film": CONFIG.film.model_copy(update=film)})


def static_scene(count: int) -> dict:
    """One scene, seen again and again through noise."""
    rng = np.random.default_rng(0)
    scene = cv2.GaussianBlur(rng.uniform(0, 255, (40, 48)), (0, 0), 3)
    scene = 60 + 130 * (scene - scene.min()) / np.ptp(scene)
    names = [HAZCAM.format(clock=208277162 + 60 * number) for number in range(count)]
    return {name: stored(encode_png((scene + rng.normal(0, 2, scene.shape)).astype(np.uint8))) for name in names}


@pytest.fixture
def restless(monkeypatch):
    """A colorizer that gives every frame another tint, and every cell a little noise of its own."""
    rng = np.random.default_rng(1)
    look = filming.plan_colors

    def plan_colors(*arguments):
        plan = look(*arguments)
        noise = rng.normal(0, 2, 2) + rng.normal(0, 0.3, plan.correction.shape)
        return replace(plan, correction=(noise - [5, 2]).astype(np.float32))

    monkeypatch.setattr(filming, "plan_colors", plan_colors)


def made(film: Film) -> tuple[list, pd.DataFrame]:
    frames = list(film.frames)
    return frames, pd.DataFrame([frame.record for frame in frames]).reindex(columns=COLUMNS)


COLUMNS = ["frame", "file", "rover", "camera", "sol", "sequence", "still_frac", "flicker_alone", "flicker_smoothed",
           "tint_a", "tint_b", "smooth_tint_a", "smooth_tint_b", "failure"]  # fmt: skip


def test_frames_come_by_sol_and_clock_and_else_by_name():
    keys = [
        "b/10-5.png",
        HAZCAM.format(clock=208277162),
        "b/2-7.png",
        HAZCAM.format(clock=208270000),
        "opportunity/front_hazcam_left/sol0001/x.png",
    ]
    ordered = [shot.key for shot in filming.in_order([filming.shot_of(key) for key in keys])]
    assert ordered == [keys[4], keys[3], keys[1], keys[2], keys[0]]


def test_a_name_tells_rover_camera_and_sol():
    shot = filming.shot_of(HAZCAM.format(clock=208277162))
    assert shot.caption() == "Opportunity  ·  front hazcam left  ·  sol 902"
    assert filming.shot_of("holiday/12-34.png").caption() == "12-34"


def test_smoothing_lowers_the_flicker_of_a_static_scene(colorizer, restless):
    images = static_scene(20)
    frames, listed = made(filming.render_film(images, colorizer, config(caption=False)))
    figures = filming.measure_film(listed)
    assert (figures["frames"], figures["skipped"], figures["sequences"]) == (20, 0, 1)
    assert figures["still_frac"] > 0.03
    assert figures["flicker_smoothed"] < 0.5 * figures["flicker_alone"]
    shown = shown_flicker(frames, images)
    assert figures["flicker_smoothed"] == pytest.approx(shown, rel=0.15)  # what is said is what is seen


def shown_flicker(frames: list, images: dict) -> float:
    """The change of ab between the pictures of a film, where their gray stays."""
    seen = [(filming.gray_picture(images[frame.record["file"]]), rgb_to_lab(frame.pixels)) for frame in frames]
    pairs = [(one, other, gray == before) for (before, one), (gray, other) in pairwise(seen)]
    return float(np.concatenate([np.linalg.norm((b - a)[still, 1:], axis=-1) for a, b, still in pairs]).mean())


def test_unsmoothed_flicker_is_that_of_the_frames_alone(colorizer, restless):
    images, alone = static_scene(8), config(caption=False, tint=TintConfig(new_share=1))
    frames, listed = made(filming.render_film(images, colorizer, alone))
    figures = filming.measure_film(listed)
    assert figures["flicker_smoothed"] == pytest.approx(figures["flicker_alone"], abs=1e-3)
    assert shown_flicker(frames, images) == pytest.approx(figures["flicker_alone"], rel=0.15)


def test_lightness_stays_where_the_tint_moves(colorizer, restless):
    images = static_scene(6)
    frames, listed = made(filming.render_film(images, colorizer, config(caption=False)))
    assert np.abs(listed["smooth_tint_b"] - listed["tint_b"]).max() > 1
    for frame in frames:
        gray = np.repeat(filming.gray_picture(images[frame.record["file"]])[..., None], 3, axis=-1)
        assert np.abs(rgb_to_lab(frame.pixels) - rgb_to_lab(gray))[..., 0].max() < 1


def test_broken_frames_are_passed_over_and_listed(colorizer, restless):
    images = static_scene(3) | {"a.png": stored(b"hello"), "b.png": stored(b"")}
    frames, listed = made(filming.render_film(images, colorizer, CONFIG))
    assert [frame.pixels is None for frame in frames] == [False] * 3 + [True] * 2
    assert listed["failure"].notna().sum() == 2
    assert list(listed["frame"].dropna()) == [0, 1, 2]
    assert filming.measure_film(listed)["skipped"] == 2


def test_all_frames_have_one_even_size(colorizer, restless):
    images = static_scene(3) | {"odd.png": stored(encode_png(np.full((31, 17), 90, np.uint8)))}
    for options in ({"caption": False}, {"split": True}, {"side_px": 64, "caption": True}):
        frames, _ = made(filming.render_film(images, colorizer, config(**options)))
        (shape,) = {frame.pixels.shape for frame in frames}
        assert shape[0] % 2 == shape[1] % 2 == 0
        assert shape[1] == (96 if options.get("split") else 48)
        assert (shape[0] > 40) == options.get("caption", True)


def test_sixteen_bits_and_colour_become_the_gray_of_a_screen():
    image = np.arange(64, dtype=np.uint8).reshape(8, 8)
    wide = cv2.imencode(".png", image.astype(np.uint16) * 257)[1].tobytes()
    np.testing.assert_array_equal(filming.gray_picture(stored(wide)), image)
    rgb = encode_png(np.repeat(image[..., None], 3, axis=-1))
    np.testing.assert_array_equal(filming.gray_picture(stored(rgb)), image)


def test_unsmoothed_frames_are_those_of_the_colorizer(colorizer):
    key, file = next(iter(static_scene(1).items()))
    (frame,), _ = made(filming.render_film({key: file}, colorizer, config(caption=False)))
    expected = colorize(filming.gray_picture(file), load_colorizer(colorizer), CONFIG.apply.work_px(colorizer), 0)
    np.testing.assert_array_equal(frame.pixels, expected)


def test_cameras_can_be_chosen(colorizer):
    images = static_scene(2) | {"curiosity/mahli/x.png": stored(encode_png(np.full((40, 48), 90, np.uint8)))}
    assert filming.render_film(images, colorizer, config(cameras=("curiosity/mahli",))).n_files == 1
    with pytest.raises(RovervisionError, match="opportunity/front_hazcam_left"):
        filming.render_film(images, colorizer, config(cameras=("opportunity/front_hazcam",)))


def test_nothing_is_read_before_the_film_is_made(colorizer):
    def refuse() -> bytes:
        raise AssertionError

    image = stored(b"")
    unread = type(image)(image.key, image.path, 0, "", None, refuse)
    assert filming.render_film({"a.png": unread}, colorizer, CONFIG).n_files == 1


def test_no_film_has_no_figures(colorizer):
    assert filming.measure_film(pd.DataFrame(columns=COLUMNS)) == {}
    assert filming.render_film({}, colorizer, CONFIG).n_files == 0
