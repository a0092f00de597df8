"""A threshold and a temperature over made-up confidence scores: what is kept, and how much of it is right."""

from __future__ import annotations

import numpy as np

from hanlp_tutor.teach.plots import BLUE, ORANGE, VERMILION, Picture, new_figure
from hanlp_tutor.teach.widgets import Explorer

PREDICTIONS = 400


def scores(temperature: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Synthetic confidence scores of a model that is too sure of itself, and which predictions are right.

    The true chance of being right is drawn; the model reports it with doubled logits, divided by the temperature. So a
    temperature of 2 calibrates it.
    """
    draw = np.random.default_rng(1)
    logits = draw.normal(1.2, 1.3, PREDICTIONS)
    right = draw.random(PREDICTIONS) < 1 / (1 + np.exp(-logits))
    return 1 / (1 + np.exp(-2 * logits / temperature)), right


def draw_threshold(threshold: float = 0.5, temperature: float = 1.0) -> Picture:
    """The share right among what is kept, and the share kept, over all thresholds; the chosen one as a line.

    Args:
        threshold: predictions with a lower score go to a person.
        temperature: by which all logits are divided.
    """
    score, right = scores(temperature)
    grid = np.linspace(0, 1, 101)
    share = [(score >= cut).mean() for cut in grid]
    accuracy = [right[score >= cut].mean() if (score >= cut).any() else np.nan for cut in grid]
    figure, (axes,) = new_figure(1)
    axes.plot(grid, accuracy, color=BLUE, lw=2, label="right, of what is kept")
    axes.plot(grid, share, color=ORANGE, lw=2, ls="--", label="kept (coverage)")
    axes.axvline(threshold, color=VERMILION)
    axes.set(xlabel="threshold", ylabel="share", ylim=(0, 1.02), xlim=(0, 1), title="Synthetic scores")
    axes.legend(frameon=False, loc="lower left")
    kept = score >= threshold
    says = "nothing is kept"
    if kept.any():
        says = f"{kept.mean():.0%} are kept, of which {right[kept].mean():.0%} are right; the model expects "
        says += f"{score[kept].mean():.0%}"
    return Picture(figure, f"{PREDICTIONS} synthetic scores, threshold {threshold:g}, T = {temperature:g}: {says}.")


def explorer() -> Explorer:
    """The picture with its controls."""
    thresholds = tuple(round(0.05 * step, 2) for step in range(21))
    return Explorer(draw_threshold, threshold=thresholds, temperature=(0.5, 1.0, 1.5, 2.0, 3.0))
