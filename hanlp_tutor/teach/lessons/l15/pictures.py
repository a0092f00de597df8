"""Pictures of lesson 15: a fitted curve with its interval, and the points that it did not see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from hanlp_tutor.teach.lessons.l15.curve import Curve
from hanlp_tutor.teach.plots import BLACK, BLUE, GREY, ORANGE, VERMILION, Picture, new_figure


def forecast(curve: Curve, later: Mapping[int, Sequence[float]], *, narrow: Curve | None = None) -> Picture:
    """A curve over the points that it was fitted to, carried on to the points that came later.

    Args:
        curve: fitted.
        later: scores by number of labels that the curve did not see.
        narrow: the same curve with the interval of the draws alone.
    """
    figure, (axes,) = new_figure(1, height=3.8, width=7.5)
    last = max([*curve.scores, *later])
    grid = np.geomspace(min(curve.scores), last * 1.2, 60)
    ranges = [curve.at(n) for n in grid]
    axes.fill_between(grid, [r.low for r in ranges], [r.high for r in ranges], color=BLUE, alpha=0.15, lw=0,
                      label="95 %, with the curve's own misses")  # fmt: skip
    if narrow is not None:
        ranges = [narrow.at(n) for n in grid]
        axes.fill_between(grid, [r.low for r in ranges], [r.high for r in ranges], color=BLUE, alpha=0.35, lw=0,
                          label="95 %, the draws alone")  # fmt: skip
    axes.plot(grid, [curve.at(n).value for n in grid], color=BLUE, label="fitted curve")
    for points, colour, mark, name in ((curve.scores, BLACK, "o", "seen"), (later, VERMILION, "D", "came later")):
        pairs = [(n, score) for n, some in points.items() for score in some]
        if pairs:
            axes.scatter(*zip(*pairs, strict=True), color=colour, marker=mark, s=18, zorder=3, label=name)
    ticks = sorted({*curve.scores, *later})
    axes.set_xscale("log")
    axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    axes.minorticks_off()
    axes.set(xlabel="labels", ylabel="accuracy", title="What the first points foretell")
    axes.grid(alpha=0.3)
    axes.legend(frameon=False, fontsize=9, loc="lower right")
    told = []
    for n, some in later.items():
        at = curve.at(n)
        told.append(f"at {n:,} foretold {at.value:.3f} ({at.low:.3f} to {at.high:.3f}), came {np.mean(some):.3f}")
    seen = ", ".join(f"{np.mean(some):.3f} at {n:,}" for n, some in curve.scores.items())
    return Picture(figure, f"A curve fitted to accuracies of {seen}; " + ("; ".join(told) or "nothing later") + ".")


def splits(rows: Mapping[str, Sequence[float]], *, promise: float) -> Picture:
    """A dot a draw, a row a learner and split; a dashed line at what was promised."""
    figure, (axes,) = new_figure(1, height=1.2 + 0.42 * len(rows), width=8.0)
    for place, (name, runs) in enumerate(rows.items()):
        colour = ORANGE if "statute" in name else BLUE
        axes.plot([min(runs), max(runs)], [place, place], color=GREY, lw=1)
        axes.plot(runs, [place] * len(runs), "o", color=colour, ms=7, alpha=0.8)
    axes.axvline(promise, color=BLACK, ls="--", lw=1)
    axes.text(promise, -0.8, "promised", ha="center", fontsize=9)
    axes.set_yticks(range(len(rows)), list(rows))
    axes.set_ylim(max(len(rows), 1) - 0.5, -1.1)
    axes.set(xlabel="accuracy, a dot a draw", xlim=(min([0.4, *(min(r) for r in rows.values())]) - 0.02, 1))
    axes.grid(alpha=0.3, axis="x")
    axes.spines[["top", "right"]].set_visible(False)
    told = "; ".join(f"{name}: {min(runs):.3f} to {max(runs):.3f}" for name, runs in rows.items())
    return Picture(figure, f"Accuracy of each draw, {promise:.2f} promised. {told}.")
