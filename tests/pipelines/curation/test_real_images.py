"""What the rules do to real images."""

import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from rovervision.errors import RovervisionError
from rovervision.imaging.tiles import ExaminedShard
from rovervision.pipelines.curation.config import CurationConfig
from rovervision.pipelines.curation.examination import examine_frame
from rovervision.pipelines.curation.nodes import examine_frames, judge_frames, report_leaks
from rovervision.sources.frame import Frame, Query
from rovervision.sources.local_folder import LocalFolderSource
from tests.pipelines.curation.conftest import cut, fetched, performed, read_config, split, stored

pytestmark = pytest.mark.real

FALSE_COLOR_SOLS = ("0013", "0078", "0150", "0158", "0160", "0163")
"""Sols on which Mastcam turned its narrow-band filters."""


@pytest.fixture(scope="module")
def config() -> CurationConfig:
    return read_config("msl")


@pytest.fixture(scope="module")
def labelled_shards(real_images: Path, config: CurationConfig) -> dict[str, ExaminedShard]:
    """Return about 420 frames of the labelled set: those sols whole, and every thirtieth of the others."""
    frames, files = [], {}
    with zipfile.ZipFile(real_images / "msl-images.zip") as archive:
        names = sorted(name for name in archive.namelist() if name.upper().endswith(".JPG"))
        chosen = [n for k, n in enumerate(names) if Path(n).stem.startswith(FALSE_COLOR_SOLS[:3]) or k % 30 == 0]
        for name in chosen:
            key = Path(name).stem
            part = "train" if int(key[:4]) <= 180 else "val"
            frames.append(
                Frame(
                    frame_id=key,
                    file_name=name,
                    source="msl",
                    rover="curiosity",
                    camera=key[4:6],
                    sol=int(key[:4]),
                    official_split=part,
                )
            )
            files[key] = stored(key, archive.read(name))
    return performed(examine_frames(fetched(frames, files), files, {}, config))


@pytest.fixture(scope="module")
def labelled(labelled_shards: dict[str, ExaminedShard], config: CurationConfig) -> pd.DataFrame:
    return split(judge_frames(labelled_shards, config), labelled_shards, config)


def test_only_false_color_is_rejected_of_the_labelled_set(labelled: pd.DataFrame) -> None:
    assert len(labelled) > 300
    rejected = labelled[~labelled["kept"]]
    false_color = rejected["reasons"].map(lambda listed: any(name.startswith("false_color") for name in listed))
    assert false_color.sum() > 30
    assert (~false_color).sum() < 0.02 * len(labelled)
    assert rejected.loc[false_color, "camera"].isin(["ML", "MR"]).all()


def test_orange_green_and_blue_frames_are_rejected(labelled: pd.DataFrame) -> None:
    reasons = labelled.set_index("frame_id")["reasons"]
    single = [key for key in reasons.index if key.startswith("0150ML") and "false_color_saturated" in reasons[key]]
    assert len(single) == 4


def test_gray_is_found_and_no_color_camera_frame_is_a_mosaic(labelled: pd.DataFrame) -> None:
    share = 1 - labelled["is_color"].mean()
    assert 0.01 < share < 0.25
    assert not labelled["is_mosaic"].any()


def test_borders_are_thin(labelled: pd.DataFrame) -> None:
    assert (labelled["border_frac"] > 0).mean() > 0.28
    assert labelled["border_frac"].max() < 0.12


def test_no_leak_is_found_in_the_labelled_set_and_torn_splits_are(
    labelled_shards: dict[str, ExaminedShard], labelled: pd.DataFrame, config: CurationConfig
) -> None:
    tiles = cut(labelled_shards, labelled, config)
    assert report_leaks(labelled, tiles, config).empty
    torn = labelled.assign(split=pd.Series(["train", "test"] * len(labelled))[: len(labelled)].where(labelled["kept"]))
    split_of = torn.set_index("frame_id")["split"]
    index = tiles.index.assign(split=tiles.index["frame_id"].map(split_of))
    assert len(report_leaks(torn, replace(tiles, index=index), config)) > 10


