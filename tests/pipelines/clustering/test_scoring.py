"""Scores: every encoder beside its baselines, on all tiles and on the scored split alone."""

import numpy as np
import pytest

from rovervision.learning.clusters import fit_clusters
from rovervision.pipelines.clustering import scoring
from tests.learning.code_examples import blobs
from tests.pipelines.clustering.found import config, found, scores
from tests.pipelines.clustering.scenes import scene_tiles


def test_the_baselines_are_always_in_the_table() -> None:
    table, _ = scores()
    assert list(dict.fromkeys(table["encoder"])) == ["pixels", "random", "handcrafted"]
    assert set(table.loc[table["role"] == "model", "encoder"]) == {"handcrafted"}
    assert table.groupby("encoder")["scope"].apply(list).tolist() == [["all", "val"]] * 3


def test_perfect_clusters_have_perfect_scores() -> None:
    table, metrics = scores()
    own = table[table["role"] == "model"].set_index("scope")
    assert own.loc["all", ["nmi", "purity", "neighbour_accuracy"]].tolist() == [1, 1, 1]
    assert own.loc["val", "probe_accuracy"] == 1
    assert np.isnan(own.loc["all", "probe_accuracy"])
    assert metrics["nmi"] == 1 and metrics["val_probe_accuracy"] == 1 and "pixels.nmi" in metrics
    assert "nmi_at_3" in metrics
    assert all(np.isfinite(value) for value in metrics.values())


def test_labels_are_not_needed() -> None:
    of = found()
    blank = scene_tiles()
    blank.index["label"] = None
    table, metrics = scoring.score_encoders(blank, of.codes, of.tile_clusters, of.config, 0)
    assert "nmi" not in table and table["silhouette"].notna().all()
    assert {"silhouette", "camera_nmi", "subsample_stability"} <= set(metrics)


def test_scores_follow_the_clusters_that_were_found() -> None:
    of = found()
    mixed = of.tile_clusters.assign(cluster=np.arange(len(of.tiles)) % 2)
    table, _ = scoring.score_encoders(of.tiles, of.codes, mixed, of.config, 0)
    own = table[(table["role"] == "model") & (table["scope"] == "all")]
    assert own["nmi"].item() == pytest.approx(0, abs=0.05)
    assert own["camera_nmi"].item() == pytest.approx(1)  # frames come left, right, left, right


def test_a_fused_encoder_has_both_names() -> None:
    fused = config("contrastive")
    both = fused.encoder.model_copy(update={"fuse_with": "handcrafted"})
    assert scoring.encoder_name(fused.encoder) == "contrastive"
    assert scoring.encoder_name(both) == "contrastive + handcrafted"


def test_long_codes_on_their_main_axes_have_the_same_clusters() -> None:
    codes, _ = blobs(n_rows=120, dim=300)
    asked = config().clusterer.model_copy(update={"clusters": 5})
    axes = scoring.main_axes(codes, asked, 0)
    assert axes.shape == (120, 120)  # no more than there are rows
    np.testing.assert_array_equal(fit_clusters(axes, asked, 0).labels, fit_clusters(codes, asked, 0).labels)
    assert scoring.main_axes(codes[:, :200], asked, 0).shape[1] == 200
    assert scoring.main_axes(codes, asked.model_copy(update={"pca_dim": None}), 0) is codes


def test_the_probe_is_scored_on_the_split_that_is_asked_for() -> None:
    of = found()
    labels, splits = of.tiles.index["label"], of.tiles.index["split"].astype("string[pyarrow]")
    told = {
        split: scoring.probe_on(of.codes.codes, labels.where(splits != "test", None), splits, of.config.model_copy(
            update={"scoring": of.config.scoring.model_copy(update={"split": split})}
        )) for split in ("val", "test")
    }  # fmt: skip
    assert told["val"]["probe_accuracy"] == 1
    assert told["test"] == {}  # nothing known there
