"""The checks of notebook 04: parallel files, macro F1 from a confusion matrix, a threshold, shuffled texts, windows."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hanlp_tutor.teach.check import NotYet, call, exercise, require, show
from hanlp_tutor.teach.declared import Answers, cases, predicted

if TYPE_CHECKING:
    from torch import Tensor


@exercise(
    "zip() stops at the end of the shorter list and says nothing. What should happen instead?",
    "Compare the lengths first and raise a ValueError that names both.",
    "Since Python 3.10 zip itself has an option for this: read help(zip).",
)
def q04_1(answer: Any) -> str:
    """pair_up(texts, labels) -> ["text<TAB>label", ...]; unequal lengths raise."""
    lines = list(call(answer, ["房间很干净", "书有缺页"], ["positive", "negative"]))
    right = ["房间很干净\tpositive", "书有缺页\tnegative"]
    require(len(lines) == 2, f"Two texts and two labels make two lines; yours are {len(lines)}.")
    turned = ["\t".join(reversed(line.split("\t"))) for line in right]
    require(lines != turned, "The text comes first, then the tab, then the label.")
    require(
        all(isinstance(line, str) and "\t" in line for line in lines),
        f"Between text and label stands a tab, '\\t'; your first line is {show(lines[0])}.",
    )
    require(not any(line.endswith("\n") for line in lines), "No line break at the end of a line: the writer adds it.")
    require(lines == right, f"Expected {right}, your function gives {show(lines)}.")
    stripped = list(call(answer, ["很好 "], ["positive\n"]))
    require(
        stripped[0].endswith("\tpositive"),
        f"Lines read from a file end in a line break: the label {'positive' + chr(10)!r} shall become 'positive'.",
    )
    for texts, labels in ((["好", "坏", "好"], ["positive", "negative"]), (["好"], ["positive", "negative"])):
        try:
            silent = answer(list(texts), list(labels))
        except Exception:
            continue
        raise NotYet(
            f"{len(texts)} texts with {len(labels)} labels give {len(list(silent))} lines without a word. One missing "
            "line shifts all labels after it: raise an error."
        )
    return "Parallel files are only as good as the check that they are parallel."


@cases(
    {
        "a plain case": ([[8, 2], [4, 6]],),
        "a class that is never predicted; its F1 is 0": ([[90, 0], [10, 0]],),
        "three classes": ([[5, 1, 0], [2, 7, 1], [0, 3, 6]],),
    },
    "One class at a time: right is the diagonal, its row is what was wanted, its column what was predicted.",
    "F1 of a class is 2 · right / (row sum + column sum), and 0 when that is 0 / 0.",
    "The macro average is the plain mean over the classes, however many examples each has.",
    otherwise="{given}: macro F1 is {right}, your function gives {found}.",
    then="On the second matrix accuracy is 0.9 and macro F1 is not even 0.5: that is why both are reported.",
)
def q04_2(matrix: list[list[int]]) -> Answers:
    """macro_f1(matrix): rows are gold, columns predictions."""
    n, rows, columns = len(matrix), [sum(row) for row in matrix], [sum(column) for column in zip(*matrix, strict=True)]
    f1 = [2 * matrix[k][k] / max(rows[k] + columns[k], 1) for k in range(n)]
    right, weighted = sum(f1) / n, sum(score * size for score, size in zip(f1, rows, strict=True))
    wrong = {
        "these look like per cent. Scores are between 0 and 1 here.": 100 * right,
        "that is the accuracy, which is the micro F1.": sum(matrix[k][k] for k in range(n)) / sum(rows),
        "you weighed the classes by size; macro counts each once.": weighted / sum(rows),
        "that is the sum over the classes. Divide by their number.": sum(f1),
    }
    return right, wrong


_SCORES, _RIGHT = [0.95, 0.9, 0.6, 0.55], [True, False, True, False]


@cases(
    [(_SCORES, _RIGHT, threshold) for threshold in (0.0, 0.92, 0.6, 0.9, 0.99)],
    "First choose the predictions whose score reaches the threshold.",
    "The share is how many those are of all; the accuracy is how many of *those* are right.",
    "When none reaches the threshold the share is 0 and there is no accuracy: return None for it.",
    otherwise=(
        "{given}: the share is {right}, your function gives {found}.",
        "{given}: the accuracy is {right}, your function gives {found}.",
    ),
    then='Now a service can say "ask a person" and know how often it will.',
)
def q04_4(scores: list[float], right: list[bool], threshold: float) -> Answers:
    """above(scores, right, threshold) -> (share answered, accuracy among the answered or None)."""

    def answered(reaches: Callable[[float, float], bool]) -> tuple[float, float | None]:
        kept = [is_right for score, is_right in zip(scores, right, strict=True) if reaches(score, threshold)]
        return len(kept) / len(scores), sum(kept) / len(kept) if kept else None

    share, accuracy = answered(operator.ge)
    wrong = {
        "a score equal to the threshold reaches it, so >=, not >.": answered(operator.gt),
        "you return how many are answered; divide by all.": (share * len(scores), accuracy),
        "with nothing answered there is no accuracy: return None.": lambda found: not share and found[1] is not None,
        "accuracy is among the answered ones, not among all.": (share, share * (accuracy or 0.0)),
    }
    return (share, accuracy), wrong


_GUESSING, _MOST = 0.5, 0.74  # the labels are nearly balanced; as much as a good model keeps without any order


def _of_order(seen: float) -> str:
    if seen < _GUESSING + 0.1:
        return "That is hardly better than guessing: this model lives on pairs and words, which shuffling destroys."
    if seen < _MOST:
        return "Single characters such as 差 and 错 carry part of the judgement; the rest came from their order."
    return (
        "Nearly all of it is left: single characters such as 差, 太 and 错 carry the judgement; the model counts them "
        "much as the n-grams do. Reading in order is worth little in this task, and so is an encoder's skill at it."
    )


q04_3 = predicted(
    "The accuracy of the fine-tuned model on reviews whose characters are shuffled.",
    "Guessing is worth about a half, and the reviews as written are in the table above. It lies between the two.",
    "Look at the pieces that tell the classes apart: how many of them are single characters?",
    "Does a review that is full of 差 and 不 become a good one when you shuffle it? Would you still know?",
    because=_of_order,
    surprise=lambda seen: f"{_of_order(seen)} Which pieces of the n-gram table would survive shuffling, which not?",
    within=0.06,
)


def _pooled(states: Tensor, counts: list[int]) -> Tensor:
    import torch

    return torch.stack([part[:, 0].amax(0) for part in states.split(counts)])


@exercise(
    "Position 0 of each window is its [CLS]: states[:, 0] has the shape (windows, hidden).",
    "states.split(counts) gives one tensor for each text, with all its windows.",
    "Of one text: the largest value over its windows, component by component (amax over the first dimension).",
)
def q04_5(function: Any) -> str:
    """pooled(states, counts): (texts, hidden) from (windows, positions, hidden)."""
    import torch

    generator = torch.Generator().manual_seed(4)
    for counts in ([2, 1], [1, 3, 2]):
        states = torch.randn(sum(counts), 7, 5, generator=generator)
        found = call(function, states, counts)
        where = f"With {counts} windows: "
        require(torch.is_tensor(found), f"The check wants a tensor of shape (texts, hidden), this is {show(found)}.")
        require(
            tuple(found.shape) != (sum(counts), 5),
            where + "your result has a row for each window. A text with three windows still wants one row.",
        )
        require(
            tuple(found.shape) == (len(counts), 5),
            where + f"expected the shape {(len(counts), 5)}, yours is {tuple(found.shape)}.",
        )
        parts = states.split(counts)
        for name, one in {
            "you take the mean over the windows; the head takes the largest value of each component.": (
                lambda part: part[:, 0].mean(0)
            ),
            "you take the largest value over all positions; only the first one, [CLS], counts.": (
                lambda part: part.amax((0, 1))
            ),
            "you keep the first window alone: what stands beyond it is lost.": lambda part: part[0, 0],
        }.items():
            same = torch.allclose(found, torch.stack([one(part) for part in parts]))
            require(not same, where + name)
        require(torch.allclose(found, _pooled(states, counts)), where + "the values are not those of the head.")
    return "That is the whole mechanism: nothing is cut off, and the head sees one vector a text."
