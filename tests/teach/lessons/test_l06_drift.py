"""How far θ moves: norms against numpy, learning rates from the optimiser, Adam's bound, a step of a fresh encoder."""

import numpy as np
import pytest
import torch
from torch import nn
from toy import tagged
from transformers import BertConfig, BertModel

from hanlp_tutor import TrainConfig, build_model, fine_tune
from hanlp_tutor.core.optim import build_optimizer, build_schedule, freeze, parameter_groups
from hanlp_tutor.teach.lessons.l06.drift import (
    HEAD,
    budget,
    copy_of,
    distance,
    drift,
    lr_by_part,
    lr_schedule,
    lr_table,
    part_of,
    response,
    size,
)

LABELS = ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")
PARTS = ["embeddings", "layer 1", "layer 2", HEAD]


@pytest.fixture
def model(tiny_encoder):
    return build_model("ner", tiny_encoder, LABELS, TrainConfig(crf=True))


def optimizer_of(model, **options):
    config = TrainConfig(**options)
    freeze(model, config)
    return build_optimizer(parameter_groups(model, config), config)


def test_every_parameter_has_its_row_from_the_optimiser(model):
    rows = lr_table(model, optimizer_of(model, lr=2e-5, head_lr=1e-3, layerwise_decay=0.5))
    assert [row["parameter"] for row in rows] == [name for name, _ in model.named_parameters()]
    assert sum(row["numbers"] for row in rows) == sum(p.numel() for p in model.parameters())
    wanted = {"embeddings": 5e-6, "layer 1": 1e-5, "layer 2": 2e-5, HEAD: 1e-3}
    for row in rows:
        frozen = "pooler" in row["parameter"]
        assert frozen == (row["part"] == "pooler")
        assert row["lr"] == (None if frozen else wanted[row["part"]]), row
    assert {row["weight decay"] for row in rows} == {0.01, 0.0, None}


def test_learning_rates_by_part_are_the_peaks_under_a_schedule_too(model):
    optimizer = optimizer_of(model, lr=2e-5, head_lr=1e-3)
    build_schedule(optimizer, TrainConfig(warmup_steps=10), 100)
    assert optimizer.param_groups[0]["lr"] == 0
    assert lr_by_part(model, optimizer) == {"embeddings": 2e-5, "layer 1": 2e-5, "layer 2": 2e-5, HEAD: 1e-3}


def test_frozen_parts_have_no_learning_rate_and_two_in_one_part_are_an_error(model):
    optimizer = optimizer_of(model, freeze="all-but-last-1", lr=2e-5)
    assert list(lr_by_part(model, optimizer)) == ["layer 2", HEAD]
    optimizer.param_groups[0]["lr"] = 1.0
    with pytest.raises(ValueError, match="layer 2 learns at 2 learning rates"):
        lr_by_part(model, optimizer)


def test_distances_against_numpy(model):
    before = copy_of(model)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.requires_grad and "layer.1" not in name:
                parameter += torch.randn(parameter.shape, generator=generator)
    far, relative, sizes = distance(before, model), drift(before, model), size(model)
    assert list(far) == list(relative) == list(sizes) == PARTS
    for part in PARTS:
        names = [name for name in before if part_of(name) == part]
        start = np.concatenate([before[name].numpy().ravel() for name in names]).astype(float)
        now = np.concatenate([dict(model.named_parameters())[n].detach().numpy().ravel() for n in names]).astype(float)
        assert far[part] == pytest.approx(np.sqrt(np.mean((now - start) ** 2)), rel=1e-9)
        assert relative[part] == pytest.approx(np.linalg.norm(now - start) / np.linalg.norm(start), rel=1e-9)
        assert sizes[part] == pytest.approx(np.sqrt(np.mean(now**2)), rel=1e-9)
    assert far["layer 2"] == relative["layer 2"] == 0
    assert not any("pooler" in name for name in before), "it is never trained"


def test_the_learning_rates_of_a_run_are_those_that_the_loop_notes(model, tmp_path):
    config = TrainConfig(epochs=2, batch_size=8, lr=3e-4, head_lr=1e-2, log_steps=1, warmup_steps=0.2)
    result = fine_tune(model, tagged(40), [], config, tmp_path, progress="none")
    assert lr_schedule(config, result.steps, 3e-4) == pytest.approx([row["lr"] for row in result.history])
    assert budget(1e-2, config, result.steps) == pytest.approx(sum(row["head_lr"] for row in result.history))


def test_no_weight_moves_further_than_adam_can_move_it(tiny_encoder, tmp_path):
    """|m̂|/√v̂ is at most (1-β₁)/(√(1-β₂)·√(1-β₁²/β₂)), 7.3, by Cauchy and Schwarz; the root mean square is near 1."""
    config = TrainConfig(epochs=3, batch_size=8, lr=1e-3, head_lr=1e-2, weight_decay=0.0, dropout=0.0)
    model = build_model("ner", tiny_encoder, LABELS, config)
    before = copy_of(model)
    result = fine_tune(model, tagged(60), [], config, tmp_path, progress="none")
    moved = distance(before, model)
    for part, far in moved.items():
        assert 0 < far <= budget(1e-2 if part == HEAD else 1e-3, config, result.steps), part
    now = dict(model.named_parameters())
    bound = (1 - 0.9) / ((1 - 0.999) ** 0.5 * (1 - 0.9**2 / 0.999) ** 0.5)
    for name, start in before.items():
        lr = 1e-2 if part_of(name) == HEAD else 1e-3
        assert (now[name] - start).abs().max() <= bound * budget(lr, config, result.steps), name


@pytest.mark.parametrize(("layers", "hidden"), [(1, 64), (2, 128)])
def test_the_response_is_adams_first_update(layers, hidden):
    """The same by torch.optim.Adam, with a graph and all gradients kept."""
    lr = 1e-3
    torch.manual_seed(3)
    shape = BertConfig(
        vocab_size=1000, hidden_size=hidden, num_hidden_layers=layers, num_attention_heads=hidden // 64,
        intermediate_size=4 * hidden, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
    )  # fmt: skip
    encoder = BertModel(shape, add_pooling_layer=False)
    head = nn.Linear(hidden, 7)
    nn.init.normal_(head.weight, std=0.02)
    ids, gold = torch.randint(5, 1000, (2, 64)), torch.randint(0, 7, (128,))
    before = encoder(ids).last_hidden_state
    nn.functional.cross_entropy(head(before).flatten(0, 1), gold).backward()
    torch.optim.Adam(encoder.parameters(), lr=lr, eps=1e-30).step()
    after = encoder(ids).last_hidden_state
    expected = float(((after - before).norm() / before.norm()).detach())
    assert response(layers, hidden, lr, seed=3) == pytest.approx(expected, rel=1e-3)


def test_no_step_no_response():
    assert response(1, 64, 0.0) == 0
