"""The loss over a plane through three models: where fine-tuning starts, and where two runs end.

A loss of millions of weights can be drawn over two directions only. Random ones (Li et al. 2018, "Visualizing the Loss
Landscape of Neural Nets") show a bowl around almost any model; the plane through three models (Garipov et al. 2018)
shows what training did, at its true distances.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from hanlp_tutor.core.batching import Batch
from hanlp_tutor.core.model import Model
from hanlp_tutor.teach.plots import BLACK, ORANGE, VERMILION, Picture, new_figure


def weight_vector(model: Model) -> Tensor:
    """θ and φ as one vector, a copy on the CPU; parameters that no task trains (the pooler) are left out."""
    return parameters_to_vector(_trainable(model)).detach().cpu().clone()


class Plane:
    """The plane through three weight vectors.

    Its origin is ``start``; the x axis points to ``first``, the y axis, at a right angle, to the side of ``second``.
    Both axes have the unit of the weights, so that distances in the plane are distances between models.

    Raises:
        ValueError: the three lie on one line.
    """

    def __init__(self, start: Tensor, first: Tensor, second: Tensor):
        self.start = start
        self.right = (first - start) / (first - start).norm()
        rest = (second - start) - self.right * torch.dot(second - start, self.right)
        if not rest.norm() > 1e-6 * (second - start).norm():
            raise ValueError("three models on one line span no plane: train the second with other options")
        self.up = rest / rest.norm()

    def place(self, vector: Tensor) -> tuple[float, float]:
        """The coordinates of a vector, or of its foot if it lies outside the plane."""
        return float(torch.dot(vector - self.start, self.right)), float(torch.dot(vector - self.start, self.up))

    def at(self, x: float, y: float) -> Tensor:
        """The weight vector at a place."""
        return self.start + x * self.right + y * self.up


@dataclass(frozen=True)
class Surface:
    """Mean losses at the points of a grid: ``losses[row][column]`` at (xs[column], ys[row])."""

    xs: list[float]
    ys: list[float]
    losses: list[list[float]]


@torch.no_grad()
def loss_at(model: Model, vector: Tensor, batches: Sequence[Batch]) -> float:
    """The mean loss over the valid tokens (examples) of some batches, with these weights and without dropout.

    The model gets its own weights and mode back.
    """
    own, was_training = weight_vector(model), model.training
    model.eval()
    vector_to_parameters(vector.to(model.device), _trainable(model))
    moved = [batch.to(model.device) for batch in batches]
    total = sum(float(model.loss_sum(model(batch), batch)) for batch in moved)
    vector_to_parameters(own.to(model.device), _trainable(model))
    model.train(was_training)
    return total / sum(batch.valid for batch in batches)


def measure_surface(
    model: Model, plane: Plane, batches: Sequence[Batch], corners: Sequence[Tensor], points: int
) -> Surface:
    """The loss on a grid of ``points`` times ``points`` places, a quarter wider on each side than the corners."""
    places = [plane.place(corner) for corner in corners]
    xs, ys = (_axis([place[i] for place in places], points) for i in (0, 1))
    return Surface(xs, ys, [[loss_at(model, plane.at(x, y), batches) for x in xs] for y in ys])


def draw_surface(surface: Surface, places: dict[str, tuple[float, float]]) -> Picture:
    """Contours of log loss (darker is lower), with named places; the first is where training starts."""
    from matplotlib.ticker import LogFormatter, LogLocator

    figure, (axes,) = new_figure(1, height=4.6, width=7.0)
    lowest, highest = (f(map(f, surface.losses)) for f in (min, max))
    levels = torch.logspace(torch.tensor(lowest).log10(), torch.tensor(highest).log10(), 14).tolist()
    levels[0], levels[-1] = 0.999 * lowest, 1.001 * highest
    drawn = axes.contourf(surface.xs, surface.ys, surface.losses, levels=levels, cmap="Blues_r", norm="log")
    axes.contour(surface.xs, surface.ys, surface.losses, levels=levels, colors="white", linewidths=0.5)
    bar = figure.colorbar(drawn, ax=axes, label="mean loss per character", ticks=LogLocator(subs=(1, 2, 5)))
    bar.ax.yaxis.set_major_formatter(LogFormatter(minor_thresholds=(9, 9)))
    start = next(iter(places.values()))
    for (name, (x, y)), mark, colour in zip(places.items(), "sovD", (BLACK, ORANGE, VERMILION, BLACK), strict=False):
        axes.plot([start[0], x], [start[1], y], color=colour, lw=1.2, ls=":")
        axes.plot(x, y, mark, color=colour, ms=10, mec="white", label=name)
    axes.set(xlabel="distance from the start, towards the first run", ylabel="distance at a right angle to it")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=3, frameon=False)
    named = "; ".join(f"{name} at ({x:.2f}, {y:.2f})" for name, (x, y) in places.items())
    alt = f"Contours of the loss over a plane of weights, from {lowest:.3f} to {highest:.3f}: {named}."
    return Picture(figure, alt)


def _axis(values: Sequence[float], points: int) -> list[float]:
    low, high = min(values), max(values)
    margin = 0.25 * (high - low)
    return torch.linspace(low - margin, high + margin, points).tolist()


def _trainable(model: Model) -> list[Tensor]:
    return [parameter for parameter in model.parameters() if parameter.requires_grad]
