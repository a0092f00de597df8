"""The checks of notebook 06: Adam's first step, the rates of the layers, the budget of a schedule, the same walk."""

from __future__ import annotations

import math

from hanlp_tutor.config import TrainConfig
from hanlp_tutor.teach.declared import Answers, cases


@cases(
    [(0.5, 1e-3), (-0.5, 1e-3), (3e-4, 1e-3), (-2e3, 1e-3), (0.0, 1e-3), (-2.0, 2e-5)],
    "After one update the corrected means are the gradient itself and its square: m̂ = g, v̂ = g².",
    "The step is lr · m̂ / (√v̂ + ε), and the root of g² is |g|. It goes against the gradient.",
    "return -lr * g / (abs(g) + 1e-8)",
    then="The size of the gradient cancels: the first step is the rate, whatever the loss. Only the sign counts.",
)
def q06_1(g: float, lr: float) -> Answers:
    """first_step(g, lr): how Adam's first update changes a weight whose gradient is g."""
    right = -lr * g / (abs(g) + 1e-8)
    wrong = {
        "that is SGD. Adam divides by √v̂ = |g|.": -lr * g,
        "it climbs. Which way is downhill?": -right,
        "With the rate 2e-5 the step is not 0.001: it is the rate.": lambda step: lr == 2e-5 and step > 5e-4,
    }
    return right, wrong


@cases(
    [(3e-4, 0.5, 3), (2e-5, 0.95, 12), (1e-3, 1.0, 2)],
    "The top layer learns at lr; each one below it at the factor times the rate of the one above.",
    "Layer k of L (from 1) gets lr · factor^(L - k); the embeddings are layer 0.",
    "return [lr * factor ** (layers - k) for k in range(layers + 1)]",
    count="expected {right} rates, yours are {found}.",
    then="That is `layerwise_decay` of the configuration. In twelve layers 0.95 takes the embeddings to about half.",
)
def q06_2(lr: float, factor: float, layers: int) -> Answers:
    """layer_rates(lr, factor, layers): the rates of the embeddings and of each layer, from below."""
    right = [lr * factor ** (layers - k) for k in range(layers + 1)]
    wrong = {
        "the embeddings have one too, below the first layer.": lambda rates: len(rates) == layers,
        "upside down. What lies next to the head learns fastest; the list begins with the embeddings.": right[::-1],
        "the top layer is one factor too slow; it learns at lr itself.": [rate * factor for rate in right],
    }
    return right, wrong


@cases(
    [(2e-5, 100, 0), (1e-3, 100, 10), (2e-5, 4740, 1000), (1.0, 70, 30)],
    "Draw it: the rate rises in a straight line over the warm-up, then falls in a straight line to zero.",
    "The sum of the rates is the area under that triangle, whose base is the whole run and whose height is the peak.",
    "return lr * updates / 2",
    otherwise="{given}: added up it is {right}, your function gives {found}.",
    tolerance=0.02,
    then="Half the peak times the updates, however long the warm-up: it is the area of a triangle.",
)
def q06_3(lr: float, updates: int, warmup: int) -> Answers:
    """budget(lr, updates, warmup): Σ of the rates of the linear schedule."""
    from hanlp_tutor.teach.lessons.l06.drift import budget  # it brings torch

    wrong = {
        "that is a rate that never falls. The linear schedule ends at zero.": lr * updates,
        "that leaves the warm-up out. It walks too, from zero to the peak.": lr * (updates - warmup) / 2,
        "during warm-up the rate is rising, half the peak on average, not the peak.": lr * (updates + warmup) / 2,
    }
    return budget(lr, TrainConfig(warmup_steps=warmup), updates), wrong


@cases(
    [(3e-4, 150, 150), (3e-4, 150, 300), (2e-5, 4740, 474)],
    "What a weight can walk in all is about half the rate times the updates. Keep that equal.",
    "Twice as many updates: half the rate. So new rate · new updates = old rate · old updates.",
    "return lr * updates / new_updates",
    then="So a rate is never good by itself: it belongs to a number of updates, and to a shape.",
)
def q06_4(lr: float, updates: int, new: int) -> Answers:
    """same_walk(lr, updates, new_updates): the rate with which a run of other length has the same budget."""
    root = lr * math.sqrt(updates / new)
    wrong = {
        "a longer run needs smaller steps for the same way, not larger ones.": lr * new / updates,
        "A root is for steps in random directions; here the longest possible way is asked for.": root,
    }
    return lr * updates / new, wrong
