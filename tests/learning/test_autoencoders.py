"""Autoencoders: shapes there and back, the original's sizes, and that they learn an image."""

import pytest
import torch
from torchvision.models import vgg16_bn

from rovervision.errors import RovervisionError
from rovervision.learning.autoencoders import AUTOENCODERS, AutoencoderConfig, VggAutoencoder, build_autoencoder
from rovervision.learning.training import seeded

LIGHT = [kind for kind in AUTOENCODERS if kind != "vgg_autoencoder"]


def built(kind: str, **options):
    with seeded(0):
        return build_autoencoder(kind, AutoencoderConfig(**options))


@pytest.mark.parametrize(
    ("kind", "input_px"), [*((kind, 32) for kind in LIGHT), ("autoencoder", 48), ("vgg_autoencoder", 16)]
)
def test_codes_lead_back_to_images_of_the_same_size(kind, input_px):
    network = built(kind, input_px=input_px).eval()
    unit = torch.rand(2, 3, network.input_px, network.input_px)
    with torch.no_grad():
        codes = network(unit)
        assert codes.shape == (2, network.dim)
        for image in (network.decode(codes), network.reconstruct(unit)):
            assert image.shape == unit.shape
            assert torch.isfinite(image).all()
        torch.testing.assert_close(network(unit[1:]), codes[1:], atol=1e-5, rtol=1e-4)


def test_codes_have_the_lengths_that_the_originals_have():
    lengths = {kind: built(kind).dim for kind in AUTOENCODERS}
    assert lengths == {
        "autoencoder": 16 * 4 * 4, "unpooling_autoencoder": 16 * 8 * 8, "vgg_autoencoder": 512,
        "variational_autoencoder": 32,
    }  # fmt: skip


def test_asking_for_the_length_leaves_the_mode_alone():
    network = built("vgg_autoencoder").train()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    assert network.dim == 512
    assert network.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


def vgg16_bn_names() -> set[str]:
    with torch.device("meta"):
        return set(vgg16_bn(weights=None).state_dict())


@pytest.mark.parametrize("kind", LIGHT)
def test_it_learns_an_image(kind):
    network = built(kind, input_px=16, divergence_share=0.0)
    ramp = torch.linspace(0, 1, 16)
    unit = torch.stack([ramp.expand(16, 16), ramp.expand(16, 16).T, torch.full((16, 16), 0.3)])[None]
    optimizer = torch.optim.Adam(network.parameters(), lr=5e-3)
    first = float(network.loss(unit).detach())
    for _ in range(150):
        optimizer.zero_grad()
        network.loss(unit).backward()
        optimizer.step()
    network.eval()
    assert float(network.loss(unit).detach()) < 0.3 * first
    assert torch.nn.functional.mse_loss(network.reconstruct(unit), unit) < 0.3 * first


def test_places_of_maxima_help_a_reconstruction():
    network = built("unpooling_autoencoder").eval()
    unit = torch.rand(2, 3, 32, 32)
    assert not torch.allclose(network.reconstruct(unit), network.decode(network(unit)))


def test_a_spread_code_costs_divergence():
    network = built("variational_autoencoder", divergence_share=1.0).eval()
    other = built("variational_autoencoder", divergence_share=0.0).eval()
    unit = torch.rand(4, 3, 32, 32)
    mean, log_variance = network._moments(unit)
    normal = torch.distributions.Normal(mean, (log_variance / 2).exp())
    expected = torch.distributions.kl_divergence(normal, torch.distributions.Normal(0.0, 1.0)).mean()
    torch.testing.assert_close(network.loss(unit) - other.loss(unit), expected, atol=1e-5, rtol=1e-4)


def test_vgg_takes_the_weights_of_torchvision_and_no_others():
    network = built("vgg_autoencoder")
    with seeded(5):
        weights = {f"features.{name}": torch.rand_like(t.float()) for name, t in network.features.state_dict().items()}
    assert weights.keys() == {name for name in vgg16_bn_names() if name.startswith("features.")}
    assert isinstance(network, VggAutoencoder)
    network.take(weights)
    assert torch.equal(network.features[0].weight, weights["features.0.weight"])
    with pytest.raises(RovervisionError, match="not torchvision's weights of VGG-16"):
        network.take({"features.0.weight": torch.zeros(1)})
