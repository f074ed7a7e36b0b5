"""The whole pipeline on the shipped catalog: from queries to files and a table of them."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
import yaml
from kedro.io import DataCatalog, DatasetError, MemoryDataset
from kedro.runner import SequentialRunner

from rovervision.datasets.image_folder import ImageFolderDataset
from rovervision.errors import RovervisionError
from rovervision.pipelines.ingestion import create_pipeline, nodes
from rovervision.pipelines.ingestion.nodes import plan_fetch, plan_listing
from rovervision.sources.frame import Frame, MaskedSource, Query
from rovervision.sources.frame_table import table_of
from rovervision.sources.http.transport import FetchError
from rovervision.sources.registry import IngestionConfig
from rovervision.sources.selection import select

CATALOG = Path(__file__).resolve().parents[3] / "conf" / "base" / "catalog_ingestion.yml"

Run = Callable[..., DataCatalog]


PLAN = pd.DataFrame({"bytes_missing": [12.0, float("nan")]})


class Pretend:
    """An archive of a few frames that counts what it is asked; frame 3 has lost its mask."""

    def __init__(self, flaw: dict[str, bytes | BaseException] | None = None) -> None:
        self.flaw = flaw or {}
        self.fetched: list[str] = []

    def search(self, query: Query) -> Iterator[Frame]:
        frames = (
            Frame(
                frame_id=f"f{n}", file_name=f"f{n}.PNG", source="pretend", rover="spirit", camera="pancam_left", sol=n,
                url=f"f{n}", label="rock" if n % 2 else None, has_mask=n > 1,
            )
            for n in range(6)
        )  # fmt: skip
        return select(frames, query)

    def fetch(self, frame: Frame) -> bytes:
        self.fetched.append(frame.frame_id)
        body = self.flaw.get(frame.frame_id, f"image {frame.sol}".encode())
        if isinstance(body, BaseException):
            raise body
        return body

    def fetch_mask(self, frame: Frame) -> bytes:
        if frame.frame_id == "f3":
            raise RovervisionError("The mask is lost.")
        return b"mask"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the pipeline on the shipped catalog, in a folder of its own."""

    def go(pretend: Pretend | None = None, /, **settings: object) -> DataCatalog:
        if pretend is not None:
            monkeypatch.setattr(nodes, "open_source", lambda *_: pretend)
        shipped = CATALOG.read_text().replace("${globals:curated_root}", str(tmp_path / "data"))
        catalog = DataCatalog.from_config(yaml.safe_load(shipped))
        config = {"queries": [{"name": "q", "source": "pretend"}]} | settings
        catalog["params:ingestion"] = MemoryDataset(IngestionConfig(**config))  # type: ignore[arg-type]
        pipeline = create_pipeline().only_nodes_with_tags("plan") if settings.get("dry_run") else create_pipeline()
        SequentialRunner().run(pipeline, catalog)
        return catalog

    return go


def test_every_dataset_is_declared() -> None:
    declared = set(yaml.safe_load(CATALOG.read_text()))
    assert create_pipeline().all_inputs() | create_pipeline().all_outputs() == declared | {"params:ingestion"}
    entries = yaml.safe_load(CATALOG.read_text()).values()
    assert all(entry["metadata"]["description"] and entry["metadata"]["kedro-viz"]["layer"] for entry in entries)


def test_the_pipeline_folds_into_one_box() -> None:
    pipeline = create_pipeline()
    assert {node.namespace for node in pipeline.nodes} == {"ingestion"}
    planned = ["plan_listing", "select_frames", "ask_sizes", "plan_download"]
    assert [node.short_name for node in pipeline.only_nodes_with_tags("plan").nodes] == planned
    assert [node.short_name for node in pipeline.nodes] == [
        "plan_listing", "select_frames", "ask_sizes", "plan_download", "plan_fetch", "join_manifest",
    ]  # fmt: skip


def test_frames_images_masks_and_counts_arrive(run: Run) -> None:
    catalog = run(Pretend(), queries=[{"name": "q", "source": "pretend", "sol_max": 4}], max_failed_frac=0.4)
    fetched = catalog["frames_fetched"].load()
    assert list(fetched["frame_id"]) == ["f0", "f1", "f2", "f3", "f4"]
    assert [Path(path).read_bytes().decode() for path in fetched["path"]] == [f"image {n}" for n in range(5)]
    assert fetched["failure"].isna().all()
    assert str(fetched["sol"].dtype) == "Int64"
    images, masks = catalog["images_raw"].load(), catalog["masks_raw"].load()
    assert images["f2"].read() == b"image 2"
    assert Path(images["f2"].path).name == "f2.png"
    assert {key: file.failure for key, file in masks.items()} == {"f2": None, "f3": "The mask is lost.", "f4": None}


