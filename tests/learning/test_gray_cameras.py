"""Other gray cameras: each change does what it says, by as much as it was told, and off is off."""

import numpy as np
import pytest
import torch
from scipy.fft import dctn
from scipy.ndimage import gaussian_filter

from rovervision.learning.batches import AugmentationConfig, crop, other_camera
from rovervision.learning.color import rgb_to_lab
from rovervision.learning.gray_cameras import blur, compress_blocks, mix_spectrum, vignette


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def noise(n: int = 4, side: int = 16) -> torch.Tensor:
    return torch.from_numpy(rng(9).uniform(10, 90, (n, 1, side, side)).astype(np.float32))


def test_off_is_off_and_draws_nothing():
    unit, generator = torch.rand(3, 3, 16, 16), rng()
    lightness = rgb_to_lab(unit)[:, :1]
    assert other_camera(lightness, unit, AugmentationConfig(), generator) is lightness
    assert generator.bit_generator.state == rng().bit_generator.state


@pytest.mark.parametrize("name", ["spectral_max", "vignette_max", "blur_max_px", "blocks_max"])
def test_on_is_on_and_gives_a_lightness(name):
    unit = torch.rand(3, 3, 16, 16)
    lightness = rgb_to_lab(unit)[:, :1]
    changed = other_camera(lightness, unit, AugmentationConfig(**{name: 1.0}), rng())
    assert changed.shape == lightness.shape
    assert (changed - lightness).abs().max() > 0.5
    assert changed.min() >= -1e-3
    assert changed.max() <= 100 + 1e-3


def test_gray_is_gray_in_every_spectrum_and_red_is_not():
    gray = torch.rand(50, 1, 4, 4).expand(50, 3, 4, 4)
    torch.testing.assert_close(mix_spectrum(gray, 1.0, rng()), rgb_to_lab(gray)[:, :1], atol=1e-2, rtol=0)
    red = torch.tensor([0.8, 0.3, 0.2]).view(1, 3, 1, 1).expand(200, 3, 2, 2)
    seen, true = mix_spectrum(red, 1.0, rng())[:, 0, 0, 0], float(rgb_to_lab(red)[0, 0, 0, 0])
    assert seen.min() < true - 5
    assert seen.max() > true + 15
    near = mix_spectrum(red, 0.1, rng())[:, 0, 0, 0]
    assert (near - true).abs().max() < 0.4 * (seen - true).abs().max()


def test_a_vignette_darkens_away_from_its_axis_and_not_at_it():
    white = torch.full((300, 1, 16, 16), 80.0)
    seen = vignette(white, 0.5, rng())
    assert seen.max() <= 80
    assert seen.amax(dim=(1, 2, 3)).min() > 78  # the axis is in the tile
    assert seen.min() >= 80 * (1 - 0.5 * 4) - 1e-3
    assert seen.min() < 40


def test_blur_is_a_gaussian_of_a_drawn_width():
    lightness, sigma = noise(), 2.0 * rng(5).random((4, 1))[:, 0]
    for seen, tile, width in zip(blur(lightness, 2.0, rng(5)), lightness, sigma, strict=True):
        expected = gaussian_filter(tile[0].double().numpy(), width, mode="mirror", truncate=5 / max(width, 1))
        np.testing.assert_allclose(seen[0].numpy()[5:-5, 5:-5], expected[5:-5, 5:-5], atol=0.3)


def test_blocks_round_cosines_and_leave_the_rest():
    lightness = noise(side=20)
    seen = compress_blocks(lightness, 10.0, rng(2))
    assert torch.equal(seen[:, :, 16:], lightness[:, :, 16:])
    assert torch.equal(seen[..., 16:], lightness[..., 16:])
    steps = 10.0 * rng(2).random((4, 1, 1, 1, 1)).ravel()
    mild = 50 + (lightness - 50) / 8  # far from black and white, so that nothing is clipped
    for tile, step in zip(compress_blocks(mild, 10.0, rng(2)), steps, strict=True):
        cosines = dctn(tile[0, :8, :8].double().numpy(), norm="ortho")
        order = np.add.outer(np.arange(8), np.arange(8)) + 1
        counts = cosines / (step * order / 2)
        np.testing.assert_allclose(counts, np.rint(counts), atol=2e-3)
    torch.testing.assert_close(compress_blocks(mild, 1e-4, rng()), mild, atol=1e-2, rtol=0)


def test_a_crop_is_a_part_of_its_own_tile():
    tiles = rng().integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)
    for cut, tile in zip(crop(tiles, 16, rng(1)), tiles, strict=True):
        places = [(y, x) for y in range(17) for x in range(17) if np.array_equal(tile[y : y + 16, x : x + 16], cut)]
        assert len(places) == 1
    assert crop(tiles, 64, rng()) is tiles
