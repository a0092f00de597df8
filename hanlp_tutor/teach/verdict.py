"""Sentences that a number decides: what a lesson says of a result is rendered from it, and so cannot contradict it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

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
        more = "More epochs may help (a learning rate that falls to zero lifts the last score, too)."
        return f"Still rising: the last evaluation is {100 * step:.1f} points above all before it. {more}"
    return f"No longer rising: the last evaluation is {100 * step:+.1f} points against the best before it."


def changed(what: str, before: float, after: float, *, better: str, form: str = ".3f") -> str:
    """Whether a measure rose or fell, and whether that is good.

    Args:
        what: the measure.
        before, after: its values.
        better: ``higher`` or ``lower``.
        form: of the numbers; what looks equal in it has not changed.
    """
    if better not in ("higher", "lower"):
        raise ValueError(f"better={better!r}: higher or lower.")
    first, then = format(before, form), format(after, form)
    if first == then:
        return f"{what} stays at {first}."
    rises = after > before
    return (
        f"{what} {'rises' if rises else 'falls'} from {first} to {then}, which is "
        f"{'better' if rises == (better == 'higher') else 'worse'}."
    )


def bent(rows: Sequence[Mapping[str, float]], *, least: float = 0.03, fewest: int = 10) -> str:
    """On which side of the diagonal of a reliability diagram its bins lie: what one temperature could still mend.

    Args:
        rows: of :func:`hanlp_tutor.workbench.calibration.reliability_table`.
        least: a bin that is no further off counts as right.
        fewest: a bin of fewer predictions says nothing.
    """
    rows = [row for row in rows if row["count"] >= fewest]
    sure = [row["confidence"] for row in rows if row["confidence"] - row["accuracy"] > least]
    modest = [row["confidence"] for row in rows if row["accuracy"] - row["confidence"] > least]
    if sure and modest:
        return (
            f"Too sure in the bins at {_listed(sure)}, too modest in those at {_listed(modest)}: the curve crosses the "
            "diagonal. A temperature moves all scores the same way, so it cannot mend both."
        )
    if sure or modest:
        which = "sure" if sure else "modest"
        return f"Too {which} in the bins at {_listed(sure or modest)}, and nowhere the other."
    return f"No bin of {fewest} predictions or more is off by more than {least:g}."


def _listed(scores: Sequence[float]) -> str:
    return ", ".join(f"{score:.2f}" for score in scores)


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


def shown(differences: Mapping[str, Comparison], *, of: str = "F1", points: bool = True) -> str:
    """Which of several changes has been shown to help, or to harm: those whose interval holds no zero.

    Args:
        differences: of each change, its score less that without it, with the interval.
        of: the score.
        points: show hundredths of the score, called points; otherwise the differences as they are, such as of a loss.
    """
    scale, form, unit = (100, "+.1f", " points") if points else (1, "+.3f", "")
    if not differences:
        return "Nothing has been measured with two seeds or more."
    parts = []
    for outcome, holds in (
        (f"shown to raise {of}", lambda d: d.low > 0),
        (f"shown to lower {of}", lambda d: d.high < 0),
        ("not shown to do either, for the interval holds zero", lambda d: not d.excludes_zero),
    ):
        of_this_kind = [
            f"{name} ({scale * d.difference:{form}}{unit}, {scale * d.low:{form}} to {scale * d.high:{form}})"
            for name, d in differences.items()
            if holds(d)
        ]
        parts.append(f"{outcome}: {', '.join(of_this_kind) or 'none'}.")
    text = " ".join(part[0].upper() + part[1:] for part in parts)
    return f"{text} (Mean difference and 95 % interval.)"


def turning(steps: Sequence[float], losses: Sequence[float], *, of: str = "dev loss", least: float = 0.05) -> str:
    """Whether a loss turned round before the end of a run.

    Args:
        steps, losses: of its evaluations, in their order.
        of: what it is the loss of.
        least: a relative rise of less is none.
    """
    lowest = min(losses)
    at = steps[list(losses).index(lowest)]
    if losses[-1] < (1 + least) * lowest:
        return f"The {of} does not turn round in this run: it ends at {losses[-1]:.3f}, and {lowest:.3f} is its least."
    return (
        f"The {of} turns round: it is least at update {at:.0f}, {lowest:.3f}, and ends at {losses[-1]:.3f}, "
        f"{losses[-1] / lowest:.2f} times as much."
    )


def within(measured: Mapping[str, float | None], limit: float) -> str:
    """Which of several latencies stay under a limit.

    Args:
        measured: of each, its p99 in milliseconds; None where it was not measured.
        limit: in milliseconds.
    """
    parts = []
    for name, value in measured.items():
        if value is None:
            parts.append(f"{name} has not been measured.")
        elif value <= limit:
            parts.append(f"{name} stays under {limit:g} ms: 99 of 100 answers come within {value:.0f} ms.")
        else:
            over = f"its p99 is {value:.0f} ms, {value / limit:.1f} times as much"
            parts.append(f"{name} does not stay under {limit:g} ms: {over}.")
    return " ".join(parts)
