"""Balance raises what is rare, and by no more and no other than asked."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rovervision.errors import RovervisionError
from rovervision.imaging.balance import BalanceConfig, region_shares, sampling_weights, scarcest_region

NAMES = {0: "unknown", 1: "sky", 3: "ground", 5: "hardware"}
TILES = st.lists(
    st.tuples(
        st.sampled_from(["train", "val", "test"]),
        st.one_of(st.just(0.0), st.floats(1e-3, 1e3)),
        st.sampled_from(["sky", "ground", "hardware", None]),
        st.sampled_from(["mahli", "navcam_left"]),
    ),
    max_size=30,
)
CONFIGS = st.builds(
    BalanceConfig,
    by=st.sampled_from([(), ("region",), ("camera",), ("region", "camera")]),
    power=st.floats(0, 1),
    max_ratio=st.floats(1, 1e6),
)


def table(tiles: list[tuple[str, float, str | None, str]]) -> pd.DataFrame:
    return pd.DataFrame(tiles, columns=["split", "weight", "region", "camera"]).astype(
        {"weight": "float64", "region": "string", "split": "string"}
    )


@given(TILES, CONFIGS)
def test_weights_are_never_negative_and_of_mean_one_within_each_split(
    tiles: list[tuple[str, float, str | None, str]], config: BalanceConfig
) -> None:
    index = table(tiles)
    weights = sampling_weights(index, config)
    assert weights.shape == (len(tiles),)
    assert (weights >= 0).all()
    np.testing.assert_array_equal(weights == 0, index["weight"] == 0)
    for _, rows in index.assign(balanced=weights).groupby("split"):
        if rows["weight"].any():
            assert rows["balanced"].mean() == pytest.approx(1.0)


@given(TILES, CONFIGS)
def test_power_zero_changes_nothing(tiles: list[tuple[str, float, str | None, str]], config: BalanceConfig) -> None:
    index = table(tiles)
    plain = index["weight"] / index.groupby("split")["weight"].transform("mean").replace(0, 1)
    for same in (config.model_copy(update={"power": 0.0}), config.model_copy(update={"by": ()})):
        np.testing.assert_allclose(sampling_weights(index, same), plain, rtol=1e-9)


@given(TILES, st.floats(0, 1), st.floats(1, 1e6))
def test_masses_of_classes_are_those_of_the_formula(
    tiles: list[tuple[str, float, str | None, str]], power: float, max_ratio: float
) -> None:
    """Power 1 without a cap: equal masses. Else share ** (1 - power), and none raised beyond the cap."""
    index = table(tiles)
    config = BalanceConfig(by=("region",), power=power, max_ratio=max_ratio)
    index["balanced"] = sampling_weights(index, config)
    for _, rows in index[index["weight"] > 0].groupby("split"):
        mass = rows.groupby("region")[["weight", "balanced"]].sum()
        if len(mass) == 0:
            continue
        raised = np.minimum((mass["weight"] / mass["weight"].max()) ** -power, max_ratio)
        expected = mass["weight"] * raised
        np.testing.assert_allclose(mass["balanced"] / mass["balanced"].sum(), expected / expected.sum(), rtol=1e-6)
        if power == 1 and max_ratio > mass["weight"].max() / mass["weight"].min():
            np.testing.assert_allclose(mass["balanced"], mass["balanced"].mean(), rtol=1e-6)


def test_power_one_gives_equal_mass_and_the_cap_holds() -> None:
    index = table([("train", 1.0, "ground", "mahli")] * 90 + [("train", 1.0, "hardware", "mahli")] * 10)
    for most, hardware in ((100.0, 50.0), (3.0, 100 * 30 / 120)):
        weights = sampling_weights(index, BalanceConfig(power=1.0, max_ratio=most))
        assert weights[90:].sum() == pytest.approx(hardware)
        assert weights[99] / weights[0] == pytest.approx(min(9.0, most))


@given(TILES, CONFIGS)
def test_unknown_classes_keep_their_share(
    tiles: list[tuple[str, float, str | None, str]], config: BalanceConfig
) -> None:
    index = table(tiles)
    index["plain"] = sampling_weights(index, BalanceConfig(by=()))
    index["balanced"] = sampling_weights(index, config.model_copy(update={"by": ("region",)}))
    unknown = index[index["region"].isna()]
    np.testing.assert_allclose(unknown["balanced"], unknown["plain"], rtol=1e-6)


@given(TILES, CONFIGS, st.randoms(use_true_random=False))
def test_the_order_of_tiles_does_not_matter(
    tiles: list[tuple[str, float, str | None, str]], config: BalanceConfig, random: object
) -> None:
    order = list(range(len(tiles)))
    random.shuffle(order)  # type: ignore[attr-defined]
    index = table(tiles)
    shuffled = index.iloc[order]  # with its row labels out of order, too
    np.testing.assert_allclose(sampling_weights(shuffled, config), sampling_weights(index, config)[order], rtol=1e-9)


def test_other_splits_do_not_weigh_in() -> None:
    train = table([("train", 1.0, "ground", "mahli")] * 5 + [("train", 1.0, "sky", "mahli")])
    val = table([("val", 1.0, "sky", "mahli")] * 50)
    both = pd.concat([train, val], ignore_index=True)
    config = BalanceConfig(power=1.0)
    np.testing.assert_array_equal(sampling_weights(both, config)[:6], sampling_weights(train, config))


def test_what_cannot_be_balanced_is_said() -> None:
    index = table([("train", 1.0, "sky", "mahli")])
    with pytest.raises(RovervisionError, match="cluster"):
        sampling_weights(index, BalanceConfig(by=("region", "cluster")))
    for wrong in (-1.0, np.nan, np.inf):
        with pytest.raises(RovervisionError, match="at least 0"):
            sampling_weights(index.assign(weight=wrong), BalanceConfig())


@pytest.mark.parametrize("wrong", [{"power": 1.5}, {"power": -0.1}, {"max_ratio": 0.5}, {"cap": 2}])
def test_senseless_settings_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError):
        BalanceConfig(**wrong)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), count=st.integers(0, 12))
def test_shares_are_counted_tile_by_tile(seed: int, count: int) -> None:
    regions = np.random.default_rng(seed).choice(np.array(list(NAMES), np.uint8), (count, 6, 7))
    shares = region_shares(regions, NAMES)
    assert shares.columns.tolist() == [
        "share_unknown_frac",
        "share_sky_frac",
        "share_ground_frac",
        "share_hardware_frac",
    ]
    for row, tile in enumerate(regions):
        assert shares.iloc[row].tolist() == pytest.approx([(tile == number).mean() for number in NAMES])
    np.testing.assert_allclose(shares.sum(axis=1), 1.0)


def test_shares_of_a_memory_map_longer_than_a_block(tmp_path: Path) -> None:
    regions = np.zeros((2100, 4, 4), np.uint8)
    regions[[1023, 1024, 2099], :2] = 5
    np.save(tmp_path / "regions.npy", regions)
    shares = region_shares(np.load(tmp_path / "regions.npy", mmap_mode="r"), NAMES)
    assert np.flatnonzero(shares["share_hardware_frac"] == 0.5).tolist() == [1023, 1024, 2099]
    assert shares["share_hardware_frac"].sum() == 1.5


def test_a_tile_counts_as_the_rarest_region_that_it_shows() -> None:
    shares = pd.DataFrame(
        {
            "share_ground_frac": [1.0, 0.7, 0.9, 0.1, 0.0],
            "share_hardware_frac": [0.0, 0.3, 0.1, 0.0, 0.0],
            "share_sky_frac": [0.0, 0.0, 0.0, 0.9, 0.1],
            "share_unknown_frac": [0.0, 0.0, 0.0, 0.0, 0.9],
        },
        index=[3, 1, 4, 1, 5],
    )
    found = scarcest_region(shares, ("sky", "ground", "hardware"), 0.2)
    assert found.index.tolist() == [3, 1, 4, 1, 5]
    assert found.fillna("?").tolist() == ["ground", "hardware", "ground", "sky", "?"]
    assert scarcest_region(shares[:0], ("sky", "ground"), 0.2).tolist() == []
