"""The checks of notebook 04: the article's parallel format, macro F1 from a confusion matrix, a threshold."""

from __future__ import annotations

from typing import Any

from hanlp_tutor.teach.check import NotYet, call, exercise, require, show


@exercise(
    "zip() stops at the end of the shorter list and says nothing. What should happen instead?",
    "Compare the lengths first and raise a ValueError that names both.",
    "In Python 3.10 and later zip(texts, labels, strict=True) raises by itself.",
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


_MATRICES = (
    ([[8, 2], [4, 6]], "a plain case"),
    ([[90, 0], [10, 0]], "a class that is never predicted; its F1 is 0"),
    ([[5, 1, 0], [2, 7, 1], [0, 3, 6]], "three classes"),
)


@exercise(
    "One class at a time: right is the diagonal, its row is what was wanted, its column what was predicted.",
    "F1 of a class is 2 · right / (row sum + column sum), and 0 when that is 0 / 0.",
    "The macro average is the plain mean over the classes, however many examples each has.",
)
def q04_2(answer: Any) -> str:
    """macro_f1(matrix): rows are gold, columns predictions."""
    for matrix, what in _MATRICES:
        value = float(call(answer, matrix))
        n = len(matrix)
        total = sum(map(sum, matrix))
        columns = [sum(row[k] for row in matrix) for k in range(n)]
        f1 = [2 * matrix[k][k] / max(sum(matrix[k]) + columns[k], 1) for k in range(n)]
        accuracy = sum(matrix[k][k] for k in range(n)) / total
        weighted = sum(score * sum(row) for score, row in zip(f1, matrix, strict=True)) / total
        right = sum(f1) / n
        given = f"{matrix} ({what})"
        require(abs(value - 100 * right) > 1e-3, "These look like per cent. Scores are between 0 and 1 here.")
        if abs(value - right) > 1e-6:
            require(abs(value - accuracy) > 1e-6, f"{given}: {value:.4f} is the accuracy, which is the micro F1.")
            require(abs(value - weighted) > 1e-6, f"{given}: you weighed the classes by size; macro counts each once.")
            require(abs(value - sum(f1)) > 1e-6, f"{given}: that is the sum over the classes. Divide by their number.")
            raise NotYet(f"{given}: macro F1 is {right:.4f}, your function gives {value:.4f}.")
    return "On the second matrix accuracy is 0.9 and macro F1 is not even 0.5: that is why both are reported."


@exercise(
    "First choose the answers whose score reaches the threshold.",
    "The share is how many those are of all; the accuracy is how many of *those* are right.",
    "When none reaches the threshold the share is 0 and there is no accuracy: return None for it.",
)
def q04_3(answer: Any) -> str:
    """above(scores, right, threshold) -> (share answered, accuracy among the answered or None)."""
    scores, right = [0.95, 0.9, 0.6, 0.55], [True, False, True, False]
    for threshold, wanted in ((0.0, (1.0, 0.5)), (0.92, (0.25, 1.0)), (0.6, (0.75, 2 / 3)), (0.9, (0.5, 0.5))):
        share, accuracy = call(answer, scores, right, threshold)
        given = f"scores {scores}, right {right}, threshold {threshold}"
        strict = sum(score > threshold for score in scores) / len(scores)
        require(
            abs(share - wanted[0]) < 1e-6 or abs(share - strict) > 1e-6,
            f"{given}: a score equal to the threshold reaches it, so >=, not >.",
        )
        require(abs(share - 4 * wanted[0]) > 1e-6, f"{given}: you return how many are answered; divide by all.")
        require(abs(share - wanted[0]) < 1e-6, f"{given}: the share is {wanted[0]}, your function gives {share}.")
        of_all = sum(r for s, r in zip(scores, right, strict=True) if s >= threshold) / len(scores)
        require(accuracy is not None, f"{given}: some are answered, so there is an accuracy.")
        require(
            abs(accuracy - wanted[1]) < 1e-6 or abs(accuracy - of_all) > 1e-6,
            f"{given}: accuracy is among the answered ones, not among all.",
        )
        require(
            abs(accuracy - wanted[1]) < 1e-6,
            f"{given}: the accuracy is {wanted[1]:.3g}, your function gives {show(accuracy)}.",
        )
    share, accuracy = call(answer, scores, right, 0.99)
    require(share == 0, f"No score reaches 0.99, so the share is 0, not {share}.")
    require(accuracy is None, f"With nothing answered there is no accuracy: return None, not {show(accuracy)}.")
    return 'Now a service can say "ask a person" and know how often it will.'
