"""The picture of notebook 19: how long answers take, as a share of the requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hanlp_tutor.teach.plots import BLUE, GREEN, ORANGE, VERMILION, Picture, new_figure

STYLES = ((VERMILION, "-"), (BLUE, "--"), (GREEN, "-."), (ORANGE, ":"))


def waiting(seconds: Mapping[str, Sequence[float]], *, limit: float | None = None) -> Picture:
    """The share of requests that were answered within a time, a line a service, on a logarithmic axis."""
    figure, (axes,) = new_figure(1, height=3.4)
    told = []
    for (name, values), (colour, line) in zip(seconds.items(), STYLES, strict=False):
        ordered = [1000 * value for value in sorted(values)]
        shares = [(n + 1) / len(ordered) for n in range(len(ordered))]
        axes.step(ordered, shares, where="post", color=colour, ls=line, label=f"{name} ({len(ordered):,})")
        told.append(f"{name} has answered half of them within {ordered[len(ordered) // 2]:.0f} ms")
    if limit is not None:
        axes.axvline(1000 * limit, color="0.4", lw=1)
        axes.text(1000 * limit, 0.03, f" {1000 * limit:.0f} ms", color="0.3")
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.set(xlabel="milliseconds, from request to answer", ylabel="share of requests", title="How long answers take")
    axes.set_ylim(0, 1.02)
    axes.legend(frameon=False, loc="center")
    axes.spines[["top", "right"]].set_visible(False)
    return Picture(figure, f"Cumulative shares of latencies: {'; '.join(told)}.")
