"""The checks of the exercises: ``check.q05_1(answer)`` prints "Accepted", or "Not yet" with a reason. None ever raises.

A lesson's checks are in ``lessons/lNN/checks.py``, imported when the first of them is asked for. Most are declared as
data (:mod:`hanlp_tutor.teach.declared`); the others are functions that take the answer and call :func:`require`.
Whatever else goes wrong in a check, or in a function that a student hands in, becomes a reason too.
``check.hint("q05_1")`` gives the hints in turn. A guess is judged with what a run showed: ``check.q06_5(guess, seen)``.
"""

from __future__ import annotations

import copy
import dis
import importlib
import re
import reprlib
from collections.abc import Callable
from dataclasses import dataclass
from types import FunctionType
from typing import Any

from hanlp_tutor.errors import nearest

UNSOLVED = "This exercise is unsolved: put your answer where the ... is."
_EXERCISES: dict[str, Exercise] = {}
# Told of each verdict while a notebook is graded: the exercise's name, the answer, the verdict, whether it is a guess.
LISTENERS: list[Callable[[str, Any, Verdict, bool], None]] = []
_NAME = re.compile(r"q(\d\d[a-z]?)_\d+")  # q05_1; q01b_1 of a lesson between two others


class NotYet(Exception):
    """What is still wrong with an answer, and what to think about next."""


@dataclass(frozen=True)
class Verdict:
    """The outcome of a check; ``reason`` is what a student reads."""

    accepted: bool
    reason: str


class Exercise:
    """One exercise: its check, its hints, how many hints were given; and its name in the lesson's checks."""

    def __init__(self, examine: Callable[[Any], str], hints: tuple[str, ...]):
        self.name, self.examine, self.hints, self.given = "", examine, hints, 0
        self.__doc__ = examine.__doc__

    def __call__(self, answer: Any = ..., *seen: Any) -> None:
        """Print the verdict on an answer; on a guess, beside what a run has shown since."""
        if seen and not _unsolved(answer):
            answer = (answer, *seen)
        verdict = self.judge(answer)
        for listen in LISTENERS:
            listen(self.name, answer, verdict, bool(seen))
        if verdict.accepted:
            print(f"Accepted. {verdict.reason}")
        else:
            number = f"Hint {self._next() + 1} of {len(self.hints)}"
            print(f'Not yet. {verdict.reason} ({number}: check.hint("{self.name}"))')

    def judge(self, answer: Any) -> Verdict:
        """The verdict on an answer; never raises."""
        if _unsolved(answer):
            return Verdict(False, UNSOLVED)
        try:
            return Verdict(True, self.examine(answer))
        except NotYet as reason:
            return Verdict(False, str(reason))
        except (Exception, SystemExit) as error:  # the answer may be anything at all
            return Verdict(False, f"The check cannot read this answer ({_describe(error)}). Has it the form asked for?")

    def hint(self) -> None:
        """Print the next hint; after the last comes the first again."""
        number = self._next()
        print(f"Hint {number + 1} of {len(self.hints)}: {self.hints[number]}")
        self.given += 1

    def _next(self) -> int:
        return self.given % len(self.hints)


def exercise(*hints: str) -> Callable[[Callable[[Any], str]], Exercise]:
    """An exercise from a function, which returns what to say when it accepts an answer."""
    return lambda examine: Exercise(examine, hints)


def require(condition: Any, reason: str) -> None:
    """Go on if the condition holds, otherwise tell the student the reason."""
    if not condition:
        raise NotYet(reason)


def call(function: Any, *arguments: Any, none_is_one: bool = False) -> Any:
    """What a student's function returns for copies of the arguments.

    Args:
        none_is_one: None is an answer too, and not a forgotten return.

    Raises:
        NotYet: it is no function, it raised, or it returned nothing.
    """
    require(callable(function), f"The check wants a function, this is {show(function)}. Pass it without brackets.")
    try:
        answer = function(*copy.deepcopy(arguments))
    except (Exception, SystemExit) as error:
        given = ", ".join(map(show, arguments))
        raise NotYet(f"With ({given}) your function raised {_describe(error)}.") from None
    require(none_is_one or answer is not None, "Your function returns None. Does it end in a return?")
    return answer


def show(value: Any) -> str:
    """A short form of any value."""
    short = reprlib.Repr()
    short.maxstring = short.maxother = 60
    short.maxlist = short.maxtuple = short.maxdict = 12
    return short.repr(value)


def hint(which: str | Exercise) -> None:
    """Print the next hint for an exercise, such as ``"q05_1"``."""
    found = which if isinstance(which, Exercise) else _find(str(which))
    if found is None:
        print(_unknown(str(which)))
    else:
        found.hint()


def exercises(lesson: str) -> list[Exercise]:
    """The exercises of a lesson, such as ``"05"`` or ``"01b"``, in order; none when it has no checks."""
    _load(lesson)
    return [found for name, found in sorted(_EXERCISES.items()) if name.startswith(f"q{lesson}_")]


def __getattr__(name: str) -> Exercise:
    found = _find(name)
    if found is None:
        raise AttributeError(_unknown(name))
    return found


def _find(name: str) -> Exercise | None:
    match = _NAME.fullmatch(name)
    if match:
        _load(match[1])
    return _EXERCISES.get(name)


def _load(lesson: str) -> None:
    """Give a lesson's exercises the names that they have in its checks."""
    room = f"{__package__}.lessons.l{lesson}"
    try:
        checks = importlib.import_module(f"{room}.checks")
    except ModuleNotFoundError as error:
        if error.name not in (room, f"{room}.checks"):
            raise
        return
    for name, found in vars(checks).items():
        if isinstance(found, Exercise):
            found.name = name
            _EXERCISES[name] = found


def _unknown(name: str) -> str:
    match = re.match(r"q?(\d\d[a-z]?)", name)
    if match:
        _load(match[1])
    guess = nearest(name, _EXERCISES)
    return f"There is no exercise {name!r}." + (f" Did you mean {guess!r}?" if guess else "")


def is_unsolved(answer: Any) -> bool:
    """Whether nothing has been tried yet: a form that is as the course left it, one of a dict's values included."""
    return _unsolved(answer) or (type(answer) is dict and bool(answer) and all(v is ... for v in answer.values()))


def _unsolved(answer: Any) -> bool:
    """Whether an answer is ``...``, holds one, or is a function with nothing but ``...`` in it."""
    if answer is ...:
        return True
    if type(answer) in (list, tuple):
        return any(item is ... for item in answer)
    return type(answer) is FunctionType and _steps(answer) == _steps(_nothing)


def _nothing() -> None: ...


def _steps(function: FunctionType) -> list[tuple[str, Any]]:
    """What a function does, whatever its arguments and docstring."""
    return [(step.opname, step.argval) for step in dis.get_instructions(function) if step.opname != "RESUME"]


def _describe(error: BaseException) -> str:
    try:
        return f"{type(error).__name__}: {error}"
    except Exception:  # an exception class of the student's own
        return type(error).__name__
