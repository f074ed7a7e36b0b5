"""Generated tiles: the same by number in any batch, marked as what they are, and asked for by class and camera."""

import numpy as np
import pytest

from rovervision.datasets.tile_store import TileStoreDataset
from rovervision.errors import RovervisionError
from rovervision.imaging.decoding import decode_image
from rovervision.imaging.png_text import text_of
from rovervision.imaging.tiles import TILE_INDEX_COLUMNS
from rovervision.learning.generation import TileMaker, Wish, blocks
from rovervision.pipelines.diffusion.generating import generate_images, generate_tiles
from tests.pipelines.diffusion.examples import CONFIG, changed


def differ(one: np.ndarray, other: np.ndarray) -> int:
    return int(np.abs(one.astype(int) - other.astype(int)).max())


def test_tiles_are_the_same_in_batches_of_any_size(denoiser, generated):
    """But for the last bit, which sums in another order may round to the next gray level."""
    for batch_size in (1, 12):
        config = changed(generation={"batch_size": batch_size})
        assert differ(generate_tiles(denoiser, config, 0, "cpu").gathered().pixels, generated.pixels) <= 1
    assert differ(generate_tiles(denoiser, CONFIG, 1, "cpu").gathered().pixels, generated.pixels) > 1
    more = generate_tiles(denoiser, changed(generation={"count": 15}), 0, "cpu").gathered()
    assert differ(more.pixels[:10], generated.pixels[:10]) == 0
    assert more.index["label"].tolist()[:12] == generated.index["label"].tolist()


def test_nobody_takes_them_for_photographs(generated):
    index = generated.index
    assert set(TILE_INDEX_COLUMNS) <= set(index)
    assert index["is_synthetic"].all()
    assert index["model"].str.startswith("edm-").all()
    assert (index["seed"] == 0).all()
    assert (index["split"] == "train").all()
    assert index["tile_id"].is_unique


def test_classes_are_as_frequent_as_in_training(denoiser):
    maker = TileMaker(denoiser, CONFIG.sampler, 0, "cpu")
    numbers = maker.conditions_of(range(3000))
    for camera, class_, count in denoiser.header["pairs"]:
        share = ((numbers == (camera, class_)).all(axis=1)).mean()
        assert share == pytest.approx(count / denoiser.header["trained_on"]["tiles"], abs=0.03)


def test_a_stopped_set_goes_on(denoiser, tmp_path):
    plan = generate_tiles(denoiser, CONFIG, 0, "cpu")
    assert len({piece.origin for piece in plan.pieces}) == len(plan.pieces) == 3
    other = generate_tiles(denoiser, changed(sampler={"steps": 3}), 0, "cpu")
    assert {piece.origin for piece in plan.pieces}.isdisjoint(piece.origin for piece in other.pieces)
    dataset = TileStoreDataset(filepath=str(tmp_path / "tiles_generated"))
    dataset.save(plan)
    loaded = dataset.load()
    assert np.array_equal(loaded.pixels, plan.gathered().pixels)
    assert loaded.index["is_synthetic"].all()


def test_images_are_the_sets_tiles_and_say_what_they_are(denoiser, generated):
    images = generate_images(denoiser, CONFIG, 0, "cpu")
    assert list(images) == ["generated_0_000000.png", "generated_0_000001.png", "generated_0_000002.png"]
    for promise, tile in zip(images.values(), generated.pixels, strict=False):
        png = promise()
        assert differ(decode_image(png), tile) <= 1
        assert "no photograph" in text_of(png)["Description"]
    assert len({promise.origin for promise in images.values()}) == 3


def test_a_batch_is_made_once_for_all_its_images(denoiser):
    maker = TileMaker(denoiser, CONFIG.sampler, 0, "cpu")
    made, calls = maker.make, []
    maker.make = lambda indices: calls.append(indices) or made(indices)
    (block,) = blocks(maker, 4, 8)
    assert block.tiles() is block.tiles()
    assert calls == [[0, 1, 2, 3]]


def test_what_is_wished_for_is_told(denoiser):
    maker = TileMaker(denoiser, CONFIG.sampler, 0, "cpu", Wish(class_name="hardware", camera="curiosity/mahli"))
    cameras, classes = maker.names_of(maker.conditions_of(range(20)))
    assert set(cameras) == {"curiosity/mahli"}
    assert set(classes) == {"hardware"}


@pytest.mark.parametrize(
    ("wish", "sentence"),
    [
        (Wish(class_name="wheels"), r"knows no class 'wheels'. It knows ground, hardware"),
        (Wish(camera="mahli"), r"knows no camera 'mahli'. It knows curiosity/mahli"),
    ],
)
def test_an_unknown_class_is_a_sentence(denoiser, wish, sentence):
    with pytest.raises(RovervisionError, match=sentence):
        TileMaker(denoiser, CONFIG.sampler, 0, "cpu", wish)


def test_progress_is_told_with_the_time_left(denoiser, caplog):
    with caplog.at_level("INFO", logger="rovervision.learning.generation"):
        generate_tiles(denoiser, CONFIG, 0, "cpu").gathered()
    lines = [record.getMessage() for record in caplog.records]
    assert 1 <= len(lines) <= 10
    assert lines[-1] == "12 of 12 tiles generated  0:00 left"
