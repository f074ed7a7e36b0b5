"""Laws of the image folder: whole or absent, fetched once, honest about what is missing."""

import errno
import json
import shutil
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kedro.io import DatasetError

from rovervision.datasets.image_folder import ImageFolderDataset
from rovervision.errors import RovervisionError
from rovervision.sources.fetch_plan import FetchPlan, FetchTerms


@dataclass
class Fetch:
    """A promise that counts how often it is called, and fails the first `failures` times."""

    body: bytes
    origin: str = "one"
    failures: int = 0
    error: BaseException = field(default_factory=lambda: ConnectionError("the line is dead"))
    calls: int = 0

    def __call__(self) -> bytes:
        self.calls += 1
        if self.calls <= self.failures:
            raise self.error
        return self.body


def folder(path: Path, **settings: object) -> ImageFolderDataset:
    return ImageFolderDataset(**({"filepath": str(path), "retry_pause_s": 0.0, "keyed_by": "stem"} | settings))


def stored(path: Path) -> dict[str, bytes]:
    """Return all visible files of a folder."""
    return {
        file.relative_to(path).as_posix(): file.read_bytes()
        for file in path.rglob("*")
        if file.is_file() and not any(part.startswith(".") for part in file.relative_to(path).parts)
    }


def test_bytes_come_back_as_they_went_in(tmp_path: Path) -> None:
    images = folder(tmp_path / "images")
    images.save({"a.jpg": lambda: b"one", "b.c.png": lambda: b"two"})
    files = images.load()
    assert {key: file.read() for key, file in files.items()} == {"a": b"one", "b.c": b"two"}
    assert files["a"].n_bytes == 3
    assert files["a"].failure is None
    assert files["a"].sha256 == "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed"
    assert Path(files["a"].path).name == "a.jpg"


@settings(max_examples=25, deadline=None)
@given(
    st.dictionaries(
        st.lists(st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,8}", fullmatch=True), min_size=1, max_size=3).map(
            lambda parts: "/".join(parts) + ".png"
        ),
        st.binary(min_size=1, max_size=200),
        max_size=6,
    )
)
def test_round_trip_with_sub_folders(tmp_path_factory: pytest.TempPathFactory, bodies: dict[str, bytes]) -> None:
    names = {name.lower(): name for name in bodies}
    bodies = {name: bodies[name] for name in names.values()}
    if any(other.startswith(name + "/") for name in bodies for other in bodies):
        return  # one name is a folder of the other
    root = tmp_path_factory.mktemp("images")
    images = folder(root, keyed_by="path")
    images.save({name: Fetch(body) for name, body in bodies.items()})
    assert {key: file.read() for key, file in images.load().items()} == bodies
    assert stored(root) == bodies


def test_a_whole_file_is_not_fetched_again(tmp_path: Path) -> None:
    fetch = Fetch(b"body")
    for _ in range(3):
        folder(tmp_path).save({"a.jpg": fetch})
    assert fetch.calls == 1


@pytest.mark.parametrize("damage", [b"", b"bod", b"Body", None])
def test_a_damaged_file_is_fetched_again(tmp_path: Path, damage: bytes | None) -> None:
    fetch = Fetch(b"body")
    images = folder(tmp_path)
    images.save({"a.jpg": fetch})
    (tmp_path / "a.jpg").unlink()
    if damage is not None:
        (tmp_path / "a.jpg").write_bytes(damage)
    images.save({"a.jpg": fetch})
    assert fetch.calls == 2
    assert images.load()["a"].read() == b"body"


def test_a_file_that_was_only_touched_is_kept(tmp_path: Path) -> None:
    fetch = Fetch(b"body")
    images = folder(tmp_path)
    images.save({"a.jpg": fetch})
    (tmp_path / "a.jpg").touch()
    images.save({"a.jpg": fetch})
    assert fetch.calls == 1


def test_another_origin_replaces_the_file(tmp_path: Path) -> None:
    """The same name from another archive, or from another seed, is another file."""
    images = folder(tmp_path)
    images.save({"a.jpg": Fetch(b"old", origin="seed 0")})
    images.save({"a.jpg": Fetch(b"new", origin="seed 1")})
    assert images.load()["a"].read() == b"new"


def test_a_promise_without_origin_is_always_kept_up_to_date(tmp_path: Path) -> None:
    images = folder(tmp_path)
    images.save({"a.jpg": lambda: b"old"})
    images.save({"a.jpg": lambda: b"new"})
    assert images.load()["a"].read() == b"new"


