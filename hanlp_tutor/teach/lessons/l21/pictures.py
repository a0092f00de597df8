"""The pictures of notebook 21: the ledger at a glance, and the differences of single seeds."""

from __future__ import annotations

from collections.abc import Sequence

from hanlp_tutor.teach.course.claims import NOT_HERE, PARTLY, PARTS, REFUTED, REPRODUCED
from hanlp_tutor.teach.plots import BLACK, BLUE, GREY, ORANGE, VERMILION, Picture, new_figure

# A colour and a letter each, so that the picture can be read without colours
STYLES = {REPRODUCED: (BLUE, "R"), PARTLY: (ORANGE, "P"), REFUTED: (VERMILION, "X"), NOT_HERE: (GREY, "–")}
OTHER = ("white", "?")


def ledger(rows: Sequence[dict[str, str]]) -> Picture:
    """A square a claim, a line a part of the article, in the article's order."""
    figure, (axes,) = new_figure(1, height=3.9, width=8.0)
    told = []
    for line, part in enumerate(PARTS):
        verdicts = [row["verdict"] for row in rows if row["part"] == part]
        for place, verdict in enumerate(verdicts):
            colour, letter = STYLES.get(verdict, OTHER)
            axes.add_patch(_square(place, line, colour))
            axes.text(place + 0.45, line + 0.5, letter, ha="center", va="center", color="white", weight="bold")
        counts = ", ".join(f"{verdicts.count(verdict)} {verdict}" for verdict in dict.fromkeys(verdicts))
        told.append(f"{part}: {counts}")
    widest = max(sum(row["part"] == part for row in rows) for part in PARTS)
    axes.set(xlim=(-0.2, widest + 0.2), ylim=(len(PARTS), -0.1), xticks=[], title="A square is a claim of the article")
    axes.set_yticks([line + 0.5 for line in range(len(PARTS))], PARTS)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    handles = [_square(0, 0, colour, label=f"{letter}  {verdict}") for verdict, (colour, letter) in STYLES.items()]
    axes.legend(handles=handles, frameon=False, ncols=4, loc="upper center", bbox_to_anchor=(0.42, 0))
    return Picture(figure, f"A grid of squares, one a claim, a line a part of the article. {'; '.join(told)}.")


def _square(x: float, y: float, colour: str, label: str | None = None):
    from matplotlib.patches import Rectangle

    return Rectangle((x, y + 0.05), 0.9, 0.9, facecolor=colour, edgecolor=BLACK, lw=0.4, label=label)


def differences(values: Sequence[float], low: float, high: float, *, title: str) -> Picture:
    """A dot a seed, the interval of their mean as a bar, and the line of no difference."""
    figure, (axes,) = new_figure(1, height=2.3, width=7.0)
    axes.axvline(0, color=BLACK, lw=1)
    axes.plot([low, high], [0.35, 0.35], color=ORANGE, lw=6, solid_capstyle="butt", label="mean, 95 % interval")
    axes.plot(sorted(values), [0.65] * len(values), "o", color=BLUE, alpha=0.75, label="one seed")
    axes.set(ylim=(0, 1), yticks=[], xlabel="points of F1 on dev", title=title)
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    axes.spines[["top", "right", "left"]].set_visible(False)
    shown = ", ".join(f"{value:+.1f}" for value in sorted(values))
    interval = f"the interval of their mean from {low:+.1f} to {high:+.1f}"
    return Picture(figure, f"{title}: a dot a seed at {shown} points; {interval}.")
