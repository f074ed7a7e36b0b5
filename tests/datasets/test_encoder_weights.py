"""Weights of pretrained encoders: read where they lie, fetched where they do not, a sentence where neither can be."""

import pytest
import torch
from kedro.io import DatasetError

from rovervision.datasets.encoder_weights import EncoderWeightsDataset
from rovervision.errors import RovervisionError


def dataset(folder, address: str) -> EncoderWeightsDataset:
    return EncoderWeightsDataset(filepath=str(folder), addresses={"resnet18": address})


def test_they_are_fetched_once_and_then_read(tmp_path):
    there, here = tmp_path / "there", tmp_path / "here"
    there.mkdir()
    torch.save({"conv1.weight": torch.ones(2)}, there / "net.pth")
    weights = dataset(here, (there / "net.pth").as_uri()).load()
    assert not here.exists()  # nothing is touched before it is asked for
    assert torch.equal(weights("resnet18")["conv1.weight"], torch.ones(2))
    (there / "net.pth").unlink()
    assert torch.equal(weights("resnet18")["conv1.weight"], torch.ones(2))


def test_absent_or_broken_weights_are_a_sentence_that_says_where_to_put_them(tmp_path):
    absent = dataset(tmp_path / "here", (tmp_path / "nowhere" / "net.pth").as_uri())
    with pytest.raises(RovervisionError, match=r"encoder resnet18 cannot be had.*here/net.pth.*encoder=none"):
        absent.load()("resnet18")
    (tmp_path / "here" / "net.pth").write_bytes(b"no weights")
    with pytest.raises(RovervisionError, match="encoder resnet18 cannot be had"):
        absent.load()("resnet18")


def test_they_are_only_read(tmp_path):
    with pytest.raises(DatasetError):
        dataset(tmp_path, "file:///x/net.pth").save(None)
