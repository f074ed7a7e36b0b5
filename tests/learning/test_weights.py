"""Weights at rest: whole or not at all."""

import errno
import os

import pytest
import torch

from rovervision.errors import RovervisionError
from rovervision.learning import weights as module
from rovervision.learning.weights import Weights, read_weights, write_weights


def example() -> Weights:
    return Weights({"a.x": torch.arange(6.0).reshape(2, 3), "b.x": torch.tensor(3)}, {"epoch": 4, "names": ["é", 1]})


def test_round_trip(tmp_path):
    write_weights(tmp_path / "deep" / "w.safetensors", example())
    again = read_weights(tmp_path / "deep" / "w.safetensors")
    assert again.header == example().header
    assert torch.equal(again.tensors["a.x"], example().tensors["a.x"])
    assert set(again.group("a")) == {"x"}
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["w.safetensors"]


def test_the_same_weights_leave_the_file_and_its_time_alone(tmp_path):
    path, weights = tmp_path / "w.safetensors", Weights({"a": torch.arange(3.0), "b": torch.ones(2)}, {"epoch": 1})
    write_weights(path, weights)
    os.utime(path, (1, 1))
    write_weights(path, read_weights(path))
    assert path.stat().st_mtime == 1
    write_weights(path, Weights(weights.tensors, {"epoch": 2}))
    assert path.stat().st_mtime > 1
    assert read_weights(path).header == {"epoch": 2}
    assert [each.name for each in tmp_path.iterdir()] == ["w.safetensors"]


def test_a_full_disk_is_a_sentence_and_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "w.safetensors"
    write_weights(path, example())
    before = path.read_bytes()

    def full(_tensors, filename, metadata):
        filename.write_bytes(b"half a file")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module, "save_file", full)
    with pytest.raises(RovervisionError, match="No space left on device"):
        write_weights(path, example())
    assert path.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("keep", [0, 10, 100])
def test_a_cut_file_is_a_sentence(tmp_path, keep):
    path = tmp_path / "w.safetensors"
    write_weights(path, example())
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(RovervisionError, match="not a whole safetensors file"):
        read_weights(path)


def test_a_missing_file_says_how_to_make_it(tmp_path):
    with pytest.raises(RovervisionError, match="Train a model first: kedro run"):
        read_weights(tmp_path / "none.safetensors")
