"""The checks of notebook 20: which fault a patient has, and the loss of a model that knows only frequencies."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from hanlp_tutor.errors import nearest
from hanlp_tutor.teach.check import exercise, require, show
from hanlp_tutor.teach.declared import Answers, cases, predicted, value
from hanlp_tutor.workbench.diagnose.report import KINDS

# The Chinese name in the brackets of a kind's description is as good an answer as its English one.
_CHINESE = {found[1]: kind for kind, text in KINDS.items() if (found := re.search(r"\(([^()]*)\)$", text))}


def _kind(answer: Any) -> str:
    require(isinstance(answer, str), f"The answer is the name of a fault as a text; this is {show(answer)}.")
    name = answer.strip()
    require(name != "收敛慢", "收敛慢 is a complaint, and several faults lead to it. Which of them?")
    kind = _CHINESE.get(name, name.lower().replace(" ", "-").replace("_", "-"))
    guess = nearest(kind, KINDS)
    known = f"Did you mean {guess!r}?" if guess else f"Choose from {', '.join(KINDS)}."
    require(kind in KINDS, f"There is no fault {show(name)}. {known}")
    return kind


NOTHING = -100  # what PyTorch's cross-entropy leaves out, and the kit's batches have where there is nothing to predict
_LABELS = {
    "two labels, equally frequent": [[0, 1, 0, 1]],
    "four labels, equally frequent": [[0, 1, 2, 3]],
    "nine to one": [[0] * 9 + [1]],
    "two rows, padded": [[NOTHING, 0, 0, 0, NOTHING], [NOTHING, 0, 1, NOTHING, NOTHING]],
    "one label only: nothing to guess": [[NOTHING, 2, 2, NOTHING]],
}


def _entropy(numbers: Sequence[int]) -> float:
    p = [count / len(numbers) for count in Counter(numbers).values()]
    return sum(-x * math.log(x) for x in p)


@cases(
    {name: (torch.tensor(rows),) for name, rows in _LABELS.items()},
    "A model that knows only frequencies gives label c the probability p = count / total, always.",
    "Its loss on one token with label c is -log p; label c comes up in a share p of the tokens. Drop the -100 first.",
    "labels[labels != -100] is a row without the padding; .unique(return_counts=True) counts. Then sum over labels.",
    read=float,
    then="A model whose loss is above this has learnt less than the frequencies of the labels.",
)
def q20_1(labels: Tensor) -> Answers:
    """floor(labels): the entropy of a tensor of labels in nats, without the padding."""
    every = labels.flatten().tolist()
    right = _entropy([label for label in every if label != NOTHING])
    wrong = {
        "that is in bits. PyTorch's cross-entropy has the natural logarithm.": right / math.log(2),
        "a loss is not negative; log p is.": -right,
        "-100 is no label: it marks what is not to be predicted. Leave it out before you count.": _entropy(every),
    }
    return right, {reason: answer for reason, answer in wrong.items() if not math.isclose(answer, right, abs_tol=1e-9)}


q20_2 = value(
    "The fault of patient A: over-fitting.",
    "over-fitting",
    "Compare the two curves in each panel. Do train and dev go the same way to the end?",
    "What becomes of the training score, and what of the dev score, in the second half of the run?",
    "Which of the article's three troubles is described by a training score that rises while the dev score stays?",
    wrong={
        "leak: then dev would be as good as train. Look at the gap.": "leak",
        "one-answer: then dev would stay at nothing. Look at the gap.": "one-answer",
        "A run with that trouble learns too little. This one learns its training sentences to the last.": {
            "rate-too-low", "long-warm-up", "random-weights", "noisy-labels", "too-short", "frozen-encoder",
        },
        "No curve can tell that: the labels of both sets have to be compared. Here the dev loss falls at first, and "
        "the training score goes to the top. What does the dev loss do then?": {"misaligned", "unseen-label"},
    },
    otherwise="{found} it is not. What does the dev loss do while the training loss vanishes?",
    then="Training goes on getting better and dev does not: 过拟合. The best weights were kept on the way.",
    read=_kind,
)  # fmt: skip


_SLOW = {"B": "rate-too-low", "C": "long-warm-up", "D": "random-weights"}
_SLOW_REASON = {
    "B": "the learning rate reached its top early and fell again, as it should. But look at how high that top is.",
    "C": "the top of the learning rate is right. When did the run get there?",
    "D": "learning rate, warm-up and sentences are those of the healthy run. What else goes into a run?",
}


@exercise(
    "All three learn too little. Start with the column of the highest learning rate.",
    "Two have the healthy run's highest learning rate; one of them reaches it in the last updates only.",
    "The third has the learning rate, the warm-up and the sentences of the healthy run. What else goes into a run?",
)
def q20_3(answer: Any) -> str:
    """The faults of patients B, C and D, as a dict from letter to name."""
    require(
        isinstance(answer, dict), f"The answer is a dict such as {{'B': ..., 'C': ..., 'D': ...}}, not {show(answer)}."
    )
    missing = [letter for letter in _SLOW if answer.get(letter, ...) is ...]
    require(not missing, f"Still without a fault: {', '.join(missing)}.")
    for letter, right in _SLOW.items():
        kind = _kind(answer[letter])
        right_too = (letter, kind) == ("C", "too-short")
        require(kind == right or right_too, f"Patient {letter} is no case of {kind}: {_SLOW_REASON[letter]}")
    also = (
        " Of C too-short is true as well: the run is short, and the warm-up takes nearly all of it. The table below "
        "the verdicts takes the two apart."
    )
    told = "The same symptom, three causes, three remedies: 'increase the learning rate' would have cured one of them."
    return told + also * (_kind(answer["C"]) == "too-short")


def _two_kinds(answer: Any) -> tuple[str, ...]:
    pair = isinstance(answer, (tuple, list)) and len(answer) == 2
    require(pair, f"The answer is a pair, the fault of E and that of F; this is {show(answer)}.")
    return tuple(map(_kind, answer))


q20_4 = value(
    "(fault of E, fault of F): unseen-label, misaligned.",
    ("unseen-label", "misaligned"),
    "The training score is high, so the model has learnt something. What is different about dev?",
    "One of the two has a table of labels that does not agree; the other's labels agree to the letter.",
    "Print a training sentence of F with its entities marked, and read them aloud.",
    wrong={
        "You have exchanged the two.": ("misaligned", "unseen-label"),
        "E: over-fitting costs dev points, not all of them. Compare the tables of labels.": ("over-fitting", ...),
        "F: over-fitting does not cut the names. Read the marked sentence.": ("unseen-label", "over-fitting"),
    },
    otherwise=(
        "E is no case of {found}. Which of dev's types has train never heard of?",
        "F is no case of {found}. Where do the entities of its sentences begin?",
    ),
    then="Both times the model did what it was taught. Dev asks for something else.",
    read=_two_kinds,
)


def _why_adam_too(seen: Mapping[str, float]) -> str:
    return (
        "Cut to length 1 and then divided by the scale, the gradient is too short for SGD to move anything "
        f"({seen['SGD, clip first']:.2f}). Adam divides by the size of the gradient, but adds ε: weights whose "
        f"gradient is now below ε hardly move, the others go on ({seen['Adam, clip first']:.2f})."
    )


q20_5 = predicted(
    "The order of the last losses of four loops, SGD and Adam in both orders, the highest first.",
    "What does SGD do with a gradient that is tens of thousands of times too short?",
    "Adam's step is lr · m / (√v + ε). If every gradient is so much shorter, what happens to m, to √v, and to ε?",
    "ε is 1e-8. Divide length 1 by the scale, then spread it over millions of weights: some are below ε, some above.",
    because=_why_adam_too,
    surprise=lambda seen: f"{_why_adam_too(seen)} Which of the four did you take for better than it is?",
    tie=0.03,
)
