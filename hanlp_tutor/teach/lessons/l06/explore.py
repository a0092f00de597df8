"""Peaks and one curve: the learning rates of φ and of θ's layers over a run, and how far each carries a weight."""

from __future__ import annotations

from hanlp_tutor.config import TrainConfig
from hanlp_tutor.teach.lessons.l06.drift import lr_schedule
from hanlp_tutor.teach.plots import BLUE, ORANGE, SKY, Picture, new_figure
from hanlp_tutor.teach.widgets import Explorer

LAYERS = 12
RATES = (1e-5, 2e-5, 5e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2)


def draw_rates(
    lr: float = 2e-5,
    head_lr: float = 1e-3,
    layerwise_decay: float = 0.8,
    schedule: str = "linear",
    warm_up: float = 0.1,
    updates: int = 200,
) -> Picture:
    """The learning rate of each update: of the head, of the top layer and of the lowest of twelve.

    Args:
        lr, head_lr: the peaks of θ and of φ.
        layerwise_decay: the factor from each layer of θ to the one below.
        warm_up: share of the updates in which the rates rise.
    """
    config = TrainConfig(schedule=schedule, warmup_steps=warm_up)
    curve = lr_schedule(config, updates)
    lowest = lr * layerwise_decay ** (LAYERS - 1)
    figure, (axes,) = new_figure(1)
    peaks = {"φ": (head_lr, ORANGE, "--"), "θ, top layer": (lr, BLUE, "-"), "θ, lowest layer": (lowest, SKY, ":")}
    for name, (peak, colour, line) in peaks.items():
        axes.plot(range(1, updates + 1), [peak * value for value in curve], color=colour, ls=line, lw=2, label=name)
    axes.set(xlabel="update", ylabel="learning rate", yscale="log", ylim=(1e-8, 3e-2), xlim=(0, updates))
    axes.set_title("Each part has its own peak, and all the same curve")
    axes.legend(frameon=False, loc="lower center", ncols=3)
    axes.grid(alpha=0.3)
    area = sum(curve)
    says = ", ".join(f"{peak * area:.2g} for {name}" for name, (peak, *_) in peaks.items())
    return Picture(figure, f"The sum of the {updates} rates, which is how far Adam can carry a weight: {says}.")


def explorer() -> Explorer:
    """The picture with its controls."""
    return Explorer(
        draw_rates,
        lr=RATES,
        head_lr=RATES,
        layerwise_decay=(1.0, 0.95, 0.9, 0.8, 0.65),
        schedule=("linear", "cosine", "constant"),
        warm_up=(0.0, 0.05, 0.1, 0.2, 0.5),
        updates=(50, 100, 200, 400, 800),
    )