def test_load_returns_the_last_save_and_deletes_nothing(tmp_path: Path) -> None:
    images = folder(tmp_path)
    images.save({"a.jpg": lambda: b"one", "b.jpg": lambda: b"two"})
    (tmp_path / "mine.jpg").write_bytes(b"the user's own")
    images.save({"b.jpg": lambda: b"two"})
    assert set(images.load()) == {"b"}
    assert set(stored(tmp_path)) == {"a.jpg", "b.jpg", "mine.jpg"}


def test_promises_made_in_a_loop_stay_apart(tmp_path: Path) -> None:
    """Slow and fast promises in many threads: each file holds its own promise's bytes."""
    names = [f"{number:03}.png" for number in range(60)]
    images = folder(tmp_path, threads=8)
    images.save({name: Fetch(name.encode()) for name in names})
    assert {f"{key}.png": file.read().decode() for key, file in images.load().items()} == {name: name for name in names}


def test_threads_work_at_the_same_time(tmp_path: Path) -> None:
    together = threading.Barrier(3, timeout=10)

    def meet() -> bytes:
        together.wait()
        return b"met"

    folder(tmp_path, threads=3, attempts=1).save({f"{n}.png": meet for n in range(3)})


def test_failures_are_retried_then_recorded(tmp_path: Path) -> None:
    late, dead = Fetch(b"late", failures=2), Fetch(b"", failures=99)
    images = folder(tmp_path, attempts=3, max_failed_frac=0.5)
    images.save({"late.jpg": late, "dead.jpg": dead})
    files = images.load()
    assert (late.calls, dead.calls) == (3, 3)
    assert files["late"].read() == b"late"
    assert files["dead"].failure == "ConnectionError: the line is dead"
    with pytest.raises(RovervisionError, match=r"dead\.jpg: ConnectionError: the line is dead"):
        files["dead"].read()
    assert "dead.jpg,error,ConnectionError: the line is dead" in (tmp_path / "failures.csv").read_text()


def test_a_failure_is_tried_again_next_time_and_then_forgotten(tmp_path: Path) -> None:
    images = folder(tmp_path, attempts=1, max_failed_frac=1.0)
    fetch = Fetch(b"body", failures=1)
    images.save({"a.jpg": fetch})
    assert images.load()["a"].failure
    images.save({"a.jpg": fetch})
    assert images.load()["a"].failure is None
    assert not (tmp_path / "failures.csv").exists()


def test_a_refusal_is_not_repeated(tmp_path: Path) -> None:
    fetch = Fetch(b"", failures=99, error=RovervisionError("It leads out of the folder."))
    images = folder(tmp_path, attempts=5, max_failed_frac=1.0)
    images.save({"a.jpg": fetch})
    assert fetch.calls == 1
    assert images.load()["a"].failure == "It leads out of the folder."


def test_an_empty_body_is_a_failure(tmp_path: Path) -> None:
    images = folder(tmp_path, max_failed_frac=1.0)
    images.save({"a.jpg": lambda: b""})
    assert images.load()["a"].failure == "empty file"
    assert stored(tmp_path).keys() == {"failures.csv"}


def test_too_many_failures_stop_the_save_in_words(tmp_path: Path) -> None:
    images = folder(tmp_path, attempts=1, max_failed_frac=0.25)
    plan: dict[str, Callable[[], bytes]] = {f"{n}.jpg": Fetch(b"body", failures=9 * (n < 2)) for n in range(4)}
    with pytest.raises(DatasetError, match=r"2 of 4 files .* more than the allowed 25 % of 4.*the line is dead"):
        images.save(plan)
    assert {"2.jpg", "3.jpg", "failures.csv"} == set(stored(tmp_path))
    assert not images.exists()
    for fetch in plan.values():
        fetch.failures = 0  # type: ignore[attr-defined]
    images.save(plan)
    assert [fetch.calls for fetch in plan.values()] == [2, 2, 1, 1]  # type: ignore[attr-defined]


def test_a_hopeless_save_stops_early(tmp_path: Path) -> None:
    plan = {f"{n}.jpg": Fetch(b"", failures=99) for n in range(400)}
    with pytest.raises(DatasetError, match="could not be stored"):
        folder(tmp_path, attempts=1, threads=2).save(plan)
    assert sum(fetch.calls for fetch in plan.values()) < 60


def test_a_plan_brings_its_own_patience(tmp_path: Path) -> None:
    fetch = Fetch(b"", failures=99)
    images = folder(tmp_path, attempts=1, max_failed_frac=0.0)
    images.save(FetchPlan({"a.jpg": fetch}, terms=FetchTerms(attempts=4, max_failed_frac=1.0)))
    assert fetch.calls == 4


