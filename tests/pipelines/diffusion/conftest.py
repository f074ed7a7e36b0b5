"""A denoiser that was trained once, for all tests of this folder."""

import pytest

from rovervision.imaging.tiles import TileStore
from rovervision.learning.weights import Weights
from rovervision.pipelines.diffusion.generating import generate_tiles
from rovervision.pipelines.diffusion.nodes import finish_denoiser, train_denoiser
from tests.pipelines.diffusion.examples import CONFIG, NO_CLUSTERS, example_tiles


@pytest.fixture(scope="session")
def checkpoints() -> list[Weights]:
    return [each for each, _ in train_denoiser(example_tiles(), NO_CLUSTERS, CONFIG, 0, "cpu", None)]


@pytest.fixture(scope="session")
def denoiser(checkpoints) -> Weights:
    return finish_denoiser(checkpoints[-1])


@pytest.fixture(scope="session")
def generated(denoiser) -> TileStore:
    return generate_tiles(denoiser, CONFIG, 0, "cpu").gathered()
