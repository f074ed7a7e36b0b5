"""The judge of generated tiles: it sees casts and blur, and is what its weights file says."""

import numpy as np
import pytest

from rovervision.learning.generated_scores import frechet_distance
from rovervision.learning.judge import JudgeConfig, open_judge, train_judge
from rovervision.learning.weights import read_weights, write_weights
from tests.pipelines.diffusion.examples import example_tiles

QUICK = {"dim": 8, "epochs": 1, "epoch_tiles": 32, "batch_size": 16}


def judged(kind: str):
    tiles = example_tiles(tile_px=16)
    return tiles, train_judge(tiles.pixels, tiles.index, JudgeConfig(kind=kind, **QUICK), 0, "cpu")


@pytest.mark.parametrize("kind", ["handcrafted", "pixels", "contrastive"])
def test_it_is_what_its_file_says_and_scales_its_places(tmp_path, kind):
    tiles, weights = judged(kind)
    write_weights(tmp_path / "judge.safetensors", weights)
    places = open_judge(read_weights(tmp_path / "judge.safetensors")).places(tiles.pixels)
    assert places.shape == (len(tiles), 8)
    assert places.var(axis=0).mean() == pytest.approx(1, rel=1e-3)
    assert np.allclose(places, open_judge(weights).places(tiles.pixels))
    assert np.allclose(places[:3], open_judge(weights).places(tiles.pixels[:3]), atol=1e-4)


@pytest.mark.parametrize("kind", ["handcrafted", "pixels", "contrastive"])
def test_it_sees_a_cast(kind):
    tiles, weights = judged(kind)
    one, other = tiles.pixels[:40], tiles.pixels[40:]
    cast = np.clip(other.astype(int) + np.array([25, 0, -25]), 0, 255).astype(np.uint8)
    judge = open_judge(weights)
    floor, far = (frechet_distance(judge.places(one), judge.places(each)) for each in (other, cast))
    assert far > 1.2 * floor


def test_the_same_seed_gives_the_same_judge():
    one, other = (judged("contrastive")[1] for _ in range(2))
    assert all(np.array_equal(tensor, other.tensors[name]) for name, tensor in one.tensors.items())
