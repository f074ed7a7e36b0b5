"""`mlflow models serve`, for real: a PNG in, a PNG in colour out."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
import requests

from rovervision.datasets.tracked_model import TrackedModelDataset
from rovervision.imaging.decoding import decode_image
from rovervision.imaging.encoding import encode_png
from rovervision.learning import open_colorizer
from rovervision.learning.serving import from_base64, to_base64
from rovervision.learning.weights import Weights, write_weights
from tests.learning.test_colorizers import SMALL, disturbed
from tests.learning.test_colorizing import scene

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

START_S = 120


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    header = {"model": SMALL.model_dump(mode="json"), "tile_px": 32, "work_px": 48, "cameras": ["curiosity/mahli"]}
    file = tmp_path_factory.mktemp("weights") / "colorizer.safetensors"
    write_weights(file, Weights(disturbed().state_dict(), header))
    return file


@pytest.fixture(scope="module")
def logged(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrackedModelDataset]:
    """The colorizer as a run logs it, from the catalog's own entry."""
    from tests.test_conventions import loader

    folder, before = tmp_path_factory.mktemp("mlflow"), mlflow.get_tracking_uri()
    entry = loader("base")["catalog"]["colorizer_tracked"]
    taken = {key: entry[key] for key in ("name", "factory", "requirements", "optional_columns")}
    dataset = TrackedModelDataset(filepath=str(folder / "at.json"), files={"weights": str(weights)}, **taken)
    gray = to_base64(encode_png(scene(32, 32)))
    example = {
        "input": pd.DataFrame({"image": [gray], "camera": [""]}),
        "output": pd.DataFrame({"image": [to_base64(open_colorizer(weights).png(from_base64(gray)))]}),
    }
    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    try:
        mlflow.create_experiment("served", artifact_location=(folder / "artifacts").as_uri())
        mlflow.set_experiment("served")
        with mlflow.start_run():
            dataset.save(example)
        yield dataset
    finally:
        mlflow.set_tracking_uri(before)


def address_of(dataset: TrackedModelDataset) -> dict[str, str]:
    return json.loads(Path(dataset._filepath).read_text())


@pytest.fixture(scope="module")
def server(logged: TrackedModelDataset) -> Iterator[str]:
    """The address of `mlflow models serve` on loopback."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    at = address_of(logged)
    words = ["models", "serve", "-m", at["model_uri"], "-h", "127.0.0.1", "-p", str(port), "--env-manager", "local"]
    environment = os.environ | {
        "MLFLOW_TRACKING_URI": at["tracking_uri"],
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    log = Path(logged._filepath).with_name("server.log")
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", *words], env=environment, stdout=file, stderr=file, start_new_session=True
        )
    try:
        wait_for(f"http://127.0.0.1:{port}/ping", process, log)
        yield f"http://127.0.0.1:{port}/invocations"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until_s = time.monotonic() + START_S
    while time.monotonic() < until_s and process.poll() is None:
        try:
            if requests.get(url, timeout=5).ok:
                return
        except requests.RequestException:
            time.sleep(0.3)
    pytest.fail(f"the server did not start: {log.read_text(errors='replace')[-2000:]}")


def test_a_png_comes_back_in_colour(server: str, weights: Path) -> None:
    images = [scene(60, 80), scene(33, 21, 1)]
    rows = [[to_base64(encode_png(image))] for image in images]
    answer = requests.post(server, json={"dataframe_split": {"columns": ["image"], "data": rows}}, timeout=60)
    assert answer.status_code == 200, answer.text
    colored = [decode_image(from_base64(row["image"])) for row in answer.json()["predictions"]]
    color = open_colorizer(weights)
    assert all(np.array_equal(one, color(image)) for one, image in zip(colored, images, strict=True))
    named = {"dataframe_split": {"columns": ["image", "camera"], "data": [[rows[0][0], "curiosity/mahli"]]}}
    (told,) = requests.post(server, json=named, timeout=60).json()["predictions"]
    np.testing.assert_array_equal(decode_image(from_base64(told["image"])), color(images[0], "curiosity/mahli"))


def test_what_is_no_image_is_a_sentence_to_the_client(server: str) -> None:
    asked = {"dataframe_split": {"columns": ["image"], "data": [[to_base64(b"hello")]]}}
    answer = requests.post(server, json=asked, timeout=60)
    assert answer.status_code == 400
    assert "no image" in answer.json()["message"]
    assert "Traceback" not in answer.text


def test_the_logged_model_has_a_signature_and_an_example(logged: TrackedModelDataset, weights: Path) -> None:
    served = logged.load()
    assert [(each.name, each.required) for each in served.metadata.signature.inputs] == [
        ("image", True),
        ("camera", False),
    ]
    assert [each.name for each in served.metadata.signature.outputs] == ["image"]
    example = served.input_example
    assert len(from_base64(example["image"].iloc[0])) > 50
    image = scene(20, 30)
    answered = served.predict(pd.DataFrame({"image": [to_base64(encode_png(image))]}))
    np.testing.assert_array_equal(decode_image(from_base64(answered["image"][0])), open_colorizer(weights)(image))
