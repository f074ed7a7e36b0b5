"""Colour for files: which ones, under which name, each on its own."""

import io

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from rovervision.errors import RovervisionError
from rovervision.imaging.decoding import decode_image
from rovervision.imaging.encoding import encode_png
from rovervision.learning.serving import OpenColorizer, open_png_service
from rovervision.learning.weights import Weights, write_weights
from rovervision.pipelines.colorization import applying
from rovervision.pipelines.colorization.doubt_picture import STEPS_PER_UNIT
from tests.learning.test_colorizers import disturbed
from tests.pipelines.colorization.examples import CONFIG, example_tiles, stored


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


def test_doubt_is_written_beside_the_image_where_it_is_asked_for(colorizer):
    config = CONFIG.model_copy(update={"apply": CONFIG.apply.model_copy(update={"doubt": True})})
    png = encode_png(np.random.default_rng(0).integers(0, 256, (20, 30), dtype=np.uint8))
    promises = applying.colorize_images({"a/x.png": stored(png)}, colorizer, config)
    assert set(promises) == {"a/x.png", "a/x_doubt.png"}
    drawn = Image.open(io.BytesIO(promises["a/x_doubt.png"]()))
    assert drawn.mode == "P"
    doubt = open_doubt(colorizer, config, png)
    np.testing.assert_allclose(np.asarray(drawn) / STEPS_PER_UNIT, doubt.clip(0, 25.5), atol=0.051)
    assert decode_image(promises["a/x_doubt.png"]()).shape == (20, 30, 3)


def open_doubt(colorizer, config, png):
    return OpenColorizer(colorizer, config.apply.work_px(colorizer)).doubt_of_file(png)


def test_doubt_takes_no_other_name():
    names = applying.doubt_names(["x.png", "x_doubt.png", "y.png"])
    assert len({*names, *names.values()}) == 6
    assert names["y.png"] == "y_doubt.png"


def test_a_kind_without_doubt_says_so(colorizer, monkeypatch):
    config = CONFIG.model_copy(update={"apply": CONFIG.apply.model_copy(update={"doubt": True})})
    monkeypatch.setattr(OpenColorizer, "knows_doubt", False)
    with pytest.raises(RovervisionError, match="cannot tell how far off"):
        applying.colorize_images({}, colorizer, config)


@pytest.mark.parametrize(
    "image",
    [
        np.full((1, 1), 99, np.uint8),
        np.zeros((40, 50), np.uint8),
        np.full((2, 60_000), 99, np.uint8),
        np.full((60_000, 1), 99, np.uint8),
        np.full((20, 20), 40_000, np.uint16),
        np.full((20, 20, 3), 255, np.uint8),
    ],
)
@pytest.mark.parametrize("balance", ["released", "display"])
def test_odd_images_become_images(colorizer, image, balance):
    config = CONFIG.model_copy(update={"apply": CONFIG.apply.model_copy(update={"white_balance": balance})})
    (name, promise), *_ = applying.colorize_images({"x.tif": stored(tiff(image))}, colorizer, config).items()
    assert name == "x.png"
    assert decode_image(promise()).shape == (*image.shape[:2], 3)


def tiff(image: np.ndarray) -> bytes:
    return cv2.imencode(".tif", image)[1].tobytes()


@pytest.mark.parametrize("data", [b"", b"hello", b"\x89PNG\r\n\x1a\n", encode_png(np.zeros((9, 9), np.uint8))[:-20]])
def test_what_is_no_image_is_a_sentence(colorizer, data):
    promise = applying.colorize_images({"x.png": stored(data)}, colorizer, CONFIG)["x.png"]
    with pytest.raises(RovervisionError) as told:
        promise()
    assert "\n" not in str(told.value)


def test_the_example_of_the_service_is_answered_by_it(colorizer, tmp_path):
    example = applying.exemplify_colorizer(example_tiles(), colorizer, CONFIG)
    header = colorizer.header | {"work_px": CONFIG.apply.work_px(colorizer)}
    write_weights(tmp_path / "c.safetensors", Weights(colorizer.tensors, header))
    answered = open_png_service({"weights": str(tmp_path / "c.safetensors")})(example["input"])
    pd.testing.assert_frame_equal(answered, example["output"])
