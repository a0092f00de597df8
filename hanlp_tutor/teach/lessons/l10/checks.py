"""The checks of notebook 10: micro and macro, calibration error, a threshold, how many test sentences."""

from __future__ import annotations

from statistics import mean

from hanlp_tutor.teach.declared import Answers, cases, value
from hanlp_tutor.workbench.calibration import expected_calibration_error, threshold_for


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


_SURE = [0.05, 0.12, 0.31, 0.33, 0.48, 0.52, 0.67, 0.7, 0.78, 0.81, 0.93, 0.99]  # on no border of a bin


@cases(
    {
        "four predictions in one bin": ([0.9, 0.9, 0.9, 0.9], [True, True, True, False], 10),
        "two bins with one prediction each": ([0.55, 0.95], [False, True], 10),
        "nine predictions in one bin and one in another": ([0.95] * 9 + [0.55], [True] * 9 + [False], 10),
        "scores of exactly 1": ([1.0, 1.0], [True, False], 10),
        "a dozen predictions in seven bins": (_SURE, [score > 0.5 for score in _SURE], 7),
    },
    "Put each prediction into a bin by its score; a score of exactly 1 belongs to the last bin.",
    "In each bin: the mean score, the share of right predictions, and the distance between the two.",
    "Sum of distance times the number in the bin, over the number of all predictions. Empty bins add nothing.",
    otherwise="{given}: it is {right}, yours {found}. (Weigh the bins!)",
    then="One number for the diagram; remember that it depends on the bins, and does not show how often it is right.",
)
def q10_2(scores: list[float], right: list[bool], bins: int) -> Answers:
    """ece(scores, right, bins) -> the expected calibration error."""
    overall = abs(mean(scores) - mean(right))
    wrong = {
        "the distance has no sign. Take abs().": lambda found: found < 0,
        "the difference of the means over *all* predictions, where too sure and too modest bins cancel.": overall,
    }
    return expected_calibration_error(scores, right, bins=bins), wrong


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
def q10_3(scores: list[float], right: list[bool], accuracy: float) -> Answers:
    """lowest_threshold(scores, right, accuracy) -> the lowest sufficient threshold, or None."""
    return threshold_for(scores, right, accuracy=accuracy), {}


q10_4 = value(
    "How many sentences narrow an interval of ±2.0 points with 400 sentences to ±0.5: 6,400.",
    400 * (2.0 / 0.5) ** 2,
    "The half-width of an interval shrinks with the square root of the number of sentences.",
    "Four times as narrow: how many times as many sentences?",
    "400 times (2.0 / 0.5) squared.",
    wrong={
        "A narrower interval needs *more* sentences.": lambda found: found <= 400,
        "Four times the sentences halve the interval only: it shrinks with the square root.": 400 * 4.0,
        "The other way round: square, not root.": 400 * 4**0.5,
    },
    otherwise="Not {found}. By which factor is the interval narrower?",
    then="Half the interval costs four times the labels: the last half point of a leader board is expensive to prove.",
)