def test_a_disk_that_runs_short_stops_the_save_before_and_during_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = iter([10_000, 10_000, 10_000, 400])
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=next(free)))
    plan = {f"{n}.jpg": Fetch(b"body") for n in range(300)}
    images = folder(tmp_path)
    with pytest.raises(DatasetError, match=r"0\.0 GB free, about 0\.0 GB are to be stored"):
        images.save(FetchPlan(plan, terms=FetchTerms(expected_bytes=9_600, min_free_bytes=500)))
    assert not any(fetch.calls for fetch in plan.values())
    with pytest.raises(DatasetError, match="have to stay free"):
        images.save(FetchPlan(plan, terms=FetchTerms(min_free_bytes=500)))
    assert 100 < sum(fetch.calls for fetch in plan.values()) < 200, "looked at every 64 files"
    monkeypatch.undo()
    kept = {path.name for path in tmp_path.glob("*.jpg")}
    images.save(FetchPlan(plan, terms=FetchTerms(min_free_bytes=1)))
    assert all(plan[name].calls == 1 for name in kept), "what was stored stays"
    assert stored(tmp_path) == dict.fromkeys(plan, b"body")


def test_an_interrupted_save_goes_on_where_it_stopped(tmp_path: Path) -> None:
    """Ctrl-C in the middle: the folder loads as neither old nor new, and no whole file is fetched twice."""
    plan = {f"{n:02}.jpg": Fetch(f"body {n}".encode()) for n in range(20)}
    plan["10.jpg"].error, plan["10.jpg"].failures = KeyboardInterrupt(), 1
    images = folder(tmp_path, threads=2)
    images.save({"00.jpg": plan["00.jpg"]})
    with pytest.raises(KeyboardInterrupt):
        images.save(plan)
    assert not images.exists()
    with pytest.raises(DatasetError, match="interrupted"):
        images.load()
    done = {name for name, fetch in plan.items() if fetch.calls and name != "10.jpg"}
    images.save(plan)
    assert len(done) >= 9
    assert all(fetch.calls == 1 for name, fetch in plan.items() if name != "10.jpg")
    assert {key: file.read() for key, file in images.load().items()} == {
        name[:2]: fetch.body for name, fetch in plan.items()
    }


def test_a_killed_process_leaves_nothing_half_done(tmp_path: Path) -> None:
    """SIGKILL while bytes are being written: no part stands under a final name, and a rerun fetches only the rest."""
    script = textwrap.dedent(
        """
        import os, signal, sys
        from pathlib import Path
        from rovervision.datasets.image_folder import ImageFolderDataset

        class Fetch:
            origin = "one"
            def __init__(self, n): self.n = n
            def __call__(self): return b"x" * 1000 + str(self.n).encode()

        whole = Path.write_bytes
        def half(path, body):
            if body.endswith(b"x12"):
                whole(path, body[:500])
                os.kill(os.getpid(), signal.SIGKILL)
            return whole(path, body)
        Path.write_bytes = half
        ImageFolderDataset(filepath=sys.argv[1], threads=1).save({f"{n}.jpg": Fetch(n) for n in range(20)})
        """
    )
    killed = subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)
    assert killed.returncode == -9
    assert set(stored(tmp_path)) == {f"{n}.jpg" for n in range(12)}
    plan = {f"{n}.jpg": Fetch(b"x" * 1000 + str(n).encode()) for n in range(20)}
    images = folder(tmp_path)
    images.save(plan)
    assert [fetch.calls for fetch in plan.values()] == [0] * 12 + [1] * 8
    assert {name: fetch.body for name, fetch in plan.items()} == stored(tmp_path)
    assert not (tmp_path / ".incoming").exists()


def test_a_cut_off_ledger_line_costs_one_file(tmp_path: Path) -> None:
    plan = {f"{n}.jpg": Fetch(b"body") for n in range(3)}
    images = folder(tmp_path, threads=1)
    images.save(plan)
    ledger = tmp_path / ".ledger.jsonl"
    ledger.write_bytes(ledger.read_bytes()[:-20])
    images.save(plan)
    assert sorted(fetch.calls for fetch in plan.values()) == [1, 1, 2]
    assert len([json.loads(line) for line in ledger.read_text().splitlines()]) == 3


