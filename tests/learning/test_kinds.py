"""Laws that every kind of colorizer keeps, and those of the originals and of ensembles."""

import copy

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from rovervision.imaging.color_bins import ColorBins
from rovervision.learning.colorizers import (
    FOLDS,
    KINDS,
    ClassificationConfig,
    Colorizer,
    ModelConfig,
    ResidualConfig,
    build_colorizer,
    has_batch_statistics,
)
from rovervision.learning.colorizing import load_colorizer
from rovervision.learning.ensemble import learnt_by
from rovervision.learning.training import TrainingConfig, clip_gradients, fit, open_fabric, parameter_groups, seeded
from rovervision.learning.weights import Weights, read_weights, write_weights
from tests.learning.test_batches import CAMERAS, SOIL
from tests.learning.test_batches import tiles as pixels
from tests.learning.test_colorizers import small, tables
from tests.learning.test_training import Augmentation, AugmentationConfig, ColorBatches, loss

BINS = ColorBins(np.array([[0, 0], [10, 15], [15, 30], [5, 25]], np.float32), np.full(4, 0.25, np.float32))
CONFIGS = {
    "residual": small(),
    "two members": small(members=2, member_frac=0.5),
    "all clues": small(tint_levels=True, tint_histogram=True, mirror=True, depth_drop=0.2),
    "classification": ModelConfig(kind="classification", classification=ClassificationConfig(widths=(8, 16), blocks=1)),
    "regression": ModelConfig(kind="regression"),
}
each_kind = pytest.mark.parametrize("config", CONFIGS.values(), ids=list(CONFIGS))


def built(config: ModelConfig, noise: float = 0.02) -> Colorizer:
    with seeded(1):
        model = build_colorizer(tables(), config, BINS)
        for parameter in model.parameters():
            parameter.data += noise * torch.randn_like(parameter)
    return model.eval()


