"""The weights file alone is enough: arrays in, colour out; PNG in, PNG out."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from rovervision.errors import RovervisionError
from rovervision.imaging.decoding import decode_image
from rovervision.imaging.encoding import encode_png
from rovervision.imaging.png_text import text_of, with_text
from rovervision.learning import open_colorizer, undo_white_balance
from rovervision.learning.colorizing import colorize, load_colorizer
from rovervision.learning.serving import GAINS_KEY, from_base64, open_png_service, to_base64
from rovervision.learning.weights import Weights, read_weights, write_weights
from tests.learning.test_colorizers import SMALL, disturbed
from tests.learning.test_colorizing import gray, scene


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    header = {
        "model": SMALL.model_dump(mode="json"),
        "tile_px": 32,
        "work_px": 48,
        "cameras": ["curiosity/mastcam_left", "curiosity/mahli"],
    }
    file = tmp_path_factory.mktemp("weights") / "colorizer.safetensors"
    write_weights(file, Weights(disturbed().state_dict(), header))
    return file


def test_three_lines_colour_an_image(path):
    color = open_colorizer(path)
    image = scene(60, 80)
    np.testing.assert_array_equal(color(image), colorize(image, load_colorizer(read_weights(path)), 48))


def test_batches_and_lists_are_images_one_by_one(path):
    color = open_colorizer(str(path))
    images = [scene(40, 50, seed) for seed in range(3)]
    single = [color(image) for image in images]
    np.testing.assert_array_equal(color(np.stack(images)[..., None]), np.stack(single))
    np.testing.assert_array_equal(color(np.repeat(np.stack(images)[..., None], 3, axis=-1))[1].shape, (40, 50, 3))
    assert all(np.array_equal(one, other) for one, other in zip(color(images), single, strict=True))


def test_a_camera_may_be_named(path):
    color, image = open_colorizer(path), scene(40, 50)
    assert not np.array_equal(color(image, camera="curiosity/mahli"), color(image))
    np.testing.assert_array_equal(color(image, camera="spirit/pancam"), color(image))


def test_asking_for_learning_alone_imports_no_torch():
    code = "import sys, rovervision.learning as l; assert 'torch' not in sys.modules; l.open_colorizer; import torch"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    with pytest.raises(ImportError):
        from rovervision.learning import no_such_name  # noqa: F401


def test_a_display_balance_stands_in_the_png_and_can_be_undone(path):
    png = encode_png(scene(60, 80))
    released, display = open_colorizer(path).png(png), open_colorizer(path, white_balance="display").png(png)
    assert GAINS_KEY not in text_of(released)
    assert GAINS_KEY in text_of(display)
    assert not np.array_equal(decode_image(display), decode_image(released))
    assert np.abs(undo_white_balance(display).astype(int) - decode_image(released)).max() <= 1
    np.testing.assert_array_equal(undo_white_balance(released), decode_image(released))


def test_text_changes_no_pixel():
    png = encode_png(gray(9, 7))
    written = with_text(png, {"Title": "é 1", "b": ""})
    assert text_of(written) == {"Title": "é 1", "b": ""}
    np.testing.assert_array_equal(decode_image(written), decode_image(png))
    assert with_text(png, {}) == png


def test_a_service_answers_row_by_row(path):
    serve, color = open_png_service({"weights": str(path)}), open_colorizer(path)
    images = [scene(40, 50), scene(30, 20)]
    asked = pd.DataFrame({"image": [to_base64(encode_png(image)) for image in images]})
    for table, camera in ((asked, ""), (asked.assign(camera="curiosity/mahli"), "curiosity/mahli")):
        answered = [decode_image(from_base64(text)) for text in serve(table)["image"]]
        for image, colored in zip(images, answered, strict=True):
            np.testing.assert_array_equal(colored, color(image, camera))


@pytest.mark.parametrize(
    ("text", "sentence"), [("%%%", "not base64"), (to_base64(b"hello"), "no image"), ("", "empty")]
)
def test_what_cannot_be_served_is_a_sentence(path, text, sentence):
    with pytest.raises(RovervisionError, match=sentence):
        open_png_service({"weights": str(path)})(pd.DataFrame({"image": [text]}))
