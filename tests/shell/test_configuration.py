"""Configuration in a folder, a tar and a zip says the same."""

import tarfile
import zipfile
from pathlib import Path

import pytest

from rovervision.cli import absolute_paths, check_environment
from rovervision.configuration import environments, runtime_keys, texts
from rovervision.console import with_paths_below
from rovervision.errors import RovervisionError


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    for name, text in {
        "logging.yml": "version: 1",
        "base/catalog.yml": "a: {filepath: '${runtime_params:apply.input, x}'}\nb: '${runtime_params:apply.output}'",
        "msl/globals.yml": "data_root: data/msl",
    }.items():
        (tmp_path / "conf" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "conf" / name).write_text(text)
    return tmp_path / "conf"


def packed_tar(conf: Path) -> Path:
    with tarfile.open(conf.parent / "conf.tar.gz", "w:gz") as archive:
        archive.add(conf, "conf")
    return conf.parent / "conf.tar.gz"


def packed_zip(conf: Path) -> Path:
    with zipfile.ZipFile(conf.parent / "conf.zip", "w") as archive:
        for path in sorted(conf.rglob("*.yml")):
            archive.write(path, "conf" / path.relative_to(conf))
    return conf.parent / "conf.zip"


@pytest.mark.parametrize("pack", [packed_tar, packed_zip])
def test_an_archive_says_what_the_folder_says(conf: Path, pack) -> None:
    archive = pack(conf)
    assert sorted(texts(archive)) == sorted(texts(conf))
    assert runtime_keys(archive) == runtime_keys(conf) == {"apply.input", "apply.output"}
    assert environments(archive) == environments(conf) == {"base", "msl"}


def test_an_environment_that_is_not_there_is_named(conf: Path) -> None:
    check_environment("msl", conf)
    with pytest.raises(RovervisionError, match=r"no environment mls.*Did you mean msl"):
        check_environment("mls", conf)
    with pytest.raises(RovervisionError, match="no configuration at"):
        check_environment(None, conf.parent / "nowhere")


def test_a_lost_local_folder_is_made_again(conf: Path) -> None:
    check_environment(None, conf)
    assert (conf / "local").is_dir()


def test_paths_start_where_the_command_is_typed_and_addresses_stay(tmp_path: Path) -> None:
    params = {
        "apply": {"input": "in", "output": "../out", "count": 3},
        "ingestion": {"archive": "https://a.b/c.zip", "source": "in"},
        "seed": 1,
    }
    assert absolute_paths(params, tmp_path) == {
        "apply": {"input": str(tmp_path / "in"), "output": str(tmp_path.parent / "out"), "count": 3},
        "ingestion": {"archive": "https://a.b/c.zip", "source": "in"},
        "seed": 1,
    }
    assert absolute_paths({"apply": {"input": "/in"}}, tmp_path) == {"apply": {"input": "/in"}}


def test_logs_lie_in_the_root(tmp_path: Path) -> None:
    config = {"handlers": {"console": {}, "file": {"filename": "logs/a.log"}}}
    assert with_paths_below(config, tmp_path)["handlers"]["file"]["filename"] == str(tmp_path / "logs" / "a.log")
    assert (tmp_path / "logs").is_dir()
    assert config["handlers"]["file"]["filename"] == "logs/a.log"
