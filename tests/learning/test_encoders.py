"""Encoders: the same code alone and in company, any size, gray or colour, and sentences for what is wrong."""

import importlib.util

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torchvision.models import resnet18

from rovervision.datasets.encoder_weights import packaged_weights
from rovervision.errors import RovervisionError
from rovervision.learning.code_metric import CodeMetric
from rovervision.learning.encoders import (
    KINDS,
    EncoderConfig,
    OpenEncoder,
    build_network,
    has_network,
    is_trained,
    open_encoder,
)
from rovervision.learning.pretrained import no_encoder_weights
from rovervision.learning.pretrained_encoders import PretrainedConfig, PretrainedNetwork
from rovervision.learning.training import seeded
from rovervision.learning.weights import Weights, read_weights, write_weights

LIGHT = [kind for kind in KINDS if kind not in ("pretrained", "vgg_autoencoder")]


def images(n: int = 5, side_px: int = 64, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, side_px, side_px, 3), dtype=np.uint8)


def plain_weights(kind: str, **options) -> Weights:
    config = EncoderConfig(
        kind=kind, contrastive={"input_px": 32}, pretrained={"name": "resnet18", "input_px": 64}
    ).baseline(kind)
    config = config.model_copy(update=options)
    tensors = {}
    if has_network(kind):
        with seeded(0):
            tensors = {f"network.{name}": t for name, t in build_network(config).state_dict().items()}
    return Weights(tensors, {"encoder": config.model_dump(mode="json")})


@pytest.mark.parametrize("kind", KINDS)
def test_a_code_is_the_same_alone_and_in_company(kind):
    encoder = open_encoder(plain_weights(kind))
    codes = encoder.embed(images())
    assert codes.dtype == np.float32
    assert codes.shape == (5, encoder.dim)
    np.testing.assert_allclose(encoder.embed(images()[3:4]), codes[3:4], atol=1e-4, rtol=1e-4)
    np.testing.assert_allclose(encoder.embed(images()[::-1])[::-1], codes, atol=1e-4, rtol=1e-4)
    np.testing.assert_array_equal(encoder.embed(images()), codes)


@pytest.mark.parametrize("kind", LIGHT)
@pytest.mark.parametrize("side_px", [8, 40, 72, 136])
def test_tiles_of_any_size_and_gray_ones_have_codes(kind, side_px):
    encoder = open_encoder(plain_weights(kind))
    gray = np.repeat(images(2, side_px)[..., :1], 3, axis=3)
    for pixels in (images(2, side_px), gray, np.zeros_like(gray)):
        codes = encoder.embed(pixels)
        assert codes.shape == (2, encoder.dim)
        assert np.isfinite(codes).all()


def test_many_images_are_taken_some_at_a_time():
    encoder = open_encoder(plain_weights("handcrafted"))
    many = images(300, 16)
    np.testing.assert_allclose(encoder.embed(many)[[0, 131, 299]], encoder.embed(many[[0, 131, 299]]), atol=1e-6)
    assert encoder.embed(many[:0]).shape == (0, encoder.dim)


@pytest.mark.parametrize(
    "pixels",
    [
        images()[0], images()[:, :32], images()[..., :1], images().astype(np.float32),
        np.full((2, 16, 16, 3), np.nan, np.float32),
    ],
)  # fmt: skip
def test_what_are_no_images_are_a_sentence(pixels):
    with pytest.raises(RovervisionError, match="square colour images of 8 bits"):
        open_encoder(plain_weights("pixels")).embed(pixels)


def test_fused_codes_hold_both_parts_in_their_shares():
    metric = CodeMetric((np.zeros(3072, np.float32), np.zeros(152, np.float32)), (0.3, 0.7), None)
    encoder = OpenEncoder(EncoderConfig(kind="pixels", fuse_share=0.7), None, metric)
    codes = encoder.embed(images())
    assert encoder.dim == 3072 + 152
    np.testing.assert_allclose((codes[:, :3072] ** 2).sum(axis=1), 0.3, atol=1e-5)
    np.testing.assert_allclose((codes[:, 3072:] ** 2).sum(axis=1), 0.7, atol=1e-5)


