"""The pictures of notebook 04: how sure a classifier was of what, and how long the texts are."""

from __future__ import annotations

from collections.abc import Sequence

from hanlp_tutor.teach.plots import BLACK, SKY, VERMILION, Picture, new_figure


def confidence(scores: Sequence[float], right: Sequence[bool], *, bins: int = 10) -> Picture:
    """How sure the model was, of what it got right (plain) and wrong (hatched): stacked counts by score."""
    figure, (axes,) = new_figure(1, height=3.2)
    groups = [[s for s, r in zip(scores, right, strict=True) if r == kind] for kind in (True, False)]
    low = min(0.5, *scores) if scores else 0.5
    _, _, drawn = axes.hist(
        groups,
        bins=bins,
        range=(low, 1.0),
        stacked=True,
        color=[SKY, VERMILION],
        edgecolor="white",
        label=[f"right ({len(groups[0]):,})", f"wrong ({len(groups[1]):,})"],
    )
    for bar in drawn[1]:
        bar.set_hatch("///")
    axes.set(xlabel="score of the predicted label", ylabel="texts", title="How sure, and how right")
    axes.legend(frameon=False, loc="upper left")
    axes.spines[["top", "right"]].set_visible(False)
    means = [sum(group) / len(group) if group else float("nan") for group in groups]
    alt = f"Histogram of scores: {len(groups[0])} right predictions with a mean score of {means[0]:.2f}, "
    return Picture(figure, alt + f"{len(groups[1])} wrong ones with {means[1]:.2f}.")


def lengths(values: Sequence[int], *, limit: int = 510, title: str = "Length in characters") -> Picture:
    """How long texts are, on a logarithmic axis, and the longest that fits one window."""
    figure, (axes,) = new_figure(1, height=3.0)
    longest = max(values)
    edges = [1.0]
    while edges[-1] <= longest:
        edges.append(edges[-1] * 1.3)
    axes.hist(values, bins=edges, color=SKY, edgecolor="white")
    axes.axvline(limit, color=BLACK, ls="--", label=f"{limit}: one window")
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.set(xlabel="characters", ylabel="texts", title=title)
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    middle = sorted(values)[len(values) // 2]
    over = sum(value > limit for value in values)
    alt = f"Histogram of lengths on a logarithmic axis: half of {len(values)} texts have at most {middle} characters, "
    return Picture(figure, alt + f"{over} have more than {limit}, the longest {longest}.")
