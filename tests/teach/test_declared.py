"""Checks declared as data: what accepts, what rejects and in whose words."""

import math

import pytest

from hanlp_tutor.teach.declared import cases, predicted, value

HINTS = ("one", "two", "three")


def said(exercise, answer):
    verdict = exercise.judge(answer)
    return ("yes: " if verdict.accepted else "no: ") + verdict.reason


def test_a_number():
    half = value(
        "A half.", 0.5, *HINTS, then="Good.", otherwise="Not {found}.",
        wrong={"Too many.": lambda found: found > 1, "Twice.": 1.0},
    )  # fmt: skip
    assert [said(half, answer) for answer in (0.5, "0.503", 1.0, 7, 0.51)] == [
        "yes: Good.", "yes: Good.", "no: Twice.", "no: Too many.", "no: Not 0.51.",
    ]  # fmt: skip
    assert half.__doc__ == "A half." and half.hints == HINTS
    assert "cannot read" in said(half, "half") and said(half, math.nan) == "no: Not nan."


def test_several_numbers():
    pair = value(
        "A half and a third.", (1 / 2, 1 / 3), *HINTS, then="Good.", otherwise=("First: {found}.", "Second: {found}."),
        wrong={"All of it.": (1.0, ...)}, count="{found} of two.",
    )  # fmt: skip
    assert [said(pair, answer) for answer in ([0.5, 0.33], (1, 9), (0.4, 0.33), (0.5, 0.4), (0.5,))] == [
        "yes: Good.", "no: All of it.", "no: First: 0.4.", "no: Second: 0.4.", "no: 1 of two.",
    ]  # fmt: skip


def test_any_of_a_set():
    name = value(
        "A name.", {"a", "b"}, *HINTS, then="Good.", otherwise="{found} it is not.", wrong={"Near.": {"c", "d"}},
        read=str.lower,
    )  # fmt: skip
    assert [said(name, answer) for answer in ("a", "B", "d", "e-f")] == [
        "yes: Good.", "yes: Good.", "no: Near.", "no: e-f it is not.",
    ]  # fmt: skip


@cases({"a positive one": (4.0,), "": (9.0,), "none there": (-4.0,)}, *HINTS, then="Good.")
def root(x):
    """root(x): its square root; None where there is none."""
    return (math.sqrt(x) if x >= 0 else None), {"that is the square.": x * x, "never below 0.": lambda r: r and r < 0}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (lambda x: x**0.5 if x >= 0 else None, "yes: Good."),
        (lambda x: x**2, "no: root(4.0) (a positive one) gives 16: that is the square."),
        (lambda x: -(x**0.5), "no: root(4.0) (a positive one) gives -2: never below 0."),
        (lambda x: 2.0, "no: root(9.0): expected 3, your function gives 2."),
        (lambda x: abs(x) ** 0.5, "no: root(-4.0) (none there): expected None, your function gives 2."),
        (lambda x: print(end=""), "no: root(4.0) (a positive one): expected 2, your function gives None."),
        (lambda x: 1 / 0, "no: With (4.0) your function raised ZeroDivisionError: division by zero."),
        (2.0, "no: The check wants a function, this is 2.0. Pass it without brackets."),
    ],
)  # fmt: skip
def test_a_function(answer, reason):
    assert said(root, answer) == reason


@cases([([1, 2, 3],), ([],)], *HINTS, then="Good.", count="{found} of {right}.", read=lambda found: found)
def backwards(items):
    """backwards(items): from the last to the first."""
    return items[::-1], {"as it was.": items}


def test_a_function_that_gives_a_list():
    assert said(backwards, lambda items: items[::-1]) == "yes: Good."
    assert said(backwards, lambda items: tuple(items[::-1])) == "yes: Good."
    assert said(backwards, lambda items: items) == "no: backwards([1, 2, 3]) gives [1, 2, 3]: as it was."
    assert said(backwards, lambda items: items[:1]) == "no: backwards([1, 2, 3]) gives [1]: 1 of 3."
    assert said(backwards, set) == "no: backwards([1, 2, 3]): expected [3, 2, 1], your function gives {1, 2, 3}."
    assert said(backwards, lambda items: items.clear()) == "no: Your function returns None. Does it end in a return?"
    assert said(backwards, len).startswith("no: The check cannot read this answer (TypeError")


GUESSED = predicted("A guess.", *HINTS, because="Of course.", surprise=lambda seen: f"Why {seen}?", within=0.2)
ORDER = predicted("An order.", *HINTS, because="So it is.", surprise="Look again.", tie=0.01)


@pytest.mark.parametrize(
    ("guess", "seen", "verdict"),
    [
        (0.5, 0.55, "yes: You said 0.5; the run shows 0.55. Of course."),
        ("3", 2.6, "yes: You said 3; the run shows 2.6. Of course."),
        (0.2, 0.5, "no: You said 0.2; the run shows 0.5. Why 0.5?"),
        (-0.5, 0.5, "no: You said -0.5; the run shows 0.5. Why 0.5?"),
    ],
)
def test_a_guessed_number_is_judged_by_the_run(guess, seen, verdict):
    assert said(GUESSED, (guess, seen)) == verdict


@pytest.mark.parametrize(
    ("guess", "verdict"),
    [
        (["fast", "slow", "none"], "yes: You said fast, slow, none; the run shows fast 0.6, slow 0.4, none 0.395. So"),
        (("fast", "none", "slow"), "yes: You said fast, none, slow; "),
        (["slow", "fast", "none"], "no: You said slow, fast, none; the run shows fast 0.6, slow 0.4, none 0.395. Look"),
        (["fast", "slow"], "no: The guess has to be a list of slow, none, fast, each once"),
        (["fast", "slow", "slow"], "no: The guess has to be a list"),
        ("fast", "no: The guess has to be a list"),
        (None, "no: The guess has to be a list"),
    ],
)
def test_a_guessed_order_is_judged_by_the_run(guess, verdict):
    assert said(ORDER, (guess, {"slow": 0.4, "none": 0.395, "fast": 0.6})).startswith(verdict)


def test_a_guess_is_handed_in_beside_what_was_seen(capsys):
    GUESSED.name = "q98_1"
    for guess in (..., 0.5, "much"):
        GUESSED(guess, 0.55)
    unsolved, right, unread = capsys.readouterr().out.splitlines()
    assert "unsolved" in unsolved and right.startswith("Accepted. You said 0.5;") and "cannot read" in unread