def test_sets_are_made_of_a_folder_by_name(real_images: Path) -> None:
    source = LocalFolderSource(real_images)
    frames = [one for one in source.search(Query(name="folder", source="local_folder")) if "navcam" in one.camera]
    files = {frame.frame_id: stored(frame.frame_id, source.fetch(frame)) for frame in frames}
    config = read_config("folder")
    examined = performed(examine_frames(fetched(frames, files), files, {}, config))

    def made(name: str) -> tuple[pd.DataFrame, int]:
        by_name = config.model_copy(update={"recipe": name})
        judged = judge_frames(examined, by_name)
        return judged, len(cut(examined, split(judged, examined, by_name), by_name))

    judged, n_tiles = made("original_curiosity_navcam_gray")
    assert set(judged.loc[judged["kept"], "camera"]) == {"navcam_right"}
    assert n_tiles > 0
    with pytest.raises(RovervisionError, match=r"blurred \(2, such as: spatial_variance .* is below 15\)"):
        made("original_perseverance_navcam_color")  # two good frames, too smooth for the original's threshold
    judged, n_tiles = made("perseverance_navcam_color")
    assert judged["kept"].sum() == (judged["rover"] == "perseverance").sum() == 2
    assert n_tiles > 0


def test_full_size_frames_of_every_rover_are_kept(real_images: Path) -> None:
    config = read_config("nasa")
    paths = sorted(path for path in real_images.glob("*/*/*") if path.is_file() and "chemcam" not in str(path))[::2]
    files = {path.stem: stored(path.stem, path.read_bytes()) for path in paths}
    frames = [
        Frame(frame_id=path.stem, file_name=path.name, source="local", rover=path.parts[-3], camera=path.parts[-2])
        for path in paths
    ]
    judged = judge_frames(performed(examine_frames(fetched(frames, files), files, {}, config)), config)
    lost = judged[~judged["kept"]]
    assert len(judged) > 20
    assert lost.empty, lost["findings"].tolist()
    mosaics = judged.loc[judged["is_mosaic"], "camera"]
    assert set(mosaics) == {"mastcam_bayer_raw", "mastcamz_left"} & set(judged["camera"])


def test_mosaics_round_pictures_gray_in_rgb_and_borders_are_all_found_and_nothing_else(real_images: Path) -> None:
    config = read_config("nasa")
    paths = sorted(path for path in real_images.glob("*/*/*") if path.is_file())
    rows = {path: examine_frame(stored(path.stem, path.read_bytes()), None, config, {}).row for path in paths}
    assert len(rows) == 60

    def names(found: Callable[[dict], bool]) -> set[str]:
        return {path.stem for path, row in rows.items() if found(row)}

    raw = {path.stem for path in paths if path.parent.name in ("mastcam_bayer_raw", "mastcamz_left")}
    assert len(raw) == 9
    assert names(lambda row: row["is_mosaic"]) == raw
    rmi = {path.stem for path in paths if path.parent.name == "chemcam_rmi"}
    assert names(lambda row: row["vignette_frac"] > 0) == rmi
    stored_gray = {"cs537_chemcam_ccPic1", "cs537_chemcam_ccPic2", "2N292280938EFFB100P0703L0M1"}
    assert names(lambda row: row["is_gray_in_rgb"] > 0) == stored_gray
    mastcamz = next(row for path, row in rows.items() if path.parent.name == "mastcamz_left")
    # 23 of 1648 columns are dark left, 17 right, 2 of 1200 rows on top; one line more goes with each.
    assert mastcamz["border_frac"] == pytest.approx(1 - (1648 - 24 - 18) * (1200 - 3) / (1648 * 1200), abs=0.001)
    lost = ("missing_frac", "blank_frac")
    assert not names(lambda row: any(row[name] > 0 for name in lost) or row["stripe_level"] > 9)
