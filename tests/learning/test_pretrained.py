"""The encoder of torchvision: it takes its weights, and tells where they are none."""

import pytest
import torch
from torchvision.models import resnet18

from rovervision.errors import RovervisionError
from rovervision.learning.colorizers import ModelConfig, ResidualConfig, build_colorizer
from rovervision.learning.pretrained import no_encoder_weights
from rovervision.learning.training import seeded
from tests.learning.test_colorizers import tables

CONFIG = ModelConfig(residual=ResidualConfig(encoder="resnet18", tint_levels=True, tint_histogram=True))


@pytest.fixture(scope="module")
def net():
    with seeded(5):
        return resnet18(weights=None).eval()


@torch.no_grad()
def test_its_features_are_those_of_torchvision(net):
    with seeded(0):
        model = build_colorizer(tables(), CONFIG).eval()
    model.take_encoder({"resnet18": net.state_dict()}.__getitem__)
    lightness = torch.rand(1, 1, 36, 32) * 100
    gray = ((lightness / 100 - 0.449) / 0.226).expand(-1, 3, -1, -1)
    expected = net.layer2(net.layer1(net.maxpool(net.relu(net.bn1(net.conv1(gray))))))
    seen = []
    model.unet.layers[1].register_forward_hook(lambda _module, _inputs, output: seen.append(output))
    assert model(lightness).shape == (1, 2, 36, 32)
    torch.testing.assert_close(seen[0], expected, atol=1e-4, rtol=1e-3)


def test_other_weights_or_none_are_a_sentence(net):
    model = build_colorizer(tables(), CONFIG)
    for spoilt in ({}, {"conv1.weight": torch.zeros(1)}, {**net.state_dict(), "layer1.9.conv1.weight": torch.zeros(1)}):
        with pytest.raises(RovervisionError, match="not torchvision's weights of ResNet-18"):
            model.take_encoder(lambda _name, spoilt=spoilt: spoilt)
    with pytest.raises(RovervisionError, match="encoder resnet18 was asked for"):
        model.take_encoder(no_encoder_weights)


def test_a_model_without_encoder_asks_for_nothing():
    build_colorizer(tables(), ModelConfig()).take_encoder(no_encoder_weights)
