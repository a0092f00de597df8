"""The checks of notebook 06: Adam's first step, groups by layer, a schedule's budget, what a faster head brings."""

from __future__ import annotations

import math
from typing import Any

from hanlp_tutor.config import TrainConfig
from hanlp_tutor.teach.check import NotYet, exercise, require, show
from hanlp_tutor.teach.declared import Answers, cases, predicted


@cases(
    [(0.5, 1e-3), (-0.5, 1e-3), (3e-4, 1e-3), (-2e3, 1e-3), (0.0, 1e-3), (-2.0, 2e-5)],
    "After one update the corrected means are the gradient itself and its square: m̂ = g, v̂ = g².",
    "The step is lr · m̂ / (√v̂ + ε), and the root of g² is |g|. It goes against the gradient.",
    "Where g is 0, m̂ and v̂ are 0 as well: the ε below the line keeps the fraction finite.",
    then="The size of the gradient cancels: the first step is the learning rate, and only the sign counts.",
)
def q06_1(g: float, lr: float) -> Answers:
    """first_step(g, lr): how Adam's first update changes a weight whose gradient is g."""
    right = -lr * g / (abs(g) + 1e-8)
    wrong = {
        "that is SGD. Adam divides by √v̂ = |g|.": -lr * g,
        "it climbs. Which way is downhill?": -right,
        "With the learning rate 2e-5 the step is 2e-5, not 0.001.": lambda step: lr == 2e-5 and step > 5e-4,
    }
    return right, wrong


@exercise(
    "A group is a dictionary with two entries: params, the parameters of one module, and lr.",
    "Count from the top: the top layer is 0 layers below itself, the embeddings are len(layers) - 1 below it.",
    "The factor to the power of that number, times lr; and one more group for the head, which has no factor.",
)
def q06_2(function: Any) -> str:
    """layer_groups(layers, head, lr, head_lr, factor): groups for an optimiser, layers from below."""
    from torch import nn, optim

    for count, lr, head_lr, factor in ((4, 3e-4, 1e-2, 0.5), (13, 2e-5, 1e-3, 0.95), (2, 1e-3, 1e-3, 1.0)):
        layers, head = [nn.Linear(2, 2) for _ in range(count)], nn.Linear(2, 3)
        require(callable(function), f"The check wants a function, this is {show(function)}. Pass it without brackets.")
        groups = function(list(layers), head, lr, head_lr, factor)  # no copies: the parameters have to be these
        require(groups is not None, "Your function returns None. Does it end in a return?")
        optimizer = optim.AdamW(groups, lr=123.0)  # refuses a parameter that stands in two groups
        rates = {id(p): group["lr"] for group in optimizer.param_groups for p in group["params"]}
        require(
            all(id(p) in rates for p in head.parameters()), "The head is in no group: the optimiser would not train it."
        )
        for number, layer in enumerate(layers):
            name = "the embeddings" if number == 0 else f"layer {number}"
            require(
                all(id(p) in rates for p in layer.parameters()),
                f"A parameter of {name} is in no group, weight or bias: it would stay frozen, without an error.",
            )
        require(123.0 not in rates.values(), "A group has no lr of its own, so it takes the optimiser's.")
        found = [rates[id(layer.weight)] for layer in layers]
        right = [lr * factor ** (count - 1 - number) for number in range(count)]
        if not _close(found, right):
            require(
                not _close(found, right[::-1]),
                "Upside down: the layer next to the head learns fastest, the embeddings slowest.",
            )
            require(
                not _close(found, [each * factor for each in right]),
                "The top layer is one factor too slow; it learns at lr itself.",
            )
            where = f"With {count} layers, lr {lr:g} and factor {factor:g}: "
            raise NotYet(f"{where}expected {show(right)}, yours are {show(found)}.")
        require(
            math.isclose(rates[id(head.weight)], head_lr),
            f"The head learns at {rates[id(head.weight)]:g}, but head_lr is {head_lr:g}.",
        )
    return "That is `layerwise_decay` of the configuration. In twelve layers 0.95 takes the embeddings to about half."


def _close(found: list[float], wanted: list[float]) -> bool:
    return all(math.isclose(a, b, rel_tol=1e-6) for a, b in zip(found, wanted, strict=True))


@cases(
    [(2e-5, 100, 0), (1e-3, 100, 10), (2e-5, 4740, 1000), (1.0, 70, 30)],
    "Draw it: the learning rate rises in a straight line over the warm-up, then falls in a straight line to zero.",
    "The sum of the learning rates is the area of that triangle: its base is the whole run, its height the peak.",
    "A triangle has half the area of the rectangle around it. Does the warm-up move its top, or its area?",
    otherwise="{given}: added up it is {right}, your function gives {found}.",
    tolerance=0.02,
    then="Half the peak times the updates, however long the warm-up: it is the area of a triangle.",
)
def q06_3(lr: float, updates: int, warmup: int) -> Answers:
    """budget(lr, updates, warmup): Σ of the learning rates of the linear schedule."""
    from hanlp_tutor.teach.lessons.l06.drift import budget  # it brings torch

    wrong = {
        "that is a learning rate that never falls. The linear schedule ends at zero.": lr * updates,
        "that leaves the warm-up out. It adds to the sum too, from zero to the peak.": lr * (updates - warmup) / 2,
        "during warm-up the learning rate is half the peak on average, not the peak.": lr * (updates + warmup) / 2,
    }
    return budget(lr, TrainConfig(warmup_steps=warmup), updates), wrong


@cases(
    [(3e-4, 150, 150), (3e-4, 150, 300), (2e-5, 4740, 474)],
    "A weight can move by about half the learning rate times the updates in all. Keep that equal.",
    "Twice as many updates: half the learning rate. New one · new updates = old one · old updates.",
    "Solve that equation for the new learning rate.",
    then="So a learning rate is never good by itself: it belongs to a number of updates, and to a shape.",
)
def q06_4(lr: float, updates: int, new: int) -> Answers:
    """same_budget(lr, updates, new_updates): the learning rate that gives a run of other length the same budget."""
    root = lr * math.sqrt(updates / new)
    wrong = {
        "a longer run needs smaller steps for the same distance, not larger ones.": lr * new / updates,
        "A root is for steps in random directions; here the longest possible distance is asked for.": root,
    }
    return lr * updates / new, wrong


def _of_the_share(seen: float) -> str:
    if seen > 0.5:
        return (
            "Most of the rise comes from φ. It began near zero, and at 1e-3 a short run is too short for it to grow; "
            "the encoder's vectors were good enough from the start."
        )
    return "In this run the faster φ brings the smaller part: so short a run gives neither number the time to act."


q06_5 = predicted(
    "Which share of the rise in F1 the faster φ brings, with θ still at the article's learning rate.",
    "The budget says how far each part can go. θ knows something at the start; φ knows nothing.",
    "Compare the size of φ's weights at the start with what 1e-3 lets them move in so few updates.",
    "If the encoder were the bottleneck, the faster φ would bring next to nothing. Do you believe that it is?",
    because=_of_the_share,
    surprise=lambda seen: f"{_of_the_share(seen)} Which of the two did you expect to be the bottleneck?",
    within=0.2,
)
