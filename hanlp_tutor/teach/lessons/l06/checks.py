"""The checks of notebook 06: Adam's first step, learning rates by layer, and the budget of a schedule."""

from __future__ import annotations

import math

from hanlp_tutor.config import TrainConfig
from hanlp_tutor.teach.declared import Answers, cases


@cases(
    [(0.5, 1e-3), (-0.5, 1e-3), (3e-4, 1e-3), (-2e3, 1e-3), (0.0, 1e-3), (-2.0, 2e-5)],
    "After one update the corrected means are the gradient itself and its square: m̂ = g, v̂ = g².",
    "The step is lr · m̂ / (√v̂ + ε), and the root of g² is |g|. It goes against the gradient.",
    "return -lr * g / (abs(g) + 1e-8)",
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


@cases(
    [(3e-4, 0.5, 3), (2e-5, 0.95, 12), (1e-3, 1.0, 2)],
    "The top layer learns at lr; each one below it at the factor times that of the one above.",
    "Layer k of L (from 1) gets lr · factor^(L - k); the embeddings are layer 0.",
    "return [lr * factor ** (layers - k) for k in range(layers + 1)]",
    count="expected {right} learning rates, yours are {found}.",
    then="That is `layerwise_decay` of the configuration. In twelve layers 0.95 takes the embeddings to about half.",
)
def q06_2(lr: float, factor: float, layers: int) -> Answers:
    """layer_learning_rates(lr, factor, layers): those of the embeddings and of each layer, from below."""
    right = [lr * factor ** (layers - k) for k in range(layers + 1)]
    wrong = {
        "the embeddings have one too, below the first layer.": lambda found: len(found) == layers,
        "upside down. What lies next to the head learns fastest; the list begins with the embeddings.": right[::-1],
        "the top layer is one factor too slow; it learns at lr itself.": [each * factor for each in right],
    }
    return right, wrong


@cases(
    [(2e-5, 100, 0), (1e-3, 100, 10), (2e-5, 4740, 1000), (1.0, 70, 30)],
    "Draw it: the learning rate rises in a straight line over the warm-up, then falls in a straight line to zero.",
    "The sum of the learning rates is the area of that triangle: its base is the whole run, its height the peak.",
    "return lr * updates / 2",
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
    "return lr * updates / new_updates",
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
