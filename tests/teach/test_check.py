"""Every check accepts a right answer, rejects the typical wrong ones with their reason, and never raises."""

from importlib import import_module
from pathlib import Path

import pytest

from hanlp_tutor.config import ConfigError, TrainConfig
from hanlp_tutor.data import Span
from hanlp_tutor.teach import check
from hanlp_tutor.teach.check import Exercise
from hanlp_tutor.teach.checks import lesson_05

TAGS = "B-PER I-PER O B-LOC I-LOC O B-ORG I-ORG I-ORG I-ORG"


def longest_match(text, dictionary):
    found, start = [], 0
    while start < len(text):
        for end in range(len(text), start, -1):
            if text[start:end] in dictionary:
                found.append((start, end, dictionary[text[start:end]]))
                start = end
                break
        else:
            start += 1
    return found


def shortest_match(text, dictionary):
    found, start = [], 0
    while start < len(text):
        for end in range(start + 1, len(text) + 1):
            if text[start:end] in dictionary:
                found.append((start, end, dictionary[text[start:end]]))
                start = end
                break
        else:
            start += 1
    return found


def every_match(text, dictionary):
    found = []
    for start in range(len(text)):
        ends = [end for end in range(len(text), start, -1) if text[start:end] in dictionary]
        found += [(start, ends[0], dictionary[text[start : ends[0]]])] if ends else []
    return found


def pair_up(texts, labels):
    return [f"{text}\t{label.strip()}" for text, label in zip(texts, labels, strict=True)]


def macro_f1(matrix):
    n = range(len(matrix))
    sums = [sum(matrix[k]) + sum(row[k] for row in matrix) for k in n]
    return sum(2 * matrix[k][k] / sums[k] if sums[k] else 0.0 for k in n) / len(matrix)


def accuracy(matrix):
    return sum(matrix[k][k] for k in range(len(matrix))) / sum(map(sum, matrix))


def weighted_f1(matrix):
    n = range(len(matrix))
    f1 = [2 * matrix[k][k] / (sum(matrix[k]) + sum(row[k] for row in matrix)) for k in n]
    return sum(f * sum(row) for f, row in zip(f1, matrix, strict=False)) / sum(map(sum, matrix))


def without_zero(matrix):
    n = range(len(matrix))
    p = [matrix[k][k] / sum(row[k] for row in matrix) for k in n]
    r = [matrix[k][k] / sum(matrix[k]) for k in n]
    return sum(2 * a * b / (a + b) for a, b in zip(p, r, strict=False)) / len(matrix)


def above(scores, right, threshold):
    kept = [r for s, r in zip(scores, right, strict=False) if s >= threshold]
    return len(kept) / len(scores), sum(kept) / len(kept) if kept else None


def above_strictly(scores, right, threshold):
    kept = [r for s, r in zip(scores, right, strict=False) if s > threshold]
    return len(kept) / len(scores), sum(kept) / len(kept) if kept else None


def above_of_all(scores, right, threshold):
    kept = [r for s, r in zip(scores, right, strict=False) if s >= threshold]
    return len(kept) / len(scores), sum(kept) / len(scores)


def above_count(scores, right, threshold):
    kept = [r for s, r in zip(scores, right, strict=False) if s >= threshold]
    return len(kept), sum(kept) / len(kept) if kept else None


def above_unguarded(scores, right, threshold):
    kept = [r for s, r in zip(scores, right, strict=False) if s >= threshold]
    return len(kept) / len(scores), sum(kept) / len(kept)


RIGHT = {
    "q05_1": [TAGS, TAGS.split(), tuple(TAGS.split())],
    "q05_2": [(0.4, 0.5, 4 / 9), [0.4, 0.5, 0.444], (0.40, 0.50, 0.44)],
    "q05_3": [longest_match, lambda text, words: [Span(*item) for item in longest_match(text, words)]],
    "q05_4": [31969, 32000, 32_000.0],
    "q04_1": [pair_up],
    "q04_2": [macro_f1],
    "q04_3": [above],
}

