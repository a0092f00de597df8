"""The checks of notebook 09: the edge of a grid, a larger batch, patience in epochs, a share of a logarithmic range."""

from __future__ import annotations

import math

from hanlp_tutor.teach.declared import Answers, cases, predicted


@cases(
    {
        "the best is the largest learning rate, so try larger ones": ({1e-5: 0.31, 2e-5: 0.36, 5e-5: 0.44},),
        "the best is the smallest learning rate": ({1e-5: 0.62, 2e-5: 0.58, 5e-5: 0.40},),
        "the best has neighbours on both sides": ({1e-5: 0.41, 2e-5: 0.58, 5e-5: 0.49},),
        "do not rely on the order of the keys": ({5e-5: 0.44, 1e-5: 0.31, 2e-5: 0.36},),
        "a learning rate that is too large breaks the run": ({3e-4: 0.70, 1e-3: 0.71, 1e-4: 0.60, 3e-3: 0.0},),
    },
    "Which key has the greatest value? max(scores, key=scores.get).",
    "Compare it with min(scores) and max(scores): iterating over a dictionary gives its keys.",
    "Return 'lower', 'higher' or 'inside'.",
    otherwise="{given}: the answer is {right}, your function gives {found}.",
    then="A best value at the edge of a grid says only that the grid was too small.",
)
def q09_1(scores: dict[float, float]) -> Answers:
    """where_next({learning rate: dev score}) -> 'lower', 'higher' or 'inside'."""
    best, names = max(scores, key=scores.get), ("lower", "higher", "inside")
    right = "higher" if best == max(scores) else "lower" if best == min(scores) else "inside"
    return right, {"return 'lower', 'higher' or 'inside'.": lambda found: found not in names}


def _reading(factor: float) -> str:
    if factor > 1.1:
        return (
            "At one learning rate the larger batch had to read more for the same score. Its gradient is more exact, "
            "but there are fewer steps, and each is no longer than before."
        )
    if factor < 0.9:
        return "Here the larger batch had to read less. See with three seeds, below, whether that holds."
    return "Both had to read about as much. See with three seeds, below, whether that holds."


q09_2 = predicted(
    "The factor by which a batch of 64 has to read more examples than one of 16 to reach the same dev score.",
    "With four times the batch, an epoch has a quarter of the updates.",
    "If a batch of 64 needed exactly a quarter of the updates, the factor would be 1. Is its step four times as good?",
    "The learning rate is the same in both, so the length of a step is about the same. What does that do to 64?",
    because=_reading,
    surprise=_reading,
)


@cases(
    [(3, 40, 40), (3, 40, 10), (3, 100, 40), (1, 10, 25), (2, 313, 50)],
    "How many evaluations does an epoch have? updates_per_epoch / eval_steps.",
    "Patience is a whole number of evaluations without a better score; it must cover at least the epochs asked for.",
    "Round up: with too few evaluations the patience would end before the epochs are over. And never below 1.",
    otherwise="{given}: {right} evaluations, your function gives {found}.",
    then="The article's three epochs are patience=3 only where each epoch ends in one evaluation.",
)
def q09_3(epochs: int, updates: int, eval_steps: int) -> Answers:
    """patience_for(epochs, updates_per_epoch, eval_steps) -> evaluations that cover so many epochs."""
    wrong = {
        "an int, please: patience is a whole number.": lambda found: not isinstance(found, int),
        "patience is at least 1.": lambda found: found < 1,
        f"patience {epochs} counts evaluations, and here these are no epochs.": epochs,
        "rounded down, it ends before the epochs are over.": epochs * updates // eval_steps,
        "these are updates. How many evaluations do they hold?": epochs * updates,
    }
    return max(1, math.ceil(epochs * updates / eval_steps)), wrong


@cases(
    [
        (x, low, high, log)
        for x, low, high in ((1e-3, 1e-5, 1e-2), (1e-4, 1e-5, 1e-2), (0.2, 0.1, 0.5), (1e-5, 1e-5, 1e-2))
        for log in (False, True)
    ],
    "On a plain scale the share is (x - low) / (high - low).",
    "On a logarithmic scale it is the same with the logarithm of each of the three.",
    "From 1e-5 to 1e-2 are three powers of ten; up to 1e-3 are two of them.",
    otherwise="{given}: the share is {right}, your function gives {found}.",
    then="On a plain scale nine of ten learning rates would be above 1e-3: draw them on a logarithmic one.",
)
def q09_4(x: float, low: float, high: float, log: bool) -> Answers:
    """share_below(x, low, high, log) -> the share of draws below x."""
    shares = (x - low) / (high - low), math.log(x / low) / math.log(high / low)
    right = shares[log]
    wrong = {
        "that is in per cent. A share is between 0 and 1.": 100 * right,
        "that is the share on the other scale.": shares[not log],
        "that is the share above x.": 1 - right,
    }
    return right, wrong
