"""The pictures of lesson 14: the long tail of types, and how long single logs take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from hanlp_tutor.teach.plots import BLACK, BLUE, GREY, ORANGE, SKY, Picture, new_figure


def long_tail(counts: Sequence[int]) -> Picture:
    """How many training examples each type has, the most frequent first; both axes logarithmic."""
    ordered = sorted(counts, reverse=True)
    ranks = range(1, len(ordered) + 1)
    figure, (axes,) = new_figure(1, height=3.2)
    axes.plot(ranks, ordered, color=BLUE, marker=".", ls="none")
    half = int(np.searchsorted(np.cumsum(ordered), sum(ordered) / 2)) + 1
    axes.axvline(half, color=GREY, ls="--", label=f"half of all logs: the {half} most frequent types")
    axes.set(xscale="log", yscale="log", xlabel="rank of the type", ylabel="training logs", title="The long tail")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter("{x:,.0f}")
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    rare = sum(count < 10 for count in ordered)
    alt = f"Training logs over the rank of a type: {len(ordered)} types, the most frequent has {ordered[0]}, "
    return Picture(figure, alt + f"{rare} have fewer than 10; the {half} most frequent have half of all logs.")


def by_examples(models: Mapping[str, Mapping[str, Mapping[str, float]]]) -> Picture:
    """F1 by number of training examples: bars side by side, a colour a model, two at most; below, how many types.

    Args:
        models: a name and its :func:`~hanlp_tutor.teach.lessons.l14.tail.f1_by_examples`.
    """
    groups = list(dict.fromkeys(group for found in models.values() for group in found))
    figure, (axes,) = new_figure(1, height=3.2)
    width, texts = 0.8 / len(models), []
    for number, ((name, found), colour) in enumerate(zip(models.items(), (SKY, ORANGE), strict=False)):
        heights = [found.get(group, {"f1": 0.0})["f1"] for group in groups]
        places = np.arange(len(groups)) + number * width
        drawn = axes.bar(places, heights, width, color=colour, label=name, hatch="//" if number else "")
        axes.bar_label(drawn, [f"{height:.2f}" for height in heights], fontsize=8, padding=2)
        texts.append(f"{name}: " + ", ".join(f"{h:.2f} at {g}" for g, h in zip(groups, heights, strict=True)))
    types = {group: each["types"] for found in models.values() for group, each in found.items()}
    under = [f"{group}\n{types[group]} type{'s'[: types[group] != 1]}" for group in groups]
    axes.set_xticks(np.arange(len(groups)) + width * (len(models) - 1) / 2, under)
    axes.set(xlabel="training examples of the type, and how many types have so many", ylabel="mean F1")
    axes.set(ylim=(0, 1.08), title="F1 along the tail")
    axes.legend(frameon=False, loc="upper left")
    axes.spines[["top", "right"]].set_visible(False)
    counted = ", ".join(f"{types[group]} at {group}" for group in groups)
    alt = f"Mean F1 of types by number of training examples. Types: {counted}. "
    return Picture(figure, alt + "; ".join(texts) + ".")


def waiting(times: Sequence[float], *, limit: float = 50.0) -> Picture:
    """Milliseconds of each log, sorted, with the median, the 99th percentile and a limit.

    Args:
        times: of one log each.
        limit: milliseconds, a line.
    """
    ordered, p50, p99 = np.sort(times), *np.percentile(times, (50, 99))
    figure, (axes,) = new_figure(1, height=3.0)
    axes.plot(np.arange(1, len(ordered) + 1) / len(ordered), ordered, color=BLUE)
    for share, value in ((0.5, p50), (0.99, p99)):
        axes.plot(share, value, color=ORANGE, marker="o")
        axes.annotate(
            f"p{100 * share:.0f}: {value:.1f} ms", (share, value), (-8, 8), textcoords="offset points", ha="right"
        )
    axes.axhline(limit, color=BLACK, ls="--", label=f"{limit:.0f} ms")
    axes.set(xlabel="share of the logs", ylabel="milliseconds", title="One log at a time", ylim=(0, None))
    axes.legend(frameon=False, loc="center left")
    axes.spines[["top", "right"]].set_visible(False)
    alt = f"Sorted times of {len(ordered)} logs: median {p50:.1f} ms, 99th percentile {p99:.1f} ms, "
    return Picture(figure, alt + f"the longest {ordered[-1]:.1f} ms; a line at {limit:.0f} ms.")
