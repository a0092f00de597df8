"""The picture of lesson 13: what each threshold costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hanlp_tutor.teach.lessons.l13.cost import Desk
from hanlp_tutor.teach.plots import BLACK, BLUE, GREY, ORANGE, Picture, new_figure


def costs(desk: Desk, sets: Mapping[str, tuple[Sequence[float], Sequence[bool]]], *, chosen: float) -> Picture:
    """Hours over the share of alerts that are looked at, a line a set; where the chosen threshold lands on each.

    Args:
        desk: what a missed case costs.
        sets: a name, and of each alert the score and whether it is suspicious; two at most.
        chosen: the threshold.
    """
    figure, (axes,) = new_figure(1, height=3.6, width=7.5)
    texts = []
    for (name, (scores, suspicious)), colour, line in zip(sets.items(), (BLUE, ORANGE), ("-", "--"), strict=False):
        thresholds = [*sorted({chosen, *map(float, scores)}), float("inf")]
        points = sorted(
            (sum(score >= t for score in scores) / len(scores), desk.hours(scores, suspicious, t)) for t in thresholds
        )
        axes.plot(*zip(*points, strict=True), color=colour, ls=line, label=name)
        here = sum(score >= chosen for score in scores) / len(scores), desk.hours(scores, suspicious, chosen)
        axes.plot(*here, color=colour, marker="o", ms=8)
        texts.append(f"{name}: least {min(hours for _, hours in points):,.0f}, at the chosen one {here[1]:,.0f}")
    axes.axhline(desk.all, color=GREY, ls=":", label="look at all")
    axes.axhline(desk.none, color=BLACK, ls=":", label="look at none")
    axes.set(xlabel="share of the labelled alerts that are looked at", ylabel="hours for 1,000 alerts", ylim=(0, None))
    axes.set_title("What a threshold costs (a dot: the chosen one)")
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    return Picture(figure, "Hours for 1,000 alerts over the share that is looked at. " + "; ".join(texts) + ".")