@pytest.mark.parametrize("kind", ["contrastive", "handcrafted"])
def test_an_encoder_comes_back_from_its_file(tmp_path, kind):
    write_weights(tmp_path / "encoder.safetensors", plain_weights(kind))
    restored = open_encoder(read_weights(tmp_path / "encoder.safetensors"))
    np.testing.assert_array_equal(restored.embed(images()), open_encoder(plain_weights(kind)).embed(images()))


@pytest.mark.parametrize("kind", ["autoencoder", "unpooling_autoencoder", "variational_autoencoder"])
def test_autoencoders_turn_codes_into_images(kind):
    encoder = open_encoder(plain_weights(kind))
    assert encoder.can_decode
    latents = encoder.latents(images())
    np.testing.assert_array_equal(latents, encoder.embed(images()))
    for back in (encoder.decode(latents), encoder.reconstruct(images())):
        assert back.shape == (5, 32, 32, 3)
        assert back.dtype == np.uint8


def test_others_cannot_and_say_so():
    encoder = open_encoder(plain_weights("handcrafted"))
    assert not encoder.can_decode
    for call in (encoder.latents, encoder.decode, encoder.reconstruct):
        with pytest.raises(RovervisionError, match="handcrafted cannot turn codes into images"):
            call(images())


def test_weights_of_something_else_are_a_sentence():
    with pytest.raises(RovervisionError, match="not the weights of an encoder"):
        open_encoder(Weights({}, {"model": {}}))


def test_unknown_kinds_name_the_nearest():
    with pytest.raises(ValidationError, match="did you mean contrastive"):
        EncoderConfig(kind="contrastiv")
    assert [kind for kind in KINDS if not is_trained(kind)] == ["pixels", "handcrafted", "random", "pretrained"]


def test_a_baseline_stands_alone_and_plain():
    baseline = EncoderConfig(kind="contrastive", fuse_with="handcrafted").baseline("autoencoder")
    assert (baseline.kind, baseline.fuse_with, baseline.metric.kind) == ("autoencoder", None, "plain")


def test_resnet_takes_torchvisions_weights_and_gives_its_features():
    with seeded(5):
        net = resnet18(weights=None).eval()
    network = PretrainedNetwork(PretrainedConfig(name="resnet18", input_px=64)).eval()
    network.take_weights({"resnet18": net.state_dict()}.__getitem__)
    unit = torch.rand(2, 3, 64, 64)
    kept = []
    net.avgpool.register_forward_hook(lambda _module, _inputs, output: kept.append(output.flatten(1)))
    with torch.no_grad():
        net((unit - network.mean) / network.spread)
        torch.testing.assert_close(network(unit), kept[0], atol=1e-5, rtol=1e-5)


def test_pretrained_weights_that_cannot_be_had_are_a_sentence():
    network = PretrainedNetwork(PretrainedConfig(name="resnet18", input_px=64))
    with pytest.raises(RovervisionError, match=r"resnet18 was asked for.*clustering\.encoder\.kind=contrastive"):
        network.take_weights(no_encoder_weights)
    with pytest.raises(RovervisionError, match="not the weights of resnet18"):
        network.take_weights(lambda _name: {"conv1.weight": torch.zeros(1)})


@pytest.mark.skipif(importlib.util.find_spec("timm") is not None, reason="timm is installed")
def test_dinov2_without_timm_is_a_sentence():
    with pytest.raises(RovervisionError, match="needs timm, which is not installed"):
        PretrainedNetwork(PretrainedConfig(name="dinov2_vits14"))


@torch.no_grad()
def test_lite0_sees_more_than_brightness():
    network = PretrainedNetwork(PretrainedConfig(name="efficientnet_lite0", input_px=64))
    network.take_weights(packaged_weights)
    unit = torch.rand(2, 3, 64, 64)
    codes = network.eval()(torch.cat([unit, unit.flip(1)]))
    assert codes.shape == (4, network.dim)
    assert torch.isfinite(codes).all()
    assert (codes[:2] - codes[2:]).norm() > 0.1 * codes[:2].norm()
