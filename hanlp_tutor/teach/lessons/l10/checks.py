"""The checks of notebook 10: micro and macro, calibration error, a threshold, how many test sentences."""

from __future__ import annotations

import random
from typing import Any

from hanlp_tutor.teach.check import call, exercise, require, show
from hanlp_tutor.workbench.calibration import expected_calibration_error, threshold_for

COUNTS = {"LOC": (80, 90, 100), "PER": (40, 60, 50), "ORG": (1, 4, 10)}  # right, found, wanted


def _f1(right: float, found: float, wanted: float) -> float:
    return 2 * right / (found + wanted) if found + wanted else 0.0


@exercise(
    "F1 from counts in one step: 2 * right / (found + wanted).",
    "Micro: add the three counts over the types first, then one F1. Macro: one F1 a type, then their mean.",
    "A type that was neither found nor wanted would divide by zero; its F1 is 0.",
)
def q10_1(answer: Any) -> str:
    """micro_macro({type: (right, found, wanted)}) -> (micro F1, macro F1)."""
    cases = [COUNTS, {"LOC": (3, 4, 5)}, {"LOC": (90, 100, 100), "ORG": (0, 0, 10)}, {"LOC": (1, 2, 2), "X": (0, 0, 0)}]
    for counts in cases:
        given = tuple(float(value) for value in call(answer, counts))
        require(len(given) == 2, f"Return two numbers, micro and macro F1; this is {show(given)}.")
        sums = [sum(row[k] for row in counts.values()) for k in range(3)]
        each = [_f1(*row) for row in counts.values()]
        micro, macro = _f1(*sums), sum(each) / len(each)
        p = [row[0] / row[1] if row[1] else 0.0 for row in counts.values()]
        r = [row[0] / row[2] if row[2] else 0.0 for row in counts.values()]
        of_means = 2 * sum(p) * sum(r) / (sum(p) + sum(r)) / len(p) if sum(p) + sum(r) else 0.0
        weighted = sum(f * row[2] for f, row in zip(each, counts.values(), strict=True)) / max(sums[2], 1)
        here = f"With {show(counts)}"
        require(
            abs(micro - macro) < 1e-9 or not _near(given, (macro, micro)),
            "The two are exchanged: micro counts every entity alike, macro every type.",
        )
        require(_near(given[:1], (micro,)), f"{here}: micro F1 is {micro:.4f}, not {given[0]:.4f}. Add counts first.")
        require(
            abs(of_means - macro) < 1e-9 or not _near(given[1:], (of_means,)),
            f"{here}: you took the F1 of the mean precision and the mean recall. Macro F1 is the mean of the F1s.",
        )
        require(
            abs(weighted - macro) < 1e-9 or not _near(given[1:], (weighted,)),
            f"{here}: you weighted the types by their entities. In macro F1 a rare type weighs as much as any.",
        )
        require(_near(given[1:], (macro,)), f"{here}: macro F1 is {macro:.4f}, not {given[1]:.4f}.")
    return "Micro asks how good the model is on the next entity, macro how good it is on the next type."


@exercise(
    "Put each answer into a bin by its score; a score of exactly 1 belongs to the last bin.",
    "In each bin: the mean score, the share of right answers, and the distance between the two.",
    "Sum of distance times the number in the bin, over the number of all answers. Empty bins add nothing.",
)
def q10_2(answer: Any) -> str:
    """ece(scores, right, bins) -> the expected calibration error."""
    rng = random.Random(10)
    scores = [round(rng.uniform(0.01, 0.99), 3) + 0.0004 for _ in range(200)]  # on no border of a bin
    cases = [
        ([0.9, 0.9, 0.9, 0.9], [True, True, True, False], 10, "four answers of one bin"),
        ([0.55, 0.95], [False, True], 10, "two bins with one answer each"),
        ([0.95] * 9 + [0.55], [True] * 9 + [False], 10, "nine answers in one bin and one in another"),
        ([1.0, 1.0], [True, False], 10, "scores of exactly 1"),
        (scores, [rng.random() < s**2 for s in scores], 7, "200 answers in seven bins"),
    ]
    for given, right, bins, what in cases:
        wanted, found = expected_calibration_error(given, right, bins=bins), float(call(answer, given, right, bins))
        require(found >= 0, f"With {what} yours is {found:.4f}: the distance has no sign. Take abs().")
        overall = abs(sum(given) / len(given) - sum(right) / len(right))
        require(
            abs(overall - wanted) < 1e-6 or abs(found - overall) > 1e-6,
            f"With {what} yours is {found:.4f}: the difference of the means over *all* answers, where bins that are "
            "too sure and bins that are too modest cancel.",
        )
        require(abs(found - wanted) < 1e-6, f"With {what} it is {wanted:.4f}, yours {found:.4f}. (Weigh the bins!)")
    return (
        "One number for the diagram; remember that it depends on the bins, and says nothing of how often it is right."
    )


