"""Colour for files: which ones, under which name, each on its own."""

import numpy as np
import pandas as pd
import pytest

from rovervision.errors import RovervisionError
from rovervision.imaging.decoding import decode_image
from rovervision.imaging.encoding import encode_png
from rovervision.learning.weights import Weights
from rovervision.pipelines.colorization import applying
from tests.learning.test_colorizers import disturbed
from tests.pipelines.colorization.examples import CONFIG, stored


@pytest.fixture(scope="module")
def colorizer() -> Weights:
    header = {
        "model": CONFIG.model.model_dump(mode="json"),
        "tile_px": 16,
        "cameras": ["curiosity/mastcam_left", "curiosity/mahli"],
    }
    return Weights(disturbed(CONFIG.model).state_dict(), header)


def test_output_names_never_collide():
    names = applying.output_names(["a/x.jpg", "a/x.png", "b/x.JPG", "y.img", "a/Z.png", "a/z.jpg"])
    assert names["b/x.JPG"] == "b/x.png"
    assert names["y.img"] == "y.png"
    assert len({name.lower() for name in names.values()}) == len(names)


def test_one_bad_file_fails_alone(colorizer):
    gray = encode_png(np.random.default_rng(0).integers(0, 256, (20, 30), dtype=np.uint8))
    promises = applying.colorize_images({"ok.png": stored(gray), "text.png": stored(b"hello")}, colorizer, CONFIG)
    assert decode_image(promises["ok.png"]()).shape == (20, 30, 3)
    with pytest.raises(RovervisionError):
        promises["text.png"]()


def test_an_image_has_the_same_bytes_alone_and_in_company(colorizer):
    gray = encode_png(np.random.default_rng(0).integers(0, 256, (40, 30), dtype=np.uint8))
    alone = applying.colorize_images({"a.png": stored(gray)}, colorizer, CONFIG)["a.png"]()
    company = applying.colorize_images({"b.png": stored(gray[:-1]), "a.png": stored(gray)}, colorizer, CONFIG)
    assert company["a.png"]() == alone


def test_an_archive_without_gray_frames_has_nothing_to_colorize(colorizer):
    assert applying.colorize_images({}, colorizer, CONFIG) == {}


def test_only_kept_gray_frames_are_selected():
    frames = pd.DataFrame(
        {
            "frame_id": ["a", "b", "c"],
            "file_name": ["a.JPG", "b.png", "c.png"],
            "kept": [True, True, False],
            "is_color": [False, True, False],
        }
    )
    files = {name: stored(name.encode()) for name in "abc"}
    selected = applying.select_gray_images(frames, files)
    assert {name: read() for name, read in selected.items()} == {"a.JPG": b"a"}


def test_a_file_name_tells_its_camera():
    assert applying.camera_of("a/0077ML0005780000102730I01_DRCL.JPG") == "curiosity/mastcam_left"
    assert applying.camera_of("curiosity/mahli/holiday.png") == "curiosity/mahli"
    assert applying.camera_of("holiday.png") == ""


def test_the_camera_of_a_file_is_used(colorizer):
    """The camera's own table shows in the colours of a file that bears its name, and in no other."""
    tables = colorizer.tensors["tables"].clone()
    tables[1] += 20
    gray = encode_png(np.full((16, 16), 128, np.uint8))
    names = ("0077ML0005780000102730I01_DRCL.JPG", "holiday.png")
    before, after = (
        applying.colorize_images({name: stored(gray) for name in names}, Weights(tensors, colorizer.header), CONFIG)
        for tensors in (colorizer.tensors, colorizer.tensors | {"tables": tables})
    )
    assert after["holiday.png"]() == before["holiday.png"]()
    assert after["0077ML0005780000102730I01_DRCL.png"]() != before["0077ML0005780000102730I01_DRCL.png"]()
