"""Who learns how fast: groups, schedules, freezing, and the L2 term against autograd by hand."""

import pytest
import torch
from transformers import get_cosine_schedule_with_warmup, get_linear_schedule_with_warmup

from hanlp_tutor.config import TrainConfig
from hanlp_tutor.core.model_folder import build_model
from hanlp_tutor.core.optim import L2Penalty, build_optimizer, build_schedule, encoder_lr, freeze, parameter_groups
from hanlp_tutor.errors import ConfigError

LABELS = ("O", "B-PER", "I-PER")


@pytest.fixture
def model(tiny_encoder):
    return build_model("ner", tiny_encoder, LABELS, TrainConfig(crf=True))


def by_name(model, config):
    """Each trainable parameter's name with the group it is in; fails when one is in two groups or in none."""
    freeze(model, config)
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    placed = [(names[id(p)], group) for group in parameter_groups(model, config) for p in group.parameters]
    trainable = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    assert len(placed) == len(trainable) and {name for name, _ in placed} == trainable
    return dict(placed)


def test_every_trainable_parameter_has_its_rate_and_decay(model):
    groups = by_name(model, TrainConfig(lr=2e-5, head_lr=1e-3, weight_decay=0.01))
    for name, group in groups.items():
        assert group.lr == (2e-5 if name.startswith("encoder.") else 1e-3), name
        assert group.name == ("encoder" if name.startswith("encoder.") else "head")
        spared = name.endswith(".bias") or "LayerNorm" in name or name.endswith("_transitions")
        assert group.weight_decay == (0.0 if spared else 0.01), name
    assert not any("pooler" in name for name in groups), "nothing reads the pooler"
    assert {"head.crf.transitions", "encoder.embeddings.word_embeddings.weight"} <= set(groups)


def test_layerwise_decay_slows_the_deeper_layers(model):
    groups = by_name(model, TrainConfig(lr=1e-4, layerwise_decay=0.5))
    expected = {"encoder.encoder.layer.1.": 1e-4, "encoder.encoder.layer.0.": 5e-5, "encoder.embeddings.": 2.5e-5}
    for prefix, lr in expected.items():
        found = {group.lr for name, group in groups.items() if name.startswith(prefix)}
        assert found == {lr}, prefix
    assert {group.lr for name, group in groups.items() if name.startswith("head.")} == {1e-3}


@pytest.mark.parametrize(
    ("how", "trained"),
    [
        ("none", {"embeddings", "layer.0", "layer.1", "head"}),
        ("all-but-last-2", {"layer.0", "layer.1", "head"}),
        ("all-but-last-1", {"layer.1", "head"}),
        ("encoder", {"head"}),
    ],
)
def test_freezing(model, how, trained):
    groups = by_name(model, TrainConfig(freeze=how))
    parts = {name.removeprefix("encoder.").removeprefix("encoder.") for name in groups}
    assert {p.split(".")[0] if not p.startswith("layer") else p[:7] for p in parts} == trained


def test_more_layers_than_there_are(model):
    with pytest.raises(ConfigError, match=r"all-but-last-3.*has 2 layers"):
        freeze(model, TrainConfig(freeze="all-but-last-3"))


def test_the_rate_that_suits_the_encoder(model, tiny_encoder):
    assert encoder_lr(model, TrainConfig()) == 3e-4, "it is small"
    fresh = build_model("ner", "random:" + tiny_encoder, LABELS, TrainConfig())
    assert encoder_lr(fresh, TrainConfig()) == 1e-3
    assert encoder_lr(fresh, TrainConfig(lr=3e-5)) == 3e-5


def rates(make_schedule, updates):
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([{"params": [parameter], "lr": 0.5}])
    schedule = make_schedule(optimizer)
    seen = []
    for _ in range(updates):
        seen.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return seen


@pytest.mark.parametrize(("warmup", "steps"), [(0, 0), (7, 7), (0.1, 4), (0.25, 10), (39, 39), (0.0, 0), (7.0, 7)])
@pytest.mark.parametrize("kind", ["linear", "cosine"])
def test_schedules_are_the_librarys(kind, warmup, steps):
    library = {"linear": get_linear_schedule_with_warmup, "cosine": get_cosine_schedule_with_warmup}[kind]
    config = TrainConfig(schedule=kind, warmup_steps=warmup)
    ours = rates(lambda optimizer: build_schedule(optimizer, config, 40), 40)
    assert ours == rates(lambda optimizer: library(optimizer, steps, 40), 40)
    assert steps == 0 or (ours[0] == 0 and max(ours) == ours[steps] == 0.5)


def test_constant_schedule():
    config = TrainConfig(schedule="constant", warmup_steps=2)
    assert rates(lambda optimizer: build_schedule(optimizer, config, 5), 5) == [0, 0.25, 0.5, 0.5, 0.5]


@pytest.mark.parametrize(("warmup", "updates"), [(1000, 40), (40, 40), (1, 1)])
def test_a_warmup_that_never_ends_is_refused_with_the_numbers(warmup, updates):
    with pytest.raises(ConfigError) as caught:
        rates(lambda optimizer: build_schedule(optimizer, TrainConfig(warmup_steps=warmup), updates), 1)
    assert f"warmup_steps={warmup}" in str(caught.value) and f"{updates} updates" in str(caught.value)


@pytest.mark.parametrize(("name", "kind"), [("adamw", "AdamW"), ("adam", "Adam"), ("sgd", "SGD")])
def test_optimizers(model, name, kind):
    config = TrainConfig(optimizer=name)
    optimizer = build_optimizer(parameter_groups(model, config), config)
    assert type(optimizer).__name__ == kind


@pytest.mark.parametrize(
    ("l2_on", "frozen"), [("encoder", "none"), ("all", "none"), ("distance", "none"), ("all", "encoder")]
)
def test_the_penalty_and_its_gradient(model, l2_on, frozen):
    model.double()
    config = TrainConfig(l2=0.1, l2_on=l2_on, freeze=frozen)
    freeze(model, config)
    penalty = L2Penalty(model, config)
    start = {name: p.detach().clone() for name, p in model.named_parameters()}
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += torch.randn_like(parameter)
    value = penalty()
    value.backward()
    expected = 0.0
    for name, p in model.named_parameters():
        counts = p.requires_grad and (l2_on == "all" or name.startswith("encoder."))
        difference = p.detach() - (start[name] if l2_on == "distance" else 0)
        expected += float((difference**2).sum()) if counts else 0.0
        assert (p.grad is not None) == counts, name
        if counts:
            assert torch.allclose(p.grad, 2 * difference, rtol=1e-12), name
    assert value.item() == pytest.approx(expected, rel=1e-12)
