"""Which errors become a sentence, however deep they lie."""

import errno

import click
import pytest
import yaml
from filelock import Timeout
from kedro.io import DatasetError
from mlflow.exceptions import MlflowException

from rovervision.cli import readable, run_politely
from rovervision.errors import RovervisionError


def wrapped(cause: Exception) -> Exception:
    try:
        try:
            raise cause
        except Exception as error:
            raise DatasetError("Failed while saving data to dataset X") from error
    except DatasetError as error:
        return error


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
def test_a_disk_that_takes_nothing_more_is_named(code):
    sentence = readable(wrapped(OSError(code, "whatever", "data/03_primary/tiles/pixels.npy")))
    assert "data/03_primary/tiles/pixels.npy" in sentence
    assert "What was saved stays" in sentence


@pytest.mark.parametrize("code", [errno.EACCES, errno.EPERM, errno.ENOTDIR])
def test_a_folder_without_the_right_to_it_is_named(code):
    sentence = readable(wrapped(OSError(code, "Permission denied", "data/01_raw")))
    assert "data/01_raw: Permission denied. Give yourself the right" in sentence


@pytest.mark.parametrize(("cause", "is_pointed_out"), [(RovervisionError("Plain words."), False), (KeyError(1), True)])
def test_the_traceback_is_pointed_out_only_where_the_sentence_is_not_ours(
    cause, is_pointed_out, tmp_path, monkeypatch, capsys
):
    def fail(*_):
        raise wrapped(cause)

    monkeypatch.setattr("rovervision.cli.set_up_logging", lambda *_: tmp_path / "rovervision.log")
    monkeypatch.setattr("rovervision.cli.run_request", fail)
    with pytest.raises(click.exceptions.Exit):
        run_politely(conf_source=str(tmp_path))
    told = capsys.readouterr().err
    assert ("The whole traceback stands in" in told) is is_pointed_out
    assert ("Plain words." in told) is not is_pointed_out


def test_our_own_sentence_wins_over_its_wrapping():
    assert readable(wrapped(RovervisionError("Plain words."))) == "Plain words."


def test_a_defect_of_ours_stays_a_traceback():
    assert readable(ZeroDivisionError("division by zero")) is None


def test_a_tracking_server_that_does_not_answer_is_a_sentence():
    sentence = readable(wrapped(MlflowException("API request failed: Connection refused\n" + "x" * 900)))
    assert "Connection refused" in sentence
    assert "MLFLOW_TRACKING_URI" in sentence
    assert len(sentence) < 700


def test_a_lock_that_another_run_holds_is_named():
    assert "/store/mlflow.db.lock" in readable(Timeout("/store/mlflow.db.lock"))


def test_a_file_that_is_no_yaml_is_named_with_its_line(tmp_path):
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "fine.yml").write_text("a: 1\n")
    (tmp_path / "base" / "broken.yml").write_text("a: 1\nb: [1, 2\nc: 3\n")
    (tmp_path / "base" / "twice.yml").write_text("a: 1\n\na: 2\n")
    sentences = readable(yaml.YAMLError("unreadable"), tmp_path).splitlines()
    assert len(sentences) == 2
    assert f"{tmp_path}/base/broken.yml, line 3" in sentences[0]
    assert f"{tmp_path}/base/twice.yml, line 3" in sentences[1]


def test_broken_settings_of_the_log_are_a_sentence_too(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("KEDRO_LOGGING_CONFIG", raising=False)
    (tmp_path / "logging.yml").write_text("version: 1\nhandlers: [\n")
    with pytest.raises(click.exceptions.Exit):
        run_politely(conf_source=str(tmp_path))
    said = capsys.readouterr().err
    assert f"{tmp_path}/logging.yml, line 3" in said
    assert "Traceback" not in said
