"""The checks of notebook 07: weights of micro-batches, a mean of means, a plan for small memory, updates of a run."""

from __future__ import annotations

import math
from typing import Any

from hanlp_tutor.teach.check import call, exercise, require, show


@exercise(
    "A mean loss is a sum divided by a count. What do you have to do to it to get the sum back?",
    "The window's loss is Σ (mean × count) / Σ count.",
    "[count / sum(counts) for count in counts]",
)
def q07_1(answer: Any) -> str:
    """weights(counts): what each micro-batch's *mean* is multiplied by, so that they add up to the window's mean."""
    for counts in ([8, 8, 8, 8], [31, 84, 181, 593], [5], [2, 2, 2, 1]):
        found = [float(x) for x in call(answer, counts)]
        right = [count / sum(counts) for count in counts]
        given = f"weights({counts})"
        require(len(found) == len(counts), f"{given} has {len(found)} numbers for {len(counts)} micro-batches.")
        equal = [1 / len(counts)] * len(counts)
        require(
            not _all_near(found, equal) or _all_near(right, equal),
            f"{given}: all alike. That is the mean of means, which counts a character in a short micro-batch more.",
        )
        inverse = [1 / sum(counts)] * len(counts)
        require(
            not _all_near(found, inverse) or _all_near(right, inverse),
            f"{given}: these divide a *sum*. Here each micro-batch comes with its mean.",
        )
        require(
            not _all_near(found, [float(c) for c in counts]) or _all_near(right, [float(c) for c in counts]),
            f"{given}: these turn means into sums. The window wants a mean again.",
        )
        require(_all_near(found, right), f"{given} should be {[round(x, 3) for x in right]}; yours is {show(found)}.")
    return "They add up to 1, and a micro-batch counts as much as it has characters."


COUNTS, MEANS = (10, 90), (2.0, 1.0)


@exercise(
    "Ten characters with a mean of 2 are a sum of 20.",
    "The window has 100 characters. What is the sum of all their losses?",
    "(2 + 1) / 2 against (20 + 90) / 100.",
)
def q07_2(answer: Any) -> str:
    """(mean of means, mean of the window) for 10 characters at 2.0 and 90 at 1.0."""
    values = [float(value) for value in answer]
    require(len(values) == 2, f"Two numbers are asked: mean of means, and mean of the window; yours are {len(values)}.")
    require(
        not _all_near(values, [1.1, 1.5]), "The two are exchanged: the mean of *means* knows nothing of the counts."
    )
    require(math.isclose(values[0], 1.5, rel_tol=1e-3), f"The mean of 2.0 and 1.0 is not {values[0]:g}.")
    require(
        math.isclose(values[1], 1.1, rel_tol=1e-3),
        f"The window's mean is not {values[1]:g}: sum the losses of its 100 characters, then divide by 100.",
    )
    return "A tenth of the characters got half of the say."


@exercise(
    "batch_size × k has to be the effective batch, exactly, so batch_size divides it.",
    "Of the divisors that fit take the largest: it needs the fewest micro-batches.",
    "batch_size = max(d for d in range(1, fits + 1) if effective % d == 0)",
)
def q07_3(answer: Any) -> str:
    """plan(effective, fits) -> (batch_size, k): the largest micro-batch that fits and divides the effective batch."""
    for effective, fits in ((32, 8), (64, 12), (30, 7), (32, 100), (17, 16)):
        batch_size, k = (int(x) for x in call(answer, effective, fits))
        given = f"plan({effective}, {fits}) gives {batch_size} x {k}"
        require(batch_size >= 1 and k >= 1, f"{given}: both are whole numbers from 1 up.")
        require(batch_size <= fits, f"{given}: {batch_size} sentences do not fit, only {fits} do.")
        require(batch_size * k == effective, f"{given}, which is {batch_size * k} and not {effective}.")
        best = max(d for d in range(1, min(fits, effective) + 1) if effective % d == 0)
        require(batch_size == best, f"{given}: right, but {best} x {effective // best} needs fewer passes.")
    return "With a prime number there is only 1 x 17: choose effective batches that divide well."


@exercise(
    "Count the micro-batches of one epoch first; the last may be smaller, but it is one.",
    "Then the windows of one epoch; the last may hold fewer micro-batches, and it is updated on as well.",
    "-(-n // k) rounds up: epochs * ceil(ceil(sentences / batch_size) / k).",
)
def q07_4(answer: Any) -> str:
    """updates(sentences, batch_size, k, epochs) of the kit's loop."""
    cases = ((32, 8, 4, 1), (64, 8, 4, 3), (38, 8, 3, 2), (1000, 32, 4, 10), (7, 8, 4, 5), (38, 8, 1, 1))
    for sentences, batch_size, k, epochs in cases:
        found = call(answer, sentences, batch_size, k, epochs)
        micro = -(-sentences // batch_size)
        right = epochs * -(-micro // k)
        given = f"updates({sentences}, {batch_size}, {k}, {epochs})"
        require(found == int(found), f"{given} is {found}: there are no half updates.")
        require(found != epochs * micro or right == found, f"{given}: {found} counts micro-batches, not updates.")
        require(
            found != epochs * micro // k or right == found,
            f"{given}: you carry the rest of an epoch into the next (HanLP does). Here each epoch ends with an update.",
        )
        require(
            found != epochs * (sentences // batch_size // k) or right == found,
            f"{given}: the last sentences would never be learned from. Round up, twice.",
        )
        require(found == right, f"{given} is {right}; yours is {found}.")
    return "A thousand sentences, the article's settings and k = 4: eighty updates. Hold warm-up against that number."


def _all_near(a: list[float], b: list[float]) -> bool:
    return len(a) == len(b) and all(math.isclose(x, y, rel_tol=1e-3) for x, y in zip(a, b, strict=True))
