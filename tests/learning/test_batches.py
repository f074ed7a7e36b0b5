"""Batches follow from their seed and never change what they are made of."""

import numpy as np
import pytest
import torch

from rovervision.learning.batches import (
    Augmentation,
    AugmentationConfig,
    ColorBatches,
    add_dust,
    disturb_lightness,
    swap_patches,
    zoom_and_flip,
)
from rovervision.learning.color import rgb_to_lab

CAMERAS = np.arange(10)
SOIL = np.full((101, 2), (12.0, 20.0), np.float32)


def tiles(n: int = 10, side_px: int = 16) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, side_px, side_px, 3), dtype=np.uint8)


def epoch(seed: int = 0, number: int = 0, **options) -> list[tuple[torch.Tensor, torch.Tensor]]:
    batches = ColorBatches(
        tiles(), CAMERAS, np.arange(10), 4, Augmentation(AugmentationConfig(), SOIL), seed, **options
    )
    assert len(list(batches.epoch(number))) == len(batches)
    return list(batches.epoch(number))


def test_seed_and_epoch_decide_everything():
    for one, two in zip(epoch(), epoch(), strict=True):
        assert torch.equal(one[0], two[0])
    assert not torch.equal(epoch()[0][0], epoch(number=1)[0][0])
    assert not torch.equal(epoch()[0][0], epoch(seed=1)[0][0])


def test_without_augmentation_tiles_come_as_they_are():
    pixels = tiles()
    batches = ColorBatches(pixels, CAMERAS, np.array([3, 1]), 8, None, 0)
    ((lightness, cameras, ab),) = batches.epoch(0)
    assert cameras.tolist() == [3, 1]
    lab = rgb_to_lab(torch.from_numpy(pixels[[3, 1]]).permute(0, 3, 1, 2).float() / 255)
    torch.testing.assert_close(lightness, lab[:, :1])
    torch.testing.assert_close(ab, torch.nn.functional.avg_pool2d(lab[:, 1:], 4))


def test_weights_decide_who_is_seen():
    weights = np.zeros(10)
    weights[7] = 1.0
    plain = Augmentation(AugmentationConfig(zoom_max=1, flip=False, patch_frac=0, dust_max=0), SOIL)
    batches = ColorBatches(tiles(), CAMERAS, np.arange(10), 4, plain, 0, weights)
    expected = ColorBatches(tiles(), CAMERAS, np.array([7]), 1, None, 0)
    ((_, _, true_ab),) = expected.epoch(0)
    for _, _, ab in batches.epoch(0):
        torch.testing.assert_close(ab, true_ab.expand_as(ab), atol=1e-2, rtol=0)


def test_zoom_one_without_flip_changes_nothing():
    unit = torch.rand(3, 3, 12, 12)
    config = AugmentationConfig(zoom_max=1.0, flip=False)
    torch.testing.assert_close(zoom_and_flip(unit, config, np.random.default_rng(0)), unit, atol=1e-4, rtol=0)


def test_a_flip_is_a_mirror():
    unit = torch.rand(64, 3, 8, 8)
    turned = zoom_and_flip(unit, AugmentationConfig(zoom_max=1.0), np.random.default_rng(0))
    same = (turned - unit).abs().amax((1, 2, 3)) < 1e-4
    mirrored = (turned - unit.flip(3)).abs().amax((1, 2, 3)) < 1e-4
    assert (same | mirrored).all()
    assert 10 < int(mirrored.sum()) < 54


@pytest.mark.parametrize("seed", range(3))
def test_disturbed_lightness_stays_a_lightness(seed):
    lightness = torch.rand(4, 1, 8, 8) * 100
    config = AugmentationConfig(gamma_max=2, gain_max=2, noise=10)
    changed = disturb_lightness(lightness, config, np.random.default_rng(seed))
    assert changed.min() >= 0
    assert changed.max() <= 100
    nothing = AugmentationConfig(gamma_max=1, gain_max=1, noise=0)
    torch.testing.assert_close(disturb_lightness(lightness, nothing, np.random.default_rng(seed)), lightness)


def test_some_tiles_come_without_their_camera():
    hidden = AugmentationConfig(camera_hidden_frac=0.5)
    batches = ColorBatches(tiles(), np.full(10, 4), np.arange(10), 4, Augmentation(hidden, SOIL), 0)
    seen = torch.cat([cameras for number in range(20) for _, cameras, _ in batches.epoch(number)])
    assert set(seen.tolist()) == {0, 4}
    assert 0.35 < (seen == 0).float().mean() < 0.65


def test_a_patch_is_whole_cells_of_one_other_tile():
    unit = torch.arange(6.0).view(6, 1, 1, 1).expand(6, 3, 32, 32)
    changed = swap_patches(unit, 1.0, np.random.default_rng(0))
    cells = changed[:, 0].unfold(1, 4, 4).unfold(2, 4, 4)
    assert (cells.amax((3, 4)) == cells.amin((3, 4))).all()
    for tile, own in zip(changed, range(6), strict=True):
        assert set(tile.unique().tolist()) <= {own, *tile.unique().tolist()}
        assert len(tile.unique()) <= 2
    assert (changed != unit).any()
    assert torch.equal(swap_patches(unit, 0.0, np.random.default_rng(0)), unit)


def test_dust_browns_what_is_pale_and_leaves_what_is_not():
    gray = torch.tensor([50.0, 0.0, 0.0]).view(1, 3, 1, 1).expand(200, 3, 2, 2)
    orange = torch.tensor([50.0, 20.0, 40.0]).view(1, 3, 1, 1).expand(200, 3, 2, 2)
    rng = np.random.default_rng(0)
    dusty = add_dust(gray, torch.from_numpy(SOIL), 0.5, rng)
    share = dusty[:, 0] / 12
    torch.testing.assert_close(dusty[:, 1] / 20, share)
    assert share.min() >= 0
    assert share.max() <= 0.5
    assert 0.2 < share.mean() < 0.3
    assert torch.equal(add_dust(orange, torch.from_numpy(SOIL), 0.5, rng), orange[:, 1:])
    assert torch.equal(add_dust(gray, torch.from_numpy(SOIL), 0.0, rng), gray[:, 1:])
