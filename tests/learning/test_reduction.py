"""Maps: repeatable, of every kind, and true to neighbourhood."""

import sys
from typing import Literal, get_args

import numpy as np
import pytest
from sklearn.metrics import silhouette_score

from rovervision.errors import RovervisionError
from rovervision.learning.reduction import ReductionConfig, reduce_codes
from tests.learning.code_examples import blobs

Kind = Literal["pca", "tsne", "umap", "lle"]
QUICK = ("pca", "tsne", "lle")


def quick(kind: Kind, **options: int) -> ReductionConfig:
    return ReductionConfig(kind=kind, iterations=250, **options)


def test_every_kind_is_known_here() -> None:
    assert set(get_args(ReductionConfig.model_fields["kind"].annotation)) == {*QUICK, "umap"}


@pytest.mark.parametrize("kind", QUICK)
def test_a_map_is_the_same_again_and_keeps_likes_together(kind: Kind) -> None:
    codes, true = blobs(n_rows=150, n_blobs=3)
    places = reduce_codes(codes, quick(kind), seed=1)
    assert places.shape == (150, 2)
    assert places.dtype == np.float32
    assert np.isfinite(places).all()
    np.testing.assert_array_equal(places, reduce_codes(codes.copy(), quick(kind), seed=1))
    assert silhouette_score(places, true) > 0.5


@pytest.mark.slow
def test_umap_is_the_same_again_and_keeps_likes_together() -> None:
    pytest.importorskip("umap")
    codes, true = blobs(n_rows=60, n_blobs=3)
    places = reduce_codes(codes, quick("umap", neighbours=8), seed=1)
    np.testing.assert_array_equal(places, reduce_codes(codes, quick("umap", neighbours=8), seed=1))
    assert silhouette_score(places, true) > 0.5


def test_umap_without_its_package_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(RovervisionError, match=r"umap-learn.*rovervision\[map\]"):
        reduce_codes(blobs()[0], quick("umap"), seed=0)


def test_pca_is_the_projection_that_keeps_most_variance() -> None:
    codes, _ = blobs(spread=2.0)
    places = reduce_codes(codes, quick("pca"), seed=0)
    singular = np.linalg.svd(codes - codes.mean(0), compute_uv=False)
    np.testing.assert_allclose(np.linalg.norm(places, axis=0), singular[:2], rtol=1e-4)
    assert abs(np.corrcoef(places.T)[0, 1]) < 1e-4


@pytest.mark.parametrize("kind", ["tsne", "lle"])
def test_the_rest_is_placed_amid_its_nearest(kind: Kind) -> None:
    codes, true = blobs(n_rows=300, n_blobs=3)
    places = reduce_codes(codes, quick(kind, fit_tiles=60), seed=0)
    assert places.shape == (300, 2)
    assert silhouette_score(places, true) > 0.5


@pytest.mark.parametrize("kind", QUICK)
def test_small_and_flat_sets_have_a_map(kind: Kind) -> None:
    codes, _ = blobs(n_rows=5)
    assert np.isfinite(reduce_codes(codes, quick(kind), seed=0)).all()
    assert np.isfinite(reduce_codes(codes[:, :1], quick(kind), seed=0)).all()


@pytest.mark.parametrize("kind", QUICK)
def test_bad_codes_are_refused(kind: Kind) -> None:
    for wrong, says in (
        (np.zeros((1, 3)), "1 images, too few"),
        (np.ones((9, 3)), "All 9 codes are the same"),
        (np.full((9, 3), np.nan), "not finite"),
    ):
        with pytest.raises(RovervisionError, match=says):
            reduce_codes(wrong.astype(np.float32), quick(kind), seed=0)
