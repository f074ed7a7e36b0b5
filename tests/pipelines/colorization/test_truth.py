"""Pancam's bands in an archive become images, a table and scores."""

import json

import numpy as np
import pandas as pd
import pytest

from rovervision.errors import RovervisionError
from rovervision.imaging.decoding import decode_image
from rovervision.imaging.encoding import encode_png
from rovervision.learning.weights import Weights
from rovervision.pipelines.colorization import truth
from rovervision.sources.frame import StoredFile
from tests.imaging.test_triplets import bands
from tests.learning.test_colorizers import disturbed
from tests.pipelines.colorization.examples import CONFIG, stored

NAMES = {
    "red": "1P128287181EFF0000P2303L4M1",
    "green": "1P128287211EFF0000P2303L5M1",
    "blue": "1P128287241EFF0000P2303L6M1",
}


def archive(split: dict[str, np.ndarray]) -> tuple[pd.DataFrame, dict[str, StoredFile]]:
    images = {NAMES[name]: stored(encode_png(band)) for name, band in split.items()}
    more = ["2N126468000EFF0200P1500L0M1", "2P126468000ETH0200P2500L5M1", "holiday", "1P128287211EFF0000P2303R5M1"]
    images |= {name: stored(b"not read") for name in more}
    table = pd.DataFrame({"frame_id": list(images), "file_name": [f"{name}.jpg" for name in images]})
    return table.assign(sol=pd.array([1] * len(table), dtype="Int64")), images


@pytest.fixture(scope="module")
def split() -> dict[str, np.ndarray]:
    return bands({"red": (2.4, 1.0), "blue": (-1.5, 0.0)}, {"red": 0.8})


def saved(promises: dict) -> dict[str, StoredFile]:
    """What an image folder gives back."""
    files = {}
    for key, promise in promises.items():
        try:
            files[key] = stored(promise())
        except RovervisionError as error:
            files[key] = StoredFile(key, key, 0, "", str(error), lambda: b"")
    return files


def test_a_triplet_of_the_archive_becomes_an_image_that_tells_how(split):
    files = saved(truth.compose_natural_color(*archive(split), CONFIG))
    assert list(files) == [f"{NAMES['green']}.png"]
    (row,) = truth.tabulate_natural_color(files).to_dict("records")
    assert {name: row[name] for name in NAMES} == NAMES
    assert (row["rover"], row["camera"], row["sequence"], row["sol"], row["span_s"]) == (
        "opportunity", "pancam_left", "P2303", 1, 60,
    )  # fmt: skip
    assert row["red_right_px"] == pytest.approx(2.4, abs=0.3)
    assert row["blue_right_px"] == pytest.approx(-1.5, abs=0.3)
    assert min(row["red_correlation"], row["blue_correlation"]) > 0.7
    assert pd.isna(row["failure"])
    image = decode_image(files[f"{NAMES['green']}.png"].read())
    assert image.ndim == 3
    assert image[..., 0].mean() > image[..., 1].mean() > image[..., 2].mean()


def test_bands_that_do_not_agree_are_listed_with_the_reason(split):
    noise = np.random.default_rng(0).integers(0, 256, split["red"].shape, dtype=np.uint8)
    files = saved(truth.compose_natural_color(*archive(split | {"red": noise}), CONFIG))
    (row,) = truth.tabulate_natural_color(files).to_dict("records")
    assert "red band does not agree" in row["failure"]


def test_a_frame_that_was_not_fetched_is_in_no_triplet(split):
    table, images = archive(split)
    images[NAMES["red"]] = StoredFile("x", "x", 0, "", "gone", lambda: b"")
    assert truth.compose_natural_color(table, images, CONFIG) == {}


@pytest.fixture(scope="module")
def colorizer() -> Weights:
    header = {"model": CONFIG.model.model_dump(mode="json"), "tile_px": 16, "cameras": []}
    return Weights(disturbed(CONFIG.model).state_dict(), header)


def test_the_colorizer_is_scored_beside_gray_and_its_table(split, colorizer):
    files = saved(truth.compose_natural_color(*archive(split), CONFIG))
    files["bad.png"] = StoredFile("bad.png", "bad.png", 0, "", "bands differ", lambda: b"")
    scores, figures = truth.score_natural_color(files, colorizer, CONFIG)
    assert list(scores["method"]) == list(truth.METHODS)
    assert figures["images"] == 1
    gray = scores.set_index("method").loc["gray"]
    assert gray["predicted_chroma"] == 0
    assert gray["structure_error"] < gray["ciede2000"]  # most of what gray lacks is the tint
    assert figures["gray.ciede2000"] == pytest.approx(gray["ciede2000"])
    assert json.dumps(figures)


def test_a_colorizer_that_knows_the_truth_scores_best(split, colorizer, monkeypatch):
    files = saved(truth.compose_natural_color(*archive(split), CONFIG))
    right = decode_image(next(iter(files.values())).read())
    monkeypatch.setattr(truth, "colorize", lambda image, *_: right)
    _, figures = truth.score_natural_color(files, colorizer, CONFIG)
    assert figures["colorizer.ciede2000"] < 1e-3
    assert figures["colorizer.structure_error"] < 1e-3 < figures["table.structure_error"]


def test_an_archive_without_triplets_has_no_truth(colorizer):
    empty = pd.DataFrame({"frame_id": [], "file_name": [], "sol": []})
    assert truth.compose_natural_color(empty, {}, CONFIG) == {}
    assert truth.tabulate_natural_color({}).empty
    scores, figures = truth.score_natural_color({}, colorizer, CONFIG)
    assert scores.empty
    assert figures == {}