def test_a_third_of_the_masks_missing_stops_the_run_unless_allowed(run: Run) -> None:
    with pytest.raises(DatasetError, match=r"1 of 3 files .*The mask is lost"):
        run(Pretend(), queries=[{"name": "q", "source": "pretend", "sol_max": 4}], max_failed_frac=0.3)


def test_the_table_tells_which_masks_came(run: Run) -> None:
    fetched = run(Pretend(), max_failed_frac=0.5)["frames_fetched"].load()
    assert list(fetched["has_mask"]) == [False, False, True, False, True, True]


def test_failures_stand_in_the_table_and_in_the_summary(run: Run) -> None:
    archive = Pretend({"f0": b"", "f1": RovervisionError("It has gone."), "f5": b"\xff\xd8 cut"})
    catalog = run(archive, max_failed_frac=0.5, fetch_attempts=1)
    fetched = catalog["frames_fetched"].load().set_index("frame_id")
    assert fetched.loc["f0", "failure"] == "empty file"
    assert fetched.loc["f1", "failure"] == "It has gone."
    assert list(fetched["failure_reason"].dropna()) == ["empty", "unreadable"]
    assert fetched["failure"].notna().sum() == 2, "what is cut off is fetched as it is"
    summary = catalog["ingestion_summary"].load()
    assert summary["failures"] == {"empty": 1, "unreadable": 1}
    assert (summary["n_selected"], summary["n_fetched"], summary["n_failed"], summary["n_masks"]) == (6, 4, 2, 3)
    assert summary["cameras"] == {"spirit/pancam_left": 4}
    assert summary["labels"] == {"rock": 2}
    assert (summary["sol_min"], summary["sol_max"]) == (2, 5)
    assert summary["queries"]["q"]["listed"] == 6


def test_a_second_run_fetches_nothing_and_writes_the_same(run: Run, tmp_path: Path) -> None:
    archive = Pretend()
    first = run(archive, max_failed_frac=0.5)["frames_fetched"].load()
    again = run(archive, max_failed_frac=0.5)["frames_fetched"].load()
    pd.testing.assert_frame_equal(first, again)
    assert sorted(archive.fetched) == [f"f{n}" for n in range(6)]


def test_a_run_that_broke_goes_on(run: Run) -> None:
    archive = Pretend({"f4": KeyboardInterrupt()})
    with pytest.raises(KeyboardInterrupt):
        run(archive, max_failed_frac=0.5)
    before = set(archive.fetched)
    archive.flaw.clear()
    run(archive, max_failed_frac=0.5)
    assert sorted(archive.fetched) == sorted([*before, *({f"f{n}" for n in range(6)} - before), "f4"])


def test_a_narrower_second_run_leaves_no_stale_frames(run: Run) -> None:
    run(Pretend(), max_failed_frac=0.5)
    catalog = run(Pretend(), queries=[{"name": "q", "source": "pretend", "sol_max": 1}])
    assert set(catalog["images_raw"].load()) == {"f0", "f1"}
    assert catalog["masks_raw"].load() == {}
    assert len(catalog["frames_fetched"].load()) == 2


def test_a_query_without_answer_is_told_what_there_is(run: Run) -> None:
    with pytest.raises(
        DatasetError, match=r"`q` found no frame in pretend: it holds 6 frames: cameras pancam_left \(6\)"
    ):
        run(Pretend(), queries=[{"name": "q", "source": "pretend", "cameras": ["navcam_left"]}])


class Telling(Pretend):
    """One that tells sizes, but not of frame 5, and counts the questions."""

    def size_bytes(self, frame: Frame) -> int | None:
        self.asked = [*getattr(self, "asked", []), frame.frame_id]
        if frame.frame_id == "f5":
            raise FetchError("not_found", "gone")
        return 1000


def test_a_dry_run_counts_and_fetches_nothing(run: Run, tmp_path: Path) -> None:
    archive = Telling()
    catalog = run(archive, dry_run=True)
    plan = catalog["download_plan"].load()
    assert list(plan["sol"]) == list(range(6))
    assert (plan["n_missing"].sum(), plan["n_stored"].sum(), plan["bytes_missing"].sum()) == (6, 0, 6000)
    assert len(archive.asked) <= 3
    text = catalog["download_plan_text"].load()
    assert "spirit/pancam_left" in text
    assert "0 (1), 1 (1), 2 (1)" in text
    assert "6 frames selected, 0 of them stored; 6 to fetch, about 6 kB." in text
    assert archive.fetched == []
    assert not (tmp_path / "data/01_raw/images_raw").exists()
    with pytest.raises(RovervisionError, match="dry run"):
        plan_fetch(table_of([]), plan, IngestionConfig(queries=[{"name": "q", "source": "s"}], dry_run=True))  # type: ignore[arg-type]


