"""Checks declared as data: what is right, what is wrong in which way, and what a student reads then.

An exercise asks for a value (:func:`value`), for a function (:func:`cases`), or for what a run is going to show
(:func:`predicted`). What is wrong is a mapping from what the
student reads to a value that betrays how it came about, or to a condition that no right answer fulfils. Conditions are
looked at first. In a wrong tuple ``...`` stands for anything, and a set for any of its members. An exercise that fits
neither form is a function with :func:`hanlp_tutor.teach.check.exercise`.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hanlp_tutor.teach.check import Exercise, NotYet, call, require, show

Wrong = Mapping[str, Any]
Told = str | Callable[[Any], str]  # what a student reads, or how it follows from what the run showed
Answers = tuple[Any, Wrong]  # what is right in a case, and what is wrong in which way
CLOSE = 0.012  # relative: 0.44 is 4/9, and 0.45 is not


def value(
    asks: str,
    right: Any,
    *hints: str,
    wrong: Wrong,
    otherwise: str | tuple[str, ...],
    then: str,
    count: str = "",
    read: Callable[[Any], Any] | None = None,
) -> Exercise:
    """An exercise that asks for a value: a number, several numbers, a name.

    Args:
        asks: what it is.
        right: the value; a tuple of several; a set of values that are right all alike.
        hints: three, the last one all but the answer.
        wrong: by what the student reads.
        otherwise: what the student reads for any other value ``{found}``; of several, a text for each.
        then: what is worth knowing once it is solved.
        count: what the student reads when there are ``{found}`` values instead of several.
        read: the form in which an answer is compared; by default a float, or a tuple of floats.
    """
    as_numbers = (lambda answer: tuple(map(float, answer))) if isinstance(right, tuple) else float

    def examine(answer: Any) -> str:
        _compare((read or as_numbers)(answer), right, wrong, CLOSE, otherwise, count)
        return then

    examine.__doc__ = asks
    return Exercise(examine, hints)


def cases(
    inputs: Sequence[tuple] | Mapping[str, tuple],
    *hints: str,
    then: str,
    otherwise: str | tuple[str, ...] = "{given}: expected {right}, your function gives {found}.",
    count: str = "",
    tolerance: float = 1e-3,
    read: Callable[[Any], Any] = lambda found: found,
) -> Callable[[Callable[..., Answers]], Exercise]:
    """An exercise that asks for a function: the decorated one knows for any input what is right, and what is wrong.

    Its docstring begins with the name that the student's function has in the notebook.

    Args:
        inputs: the arguments of each call; by what is peculiar about them, where that helps to understand.
        hints: three, the last one all but the answer.
        then: what is worth knowing once it is solved.
        otherwise: what the student reads for any other result: ``{given}`` is the call, ``{right}``, ``{found}``; of a
            tuple, a text for each part.
        count: what the student reads when a list has ``{found}`` items and not ``{right}``.
        tolerance: relative, of floats; whole numbers have to agree.
        read: the form in which results are compared.
    """
    pairs = list(inputs.items()) if isinstance(inputs, Mapping) else [("", arguments) for arguments in inputs]

    def declare(reference: Callable[..., Answers]) -> Exercise:
        name = re.match(r"\w+", reference.__doc__).group()

        def examine(answer: Any) -> str:
            answers = [reference(*arguments) for _, arguments in pairs]
            none_is_one = any(right is None for right, _ in answers)
            for (what, arguments), (right, wrong) in zip(pairs, answers, strict=True):
                found = read(call(answer, *arguments, none_is_one=none_is_one))
                given = f"{name}({', '.join(map(repr, arguments))})" + (f" ({what})" if what else "")
                _compare(found, right, wrong, tolerance, otherwise, count, given)
            return then

        examine.__doc__ = reference.__doc__
        return Exercise(examine, hints)

    return declare


def predicted(
    asks: str,
    *hints: str,
    because: Told,
    surprise: Told,
    within: float = 0.25,
    tie: float = 0.0,
) -> Exercise:
    """An exercise of the kind predict, run, explain: a guess written down before the run, judged by what it showed.

    The check is called with both: ``check.q06_5(guess, seen)``. Where ``seen`` is a number the guess is one; where it
    is a mapping from names to numbers, the guess is a list of those names, that of the highest number first.

    Args:
        asks: what it is.
        hints: three, to be read before the run.
        because: why it is so, told when the guess agrees.
        surprise: what to think about, told when it does not. Both may be functions of ``seen``.
        within: relative distance at which a number still agrees.
        tie: names whose numbers are no further apart may stand either way.
    """

    def examine(answer: tuple[Any, Any]) -> str:
        guess, seen = answer
        if isinstance(seen, Mapping):
            require(
                isinstance(guess, (list, tuple)) and sorted(map(str, guess)) == sorted(map(str, seen)),
                f"The guess has to be a list of {', '.join(map(str, seen))}, each once, the highest first.",
            )
            right = all(seen[a] - seen[b] >= -tie for a, b in itertools.combinations(guess, 2))
            order = sorted(seen, key=seen.get, reverse=True)
            shown = ", ".join(f"{name} {_short(float(seen[name]))}" for name in order)
            said = ", ".join(map(str, guess))
        else:
            guess, seen = float(guess), float(seen)
            right = math.isclose(guess, seen, rel_tol=within, abs_tol=1e-9)
            said, shown = _short(guess), _short(seen)
        told = because if right else surprise
        text = f"You said {said}; the run shows {shown}. {told(seen) if callable(told) else told}"
        require(right, text)
        return text

    examine.__doc__ = asks
    return Exercise(examine, hints)


def _compare(
    found: Any,
    right: Any,
    wrong: Wrong,
    tolerance: float,
    otherwise: str | tuple[str, ...],
    count: str,
    given: str = "",
) -> None:
    """Say what is wrong with an answer that is not the right one."""
    start = f"{given} gives {_short(found)}: " if given else ""
    for reason, condition in wrong.items():
        require(not (callable(condition) and condition(found)), start + reason)
    if _agree(found, right, tolerance):
        return
    for reason, one in wrong.items():
        require(callable(one) or not _agree(found, one, tolerance), start + reason)
    if count:
        require(len(found) == len(right), start + count.format(found=len(found), right=len(right)))
    if isinstance(otherwise, tuple):
        parts = zip(otherwise, found, right, strict=True)
        otherwise, found, right = next(part for part in parts if not _agree(*part[1:], tolerance))
    raise NotYet(otherwise.format(given=given, found=_short(found), right=_short(right)))


def _agree(found: Any, wanted: Any, tolerance: float) -> bool:
    """Whether a result is what is wanted, in a form like it.

    Raises:
        TypeError, ValueError: it has another form altogether.
    """
    if wanted is ...:
        return True
    if isinstance(wanted, set):
        return any(_agree(found, one, tolerance) for one in wanted)
    if isinstance(wanted, float):
        return found is not None and math.isclose(float(found), wanted, rel_tol=tolerance, abs_tol=1e-9)
    if isinstance(wanted, (list, tuple)):
        if isinstance(found, (str, bytes, set, frozenset, dict)):  # they can be counted, but are no list
            return False
        found = list(found)
        return len(found) == len(wanted) and all(map(_agree, found, wanted, [tolerance] * len(wanted)))
    return bool(found == wanted)


def _short(answer: Any) -> str:
    """An answer as a student wants to read it: a few digits, a few items, a name without quotes."""
    if isinstance(answer, float):
        return f"{answer:.6g}" if abs(answer) >= 1000 else f"{answer:.4g}"
    if type(answer) is int:
        return f"{answer:,}"
    if type(answer) in (list, tuple) and 0 < len(answer) <= 12:
        items = ", ".join(show(item) if isinstance(item, str) else _short(item) for item in answer)
        return f"[{items}]" if type(answer) is list else f"({items})"
    return answer if isinstance(answer, str) and re.fullmatch(r"[\w-]{1,60}", answer) else show(answer)
