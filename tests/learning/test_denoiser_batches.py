"""Batches for denoisers: repeatable, spread evenly over noise levels, and changed in no colour."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rovervision.learning.denoiser import CHANGES
from rovervision.learning.denoiser_batches import ChangesConfig, NoisyBatches, changed, draw_changes, shrunk, told
from tests.learning.denoisers import CONDITIONS, denoiser, tiles

NUMBERS = CONDITIONS.numbers(["curiosity/mahli"] * 24, ["wheel"] * 24)


OWN = ChangesConfig()


def batches(changes: ChangesConfig | None = OWN, seed: int = 0, **options) -> NoisyBatches:
    return NoisyBatches(tiles(), NUMBERS, 10, denoiser(), changes, seed, **options)


def same(one: NoisyBatches, other: NoisyBatches, number: int, against: int) -> bool:
    pairs = zip(one.epoch(number), other.epoch(against), strict=True)
    return all(torch.equal(a, b) for batch, twin in pairs for a, b in zip(batch, twin, strict=True))


def test_an_epoch_follows_from_seed_and_number():
    assert same(batches(), batches(), 3, 3)
    assert not same(batches(), batches(), 3, 4)
    assert not same(batches(), batches(seed=1), 3, 3)


def test_watched_tiles_come_in_order_with_the_same_noise_every_epoch():
    watched = batches(None)
    assert same(watched, watched, 0, 7)
    clean = torch.cat([batch[0] for batch in watched.epoch(0)])
    assert torch.equal(((clean + 1) * 127.5).round().byte(), watched.pixels)
    condition = torch.cat([batch[3] for batch in watched.epoch(0)])
    assert (condition == torch.tensor([1, 3] + [0] * CHANGES)).all()


def test_an_epoch_has_the_length_asked_for_and_every_tile_about_as_often():
    many = batches(ChangesConfig(flip=False, frac=0), epoch_tiles=60)
    assert [len(batch[0]) for batch in many.epoch(0)] == [10] * 6
    seen = torch.cat([batch[0] for batch in many.epoch(0)])
    times = [(seen == one).all(dim=(1, 2, 3)).sum() for one in many.pixels.float() / 127.5 - 1]
    assert set(map(int, times)) <= {2, 3}


def test_levels_are_spread_evenly():
    levels = np.sort(np.concatenate([batch[1].numpy() for batch in batches().epoch(0)]))
    limits = denoiser().level_at(np.arange(1, 24) / 24)
    assert (levels[:-1] <= limits * 1.0001).all()
    assert (levels[1:] >= limits * 0.9999).all()


def test_noise_is_white_and_new():
    noise = torch.cat([batch[2] for number in range(4) for batch in batches().epoch(number)])
    assert float(noise.mean()) == pytest.approx(0, abs=0.03)
    assert float(noise.std()) == pytest.approx(1, abs=0.03)


def images(count: int = 6) -> torch.Tensor:
    return torch.from_numpy(tiles(count, 16)).permute(0, 3, 1, 2).float() / 127.5 - 1


def test_no_change_changes_nothing_and_a_mirror_is_exact():
    still = np.zeros((6, CHANGES), np.float32)
    assert torch.allclose(changed(images(), still), images(), atol=1e-5)
    mirrored = still.copy()
    mirrored[:, 0] = 1
    assert torch.allclose(changed(images(), mirrored), images().flip(-1), atol=1e-5)


@pytest.mark.parametrize("mirror", [0, 1])
def test_a_shift_goes_right_and_down_by_whole_pixels(mirror):
    moved = np.zeros((6, CHANGES), np.float32)
    moved[:, 0], moved[:, 2], moved[:, 3] = mirror, 3 / 16, 2 / 16
    before = images().flip(-1) if mirror else images()
    assert torch.allclose(changed(images(), moved)[..., 2:, 3:], before[..., :-2, :-3], atol=1e-4)


@given(st.integers(0, 10**6))
def test_changes_invent_no_colour(seed):
    """Each channel stays between the least and the greatest that the tile has."""
    drawn = draw_changes(6, 16, ChangesConfig(frac=1.0), np.random.default_rng(seed))
    before, after = images(), changed(images(), drawn)
    for channel in range(3):
        assert (after[:, channel].amin((1, 2)) >= before[:, channel].amin((1, 2)) - 1e-4).all()
        assert (after[:, channel].amax((1, 2)) <= before[:, channel].amax((1, 2)) + 1e-4).all()


def test_changes_are_as_frequent_as_asked_and_within_their_limits():
    drawn = draw_changes(20_000, 32, ChangesConfig(frac=0.15), np.random.default_rng(0))
    assert drawn[:, 0].mean() == pytest.approx(0.5, abs=0.02)
    assert (drawn[:, 1] != 0).mean() == pytest.approx(0.15, abs=0.02)
    assert (drawn[:, 2:] != 0).any(axis=1).mean() == pytest.approx(0.15, abs=0.02)
    assert drawn[:, 1].max() <= np.log2(1.5) + 1e-6
    assert np.abs(drawn[:, 2:]).max() <= 0.125
    assert (draw_changes(50, 32, ChangesConfig(flip=False, frac=0), np.random.default_rng(0)) == 0).all()


def test_conditions_are_hidden_one_by_one_and_together():
    shown = told(20_000, 0.1, np.random.default_rng(0))
    assert shown.mean() == pytest.approx(0.81, abs=0.01)
    assert (~shown).all(axis=1).mean() == pytest.approx(0.1 + 0.9 * 0.01, abs=0.01)


def test_tiles_shrink_by_averaging():
    big = tiles(3, 16)
    expected = big.reshape(3, 8, 2, 8, 2, 3).mean(axis=(2, 4))
    assert np.abs(shrunk(big, 8) - expected).max() <= 0.51
    assert shrunk(big, 16).tobytes() == big.tobytes()
    assert shrunk(big[:0], 8).shape == (0, 8, 8, 3)
