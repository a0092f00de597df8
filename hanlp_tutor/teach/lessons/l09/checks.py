"""The checks of notebook 09: the edge of a grid, 40 % faster, patience in epochs, a share of a logarithmic range."""

from __future__ import annotations

import math
from typing import Any

from hanlp_tutor.teach.check import NotYet, call, exercise, require, show

_GRIDS = (
    ({1e-5: 0.31, 2e-5: 0.36, 5e-5: 0.44}, "higher", "the best is the largest rate, so try larger ones"),
    ({1e-5: 0.62, 2e-5: 0.58, 5e-5: 0.40}, "lower", "the best is the smallest rate"),
    ({1e-5: 0.41, 2e-5: 0.58, 5e-5: 0.49}, "inside", "the best has neighbours on both sides"),
    ({5e-5: 0.44, 1e-5: 0.31, 2e-5: 0.36}, "higher", "a dictionary need not be in order"),
    ({3e-4: 0.70, 1e-3: 0.71, 1e-4: 0.60, 3e-3: 0.0}, "inside", "a rate that is too large breaks the run"),
)


@exercise(
    "Which key has the greatest value? max(scores, key=scores.get).",
    "Compare it with min(scores) and max(scores): iterating over a dictionary gives its keys.",
    "Return 'lower', 'higher' or 'inside'.",
)
def q09_1(answer: Any) -> str:
    """where_next({rate: dev score}) -> 'lower', 'higher' or 'inside'."""
    for scores, right, why in _GRIDS:
        value = call(answer, scores)
        require(value in ("lower", "higher", "inside"), f"Return 'lower', 'higher' or 'inside', not {show(value)}.")
        if value != right:
            if list(scores) != sorted(scores):
                raise NotYet(f"{scores}: the answer is {right!r} ({why}); do not rely on the order of the keys.")
            raise NotYet(f"{scores}: the answer is {right!r} ({why}), your function says {value!r}.")
    return "A best value at the edge of a grid says only that the grid was too small."


@exercise(
    "Speed is work per second. 40 % faster: the speed is multiplied by 1.4.",
    "The work stays the same, so the seconds are divided by what the speed is multiplied by.",
    "100 seconds become a little more than 71, not 60.",
)
def q09_2(answer: Any) -> str:
    """seconds_after(seconds, faster): how long the same work takes at a speed higher by the fraction ``faster``."""
    for seconds, faster in ((100.0, 0.4), (60.0, 1.0), (45.0, 0.0), (30.0, 0.5)):
        value, right = float(call(answer, seconds, faster)), seconds / (1 + faster)
        given = f"{seconds:g} seconds, {faster:g} faster"
        if abs(value - right) > 1e-6 * right:
            require(
                not math.isclose(value, seconds * (1 - faster), abs_tol=1e-9),
                f"{given}: you took {faster:.0%} off the time. At 1.0 faster, twice the speed, nothing would be left.",
            )
            require(not math.isclose(value, seconds * (1 + faster)), f"{given}: that is longer. Divide, not multiply.")
            raise NotYet(f"{given}: {right:.4g} seconds are left, your function gives {value:.4g}.")
    return "Whoever says 40 % faster should say of what: updates, examples or seconds; and speed or time."


@exercise(
    "How many evaluations does an epoch have? updates_per_epoch / eval_steps.",
    "Patience is a whole number of evaluations without a better score; it must cover at least the epochs asked for.",
    "math.ceil(epochs * updates_per_epoch / eval_steps), and at least 1.",
)
def q09_3(answer: Any) -> str:
    """patience_for(epochs, updates_per_epoch, eval_steps) -> evaluations that cover so many epochs."""
    for epochs, updates, eval_steps in ((3, 40, 40), (3, 40, 10), (3, 100, 40), (1, 10, 25), (2, 313, 50)):
        value, right = call(answer, epochs, updates, eval_steps), max(1, math.ceil(epochs * updates / eval_steps))
        given = f"{epochs} epochs of {updates} updates, an evaluation every {eval_steps}"
        require(isinstance(value, int), f"{given}: patience is a whole number, not {show(value)}.")
        if value != right:
            require(value != epochs, f"{given}: patience {epochs} counts evaluations, and here these are no epochs.")
            require(value >= 1, f"{given}: patience is at least 1.")
            require(
                value != epochs * updates // eval_steps, f"{given}: rounded down, it ends before the epochs are over."
            )
            require(value != epochs * updates, f"{given}: these are updates. How many evaluations do they hold?")
            raise NotYet(f"{given}: {right} evaluations, your function gives {value}.")
    return "The article's three epochs are patience=3 only where each epoch ends in one evaluation."


@exercise(
    "On a plain scale the share is (x - low) / (high - low).",
    "On a logarithmic scale it is the same with the logarithm of each of the three.",
    "From 1e-5 to 1e-2 are three powers of ten; up to 1e-3 are two of them.",
)
def q09_4(answer: Any) -> str:
    """share_below(x, low, high, log) -> the share of draws below x."""
    for x, low, high in ((1e-3, 1e-5, 1e-2), (1e-4, 1e-5, 1e-2), (0.2, 0.1, 0.5), (1e-5, 1e-5, 1e-2)):
        for log in (False, True):
            value = float(call(answer, x, low, high, log))
            plain, logarithmic = (x - low) / (high - low), math.log(x / low) / math.log(high / low)
            right, other = (logarithmic, plain) if log else (plain, logarithmic)
            given = f"x {x:g} in {low:g}..{high:g}, log {log}"
            if abs(value - right) > 1e-6:
                require(abs(value - 100 * right) > 1e-6, f"{given}: that is in per cent. A share is between 0 and 1.")
                require(abs(value - other) > 1e-6, f"{given}: that is the share on the other scale.")
                require(abs(value - (1 - right)) > 1e-6, f"{given}: that is the share above x.")
                raise NotYet(f"{given}: the share is {right:.4f}, your function gives {value:.4f}.")
    return "Drawn plainly, nine of ten rates would be above 1e-3: rates are drawn on a logarithmic scale."