@exercise(
    "Every score is a candidate: keep the answers with at least that score, and count how many of those are right.",
    "Of the candidates that reach the accuracy, the lowest keeps the most. None where no candidate reaches it.",
    "Do not stop at the first failure from above: a higher threshold can fail where a lower one succeeds.",
)
def q10_3(answer: Any) -> str:
    """lowest_threshold(scores, right, accuracy) -> the lowest sufficient threshold, or None."""

    def solved(*arguments: Any) -> Any:
        found = answer(*arguments)
        return "None" if found is None else found  # `call` takes None for a forgotten return

    cases = [
        ([0.9, 0.8, 0.7, 0.6], [True, True, False, False], 0.9, "the two best are right"),
        ([0.9, 0.8, 0.7, 0.6], [False, True, True, True], 0.7, "the surest answer is wrong, the others right"),
        ([0.9, 0.8], [False, False], 0.5, "no answer is right"),
        ([0.8, 0.8, 0.6], [True, False, True], 0.9, "two answers have the same score, and one of them is wrong"),
        ([0.9, 0.5], [True, True], 0.9, "all answers are right"),
    ]
    for scores, right, accuracy, what in cases:
        wanted = threshold_for(scores, right, accuracy=accuracy)
        found = call(solved if callable(answer) else answer, scores, right, accuracy)
        found = None if found == "None" else float(found)
        here = f"lowest_threshold({scores}, {right}, {accuracy}), where {what}"
        require(
            wanted is not None or found is None,
            f"{here}: no threshold reaches it, so the answer is None, not {found}.",
        )
        require(found is not None or wanted is None, f"{here}: the answer is {wanted}, yours is None.")
        require(found == wanted, f"{here}: the answer is {wanted}, yours is {found}.")
    return "Choose it on dev, and report what it keeps and gets right on test."


HALF_WIDTH, SENTENCES, WANTED = 2.0, 400, 0.5


@exercise(
    "The half-width of an interval shrinks with the square root of the number of sentences.",
    "Four times as narrow: how many times as many sentences?",
    "400 times (2.0 / 0.5) squared.",
)
def q10_4(answer: Any) -> str:
    """How many sentences narrow an interval of ±2.0 points with 400 sentences to ±0.5: 6,400."""
    sentences = float(answer)
    right = SENTENCES * (HALF_WIDTH / WANTED) ** 2
    require(
        sentences != SENTENCES * HALF_WIDTH / WANTED,
        "Four times the sentences halve the interval only: it shrinks with the square root.",
    )
    require(sentences != SENTENCES * (HALF_WIDTH / WANTED) ** 0.5, "The root is on the other side: square, not root.")
    require(sentences > SENTENCES, "A narrower interval needs *more* sentences.")
    require(abs(sentences - right) <= 0.01 * right, f"Not {sentences:,.0f}. By which factor is the interval narrower?")
    return "Half the interval costs four times the labels: the last half point of a leader board is expensive to prove."


def _near(given: tuple[float, ...], wanted: tuple[float, ...]) -> bool:
    return all(abs(one - other) < 1e-6 for one, other in zip(given, wanted, strict=True))