def test_a_full_disk_stops_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Path.write_bytes

    def write_bytes(path: Path, body: bytes) -> int:
        if body == b"b" * 100:
            whole(path, body[:40])
            raise OSError(errno.ENOSPC, "No space left on device")
        return whole(path, body)

    monkeypatch.setattr(Path, "write_bytes", write_bytes)
    plan = {"a.jpg": Fetch(b"a"), "b.jpg": Fetch(b"b" * 100), "c.jpg": Fetch(b"c")}
    images = folder(tmp_path, threads=1, max_failed_frac=1.0)
    with pytest.raises(DatasetError, match=r"The disk that holds .* is full.*make room"):
        images.save(plan)
    assert "b.jpg" not in stored(tmp_path)
    assert plan["b.jpg"].calls == 1
    assert not list(tmp_path.glob(".incoming/*"))
    monkeypatch.undo()
    images.save(plan)
    assert plan["a.jpg"].calls == 1
    assert images.load()["b"].read() == b"b" * 100


@pytest.mark.parametrize(
    "name",
    [
        "../a.jpg",
        "a/../../b.jpg",
        "/tmp/a.jpg",
        "..",
        ".",
        "",
        ".hidden.jpg",
        ".incoming/a.jpg",
        "a\\b.jpg",
        "failures.csv",
    ],
)
def test_names_stay_inside_the_folder(tmp_path: Path, name: str) -> None:
    fetch = Fetch(b"body")
    with pytest.raises(DatasetError, match="name"):
        folder(tmp_path / "images", keyed_by="path").save({name: fetch})
    assert not fetch.calls


def test_a_link_inside_the_folder_is_no_way_out(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "images" / "link").symlink_to(tmp_path / "outside")
    with pytest.raises(DatasetError, match="leads out"):
        folder(tmp_path / "images").save({"link/a.jpg": lambda: b"body"})


def test_two_files_may_not_share_a_key(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"a\.jpg and a\.png"):
        folder(tmp_path).save({"a.jpg": lambda: b"1", "a.png": lambda: b"2"})


def test_an_empty_plan_is_a_complete_save(tmp_path: Path) -> None:
    masks = folder(tmp_path / "masks")
    masks.save({})
    assert masks.exists()
    assert masks.load() == {}


def test_exists_means_that_load_holds(tmp_path: Path) -> None:
    images = folder(tmp_path / "images")
    assert not images.exists()
    with pytest.raises(DatasetError, match="holds no complete set"):
        images.load()
    images.save({"a.jpg": lambda: b"one"})
    assert images.exists()
    (tmp_path / "images" / "a.jpg").write_bytes(b"")
    assert not images.exists()
    assert "0 bytes and had 3" in str(images.load()["a"].failure)
    (tmp_path / "images" / "a.jpg").unlink()
    assert "has gone" in str(images.load()["a"].failure)


def test_a_file_that_shrinks_while_in_use_is_noticed(tmp_path: Path) -> None:
    images = folder(tmp_path)
    images.save({"a.jpg": lambda: b"one"})
    files = images.load()
    (tmp_path / "a.jpg").write_bytes(b"")
    with pytest.raises(RovervisionError, match="has changed"):
        files["a"].read()


def test_a_users_folder_is_listed_as_it_stands(tmp_path: Path) -> None:
    for name in ["b/x.PNG", "b/deep/y.tif", "a.jpeg", "notes.txt", ".hidden.png", ".cache/z.png", "raw.webp"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    before = stored(tmp_path)
    images = ImageFolderDataset(filepath=str(tmp_path), read_only=True)
    files = images.load()
    assert list(files) == ["a.jpeg", "b/x.PNG", "b/deep/y.tif"]
    assert files["b/x.PNG"].read() == b"b/x.PNG"
    assert images.exists()
    with pytest.raises(DatasetError, match="only read"):
        images.save({"a.png": lambda: b"1"})
    assert set(ImageFolderDataset(filepath=str(tmp_path), read_only=True, extensions=["webp"]).load()) == {"raw.webp"}
    assert stored(tmp_path) == before


def test_a_users_folder_that_is_not_there_or_bare_is_told(tmp_path: Path) -> None:
    absent = ImageFolderDataset(filepath=str(tmp_path / "absent"), read_only=True)
    assert not absent.exists()
    with pytest.raises(DatasetError, match=r"There is no folder .*absent"):
        absent.load()
    bare = ImageFolderDataset(filepath=str(tmp_path), read_only=True)
    assert not bare.exists()
    with pytest.raises(DatasetError, match="holds no image"):
        bare.load()


def test_a_read_only_view_of_a_saved_folder_gives_the_last_save(tmp_path: Path) -> None:
    saved = folder(tmp_path, keyed_by="path")
    saved.save({"a.png": lambda: b"1", "b.png": lambda: b"2"})
    saved.save({"a.png": lambda: b"1"})
    assert set(ImageFolderDataset(filepath=str(tmp_path), read_only=True).load()) == {"a.png"}
