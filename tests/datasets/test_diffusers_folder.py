"""The exported model as a dataset: replaced as a whole, and absent in a sentence."""

import pytest
import torch
from kedro.io import DatasetError

from rovervision.datasets.diffusers_folder import DiffusersFolderDataset
from rovervision.learning.exported_denoiser import DenoiserExport
from rovervision.learning.weights import Weights
from tests.learning.denoisers import CONDITIONS, EDM, denoiser


def export(seed: int, card: str) -> DenoiserExport:
    header = {"denoiser": EDM.model_dump(mode="json"), "conditions": CONDITIONS.to_json()}
    return DenoiserExport(Weights(denoiser(seed=seed).state_dict(), header), card)


def test_it_is_loaded_as_it_was_saved_and_replaced_whole(tmp_path):
    dataset = DiffusersFolderDataset(filepath=str(tmp_path / "exported"))
    assert not dataset.exists()
    dataset.save(export(0, "first"))
    (tmp_path / "exported" / "stray").touch()
    dataset.save(export(1, "second"))
    assert (tmp_path / "exported" / "README.md").read_text() == "second"
    assert not (tmp_path / "exported" / "stray").exists()
    loaded = dataset.load().unet.state_dict()
    assert torch.equal(loaded["conv_in.weight"], denoiser(seed=1).unet.conv_in.weight)
    assert list(tmp_path.rglob("*.safetensors"))
    assert not list(tmp_path.rglob("*.bin"))


def test_no_model_is_a_sentence(tmp_path):
    with pytest.raises(DatasetError, match="kedro run --pipelines diffusion"):
        DiffusersFolderDataset(filepath=str(tmp_path / "nothing")).load()
