"""Accumulated gradients against the large batch, what is kept against the profiler, Trainer and HanLP as they are."""

import pytest
import torch
from torch import nn
from toy import labelled, tagged

from hanlp_tutor.config import TrainConfig
from hanlp_tutor.core.model_folder import build_model
from hanlp_tutor.core.task import label_set
from hanlp_tutor.teach.lessons.l07.accumulation import (
    averaging_out,
    divided,
    gradient,
    has_trainer,
    kept_bytes,
    mean_gradient,
    optimizer_gradients,
    relative_error,
    set_dropout,
    split,
    trainers_gradient,
    valid,
)


@pytest.fixture(scope="module")
def tagger(tiny_encoder):
    examples = tagged(32, longest=60)
    model = build_model("ner", tiny_encoder, label_set("ner", examples), TrainConfig(crf=False)).eval()
    return model, sorted((model.encode(e) for e in examples), key=lambda e: len(e.ids))


@pytest.mark.parametrize("size", [8, 5, 1])
def test_divided_by_the_window_it_is_the_large_batch(tagger, size):
    model, examples = tagger
    parts, n = split(examples, size), valid(examples)
    assert sum(map(valid, parts)) == n == sum(len(e.ids) for e in examples)
    large = gradient(model, [examples], [n])
    assert relative_error(gradient(model, parts, [n] * len(parts)), large) <= 1e-6
    means = gradient(model, parts, [len(parts) * valid(part) for part in parts])
    assert relative_error(means, large) > 0.02
    assert all(p.grad is None for p in model.parameters())


def test_texts_of_equal_micro_batches_forgive_the_mean_of_means(tiny_encoder):
    texts = labelled(25)
    model = build_model("classify", tiny_encoder, label_set("classify", texts), TrainConfig()).eval()
    encoded = [model.encode(e) for e in texts]
    for count, forgiven in ((24, True), (25, False)):
        parts = split(encoded[:count], 8)
        assert sum(map(valid, parts)) == count
        means = gradient(model, parts, [len(parts) * valid(part) for part in parts])
        error = relative_error(means, gradient(model, [encoded[:count]], [count]))
        assert (error <= 1e-5) is forgiven


def test_dropout_averages_out_and_a_wrong_divisor_does_not(tagger):
    model, examples = tagger
    parts, n = split(examples, 8), valid(examples)
    model.train()
    set_dropout(model, 0.1)
    assert all(m.p == 0.1 for m in model.modules() if isinstance(m, nn.Dropout))
    torch.manual_seed(0)
    target = mean_gradient(lambda: gradient(model, [examples], [n]), 24)
    right = averaging_out(lambda: gradient(model, parts, [n] * 4), target, [1, 24])
    wrong = averaging_out(lambda: gradient(model, parts, [4 * valid(p) for p in parts]), target, [24])
    model.eval()
    assert [point[0] for point in right] == [1, 24]
    assert right[1][1] < 0.5 * right[0][1]
    assert wrong[0][1] > 2 * right[1][1]


def test_means_of_groups():
    """By hand: draws 1, 3, 1, 5 against 2; means of two are 2 and 3."""
    draws = iter([1.0, 3.0, 1.0, 5.0])
    points = averaging_out(lambda: torch.tensor([next(draws)]), torch.tensor([2.0]), [1, 2, 4])
    assert points == [(1.0, 0.5, 0.5, 1.5), (2.0, 0.25, 0.0, 0.5), (4.0, 0.25, 0.25, 0.25)]


def test_what_a_length_says_of_the_divisor():
    assert divided(1.001, 4).startswith("right")
    assert divided(3.968, 4).endswith("nobody divided by 4.")
    assert "neither of the usual divisors" in divided(2.0, 4)


def test_what_is_kept_is_what_the_profiler_sees(tagger):
    """Tensor bytes that are still allocated after the forward pass, from PyTorch's allocator."""
    from torch.profiler import ProfilerActivity, profile

    model, examples = tagger
    batch = model.collate(examples)
    kept = kept_bytes(model, batch)
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        loss = model.loss_sum(model(batch), batch)
    held = sum(e.nbytes() for e in profiler.profiler.kineto_results.events() if e.name() == "[memory]")
    assert kept == pytest.approx(held, rel=0.1)
    assert loss.requires_grad
    assert kept_bytes(model, model.collate(examples[:8])) < 0.5 * kept


def test_gradients_as_the_optimiser_gets_them(tagger):
    model, examples = tagger
    expected = gradient(model, [examples], [1])
    with optimizer_gradients(model) as found:
        batch = model.collate(examples)
        model.loss_sum(model(batch), batch).backward()
        torch.optim.SGD(model.parameters(), lr=0.0).step()
    torch.optim.SGD(model.parameters(), lr=0.0).step()
    model.zero_grad()
    assert len(found) == 1 and relative_error(found[0], expected) <= 1e-6


@pytest.mark.skipif(not has_trainer(), reason="needs accelerate")
@pytest.mark.parametrize("accumulation", [1, 4])
def test_the_trainer_with_a_loss_over_the_window(tagger, accumulation):
    model, examples = tagger
    reference = gradient(model, [examples], [valid(examples)])

    def token_loss(outputs, labels, num_items_in_batch=None):
        logits = outputs.logits.flatten(0, 1)
        return nn.functional.cross_entropy(logits, labels.flatten(), reduction="sum") / num_items_in_batch

    found, loss = trainers_gradient(model, examples, 32 // accumulation, accumulation, token_loss)
    assert relative_error(found, reference) <= 1e-5
    assert 0 < loss < 10


@pytest.mark.skipif(not has_trainer(), reason="needs accelerate")
def test_the_trainer_with_the_models_own_loss_without_accumulation(tagger):
    model, examples = tagger
    found, _ = trainers_gradient(model, examples, 32, 1)
    assert relative_error(found, gradient(model, [examples], [valid(examples)])) <= 1e-5


def test_hanlps_accumulation_is_as_the_lesson_says():
    """A sum divided by k, and a counter that runs through the epochs: as lesson 07 shows."""
    import inspect
    from pathlib import Path

    import hanlp
    from hanlp.common.structure import History

    source = (Path(hanlp.__file__).parent / "components/taggers/transformers/transformer_tagger.py").read_text("utf-8")
    assert "loss /= gradient_accumulation" in source and "reduction='sum'" in source
    assert "num_mini_batches % gradient_accumulation" in inspect.getsource(History)
    history = History()
    assert [batch for batch in range(1, 19) if history.step(4)] == [4, 8, 12, 16]
