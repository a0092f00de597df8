"""Pictures of a search: what each trial did, which options went together, what was best when."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from hanlp_tutor.teach.plots import BLACK, BLUE, SKY, VERMILION, Picture
from hanlp_tutor.workbench.tuning.search import Search
from hanlp_tutor.workbench.tuning.space import Range


def trial_curves(search: Search) -> Picture:
    """The dev score of every trial over its evaluations: complete ones, the best, and where the others were pruned."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(8.0, 3.6), layout="constrained")
    axes = figure.subplots()
    labels = {"complete": f"complete ({_count(search, 'complete')})", "pruned": f"pruned ({_count(search, 'pruned')})"}
    for row in search.trials:
        steps, pruned = range(1, len(row["scores"]) + 1), row["state"] == "pruned"
        colour, style = (VERMILION, "--") if pruned else (SKY, "-")
        axes.plot(steps, row["scores"], color=colour, ls=style, lw=1.2, label=labels.pop(row["state"], None))
        if pruned:
            axes.plot(steps[-1:], row["scores"][-1:], color=VERMILION, marker="X", ms=8, ls="")
    best = search.trials[search.best_trial]["scores"]
    axes.plot(range(1, len(best) + 1), best, color=BLUE, marker="o", lw=2.5, label=f"best: trial {search.best_trial}")
    axes.set(xlabel="evaluation", ylabel="dev score", title="What each trial did", ylim=(0, None))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    alt = f"Dev scores of {len(search.trials)} trials over their evaluations; {_count(search, 'pruned')} were pruned. "
    return Picture(figure, alt + f"The best, trial {search.best_trial}, comes to {search.best_dev:.3f}.")


def parallel(search: Search, space: dict[str, Range | list[Any]]) -> Picture:
    """Parallel coordinates (平行坐标): a line a complete trial, an axis an option; darker is better.

    Args:
        search: the trials.
        space: as :func:`hanlp_tutor.workbench.tuning.space.read_space` gives it, for the scales.
    """
    import matplotlib
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize
    from matplotlib.figure import Figure

    rows = sorted((row for row in search.trials if row["state"] == "complete"), key=lambda row: row["dev"])
    scores = [row["dev"] for row in rows]
    low, high = min(scores), max(max(scores), min(scores) + 1e-6)
    shades, names = matplotlib.colormaps["cividis_r"], [*space, "dev score"]
    figure = Figure(figsize=(9.0, 3.8), layout="constrained")
    axes = figure.subplots()
    for row in rows:
        share = (row["dev"] - low) / (high - low)
        heights = [*(_height(wanted, row["options"][name]) for name, wanted in space.items()), share]
        best = row["trial"] == search.best_trial
        colour, width = (BLACK, 3.0) if best else (shades(share), 1.6)
        axes.plot(range(len(names)), heights, color=colour, lw=width, label="best" if best else None)
    for place, name in enumerate(names):
        axes.axvline(place, color=BLACK, lw=0.8)
        marks = _marks(space[name]) if name in space else {0.0: f"{low:.3f}", 1.0: f"{high:.3f}"}
        for height, text in marks.items():
            white = {"facecolor": "white", "edgecolor": "none", "pad": 1, "alpha": 0.8}
            axes.text(place + 0.03, height, text, fontsize=9, va="center", bbox=white, zorder=5)
    axes.set_xticks(range(len(names)), names)
    axes.set(xlim=(-0.1, len(names) - 0.6), ylim=(-0.08, 1.08), yticks=[], title="Options that went together")
    axes.spines[:].set_visible(False)
    axes.legend(frameon=False, loc="lower right", bbox_to_anchor=(1.0, 1.0))
    figure.colorbar(ScalarMappable(Normalize(low, high), shades), ax=axes, label="dev score", pad=0.01)
    chosen = search.trials[search.best_trial]["options"]
    options = ", ".join(f"{name} {_short(value)}" for name, value in chosen.items())
    return Picture(figure, f"Parallel coordinates of {len(rows)} complete trials. The best has {options}.")


def _count(search: Search, state: str) -> int:
    return sum(row["state"] == state for row in search.trials)


def _height(wanted: Range | Sequence[Any], value: Any) -> float:
    """Where on an axis from 0 to 1 a value lies."""
    if not isinstance(wanted, Range):
        return wanted.index(value) / (len(wanted) - 1) if len(wanted) > 1 else 0.5
    if wanted.log:
        return math.log(value / wanted.low) / math.log(wanted.high / wanted.low)
    return (value - wanted.low) / (wanted.high - wanted.low)


def _marks(wanted: Range | list[Any]) -> dict[float, str]:
    values = [wanted.low, wanted.at(0.5), wanted.high] if isinstance(wanted, Range) else wanted
    return {_height(wanted, value): _short(value) for value in values}


def _short(value: Any) -> str:
    return f"{value:.2g}" if isinstance(value, float) else str(value)
