"""Every check accepts a right answer, rejects the typical wrong ones with their reason, and never raises."""

from importlib import import_module
from pathlib import Path

import pytest

from hanlp_tutor.teach import check, lessons


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


# RIGHT and WRONG by exercise, of the lessons' files beside this one
ANSWERS = [import_module(path.stem) for path in sorted(Path(__file__).parent.glob("test_l*_checks.py"))]
RIGHT = {name: answers for module in ANSWERS for name, answers in module.RIGHT.items()}
WRONG = [(name, *pair) for module in ANSWERS for name, pairs in module.WRONG.items() for pair in pairs]
LESSONS = sorted(path.parent.name.removeprefix("l") for path in Path(lessons.__path__[0]).glob("l*/checks.py"))
EXERCISES = [found.name for lesson in LESSONS for found in check.exercises(lesson)]


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