@each_kind
@torch.no_grad()
def test_any_size_is_colored_and_the_correction_has_the_kinds_cells(config):
    model = built(config)
    for height, width in ((1, 1), (5, 18), (33, 16)):
        assert model(torch.rand(1, 1, height, width) * 100).shape == (1, 2, height, width)
    lightness = torch.rand(2, 1, 16, 24) * 100
    cells = (16 // model.stride_px, 24 // model.stride_px)
    assert model.correction(lightness).shape == (2, 2, *cells)
    if hasattr(model, "doubt"):
        doubt = model.doubt(lightness)
        assert doubt.shape == (2, 1, *cells)
        assert (doubt > 0).all()


@each_kind
def test_weights_alone_rebuild_the_model(config, tmp_path):
    model = built(config)
    header = {"model": config.model_dump(mode="json")}
    write_weights(tmp_path / "weights.safetensors", Weights(dict(model.state_dict()), header))
    again = load_colorizer(read_weights(tmp_path / "weights.safetensors"))
    lightness = torch.rand(1, 1, 16, 16) * 100
    with torch.no_grad():
        assert torch.equal(again(lightness), model(lightness))


@each_kind
def test_every_kind_learns_and_resumes_to_the_same_weights(config):
    def run(resume: Weights | None = None) -> list[Weights]:
        with seeded(0):
            model = build_colorizer(tables(), config, BINS)
        stride_px, folds = model.stride_px, np.arange(10) % FOLDS
        seen = pixels(side_px=32)  # in 16 the original's dilated convolutions see nothing but their own margin
        augmentation = Augmentation(AugmentationConfig(), SOIL)
        batches = ColorBatches(seen, CAMERAS % 3, np.arange(8), 4, augmentation, 0, stride_px=stride_px, folds=folds)
        watched = ColorBatches(seen, CAMERAS % 3, np.arange(8, 10), 4, None, 0, stride_px=stride_px)
        training = TrainingConfig(epochs=2, batch_size=4, learning_rate=1e-3)
        fabric = open_fabric("cpu", "32-true")
        return [checkpoint for checkpoint, _ in fit(model, loss, batches, watched, training, fabric, 0, resume)]

    straight = run()
    resumed = run(straight[1])
    assert straight[-1].header == resumed[-1].header
    assert all(torch.equal(t, resumed[-1].tensors[name]) for name, t in straight[-1].tensors.items())
    learnt = [f"model.{name}" for name, _ in build_colorizer(tables(), config, BINS).named_parameters()]
    same = [name for name in learnt if torch.equal(straight[0].tensors[name], straight[-1].tensors[name])]
    assert same == []


def test_only_the_originals_depend_on_batch_mates():
    lightness = torch.rand(4, 1, 16, 16) * 100
    for name, config in CONFIGS.items():
        model = built(config)
        is_original = name == "regression"
        assert has_batch_statistics(model) == is_original
        with torch.no_grad():
            torch.testing.assert_close(model(lightness)[:1], model(lightness[:1]), atol=1e-3, rtol=0)
            if is_original:
                live = copy.deepcopy(model).train()
                assert (live(lightness)[:1] - live(lightness[:2])[:1]).abs().max() > 1e-3


def test_the_originals_have_the_size_that_is_told_of_them():
    count = {
        kind: sum(p.numel() for p in build_colorizer(tables(), ModelConfig(kind=kind)).parameters())
        for kind in ("regression", "classification_marginal")
    }
    assert count["regression"] == pytest.approx(3.675e6, rel=1e-3)
    assert count["classification_marginal"] == pytest.approx(18.5e6, rel=2e-3)


@torch.no_grad()
def test_the_marginal_original_speaks_in_whole_units_and_lowers_its_loss_by_the_truth():
    model = build_colorizer(tables(), ModelConfig(kind="classification_marginal")).eval()
    lightness = torch.rand(1, 1, 16, 16) * 100
    ab = model.correction(lightness)
    assert torch.equal(ab, ab.round())
    model.net.last.weight.zero_()
    model.net.last.bias.zero_()
    model.net.last.bias[[127 + 12, 256 + 127 - 7]] = 50.0
    truth = torch.tensor([12.0, -7.0]).view(1, 2, 1, 1).expand(1, 2, 16, 16)
    assert torch.equal(model.correction(lightness), truth)
    camera = torch.zeros(1, dtype=torch.int64)
    assert model.loss(lightness, camera, truth) < 1e-3 < model.loss(lightness, camera, truth.flip(1))


@pytest.mark.parametrize(("size", "least", "most"), [("xs", 0.3e6, 0.4e6), ("s", 0.9e6, 1.2e6), ("m", 8e6, 15e6)])
def test_sizes_are_what_they_say(size, least, most):
    model = build_colorizer(tables(), ModelConfig(residual=ResidualConfig(size=size)))
    assert least < sum(p.numel() for p in model.parameters()) < most


def trained(model: Colorizer, steps: int, learns_doubt: bool) -> Colorizer:
    """The model after a few steps on one batch, with gradients that are clipped."""
    lightness, ab = torch.rand(4, 1, 16, 16, generator=torch.Generator().manual_seed(0)) * 100, torch.ones(4, 2, 4, 4)
    optimizer = torch.optim.AdamW(parameter_groups(model.train()), lr=1e-2)
    for _ in range(steps):
        optimizer.zero_grad()
        model.loss(lightness, torch.zeros(4, dtype=torch.int64), 20 * ab).backward()
        if not learns_doubt:
            for name, parameter in model.named_parameters():
                if "to_doubt" in name:
                    parameter.grad = None
        clip_gradients(optimizer, 1e-3, open_fabric("cpu", "32-true"))
        optimizer.step()
    return model


@pytest.mark.parametrize("options", [{}, {"members": 2}], ids=["one", "two members"])
def test_doubt_learns_the_error_and_changes_no_color(options):
    with_doubt, without = (
        trained(build_colorizer_seeded(small(dropout=0.0, **options)), 30, learns) for learns in (True, False)
    )
    states = with_doubt.state_dict(), without.state_dict()
    colors = [name for name in states[0] if "to_doubt" not in name]
    assert all(torch.equal(states[0][name], states[1][name]) for name in colors)
    assert any(not torch.equal(states[0][name], states[1][name]) for name in states[0])


def build_colorizer_seeded(config: ModelConfig) -> Colorizer:
    with seeded(3):
        return build_colorizer(tables(), config, BINS)


def test_doubt_comes_to_be_the_mean_error():
    with seeded(0):
        model = build_colorizer(torch.zeros(1, 101, 2), small(dropout=0.0))
    lightness = torch.cat([torch.full((2, 1, 16, 16), 20.0), torch.full((2, 1, 16, 16), 80.0)])
    ab = torch.zeros(4, 2, 4, 4)
    ab[2], ab[3] = 15.0, -15.0  # bright: nobody can know; dark: gray
    camera = torch.zeros(4, dtype=torch.int64)
    heads = [p for name, p in model.named_parameters() if "to_doubt" in name]
    optimizer = torch.optim.Adam(heads, lr=3e-2)
    for _ in range(150):
        optimizer.zero_grad()
        model.train().loss(lightness, camera, ab).backward()
        optimizer.step()
    with torch.no_grad():
        doubt = model.eval().doubt(lightness).mean(dim=(1, 2, 3))
        error = model.error(lightness[2:], camera[2:], ab[2:])
    torch.testing.assert_close(doubt[2], error, rtol=0.15, atol=0)
    assert doubt[0] < 0.3 * doubt[2]


def test_the_reported_loss_is_that_of_the_colors_alone():
    model = built(small(dropout=0.0)).train()
    batch = (torch.rand(2, 1, 16, 16) * 100, torch.zeros(2, dtype=torch.int64), torch.ones(2, 2, 4, 4))
    torch.testing.assert_close(model.loss(*batch), model.error(*batch))


@torch.no_grad()
def test_a_mirrored_image_is_colored_like_its_mirror():
    model = built(small(mirror=True))
    lightness = torch.rand(1, 1, 16, 24) * 100
    torch.testing.assert_close(model(lightness.flip(3)), model(lightness).flip(3), atol=1e-4, rtol=0)
    plain = built(small())
    assert (plain(lightness.flip(3)) - plain(lightness).flip(3)).abs().max() > 1e-2


@torch.no_grad()
def test_an_ensemble_is_the_mean_of_unlike_members():
    model = built(small(members=3))
    lightness = torch.rand(1, 1, 16, 16) * 100
    corrections = torch.stack([member.correction(lightness) for member in model.each()])
    torch.testing.assert_close(model.correction(lightness), corrections.mean(0))
    assert corrections.std(0).max() > 1e-3


@pytest.mark.parametrize("members", [2, 3, 5])
def test_members_leave_out_different_folds(members):
    folds = torch.arange(FOLDS)
    learnt = torch.stack([learnt_by(member, members, 0.6, folds) for member in range(members)])
    assert (learnt.sum(dim=1) == 6).all()
    assert len({tuple(row.tolist()) for row in learnt}) == members
    assert learnt.any(dim=0).all()
    assert learnt_by(0, members, 1.0, folds).all()
    alone = folds[~learnt[0]][:1]
    assert learnt_by(0, members, 0.6, alone).all()  # a batch must teach something


def test_a_member_does_not_learn_from_what_it_leaves_out():
    model = build_colorizer_seeded(small(members=2, member_frac=0.5, dropout=0.0)).train()
    lightness, camera = torch.rand(2, 1, 16, 16) * 100, torch.zeros(2, dtype=torch.int64)
    fold = torch.tensor([0, 5])
    ab = torch.ones(2, 2, 4, 4)

    def gradients(second: float) -> list[torch.Tensor]:
        model.zero_grad()
        changed = ab.clone()
        changed[1] *= second
        model.loss(lightness, camera, changed, fold).backward()
        return [member.to_ab.weight.grad.clone() for member in model.each()]

    one, other = gradients(1.0), gradients(30.0)
    same = [torch.equal(a, b) for a, b in zip(one, other, strict=True)]
    assert sorted(same) == [False, True]


def test_an_unknown_kind_is_a_sentence_with_the_nearest():
    with pytest.raises(ValidationError, match="did you mean residual"):
        ModelConfig(kind="residul")
    with pytest.raises(ValidationError, match="Kinds are residual, classification"):
        ModelConfig(kind="zzz")
    assert set(KINDS) == {"residual", "classification", "regression", "classification_marginal"}
