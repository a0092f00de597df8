"""Pictures of lesson 10: reliability, coverage, and differences with their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hanlp_tutor.teach.plots import BLACK, BLUE, GREEN, GREY, ORANGE, VERMILION, Picture
from hanlp_tutor.workbench.significance import Comparison

_STYLES = ((VERMILION, "o", "-"), (BLUE, "s", "--"), (GREEN, "D", ":"), (ORANGE, "^", "-."))


def reliability(tables: Mapping[str, Sequence[Mapping[str, Any]]]) -> Picture:
    """Share of right predictions over the mean score of each bin; the area of a mark grows with their number.

    Args:
        tables: a name and its :func:`hanlp_tutor.workbench.calibration.reliability_table`, four at most.
    """
    figure, axes = _one_panel(4.6, 5.4)
    axes.plot([0, 1], [0, 1], color=BLACK, lw=1, label="as sure as right")
    texts = []
    for (name, rows), (colour, mark, line) in zip(tables.items(), _STYLES, strict=False):
        x, y = [row["confidence"] for row in rows], [row["accuracy"] for row in rows]
        most = max((row["count"] for row in rows), default=1)
        axes.plot(x, y, color=colour, ls=line, lw=1.2)
        areas = [20 + 180 * row["count"] / most for row in rows]
        axes.scatter(x, y, areas, color=colour, marker=mark, alpha=0.75, label=name)
        texts.append(f"{name}: " + ", ".join(f"{row['accuracy']:.2f} at {row['confidence']:.2f}" for row in rows))
    axes.set(xlabel="mean score of the bin", ylabel="share of right predictions", xlim=(0, 1.03), ylim=(0, 1.03))
    axes.set(title="Reliability", aspect="equal")
    legend = axes.legend(frameon=False, loc="upper left")
    for handle in legend.legend_handles[1:]:
        handle.set_sizes([40])
    return Picture(figure, "Reliability diagram, right predictions at the mean score. " + "; ".join(texts) + ".")


def coverage(
    points: Mapping[str, Sequence[Mapping[str, float]]], *, chosen: float | None = None, kept: str = "predictions"
) -> Picture:
    """How many of the kept are right, over the share that is kept.

    Args:
        points: a name and its :func:`hanlp_tutor.workbench.calibration.risk_coverage`, four at most.
        chosen: a coverage to mark by a dashed line.
        kept: what is kept or rejected.
    """
    figure, axes = _one_panel(3.6, 7.0)
    texts = []
    for (name, curve), (colour, _, line) in zip(points.items(), _STYLES, strict=False):
        x, y = [point["coverage"] for point in curve], [point["accuracy"] for point in curve]
        axes.plot(x, y, color=colour, ls=line, lw=1.8, label=name)
        if not curve:  # nothing was found at all
            continue
        marks = [min(curve, key=lambda point, at=at: abs(point["coverage"] - at)) for at in (0.25, 0.5, 0.75, 1.0)]
        texts.append(f"{name}: " + ", ".join(f"{p['accuracy']:.3f} at {p['coverage']:.2f}" for p in marks))
    if chosen is not None:
        axes.axvline(chosen, color=GREY, ls="--", label=f"kept by the threshold: {chosen:.2f}")
        texts.append(f"a dashed line at {chosen:.2f}")
    axes.set(xlabel=f"share of {kept} that are kept", ylabel="right among the kept", title="Coverage", xlim=(0, 1.02))
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    return Picture(figure, f"Share of right {kept} among those kept, over the share kept. " + "; ".join(texts) + ".")


def differences(comparisons: Mapping[str, Comparison], *, title: str) -> Picture:
    """A row a comparison: the difference in points with its 95 % interval; filled where it excludes zero."""
    figure, axes = _one_panel(1.4 + 0.42 * len(comparisons), 8.0)
    texts = []
    for row, (name, found) in enumerate(comparisons.items()):
        middle, low, high = (100 * value for value in (found.difference, found.low, found.high))
        colour = BLUE if found.excludes_zero else GREY
        axes.plot([low, high], [row, row], color=colour, lw=2)
        axes.plot(middle, row, "o", color=colour, ms=8, mfc=colour if found.excludes_zero else "white")
        texts.append(f"{name}: {middle:+.1f} from {low:+.1f} to {high:+.1f}")
    axes.axvline(0, color=BLACK, lw=1)
    axes.set_yticks(range(len(comparisons)), list(comparisons))
    axes.set_ylim(max(len(comparisons), 1) - 0.5, -0.5)
    axes.set(xlabel="difference in points of F1 (filled: the interval excludes zero)", title=title)
    axes.grid(alpha=0.3, axis="x")
    axes.spines[["top", "right"]].set_visible(False)
    return Picture(
        figure, f"{title}, differences in points with 95 % intervals. " + ("; ".join(texts) or "none measured") + "."
    )


def _one_panel(height: float, width: float) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()
