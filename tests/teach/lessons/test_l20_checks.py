"""The exercises of notebook 20; test_exercises.py holds the checks to these answers."""

import math

import torch

from hanlp_tutor.teach.lessons.l20.checks import NOTHING


def entropy_of(numbers):
    counts = numbers.unique(return_counts=True)[1]
    p = counts / counts.sum()
    return -(p * p.log()).sum()


def floor(labels):
    return entropy_of(labels[labels != NOTHING])


def floor_as_pytorch(labels):
    """The loss itself: scores that are the logarithms of the frequencies, the same for each token."""
    kept = labels[labels != NOTHING]
    p = torch.bincount(kept) / len(kept)
    return torch.nn.functional.cross_entropy(p.log().expand(labels.numel(), -1), labels.flatten())


LAST = {"SGD, clip first": 1.89, "Adam, clip first": 0.19, "SGD, unscale first": 0.021, "Adam, unscale first": 0.014}

SLOW = {"B": "rate-too-low", "C": "long-warm-up", "D": "random-weights"}
RIGHT = {
    "q20_1": [floor, floor_as_pytorch, lambda labels: float(floor(labels))],
    "q20_2": ["over-fitting", "过拟合", "Over-fitting", "over fitting"],
    "q20_3": [SLOW, {**SLOW, "B": "学习率过低", "C": "预热过长"}, {**SLOW, "C": "too-short"}],
    "q20_4": [("unseen-label", "misaligned"), ["标签拼写不一致", "错位"]],
    "q20_5": [(list(LAST), LAST), ([*list(LAST)[:2], *list(LAST)[:1:-1]], LAST)],
}
WRONG = {
    "q20_1": [
        (lambda labels: floor(labels) / math.log(2), "in bits"),
        (lambda labels: -floor(labels), "not negative"),
        (lambda labels: entropy_of(labels), "-100 is no label"),
        (lambda labels: math.log(len(labels.unique())), "nine to one"),
        (lambda labels: labels, "cannot read"),
        (0.69, "wants a function"),
    ],
    "q20_2": [
        ("leak", "as good as train"),
        ("one-answer", "stay at nothing"),
        ("rate-too-low", "learns too little"),
        ("misaligned", "have to be compared"),
        ("over-fiting", "Did you mean 'over-fitting'"),
        ("xyz", "Choose from"),
        ("diverged", "it is not"),
        (3, "as a text"),
    ],
    "q20_3": [
        ({"B": ..., "C": ..., "D": ...}, "Still without a fault: B, C, D"),
        ({"B": "rate-too-low"}, "C, D"),
        ({**SLOW, "B": "long-warm-up"}, "Patient B is no case of long-warm-up"),
        ({**SLOW, "C": "rate-too-low"}, "When did the run get there"),
        ({**SLOW, "D": "noisy-labels"}, "What else goes into a run"),
        ({**SLOW, "B": "收敛慢"}, "is a complaint"),
        ({**SLOW, "B": "too-short"}, "Patient B is no case of too-short"),
        ("rate-too-low", "is a dict"),
    ],
    "q20_4": [
        (("misaligned", "unseen-label"), "exchanged"),
        (("over-fitting", "misaligned"), "not all of them"),
        (("unseen-label", "over-fitting"), "does not cut the names"),
        (("leak", "misaligned"), "E is no case of leak"),
        (("unseen-label", "leak"), "F is no case of leak"),
        ("misaligned", "a pair"),
    ],
    "q20_5": [
        ((list(LAST)[::-1], LAST), "too short for SGD"),
        ((["SGD, clip first", "SGD, unscale first", "Adam, clip first", "Adam, unscale first"], LAST), "hardly move"),
        ((["SGD"], LAST), "each once, the highest first"),
    ],
}
