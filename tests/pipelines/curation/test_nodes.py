"""Nodes are pure, their counts add up, and nothing leaks from train to what is held out."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from rovervision.errors import RovervisionError
from rovervision.imaging.quality import MEASURES
from rovervision.imaging.tiles import ExaminedShard, TileStore
from rovervision.pipelines.curation.config import CurationConfig
from rovervision.pipelines.curation.nodes import (
    cut_tiles,
    examine_frames,
    judge_frames,
    relate_frames,
    report_leaks,
    summarize_curation,
)
from rovervision.pipelines.curation.tiling import INDEX_COLUMNS
from rovervision.sources.frame import Frame, StoredFile
from tests.pipelines.curation.conftest import Archive, cut, fetched, performed, read_config, split, stored


def picture(seed: int, height: int = 96, width: int = 128) -> np.ndarray:
    """Return a rusty RGB texture that passes every rule."""
    noise = np.random.default_rng(seed).normal(0, 1, (height, width)).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), 7)
    light = 130 + 70 * soft / np.abs(soft).max() + 8 * noise
    return np.clip(light[..., None] * [1.2, 0.9, 0.6], 0, 255).astype(np.uint8)


def png(image: np.ndarray) -> bytes:
    return cv2.imencode(".png", image[..., ::-1] if image.ndim == 3 else image)[1].tobytes()


def frame(name: str, **given: object) -> Frame:
    return Frame(
        **{"frame_id": name, "file_name": f"{name}.png", "source": "test", "rover": "curiosity", "sol": 5} | given
    )


def curated(
    frames: list[Frame], images: dict[str, bytes], config: CurationConfig, masks: dict[str, StoredFile] | None = None
) -> tuple[dict[str, ExaminedShard], pd.DataFrame]:
    files = {key: stored(key, data) for key, data in images.items()}
    examined = performed(examine_frames(fetched(frames, files), files, masks or {}, config))
    return examined, split(judge_frames(examined, config), examined, config)


def summarized(
    judged: pd.DataFrame,
    examined: dict[str, ExaminedShard],
    frames: pd.DataFrame,
    tiles: TileStore,
    config: CurationConfig,
) -> dict[str, Any]:
    related = relate_frames(judged, examined, config)
    return json.loads(json.dumps(summarize_curation(frames, related, tiles, report_leaks(frames, tiles, config))))


def reasons_of(frames: pd.DataFrame) -> dict[str, list[str]]:
    return {row.frame_id: list(row.reasons) for row in frames.itertuples()}


def test_the_road_from_end_to_end_adds_up(
    archive: Archive, examined: dict[str, ExaminedShard], judged: pd.DataFrame, config: CurationConfig
) -> None:
    frames = split(judged, examined, config)
    tiles = cut(examined, frames, config)
    summary = summarized(judged, examined, frames, tiles, config)
    assert summary["frames"] == len(archive.frames) == summary["frames_kept"] + summary["frames_rejected"]
    assert sum(summary["frames_by_split"].values()) == summary["frames_kept"]
    assert sum(summary["tiles_by_split"].values()) == summary["tiles"] == len(tiles)
    assert sum(summary["tiles_by_camera"].values()) == len(tiles)
    assert all(bool(list(row.reasons)) != row.kept for row in frames.itertuples())
    assert all(len(row.reasons) == len(row.findings) for row in frames.itertuples())
    assert frames.loc[~frames["kept"], ["group", "split"]].isna().all(axis=None)
    assert tuple(tiles.index.columns) == INDEX_COLUMNS
    assert tiles.index["tile_id"].is_unique
    assert tiles.tile_px == config.tile_px
    kept = frames[frames["kept"]].set_index("frame_id")
    assert set(tiles.index["frame_id"]) == set(kept.index)
    pd.testing.assert_series_equal(tiles.index["split"], tiles.index["frame_id"].map(kept["split"]), check_names=False)


def test_each_distinct_view_weighs_one(
    examined: dict[str, ExaminedShard], judged: pd.DataFrame, config: CurationConfig
) -> None:
    frames = split(judged, examined, config)
    tiles = cut(examined, frames, config)
    views = frames[frames["kept"]].set_index("frame_id")["alike"]
    weight = tiles.index.groupby(tiles.index["frame_id"].map(views))["weight"].sum()
    np.testing.assert_allclose(weight, 1.0)


def test_nodes_change_no_argument_and_repeat_themselves(
    archive: Archive, examined: dict[str, ExaminedShard], judged: pd.DataFrame, config: CurationConfig
) -> None:
    table = archive.table.copy(deep=True)
    promises = examine_frames(archive.table, archive.images, archive.masks, config)
    again = promises["shard_00000"]()
    pd.testing.assert_frame_equal(archive.table, table)
    pd.testing.assert_frame_equal(again.frames, examined["shard_00000"].frames)
    np.testing.assert_array_equal(again.pixels, examined["shard_00000"].pixels)
    before = judged.copy(deep=True)
    one, other = split(judged, examined, config), split(judged, examined, config)
    pd.testing.assert_frame_equal(judged, before)
    pd.testing.assert_frame_equal(one, other)


def test_shards_have_the_same_columns_whatever_they_hold(
    archive: Archive, examined: dict[str, ExaminedShard], config: CurationConfig
) -> None:
    bad = fetched([frame("x")], {"x": stored("x", b"", "404")})
    failed = performed(examine_frames(bad, {"x": stored("x", b"", "404")}, {}, config))["shard_00000"]
    good = next(iter(examined.values()))
    for column in (*MEASURES, "phash", "not_examined", "is_color", "mask_failure"):
        assert failed.frames[column].dtype == good.frames[column].dtype, column
    assert failed.pixels.shape == (0, config.tile_px, config.tile_px, 3)
    assert "record" not in good.frames


def test_failures_are_told_apart(config: CurationConfig) -> None:
    frames = [frame(name) for name in ("lost", "missing", "html", "good", "thumb")]
    frames[-1] = replace(frames[-1], sample_type="thumbnail")
    files = {
        "lost": stored("lost", b"", "the archive answered 404"),
        "html": stored("html", b"<html>"),
        "good": stored("good", png(picture(0))),
        "thumb": stored("thumb", png(picture(1)[:32, :32])),
    }
    table = fetched(frames, files | {"missing": stored("missing", b"")})
    judged = judge_frames(performed(examine_frames(table, files, {}, config)), config)
    assert reasons_of(judged) == {
        "good": [],
        "html": ["undecodable"],
        "lost": ["not_fetched"],
        "missing": ["not_fetched"],
        "thumb": ["too_small", "sample_type"],
    }
    assert "404" in judged.set_index("frame_id").at["lost", "findings"][0]


def test_equal_files_are_kept_once_and_the_held_out_one_stays(config: CurationConfig) -> None:
    data = png(picture(0))
    frames = [frame("a", official_split="train"), frame("b", official_split="val"), frame("c", official_split="test")]
    _, judged = curated(frames, dict.fromkeys("abc", data), config)
    assert reasons_of(judged) == {"a": ["exact_duplicate"], "b": ["exact_duplicate"], "c": []}


def test_a_train_frame_that_shows_a_held_out_one_is_dropped_and_counted(config: CurationConfig) -> None:
    noise = np.random.default_rng(9).normal(0, 2, picture(0).shape)
    twin = np.clip(picture(0) * 0.95 + noise, 0, 255).astype(np.uint8)
    frames = [
        frame("train_twin", official_split="train", sol=1),
        frame("val_twin", official_split="val", sol=300),
        frame("train_alone", official_split="train", sol=2),
        frame("test_alone", official_split="test", sol=400),
    ]
    images = {
        "train_twin": png(twin),
        "val_twin": png(picture(0)),
        "train_alone": png(picture(1)),
        "test_alone": png(picture(2)),
    }
    examined, frames_split = curated(frames, images, config)
    assert reasons_of(frames_split)["train_twin"] == ["duplicate_of_held_out"]
    assert frames_split.set_index("frame_id")["split"].dropna().to_dict() == {
        "val_twin": "val",
        "train_alone": "train",
        "test_alone": "test",
    }
    tiles = cut(examined, frames_split, config)
    assert frames_split.set_index("frame_id")["kept"].to_dict() == {key: key != "train_twin" for key in images}
    assert set(tiles.index["frame_id"]) == set(images) - {"train_twin"}
    assert report_leaks(frames_split, tiles, config).empty


def test_a_burst_stays_together_across_a_border_of_sols(config: CurationConfig) -> None:
    per_group = config.splits.sols_per_group
    frames = [
        frame("left", sol=per_group - 1, sclk_s=1000.0),
        frame("right", sol=per_group, sclk_s=1004.0),
        frame("later", sol=per_group, sclk_s=9000.0),
    ]
    _, frames_split = curated(frames, {one.frame_id: png(picture(n)) for n, one in enumerate(frames)}, config)
    group = frames_split.set_index("frame_id")["group"]
    assert group["left"] == group["right"] != group["later"]


def test_tiles_are_cut_inside_black_borders_in_pixels_of_the_file(config: CurationConfig) -> None:
    inside = picture(0, 96, 96)
    framed = np.zeros((112, 126, 3), np.uint8)
    framed[7:103, 20:116] = inside
    mask = np.zeros((112, 126), np.uint8)
    mask[7:103, 20:116] = 3
    examined, frames_split = curated([frame("a")], {"a": png(framed)}, config, {"a": stored("a", png(mask))})
    tiles = cut(examined, frames_split, config)
    row = tiles.index.iloc[0]
    assert len(tiles) == 1
    assert (abs(row.left_px - 20), abs(row.top_px - 7)) <= (1, 1)
    assert 94 <= row.side_px <= 96
    assert (tiles.regions == 3).all()
    assert tiles.pixels.min() > 20


def test_masks_are_cut_with_the_picture(config: CurationConfig) -> None:
    image = picture(0)
    mask = np.where(image[..., 0] > image[..., 0].mean(), 3, 1).astype(np.uint8)
    masks = {"a": stored("a", png(mask)), "b": stored("b", png(mask[:10])), "c": stored("c", b"nonsense")}
    examined, _ = curated([frame(n) for n in "abc"], {n: png(picture(k)) for k, n in enumerate("abc")}, config, masks)
    shard = examined["shard_00000"]
    of = shard.candidates["frame_id"]
    red, region = shard.pixels[of == "a"][..., 0].astype(float), shard.regions[of == "a"]
    assert set(np.unique(region)) == {1, 3}
    assert red[region == 3].mean() > red[region == 1].mean() + 30
    assert shard.regions[of != "a"].max() == 0
    failures = shard.frames.set_index("frame_id")["mask_failure"]
    assert failures.isna().to_dict() == {"a": True, "b": False, "c": False}


def test_a_deep_gray_image_gives_gray_tiles(config: CurationConfig) -> None:
    deep = picture(0)[..., 1].astype(np.uint16) * 16
    examined, frames_split = curated([frame("a")], {"a": png(deep)}, config)
    tiles = cut(examined, frames_split, config)
    assert (tiles.pixels == tiles.pixels[..., :1]).all()
    assert not tiles.index["is_color"].any()
    assert tiles.pixels.std() > 10


def test_frames_without_sol_and_clock_are_split_too(config: CurationConfig) -> None:
    frames = [frame(f"f{n}", sol=None, sclk_s=None) for n in range(4)]
    _, frames_split = curated(frames, {one.frame_id: png(picture(n)) for n, one in enumerate(frames)}, config)
    assert frames_split["kept"].all()
    assert frames_split["group"].nunique() == 4


def test_when_nothing_is_left_the_sentence_says_why(config: CurationConfig) -> None:
    examined, frames_split = curated([frame("a")], {"a": b"<html>"}, config)
    assert not frames_split["kept"].any()
    with pytest.raises(RovervisionError, match=r"of 1 frames.*undecodable \(1, such as: "):
        cut(examined, frames_split, config)
    with pytest.raises(RovervisionError, match="no frame"):
        judge_frames({}, config)


def test_the_table_survives_parquet(
    tmp_path: Path, examined: dict[str, ExaminedShard], judged: pd.DataFrame, config: CurationConfig
) -> None:
    judged.to_parquet(tmp_path / "judged.parquet")
    again = pd.read_parquet(tmp_path / "judged.parquet")
    one, other = split(judged, examined, config), split(again, examined, config)
    assert one["split"].fillna("").tolist() == other["split"].fillna("").tolist()
    other.to_parquet(tmp_path / "split.parquet")
    final = pd.read_parquet(tmp_path / "split.parquet")
    first, last = cut(examined, one, config), cut(examined, final, config)
    np.testing.assert_array_equal(first.pixels, last.pixels)
    assert summarized(judged, examined, one, first, config) == summarized(again, examined, final, last, config)


@pytest.mark.parametrize("environment", ["base", "msl", "nasa"])
def test_the_parameters_that_are_shipped_are_valid(environment: str) -> None:
    shipped = read_config(environment)
    assert shipped.rules["too_dark"] is not None
    assert (shipped.rules["blurred"] is None) == (environment == "msl")


def test_a_typo_in_the_parameters_is_refused() -> None:
    for wrong in ({"tile_size": 64}, {"tile_px": 0}, {"rules": {"x": {"measure": "entropy_bit", "minimum": 1}}}):
        with pytest.raises(ValidationError):
            CurationConfig(**wrong)


def test_a_curation_that_keeps_nothing_names_the_three_reasons_that_reject_most() -> None:
    listed = [["a", "b"], ["b", "c"], ["b", "c", "d"], ["c", "b", "a", "a2"]]
    found = [[f"{reason}: no {key}" for reason in reasons] for key, reasons in zip("wxyz", listed, strict=True)]
    frames = pd.DataFrame({"frame_id": list("wxyz"), "kept": False, "reasons": listed, "findings": found})
    told = r"4 frames\. .*: b \(4, such as: no w\), c \(3, such as: no x\), a \(2, such as: no w\)\. "
    with pytest.raises(RovervisionError, match=told):
        cut_tiles({}, frames, CurationConfig())
