"""The checks of notebook 06: Adam's first step, the rates of the layers, the budget of a schedule, the same walk."""

from __future__ import annotations

import math
from typing import Any

from hanlp_tutor.config import TrainConfig
from hanlp_tutor.teach.check import call, exercise, require, show

_GRADIENTS = (0.5, -0.5, 3e-4, -2e3, 0.0)


@exercise(
    "After one update the corrected means are the gradient itself and its square: m̂ = g, v̂ = g².",
    "The step is lr · m̂ / (√v̂ + ε), and the root of g² is |g|. It goes against the gradient.",
    "return -lr * g / (abs(g) + 1e-8)",
)
def q06_1(answer: Any) -> str:
    """first_step(g, lr): how Adam's first update changes a weight whose gradient is g."""
    for g in _GRADIENTS:
        step, right = float(call(answer, g, 1e-3)), -1e-3 * g / (abs(g) + 1e-8)
        here = f"With the gradient {g:g} and the rate 0.001 your step is {step:.3g}"
        require(not (g and math.isclose(step, -1e-3 * g)), f"{here}: that is SGD. Adam divides by √v̂ = |g|.")
        require(not (g and math.isclose(step, -right, rel_tol=1e-3)), f"{here}: it climbs. Which way is downhill?")
        require(math.isclose(step, right, rel_tol=1e-3, abs_tol=1e-12), f"{here}, expected {right:.3g}.")
    step = float(call(answer, -2.0, 2e-5))
    require(math.isclose(step, 2e-5, rel_tol=1e-3), f"With the rate 2e-5 your step is {step:.3g}: it is the rate.")
    return "The size of the gradient cancels: the first step is the rate, whatever the loss. Only the sign counts."


@exercise(
    "The top layer learns at lr; each one below it at the factor times the rate of the one above.",
    "Layer k of L (from 1) gets lr · factor^(L - k); the embeddings are layer 0.",
    "return [lr * factor ** (layers - k) for k in range(layers + 1)]",
)
def q06_2(answer: Any) -> str:
    """layer_rates(lr, factor, layers): the rates of the embeddings and of each layer, from below."""
    for lr, factor, layers in ((3e-4, 0.5, 3), (2e-5, 0.95, 12), (1e-3, 1.0, 2)):
        found = [float(rate) for rate in call(answer, lr, factor, layers)]
        right = [lr * factor ** (layers - k) for k in range(layers + 1)]
        here = f"lr {lr:g}, factor {factor:g}, {layers} layers"
        require(
            len(found) != layers,
            f"{here}: your list has {layers} rates. The embeddings have one too, below the first layer.",
        )
        require(len(found) == layers + 1, f"{here}: expected {layers + 1} rates, yours are {len(found)}.")
        require(
            factor == 1 or not _alike(found, right[::-1]),
            f"{here}: upside down. What lies next to the head learns fastest; the list begins with the embeddings.",
        )
        require(
            factor == 1 or not _alike(found, [rate * factor for rate in right]),
            f"{here}: the top layer is one factor too slow; it learns at lr itself.",
        )
        require(_alike(found, right), f"{here}: expected {show(right)}, your function gives {show(found)}.")
    return "That is `layerwise_decay` of the configuration. In twelve layers 0.95 takes the embeddings to about half."


_RUNS = ((2e-5, 100, 0), (1e-3, 100, 10), (2e-5, 4740, 1000), (1.0, 7, 3))


@exercise(
    "Draw it: the rate rises in a straight line over the warm-up, then falls in a straight line to zero.",
    "The sum of the rates is the area under that triangle, whose base is the whole run and whose height is the peak.",
    "return lr * updates / 2",
)
def q06_3(answer: Any) -> str:
    """budget(lr, updates, warmup): Σ of the rates of the linear schedule, within 2 % or half a step."""
    from hanlp_tutor.teach.lessons.l06.drift import budget  # it brings torch

    for lr, updates, warmup in _RUNS:
        mine = float(call(answer, lr, updates, warmup))
        right = budget(lr, TrainConfig(warmup_steps=warmup), updates)
        here = f"A peak of {lr:g}, {updates} updates, {warmup} of them warm-up: your sum is {mine:.4g}"
        require(
            warmup or not math.isclose(mine, lr * updates, rel_tol=0.02),
            f"{here}: that is a rate that never falls. The linear schedule ends at zero.",
        )
        require(
            not warmup or not math.isclose(mine, lr * (updates - warmup) / 2, rel_tol=0.01),
            f"{here}: that leaves the warm-up out. It walks too, from zero to the peak.",
        )
        require(
            not warmup or not math.isclose(mine, lr * (updates + warmup) / 2, rel_tol=0.01),
            f"{here}: during warm-up the rate is rising, half the peak on average, not the peak.",
        )
        require(abs(mine - right) <= max(0.02 * right, 0.51 * lr), f"{here}, added up it is {right:.4g}.")
    return "Half the peak times the updates, however long the warm-up: it is the area of a triangle."


@exercise(
    "What a weight can walk in all is about half the rate times the updates. Keep that equal.",
    "Twice as many updates: half the rate. So new rate · new updates = old rate · old updates.",
    "return lr * updates / new_updates",
)
def q06_4(answer: Any) -> str:
    """same_walk(lr, updates, new_updates): the rate with which a run of other length has the same budget."""
    for lr, updates, new in ((3e-4, 150, 150), (3e-4, 150, 300), (2e-5, 4740, 474)):
        mine, right = float(call(answer, lr, updates, new)), lr * updates / new
        here = f"{lr:g} over {updates} updates, and now {new} of them: your rate is {mine:.3g}"
        require(
            updates == new or not math.isclose(mine, lr * new / updates, rel_tol=1e-3),
            f"{here}. A longer run needs smaller steps for the same way, not larger ones.",
        )
        require(
            updates == new or not math.isclose(mine, lr * math.sqrt(updates / new), rel_tol=1e-3),
            f"{here}. A root is for steps in random directions; here the longest possible way is asked for.",
        )
        require(math.isclose(mine, right, rel_tol=1e-3), f"{here}, expected {right:.3g}.")
    return "So a rate is never good by itself: it belongs to a number of updates, and to a shape."


def _alike(left: list[float], right: list[float]) -> bool:
    return all(math.isclose(a, b, rel_tol=1e-6) for a, b in zip(left, right, strict=True))