WRONG = [
    ("q05_1", "B-PER I-PER", "each character gets one"),
    ("q05_1", TAGS.replace("I-LOC", "E-LOC"), "BMES"),
    ("q05_1", TAGS.lower(), "no tag of this corpus"),
    ("q05_1", TAGS.replace("B-ORG I-ORG", "B-LOC I-LOC").replace("I-ORG I-ORG", "O O"), "part of the name 北京大学"),
    ("q05_1", TAGS.replace("B-LOC", "I-LOC"), "begins with B-"),
    ("q05_1", TAGS.replace("I-PER", "B-PER"), "inside one it is I-"),
    ("q05_1", TAGS.replace("PER", "LOC"), "not the type"),
    ("q05_1", TAGS.replace("B-LOC I-LOC", "O O"), "part of a name or not"),
    ("q05_1", [1] * 10, "a tag is text"),
    ("q05_2", (0.5, 0.4, 4 / 9), "exchanged"),
    ("q05_2", (0.4, 0.5, 0.45), "harmonic"),
    ("q05_2", (0.8, 1.0, 0.89), "exact agreement"),
    ("q05_2", (0.6, 0.75, 0.667), "label of 上海"),
    ("q05_2", (40, 50, 44.4), "per cent"),
    ("q05_2", (0.4, 0.5), "three numbers"),
    ("q05_2", (0.1, 0.5, 0.2), "Precision is not"),
    ("q05_2", (0.4, 0.9, 0.5), "Recall is not"),
    ("q05_2", (0.4, 0.5, 0.5), "F1 is not"),
    ("q05_2", "two", "cannot read"),
    ("q05_3", shortest_match, "a longer entry"),
    ("q05_3", every_match, "overlap"),
    ("q05_3", lambda t, d: [(s, e - 1, label) for s, e, label in longest_match(t, d)], "half-open"),
    ("q05_3", lambda t, d: longest_match(t, d)[:1], "北京 twice"),
    ("q05_3", lambda t, d: longest_match(t[:-1], d), "very end"),
    ("q05_3", lambda t, d: 1 / 0, "raised ZeroDivisionError"),
    ("q05_3", lambda t, d: [].clear(), "returns None"),
    ("q05_3", longest_match("北京", {"北京": "LOC"}), "wants a function"),
    ("q05_4", 1000, "still be rising"),
    ("q05_4", 3200, "still be rising"),
    ("q05_4", 16000, "more than a tenth"),
    ("q05_4", 320_000, "What is the least"),
    ("q05_4", -1, "whole number"),
    ("q05_4", "many", "cannot read"),
    ("q04_1", lambda t, y: [f"{b.strip()}\t{a}" for a, b in zip(t, y, strict=True)], "text comes first"),
    ("q04_1", lambda t, y: [f"{a} {b.strip()}" for a, b in zip(t, y, strict=True)], "a tab"),
    ("q04_1", lambda t, y: [f"{a}\t{b}" for a, b in zip(t, y, strict=True)], "line break: the label"),
    ("q04_1", lambda t, y: [f"{a}\t{b.strip()}\n" for a, b in zip(t, y, strict=True)], "No line break"),
    ("q04_1", lambda t, y: [f"{a}\t{b.strip()}" for a, b in zip(t, y, strict=False)], "without a word"),
    ("q04_1", lambda t, y: pair_up(t, y)[:1], "make two lines"),
    ("q04_2", accuracy, "is the accuracy"),
    ("q04_2", weighted_f1, "weighed the classes"),
    ("q04_2", lambda m: macro_f1(m) * len(m), "sum over the classes"),
    ("q04_2", lambda m: 100 * macro_f1(m), "per cent"),
    ("q04_2", without_zero, "ZeroDivisionError"),
    ("q04_2", lambda m: 0.123, "macro F1 is"),
    ("q04_3", above_strictly, ">=, not >"),
    ("q04_3", above_of_all, "among the answered"),
    ("q04_3", above_count, "divide by all"),
    ("q04_3", above_unguarded, "ZeroDivisionError"),
    ("q04_3", lambda s, r, t: (above(s, r, t)[0], above(s, r, t)[1] or 0.0), "return None"),
    ("q04_3", lambda s, r, t: (above(s, r, t)[0], 0.77), "the accuracy is"),
]


class Hostile:
    """An answer that breaks whatever touches it."""

    def __getattr__(self, name):
        raise RuntimeError("touched")

    def __eq__(self, other):
        raise RuntimeError("compared")

    def __repr__(self):
        raise RuntimeError("shown")

    __hash__ = None


class Unspeakable(Exception):
    def __str__(self):
        raise RuntimeError("no message either")


