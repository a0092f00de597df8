"""A forecast to play with: what a learning curve says of the points to come, by the sizes that it was fitted to."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path

import numpy as np

from hanlp_tutor.teach.lessons.l15.curve import Curve, labels
from hanlp_tutor.teach.lessons.l15.pictures import forecast
from hanlp_tutor.teach.lessons.l15.results import TOTALS, HowMuch, Scores
from hanlp_tutor.teach.plots import BLACK, GREY, Picture, new_figure
from hanlp_tutor.teach.results import UNMEASURED
from hanlp_tutor.teach.widgets import Explorer

NAMES = {"laws/articles": "laws by article", "laws/statutes": "laws by statute", "peoples_daily": "People's Daily"}
FEWEST = 3  # sizes: the formula has three numbers


def measured(folder: Path | None = None) -> dict[str, Scores]:
    """The measured curves with a size to spare: one can be held back and foretold."""
    study = HowMuch(folder)
    return {
        f"{NAMES.get(corpus, corpus)}, {learner}": scores
        for corpus in TOTALS
        for learner, scores in study.scores(corpus).items()
        if len(scores) > FEWEST
    }


@cache
def _fitted(points: tuple[tuple[int, tuple[float, ...]], ...]) -> Curve:
    """A curve, with its bootstrap, takes a second; the same sizes come again with another score wanted."""
    return Curve(dict(points))


def draw_forecast(
    measured: Mapping[str, Scores], curve: str = "", smallest: int = 50, labelled: int = 1000, wanted: float = 0.85
) -> Picture:
    """The fitted curve with its interval, the points it was fitted to, and those that came later.

    Args:
        measured: by name, scores by number of labels; empty: nobody has measured.
        curve: which of them.
        smallest, labelled: the least and the greatest number of labels that the curve is fitted to.
        wanted: the score for which the number of labels is asked.
    """
    if not measured:
        return Picture(new_figure(1)[0], f"{UNMEASURED}: {HowMuch().command}")
    scores = measured[curve]
    seen = {n: some for n, some in scores.items() if smallest <= n <= labelled}
    if len(seen) < FEWEST:
        return _too_few(scores, seen, curve)
    fitted = _fitted(tuple((n, tuple(some)) for n, some in seen.items()))
    later = {n: some for n, some in scores.items() if n > labelled}
    picture = forecast(fitted, later)
    (axes,) = picture.figure.axes
    axes.axhline(wanted, color=BLACK, ls=":", lw=1, label="wanted")
    _mark(axes, scores, seen, curve)
    at = {n: (fitted.at(n), float(np.mean(some))) for n, some in later.items()}
    inside = [n for n, (foretold, came) in at.items() if came in foretold]
    need = fitted.needed(wanted)
    told = "; ".join(f"at {n:,} {foretold.value:.3f} foretold, {came:.3f} came" for n, (foretold, came) in at.items())
    says = f"{len(inside)} of {len(later)} later points came inside the interval ({told})" if later else "nothing later"
    if len(seen) == FEWEST:
        says += "; three sizes fix the three numbers of the formula, and leave it hardly a miss to count"
    says += f". Labels for {wanted:g}: {labels(need.value)} ({labels(need.low)} to {labels(need.high)})."
    return Picture(picture.figure, f"{curve}, fitted to {min(seen):,} to {max(seen):,} labels: {says}")


def _too_few(scores: Scores, seen: Scores, curve: str) -> Picture:
    """The points alone."""
    figure, (axes,) = new_figure(1, height=3.8, width=7.5)
    axes.set_xscale("log")
    axes.set(xlabel="labels", title="Too few sizes for a curve")
    axes.scatter(*_points(seen), color=BLACK, s=18, label="seen")
    _mark(axes, scores, seen, curve)
    axes.grid(alpha=0.3)
    count = f"{len(seen)} measured size{'s' * (len(seen) != 1)}"
    return Picture(figure, f"{curve}: {count} in between, and a curve of three numbers needs three. Label more.")


def _mark(axes, scores: Scores, seen: Scores, curve: str) -> None:
    """The smallest sizes that were left out, in grey; a tick a measured size; F1 where it is one."""
    out = {n: some for n, some in scores.items() if seen and n < min(seen)}
    if out:
        axes.scatter(*_points(out), color=GREY, marker="x", s=22, label="left out")
    axes.legend(frameon=False, fontsize=9, loc="lower right")
    axes.set_xticks(list(scores), [f"{n:,}" for n in scores])
    axes.minorticks_off()
    axes.set(ylabel="F1" if curve.startswith(NAMES["peoples_daily"]) else "accuracy", ylim=(0, 1))


def _points(scores: Scores) -> tuple[list[int], list[float]]:
    return [n for n, some in scores.items() for _ in some], [score for some in scores.values() for score in some]


def explorer(folder: Path | None = None) -> Explorer:
    """The picture with its controls.

    Args:
        folder: of the result files; None: that of the checkout.
    """
    curves = measured(folder)
    names = tuple(curves) or (UNMEASURED,)
    draw = partial(draw_forecast, curves, curve=names[0])
    return Explorer(
        draw,
        curve=names,
        smallest=(50, 100, 200, 500),
        labelled=(200, 500, 1000, 2000, 5000),
        wanted=tuple(round(0.5 + 0.05 * step, 2) for step in range(10)),
    )
