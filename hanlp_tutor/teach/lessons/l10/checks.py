"""The checks of notebook 10: micro and macro, which errors to mend, a likelihood, a threshold, how many sentences."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import mean
from typing import Any

from hanlp_tutor.teach.check import call, exercise, require
from hanlp_tutor.teach.declared import Answers, cases, predicted, value
from hanlp_tutor.workbench.calibration import threshold_for


def _f1(right: float, found: float, wanted: float) -> float:
    return 2 * right / (found + wanted) if found + wanted else 0.0


@cases(
    [
        ({"LOC": (80, 90, 100), "PER": (40, 60, 50), "ORG": (1, 4, 10)},),  # right, found, wanted
        ({"LOC": (3, 4, 5)},),
        ({"LOC": (90, 100, 100), "ORG": (0, 0, 10)},),
        ({"LOC": (1, 2, 2), "X": (0, 0, 0)},),
    ],
    "F1 from counts in one step: 2 * right / (found + wanted).",
    "Micro: add the three counts over the types first, then one F1. Macro: one F1 a type, then their mean.",
    "A type that was neither found nor wanted would divide by zero; its F1 is 0.",
    otherwise=(
        "{given}: micro F1 is {right}, not {found}. Add counts first.",
        "{given}: macro F1 is {right}, not {found}.",
    ),
    count="Return two numbers, micro and macro F1.",
    then="Micro asks how good the model is on the next entity, macro how good it is on the next type.",
)
def q10_1(counts: dict[str, tuple[int, int, int]]) -> Answers:
    """micro_macro({type: (right, found, wanted)}) -> (micro F1, macro F1)."""
    rows = list(counts.values())
    sums = [sum(column) for column in zip(*rows, strict=True)]
    micro, macro = _f1(*sums), mean(_f1(*row) for row in rows)
    p, r = (mean(row[0] / row[k] if row[k] else 0.0 for row in rows) for k in (1, 2))
    of_means = 2 * p * r / (p + r) if p + r else 0.0
    weighted = sum(_f1(*row) * row[2] for row in rows) / sums[2]
    wrong = {
        "the two are exchanged: micro counts every entity alike, macro every type.": (macro, micro),
        "the F1 of the mean precision and the mean recall. Macro F1 is the mean of the F1s.": (..., of_means),
        "you weighted the types by their entities. In macro F1 each weighs as much as any.": (..., weighted),
    }
    return (micro, macro), wrong


def _worth(seen: Mapping[str, float]) -> str:
    return (
        f"Mending all of {max(seen, key=seen.get)!r} is worth most here, mending {min(seen, key=seen.get)!r} least. "
        "How much it is worth depends on how many there are, and on what one costs: a mended border or type makes "
        "one more right; a missed one adds one to right and to found; an invented one is only taken from found."
    )


q10_2 = predicted(
    "Which kind of error is worth most to mend.",
    "F1 = 2 right / (found + wanted). Write down what each kind changes in it.",
    "One entity with wrong borders stands among the found and among the wanted, and is right in neither.",
    "The worth is the number of errors of a kind times what one costs. Which are frequent in the sentence that we "
    "scored by hand, and where does a name begin and end?",
    because=_worth,
    surprise=_worth,
    tie=0.003,
)


@exercise(
    "Divide first: logits / T. Then log_softmax over the last dimension gives the logarithms of the probabilities.",
    "Of each row you need the number in the column that gold names: gather(1, gold.unsqueeze(1)).",
    "The probability of a gold label is below 1, so its logarithm is negative; turn the sign of the mean.",
)
def q10_3(answer: Any) -> str:
    """nll(logits, gold, T): logits (N, classes), gold (N,) -> the mean of -log p(gold) at a temperature."""
    import torch
    from torch.nn.functional import cross_entropy

    generator = torch.Generator().manual_seed(1)
    for count, classes, T in ((4, 3, 1.0), (1, 2, 2.0), (50, 7, 0.5)):
        logits = 3 * torch.randn(count, classes, generator=generator)
        gold = torch.randint(classes, (count,), generator=generator)
        given = f"For logits of shape ({count}, {classes}) and T = {T:g}: "
        found = call(answer, logits, gold, T)
        number = torch.as_tensor(found, dtype=torch.float32)
        require(number.numel() == 1, f"{given}one number, please, the mean; yours has {number.numel()}.")
        right = cross_entropy(logits / T, gold)
        wrong = {
            "you left out T.": cross_entropy(logits, gold),
            "you multiplied by T. Divide.": cross_entropy(logits * T, gold),
            "the sign: -log p is not negative.": -right,
            "that is the sum. Take the mean.": right * count,
            "that is the mean probability. Take its logarithm in each row before the mean.":
                (logits / T).softmax(-1).gather(1, gold.unsqueeze(1)).mean(),
        }  # fmt: skip
        agrees = torch.allclose(number, right, atol=1e-4)
        for reason, value_ in wrong.items():
            require(agrees or not torch.allclose(number, value_, atol=1e-4), given + reason)
        require(agrees, f"{given}expected {float(right):.4f}, yours is {float(number):.4f}.")
    return "For a text this is what the kit minimises over T; for entities it asks how likely 'it is right' is."


@cases(
    {
        "the two best are right": ([0.9, 0.8, 0.7, 0.6], [True, True, False, False], 0.9),
        "the surest prediction is wrong, the others right": ([0.9, 0.8, 0.7, 0.6], [False, True, True, True], 0.7),
        "no prediction is right": ([0.9, 0.8], [False, False], 0.5),
        "two predictions have the same score, and one of them is wrong": ([0.8, 0.8, 0.6], [True, False, True], 0.9),
        "all predictions are right": ([0.9, 0.5], [True, True], 0.9),
    },
    "Every score is a candidate: keep the predictions with at least that score, and count how many of those are right.",
    "Of the candidates that reach the accuracy, the lowest keeps the most. None where no candidate reaches it.",
    "Do not stop at the first failure from above: a higher threshold can fail where a lower one succeeds.",
    otherwise="{given}: the answer is {right}, yours is {found}.",
    then="Choose it on dev, and report what it keeps and gets right on test.",
)
def q10_4(scores: list[float], right: list[bool], accuracy: float) -> Answers:
    """lowest_threshold(scores, right, accuracy) -> the lowest sufficient threshold, or None."""
    return threshold_for(scores, right, accuracy=accuracy), {}


q10_5 = value(
    "How many sentences narrow an interval of ±2.0 points with 400 sentences to ±0.5: 6,400.",
    400 * (2.0 / 0.5) ** 2,
    "The half-width of an interval shrinks with the square root of the number of sentences.",
    "Four times as narrow: how many times as many sentences?",
    "The factor that you want is the square root of n / 400. Solve for n.",
    wrong={
        "A narrower interval needs *more* sentences.": lambda found: found <= 400,
        "Four times the sentences halve the interval only: it shrinks with the square root.": 400 * 4.0,
        "The other way round: square, not root.": 400 * 4**0.5,
    },
    otherwise="Not {found}. By which factor is the interval narrower?",
    then="Half the interval costs four times the labels: the last half point of a leader board is expensive to prove.",
)
