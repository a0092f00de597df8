"""The picture of lesson 12: the lead in recall over the share of names that are new."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hanlp_tutor.teach.plots import BLACK, BLUE, GREEN, VERMILION, Picture, new_figure
from hanlp_tutor.workbench.significance import Comparison

_STYLES = ((VERMILION, "o"), (BLUE, "s"), (GREEN, "D"))


def lead_by_novelty(points: Mapping[str, tuple[float, Sequence[Comparison]]], *, article: float) -> Picture:
    """A mark a seed with its 95 % interval: how much more recall than the rules, over the share of new names.

    Args:
        points: by set, three at most.
        article: what the article claims, a dashed line.
    """
    figure, (axes,) = new_figure(1)
    texts = []
    for (name, (share, leads)), (colour, mark) in zip(points.items(), _STYLES, strict=False):
        for number, pair in enumerate(leads):
            x = 100 * share + 0.7 * (number - (len(leads) - 1) / 2)  # beside each other
            axes.plot([x, x], [100 * pair.low, 100 * pair.high], color=colour, lw=1.5)
            axes.plot(x, 100 * pair.difference, mark, color=colour, ms=7, label=name if number == 0 else None)
        seen = ", ".join(f"{100 * pair.difference:+.1f}" for pair in leads)
        texts.append(f"{name}: {100 * share:.0f} % new, {seen}")
    axes.axhline(0, color=BLACK, lw=1)
    axes.axhline(100 * article, color=BLACK, ls="--", label="the article's claim")
    axes.set(xlabel="share of the test names that are new (%)", ylabel="points of recall over the rules")
    axes.set(title="The fine-tuned model's lead in recall")
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.01, 0.5))
    return Picture(
        figure,
        f"Lead in recall over the rules, in points, a mark a seed. {'; '.join(texts) or 'None measured'}. "
        f"A dashed line at {100 * article:+.0f}: the article's claim.",
    )
