"""What makes a training faster changes nothing but rounding, and a training may go on with it or without it."""

import threading

import pytest
import torch

from rovervision.errors import RovervisionError
from rovervision.learning.contrastive import ContrastiveConfig, ContrastiveNetwork
from rovervision.learning.execution import repeatable
from rovervision.learning.prefetch import ahead
from rovervision.learning.training import TrainingConfig, fit, open_fabric
from rovervision.learning.training_config import SPEED
from rovervision.learning.weights import Weights, read_weights, write_weights
from tests.learning.rank_trainings import assert_alike, train
from tests.learning.test_training import assert_same

CONFIG = TrainingConfig(epochs=2, batch_size=5, learning_rate=1e-3)


def last(resume: Weights | None = None, case: str = "residual", **speed: object) -> Weights:
    return train(case, open_fabric("cpu", "32-true"), resume, CONFIG.model_copy(update=speed))[-1]


@pytest.fixture(scope="module")
def plain() -> Weights:
    return last()


def test_batches_made_beforehand_are_the_same_ones(plain):
    assert_same(last(prefetch_batches=3), plain)


@pytest.mark.parametrize("count", [0, 1, 3, 50])
def test_items_come_in_order_and_each_once(count):
    assert list(ahead(iter(range(10)), count)) == list(range(10))


def test_what_goes_wrong_in_the_thread_is_told_where_the_batch_is_wanted():
    def broken():
        yield 1
        raise RovervisionError("no more")

    items = ahead(broken(), 2)
    assert next(items) == 1
    with pytest.raises(RovervisionError, match="no more"):
        next(items)


def test_who_stops_early_leaves_no_thread_behind():
    before = threading.active_count()
    items = ahead(iter(range(10)), 2)
    next(items)
    items.close()
    assert threading.active_count() == before


@pytest.mark.parametrize("pieces", [2, 3, 9])
@pytest.mark.parametrize("case", ["residual", "classification"])
def test_a_batch_in_pieces_trains_as_the_whole_one_does(case, pieces):
    assert_alike(last(case=case), last(case=case, accumulate=pieces), case)


@pytest.mark.parametrize("case", ["contrastive", "batch_norm", "members"])
def test_pieces_are_refused_where_tiles_of_a_batch_are_looked_at_together(case):
    with pytest.raises(RovervisionError, match="accumulate=2 would train to something else"):
        last(case=case, accumulate=2)


def test_channels_last_trains_alike_and_goes_on_alike(plain, tmp_path):
    fast = train("residual", open_fabric("cpu", "32-true"), None, CONFIG.model_copy(update={"channels_last": True}))
    assert_alike(plain, fast[-1], "channels last")
    assert any(t.ndim == 4 and not t.is_contiguous() for t in fast[-1].tensors.values())
    write_weights(tmp_path / "weights", fast[1])
    assert_same(last(read_weights(tmp_path / "weights"), channels_last=True), fast[-1])


@pytest.mark.slow
def test_compiled_it_trains_alike_and_its_checkpoints_are_as_any(plain, tmp_path):
    compiled = train("residual", open_fabric("cpu", "32-true"), None, CONFIG.model_copy(update={"compile": True}))
    assert_alike(plain, compiled[-1], "compiled")
    write_weights(tmp_path / "weights", compiled[1])
    assert_alike(plain, last(read_weights(tmp_path / "weights")), "gone on without")


def test_what_cannot_be_compiled_is_a_sentence(monkeypatch):
    def refuse(method, dynamic):
        def call(*_):
            raise torch._dynamo.exc.InternalTorchDynamoError("no compiler")

        return call

    monkeypatch.setattr(torch, "compile", refuse)
    with pytest.raises(RovervisionError, match=r"cannot compile this model here \(no compiler\)"):
        last(compile=True)


def test_only_repeatable_algorithms_inside_and_all_of_them_again_afterwards(plain):
    seen = []

    class Watched(ContrastiveNetwork):
        def forward(self, unit):
            seen.append(torch.are_deterministic_algorithms_enabled())
            return super().forward(unit)

    network = Watched(ContrastiveConfig(input_px=16, head_dim=16))
    batch = (torch.rand(4, 3, 16, 16), torch.rand(4, 3, 16, 16), torch.arange(4), torch.arange(4))

    class One:
        def __len__(self):
            return 1

        def epoch(self, number, device=None):
            yield batch

    config = CONFIG.model_copy(update={"deterministic": True})
    for _ in fit(network, lambda net, each: net.loss(*each), One(), One(), config, open_fabric("cpu", "32-true"), 0):
        assert not torch.are_deterministic_algorithms_enabled()
    assert seen
    assert all(seen)
    assert_same(last(deterministic=True), plain)


def test_what_has_no_repeatable_algorithm_is_a_sentence():
    with pytest.raises(RovervisionError, match="deterministic=true cannot be had"), repeatable(True):
        raise RuntimeError("xyz_cuda does not have a deterministic implementation")
    with pytest.raises(RuntimeError, match="other"), repeatable(True):
        raise RuntimeError("other")
    assert not torch.are_deterministic_algorithms_enabled()


def test_speed_does_not_count_for_going_on():
    fast = dict(zip(SPEED, (4, True, True, True, 2), strict=True))
    assert TrainingConfig(**fast).what_counts() == TrainingConfig().what_counts()
    assert TrainingConfig(epochs=7).what_counts() != TrainingConfig().what_counts()