def test_a_plan_counts_what_is_stored_already(run: Run) -> None:
    archive = Telling()
    run(archive, queries=[{"name": "q", "source": "pretend", "sol_max": 3}], max_failed_frac=0.5)
    archive.asked = []
    plan = run(archive, dry_run=True)["download_plan"].load()
    assert list(plan["n_stored"]) == [1, 1, 1, 1, 0, 0]
    assert plan["bytes_missing"].sum() == 2 * len(b"image 0"), "four stored files tell the size; nobody is asked"
    assert archive.asked == []
    run(archive, max_failed_frac=0.5)
    done = run(archive, dry_run=True)["download_plan_text"].load()
    assert "6 of them stored; 0 to fetch." in done


def test_limits_lift_and_queries_are_chosen(run: Run) -> None:
    queries = [{"name": "few", "source": "pretend", "limit": 2}, {"name": "late", "source": "pretend", "sol_min": 3}]
    assert len(run(Pretend(), queries=queries, chosen="few", max_failed_frac=1)["frames_fetched"].load()) == 2
    assert len(run(Pretend(), queries=queries, chosen="few late", max_failed_frac=1)["frames_fetched"].load()) == 5
    lifted = run(Pretend(), queries=queries, chosen="few", lift_limits=True, max_failed_frac=1)
    assert len(lifted["frames_fetched"].load()) == 6
    with pytest.raises(ValueError, match="there is no query lat; did you mean late"):
        IngestionConfig(queries=queries, chosen="few lat")  # type: ignore[arg-type]


def test_planning_does_nothing_yet() -> None:
    """Nodes promise: no archive is touched before a dataset is saved."""
    config = IngestionConfig(queries=[{"name": "q", "source": "msl_labelled"}], archive="/nowhere/at/all.zip")  # type: ignore[arg-type]
    assert set(plan_listing(config)) == {"q"}
    frame = Frame(frame_id="f", file_name="f.JPG", source="msl_labelled", query="q", url="all.zip!/f.JPG")
    images, masks = plan_fetch(table_of([frame]), PLAN, config)
    assert list(images) == ["f.jpg"]
    assert not masks


def test_promises_do_not_share_their_frame() -> None:
    """The classic slip with closures in a loop: every promise fetches the last frame."""
    frames = table_of(
        [Frame(frame_id=f"f{n}", file_name=f"f{n}.png", source="s", query="q", url=f"{n}") for n in range(5)]
    )
    config = IngestionConfig(queries=[{"name": "q", "source": "local_folder"}], archive=".")  # type: ignore[arg-type]
    images, _ = plan_fetch(frames, PLAN, config)
    assert [promise.frame.url for promise in images.values()] == [f"{n}" for n in range(5)]  # type: ignore[attr-defined]
    assert len({promise.origin for promise in images.values()}) == 5  # type: ignore[attr-defined]


def test_the_synthetic_archive_goes_all_the_way(run: Run) -> None:
    config = {"frames_count": 10, "sols_count": 2, "image_px": 64, "defect_frac": 0.0}
    catalog = run(queries=[{"name": "sample", "source": "synthetic"}], synthetic=config)
    first = catalog["frames_fetched"].load()
    assert len(first) == len(catalog["images_raw"].load()) > 0
    assert first["failure"].isna().all()
    other = run(queries=[{"name": "sample", "source": "synthetic"}], synthetic=config | {"seed": 5})
    assert not set(other["frames_fetched"].load()["sha256"]) & set(first["sha256"]), "another seed, other images"


def test_a_folder_goes_all_the_way(run: Run, tmp_path: Path) -> None:
    for name in ["curiosity/mahli/a.png", "curiosity/mahli/b.jpg"]:
        (tmp_path / "mine" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "mine" / name).write_bytes(name.encode())
    settings = {"queries": [{"name": "mine", "source": "local_folder"}], "archive": str(tmp_path / "mine")}
    catalog = run(**settings)
    assert {key: file.read() for key, file in catalog["images_raw"].load().items()} == {
        "curiosity__mahli__a": b"curiosity/mahli/a.png",
        "curiosity__mahli__b": b"curiosity/mahli/b.jpg",
    }
    (tmp_path / "mine" / "curiosity/mahli/a.png").write_bytes(b"retouched")
    assert run(**settings)["images_raw"].load()["curiosity__mahli__a"].read() == b"retouched"


@pytest.mark.real
def test_the_labelled_set_goes_all_the_way(run: Run, real_images: Path) -> None:
    catalog = run(
        queries=[{"name": "msl", "source": "msl_labelled", "limit": 50}], archive=str(real_images / "msl-images.zip")
    )
    fetched = catalog["frames_fetched"].load()
    assert len(fetched) == 50
    assert fetched["failure"].isna().all()
    assert fetched["label"].notna().all()
    assert json.dumps(catalog["ingestion_summary"].load()["official_splits"]) == '{"train": 35, "val": 15}'


def test_pretend_is_a_source_with_masks() -> None:
    assert isinstance(Pretend(), MaskedSource)
    assert ImageFolderDataset(filepath="nowhere").exists() is False
