"""The exercises of notebook 09."""

import math

import pytest

from hanlp_tutor.teach import check


def where_next(scores):
    best = max(scores, key=scores.get)
    return "higher" if best == max(scores) else "lower" if best == min(scores) else "inside"


def where_in_order(scores):
    rates = list(scores)
    best = max(scores, key=scores.get)
    return "higher" if best == rates[-1] else "lower" if best == rates[0] else "inside"


def share_below(x, low, high, log):
    if log:
        x, low, high = math.log(x), math.log(low), math.log(high)
    return (x - low) / (high - low)


RIGHT = {
    "q09_1": [where_next],
    "q09_2": [lambda seconds, faster: seconds / (1 + faster)],
    "q09_3": [
        lambda epochs, updates, steps: max(1, math.ceil(epochs * updates / steps)),
        lambda epochs, updates, steps: -(-epochs * updates // steps),
    ],
    "q09_4": [share_below],
}
WRONG = {
    "q09_1": [
        (lambda scores: max(scores, key=scores.get), "'lower', 'higher' or 'inside'"),
        (lambda scores: "higher", "smallest rate"),
        (lambda scores: "inside", "largest rate"),
        (where_in_order, "order of the keys"),
        ({1e-5: 0.3}, "function"),
    ],
    "q09_2": [
        (lambda seconds, faster: seconds * (1 - faster), "nothing would be left"),
        (lambda seconds, faster: seconds * (1 + faster), "longer"),
        (lambda seconds, faster: seconds, "71.43"),
        (71.4, "function"),
    ],
    "q09_3": [
        (lambda epochs, updates, steps: epochs, "no epochs"),
        (lambda epochs, updates, steps: epochs * updates // steps, "rounded down"),
        (lambda epochs, updates, steps: epochs * updates / steps, "whole number"),
        (lambda epochs, updates, steps: round(epochs * updates / steps) + 1, "your function gives"),
    ],
    "q09_4": [
        (lambda x, low, high, log: share_below(x, low, high, False), "other scale"),
        (lambda x, low, high, log: 100 * share_below(x, low, high, log), "per cent"),
        (lambda x, low, high, log: 1 - share_below(x, low, high, log), "above x"),
        (lambda x, low, high, log: 0.5, "your function gives"),
    ],
}


@pytest.mark.parametrize(("name", "answer"), [(name, answer) for name, answers in RIGHT.items() for answer in answers])
def test_right_answer_is_accepted(name, answer):
    verdict = getattr(check, name).judge(answer)
    assert verdict.accepted, verdict.reason


@pytest.mark.parametrize(
    ("name", "answer", "reason"), [(name, *wrong) for name, answers in WRONG.items() for wrong in answers]
)
def test_wrong_answer_gets_its_reason(name, answer, reason):
    verdict = getattr(check, name).judge(answer)
    assert not verdict.accepted
    assert reason in verdict.reason


@pytest.mark.parametrize("exercise", check.exercises("09"), ids=lambda exercise: exercise.name)
def test_exercise_is_covered_here_and_has_three_hints(exercise, capsys):
    assert exercise.name in RIGHT and exercise.name in WRONG
    assert len(exercise.hints) == 3
    exercise(...)
    assert "unsolved" in capsys.readouterr().out
