"""Sentences that a number decides: what a lesson says of a result is rendered from it, and so cannot contradict it."""

from __future__ import annotations

import math

from hanlp_tutor.workbench.significance import Comparison


def lead(first: str, second: str, comparison: Comparison, *, of: str = "F1") -> str:
    """Which of two is ahead, or that the interval does not say.

    Args:
        first, second: names of what is compared.
        comparison: score of the first less score of the second, between -1 and 1, with its interval.
        of: the score.
    """
    points, low, high = (100 * value for value in (comparison.difference, comparison.low, comparison.high))
    if not comparison.excludes_zero:
        return (
            f"Neither is ahead for certain: {first} has {points:+.1f} points of {of} on {second}, and the 95 % "
            f"interval from {low:+.1f} to {high:+.1f} holds zero."
        )
    if points < 0:
        first, second, points, low, high = second, first, -points, -high, -low
    return f"{first} is ahead of {second} by {points:.1f} points of {of} (95 % interval {low:.1f} to {high:.1f})."


def rising(scores: list[float], *, least: float = 0.002) -> str:
    """Whether a score was still rising when the training ended.

    Args:
        scores: of the evaluations in their order, between 0 and 1.
        least: a last step of less is no rise.
    """
    if len(scores) < 2:
        return "One evaluation shows no direction."
    step = scores[-1] - max(scores[:-1])
    if step > least:
        more = "More epochs would help."
        return f"Still rising: the last evaluation is {100 * step:.1f} points above all before it. {more}"
    return f"No longer rising: the last evaluation is {100 * step:+.1f} points against the best before it."


def faster(name: str, baseline: str, seconds: float, of_baseline: float, *, least: float = 0.1) -> str:
    """Whether one way of computing took less time than another on the machine that ran both.

    Args:
        name, baseline: of the two.
        seconds, of_baseline: what they took.
        least: a relative difference of less is none, because two measurements of one thing differ as much.
    """
    ratio = seconds / of_baseline
    if abs(ratio - 1) < least:
        return f"Here {name} takes as long as {baseline} ({ratio:.2f} of its time): nothing is gained."
    if ratio < 1:
        return f"Here {name} is faster than {baseline}: it takes {ratio:.2f} of the time."
    return f"Here {name} is slower than {baseline}: it takes {ratio:.1f} times as long."


def scaling(without: float, best: float) -> str:
    """Whether a gradient in fp16 needed a loss scale.

    Args:
        without: its relative error at scale 1; infinite or NaN where it overflows.
        best: at the best scale.
    """
    if not math.isfinite(without):
        return f"Without a scale the gradient is no number at all; with the best one it is {best:.2%} off."
    shown = f"Without a scale the gradient is {without:.2%} off, with the best one {best:.2%}"
    if without < 1.5 * best:
        return f"{shown}: this gradient does not need one yet."
    return f"{shown}: the scale takes {1 - best / without:.0%} of the error away."
