"""Views and their batches: they follow from the seed, stay images, and change what they are told to."""

import numpy as np
import pytest
import torch

from rovervision.learning.contrastive_batches import PairBatches, TileBatches
from rovervision.learning.positive_pairs import PairingConfig, find_companions
from rovervision.learning.views import ViewConfig, make_views
from tests.pipelines.clustering.scenes import scene_tiles

STILL = ViewConfig(
    area_min=1, flip=False, tint_max=1, gain_max=1, gamma_max=1, contrast_max=1, saturation_max=1, gray_frac=0,
    blur_frac=0, noise=0,
)  # fmt: skip
TILES = scene_tiles()
COMPANIONS = find_companions(TILES.index, PairingConfig())


def unit(n: int = 6) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).uniform(0.2, 0.8, (n, 3, 16, 16)).astype(np.float32))


def views(config: ViewConfig, seed: int = 0) -> torch.Tensor:
    return make_views(unit(), config, np.random.default_rng(seed))


def batches(seed: int = 0, **options) -> PairBatches:
    return PairBatches(TILES.pixels, np.arange(40), 16, 16, ViewConfig(), seed, COMPANIONS, 0.7, **options)


def test_nothing_to_change_changes_nothing():
    torch.testing.assert_close(views(STILL), unit(), atol=1e-6, rtol=0)


def test_views_are_images_of_their_seed():
    one = views(ViewConfig())
    assert one.min() >= 0
    assert one.max() <= 1
    assert torch.equal(one, views(ViewConfig()))
    assert not torch.equal(one, views(ViewConfig(), seed=1))


@pytest.mark.parametrize(
    "change", ["area_min", "flip", "tint_max", "gain_max", "gamma_max", "contrast_max", "saturation_max", "noise"]
)
def test_each_change_is_made_where_it_is_asked_for(change):
    asked = {"area_min": 0.2, "flip": True, "noise": 0.1}.get(change, 1.5)
    assert (views(STILL.model_copy(update={change: asked})) - unit()).abs().max() > 0.02


def test_gray_views_are_gray_and_blurred_ones_smooth():
    gray = views(STILL.model_copy(update={"gray_frac": 1.0}))
    assert (gray.amax(dim=1) - gray.amin(dim=1)).max() < 1e-6
    assert views(STILL.model_copy(update={"blur_frac": 1.0})).std() < unit().std()


def test_tint_scales_channels_alone():
    ratio = views(STILL.model_copy(update={"tint_max": 1.2})) / unit()
    assert ratio.std(dim=(2, 3)).max() < 1e-5
    assert (ratio[:, 0, 0, 0] - ratio[:, 2, 0, 0]).abs().max() > 0.01


def test_seed_and_epoch_decide_everything():
    def first(seed: int, number: int) -> torch.Tensor:
        return next(iter(batches(seed).epoch(number)))[0]

    assert torch.equal(first(0, 0), first(0, 0))
    assert not torch.equal(first(0, 0), first(0, 1))
    assert not torch.equal(first(0, 0), first(1, 0))
    watched = batches(fixed=True)
    assert torch.equal(next(iter(watched.epoch(0)))[0], next(iter(watched.epoch(5)))[0])


@pytest.mark.parametrize(("epoch_tiles", "count"), [(None, 2), (100, 6), (5, 1)])
def test_batches_are_whole_and_as_many_as_said(epoch_tiles, count):
    made = list(batches(epoch_tiles=epoch_tiles).epoch(0))
    assert len(made) == len(batches(epoch_tiles=epoch_tiles)) == count
    assert all(len(part) == 16 for batch in made for part in batch)


def test_second_views_are_of_companions_among_the_rows():
    rows = np.arange(0, len(TILES), 3)
    made = PairBatches(TILES.pixels, rows, 32, 32, STILL, 0, COMPANIONS, 1.0)
    has_some = {row for row in rows.tolist() if set(COMPANIONS.of(row)) & set(rows.tolist())}
    for one, other, _, _ in made.epoch(0):
        shown = [_row_of(image) for image in (*one, *other)]
        assert set(shown) <= set(rows.tolist())
        for row, companion in zip(shown[:32], shown[32:], strict=True):
            assert companion in (COMPANIONS.of(row) if row in has_some else [row])


def test_single_views_change_no_colour():
    (batch,) = TileBatches(TILES.pixels, np.arange(8), 8, 32, ViewConfig(area_min=1), 0).epoch(0)
    rows = [_row_of(image, mirrored=True) for image in batch[0]]
    assert sorted(rows) == list(range(8))


def _row_of(image: torch.Tensor, mirrored: bool = False) -> int:
    pixels = (image * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
    wanted = [pixels, pixels[:, ::-1]] if mirrored else [pixels]
    errors = np.min(
        [np.abs(TILES.pixels.astype(int) - each.astype(int)).max(axis=(1, 2, 3)) for each in wanted], axis=0
    )
    assert errors.min() <= 1
    return int(errors.argmin())
