"""The checks of notebook 20: which fault a patient has, and the loss of a model that knows only frequencies."""

from __future__ import annotations

import math
import re
from typing import Any

from hanlp_tutor.errors import nearest
from hanlp_tutor.teach.check import exercise, require, show
from hanlp_tutor.teach.declared import Answers, cases, value
from hanlp_tutor.workbench.diagnose.report import KINDS

# The Chinese name in the brackets of a kind's description is as good an answer as its English one.
_CHINESE = {found[1]: kind for kind, text in KINDS.items() if (found := re.search(r"\(([^()]*)\)$", text))}


def _kind(answer: Any) -> str:
    require(isinstance(answer, str), f"The answer is the name of a fault as a text; this is {show(answer)}.")
    name = answer.strip()
    kind = _CHINESE.get(name, name.lower().replace(" ", "-").replace("_", "-"))
    guess = nearest(kind, KINDS)
    known = f"Did you mean {guess!r}?" if guess else f"Choose from {', '.join(KINDS)}."
    require(kind in KINDS, f"There is no fault {show(name)}. {known}")
    return kind


@cases(
    {
        "two labels, equally frequent": ({"a": 50, "b": 50},),
        "four labels, equally frequent": ({"a": 1, "b": 1, "c": 1, "d": 1},),
        "nine O to one B": ({"O": 90, "B": 10},),
        "one label only: nothing to guess": ({"O": 7},),
        "a label that never occurs": ({"O": 7, "B": 0},),
    },
    "A model that knows only frequencies gives label c the probability p = count / total, always.",
    "Its loss on one token with label c is -log p; label c comes up in a share p of the tokens.",
    "sum(-p * math.log(p)) over the labels with a count above 0: the entropy of the labels.",
    then="A model whose loss is above this has learnt less than the frequencies of the labels.",
)
def q20_1(counts: dict[str, int]) -> Answers:
    """floor(counts): the entropy in nats."""
    p = [count / sum(counts.values()) for count in counts.values() if count]
    right = sum(-x * math.log(x) for x in p)
    wrong = {
        "that is in bits. PyTorch's cross-entropy has the natural logarithm, math.log.": right / math.log(2),
        "a loss is not negative; log p is.": -right,
    }
    return right, wrong


q20_2 = value(
    "The fault of patient A: over-fitting.",
    "over-fitting",
    "Compare the two panels: which curve turns round, and when?",
    "What becomes of the training score, and what of the dev score, in the second half of the run?",
    "Learning sentences by heart looks exactly like this: the article's first trouble.",
    wrong={
        "leak: then dev would be as good as train. Look at the gap.": "leak",
        "one-answer: then dev would stay at nothing. Look at the gap.": "one-answer",
        "A run with that trouble learns too little. This one learns its training sentences to the last.": {
            "rate-too-low", "long-warm-up", "random-weights", "noisy-labels", "too-short", "frozen-encoder",
        },
        "Then dev would never have got off the ground, and its loss would rise from the first look on.": {
            "misaligned", "unseen-label",
        },
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
    "The third has the learning rate, the warm-up and the sentences of the healthy run: what had its encoder read?",
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
        require(kind == right, f"Patient {letter} is no case of {kind}: {_SLOW_REASON[letter]}")
    return "The same symptom, three causes, three remedies: 'increase the learning rate' would have helped one of them."


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


@cases(
    {
        "nothing in common": (["今天下雨", "明天晴"], ["后天有雪"]),
        "one text in both sets": (["今天下雨", "明天晴"], ["明天晴", "后天有雪"]),
        "a blank more, and a text that only begins alike": (["我在北京"], ["我在 北京", "我在北京大学"]),
        "capitals": (["他买了iPhone"], ["他买了iphone"]),
        "an empty training set": ([], ["后天有雪"]),
    },
    "Put what you compare into a set first: of each training text the form without blanks and capitals.",
    '"".join(text.split()).lower() is the same for 我在 北京 and 我在北京.',
    "A list comprehension over dev, with `if same(text) in known`.",
    then="A set and a loop. Whoever trains without it publishes the memory of a machine.",
)
def q20_5(train: list[str], dev: list[str]) -> Answers:
    """leaked(train, dev): the dev texts that stand in train, blind to blanks and capitals, in their order."""
    known = {"".join(text.split()).lower() for text in train}
    right = [text for text in dev if "".join(text.split()).lower() in known]
    return right, {"the answer is a list of texts.": lambda found: not isinstance(found, list)}
