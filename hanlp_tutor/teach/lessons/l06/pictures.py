"""The pictures of notebook 06: schedules, drift by part, F1 against what is forgotten, a sweep of learning rates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hanlp_tutor.teach.lessons.l06.results import short
from hanlp_tutor.teach.plots import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILION, Picture, new_figure

_STYLES = ((BLUE, "o", "-"), (ORANGE, "s", "--"), (GREEN, "D", "-."), (PURPLE, "^", ":"),
           (SKY, "v", "-"), (VERMILION, "X", "--"), (GREY, "P", "-."), (BLACK, "*", ":"))  # fmt: skip
Spread = tuple[float, float, float]
_NOTHING = "nothing is drawn: not measured yet"


def schedule_curves(curves: Mapping[str, Sequence[float]]) -> Picture:
    """The learning rate of each update, a line a schedule."""
    axes, figure = _axes(height=3.2)
    texts = []
    for (name, values), (colour, _, line) in zip(curves.items(), _STYLES, strict=False):
        axes.plot(range(1, len(values) + 1), values, color=colour, ls=line, lw=2, label=name)
        peak = max(range(len(values)), key=values.__getitem__)
        texts.append(f"{name} rises to {values[peak]:.2g} at update {peak + 1} and ends at {values[-1]:.2g}")
    axes.set(xlabel="update", ylabel="learning rate", title="One learning rate over a run", ylim=(0, None))
    axes.ticklabel_format(axis="y", style="sci", scilimits=(0, 0))
    axes.legend(frameon=False)
    return Picture(figure, "Lines of the learning rate over the updates: " + "; ".join(texts) + ".")


def drift_by_part(drifts: Mapping[str, Mapping[str, float]]) -> Picture:
    """How far each part moved, relative to its size: a column a part, a mark a run, a logarithmic axis."""
    if not drifts:
        return _nothing()
    axes, figure = _axes(height=3.6)
    parts = list(dict.fromkeys(part for values in drifts.values() for part in values))
    texts = []
    for (name, values), (colour, mark, line) in zip(drifts.items(), _STYLES, strict=False):
        shown = {part: value for part, value in values.items() if value > 0}  # what never moved has no logarithm
        axes.plot([parts.index(part) for part in shown], list(shown.values()), color=colour, marker=mark, ls=line,
                  lw=1.2, ms=7, label=name)  # fmt: skip
        texts.append(f"{name}: " + ", ".join(f"{part} {value:.2%}" for part, value in values.items()))
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:g} %")
    axes.set_xticks(range(len(parts)), [part.replace("φ", "$\\varphi$") for part in parts])
    axes.set(ylabel="distance from the start,\nin % of the size there", title="How far each part moved")
    axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    return Picture(figure, "Distance from the start by part, on a logarithmic axis. " + "; ".join(texts) + ".")


def trade_off(points: Mapping[str, tuple[Spread, Spread]], *, before: float | None) -> Picture:
    """F1 against masked accuracy, a mark a recipe with the reach of its seeds; a dashed line where θ₀ stood.

    Args:
        points: per recipe (median, least, greatest) of masked accuracy and of F1.
        before: masked accuracy before fine-tuning; None when nothing was measured.
    """
    if not points or before is None:
        return _nothing()
    axes, figure = _axes(height=4.2)
    axes.axvline(before, color=BLACK, ls="--", lw=1, label="before fine-tuning")
    texts = []
    for (name, (x, y)), (colour, mark, _) in zip(points.items(), _STYLES, strict=False):
        axes.errorbar(x[0], y[0], xerr=_reach(x), yerr=_reach(y), color=colour, marker=mark, ms=8, capsize=3, ls="",
                      label=name)  # fmt: skip
        texts.append(f"{name}: masked accuracy {x[0]:.3f}, F1 {y[0]:.3f}")
    axes.set(xlabel="masked accuracy after fine-tuning (left: more forgotten)", ylabel="test F1",
             title="What is learned against what is forgotten")  # fmt: skip
    title = "learning rates of $\\theta$ and $\\varphi$"
    axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1), title=title)
    return Picture(figure, f"F1 against masked accuracy, which was {before:.3f} before. " + "; ".join(texts) + ".")


def rate_grid(grids: Mapping[str, Mapping[float, Mapping[float, float]]]) -> Picture:
    """Scores of each pair of learning rates, a panel a score; dark is high, the number stands in the cell.

    Args:
        grids: per score medians by the learning rates of θ, then of φ.
    """
    if not grids or not all(grids.values()):
        return _nothing()
    figure, panels = new_figure(len(grids), height=3.6)
    texts = []
    for panel, (name, grid) in zip(panels, grids.items(), strict=True):
        rates, heads = list(grid), list(next(iter(grid.values())))
        cells = [[grid[lr][head] for head in heads] for lr in reversed(rates)]
        most = max(map(max, cells))
        panel.imshow(cells, cmap="Blues", vmin=0, vmax=1.1 * most, aspect="auto")
        for y, line in enumerate(cells):
            for x, value in enumerate(line):
                colour = "white" if value > 0.6 * most else "black"
                panel.text(x, y, f"{100 * value:.1f}", ha="center", va="center", color=colour)
        panel.set_xticks(range(len(heads)), [short(head) for head in heads])
        panel.set_yticks(range(len(rates)), [short(lr) for lr in reversed(rates)])
        panel.set(xlabel="learning rate of $\\varphi$", ylabel="learning rate of $\\theta$", title=name)
        panel.grid(False)
        said = {lr: ", ".join(f"{100 * grid[lr][head]:.1f} with {short(head)}" for head in heads) for lr in rates}
        texts.append(f"{name} by θ. " + "; ".join(f"{short(lr)}: {cells}" for lr, cells in said.items()))
    return Picture(figure, ". ".join(texts) + ".")


def lr_sweep(lines: Mapping[str, Sequence[tuple[float, float, float, float]]]) -> Picture:
    """Scores over the learning rate of θ on a logarithmic axis.

    Args:
        lines: per score ``(learning rate, median, least, greatest)``, ascending.
    """
    if not lines:
        return _nothing()
    axes, figure = _axes(height=3.6)
    texts = []
    for (name, points), (colour, mark, line) in zip(lines.items(), _STYLES, strict=False):
        x, middle, low, high = zip(*points, strict=True)
        reach = [[m - least for m, least in zip(middle, low, strict=True)],
                 [most - m for m, most in zip(middle, high, strict=True)]]  # fmt: skip
        axes.errorbar(x, middle, reach, color=colour, marker=mark, ls=line, capsize=3, label=name)
        texts.append(f"{name}: " + ", ".join(f"{m:.3f} at {short(at)}" for at, m, _, _ in points))
    axes.set_xscale("log")
    ticks = sorted({point[0] for points in lines.values() for point in points})
    axes.set_xticks(ticks, [short(tick) for tick in ticks])
    axes.minorticks_off()
    axes.set(xlabel="learning rate of $\\theta$ (logarithmic axis)", ylabel="score", ylim=(0, None),
             title="One learning rate of $\\varphi$, many of $\\theta$")  # fmt: skip
    axes.legend(frameon=False)
    return Picture(figure, "Lines of two scores over the learning rate of the encoder. " + "; ".join(texts) + ".")


def _nothing() -> Picture:
    """An empty picture that says so, where an experiment has no result yet."""
    axes, figure = _axes(height=1.0)
    axes.set_axis_off()
    axes.text(0.5, 0.5, _NOTHING, ha="center", va="center", transform=axes.transAxes)
    return Picture(figure, _NOTHING.capitalize() + ".")


def _reach(spread: Spread) -> list[list[float]]:
    middle, low, high = spread
    return [[middle - low], [high - middle]]


def _axes(*, height: float) -> tuple[Any, Any]:
    """One panel with a light grid, without pyplot, so that nothing is shown twice or kept alive."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.0, height), layout="constrained")
    axes = figure.subplots()
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    return axes, figure
