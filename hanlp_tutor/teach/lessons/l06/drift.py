"""How far θ moves in a run, how far it can move, and what one update does to encoders of different shapes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from transformers import BertConfig, BertModel

from hanlp_tutor.config import TrainConfig
from hanlp_tutor.core.model import Model
from hanlp_tutor.core.optim import build_schedule
from hanlp_tutor.encoders.layers import layer_of

HEAD = "head φ"


def part_of(name: str) -> str:
    """The part of a model that a parameter belongs to: ``embeddings``, ``layer 1`` (the lowest) and so on, ``pooler``,
    ``head φ``.

    >>> part_of("encoder.encoder.layer.0.output.dense.weight"), part_of("head.classifier.bias")
    ('layer 1', 'head φ')
    """
    if name.startswith("head."):
        return HEAD
    if ".pooler." in name:
        return "pooler"
    layer = layer_of(name)
    return f"layer {layer}" if layer else "embeddings"


def lr_table(model: Model, optimizer: Optimizer) -> list[dict[str, Any]]:
    """A row a parameter, from the optimiser itself: ``parameter``, ``part``, ``numbers``, ``lr``, ``weight decay``.

    ``lr`` is the peak where a schedule has taken over the optimiser. A frozen parameter has no learning rate, None.
    """
    known = {id(p): group for group in optimizer.param_groups for p in group["params"]}
    rows = []
    for name, parameter in model.named_parameters():
        group = known.get(id(parameter), {})
        rows.append(
            {
                "parameter": name,
                "part": part_of(name),
                "numbers": parameter.numel(),
                "lr": group.get("initial_lr", group.get("lr")),
                "weight decay": group.get("weight_decay"),
            }
        )
    return rows


def lr_by_part(model: Model, optimizer: Optimizer) -> dict[str, float]:
    """The learning rate of each part of a model, from the embeddings up to the head; frozen parameters are left out.

    Raises:
        ValueError: a part learns at two learning rates.
    """
    by_part: dict[str, set[float]] = {}
    for row in lr_table(model, optimizer):
        if row["lr"] is not None:
            by_part.setdefault(row["part"], set()).add(row["lr"])
    mixed = [part for part, found in by_part.items() if len(found) > 1]
    if mixed:
        found = sorted(by_part[mixed[0]])
        raise ValueError(f"{mixed[0]} learns at {len(found)} learning rates: {found}.")
    return {part: found.pop() for part, found in by_part.items()}


def copy_of(model: nn.Module) -> dict[str, Tensor]:
    """The trainable weights as they are now, by name, to measure from later."""
    return {name: p.detach().cpu().clone() for name, p in model.named_parameters() if p.requires_grad}


def drift(before: Mapping[str, Tensor], model: nn.Module) -> dict[str, float]:
    """‖θ - θ₀‖ / ‖θ₀‖ of each part, 0 where nothing moved; the norm is over all weights of the part.

    Args:
        before: :func:`copy_of` the model at the beginning. What it lacks is left out, so are parts that were all zero.
        model: the same model now.
    """
    return _by_part(before, model, lambda moved, size, _: moved / size)


def distance(before: Mapping[str, Tensor], model: nn.Module) -> dict[str, float]:
    """How far a weight of each part has moved: the root mean square of θ - θ₀."""
    return _by_part(before, model, lambda moved, _, count: moved / count**0.5)


def size(model: nn.Module) -> dict[str, float]:
    """How large a trainable weight of each part is: the root mean square."""
    return _by_part(copy_of(model), model, lambda _, size, count: size / count**0.5)


def lr_schedule(config: TrainConfig, updates: int, lr: float = 1.0) -> list[float]:
    """The learning rate of each update of a run, as the optimiser will see it."""
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=lr)
    schedule = build_schedule(optimizer, config, updates)
    values = []
    for _ in range(updates):
        values.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return values


def budget(lr: float, config: TrainConfig, updates: int) -> float:
    """Σ lr over a run: how far Adam carries a weight that is pushed the same way at every update."""
    return sum(lr_schedule(config, updates, lr))


def response(layers: int, hidden: int, lr: float, *, seed: int = 1) -> float:
    """How much one update changes the output of an encoder: ‖h' - h‖ / ‖h‖ for random text.

    Each weight moves by ``lr`` against its gradient, which is Adam's first update. The encoder has BERT's architecture
    with fresh weights as BERT draws them (standard deviation 0.02) and heads of 64; the loss is that of a tagger.
    Gradients are used up as they come, so that a BERT-base needs the memory of its weights only.
    """
    torch.manual_seed(seed)
    shape = BertConfig(
        vocab_size=1000,
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=max(1, hidden // 64),
        intermediate_size=4 * hidden,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    encoder = BertModel(shape, add_pooling_layer=False)
    head = nn.Linear(hidden, 7)
    nn.init.normal_(head.weight, std=0.02)
    ids, gold = torch.randint(5, 1000, (2, 64)), torch.randint(0, 7, (128,))

    def step(parameter: Tensor) -> None:
        with torch.no_grad():
            parameter.add_(parameter.grad.sign_(), alpha=-lr)
        parameter.grad = None

    with torch.no_grad():
        before = encoder(ids).last_hidden_state
    for parameter in encoder.parameters():
        parameter.register_post_accumulate_grad_hook(step)
    logits = head(encoder(ids).last_hidden_state)
    nn.functional.cross_entropy(logits.flatten(0, 1), gold).backward()
    with torch.no_grad():
        after = encoder(ids).last_hidden_state
    return float((after - before).norm() / before.norm())


def _by_part(
    before: Mapping[str, Tensor], model: nn.Module, ratio: Callable[[float, float, int], float]
) -> dict[str, float]:
    """``ratio(‖θ - θ₀‖, ‖θ₀‖, number of weights)`` of each part."""
    sums: dict[str, list[float]] = {}
    for name, parameter in model.named_parameters():
        if name in before:
            origin = before[name].double()
            found = sums.setdefault(part_of(name), [0.0, 0.0, 0])
            found[0] += float((parameter.detach().cpu().double() - origin).square().sum())
            found[1] += float(origin.square().sum())
            found[2] += parameter.numel()
    return {part: ratio(moved**0.5, start**0.5, count) for part, (moved, start, count) in sums.items() if start}
