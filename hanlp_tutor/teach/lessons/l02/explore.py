"""λ moves the valley: the contours of a task's loss over two weights, with the penalty added."""

from __future__ import annotations

import numpy as np

from hanlp_tutor.teach.plots import BLACK, BLUE, GREY, VERMILION, Picture, new_figure
from hanlp_tutor.teach.widgets import Explorer

# A made-up task: steep along the first weight, flat along the second, its lowest place away from zero
BEST = np.array([2.0, 2.0])
CURVATURE = np.array([4.0, 0.2])


def minimum(lam: float) -> np.ndarray:
    """Where ½ Σ c (θ − θ*)² + λ‖θ‖² is lowest: each weight is c / (c + 2λ) of its own best."""
    return CURVATURE / (CURVATURE + 2 * lam) * BEST


def draw_valley(lam: float = 0.1) -> Picture:
    """Contours of the loss with its penalty; where it is lowest, and where the task alone would be.

    Args:
        lam: λ of λ‖θ‖².
    """
    first, second = np.meshgrid(np.linspace(-1, 4, 101), np.linspace(-1, 4, 101))
    task = 0.5 * (CURVATURE[0] * (first - BEST[0]) ** 2 + CURVATURE[1] * (second - BEST[1]) ** 2)
    loss = task + lam * (first**2 + second**2)
    lowest = minimum(lam)
    figure, (axes,) = new_figure(1, height=3.8, width=6.0)
    axes.contour(first, second, loss - loss.min(), levels=[0.02, 0.1, 0.3, 0.8, 2, 5, 10], colors=BLUE, alpha=0.6)
    axes.plot(*np.array([minimum(each) for each in np.geomspace(1e-3, 1e3, 200)]).T, color=GREY, ls=":", label="all λ")
    axes.plot([0], [0], "+", color=BLACK, ms=12, label="zero")
    axes.plot(*BEST, "s", color=BLACK, ms=8, label="the task's best")
    axes.plot(*lowest, "D", color=VERMILION, ms=9, label="lowest with λ")
    axes.set(xlabel="a weight that the task needs", ylabel="a weight that it hardly needs", title=f"λ = {lam:g}")
    axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    kept = lowest / BEST
    says = f"the weight that the task needs keeps {kept[0]:.0%} of its best value, the other one {kept[1]:.0%}"
    return Picture(figure, f"Contours of a loss over two weights with λ = {lam:g}: {says}.")


def explorer() -> Explorer:
    """The picture with its control."""
    return Explorer(draw_valley, lam=(0.0, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0))
