"""A folder is replaced whole; what another process writes beside it stays."""

from pathlib import Path

from rovervision.datasets.replaced_folder import replaced_folder


def test_what_another_process_is_writing_stays(tmp_path: Path) -> None:
    with replaced_folder(tmp_path / "tiles") as first:
        with replaced_folder(tmp_path / "tiles") as second:
            assert first.is_dir()
            (second / "late").touch()
        (first / "last").touch()
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")] == ["tiles", "tiles/last"]
