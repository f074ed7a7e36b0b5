import logging
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rovervision.gallery import rooms as rooms_module
from rovervision.gallery.colors import by_camera, ranked_frames
from rovervision.gallery.generated import pairs_of
from rovervision.gallery.kept import frieze, reasons_of
from rovervision.gallery.rooms import Stock, open_rooms
from tests.gallery import scenes

TILES = scenes.tile_store()
DATASETS: dict[str, Any] = {
    "ingestion_summary": scenes.ingestion_summary(),
    "curation_summary": scenes.curation_summary(),
    "frames_split": scenes.frames(),
    "frames_examined": scenes.shards(),
    "tiles": TILES,
    "tile_map": scenes.tile_map(TILES),
    "tile_clusters@written": scenes.tile_clusters(TILES),
    "cluster_table": scenes.cluster_table(),
    "colorization_score_table": scenes.color_score_table(),
    "tiles_generated": scenes.tile_store(8),
}


def stock(names: set[str], written: set[str] = frozenset(), times: dict[str, float] | None = None) -> Stock:  # type: ignore[assignment]
    known = times or {}
    return Stock(
        load=DATASETS.__getitem__,
        modified_s=lambda name: known.get(name, 1.0) if name in names else None,
        path=lambda name: None,
        written=frozenset(written),
    )


def test_rooms_are_those_whose_datasets_stand() -> None:
    opened = open_rooms(stock(set(DATASETS)))
    assert list(opened.rooms) == ["kept", "clusters", "colors", "generated"]
    assert opened.missing == []
    assert opened.frieze is not None


def test_what_is_missing_comes_with_its_command() -> None:
    opened = open_rooms(stock({"ingestion_summary"}), " --env msl")
    assert list(opened.rooms) == ["kept"]
    makers = ("curation", "clustering", "colorization", "diffusion")
    assert [each.command for each in opened.missing] == [f"kedro run --pipelines {name} --env msl" for name in makers]
    assert open_rooms(stock(set())).rooms == {}


def test_a_broken_dataset_costs_its_room_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(DATASETS, "cluster_table", pd.DataFrame({"nonsense": [1]}))
    with caplog.at_level(logging.WARNING):
        opened = open_rooms(stock(set(DATASETS)))
    assert list(opened.rooms) == ["kept", "colors", "generated"]
    assert "clusters" in caplog.text


def test_a_room_tells_whether_this_run_made_it_and_whether_the_tiles_are_newer() -> None:
    opened = open_rooms(stock(set(DATASETS), {"cluster_table"}, {"tiles": 2.0, "cluster_table": 3.0}))
    assert (opened.rooms["clusters"].is_fresh, opened.rooms["clusters"].is_outdated) == (True, False)
    assert (opened.rooms["generated"].is_fresh, opened.rooms["generated"].is_outdated) == (False, True)
    assert not opened.rooms["kept"].is_outdated


def test_reasons_have_examples_from_the_nearest_miss_to_the_farthest() -> None:
    blurred, *others = reasons_of(scenes.frames(), scenes.shards())
    assert [example.value for example in blurred.examples] == ["11", "3.5"]
    assert blurred.demand == "laplacian variance ≥ 22"
    undecodable = next(each for each in others if each.name == "undecodable")
    assert undecodable.examples == []
    assert undecodable.sentences == ["the file breaks off"]


def test_many_shards_are_not_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    def colors_shown() -> bool:
        (blurred, *_) = open_rooms(stock(set(DATASETS))).rooms["kept"].content.reasons
        return bool(np.ptp(blurred.examples[0].picture.pixels, axis=2).any())

    assert colors_shown()
    monkeypatch.setattr(rooms_module, "SHARDS_MAX", 0)
    assert not colors_shown()


def test_a_frieze_needs_enough_tiles() -> None:
    assert frieze(scenes.tile_store(5)) is None


def test_ranked_frames_go_by_error_and_each_is_shown_once() -> None:
    errors = np.random.default_rng(0).permutation(101)
    scores = pd.DataFrame({"method": "residual", "frame_id": [f"f{error}" for error in errors], "ciede2000": errors})
    chosen = ranked_frames(scores, "residual")
    assert chosen["The best frame"] == "f0"
    assert chosen["The median frame"] == "f50"
    assert chosen["The worst frame"] == "f100"
    assert len(ranked_frames(scores[:2], "residual")) == 2
    assert ranked_frames(scores, "another") == {}


def test_every_camera_has_its_turn() -> None:
    rows = [pd.Series({"rover": "r", "camera": camera}) for camera in "aaaaaab"]
    chosen = by_camera(rows, [f"{number}" for number in range(7)])
    assert len(chosen) == 4
    assert "6" in chosen


def test_a_pair_is_a_tile_and_the_one_it_is_nearest_to() -> None:
    tiles, generated = scenes.tile_store(), scenes.tile_store(8)
    pairs = pairs_of(tiles, generated, scenes.neighbours())
    assert [pair.distance for pair in pairs] == sorted(pair.distance for pair in pairs)
    assert pairs[0].distance == pytest.approx(0.1 / 2.0)
    assert (pairs[0].nearest.pixels == pairs[0].generated.pixels).all()  # both stores are of the same noise


def test_a_film_is_a_strip_where_it_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import cv2

    from rovervision.gallery import film

    path = tmp_path / "film.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 5, (64, 48))  # type: ignore[attr-defined]
    if not writer.isOpened():
        pytest.skip("this build of OpenCV writes no films")
    for level in range(0, 240, 20):
        writer.write(np.full((48, 64, 3), level, np.uint8))
    writer.release()
    small = film.film_room(path, {})
    assert small.address.startswith("data:video/mp4;base64,")
    means = [still.pixels.mean() for still in small.stills]
    assert len(means) == 8 and means == sorted(means)
    monkeypatch.setattr(film, "EMBEDDED_MAX_BYTES", 10)
    assert film.film_room(path, {}).address == ""