def leave(*_):
    raise SystemExit("goodbye")


def break_oddly(*_):
    raise Unspeakable


ANSWERS = {  # of the lessons whose answers have a file of their own beside this one: RIGHT and WRONG by exercise
    path.stem.removeprefix("test_checks_"): import_module(path.stem)
    for path in sorted(Path(__file__).parent.glob("test_checks_*.py"))
}
CHAPTERS = sorted(path.stem.removeprefix("lesson_") for path in Path(lesson_05.__file__).parent.glob("lesson_*.py"))
EXERCISES = [found.name for chapter in CHAPTERS for found in check.exercises(chapter)]
RIGHT.update({name: answers for module in ANSWERS.values() for name, answers in module.RIGHT.items()})
WRONG.extend((name, *pair) for module in ANSWERS.values() for name, pairs in module.WRONG.items() for pair in pairs)


def test_every_exercise_has_right_and_wrong_answers_here():
    assert set(EXERCISES) == set(RIGHT) == {name for name, _, _ in WRONG}


@pytest.mark.parametrize(("name", "answer"), [(name, answer) for name, all_ in RIGHT.items() for answer in all_])
def test_accepts(name, answer, capsys):
    assert getattr(check, name).judge(answer).accepted, getattr(check, name).judge(answer).reason
    assert getattr(check, name)(answer) is None
    assert capsys.readouterr().out.startswith("Accepted. ")


@pytest.mark.parametrize(("name", "answer", "reason"), WRONG)
def test_rejects_with_the_reason(name, answer, reason, capsys):
    verdict = getattr(check, name).judge(answer)
    assert not verdict.accepted
    assert reason in verdict.reason
    getattr(check, name)(answer)
    assert capsys.readouterr().out.startswith("Not yet. ")


@pytest.mark.parametrize("name", EXERCISES)
@pytest.mark.parametrize(
    "answer",
    [None, 0, -1, 1e400, float("nan"), "", b"\xff", [], {}, [None] * 3, object(), Hostile(), int, len, leave,
     break_oddly, lambda: 1, lambda *a: a, lambda *a: [], lambda *a: "x", lambda *a: (None, None)],
    ids=lambda value: type(value).__name__,
)
def test_never_raises(name, answer, capsys):
    getattr(check, name)(answer)
    assert capsys.readouterr().out.startswith("Not yet. ")


@pytest.mark.parametrize("name", EXERCISES)
def test_unsolved_prints(name, capsys):
    def empty(text, dictionary): ...

    def documented(text):
        """What it shall do."""
        ...

    for answer in (..., (..., ..., ...), [...], empty, documented):
        getattr(check, name)(answer)
        assert "unsolved" in capsys.readouterr().out


@pytest.mark.parametrize("name", EXERCISES)
def test_three_hints_in_turn(name, capsys):
    exercise = getattr(check, name)
    assert len(exercise.hints) == 3
    exercise.given = 0
    for way in (name, exercise, name, name):
        check.hint(way)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == [f"Hint {k} of 3" for k in (1, 2, 3, 1)]
    assert len(set(lines)) == 3


def test_unknown_exercise(capsys):
    check.hint("q05_11")
    assert "Did you mean 'q05_1'" in capsys.readouterr().out
    with pytest.raises(AttributeError, match="no exercise 'q99_1'"):
        _ = check.q99_1
    assert isinstance(check.q05_1, Exercise)


def test_the_answers_are_true_of_the_kit():
    """What the checks teach is what the package does."""
    from hanlp_tutor.core.scores import span_scores
    from hanlp_tutor.data.schemes import spans_from_bio

    assert spans_from_bio(TAGS.split()) == [Span(0, 2, "PER"), Span(3, 5, "LOC"), Span(6, 10, "ORG")]
    gold = [Span(0, 3, "PER"), Span(5, 7, "LOC"), Span(8, 12, "ORG"), Span(14, 16, "LOC")]
    found = [Span(0, 3, "PER"), Span(5, 7, "LOC"), Span(8, 10, "LOC"), Span(14, 16, "ORG"), Span(17, 18, "PER")]
    scores = span_scores([gold], [found])
    assert (scores["precision"], scores["recall"], scores["f1"]) == (0.4, 0.5, pytest.approx(4 / 9))
    with pytest.raises(ConfigError):
        TrainConfig(epochz=3)
