"""Rank correlation, beside scipy's own and in cases that can be told by heart."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from rovervision.imaging.rank_correlation import rank_correlation


@given(st.integers(0, 1000), st.integers(3, 60))
def test_it_is_spearmans(seed, n):
    x, y = np.random.default_rng(seed).integers(0, 6, (2, n)).astype(float)
    if np.ptp(x) and np.ptp(y):
        assert rank_correlation(x, y) == pytest.approx(spearmanr(x, y).statistic)


def test_any_rising_function_ranks_alike():
    x = np.random.default_rng(0).normal(size=(8, 9))
    assert rank_correlation(x, np.exp(x)) == pytest.approx(1)
    assert rank_correlation(x, -(x**3)) == pytest.approx(-1)


def test_what_has_no_order_has_no_correlation():
    assert math.isnan(rank_correlation(np.zeros(4), np.arange(4.0)))
    assert math.isnan(rank_correlation(np.ones(1), np.ones(1)))
