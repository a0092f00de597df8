"""The checks of notebook 07: the losses of a window, a mean of means, a plan for small memory, updates of a run."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from hanlp_tutor.teach.check import NotYet, call, exercise, require, show
from hanlp_tutor.teach.declared import Answers, cases, predicted


def _window(*shapes: tuple[int, ...]) -> tuple[list[Tensor], list[Tensor]]:
    """Scores and labels of a window: for each micro-batch the lengths of its sentences, padded to the longest."""
    draw = torch.Generator().manual_seed(7)
    logits, labels = [], []
    for lengths in shapes:
        logits.append(torch.randn(len(lengths), max(lengths), 3, generator=draw) * 2)
        rows = torch.randint(3, (len(lengths), max(lengths)), generator=draw)
        labels.append(rows.masked_fill(torch.arange(max(lengths)) >= torch.tensor(lengths)[:, None], NOTHING))
    return logits, labels


NOTHING = -100  # what PyTorch's cross-entropy leaves out: padding
_WINDOWS = {
    "sentences all of one length": _window((4, 4), (4, 4)),
    "a short and a long micro-batch": _window((2, 3), (9, 8)),
    "with padding, and a smaller last one": _window((5, 1), (2, 6), (3,)),
}


@exercise(
    "What would the large batch do? One mean over all its characters that have a label.",
    "Count the labels that are not -100, in all micro-batches together, before you compute the first loss.",
    "cross_entropy with reduction='sum' leaves out -100 by itself. By which count is each sum to be divided?",
)
def q07_1(answer: Any) -> str:
    """losses(logits, labels): a loss for each micro-batch, which add up to the mean over the window."""
    for name, (logits, labels) in _WINDOWS.items():
        found = call(answer, logits, labels)
        require(
            isinstance(found, (list, tuple)) and len(found) == len(logits),
            f"The answer is a list with a loss for each of the {len(logits)} micro-batches; yours is {show(found)}.",
        )
        found = [float(loss) for loss in found]
        sums = [_sum(each, wanted) for each, wanted in zip(logits, labels, strict=True)]
        counts = [int((wanted != NOTHING).sum()) for wanted in labels]
        places, k = sum(wanted.numel() for wanted in labels), len(sums)
        if _close(found, [each / sum(counts) for each in sums]):
            continue
        for reason, wrong in {
            "that is the mean of means: a character of a short micro-batch counts for more.": [
                each / count / k for each, count in zip(sums, counts, strict=True)
            ],
            "these are the means of the micro-batches. Added up they are too large by their number.": [
                each / count for each, count in zip(sums, counts, strict=True)
            ],
            "you have divided by all places of the tensors. The padding is no character.": [s / places for s in sums],
            "these are sums. The large batch is a mean.": sums,
            "divided by the number of micro-batches. The large batch is a mean over characters.": [s / k for s in sums],
        }.items():
            require(not _close(found, wrong), f"In the window {name!r}: {reason}")
        right = [round(each / sum(counts), 4) for each in sums]
        raise NotYet(f"In the window {name!r} the losses should be {right}; yours are {show(found)}.")
    return "Their gradients add up to that of the large batch. The kit's loop has this line."


def _sum(logits: Tensor, labels: Tensor) -> float:
    return float(torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="sum"))


def _close(found: list[float], wanted: list[float]) -> bool:
    return all(math.isclose(a, b, rel_tol=1e-3) for a, b in zip(found, wanted, strict=True))


def _why_the_lone_text(seen: Mapping[str, float]) -> str:
    most = max(seen, key=seen.get)
    return (
        "Where every micro-batch counts the same there is no error. The more their counts differ the larger it is, and "
        f"nothing differs more than eight and one. Furthest off is here: {most}."
    )


q07_2 = predicted(
    "The order of four windows by the error of the mean of means, the largest first.",
    "The mean of means gives each micro-batch the same weight. In which windows is that the weight it should have?",
    "Compare how many losses each micro-batch sums: characters for tagging, texts for reviews.",
    "The lone text gets a quarter of the weight. What is its right share among so many?",
    because=_why_the_lone_text,
    surprise=lambda seen: f"{_why_the_lone_text(seen)} Write down the counts of the micro-batches, window by window.",
    tie=1e-3,
)


@cases(
    [(32, 8), (64, 12), (30, 7), (32, 100), (17, 16)],
    "batch_size × k has to be the effective batch, exactly, so batch_size divides it.",
    "Of the divisors that fit take the largest: it needs the fewest micro-batches.",
    "Count down from what fits, or go through all numbers up to it: which of them leave no rest?",
    otherwise="{given} gives {found}: right, but {right} needs fewer passes.",
    then="With a prime number there is only 1 x 17: choose effective batches that divide well.",
)
def q07_3(effective: int, fits: int) -> Answers:
    """plan(effective, fits) -> (batch_size, k): the largest micro-batch that fits and divides the effective batch."""
    best = max(d for d in range(1, min(fits, effective) + 1) if effective % d == 0)
    wrong = {
        "both are whole numbers from 1 up.": lambda plan: min(plan) < 1,
        f"so many sentences do not fit, only {fits} do.": lambda plan: plan[0] > fits,
        f"multiply them, and not {effective} comes out.": lambda plan: plan[0] * plan[1] != effective,
    }
    return (best, effective // best), wrong


@cases(
    [(32, 8, 4, 1), (64, 8, 4, 3), (38, 8, 3, 2), (1000, 32, 4, 10), (7, 8, 4, 5), (38, 8, 1, 1)],
    "Count the micro-batches of one epoch first; the last may be smaller, but it is one.",
    "Then the windows of one epoch; the last may hold fewer micro-batches, and it is updated on as well.",
    "Round up twice, math.ceil or -(-n // k): once for the micro-batches, once for the windows. Then all epochs.",
    otherwise="{given} is {right}; yours is {found}.",
    then="A thousand sentences, the article's settings and k = 4: eighty updates. Hold warm-up against that number.",
)
def q07_4(sentences: int, batch_size: int, k: int, epochs: int) -> Answers:
    """updates(sentences, batch_size, k, epochs) of the kit's loop."""
    micro = -(-sentences // batch_size)
    carried, floor = epochs * micro // k, epochs * (sentences // batch_size // k)
    wrong = {
        "there are no half updates.": lambda found: found != int(found),
        "that counts micro-batches, not updates.": epochs * micro,
        "the rest of an epoch is carried into the next (HanLP does). Here each epoch ends with an update.": carried,
        "the last sentences would never be learned from. Round up, twice.": floor,
    }
    return epochs * -(-micro // k), wrong
